//! Reads what only books and their series have.
use rusqlite::{Connection, OptionalExtension};

use super::items::number_of;
use super::model::Id;

/// The list of pages of a book, in the form of `media::book::encode_pages`.
pub(super) fn page_list(c: &Connection, item: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    c.prepare_cached("SELECT pages FROM page_list WHERE item = ?1")?.query_row([item], |r| r.get(0)).optional()
}

/// The same by the item's id.
pub(super) fn page_list_of(c: &Connection, id: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = format!("SELECT pages FROM page_list WHERE item = {}", number_of("?1"));
    c.prepare_cached(&sql)?.query_row([id], |r| r.get(0)).optional()
}

/// See [`super::Catalog::books_by_partial_md5`].
pub(super) fn by_partial_md5(c: &Connection, hash: &str) -> rusqlite::Result<Vec<Id>> {
    let sql = "SELECT i.id FROM book AS b JOIN item AS i ON i.n = b.item WHERE b.partial_md5 = ?1 AND i.state <> 'trashed' ORDER BY i.n";
    c.prepare_cached(sql)?.query_map([hash], |r| r.get(0))?.collect()
}

/// See [`super::Catalog::direction`].
pub(super) fn direction(c: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    let sql = format!(
        "SELECT s.direction FROM item AS i JOIN series AS s ON s.item IN (i.n, i.show) WHERE i.n = {} AND s.direction <> ''",
        number_of("?1")
    );
    c.prepare_cached(&sql)?.query_row([id], |r| r.get(0)).optional()
}

/// See [`super::Catalog::book_described`].
pub(super) fn described(c: &Connection, id: &str) -> rusqlite::Result<Option<i64>> {
    let sql = format!("SELECT described_at FROM book WHERE item = {}", number_of("?1"));
    c.prepare_cached(&sql)?.query_row([id], |r| r.get(0)).optional()
}
