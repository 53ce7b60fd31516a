//! Covers of series, books and lists, as JPEGs of at most 300 pixels: made by the worker, once, and kept.
use std::path::PathBuf;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::lists;
use super::pages::SMALL;
use crate::accounts::Caller;
use crate::catalog::shelves::{CoverOf, ListKind};
use crate::catalog::{Item, ItemKind};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, IfNoneMatch, Path, SeenItem};
use crate::playback::Mosaic;

/// A list changes without anybody putting up a cover.
const OF_LIST: &str = "max-age=3600, private";

/// The cover of a series or a book.
pub(in crate::facades) async fn item(
    State(app): State<App>,
    SeenItem(seen): SeenItem,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    let cover = cover(&seen.item).ok_or_else(|| Refusal::absent("there is no cover"))?;
    answer(&app, cover, &known, "max-age=0, must-revalidate, private").await
}

pub(super) fn cover(item: &Item) -> Option<PathBuf> {
    let ours = item.friend.is_none() && matches!(item.kind, ItemKind::Series | ItemKind::Book);
    item.artwork.poster.clone().filter(|_| ours)
}

/// The cover of a collection: that which somebody put up, one of its first four series', or that of the first.
pub(in crate::facades) async fn collection(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    of_list(&app, &caller, ListKind::Collection, &id, &known).await
}

/// The cover of a read list: that which somebody put up, one of its first four books', or that of the first.
pub(in crate::facades) async fn read_list(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    known: IfNoneMatch,
) -> Result<Response, Refusal> {
    of_list(&app, &caller, ListKind::ReadList, &id, &known).await
}

async fn of_list(
    app: &App,
    caller: &Caller,
    kind: ListKind,
    id: &str,
    known: &IfNoneMatch,
) -> Result<Response, Refusal> {
    let list = lists::seen(app, caller, kind, id).await?;
    let put_up = app.node().catalog().covers(CoverOf::List(list.id.clone())).await?;
    if let Some(cover) = put_up.into_iter().find(|cover| cover.selected) {
        return answer(app, cover.path, known, "max-age=0, must-revalidate, private").await;
    }
    let mut covers = Vec::new();
    for item in list.items.iter().take(20) {
        let item = app.node().catalog().item(item, caller.id()).await?;
        covers.extend(cover(&item.item));
        if covers.len() == 4 {
            break;
        }
    }
    if let Some(whole) = of_four(app, &covers, known).await {
        return Ok(whole);
    }
    let first = covers.into_iter().next().ok_or_else(|| Refusal::absent("there is no cover"))?;
    answer(app, first, known, OF_LIST).await
}

/// The first four as one picture; `None` where there are fewer, or one cannot be drawn.
async fn of_four(app: &App, paths: &[PathBuf], known: &IfNoneMatch) -> Option<Response> {
    let playback = app.node().playback();
    let mut covers = Vec::new();
    for path in paths {
        covers.push(playback.cover(path, SMALL).await.ok()?);
    }
    let mosaic = Mosaic::of(covers.try_into().ok()?);
    let bytes = if known.has(&mosaic.tag) { None } else { Some(playback.draw_mosaic(&mosaic).await.ok()?) };
    Some(sent(bytes, &mosaic.tag, OF_LIST))
}

/// A picture of the disk, small.
pub(super) async fn answer(
    app: &App,
    cover: PathBuf,
    known: &IfNoneMatch,
    cache: &'static str,
) -> Result<Response, Refusal> {
    sized(app, cover, SMALL, known, cache).await
}

/// The same with a longer side of this many pixels at most.
pub(super) async fn sized(
    app: &App,
    cover: PathBuf,
    side: u32,
    known: &IfNoneMatch,
    cache: &'static str,
) -> Result<Response, Refusal> {
    let absent = |_| Refusal::absent("there is no cover");
    let playback = app.node().playback();
    let cover = playback.cover(&cover, side).await.map_err(absent)?;
    let bytes = if known.has(&cover.tag) { None } else { Some(playback.draw(&cover).await.map_err(absent)?) };
    Ok(sent(bytes, &cover.tag, cache))
}

/// A JPEG; 304 for whoever has it.
fn sent(bytes: Option<Bytes>, tag: &str, cache: &'static str) -> Response {
    let mut response = match bytes {
        None => StatusCode::NOT_MODIFIED.into_response(),
        Some(bytes) => ([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
