//! Where books and series lie, to find by their folders and files which is which.
use std::path::PathBuf;

use rusqlite::{Connection, Row};

use crate::catalog::items::path;

/// A book's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookPlace {
    /// Number of the book.
    pub item: i64,
    /// Number of its series.
    pub series: Option<i64>,
    /// Below the library's root.
    pub place: PathBuf,
    /// It is in the trash, and nothing of it is at its place any more.
    pub gone: bool,
    /// Bytes.
    pub size: u64,
}

/// A series' folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPlace {
    /// Number of the series.
    pub item: i64,
    /// Below the library's root.
    pub place: PathBuf,
}

pub(super) fn books(c: &Connection, library: &str) -> rusqlite::Result<Vec<BookPlace>> {
    let sql = "SELECT i.n, i.show, f.place, f.gone, f.size FROM file AS f JOIN item AS i ON i.n = f.item \
        WHERE f.library = ?1 AND i.kind = 'book' AND f.place IS NOT NULL ORDER BY i.n";
    let book = |r: &Row<'_>| {
        Ok(BookPlace {
            item: r.get(0)?,
            series: r.get(1)?,
            place: path(r.get(2)?),
            gone: r.get(3)?,
            size: r.get::<_, i64>(4)?.cast_unsigned(),
        })
    };
    c.prepare_cached(sql)?.query_map([library], book)?.collect()
}

pub(super) fn series(c: &Connection, library: &str) -> rusqlite::Result<Vec<SeriesPlace>> {
    let sql = "SELECT n, place FROM item WHERE library = ?1 AND kind = 'series' AND place IS NOT NULL ORDER BY n";
    let series = |r: &Row<'_>| Ok(SeriesPlace { item: r.get(0)?, place: path(r.get(1)?) });
    c.prepare_cached(sql)?.query_map([library], series)?.collect()
}
