//! Plain HLS that any player plays: playlists, initialisation sections, segments.
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::capabilities;
use super::model::{CapabilityQuery, Problem};
use super::shapes::playable;
use crate::facades::App;
use crate::facades::bytes::etag;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, IfNoneMatch, Path, Query, SeenItem};
use crate::playback::{Playback, Segment, Source, SubtitleId};

const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// The multivariant playlist.
#[utoipa::path(get, path = "/api/v1/items/{id}/hls/master.m3u8", tag = "playback",
    params(("id" = String, Path), CapabilityQuery),
    responses((status = 200, content_type = "application/vnd.apple.mpegurl", body = String), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 415, body = Problem)))]
pub(in crate::facades) async fn master(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    Query(query): Query<CapabilityQuery>,
) -> Result<Response, Refusal> {
    let client = capabilities::of(query, &caller)?;
    let text = app.node().playback().master_playlist(&playable(&item)?, &client).await?;
    Ok(playlist(text))
}

/// A rendition's playlist (`index.m3u8`), initialisation section (`init.mp4`) or segment (`0.m4s`; of subtitles `0.vtt`).
#[utoipa::path(get, path = "/api/v1/items/{id}/hls/{rendition}/{file}", tag = "playback",
    params(("id" = String, Path), ("rendition" = String, Path), ("file" = String, Path)),
    responses((status = 200, content_type = "video/mp4"), (status = 304), (status = 404, body = Problem),
        (status = 415, body = Problem), (status = 429, body = Problem)))]
pub(in crate::facades) async fn part(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    path: Path<(String, String, String)>,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    let Path((_, rendition, file)) = path;
    let (source, playback, watcher) = (playable(&item)?, app.node().playback(), capabilities::watcher(&caller));
    let part = part_of(&file).ok_or_else(Refusal::not_found)?;
    if let Ok(id) = rendition.parse::<SubtitleId>() {
        return texts(playback, &source, id, &part).await;
    }
    let segment = match part {
        Part::Playlist => return Ok(playlist(playback.media_playlist(&source, &rendition).await?)),
        Part::Init => playback.init(&source, &rendition, &watcher).await?,
        Part::Segment(n) => playback.segment(&source, &rendition, n, &watcher).await?,
        Part::Text(_) => return Err(Refusal::not_found()),
    };
    Ok(bytes(&rendition, segment, &known))
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Playlist,
    Init,
    Segment(u64),
    /// Of subtitles.
    Text(u64),
}

async fn texts(playback: &Playback, source: &Source, id: SubtitleId, part: &Part) -> Result<Response, Refusal> {
    match part {
        Part::Playlist => Ok(playlist(playback.subtitles_playlist(source, id).await?)),
        Part::Text(n) => {
            Ok(super::subtitles::text("text/vtt; charset=utf-8", playback.subtitles_piece(source, id, *n).await?))
        }
        Part::Init | Part::Segment(_) => Err(Refusal::not_found()),
    }
}

fn part_of(file: &str) -> Option<Part> {
    match file {
        "index.m3u8" => Some(Part::Playlist),
        "init.mp4" => Some(Part::Init),
        _ => {
            let (n, ending) = file.split_once('.')?;
            // One name for each segment: no signs, no leading zeros.
            let n = n.parse::<u64>().ok().filter(|parsed| parsed.to_string() == n)?;
            match ending {
                "m4s" => Some(Part::Segment(n)),
                "vtt" => Some(Part::Text(n)),
                _ => None,
            }
        }
    }
}

fn playlist(text: String) -> Response {
    let headers = [(header::CONTENT_TYPE, PLAYLIST), (header::CACHE_CONTROL, "private, no-cache")];
    (headers, text).into_response()
}

fn bytes(rendition: &str, segment: Segment, known: &IfNoneMatch) -> Response {
    let tag = etag(&segment.layout.root, "");
    let kind = if rendition.starts_with('a') { "audio/mp4" } else { "video/mp4" };
    let mut response = if known.has(&tag) {
        axum::http::StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, kind)], segment.bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_one_name_each() {
        assert_eq!(part_of("index.m3u8"), Some(Part::Playlist));
        assert_eq!(part_of("init.mp4"), Some(Part::Init));
        assert_eq!(part_of("0.m4s"), Some(Part::Segment(0)));
        assert_eq!(part_of("17.m4s"), Some(Part::Segment(17)));
        assert_eq!(part_of("2.vtt"), Some(Part::Text(2)));
        for not in ["01.m4s", "+1.m4s", "-1.m4s", ".m4s", "1.m4s/", "99999999999999999999.m4s", "..", "a.m4s"] {
            assert_eq!(part_of(not), None, "{not}");
        }
    }
}
