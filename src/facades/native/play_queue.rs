//! What somebody hears now and next, so that it goes on at another device. The same queue that programs for listening save.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::hearers::{self, hearer};
use super::model::{PlayQueue, Problem, SavedPlayQueue};
use crate::catalog::music;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};

/// As what the page saves a queue.
const PROGRAM: &str = "Potluck";

/// The caller's queue; 204 where none was saved, or nothing of it is left.
#[utoipa::path(get, path = "/api/v1/play-queue", tag = "music",
    responses((status = 200, body = PlayQueue), (status = 204), (status = 401, body = Problem)))]
pub(in crate::facades) async fn show(State(app): State<App>, Asker(caller): Asker) -> Result<Response, Refusal> {
    let saved = app.node().catalog().play_queue_items(hearer(&app, &caller).await?).await?;
    let Some((queue, listed)) = saved.filter(|(_, listed)| !listed.is_empty()) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let queue = PlayQueue {
        items: hearers::summaries(&app, &caller, listed).await?,
        current: queue.current,
        position_ms: queue.position_ms,
        changed_at: queue.changed_at,
        changed_by: queue.changed_by,
    };
    Ok(axum::Json(queue).into_response())
}

/// Saves it. Tracks that the caller may not see are left out.
#[utoipa::path(put, path = "/api/v1/play-queue", tag = "music", request_body = SavedPlayQueue,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn save(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(saved): Json<SavedPlayQueue>,
) -> Result<StatusCode, Refusal> {
    let catalog = app.node().catalog();
    if saved.current.is_some_and(|place| place >= saved.items.len()) {
        return Err(Refusal::invalid("current: must be a place in items"));
    }
    let before = saved.items.iter().take(saved.current.unwrap_or(0)).cloned().collect();
    let passed = catalog.track_numbers(before).await?.len();
    let queue = music::PlayQueue {
        tracks: catalog.track_numbers(saved.items).await?,
        current: saved.current.map(|_| passed),
        position_ms: saved.position_ms.min(i64::MAX.cast_unsigned()),
        changed_at: jiff::Timestamp::now().as_millisecond(),
        changed_by: PROGRAM.to_owned(),
    };
    catalog.save_play_queue(hearer(&app, &caller).await?, queue).await?;
    Ok(StatusCode::NO_CONTENT)
}
