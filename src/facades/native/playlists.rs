//! Tracks in the order that somebody gave them. The same playlists that programs for listening show and change.
use axum::extract::State;
use axum::http::StatusCode;

use super::hearers::{self, hearer};
use super::model::{NewPlaylist, PlaylistChange, PlaylistDetail, PlaylistSummary, Problem};
use crate::accounts::Caller;
use crate::catalog::Listed;
use crate::catalog::music::{self, Playlist};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};

/// Letters of a name.
const NAME_MAX: usize = 200;
/// Letters of a comment.
const COMMENT_MAX: usize = 4000;

/// The caller's playlists, and those that everybody sees, by name.
#[utoipa::path(get, path = "/api/v1/playlists", tag = "music",
    responses((status = 200, body = Vec<PlaylistSummary>), (status = 401, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<axum::Json<Vec<PlaylistSummary>>, Refusal> {
    let found = app.node().catalog().playlists(hearer(&app, &caller).await?).await?;
    Ok(axum::Json(found.into_iter().map(|playlist| summary(&app, &caller, playlist)).collect()))
}

/// One, with its tracks.
#[utoipa::path(get, path = "/api/v1/playlists/{id}", tag = "music", params(("id" = String, Path)),
    responses((status = 200, body = PlaylistDetail), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<axum::Json<PlaylistDetail>, Refusal> {
    let number = app.node().catalog().playlist_number(&id).await?;
    detail(&app, &caller, number).await.map(axum::Json)
}

/// Makes one.
#[utoipa::path(post, path = "/api/v1/playlists", tag = "music", request_body = NewPlaylist,
    responses((status = 201, body = PlaylistDetail), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(new): Json<NewPlaylist>,
) -> Result<(StatusCode, axum::Json<PlaylistDetail>), Refusal> {
    let (name, catalog) = (named(&new.name)?, app.node().catalog());
    let tracks = catalog.track_numbers(new.items).await?;
    let number = catalog.add_playlist(hearer(&app, &caller).await?, name, tracks).await?;
    Ok((StatusCode::CREATED, axum::Json(detail(&app, &caller, number).await?)))
}

/// Changes one of the caller's own.
#[utoipa::path(patch, path = "/api/v1/playlists/{id}", tag = "music", params(("id" = String, Path)),
    request_body = PlaylistChange, responses((status = 200, body = PlaylistDetail), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn change(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(change): Json<PlaylistChange>,
) -> Result<axum::Json<PlaylistDetail>, Refusal> {
    let (number, catalog) = (own(&app, &caller, &id).await?, app.node().catalog());
    if change.comment.as_ref().is_some_and(|comment| comment.chars().count() > COMMENT_MAX) {
        return Err(Refusal::invalid(format!("comment: must have at most {COMMENT_MAX} letters")));
    }
    let change = music::PlaylistChange {
        name: change.name.as_deref().map(named).transpose()?,
        comment: change.comment,
        public: change.public,
        remove: change.remove,
        add: catalog.track_numbers(change.add).await?,
        tracks: None,
        moved: change.moved.map(|moved| (moved.from, moved.to)),
    };
    catalog.change_playlist(hearer(&app, &caller).await?, number, change).await?;
    detail(&app, &caller, number).await.map(axum::Json)
}

/// Forgets one of the caller's own. Its tracks stay where they are.
#[utoipa::path(delete, path = "/api/v1/playlists/{id}", tag = "music", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let number = own(&app, &caller, &id).await?;
    app.node().catalog().remove_playlist(number).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn detail(app: &App, caller: &Caller, number: i64) -> Result<PlaylistDetail, Refusal> {
    let found = app.node().catalog().playlist_items(hearer(app, caller).await?, number).await?;
    let (playlist, listed): (Playlist, Vec<Listed>) = found;
    let items = hearers::summaries(app, caller, listed).await?;
    let poster = items.iter().find_map(|item| item.poster.clone());
    let summary = summary(app, caller, playlist);
    Ok(PlaylistDetail { summary: PlaylistSummary { poster: poster.or(summary.poster), ..summary }, items })
}

fn summary(app: &App, caller: &Caller, playlist: Playlist) -> PlaylistSummary {
    PlaylistSummary {
        own: playlist.owner == caller.id(),
        owner: app.node().accounts().name_of(&playlist.owner).unwrap_or_default(),
        poster: playlist.cover.map(|item| format!("/api/v1/items/{item}/poster")),
        id: playlist.id,
        name: playlist.name,
        comment: playlist.comment,
        public: playlist.public,
        tracks: playlist.songs,
        duration: playlist.seconds,
        created_at: playlist.created_at,
        changed_at: playlist.changed_at,
    }
}

fn named(name: &str) -> Result<String, Refusal> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    match name.chars().count() {
        1..=NAME_MAX => Ok(name),
        _ => Err(Refusal::invalid(format!("name: must have 1 to {NAME_MAX} letters"))),
    }
}

/// The number of a playlist that the caller may change. One that it may not even see is not there.
async fn own(app: &App, caller: &Caller, id: &str) -> Result<i64, Refusal> {
    let number = app.node().catalog().playlist_number(id).await?;
    let (playlist, _) = app.node().catalog().playlist_items(hearer(app, caller).await?, number).await?;
    match playlist.owner == caller.id() {
        true => Ok(number),
        false => Err(Refusal::forbidden("only who made a playlist changes it")),
    }
}
