//! How far the caller is in an item, to the place within a chapter where a book's pages flow.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::hearers;
use super::model::{Problem, ProgressChange, ReadingPlace};
use crate::catalog::{ItemKind, ItemState, Listed, Locator, Progress};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, SeenItem};
use crate::facades::komga::webpub;
use crate::node::source_of;

/// What the page is called where plays are told.
const PAGE: &str = "Potluck";

/// Remembers how far the caller is. At 0 seconds and not completed: never watched. A track that is completed was heard once more.
#[utoipa::path(put, path = "/api/v1/items/{id}/progress", tag = "items", params(("id" = String, Path)),
    request_body = ProgressChange, responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn set(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    Json(change): Json<ProgressChange>,
) -> Result<StatusCode, Refusal> {
    let progress = Progress { position: change.position, completed: change.completed };
    let locator = match change.part {
        Some(part) => locator(&app, &item, progress.position, part).await?,
        None => None,
    };
    app.node().catalog().set_place(caller.id(), &item.item.id, progress, locator).await?;
    if progress.completed && item.item.kind == ItemKind::Track {
        let heard = vec![(item.number, jiff::Timestamp::now().as_millisecond())];
        let told = app.node().accounts().listening(caller.id()).await?.map(|_| PAGE.to_owned());
        app.node().catalog().heard(hearers::of_item(&caller, &item), heard, told).await?;
        app.node().listens().wake();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Where in the chapter the caller is that `progress` names; 204 where it read on without telling, or nothing.
#[utoipa::path(get, path = "/api/v1/items/{id}/place", tag = "items", params(("id" = String, Path)),
    responses((status = 200, body = ReadingPlace), (status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> Result<Response, Refusal> {
    let locator = app.node().catalog().place(caller.id(), &item.item.id).await?;
    let part = locator.and_then(|locator| part_of(&locator.place));
    Ok(part.map_or_else(
        || StatusCode::NO_CONTENT.into_response(),
        |part| axum::Json(ReadingPlace { part }).into_response(),
    ))
}

/// The part of its document that a Readium locator names, from 0 to 1.
fn part_of(place: &str) -> Option<f64> {
    let place: Value = serde_json::from_str(place).ok()?;
    place.pointer("/locations/progression")?.as_f64().filter(|part| (0.0..=1.0).contains(part))
}

/// The place as Readium's programs tell it. None where this node does not know the chapters: of books of friends, and of all
/// that is no EPUB.
async fn locator(app: &App, item: &Listed, position: f64, part: f64) -> Result<Option<Locator>, Refusal> {
    if !(0.0..=1.0).contains(&part) {
        return Err(Refusal::invalid("part: must be from 0 to 1"));
    }
    let source = (item.item.state == ItemState::Present).then(|| source_of(&item.item)).flatten();
    let Some(source) = source.filter(|source| source.facts.container == "epub") else { return Ok(None) };
    let outline = app.node().playback().outline(&source).await.map_err(|error| Refusal::from(error).as_absent())?;
    let place = (position as usize).checked_sub(1).and_then(|document| webpub::told(&outline, document, part));
    let place = place.ok_or_else(|| Refusal::invalid("position: must be a chapter of the book"))?;
    let device = json!({"id": "potluck-page", "name": "Potluck"});
    let modified_at = jiff::Timestamp::now().as_millisecond();
    Ok(Some(Locator { place, device: device.to_string(), modified_at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_a_chapter_is_read_from_any_programs_words() {
        assert_eq!(
            part_of(r#"{"href": "a", "type": "t", "locations": {"progression": 0.25, "position": 3}}"#),
            Some(0.25)
        );
        for odd in ["", "[]", r#"{"locations": null}"#, r#"{"locations": {"progression": 7}}"#] {
            assert_eq!(part_of(odd), None, "{odd}");
        }
    }
}
