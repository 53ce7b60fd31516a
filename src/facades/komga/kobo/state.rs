//! How far somebody is in a book, to a Kobo and from it: the same progress as everywhere, the later of which counts.
use axum::Json as Answer;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::metadata::epub;
use super::places::{self, Bookmark, Found};
use crate::accounts::{Caller, Credential};
use crate::catalog::shelves::ShelfBook;
use crate::catalog::{Locator, Progress};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, SeenItem};
use crate::facades::komga::dates;
use crate::facades::komga::webpub::outline;
use crate::facades::komga::webpub::progression::{Place, WHOLE, guessed, known_at};

/// Longest body, bytes. A state has some 1 KiB.
const BODY_MAX: usize = 64 * 1024;
/// Longest name of a device, in characters.
const DEVICE_MAX: usize = 64;

/// How far the caller is, as a list of one.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> Result<Answer<[Value; 1]>, Refusal> {
    let book = epub(&app, &caller, &item).await?;
    Ok(Answer([state(&app, &caller, &book).await?]))
}

/// `ReadingState`.
pub(super) async fn state(app: &App, caller: &Caller, book: &ShelfBook) -> Result<Value, Refusal> {
    let Some(reading) = book.reading else {
        let added = dates::instant(book.added_at);
        return Ok(shape(book, &added, ("ReadyToRead", 0), json!({"LastModified": added})));
    };
    let known = app.node().catalog().place(caller.id(), &book.id).await?;
    let at = dates::instant(known.as_ref().map_or(reading.read_at, |known| known.modified_at));
    let place = match known.and_then(|known| serde_json::from_str::<Place>(&known.place).ok()) {
        Some(place) => Some(place),
        None if reading.completed => None,
        None => beginning(app, caller, book).await,
    };
    let status = if reading.completed { "Finished" } else { "Reading" };
    Ok(shape(book, &at, (status, 1), places::told(place.as_ref(), reading.completed, &at)))
}

fn shape(book: &ShelfBook, at: &str, (status, times): (&str, u32), bookmark: Value) -> Value {
    json!({
        "Created": dates::instant(book.added_at),
        "CurrentBookmark": bookmark,
        "EntitlementId": book.id,
        "LastModified": at,
        "PriorityTimestamp": at,
        "Statistics": {"LastModified": at},
        "StatusInfo": {"LastModified": at, "Status": status, "TimesStartedReading": times},
    })
}

/// The beginning of the chapter that was read last elsewhere; `None` where the book cannot be read now.
async fn beginning(app: &App, caller: &Caller, book: &ShelfBook) -> Option<Place> {
    let item = app.node().catalog().item(&book.id, caller.id()).await.ok()?;
    guessed(app, &item, book, book.reading?, None).await.ok()
}

/// `PUT` of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::facades) struct Told {
    reading_states: Vec<StateTold>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StateTold {
    #[serde(default)]
    last_modified: Option<String>,
    #[serde(default)]
    current_bookmark: Option<Bookmark>,
    #[serde(default)]
    status_info: Option<StatusTold>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatusTold {
    #[serde(default)]
    status: Option<String>,
}

impl StateTold {
    fn status(&self) -> &str {
        self.status_info.as_ref().and_then(|info| info.status.as_deref()).unwrap_or_default()
    }

    /// When it was so, in Unix milliseconds; a time to come is now.
    fn at(&self, now: i64) -> Result<i64, Refusal> {
        let told =
            self.last_modified.as_ref().or(self.current_bookmark.as_ref().and_then(|mark| mark.last_modified.as_ref()));
        let Some(told) = told else { return Ok(now) };
        let at: Result<jiff::Timestamp, _> = told.parse();
        let at = at.map_err(|_| Refusal::invalid("LastModified: must be a time like 2026-01-31T10:00:00Z"))?;
        Ok(at.as_millisecond().clamp(0, now))
    }
}

/// Keeps how far the caller is. What is older than what is known changes nothing, and neither does a state without a place: no device
/// makes unread what was read.
pub(in crate::facades) async fn set(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    headers: HeaderMap,
    Json(told): Json<Told, BODY_MAX>,
) -> Result<Answer<Value>, Refusal> {
    let book = epub(&app, &caller, &item).await?;
    let told = told.reading_states.into_iter().next();
    let told = told.ok_or_else(|| Refusal::invalid("ReadingStates: must hold one"))?;
    let at = told.at(app.node().accounts().now())?;
    // The device was told whole seconds, and says them again.
    let older = at.div_euclid(1000) < known_at(&app, &caller, &book).await?.div_euclid(1000);
    let finished = told.status().eq_ignore_ascii_case("Finished");
    let named = finished || told.current_bookmark.as_ref().is_some_and(Bookmark::names_a_place);
    if older || !named {
        return Ok(result(&book.id, "Ignored"));
    }
    let (_, outline) = outline(&app, &item).await?;
    let found = match &told.current_bookmark {
        Some(bookmark) if !finished => bookmark.find(&outline),
        _ => places::end(&outline),
    };
    let found = found.ok_or_else(|| Refusal::invalid("Location: is no document of this book"))?;
    let completed = finished || told.status().is_empty() && total(&found) >= WHOLE;
    let progress = Progress { position: (found.document + 1) as f64, completed };
    let locator = locator(&found, device(&caller, &headers), at)?;
    app.node().catalog().set_place_of(caller.id(), &item.item.id, progress, locator, at).await?;
    Ok(result(&book.id, "Success"))
}

fn total(found: &Found) -> f64 {
    found.place.locations.as_ref().and_then(|locations| locations.total_progression).unwrap_or(0.0)
}

fn locator(found: &Found, device: Value, modified_at: i64) -> Result<Locator, Refusal> {
    let place = serde_json::to_string(&found.place).map_err(|error| Refusal::internal(&error))?;
    Ok(Locator { place, device: device.to_string(), modified_at })
}

/// What other programs are told of who read: the key, and the model that the device names.
fn device(caller: &Caller, headers: &HeaderMap) -> Value {
    let model = headers.get("x-kobo-devicemodel").and_then(|value| value.to_str().ok()).unwrap_or("Kobo");
    let name: String = model.chars().take(DEVICE_MAX).collect();
    let id = match &caller.credential {
        Credential::ApiKey(id) => id.as_str(),
        _ => "kobo",
    };
    json!({"id": id, "name": name})
}

fn result(id: &str, word: &str) -> Answer<Value> {
    Answer(json!({
        "RequestResult": "Success",
        "UpdateResults": [{
            "EntitlementId": id,
            "CurrentBookmarkResult": {"Result": word},
            "StatisticsResult": {"Result": "Ignored"},
            "StatusInfoResult": {"Result": word},
        }],
    }))
}
