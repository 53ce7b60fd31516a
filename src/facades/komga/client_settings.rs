//! What reading programs keep here: each account's own, and everybody's, which admins write.
use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::accounts::ClientSetting;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};

/// One that is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct Told {
    value: String,
    #[serde(default)]
    allow_unauthorized: bool,
}

fn read(told: BTreeMap<String, Told>) -> Vec<ClientSetting> {
    let setting =
        |(key, told): (String, Told)| ClientSetting { key, value: told.value, unauthorized: told.allow_unauthorized };
    told.into_iter().map(setting).collect()
}

/// Everybody's; whoever did not sign in is told those that are for them.
pub(in crate::facades) async fn global(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<Answer<Map<String, Value>>, Refusal> {
    let mut all = app.node().accounts().client_settings(None).await?;
    all.retain(|setting| setting.unauthorized || caller.account.is_some());
    let shape = |setting: ClientSetting| {
        (setting.key, json!({"value": setting.value, "allowUnauthorized": setting.unauthorized}))
    };
    Ok(Answer(all.into_iter().map(shape).collect()))
}

/// Writes everybody's.
pub(in crate::facades) async fn set_global(
    State(app): State<App>,
    Json(told): Json<BTreeMap<String, Told>>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().set_client_settings(None, read(told)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets some of everybody's.
pub(in crate::facades) async fn remove_global(
    State(app): State<App>,
    Json(keys): Json<Vec<String>>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove_client_settings(None, keys).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's own.
pub(in crate::facades) async fn own(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<Answer<Map<String, Value>>, Refusal> {
    let all = app.node().accounts().client_settings(Some(caller.id())).await?;
    let shape = |setting: ClientSetting| (setting.key, json!({"value": setting.value, "allowUnauthorized": null}));
    Ok(Answer(all.into_iter().map(shape).collect()))
}

/// Writes the caller's own.
pub(in crate::facades) async fn set_own(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(told): Json<BTreeMap<String, Told>>,
) -> Result<StatusCode, Refusal> {
    let settings = read(told).into_iter().map(|setting| ClientSetting { unauthorized: false, ..setting }).collect();
    app.node().accounts().set_client_settings(Some(caller.id()), settings).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets some of the caller's own.
pub(in crate::facades) async fn remove_own(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(keys): Json<Vec<String>>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove_client_settings(Some(caller.id()), keys).await?;
    Ok(StatusCode::NO_CONTENT)
}
