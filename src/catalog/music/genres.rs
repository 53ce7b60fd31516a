//! Genres, and how much there is of each.
use rusqlite::{Connection, named_params};

use super::Hearer;

/// A genre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genre {
    /// As it was first written.
    pub name: String,
    /// Tracks that have it.
    pub songs: u32,
    /// Albums with such a track.
    pub albums: u32,
}

pub(super) fn list(c: &Connection, hearer: &Hearer) -> rusqlite::Result<Vec<Genre>> {
    let sql = "SELECT g.name, sum(i.kind = 'track'), sum(i.kind = 'album') FROM genre AS g JOIN genre_of AS o ON o.genre = g.n \
        JOIN item AS i ON i.n = o.item WHERE i.library IN (SELECT value FROM json_each(:libraries)) AND i.state <> 'trashed' \
        GROUP BY g.n ORDER BY g.key";
    let values = named_params! {":libraries": hearer.libraries()};
    let read = |r: &rusqlite::Row<'_>| Ok(Genre { name: r.get(0)?, songs: r.get(1)?, albums: r.get(2)? });
    c.prepare_cached(sql)?.query_map(values, read)?.collect()
}
