//! Passwords of programs that speak other dialects than the node's own.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{AppPassword, NewAppPassword, Problem};
use crate::accounts::Credential;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// The caller's app passwords, without the passwords themselves.
#[utoipa::path(get, path = "/api/v1/app-passwords", tag = "account",
    responses((status = 200, body = Vec<AppPassword>), (status = 401, body = Problem)))]
pub(in crate::facades) async fn list(State(app): State<App>, Asker(caller): Asker) -> axum::Json<Vec<AppPassword>> {
    axum::Json(app.node().accounts().app_passwords(caller.id()).into_iter().map(AppPassword::from).collect())
}

/// Makes one. It opens what such programs use, and no other part of the node.
#[utoipa::path(post, path = "/api/v1/app-passwords", tag = "account", request_body = NewAppPassword,
    responses((status = 201, body = AppPassword), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(new): Json<NewAppPassword>,
) -> Result<(StatusCode, axum::Json<AppPassword>), Refusal> {
    let (made, password) = app.node().accounts().add_app_password(caller.id(), &new.name).await?;
    Ok((StatusCode::CREATED, axum::Json(AppPassword { password: Some(password), ..made.into() })))
}

/// One of the caller's with its password: for who signed in on the page.
#[utoipa::path(get, path = "/api/v1/app-passwords/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 200, body = AppPassword), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<axum::Json<AppPassword>, Refusal> {
    let (known, password) = app.node().accounts().app_password(caller.id(), &id)?;
    if !matches!(caller.credential, Credential::Session(_)) {
        return Err(Refusal::forbidden("an app password is shown to who signed in on the page"));
    }
    Ok(axum::Json(AppPassword { password: Some(password), ..known.into() }))
}

/// Revokes one of the caller's.
#[utoipa::path(delete, path = "/api/v1/app-passwords/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove_app_password(caller.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Those of an account, without the passwords themselves.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/app-passwords", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = Vec<AppPassword>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn list_of(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<AppPassword>>, Refusal> {
    let account = app.node().accounts().get(&id)?;
    Ok(axum::Json(app.node().accounts().app_passwords(&account.id).into_iter().map(AppPassword::from).collect()))
}

/// Revokes one of an account's.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}/app-passwords/{app}", tag = "accounts",
    params(("id" = String, Path), ("app" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove_of(
    State(app): State<App>,
    Path((id, password)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove_app_password(&id, &password).await?;
    Ok(StatusCode::NO_CONTENT)
}
