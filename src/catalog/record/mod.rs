//! What the importer reads and writes: files as they were last seen, what was found of them, where they went; and what
//! friends' nodes tell of theirs.
//!
//! Every method is one transaction, so that a kill at any time leaves items either as they were or as they shall be.
//! Ids are given here and nowhere else; those of friends' items were given by their nodes.
pub(super) mod books;
mod friends;
mod known;
pub(super) mod music;
pub(super) mod shows;
pub(super) mod twins;
mod write;

use std::path::PathBuf;

pub use books::SeriesTold;
pub(super) use books::locks_of_series;
pub use friends::Taken;
pub use known::{Known, Place};
pub use music::VARIOUS;
pub use shows::{KnownShow, ShowDescription};

use rusqlite::Transaction;

use super::model::{Id, ItemKind, ItemState, LibraryState};
use super::shared::Changes;
use super::{Catalog, CatalogError, libraries, now};
use crate::content::Cid;
use crate::media::Facts;
use crate::media::book::Told;
use crate::media::protocol::TrackFacts;

/// What tells a file from others without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the Unix epoch.
    pub modified_ns: i64,
    /// Number within its device.
    pub inode: u64,
    /// Changes when a disk is mounted anew.
    pub device: u64,
}

impl Stat {
    /// The same size, time and inode, whatever device number its disk has now.
    #[must_use]
    pub fn same_but_device(&self, other: &Self) -> bool {
        self.size == other.size && self.modified_ns == other.modified_ns && self.inode == other.inode
    }
}

/// How an item is called and what belongs to it: all that is read from names and from the files beside the video.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Description {
    /// As shown.
    pub title: String,
    /// Where the title sorts, if the owner wrote it down; else made from the title.
    pub sort_title: Option<String>,
    /// Of release.
    pub year: Option<i32>,
    /// The show of an episode.
    pub show: Option<ShowName>,
    /// 0 holds specials.
    pub season: Option<i32>,
    /// Within its season.
    pub episode: Option<i32>,
    /// Last episode of a file with several.
    pub episode_end: Option<i32>,
    /// A few sentences.
    pub overview: Option<String>,
    /// As the NFO has them.
    pub genres: Vec<String>,
    /// Absolute path of a picture.
    pub poster: Option<PathBuf>,
    /// Absolute path of a picture.
    pub backdrop: Option<PathBuf>,
    /// Files beside the video; only their names are kept.
    pub sidecars: Vec<PathBuf>,
    /// Digest of the names and times of the files that this was read from.
    pub digest: i64,
    /// A book's, as its name has it.
    pub number: Option<BookNumber>,
    /// A track's, as its place has it.
    pub music: Option<NamedMusic>,
}

/// What the place of a track says besides title, disc and number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedMusic {
    /// Of the track.
    pub artist: Option<String>,
    pub album: Option<String>,
    pub album_artist: Option<String>,
    /// Of the album.
    pub year: Option<i32>,
}

/// Where a book stands in its series.
#[derive(Debug, Clone, PartialEq)]
pub struct BookNumber {
    /// As shown: `10.5`.
    pub text: String,
    /// What sorts.
    pub sort: f64,
}

/// What reading the file of a book gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BookFile {
    /// In the form of `media::book::encode`.
    pub page_list: Vec<u8>,
    /// How many those are.
    pub pages: u32,
    /// What it says of itself.
    pub told: Told,
    /// What KOReader calls it.
    pub partial_md5: Option<String>,
}

/// By what an episode finds its show, and a book its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowName {
    /// One show of a library has it.
    pub key: String,
    /// What a new show is called.
    pub title: String,
    /// Of its first release.
    pub year: Option<i32>,
    /// Its folder below the library's root, if it has one of its own.
    pub place: Option<PathBuf>,
    /// The show whose folder got another name: it takes the new key, rather than a new show being made.
    pub renamed_from: Option<i64>,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Record {
    /// The item it belongs to; `None` makes a new one.
    pub item: Option<i64>,
    /// Where it is.
    pub place: Place,
    /// See [`ItemKind`].
    pub kind: ItemKind,
    /// As it was when it was read.
    pub stat: Stat,
    /// Root of its DAG; `None` where it was not read to the end.
    pub cid: Option<Cid>,
    /// What the media worker found.
    pub facts: Option<Facts>,
    /// Of a book that could be read.
    pub book: Option<BookFile>,
    /// Of a track that could be read.
    pub music: Option<TrackFacts>,
    /// Why it cannot be played; makes it [`ItemState::Unreadable`].
    pub problem: Option<String>,
    /// The reason may pass without the file changing: every scan tries again.
    pub retry: bool,
    /// See [`Description`].
    pub description: Description,
}

/// A file that was not read because it is known: where it is now.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Its item.
    pub item: i64,
    /// Where it is now.
    pub place: Place,
    /// See [`ItemKind`]: the library's kind decides.
    pub kind: ItemKind,
    /// As it is now.
    pub stat: Stat,
    /// See [`Description`].
    pub description: Description,
}

/// An item that was written or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Its row.
    pub number: i64,
    /// Its id.
    pub id: Id,
    /// Its library.
    pub library: Id,
    /// The show or series that it is of, or was.
    pub show: Option<Id>,
}

impl Catalog {
    /// All files of a library as they were last seen, those in the trash too; only those below `folders` if given.
    pub async fn known(&self, library: &str, folders: Option<Vec<PathBuf>>) -> Result<Vec<Known>, CatalogError> {
        let library = library.to_owned();
        Ok(self.database.read(move |c| known::of_library(c, &library, folders.as_deref())).await?)
    }

    /// For each of `stats`, files of any library that had this size, time and inode.
    pub async fn known_by_stat(&self, stats: Vec<Stat>) -> Result<Vec<Vec<Known>>, CatalogError> {
        Ok(self.database.read(move |c| stats.iter().map(|stat| known::by_stat(c, stat)).collect()).await?)
    }

    /// Files of any library with this content.
    pub async fn known_by_cid(&self, cid: &Cid) -> Result<Vec<Known>, CatalogError> {
        let cid = *cid;
        Ok(self.database.read(move |c| known::by_cid(c, &cid)).await?)
    }

    /// For each of `cids`, files of any library with this content.
    pub async fn known_by_cids(&self, cids: Vec<Cid>) -> Result<Vec<Vec<Known>>, CatalogError> {
        Ok(self.database.read(move |c| cids.iter().map(|cid| known::by_cid(c, cid)).collect()).await?)
    }

    /// The file that is at a place, unless it is gone from there.
    pub async fn known_at(&self, place: Place) -> Result<Option<Known>, CatalogError> {
        Ok(self.database.read(move |c| known::at(c, &place)).await?)
    }

    /// Writes what was found of a file: a new item, or what is new of a known one.
    pub async fn record(&self, record: Record) -> Result<Touched, CatalogError> {
        let now = now();
        self.write(move |t| write::record(t, &record, now)).await
    }

    /// The same of several files, in one transaction.
    pub async fn record_all(&self, records: Vec<Record>) -> Result<Vec<Touched>, CatalogError> {
        let now = now();
        self.write(move |t| records.iter().map(|record| write::record(t, record, now)).collect()).await
    }

    /// Gives items their new places, all at once, so that two files can swap names.
    pub async fn relocate(&self, moves: Vec<Moved>) -> Result<Vec<Touched>, CatalogError> {
        self.write(move |t| write::relocate(t, &moves)).await
    }

    /// Writes what was read anew from the files beside items, of all at once.
    pub async fn describe(&self, items: Vec<(i64, Description)>) -> Result<Vec<Touched>, CatalogError> {
        self.write(move |t| items.iter().map(|(item, new)| write::describe_again(t, *item, new)).collect()).await
    }

    /// Remembers that files are as they were but for what `stat` says (a disk mounted anew has another device number),
    /// and that they are where they should be.
    pub async fn seen(&self, files: Vec<(i64, Stat)>) -> Result<Vec<Touched>, CatalogError> {
        self.write(move |t| write::seen(t, &files)).await
    }

    /// Remembers under which path the block index holds a file now: its own.
    pub async fn indexed(&self, items: Vec<i64>) -> Result<(), CatalogError> {
        self.write(move |t| write::indexed(t, &items)).await
    }

    /// Sets the state of one item; `None` where it had that state and problem already.
    pub async fn set_item_state(
        &self,
        item: i64,
        state: ItemState,
        problem: Option<String>,
    ) -> Result<Option<Touched>, CatalogError> {
        self.write(move |t| write::set_state(t, item, state, problem.as_deref())).await
    }

    /// All blocks of the file hashed right just now: the item is present, whatever it was held for.
    pub async fn verified(&self, item: i64) -> Result<Option<Touched>, CatalogError> {
        let now = now();
        self.write(move |t| write::verified(t, item, now)).await
    }

    /// The files of these items are gone: into the trash. Progress stays.
    pub async fn trash(&self, items: Vec<i64>) -> Result<Vec<Touched>, CatalogError> {
        let now = now();
        self.write(move |t| write::missing(t, &items, ItemState::Trashed, now)).await
    }

    /// The files of these items cannot be seen now, but are believed to come back: unavailable, not in the trash.
    pub async fn doubt(&self, items: Vec<i64>) -> Result<Vec<Touched>, CatalogError> {
        let now = now();
        self.write(move |t| write::missing(t, &items, ItemState::Unavailable, now)).await
    }

    /// Forgets what has been in the trash since before `before` (Unix milliseconds), with its progress. Returns the
    /// items and the paths that the block index may know them by.
    pub async fn purge(&self, before: i64) -> Result<Vec<(Touched, PathBuf)>, CatalogError> {
        self.write(move |t| write::purge(t, None, before)).await
    }

    /// The same for all that is in the trash of one library.
    pub async fn empty_trash(&self, library: &str) -> Result<Vec<(Touched, PathBuf)>, CatalogError> {
        let library = library.to_owned();
        self.write(move |t| write::purge(t, Some(&library), i64::MAX)).await
    }

    /// Whether a library's folder can be read; `false` where that was known.
    pub async fn set_library_state(&self, library: &str, state: LibraryState) -> Result<bool, CatalogError> {
        let library = library.to_owned();
        self.write(move |t| libraries::set_state(t, &library, state)).await
    }

    /// A scan of the library ended just now.
    pub async fn set_scanned(&self, library: &str) -> Result<(), CatalogError> {
        let (library, now) = (library.to_owned(), now());
        let scanned = move |t: &Transaction<'_>| {
            libraries::set_scanned(t, &library, now)?;
            music::tidy(t, &library)
        };
        self.write(scanned).await
    }

    /// The shows of a library.
    pub async fn shows(&self, library: &str) -> Result<Vec<KnownShow>, CatalogError> {
        let library = library.to_owned();
        Ok(self.database.read(move |c| shows::of_library(c, &library)).await?)
    }

    /// The show an episode belongs to.
    pub async fn show_of(&self, item: i64) -> Result<Option<KnownShow>, CatalogError> {
        Ok(self.database.read(move |c| shows::of_item(c, item)).await?)
    }

    /// Takes in a page of what a friend's node tells of its libraries, at once with the cursor that it ends with. A friend
    /// has at most `items_max` items here.
    pub async fn take_changes(&self, friend: &str, page: Changes, items_max: u64) -> Result<Taken, CatalogError> {
        let (friend, now, limits) = (friend.to_owned(), now(), self.limits.clone());
        let take = move |t: &Transaction<'_>| {
            let taken = friends::take(t, &friend, &page, items_max, now)?;
            limits.tell(t).map(|()| taken)
        };
        self.write(take).await
    }

    /// Forgets all that a friend's node told. Returns the libraries that went.
    pub async fn forget_friend(&self, friend: &str) -> Result<Vec<Id>, CatalogError> {
        let (friend, limits) = (friend.to_owned(), self.limits.clone());
        let forget = move |t: &Transaction<'_>| {
            let libraries = friends::forget(t, &friend)?;
            limits.tell(t).map(|()| libraries)
        };
        self.write(forget).await
    }

    /// Gives series the folders in which most of their books are now, in this library; those whose folder another series keeps
    /// stay where they are.
    pub async fn move_series(&self, library: &str, takes: Vec<(i64, ShowName)>) -> Result<(), CatalogError> {
        let library = library.to_owned();
        self.write(move |t| shows::take_places(t, &library, &takes)).await
    }

    /// Writes what was read from the files beside a show.
    pub async fn describe_show(&self, show: i64, description: ShowDescription) -> Result<Touched, CatalogError> {
        self.write(move |t| shows::describe(t, show, &description)).await
    }
}
