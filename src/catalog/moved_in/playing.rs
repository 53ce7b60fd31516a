//! Bookmarks and queues from elsewhere: of two, the later one counts, and what was told before is not told again.
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Recall, TakenReading};
use crate::catalog::model::Id;
use crate::catalog::music::{Hearer, PlayQueue, save_queue};

/// A place in a track that somebody marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedBookmark {
    /// Account here.
    pub account: Id,
    /// Number of the track.
    pub item: i64,
    pub position_ms: u64,
    pub comment: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

/// What somebody hears now and next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedQueue {
    /// Account here.
    pub account: Id,
    /// Numbers of tracks.
    pub tracks: Vec<i64>,
    /// Place of what plays.
    pub current: Option<usize>,
    pub position_ms: u64,
    /// Unix milliseconds.
    pub changed_at: i64,
    /// The program.
    pub changed_by: String,
}

/// See [`super::Catalog::take_bookmarks`].
pub(super) fn bookmarks(t: &Transaction<'_>, marks: &[MovedBookmark], now: i64) -> rusqlite::Result<TakenReading> {
    let mut taken = TakenReading::default();
    for mark in marks {
        let recall = Recall { account: &mark.account, kind: "bookmark", target: mark.item };
        let changed_at = mark.changed_at.clamp(0, now);
        let sql = "SELECT changed_at FROM bookmark WHERE account = ?1 AND item = ?2";
        if is_known(t, &recall, changed_at, sql, &[&mark.account, &mark.item])? {
            taken.known += 1;
            continue;
        }
        let sql = "INSERT INTO bookmark VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account, item) DO UPDATE SET \
            position_ms = excluded.position_ms, comment = excluded.comment, changed_at = excluded.changed_at";
        let position = i64::try_from(mark.position_ms).unwrap_or(i64::MAX);
        let created_at = mark.created_at.clamp(0, now);
        t.prepare_cached(sql)?.execute(params![
            mark.account,
            mark.item,
            position,
            mark.comment,
            created_at,
            changed_at
        ])?;
        taken.taken += 1;
    }
    Ok(taken)
}

/// See [`super::Catalog::take_queue`].
pub(super) fn queue(t: &Transaction<'_>, queue: &MovedQueue, now: i64) -> rusqlite::Result<bool> {
    let recall = Recall { account: &queue.account, kind: "queue", target: 0 };
    let changed_at = queue.changed_at.clamp(0, now);
    let sql = "SELECT changed_at FROM play_queue WHERE account = ?1";
    if is_known(t, &recall, changed_at, sql, &[&queue.account])? {
        return Ok(false);
    }
    let own = "SELECT id FROM library WHERE friend IS NULL";
    let libraries = t.prepare_cached(own)?.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    let saved = PlayQueue {
        tracks: queue.tracks.clone(),
        current: queue.current,
        position_ms: queue.position_ms,
        changed_at,
        changed_by: queue.changed_by.clone(),
    };
    save_queue(t, &Hearer { account: queue.account.clone(), libraries }, &saved)?;
    Ok(true)
}

/// Whether it was told before, or something later is here; remembers that it was told.
fn is_known(
    t: &Transaction<'_>,
    recall: &Recall<'_>,
    changed_at: i64,
    sql: &str,
    which: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<bool> {
    let word = changed_at.to_string();
    if recall.told(t)?.as_ref() == Some(&word) {
        return Ok(true);
    }
    recall.keep(t, &word)?;
    let here: Option<i64> = t.prepare_cached(sql)?.query_row(which, |r| r.get(0)).optional()?;
    Ok(here.is_some_and(|here| here >= changed_at))
}
