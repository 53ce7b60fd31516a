//! What somebody shows to whoever has a link.
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::Hearer;
use super::playlists::visible;
use crate::catalog::model::Id;

/// Tracks that a share has at most.
pub const SHARE_MAX: usize = 2000;
/// Shares that an account has at most.
pub(super) const SHARES_MAX: u32 = 1000;

/// What became of a new share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    Yes,
    /// None of its tracks may be seen.
    Empty,
    /// The account has [`SHARES_MAX`].
    TooMany,
}

/// Tracks behind a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Cannot be guessed; part of the link.
    pub id: String,
    /// Account.
    pub owner: Id,
    pub description: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds; nothing is shown after it.
    pub expires_at: Option<i64>,
    /// Unix milliseconds.
    pub visited_at: Option<i64>,
    pub visits: u32,
    /// Numbers of tracks.
    pub tracks: Vec<i64>,
}

const SELECT: &str = "SELECT id, owner, description, created_at, expires_at, visited_at, visits FROM share";

fn share(r: &Row<'_>) -> rusqlite::Result<Share> {
    Ok(Share {
        id: r.get(0)?,
        owner: r.get(1)?,
        description: r.get(2)?,
        created_at: r.get(3)?,
        expires_at: r.get(4)?,
        visited_at: r.get(5)?,
        visits: r.get(6)?,
        tracks: Vec::new(),
    })
}

pub(super) fn of_account(c: &Connection, account: &str) -> rusqlite::Result<Vec<Share>> {
    let sql = format!("{SELECT} WHERE owner = ?1 ORDER BY created_at DESC, id");
    let all: Vec<Share> = c.prepare_cached(&sql)?.query_map([account], share)?.collect::<Result<_, _>>()?;
    all.into_iter().map(|share| with_tracks(c, share)).collect()
}

pub(super) fn one(c: &Connection, id: &str) -> rusqlite::Result<Option<Share>> {
    let found = c.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?.query_row([id], share).optional()?;
    found.map(|share| with_tracks(c, share)).transpose()
}

fn with_tracks(c: &Connection, share: Share) -> rusqlite::Result<Share> {
    let sql = "SELECT item FROM share_item WHERE share = ?1 ORDER BY place";
    let tracks = c.prepare_cached(sql)?.query_map([&share.id], |r| r.get(0))?.collect::<Result<_, _>>()?;
    Ok(Share { tracks, ..share })
}

/// Writes a new one; what the hearer may not see is not in it.
pub(super) fn add(t: &Transaction<'_>, hearer: &Hearer, new: &Share) -> rusqlite::Result<Added> {
    let sql = "SELECT count(*) FROM share WHERE owner = ?1";
    if t.prepare_cached(sql)?.query_row([&hearer.account], |r| r.get::<_, u32>(0))? >= SHARES_MAX {
        return Ok(Added::TooMany);
    }
    let mut tracks = visible(t, hearer, &new.tracks)?;
    tracks.truncate(SHARE_MAX);
    if tracks.is_empty() {
        return Ok(Added::Empty);
    }
    let sql = "INSERT INTO share (id, owner, description, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    t.prepare_cached(sql)?.execute(params![new.id, hearer.account, new.description, new.created_at, new.expires_at])?;
    for (place, item) in tracks.iter().enumerate() {
        t.prepare_cached("INSERT INTO share_item VALUES (?1, ?2, ?3)")?.execute(params![new.id, place as i64, item])?;
    }
    Ok(Added::Yes)
}

/// Whether there was one of this account.
pub(super) fn change(
    t: &Transaction<'_>,
    account: &str,
    id: &str,
    description: Option<&str>,
    expires_at: Option<Option<i64>>,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE share SET description = ifnull(?3, description), expires_at = CASE WHEN ?4 THEN ?5 ELSE expires_at END \
        WHERE id = ?1 AND owner = ?2";
    let values = params![id, account, description, expires_at.is_some(), expires_at.flatten()];
    Ok(t.prepare_cached(sql)?.execute(values)? > 0)
}

/// Whether there was one of this account.
pub(super) fn remove(t: &Transaction<'_>, account: &str, id: &str) -> rusqlite::Result<bool> {
    Ok(t.prepare_cached("DELETE FROM share WHERE id = ?1 AND owner = ?2")?.execute(params![id, account])? > 0)
}

pub(super) fn visited(t: &Transaction<'_>, id: &str, now: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE share SET visits = visits + 1, visited_at = ?2 WHERE id = ?1";
    t.prepare_cached(sql)?.execute(params![id, now]).map(|_| ())
}
