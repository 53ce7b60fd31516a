//! Services elsewhere that keep what is public here.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{NewPinService, PinService, PinnedLibrary, Problem};
use super::remote_pins::status;
use crate::accounts;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Json, Path};

/// The services, and which libraries they shall keep.
#[utoipa::path(get, path = "/api/v1/pin-services", tag = "ipfs",
    responses((status = 200, body = Vec<PinService>), (status = 403, body = Problem)))]
pub(in crate::facades) async fn list(State(app): State<App>) -> Result<axum::Json<Vec<PinService>>, Refusal> {
    let pins = app.node().pins();
    let (services, libraries) = (pins.services().await?, pins.libraries().await?);
    Ok(axum::Json(services.into_iter().map(|service| shape(service, &libraries)).collect()))
}

/// Adds a service. Its token is tried, and never shown again.
#[utoipa::path(post, path = "/api/v1/pin-services", tag = "ipfs", request_body = NewPinService,
    responses((status = 201, body = PinService), (status = 400, body = Problem), (status = 409, body = Problem),
        (status = 503, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Json(new): Json<NewPinService>,
) -> Result<(StatusCode, axum::Json<PinService>), Refusal> {
    let made = app.node().pins().add_service(&new.name, &new.url, &new.token).await?;
    Ok((StatusCode::CREATED, axum::Json(shape(made, &[]))))
}

/// Forgets a service and its token. What it keeps stays there.
#[utoipa::path(delete, path = "/api/v1/pin-services/{id}", tag = "ipfs", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    app.node().pins().remove_service(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shape(service: accounts::PinService, libraries: &[accounts::PinnedLibrary]) -> PinService {
    let libraries = libraries.iter().filter(|library| library.service == service.id).cloned().map(library).collect();
    let accounts::PinService { id, name, url, token, added_at } = service;
    PinService { id, name, url, added_at, token_lost: token.is_none(), libraries }
}

fn library(row: accounts::PinnedLibrary) -> PinnedLibrary {
    PinnedLibrary {
        library: row.library,
        name: row.name,
        request_id: row.request,
        cid: row.cid,
        status: row.status.as_deref().and_then(status),
        problem: row.problem,
    }
}
