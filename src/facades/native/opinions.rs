//! What the caller thinks of music: stars and ratings. The same that programs for listening show and set.
use axum::extract::State;
use axum::http::StatusCode;

use super::hearers::{self, hearer, of_item};
use super::model::{Problem, Rating, Starred};
use crate::catalog::music::{Hearer, Target};
use crate::catalog::{ItemKind, Listed};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path, SeenItem};

type Done = Result<StatusCode, Refusal>;

async fn star(app: &App, hearer: Hearer, target: Target, starred: bool) -> Done {
    match app.node().catalog().star(hearer, vec![target], starred).await? {
        0 => Err(Refusal::not_found()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

async fn rate(app: &App, hearer: Hearer, target: Target, rating: Option<u8>) -> Done {
    app.node().catalog().rate(hearer, target, rating).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Films, shows and books have no stars.
fn target(listed: &Listed) -> Result<Target, Refusal> {
    match listed.item.kind {
        ItemKind::Track | ItemKind::Album => Ok(Target::Item(listed.number)),
        _ => Err(Refusal::invalid("only tracks and albums can be starred and rated")),
    }
}

/// What the caller starred.
#[utoipa::path(get, path = "/api/v1/starred", tag = "music",
    responses((status = 200, body = Starred), (status = 401, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<axum::Json<Starred>, Refusal> {
    let found = app.node().catalog().starred_items(hearer(&app, &caller).await?).await?;
    Ok(axum::Json(Starred {
        artists: found.artists.into_iter().map(hearers::artist).collect(),
        albums: hearers::summaries(&app, &caller, found.albums).await?,
        tracks: hearers::summaries(&app, &caller, found.tracks).await?,
    }))
}

/// Stars a track or an album. Again, it keeps the time of its first star.
#[utoipa::path(put, path = "/api/v1/items/{id}/star", tag = "music", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn star_item(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> Done {
    star(&app, of_item(&caller, &item), target(&item)?, true).await
}

/// Takes the star away.
#[utoipa::path(delete, path = "/api/v1/items/{id}/star", tag = "music", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn unstar_item(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> Done {
    star(&app, of_item(&caller, &item), target(&item)?, false).await
}

/// Rates a track or an album.
#[utoipa::path(put, path = "/api/v1/items/{id}/rating", tag = "music", params(("id" = String, Path)),
    request_body = Rating, responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn rate_item(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    Json(rating): Json<Rating>,
) -> Done {
    rate(&app, of_item(&caller, &item), target(&item)?, Some(rating.rating)).await
}

/// Takes the rating away.
#[utoipa::path(delete, path = "/api/v1/items/{id}/rating", tag = "music", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn unrate_item(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> Done {
    rate(&app, of_item(&caller, &item), target(&item)?, None).await
}

/// The artist that a path names.
async fn named(app: &App, id: &str) -> Result<Target, Refusal> {
    Ok(Target::Artist(app.node().catalog().artist_number(id).await?))
}

/// Stars an artist. Again, it keeps the time of its first star.
#[utoipa::path(put, path = "/api/v1/artists/{id}/star", tag = "music", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn star_artist(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Done {
    star(&app, hearer(&app, &caller).await?, named(&app, &id).await?, true).await
}

/// Takes the star away.
#[utoipa::path(delete, path = "/api/v1/artists/{id}/star", tag = "music", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn unstar_artist(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Done {
    star(&app, hearer(&app, &caller).await?, named(&app, &id).await?, false).await
}

/// Rates an artist.
#[utoipa::path(put, path = "/api/v1/artists/{id}/rating", tag = "music", params(("id" = String, Path)),
    request_body = Rating, responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn rate_artist(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(rating): Json<Rating>,
) -> Done {
    rate(&app, hearer(&app, &caller).await?, named(&app, &id).await?, Some(rating.rating)).await
}

/// Takes the rating away.
#[utoipa::path(delete, path = "/api/v1/artists/{id}/rating", tag = "music", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn unrate_artist(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Done {
    rate(&app, hearer(&app, &caller).await?, named(&app, &id).await?, None).await
}
