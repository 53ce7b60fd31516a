//! Libraries: who may see which, adding, changing, scanning.
use std::path::PathBuf;

use axum::extract::State;
use axum::http::StatusCode;

use super::model::{Library, LibraryChange, NewLibrary, Problem, ScanProgress};
use super::shapes;
use crate::catalog::Visibility;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path, SeenLibrary};
use crate::node::{NodeEvent, usable_folder};

/// The libraries that the caller may see, by name.
#[utoipa::path(get, path = "/api/v1/libraries", tag = "libraries",
    responses((status = 200, body = Vec<Library>), (status = 401, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<axum::Json<Vec<Library>>, Refusal> {
    shapes::libraries(&app, &caller).await.map(axum::Json)
}

/// Adds a library and scans it.
#[utoipa::path(post, path = "/api/v1/libraries", tag = "libraries", request_body = NewLibrary,
    responses((status = 201, body = Library), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(new): Json<NewLibrary>,
) -> Result<(StatusCode, axum::Json<Library>), Refusal> {
    let path = PathBuf::from(new.path);
    usable_folder(&path, app.node().folder().path())?;
    let visibility = new.visibility.unwrap_or(Visibility::Private);
    let library = app.node().catalog().add_library(&new.name, new.kind, &path, visibility).await?;
    app.node().importer().reload().await?;
    app.node().announce(NodeEvent::Library(library.id.clone()));
    Ok((StatusCode::CREATED, axum::Json(shapes::library(&app, &caller, library).await?)))
}

/// One library.
#[utoipa::path(get, path = "/api/v1/libraries/{id}", tag = "libraries", params(("id" = String, Path)),
    responses((status = 200, body = Library), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenLibrary(library): SeenLibrary,
) -> Result<axum::Json<Library>, Refusal> {
    shapes::library(&app, &caller, (*library).clone()).await.map(axum::Json)
}

/// Changes a library.
#[utoipa::path(patch, path = "/api/v1/libraries/{id}", tag = "libraries", params(("id" = String, Path)),
    request_body = LibraryChange,
    responses((status = 200, body = Library), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in crate::facades) async fn change(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(change): Json<LibraryChange>,
) -> Result<axum::Json<Library>, Refusal> {
    let catalog = app.node().catalog();
    let mut library = catalog.change_library(&id, change.name.as_deref(), change.visibility).await?;
    if let Some(path) = change.path {
        let path = PathBuf::from(path);
        usable_folder(&path, app.node().folder().path())?;
        library = catalog.set_library_path(&id, &path).await?;
        app.node().importer().reload().await?;
    }
    app.node().announce(NodeEvent::Library(id));
    Ok(axum::Json(shapes::library(&app, &caller, library).await?))
}

/// Forgets a library and its items. The files stay where they are.
#[utoipa::path(delete, path = "/api/v1/libraries/{id}", tag = "libraries", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    app.node().catalog().remove_library(&id).await?;
    app.node().importer().reload().await?;
    app.node().announce(NodeEvent::Library(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Asks for a scan; the answer does not wait for it.
#[utoipa::path(post, path = "/api/v1/libraries/{id}/scan", tag = "libraries", params(("id" = String, Path)),
    responses((status = 202, body = ScanProgress), (status = 404, body = Problem)))]
pub(in crate::facades) async fn scan(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<ScanProgress>), Refusal> {
    let library = app.node().catalog().library(&id).await?;
    if library.friend.is_some() {
        return Err(Refusal::invalid("this is a friend's library: only the friend's node can scan it"));
    }
    let progress = app.node().importer().scan(&id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(progress.into())))
}
