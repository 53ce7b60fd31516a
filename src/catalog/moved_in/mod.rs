//! What was kept elsewhere, by another program, and is taken over: ids, what was written of series and books, collections, read
//! lists, and how far people read; of music what people think of it, playlists, bookmarks and queues.
//!
//! An item keeps its own id, which friends' nodes and progress know it by; the one it had elsewhere is an *alias*: it is found by
//! either, and programs for reading are told the alias. Taking in the same again changes nothing. Taking in what is newer changes
//! what nobody changed here since: of each field and list, a digest of what was taken is kept. Every method is one transaction;
//! a rehearsal is the same, undone at its end.
mod aliases;
mod covers;
mod fields;
mod lists;
mod opinions;
mod places;
mod playing;
mod playlists;
mod reading;
mod tracks;

pub use aliases::{MovedItem, TakenItems};
pub use fields::{MovedField, When};
pub use lists::{MovedList, TakenList};
pub use opinions::{MovedOpinion, TakenOpinions};
pub use places::{BookPlace, SeriesPlace};
pub use playing::{MovedBookmark, MovedQueue};
pub use playlists::MovedPlaylist;
pub use reading::{MovedReading, TakenReading};
pub use tracks::TrackPlace;

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use rusqlite::{OptionalExtension, Transaction, params};

use super::model::Id;
use super::shelves::{CoverOf, Shelf, ShelfCover};
use super::{Catalog, CatalogError};

/// Longest id, in characters.
const ID_MAX: usize = 64;

/// Something that was left as it is here, because it is not what was told: of what, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The id that it has elsewhere.
    pub id: Id,
    pub why: String,
}

/// Whether a text can be the id of an item.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Catalog {
    /// What programs for reading call our libraries, where that is not their own id: by their own.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn library_aliases(&self) -> Result<HashMap<Id, Id>, CatalogError> {
        let sql = "SELECT library, id FROM library_alias";
        let read = |c: &rusqlite::Connection| {
            c.prepare_cached(sql)?.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<rusqlite::Result<_>>()
        };
        Ok(self.database.read(read).await?)
    }

    /// Where the books of a library lie, those in the trash too, and its series.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn book_places(&self, library: &str) -> Result<(Vec<BookPlace>, Vec<SeriesPlace>), CatalogError> {
        let library = library.to_owned();
        Ok(self.database.read(move |c| Ok((places::books(c, &library)?, places::series(c, &library)?))).await?)
    }

    /// Remembers what a library is called elsewhere, where it has no such name yet.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_library(&self, id: &str, library: &str, rehearse: bool) -> Result<(), CatalogError> {
        let (id, library) = (id.to_owned(), library.to_owned());
        self.take(rehearse, move |t| aliases::of_library(t, &id, &library)).await
    }

    /// Takes over ids of series or books, and what was written of them.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_items(
        &self,
        shelf: Shelf,
        items: Vec<MovedItem>,
        rehearse: bool,
    ) -> Result<TakenItems, CatalogError> {
        let now = (self.clock)();
        self.take(rehearse, move |t| aliases::take(t, shelf, &items, now)).await
    }

    /// Takes over a collection or a read list, with its id.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_list(&self, list: MovedList, rehearse: bool) -> Result<TakenList, CatalogError> {
        self.take(rehearse, move |t| lists::take(t, &list)).await
    }

    /// Ids of the covers that are here or were taken over before, also of those that were removed since.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn moved_covers(&self) -> Result<HashSet<Id>, CatalogError> {
        Ok(self.database.read(covers::moved).await?)
    }

    /// Writes down a cover with the id that it had elsewhere. One that is `selected` is shown where no other is that people put up.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where the thing is not here, [`CatalogError::Invalid`] where there are enough.
    pub async fn take_cover(&self, thing: CoverOf, new: ShelfCover) -> Result<ShelfCover, CatalogError> {
        let now = (self.clock)();
        self.write(move |t| covers::take(t, &thing, new, now)).await?
    }

    /// Takes over how far people read; of two facts the later one counts.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_reading(&self, facts: Vec<MovedReading>, rehearse: bool) -> Result<TakenReading, CatalogError> {
        let now = (self.clock)();
        let taken = self.take(rehearse, move |t| reading::take(t, &facts, now)).await?;
        self.watched.send_replace(());
        Ok(taken)
    }

    /// Where the tracks of a library lie, and what their tags say.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn track_places(&self, library: &str) -> Result<Vec<TrackPlace>, CatalogError> {
        let library = library.to_owned();
        Ok(self.database.read(move |c| tracks::places(c, &library)).await?)
    }

    /// The numbers of artists, each by its name or else by MusicBrainz' id, which may be empty.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn artist_numbers(&self, named: Vec<(String, String)>) -> Result<Vec<Option<i64>>, CatalogError> {
        Ok(self.database.read(move |c| tracks::artists(c, &named)).await?)
    }

    /// Takes over what people think of music and how often they heard it, with one fact for each account and thing.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_opinions(&self, facts: Vec<MovedOpinion>, rehearse: bool) -> Result<TakenOpinions, CatalogError> {
        let now = (self.clock)();
        self.take(rehearse, move |t| opinions::take(t, &facts, now)).await
    }

    /// Takes over a playlist, with its id.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_playlist(&self, list: MovedPlaylist, rehearse: bool) -> Result<TakenList, CatalogError> {
        let now = (self.clock)();
        self.take(rehearse, move |t| playlists::take(t, &list, now)).await
    }

    /// Takes over bookmarks; of two in a track the later one counts.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_bookmarks(
        &self,
        marks: Vec<MovedBookmark>,
        rehearse: bool,
    ) -> Result<TakenReading, CatalogError> {
        let now = (self.clock)();
        self.take(rehearse, move |t| playing::bookmarks(t, &marks, now)).await
    }

    /// Takes over what somebody hears now and next, unless a later queue is here. Whether it was taken.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_queue(&self, queue: MovedQueue, rehearse: bool) -> Result<bool, CatalogError> {
        let now = (self.clock)();
        self.take(rehearse, move |t| playing::queue(t, &queue, now)).await
    }

    async fn take<T, F>(&self, rehearse: bool, f: F) -> Result<T, CatalogError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let take = move |t: &Transaction<'_>| {
            t.execute_batch("SAVEPOINT moved_in")?;
            let answer = f(t)?;
            let end = if rehearse { "ROLLBACK TO moved_in; RELEASE moved_in" } else { "RELEASE moved_in" };
            t.execute_batch(end).map(|()| answer)
        };
        if rehearse { Ok(self.database.write(take).await?) } else { self.write(take).await }
    }
}

/// What another program told last of one thing, for an account.
struct Recall<'a> {
    account: &'a str,
    /// See `moved_fact`.
    kind: &'a str,
    target: i64,
}

impl Recall<'_> {
    fn told(&self, t: &Transaction<'_>) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT told FROM moved_fact WHERE account = ?1 AND kind = ?2 AND target = ?3";
        t.prepare_cached(sql)?.query_row(params![self.account, self.kind, self.target], |r| r.get(0)).optional()
    }

    fn keep(&self, t: &Transaction<'_>, told: &str) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO moved_fact VALUES (?1, ?2, ?3, ?4)";
        t.prepare_cached(sql)?.execute(params![self.account, self.kind, self.target, told]).map(|_| ())
    }
}

/// Tells one text from another.
fn digest_of(text: &str) -> String {
    HEXLOWER.encode(&digest::digest(&digest::SHA256, text.as_bytes()).as_ref()[..8])
}
