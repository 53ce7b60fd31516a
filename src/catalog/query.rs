//! Answers lists: which rows, in which order, one page at a time.
//!
//! A page is made in two steps. First each *source* gives row numbers in order: for a plain list that is one walk of an
//! index for each library and kind asked for, merged here, so that no list costs more than the page it shows, whatever
//! libraries an account may see. Then the rows of the page are read by number.
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::cursor::{Cursor, Key};
use super::model::{Id, ItemKind};
use super::{CatalogError, ItemFilter, Page, ProgressFilter, Sort, items, search, sorting};

/// Items of a page at most.
const LIMIT_MAX: u32 = 500;

impl Sort {
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Title => "sort_key",
            Self::Added => "added_at",
            Self::Year => "year_up",
            Self::YearDescending => "year_down",
            Self::Duration => "duration_ms",
            Self::Watched => "watched_at",
        }
    }

    fn index(self) -> &'static str {
        match self {
            Self::Title => "item_by_title",
            Self::Added => "item_by_added",
            Self::Year => "item_by_year_up",
            Self::YearDescending => "item_by_year_down",
            Self::Duration => "item_by_duration",
            Self::Watched => "item_by_number",
        }
    }

    pub(super) fn descending(self) -> bool {
        matches!(self, Self::Added | Self::YearDescending | Self::Watched)
    }
}

/// Where row numbers come from, already in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// All of one kind in one library, by index. With [`Sort::Watched`]: those never watched.
    Kind(Id, ItemKind),
    /// What the account watched; `Some` for only the finished or only the unfinished.
    Watched(Option<bool>),
    /// What holds all these words (an FTS5 expression).
    Words(String),
    /// Episodes of a show.
    Show,
    /// Friends' items whose twin, which is shown instead, is in none of the libraries asked for.
    Twins,
}

/// A query's text and its values, grown together.
#[derive(Default)]
pub(super) struct Sql {
    pub text: String,
    pub values: Vec<Value>,
}

impl Sql {
    /// Adds text; each `?` in it takes the next of `values`.
    fn add(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(text);
        self.values.extend(values);
    }
}

/// A page of a list, or why the filter cannot be understood.
pub(super) fn page(c: &Connection, filter: &ItemFilter) -> rusqlite::Result<Result<Page, CatalogError>> {
    let limit = match filter.limit {
        1..=LIMIT_MAX => filter.limit as usize,
        _ => return Ok(Err(CatalogError::Invalid(format!("limit: must be 1 to {LIMIT_MAX}")))),
    };
    let cursor = match filter.cursor.as_deref().map(|text| Cursor::open(text, filter.sort)).transpose() {
        Ok(cursor) => cursor,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(text) = typed(filter).filter(|_| is_plain(filter)) {
        let found = search::find(c, filter, text, &groups(c, filter)?, cursor.as_ref(), limit + 1)?;
        return Ok(Ok(finish(c, filter, found.keys, limit, cursor.is_none().then_some(found.total))?));
    }
    let Some(sources) = sources(c, filter)? else { return Ok(Ok(Page { total: Some(0), ..Page::default() })) };
    let mut keys = Vec::new();
    for source in &sources {
        keys.extend(keys_of(c, filter, source, cursor.as_ref(), limit + 1)?);
    }
    let total = if cursor.is_none() { Some(total(c, filter, &sources)?) } else { None };
    Ok(Ok(finish(c, filter, keys, limit, total)?))
}

/// Text that was typed, if any.
fn typed(filter: &ItemFilter) -> Option<&str> {
    filter.text.as_deref().filter(|text| !text.trim().is_empty())
}

/// Whether nothing but library, kind and text chooses, and an index gives the order.
fn is_plain(filter: &ItemFilter) -> bool {
    filter.progress.is_none() && filter.show.is_none() && filter.from.is_none() && filter.sort != Sort::Watched
}

/// The page of the first `limit` of these keys.
fn finish(
    c: &Connection,
    filter: &ItemFilter,
    mut keys: Vec<(Key, i64)>,
    limit: usize,
    total: Option<u64>,
) -> rusqlite::Result<Page> {
    keys.sort_unstable();
    if filter.sort.descending() {
        keys.reverse();
    }
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|(key, n)| Cursor::new(filter.sort, key.clone(), *n).seal());
    let numbers: Vec<i64> = keys.into_iter().map(|(_, n)| n).collect();
    Ok(Page { items: items::by_numbers(c, &numbers, &filter.account)?, next, total })
}

/// The sources that together hold what the filter asks; `None` when nothing can match.
fn sources(c: &Connection, filter: &ItemFilter) -> rusqlite::Result<Option<Vec<Source>>> {
    if let Some(text) = typed(filter) {
        return Ok(search::words(text).map(|words| vec![Source::Words(words)]));
    }
    if filter.show.is_some() {
        return Ok(Some(vec![Source::Show]));
    }
    let never = filter.progress == Some(ProgressFilter::Unwatched);
    match filter.progress {
        Some(ProgressFilter::Started) => return Ok(Some(vec![Source::Watched(Some(false))])),
        Some(ProgressFilter::Completed) => return Ok(Some(vec![Source::Watched(Some(true))])),
        Some(ProgressFilter::Unwatched) | None => {}
    }
    let mut sources: Vec<Source> =
        groups(c, filter)?.into_iter().map(|(library, kind, _)| Source::Kind(library, kind)).collect();
    if filter.sort == Sort::Watched && !never {
        sources.push(Source::Watched(None));
    }
    if filter.libraries.is_some() && any_twins(c)? {
        sources.push(Source::Twins);
    }
    Ok(Some(sources))
}

fn any_twins(c: &Connection) -> rusqlite::Result<bool> {
    c.prepare_cached("SELECT EXISTS (SELECT 1 FROM remote WHERE twin IS NOT NULL)")?.query_row([], |r| r.get(0))
}

/// The libraries and kinds asked for that hold anything, with how many items each.
fn groups(c: &Connection, filter: &ItemFilter) -> rusqlite::Result<Vec<(Id, ItemKind, i64)>> {
    let sql = "SELECT library, kind, sum(items) FROM tally WHERE state <> 'trashed' GROUP BY library, kind HAVING sum(items) > 0";
    let mut statement = c.prepare_cached(sql)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    let rows: Vec<(Id, ItemKind, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    let asked = |library: &Id, kind: ItemKind| {
        filter.libraries.as_ref().is_none_or(|wanted| wanted.contains(library))
            && filter.kind.map_or(!kind.is_group(), |wanted| wanted == kind)
    };
    Ok(rows.into_iter().filter(|(library, kind, _)| asked(library, *kind)).collect())
}

/// The sort keys and numbers of a source's first `limit` items after the cursor.
fn keys_of(
    c: &Connection,
    filter: &ItemFilter,
    source: &Source,
    cursor: Option<&Cursor>,
    limit: usize,
) -> rusqlite::Result<Vec<(Key, i64)>> {
    let sql = keys_sql(filter, source, cursor, Some(limit));
    let mut statement = c.prepare_cached(&sql.text)?;
    statement.query_map(params_from_iter(sql.values), key_of)?.collect()
}

/// A sort key and a row number, the first two columns of a row.
pub(super) fn key_of(row: &Row<'_>) -> rusqlite::Result<(Key, i64)> {
    let key = match row.get(0)? {
        Value::Text(text) => Key::Text(text),
        Value::Integer(number) => Key::Number(number),
        _ => Key::Number(0),
    };
    Ok((key, row.get(1)?))
}

/// The query for the keys and numbers of a source; all of them without a limit.
pub(super) fn keys_sql(filter: &ItemFilter, source: &Source, cursor: Option<&Cursor>, limit: Option<usize>) -> Sql {
    let mut sql = Sql::default();
    let key = key_expression(filter, source);
    sql.add(&format!("SELECT {} AS key, i.n ", key.text), key.values.clone());
    add_conditions(&mut sql, filter, source);
    let (comparison, order) = if filter.sort.descending() { ("<", "DESC") } else { (">", "ASC") };
    // To SQLite, a negative limit is none.
    let limit = [Value::Integer(limit.map_or(-1, |limit| limit as i64))];
    if filter.sort == Sort::Watched && matches!(source, Source::Kind(..)) {
        // All have the same key, 0: below any that was watched, and among themselves only the number counts.
        if let Some(Cursor { key: Key::Number(0), number, .. }) = cursor {
            sql.add(" AND i.n < ?", [Value::Integer(*number)]);
        }
        sql.add(" ORDER BY i.n DESC LIMIT ?", limit);
        return sql;
    }
    if let Some(cursor) = cursor {
        let value = match &cursor.key {
            Key::Text(text) => Value::Text(text.clone()),
            Key::Number(number) => Value::Integer(*number),
        };
        sql.add(&format!(" AND ({}, i.n) {comparison} (", key.text), key.values);
        sql.add("?, ?)", [value, Value::Integer(cursor.number)]);
    }
    sql.add(&format!(" ORDER BY 1 {order}, i.n {order} LIMIT ?"), limit);
    sql
}

fn key_expression(filter: &ItemFilter, source: &Source) -> Sql {
    let mut sql = Sql::default();
    match (filter.sort, source) {
        (Sort::Watched, Source::Kind(..)) => sql.add("0", []),
        (Sort::Watched, Source::Watched(_)) => sql.add("p.watched_at", []),
        (Sort::Watched, _) => {
            let text = "ifnull((SELECT w.watched_at FROM progress AS w WHERE w.account = ? AND w.item = i.n), 0)";
            sql.add(text, [filter.account.clone().into()]);
        }
        (sort, _) => sql.add(&format!("i.{}", sort.column()), []),
    }
    sql
}

/// `FROM ... WHERE ...` of a source, without cursor and order.
fn add_conditions(sql: &mut Sql, filter: &ItemFilter, source: &Source) {
    match source {
        Source::Kind(library, kind) => {
            let from = format!("FROM item AS i INDEXED BY {} ", filter.sort.index());
            sql.add(&from, []);
            let group = [library.clone().into(), kind.as_str().to_owned().into()];
            sql.add("WHERE i.state <> 'trashed' AND i.library = ? AND i.kind = ?", group);
            if filter.sort == Sort::Watched || filter.progress == Some(ProgressFilter::Unwatched) {
                sql.add(NEVER_WATCHED, [filter.account.clone().into()]);
            }
        }
        Source::Watched(completed) => {
            sql.add(
                "FROM progress AS p CROSS JOIN item AS i ON i.n = p.item WHERE p.account = ?",
                [filter.account.clone().into()],
            );
            if let Some(completed) = completed {
                sql.add(" AND p.completed = ?", [Value::Integer(i64::from(*completed))]);
            }
            add_access(sql, filter);
        }
        Source::Words(words) => {
            let from = "FROM item_text CROSS JOIN item AS i ON i.n = item_text.rowid WHERE item_text MATCH ?";
            sql.add(from, [search::anywhere(words).into()]);
            add_access(sql, filter);
            if let Some(show) = &filter.show {
                sql.add(OF_SHOW, [show.clone().into()]);
            }
            add_progress(sql, filter);
        }
        Source::Twins => {
            sql.add("FROM remote AS r CROSS JOIN item AS i ON i.n = r.item WHERE r.twin IS NOT NULL", []);
            add_access(sql, filter);
            if filter.sort == Sort::Watched {
                sql.add(NEVER_WATCHED, [filter.account.clone().into()]);
            }
            sql.add(" AND i.state = 'trashed'", []);
            add_progress(sql, filter);
        }
        Source::Show => {
            sql.add("FROM item AS i WHERE i.show IS NOT NULL", []);
            sql.add(OF_SHOW, filter.show.clone().map(Value::from));
            add_access(sql, filter);
            add_progress(sql, filter);
        }
    }
    if let Some(from) = &filter.from {
        sql.add(" AND i.sort_key >= ?", [sorting::sort_key(&sorting::fold(from)).into()]);
    }
}

const OF_SHOW: &str = " AND i.show = (SELECT t.n FROM item AS t WHERE t.id = ?)";
const NEVER_WATCHED: &str = " AND NOT EXISTS (SELECT 1 FROM progress AS w WHERE w.account = ? AND w.item = i.n)";

/// Shown, or hidden behind something that is in none of these libraries: who asks for them alone would see neither.
const SHOWN_AMONG: &str = " AND (i.state <> 'trashed' OR EXISTS (SELECT 1 FROM remote AS h JOIN item AS t ON t.n = h.twin \
    WHERE h.item = i.n AND t.library NOT IN (SELECT value FROM json_each(?))))";

/// Only what the caller may see and asks for: in every source that does not name library and kind itself.
fn add_access(sql: &mut Sql, filter: &ItemFilter) {
    let list = filter.libraries.as_ref().map(|libraries| serde_json::Value::from(libraries.clone()).to_string());
    match &list {
        Some(list) => sql.add(SHOWN_AMONG, [list.clone().into()]),
        None => sql.add(" AND i.state <> 'trashed'", []),
    }
    match filter.kind {
        Some(kind) => sql.add(" AND i.kind = ?", [kind.as_str().to_owned().into()]),
        None => sql.add(" AND i.kind NOT IN ('show', 'series', 'album')", []),
    }
    if let Some(list) = list {
        sql.add(" AND i.library IN (SELECT value FROM json_each(?))", [list.into()]);
    }
}

fn add_progress(sql: &mut Sql, filter: &ItemFilter) {
    let account = Value::from(filter.account.clone());
    let exists = |completed| {
        format!(
            " AND EXISTS (SELECT 1 FROM progress AS w WHERE w.account = ? AND w.item = i.n AND w.completed = {completed})"
        )
    };
    match filter.progress {
        None => {}
        Some(ProgressFilter::Unwatched) => sql.add(NEVER_WATCHED, [account]),
        Some(ProgressFilter::Started) => sql.add(&exists(0), [account]),
        Some(ProgressFilter::Completed) => sql.add(&exists(1), [account]),
    }
}

/// How many items the whole list holds. A plain list's total is kept by triggers; others are counted.
fn total(c: &Connection, filter: &ItemFilter, sources: &[Source]) -> rusqlite::Result<u64> {
    let plain = sources.iter().any(|source| matches!(source, Source::Kind(..))) && filter.from.is_none();
    let count = if plain {
        let all: i64 = groups(c, filter)?.iter().map(|(_, _, items)| items).sum();
        let unwatched = filter.progress == Some(ProgressFilter::Unwatched);
        let hidden = if sources.contains(&Source::Twins) { count_twins(c, filter)? } else { 0 };
        all + hidden - if unwatched { count(c, filter, &Source::Watched(None))? } else { 0 }
    } else {
        sources.iter().map(|source| count(c, filter, source)).sum::<rusqlite::Result<i64>>()?
    };
    Ok(count.max(0).cast_unsigned())
}

/// All of [`Source::Twins`], watched or not: what was watched is in another source, or taken away again.
fn count_twins(c: &Connection, filter: &ItemFilter) -> rusqlite::Result<i64> {
    let filter = ItemFilter { sort: Sort::Title, progress: None, ..filter.clone() };
    count(c, &filter, &Source::Twins)
}

fn count(c: &Connection, filter: &ItemFilter, source: &Source) -> rusqlite::Result<i64> {
    let mut sql = Sql::default();
    sql.add("SELECT count(*) ", []);
    add_conditions(&mut sql, filter, source);
    c.prepare_cached(&sql.text)?.query_row(params_from_iter(sql.values), |r| r.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_list_walks_its_index_and_sorts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let options = crate::database::DatabaseOptions::default();
        let path = folder.path().join("catalog.db");
        let database = crate::database::Database::open(&path, &options, crate::database::migrations::CATALOG).unwrap();
        let sorts = [Sort::Title, Sort::Added, Sort::Year, Sort::YearDescending, Sort::Duration, Sort::Watched];
        for sort in sorts {
            let filter = ItemFilter { sort, limit: 50, ..ItemFilter::default() };
            let key = match sort {
                Sort::Title => Key::Text("m".to_owned()),
                Sort::Watched => Key::Number(0),
                _ => Key::Number(5),
            };
            let cursor = Cursor::new(sort, key, 5);
            let sql = keys_sql(&filter, &Source::Kind("x".to_owned(), ItemKind::Movie), Some(&cursor), Some(50));
            let plan: Vec<String> = database
                .read_blocking(|c| {
                    let mut statement = c.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.text))?;
                    statement.query_map(params_from_iter(sql.values.clone()), |r| r.get(3))?.collect()
                })
                .unwrap();
            let plan = plan.join("\n");
            assert!(plan.contains(sort.index()) && !plan.contains("TEMP B-TREE"), "{sort:?}: {plan}");
        }
    }
}
