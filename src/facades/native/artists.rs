//! Whoever made music, and what of it is here.
use axum::extract::State;

use super::hearers::{self, hearer};
use super::model::{ArtistDetail, ArtistList, ArtistQuery, Problem};
use crate::catalog::music::Wanted;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Path, Query};

/// Artists told at once.
const LIMIT_MAX: u32 = 500;

/// The artists of albums that the caller may see.
#[utoipa::path(get, path = "/api/v1/artists", tag = "music", params(ArtistQuery),
    responses((status = 200, body = ArtistList), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
    Query(query): Query<ArtistQuery>,
) -> Result<axum::Json<ArtistList>, Refusal> {
    let (limit, offset) = (query.limit.unwrap_or(100), query.offset.unwrap_or(0));
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Refusal::invalid(format!("limit: must be 1 to {LIMIT_MAX}")));
    }
    let (hearer, catalog) = (hearer(&app, &caller).await?, app.node().catalog());
    let (found, total) = match query.q.filter(|text| !text.trim().is_empty()) {
        Some(text) => {
            let wanted = Wanted { artists: (limit, offset.min(i64::MAX.cast_unsigned())), ..Wanted::default() };
            (catalog.find_music(hearer, text, wanted).await?.artists, None)
        }
        None => {
            let all = catalog.artists(hearer).await?;
            let total = all.len() as u64;
            let left_out = usize::try_from(offset).unwrap_or(usize::MAX);
            (all.into_iter().skip(left_out).take(limit as usize).collect(), Some(total))
        }
    };
    let artists = found.into_iter().map(hearers::artist).collect();
    Ok(axum::Json(ArtistList { artists, total }))
}

/// One artist, with its albums and those on which it plays.
#[utoipa::path(get, path = "/api/v1/artists/{id}", tag = "music", params(("id" = String, Path)),
    responses((status = 200, body = ArtistDetail), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<axum::Json<ArtistDetail>, Refusal> {
    let catalog = app.node().catalog();
    let number = catalog.artist_number(&id).await?;
    let page = catalog.artist_page(hearer(&app, &caller).await?, number).await?;
    Ok(axum::Json(ArtistDetail {
        summary: hearers::artist(page.artist),
        albums: hearers::summaries(&app, &caller, page.albums).await?,
        appears_on: hearers::summaries(&app, &caller, page.appears_on).await?,
    }))
}
