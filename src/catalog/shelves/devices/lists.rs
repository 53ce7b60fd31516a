//! Read lists with what the device has of them.
use std::collections::HashSet;

use data_encoding::HEXLOWER;
use rusqlite::{Row, Transaction, params};

use super::Device;
use crate::catalog::model::Id;
use crate::content::cid::sha256;

/// Books of all lists of an answer, after which it is full. One list alone may have more.
const ITEMS_MAX: usize = 10_000;

/// A read list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListNews {
    pub id: Id,
    pub name: String,
    /// The device does not know it, as far as it says.
    pub new: bool,
    /// What the device calls the books of it that it has, in order.
    pub items: Vec<Id>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

/// Tells at most `most` of the lists that differ or are gone; whether there are more. Lists without a book that the device has are
/// none for it.
pub(super) fn tell(
    t: &Transaction<'_>,
    device: &Device,
    most: usize,
) -> rusqlite::Result<(Vec<ListNews>, Vec<Id>, bool)> {
    let (mut told, mut gone, mut items, mut there) = (Vec::new(), Vec::new(), 0, HashSet::new());
    let mut statement = t.prepare_cached(SELECT)?;
    let mut rows = statement.query(params![device.id])?;
    while let Some(row) = rows.next()? {
        let (list, known) = (list(row)?, row.get::<_, Option<String>>("digest")?);
        if list.items.is_empty() {
            continue;
        }
        there.insert(list.id.clone());
        let digest = digest(&list);
        if known.as_ref() == Some(&digest) {
            continue;
        }
        if told.len() >= most || items >= ITEMS_MAX {
            return Ok((told, gone, true));
        }
        items += list.items.len();
        put(t, device, &list.id, Some(&digest), false)?;
        told.push(list);
    }
    for id in known(t, device)?.into_iter().filter(|id| !there.contains(id)) {
        if told.len() + gone.len() >= most {
            return Ok((told, gone, true));
        }
        put(t, device, &id, None, true)?;
        gone.push(id);
    }
    Ok((told, gone, false))
}

/// All read lists, with the books that device `?1` has and what it was told.
const SELECT: &str = "SELECT l.id, l.name, l.created_at, l.changed_at, CASE WHEN tl.gone THEN NULL ELSE tl.digest END AS digest, \
    tl.digest IS NULL OR tl.gone AS fresh, (SELECT json_group_array(id) FROM (SELECT tb.id AS id FROM shelf_list_item AS li \
        JOIN told_book AS tb ON tb.device = ?1 AND tb.item = li.item AND NOT tb.gone LEFT JOIN book AS b ON b.item = li.item \
        WHERE li.list = l.id ORDER BY CASE WHEN l.ordered THEN '' ELSE ifnull(b.release_date, '~') END, li.place)) AS ids \
    FROM shelf_list AS l LEFT JOIN told_list AS tl ON tl.device = ?1 AND tl.list = l.id WHERE l.kind = 'readlist' \
    ORDER BY l.name_key, l.id";

fn list(row: &Row<'_>) -> rusqlite::Result<ListNews> {
    Ok(ListNews {
        id: row.get("id")?,
        name: row.get("name")?,
        new: row.get("fresh")?,
        items: super::super::words::read("ids", row.get_ref("ids")?.as_str()?)?,
        created_at: row.get("created_at")?,
        changed_at: row.get("changed_at")?,
    })
}

fn digest(list: &ListNews) -> String {
    let mut text = serde_json::Value::from(list.items.clone()).to_string();
    text.push_str(&list.name);
    HEXLOWER.encode(&sha256(text.as_bytes())[..16])
}

fn known(t: &Transaction<'_>, device: &Device) -> rusqlite::Result<Vec<Id>> {
    let sql = "SELECT list FROM told_list WHERE device = ?1 AND NOT gone ORDER BY list";
    t.prepare_cached(sql)?.query_map([&device.id], |r| r.get(0))?.collect()
}

fn put(t: &Transaction<'_>, device: &Device, list: &str, digest: Option<&str>, gone: bool) -> rusqlite::Result<()> {
    let sql = "INSERT INTO told_list VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET digest = excluded.digest, \
        round = excluded.round, gone = excluded.gone";
    t.prepare_cached(sql)?.execute(params![device.id, list, digest, device.round, gone]).map(|_| ())
}
