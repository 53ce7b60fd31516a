//! Libraries of comics and books.
use std::collections::HashMap;
use std::path::PathBuf;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::filters::seen;
use crate::catalog::{Library, LibraryKind, LibraryState, Visibility};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path, SeenLibrary};
use crate::node::{NodeEvent, usable_folder};

/// All that the caller may see, by name.
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<Answer<Vec<Value>>, Refusal> {
    let mut libraries = seen(&app, &caller).await?;
    libraries.sort_by_cached_key(|library| library.name.to_lowercase());
    let shown = app.node().catalog().library_aliases().await?;
    Ok(Answer(libraries.iter().map(|library| shape(library, &shown, caller.is_admin())).collect()))
}

/// One of them.
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenLibrary(library): SeenLibrary,
) -> Result<Answer<Value>, Refusal> {
    if library.friend.is_some() || !library.kind.is_read() {
        return Err(Refusal::not_found());
    }
    let shown = app.node().catalog().library_aliases().await?;
    Ok(Answer(shape(&library, &shown, caller.is_admin())))
}

/// A library of comics or books on this machine, whoever may see it.
pub(super) async fn own(app: &App, id: &str) -> Result<Library, Refusal> {
    let library = app.node().catalog().library(id).await?;
    let ours = library.friend.is_none() && library.kind.is_read();
    if ours { Ok(library) } else { Err(Refusal::not_found()) }
}

/// Makes a library of a folder and scans it. Options of Komga's are as they are here for all libraries.
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Json(told): Json<Map<String, Value>>,
) -> Result<Answer<Value>, Refusal> {
    let text = |name: &str| {
        let value = told.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        value.ok_or_else(|| Refusal::invalid(format!("{name}: must be given")))
    };
    let (name, root) = (text("name")?, PathBuf::from(text("root")?));
    usable_folder(&root, app.node().folder().path())?;
    // Where no comics are looked for, each file is a book of its own.
    let kind = match told.get("scanCbx") {
        Some(Value::Bool(false)) => LibraryKind::Books,
        _ => LibraryKind::Comics,
    };
    let library = app.node().catalog().add_library(name, kind, &root, Visibility::Private).await?;
    app.node().importer().reload().await?;
    app.node().announce(NodeEvent::Library(library.id.clone()));
    Ok(Answer(shape(&library, &HashMap::new(), true)))
}

/// Gives a library another name or folder; what else is said must be as it is.
pub(in crate::facades) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(told): Json<Map<String, Value>>,
) -> Result<StatusCode, Refusal> {
    let library = own(&app, &id).await?;
    let id = library.id.clone();
    let now = shape(&library, &app.node().catalog().library_aliases().await?, true);
    let differs = |(name, value): &(&String, &Value)| {
        !["name", "root"].contains(&name.as_str())
            && !value.is_null()
            && now.get(name.as_str()).is_some_and(|now| now != *value)
    };
    if let Some((name, _)) = told.iter().find(differs) {
        return Err(Refusal::invalid(format!("{name}: is the same for all libraries of this node")));
    }
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    if let Some(root) = text("root").map(PathBuf::from).filter(|root| *root != library.path) {
        usable_folder(&root, app.node().folder().path())?;
        app.node().catalog().set_library_path(&id, &root).await?;
        app.node().importer().reload().await?;
    }
    if let Some(name) = text("name").filter(|name| *name != library.name) {
        app.node().catalog().change_library(&id, Some(name), None).await?;
    }
    app.node().announce(NodeEvent::Library(id));
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a library; its files stay where they are.
pub(in crate::facades) async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let id = own(&app, &id).await?.id;
    app.node().catalog().remove_library(&id).await?;
    app.node().importer().reload().await?;
    app.node().announce(NodeEvent::Library(id));
    Ok(StatusCode::NO_CONTENT)
}

/// `LibraryDto`, by the id that is shown. What is decided for all libraries here is told of each.
fn shape(library: &Library, shown: &HashMap<String, String>, admin: bool) -> Value {
    let root = if admin { library.path.to_string_lossy().into_owned() } else { String::new() };
    json!({
        "id": shown.get(&library.id).unwrap_or(&library.id),
        "name": library.name,
        "root": root,
        "importComicInfoBook": true,
        "importComicInfoSeries": true,
        "importComicInfoCollection": false,
        "importComicInfoReadList": false,
        "importComicInfoSeriesAppendVolume": false,
        "importEpubBook": true,
        "importEpubSeries": true,
        "importMylarSeries": true,
        "importLocalArtwork": true,
        "importBarcodeIsbn": false,
        "scanForceModifiedTime": false,
        "scanInterval": "DAILY",
        "scanOnStartup": true,
        "scanCbx": true,
        "scanPdf": true,
        "scanEpub": true,
        "scanDirectoryExclusions": [],
        "repairExtensions": false,
        "convertToCbz": false,
        "emptyTrashAfterScan": false,
        "seriesCover": "FIRST",
        "hashFiles": true,
        "hashPages": false,
        "hashKoreader": true,
        "analyzeDimensions": true,
        "oneshotsDirectory": "_oneshots",
        "unavailable": library.state == LibraryState::Unavailable,
    })
}
