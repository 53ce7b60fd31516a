//! Covers of whatever has an id. What has none gets a plain picture: some programs break without.
use std::path::PathBuf;

use axum::response::Response;

use super::call::Call;
use super::fault::Fault;
use super::things::{Thing, hearer};
use crate::facades::songs;

/// Pixels of the longer side where nobody says how many, and at most: originals are for nobody's telephone.
const USUAL: u32 = 1000;
const SIDE_MAX: i64 = 2000;

/// `getCoverArt`
pub(super) async fn show(call: Call) -> Result<Response, Fault> {
    let id = call.params.need("id")?;
    let side = call.params.int("size")?.filter(|side| *side > 0).map_or(USUAL, |side| side.clamp(16, SIDE_MAX) as u32);
    let thing = Thing::parse(id).ok_or_else(|| Fault::absent("cover"))?;
    let path = picture(&call, thing).await?;
    Ok(songs::cover(&call.app, path.as_deref(), side, &call.headers).await)
}

/// The picture of a thing, if there is one.
///
/// # Errors
/// [`Fault`] for what is not there, or may not be seen.
async fn picture(call: &Call, thing: Thing) -> Result<Option<PathBuf>, Fault> {
    let (hearer, catalog) = (hearer(call).await?, call.app.node().catalog());
    let absent = || Fault::absent("cover");
    Ok(match thing {
        Thing::Track(n) => {
            catalog.tracks_by_number(hearer, vec![n]).await?.into_iter().next().ok_or_else(absent)?.poster
        }
        Thing::Album(n) => {
            catalog.albums_by_number(hearer, vec![n]).await?.into_iter().next().ok_or_else(absent)?.poster
        }
        Thing::Artist(n) => catalog.artist(hearer, n).await?.poster,
        Thing::Playlist(n) => catalog.playlist_alone(hearer, n).await?.poster,
        Thing::Channel(n) => call.app.node().podcasts().picture(&catalog.podcast(n).await?),
        Thing::Episode(n) => {
            let episode = catalog.episode(n, &hearer.account).await?;
            call.app.node().podcasts().picture(&catalog.podcast(episode.channel).await?)
        }
        Thing::Directory(n) => {
            let (folder, inside) = catalog.directory(hearer, n).await?;
            // A folder of albums looks like the first of them.
            folder.poster.or_else(|| inside.directories.into_iter().find_map(|below| below.poster))
        }
    })
}
