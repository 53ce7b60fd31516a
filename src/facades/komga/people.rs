//! The accounts of the node, as admins see and change them in reading programs, and what was refused to whom.
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::dates;
use super::paging::{Page, Paging};
use super::params::Params;
use super::users::shape;
use crate::accounts::{AccountChange, AuditLine, Caller, NewAccount};
use crate::catalog::Library;
use crate::catalog::shelves::ShelfPage;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// Lines of the audit that are looked through.
const LINES: u32 = 5000;
/// Words of the audit for attempts to sign in.
const ATTEMPTS: &[&str] = &["unauthenticated", "wrong_password", "rate_limited"];

/// What an account is made of, or what shall be different.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct Told {
    email: Option<String>,
    password: Option<String>,
    roles: Option<Vec<String>>,
    shared_libraries: Option<Shared>,
    age_restriction: Option<Value>,
    labels_allow: Option<Vec<String>>,
    labels_exclude: Option<Vec<String>>,
}

/// Which libraries it may see.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shared {
    all: bool,
    #[serde(default)]
    library_ids: Vec<String>,
}

impl Told {
    /// What would hide something from the account must not seem to be done.
    fn check(&self) -> Result<(), Refusal> {
        let limits = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let none = |told: &Value| told.is_null() || told.get("restriction").and_then(Value::as_str) == Some("NONE");
        if self.age_restriction.as_ref().is_some_and(|told| !none(told)) {
            return Err(Refusal::invalid("ageRestriction: accounts are not limited by age here"));
        }
        if limits(&self.labels_allow) || limits(&self.labels_exclude) {
            return Err(Refusal::invalid("labelsAllow: accounts are not limited by labels here"));
        }
        Ok(())
    }

    fn admin(&self) -> Option<bool> {
        self.roles.as_ref().map(|roles| roles.iter().any(|role| role == "ADMIN"))
    }

    async fn libraries(&self, app: &App) -> Result<Option<Option<Vec<String>>>, Refusal> {
        let Some(shared) = &self.shared_libraries else { return Ok(None) };
        if shared.all {
            return Ok(Some(None));
        }
        let (known, shown) = (app.node().catalog().libraries().await?, app.node().catalog().library_aliases().await?);
        let own = |id: &String| {
            let is = |library: &&Library| library.id == *id || shown.get(&library.id) == Some(id);
            known.iter().find(is).map(|library| library.id.clone())
        };
        let ids: Option<Vec<String>> = shared.library_ids.iter().map(own).collect();
        let ids = ids.ok_or_else(|| Refusal::invalid("libraryIds: one of them names no library"))?;
        Ok(Some(Some(ids)))
    }
}

/// All accounts, by name.
pub(in crate::facades) async fn list(State(app): State<App>) -> Result<Answer<Vec<Value>>, Refusal> {
    let shown = app.node().catalog().library_aliases().await?;
    Ok(Answer(app.node().accounts().list().into_iter().map(|account| shape(account, &shown)).collect()))
}

/// Makes one.
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Json(told): Json<Told>,
) -> Result<(StatusCode, Answer<Value>), Refusal> {
    told.check()?;
    let libraries = told.libraries(&app).await?.unwrap_or(None);
    let admin = told.admin() == Some(true);
    let name = told.email.ok_or_else(|| Refusal::invalid("email: must be given"))?;
    let password = told.password.ok_or_else(|| Refusal::invalid("password: must be given"))?;
    let made = app.node().accounts().add(NewAccount { name, password, admin, libraries, max_bit_rate: None }).await?;
    let shown = app.node().catalog().library_aliases().await?;
    Ok((StatusCode::CREATED, Answer(shape(made, &shown))))
}

/// Changes one: whether it is an admin, and which libraries it may see.
pub(in crate::facades) async fn change(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(told): Json<Told>,
) -> Result<StatusCode, Refusal> {
    told.check()?;
    let change =
        AccountChange { admin: told.admin(), libraries: told.libraries(&app).await?, ..AccountChange::default() };
    app.node().accounts().update(&id, change, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes one, with how far it read.
pub(in crate::facades) async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove(&id).await?;
    app.node().catalog().remove_progress(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another password.
#[derive(Debug, Deserialize)]
pub(in crate::facades) struct Password {
    password: String,
}

/// Sets somebody's password; their sessions end, and their keys.
pub(in crate::facades) async fn set_password(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(told): Json<Password>,
) -> Result<StatusCode, Refusal> {
    write_password(&app, &caller, &id, told).await
}

/// Sets the caller's own. A key cannot take its account over: the caller, or its session, must have begun with the password.
pub(in crate::facades) async fn set_own_password(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(told): Json<Password>,
) -> Result<StatusCode, Refusal> {
    if caller.is_guest() {
        return Err(Refusal::forbidden("your password is changed at your own node"));
    }
    if !app.node().accounts().came_by_password(&caller) {
        return Err(Refusal::forbidden("a password is changed by whoever signed in with it"));
    }
    write_password(&app, &caller, caller.id(), told).await
}

async fn write_password(app: &App, caller: &Caller, id: &str, told: Password) -> Result<StatusCode, Refusal> {
    let change = AccountChange { password: Some(told.password), ..AccountChange::default() };
    app.node().accounts().update(id, change, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Attempts to sign in that were refused, newest first; what succeeded is not written down.
async fn attempts(app: &App, of: Option<&str>) -> Result<Vec<Value>, Refusal> {
    let accounts = app.node().accounts();
    let mut lines = accounts.audit_lines(LINES).await?;
    lines.retain(|line| ATTEMPTS.contains(&line.reason.as_str()));
    lines.retain(|line| of.is_none() || line.account.as_deref() == of);
    let shape = |line: AuditLine| {
        let id = line.account.as_deref().and_then(|name| accounts.named(name).ok()).map(|account| account.id);
        json!({
            "userId": id,
            "email": line.account,
            "apiKeyId": null,
            "apiKeyComment": null,
            "ip": line.address,
            "userAgent": null,
            "success": false,
            "error": line.reason,
            "dateTime": dates::instant(line.at),
            "source": "Potluck",
        })
    };
    Ok(lines.into_iter().map(shape).collect())
}

fn paged(params: &Params, all: Vec<Value>) -> Answer<Page<Value>> {
    let paging = Paging::of(params);
    let ShelfPage { rows, total } = paging.cut(all);
    Answer(paging.page(ShelfPage { rows, total }, |row| row))
}

/// Of everybody.
pub(in crate::facades) async fn activity(
    State(app): State<App>,
    params: Params,
) -> Result<Answer<Page<Value>>, Refusal> {
    Ok(paged(&params, attempts(&app, None).await?))
}

/// The caller's own.
pub(in crate::facades) async fn own_activity(
    State(app): State<App>,
    Asker(caller): Asker,
    params: Params,
) -> Result<Answer<Page<Value>>, Refusal> {
    let name = caller.account.as_ref().map(|account| account.name.clone()).unwrap_or_default();
    Ok(paged(&params, attempts(&app, Some(&name)).await?))
}

/// The last of somebody; 404 where there is none.
pub(in crate::facades) async fn last_activity(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Answer<Value>, Refusal> {
    let account = app.node().accounts().get(&id)?;
    let last = attempts(&app, Some(&account.name)).await?.into_iter().next();
    last.map(Answer).ok_or_else(|| Refusal::absent("nothing was refused to this account"))
}
