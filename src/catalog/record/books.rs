//! Books and their series: what their files say, under what a person wrote.
//!
//! A field that is in `locks` is the person's: no file changes it any more. All others follow the file, and where that
//! says nothing, the name.
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{BookFile, BookNumber, Description};
use crate::catalog::items::broken;
use crate::media::book::Told;

/// Of a book whose number nobody says.
const NO_NUMBER: f64 = 0.0;

/// Writes what the file of a book gave; nothing of it is known where it could not be read.
pub(super) fn write_file(t: &Transaction<'_>, item: i64, file: Option<&BookFile>, now: i64) -> rusqlite::Result<()> {
    let none = BookFile::default();
    let file = file.unwrap_or(&none);
    let sql = "INSERT INTO book (item, pages, number, number_sort, isbn, authors, tags, links, told, described_at, partial_md5) \
        VALUES (?1, ?2, '', 0, '', '[]', '[]', '[]', ?3, ?4, ?5) \
        ON CONFLICT (item) DO UPDATE SET pages = excluded.pages, told = excluded.told, described_at = excluded.described_at, \
        partial_md5 = excluded.partial_md5";
    t.prepare_cached(sql)?.execute(params![item, file.pages, json(&file.told)?, now, file.partial_md5])?;
    if file.page_list.is_empty() {
        return t.prepare_cached("DELETE FROM page_list WHERE item = ?1")?.execute([item]).map(|_| ());
    }
    let sql = "INSERT INTO page_list VALUES (?1, ?2) ON CONFLICT (item) DO UPDATE SET pages = excluded.pages";
    t.prepare_cached(sql)?.execute(params![item, file.page_list]).map(|_| ())
}

/// Writes what a friend's node tells of a book.
pub(super) fn write_remote(
    t: &Transaction<'_>,
    item: i64,
    pages: u32,
    number: &BookNumber,
    now: i64,
) -> rusqlite::Result<()> {
    write_file(t, item, Some(&BookFile { pages, ..BookFile::default() }), now)?;
    let sql = "UPDATE book SET number = ?2, number_sort = ?3 WHERE item = ?1";
    t.prepare_cached(sql)?.execute(params![item, number.text, number.sort]).map(|_| ())
}

/// What is written of a book.
pub(super) struct Composed {
    pub description: Description,
    pub number: BookNumber,
    told: Told,
    locks: Vec<String>,
}

/// Puts together what a book's name, its file and a person say of it.
pub(super) fn compose(t: &Transaction<'_>, item: i64, named: &Description) -> rusqlite::Result<Composed> {
    let sql = "SELECT b.told, b.locks, i.title, b.number, b.number_sort, o.text FROM item AS i JOIN book AS b ON b.item = i.n \
        LEFT JOIN overview AS o ON o.item = i.n WHERE i.n = ?1";
    let (told, locks, title, number, sort, overview): (String, String, String, String, f64, Option<String>) = t
        .prepare_cached(sql)?
        .query_row([item], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?)))?;
    let told: Told = serde_json::from_str(&told).map_err(|e| broken("told", e))?;
    let locks: Vec<String> = serde_json::from_str(&locks).map_err(|e| broken("locks", e))?;
    let locked = |field: &str| locks.iter().any(|lock| lock == field);
    let of_name = named.number.clone().unwrap_or(BookNumber { text: String::new(), sort: NO_NUMBER });
    let mut new = told.number.as_deref().map(numbered).unwrap_or(of_name);
    if locked("number") {
        new.text = number;
    }
    if locked("number_sort") {
        new.sort = sort;
    }
    let year = told.release_date.as_deref().and_then(|date| date.get(..4)?.parse().ok());
    let description = Description {
        title: if locked("title") { title } else { told.title.clone().unwrap_or_else(|| named.title.clone()) },
        year: year.or(named.year),
        overview: if locked("summary") { overview } else { told.summary.clone() },
        genres: told.genres.clone(),
        ..named.clone()
    };
    Ok(Composed { description, number: new, told, locks })
}

/// A number as it was written, and where it sorts: `10.5`, and `10` for `10a`.
#[must_use]
pub(super) fn numbered(text: &str) -> BookNumber {
    let text = text.trim();
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    BookNumber { text: text.to_owned(), sort: digits.trim_end_matches('.').parse().unwrap_or(NO_NUMBER) }
}

/// Writes what only books have.
pub(super) fn write(t: &Transaction<'_>, item: i64, new: &Composed) -> rusqlite::Result<()> {
    let free = |field: &str| !new.locks.iter().any(|lock| lock == field);
    let told = &new.told;
    let sql = "UPDATE book SET number = ?2, number_sort = ?3, \
        release_date = CASE WHEN ?4 THEN ?5 ELSE release_date END, isbn = CASE WHEN ?6 THEN ?7 ELSE isbn END, \
        authors = CASE WHEN ?8 THEN ?9 ELSE authors END, tags = CASE WHEN ?10 THEN ?11 ELSE tags END, \
        links = CASE WHEN ?12 THEN ?13 ELSE links END WHERE item = ?1";
    t.prepare_cached(sql)?.execute(params![
        item,
        new.number.text,
        new.number.sort,
        free("release_date"),
        told.release_date,
        free("isbn"),
        told.isbn.clone().unwrap_or_default(),
        free("authors"),
        json(&told.authors)?,
        free("tags"),
        json(&told.tags)?,
        free("links"),
        json(&told.links)?,
    ])?;
    Ok(())
}

/// A series that a book is in has its own row here, and changed with it.
pub(super) fn touch_series(t: &Transaction<'_>, series: i64, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO series (item, changed_at) SELECT n, ?2 FROM item WHERE n = ?1 AND kind = 'series' \
        ON CONFLICT (item) DO UPDATE SET changed_at = excluded.changed_at";
    t.prepare_cached(sql)?.execute(params![series, now]).map(|_| ())
}

/// Writes what only series have, as a file of theirs says.
pub(super) fn write_series(t: &Transaction<'_>, series: i64, told: &SeriesTold) -> rusqlite::Result<()> {
    let locks = locks_of_series(t, series)?;
    let free = |field: &str| !locks.iter().any(|lock| lock == field);
    let sql = "UPDATE series SET status = CASE WHEN ?2 THEN ?3 ELSE status END, \
        direction = CASE WHEN ?4 THEN ?5 ELSE direction END, publisher = CASE WHEN ?6 THEN ?7 ELSE publisher END, \
        language = CASE WHEN ?8 THEN ?9 ELSE language END, age_rating = CASE WHEN ?10 THEN ?11 ELSE age_rating END, \
        total_books = CASE WHEN ?12 THEN ?13 ELSE total_books END WHERE item = ?1";
    t.prepare_cached(sql)?.execute(params![
        series,
        free("status"),
        told.status.as_deref().unwrap_or("ONGOING"),
        free("direction"),
        told.direction.as_deref().unwrap_or_default(),
        free("publisher"),
        told.publisher.as_deref().unwrap_or_default(),
        free("language"),
        told.language.as_deref().unwrap_or_default(),
        free("age_rating"),
        told.age_rating,
        free("total_books"),
        told.total_books,
    ])?;
    Ok(())
}

/// The fields of a series that a person wrote.
pub(in crate::catalog) fn locks_of_series(t: &Transaction<'_>, series: i64) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT locks FROM series WHERE item = ?1";
    let locks: Option<String> = t.prepare_cached(sql)?.query_row([series], |r| r.get(0)).optional()?;
    serde_json::from_str(locks.as_deref().unwrap_or("[]")).map_err(|e| broken("locks", e))
}

/// What files say of a series, besides its title and summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeriesTold {
    /// `ONGOING`, `ENDED`, `ABANDONED` or `HIATUS`.
    pub status: Option<String>,
    /// The word for a `media::book::Direction`.
    pub direction: Option<String>,
    pub publisher: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// Years.
    pub age_rating: Option<u32>,
    /// Books that there are in the world.
    pub total_books: Option<u32>,
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_sorts_by_its_value_and_is_shown_as_it_was_written() {
        for (text, sort) in [("10.5", 10.5), ("003", 3.0), ("7a", 7.0), ("12.", 12.0), ("½", 0.0), ("1.2.3", 0.0)] {
            assert_eq!(numbered(text), BookNumber { text: text.to_owned(), sort }, "{text}");
        }
    }
}
