//! Moving in from other programs.
use std::path::PathBuf;

use axum::extract::State;

use super::model::{MoveInRequest, Problem};
use crate::accounts::Credential;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};
use crate::library::move_in::{self, FolderMap, MoveIn, MoveInReport};

/// Takes in what Komga keeps of the files in our libraries, with its ids (this machine's command line alone). The answer comes when
/// it is done.
#[utoipa::path(post, path = "/api/v1/move-in/komga", tag = "libraries", request_body = MoveInRequest,
    responses((status = 200, body = MoveInReport), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(in crate::facades) async fn komga(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(wish): Json<MoveInRequest>,
) -> Result<axum::Json<MoveInReport>, Refusal> {
    // It names a file of this machine, in which accounts of admins may be.
    if caller.credential != Credential::Local {
        return Err(Refusal::forbidden("only the command line on the node's machine may do this"));
    }
    let database = PathBuf::from(&wish.database);
    if !database.is_absolute() {
        return Err(Refusal::invalid("database: must be an absolute path"));
    }
    let maps = wish.maps.iter().map(|map| FolderMap::parse(map)).collect::<Result<Vec<_>, String>>();
    let node = app.node();
    let wish = MoveIn {
        database,
        maps: maps.map_err(|why| Refusal::invalid(format!("maps: {why}")))?,
        rehearse: wish.dry_run,
        scratch: node.folder().path().to_owned(),
    };
    Ok(axum::Json(move_in::from_komga(node.catalog(), node.accounts(), wish).await?))
}
