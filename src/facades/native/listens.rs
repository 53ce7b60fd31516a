//! Telling ListenBrainz what one hears.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{ConnectListenBrainz, ListenBrainz, Problem};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};

/// How telling ListenBrainz what the caller hears goes on.
#[utoipa::path(get, path = "/api/v1/listenbrainz", tag = "account",
    responses((status = 200, body = ListenBrainz), (status = 401, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<axum::Json<ListenBrainz>, Refusal> {
    let state = app.node().listens().state(caller.id()).await?;
    Ok(axum::Json(state.map(ListenBrainz::from).unwrap_or_default()))
}

/// Tells ListenBrainz what the caller hears from now on, with a token that is looked at there first. It is kept sealed, and never
/// shown again.
#[utoipa::path(put, path = "/api/v1/listenbrainz", tag = "account", request_body = ConnectListenBrainz,
    responses((status = 200, body = ListenBrainz), (status = 400, body = Problem), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn connect(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(wish): Json<ConnectListenBrainz>,
) -> Result<axum::Json<ListenBrainz>, Refusal> {
    let state = app.node().listens().connect(caller.id(), &wish.token).await?;
    Ok(axum::Json(state.into()))
}

/// Looks whether the token is still taken there; where it is, what waits is told at once.
#[utoipa::path(post, path = "/api/v1/listenbrainz/check", tag = "account",
    responses((status = 200, body = ListenBrainz), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn check(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<axum::Json<ListenBrainz>, Refusal> {
    let state = app.node().listens().check(caller.id()).await?;
    Ok(axum::Json(state.map(ListenBrainz::from).unwrap_or_default()))
}

/// Tells nothing more, and forgets the token and what was still to be told.
#[utoipa::path(delete, path = "/api/v1/listenbrainz", tag = "account",
    responses((status = 204), (status = 401, body = Problem)))]
pub(in crate::facades) async fn disconnect(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<StatusCode, Refusal> {
    app.node().listens().disconnect(caller.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}
