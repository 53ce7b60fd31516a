//! What is sung in a track.
use axum::extract::State;

use super::hearers;
use super::model::{Lyrics, LyricsLine, Problem};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, SeenItem};
use crate::facades::lyrics;
use crate::media::music;

/// The lyrics of a track, of its tags and of a `.lrc` file beside it; none for anything else.
#[utoipa::path(get, path = "/api/v1/items/{id}/lyrics", tag = "music", params(("id" = String, Path)),
    responses((status = 200, body = Vec<Lyrics>), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> Result<axum::Json<Vec<Lyrics>>, Refusal> {
    let found = match hearers::track(&app, &caller, &item).await? {
        Some(track) => lyrics::of(&app, &track).await?,
        None => Vec::new(),
    };
    Ok(axum::Json(found.into_iter().map(Lyrics::from).collect()))
}

impl From<music::Lyrics> for Lyrics {
    fn from(told: music::Lyrics) -> Self {
        let line = |line: &music::Line| LyricsLine { start_ms: line.start_ms.map(u64::from), text: line.text.clone() };
        let lines = told.lines.iter().map(line).collect();
        Self { synced: told.is_synced(), language: told.language, lines }
    }
}
