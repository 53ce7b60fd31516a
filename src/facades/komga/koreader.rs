//! KOReader's progress sync, at `/komga/koreader`: the same progress as everywhere, for files that it knows by their samples.
//!
//! `x-auth-user` is an API key; the password that KOReader wants besides is of no use here (`entry` reads the header).
use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::Caller;
use crate::catalog::shelves::ShelfBook;
use crate::catalog::{CatalogError, Progress};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// Letters of an MD5 in hexadecimal.
const HASH_LEN: usize = 32;
/// Read this far, a book whose pages flow is read.
pub(super) const WHOLE: f64 = 0.995;

/// The key is right.
pub(in crate::facades) async fn auth() -> Answer<Value> {
    Answer(json!({"authorized": "OK"}))
}

/// `PUT /syncs/progress`.
#[derive(Debug, Deserialize)]
pub(in crate::facades) struct Told {
    document: String,
    /// A page from 1 on, or a place in an EPUB.
    progress: Place,
    #[serde(default)]
    percentage: f64,
}

/// Some versions write a page as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Place {
    Page(u32),
    Text(String),
}

impl Place {
    /// The page, or the document of an EPUB's reading order, from 1 on.
    fn page(&self) -> Option<u32> {
        match self {
            Self::Page(page) => Some(*page),
            Self::Text(text) => text.trim().parse().ok().or_else(|| document(text)),
        }
    }
}

/// `/body/DocFragment[3]/...` counts from 1, `#_doc_fragment_2_ ...` from 0.
fn document(place: &str) -> Option<u32> {
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok();
    if let Some((_, rest)) = place.split_once("/DocFragment[") {
        return number(rest);
    }
    let (_, rest) = place.split_once("#_doc_fragment_")?;
    number(rest)?.checked_add(1)
}

/// How far somebody read.
pub(in crate::facades) async fn set(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(told): Json<Told>,
) -> Result<Answer<Value>, Refusal> {
    let book = book(&app, &caller, &told.document).await?;
    let page = told.progress.page().filter(|page| (1..=book.pages.max(1)).contains(page));
    let page = page.ok_or_else(|| Refusal::invalid("progress: must be a page of the book"))?;
    let flows = book.format.as_deref() == Some("epub") && !book.divina_compatible;
    let completed = if flows { told.percentage >= WHOLE } else { page == book.pages };
    let progress = Progress { position: f64::from(page), completed };
    app.node().catalog().set_progress(caller.id(), &book.id, progress).await?;
    Ok(Answer(json!({"document": told.document, "timestamp": jiff::Timestamp::now().as_second()})))
}

/// How far that is known here.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(hash): Path<String>,
) -> Result<Answer<Value>, Refusal> {
    let book = book(&app, &caller, &hash).await?;
    let Some(reading) = book.reading.filter(|reading| reading.page > 0) else { return Ok(Answer(json!({}))) };
    let flows = book.format.as_deref() == Some("epub") && !book.divina_compatible;
    let place = match flows {
        true => format!("/body/DocFragment[{}].0", reading.page),
        false => reading.page.to_string(),
    };
    let part = if reading.completed { 1.0 } else { f64::from(reading.page) / f64::from(book.pages.max(1)) };
    Ok(Answer(json!({
        "document": hash,
        "progress": place,
        "percentage": part.min(1.0),
        "device": "Potluck",
        "device_id": "potluck",
        "timestamp": reading.read_at / 1000,
    })))
}

/// The one book with these samples that the caller may see.
async fn book(app: &App, caller: &Caller, hash: &str) -> Result<ShelfBook, Refusal> {
    let plain = hash.len() == HASH_LEN && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let hash = Some(hash.to_ascii_lowercase()).filter(|_| plain).ok_or_else(Refusal::not_found)?;
    let mut found = Vec::new();
    for id in app.node().catalog().books_by_partial_md5(&hash).await? {
        match app.node().catalog().one_book(&id, caller.id()).await {
            Ok(book) if caller.may_see(&book.library) => found.push(book),
            Ok(_) | Err(CatalogError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match found.len() {
        0 => Err(Refusal::not_found()),
        1 => Ok(found.remove(0)),
        _ => Err(Refusal::conflict("several books here have the same samples")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_page_or_a_document_of_an_epub() {
        let page = |text: &str| Place::Text(text.to_owned()).page();
        assert_eq!(page("12"), Some(12));
        assert_eq!(page("/body/DocFragment[3]/body/p[2]/text().0"), Some(3));
        assert_eq!(page("#_doc_fragment_0_ title"), Some(1));
        for wrong in ["", "x", "-1", "/body/DocFragment[]", "#_doc_fragment_4294967295_", "99999999999"] {
            assert_eq!(page(wrong), None, "{wrong}");
        }
        assert_eq!(Place::Page(4).page(), Some(4));
    }
}
