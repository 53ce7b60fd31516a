//! Small pictures for the seek bar.
use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Response;

use super::model::{Problem, ThumbnailState, Thumbnails};
use super::shapes::playable;
use super::{pictures, subtitles};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{IfNoneMatch, Path, SeenItem};
use crate::playback::ThumbnailLayout;

/// Which pictures there are for an item's seek bar. Asking has them made.
#[utoipa::path(get, path = "/api/v1/items/{id}/thumbnails", tag = "playback", params(("id" = String, Path)),
    responses((status = 200, body = Thumbnails), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    SeenItem(item): SeenItem,
) -> Result<axum::Json<Thumbnails>, Refusal> {
    let made = app.node().playback().thumbnails(&playable(&item)?);
    let Some(layout) = made.layout else {
        let state = ThumbnailState::None;
        let (width, height, columns, rows, interval, sprites) = Default::default();
        return Ok(axum::Json(Thumbnails { state, width, height, columns, rows, interval, sprites }));
    };
    let state = if made.ready < layout.sprites() { ThumbnailState::Making } else { ThumbnailState::Ready };
    Ok(axum::Json(Thumbnails {
        state,
        width: layout.width,
        height: layout.height,
        columns: layout.columns,
        rows: layout.rows,
        interval: layout.interval,
        sprites: (0..made.ready).map(|n| format!("/api/v1/items/{}/thumbnails/{n}.jpg", item.item.id)).collect(),
    }))
}

/// One sprite: `0.jpg`.
#[utoipa::path(get, path = "/api/v1/items/{id}/thumbnails/{sprite}", tag = "playback",
    params(("id" = String, Path), ("sprite" = String, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 304), (status = 404, body = Problem)))]
pub(in crate::facades) async fn sprite(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    path: Path<(String, String)>,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    let (Path((_, name)), source) = (path, playable(&item)?);
    let n = name.strip_suffix(".jpg").and_then(|n| n.parse::<u32>().ok().filter(|parsed| parsed.to_string() == n));
    let sprite = app.node().playback().sprite(&source, n.ok_or_else(Refusal::not_found)?)?;
    pictures::picture(Some(sprite), known).await
}

/// The same as a WebVTT track, for other players.
#[utoipa::path(get, path = "/api/v1/items/{id}/thumbnails.vtt", tag = "playback", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/vtt", body = String), (status = 404, body = Problem)))]
pub(in crate::facades) async fn track(State(app): State<App>, SeenItem(item): SeenItem) -> Result<Response, Refusal> {
    let made = app.node().playback().thumbnails(&playable(&item)?);
    let layout = made.layout.ok_or_else(Refusal::not_found)?;
    Ok(subtitles::text("text/vtt; charset=utf-8", vtt(&layout, made.ready)))
}

/// A cue for each picture of the sprites that are there, with its place in its sprite (media fragments, `xywh`).
fn vtt(layout: &ThumbnailLayout, sprites: u32) -> String {
    let mut text = "WEBVTT\n".to_owned();
    let full = layout.columns * layout.rows;
    for n in 0..layout.pictures.min(sprites * full) {
        let (sprite, place) = (n / full, n % full);
        let (x, y) = (place % layout.columns * layout.width, place / layout.columns * layout.height);
        let time = |n: u32| {
            let milliseconds = (f64::from(n) * layout.interval * 1000.0).round() as u64;
            let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
            format!("{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        };
        let (start, end) = (time(n), time(n + 1));
        let _ = write!(
            text,
            "\n{start} --> {end}\nthumbnails/{sprite}.jpg#xywh={x},{y},{},{}\n",
            layout.width, layout.height
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_picture_has_a_cue_with_its_place() {
        let layout = ThumbnailLayout { width: 160, height: 90, columns: 10, rows: 10, interval: 2.0, pictures: 112 };
        let text = vtt(&layout, 2);
        assert!(text.contains("\n00:00:22.000 --> 00:00:24.000\nthumbnails/0.jpg#xywh=160,90,160,90\n"), "{text}");
        assert!(text.ends_with("\n00:03:42.000 --> 00:03:44.000\nthumbnails/1.jpg#xywh=160,90,160,90\n"), "{text}");
        assert_eq!(vtt(&layout, 1).matches("-->").count(), 100);
    }
}
