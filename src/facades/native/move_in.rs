//! Moving in from other programs.
use std::path::PathBuf;

use axum::extract::State;

use super::model::{MoveInRequest, Problem};
use crate::accounts::{Caller, Credential};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};
use crate::library::move_in::{self, FolderMap, MoveIn, MoveInReport, MusicMoveInReport};

/// Takes in what Komga keeps of the files in our libraries, with its ids (this machine's command line alone). The answer comes when
/// it is done.
#[utoipa::path(post, path = "/api/v1/move-in/komga", tag = "libraries", request_body = MoveInRequest,
    responses((status = 200, body = MoveInReport), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(in crate::facades) async fn komga(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(wish): Json<MoveInRequest>,
) -> Result<axum::Json<MoveInReport>, Refusal> {
    let (wish, node) = (read(&app, &caller, &wish)?, app.node());
    Ok(axum::Json(move_in::from_komga(node.catalog(), node.accounts(), node, wish).await?))
}

/// Takes in what people think of music, and what they made of it, from what Navidrome keeps of the files in our libraries (this
/// machine's command line alone). The answer comes when it is done.
#[utoipa::path(post, path = "/api/v1/move-in/navidrome", tag = "libraries", request_body = MoveInRequest,
    responses((status = 200, body = MusicMoveInReport), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(in crate::facades) async fn navidrome(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(wish): Json<MoveInRequest>,
) -> Result<axum::Json<MusicMoveInReport>, Refusal> {
    let (wish, node) = (read(&app, &caller, &wish)?, app.node());
    Ok(axum::Json(move_in::from_navidrome(node.catalog(), node.accounts(), wish).await?))
}

fn read(app: &App, caller: &Caller, wish: &MoveInRequest) -> Result<MoveIn, Refusal> {
    // It names a file of this machine, in which accounts of admins may be.
    if caller.credential != Credential::Local {
        return Err(Refusal::forbidden("only the command line on the node's machine may do this"));
    }
    let database = PathBuf::from(&wish.database);
    if !database.is_absolute() {
        return Err(Refusal::invalid("database: must be an absolute path"));
    }
    let maps = wish.maps.iter().map(|map| FolderMap::parse(map)).collect::<Result<Vec<_>, String>>();
    Ok(MoveIn {
        database,
        maps: maps.map_err(|why| Refusal::invalid(format!("maps: {why}")))?,
        rehearse: wish.dry_run,
        scratch: app.node().folder().path().to_owned(),
    })
}
