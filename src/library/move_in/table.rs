//! Reads tables of which nobody knows which columns they have and what is in them: what is missing is nothing, and what has
//! another type than it should is nothing either.
use std::collections::HashSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// Some columns of a table, as they are asked for.
pub(super) struct Table {
    sql: Option<String>,
}

/// Whether there is a table or view with these columns.
pub(super) fn has(c: &Connection, table: &str, columns: &[&str]) -> rusqlite::Result<bool> {
    let known = columns_of(c, table)?;
    Ok(!known.is_empty() && columns.iter().all(|column| known.contains(*column)))
}

/// How many rows a table has; none where there is no such table or no such column.
pub(super) fn count(c: &Connection, table: &str, columns: &[&str], rule: &str) -> rusqlite::Result<u64> {
    if !has(c, table, columns)? {
        return Ok(0);
    }
    let sql = format!("SELECT count(*) FROM \"{table}\" WHERE {rule}");
    c.query_row(&sql, [], |r| r.get::<_, i64>(0)).map(i64::cast_unsigned)
}

/// Names of the columns, in lower case.
fn columns_of(c: &Connection, table: &str) -> rusqlite::Result<HashSet<String>> {
    let mut statement = c.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
    statement.query_map([table], |r| r.get(0))?.collect()
}

impl Table {
    /// These columns, in lower case; those that are missing are null in every row. The first is what rows are of: without it there
    /// are none.
    pub fn of(c: &Connection, table: &str, columns: &[&str]) -> rusqlite::Result<Self> {
        let known = columns_of(c, table)?;
        if columns.first().is_none_or(|first| !known.contains(*first)) {
            return Ok(Self { sql: None });
        }
        let named = |column: &&str| if known.contains(*column) { format!("\"{column}\"") } else { "NULL".to_owned() };
        let list: Vec<String> = columns.iter().map(named).collect();
        Ok(Self { sql: Some(format!("SELECT {} FROM \"{table}\"", list.join(", "))) })
    }

    /// Only the rows for which an expression holds.
    pub fn only(mut self, rule: &str) -> Self {
        self.sql = self.sql.map(|sql| format!("{sql} WHERE {rule}"));
        self
    }

    /// Calls `each` with every row.
    pub fn each(&self, c: &Connection, mut each: impl FnMut(&Fields<'_>)) -> rusqlite::Result<()> {
        let Some(sql) = &self.sql else { return Ok(()) };
        let mut statement = c.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(&Fields { row });
        }
        Ok(())
    }
}

/// The columns of one row, by their place.
pub(super) struct Fields<'r> {
    row: &'r Row<'r>,
}

impl Fields<'_> {
    fn value(&self, column: usize) -> ValueRef<'_> {
        self.row.get_ref(column).unwrap_or(ValueRef::Null)
    }

    /// A text of at most so many characters, trimmed; numbers as they are written.
    pub fn text(&self, column: usize, most: usize) -> Option<String> {
        match self.value(column) {
            ValueRef::Text(bytes) => {
                // Not more is looked at than can be needed.
                let bytes = bytes.get(..most.saturating_mul(4)).unwrap_or(bytes);
                let text = String::from_utf8_lossy(bytes);
                Some(text.trim().chars().filter(|c| *c != '\0').take(most).collect())
            }
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
            ValueRef::Null | ValueRef::Blob(_) => None,
        }
    }

    /// The id of something; empty where there is none.
    pub fn id(&self, column: usize) -> String {
        self.text(column, 65).unwrap_or_default()
    }

    pub fn whole(&self, column: usize) -> Option<i64> {
        match self.value(column) {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Real(number) if number.is_finite() => Some(number as i64),
            ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub fn count(&self, column: usize) -> Option<u32> {
        self.whole(column).and_then(|number| u32::try_from(number).ok())
    }

    pub fn number(&self, column: usize) -> Option<f64> {
        match self.value(column) {
            ValueRef::Real(number) => Some(number),
            ValueRef::Integer(number) => Some(number as f64),
            ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
            _ => None,
        }
        .filter(|number: &f64| number.is_finite())
    }

    pub fn flag(&self, column: usize) -> bool {
        match self.value(column) {
            ValueRef::Text(text) => text.eq_ignore_ascii_case(b"true") || text == b"1",
            _ => self.whole(column).is_some_and(|number| number != 0),
        }
    }

    /// A moment in UTC, as `2026-01-31 10:00:00.123` or as milliseconds, in Unix milliseconds.
    pub fn time(&self, column: usize) -> Option<i64> {
        match self.value(column) {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Text(text) => moment(std::str::from_utf8(text.get(..40).unwrap_or(text)).ok()?),
            _ => None,
        }
        .filter(|at| *at >= 0)
    }
}

fn moment(text: &str) -> Option<i64> {
    let text = text.trim().replacen(' ', "T", 1);
    // Some write the zone apart, and its name after it: `10:00:00 +0200 CEST`.
    let mut words = text.split_ascii_whitespace();
    let (at, zone) = (words.next()?, words.next().unwrap_or_default());
    let text = format!("{at}{}", if zone.starts_with(['+', '-']) { zone } else { "" });
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let at: jiff::civil::DateTime = text.parse().ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_all_forms_that_are_written() {
        for text in [
            "2026-01-01 10:00:00.5",
            "2026-01-01T10:00:00.500",
            "2026-01-01T10:00:00.5Z",
            "2026-01-01 12:00:00.5+02:00",
            "2026-01-01 12:00:00.5 +0200 CEST",
        ] {
            assert_eq!(moment(text), Some(1_767_261_600_500), "{text}");
        }
        for wrong in ["", "yesterday", "2026-13-01 10:00:00", "0000-00-00 00:00:00", "99999999999999999999"] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn columns_that_are_missing_or_of_another_type_are_nothing() {
        let c = Connection::open_in_memory().unwrap();
        c.execute_batch(
            "CREATE TABLE t (ID, A); INSERT INTO t VALUES ('x', x'00ff'), (7, 'a' || char(0) || 'b'), (NULL, 2.5)",
        )
        .unwrap();
        let mut seen = Vec::new();
        let table = Table::of(&c, "T", &["id", "a", "b"]).unwrap();
        table.each(&c, |f| seen.push((f.id(0), f.text(1, 9), f.whole(1), f.text(2, 9), f.flag(1)))).unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(seen[0], ("x".to_owned(), None, None, None, false));
        assert_eq!(seen[1], ("7".to_owned(), text("ab"), None, None, false));
        assert_eq!(seen[2], (String::new(), text("2.5"), Some(2), None, true));
        let none = Table::of(&c, "nothing", &["id"]).unwrap();
        none.each(&c, |_| panic!("no such table")).unwrap();
        assert_eq!(count(&c, "t", &["id"], "id = 7").unwrap(), 1);
        assert_eq!(count(&c, "t", &["gone"], "gone = 7").unwrap(), 0);
    }
}
