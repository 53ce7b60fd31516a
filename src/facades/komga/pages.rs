//! The pages of a book.
use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::dates;
use super::params::Params;
use super::shapes::{PageDto, page};
use crate::catalog::{ItemState, Listed};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{IfNoneMatch, Path, SeenItem};
use crate::facades::native::pages::{answer, pages_of};
use crate::media::book::Page;
use crate::media::protocol::PictureForm;
use crate::playback::{PageForm, Source};

/// Pixels of a small picture's longer side.
pub(super) const SMALL: u32 = 300;

/// The pages of a book that can be read now.
///
/// # Errors
/// 404 for one that cannot, with the reason.
pub(super) async fn readable(app: &App, item: &Listed) -> Result<(Source, Vec<Page>), Refusal> {
    let item_is_book = item.item.book.is_some() && item.item.friend.is_none();
    if !item_is_book {
        return Err(Refusal::not_found());
    }
    if item.item.state != ItemState::Present {
        let why = item.item.problem.clone().unwrap_or_else(|| "the file is not there now".to_owned());
        return Err(Refusal::absent(why));
    }
    pages_of(app, item).await.map_err(Refusal::as_absent)
}

/// All of them.
pub(in crate::facades) async fn list(
    State(app): State<App>,
    SeenItem(item): SeenItem,
) -> Result<Answer<Vec<PageDto>>, Refusal> {
    let (_, pages) = readable(&app, &item).await?;
    Ok(Answer(pages.into_iter().map(page).collect()))
}

/// What is sent of a page.
enum Wanted {
    AsItIs,
    Converted(PictureForm),
    Small,
}

/// One, in the form that is asked for.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    Path((_, number)): Path<(String, String)>,
    params: Params,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let wanted = match params.one("convert").map(str::trim) {
        None | Some("") => Wanted::AsItIs,
        Some("jpeg") => Wanted::Converted(PictureForm::Jpeg),
        Some("png") => Wanted::Converted(PictureForm::Png),
        Some(_) => return Err(Refusal::invalid("convert: must be jpeg or png")),
    };
    let zero_based = params.flag("zero_based") == Some(true);
    send(&app, &item, (&number, zero_based), wanted, &known, &headers).await
}

/// One, as it is in the book.
pub(in crate::facades) async fn raw(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    Path((_, number)): Path<(String, String)>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    send(&app, &item, (&number, false), Wanted::AsItIs, &known, &headers).await
}

/// One, small.
pub(in crate::facades) async fn small(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    Path((_, number)): Path<(String, String)>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    send(&app, &item, (&number, false), Wanted::Small, &known, &headers).await
}

async fn send(
    app: &App,
    item: &Listed,
    (number, zero_based): (&str, bool),
    wanted: Wanted,
    known: &IfNoneMatch,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let (source, pages) = readable(app, item).await?;
    let missing = || Refusal::invalid("pageNumber: Page number does not exist");
    let number: i64 = number.parse().map_err(|_| missing())?;
    let at = number.checked_sub(if zero_based { 0 } else { 1 }).and_then(|at| usize::try_from(at).ok());
    let page = at.and_then(|at| pages.get(at)).ok_or_else(missing)?;
    let form = match wanted {
        Wanted::AsItIs => PageForm::default(),
        Wanted::Converted(form) => PageForm { form: Some(form), side: None },
        Wanted::Small => PageForm { form: Some(PictureForm::Jpeg), side: Some(SMALL) },
    };
    let looked_at = app.node().catalog().book_described(&item.item.id).await?.map(dates::http);
    let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|v| v.to_str().ok());
    let unchanged = !headers.contains_key(header::IF_NONE_MATCH) && since.is_some() && since == looked_at.as_deref();
    let mut response = match unchanged {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => answer(app, &source, page, form, known).await.map_err(Refusal::as_absent)?,
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0, must-revalidate, private"));
    if let Some(at) = looked_at.and_then(|at| HeaderValue::from_str(&at).ok()) {
        headers.insert(header::LAST_MODIFIED, at);
    }
    Ok(response)
}
