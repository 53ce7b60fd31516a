//! What a person writes of a series or a book, and which fields are theirs: no file changes a locked one.
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Transaction, params};

use super::Shelf;
use super::words;
use crate::catalog::items::number_of;
use crate::catalog::model::Id;
use crate::catalog::record::shows;
use crate::catalog::{Catalog, CatalogError, sorting};

/// A field that can be written and locked. Which shelf has it, its column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EditField {
    Title,
    SortTitle,
    Summary,
    Genres,
    Status,
    Direction,
    Publisher,
    Language,
    AgeRating,
    TotalBooks,
    Tags,
    Labels,
    Links,
    Titles,
    Number,
    NumberSort,
    Released,
    Authors,
    Isbn,
}

impl EditField {
    /// The word for it among a row's locks.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::SortTitle => "sort_title",
            Self::Summary => "summary",
            Self::Genres => "genres",
            Self::Status => "status",
            Self::Direction => "direction",
            Self::Publisher => "publisher",
            Self::Language => "language",
            Self::AgeRating => "age_rating",
            Self::TotalBooks => "total_books",
            Self::Tags => "tags",
            Self::Labels => "labels",
            Self::Links => "links",
            Self::Titles => "titles",
            Self::Number => "number",
            Self::NumberSort => "number_sort",
            Self::Released => "release_date",
            Self::Authors => "authors",
            Self::Isbn => "isbn",
        }
    }
}

/// What is written into a field; it fits the field's column.
#[derive(Debug, Clone, PartialEq)]
pub enum EditValue {
    Text(String),
    Number(f64),
    /// Years, counts.
    Whole(u32),
    /// A JSON array, for fields that are lists.
    List(String),
    Nothing,
}

impl From<EditValue> for Value {
    fn from(value: EditValue) -> Self {
        match value {
            EditValue::Text(text) | EditValue::List(text) => Self::Text(text),
            EditValue::Number(number) => Self::Real(number),
            EditValue::Whole(number) => Self::Integer(number.into()),
            EditValue::Nothing => Self::Null,
        }
    }
}

/// What a person changes at once.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Fields that get another value.
    pub values: Vec<(EditField, EditValue)>,
    /// Fields that are locked, or unlocked.
    pub locks: Vec<(EditField, bool)>,
}

impl Catalog {
    /// Writes what a person says of a series or a book.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn edit(&self, shelf: Shelf, id: &str, edit: Edit) -> Result<(), CatalogError> {
        let (id, now): (Id, i64) = (id.to_owned(), (self.clock)());
        let known = self.write(move |t| write(t, shelf, &id, edit, now)).await?;
        if known { Ok(()) } else { Err(CatalogError::NotFound("item")) }
    }
}

fn write(t: &Transaction<'_>, shelf: Shelf, id: &str, edit: Edit, now: i64) -> rusqlite::Result<bool> {
    let kind = shelf.table();
    let sql = format!("SELECT n FROM item WHERE n = {} AND kind = ?2", number_of("?1"));
    let Some(item) = t.query_row(&sql, [id, kind], |r| r.get::<_, i64>(0)).optional()? else { return Ok(false) };
    apply(t, shelf, item, edit, now)?;
    Ok(true)
}

/// Writes what is said of the series or book with this number.
pub(in crate::catalog) fn apply(
    t: &Transaction<'_>,
    shelf: Shelf,
    item: i64,
    edit: Edit,
    now: i64,
) -> rusqlite::Result<()> {
    let table = shelf.table();
    let wrote = |field| edit.values.iter().any(|(written, _)| *written == field);
    let (titled, sorted) = (wrote(EditField::Title), wrote(EditField::SortTitle));
    for (field, value) in edit.values {
        set(t, table, item, field, value)?;
    }
    lock(t, table, item, &edit.locks)?;
    let touched = match shelf {
        Shelf::Series => "UPDATE series SET changed_at = ?2 WHERE item = ?1",
        Shelf::Books => "UPDATE book SET described_at = ?2 WHERE item = ?1",
    };
    t.execute(touched, params![item, now])?;
    sort(t, shelf, item, titled && !sorted)?;
    words::index(t, item)
}

fn set(t: &Transaction<'_>, table: &str, item: i64, field: EditField, value: EditValue) -> rusqlite::Result<()> {
    let value: Value = value.into();
    match field {
        EditField::Title => {
            t.execute("UPDATE item SET title = ?2 WHERE n = ?1", params![item, value])?;
        }
        EditField::SortTitle => {
            t.execute("UPDATE item SET sort_title = ?2 WHERE n = ?1", params![item, value])?;
        }
        EditField::Genres => {
            t.execute("UPDATE item SET genres = ?2 WHERE n = ?1", params![item, value])?;
        }
        EditField::Summary => {
            let text = if let Value::Text(text) = &value { Some(text.as_str()) } else { None };
            shows::write_overview(t, item, text.filter(|text| !text.is_empty()))?;
        }
        field => {
            let sql = format!("UPDATE {table} SET {} = ?2 WHERE item = ?1", field.word());
            t.execute(&sql, params![item, value])?;
        }
    }
    Ok(())
}

fn lock(t: &Transaction<'_>, table: &str, item: i64, changes: &[(EditField, bool)]) -> rusqlite::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let sql = format!("SELECT locks FROM {table} WHERE item = ?1");
    let Some(locks) = t.query_row(&sql, [item], |r| r.get::<_, String>(0)).optional()? else { return Ok(()) };
    let mut locks: Vec<String> = words::read("locks", &locks)?;
    for (field, locked) in changes {
        locks.retain(|lock| lock != field.word());
        if *locked {
            locks.push(field.word().to_owned());
        }
    }
    let sql = format!("UPDATE {table} SET locks = ?2 WHERE item = ?1");
    t.execute(&sql, params![item, serde_json::Value::from(locks).to_string()]).map(|_| ())
}

/// Gives it its place in lists again; one that got another title, and no word of where that sorts, is sorted by it.
fn sort(t: &Transaction<'_>, shelf: Shelf, item: i64, by_title: bool) -> rusqlite::Result<()> {
    let sql = "SELECT title, sort_title, show FROM item WHERE n = ?1";
    let (title, written, show): (String, String, Option<i64>) =
        t.query_row(sql, [item], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    match shelf {
        Shelf::Series => {
            let locks = crate::catalog::record::locks_of_series(t, item)?;
            let own = locks.iter().any(|lock| lock == EditField::SortTitle.word());
            let sort_title = if by_title && !own { sorting::sort_title(&title) } else { sorting::fold(&written) };
            let sql = "UPDATE item SET sort_title = ?2, sort_key = ?3 WHERE n = ?1";
            t.execute(sql, params![item, sort_title, sorting::sort_key(&sort_title)])?;
            shows::sort_episodes(t, item, &sort_title)
        }
        Shelf::Books => {
            let sql = "UPDATE item SET sort_title = ?2 WHERE n = ?1";
            t.execute(sql, params![item, sorting::sort_title(&title)])?;
            let Some(show) = show else { return shows::write_text(t, item) };
            let series: String = t.query_row("SELECT sort_title FROM item WHERE n = ?1", [show], |r| r.get(0))?;
            shows::sort_episodes(t, show, &series)
        }
    }
}
