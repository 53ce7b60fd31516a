//! The table of libraries.
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::model::{Id, Library, LibraryState};
use super::record::twins;
use super::{CatalogError, LibraryTotals, items};

const COLUMNS: &str = "id, ifnull(shown, name) AS title, kind, path, visibility, state, scanned_at, friend";

fn library(row: &Row<'_>) -> rusqlite::Result<Library> {
    Ok(Library {
        id: row.get(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        path: items::path(row.get(3)?),
        visibility: row.get(4)?,
        state: row.get(5)?,
        scanned_at: row.get(6)?,
        friend: row.get(7)?,
    })
}

pub(super) fn all(c: &Connection) -> rusqlite::Result<Vec<Library>> {
    let sql = format!("SELECT {COLUMNS} FROM library WHERE withdrawn = 0 ORDER BY title COLLATE NOCASE, id");
    c.prepare_cached(&sql)?.query_map([], library)?.collect()
}

pub(super) fn one(c: &Connection, id: &str) -> rusqlite::Result<Option<Library>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM library WHERE id = ifnull((SELECT a.library FROM library_alias AS a WHERE a.id = ?1), ?1) \
        AND withdrawn = 0"
    );
    c.prepare_cached(&sql)?.query_row([id], library).optional()
}

/// Adds a library, or says with which other it conflicts.
pub(super) fn add(t: &Transaction<'_>, new: &Library) -> rusqlite::Result<Result<(), CatalogError>> {
    if let Err(error) = check(&all(t)?, new) {
        return Ok(Err(error));
    }
    let sql = "INSERT INTO library (id, name, kind, path, visibility, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    t.execute(sql, params![new.id, new.name, new.kind, items::bytes(&new.path), new.visibility, new.state])?;
    Ok(Ok(()))
}

/// Gives a library another name, folder or visibility. Where its folder changes, the files keep their places below it,
/// and remember under which path the block index knows them.
pub(super) fn change(t: &Transaction<'_>, changed: &Library) -> rusqlite::Result<Result<(), CatalogError>> {
    let ours = one(t, &changed.id)?.filter(|library| library.friend.is_none());
    let Some(before) = ours else { return Ok(Err(CatalogError::NotFound("library"))) };
    let others: Vec<Library> = all(t)?.into_iter().filter(|other| other.id != changed.id).collect();
    if let Err(error) = check(&others, changed) {
        return Ok(Err(error));
    }
    if before.path != changed.path {
        let mut prefix = items::bytes(&before.path).to_vec();
        prefix.push(b'/');
        let sql = "UPDATE file SET indexed_as = CAST(?1 || place AS BLOB) WHERE library = ?2 AND indexed_as IS NULL";
        t.execute(sql, params![prefix, changed.id])?;
    }
    let sql = "UPDATE library SET name = ?2, path = ?3, visibility = ?4 WHERE id = ?1";
    t.execute(sql, params![changed.id, changed.name, items::bytes(&changed.path), changed.visibility])?;
    Ok(Ok(()))
}

/// Whether a library can stand beside the others: a name, a folder of its own.
fn check(others: &[Library], new: &Library) -> Result<(), CatalogError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.contains(char::is_control) {
        return Err(CatalogError::Invalid("name: must be 1 to 64 characters".to_owned()));
    }
    if !new.path.is_absolute() || new.path.parent().is_none() {
        return Err(CatalogError::Invalid("path: must be the absolute path of a folder below the root".to_owned()));
    }
    for other in others.iter().filter(|other| other.friend.is_none()) {
        if other.name.to_lowercase() == new.name.to_lowercase() {
            return Err(CatalogError::Conflict(format!("there is a library named {} already", other.name)));
        }
        if new.path.starts_with(&other.path) || other.path.starts_with(&new.path) {
            let (path, name) = (other.path.display(), &other.name);
            return Err(CatalogError::Conflict(format!("the folder overlaps {path} of the library {name}")));
        }
    }
    Ok(())
}

/// Forgets a library of ours with its items; what of friends' was hidden behind them is shown.
pub(super) fn remove(t: &Transaction<'_>, id: &str) -> rusqlite::Result<bool> {
    let hidden = twins::behind_library(t, id)?;
    let watched = "DELETE FROM watched WHERE item IN (SELECT id FROM item WHERE library = ?1 \
        AND library IN (SELECT id FROM library WHERE friend IS NULL))";
    t.execute(watched, [id])?;
    let removed = t.execute("DELETE FROM library WHERE id = ?1 AND friend IS NULL", [id])? > 0;
    twins::settle(t, hidden)?;
    Ok(removed)
}

pub(super) fn friend_cursor(c: &Connection, friend: &str) -> rusqlite::Result<String> {
    let sql = "SELECT cursor FROM friend_cursor WHERE friend = ?1";
    Ok(c.prepare_cached(sql)?.query_row([friend], |r| r.get(0)).optional()?.unwrap_or_default())
}

pub(super) fn friends_known(c: &Connection) -> rusqlite::Result<Vec<Id>> {
    let sql = "SELECT friend FROM library WHERE friend IS NOT NULL UNION SELECT friend FROM friend_cursor";
    c.prepare_cached(sql)?.query_map([], |r| r.get(0))?.collect()
}

pub(super) fn set_state(t: &Transaction<'_>, id: &str, state: LibraryState) -> rusqlite::Result<bool> {
    Ok(t.execute("UPDATE library SET state = ?2 WHERE id = ?1 AND state <> ?2", params![id, state])? > 0)
}

pub(super) fn set_scanned(t: &Transaction<'_>, id: &str, now: i64) -> rusqlite::Result<()> {
    t.execute("UPDATE library SET scanned_at = ?2 WHERE id = ?1", params![id, now]).map(|_| ())
}

pub(super) fn totals(c: &Connection, id: &str) -> rusqlite::Result<LibraryTotals> {
    let sql = "SELECT coalesce(sum(items), 0), coalesce(sum(bytes), 0), coalesce(sum(items) FILTER (WHERE state = 'damaged'), 0) \
        FROM tally WHERE library = ?1 AND kind NOT IN ('show', 'series', 'album') AND state <> 'trashed'";
    c.prepare_cached(sql)?.query_row([id], |r| {
        let [items, bytes, damaged] = [r.get(0)?, r.get(1)?, r.get(2)?].map(i64::cast_unsigned);
        Ok(LibraryTotals { items, bytes, damaged })
    })
}

/// The path with `.` and doubled separators taken out; what links point to stays as the owner wrote it.
pub(super) fn normal(path: &Path) -> std::path::PathBuf {
    path.components().collect()
}
