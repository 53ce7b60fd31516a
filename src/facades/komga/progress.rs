//! How far the caller read: page by page, by marking a series, and as the tracker of Mihon asks and tells.
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::filters::seen_ids;
use super::lists;
use crate::catalog::Progress;
use crate::catalog::shelves::{Continuous, ListKind, Marked};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// How far somebody is in a book: one of the two.
#[derive(Debug, Deserialize)]
pub(in crate::facades) struct BookProgress {
    page: Option<i64>,
    completed: Option<bool>,
}

/// Remembers the page, or that all was read.
pub(in crate::facades) async fn set_book(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(told): Json<BookProgress>,
) -> Result<StatusCode, Refusal> {
    let book = app.node().catalog().one_book(&id, caller.id()).await?;
    let page = match (told.page, told.completed) {
        (Some(page), _) if page < 1 => return Err(Refusal::invalid("page: must be greater than 0")),
        (Some(page), _) if page > i64::from(book.pages) => {
            return Err(Refusal::invalid("page: cannot be beyond the last page"));
        }
        _ if book.format.as_deref() == Some("epub") && !book.divina_compatible && told.completed != Some(true) => {
            return Err(Refusal::invalid("page: this book has no pages of its own"));
        }
        (Some(page), _) => page as u32,
        (None, Some(true)) => book.pages,
        (None, _) => return Err(Refusal::invalid("page: must be given if completed is not true")),
    };
    let completed = told.completed == Some(true) || page == book.pages;
    let page = if told.completed == Some(true) { book.pages } else { page };
    let progress = Progress { position: page.into(), completed };
    app.node().catalog().set_progress(caller.id(), &id, progress).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets it.
pub(in crate::facades) async fn clear_book(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.node().catalog().one_book(&id, caller.id()).await?;
    let never = Progress { position: 0.0, completed: false };
    app.node().catalog().set_progress(caller.id(), &id, never).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All of a series was read.
pub(in crate::facades) async fn set_series(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.node().catalog().one_series(&id, caller.id()).await?;
    app.node().catalog().mark_series(&id, caller.id(), Marked::All).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Nothing of a series was read.
pub(in crate::facades) async fn clear_series(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.node().catalog().one_series(&id, caller.id()).await?;
    app.node().catalog().unmark_series(&id, caller.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn counts(told: &Continuous) -> Value {
    json!({
        "booksCount": told.books,
        "booksReadCount": told.read,
        "booksUnreadCount": told.books.saturating_sub(told.read + told.started),
        "booksInProgressCount": told.started,
    })
}

/// How far the caller is in a series, by number.
pub(in crate::facades) async fn series(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<Value>, Refusal> {
    app.node().catalog().one_series(&id, caller.id()).await?;
    let told = app.node().catalog().series_progress(&id, caller.id()).await?;
    let mut shape = counts(&told);
    shape["lastReadContinuousNumberSort"] = told.last_number.into();
    shape["maxNumberSort"] = told.max_number.into();
    Ok(Answer(shape))
}

/// Up to which number a series was read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct LastNumber {
    last_book_number_sort_read: Option<f64>,
}

/// Books up to a number were read. Nothing is ever unread by it.
pub(in crate::facades) async fn track_series(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(told): Json<LastNumber>,
) -> Result<StatusCode, Refusal> {
    let last = told.last_book_number_sort_read;
    let last = last.ok_or_else(|| Refusal::invalid("lastBookNumberSortRead: must be a number"))?;
    app.node().catalog().one_series(&id, caller.id()).await?;
    app.node().catalog().mark_series(&id, caller.id(), Marked::Number(last)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far the caller is in a read list, by place.
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Answer<Value>, Refusal> {
    lists::seen(&app, &caller, ListKind::ReadList, &id).await?;
    let libraries = seen_ids(&app, &caller).await?;
    let told = app.node().catalog().list_progress(&id, libraries, caller.id()).await?;
    let mut shape = counts(&told);
    shape["lastReadContinuousIndex"] = told.last_index.into();
    Ok(Answer(shape))
}

/// Up to which place a read list was read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct LastPlace {
    last_book_read: Option<i64>,
}

/// The first books of a list were read. Nothing is ever unread by it.
pub(in crate::facades) async fn track_list(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(told): Json<LastPlace>,
) -> Result<StatusCode, Refusal> {
    let last = told.last_book_read.and_then(|last| u32::try_from(last).ok());
    let last = last.ok_or_else(|| Refusal::invalid("lastBookRead: must be 0 or more"))?;
    lists::seen(&app, &caller, ListKind::ReadList, &id).await?;
    let libraries = seen_ids(&app, &caller).await?;
    app.node().catalog().mark_list(&id, libraries, caller.id(), Marked::First(last)).await?;
    Ok(StatusCode::NO_CONTENT)
}
