//! Finds artists, albums and tracks by words, each the start of one in a name, a title, or the name of whoever made it.
use rusqlite::{Connection, named_params, params};

use super::Hearer;
use super::rows::{self, Album, Artist, Track};
use crate::catalog::model::ItemKind;
use crate::catalog::search::{anywhere, scope, words};
use crate::catalog::sorting::fold;

/// Letters of a search that are looked for.
const TEXT_MAX: usize = 256;

/// How many of each kind, and how many before them are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Count and offset.
    pub artists: (u32, u64),
    /// Count and offset.
    pub albums: (u32, u64),
    /// Count and offset.
    pub tracks: (u32, u64),
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub artists: Vec<Artist>,
    pub albums: Vec<Album>,
    pub tracks: Vec<Track>,
}

pub(super) fn find(c: &Connection, hearer: &Hearer, text: &str, wanted: Wanted) -> rusqlite::Result<Found> {
    let text: String = text.chars().take(TEXT_MAX).collect();
    let text = text.as_str();
    let everything = text.trim().is_empty();
    let words = words(text);
    if words.is_none() && !everything {
        return Ok(Found::default());
    }
    let words = words.as_deref();
    let albums = items(c, hearer, ItemKind::Album, words, wanted.albums)?;
    let tracks = items(c, hearer, ItemKind::Track, words, wanted.tracks)?;
    Ok(Found {
        artists: artists(c, hearer, text, wanted.artists)?,
        albums: rows::albums(c, hearer, &albums)?,
        tracks: rows::tracks(c, hearer, &tracks)?,
    })
}

/// In the order in which they came: stable while somebody pages through all.
fn items(
    c: &Connection,
    hearer: &Hearer,
    kind: ItemKind,
    words: Option<&str>,
    (count, offset): (u32, u64),
) -> rusqlite::Result<Vec<i64>> {
    if count == 0 || hearer.libraries.is_empty() {
        return Ok(Vec::new());
    }
    let offset = offset.cast_signed();
    let Some(words) = words else {
        let sql = "SELECT n FROM item WHERE library IN (SELECT value FROM json_each(?1)) AND kind = ?2 AND state <> 'trashed' \
            ORDER BY n LIMIT ?3 OFFSET ?4";
        let values = params![hearer.libraries(), kind, count, offset];
        return c.prepare_cached(sql)?.query_map(values, |r| r.get(0))?.collect();
    };
    let scopes: Vec<String> = hearer.libraries.iter().map(|library| scope(library, kind)).collect();
    let expression = format!("scope : ({}) AND {}", scopes.join(" OR "), anywhere(words));
    let sql = "SELECT rowid FROM item_text WHERE item_text MATCH ?1 ORDER BY rowid LIMIT ?2 OFFSET ?3";
    c.prepare_cached(sql)?.query_map(params![expression, count, offset], |r| r.get(0))?.collect()
}

/// Artists of albums whose names have, for each word, one that begins with it.
fn artists(c: &Connection, hearer: &Hearer, text: &str, (count, offset): (u32, u64)) -> rusqlite::Result<Vec<Artist>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let folded = fold(text);
    let words: Vec<&str> = parts(&folded).collect();
    let sql = "SELECT a.n, a.key FROM artist AS a WHERE EXISTS (SELECT 1 FROM credit AS k JOIN item AS i ON i.n = k.item \
        WHERE k.artist = a.n AND k.role = 'albumartist' AND i.state <> 'trashed' \
        AND i.library IN (SELECT value FROM json_each(:libraries))) ORDER BY a.n";
    let mut statement = c.prepare_cached(sql)?;
    let mut listed = statement.query(named_params! {":libraries": hearer.libraries()})?;
    let (mut passed, mut numbers) = (0, Vec::new());
    while let Some(row) = listed.next()? {
        let key = row.get_ref(1)?.as_str()?;
        if !words.iter().all(|word| parts(key).any(|part| part.starts_with(word))) {
            continue;
        }
        if passed < offset {
            passed += 1;
            continue;
        }
        numbers.push(row.get(0)?);
        if numbers.len() >= count as usize {
            break;
        }
    }
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers {
        found.extend(rows::artists(c, hearer, Some(number))?);
    }
    Ok(found)
}

/// The words of a name: what other letters and signs stand between is no part of them.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}
