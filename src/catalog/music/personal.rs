//! The calls for what people add to music: stars, ratings, playlists, queues, bookmarks, shares.
use rusqlite::{Connection, Transaction};

use super::shares::{Added, SHARES_MAX};
use super::{
    Album, Artist, Directory, Hearer, Track, folders, listens, lists, opinions, playlists, queue, rows, shares,
};
use super::{AlbumFilter, AlbumOrder, Bookmark, PlayQueue, Playlist, PlaylistChange, Share, Target, TrackFilter};
use crate::catalog::{Catalog, CatalogError, now};

/// Starred things that are listed at most, of each kind.
const STARRED_MAX: u32 = 20_000;

impl Catalog {
    /// Stars things, or takes the stars away; returns how many of them may be seen. Again is no error.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn star(&self, hearer: Hearer, targets: Vec<Target>, starred: bool) -> Result<usize, CatalogError> {
        let at = starred.then(now);
        Ok(self.database.write(move |t| opinions::star(t, &hearer, &targets, at)).await?)
    }

    /// Rates a thing from 1 to 5, or not any more.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`]; [`CatalogError::Invalid`] for another number.
    pub async fn rate(&self, hearer: Hearer, target: Target, rating: Option<u8>) -> Result<(), CatalogError> {
        if rating.is_some_and(|rating| !(1..=5).contains(&rating)) {
            return Err(CatalogError::Invalid("rating: must be 1 to 5".to_owned()));
        }
        let found = self.database.write(move |t| opinions::rate(t, &hearer, target, rating)).await?;
        if found { Ok(()) } else { Err(CatalogError::NotFound("item")) }
    }

    /// Tracks were heard, each at a time in Unix milliseconds. Returns those that were found. With the name of a program, they also
    /// wait to be told elsewhere: see [`super::Listen`].
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn heard(
        &self,
        hearer: Hearer,
        tracks: Vec<(i64, i64)>,
        tell: Option<String>,
    ) -> Result<Vec<i64>, CatalogError> {
        let write = move |t: &Transaction<'_>| {
            let mut found = Vec::new();
            for (track, at) in tracks {
                if opinions::heard(t, &hearer, track, at)? {
                    found.push((track, at));
                }
            }
            if let Some(program) = tell {
                listens::wait(t, &hearer, &found, &program)?;
            }
            Ok(found.into_iter().map(|(track, _)| track).collect())
        };
        Ok(self.database.write(write).await?)
    }

    /// What somebody starred, latest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn starred(&self, hearer: Hearer) -> Result<(Vec<Artist>, Vec<Album>, Vec<Track>), CatalogError> {
        let read = move |c: &Connection| {
            let mut artists = Vec::new();
            for artist in opinions::starred_artists(c, &hearer)? {
                artists.extend(rows::artists(c, &hearer, Some(artist))?);
            }
            let albums = lists::albums(c, &hearer, AlbumOrder::Starred, &AlbumFilter::default(), STARRED_MAX, 0)?;
            let filter = TrackFilter { starred: true, ..TrackFilter::default() };
            let tracks = lists::tracks(c, &hearer, &filter, STARRED_MAX, 0)?;
            Ok((artists, rows::albums(c, &hearer, &albums)?, rows::tracks(c, &hearer, &tracks)?))
        };
        Ok(self.database.read(read).await?)
    }

    /// The folders that somebody starred, latest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn starred_directories(&self, hearer: Hearer) -> Result<Vec<Directory>, CatalogError> {
        Ok(self.database.read(move |c| folders::starred(c, &hearer)).await?)
    }

    /// Playlists of an account, and those that everybody sees, by name.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn playlists(&self, hearer: Hearer) -> Result<Vec<Playlist>, CatalogError> {
        Ok(self.database.read(move |c| playlists::all(c, &hearer)).await?)
    }

    /// One, with its tracks.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] also for one that the hearer may not see.
    pub async fn playlist(&self, hearer: Hearer, playlist: i64) -> Result<(Playlist, Vec<Track>), CatalogError> {
        let read = move |c: &Connection| {
            let Some(found) = playlists::one(c, &hearer, playlist)? else { return Ok(None) };
            let tracks = playlists::tracks(c, playlist)?;
            Ok(Some((found, rows::tracks(c, &hearer, &tracks)?)))
        };
        self.database.read(read).await?.ok_or(CatalogError::NotFound("playlist"))
    }

    /// One, without its tracks, of which there may be thousands.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] also for one that the hearer may not see.
    pub async fn playlist_alone(&self, hearer: Hearer, playlist: i64) -> Result<Playlist, CatalogError> {
        let found = self.database.read(move |c| playlists::one(c, &hearer, playlist)).await?;
        found.ok_or(CatalogError::NotFound("playlist"))
    }

    /// Makes one. Returns its number.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn add_playlist(&self, hearer: Hearer, name: String, tracks: Vec<i64>) -> Result<i64, CatalogError> {
        let write = move |t: &Transaction<'_>| {
            let number = playlists::add(t, &hearer.account, &name, now())?;
            let tracks = PlaylistChange { tracks: Some(tracks), ..PlaylistChange::default() };
            playlists::change(t, &hearer, number, &tracks, now())?;
            Ok(number)
        };
        Ok(self.database.write(write).await?)
    }

    /// Changes one. Who may, the caller has looked at: see [`Playlist::owner`].
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn change_playlist(
        &self,
        hearer: Hearer,
        playlist: i64,
        change: PlaylistChange,
    ) -> Result<(), CatalogError> {
        Ok(self.database.write(move |t| playlists::change(t, &hearer, playlist, &change, now())).await?)
    }

    /// Forgets one. Who may, the caller has looked at.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn remove_playlist(&self, playlist: i64) -> Result<(), CatalogError> {
        Ok(self.database.write(move |t| playlists::remove(t, playlist)).await?)
    }

    /// What somebody hears now and next, as it was saved.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn play_queue(&self, account: &str) -> Result<Option<PlayQueue>, CatalogError> {
        let account = account.to_owned();
        Ok(self.database.read(move |c| queue::saved(c, &account)).await?)
    }

    /// Saves it; an empty one is forgotten.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn save_play_queue(&self, hearer: Hearer, queue: PlayQueue) -> Result<(), CatalogError> {
        Ok(self.database.write(move |t| queue::save(t, &hearer, &queue)).await?)
    }

    /// Places in tracks that somebody marked, latest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn bookmarks(&self, hearer: Hearer) -> Result<Vec<Bookmark>, CatalogError> {
        Ok(self.database.read(move |c| queue::bookmarks(c, &hearer)).await?)
    }

    /// Marks a place in a track; one was there at most.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn bookmark(
        &self,
        hearer: Hearer,
        track: i64,
        position_ms: u64,
        comment: String,
    ) -> Result<(), CatalogError> {
        let write = move |t: &Transaction<'_>| queue::mark(t, &hearer, track, position_ms, &comment, now());
        if self.database.write(write).await? { Ok(()) } else { Err(CatalogError::NotFound("track")) }
    }

    /// Forgets the mark in a track. Without one, nothing happens.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn remove_bookmark(&self, account: &str, track: i64) -> Result<(), CatalogError> {
        let account = account.to_owned();
        Ok(self.database.write(move |t| queue::unmark(t, &account, track)).await?)
    }

    /// What an account shares, latest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn shares(&self, account: &str) -> Result<Vec<Share>, CatalogError> {
        let account = account.to_owned();
        Ok(self.database.read(move |c| shares::of_account(c, &account)).await?)
    }

    /// The share with this id, expired or not.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn share(&self, id: &str) -> Result<Share, CatalogError> {
        let id = id.to_owned();
        self.database.read(move |c| shares::one(c, &id)).await?.ok_or(CatalogError::NotFound("share"))
    }

    /// Shares tracks; the caller has made an id that cannot be guessed.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where none of its tracks may be seen; [`CatalogError::Conflict`] for one too many.
    pub async fn add_share(&self, hearer: Hearer, share: Share) -> Result<(), CatalogError> {
        match self.database.write(move |t| shares::add(t, &hearer, &share)).await? {
            Added::Yes => Ok(()),
            Added::Empty => Err(CatalogError::NotFound("song")),
            Added::TooMany => {
                Err(CatalogError::Conflict(format!("{SHARES_MAX} shares are there: take some back first")))
            }
        }
    }

    /// The tracks in a folder and in all below it, folder by folder; `most` of them.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn tracks_below(&self, hearer: Hearer, directory: i64, most: u32) -> Result<Vec<Track>, CatalogError> {
        let read = move |c: &Connection| {
            if folders::one(c, &hearer, directory)?.is_none() {
                return Ok(None);
            }
            let numbers = folders::below(c, &hearer, directory, most)?;
            rows::tracks(c, &hearer, &numbers).map(Some)
        };
        self.database.read(read).await?.ok_or(CatalogError::NotFound("folder"))
    }

    /// Changes what is said of a share of this account, and until when it is there.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn change_share(
        &self,
        account: &str,
        id: &str,
        description: Option<String>,
        expires_at: Option<Option<i64>>,
    ) -> Result<(), CatalogError> {
        let (account, id) = (account.to_owned(), id.to_owned());
        let write = move |t: &Transaction<'_>| shares::change(t, &account, &id, description.as_deref(), expires_at);
        if self.database.write(write).await? { Ok(()) } else { Err(CatalogError::NotFound("share")) }
    }

    /// Takes a share of this account back.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove_share(&self, account: &str, id: &str) -> Result<(), CatalogError> {
        let (account, id) = (account.to_owned(), id.to_owned());
        let removed = self.database.write(move |t| shares::remove(t, &account, &id)).await?;
        if removed { Ok(()) } else { Err(CatalogError::NotFound("share")) }
    }

    /// Somebody came by the link.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn visit_share(&self, id: &str) -> Result<(), CatalogError> {
        let id = id.to_owned();
        Ok(self.database.write(move |t| shares::visited(t, &id, now())).await?)
    }
}
