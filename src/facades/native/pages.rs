//! The pages of a book.
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::model::{BookDirection, BookPage, BookPages, PageBlocks, PageBlocksQuery, PageQuery, Problem};
use super::renditions;
use super::shapes::playable;
use crate::catalog::Listed;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{IfNoneMatch, Path, Query, SeenItem};
use crate::media::book::{Page, PictureType, decode_pages, picture_kind};
use crate::media::protocol::PictureForm;
use crate::playback::{PageForm, Segment, Source};

/// Pages told at once with their blocks.
const WINDOW_MAX: u32 = 32;
/// Bytes of them after which no further page is made: they are kept for whoever asks for their blocks next.
const WINDOW_BYTES: u64 = 8 * 1024 * 1024;

/// Which pages a book has.
#[utoipa::path(get, path = "/api/v1/items/{id}/pages", tag = "playback", params(("id" = String, Path)),
    responses((status = 200, body = BookPages), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    SeenItem(item): SeenItem,
) -> Result<axum::Json<BookPages>, Refusal> {
    let (source, pages) = pages_of(&app, &item).await?;
    let direction = app.node().catalog().direction(&item.item.id).await?;
    let direction = direction.as_deref().and_then(direction_of);
    let shape = |page: Page| BookPage {
        number: page.number,
        kind: page.media_type.media_type().to_owned(),
        name: page.name,
        width: page.width,
        height: page.height,
        size: page.size,
    };
    let mut pages: Vec<BookPage> = pages.into_iter().map(shape).collect();
    if pages.is_empty() {
        pages = (1..=item.item.book.as_ref().map_or(0, |book| book.pages)).map(document).collect();
    }
    Ok(axum::Json(BookPages { format: source.facts.container, direction, pages }))
}

fn direction_of(word: &str) -> Option<BookDirection> {
    serde_json::from_value(word.into()).ok()
}

/// Of an EPUB that flows.
fn document(number: u32) -> BookPage {
    let (name, kind) = (String::new(), "application/xhtml+xml".to_owned());
    BookPage { number, name, kind, width: None, height: None, size: 0 }
}

/// One page, numbered from 1.
#[utoipa::path(get, path = "/api/v1/items/{id}/pages/{number}", tag = "playback",
    params(("id" = String, Path), ("number" = u32, Path), PageQuery),
    responses((status = 200, content_type = "image/jpeg"), (status = 304), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn page(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    path: Path<(String, u32)>,
    Query(query): Query<PageQuery>,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    let Path((_, number)) = path;
    let (source, pages) = pages_of(&app, &item).await?;
    let at = number.checked_sub(1).ok_or_else(Refusal::not_found)? as usize;
    let page = pages.get(at).ok_or_else(Refusal::not_found)?;
    let form = form_of(query.convert.as_deref())?;
    answer(&app, &source, page, PageForm { form, side: None }, &known).await
}

fn form_of(convert: Option<&str>) -> Result<Option<PictureForm>, Refusal> {
    match convert {
        None | Some("") => Ok(None),
        Some("jpeg") => Ok(Some(PictureForm::Jpeg)),
        Some("png") => Ok(Some(PictureForm::Png)),
        Some(_) => Err(Refusal::invalid("convert: must be jpeg or png")),
    }
}

/// A window of pages with the blocks that make them up. The first may be followed by fewer than asked: what comes after is asked for
/// when it is wanted.
#[utoipa::path(get, path = "/api/v1/items/{id}/pages/blocks", tag = "playback",
    params(("id" = String, Path), PageBlocksQuery),
    responses((status = 200, body = Vec<PageBlocks>), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem)))]
pub(in crate::facades) async fn blocks(
    State(app): State<App>,
    SeenItem(item): SeenItem,
    Query(query): Query<PageBlocksQuery>,
) -> Result<axum::Json<Vec<PageBlocks>>, Refusal> {
    let form = form_of(query.convert.as_deref())?;
    let count = query.count.unwrap_or(4);
    if !(1..=WINDOW_MAX).contains(&count) {
        return Err(Refusal::invalid(format!("count: must be 1 to {WINDOW_MAX}")));
    }
    let first = query.from.checked_sub(1).ok_or_else(|| Refusal::invalid("from: pages are numbered from 1"))?;
    let (source, pages) = pages_of(&app, &item).await?;
    let wanted = pages.iter().skip(first as usize).take(count as usize);
    Ok(axum::Json(window(&app, &source, wanted, form).await?))
}

async fn window(
    app: &App,
    source: &Source,
    wanted: impl Iterator<Item = &Page>,
    form: Option<PictureForm>,
) -> Result<Vec<PageBlocks>, Refusal> {
    let playback = app.node().playback();
    let (mut told, mut bytes) = (Vec::new(), 0);
    for page in wanted {
        let form = form.filter(|form| !has_form(page, *form));
        let made = match told.is_empty() {
            true => Some(playback.page_blocks(source, page, form).await?),
            // What is wrong with a page is told to whoever asks for it.
            false if bytes < WINDOW_BYTES => playback.next_page(source, page, form).await.ok().flatten(),
            false => None,
        };
        let Some(made) = made else { break };
        bytes += made.layout.size;
        told.push(by_name(page.number, &made));
    }
    Ok(told)
}

fn by_name(number: u32, made: &Segment) -> PageBlocks {
    PageBlocks { number, kind: kind_of(&made.bytes).to_owned(), content: renditions::blocks(made) }
}

/// The first bytes say what it is: a page is never shown as anything but a picture.
fn kind_of(bytes: &[u8]) -> &'static str {
    picture_kind(bytes).map_or("application/octet-stream", PictureType::media_type)
}

/// What has the form already is not made anew.
fn has_form(page: &Page, form: PictureForm) -> bool {
    let forms = (form, page.media_type);
    matches!(forms, (PictureForm::Jpeg, PictureType::Jpeg) | (PictureForm::Png, PictureType::Png))
}

/// The list of pages of a book that can be read now, and its file.
pub(in crate::facades) async fn pages_of(app: &App, item: &Listed) -> Result<(Source, Vec<Page>), Refusal> {
    let source = playable(item)?;
    if item.item.book.is_none() {
        return Err(Refusal::not_found());
    }
    let list = app.node().catalog().page_list_of(&item.item.id).await?;
    let Some(list) = list else { return Ok((source, Vec::new())) };
    let pages = decode_pages(&list).map_err(|error| Refusal::internal(&error))?;
    Ok((source, pages))
}

/// A page as an answer; its tag follows from the file's content, so a copy is right as long as the file is.
pub(in crate::facades) async fn answer(
    app: &App,
    source: &Source,
    page: &Page,
    form: PageForm,
    known: &IfNoneMatch,
) -> Result<Response, Refusal> {
    let same = form.form.is_some_and(|wanted| has_form(page, wanted));
    let form = if same && form.side.is_none() { PageForm::default() } else { form };
    let tag = tag(source, page, form);
    let mut response = if known.has(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let bytes = app.node().playback().page(source, page, form).await?;
        ([(header::CONTENT_TYPE, kind_of(&bytes)), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=0, must-revalidate"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn tag(source: &Source, page: &Page, form: PageForm) -> String {
    let word = match form.form {
        None => "",
        Some(PictureForm::Jpeg) => ".jpeg",
        Some(PictureForm::Png) => ".png",
    };
    let side = form.side.map(|side| format!(".{side}")).unwrap_or_default();
    format!("\"{}.{}{word}{side}\"", source.cid, page.number)
}
