//! The caller's own account, its keys, and everything around signing in and out.
use std::collections::HashMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json as Answer};
use serde::Deserialize;
use serde_json::{Value, json};

use super::base::Base;
use super::{dates, entry};
use crate::accounts::{Account, ApiKey, Caller, Credential, KeyForm};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};
use crate::facades::proxies::Front;

/// What a key is shown as after it was made.
const HIDDEN: &str = "******";

/// The caller.
pub(in crate::facades) async fn me(State(app): State<App>, Asker(caller): Asker) -> Result<Answer<Value>, Refusal> {
    let account = caller.account.ok_or_else(Refusal::unauthenticated)?;
    let shown = app.node().catalog().library_aliases().await?;
    Ok(Answer(shape(account, &shown)))
}

/// `UserDto`, with libraries by the ids that are shown.
pub(super) fn shape(account: Account, shown: &HashMap<String, String>) -> Value {
    let mut roles = vec!["USER", "FILE_DOWNLOAD", "PAGE_STREAMING", "KOBO_SYNC", "KOREADER_SYNC"];
    if account.admin {
        roles.push("ADMIN");
    }
    let all = account.sees_all();
    let mut libraries = if all { Vec::new() } else { account.libraries.unwrap_or_default() };
    for id in &mut libraries {
        if let Some(known) = shown.get(id.as_str()) {
            id.clone_from(known);
        }
    }
    json!({
        "id": account.id,
        "email": account.name,
        "roles": roles,
        "sharedAllLibraries": all,
        "sharedLibrariesIds": libraries,
        "labelsAllow": [],
        "labelsExclude": [],
        "ageRestriction": null,
    })
}

fn key_shape(caller: &Caller, key: &ApiKey, secret: &str) -> Value {
    let made = dates::instant(key.created_at);
    json!({"id": key.id, "userId": caller.id(), "key": secret, "comment": key.name, "createdDate": made, "lastModifiedDate": made})
}

/// The caller's keys, without their secrets.
pub(in crate::facades) async fn keys(State(app): State<App>, Asker(caller): Asker) -> Answer<Vec<Value>> {
    let keys = app.node().accounts().api_keys(caller.id());
    Answer(keys.iter().map(|key| key_shape(&caller, key, HIDDEN)).collect())
}

/// What a key is for.
#[derive(Debug, Deserialize)]
pub(in crate::facades) struct NewKey {
    #[serde(default)]
    comment: String,
}

/// Makes a key of 32 digits, and shows it this once.
pub(in crate::facades) async fn add_key(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(new): Json<NewKey>,
) -> Result<Answer<Value>, Refusal> {
    let made = app.node().accounts().add_api_key_like(caller.id(), &new.comment, KeyForm::Hex).await;
    let (key, secret) = made.map_err(|error| Refusal::invalid(format!("comment: {error}")))?;
    Ok(Answer(key_shape(&caller, &key, &secret)))
}

/// Revokes a key; sessions that were begun with it end.
pub(in crate::facades) async fn remove_key(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove_api_key(caller.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the session and what the program is remembered by.
pub(in crate::facades) async fn logout(
    State(app): State<App>,
    front: Option<Extension<Front>>,
    base: Base,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    entry::leave(app.node().accounts(), &headers).await?;
    let secure = front.is_some_and(|Extension(front)| front.secure);
    let ended = [entry::SESSION, entry::REMEMBER].map(|name| entry::cookie(name, "", Some(0), &base, secure));
    let cookies = AppendHeaders(ended.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok((StatusCode::NO_CONTENT, cookies).into_response())
}

/// Makes a cookie of the session that the caller came with in a header.
pub(in crate::facades) async fn set_cookie(
    Asker(caller): Asker,
    front: Option<Extension<Front>>,
    base: Base,
    headers: HeaderMap,
) -> Response {
    let secure = front.is_some_and(|Extension(front)| front.secure);
    match entry::tokens(&headers).next().filter(|_| matches!(caller.credential, Credential::Session(_))) {
        Some(token) => {
            let cookie = entry::cookie(entry::SESSION, token, None, &base, secure);
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// A node always has an owner.
pub(in crate::facades) async fn claim() -> Answer<Value> {
    Answer(json!({"isClaimed": true}))
}

/// Nobody can make themselves the owner of it here.
pub(in crate::facades) async fn claim_again() -> Refusal {
    Refusal::invalid("this server has already been claimed")
}

/// Services by which one could sign in: none.
pub(in crate::facades) async fn providers() -> Answer<[(); 0]> {
    Answer([])
}

/// It answers.
pub(in crate::facades) async fn health() -> Answer<Value> {
    Answer(json!({"status": "UP"}))
}
