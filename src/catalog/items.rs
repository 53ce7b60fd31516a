//! Reads items: one row of the tables to one [`Listed`].
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::model::{
    Artwork, BookSummary, File, Id, Item, ItemState, LibraryState, Progress, PublicFile, PublicLibrary, Visibility,
};
use super::{Listed, Neighbours};
use crate::content::Cid;

/// The number of the item that a parameter names, by its own id or by one that another program gave it: an expression.
pub(super) fn number_of(id: &str) -> String {
    format!("(SELECT n FROM item WHERE id = {id} UNION ALL SELECT item FROM alias WHERE id = {id} LIMIT 1)")
}

/// What programs for reading call an item, of which `row` is a row of `item`: an expression.
pub(super) fn shown_id(row: &str) -> String {
    format!("ifnull((SELECT a.id FROM alias AS a WHERE a.item = {row}.n AND a.shown = 1), {row}.id)")
}

/// Everything of an item but what is long, which only [`Width::Full`] reads.
const COLUMNS: &str = "i.n AS number, v.starred_at, v.rating, i.id, i.library, i.kind, CASE WHEN r.twin IS NULL THEN i.state ELSE r.state END AS state, l.state AS library_state, i.title, i.sort_title, i.year, \
    s.id AS show_id, s.title AS show_title, i.season, i.episode, i.episode_end, i.genres, i.added_at, \
    i.duration, i.problem, ifnull((SELECT c.path FROM cover AS c WHERE c.item = i.n AND c.selected), i.poster) AS poster, i.backdrop, l.path AS root, l.friend, f.place, ifnull(f.cid, r.cid) AS cid, \
    ifnull(f.size, r.size) AS file_size, ifnull(f.width, r.width) AS width, ifnull(f.height, r.height) AS height, \
    ifnull(f.hdr, r.hdr) AS hdr, ifnull(f.sidecars, x'') AS sidecars, f.verified_at, r.name AS remote_name, p.position, p.completed, b.number AS book_number, b.pages AS book_pages, \
    coalesce(k.artist, a.artist) AS artist, \
    CASE WHEN i.kind IN ('show', 'series', 'album') THEN \
        (SELECT count(*) FROM item AS e WHERE e.show = i.n AND e.state <> 'trashed') END AS episodes, \
    EXISTS (SELECT 1 FROM file AS hf JOIN item AS h ON h.n = hf.item JOIN library AS hl ON hl.id = h.library \
        WHERE hf.cid = r.cid AND h.state = 'present' AND hl.state = 'available') AS here";

const TABLES: &str = "FROM item AS i JOIN library AS l ON l.id = i.library LEFT JOIN file AS f ON f.item = i.n \
    LEFT JOIN remote AS r ON r.item = i.n LEFT JOIN item AS s ON s.n = i.show LEFT JOIN progress AS p ON p.item = i.n AND p.account = :account LEFT JOIN book AS b ON b.item = i.n \
    LEFT JOIN track AS k ON k.item = i.n LEFT JOIN album AS a ON a.item = i.n \
    LEFT JOIN opinion AS v ON v.account = :account AND v.kind = 'item' AND v.target = i.n";

/// How much of an item is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// All but the facts of its file and its overview.
    List,
    /// All.
    Full,
}

fn select(width: Width, condition: &str) -> String {
    let wide = match width {
        Width::Full => {
            "ifnull(f.facts, r.facts) AS facts, (SELECT o.text FROM overview AS o WHERE o.item = i.n) AS overview"
        }
        Width::List => "NULL AS facts, NULL AS overview",
    };
    format!("SELECT {COLUMNS}, {wide} {TABLES} WHERE {condition}")
}

/// The items with these row numbers, in this order; numbers that are gone are left out.
pub(super) fn by_numbers(c: &Connection, numbers: &[i64], account: &str) -> rusqlite::Result<Vec<Listed>> {
    let mut statement = c.prepare_cached(&select(Width::List, "i.n = :n"))?;
    let mut found = Vec::with_capacity(numbers.len());
    for n in numbers {
        let row = statement.query_row(named_params! {":n": n, ":account": account}, listed).optional()?;
        found.extend(row);
    }
    Ok(found)
}

/// One item by its id, whole. Not one that a friend does not share any more.
pub(super) fn by_id(c: &Connection, id: &str, account: &str) -> rusqlite::Result<Option<Listed>> {
    let mut statement =
        c.prepare_cached(&select(Width::Full, &format!("i.n = {} AND r.state IS NOT 'trashed'", number_of(":id"))))?;
    statement.query_row(named_params! {":id": id, ":account": account}, listed).optional()
}

/// Servable items whose file has this root: present, in a library that is there.
pub(super) fn by_root(c: &Connection, root: &Cid) -> rusqlite::Result<Vec<Item>> {
    let condition = "f.cid = :cid AND i.state = 'present' AND l.state = 'available' ORDER BY i.n";
    let mut statement = c.prepare_cached(&select(Width::Full, condition))?;
    let rows = statement.query_map(named_params! {":cid": root.to_string(), ":account": ""}, listed)?;
    rows.map(|row| row.map(|found| found.item)).collect()
}

/// Libraries that hold a servable file with this root.
pub(super) fn libraries_of(c: &Connection, root: &Cid) -> rusqlite::Result<Vec<(Id, Visibility)>> {
    let sql = "SELECT DISTINCT l.id, l.visibility FROM file AS f JOIN item AS i ON i.n = f.item \
        JOIN library AS l ON l.id = i.library WHERE f.cid = ?1 AND i.state = 'present' AND l.state = 'available'";
    let mut statement = c.prepare_cached(sql)?;
    statement.query_map([root.to_string()], |r| Ok((r.get(0)?, r.get(1)?)))?.collect()
}

/// See [`super::Catalog::public_files`].
pub(super) fn public_files(c: &Connection) -> rusqlite::Result<Vec<PublicLibrary>> {
    let sql = "SELECT l.id, l.name, f.place, f.cid, f.size FROM library AS l JOIN file AS f ON f.library = l.id \
        JOIN item AS i ON i.n = f.item WHERE l.visibility = 'public' AND l.state = 'available' AND l.friend IS NULL \
        AND i.state = 'present' AND f.gone = 0 AND f.place IS NOT NULL AND f.cid IS NOT NULL ORDER BY l.name, l.id, f.place";
    let (mut libraries, mut last) = (Vec::<PublicLibrary>::new(), String::new());
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let (id, cid, size): (String, String, i64) = (r.get(0)?, r.get(3)?, r.get(4)?);
        let Ok(cid) = Cid::try_from(cid.as_str()) else { continue };
        if id != last {
            libraries.push(PublicLibrary { id: id.clone(), name: r.get(1)?, files: Vec::new() });
            last = id;
        }
        if let Some(library) = libraries.last_mut() {
            library.files.push(PublicFile { place: path(r.get(2)?), cid, size: size.cast_unsigned() });
        }
    }
    Ok(libraries)
}

/// See [`super::Catalog::held_by_friends`].
pub(super) fn held_by_friends(c: &Connection, root: &Cid) -> rusqlite::Result<Vec<Held>> {
    let sql = "SELECT i.id, l.id, l.friend, r.state, r.cid, l.people IS NOT NULL FROM remote AS r JOIN item AS i ON i.n = r.item \
        JOIN library AS l ON l.id = i.library WHERE r.cid = ?1 AND r.state = 'present' AND l.friend IS NOT NULL \
        AND l.withdrawn = 0 AND l.state = 'available' ORDER BY i.n";
    c.prepare_cached(sql)?.query_map([root.to_string()], held)?.collect()
}

/// A file of ours that is to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToVerify {
    /// Item id.
    pub item: Id,
    /// Shown to people.
    pub title: String,
    /// Root of its DAG.
    pub cid: Cid,
    /// Bytes.
    pub size: u64,
    /// It was found damaged.
    pub damaged: bool,
}

/// See [`super::Catalog::to_verify`].
pub(super) fn to_verify(c: &Connection, before: i64) -> rusqlite::Result<Vec<ToVerify>> {
    let sql = "SELECT i.id, i.title, f.cid, f.size, i.state = 'damaged' FROM file AS f JOIN item AS i ON i.n = f.item \
        JOIN library AS l ON l.id = f.library WHERE f.cid IS NOT NULL AND l.state = 'available' \
        AND (i.state = 'damaged' OR i.state = 'present' AND ifnull(f.verified_at, 0) < ?1) ORDER BY f.verified_at, i.n";
    let file = |r: &Row<'_>| {
        let cid: String = r.get(2)?;
        Ok(Cid::try_from(cid.as_str()).ok().map(|cid| (r.get(0), r.get(1), cid, r.get::<_, i64>(3), r.get(4))))
    };
    let mut statement = c.prepare_cached(sql)?;
    let mut found = Vec::new();
    for row in statement.query_map([before], file)? {
        let Some((item, title, cid, size, damaged)) = row? else { continue };
        found.push(ToVerify { item: item?, title: title?, cid, size: size?.cast_unsigned(), damaged: damaged? });
    }
    Ok(found)
}

/// A friend's item that is what another one is: the same film, or the very same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Item id.
    pub item: Id,
    /// The friend's library.
    pub library: Id,
    /// Whose it is.
    pub friend: Id,
    /// What the friend says of it.
    pub state: ItemState,
    /// Root CID of its file.
    pub cid: Option<String>,
    /// It is for some of our people only: for them alone its friend's node may be asked.
    pub limited: bool,
}

/// The friends' items that an item stands for.
pub(super) fn twins(c: &Connection, id: &str) -> rusqlite::Result<Vec<Held>> {
    let sql = "SELECT t.id, t.library, l.friend, r.state, r.cid, l.people IS NOT NULL FROM item AS i JOIN remote AS r ON r.twin = i.n \
        JOIN item AS t ON t.n = r.item JOIN library AS l ON l.id = t.library WHERE i.id = ?1 ORDER BY t.n";
    c.prepare_cached(sql)?.query_map([id], held)?.collect()
}

fn held(row: &Row<'_>) -> rusqlite::Result<Held> {
    let (item, library, friend) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Held { item, library, friend, state: row.get(3)?, cid: row.get(4)?, limited: row.get(5)? })
}

/// The episodes before and after an item in its show, by season and number.
pub(super) fn neighbours(c: &Connection, id: &str, account: &str) -> rusqlite::Result<Neighbours> {
    let beside = |comparison: &str, order: &str| -> rusqlite::Result<Option<Listed>> {
        let sql = format!(
            "SELECT o.n FROM item AS i JOIN item AS o ON o.show = i.show AND (o.sort_key, o.n) {comparison} (i.sort_key, i.n) \
             WHERE i.id = ?1 AND o.state = 'present' ORDER BY o.sort_key {order}, o.n {order} LIMIT 1"
        );
        let n: Option<i64> = c.prepare_cached(&sql)?.query_row([id], |r| r.get(0)).optional()?;
        Ok(by_numbers(c, n.as_slice(), account)?.pop())
    };
    Ok(Neighbours { previous: beside("<", "DESC")?, next: beside(">", "ASC")? })
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let position: Option<f64> = row.get("position")?;
    let completed: Option<bool> = row.get("completed")?;
    Ok(Listed {
        number: row.get("number")?,
        starred_at: row.get("starred_at")?,
        rating: row.get("rating")?,
        item: item(row)?,
        show_title: row.get("show_title")?,
        episodes: row.get::<_, Option<i64>>("episodes")?.map(i64::cast_unsigned),
        progress: position.zip(completed).map(|(position, completed)| Progress { position, completed }),
        here: row.get("here")?,
    })
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let state: ItemState = row.get("state")?;
    let away = row.get::<_, LibraryState>("library_state")? == LibraryState::Unavailable;
    let genres: String = row.get("genres")?;
    Ok(Item {
        id: row.get("id")?,
        library: row.get("library")?,
        kind: row.get("kind")?,
        state: if away && state == ItemState::Present { ItemState::Unavailable } else { state },
        title: row.get("title")?,
        sort_title: row.get("sort_title")?,
        year: row.get("year")?,
        show: row.get("show_id")?,
        season: row.get("season")?,
        episode: row.get("episode")?,
        episode_end: row.get("episode_end")?,
        overview: row.get("overview")?,
        genres: serde_json::from_str(&genres).map_err(|e| broken("genres", e))?,
        added_at: row.get("added_at")?,
        duration: row.get("duration")?,
        problem: row.get("problem")?,
        file: file(row)?,
        friend: row.get("friend")?,
        book: book(row)?,
        artist: row.get("artist")?,
        artwork: Artwork { poster: optional_path(row, "poster")?, backdrop: optional_path(row, "backdrop")? },
    })
}

fn book(row: &Row<'_>) -> rusqlite::Result<Option<BookSummary>> {
    let number: Option<String> = row.get("book_number")?;
    let Some(number) = number else { return Ok(None) };
    Ok(Some(BookSummary { number, pages: row.get("book_pages")? }))
}

fn file(row: &Row<'_>) -> rusqlite::Result<Option<File>> {
    // A friend's has a name, but no place on this disk.
    let name = row.get::<_, Option<String>>("remote_name")?.map(PathBuf::from);
    let Some(place) = optional_path(row, "place")?.or(name) else { return Ok(None) };
    let path = path(row.get("root")?).join(place);
    let hdr: Option<String> = row.get("hdr")?;
    let facts: Option<String> = row.get("facts")?;
    let cid: Option<String> = row.get("cid")?;
    Ok(Some(File {
        cid: cid.map(|text| Cid::try_from(text.as_str()).map_err(|e| broken("cid", e))).transpose()?,
        size: row.get::<_, Option<i64>>("file_size")?.unwrap_or_default().cast_unsigned(),
        width: row.get("width")?,
        height: row.get("height")?,
        hdr: hdr.map(|word| serde_json::from_value(word.into()).map_err(|e| broken("hdr", e))).transpose()?,
        facts: facts.map(|json| serde_json::from_str(&json).map_err(|e| broken("facts", e))).transpose()?,
        sidecars: names(row.get_ref("sidecars")?.as_bytes()?).map(|name| path.with_file_name(name)).collect(),
        verified_at: row.get("verified_at")?,
        path,
    }))
}

/// A path as it is stored.
pub(super) fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

/// A path as it is stored.
pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn optional_path(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<PathBuf>> {
    Ok(row.get::<_, Option<Vec<u8>>>(column)?.map(path))
}

fn names(joined: &[u8]) -> impl Iterator<Item = OsString> {
    joined.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(|name| OsString::from_vec(name.to_vec()))
}

/// Names in one column, each ended by a zero byte, which no name can hold.
/// What [`join_names`] joined.
pub(super) fn split_names(joined: &[u8]) -> Vec<PathBuf> {
    names(joined).map(PathBuf::from).collect()
}

pub(super) fn join_names<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<u8> {
    let mut joined = Vec::new();
    for name in paths.into_iter().filter_map(|path| path.file_name()) {
        joined.extend_from_slice(name.as_bytes());
        joined.push(0);
    }
    joined
}

pub(super) fn broken(column: &str, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, format!("{column}: {error}").into())
}
