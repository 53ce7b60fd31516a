//! Music in the shape that all items have, and by the ids that they go by: what the node's own page shows.
//!
//! Unlike the rest of this module, friends' tracks and albums are here too, where they can be named: in playlists, in what is starred
//! and in queues. Who made them is known of our own files alone.
use rusqlite::{Connection, OptionalExtension};

use super::playlists::{self, Playlist};
use super::rows::{self, Artist};
use super::{AlbumFilter, AlbumOrder, Hearer, PlayQueue, TrackFilter, lists, opinions, queue};
use crate::catalog::items::by_numbers;
use crate::catalog::{Catalog, CatalogError, Listed};

/// Of each kind, what is listed as starred at most.
const STARRED_MAX: u32 = 2000;

/// An artist and what it made.
#[derive(Debug, Clone)]
pub struct ArtistPage {
    pub artist: Artist,
    /// Its own, oldest first.
    pub albums: Vec<Listed>,
    /// Others' on which it plays, oldest first.
    pub appears_on: Vec<Listed>,
}

/// What somebody starred, of each kind the latest first.
#[derive(Debug, Clone, Default)]
pub struct Starred {
    pub artists: Vec<Artist>,
    pub albums: Vec<Listed>,
    pub tracks: Vec<Listed>,
}

impl Catalog {
    /// The number of an artist.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn artist_number(&self, id: &str) -> Result<i64, CatalogError> {
        self.number_of("SELECT n FROM artist WHERE id = ?1", id, "artist").await
    }

    /// The number of a playlist, whosever it is.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn playlist_number(&self, id: &str) -> Result<i64, CatalogError> {
        self.number_of("SELECT n FROM playlist WHERE id = ?1", id, "playlist").await
    }

    async fn number_of(&self, sql: &'static str, id: &str, what: &'static str) -> Result<i64, CatalogError> {
        let id = id.to_owned();
        let read = move |c: &Connection| c.prepare_cached(sql)?.query_row([id], |r| r.get(0)).optional();
        self.database.read(read).await?.ok_or(CatalogError::NotFound(what))
    }

    /// The numbers of tracks and albums with these ids, as often and in the order as they are named; an album's tracks stand for it, and
    /// what names nothing is left out.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn track_numbers(&self, ids: Vec<String>) -> Result<Vec<i64>, CatalogError> {
        Ok(self.database.read(move |c| track_numbers(c, &ids)).await?)
    }

    /// One artist with its albums.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] also for one of whom the hearer may see nothing.
    pub async fn artist_page(&self, hearer: Hearer, artist: i64) -> Result<ArtistPage, CatalogError> {
        let read = move |c: &Connection| artist_page(c, &hearer, artist);
        self.database.read(read).await?.ok_or(CatalogError::NotFound("artist"))
    }

    /// What somebody starred.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn starred_items(&self, hearer: Hearer) -> Result<Starred, CatalogError> {
        Ok(self.database.read(move |c| starred(c, &hearer)).await?)
    }

    /// One playlist, with those of its tracks that the hearer may see.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] also for one that the hearer may not see.
    pub async fn playlist_items(&self, hearer: Hearer, playlist: i64) -> Result<(Playlist, Vec<Listed>), CatalogError> {
        let read = move |c: &Connection| {
            let Some(found) = playlists::one(c, &hearer, playlist)? else { return Ok(None) };
            let seen = playlists::visible(c, &hearer, &playlists::tracks(c, playlist)?)?;
            Ok(Some((found, by_numbers(c, &seen, &hearer.account)?)))
        };
        self.database.read(read).await?.ok_or(CatalogError::NotFound("playlist"))
    }

    /// What somebody hears now and next, as it was saved last, wherever that was. `current` is a place among the tracks that are given back.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn play_queue_items(&self, hearer: Hearer) -> Result<Option<(PlayQueue, Vec<Listed>)>, CatalogError> {
        let read = move |c: &Connection| {
            let Some(saved) = queue::saved(c, &hearer.account)? else { return Ok(None) };
            let before = saved.current.map_or(0, |current| current.min(saved.tracks.len()));
            let passed = playlists::visible(c, &hearer, &saved.tracks[..before])?.len();
            let tracks = playlists::visible(c, &hearer, &saved.tracks)?;
            let items = by_numbers(c, &tracks, &hearer.account)?;
            let current = saved.current.map(|_| passed).filter(|place| *place < items.len());
            Ok(Some((PlayQueue { tracks, current, ..saved }, items)))
        };
        Ok(self.database.read(read).await?)
    }
}

fn track_numbers(c: &Connection, ids: &[String]) -> rusqlite::Result<Vec<i64>> {
    let mut named =
        c.prepare_cached("SELECT n, kind = 'album' FROM item WHERE id = ?1 AND kind IN ('track', 'album')")?;
    let mut numbers = Vec::with_capacity(ids.len());
    for id in ids {
        let found: Option<(i64, bool)> = named.query_row([id], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        match found {
            Some((album, true)) => numbers.extend(lists::tracks_of_album(c, album)?),
            Some((track, false)) => numbers.push(track),
            None => {}
        }
    }
    Ok(numbers)
}

fn artist_page(c: &Connection, hearer: &Hearer, artist: i64) -> rusqlite::Result<Option<ArtistPage>> {
    let Some(found) = rows::artists(c, hearer, Some(artist))?.into_iter().next() else { return Ok(None) };
    let sql = "SELECT 1 FROM credit WHERE item = ?1 AND artist = ?2 AND role = 'albumartist'";
    let mut own = c.prepare_cached(sql)?;
    let (mut albums, mut others) = (Vec::new(), Vec::new());
    for album in lists::albums_of(c, hearer, artist)? {
        if own.exists([album, artist])? { albums.push(album) } else { others.push(album) }
    }
    Ok(Some(ArtistPage {
        artist: found,
        albums: by_numbers(c, &albums, &hearer.account)?,
        appears_on: by_numbers(c, &others, &hearer.account)?,
    }))
}

fn starred(c: &Connection, hearer: &Hearer) -> rusqlite::Result<Starred> {
    let mut artists = Vec::new();
    for artist in opinions::starred_artists(c, hearer)? {
        artists.extend(rows::artists(c, hearer, Some(artist))?);
    }
    let albums = lists::albums(c, hearer, AlbumOrder::Starred, &AlbumFilter::default(), STARRED_MAX, 0)?;
    let filter = TrackFilter { starred: true, ..TrackFilter::default() };
    let tracks = lists::tracks(c, hearer, &filter, STARRED_MAX, 0)?;
    Ok(Starred {
        artists,
        albums: by_numbers(c, &albums, &hearer.account)?,
        tracks: by_numbers(c, &tracks, &hearer.account)?,
    })
}
