//! How far the caller is, as Readium tells it: the document, the part of it that was read, and the program's own words for the place.
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::dates;
use super::positions::Positions;
use super::{address, outline, profile};
use crate::accounts::Caller;
use crate::catalog::shelves::{Reading, ShelfBook};
use crate::catalog::{Listed, Locator, Progress};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, SeenItem};
use crate::facades::proxies::Front;
use crate::media::book::{MediaProfile, Outline};

/// Longest body, bytes.
const BODY_MAX: usize = 16 * 1024;
/// Read this far, a book whose pages flow is read.
pub(in crate::facades::komga) const WHOLE: f64 = 0.99;
/// Longest name and id of a device, in characters.
const DEVICE_MAX: usize = 256;

/// `R2Progression`.
#[derive(Debug, Deserialize)]
pub(in crate::facades) struct Told {
    modified: String,
    device: Device,
    locator: Place,
}

/// `R2Device`.
#[derive(Debug, Serialize, Deserialize)]
struct Device {
    id: String,
    name: String,
}

/// `R2Locator`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades::komga) struct Place {
    pub href: String,
    #[serde(rename = "type")]
    pub kind: String,
    title: Option<String>,
    pub locations: Option<Locations>,
    text: Option<Value>,
    /// The place as a Kobo names it.
    pub kobo_span: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades::komga) struct Locations {
    #[serde(default, alias = "fragment", deserialize_with = "some")]
    fragments: Vec<String>,
    position: Option<u64>,
    /// Of the document, from 0 to 1.
    pub progression: Option<f64>,
    /// Of the whole book, from 0 to 1.
    pub total_progression: Option<f64>,
}

/// `null` is none of them.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Option::<Vec<String>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Where a locator leads.
struct Found {
    /// Page, or document of an EPUB, from 1 on.
    page: u32,
    completed: bool,
    place: Place,
}

/// How far the caller is; 204 where it read nothing.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    front: Option<Extension<Front>>,
) -> Result<Response, Refusal> {
    let book = app.node().catalog().one_book(&item.item.id, caller.id()).await?;
    let Some(reading) = book.reading else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let known = app.node().catalog().place(caller.id(), &book.id).await?.and_then(as_told);
    let told = match known {
        Some(told) => told,
        None => {
            let locator = guessed(&app, &item, &book, reading, front.as_deref()).await?;
            let device = json!({"id": "potluck", "name": "Potluck"});
            json!({"modified": dates::exact(reading.read_at), "device": device, "locator": locator})
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/vnd.readium.progression+json")], told.to_string()).into_response())
}

fn as_told(locator: Locator) -> Option<Value> {
    let (place, device): (Value, Value) =
        (serde_json::from_str(&locator.place).ok()?, serde_json::from_str(&locator.device).ok()?);
    Some(json!({"modified": dates::exact(locator.modified_at), "device": device, "locator": place}))
}

/// The beginning of the page or chapter that was read last, by a program that tells no more.
pub(in crate::facades::komga) async fn guessed(
    app: &App,
    item: &Listed,
    book: &ShelfBook,
    reading: Reading,
    front: Option<&Front>,
) -> Result<Place, Refusal> {
    if profile(book) == Some(MediaProfile::Epub) && !book.divina_compatible {
        let (_, outline) = outline(app, item).await?;
        let last = outline.spine.len().checked_sub(1).ok_or_else(|| Refusal::absent("the book has no documents"))?;
        let document = if reading.completed { last } else { (reading.page.saturating_sub(1) as usize).min(last) };
        let file = &outline.spine[document];
        let part = if reading.completed { 1.0 } else { 0.0 };
        return Ok(of_document(&outline, document, part, Place::of(file.name.clone(), file.media_type.clone())));
    }
    let page = if reading.completed { book.pages } else { reading.page }.max(1);
    let href = format!("{}/books/{}/pages/{page}", address(front), book.id);
    let locations = Locations {
        position: Some(page.into()),
        total_progression: Some(f64::from(page) / f64::from(book.pages.max(1))),
        ..Locations::default()
    };
    Ok(Place { locations: Some(locations), ..Place::of(href, "image/jpeg".into()) })
}

impl Place {
    pub fn of(href: String, kind: String) -> Self {
        Self { href, kind, title: None, locations: None, text: None, kobo_span: None }
    }
}

/// A place with what is known of it here.
pub(in crate::facades::komga) fn of_document(outline: &Outline, document: usize, part: f64, place: Place) -> Place {
    let (position, total) = Positions::of(outline).at(document, part);
    let fragments = place.locations.map(|locations| locations.fragments).unwrap_or_default();
    let locations =
        Locations { fragments, position: Some(position), progression: Some(part), total_progression: Some(total) };
    Place { locations: Some(locations), ..place }
}

/// The place in a document of an EPUB as Readium's programs tell it: JSON, with what is known of it here. None where it has no such
/// document.
pub(in crate::facades) fn told(outline: &Outline, document: usize, part: f64) -> Option<String> {
    let file = outline.spine.get(document)?;
    let place = Place::of(file.name.clone(), file.media_type.clone());
    serde_json::to_string(&of_document(outline, document, part, place)).ok()
}

/// Remembers how far the caller is; 409 where something later is known.
pub(in crate::facades) async fn set(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    Json(told): Json<Told, BODY_MAX>,
) -> Result<StatusCode, Refusal> {
    let modified: jiff::Timestamp =
        told.modified.parse().map_err(|_| Refusal::invalid("modified: must be a time like 2026-01-31T10:00:00Z"))?;
    if [&told.device.id, &told.device.name].iter().any(|text| text.chars().count() > DEVICE_MAX) {
        return Err(Refusal::invalid("device: has too long a name"));
    }
    let modified = modified.as_millisecond();
    let book = app.node().catalog().one_book(&item.item.id, caller.id()).await?;
    if modified < known_at(&app, &caller, &book).await? {
        return Err(Refusal::conflict("something later is known of how far you are"));
    }
    let found = find(&app, &item, &book, told.locator).await?;
    let json = |value: Result<String, serde_json::Error>| value.map_err(|error| Refusal::internal(&error));
    let locator = Locator {
        place: json(serde_json::to_string(&found.place))?,
        device: json(serde_json::to_string(&told.device))?,
        modified_at: modified,
    };
    let progress = Progress { position: found.page.into(), completed: found.completed };
    app.node().catalog().set_place(caller.id(), &book.id, progress, Some(locator)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// When what is known was read, in Unix milliseconds: by the clock of the device that said where, else by ours.
pub(in crate::facades::komga) async fn known_at(app: &App, caller: &Caller, book: &ShelfBook) -> Result<i64, Refusal> {
    let Some(reading) = book.reading else { return Ok(i64::MIN) };
    let locator = app.node().catalog().place(caller.id(), &book.id).await?;
    Ok(locator.map_or(reading.read_at, |locator| locator.modified_at))
}

async fn find(app: &App, item: &Listed, book: &ShelfBook, place: Place) -> Result<Found, Refusal> {
    let locations = place.locations.as_ref().ok_or_else(|| Refusal::invalid("locations: must be given"))?;
    if profile(book) == Some(MediaProfile::Epub) {
        let (_, outline) = outline(app, item).await?;
        let part = locations.progression.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&part) {
            return Err(Refusal::invalid("progression: must be from 0 to 1"));
        }
        let name = name_of(&place.href);
        let document = outline.spine.iter().position(|file| file.name == name || file.name == place.href);
        let document = document.ok_or_else(|| Refusal::invalid("href: is no document of this book"))?;
        let place = of_document(&outline, document, part, place);
        let total = place.locations.as_ref().and_then(|locations| locations.total_progression).unwrap_or(0.0);
        return Ok(Found { page: document as u32 + 1, completed: total >= WHOLE, place });
    }
    let page = locations.position.and_then(|page| u32::try_from(page).ok());
    let page = page.filter(|page| (1..=book.pages.max(1)).contains(page));
    let page = page.ok_or_else(|| Refusal::invalid("position: must be a page of the book"))?;
    Ok(Found { page, completed: page == book.pages, place })
}

/// The name in the archive that a link of our manifest, or one relative to it, leads to.
pub(in crate::facades::komga) fn name_of(href: &str) -> String {
    let path = href.split('#').next().unwrap_or_default();
    let path = path.split_once("/resource/").map_or(path, |(_, name)| name);
    percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_named_by_our_link_or_by_its_place_in_the_archive() {
        for href in [
            "http://h:1/komga/api/v1/books/b/resource/OEBPS/a%20b.xhtml#x",
            "/komga/api/v1/books/b/resource/OEBPS/a%20b.xhtml",
            "OEBPS/a b.xhtml",
            "/OEBPS/a%20b.xhtml",
        ] {
            assert_eq!(name_of(href), "OEBPS/a b.xhtml", "{href}");
        }
    }

    #[test]
    fn locations_are_read_with_either_word_for_fragments() {
        let read = |value: Value| serde_json::from_value::<Locations>(value).unwrap().fragments;
        assert_eq!(read(json!({"fragment": ["a"]})), ["a"]);
        assert_eq!(read(json!({"fragments": ["a"]})), ["a"]);
        assert!(read(json!({"fragments": null})).is_empty() && read(json!({})).is_empty());
    }
}
