//! How far the caller is in a book, as Readium's programs tell it: a place with a time. The later one counts; the place is kept as
//! the page that it means.
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::feed::{PROGRESSION, as_kind};
use super::publication::{file, has_pages, of_book};
use crate::catalog::Progress;
use crate::catalog::shelves::{Reading, ShelfBook};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};
use crate::facades::komga::base::Base;
use crate::facades::komga::dates;
use crate::facades::komga::koreader::WHOLE;

/// Where it is known how far the caller is; 204 where they did not begin.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    base: Base,
) -> Result<Response, Refusal> {
    let book = app.node().catalog().one_book(&id, caller.id()).await?;
    let reading = book.reading.filter(|reading| reading.page > 0 || reading.completed);
    let Some(reading) = reading else {
        return Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response());
    };
    Ok(as_kind(PROGRESSION, &shape(&base, &book, reading)))
}

fn shape(base: &Base, book: &ShelfBook, reading: Reading) -> serde_json::Value {
    let pages = book.pages.max(1);
    let page = if reading.completed { pages } else { reading.page.clamp(1, pages) };
    let part = f64::from(page) / f64::from(pages);
    let (href, kind) = match has_pages(book) {
        true => (of_book(base, book, &format!("pages/{page}?contentNegotiation=false")), "image/*"),
        false => {
            let file = file(base, book);
            (file.href, file.kind.unwrap_or_default())
        }
    };
    json!({
        "modified": dates::instant(reading.read_at),
        "device": {"id": "potluck", "name": "Potluck"},
        "locator": {
            "href": href,
            "type": kind,
            "locations": {"position": page, "progression": part, "totalProgression": part},
        },
    })
}

/// What a program tells. The device is not kept: a place counts wherever it was read.
#[derive(Debug, Deserialize)]
pub(in crate::facades) struct Told {
    modified: String,
    locator: Locator,
}

#[derive(Debug, Deserialize)]
struct Locator {
    #[serde(default)]
    href: String,
    #[serde(default)]
    locations: Locations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Locations {
    position: Option<i64>,
    total_progression: Option<f64>,
}

impl Locator {
    /// The page: by its number, its address, or the part of the whole. In a book that flows, positions are those of the program.
    fn page(&self, book: &ShelfBook) -> Option<u32> {
        let pages = book.pages.max(1);
        let there = |page: u32| (1..=pages).contains(&page).then_some(page);
        let told = has_pages(book).then(|| self.locations.position.map(u32::try_from).or(self.addressed().map(Ok)));
        match told.flatten() {
            Some(page) => page.ok().and_then(there),
            None => self.part().map(|part| ((part * f64::from(pages)).ceil() as u32).clamp(1, pages)),
        }
    }

    fn addressed(&self) -> Option<u32> {
        let (_, page) = self.href.rsplit_once("/pages/")?;
        page.split(['?', '#', '/']).next()?.parse().ok()
    }

    /// From 0 to 1.
    fn part(&self) -> Option<f64> {
        self.locations.total_progression.filter(|part| (0.0..=1.0).contains(part))
    }
}

/// Keeps a place, unless a later one is known.
pub(in crate::facades) async fn set(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(told): Json<Told>,
) -> Result<StatusCode, Refusal> {
    let book = app.node().catalog().one_book(&id, caller.id()).await?;
    let at: Timestamp =
        told.modified.parse().map_err(|_| Refusal::invalid("modified: must be a time with an offset"))?;
    let page = told.locator.page(&book).ok_or_else(|| Refusal::invalid("locator: must be a place in the book"))?;
    // Programs send back the time that they were told, which has whole seconds.
    let known = book.reading.map(|reading| reading.read_at.div_euclid(1000));
    if known.is_some_and(|known| at.as_second() < known) {
        return Err(Refusal::conflict("a later place in this book is known"));
    }
    let completed = match has_pages(&book) {
        true => page == book.pages,
        false => told.locator.part().is_some_and(|part| part >= WHOLE),
    };
    let progress = Progress { position: page.into(), completed };
    app.node().catalog().set_progress_of(caller.id(), &id, progress, at.as_millisecond()).await?;
    Ok(StatusCode::NO_CONTENT)
}
