//! The sound of an item as one stream, in a form that programs and browsers play.
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;

use super::capabilities;
use super::model::{Problem, SoundQuery};
use super::shapes::playable;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Query, SeenItem};
use crate::facades::sounds::{self, Wish};
use crate::media::whole_sound::SoundCodec;
use crate::playback::SoundForm;

/// Kilobits a second that may be asked for.
const KBPS_MAX: u32 = 10_000;
/// Seconds that may be left out.
const OFFSET_MAX: f64 = 48.0 * 3600.0;

/// The sound of the whole file, encoded anew. As it comes while it is made, and with Range and ETag once it was.
#[utoipa::path(get, path = "/api/v1/items/{id}/sound", tag = "playback", params(("id" = String, Path), SoundQuery),
    responses((status = 200, content_type = "audio/mpeg"), (status = 206), (status = 304),
        (status = 400, body = Problem), (status = 404, body = Problem), (status = 415, body = Problem), (status = 416),
        (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    Query(query): Query<SoundQuery>,
    request: Request,
) -> Result<Response, Refusal> {
    let (form, length) = (form(&query)?, query.length.unwrap_or(false));
    let source = playable(&item)?;
    if form.offset().as_secs_f64() >= source.facts.duration && !form.offset().is_zero() {
        return Err(Refusal::invalid(format!("offset: the sound has {:.3} seconds", source.facts.duration)));
    }
    let watcher = capabilities::watcher(&caller);
    let wish = Wish { source: &source, form, length, watcher: &watcher };
    sounds::answer(&app, wish, request.method(), request.headers()).await
}

fn form(query: &SoundQuery) -> Result<SoundForm, Refusal> {
    let codec = match query.format.as_deref() {
        None | Some("") => SoundCodec::Mp3,
        Some(name) => SoundCodec::named(name).ok_or_else(|| Refusal::invalid("format: must be mp3, opus or aac"))?,
    };
    if query.bitrate.is_some_and(|kbps| !(1..=KBPS_MAX).contains(&kbps)) {
        return Err(Refusal::invalid(format!("bitrate: must be 1 to {KBPS_MAX} kilobits a second")));
    }
    let offset = query.offset.unwrap_or(0.0);
    if !(0.0..=OFFSET_MAX).contains(&offset) {
        return Err(Refusal::invalid(format!("offset: must be 0 to {OFFSET_MAX} seconds")));
    }
    // To the millisecond, so that what is almost nothing is nothing.
    let offset = Duration::from_millis((offset * 1000.0).round() as u64);
    Ok(SoundForm::new(codec, query.bitrate, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(format: Option<&str>, bitrate: Option<u32>, offset: Option<f64>) -> Result<SoundForm, Refusal> {
        form(&SoundQuery { format: format.map(str::to_owned), bitrate, offset, length: None })
    }

    #[test]
    fn nothing_said_is_mp3_from_the_beginning() {
        let form = asked(None, None, None).unwrap();
        assert_eq!((form.codec(), form.kbps(), form.offset()), (SoundCodec::Mp3, 192, Duration::ZERO));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (format, bitrate, offset) in [
            (Some("wma"), None, None),
            (None, Some(0), None),
            (None, Some(10_001), None),
            (None, None, Some(-0.1)),
            (None, None, Some(f64::NAN)),
            (None, None, Some(f64::INFINITY)),
            (None, None, Some(1e9)),
        ] {
            assert!(asked(format, bitrate, offset).is_err(), "{format:?} {bitrate:?} {offset:?}");
        }
        assert_eq!(asked(Some("opus"), Some(9999), Some(0.0001)).unwrap().offset(), Duration::ZERO);
    }
}
