//! The real folders of music, and what is in them.
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::Hearer;
use super::rows::{self, Opinion, Track};
use crate::catalog::items::path;
use crate::catalog::model::Id;

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    pub number: i64,
    pub library: Id,
    /// The one above; `None` for the root of a library.
    pub parent: Option<i64>,
    /// Empty for the root of a library.
    pub name: String,
    /// What lists are ordered by.
    pub sort_key: String,
    /// Below its library's root.
    pub place: PathBuf,
    /// Unix milliseconds.
    pub added_at: i64,
    /// The album whose tracks lie in it, if it is one alone.
    pub album: Option<i64>,
    /// Of a track in it. Absolute.
    pub poster: Option<PathBuf>,
    pub opinion: Opinion,
}

/// What is in a folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inside {
    /// By name.
    pub directories: Vec<Directory>,
    /// By disc and number.
    pub tracks: Vec<Track>,
}

const SELECT: &str = "SELECT d.n, d.library, d.parent, d.name, d.sort_key, d.place, d.added_at, \
    (SELECT CASE WHEN count(DISTINCT i.show) = 1 THEN min(i.show) END FROM track AS t JOIN item AS i ON i.n = t.item \
        WHERE t.directory = d.n AND i.state <> 'trashed') AS album, \
    (SELECT i.poster FROM track AS t JOIN item AS i ON i.n = t.item WHERE t.directory = d.n AND i.poster IS NOT NULL \
        AND i.state <> 'trashed' LIMIT 1) AS poster, \
    o.starred_at, o.rating, ifnull(o.plays, 0) AS plays, o.played_at FROM directory AS d \
    LEFT JOIN opinion AS o ON o.account = :account AND o.kind = 'directory' AND o.target = d.n \
    WHERE d.library IN (SELECT value FROM json_each(:libraries)) \
    AND (EXISTS (SELECT 1 FROM track AS t WHERE t.directory = d.n) OR EXISTS (SELECT 1 FROM directory AS b WHERE b.parent = d.n))";

fn directory(r: &Row<'_>) -> rusqlite::Result<Directory> {
    Ok(Directory {
        number: r.get("n")?,
        library: r.get("library")?,
        parent: r.get("parent")?,
        name: r.get("name")?,
        sort_key: r.get("sort_key")?,
        place: path(r.get("place")?),
        added_at: r.get("added_at")?,
        album: r.get("album")?,
        poster: r.get::<_, Option<Vec<u8>>>("poster")?.map(path),
        opinion: Opinion {
            starred_at: r.get("starred_at")?,
            rating: r.get("rating")?,
            plays: r.get("plays")?,
            played_at: r.get("played_at")?,
        },
    })
}

/// What is in the roots of all libraries.
pub(super) fn top(c: &Connection, hearer: &Hearer) -> rusqlite::Result<Inside> {
    let sql = "SELECT n FROM directory WHERE parent IS NULL AND library IN (SELECT value FROM json_each(?1))";
    let roots =
        c.prepare_cached(sql)?.query_map([hearer.libraries()], |r| r.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut all = Inside::default();
    for root in roots {
        let inside = inside(c, hearer, root)?;
        all.directories.extend(inside.directories);
        all.tracks.extend(inside.tracks);
    }
    all.directories.sort_by(|a, b| (&a.sort_key, a.number).cmp(&(&b.sort_key, b.number)));
    Ok(all)
}

/// Those that a hearer starred, latest first.
pub(super) fn starred(c: &Connection, hearer: &Hearer) -> rusqlite::Result<Vec<Directory>> {
    let sql = format!("{SELECT} AND o.starred_at IS NOT NULL ORDER BY o.starred_at DESC, d.n");
    let values = named_params! {":account": hearer.account, ":libraries": hearer.libraries()};
    c.prepare_cached(&sql)?.query_map(values, directory)?.collect()
}

pub(super) fn one(c: &Connection, hearer: &Hearer, number: i64) -> rusqlite::Result<Option<(Directory, Inside)>> {
    let sql = format!("{SELECT} AND d.n = :n");
    let values = named_params! {":account": hearer.account, ":libraries": hearer.libraries(), ":n": number};
    let found = c.prepare_cached(&sql)?.query_row(values, directory).optional()?;
    found.map(|found| Ok((found, inside(c, hearer, number)?))).transpose()
}

fn inside(c: &Connection, hearer: &Hearer, parent: i64) -> rusqlite::Result<Inside> {
    let sql = format!("{SELECT} AND d.parent = :n ORDER BY d.sort_key, d.n");
    let values = named_params! {":account": hearer.account, ":libraries": hearer.libraries(), ":n": parent};
    let directories = c.prepare_cached(&sql)?.query_map(values, directory)?.collect::<Result<_, _>>()?;
    let sql = "SELECT t.item FROM track AS t JOIN item AS i ON i.n = t.item JOIN file AS f ON f.item = i.n \
        WHERE t.directory = ?1 AND i.state <> 'trashed' ORDER BY ifnull(i.season, 0), ifnull(i.episode, 99999), f.place";
    let numbers = c.prepare_cached(sql)?.query_map([parent], |r| r.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    Ok(Inside { directories, tracks: rows::tracks(c, hearer, &numbers)? })
}

/// The numbers of the tracks in a folder and in all below it, folder by folder, as each is shown.
pub(super) fn below(c: &Connection, hearer: &Hearer, top: i64, most: u32) -> rusqlite::Result<Vec<i64>> {
    let sql = "WITH RECURSIVE inside (n, place) AS (SELECT n, place FROM directory WHERE n = :n \
            UNION ALL SELECT d.n, d.place FROM directory AS d JOIN inside AS up ON d.parent = up.n) \
        SELECT t.item FROM inside AS d JOIN track AS t ON t.directory = d.n JOIN item AS i ON i.n = t.item JOIN file AS f ON f.item = i.n \
        WHERE i.state <> 'trashed' AND i.library IN (SELECT value FROM json_each(:libraries)) \
        ORDER BY d.place, ifnull(i.season, 0), ifnull(i.episode, 99999), f.place LIMIT :most";
    let values = named_params! {":n": top, ":libraries": hearer.libraries(), ":most": most};
    c.prepare_cached(sql)?.query_map(values, |r| r.get(0))?.collect()
}
