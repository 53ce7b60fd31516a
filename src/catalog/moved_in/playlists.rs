//! Playlists from elsewhere, with their ids.
use rusqlite::{OptionalExtension, Transaction, params};

use super::{TakenList, digest_of, is_id};
use crate::catalog::model::Id;
use crate::catalog::music::PLAYLIST_MAX;

/// A playlist as it was elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedPlaylist {
    pub id: Id,
    /// Account here.
    pub owner: Id,
    pub name: String,
    pub comment: String,
    /// Everybody here sees it.
    pub public: bool,
    /// Numbers of tracks here, in order, as often as they are in it.
    pub tracks: Vec<i64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

/// See [`super::Catalog::take_playlist`].
pub(super) fn take(t: &Transaction<'_>, list: &MovedPlaylist, now: i64) -> rusqlite::Result<TakenList> {
    let mut list = list.clone();
    list.tracks.truncate(PLAYLIST_MAX);
    list.name = list.name.trim().to_owned();
    if !is_id(&list.id) || list.name.is_empty() {
        return Ok(TakenList::Refused("it has no id or no name"));
    }
    let told = digest_of(&format!("{:?}", (&list.name, &list.comment, list.public, &list.tracks)));
    let sql = "SELECT told, wrote FROM moved_list WHERE id = ?1";
    let before: Option<(String, String)> = t.query_row(sql, [&list.id], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    let taken = match (&before, here(t, &list.id)?) {
        (None, None) => TakenList::Added,
        (None, Some(_)) => return Ok(TakenList::Refused("another playlist here has its id")),
        (Some(_), None) => return Ok(TakenList::Removed),
        (Some((known, _)), Some(_)) if *known == told => return Ok(TakenList::Same),
        (Some((_, wrote)), Some(now)) if *wrote == now => TakenList::Changed,
        (Some(_), Some(_)) => return Ok(TakenList::Refused("it was changed here since")),
    };
    write(t, &list, now)?;
    let wrote = here(t, &list.id)?.unwrap_or_default();
    let sql = "INSERT INTO moved_list VALUES (?1, ?2, ?3) \
        ON CONFLICT DO UPDATE SET told = excluded.told, wrote = excluded.wrote";
    t.execute(sql, [&list.id, &told, &wrote])?;
    Ok(taken)
}

/// A digest of the playlist with this id.
fn here(t: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT name, comment, public, \
        (SELECT json_group_array(item) FROM (SELECT item FROM playlist_track WHERE playlist = p.n ORDER BY place)) \
        FROM playlist AS p WHERE id = ?1";
    let row = |r: &rusqlite::Row<'_>| {
        let (name, comment, public, tracks): (String, String, bool, String) =
            (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?);
        Ok(digest_of(&format!("{:?}", (name, comment, public, tracks))))
    };
    t.query_row(sql, [id], row).optional()
}

fn write(t: &Transaction<'_>, list: &MovedPlaylist, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO playlist (id, owner, name, comment, public, created_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, comment = excluded.comment, public = excluded.public, \
        changed_at = excluded.changed_at RETURNING n";
    let MovedPlaylist { id, owner, name, comment, public, .. } = list;
    let (created_at, changed_at) = (list.created_at.clamp(0, now), list.changed_at.clamp(0, now));
    let number: i64 =
        t.query_row(sql, params![id, owner, name, comment, public, created_at, changed_at], |r| r.get(0))?;
    t.execute("DELETE FROM playlist_track WHERE playlist = ?1", [number])?;
    for (place, item) in list.tracks.iter().enumerate() {
        t.prepare_cached("INSERT INTO playlist_track VALUES (?1, ?2, ?3)")?.execute(params![
            number,
            place as i64,
            item
        ])?;
    }
    Ok(())
}
