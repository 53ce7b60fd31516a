//! Subtitle tracks of an item, whole, and the fonts that styled ones need.
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::model::{Font, Problem, SubtitleTrack, Subtitles};
use super::shapes::playable;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Path, SeenItem};
use crate::media::StreamKind;
use crate::media::subtitles::SubtitleFormat;
use crate::playback::{self, Source, SubtitleId};

/// The subtitles of an item, in its file and beside it.
#[utoipa::path(get, path = "/api/v1/items/{id}/subtitles", tag = "playback", params(("id" = String, Path)),
    responses((status = 200, body = Subtitles), (status = 404, body = Problem)))]
pub(in crate::facades) async fn list(SeenItem(item): SeenItem) -> Result<axum::Json<Subtitles>, Refusal> {
    let source = playable(&item)?;
    let base = format!("/api/v1/items/{}", item.item.id);
    let tracks = playback::subtitle_tracks(&source).into_iter().map(|track| shape(&base, track)).collect();
    Ok(axum::Json(Subtitles { tracks, fonts: fonts(&base, &source) }))
}

fn shape(base: &str, track: playback::SubtitleInfo) -> SubtitleTrack {
    let url = |ending: &str| format!("{base}/subtitles/{}.{ending}", track.id);
    SubtitleTrack {
        vtt: (track.format != SubtitleFormat::Picture).then(|| url("vtt")),
        ass: (track.format == SubtitleFormat::Ass).then(|| url("ass")),
        burn: track.stream.filter(|_| track.format == SubtitleFormat::Picture),
        id: track.id.to_string(),
        stream: track.stream,
        format: track.format,
        language: track.language,
        name: track.name,
        default: track.default,
        forced: track.forced,
    }
}

fn fonts(base: &str, source: &Source) -> Vec<Font> {
    let attached = source.facts.streams.iter().filter(|s| s.kind == StreamKind::Attachment);
    let fonts = attached.filter(|s| matches!(s.codec.as_str(), "ttf" | "otf"));
    fonts
        .map(|font| Font {
            name: font
                .file_name
                .clone()
                .or_else(|| font.title.clone())
                .unwrap_or_else(|| format!("font {}", font.index)),
            url: format!("{base}/attachments/{}", font.index),
        })
        .collect()
}

/// A whole track: `s3.vtt`, `s3.ass`, `x0.vtt`.
#[utoipa::path(get, path = "/api/v1/items/{id}/subtitles/{track}", tag = "playback",
    params(("id" = String, Path), ("track" = String, Path)),
    responses((status = 200, content_type = "text/vtt", body = String), (status = 404, body = Problem)))]
pub(in crate::facades) async fn track(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    path: Path<(String, String)>,
) -> Result<Response, Refusal> {
    let Path((_, name)) = path;
    let (source, playback) = (playable(&item)?, app.node().playback());
    let (id, ending) = name.split_once('.').ok_or_else(Refusal::not_found)?;
    let id: SubtitleId = id.parse()?;
    match ending {
        "vtt" => Ok(text("text/vtt; charset=utf-8", playback.subtitles_vtt(&source, id).await?)),
        "ass" => Ok(text("text/x-ssa; charset=utf-8", playback.subtitles_ass(&source, id).await?)),
        _ => Err(Refusal::not_found()),
    }
}

/// Text that follows from a file: a copy of it must ask again.
pub(super) fn text(kind: &'static str, text: String) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, no-cache")];
    (headers, text).into_response()
}

/// A file attached to the item's file: a font.
#[utoipa::path(get, path = "/api/v1/items/{id}/attachments/{stream}", tag = "playback",
    params(("id" = String, Path), ("stream" = u32, Path)),
    responses((status = 200, content_type = "font/ttf"), (status = 404, body = Problem)))]
pub(in crate::facades) async fn attachment(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    path: Path<(String, u32)>,
) -> Result<Response, Refusal> {
    let Path((_, index)) = path;
    let source = playable(&item)?;
    let found = source.facts.streams.iter().find(|s| s.index == index && s.kind == StreamKind::Attachment);
    let kind = match found.ok_or_else(Refusal::not_found)?.codec.as_str() {
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        // A page of ours never shows what a stranger attached to a film.
        _ => return Err(Refusal::not_found()),
    };
    let bytes = app.node().playback().attachment(&source, index).await?;
    let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400"));
    Ok(response)
}
