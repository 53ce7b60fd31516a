//! Playlists: tracks in an order that somebody gave them, as often as they were put there.
use std::collections::HashSet;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};

use super::Hearer;
use crate::catalog::items::path;
use crate::catalog::model::Id;
use crate::catalog::new_id;

/// Tracks that a playlist has at most.
pub const PLAYLIST_MAX: usize = 20_000;

/// A playlist.
#[derive(Debug, Clone, PartialEq)]
pub struct Playlist {
    pub number: i64,
    pub id: Id,
    /// Account; empty for one that follows a file.
    pub owner: Id,
    pub name: String,
    pub comment: String,
    /// Everybody here sees it.
    pub public: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
    /// That the hearer may see.
    pub songs: u32,
    pub seconds: f64,
    /// Of its first track that has one. Absolute.
    pub poster: Option<PathBuf>,
    /// That track, or its album.
    pub cover: Option<Id>,
}

/// What is changed; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaylistChange {
    pub name: Option<String>,
    pub comment: Option<String>,
    pub public: Option<bool>,
    /// Places from 0 in the list as it was.
    pub remove: Vec<usize>,
    /// Appended after that.
    pub add: Vec<i64>,
    /// The whole list anew, before all that.
    pub tracks: Option<Vec<i64>>,
    /// A track at one place goes to another, last of all. Both places are those of the list as it is shown.
    pub moved: Option<(usize, usize)>,
}

const SELECT: &str = "SELECT p.n, p.id, p.owner, p.name, p.comment, p.public, p.created_at, p.changed_at, \
    (SELECT count(*) FROM playlist_track AS k JOIN item AS i ON i.n = k.item WHERE k.playlist = p.n AND i.state <> 'trashed' \
        AND i.library IN (SELECT value FROM json_each(:libraries))) AS songs, \
    (SELECT ifnull(sum(i.duration), 0.0) FROM playlist_track AS k JOIN item AS i ON i.n = k.item WHERE k.playlist = p.n \
        AND i.state <> 'trashed' AND i.library IN (SELECT value FROM json_each(:libraries))) AS seconds, \
    (SELECT coalesce(i.poster, a.poster) FROM playlist_track AS k JOIN item AS i ON i.n = k.item LEFT JOIN item AS a ON a.n = i.show \
        WHERE k.playlist = p.n AND coalesce(i.poster, a.poster) IS NOT NULL \
        AND i.library IN (SELECT value FROM json_each(:libraries)) ORDER BY k.place LIMIT 1) AS poster, \
    (SELECT CASE WHEN i.poster IS NULL THEN a.id ELSE i.id END FROM playlist_track AS k JOIN item AS i ON i.n = k.item LEFT JOIN item AS a ON a.n = i.show \
        WHERE k.playlist = p.n AND coalesce(i.poster, a.poster) IS NOT NULL \
        AND i.library IN (SELECT value FROM json_each(:libraries)) ORDER BY k.place LIMIT 1) AS cover \
    FROM playlist AS p WHERE (p.owner = :account OR p.public) AND NOT EXISTS (SELECT 1 FROM playlist_file AS w WHERE w.playlist = p.n \
        AND w.library NOT IN (SELECT value FROM json_each(:libraries)))";

fn playlist(r: &Row<'_>) -> rusqlite::Result<Playlist> {
    Ok(Playlist {
        number: r.get("n")?,
        id: r.get("id")?,
        owner: r.get("owner")?,
        name: r.get("name")?,
        comment: r.get("comment")?,
        public: r.get("public")?,
        created_at: r.get("created_at")?,
        changed_at: r.get("changed_at")?,
        songs: r.get("songs")?,
        seconds: r.get("seconds")?,
        poster: r.get::<_, Option<Vec<u8>>>("poster")?.map(path),
        cover: r.get("cover")?,
    })
}

/// Those of an account and those that everybody sees, by name.
pub(super) fn all(c: &Connection, hearer: &Hearer) -> rusqlite::Result<Vec<Playlist>> {
    let sql = format!("{SELECT} ORDER BY p.name COLLATE NOCASE, p.n");
    let values = named_params! {":account": hearer.account, ":libraries": hearer.libraries()};
    c.prepare_cached(&sql)?.query_map(values, playlist)?.collect()
}

/// One, if the hearer may see it.
pub(super) fn one(c: &Connection, hearer: &Hearer, number: i64) -> rusqlite::Result<Option<Playlist>> {
    let sql = format!("{SELECT} AND p.n = :n");
    let values = named_params! {":account": hearer.account, ":libraries": hearer.libraries(), ":n": number};
    c.prepare_cached(&sql)?.query_row(values, playlist).optional()
}

/// The numbers of its tracks.
pub(super) fn tracks(c: &Connection, number: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT item FROM playlist_track WHERE playlist = ?1 ORDER BY place";
    c.prepare_cached(sql)?.query_map([number], |r| r.get(0))?.collect()
}

/// Makes an empty one.
pub(super) fn add(t: &Transaction<'_>, owner: &str, name: &str, now: i64) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO playlist (id, owner, name, created_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?4)";
    t.prepare_cached(sql)?.execute(params![new_id(), owner, name, now])?;
    Ok(t.last_insert_rowid())
}

/// Changes one. Tracks that the hearer may not see are not put in, and what is over [`PLAYLIST_MAX`] neither.
pub(super) fn change(
    t: &Transaction<'_>,
    hearer: &Hearer,
    number: i64,
    change: &PlaylistChange,
    now: i64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE playlist SET name = ifnull(?2, name), comment = ifnull(?3, comment), public = ifnull(?4, public), changed_at = ?5 WHERE n = ?1";
    t.prepare_cached(sql)?.execute(params![number, change.name, change.comment, change.public, now])?;
    if change.tracks.is_none() && change.remove.is_empty() && change.add.is_empty() && change.moved.is_none() {
        return Ok(());
    }
    let before = tracks(t, number)?;
    let removed: HashSet<usize> = change.remove.iter().copied().collect();
    let mut list: Vec<i64> = match &change.tracks {
        Some(tracks) => visible(t, hearer, tracks)?,
        None => before,
    };
    // Places are those of the list as it is shown, without what cannot be seen now.
    let seen: HashSet<i64> = visible(t, hearer, &list)?.into_iter().collect();
    let mut shown = 0;
    list.retain(|item| {
        let place = shown;
        shown += usize::from(seen.contains(item));
        !(seen.contains(item) && removed.contains(&place))
    });
    list.extend(visible(t, hearer, &change.add)?);
    list.truncate(PLAYLIST_MAX);
    if let Some((from, to)) = change.moved {
        let seen: HashSet<i64> = visible(t, hearer, &list)?.into_iter().collect();
        move_seen(&mut list, |item| seen.contains(item), from, to);
    }
    t.prepare_cached("DELETE FROM playlist_track WHERE playlist = ?1")?.execute([number])?;
    for (place, item) in list.iter().enumerate() {
        t.prepare_cached("INSERT INTO playlist_track VALUES (?1, ?2, ?3)")?.execute(params![
            number,
            place as i64,
            item
        ])?;
    }
    Ok(())
}

/// Moves one of those that are seen among them; what is not seen keeps its place. A place behind the last is the last.
fn move_seen(list: &mut [i64], seen: impl Fn(&i64) -> bool, from: usize, to: usize) {
    let slots: Vec<usize> = (0..list.len()).filter(|slot| seen(&list[*slot])).collect();
    let mut shown: Vec<i64> = slots.iter().map(|slot| list[*slot]).collect();
    if from >= shown.len() {
        return;
    }
    let item = shown.remove(from);
    shown.insert(to.min(shown.len()), item);
    for (slot, item) in slots.into_iter().zip(shown) {
        list[slot] = item;
    }
}

/// Those tracks that a hearer may see, in the same order.
pub(super) fn visible(t: &Connection, hearer: &Hearer, tracks: &[i64]) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM item WHERE n = ?1 AND kind = 'track' AND state <> 'trashed' \
        AND library IN (SELECT value FROM json_each(?2)))";
    let (mut statement, libraries) = (t.prepare_cached(sql)?, hearer.libraries());
    let mut seen = Vec::with_capacity(tracks.len());
    for track in tracks {
        if statement.query_row(params![track, libraries], |r| r.get::<_, bool>(0))? {
            seen.push(*track);
        }
    }
    Ok(seen)
}

pub(super) fn remove(t: &Transaction<'_>, number: i64) -> rusqlite::Result<()> {
    t.prepare_cached("DELETE FROM playlist WHERE n = ?1")?.execute([number]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_track_goes_among_those_that_are_seen() {
        for (from, to, wanted) in
            [(0, 2, [2, -1, 3, 1, 4]), (3, 0, [4, -1, 1, 2, 3]), (1, 99, [1, -1, 3, 4, 2]), (9, 0, [1, -1, 2, 3, 4])]
        {
            let mut list = [1, -1, 2, 3, 4];
            move_seen(&mut list, |item| *item > 0, from, to);
            assert_eq!(list, wanted, "{from} to {to}");
        }
    }
}
