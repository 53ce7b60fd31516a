//! Lists of items, one item, and its file.
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::model::{CapabilityQuery, ItemDetail, ItemPage, ItemQuery, ItemSummary, Problem};
use super::{capabilities, shapes};
use crate::accounts::Caller;
use crate::catalog::{ItemFilter, ItemState, ProgressFilter, Sort};
use crate::facades::App;
use crate::facades::bytes::{self, Cache, Disposition, FileAnswer};
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Query, SeenItem};
use crate::media::book::Format;

/// Longest text of a query, in characters.
const TEXT_MAX: usize = 256;

/// A page of the items that the caller may see.
#[utoipa::path(get, path = "/api/v1/items", tag = "items", params(ItemQuery),
    responses((status = 200, body = ItemPage), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
    Query(query): Query<ItemQuery>,
) -> Result<axum::Json<ItemPage>, Refusal> {
    if let Some(id) = &query.library {
        let library = app.node().catalog().library(id).await?;
        if !caller.may_see(&library.id) {
            return Err(Refusal::hidden());
        }
    }
    let kind = query.library_kind;
    let mut filter = filter(query, &caller)?;
    if let Some(kind) = kind {
        let of_kind = app.node().catalog().libraries().await?.into_iter().filter(|library| library.kind == kind);
        let ids = of_kind.map(|library| library.id);
        filter.libraries = Some(match filter.libraries {
            Some(wanted) => ids.filter(|id| wanted.contains(id)).collect(),
            None => ids.collect(),
        });
    }
    if !caller.sees_all() {
        filter.libraries = Some(seen_libraries(&app, &caller, filter.libraries).await?);
    }
    let page = app.node().catalog().items(filter).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for listed in page.items {
        items.push(shapes::summary(&app, &caller, listed).await?);
    }
    Ok(axum::Json(ItemPage { items, next: page.next, total: page.total }))
}

/// Those of the wanted libraries that the caller may see; other nodes hear of this node's alone.
async fn seen_libraries(app: &App, caller: &Caller, wanted: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let mut all = app.node().catalog().libraries().await?;
    all.retain(|library| caller.may_see(&library.id) && !(caller.is_node() && library.friend.is_some()));
    let ids = all.into_iter().map(|library| library.id);
    Ok(ids.filter(|id| wanted.as_ref().is_none_or(|wanted| wanted.contains(id))).collect())
}

fn filter(query: ItemQuery, caller: &Caller) -> Result<ItemFilter, Refusal> {
    let texts = [&query.q, &query.from, &query.cursor, &query.show];
    if texts.iter().filter_map(|text| text.as_ref()).any(|text| text.chars().count() > 4 * TEXT_MAX) {
        return Err(Refusal::invalid("the query is too long"));
    }
    let limit = query.limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Refusal::invalid("limit: must be 1 to 500"));
    }
    Ok(ItemFilter {
        libraries: query.library.map(|library| vec![library]),
        kind: query.kind,
        show: query.show,
        text: query.q.map(|q| q.chars().take(TEXT_MAX).collect()),
        sort: sort(query.sort.as_deref())?,
        progress: progress(query.progress.as_deref())?,
        account: caller.id().to_owned(),
        from: query.from,
        cursor: query.cursor,
        limit,
    })
}

fn sort(word: Option<&str>) -> Result<Sort, Refusal> {
    Ok(match word {
        None | Some("" | "title") => Sort::Title,
        Some("-added") => Sort::Added,
        Some("year") => Sort::Year,
        Some("-year") => Sort::YearDescending,
        Some("duration") => Sort::Duration,
        Some("-watched") => Sort::Watched,
        Some(_) => {
            return Err(Refusal::invalid("sort: must be title, -added, year, -year, duration or -watched"));
        }
    })
}

fn progress(word: Option<&str>) -> Result<Option<ProgressFilter>, Refusal> {
    Ok(match word {
        None | Some("") => None,
        Some("started") => Some(ProgressFilter::Started),
        Some("completed") => Some(ProgressFilter::Completed),
        Some("unwatched") => Some(ProgressFilter::Unwatched),
        Some(_) => return Err(Refusal::invalid("progress: must be started, completed or unwatched")),
    })
}

/// One item with all that is known of it.
#[utoipa::path(get, path = "/api/v1/items/{id}", tag = "items",
    params(("id" = String, Path), CapabilityQuery),
    responses((status = 200, body = ItemDetail), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    Query(query): Query<CapabilityQuery>,
) -> Result<axum::Json<ItemDetail>, Refusal> {
    let client = capabilities::of(query, &caller)?;
    shapes::detail(&app, (*item).clone(), &caller, &client).await.map(axum::Json)
}

/// The episode after this one; 204 after the last.
#[utoipa::path(get, path = "/api/v1/items/{id}/next", tag = "items", params(("id" = String, Path)),
    responses((status = 200, body = ItemSummary), (status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn next(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> Result<Response, Refusal> {
    let next = app.node().catalog().next_episode(&item.item.id, caller.id()).await?;
    let seen = next.filter(|next| caller.may_see(&next.item.library));
    Ok(match seen {
        Some(next) => axum::Json(shapes::summary(&app, &caller, next).await?).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// The original bytes, with Range. The ETag is the file's CID.
#[utoipa::path(get, path = "/api/v1/items/{id}/file", tag = "playback", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 206), (status = 304),
        (status = 404, body = Problem), (status = 416), (status = 503, body = Problem)))]
pub(in crate::facades) async fn file(
    State(app): State<App>,
    SeenItem(seen): SeenItem,
    request: Request,
) -> Result<Response, Refusal> {
    if seen.item.state != ItemState::Present {
        return Err(Refusal::unavailable(
            seen.item.problem.clone().unwrap_or_else(|| "the file is not there now".into()),
        ));
    }
    let file = seen.item.file.as_ref().ok_or_else(Refusal::not_found)?;
    let cid = file.cid.ok_or_else(|| Refusal::unavailable("the file was not read yet"))?;
    // A friend's item does not go by the name of our file.
    let format = file.facts.as_ref().and_then(|facts| Format::named(&facts.container));
    let own_name = Format::file_name(format, &file.path);
    let guessed = || mime_guess::from_path(&own_name).first_or_octet_stream().essence_str().to_owned();
    let content_type = format.map_or_else(guessed, |format| format.media_type().to_owned());
    let name = (!seen.here).then_some(own_name);
    let answer = FileAnswer {
        cid,
        content_type: &content_type,
        disposition: Disposition::Inline(name.as_deref()),
        cache: Cache::Revalidate,
    };
    let mut response = bytes::file(app.node().blocks(), answer, request.method(), request.headers()).await?;
    // The name stays when the bytes change, so a copy must ask; the ETag makes asking cheap.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}
