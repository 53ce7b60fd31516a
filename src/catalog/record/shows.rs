//! Shows: made when their first episode comes, gone with their last.
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{SeriesTold, ShowName, Touched, books, music, twins};
use crate::catalog::model::{Id, ItemKind, ItemState};
use crate::catalog::shelves::words;
use crate::catalog::{items, new_id, now, search, sorting};

/// A show as it was last described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownShow {
    /// Its row.
    pub number: i64,
    /// Library id.
    pub library: Id,
    /// By what its episodes find it.
    pub key: String,
    /// As shown.
    pub title: String,
    /// Its folder below the library's root.
    pub place: Option<PathBuf>,
    /// Digest of the files its description was read from.
    pub described: Option<i64>,
    /// Whether it has a poster.
    pub poster: bool,
    /// A picture of one of its episodes, for a show that has none.
    pub episode_poster: Option<PathBuf>,
    /// What the first book of a series says, as JSON of `media::book::Told`.
    pub told: Option<String>,
    /// Episodes or books that are not in the trash.
    pub books: u64,
}

/// What was read from the files beside a show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShowDescription {
    /// As shown.
    pub title: String,
    /// Where the title sorts, if the owner wrote it down.
    pub sort_title: Option<String>,
    /// Of first release; `None` keeps what is known from its folder's name.
    pub year: Option<i32>,
    /// A few sentences.
    pub overview: Option<String>,
    /// As the NFO has them.
    pub genres: Vec<String>,
    /// Absolute path of a picture.
    pub poster: Option<PathBuf>,
    /// Absolute path of a picture.
    pub backdrop: Option<PathBuf>,
    /// See [`KnownShow::described`].
    pub digest: i64,
    /// Of a series.
    pub series: Option<SeriesTold>,
}

const SELECT: &str = "SELECT s.n, s.library, s.show_key, s.title, s.place, s.described, s.poster IS NOT NULL, \
    (SELECT e.poster FROM item AS e WHERE e.show = s.n AND e.poster IS NOT NULL AND e.state <> 'trashed' \
        ORDER BY e.sort_key LIMIT 1), \
    (SELECT b.told FROM item AS e JOIN book AS b ON b.item = e.n WHERE e.show = s.n AND e.state <> 'trashed' \
        ORDER BY e.sort_key LIMIT 1), \
    (SELECT count(*) FROM item AS e WHERE e.show = s.n AND e.state <> 'trashed') \
    FROM item AS s";

/// What an album is follows from its tracks alone.
const DESCRIBED: &str = "s.show_key IS NOT NULL AND s.kind <> 'album'";

fn known(row: &Row<'_>) -> rusqlite::Result<KnownShow> {
    Ok(KnownShow {
        number: row.get(0)?,
        library: row.get(1)?,
        key: row.get(2)?,
        title: row.get(3)?,
        place: row.get::<_, Option<Vec<u8>>>(4)?.map(items::path),
        described: row.get(5)?,
        poster: row.get(6)?,
        episode_poster: row.get::<_, Option<Vec<u8>>>(7)?.map(items::path),
        told: row.get(8)?,
        books: row.get::<_, i64>(9)?.cast_unsigned(),
    })
}

pub(super) fn of_library(c: &Connection, library: &str) -> rusqlite::Result<Vec<KnownShow>> {
    let sql = format!("{SELECT} WHERE s.library = ?1 AND {DESCRIBED} AND s.state <> 'trashed'");
    c.prepare_cached(&sql)?.query_map([library], known)?.collect()
}

pub(super) fn of_item(c: &Connection, item: i64) -> rusqlite::Result<Option<KnownShow>> {
    let sql = format!("{SELECT} WHERE s.n = (SELECT e.show FROM item AS e WHERE e.n = ?1)");
    c.prepare_cached(&sql)?.query_row([item], known).optional()
}

/// The row and sort title of the show of this name in this library: found, renamed or made.
pub(super) fn ensure(
    t: &Transaction<'_>,
    library: &str,
    kind: ItemKind,
    name: &ShowName,
    now: i64,
) -> rusqlite::Result<(i64, String)> {
    let by_key = "SELECT n, sort_title FROM item WHERE library = ?1 AND show_key = ?2";
    let found = t.prepare_cached(by_key)?.query_row([library, &name.key], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    if let Some(found) = found {
        return Ok(found);
    }
    let sort_title = sorting::sort_title(&name.title);
    let place = name.place.as_deref().map(items::bytes);
    if let (Some(number), ItemKind::Series) = (name.renamed_from, kind) {
        take_place(t, number, library, name)?;
        let sql = "SELECT sort_title FROM item WHERE n = ?1";
        return t.prepare_cached(sql)?.query_row([number], |r| Ok((number, r.get(0)?)));
    }
    if let Some(number) = name.renamed_from {
        // Its description is read again from its new folder: `described` is unset.
        let sql = "UPDATE item SET library = ?2, show_key = ?3, title = ?4, sort_title = ?5, sort_key = ?6, year = ?7, \
            place = ?8, described = NULL WHERE n = ?1 AND show_key IS NOT NULL";
        let key = sorting::sort_key(&sort_title);
        let values = params![number, library, name.key, name.title, sort_title, key, name.year, place];
        if t.execute(sql, values)? > 0 {
            sort_episodes(t, number, &sort_title)?;
            words::index(t, number)?;
            return Ok((number, sort_title));
        }
    }
    let sql = "INSERT INTO item (id, library, kind, state, title, sort_title, sort_key, year, added_at, show_key, place) \
        VALUES (?1, ?2, ?10, 'present', ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let key = sorting::sort_key(&sort_title);
    t.execute(sql, params![new_id(), library, name.title, sort_title, key, name.year, now, name.key, place, kind])?;
    let number = t.last_insert_rowid();
    write_text(t, number)?;
    words::index(t, number)?;
    Ok((number, sort_title))
}

/// See [`super::Catalog::move_series`].
pub(super) fn take_places(t: &Transaction<'_>, library: &str, takes: &[(i64, ShowName)]) -> rusqlite::Result<()> {
    // Of several that come to one folder, the oldest has it.
    let mut moving: BTreeMap<&str, (i64, &ShowName)> = BTreeMap::new();
    for (number, name) in takes {
        let taken = moving.entry(&name.key).or_insert((*number, name));
        *taken = if *number < taken.0 { (*number, name) } else { *taken };
    }
    let mut holders = BTreeMap::new();
    for key in moving.keys().copied() {
        let sql = "SELECT n FROM item WHERE library = ?1 AND show_key = ?2";
        let holder: Option<i64> = t.prepare_cached(sql)?.query_row([library, key], |r| r.get(0)).optional()?;
        holders.extend(holder.map(|holder| (key, holder)));
    }
    // Who cannot go stays where another would have come to, who stays then too.
    loop {
        let before = moving.len();
        let leaving: BTreeSet<i64> = moving.values().map(|(number, _)| *number).collect();
        moving.retain(|key, _| holders.get(key).is_none_or(|holder| leaving.contains(holder)));
        if moving.len() == before {
            break;
        }
    }
    // A name that no folder has, so that two can swap theirs.
    for (number, _) in moving.values() {
        t.execute("UPDATE item SET show_key = 'moving:' || n WHERE n = ?1", [number])?;
    }
    moving.into_values().try_for_each(|(number, name)| take_place(t, number, library, name))
}

/// A series is found by this folder from now on. What it is called is read again, but for what a person wrote.
fn take_place(t: &Transaction<'_>, series: i64, library: &str, name: &ShowName) -> rusqlite::Result<()> {
    let sql = "UPDATE item SET library = ?2, show_key = ?3, place = ?4, described = NULL WHERE n = ?1";
    t.execute(sql, params![series, library, name.key, name.place.as_deref().map(items::bytes)]).map(|_| ())
}

pub(super) fn describe(t: &Transaction<'_>, show: i64, new: &ShowDescription) -> rusqlite::Result<Touched> {
    let kept = Kept::of(t, show)?;
    let title = kept.title.as_ref().unwrap_or(&new.title);
    let sort_title = kept.sort_title.clone().or_else(|| new.sort_title.clone());
    let sort_title = sort_title.unwrap_or_else(|| sorting::sort_title(title));
    let sql = "UPDATE item SET title = ?2, sort_title = ?3, sort_key = ?4, year = ifnull(?5, year), \
        genres = ?6, poster = ?7, backdrop = ?8, described = ?9 WHERE n = ?1";
    t.execute(
        sql,
        params![
            show,
            title,
            sort_title,
            sorting::sort_key(&sort_title),
            new.year,
            kept.genres.unwrap_or_else(|| serde_json::Value::from(new.genres.clone()).to_string()),
            new.poster.as_deref().map(items::bytes),
            new.backdrop.as_deref().map(items::bytes),
            new.digest,
        ],
    )?;
    if !kept.summary {
        write_overview(t, show, new.overview.as_deref())?;
    }
    if let Some(told) = &new.series {
        books::write_series(t, show, told)?;
    }
    sort_episodes(t, show, &sort_title)?;
    words::index(t, show)?;
    twins::settle(t, twins::episodes(t, show)?)?;
    touched(t, show)
}

/// What a person wrote of a series, over which no file has a say.
#[derive(Default)]
struct Kept {
    title: Option<String>,
    sort_title: Option<String>,
    /// JSON array.
    genres: Option<String>,
    summary: bool,
}

impl Kept {
    fn of(t: &Transaction<'_>, show: i64) -> rusqlite::Result<Self> {
        let locks = books::locks_of_series(t, show)?;
        let locked = |field: &str| locks.iter().any(|lock| lock == field);
        let now = t
            .prepare_cached("SELECT title, sort_title, genres FROM item WHERE n = ?1")?
            .query_row([show], |r| Ok::<(String, String, String), _>((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        Ok(Self {
            title: locked("title").then_some(now.0),
            sort_title: locked("sort_title").then_some(now.1),
            genres: locked("genres").then_some(now.2),
            summary: locked("summary"),
        })
    }
}

/// One that is the same stays as it is: it is no change that a friend's node would ask for.
const WRITE_OVERVIEW: &str =
    "INSERT INTO overview VALUES (?1, ?2) ON CONFLICT DO UPDATE SET text = excluded.text WHERE text <> excluded.text";

pub(in crate::catalog) fn write_overview(t: &Transaction<'_>, item: i64, text: Option<&str>) -> rusqlite::Result<()> {
    match text {
        Some(text) => t.prepare_cached(WRITE_OVERVIEW)?.execute(params![item, text]),
        None => t.prepare_cached("DELETE FROM overview WHERE item = ?1")?.execute([item]),
    }
    .map(|_| ())
}

/// Sorts and finds the episodes of a show by its new title.
pub(in crate::catalog) fn sort_episodes(t: &Transaction<'_>, show: i64, sort_title: &str) -> rusqlite::Result<()> {
    let sql = "SELECT n, CASE kind WHEN 'track' THEN ifnull(season, 1) ELSE season END, episode, i.sort_title, number_sort FROM item AS i LEFT JOIN book ON item = n WHERE show = ?1";
    let mut statement = t.prepare_cached(sql)?;
    let rows = statement.query_map([show], |r| {
        let (season, episode, own): (Option<i32>, Option<i32>, String) = (r.get(1)?, r.get(2)?, r.get(3)?);
        let key = match r.get::<_, Option<f64>>(4)? {
            Some(number) => sorting::book_key(sort_title, number, &own),
            None => sorting::episode_key(sort_title, season, episode, &own),
        };
        Ok((r.get(0)?, key))
    })?;
    for (episode, key) in rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()? {
        t.prepare_cached("UPDATE item SET sort_key = ?2 WHERE n = ?1 AND sort_key <> ?2")?
            .execute(params![episode, key])?;
        write_text(t, episode)?;
    }
    write_text(t, show)
}

/// Forgets a show that has no episode left, not even one in the trash.
pub(super) fn remove_if_empty(t: &Transaction<'_>, show: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM item WHERE n = ?1 AND kind IN ('show', 'series', 'album') AND NOT EXISTS (SELECT 1 FROM item AS e WHERE e.show = ?1)";
    t.prepare_cached(sql)?.execute([show]).map(|_| ())
}

/// Writes the words that search finds an item by; none for one in the trash.
pub(in crate::catalog) fn write_text(t: &Transaction<'_>, item: i64) -> rusqlite::Result<()> {
    let sql = "SELECT i.title, ifnull(s.title, ''), coalesce(f.place, CAST(r.name AS BLOB), x''), i.state, i.library, i.kind, \
        coalesce(k.artist, a.artist, '') FROM item AS i LEFT JOIN item AS s ON s.n = i.show LEFT JOIN file AS f ON f.item = i.n \
        LEFT JOIN remote AS r ON r.item = i.n LEFT JOIN track AS k ON k.item = i.n LEFT JOIN album AS a ON a.item = i.n WHERE i.n = ?1";
    let (title, show, place, state, scope, artist): (String, String, Vec<u8>, ItemState, String, String) =
        t.prepare_cached(sql)?.query_row([item], |r| {
            let scope = search::scope(&r.get::<_, Id>(4)?, r.get(5)?);
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, scope, r.get(6)?))
        })?;
    if state == ItemState::Trashed {
        return t.prepare_cached("DELETE FROM item_text WHERE rowid = ?1")?.execute([item]).map(|_| ());
    }
    let place = items::path(place);
    let file = place.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Whoever looks for music types who made it.
    let file = if artist.is_empty() { file } else { artist };
    let sql = "INSERT OR REPLACE INTO item_text (rowid, title, show, file, scope) VALUES (?1, ?2, ?3, ?4, ?5)";
    t.prepare_cached(sql)?.execute(params![item, title, show, file, scope]).map(|_| ())
}

/// What follows when the state of an item is another: search, and its show's state.
pub(super) fn turned(t: &Transaction<'_>, item: i64) -> rusqlite::Result<()> {
    write_text(t, item)?;
    music::come_home(t, item, now())?;
    let sql = "SELECT show FROM item WHERE n = ?1";
    let show: Option<i64> = t.prepare_cached(sql)?.query_row([item], |r| r.get(0))?;
    let Some(show) = show else { return Ok(()) };
    music::mark(t, show, now())?;
    refresh_state(t, show)
}

/// The ids of a row.
pub(super) fn touched(t: &Transaction<'_>, number: i64) -> rusqlite::Result<Touched> {
    let sql = "SELECT i.id, i.library, s.id FROM item AS i LEFT JOIN item AS s ON s.n = i.show WHERE i.n = ?1";
    t.prepare_cached(sql)?
        .query_row([number], |r| Ok(Touched { number, id: r.get(0)?, library: r.get(1)?, show: r.get(2)? }))
}

/// Whether anything of a show can be seen: in the trash with its last episode, out of it with its first.
pub(super) fn refresh_state(t: &Transaction<'_>, show: i64) -> rusqlite::Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM item WHERE show = ?1 AND state <> 'trashed')";
    let any: bool = t.prepare_cached(sql)?.query_row([show], |r| r.get(0))?;
    let state = if any { ItemState::Present } else { ItemState::Trashed };
    let sql = "UPDATE item SET state = ?2 WHERE n = ?1 AND kind IN ('show', 'series', 'album') AND state <> ?2";
    if t.prepare_cached(sql)?.execute(params![show, state])? > 0 { write_text(t, show) } else { Ok(()) }
}
