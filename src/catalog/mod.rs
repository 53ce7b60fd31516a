//! Which items are there: libraries, items, files, and how far each account has watched them.
//!
//! Owns the tables of `catalog.db` that hold what a person made or that cannot be derived: ids above all. Ids are given
//! once and kept for ever. All SQL of these tables is in this module; callers see plain values.
//!
//! | part | what it does |
//! |---|---|
//! | [`model`] | the words: libraries, items, files |
//! | `libraries`, `items`, `progress`, `alerts` | read and write single things |
//! | `query`, `search`, `cursor`, `sorting` | lists: order, pages, words |
//! | [`record`] | what the importer writes, and what friends' nodes tell |
//! | `changes`, [`shared`] | what changed, for friends' nodes that follow |
//! | [`music`] | artists, albums and tracks as programs for listening list them |
//! | [`shelves`] | series and books as programs for reading list them |
//! | `stations`, `chat` | radio stations, and what people tell each other |
//! | [`podcasts`] | channels that are followed, and their episodes |
//! | [`limits`] | for whom here friends' libraries are |
//! | [`moved_in`] | what another program kept, taken over with its ids |
//! | [`replicas`] | what of friends' libraries is kept here |
mod alerts;
mod books;
mod changes;
mod chat;
mod cursor;
mod items;
mod libraries;
pub mod limits;
pub mod model;
pub mod moved_in;
pub mod music;
pub mod podcasts;
mod progress;
mod query;
pub mod record;
pub mod replicas;
mod search;
pub mod shared;
pub mod shelves;
pub mod sorting;
mod stations;
mod words;

pub use alerts::{Alerts, Troubled};
pub use changes::Seen;
pub use chat::ChatMessage;
pub use items::{Held, ToVerify};
pub use model::{
    Artwork, BookSummary, File, Id, Item, ItemKind, ItemState, Library, LibraryKind, LibraryState, Progress,
    PublicFile, PublicLibrary, Visibility,
};
pub use moved_in::is_id;
pub use progress::{FACTS_MAX, Fact, Facts, Known, Locator, Progressed, Whose};
pub use stations::Station;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Transaction;
use tokio::sync::watch;

use self::shared::Changes;
use crate::content::Cid;
use crate::database::{Database, DatabaseError};

/// Why the catalog refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No such library or item.
    #[error("there is no {0}")]
    NotFound(&'static str),
    /// The name or the folder is taken by another library, or lies inside another's.
    #[error("{0}")]
    Conflict(String),
    /// The query cannot be understood: which parameter, and what it may be.
    #[error("{0}")]
    Invalid(String),
    /// The database failed.
    #[error("the catalog could not be read or written")]
    Database(#[from] DatabaseError),
}

/// What a list shall hold. Only items of `libraries` are in it, whatever else is asked.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    /// Libraries the caller may see and wants; `None` for all.
    pub libraries: Option<Vec<Id>>,
    /// Without it: everything playable (no shows).
    pub kind: Option<ItemKind>,
    /// Episodes of this show.
    pub show: Option<Id>,
    /// Words; prefixes match, case and accents do not matter (FTS5).
    pub text: Option<String>,
    /// See [`Sort`].
    pub sort: Sort,
    /// Filter by progress of `account`.
    pub progress: Option<ProgressFilter>,
    /// Whose progress is joined.
    pub account: Id,
    /// Titles that sort at or after this (letter jump).
    pub from: Option<String>,
    /// Opaque; from the last page.
    pub cursor: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

/// Order of a list. Ties are broken by the order in which ids were given, so that cursors are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By sort title; episodes by show, season, episode.
    #[default]
    Title,
    /// Newest first.
    Added,
    /// Oldest first.
    Year,
    /// Newest first.
    YearDescending,
    /// Shortest first.
    Duration,
    /// Last watched first; then what was never watched, newest first.
    Watched,
}

/// See [`ItemFilter::progress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressFilter {
    /// Begun, not finished. With [`Sort::Watched`]: what to continue.
    Started,
    /// Finished.
    Completed,
    /// Neither.
    Unwatched,
}

/// An item with what a list shows beside it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Of its row: what music is named by below.
    pub number: i64,
    /// The item.
    pub item: Item,
    /// Title of an episode's show.
    pub show_title: Option<String>,
    /// Number of a show's episodes.
    pub episodes: Option<u64>,
    /// Of the asking account.
    pub progress: Option<Progress>,
    /// When the asking account starred it, in Unix milliseconds.
    pub starred_at: Option<i64>,
    /// Of the asking account: 1 to 5.
    pub rating: Option<u8>,
    /// Of a friend's item: a file of ours that can be served has the same bytes.
    pub here: bool,
}

/// One page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In order.
    pub items: Vec<Listed>,
    /// Cursor of the next page.
    pub next: Option<String>,
    /// Of the whole answer; on the first page only.
    pub total: Option<u64>,
}

/// The episodes around one, for "next" and "previous".
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// The one before it that can be played.
    pub previous: Option<Listed>,
    /// The one after it that can be played.
    pub next: Option<Listed>,
}

/// Totals of a library.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LibraryTotals {
    /// Playable items that are not in the trash.
    pub items: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Items marked damaged.
    pub damaged: u64,
}

/// A cheap handle to the catalog.
#[derive(Clone)]
pub struct Catalog {
    database: Database,
    written: watch::Sender<()>,
    watched: watch::Sender<()>,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    limits: Arc<limits::Listener>,
}

impl Catalog {
    /// On a database opened with the migrations of `catalog.db`.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self::with_clock(database, Arc::new(now))
    }

    /// As [`Catalog::new`]; how far somebody watched is written with the time of this clock, in Unix milliseconds.
    #[must_use]
    pub fn with_clock(database: Database, clock: Arc<dyn Fn() -> i64 + Send + Sync>) -> Self {
        let (written, watched) = (watch::Sender::default(), watch::Sender::default());
        Self { database, written, watched, clock, limits: Arc::default() }
    }

    /// Ticks whenever more is known of how far somebody watched.
    #[must_use]
    pub fn watched(&self) -> watch::Receiver<()> {
        self.watched.subscribe()
    }

    /// Ticks after each write but those of progress: something may have changed for [`Catalog::changes`].
    #[must_use]
    pub fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    async fn write<T, F>(&self, f: F) -> Result<T, CatalogError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        let whole = move |t: &Transaction<'_>| {
            let answer = f(t)?;
            record::music::settle(t)?;
            Ok(answer)
        };
        let answer = self.database.write(whole).await?;
        self.written.send_replace(());
        Ok(answer)
    }

    /// At most `limit` of the changes in our own libraries that somebody may see after a cursor; the empty one is where everything
    /// begins. Where nothing is new, `next` is `since`.
    pub async fn changes(&self, seen: Seen, since: String, limit: usize) -> Result<Changes, CatalogError> {
        Ok(self.database.read(move |c| changes::since(c, &seen, &since, limit)).await?)
    }

    /// What a friend's node wants to be asked with next; empty where it never answered.
    pub async fn friend_cursor(&self, friend: &str) -> Result<String, CatalogError> {
        let friend = friend.to_owned();
        Ok(self.database.read(move |c| libraries::friend_cursor(c, &friend)).await?)
    }

    /// Friends of whom something is known here.
    pub async fn friends_known(&self) -> Result<Vec<Id>, CatalogError> {
        Ok(self.database.read(libraries::friends_known).await?)
    }

    /// Friends' items that an item stands for: further sources of the same.
    pub async fn twins(&self, item: &str) -> Result<Vec<Held>, CatalogError> {
        let item = item.to_owned();
        Ok(self.database.read(move |c| items::twins(c, &item)).await?)
    }

    /// All libraries, friends' too, by name.
    pub async fn libraries(&self) -> Result<Vec<Library>, CatalogError> {
        Ok(self.database.read(libraries::all).await?)
    }

    /// The libraries on this machine, by name.
    pub async fn own_libraries(&self) -> Result<Vec<Library>, CatalogError> {
        Ok(self.libraries().await?.into_iter().filter(|library| library.friend.is_none()).collect())
    }

    /// One library.
    pub async fn library(&self, id: &str) -> Result<Library, CatalogError> {
        let id = id.to_owned();
        let found = self.database.read(move |c| libraries::one(c, &id)).await?;
        found.ok_or(CatalogError::NotFound("library"))
    }

    /// Adds a library; `path` must be absolute. Its folder is not read yet.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`] when the name is taken or the folder lies in another's (or another's in it).
    pub async fn add_library(
        &self,
        name: &str,
        kind: LibraryKind,
        path: &Path,
        visibility: Visibility,
    ) -> Result<Library, CatalogError> {
        let library = Library {
            id: new_id(),
            name: name.trim().to_owned(),
            kind,
            path: libraries::normal(path),
            visibility,
            state: LibraryState::Available,
            scanned_at: None,
            friend: None,
        };
        let new = library.clone();
        self.write(move |t| libraries::add(t, &new)).await??;
        Ok(library)
    }

    /// Gives a library another name or visibility.
    ///
    /// # Errors
    /// As [`Catalog::add_library`].
    pub async fn change_library(
        &self,
        id: &str,
        name: Option<&str>,
        visibility: Option<Visibility>,
    ) -> Result<Library, CatalogError> {
        let before = self.library(id).await?;
        let name = name.map_or(before.name.clone(), |name| name.trim().to_owned());
        let changed = Library { name, visibility: visibility.unwrap_or(before.visibility), ..before };
        self.write_library(changed).await
    }

    /// Tells where a library's folder is now: same files, other mount. Items keep their ids; the next scan finds the
    /// files at their places below the new folder and reads none of them again.
    ///
    /// # Errors
    /// As [`Catalog::add_library`].
    pub async fn set_library_path(&self, id: &str, path: &Path) -> Result<Library, CatalogError> {
        let changed = Library { path: libraries::normal(path), ..self.library(id).await? };
        self.write_library(changed).await
    }

    async fn write_library(&self, changed: Library) -> Result<Library, CatalogError> {
        let library = changed.clone();
        self.write(move |t| libraries::change(t, &changed)).await??;
        Ok(library)
    }

    /// Forgets a library of ours and its items; files stay.
    pub async fn remove_library(&self, id: &str) -> Result<(), CatalogError> {
        let id = id.to_owned();
        let removed = self.write(move |t| libraries::remove(t, &id)).await?;
        if removed { Ok(()) } else { Err(CatalogError::NotFound("library")) }
    }

    /// Counts of a library.
    pub async fn totals(&self, library: &str) -> Result<LibraryTotals, CatalogError> {
        let id = library.to_owned();
        Ok(self.database.read(move |c| libraries::totals(c, &id)).await?)
    }

    /// A page of items.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] for a limit or a cursor that cannot be used.
    pub async fn items(&self, filter: ItemFilter) -> Result<Page, CatalogError> {
        self.database.read(move |c| query::page(c, &filter)).await?
    }

    /// One item, with the progress of `account`. Also one in the trash.
    pub async fn item(&self, id: &str, account: &str) -> Result<Listed, CatalogError> {
        let (id, account) = (id.to_owned(), account.to_owned());
        let found = self.database.read(move |c| items::by_id(c, &id, &account)).await?;
        found.ok_or(CatalogError::NotFound("item"))
    }

    /// The episodes before and after an item in its show. Both are absent for what is no episode.
    pub async fn neighbours(&self, id: &str, account: &str) -> Result<Neighbours, CatalogError> {
        let (id, account) = (id.to_owned(), account.to_owned());
        Ok(self.database.read(move |c| items::neighbours(c, &id, &account)).await?)
    }

    /// The episode after this one that can be played.
    pub async fn next_episode(&self, id: &str, account: &str) -> Result<Option<Listed>, CatalogError> {
        Ok(self.neighbours(id, account).await?.next)
    }

    /// Items whose file has this root CID and can be served (a copy is a second item).
    pub async fn items_of(&self, root: &Cid) -> Result<Vec<Item>, CatalogError> {
        let root = *root;
        Ok(self.database.read(move |c| items::by_root(c, &root)).await?)
    }

    /// Libraries that hold a servable file with this root CID, with their visibility.
    pub async fn libraries_of(&self, root: &Cid) -> Result<Vec<(Id, Visibility)>, CatalogError> {
        let root = *root;
        Ok(self.database.read(move |c| items::libraries_of(c, &root)).await?)
    }

    /// What anybody may have: our public libraries that are there, with their servable files.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn public_files(&self) -> Result<Vec<PublicLibrary>, CatalogError> {
        Ok(self.database.read(items::public_files).await?)
    }

    /// Friends' items whose file has this root CID, and is right and there by their word.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn held_by_friends(&self, root: &Cid) -> Result<Vec<Held>, CatalogError> {
        let root = *root;
        Ok(self.database.read(move |c| items::held_by_friends(c, &root)).await?)
    }

    /// Friends that have such items for everybody here, and so for this node itself.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn friends_holding(&self, root: &Cid) -> Result<Vec<Id>, CatalogError> {
        let held = self.held_by_friends(root).await?.into_iter().filter(|held| !held.limited);
        let mut friends: Vec<Id> = held.map(|held| held.friend).collect();
        friends.sort_unstable();
        friends.dedup();
        Ok(friends)
    }

    /// Our files that were read to their end, with what is known of them; those that were verified longest ago come first.
    /// Of each only those that were verified before `before` (Unix milliseconds), or are damaged.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn to_verify(&self, before: i64) -> Result<Vec<ToVerify>, CatalogError> {
        Ok(self.database.read(move |c| items::to_verify(c, before)).await?)
    }

    /// Remembers how far an account is. At 0 seconds and not completed means that it was never watched.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] for a position that is no time.
    pub async fn set_progress(&self, account: &str, item: &str, progress: Progress) -> Result<(), CatalogError> {
        self.write_progress(account, item, progress, i64::MAX, None).await
    }

    /// The same for what was so at a time, Unix milliseconds, as a program tells that was not connected then. A time to come is now.
    ///
    /// # Errors
    /// As [`set_progress`](Self::set_progress).
    pub async fn set_progress_of(
        &self,
        account: &str,
        item: &str,
        progress: Progress,
        at: i64,
    ) -> Result<(), CatalogError> {
        self.write_progress(account, item, progress, at, None).await
    }

    /// The same with the place within a page or a chapter.
    ///
    /// # Errors
    /// As [`Catalog::set_progress`].
    pub async fn set_place(
        &self,
        account: &str,
        item: &str,
        progress: Progress,
        place: Option<Locator>,
    ) -> Result<(), CatalogError> {
        self.write_progress(account, item, progress, i64::MAX, place).await
    }

    /// The same for what was so at a time, as for [`set_progress_of`](Self::set_progress_of).
    ///
    /// # Errors
    /// As [`Catalog::set_progress`].
    pub async fn set_place_of(
        &self,
        account: &str,
        item: &str,
        progress: Progress,
        place: Locator,
        at: i64,
    ) -> Result<(), CatalogError> {
        self.write_progress(account, item, progress, at, Some(place)).await
    }

    async fn write_progress(
        &self,
        account: &str,
        item: &str,
        progress: Progress,
        at: i64,
        place: Option<Locator>,
    ) -> Result<(), CatalogError> {
        if !progress.position.is_finite() || progress.position < 0.0 {
            return Err(CatalogError::Invalid("position: must be seconds from the start".to_owned()));
        }
        let (account, item, now) = (account.to_owned(), item.to_owned(), (self.clock)());
        let write = move |t: &Transaction<'_>| {
            let known = progress::set(t, &account, &item, progress, (at.clamp(0, now), now))?;
            if let Some(place) = place.filter(|_| known) {
                progress::locate(t, &account, &item, &place)?;
            }
            Ok(known)
        };
        let known = self.database.write(write).await?;
        self.watched.send_replace(());
        if known { Ok(()) } else { Err(CatalogError::NotFound("item")) }
    }

    /// The place within a page or a chapter where an account is in an item, if its program named one when it read last.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn place(&self, account: &str, item: &str) -> Result<Option<Locator>, CatalogError> {
        let (account, item) = (account.to_owned(), item.to_owned());
        Ok(self.database.read(move |c| progress::located(c, &account, &item)).await?)
    }

    /// The last revision of how far somebody watched.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn progress_revision(&self) -> Result<i64, CatalogError> {
        Ok(self.database.read(progress::newest).await?)
    }

    /// At most `limit` steps of anybody in items that are known here, after a revision; the revision to go on from, and whether
    /// there is more now.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn progressed(&self, since: i64, limit: usize) -> Result<(Vec<Progressed>, i64, bool), CatalogError> {
        Ok(self.database.read(move |c| progress::steps(c, since, limit)).await?)
    }

    /// Forgets all that an account watched and heard, as when it is deleted. Returns how many items it had watched.
    pub async fn remove_progress(&self, account: &str) -> Result<usize, CatalogError> {
        let account = account.to_owned();
        let forget = move |t: &Transaction<'_>| {
            music::forget_account(t, &account)?;
            progress::forget_account(t, &account)
        };
        Ok(self.database.write(forget).await?)
    }

    /// At most `limit` facts of how far these accounts watched that were written after a revision.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn facts(&self, accounts: Vec<Known>, since: i64, limit: usize) -> Result<Facts, CatalogError> {
        Ok(self.database.read(move |c| progress::since(c, &accounts, since, limit)).await?)
    }

    /// Takes in what a friend's node tells of how far these accounts watched, at once with how far it is known now. Returns how
    /// many facts were later than what was known.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn take_facts(
        &self,
        friend: &str,
        whose: Whose,
        accounts: Vec<Known>,
        page: Facts,
    ) -> Result<usize, CatalogError> {
        let (friend, now) = (friend.to_owned(), (self.clock)());
        let take = move |t: &Transaction<'_>| progress::take(t, (&friend, whose), &accounts, &page, now);
        let later = self.database.write(take).await?;
        if later > 0 {
            self.watched.send_replace(());
        }
        Ok(later)
    }

    /// Up to which revision of a friend's node its facts are known here.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn facts_taken(&self, friend: &str, whose: Whose) -> Result<i64, CatalogError> {
        let friend = friend.to_owned();
        Ok(self.database.read(move |c| progress::taken(c, &friend, whose)).await?)
    }

    /// The books that KOReader calls so.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn books_by_partial_md5(&self, hash: &str) -> Result<Vec<Id>, CatalogError> {
        let hash = hash.to_owned();
        Ok(self.database.read(move |c| books::by_partial_md5(c, &hash)).await?)
    }

    /// How a book, or the books of a series, are read: `ltr`, `rtl`, `vertical`, `webtoon`; `None` where nobody says.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn direction(&self, id: &str) -> Result<Option<String>, CatalogError> {
        let id = id.to_owned();
        Ok(self.database.read(move |c| books::direction(c, &id)).await?)
    }

    /// The list of pages of a book, in the form of `media::book::encode_pages`; `None` where it has none.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn page_list(&self, item: i64) -> Result<Option<Vec<u8>>, CatalogError> {
        Ok(self.database.read(move |c| books::page_list(c, item)).await?)
    }

    /// The same by the item's id.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn page_list_of(&self, id: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        let id = id.to_owned();
        Ok(self.database.read(move |c| books::page_list_of(c, &id)).await?)
    }

    /// When what is known of a book was written last, in Unix milliseconds.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn book_described(&self, id: &str) -> Result<Option<i64>, CatalogError> {
        let id = id.to_owned();
        Ok(self.database.read(move |c| books::described(c, &id)).await?)
    }

    /// What a person should look at.
    pub async fn alerts(&self) -> Result<Alerts, CatalogError> {
        Ok(self.database.read(alerts::alerts).await?)
    }
}

/// A new id: UUID v7.
fn new_id() -> Id {
    uuid::Uuid::now_v7().hyphenated().to_string()
}

/// Unix milliseconds.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
