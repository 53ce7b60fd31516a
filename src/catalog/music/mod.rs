//! Music as programs for listening list it: artists, albums, tracks, genres, and the real folders.
//!
//! Only what lies in libraries on this machine is here. Whoever asks says which libraries it may see ([`Hearer`]): nothing of others
//! is in any answer, nor counted. Rows are named by their numbers, which are given once and kept for ever as ids are, and are short.
mod folders;
mod genres;
mod listed;
mod listens;
mod lists;
mod opinions;
mod personal;
mod playlist_files;
mod playlists;
mod queue;
mod rows;
mod search;
mod shares;

pub use folders::{Directory, Inside};
pub use genres::Genre;
pub use listed::{ArtistPage, Starred};
pub use listens::{Heard, Listen};
pub use lists::{AlbumFilter, AlbumOrder, TrackFilter};
pub use opinions::Target;
pub(super) use opinions::forget_account;
pub use playlist_files::{PlaylistFile, PlaylistRead};
pub use playlists::{PLAYLIST_MAX, Playlist, PlaylistChange};
pub(super) use queue::save as save_queue;
pub use queue::{Bookmark, PlayQueue, QUEUE_MAX};
pub use rows::{Album, Artist, ArtistRef, Opinion, Track};
pub use search::{Found, Wanted};
pub use shares::{SHARE_MAX, Share};

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::items;
use super::model::Id;
use super::{Catalog, CatalogError};
use crate::media::music::Lyrics;

/// Who asks, and what it may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hearer {
    /// Whose stars and ratings are told.
    pub account: Id,
    /// Libraries of music that it may see, and wants.
    pub libraries: Vec<Id>,
}

impl Hearer {
    /// As a JSON array, for `json_each`.
    fn libraries(&self) -> String {
        serde_json::Value::from(self.libraries.clone()).to_string()
    }
}

impl Catalog {
    /// Artists of albums, in order of their names.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn artists(&self, hearer: Hearer) -> Result<Vec<Artist>, CatalogError> {
        Ok(self.database.read(move |c| rows::artists(c, &hearer, None)).await?)
    }

    /// One artist, of albums or of tracks.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn artist(&self, hearer: Hearer, artist: i64) -> Result<Artist, CatalogError> {
        let found = self.database.read(move |c| rows::artists(c, &hearer, Some(artist))).await?;
        found.into_iter().next().ok_or(CatalogError::NotFound("artist"))
    }

    /// The albums of an artist, and those on which it plays, oldest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn albums_of(&self, hearer: Hearer, artist: i64) -> Result<Vec<Album>, CatalogError> {
        let read = move |c: &Connection| {
            let keys = lists::albums_of(c, &hearer, artist)?;
            rows::albums(c, &hearer, &keys)
        };
        Ok(self.database.read(read).await?)
    }

    /// The albums with these numbers that may be seen, in this order.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn albums_by_number(&self, hearer: Hearer, albums: Vec<i64>) -> Result<Vec<Album>, CatalogError> {
        Ok(self.database.read(move |c| rows::albums(c, &hearer, &albums)).await?)
    }

    /// A part of a list of albums.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn albums(
        &self,
        hearer: Hearer,
        order: AlbumOrder,
        filter: AlbumFilter,
        count: u32,
        offset: u64,
    ) -> Result<Vec<Album>, CatalogError> {
        let read = move |c: &Connection| {
            let keys = lists::albums(c, &hearer, order, &filter, count, offset)?;
            rows::albums(c, &hearer, &keys)
        };
        Ok(self.database.read(read).await?)
    }

    /// The tracks of an album in order.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn tracks_of_album(&self, hearer: Hearer, album: i64) -> Result<Vec<Track>, CatalogError> {
        let read = move |c: &Connection| {
            let keys = lists::tracks_of_album(c, album)?;
            rows::tracks(c, &hearer, &keys)
        };
        Ok(self.database.read(read).await?)
    }

    /// The tracks with these numbers that may be seen, in this order, as often as they are named.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn tracks_by_number(&self, hearer: Hearer, tracks: Vec<i64>) -> Result<Vec<Track>, CatalogError> {
        Ok(self.database.read(move |c| rows::tracks(c, &hearer, &tracks)).await?)
    }

    /// What the tags of a track, which the caller may see, hold to be sung.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn lyrics(&self, track: i64) -> Result<Vec<Lyrics>, CatalogError> {
        Ok(self.database.read(move |c| rows::lyrics(c, track)).await?)
    }

    /// A part of a list of tracks.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn tracks(
        &self,
        hearer: Hearer,
        filter: TrackFilter,
        count: u32,
        offset: u64,
    ) -> Result<Vec<Track>, CatalogError> {
        let read = move |c: &Connection| {
            let keys = lists::tracks(c, &hearer, &filter, count, offset)?;
            rows::tracks(c, &hearer, &keys)
        };
        Ok(self.database.read(read).await?)
    }

    /// Genres with how many tracks and albums have them, by alphabet.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn genres(&self, hearer: Hearer) -> Result<Vec<Genre>, CatalogError> {
        Ok(self.database.read(move |c| genres::list(c, &hearer)).await?)
    }

    /// The folders right below the root of each library, and the tracks that lie in the roots themselves.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn top_directories(&self, hearer: Hearer) -> Result<Inside, CatalogError> {
        Ok(self.database.read(move |c| folders::top(c, &hearer)).await?)
    }

    /// A folder and what is in it.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn directory(&self, hearer: Hearer, directory: i64) -> Result<(Directory, Inside), CatalogError> {
        let found = self.database.read(move |c| folders::one(c, &hearer, directory)).await?;
        found.ok_or(CatalogError::NotFound("folder"))
    }

    /// Artists, albums and tracks that hold all words; everything where there are none.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn find_music(&self, hearer: Hearer, text: String, wanted: Wanted) -> Result<Found, CatalogError> {
        Ok(self.database.read(move |c| search::find(c, &hearer, &text, wanted)).await?)
    }

    /// A picture that a track of this album in this folder has; `None` where none has one.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn sleeve(
        &self,
        library: &str,
        folder: &Path,
        album: Option<&str>,
    ) -> Result<Option<PathBuf>, CatalogError> {
        let (library, folder) = (library.to_owned(), items::bytes(folder).to_vec());
        let album = album.map(str::to_owned);
        let sql = "SELECT i.poster FROM directory AS d JOIN track AS t ON t.directory = d.n JOIN item AS i ON i.n = t.item \
            LEFT JOIN item AS a ON a.n = i.show WHERE d.library = ?1 AND d.place = ?2 AND (?3 IS NULL OR a.title = ?3) \
            AND i.poster IS NOT NULL LIMIT 1";
        let read = move |c: &Connection| {
            c.prepare_cached(sql)?.query_row(params![library, folder, album], |r| r.get(0)).optional()
        };
        let found: Option<Vec<u8>> = self.database.read(read).await?;
        Ok(found.map(items::path))
    }

    /// Whether a track holds a picture; `None` for what is no track.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn holds_picture(&self, item: i64) -> Result<Option<bool>, CatalogError> {
        let sql = "SELECT pictures FROM track WHERE item = ?1";
        Ok(self.database.read(move |c| c.prepare_cached(sql)?.query_row([item], |r| r.get(0)).optional()).await?)
    }
}
