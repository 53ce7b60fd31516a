//! Files as they were last seen.
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Stat;
use crate::catalog::items;
use crate::catalog::model::{Id, ItemState, LibraryState};
use crate::content::Cid;

/// Where a file is: a path below the root of a library.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Library id.
    pub library: Id,
    /// Below the library's root, without a leading slash.
    pub path: PathBuf,
}

/// A file of an item as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Row of its item.
    pub item: i64,
    /// Id of its library.
    pub library: Id,
    /// Below the library's root.
    pub place: PathBuf,
    /// Not there any more: the item is in the trash.
    pub gone: bool,
    /// As it was when it was last read or recognised.
    pub stat: Stat,
    /// Root of its DAG, if it was read to the end.
    pub cid: Option<Box<Cid>>,
    /// Of the item.
    pub state: ItemState,
    /// Of its library.
    pub library_state: LibraryState,
    /// Digest of what its description was read from.
    pub described: i64,
    /// Unreadable for a reason that may pass.
    pub retry: bool,
    /// Absolute path under which the block index knows it, where that is not its own.
    pub indexed_as: Option<PathBuf>,
    /// Unix milliseconds when it was first not found.
    pub missing_at: Option<i64>,
}

const SELECT: &str = "SELECT f.item, f.library, f.place, f.gone, f.size, f.modified_ns, f.inode, f.device, f.cid, i.state, \
    l.state, f.described, f.retry, f.indexed_as, f.missing_at \
    FROM file AS f CROSS JOIN item AS i ON i.n = f.item CROSS JOIN library AS l ON l.id = f.library";

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    let cid: Option<String> = row.get(8)?;
    Ok(Known {
        item: row.get(0)?,
        library: row.get(1)?,
        place: items::path(row.get(2)?),
        gone: row.get(3)?,
        stat: Stat {
            size: row.get::<_, i64>(4)?.cast_unsigned(),
            modified_ns: row.get(5)?,
            inode: row.get::<_, i64>(6)?.cast_unsigned(),
            device: row.get::<_, i64>(7)?.cast_unsigned(),
        },
        cid: cid.and_then(|text| Cid::try_from(text.as_str()).ok()).map(Box::new),
        state: row.get(9)?,
        library_state: row.get(10)?,
        described: row.get(11)?,
        retry: row.get(12)?,
        indexed_as: row.get::<_, Option<Vec<u8>>>(13)?.map(items::path),
        missing_at: row.get(14)?,
    })
}

pub(super) fn of_library(c: &Connection, library: &str, folders: Option<&[PathBuf]>) -> rusqlite::Result<Vec<Known>> {
    let Some(folders) = folders else {
        let mut statement = c.prepare_cached(&format!("{SELECT} WHERE f.library = ?1"))?;
        return statement.query_map([library], known)?.collect();
    };
    let sql = format!("{SELECT} WHERE f.library = ?1 AND (f.place >= ?2 AND f.place < ?3 OR f.place = ?4)");
    let mut statement = c.prepare_cached(&sql)?;
    let mut found = Vec::new();
    for folder in folders {
        // Everything that begins with `folder/`: `0` is the byte after the slash. The folder itself may be a book.
        let (mut from, mut to) = (items::bytes(folder).to_vec(), items::bytes(folder).to_vec());
        from.push(b'/');
        to.push(b'/' + 1);
        for row in statement.query_map(params![library, from, to, items::bytes(folder)], known)? {
            found.push(row?);
        }
    }
    Ok(found)
}

pub(super) fn by_stat(c: &Connection, stat: &Stat) -> rusqlite::Result<Vec<Known>> {
    let sql = format!("{SELECT} WHERE f.inode = ?1 AND f.size = ?2 AND f.modified_ns = ?3 ORDER BY f.item");
    let values = params![stat.inode.cast_signed(), stat.size.cast_signed(), stat.modified_ns];
    c.prepare_cached(&sql)?.query_map(values, known)?.collect()
}

pub(super) fn by_cid(c: &Connection, cid: &Cid) -> rusqlite::Result<Vec<Known>> {
    let sql = format!("{SELECT} WHERE f.cid = ?1 ORDER BY f.item");
    c.prepare_cached(&sql)?.query_map([cid.to_string()], known)?.collect()
}

pub(super) fn at(c: &Connection, place: &super::Place) -> rusqlite::Result<Option<Known>> {
    let sql = format!("{SELECT} WHERE f.library = ?1 AND f.place = ?2 AND f.gone = 0");
    c.prepare_cached(&sql)?.query_row(params![place.library, items::bytes(&place.path)], known).optional()
}
