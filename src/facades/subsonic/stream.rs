//! The bytes of songs and episodes: as they are, or encoded anew.
use std::time::Duration;

use axum::http::Method;
use axum::response::{IntoResponse, Response};

use super::call::Call;
use super::fault::Fault;
use super::played::Played;
use crate::facades::native::watcher;
use crate::facades::sounds::{self, Wish};
use crate::media::whole_sound::SoundCodec;
use crate::playback::SoundForm;

/// Seconds of a song that can be left out.
pub(super) const OFFSET_MAX: i64 = 48 * 3600;

/// What of it is sent.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Original,
    Encoded(SoundForm),
}

/// What a call wants.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted<'a> {
    /// The word of the call.
    format: Option<&'a str>,
    /// kbit/s; 0 for no limit.
    bit_rate_max: u32,
    offset: Duration,
}

/// As it is, where nothing says otherwise: encoded where another format is asked for, or fewer bits than it has.
fn sent(suffix: &str, bit_rate: u32, wanted: Wanted<'_>) -> Sent {
    let lower = wanted.bit_rate_max > 0 && bit_rate > wanted.bit_rate_max;
    let format = wanted.format.map(str::to_ascii_lowercase);
    let codec = match format.as_deref() {
        Some("raw") => return Sent::Original,
        Some(name) if name == suffix && !lower && wanted.offset.is_zero() => return Sent::Original,
        // A format that is not made here is no reason to send nothing.
        Some(name) => SoundCodec::named(name),
        None => None,
    };
    if codec.is_none() && !lower && wanted.offset.is_zero() {
        return Sent::Original;
    }
    let most = (wanted.bit_rate_max > 0).then_some(wanted.bit_rate_max);
    Sent::Encoded(SoundForm::new(codec.unwrap_or(SoundCodec::Mp3), most, wanted.offset))
}

/// `stream`
pub(super) async fn stream(call: Call) -> Result<Response, Fault> {
    let played = Played::named(&call, "id").await?;
    let bit_rate_max = call.params.int("maxBitRate")?.unwrap_or(0).clamp(0, 10_000) as u32;
    let offset = call.params.int("timeOffset")?.unwrap_or(0).clamp(0, OFFSET_MAX).unsigned_abs();
    let wanted = Wanted { format: call.params.one("format"), bit_rate_max, offset: Duration::from_secs(offset) };
    match sent(&played.suffix(), played.bit_rate(), wanted) {
        Sent::Original => played.original(&call, false).await,
        Sent::Encoded(form) => encoded(&call, &played, form).await,
    }
}

/// It is encoded anew.
pub(super) async fn encoded(call: &Call, played: &Played, form: SoundForm) -> Result<Response, Fault> {
    let source = played.source(call).await?;
    let length = call.params.flag("estimateContentLength")?.unwrap_or(false);
    let watcher = watcher(&call.caller);
    let wish = Wish { source: &source, form, length, watcher: &watcher };
    match sounds::answer(&call.app, wish, &reading(&call.method), &call.headers).await {
        Ok(sent) => Ok(sent),
        Err(refusal) => Ok(refusal.into_response()),
    }
}

/// A form asks for bytes too.
pub(super) fn reading(method: &Method) -> Method {
    if method == Method::HEAD { Method::HEAD } else { Method::GET }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_song_is_encoded_only_where_something_else_than_it_is_is_wanted() {
        let wanted = |format, bit_rate_max| Wanted { format, bit_rate_max, ..Wanted::default() };
        for (format, most) in
            [(None, 0), (None, 320), (Some("raw"), 64), (Some("mp3"), 0), (Some("MP3"), 320), (Some("xyz"), 0)]
        {
            assert_eq!(sent("mp3", 256, wanted(format, most)), Sent::Original, "{format:?} {most}");
        }
        let form = |codec, most, seconds| Sent::Encoded(SoundForm::new(codec, most, Duration::from_secs(seconds)));
        assert_eq!(sent("flac", 900, wanted(None, 128)), form(SoundCodec::Mp3, Some(128), 0));
        assert_eq!(sent("flac", 900, wanted(Some("opus"), 0)), form(SoundCodec::Opus, None, 0));
        assert_eq!(sent("mp3", 256, wanted(Some("mp3"), 96)), form(SoundCodec::Mp3, Some(96), 0));
        let later = Wanted { offset: Duration::from_secs(7), ..Wanted::default() };
        assert_eq!(sent("mp3", 256, later), form(SoundCodec::Mp3, None, 7));
    }
}
