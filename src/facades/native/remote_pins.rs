//! What a pinning service keeps.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{NewRemotePin, Problem, RemotePin, RemotePinQuery, RemotePinStatus, RemotePins};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Json, Path, Query};
use crate::node::{NewPin, PinInfo, PinState, PinTarget};

/// Pins of a page where nothing is said.
const PAGE: u32 = 100;

/// What the service keeps, or is about to, newest first. It is asked now.
#[utoipa::path(get, path = "/api/v1/pin-services/{id}/pins", tag = "ipfs", params(("id" = String, Path), RemotePinQuery),
    responses((status = 200, body = RemotePins), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn kept(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<RemotePinQuery>,
) -> Result<axum::Json<RemotePins>, Refusal> {
    let pins = app.node().pins();
    let page = pins.page(&id, query.before.as_deref(), query.limit.unwrap_or(PAGE)).await?;
    let libraries = pins.libraries().await?;
    let library = |request: &str| {
        let of_pin = libraries.iter().find(|row| row.service == id && row.request.as_deref() == Some(request));
        of_pin.map(|row| row.library.clone())
    };
    let pins = page.pins.into_iter().map(|pin| shape(library(&pin.request), pin)).collect();
    Ok(axum::Json(RemotePins { total: page.total, pins }))
}

/// Has the service keep something public.
#[utoipa::path(post, path = "/api/v1/pin-services/{id}/pins", tag = "ipfs", params(("id" = String, Path)),
    request_body = NewRemotePin,
    responses((status = 201, body = RemotePin), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn keep(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(new): Json<NewRemotePin>,
) -> Result<(StatusCode, axum::Json<RemotePin>), Refusal> {
    let library = new.library.clone();
    let target = match (new.library, new.item, new.cid) {
        (Some(library), None, None) => PinTarget::Library(library),
        (None, Some(item), None) => PinTarget::Item(item),
        (None, None, Some(cid)) => {
            PinTarget::Cid(cid.trim().parse().map_err(|_| Refusal::invalid("cid: is not a CID"))?)
        }
        _ => return Err(Refusal::invalid("one of library, item and cid is needed")),
    };
    let made = app.node().pins().add(&id, NewPin { target, name: new.name }).await?;
    Ok((StatusCode::CREATED, axum::Json(shape(library, made))))
}

/// Has the service let go of a pin: by its id there, or by the id of a library that the service shall keep.
#[utoipa::path(delete, path = "/api/v1/pin-services/{id}/pins/{request_id}", tag = "ipfs",
    params(("id" = String, Path), ("request_id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn let_go(
    State(app): State<App>,
    Path((id, request)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    app.node().pins().remove(&id, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shape(library: Option<String>, pin: PinInfo) -> RemotePin {
    let status = match pin.state {
        PinState::Queued => RemotePinStatus::Queued,
        PinState::Pinning => RemotePinStatus::Pinning,
        PinState::Pinned => RemotePinStatus::Pinned,
        PinState::Failed => RemotePinStatus::Failed,
    };
    let PinInfo { request: request_id, state: _, cid, name, created, info } = pin;
    RemotePin { request_id, status, cid, name, created, info, library }
}

/// A status as it was written down.
pub(super) fn status(word: &str) -> Option<RemotePinStatus> {
    use RemotePinStatus::{Failed, Pinned, Pinning, Queued};
    [("queued", Queued), ("pinning", Pinning), ("pinned", Pinned), ("failed", Failed)]
        .into_iter()
        .find_map(|(name, status)| (name == word).then_some(status))
}
