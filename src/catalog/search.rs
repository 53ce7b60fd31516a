//! Finds items by words. The text index gives the numbers of what matches in one library and kind, without reading an item.
//! A few are sorted; of many, the list's own index is walked in order until the page is full.
use rusqlite::Connection;

use super::ItemFilter;
use super::cursor::{Cursor, Key};
use super::model::{Id, ItemKind};
use super::query::{Source, key_of, keys_sql};

/// Matches that are read and sorted. Of more, one in fifty of 100,000 or denser, a walk finds a page sooner.
const SORTED_MAX: usize = 2000;

/// What a search found.
pub(super) struct Found {
    /// At least the first keys after the cursor that were asked for, of each group; not in order.
    pub keys: Vec<(Key, i64)>,
    /// All matches.
    pub total: u64,
}

/// The word that stands in the text index for a kind in a library.
pub(super) fn scope(library: &str, kind: ItemKind) -> String {
    let library: String = library.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}x{library}", kind.as_str())
}

/// What a person typed as an FTS5 expression: every word, each the start of a word in the item. `None` where nothing in
/// the text is a word. Words are quoted, so that no text is an operator.
pub(super) fn words(text: &str) -> Option<String> {
    let part_of_word = |c: char| c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c);
    let words = text.split(|c| !part_of_word(c)).filter(|word| word.contains(char::is_alphanumeric));
    let quoted: Vec<String> = words.map(|word| format!("\"{word}\"*")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" AND "))
}

/// The expression for words anywhere but in the scope.
pub(super) fn anywhere(words: &str) -> String {
    format!("{{title show file}} : ({words})")
}

/// The first `limit` items after the cursor that hold all words of `text`, in each of `groups`.
pub(super) fn find(
    c: &Connection,
    filter: &ItemFilter,
    text: &str,
    groups: &[(Id, ItemKind, i64)],
    cursor: Option<&Cursor>,
    limit: usize,
) -> rusqlite::Result<Found> {
    let mut found = Found { keys: Vec::new(), total: 0 };
    let Some(words) = words(text) else { return Ok(found) };
    for (library, kind, _) in groups {
        let expression = format!("scope : {} AND {}", scope(library, *kind), anywhere(&words));
        let mut statement = c.prepare_cached("SELECT rowid FROM item_text WHERE item_text MATCH ?1")?;
        let matches: Vec<i64> = statement.query_map([expression], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
        found.total += matches.len() as u64;
        let source = Source::Kind(library.clone(), *kind);
        let keys = if matches.len() <= SORTED_MAX {
            read_keys(c, filter, &matches, cursor)?
        } else {
            walk(c, filter, &source, &matches, cursor, limit)?
        };
        found.keys.extend(keys);
    }
    Ok(found)
}

/// The keys of these items that come after the cursor.
fn read_keys(
    c: &Connection,
    filter: &ItemFilter,
    matches: &[i64],
    cursor: Option<&Cursor>,
) -> rusqlite::Result<Vec<(Key, i64)>> {
    let column = filter.sort.column();
    let mut statement = c.prepare_cached(&format!("SELECT {column}, n FROM item WHERE n = ?1"))?;
    let mut keys = Vec::with_capacity(matches.len());
    for n in matches {
        let key = statement.query_row([n], key_of)?;
        let after = cursor.is_none_or(|cursor| {
            let (this, last) = ((&key.0, key.1), (&cursor.key, cursor.number));
            if filter.sort.descending() { this < last } else { this > last }
        });
        if after {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// The first items of a list that are among `matches`, which are in ascending order.
fn walk(
    c: &Connection,
    filter: &ItemFilter,
    source: &Source,
    matches: &[i64],
    cursor: Option<&Cursor>,
    limit: usize,
) -> rusqlite::Result<Vec<(Key, i64)>> {
    let sql = keys_sql(filter, source, cursor, None);
    let mut statement = c.prepare_cached(&sql.text)?;
    let mut rows = statement.query(rusqlite::params_from_iter(sql.values))?;
    let mut keys = Vec::with_capacity(limit);
    while let Some(row) = rows.next()? {
        if matches.binary_search(&row.get(1)?).is_ok() {
            keys.push(key_of(row)?);
            if keys.len() == limit {
                break;
            }
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_quoted_words() {
        assert_eq!(words("the  mat").as_deref(), Some("\"the\"* AND \"mat\"*"));
        assert_eq!(words("NOT (x\" OR *").as_deref(), Some("\"NOT\"* AND \"x\"* AND \"OR\"*"));
        assert_eq!(words("it's").as_deref(), Some("\"it\"* AND \"s\"*"));
        assert_eq!(words(" -\"* \0"), None);
    }
}
