//! What Komga has written of series and books, in the catalog's words.
//!
//! What somebody locked there counts as it is. What nobody locked may come from a file, which is read here too, or from a program
//! that writes into Komga and knows nothing of locks: it is taken where the files here say nothing.
use std::collections::HashMap;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{NAME_MAX, SUMMARY_MAX};
use crate::catalog::moved_in::{MovedField, When};
use crate::catalog::shelves::{EditField, EditValue};
use crate::catalog::sorting::fold;
use crate::library::move_in::table::{Fields, Table};
use crate::media::book::BookName;

/// Longest word of a list, in characters.
const WORD_MAX: usize = 500;
/// Longest address, in characters.
const LINK_MAX: usize = 2000;
/// Entries of a list at most.
const WORDS_MAX: usize = 1000;

type Words = HashMap<String, Vec<Value>>;

const DIRECTIONS: [(&str, &str); 4] =
    [("LEFT_TO_RIGHT", "ltr"), ("RIGHT_TO_LEFT", "rtl"), ("VERTICAL", "vertical"), ("WEBTOON", "webtoon")];
const STATES: [&str; 4] = ["ONGOING", "ENDED", "ABANDONED", "HIATUS"];

/// The fields of all series; `names` are those of their folders.
pub(super) fn of_series(
    c: &Connection,
    names: &HashMap<String, String>,
) -> rusqlite::Result<HashMap<String, Vec<MovedField>>> {
    let lists = [
        (EditField::Genres, words(c, "series_metadata_genre", "series_id", &["genre"])?, 19),
        (EditField::Tags, words(c, "series_metadata_tag", "series_id", &["tag"])?, 20),
        (EditField::Labels, words(c, "series_metadata_sharing", "series_id", &["label"])?, 21),
        (EditField::Links, words(c, "series_metadata_link", "series_id", &["label", "url"])?, 22),
        (EditField::Titles, words(c, "series_metadata_alternate_title", "series_id", &["label", "title"])?, 23),
    ];
    let columns = [
        "series_id",
        "title",
        "title_lock",
        "title_sort",
        "title_sort_lock",
        "summary",
        "summary_lock",
        "status",
        "status_lock",
        "reading_direction",
        "reading_direction_lock",
        "publisher",
        "publisher_lock",
        "language",
        "language_lock",
        "age_rating",
        "age_rating_lock",
        "total_book_count",
        "total_book_count_lock",
        "genres_lock",
        "tags_lock",
        "sharing_labels_lock",
        "links_lock",
        "alternate_titles_lock",
    ];
    let mut all = HashMap::new();
    Table::of(c, "series_metadata", &columns)?.each(c, |f| {
        let (id, mut fields) = (f.id(0), Vec::new());
        let name = names.get(&id).cloned().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
        title(&mut fields, f, &name, vec![text(&name), text(&stem)]);
        if let Some(sort) = f.text(3, NAME_MAX).filter(|sort| f.flag(4) && !sort.is_empty()) {
            add(&mut fields, EditField::SortTitle, text(&fold(&sort)), true, Vec::new());
        }
        plain(&mut fields, f, EditField::Summary, 5, SUMMARY_MAX);
        let status = f.text(7, 20).map(|word| word.to_uppercase()).filter(|word| STATES.contains(&word.as_str()));
        if let Some(status) = status {
            add(&mut fields, EditField::Status, text(&status), f.flag(8), vec![text("ONGOING")]);
        }
        let word = f.text(9, 20).unwrap_or_default();
        let direction = DIRECTIONS.iter().find(|(theirs, _)| *theirs == word).map_or("", |(_, ours)| ours);
        add(&mut fields, EditField::Direction, text(direction), f.flag(10), vec![text("")]);
        plain(&mut fields, f, EditField::Publisher, 11, WORD_MAX);
        plain(&mut fields, f, EditField::Language, 13, 80);
        for (field, column) in [(EditField::AgeRating, 15), (EditField::TotalBooks, 17)] {
            let value = f.count(column).map_or(EditValue::Nothing, EditValue::Whole);
            add(&mut fields, field, value, f.flag(column + 1), vec![EditValue::Nothing]);
        }
        for (field, words, lock) in &lists {
            list(&mut fields, f, *field, words.get(&id), *lock);
        }
        all.insert(id, fields);
    })?;
    Ok(all)
}

/// The fields of all books; `names` are those of their files, without endings.
pub(super) fn of_books(
    c: &Connection,
    names: &HashMap<String, String>,
) -> rusqlite::Result<HashMap<String, Vec<MovedField>>> {
    let lists = [
        (EditField::Authors, words(c, "book_metadata_author", "book_id", &["name", "role"])?, 13),
        (EditField::Tags, words(c, "book_metadata_tag", "book_id", &["tag"])?, 14),
        (EditField::Links, words(c, "book_metadata_link", "book_id", &["label", "url"])?, 15),
    ];
    let columns = [
        "book_id",
        "title",
        "title_lock",
        "number",
        "number_lock",
        "summary",
        "summary_lock",
        "number_sort",
        "number_sort_lock",
        "release_date",
        "release_date_lock",
        "isbn",
        "isbn_lock",
        "authors_lock",
        "tags_lock",
        "links_lock",
    ];
    let mut all = HashMap::new();
    Table::of(c, "book_metadata", &columns)?.each(c, |f| {
        let (id, mut fields) = (f.id(0), Vec::new());
        let name = names.get(&id).cloned().unwrap_or_default();
        let read = BookName::parse(&name).title;
        title(&mut fields, f, &name, vec![text(&name), text(&read)]);
        if let Some(number) = f.text(3, 40).filter(|number| f.flag(4) && !number.is_empty()) {
            add(&mut fields, EditField::Number, text(&number), true, Vec::new());
        }
        if let Some(number) = f.number(7).filter(|_| f.flag(8)) {
            add(&mut fields, EditField::NumberSort, EditValue::Number(number), true, Vec::new());
        }
        plain(&mut fields, f, EditField::Summary, 5, SUMMARY_MAX);
        let day = f.text(9, 10).and_then(|day| day.parse::<jiff::civil::Date>().ok());
        let day = day.map_or(EditValue::Nothing, |day| text(&day.to_string()));
        add(&mut fields, EditField::Released, day, f.flag(10), vec![EditValue::Nothing]);
        plain(&mut fields, f, EditField::Isbn, 11, 20);
        for (field, words, lock) in &lists {
            list(&mut fields, f, *field, words.get(&id), *lock);
        }
        all.insert(id, fields);
    })?;
    Ok(all)
}

fn text(text: &str) -> EditValue {
    EditValue::Text(text.to_owned())
}

/// Where nobody locked it and it says nothing, there is nothing to take.
fn add(fields: &mut Vec<MovedField>, field: EditField, value: EditValue, locked: bool, empty: Vec<EditValue>) {
    if locked || !empty.contains(&value) {
        fields.push(MovedField { field, value, when: if locked { When::Always } else { When::Where(empty) } });
    }
}

/// A title; one that Komga made of the name is none.
fn title(fields: &mut Vec<MovedField>, f: &Fields<'_>, name: &str, of_name: Vec<EditValue>) {
    let Some(title) = f.text(1, NAME_MAX).filter(|title| !title.is_empty()) else { return };
    if f.flag(2) || title != name {
        add(fields, EditField::Title, text(&title), f.flag(2), of_name);
    }
}

/// A text, with its lock in the next column.
fn plain(fields: &mut Vec<MovedField>, f: &Fields<'_>, field: EditField, column: usize, most: usize) {
    let value = text(&f.text(column, most).unwrap_or_default());
    add(fields, field, value, f.flag(column + 1), vec![text("")]);
}

fn list(fields: &mut Vec<MovedField>, f: &Fields<'_>, field: EditField, words: Option<&Vec<Value>>, lock: usize) {
    let words = words.map(|words| words.iter().take(WORDS_MAX).cloned().collect::<Vec<_>>()).unwrap_or_default();
    let empty = EditValue::List("[]".to_owned());
    add(fields, field, EditValue::List(Value::from(words).to_string()), f.flag(lock), vec![empty]);
}

/// The entries of a table, by what they belong to: texts, or objects of two texts. Single words are in order.
fn words(c: &Connection, table: &str, of: &str, columns: &[&str]) -> rusqlite::Result<Words> {
    let mut all = Words::new();
    let wanted: Vec<&str> = std::iter::once(of).chain(columns.iter().copied()).collect();
    Table::of(c, table, &wanted)?.each(c, |f| {
        let entry = match columns {
            [_] => f.text(1, WORD_MAX).filter(|word| !word.is_empty()).map(Value::from),
            [one, other] => pair(f, one, other),
            _ => None,
        };
        all.entry(f.id(0)).or_default().extend(entry);
    })?;
    for words in all.values_mut() {
        if columns.len() == 1 {
            words.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
        words.dedup();
    }
    Ok(all)
}

/// Two texts; an address must be one that a browser may open.
fn pair(f: &Fields<'_>, one: &str, other: &str) -> Option<Value> {
    let (first, second) = (f.text(1, WORD_MAX)?, f.text(2, LINK_MAX)?);
    let web = || second.starts_with("http://") || second.starts_with("https://");
    let fits = if other == "url" { web() } else { !second.is_empty() };
    (fits && (other != "role" || !first.is_empty())).then(|| json!({one: first, other: second}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_locked_counts_and_what_is_empty_and_unlocked_is_nothing() {
        let mut fields = Vec::new();
        add(&mut fields, EditField::Summary, text(""), false, vec![text("")]);
        add(&mut fields, EditField::Publisher, text(""), true, vec![text("")]);
        add(&mut fields, EditField::Language, text("fr"), false, vec![text("")]);
        let told: Vec<_> = fields.iter().map(|one| (one.field, one.when.clone())).collect();
        let gap = When::Where(vec![text("")]);
        assert_eq!(told, [(EditField::Publisher, When::Always), (EditField::Language, gap)]);
    }

    #[test]
    fn links_that_no_browser_should_open_are_left_out() {
        let c = Connection::open_in_memory().unwrap();
        c.execute_batch(
            "CREATE TABLE l (series_id, label, url); INSERT INTO l VALUES ('s', 'a', 'https://a.example/'), \
             ('s', 'b', 'javascript:alert(1)'), ('s', NULL, 'https://b.example/'), ('s', 'c', NULL)",
        )
        .unwrap();
        let all = words(&c, "l", "series_id", &["label", "url"]).unwrap();
        assert_eq!(all["s"], [json!({"label": "a", "url": "https://a.example/"})]);
    }
}
