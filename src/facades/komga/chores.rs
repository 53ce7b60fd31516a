//! What admins have done to files: scans, reading again, the trash, folders to choose from.
use std::path::PathBuf;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::libraries::own;
use super::params::Params;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Json, Path};
use crate::facades::native::folders;

/// Looks for what came and went; `deep`: reads everything again.
pub(in crate::facades) async fn scan(
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<StatusCode, Refusal> {
    let library = own(&app, &id).await?;
    match params.flag("deep") {
        Some(true) => app.node().importer().read_again(&id, &[library.path]).await?,
        _ => app.node().importer().scan(&id).await.map(|_| ())?,
    }
    Ok(StatusCode::ACCEPTED)
}

/// Reads and describes all files of a library again.
pub(in crate::facades) async fn read_library(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let library = own(&app, &id).await?;
    app.node().importer().read_again(&id, &[library.path]).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Reads and describes the files of a series again.
pub(in crate::facades) async fn read_series(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let series = app.node().catalog().one_series(&id, "").await?;
    app.node().importer().read_again(&series.library, &[series.path]).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Reads and describes the file of a book again.
pub(in crate::facades) async fn read_book(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let book = app.node().catalog().one_book(&id, "").await?;
    app.node().importer().read_again(&book.library, &[book.path]).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Forgets what is in the trash of a library.
pub(in crate::facades) async fn empty_trash(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    own(&app, &id).await?;
    app.node().importer().empty_trash(&id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Drops the scans that wait, and tells how many.
pub(in crate::facades) async fn drop_tasks(State(app): State<App>) -> Answer<usize> {
    Answer(app.node().importer().drop_waiting())
}

/// Which folder is looked into.
#[derive(Debug, Deserialize)]
pub(in crate::facades) struct Folder {
    #[serde(default)]
    path: String,
}

/// The folders in a folder; of files nothing is told.
pub(in crate::facades) async fn folder(Json(told): Json<Folder>) -> Result<Answer<Value>, Refusal> {
    let path = PathBuf::from(if told.path.is_empty() { "/" } else { &told.path });
    let found = folders::within(path).await?;
    let shape = |folder: &crate::facades::native::model::Folder| json!({"type": "directory", "name": folder.name, "path": folder.path});
    let inside: Vec<Value> = found.folders.iter().map(shape).collect();
    Ok(Answer(json!({"parent": found.parent, "directories": inside, "files": []})))
}
