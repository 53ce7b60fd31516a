//! What a program is sent of a song or an episode, as it says what it plays: OpenSubsonic's `transcoding`.
use std::time::Duration;

use axum::response::Response;

use super::call::{Answer, Call};
use super::decision::{Decision, Program, Sound};
use super::fault::Fault;
use super::played::Played;
use super::stream::{OFFSET_MAX, encoded};
use super::tree::{Element, Value};
use crate::media::whole_sound::SoundCodec;
use crate::playback::SoundForm;

/// `getTranscodeDecision`
pub(super) async fn decide(call: Call) -> Result<Answer, Fault> {
    let played = song(&call).await?;
    let program: Program = call.body.json().await?;
    let sound = played.sound();
    let Decision { direct, reasons, encoded } = program.decide(&sound);
    let element = Element::new()
        .with("canDirectPlay", direct)
        .with("canTranscode", encoded.is_some())
        .with("errorReason", "")
        .maybe("transcodeParams", encoded.as_ref().map(|(form, _)| params(form)))
        .plains("transcodeReason", reasons.into_iter().map(Value::from).collect())
        .one("sourceStream", details(&sound));
    let element = match encoded {
        Some((_, made)) => element.one("transcodeStream", details(&made)),
        None => element,
    };
    Ok(Answer::one("transcodeDecision", element))
}

fn details(sound: &Sound) -> Element {
    let known = |value: u64| Some(value).filter(|value| *value > 0);
    Element::new()
        .with("protocol", "http")
        .with("container", sound.containers.first().cloned().unwrap_or_default())
        .with("codec", sound.codec.as_str())
        .maybe("audioChannels", known(sound.channels))
        .maybe("audioBitrate", known(sound.bit_rate))
        .maybe("audioSamplerate", known(sound.sample_rate))
        .maybe("audioBitdepth", known(sound.bit_depth))
}

/// `getTranscodeStream`
pub(super) async fn stream(call: Call) -> Result<Response, Fault> {
    let played = song(&call).await?;
    let offset = call.params.int("offset")?.unwrap_or(0).clamp(0, OFFSET_MAX).unsigned_abs();
    let form = form(call.params.need("transcodeParams")?, Duration::from_secs(offset));
    let form = form.ok_or_else(|| Fault::invalid("transcodeParams: must be what getTranscodeDecision told"))?;
    encoded(&call, &played, form).await
}

async fn song(call: &Call) -> Result<Played, Fault> {
    match call.params.need("mediaType")? {
        "song" | "podcast" => Played::named(call, "mediaId").await,
        _ => Err(Fault::invalid("mediaType: must be song or podcast")),
    }
}

/// A form in one word.
fn params(form: &SoundForm) -> String {
    format!("{}-{}", form.codec().suffix(), form.kbps())
}

fn form(word: &str, offset: Duration) -> Option<SoundForm> {
    let (codec, kbps) = word.split_once('-')?;
    let form = SoundForm::new(SoundCodec::named(codec)?, Some(kbps.parse().ok()?), offset);
    (params(&form) == word).then_some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_told() {
        for word in ["mp3-192", "opus-96", "aac-256"] {
            assert_eq!(form(word, Duration::ZERO).map(|form| params(&form)).as_deref(), Some(word));
        }
        for odd in ["", "mp3", "mp3-191", "mp3-+192", "ogg-96", "flac-900", "mp3-99999999999", "mp3-192-1"] {
            assert!(form(odd, Duration::ZERO).is_none(), "{odd}");
        }
    }
}
