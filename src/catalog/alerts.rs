//! What a person should look at: damaged and unreadable items, libraries that are away. Ours: a friend's are the friend's.
use rusqlite::Connection;

use super::libraries;
use super::model::{Id, Library, LibraryState};

/// Troubled items named one by one at most.
const NAMED_MAX: u32 = 100;

/// What is wrong in the catalog now.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    /// Libraries whose folder cannot be read now.
    pub unavailable: Vec<Library>,
    /// Damaged items, at most 100.
    pub damaged: Vec<Troubled>,
    /// Unreadable items, at most 100.
    pub unreadable: Vec<Troubled>,
    /// All unreadable items.
    pub unreadable_total: u64,
    /// Items of libraries that are there which are not, as on a disk mounted inside a library that is away now.
    pub missing_total: u64,
}

/// An item that is in trouble.
#[derive(Debug, Clone)]
pub struct Troubled {
    /// Item id.
    pub id: Id,
    /// The library it is in.
    pub library: Id,
    /// As shown.
    pub title: String,
    /// What is wrong, for people.
    pub problem: String,
}

pub(super) fn alerts(c: &Connection) -> rusqlite::Result<Alerts> {
    let count = |state: &str| -> rusqlite::Result<u64> {
        let sql = "SELECT coalesce(sum(items), 0) FROM tally WHERE state = ?1 AND kind NOT IN ('show', 'series', 'album') \
            AND library IN (SELECT id FROM library WHERE friend IS NULL)";
        Ok(c.prepare_cached(sql)?.query_row([state], |r| r.get::<_, i64>(0))?.cast_unsigned())
    };
    let away = |library: &Library| library.state == LibraryState::Unavailable;
    Ok(Alerts {
        unavailable: libraries::all(c)?
            .into_iter()
            .filter(|library| library.friend.is_none() && away(library))
            .collect(),
        damaged: troubled(c, "damaged")?,
        unreadable: troubled(c, "unreadable")?,
        unreadable_total: count("unreadable")?,
        missing_total: count("unavailable")?,
    })
}

fn troubled(c: &Connection, state: &str) -> rusqlite::Result<Vec<Troubled>> {
    let sql = format!(
        "SELECT id, library, title, ifnull(problem, '') FROM item WHERE state = ?1 AND state <> 'present' \
        AND library IN (SELECT id FROM library WHERE friend IS NULL) LIMIT {NAMED_MAX}"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let rows = statement.query_map([state], |r| {
        Ok(Troubled { id: r.get(0)?, library: r.get(1)?, title: r.get(2)?, problem: r.get(3)? })
    })?;
    rows.collect()
}
