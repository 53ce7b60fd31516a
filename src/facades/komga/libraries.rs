//! Libraries of comics and books.
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::filters::seen;
use crate::catalog::{Library, LibraryState};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, SeenLibrary};

/// All that the caller may see, by name.
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<Json<Vec<Value>>, Refusal> {
    let mut libraries = seen(&app, &caller).await?;
    libraries.sort_by_cached_key(|library| library.name.to_lowercase());
    Ok(Json(libraries.iter().map(|library| shape(library, caller.is_admin())).collect()))
}

/// One of them.
pub(in crate::facades) async fn show(
    Asker(caller): Asker,
    SeenLibrary(library): SeenLibrary,
) -> Result<Json<Value>, Refusal> {
    if library.friend.is_some() || !library.kind.is_read() {
        return Err(Refusal::not_found());
    }
    Ok(Json(shape(&library, caller.is_admin())))
}

/// `LibraryDto`. What is decided for all libraries here is told of each.
fn shape(library: &Library, admin: bool) -> Value {
    let root = if admin { library.path.to_string_lossy().into_owned() } else { String::new() };
    json!({
        "id": library.id,
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
