//! Which series or books are in a list, in which order: their row numbers, a page of them, and how many there are.
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::condition::{Condition, Sql};
use super::{Order, Shelf, ShelfFilter, ShelfSort};
use crate::catalog::sorting::fold;

/// The row numbers of a page, and how many the whole list has.
pub(super) fn keys(c: &Connection, shelf: Shelf, filter: &ShelfFilter) -> rusqlite::Result<(Vec<i64>, u64)> {
    let mut sql = Sql::default();
    let from = match shelf {
        Shelf::Series => {
            "FROM item AS i LEFT JOIN series AS m ON m.item = i.n LEFT JOIN shelf_text AS t ON t.item = i.n WHERE i.kind = 'series' AND "
        }
        Shelf::Books => {
            "FROM item AS i LEFT JOIN book AS b ON b.item = i.n LEFT JOIN shelf_text AS t ON t.item = i.n WHERE i.kind = 'book' AND "
        }
    };
    sql.add(from, []);
    libraries(&mut sql, filter);
    if filter.on_deck {
        sql.add(" AND i.n IN (", []);
        on_deck(&mut sql, &filter.account);
        sql.add(")", []);
    }
    sql.add(" AND ", []);
    filter.condition.add(&mut sql, shelf, &filter.account);
    let (limit, offset) =
        filter.page.map_or((-1, 0), |(size, from)| (size as i64, i64::try_from(from).unwrap_or(i64::MAX)));
    let count = format!("SELECT count(*) {}", sql.text);
    let values = sql.values.clone();
    let mut ordered = Sql { text: format!("SELECT i.n {} ORDER BY ", sql.text), values: sql.values };
    order(&mut ordered, shelf, filter);
    ordered.add(" LIMIT ? OFFSET ?", [Value::Integer(limit), Value::Integer(offset)]);
    let keys: Vec<i64> = c
        .prepare(&ordered.text)?
        .query_map(params_from_iter(ordered.values), |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let total = match filter.page {
        None => keys.len() as u64,
        Some((size, 0)) if keys.len() < size as usize => keys.len() as u64,
        Some(_) => c.prepare(&count)?.query_row(params_from_iter(values), |r| r.get::<_, i64>(0))?.cast_unsigned(),
    };
    Ok((keys, total))
}

fn libraries(sql: &mut Sql, filter: &ShelfFilter) {
    let marks = vec!["?"; filter.libraries.len()].join(", ");
    sql.add(&format!("i.library IN ({marks})"), filter.libraries.iter().cloned().map(Value::Text));
    // Said so that the indexes of what is not in the trash can be used.
    if holds_untrashed(&filter.condition) {
        sql.add(" AND i.state <> 'trashed'", []);
    }
}

fn holds_untrashed(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().any(holds_untrashed),
        Condition::Not(part) => **part == Condition::Trashed,
        _ => false,
    }
}

/// The first book that is not finished, of each series in which one is finished and none is begun.
fn on_deck(sql: &mut Sql, account: &str) {
    let account = || Value::Text(account.to_owned());
    sql.add(
        "SELECT (SELECT u.n FROM item AS u LEFT JOIN progress AS pu ON pu.item = u.n AND pu.account = ? \
            WHERE u.show = e.show AND u.state <> 'trashed' AND pu.completed IS NOT 1 ORDER BY u.sort_key, u.n LIMIT 1) \
         FROM progress AS p JOIN item AS e ON e.n = p.item WHERE p.account = ? AND e.kind = 'book' AND e.state <> 'trashed' \
         AND e.show IS NOT NULL GROUP BY e.show HAVING sum(p.completed) > 0 AND sum(p.completed) = count(*)",
        [account(), account()],
    );
}

fn order(sql: &mut Sql, shelf: Shelf, filter: &ShelfFilter) {
    for Order { by, descending } in &filter.order {
        let down = if *descending { "DESC" } else { "ASC" };
        key(sql, shelf, filter, by);
        sql.add(&format!(" {down}, "), []);
    }
    sql.add("i.sort_key, i.n", []);
}

fn key(sql: &mut Sql, shelf: Shelf, filter: &ShelfFilter, by: &ShelfSort) {
    let account = || Value::Text(filter.account.clone());
    match (by, shelf) {
        (ShelfSort::Title, Shelf::Series) => sql.add("i.sort_key", []),
        (ShelfSort::Title, Shelf::Books) => sql.add("i.sort_title", []),
        (ShelfSort::Series, _) => sql.add("i.sort_key", []),
        (ShelfSort::Added, _) => sql.add("i.added_at", []),
        (ShelfSort::Changed, Shelf::Series) => sql.add("ifnull(m.changed_at, i.added_at)", []),
        (ShelfSort::Changed, Shelf::Books) => sql.add("ifnull(b.described_at, i.added_at)", []),
        (ShelfSort::Number, Shelf::Books) => sql.add("b.number_sort", []),
        (ShelfSort::Released, Shelf::Books) => sql.add("b.release_date", []),
        (ShelfSort::Released, Shelf::Series) => sql.add(
            "(SELECT min(bk.release_date) FROM item AS e JOIN book AS bk ON bk.item = e.n WHERE e.show = i.n AND e.state <> 'trashed')",
            [],
        ),
        (ShelfSort::Books, Shelf::Series) => {
            sql.add("(SELECT count(*) FROM item AS e WHERE e.show = i.n AND e.state <> 'trashed')", []);
        }
        (ShelfSort::Pages, Shelf::Books) => sql.add("b.pages", []),
        (ShelfSort::Size, Shelf::Books) => sql.add("i.size", []),
        (ShelfSort::Read, Shelf::Books) => {
            sql.add("(SELECT p.watched_at FROM progress AS p WHERE p.account = ? AND p.item = i.n)", [account()]);
        }
        (ShelfSort::Read, Shelf::Series) => sql.add(
            "(SELECT max(p.watched_at) FROM item AS e JOIN progress AS p ON p.item = e.n AND p.account = ? WHERE e.show = i.n)",
            [account()],
        ),
        (ShelfSort::SeriesRead, _) => sql.add(
            "(SELECT max(p.watched_at) FROM item AS e JOIN progress AS p ON p.item = e.n AND p.account = ? WHERE e.show = i.show)",
            [account()],
        ),
        (ShelfSort::Random, _) => sql.add("random()", []),
        (ShelfSort::Near(text), _) => near(sql, text),
        (ShelfSort::Place(list), _) => sql.add(
            "(SELECT li.place FROM shelf_list_item AS li WHERE li.list = ? AND li.item = i.n)",
            [Value::Text(list.clone())],
        ),
        (ShelfSort::Number | ShelfSort::Pages | ShelfSort::Size, Shelf::Series) | (ShelfSort::Books, Shelf::Books) => {
            sql.add("0", []);
        }
    }
}

/// What is called this first, then what begins with it.
fn near(sql: &mut Sql, text: &str) {
    let text = Value::Text(fold(text.trim()));
    sql.add("CASE WHEN t.title = ? THEN 0 WHEN instr(t.title, ?) = 1 THEN 1 ELSE 2 END", [text.clone(), text]);
}
