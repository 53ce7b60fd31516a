//! Small pictures for the seek bar.
use axum::response::Response;

use super::model::{Problem, ThumbnailState, Thumbnails};
use super::shapes::playable;
use crate::facades::error::Refusal;
use crate::facades::extract::SeenItem;

/// Which pictures there are for an item's seek bar. Asking has them made.
#[utoipa::path(get, path = "/api/v1/items/{id}/thumbnails", tag = "playback", params(("id" = String, Path)),
    responses((status = 200, body = Thumbnails), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(SeenItem(item): SeenItem) -> Result<axum::Json<Thumbnails>, Refusal> {
    playable(&item)?;
    let state = ThumbnailState::None;
    Ok(axum::Json(Thumbnails { state, width: 0, height: 0, columns: 10, rows: 10, interval: 0.0, sprites: Vec::new() }))
}

/// One sprite: `0.jpg`.
#[utoipa::path(get, path = "/api/v1/items/{id}/thumbnails/{sprite}", tag = "playback",
    params(("id" = String, Path), ("sprite" = String, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 404, body = Problem)))]
pub(in crate::facades) async fn sprite(SeenItem(item): SeenItem) -> Result<Response, Refusal> {
    playable(&item)?;
    Err(Refusal::not_found())
}

/// The same as a WebVTT track, for other players.
#[utoipa::path(get, path = "/api/v1/items/{id}/thumbnails.vtt", tag = "playback", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/vtt", body = String), (status = 404, body = Problem)))]
pub(in crate::facades) async fn track(SeenItem(item): SeenItem) -> Result<Response, Refusal> {
    playable(&item)?;
    Err(Refusal::not_found())
}
