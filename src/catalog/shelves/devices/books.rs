//! EPUBs that a device does not have as they are now, and those that it has and shall not have any more.
use std::collections::BTreeSet;

use rusqlite::{Connection, Row, Transaction, named_params, params};

use super::super::condition::READABLE;
use super::super::rows;
use super::super::{ShelfBook, ShelfSeries};
use super::{Device, DeviceAsk, PAST_BOOKS};
use crate::catalog::items::shown_id;
use crate::catalog::model::Id;

/// A book, and what of it the device does not know.
#[derive(Debug, Clone)]
pub struct BookNews {
    pub book: ShelfBook,
    /// The book itself.
    pub new: bool,
    /// Its bytes.
    pub file: bool,
    /// What is said of it.
    pub words: bool,
    /// How far the account is.
    pub reading: bool,
}

/// A row of what differs.
struct Found {
    item: i64,
    series: Option<i64>,
    id: Id,
    now: [Option<String>; 3],
    /// New, and whether file, words and reading are as they were told.
    new: bool,
    same: [bool; 3],
}

/// What is said of a book depends on this: of its own, and of what its series says for it.
const WORDS: &str = "json_array(ifnull(b.described_at, i.added_at), i.title, s.title, m.publisher, m.language)";
/// How far the account is.
const READING: &str = "ifnull(p.position || '/' || p.completed || '/' || p.watched_at, '')";

/// Tells at most `most` of the books that differ, in the order in which they came. With them their series, and where to go on.
pub(super) fn tell(
    t: &Transaction<'_>,
    ask: &DeviceAsk,
    device: &Device,
    most: usize,
) -> rusqlite::Result<(Vec<BookNews>, Vec<ShelfSeries>, i64)> {
    let mut found = differing(t, ask, device, most + 1)?;
    let more = found.len() > most;
    found.truncate(most);
    let place = found.last().filter(|_| more).map_or(PAST_BOOKS, |last| last.item);
    let sql = "INSERT INTO told_book (device, item, id, file, words, reading, round) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
        ON CONFLICT DO UPDATE SET id = excluded.id, file = excluded.file, words = excluded.words, reading = excluded.reading, \
        round = excluded.round, gone = 0";
    let mut put = t.prepare_cached(sql)?;
    for Found { item, id, now: [file, words, reading], .. } in &found {
        put.execute(params![device.id, item, id, file, words, reading, device.round])?;
    }
    let keys: Vec<i64> = found.iter().map(|found| found.item).collect();
    let books = rows::books(t, &keys, &ask.account)?;
    let series: BTreeSet<i64> = found.iter().filter_map(|found| found.series).collect();
    let series = rows::series(t, &series.into_iter().collect::<Vec<_>>(), &ask.account)?;
    let news = books.into_iter().zip(found).map(|(book, Found { new, same: [file, words, reading], .. })| BookNews {
        book,
        new,
        file: !file,
        words: !words,
        reading: !reading,
    });
    Ok((news.collect(), series, place))
}

fn differing(c: &Connection, ask: &DeviceAsk, device: &Device, most: usize) -> rusqlite::Result<Vec<Found>> {
    let sql = format!(
        "SELECT i.n, i.show, {} AS id, f.cid, {WORDS} AS words, {READING} AS reading, t.item IS NULL OR t.gone AS fresh, \
            t.file IS f.cid AS same_file, t.words IS {WORDS} AS same_words, t.reading IS {READING} AS same_reading \
        FROM file AS f JOIN item AS i ON i.n = f.item LEFT JOIN book AS b ON b.item = i.n LEFT JOIN item AS s ON s.n = i.show \
            LEFT JOIN series AS m ON m.item = i.show LEFT JOIN progress AS p ON p.item = i.n AND p.account = :account \
            LEFT JOIN told_book AS t ON t.device = :device AND t.item = i.n \
        WHERE json_extract(f.facts, '$.container') = 'epub' AND f.item > :place AND f.gone = 0 AND f.cid IS NOT NULL \
            AND i.kind = 'book' AND i.state <> 'trashed' AND {READABLE} AND i.library IN (SELECT value FROM json_each(:libraries)) \
            AND (fresh OR NOT same_file OR NOT same_words OR NOT same_reading) ORDER BY f.item LIMIT :most",
        shown_id("i")
    );
    let values = named_params! {":account": ask.account, ":device": device.id, ":place": device.place,
    ":libraries": json(&ask.libraries), ":most": most as i64};
    c.prepare_cached(&sql)?.query_map(values, found)?.collect()
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found {
        item: row.get("n")?,
        series: row.get("show")?,
        id: row.get("id")?,
        now: [row.get("cid")?, row.get("words")?, row.get("reading")?],
        new: row.get("fresh")?,
        same: [row.get("same_file")?, row.get("same_words")?, row.get("same_reading")?],
    })
}

/// Tells at most `most` of the books that the account does not see any more, or that are in the trash; whether there are more. One
/// that cannot be read for now stays where it is.
pub(super) fn tell_gone(
    t: &Transaction<'_>,
    ask: &DeviceAsk,
    device: &Device,
    most: usize,
) -> rusqlite::Result<(Vec<Id>, bool)> {
    let sql = "SELECT t.item, t.id FROM told_book AS t WHERE t.device = ?1 AND NOT t.gone AND NOT EXISTS (SELECT 1 FROM item AS i \
        WHERE i.n = t.item AND i.state <> 'trashed' AND i.library IN (SELECT value FROM json_each(?2))) ORDER BY t.item LIMIT ?3";
    let values = params![device.id, json(&ask.libraries), most as i64 + 1];
    let read = |r: &Row<'_>| Ok((r.get(0)?, r.get(1)?));
    let mut gone: Vec<(i64, Id)> = t.prepare_cached(sql)?.query_map(values, read)?.collect::<Result<_, _>>()?;
    let more = gone.len() > most;
    gone.truncate(most);
    let mut put = t.prepare_cached("UPDATE told_book SET gone = 1, round = ?3 WHERE device = ?1 AND item = ?2")?;
    for (item, _) in &gone {
        put.execute(params![device.id, item, device.round])?;
    }
    Ok((gone.into_iter().map(|(_, id)| id).collect(), more))
}

fn json(ids: &[Id]) -> String {
    serde_json::Value::from(ids.to_vec()).to_string()
}
