//! Covers that somebody uploaded to Komga: which there are, and their pictures, which are read one by one.
//!
//! Beside them lie pictures that Komga made of every book: these are not looked at, as there may be gigabytes.
use rusqlite::{Connection, OptionalExtension};

use crate::library::move_in::table::{self, Table};

/// What a cover is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::library::move_in) enum Of {
    Series,
    Book,
    Collection,
    ReadList,
}

impl Of {
    /// What it is called, for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Series => "series",
            Self::Book => "book",
            Self::Collection => "collection",
            Self::ReadList => "read list",
        }
    }

    /// The table of its covers, and the column that says what they are of.
    fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Series => ("thumbnail_series", "series_id"),
            Self::Book => ("thumbnail_book", "book_id"),
            Self::Collection => ("thumbnail_collection", "collection_id"),
            Self::ReadList => ("thumbnail_readlist", "readlist_id"),
        }
    }
}

/// A cover, without its picture.
#[derive(Clone)]
pub(in crate::library::move_in) struct Cover {
    pub id: String,
    pub of: Of,
    /// The id of what it is of.
    pub thing: String,
    /// It is the one that is shown.
    pub selected: bool,
}

/// All of them.
pub(super) fn covers(c: &Connection) -> rusqlite::Result<Vec<Cover>> {
    let mut all = Vec::new();
    for of in [Of::Series, Of::Book, Of::Collection, Of::ReadList] {
        let (name, thing) = of.table();
        if !table::has(c, name, &["id", "thumbnail", "type", thing])? {
            continue;
        }
        let uploaded = Table::of(c, name, &["id", thing, "selected"])?.only("\"type\" = 'USER_UPLOADED'");
        uploaded.each(c, |f| all.push(Cover { id: f.id(0), of, thing: f.id(1), selected: f.flag(2) }))?;
    }
    Ok(all)
}

/// The picture of one, unless it has none or more than `most` bytes.
pub(in crate::library::move_in) fn picture(
    c: &Connection,
    cover: &Cover,
    most: usize,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = format!(
        "SELECT thumbnail FROM \"{}\" WHERE id = ?1 AND typeof(thumbnail) = 'blob' AND length(thumbnail) <= ?2",
        cover.of.table().0
    );
    c.prepare_cached(&sql)?.query_row((&cover.id, most as i64), |r| r.get(0)).optional()
}
