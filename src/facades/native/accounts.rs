//! Accounts, for admins.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{Account, AccountChange, NewAccount, Problem};
use crate::accounts;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// All accounts, by name.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts",
    responses((status = 200, body = Vec<Account>), (status = 403, body = Problem)))]
pub(in crate::facades) async fn list(State(app): State<App>) -> axum::Json<Vec<Account>> {
    axum::Json(app.node().accounts().list().into_iter().map(Account::from).collect())
}

/// Makes an account.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = Account), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Json(new): Json<NewAccount>,
) -> Result<(StatusCode, axum::Json<Account>), Refusal> {
    known_libraries(&app, new.libraries.as_deref()).await?;
    let new = accounts::NewAccount {
        name: new.name,
        password: new.password,
        admin: new.admin,
        libraries: new.libraries,
        max_bit_rate: new.max_bit_rate,
    };
    let made = app.node().accounts().add(new).await?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

/// Changes an account.
#[utoipa::path(patch, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    request_body = AccountChange,
    responses((status = 200, body = Account), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in crate::facades) async fn change(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(change): Json<AccountChange>,
) -> Result<axum::Json<Account>, Refusal> {
    known_libraries(&app, change.libraries.as_ref().and_then(|l| l.as_deref())).await?;
    let change = accounts::AccountChange {
        name: change.name,
        password: change.password,
        admin: change.admin,
        libraries: change.libraries,
        max_bit_rate: change.max_bit_rate,
    };
    Ok(axum::Json(app.node().accounts().update(&id, change, &caller).await?.into()))
}

/// Removes an account with its sessions, keys and progress.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in crate::facades) async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove(&id).await?;
    app.node().catalog().remove_progress(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A library that does not exist is more likely a mistake than a wish.
async fn known_libraries(app: &App, ids: Option<&[String]>) -> Result<(), Refusal> {
    let Some(ids) = ids else { return Ok(()) };
    let known = app.node().catalog().libraries().await?;
    match ids.iter().find(|id| !known.iter().any(|library| library.id == **id)) {
        Some(unknown) => Err(Refusal::invalid(format!("libraries: there is no library {unknown}"))),
        None => Ok(()),
    }
}
