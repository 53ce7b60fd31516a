//! Reads the rows of a list: all that is known of series and of books, in one query each.
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::Shelf;
use super::condition::one_shot;
use super::words::read;
use crate::catalog::items::{number_of, path, shown_id};
use crate::catalog::model::{Id, ItemState};
use crate::media::book::{Author, Link};

/// How far an account is in a book.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Number of the last page that was read.
    pub page: u32,
    /// Read to the end.
    pub completed: bool,
    /// Unix milliseconds.
    pub read_at: i64,
}

/// A series with what its books have together.
#[derive(Debug, Clone)]
pub struct ShelfSeries {
    /// What programs for reading call it.
    pub id: Id,
    pub library: Id,
    /// What programs for reading call its library.
    pub library_shown: Id,
    pub title: String,
    /// Where it sorts.
    pub sort_title: String,
    /// Absolute.
    pub path: PathBuf,
    pub summary: String,
    pub trashed: bool,
    /// One file that is a series of its own.
    pub one_shot: bool,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
    /// Unix milliseconds; the latest of its files.
    pub modified_at: i64,
    /// `ONGOING`, `ENDED`, `ABANDONED`, `HIATUS`.
    pub status: String,
    /// `ltr`, `rtl`, `vertical`, `webtoon` or nothing.
    pub direction: String,
    pub publisher: String,
    pub language: String,
    pub age_rating: Option<u32>,
    /// Books that there are in the world.
    pub total_books: Option<u32>,
    pub genres: Vec<String>,
    pub tags: Vec<String>,
    pub labels: Vec<String>,
    pub links: Vec<Link>,
    /// Other titles: label and title.
    pub titles: Vec<(String, String)>,
    /// Fields that a person wrote.
    pub locks: Vec<String>,
    /// Books here.
    pub books: u32,
    /// Of those, the ones that the account read.
    pub read: u32,
    /// Of those, the ones that it began.
    pub started: u32,
    /// Of its books.
    pub authors: Vec<Author>,
    /// Of its books.
    pub book_tags: Vec<String>,
    /// Of its first book, `yyyy-mm-dd`.
    pub released: Option<String>,
    /// Of the first book that has one.
    pub book_summary: Summary,
}

/// What a book is about, with its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub text: String,
    pub number: String,
}

/// A book.
#[derive(Debug, Clone)]
pub struct ShelfBook {
    /// What programs for reading call it.
    pub id: Id,
    pub library: Id,
    /// What programs for reading call its library.
    pub library_shown: Id,
    pub series: Id,
    pub series_title: String,
    pub title: String,
    /// Absolute.
    pub path: PathBuf,
    /// Its place among the books of its series, from 1 on; 0 for one in the trash.
    pub place: u32,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
    /// Unix milliseconds.
    pub modified_at: i64,
    /// Bytes.
    pub size: u64,
    pub state: ItemState,
    /// Why it cannot be read.
    pub problem: Option<String>,
    /// A word of `media::book::Format`.
    pub format: Option<String>,
    pub pages: u32,
    /// An EPUB whose pages are pictures.
    pub divina_compatible: bool,
    pub one_shot: bool,
    pub summary: String,
    /// As shown.
    pub number: String,
    pub number_sort: f64,
    /// `yyyy-mm-dd`.
    pub released: Option<String>,
    pub isbn: String,
    pub authors: Vec<Author>,
    pub tags: Vec<String>,
    pub links: Vec<Link>,
    /// Fields that a person wrote.
    pub locks: Vec<String>,
    /// Of the asking account; `None` where it read nothing.
    pub reading: Option<Reading>,
}

/// The row of an item of this kind in a library of this machine; none where there is no such thing.
pub(super) fn number(c: &Connection, id: &str, kind: &str) -> rusqlite::Result<Vec<i64>> {
    let sql = format!(
        "SELECT i.n FROM item AS i JOIN library AS l ON l.id = i.library WHERE i.n = {} AND i.kind = ?2 AND l.friend IS NULL",
        number_of("?1")
    );
    c.prepare_cached(&sql)?.query_map([id, kind], |r| r.get(0))?.collect()
}

/// What programs for reading call the library of an item `i`.
const LIBRARY: &str =
    "ifnull((SELECT a.id FROM library_alias AS a WHERE a.library = i.library), i.library) AS library_shown";

/// What an item is on its shelf, for whoever tells that it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// Its own.
    pub id: Id,
    /// A series or a book.
    pub shelf: Shelf,
    pub library: Id,
    /// The series of a book; of a series itself.
    pub series: Id,
    /// No book came to its series before it.
    pub first: bool,
}

/// One item, by its own id or one that it had elsewhere; `None` for what is neither a series nor a book on this machine.
pub(super) fn shelved(c: &Connection, id: &str) -> rusqlite::Result<Option<Shelved>> {
    let sql = format!(
        "SELECT i.kind = 'series', i.library, CASE i.kind WHEN 'series' THEN i.id ELSE ifnull(s.id, '') END, \
        NOT EXISTS (SELECT 1 FROM item AS e WHERE e.show = i.show AND e.n < i.n), i.id \
        FROM item AS i JOIN library AS l ON l.id = i.library LEFT JOIN item AS s ON s.n = i.show \
        WHERE i.n = {} AND i.kind IN ('series', 'book') AND l.friend IS NULL",
        number_of("?1")
    );
    let shelved = |r: &Row<'_>| {
        let shelf = if r.get(0)? { Shelf::Series } else { Shelf::Books };
        Ok(Shelved { id: r.get(4)?, shelf, library: r.get(1)?, series: r.get(2)?, first: r.get(3)? })
    };
    c.prepare_cached(&sql)?.query_row([id], shelved).optional()
}

const KEYS: &str = "WITH k AS MATERIALIZED (SELECT key, value AS n FROM json_each(:keys))";

/// The series of these rows, in this order.
pub(super) fn series(c: &Connection, keys: &[i64], account: &str) -> rusqlite::Result<Vec<ShelfSeries>> {
    let books = "FROM item AS e WHERE e.show = i.n AND e.state <> 'trashed'";
    let of_books = "FROM item AS e JOIN book AS b ON b.item = e.n LEFT JOIN overview AS eo ON eo.item = e.n \
        WHERE e.show = i.n AND e.state <> 'trashed'";
    let read = "FROM item AS e JOIN progress AS p ON p.item = e.n AND p.account = :account \
        WHERE e.show = i.n AND e.state <> 'trashed'";
    let words = "FROM item AS e JOIN shelf_word_of AS wo ON wo.item = e.n JOIN shelf_word AS w ON w.n = wo.word \
        WHERE e.show = i.n AND e.state <> 'trashed'";
    let (one_shot, id) = (one_shot("i.n"), shown_id("i"));
    let sql = format!(
        "{KEYS} SELECT {id} AS id, i.library, {LIBRARY}, i.title, i.sort_title, i.genres, i.state = 'trashed' AS trashed, i.added_at, \
            CASE WHEN i.place IS NULL THEN l.path ELSE l.path || x'2f' || i.place END AS path, ifnull(o.text, '') AS summary, \
            ifnull(m.status, 'ONGOING') AS status, ifnull(m.direction, '') AS direction, ifnull(m.publisher, '') AS publisher, \
            ifnull(m.language, '') AS language, m.age_rating, m.total_books, ifnull(m.tags, '[]') AS tags, \
            ifnull(m.labels, '[]') AS labels, ifnull(m.links, '[]') AS links, ifnull(m.titles, '[]') AS titles, \
            ifnull(m.locks, '[]') AS locks, ifnull(m.changed_at, i.added_at) AS changed_at, \
            (SELECT count(*) {books}) AS books, (SELECT count(*) {read} AND p.completed) AS read, \
            (SELECT count(*) {read} AND NOT p.completed) AS started, \
            ifnull((SELECT max(f.modified_ns) FROM item AS e JOIN file AS f ON f.item = e.n WHERE e.show = i.n), 0) AS modified_ns, \
            (SELECT json_group_array(json_object('name', word, 'role', role)) FROM \
                (SELECT DISTINCT w.word, w.role {words} AND w.field = 'author' ORDER BY w.role, w.key)) AS authors, \
            (SELECT json_group_array(word) FROM (SELECT DISTINCT w.word {words} AND w.field = 'tag' ORDER BY w.key)) AS book_tags, \
            (SELECT min(b.release_date) {of_books}) AS released, \
            (SELECT json_array(eo.text, b.number) {of_books} AND eo.text <> '' ORDER BY e.sort_key LIMIT 1) AS book_summary, \
            {one_shot} AS one_shot \
        FROM k JOIN item AS i ON i.n = k.n JOIN library AS l ON l.id = i.library LEFT JOIN series AS m ON m.item = i.n \
            LEFT JOIN overview AS o ON o.item = i.n ORDER BY k.key"
    );
    let keys = serde_json::Value::from(keys.to_vec()).to_string();
    let mut statement = c.prepare_cached(&sql)?;
    statement.query_map(named_params! {":keys": keys, ":account": account}, one_series)?.collect()
}

#[derive(serde::Deserialize)]
struct Titled {
    #[serde(default)]
    label: String,
    title: String,
}

fn list<T: for<'a> serde::Deserialize<'a>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    read(column, row.get_ref(column)?.as_str()?)
}

fn one_series(row: &Row<'_>) -> rusqlite::Result<ShelfSeries> {
    let titles: Vec<Titled> = list(row, "titles")?;
    let summary: Option<String> = row.get("book_summary")?;
    let (text, number) = summary.map_or(Ok(Default::default()), |json| read("book_summary", &json))?;
    Ok(ShelfSeries {
        id: row.get("id")?,
        library: row.get("library")?,
        library_shown: row.get("library_shown")?,
        title: row.get("title")?,
        sort_title: row.get("sort_title")?,
        path: path(row.get_ref("path")?.as_bytes()?.to_vec()),
        summary: row.get("summary")?,
        trashed: row.get("trashed")?,
        one_shot: row.get("one_shot")?,
        added_at: row.get("added_at")?,
        changed_at: row.get("changed_at")?,
        modified_at: row.get::<_, i64>("modified_ns")? / 1_000_000,
        status: row.get("status")?,
        direction: row.get("direction")?,
        publisher: row.get("publisher")?,
        language: row.get("language")?,
        age_rating: row.get("age_rating")?,
        total_books: row.get("total_books")?,
        genres: list(row, "genres")?,
        tags: list(row, "tags")?,
        labels: list(row, "labels")?,
        links: list(row, "links")?,
        titles: titles.into_iter().map(|other| (other.label, other.title)).collect(),
        locks: list(row, "locks")?,
        books: row.get("books")?,
        read: row.get("read")?,
        started: row.get("started")?,
        authors: list(row, "authors")?,
        book_tags: list(row, "book_tags")?,
        released: row.get("released")?,
        book_summary: Summary { text, number },
    })
}

/// The books of these rows, in this order.
pub(super) fn books(c: &Connection, keys: &[i64], account: &str) -> rusqlite::Result<Vec<ShelfBook>> {
    let (id, series) = (shown_id("i"), shown_id("s"));
    let sql = format!(
        "{KEYS}, place AS MATERIALIZED (SELECT n, row_number() OVER (PARTITION BY show ORDER BY sort_key, n) AS at FROM item \
            WHERE show IN (SELECT i.show FROM k JOIN item AS i ON i.n = k.n) AND state <> 'trashed') \
        SELECT {id} AS id, i.library, {LIBRARY}, ifnull({series}, '') AS series, ifnull(s.title, '') AS series_title, i.title, i.state, i.problem, \
            i.added_at, i.size, CASE WHEN f.place IS NULL THEN l.path ELSE l.path || x'2f' || f.place END AS path, \
            ifnull(place.at, 0) AS at, f.modified_ns, json_extract(f.facts, '$.container') AS format, \
            ifnull(o.text, '') AS summary, ifnull(b.pages, 0) AS pages, ifnull(b.number, '') AS number, \
            ifnull(b.number_sort, 0.0) AS number_sort, b.release_date, ifnull(b.isbn, '') AS isbn, \
            ifnull(b.authors, '[]') AS authors, ifnull(b.tags, '[]') AS tags, ifnull(b.links, '[]') AS links, \
            ifnull(b.locks, '[]') AS locks, ifnull(b.described_at, i.added_at) AS changed_at, \
            ifnull(json_extract(b.told, '$.divina_compatible'), 0) AS divina, ifnull(f.place = s.place, 0) AS one_shot, \
            p.position, p.completed, p.watched_at \
        FROM k JOIN item AS i ON i.n = k.n JOIN library AS l ON l.id = i.library LEFT JOIN item AS s ON s.n = i.show \
            LEFT JOIN file AS f ON f.item = i.n LEFT JOIN book AS b ON b.item = i.n LEFT JOIN overview AS o ON o.item = i.n \
            LEFT JOIN place ON place.n = i.n LEFT JOIN progress AS p ON p.item = i.n AND p.account = :account ORDER BY k.key"
    );
    let keys = serde_json::Value::from(keys.to_vec()).to_string();
    let mut statement = c.prepare_cached(&sql)?;
    statement.query_map(named_params! {":keys": keys, ":account": account}, one_book)?.collect()
}

fn one_book(row: &Row<'_>) -> rusqlite::Result<ShelfBook> {
    Ok(ShelfBook {
        id: row.get("id")?,
        library: row.get("library")?,
        library_shown: row.get("library_shown")?,
        series: row.get("series")?,
        series_title: row.get("series_title")?,
        title: row.get("title")?,
        path: path(row.get_ref("path")?.as_bytes()?.to_vec()),
        place: row.get("at")?,
        added_at: row.get("added_at")?,
        changed_at: row.get("changed_at")?,
        modified_at: row.get::<_, Option<i64>>("modified_ns")?.unwrap_or_default() / 1_000_000,
        size: row.get::<_, i64>("size")?.cast_unsigned(),
        state: row.get("state")?,
        problem: row.get("problem")?,
        format: row.get("format")?,
        pages: row.get("pages")?,
        divina_compatible: row.get("divina")?,
        one_shot: row.get("one_shot")?,
        summary: row.get("summary")?,
        number: row.get("number")?,
        number_sort: row.get("number_sort")?,
        released: row.get("release_date")?,
        isbn: row.get("isbn")?,
        authors: list(row, "authors")?,
        tags: list(row, "tags")?,
        links: list(row, "links")?,
        locks: list(row, "locks")?,
        reading: reading(row)?,
    })
}

fn reading(row: &Row<'_>) -> rusqlite::Result<Option<Reading>> {
    let Some(position) = row.get::<_, Option<f64>>("position")? else { return Ok(None) };
    // A position is seconds for films: as a page it is whole and small.
    let page = position.clamp(0.0, f64::from(u32::MAX)) as u32;
    Ok(Some(Reading { page, completed: row.get("completed")?, read_at: row.get("watched_at")? }))
}
