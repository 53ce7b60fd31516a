//! What Komga keeps, read from its SQLite database: the one place that knows its tables.
//!
//! A database of any version since Komga has SQLite is read: tables and columns that it does not have are as if they were empty.
//! Nothing is written, and a Komga that runs is not disturbed. What is in it is not believed to be of any type or length.
mod covers;
mod fields;
mod people;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub(super) use covers::{Cover, Of};
pub(super) use people::{Key, User};

use super::open::{self, ForeignError, Opened, Program};
use super::places::of_url;
use super::roots::Theirs;
use super::table::{self, Table, count};
use crate::catalog::LibraryKind;
use crate::catalog::moved_in::MovedField;
use crate::catalog::shelves::ListKind;

/// Longest address of a file, in characters.
const URL_MAX: usize = 8192;
/// Longest name, in characters.
const NAME_MAX: usize = 1000;
/// Longest summary, in characters.
const SUMMARY_MAX: usize = 100_000;

/// What tells its database from others.
const KOMGA: Program =
    Program { name: "Komga", place: "Komga's is called database.sqlite, in its configuration folder", is: is_komgas };

/// Everything that is read.
#[derive(Default)]
pub(super) struct Kept {
    pub libraries: Vec<Library>,
    pub series: Vec<Series>,
    pub books: Vec<Book>,
    pub users: Vec<User>,
    pub reading: Vec<Reading>,
    pub lists: Vec<List>,
    pub covers: Vec<Cover>,
    /// What there is that nobody reads here: how many, and of what.
    pub rest: Vec<(u64, &'static str)>,
}

pub(super) struct Library {
    pub id: String,
    pub name: String,
    /// `file:` address of its folder.
    pub root: String,
}

pub(super) struct Series {
    pub id: String,
    pub library: String,
    pub url: String,
    /// Unix milliseconds.
    pub created_at: Option<i64>,
    /// Unix milliseconds.
    pub changed_at: Option<i64>,
    /// In Komga's trash.
    pub trashed: bool,
    pub fields: Vec<MovedField>,
}

pub(super) struct Book {
    pub id: String,
    pub library: String,
    pub series: String,
    pub url: String,
    /// Bytes.
    pub size: u64,
    /// XXH3 of 128 bits in 32 digits; empty where Komga did not make it.
    pub hash: String,
    /// Unix milliseconds.
    pub created_at: Option<i64>,
    /// Unix milliseconds.
    pub changed_at: Option<i64>,
    /// In Komga's trash.
    pub trashed: bool,
    /// How many pages Komga counts in an EPUB, whose pages are parts of its text.
    pub epub_pages: Option<u32>,
    pub fields: Vec<MovedField>,
}

pub(super) struct Reading {
    pub book: String,
    pub user: String,
    pub page: u32,
    pub completed: bool,
    /// Unix milliseconds.
    pub read_at: i64,
    /// Unix milliseconds.
    pub written_at: i64,
}

pub(super) struct List {
    pub id: String,
    pub kind: ListKind,
    pub name: String,
    pub summary: String,
    pub ordered: bool,
    /// Ids of series, or of books.
    pub members: Vec<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

impl Kept {
    /// The libraries, with what most of their books are.
    pub fn theirs(&self) -> Vec<Theirs> {
        let (mut books, mut epubs): (HashMap<&str, u64>, HashMap<&str, u64>) = Default::default();
        for book in self.books.iter().filter(|book| !book.trashed) {
            *books.entry(&book.library).or_default() += 1;
            *epubs.entry(&book.library).or_default() += u64::from(book.url.to_lowercase().ends_with(".epub"));
        }
        let theirs = |library: &Library| {
            let of = |counts: &HashMap<&str, u64>| counts.get(library.id.as_str()).copied().unwrap_or_default();
            let flows = of(&epubs) * 2 > of(&books);
            Theirs {
                id: library.id.clone(),
                name: library.name.clone(),
                root: of_url(&library.root).unwrap_or_default(),
                kind: if flows { LibraryKind::Books } else { LibraryKind::Comics },
                items: of(&books),
            }
        };
        self.libraries.iter().map(theirs).collect()
    }

    /// Every file that is not in the trash, with its library.
    pub fn files(&self) -> impl Iterator<Item = (&String, PathBuf)> {
        let present = self.books.iter().filter(|book| !book.trashed);
        present.filter_map(|book| Some((&book.library, of_url(&book.url)?)))
    }
}

/// Its database, open.
pub(super) struct Source {
    opened: Opened,
    path: PathBuf,
}

/// Opens it. Blocking.
pub(super) fn open(path: &Path, scratch: &Path) -> Result<Source, ForeignError> {
    Ok(Source { opened: open::open(path, scratch, &KOMGA)?, path: path.to_owned() })
}

/// Reads all of it but pictures. Blocking.
pub(super) fn read(path: &Path, scratch: &Path) -> Result<Kept, ForeignError> {
    let source = open(path, scratch)?;
    kept(&source.opened.connection).map_err(|error| source.broken(error))
}

impl Source {
    /// The picture of a cover, unless it has none or more than `most` bytes. Blocking.
    pub fn picture(&self, cover: &Cover, most: usize) -> Result<Option<Vec<u8>>, ForeignError> {
        covers::picture(&self.opened.connection, cover, most).map_err(|error| self.broken(error))
    }

    fn broken(&self, source: rusqlite::Error) -> ForeignError {
        ForeignError::Database { path: self.path.clone(), source }
    }
}

fn is_komgas(c: &Connection) -> rusqlite::Result<bool> {
    Ok(table::has(c, "library", &["id", "root"])?
        && table::has(c, "series", &["id", "url", "library_id"])?
        && table::has(c, "book", &["id", "url", "series_id", "library_id"])?
        && table::has(c, "user", &["id", "email"])?
        && table::has(c, "read_progress", &["book_id", "user_id"])?)
}

fn kept(c: &Connection) -> rusqlite::Result<Kept> {
    Ok(Kept {
        libraries: libraries(c)?,
        series: series(c)?,
        books: books(c)?,
        users: people::users(c)?,
        reading: reading(c)?,
        lists: lists(c)?,
        covers: covers::covers(c)?,
        rest: rest(c)?,
    })
}

fn libraries(c: &Connection) -> rusqlite::Result<Vec<Library>> {
    let mut all = Vec::new();
    Table::of(c, "library", &["id", "name", "root"])?.each(c, |f| {
        let [name, root] = [f.text(1, NAME_MAX), f.text(2, URL_MAX)].map(Option::unwrap_or_default);
        all.push(Library { id: f.id(0), name, root });
    })?;
    Ok(all)
}

fn series(c: &Connection) -> rusqlite::Result<Vec<Series>> {
    let columns = ["id", "library_id", "name", "url", "created_date", "last_modified_date", "deleted_date", "deleted"];
    let (mut all, mut names) = (Vec::new(), HashMap::new());
    Table::of(c, "series", &columns)?.each(c, |f| {
        names.insert(f.id(0), f.text(2, NAME_MAX).unwrap_or_default());
        all.push(Series {
            id: f.id(0),
            library: f.id(1),
            url: f.text(3, URL_MAX).unwrap_or_default(),
            created_at: f.time(4),
            changed_at: f.time(5),
            trashed: f.text(6, 1).is_some() || f.flag(7),
            fields: Vec::new(),
        });
    })?;
    let mut fields = fields::of_series(c, &names)?;
    all.iter_mut().for_each(|one| one.fields = fields.remove(&one.id).unwrap_or_default());
    Ok(all)
}

fn books(c: &Connection) -> rusqlite::Result<Vec<Book>> {
    let columns = [
        "id",
        "library_id",
        "series_id",
        "name",
        "url",
        "file_size",
        "file_hash",
        "created_date",
        "last_modified_date",
        "deleted_date",
        "deleted",
    ];
    let (mut all, mut names) = (Vec::new(), HashMap::new());
    Table::of(c, "book", &columns)?.each(c, |f| {
        names.insert(f.id(0), f.text(3, NAME_MAX).unwrap_or_default());
        all.push(Book {
            id: f.id(0),
            library: f.id(1),
            series: f.id(2),
            url: f.text(4, URL_MAX).unwrap_or_default(),
            size: f.whole(5).and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            hash: f.text(6, 64).unwrap_or_default(),
            created_at: f.time(7),
            changed_at: f.time(8),
            trashed: f.text(9, 1).is_some() || f.flag(10),
            epub_pages: None,
            fields: Vec::new(),
        });
    })?;
    let mut pages = HashMap::new();
    Table::of(c, "media", &["book_id", "media_type", "page_count"])?.each(c, |f| {
        if f.text(1, 64).is_some_and(|kind| kind.contains("epub")) {
            pages.insert(f.id(0), f.count(2).unwrap_or_default());
        }
    })?;
    let mut fields = fields::of_books(c, &names)?;
    for book in &mut all {
        book.fields = fields.remove(&book.id).unwrap_or_default();
        book.epub_pages = pages.get(&book.id).copied();
    }
    Ok(all)
}

fn reading(c: &Connection) -> rusqlite::Result<Vec<Reading>> {
    let columns = ["book_id", "user_id", "page", "completed", "read_date", "last_modified_date", "created_date"];
    let mut all = Vec::new();
    Table::of(c, "read_progress", &columns)?.each(c, |f| {
        let written = f.time(5).or(f.time(6)).or(f.time(4)).unwrap_or_default();
        all.push(Reading {
            book: f.id(0),
            user: f.id(1),
            page: f.count(2).unwrap_or_default(),
            completed: f.flag(3),
            read_at: f.time(4).unwrap_or(written),
            written_at: written,
        });
    })?;
    Ok(all)
}

fn lists(c: &Connection) -> rusqlite::Result<Vec<List>> {
    let collections = ("collection", "collection_series", ["collection_id", "series_id", "number"]);
    let read_lists = ("readlist", "readlist_book", ["readlist_id", "book_id", "number"]);
    let mut all = Vec::new();
    for (kind, (table, held, columns)) in [(ListKind::Collection, collections), (ListKind::ReadList, read_lists)] {
        let mut members: HashMap<String, Vec<(i64, String)>> = HashMap::new();
        Table::of(c, held, &columns)?.each(c, |f| {
            members.entry(f.id(0)).or_default().push((f.whole(2).unwrap_or_default(), f.id(1)));
        })?;
        // Read lists were all in order before they could be otherwise.
        let always = kind == ListKind::ReadList && !table::has(c, table, &["ordered"])?;
        let columns = ["id", "name", "summary", "ordered", "created_date", "last_modified_date"];
        Table::of(c, table, &columns)?.each(c, |f| {
            let mut members = members.remove(&f.id(0)).unwrap_or_default();
            members.sort();
            let created_at = f.time(4).unwrap_or_default();
            all.push(List {
                id: f.id(0),
                kind,
                name: f.text(1, NAME_MAX).unwrap_or_default(),
                summary: f.text(2, SUMMARY_MAX).unwrap_or_default(),
                ordered: f.flag(3) || always,
                members: members.into_iter().map(|(_, id)| id).collect(),
                created_at,
                changed_at: f.time(5).unwrap_or(created_at),
            });
        })?;
    }
    Ok(all)
}

/// What is not read, where there is any.
fn rest(c: &Connection) -> rusqlite::Result<Vec<(u64, &'static str)>> {
    let counts: [(&str, &[&str], &str, &'static str); 2] = [
        ("page_hash", &["action"], "action <> 'IGNORE'", "rules for pages that are in many books"),
        ("book_metadata_character", &["book_id"], "1", "names of characters in books"),
    ];
    let mut all = Vec::new();
    for (table, columns, rule, what) in counts {
        all.push((count(c, table, columns, rule)?, what));
    }
    all.retain(|(count, _)| *count > 0);
    Ok(all)
}
