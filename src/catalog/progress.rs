//! How far each account has watched. A row is there only for what was begun or finished.
use rusqlite::{OptionalExtension, Transaction, params};

use super::model::Progress;

/// Remembers how far an account is; at the very start and not finished means: forgets it. `false`: no such item.
pub(super) fn set(
    t: &Transaction<'_>,
    account: &str,
    item: &str,
    progress: Progress,
    now: i64,
) -> rusqlite::Result<bool> {
    let found: Option<i64> = t.query_row("SELECT n FROM item WHERE id = ?1", [item], |r| r.get(0)).optional()?;
    let Some(n) = found else { return Ok(false) };
    if progress.position <= 0.0 && !progress.completed {
        t.execute("DELETE FROM progress WHERE account = ?1 AND item = ?2", params![account, n])?;
    } else {
        let sql = "INSERT OR REPLACE INTO progress (account, item, position, completed, watched_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        t.execute(sql, params![account, n, progress.position, progress.completed, now])?;
    }
    Ok(true)
}

/// Forgets all that an account watched.
pub(super) fn forget_account(t: &Transaction<'_>, account: &str) -> rusqlite::Result<usize> {
    t.execute("DELETE FROM progress WHERE account = ?1", [account])
}
