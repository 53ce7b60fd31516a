//! Settings of the server: told as they are. They are written in the node's configuration, so nothing but what is already so can
//! be set here.
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::BASE;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Json;

/// `SettingsDto`.
fn shape(app: &App) -> Value {
    let port = app.listeners().first().map(|(_, address)| address.port());
    json!({
        "deleteEmptyCollections": false,
        "deleteEmptyReadLists": false,
        "rememberMeDurationDays": 365,
        "thumbnailSize": "DEFAULT",
        "taskPoolSize": 1,
        "serverPort": {"configurationSource": port, "databaseSource": null, "effectiveValue": port},
        "serverContextPath": {"configurationSource": BASE, "databaseSource": null, "effectiveValue": BASE},
        "koboProxy": false,
        "koboPort": null,
        "kepubifyPath": {"configurationSource": null, "databaseSource": null, "effectiveValue": null},
    })
}

/// How they are.
pub(in crate::facades) async fn show(State(app): State<App>) -> Answer<Value> {
    Answer(shape(&app))
}

/// Takes what is so already, and refuses all else by its name.
pub(in crate::facades) async fn set(
    State(app): State<App>,
    Json(told): Json<Map<String, Value>>,
) -> Result<StatusCode, Refusal> {
    let now = shape(&app);
    let differs = |(name, value): &(&String, &Value)| {
        let known = &now[name.as_str()];
        let known = known.get("effectiveValue").unwrap_or(known);
        let asks = !value.is_null() && **value != Value::Bool(false);
        asks && known != *value
    };
    match told.iter().find(differs) {
        Some((name, _)) => Err(Refusal::invalid(format!("{name}: is set in the node's configuration"))),
        None => Ok(StatusCode::NO_CONTENT),
    }
}
