//! Writes items and their files.
use std::path::PathBuf;

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Description, Moved, Place, Record, Stat, Touched, books, music, shows, twins};
use crate::catalog::model::{ItemKind, ItemState};
use crate::catalog::shelves::words;
use crate::catalog::{items, new_id, now, sorting};
use crate::media::{Facts, HdrFormat, Stream, StreamKind};

/// The state of an item whose file is back as it was: what was read to the end and has a problem is damaged.
const RESTORED: &str = "CASE WHEN problem IS NULL THEN 'present' \
    WHEN EXISTS (SELECT 1 FROM file AS f WHERE f.item = n AND f.cid IS NOT NULL) THEN 'damaged' ELSE 'unreadable' END";

/// See [`super::Catalog::record`].
pub(super) fn record(t: &Transaction<'_>, new: &Record, now: i64) -> rusqlite::Result<Touched> {
    let number = match new.item {
        Some(number) => number,
        None => insert(t, new, now)?,
    };
    vacate(t, &new.place, number)?;
    write_file(t, number, new, now)?;
    let state = if new.problem.is_some() { ItemState::Unreadable } else { ItemState::Present };
    let duration = new.facts.as_ref().map(|facts| facts.duration).filter(|seconds| seconds.is_finite());
    let sql =
        "UPDATE item SET library = ?2, kind = ?3, state = ?4, problem = ?5, duration = ?6, size = ?7 WHERE n = ?1";
    let size = new.stat.size.cast_signed();
    t.prepare_cached(sql)?.execute(params![number, new.place.library, new.kind, state, new.problem, duration, size])?;
    if new.kind == ItemKind::Book {
        books::write_file(t, number, new.book.as_ref(), now)?;
    }
    if new.kind == ItemKind::Track {
        music::write_file(t, number, new.music.as_ref())?;
    }
    describe(t, number, &new.description, now)?;
    twins::settle(t, [number])?;
    shows::touched(t, number)
}

fn insert(t: &Transaction<'_>, new: &Record, now: i64) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO item (id, library, kind, state, title, sort_title, sort_key, added_at) \
        VALUES (?1, ?2, ?3, 'present', '', '', '', ?4)";
    t.prepare_cached(sql)?.execute(params![new_id(), new.place.library, new.kind, now])?;
    Ok(t.last_insert_rowid())
}

/// What was at a place belongs elsewhere or nowhere: whoever comes now has it.
fn vacate(t: &Transaction<'_>, place: &Place, comer: i64) -> rusqlite::Result<()> {
    let sql = "SELECT item FROM file WHERE library = ?1 AND place = ?2 AND gone = 0 AND item <> ?3";
    let values = params![place.library, items::bytes(&place.path), comer];
    let held: Option<i64> = t.prepare_cached(sql)?.query_row(values, |r| r.get(0)).optional()?;
    if let Some(held) = held {
        missing(t, &[held], ItemState::Trashed, now())?;
    }
    Ok(())
}

fn write_file(t: &Transaction<'_>, number: i64, new: &Record, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO file (item, library, place, size, modified_ns, inode, device, cid, width, height, hdr, verified_at, \
        retry, facts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
        ON CONFLICT (item) DO UPDATE SET library = excluded.library, place = excluded.place, gone = 0, size = excluded.size, \
        modified_ns = excluded.modified_ns, inode = excluded.inode, device = excluded.device, cid = excluded.cid, \
        width = excluded.width, height = excluded.height, hdr = excluded.hdr, verified_at = excluded.verified_at, \
        retry = excluded.retry, facts = excluded.facts, missing_at = NULL, indexed_as = NULL";
    let video = new.facts.as_ref().and_then(first_video);
    t.prepare_cached(sql)?.execute(params![
        number,
        new.place.library,
        items::bytes(&new.place.path),
        new.stat.size.cast_signed(),
        new.stat.modified_ns,
        new.stat.inode.cast_signed(),
        new.stat.device.cast_signed(),
        new.cid.as_ref().map(ToString::to_string),
        video.and_then(|v| v.width),
        video.and_then(|v| v.height),
        video.and_then(|v| v.hdr).and_then(hdr_word),
        new.cid.as_ref().map(|_| now),
        new.retry,
        new.facts.as_ref().and_then(|facts| serde_json::to_string(facts).ok()),
    ])?;
    Ok(())
}

pub(super) fn first_video(facts: &Facts) -> Option<&Stream> {
    facts.streams.iter().find(|stream| stream.kind == StreamKind::Video)
}

/// The word for it in the tables: the same as in JSON.
pub(super) fn hdr_word(hdr: HdrFormat) -> Option<String> {
    serde_json::to_value(hdr).ok()?.as_str().map(str::to_owned)
}

/// Writes a description, finds or makes the show, and what search finds the item by.
fn describe(t: &Transaction<'_>, number: i64, new: &Description, now: i64) -> rusqlite::Result<()> {
    let (before, library, kind): (Option<i64>, String, ItemKind) = t
        .prepare_cached("SELECT show, library, kind FROM item WHERE n = ?1")?
        .query_row([number], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    let book = if kind == ItemKind::Book { Some(books::compose(t, number, new)?) } else { None };
    let track = if kind == ItemKind::Track { Some(music::compose(t, number, new)?) } else { None };
    let new = book.as_ref().map_or(new, |book| &book.description);
    let new = track.as_ref().map_or(new, |track| &track.description);
    let group = kind.group().unwrap_or(ItemKind::Show);
    let show = new.show.as_ref().map(|name| shows::ensure(t, &library, group, name, now)).transpose()?;
    let sort_title = new.sort_title.clone().unwrap_or_else(|| sorting::sort_title(&new.title));
    let sort_key = match (&show, &book) {
        (Some((_, series)), Some(book)) => sorting::book_key(series, book.number.sort, &sort_title),
        (Some((_, show)), None) => {
            // An album of one disc often says nothing of it.
            let season = if kind == ItemKind::Track { new.season.or(Some(1)) } else { new.season };
            sorting::episode_key(show, season, new.episode, &sort_title)
        }
        (None, _) => sorting::sort_key(&sort_title),
    };
    let show = show.map(|(show, _)| show);
    let sql = "UPDATE item SET title = ?2, sort_title = ?3, sort_key = ?4, year = ?5, show = ?6, season = ?7, episode = ?8, \
        episode_end = ?9, genres = ?10, poster = ?11, backdrop = ?12 WHERE n = ?1";
    t.prepare_cached(sql)?.execute(params![
        number,
        new.title,
        sort_title,
        sort_key,
        new.year,
        show,
        new.season,
        new.episode,
        new.episode_end,
        serde_json::Value::from(new.genres.clone()).to_string(),
        new.poster.as_deref().map(items::bytes),
        new.backdrop.as_deref().map(items::bytes),
    ])?;
    shows::write_overview(t, number, new.overview.as_deref())?;
    let sql = "UPDATE file SET sidecars = ?2, described = ?3 WHERE item = ?1";
    t.prepare_cached(sql)?.execute(params![number, items::join_names(&new.sidecars), new.digest])?;
    if let Some(book) = book {
        books::write(t, number, &book)?;
        words::index(t, number)?;
    }
    if let Some(track) = track {
        music::write(t, number, &track, now)?;
    }
    leave(t, before, show, now)?;
    shows::write_text(t, number)
}

/// What follows for the groups that an item was in and is in now.
fn leave(t: &Transaction<'_>, before: Option<i64>, show: Option<i64>, now: i64) -> rusqlite::Result<()> {
    let moved = before.zip(show).filter(|(before, show)| before != show);
    let taken = moved.map_or(Ok(false), |(before, show)| music::take_over(t, before, show))?;
    let left = if taken { [before, None] } else { [before, show] };
    for show in left.into_iter().flatten() {
        books::touch_series(t, show, now)?;
        music::mark(t, show, now)?;
        shows::refresh_state(t, show)?;
        shows::remove_if_empty(t, show)?;
    }
    Ok(())
}

/// See [`super::Catalog::describe`].
pub(super) fn describe_again(t: &Transaction<'_>, number: i64, new: &Description) -> rusqlite::Result<Touched> {
    describe(t, number, new, now())?;
    twins::settle(t, [number])?;
    shows::touched(t, number)
}

/// See [`super::Catalog::relocate`].
pub(super) fn relocate(t: &Transaction<'_>, moves: &[Moved]) -> rusqlite::Result<Vec<Touched>> {
    for moved in moves {
        t.prepare_cached("UPDATE file SET place = NULL WHERE item = ?1")?.execute([moved.item])?;
    }
    // Folders that are made for them are as old as this.
    let (mut all, at) = (Vec::with_capacity(moves.len()), now());
    for moved in moves {
        vacate(t, &moved.place, moved.item)?;
        let stat = &moved.stat;
        let sql = "UPDATE file SET library = ?2, place = ?3, gone = 0, size = ?4, modified_ns = ?5, inode = ?6, device = ?7, \
            missing_at = NULL, indexed_as = NULL WHERE item = ?1";
        t.prepare_cached(sql)?.execute(params![
            moved.item,
            moved.place.library,
            items::bytes(&moved.place.path),
            stat.size.cast_signed(),
            stat.modified_ns,
            stat.inode.cast_signed(),
            stat.device.cast_signed(),
        ])?;
        let sql = format!(
            "UPDATE item SET library = ?2, kind = ?3, state = CASE WHEN state IN ('trashed', 'unavailable') \
            THEN {RESTORED} ELSE state END WHERE n = ?1"
        );
        t.prepare_cached(&sql)?.execute(params![moved.item, moved.place.library, moved.kind])?;
        describe(t, moved.item, &moved.description, at)?;
        twins::settle(t, [moved.item])?;
        all.push(shows::touched(t, moved.item)?);
    }
    Ok(all)
}

/// See [`super::Catalog::seen`].
pub(super) fn seen(t: &Transaction<'_>, files: &[(i64, Stat)]) -> rusqlite::Result<Vec<Touched>> {
    let mut changed = Vec::new();
    for (item, stat) in files {
        let sql = "UPDATE file SET size = ?2, modified_ns = ?3, inode = ?4, device = ?5, gone = 0, missing_at = NULL WHERE item = ?1";
        t.prepare_cached(sql)?.execute(params![
            item,
            stat.size.cast_signed(),
            stat.modified_ns,
            stat.inode.cast_signed(),
            stat.device.cast_signed(),
        ])?;
        let sql = format!("UPDATE item SET state = {RESTORED} WHERE n = ?1 AND state IN ('trashed', 'unavailable')");
        if t.prepare_cached(&sql)?.execute([item])? > 0 {
            turned(t, *item)?;
            changed.push(shows::touched(t, *item)?);
        }
    }
    Ok(changed)
}

/// See [`super::Catalog::indexed`].
pub(super) fn indexed(t: &Transaction<'_>, items: &[i64]) -> rusqlite::Result<()> {
    for item in items {
        t.prepare_cached("UPDATE file SET indexed_as = NULL WHERE item = ?1")?.execute([item])?;
    }
    Ok(())
}

/// See [`super::Catalog::set_item_state`].
pub(super) fn set_state(
    t: &Transaction<'_>,
    item: i64,
    state: ItemState,
    problem: Option<&str>,
) -> rusqlite::Result<Option<Touched>> {
    let sql = "UPDATE item SET state = ?2, problem = ?3 WHERE n = ?1 AND (state <> ?2 OR problem IS NOT ?3)";
    if t.prepare_cached(sql)?.execute(params![item, state, problem])? == 0 {
        return Ok(None);
    }
    turned(t, item)?;
    shows::touched(t, item).map(Some)
}

/// See [`super::Catalog::verified`].
pub(super) fn verified(t: &Transaction<'_>, item: i64, now: i64) -> rusqlite::Result<Option<Touched>> {
    t.execute("UPDATE file SET verified_at = ?2 WHERE item = ?1", params![item, now])?;
    let damaged: bool =
        t.query_row("SELECT EXISTS (SELECT 1 FROM item WHERE n = ?1 AND state = 'damaged')", [item], |r| r.get(0))?;
    if damaged { set_state(t, item, ItemState::Present, None) } else { Ok(None) }
}

/// Files that are not where they were: into the trash (`gone` from their place) or unavailable (still believed there).
pub(super) fn missing(
    t: &Transaction<'_>,
    items: &[i64],
    state: ItemState,
    now: i64,
) -> rusqlite::Result<Vec<Touched>> {
    let mut changed = Vec::new();
    for item in items {
        let sql = "UPDATE item SET state = ?2 WHERE n = ?1 AND state <> ?2 AND kind NOT IN ('show', 'series', 'album')";
        if t.prepare_cached(sql)?.execute(params![item, state])? == 0 {
            continue;
        }
        // The time in the trash counts from when it got there, the time of doubt from when doubt began.
        let sql = "UPDATE file SET gone = ?2, missing_at = ?3 WHERE item = ?1";
        t.prepare_cached(sql)?.execute(params![item, state == ItemState::Trashed, now])?;
        turned(t, *item)?;
        changed.push(shows::touched(t, *item)?);
    }
    Ok(changed)
}

/// See [`super::Catalog::purge`].
pub(super) fn purge(
    t: &Transaction<'_>,
    library: Option<&str>,
    before: i64,
) -> rusqlite::Result<Vec<(Touched, PathBuf)>> {
    let sql = "SELECT i.n, i.id, i.library, i.show, f.indexed_as, l.path, f.place, s.id \
        FROM item AS i JOIN file AS f ON f.item = i.n JOIN library AS l ON l.id = i.library LEFT JOIN item AS s ON s.n = i.show WHERE i.state = 'trashed' \
        AND f.missing_at < ?1 AND (?2 IS NULL OR i.library = ?2)";
    let mut statement = t.prepare(sql)?;
    let rows = statement.query_map(params![before, library], |r| {
        let indexed_as: Option<Vec<u8>> = r.get(4)?;
        let path = match indexed_as {
            Some(path) => items::path(path),
            None => items::path(r.get(5)?).join(items::path(r.get(6)?)),
        };
        let touched = Touched { number: r.get(0)?, id: r.get(1)?, library: r.get(2)?, show: r.get(7)? };
        Ok((touched, r.get(3)?, path))
    })?;
    let rows: Vec<(Touched, Option<i64>, PathBuf)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut removed = Vec::with_capacity(rows.len());
    for (touched, show, path) in rows {
        let hidden = twins::behind(t, touched.number)?;
        t.execute("DELETE FROM watched WHERE item = ?1", [&touched.id])?;
        t.execute("DELETE FROM item WHERE n = ?1", [touched.number])?;
        twins::settle(t, hidden)?;
        if let Some(show) = show {
            shows::remove_if_empty(t, show)?;
        }
        removed.push((touched, path));
    }
    Ok(removed)
}

/// What follows when the state of an item is another: search, its show's state, and friends' items that it stands for.
fn turned(t: &Transaction<'_>, item: i64) -> rusqlite::Result<()> {
    shows::turned(t, item)?;
    twins::settle(t, [item]).map(|_| ())
}
