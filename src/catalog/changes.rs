//! What changed in our libraries since a friend's node last asked: a walk of the table `change`, library by library.
//!
//! A [`SyncCursor`] says how far the asker is in each library, so that one that is shared later begins at its beginning,
//! and a digest of the libraries themselves, so that a grant, a withdrawal or another name counts as a change. It is
//! opaque to whoever holds it; one that we did not make begins from nothing.
use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::items;
use super::model::{Id, ItemState, Library};
use super::shared::{Changes, RemovedItem, SharedFile, SharedItem, SharedLibrary};
use super::{libraries, sorting};
use crate::content::cid::sha256;
use crate::media::Facts;
use crate::media::book::Format;

/// Bytes of texts after which a page is full, however few entries it has.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of a library in a cursor: its UUID and a revision.
const PLACE_LEN: usize = 24;
/// Bytes of the digest in a cursor.
const DIGEST_LEN: usize = 8;

/// How far someone who follows our changes is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SyncCursor {
    /// Of the libraries as they were last told.
    digest: [u8; DIGEST_LEN],
    /// Library to the last revision that was told.
    places: BTreeMap<uuid::Uuid, i64>,
}

impl SyncCursor {
    pub fn seal(&self) -> String {
        let mut bytes = self.digest.to_vec();
        for (library, revision) in &self.places {
            bytes.extend_from_slice(library.as_bytes());
            bytes.extend_from_slice(&revision.to_be_bytes());
        }
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// What is no cursor of ours is how far someone is who never asked.
    pub fn open(text: &str) -> Self {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default();
        let Some((digest, rest)) = bytes.split_first_chunk::<DIGEST_LEN>() else { return Self::default() };
        let place = |bytes: &[u8]| {
            let (library, revision) = bytes.split_first_chunk::<16>()?;
            Some((uuid::Uuid::from_bytes(*library), i64::from_be_bytes(revision.try_into().ok()?)))
        };
        let places = rest.chunks(PLACE_LEN).map_while(place).collect();
        Self { digest: *digest, places }
    }
}

/// What someone who follows our changes may see of our libraries.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// These; `None` for all.
    pub libraries: Option<Vec<Id>>,
    /// Those that are for some of the follower's people only: for whom, by library.
    pub people: BTreeMap<Id, Vec<String>>,
}

impl Seen {
    fn holds(&self, library: &Library) -> bool {
        let among = |libraries: &Vec<Id>| libraries.contains(&library.id);
        library.friend.is_none() && self.libraries.as_ref().is_none_or(among)
    }

    fn shared(&self, library: &Library) -> SharedLibrary {
        let people = self.people.get(&library.id).cloned();
        let Library { id, name, kind, state, .. } = library.clone();
        SharedLibrary { id, name, kind, state, people }
    }
}

/// The next page for someone who sees this: at most `limit` entries after the cursor.
pub(super) fn since(c: &Connection, seen: &Seen, cursor: &str, limit: usize) -> rusqlite::Result<Changes> {
    let before = SyncCursor::open(cursor);
    let libraries: Vec<Library> = libraries::all(c)?.into_iter().filter(|library| seen.holds(library)).collect();
    let told = libraries.iter().map(|library| seen.shared(library)).collect();
    let mut page = Changes { libraries: told, ..Changes::default() };
    let mut after = SyncCursor { digest: digest(&page.libraries), places: BTreeMap::new() };
    let (newest, mut room) = (newest(c)?, Room { entries: limit, bytes: PAGE_BYTES });
    for library in &libraries {
        let Ok(id) = uuid::Uuid::try_parse(&library.id) else { continue };
        // A revision that was not given yet: our database is an older copy of itself. Everything is told again.
        let told = before.places.get(&id).copied().filter(|revision| (0..=newest).contains(revision)).unwrap_or(0);
        let last = walk(c, library, told, &mut room, &mut page)?;
        after.places.insert(id, last);
    }
    page.next = after.seal();
    Ok(page)
}

/// What still fits into a page.
struct Room {
    entries: usize,
    bytes: usize,
}

/// Adds a library's changes after a revision. Returns the last one that was added.
fn walk(c: &Connection, library: &Library, told: i64, room: &mut Room, page: &mut Changes) -> rusqlite::Result<i64> {
    let mut last = told;
    let mut statement = c.prepare_cached(SELECT)?;
    let mut rows = statement.query(params![library.id, told])?;
    while let Some(row) = rows.next()? {
        if room.entries == 0 || room.bytes == 0 {
            page.more = true;
            break;
        }
        room.entries -= 1;
        last = row.get("revision")?;
        match item(row, library)? {
            Some(item) => {
                room.bytes = room.bytes.saturating_sub(weight(row)?);
                page.items.push(item);
            }
            None => page.removed.push(RemovedItem { id: row.get("id")?, library: library.id.clone() }),
        }
    }
    Ok(last)
}

const SELECT: &str = "SELECT c.revision, c.id, i.n, i.kind, i.state, i.title, i.sort_title, i.year, s.id AS show, \
    s.title AS show_title, i.season, i.episode, i.episode_end, i.genres, i.added_at, i.duration, i.problem, \
    i.poster IS NOT NULL OR EXISTS (SELECT 1 FROM cover AS pc WHERE pc.item = i.n AND pc.selected) AS poster, i.backdrop IS NOT NULL AS backdrop, f.place, f.cid, f.size, f.facts, o.text AS overview, b.number \
    FROM change AS c LEFT JOIN item AS i ON i.n = c.item AND i.library = c.library AND i.state <> 'trashed' \
    LEFT JOIN item AS s ON s.n = i.show LEFT JOIN file AS f ON f.item = i.n LEFT JOIN overview AS o ON o.item = i.n \
    LEFT JOIN book AS b ON b.item = i.n \
    WHERE c.library = ?1 AND c.revision > ?2 ORDER BY c.revision";

/// About how long a row is as JSON: what is long in it.
fn weight(row: &Row<'_>) -> rusqlite::Result<usize> {
    let long = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str_or_null()?.map_or(0, str::len));
    Ok(500 + long("facts")? + long("overview")? + long("genres")?)
}

/// What is told of a row; `None` where the library does not hold the item any more.
fn item(row: &Row<'_>, library: &Library) -> rusqlite::Result<Option<SharedItem>> {
    let Some(_) = row.get::<_, Option<i64>>("n")? else { return Ok(None) };
    let (title, sort_title): (String, String) = (row.get("title")?, row.get("sort_title")?);
    let genres: String = row.get("genres")?;
    Ok(Some(SharedItem {
        id: row.get("id")?,
        library: library.id.clone(),
        kind: row.get("kind")?,
        state: row.get::<_, ItemState>("state")?,
        sort_title: (sort_title != sorting::sort_title(&title)).then_some(sort_title),
        title,
        year: row.get("year")?,
        show: row.get("show")?,
        show_title: row.get("show_title")?,
        season: row.get("season")?,
        episode: row.get("episode")?,
        episode_end: row.get("episode_end")?,
        number: row.get::<_, Option<String>>("number")?.filter(|number| !number.is_empty()),
        overview: row.get("overview")?,
        genres: serde_json::from_str(&genres).unwrap_or_default(),
        duration: row.get("duration")?,
        added_at: row.get("added_at")?,
        problem: row.get("problem")?,
        poster: row.get("poster")?,
        backdrop: row.get("backdrop")?,
        file: file(row)?,
    }))
}

fn file(row: &Row<'_>) -> rusqlite::Result<Option<SharedFile>> {
    let Some(place) = row.get::<_, Option<Vec<u8>>>("place")?.map(items::path) else { return Ok(None) };
    let facts: Option<String> = row.get("facts")?;
    let facts: Option<Facts> = facts.and_then(|json| serde_json::from_str(&json).ok());
    let format = facts.as_ref().and_then(|facts| Format::named(&facts.container));
    Ok(Some(SharedFile {
        cid: row.get("cid")?,
        size: row.get::<_, i64>("size")?.cast_unsigned(),
        name: Format::file_name(format, &place),
        facts,
    }))
}

fn digest(libraries: &[SharedLibrary]) -> [u8; DIGEST_LEN] {
    // Structs of strings and words always have a JSON form.
    let hash = sha256(&serde_json::to_vec(libraries).unwrap_or_default());
    let mut short = [0; DIGEST_LEN];
    short.copy_from_slice(&hash[..DIGEST_LEN]);
    short
}

/// The last revision that was given.
fn newest(c: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'change'";
    Ok(c.prepare_cached(sql)?.query_row([], |r| r.get(0)).optional()?.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_as_it_was_sealed_and_nonsense_begins_from_nothing() {
        let places = BTreeMap::from([(uuid::Uuid::from_u128(7), 12), (uuid::Uuid::from_u128(1), i64::MAX)]);
        let cursor = SyncCursor { digest: [1; DIGEST_LEN], places };
        assert_eq!(SyncCursor::open(&cursor.seal()), cursor);
        for nonsense in ["", "%", "AAAA", "0", "é"] {
            assert_eq!(SyncCursor::open(nonsense), SyncCursor::default(), "{nonsense}");
        }
    }
}
