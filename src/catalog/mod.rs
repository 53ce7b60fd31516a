//! Which items are there: libraries, items, files, and how far each account has watched them.
//!
//! Owns the tables of `catalog.db` that hold what a person made or that cannot be derived: ids above all. Ids are given
//! once and kept for ever.
pub mod model;

pub use model::{
    Artwork, File, Id, Item, ItemKind, ItemState, Library, LibraryKind, LibraryState, Progress, Visibility,
};

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
    /// Titles that sort at or after this.
    pub from: Option<String>,
    /// Opaque; from the last page.
    pub cursor: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

/// Order of a list. Ties are broken by id, so that cursors are exact.
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
    /// Last watched first.
    Watched,
}

/// See [`ItemFilter::progress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressFilter {
    /// Begun, not finished.
    Started,
    /// Finished.
    Completed,
    /// Neither.
    Unwatched,
}

/// An item with what a list shows beside it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The item.
    pub item: Item,
    /// Title of an episode's show.
    pub show_title: Option<String>,
    /// Number of a show's episodes.
    pub episodes: Option<u64>,
    /// Of the asking account.
    pub progress: Option<Progress>,
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
    _database: Database,
}

impl Catalog {
    /// On a database opened with the migrations of `catalog.db`.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { _database: database }
    }

    /// All libraries, by name.
    pub async fn libraries(&self) -> Result<Vec<Library>, CatalogError> {
        todo!()
    }

    /// One library.
    pub async fn library(&self, _id: &str) -> Result<Library, CatalogError> {
        todo!()
    }

    /// Adds a library; `path` must be absolute. Its folder is not read yet.
    pub async fn add_library(
        &self,
        _name: &str,
        _kind: LibraryKind,
        _path: &std::path::Path,
        _visibility: Visibility,
    ) -> Result<Library, CatalogError> {
        todo!()
    }

    /// Forgets a library and its items; files stay.
    pub async fn remove_library(&self, _id: &str) -> Result<(), CatalogError> {
        todo!()
    }

    /// Counts of a library.
    pub async fn totals(&self, _library: &str) -> Result<LibraryTotals, CatalogError> {
        todo!()
    }

    /// A page of items.
    pub async fn items(&self, _filter: ItemFilter) -> Result<Page, CatalogError> {
        todo!()
    }

    /// One item, with the progress of `account`.
    pub async fn item(&self, _id: &str, _account: &str) -> Result<Listed, CatalogError> {
        todo!()
    }

    /// Items whose file has this root CID and can be served (a copy is a second item).
    pub async fn items_of(&self, _root: &Cid) -> Result<Vec<Item>, CatalogError> {
        todo!()
    }

    /// Libraries that hold a servable file with this root CID, with their visibility.
    pub async fn libraries_of(&self, _root: &Cid) -> Result<Vec<(Id, Visibility)>, CatalogError> {
        todo!()
    }

    /// Remembers how far an account is.
    pub async fn set_progress(&self, _account: &str, _item: &str, _progress: Progress) -> Result<(), CatalogError> {
        todo!()
    }
}
