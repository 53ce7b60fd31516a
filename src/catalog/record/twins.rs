//! Friends' items that are what another item is already: the same bytes, or the same film or episode by its name.
//!
//! A twin is in no list, count or search; it is a further source of the item that stands for it. One of ours stands for
//! any friend's, first of all the one that was made of it (a replica); of two friends' items the one that was known first does. So every chain ends at an item that is shown,
//! and settling in the order of the numbers ends too. Each writer of items settles what it touched, in its transaction.
use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, params};

use super::shows;
use crate::catalog::model::{ItemKind, ItemState};
use crate::catalog::{progress, replicas};

/// Numbers of the friends' items that this one stands for.
pub(in crate::catalog) fn behind(t: &Transaction<'_>, item: i64) -> rusqlite::Result<Vec<i64>> {
    t.prepare_cached("SELECT item FROM remote WHERE twin = ?1")?.query_map([item], |r| r.get(0))?.collect()
}

/// Numbers of the friends' items that items of this library stand for.
pub(in crate::catalog) fn behind_library(t: &Transaction<'_>, library: &str) -> rusqlite::Result<Vec<i64>> {
    let sql =
        "SELECT r.item FROM remote AS r JOIN item AS i ON i.n = r.twin WHERE r.twin IS NOT NULL AND i.library = ?1";
    t.prepare_cached(sql)?.query_map([library], |r| r.get(0))?.collect()
}

/// Numbers of the episodes of a show.
pub(super) fn episodes(t: &Transaction<'_>, show: i64) -> rusqlite::Result<Vec<i64>> {
    t.prepare_cached("SELECT n FROM item WHERE show = ?1")?.query_map([show], |r| r.get(0))?.collect()
}

/// Decides anew which friends' items are shown, after these were written or lost the item that stood for them. Returns
/// those that are shown or hidden now and were not before.
pub(in crate::catalog) fn settle(
    t: &Transaction<'_>,
    touched: impl IntoIterator<Item = i64>,
) -> rusqlite::Result<Vec<i64>> {
    let any: bool = t.prepare_cached("SELECT EXISTS (SELECT 1 FROM remote)")?.query_row([], |r| r.get(0))?;
    if !any {
        return Ok(Vec::new());
    }
    let mut waiting = BTreeSet::new();
    for item in touched {
        waiting.extend(around(t, item)?);
    }
    let mut turned = Vec::new();
    while let Some(item) = waiting.pop_first() {
        if place(t, item)? {
            turned.push(item);
            // Only what came after it may stand behind it: each step goes up.
            waiting.extend(around(t, item)?.into_iter().filter(|other| *other > item));
        }
    }
    Ok(turned)
}

/// What two items are compared by.
struct Likeness {
    library: String,
    kind: ItemKind,
    sort_key: String,
    year: Option<i32>,
    /// Season and number are known.
    numbered: bool,
    show_year: Option<i32>,
    cid: Option<String>,
}

impl Likeness {
    fn of(t: &Transaction<'_>, item: i64) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT i.library, i.kind, i.sort_key, i.year, i.season IS NOT NULL AND i.episode IS NOT NULL, s.year, \
            ifnull(f.cid, r.cid) FROM item AS i LEFT JOIN item AS s ON s.n = i.show LEFT JOIN file AS f ON f.item = i.n \
            LEFT JOIN remote AS r ON r.item = i.n WHERE i.n = ?1";
        let likeness = |r: &rusqlite::Row<'_>| {
            Ok(Self {
                library: r.get(0)?,
                kind: r.get(1)?,
                sort_key: r.get(2)?,
                year: r.get(3)?,
                numbered: r.get(4)?,
                show_year: r.get(5)?,
                cid: r.get(6)?,
            })
        };
        t.prepare_cached(sql)?.query_row([item], likeness).optional()
    }

    /// The first and the last sort key of what is the same by name; `None` where a name alone says too little: of a
    /// film without a year, an episode without a number, a plain video.
    fn keys(&self) -> Option<(String, String)> {
        match self.kind {
            ItemKind::Movie if self.year.is_some() => Some((self.sort_key.clone(), self.sort_key.clone())),
            ItemKind::Episode if self.numbered => {
                // Show, season and number; the title of an episode is written in many ways.
                let mut parts = self.sort_key.splitn(4, '\u{1}');
                let (show, season, number) = (parts.next()?, parts.next()?, parts.next()?);
                let first = format!("{show}\u{1}{season}\u{1}{number}\u{1}");
                let last = format!("{show}\u{1}{season}\u{1}{number}\u{2}");
                Some((first, last))
            }
            _ => None,
        }
    }
}

/// Friends' items whose place may depend on this one: itself, those behind it, and all that are like it.
fn around(t: &Transaction<'_>, item: i64) -> rusqlite::Result<BTreeSet<i64>> {
    let mut found: BTreeSet<i64> = behind(t, item)?.into_iter().collect();
    let sql = "SELECT item FROM remote WHERE item = ?1";
    found.extend(t.prepare_cached(sql)?.query_row([item], |r| r.get::<_, i64>(0)).optional()?);
    let Some(like) = Likeness::of(t, item)? else { return Ok(found) };
    if let Some(cid) = &like.cid {
        let mut same = t.prepare_cached("SELECT item FROM remote WHERE cid = ?1")?;
        for row in same.query_map([cid], |r| r.get(0))? {
            found.insert(row?);
        }
    }
    if let Some((first, last)) = like.keys() {
        // Hidden ones are in no index, but behind something that is shown and like them; so what is like it is enough.
        let sql = "SELECT i.n FROM item AS i WHERE i.library IN (SELECT id FROM library) AND i.kind = ?1 \
            AND i.sort_key BETWEEN ?2 AND ?3 AND i.state <> 'trashed'";
        let shown: Vec<i64> = t
            .prepare_cached(sql)?
            .query_map(params![like.kind, first, last], |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        for other in shown {
            found.extend(behind(t, other)?);
            found.insert(other);
        }
    }
    let remote = "SELECT EXISTS (SELECT 1 FROM remote WHERE item = ?1)";
    let mut statement = t.prepare_cached(remote)?;
    let mut only = BTreeSet::new();
    for n in found {
        if statement.query_row([n], |r| r.get(0))? {
            only.insert(n);
        }
    }
    Ok(only)
}

/// Shows or hides one friend's item. Whether that is new.
fn place(t: &Transaction<'_>, item: i64) -> rusqlite::Result<bool> {
    let sql =
        "SELECT r.twin, r.state, i.state, i.kind FROM remote AS r JOIN item AS i ON i.n = r.item WHERE r.item = ?1";
    let known = t.prepare_cached(sql)?.query_row([item], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)));
    let known: Option<(Option<i64>, ItemState, ItemState, ItemKind)> = known.optional()?;
    let Some((twin, told, state, kind)) = known else { return Ok(false) };
    // A show is hidden when all its episodes are; what is gone has no twin.
    if kind.is_group() || told == ItemState::Trashed {
        return Ok(false);
    }
    let first = stands_for(t, item)?;
    let becomes = if first.is_some() { ItemState::Trashed } else { told };
    if first != twin {
        t.prepare_cached("UPDATE remote SET twin = ?2 WHERE item = ?1")?.execute(params![item, first])?;
        first.map_or(Ok(()), |first| progress::join(t, item, first))?;
    }
    if becomes != state {
        t.prepare_cached("UPDATE item SET state = ?2 WHERE n = ?1")?.execute(params![item, becomes])?;
        shows::turned(t, item)?;
    }
    Ok(first.is_some() != twin.is_some() || becomes != state)
}

/// The item that stands for this one, if there is any.
fn stands_for(t: &Transaction<'_>, item: i64) -> rusqlite::Result<Option<i64>> {
    // Also while the friend's is another film already, and the new one is still being fetched.
    if let Some(replica) = replicas::replica_of(t, item)? {
        return Ok(Some(replica));
    }
    let Some(like) = Likeness::of(t, item)? else { return Ok(None) };
    if let Some(cid) = &like.cid {
        let ours = "SELECT i.n FROM file AS f JOIN item AS i ON i.n = f.item WHERE f.cid = ?1 AND i.state <> 'trashed' \
            ORDER BY i.n LIMIT 1";
        let ours: Option<i64> = t.prepare_cached(ours)?.query_row([cid], |r| r.get(0)).optional()?;
        if ours.is_some() {
            return Ok(ours);
        }
        let theirs = "SELECT i.n FROM remote AS r JOIN item AS i ON i.n = r.item WHERE r.cid = ?1 AND r.item < ?2 \
            AND i.state <> 'trashed' AND i.library <> ?3 ORDER BY i.n LIMIT 1";
        let values = params![cid, item, like.library];
        let theirs: Option<i64> = t.prepare_cached(theirs)?.query_row(values, |r| r.get(0)).optional()?;
        if theirs.is_some() {
            return Ok(theirs);
        }
    }
    let Some((first, last)) = like.keys() else { return Ok(None) };
    let sql = "SELECT i.n FROM item AS i JOIN library AS l ON l.id = i.library LEFT JOIN item AS s ON s.n = i.show \
        WHERE i.library IN (SELECT id FROM library) AND i.kind = ?1 AND i.sort_key BETWEEN ?2 AND ?3 AND i.state <> 'trashed' \
        AND i.year IS ifnull(?4, i.year) AND (s.year IS NULL OR ?5 IS NULL OR s.year = ?5) \
        AND i.library <> ?6 AND (l.friend IS NULL OR i.n < ?7) ORDER BY l.friend IS NOT NULL, i.n LIMIT 1";
    // An episode's own year is written by few.
    let year = like.year.filter(|_| like.kind == ItemKind::Movie);
    let values = params![like.kind, first, last, year, like.show_year, like.library, item];
    t.prepare_cached(sql)?.query_row(values, |r| r.get(0)).optional()
}
