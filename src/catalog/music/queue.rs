//! Where people are in what they hear: the queue that goes on at another device, and bookmarks within tracks.
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Hearer;
use super::playlists::visible;

/// Tracks that a queue has at most.
pub const QUEUE_MAX: usize = 20_000;

/// What an account hears now and next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayQueue {
    /// Numbers of tracks.
    pub tracks: Vec<i64>,
    /// The place of what plays, from 0.
    pub current: Option<usize>,
    /// In that track.
    pub position_ms: u64,
    /// Unix milliseconds.
    pub changed_at: i64,
    /// The program that saved it.
    pub changed_by: String,
}

/// A place in a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// Number of the track.
    pub track: i64,
    pub position_ms: u64,
    pub comment: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

pub(super) fn saved(c: &Connection, account: &str) -> rusqlite::Result<Option<PlayQueue>> {
    let sql = "SELECT item FROM play_queue_track WHERE account = ?1 ORDER BY place";
    let tracks: Vec<i64> = c.prepare_cached(sql)?.query_map([account], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let sql = "SELECT current, position_ms, changed_at, changed_by FROM play_queue WHERE account = ?1";
    let read = |r: &rusqlite::Row<'_>| {
        let current = r.get::<_, Option<i64>>(0)?.and_then(|place| usize::try_from(place).ok());
        Ok((current, r.get::<_, i64>(1)?.cast_unsigned(), r.get(2)?, r.get(3)?))
    };
    let found = c.prepare_cached(sql)?.query_row([account], read).optional()?;
    Ok(found.map(|(current, position_ms, changed_at, changed_by)| {
        let current = current.filter(|place| *place < tracks.len());
        PlayQueue { tracks, current, position_ms, changed_at, changed_by }
    }))
}

/// Saves a queue; an empty one forgets what was saved. Tracks that the hearer may not see are left out.
pub(in crate::catalog) fn save(t: &Transaction<'_>, hearer: &Hearer, queue: &PlayQueue) -> rusqlite::Result<()> {
    t.prepare_cached("DELETE FROM play_queue WHERE account = ?1")?.execute([&hearer.account])?;
    let playing = queue.current.and_then(|place| queue.tracks.get(place)).copied();
    let mut tracks = visible(t, hearer, &queue.tracks)?;
    tracks.truncate(QUEUE_MAX);
    if tracks.is_empty() {
        return Ok(());
    }
    let same = tracks.len() == queue.tracks.len();
    let current =
        if same { queue.current } else { playing.and_then(|playing| tracks.iter().position(|n| *n == playing)) };
    let current = current.and_then(|place| i64::try_from(place).ok());
    let sql = "INSERT INTO play_queue VALUES (?1, ?2, ?3, ?4, ?5)";
    let position = queue.position_ms.cast_signed();
    t.prepare_cached(sql)?.execute(params![hearer.account, current, position, queue.changed_at, queue.changed_by])?;
    for (place, item) in tracks.iter().enumerate() {
        let sql = "INSERT INTO play_queue_track VALUES (?1, ?2, ?3)";
        t.prepare_cached(sql)?.execute(params![hearer.account, place as i64, item])?;
    }
    Ok(())
}

/// Latest first.
pub(super) fn bookmarks(c: &Connection, hearer: &Hearer) -> rusqlite::Result<Vec<Bookmark>> {
    let sql = "SELECT b.item, b.position_ms, b.comment, b.created_at, b.changed_at FROM bookmark AS b JOIN item AS i ON i.n = b.item \
        WHERE b.account = ?1 AND i.state <> 'trashed' AND i.library IN (SELECT value FROM json_each(?2)) ORDER BY b.changed_at DESC, b.item";
    let read = |r: &rusqlite::Row<'_>| {
        let position_ms = r.get::<_, i64>(1)?.cast_unsigned();
        Ok(Bookmark { track: r.get(0)?, position_ms, comment: r.get(2)?, created_at: r.get(3)?, changed_at: r.get(4)? })
    };
    c.prepare_cached(sql)?.query_map(params![hearer.account, hearer.libraries()], read)?.collect()
}

/// Whether the track was found.
pub(super) fn mark(
    t: &Transaction<'_>,
    hearer: &Hearer,
    track: i64,
    position_ms: u64,
    comment: &str,
    now: i64,
) -> rusqlite::Result<bool> {
    if visible(t, hearer, &[track])?.is_empty() {
        return Ok(false);
    }
    let sql = "INSERT INTO bookmark VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (account, item) \
        DO UPDATE SET position_ms = excluded.position_ms, comment = excluded.comment, changed_at = excluded.changed_at";
    let position = position_ms.cast_signed();
    t.prepare_cached(sql)?.execute(params![hearer.account, track, position, comment, now])?;
    Ok(true)
}

pub(super) fn unmark(t: &Transaction<'_>, account: &str, track: i64) -> rusqlite::Result<()> {
    t.prepare_cached("DELETE FROM bookmark WHERE account = ?1 AND item = ?2")?
        .execute(params![account, track])
        .map(|_| ())
}
