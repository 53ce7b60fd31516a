//! Reads what only books and their series have.
use rusqlite::{Connection, OptionalExtension};

/// The list of pages of a book, in the form of `media::book::encode_pages`.
pub(super) fn page_list(c: &Connection, item: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    c.prepare_cached("SELECT pages FROM page_list WHERE item = ?1")?.query_row([item], |r| r.get(0)).optional()
}

/// The same by the item's id.
pub(super) fn page_list_of(c: &Connection, id: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT p.pages FROM page_list AS p JOIN item AS i ON i.n = p.item WHERE i.id = ?1";
    c.prepare_cached(sql)?.query_row([id], |r| r.get(0)).optional()
}

/// See [`super::Catalog::direction`].
pub(super) fn direction(c: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT s.direction FROM item AS i JOIN series AS s ON s.item IN (i.n, i.show) WHERE i.id = ?1 AND s.direction <> ''";
    c.prepare_cached(sql)?.query_row([id], |r| r.get(0)).optional()
}
