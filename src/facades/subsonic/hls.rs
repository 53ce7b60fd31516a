//! HTTP Live Streaming (RFC 8216) of a song: playlists whose addresses bring along what the call was signed in with, for players that know
//! nothing of this protocol. The parts are those that the page plays too, and are made when they are asked for.
use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::call::Call;
use super::fault::Fault;
use super::played::Played;
use crate::facades::bytes::{etag, not_modified};
use crate::facades::error::Refusal;
use crate::facades::native::watcher;
use crate::playback::{Playback, PlaybackError, Rendition, Source};

const PLAYLIST: &str = "application/vnd.apple.mpegurl";
/// What a call is signed in with, and who calls.
const ECHOED: [&str; 8] = ["u", "p", "t", "s", "apiKey", "v", "c", "id"];
/// Variants of a playlist of playlists.
const VARIANTS_MAX: usize = 16;
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `hls.m3u8`
pub(super) async fn playlist(call: Call) -> Result<Response, Fault> {
    let source = source(&call).await?;
    if let Some(rendition) = call.params.one("rendition") {
        return media(&call, &source, rendition).await;
    }
    let rates = rates(&call)?;
    let mut offered: Vec<Arc<Rendition>> = Vec::new();
    for rate in &rates {
        let rendition = offer(&call, &source, *rate).await?;
        if offered.iter().all(|known| known.id != rendition.id) {
            offered.push(rendition);
        }
    }
    match &offered[..] {
        [only] if rates.len() == 1 => media(&call, &source, &only.id).await,
        several => Ok(answer(master(&call, several))),
    }
}

/// Bits a second that are asked for, once each: one that is none for no limit.
fn rates(call: &Call) -> Result<Vec<Option<u64>>, Fault> {
    let wrong = || Fault::invalid("bitRate: must be kilobits a second");
    let mut rates = Vec::new();
    for told in call.params.all("bitRate").filter(|told| !told.is_empty()).take(VARIANTS_MAX) {
        // Behind an `@` is the size of a picture.
        let told = told.split('@').next().unwrap_or_default().trim();
        let kbps: u64 = told.parse().map_err(|_| wrong())?;
        let rate = Some(kbps.saturating_mul(1000)).filter(|rate| *rate > 0);
        if !rates.contains(&rate) {
            rates.push(rate);
        }
    }
    if rates.is_empty() {
        rates.push(None);
    }
    Ok(rates)
}

async fn source(call: &Call) -> Result<Source, Fault> {
    Played::named(call, "id").await?.source(call).await
}

async fn offer(call: &Call, source: &Source, rate: Option<u64>) -> Result<Arc<Rendition>, Fault> {
    let stream = call.params.one("audioTrack").and_then(|track| track.parse().ok());
    let offered = call.app.node().playback().sound_rendition(source, stream, rate, &watcher(&call.caller)).await;
    offered.map_err(failed)
}

fn failed(error: PlaybackError) -> Fault {
    Fault::refused(Refusal::from(error))
}

fn master(call: &Call, offered: &[Arc<Rendition>]) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for rendition in offered {
        let (peak, average) = (rendition.peak_bit_rate.max(1), rendition.average_bit_rate.max(1));
        let about = format!("BANDWIDTH={},AVERAGE-BANDWIDTH={average}", peak.max(average));
        let address = address(call, "hls.m3u8", &format!("rendition={}", rendition.id));
        // Browsers have it in small letters, HLS as its file type has it.
        let codecs = rendition.codecs.replace("flac", "fLaC");
        let _ = write!(text, "#EXT-X-STREAM-INF:{about},CODECS=\"{codecs}\"\n{address}\n");
    }
    text
}

async fn media(call: &Call, source: &Source, rendition: &str) -> Result<Response, Fault> {
    let playback: &Playback = call.app.node().playback();
    let text = playback.media_playlist(source, rendition).await.map_err(failed)?;
    let part = |name: &str| address(call, "hls.m4s", &format!("rendition={rendition}&part={name}"));
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        match (line.strip_prefix("#EXT-X-MAP:"), line.strip_suffix(".m4s")) {
            (Some(_), _) => {
                let _ = writeln!(out, "#EXT-X-MAP:URI=\"{}\"", part("init"));
            }
            (None, Some(number)) => {
                let _ = writeln!(out, "{}", part(number));
            }
            (None, None) => {
                let _ = writeln!(out, "{line}");
            }
        }
    }
    Ok(answer(out))
}

/// The address of a method beside this one.
fn address(call: &Call, method: &str, query: &str) -> String {
    let mut text = format!("{method}?{query}");
    for name in ECHOED {
        if let Some(value) = call.params.one(name) {
            let _ = write!(text, "&{name}={}", utf8_percent_encode(value, PLAIN));
        }
    }
    text
}

fn answer(text: String) -> Response {
    // What opens the node stands in it.
    ([(header::CONTENT_TYPE, PLAYLIST), (header::CACHE_CONTROL, "private, no-store")], text).into_response()
}

/// `hls.m4s`: a part that a playlist names.
pub(super) async fn part(call: Call) -> Result<Response, Fault> {
    let (source, playback, watcher) = (source(&call).await?, call.app.node().playback(), watcher(&call.caller));
    let (rendition, part) = (call.params.need("rendition")?, call.params.need("part")?);
    let segment = match part {
        "init" => playback.init(&source, rendition, &watcher).await,
        number => {
            let number = number.parse().map_err(|_| Fault::absent("part"))?;
            playback.segment(&source, rendition, number, &watcher).await
        }
    };
    let segment = match segment {
        Ok(segment) => segment,
        // Players come back later.
        Err(error @ PlaybackError::Busy(_)) => return Ok(Refusal::from(error).into_response()),
        Err(error) => return Err(failed(error)),
    };
    let tag = etag(&segment.layout.root, "");
    let mut response = match not_modified(&call.headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, "audio/mp4")], segment.bytes).into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    crate::facades::bytes::set(&mut response, header::ETAG, &tag);
    Ok(response)
}
