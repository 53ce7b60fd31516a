//! The caller's API keys.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{ApiKey, NewApiKey, Problem};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// The caller's keys, without their secrets.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "account",
    responses((status = 200, body = Vec<ApiKey>), (status = 401, body = Problem)))]
pub(in crate::facades) async fn list(State(app): State<App>, Asker(caller): Asker) -> axum::Json<Vec<ApiKey>> {
    axum::Json(app.node().accounts().api_keys(caller.id()).into_iter().map(ApiKey::from).collect())
}

/// Makes a key. Its secret is in this answer and never again.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "account", request_body = NewApiKey,
    responses((status = 201, body = ApiKey), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(new): Json<NewApiKey>,
) -> Result<(StatusCode, axum::Json<ApiKey>), Refusal> {
    let (made, secret) = app.node().accounts().add_api_key(caller.id(), &new.name).await?;
    Ok((StatusCode::CREATED, axum::Json(ApiKey { key: Some(secret), ..made.into() })))
}

/// Revokes a key of the caller.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove_api_key(caller.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
