//! Series and books as programs for reading list them: with conditions, orders and pages by number, counts of what was read,
//! and the lists that people put together.
//!
//! Only what lies in libraries on this machine is here. Whoever asks says which libraries it may see: nothing of others is in
//! any answer. A list is two queries, whatever its length: one for the numbers of its rows, one for the rows.
mod condition;
pub(super) mod covers;
mod devices;
pub(super) mod edit;
mod listing;
pub(super) mod lists;
mod reading;
mod rows;
mod typed;
pub(super) mod words;

pub use condition::{Comparison, Condition, PosterKind, ReadState, TextMatch, WordField};
pub use covers::{CoverOf, ShelfCover};
pub use devices::{BookNews, DeviceAsk, DeviceNews, ListNews, Round};
pub use edit::{Edit, EditField, EditValue};
pub use lists::{ListChange, ListKind, NewList, ShelfList};
pub use reading::{Continuous, Marked};
pub use rows::{Reading, ShelfBook, ShelfSeries, Shelved, Summary};
pub use typed::typed;
pub use words::WordFilter;

use super::model::Id;
use super::{Catalog, CatalogError};

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Series of books.
    Series,
    /// Single books.
    Books,
}

impl Shelf {
    /// The kind of its items, and the table of what only they have.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Books => "book",
        }
    }
}

/// By what a list is ordered. What has no sense for a shelf leaves the order as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShelfSort {
    Title,
    /// Books by series and number.
    Series,
    Added,
    Changed,
    Number,
    Released,
    /// How many a series has.
    Books,
    Pages,
    Size,
    /// When the asking account read it last.
    Read,
    /// When the asking account read last in a book's series.
    SeriesRead,
    Random,
    /// Titles most like this first.
    Near(String),
    /// The place in the list with this id.
    Place(Id),
}

/// One part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// See [`ShelfSort`].
    pub by: ShelfSort,
    /// The greatest first.
    pub descending: bool,
}

/// What a list shall hold.
#[derive(Debug, Clone)]
pub struct ShelfFilter {
    /// All that the caller may see; nothing else is listed, whatever the condition says.
    pub libraries: Vec<Id>,
    /// Whose progress counts.
    pub account: Id,
    /// See [`Condition`].
    pub condition: Condition,
    /// What to read next: the first unfinished book of each series in which one was finished and none is begun.
    pub on_deck: bool,
    /// The first part counts most.
    pub order: Vec<Order>,
    /// How many, and how many before them are left out; `None` for all.
    pub page: Option<(u32, u64)>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct ShelfPage<T> {
    /// In order.
    pub rows: Vec<T>,
    /// Of the whole list.
    pub total: u64,
}

impl Catalog {
    /// Series.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn series_list(&self, filter: ShelfFilter) -> Result<ShelfPage<ShelfSeries>, CatalogError> {
        let read = move |c: &rusqlite::Connection| {
            let (keys, total) = listing::keys(c, Shelf::Series, &filter)?;
            Ok(ShelfPage { rows: rows::series(c, &keys, &filter.account)?, total })
        };
        Ok(self.database.read(read).await?)
    }

    /// Books.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn book_list(&self, filter: ShelfFilter) -> Result<ShelfPage<ShelfBook>, CatalogError> {
        let read = move |c: &rusqlite::Connection| {
            let (keys, total) = listing::keys(c, Shelf::Books, &filter)?;
            Ok(ShelfPage { rows: rows::books(c, &keys, &filter.account)?, total })
        };
        Ok(self.database.read(read).await?)
    }

    /// The series with this id.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] also for an item that is no series.
    pub async fn one_series(&self, id: &str, account: &str) -> Result<ShelfSeries, CatalogError> {
        let (id, account) = (id.to_owned(), account.to_owned());
        let found = self.database.read(move |c| rows::series(c, &rows::number(c, &id, "series")?, &account)).await?;
        found.into_iter().next().ok_or(CatalogError::NotFound("series"))
    }

    /// The book with this id.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] also for an item that is no book.
    pub async fn one_book(&self, id: &str, account: &str) -> Result<ShelfBook, CatalogError> {
        let (id, account) = (id.to_owned(), account.to_owned());
        let found = self.database.read(move |c| rows::books(c, &rows::number(c, &id, "book")?, &account)).await?;
        found.into_iter().next().ok_or(CatalogError::NotFound("book"))
    }

    /// Where an item stands; `None` for what is neither a series nor a book on this machine.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn shelved(&self, id: &str) -> Result<Option<Shelved>, CatalogError> {
        let id = id.to_owned();
        Ok(self.database.read(move |c| rows::shelved(c, &id)).await?)
    }

    /// Words of a kind, each with its role, which only authors have; by alphabet.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn shelf_words(
        &self,
        field: WordField,
        filter: WordFilter,
    ) -> Result<Vec<(String, String)>, CatalogError> {
        Ok(self.database.read(move |c| words::list(c, field, &filter)).await?)
    }

    /// Age ratings of series in these libraries.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn age_ratings(&self, libraries: Vec<Id>) -> Result<Vec<u32>, CatalogError> {
        Ok(self.database.read(move |c| words::age_ratings(c, &libraries)).await?)
    }

    /// Years in which books in these libraries came out, latest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn release_years(&self, libraries: Vec<Id>) -> Result<Vec<String>, CatalogError> {
        Ok(self.database.read(move |c| words::years(c, &libraries)).await?)
    }
}
