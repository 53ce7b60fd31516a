//! Collections and read lists from elsewhere, with their ids.
use rusqlite::{OptionalExtension, Transaction, params};

use super::{digest_of, is_id};
use crate::catalog::model::Id;
use crate::catalog::shelves::ListKind;
use crate::catalog::shelves::lists::{ITEMS_MAX, NAME_MAX, put};
use crate::catalog::sorting::fold;

/// A list as it was elsewhere.
#[derive(Debug, Clone)]
pub struct MovedList {
    pub id: Id,
    pub kind: ListKind,
    pub name: String,
    pub summary: String,
    pub ordered: bool,
    /// Numbers of the items here, in order.
    pub items: Vec<i64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

/// What became of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenList {
    Added,
    Changed,
    /// It is as it was.
    Same,
    /// It was taken in before, and removed here since.
    Removed,
    /// It stays as it is here, or is not made: why.
    Refused(&'static str),
}

/// See [`super::Catalog::take_list`].
pub(super) fn take(t: &Transaction<'_>, list: &MovedList) -> rusqlite::Result<TakenList> {
    let mut list = list.clone();
    let mut seen = std::collections::HashSet::new();
    list.items.retain(|item| seen.insert(*item));
    list.items.truncate(ITEMS_MAX);
    list.name = list.name.trim().chars().take(NAME_MAX).collect();
    if !is_id(&list.id) || list.name.is_empty() {
        return Ok(TakenList::Refused("it has no id or no name"));
    }
    if list.items.is_empty() {
        return Ok(TakenList::Refused("nothing that is in it is here"));
    }
    let told = digest_of(&format!("{:?}", (&list.name, &list.summary, list.ordered, &list.items)));
    let sql = "SELECT told, wrote FROM moved_list WHERE id = ?1";
    let before: Option<(String, String)> = t.query_row(sql, [&list.id], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    let here = here(t, &list.id)?;
    let taken = match (&before, &here) {
        (None, None) => TakenList::Added,
        (None, Some(_)) => return Ok(TakenList::Refused("another list here has its id")),
        (Some(_), None) => return Ok(TakenList::Removed),
        (Some((known, _)), Some(_)) if *known == told => return Ok(TakenList::Same),
        (Some((_, wrote)), Some(now)) if wrote == now => TakenList::Changed,
        (Some(_), Some(_)) => return Ok(TakenList::Refused("it was changed here since")),
    };
    if !write(t, &mut list)? {
        return Ok(TakenList::Refused("its name is another list's here"));
    }
    let wrote = self::here(t, &list.id)?.unwrap_or_default();
    let sql = "INSERT INTO moved_list VALUES (?1, ?2, ?3) \
        ON CONFLICT DO UPDATE SET told = excluded.told, wrote = excluded.wrote";
    t.execute(sql, [&list.id, &told, &wrote])?;
    Ok(taken)
}

/// A digest of the list with this id.
fn here(t: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT name, summary, ordered, \
        (SELECT json_group_array(item) FROM (SELECT item FROM shelf_list_item WHERE list = l.id ORDER BY place)) \
        FROM shelf_list AS l WHERE id = ?1";
    let row = |r: &rusqlite::Row<'_>| {
        let (name, summary, ordered, items): (String, String, bool, String) =
            (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?);
        Ok(digest_of(&format!("{:?}", (name, summary, ordered, items))))
    };
    t.query_row(sql, [id], row).optional()
}

/// `false`: its name is taken, also with a mark.
fn write(t: &Transaction<'_>, list: &mut MovedList) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM shelf_list WHERE kind = ?1 AND name_key = ?2 AND id <> ?3)";
    let taken = |name: &str| t.query_row(sql, params![list.kind.word(), fold(name), list.id], |r| r.get::<_, bool>(0));
    if taken(&list.name)? {
        let short: String = list.name.chars().take(NAME_MAX - 4).collect();
        let marked = format!("{short} (2)");
        if taken(&marked)? {
            return Ok(false);
        }
        list.name = marked;
    }
    let sql = "INSERT INTO shelf_list VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET \
        name = excluded.name, name_key = excluded.name_key, summary = excluded.summary, ordered = excluded.ordered, \
        changed_at = excluded.changed_at";
    let (name, key) = (&list.name, fold(&list.name));
    let MovedList { id, kind, summary, ordered, created_at, changed_at, .. } = &*list;
    t.execute(sql, params![id, kind.word(), name, key, summary, ordered, created_at, changed_at])?;
    put(t, id, &list.items).map(|()| true)
}
