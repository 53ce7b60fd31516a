//! The songs within whatever has an id: what a program shares or saves, it names by the song, the album, the folder, or what else it shows.
use super::call::Call;
use super::fault::Fault;
use super::things::{Thing, hearer};
use crate::catalog::music::Track;

/// Songs of a thing, in the order in which it is heard; `most` of them.
///
/// # Errors
/// [`Fault`] for what is not there, or may not be seen.
pub(super) async fn songs(call: &Call, thing: Thing, most: usize) -> Result<Vec<Track>, Fault> {
    let (hearer, catalog) = (hearer(call).await?, call.app.node().catalog());
    let mut found = match thing {
        Thing::Track(n) => catalog.tracks_by_number(hearer, vec![n]).await?,
        Thing::Album(n) => catalog.tracks_of_album(hearer, n).await?,
        Thing::Playlist(n) => catalog.playlist(hearer, n).await?.1,
        Thing::Directory(n) => catalog.tracks_below(hearer, n, u32::try_from(most).unwrap_or(u32::MAX)).await?,
        // Podcasts are no music: they are neither shared nor packed.
        Thing::Channel(_) | Thing::Episode(_) => return Err(Fault::absent("song")),
        Thing::Artist(n) => {
            let mut all = Vec::new();
            for album in catalog.albums_of(hearer.clone(), n).await? {
                all.extend(catalog.tracks_of_album(hearer.clone(), album.number).await?);
                if all.len() >= most {
                    break;
                }
            }
            all
        }
    };
    found.truncate(most);
    Ok(found)
}
