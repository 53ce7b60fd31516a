//! The words and titles of series and books in a form that finds them: written whenever one is described, listed for filters.
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Deserialize;

use super::condition::WordField;
use crate::catalog::items::{broken, number_of};
use crate::catalog::model::Id;
use crate::catalog::sorting::fold;
use crate::media::book::Author;

/// A title that a series has besides its own.
#[derive(Debug, Deserialize)]
struct OtherTitle {
    title: String,
}

struct Words {
    title: String,
    /// All titles, without case and accents.
    text: String,
    /// Field, role, word.
    words: Vec<(WordField, String, String)>,
}

/// Writes by what a series or a book is found; nothing for what is neither.
pub(in crate::catalog) fn index(t: &Transaction<'_>, item: i64) -> rusqlite::Result<()> {
    let kind: Option<String> =
        t.prepare_cached("SELECT kind FROM item WHERE n = ?1")?.query_row([item], |r| r.get(0)).optional()?;
    let words = match kind.as_deref() {
        Some("series") => of_series(t, item)?,
        Some("book") => of_book(t, item)?,
        _ => return Ok(()),
    };
    let sql = "INSERT INTO shelf_text VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET title = excluded.title, text = excluded.text";
    t.prepare_cached(sql)?.execute(params![item, fold(words.title.trim()), words.text])?;
    t.prepare_cached("DELETE FROM shelf_word_of WHERE item = ?1")?.execute([item])?;
    for (field, role, word) in words.words.iter().filter(|(_, _, word)| !word.trim().is_empty()) {
        let (field, word) = (field.word(), word.trim());
        let values = params![field, role, word, fold(word)];
        t.prepare_cached("INSERT OR IGNORE INTO shelf_word (field, role, word, key) VALUES (?1, ?2, ?3, ?4)")?
            .execute(values)?;
        let sql = "INSERT OR IGNORE INTO shelf_word_of SELECT ?5, n FROM shelf_word \
            WHERE field = ?1 AND role = ?2 AND word = ?3 AND key = ?4";
        t.prepare_cached(sql)?.execute(params![field, role, word, fold(word), item])?;
    }
    Ok(())
}

fn of_series(t: &Transaction<'_>, item: i64) -> rusqlite::Result<Words> {
    let sql = "SELECT i.title, i.sort_title, i.genres, ifnull(m.titles, '[]'), ifnull(m.tags, '[]'), ifnull(m.labels, '[]'), \
        ifnull(m.publisher, ''), ifnull(m.language, '') FROM item AS i LEFT JOIN series AS m ON m.item = i.n WHERE i.n = ?1";
    let row: [String; 8] = t.prepare_cached(sql)?.query_row([item], |r| {
        let mut row = <[String; 8]>::default();
        for (n, column) in row.iter_mut().enumerate() {
            *column = r.get(n)?;
        }
        Ok(row)
    })?;
    let [title, sort_title, genres, titles, tags, labels, publisher, language] = row;
    let titles: Vec<OtherTitle> = read("titles", &titles)?;
    let mut all = vec![title.clone(), sort_title];
    all.extend(titles.into_iter().map(|other| other.title));
    let mut words =
        vec![(WordField::Publisher, String::new(), publisher), (WordField::Language, String::new(), language)];
    for (field, column, list) in
        [(WordField::Genre, "genres", genres), (WordField::Tag, "tags", tags), (WordField::Label, "labels", labels)]
    {
        words.extend(read::<Vec<String>>(column, &list)?.into_iter().map(|word| (field, String::new(), word)));
    }
    Ok(Words { title, text: fold(&all.join("\n")), words })
}

fn of_book(t: &Transaction<'_>, item: i64) -> rusqlite::Result<Words> {
    let sql = "SELECT i.title, ifnull(b.isbn, ''), ifnull(b.tags, '[]'), ifnull(b.authors, '[]') \
        FROM item AS i LEFT JOIN book AS b ON b.item = i.n WHERE i.n = ?1";
    let (title, isbn, tags, authors): (String, String, String, String) =
        t.prepare_cached(sql)?.query_row([item], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?;
    let tags = read::<Vec<String>>("tags", &tags)?.into_iter().map(|tag| (WordField::Tag, String::new(), tag));
    let authors = read::<Vec<Author>>("authors", &authors)?;
    let authors = authors.into_iter().map(|author| (WordField::Author, author.role, author.name));
    Ok(Words { text: fold(&format!("{title}\n{isbn}")), title, words: tags.chain(authors).collect() })
}

pub(super) fn read<T: for<'a> Deserialize<'a>>(column: &str, json: &str) -> rusqlite::Result<T> {
    serde_json::from_str(json).map_err(|error| broken(column, error))
}

/// Which words of a kind are wanted.
#[derive(Debug, Clone, Default)]
pub struct WordFilter {
    /// Only of what is in these libraries.
    pub libraries: Vec<Id>,
    /// Only of this series and its books.
    pub series: Option<Id>,
    /// Only of series in this collection, and of their books.
    pub collection: Option<Id>,
    /// Only of books in this read list.
    pub list: Option<Id>,
    /// Only of series, or only of books.
    pub shelf: Option<super::Shelf>,
    /// Of authors: in this role.
    pub role: Option<String>,
    /// Words that hold this.
    pub text: Option<String>,
}

/// A word with its role, which only authors have.
pub(super) fn list(c: &Connection, field: WordField, filter: &WordFilter) -> rusqlite::Result<Vec<(String, String)>> {
    let shelf = filter.shelf.map(|shelf| match shelf {
        super::Shelf::Series => "series",
        super::Shelf::Books => "book",
    });
    let sql = format!(
        "SELECT w.word, w.role FROM shelf_word AS w WHERE w.field = ?1 AND (?5 IS NULL OR w.role = ?5) \
        AND (?6 IS NULL OR instr(w.key, ?6) > 0) AND EXISTS (SELECT 1 FROM shelf_word_of AS o JOIN item AS i ON i.n = o.item \
            WHERE o.word = w.n AND i.library IN (SELECT value FROM json_each(?2)) \
            AND i.state <> 'trashed' AND (?3 IS NULL OR i.kind = ?3) AND (?4 IS NULL OR {} IN (i.n, i.show)) \
            AND (?7 IS NULL OR EXISTS (SELECT 1 FROM shelf_list_item AS li WHERE li.list = ?7 AND li.item IN (i.n, i.show))) \
            AND (?8 IS NULL OR EXISTS (SELECT 1 FROM shelf_list_item AS li WHERE li.list = ?8 AND li.item = i.n))) \
        ORDER BY w.key, w.word, w.role",
        number_of("?4")
    );
    let libraries = serde_json::Value::from(filter.libraries.clone()).to_string();
    let text = filter.text.as_deref().map(fold);
    let values =
        params![field.word(), libraries, shelf, filter.series, filter.role, text, filter.collection, filter.list];
    c.prepare_cached(&sql)?.query_map(values, |r| Ok((r.get(0)?, r.get(1)?)))?.collect()
}

/// Age ratings of series in these libraries, ascending.
pub(super) fn age_ratings(c: &Connection, libraries: &[Id]) -> rusqlite::Result<Vec<u32>> {
    let sql = "SELECT DISTINCT m.age_rating FROM series AS m JOIN item AS i ON i.n = m.item WHERE m.age_rating IS NOT NULL \
        AND i.library IN (SELECT value FROM json_each(?1)) AND i.state <> 'trashed' ORDER BY 1";
    let libraries = serde_json::Value::from(libraries.to_vec()).to_string();
    c.prepare_cached(sql)?.query_map([libraries], |r| r.get(0))?.collect()
}

/// Years in which books in these libraries came out, latest first.
pub(super) fn years(c: &Connection, libraries: &[Id]) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT substr(b.release_date, 1, 4) FROM book AS b JOIN item AS i ON i.n = b.item \
        WHERE b.release_date IS NOT NULL AND i.library IN (SELECT value FROM json_each(?1)) AND i.state <> 'trashed' ORDER BY 1 DESC";
    let libraries = serde_json::Value::from(libraries.to_vec()).to_string();
    c.prepare_cached(sql)?.query_map([libraries], |r| r.get(0))?.collect()
}
