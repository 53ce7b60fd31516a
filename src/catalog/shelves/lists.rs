//! Collections of series and read lists of books: what people put together.
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::catalog::items::{number_of, shown_id};
use crate::catalog::model::Id;
use crate::catalog::sorting::{fold, sort_key};
use crate::catalog::{Catalog, CatalogError, new_id};

/// Longest name, in characters.
pub(in crate::catalog) const NAME_MAX: usize = 256;
/// Items of a list at most.
pub(in crate::catalog) const ITEMS_MAX: usize = 50_000;

/// What is in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Series.
    Collection,
    /// Books.
    ReadList,
}

impl ListKind {
    pub(in crate::catalog) fn word(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::ReadList => "readlist",
        }
    }

    fn holds(self) -> &'static str {
        match self {
            Self::Collection => "series",
            Self::ReadList => "book",
        }
    }

    fn missing(self) -> CatalogError {
        CatalogError::NotFound(match self {
            Self::Collection => "collection",
            Self::ReadList => "read list",
        })
    }
}

/// A list as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfList {
    pub id: Id,
    pub name: String,
    /// Empty for collections.
    pub summary: String,
    /// In the order of its items; else by title, or by date of release.
    pub ordered: bool,
    /// Those that can be seen.
    pub items: Vec<Id>,
    /// There are more than can be seen.
    pub filtered: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

/// A list to be made.
#[derive(Debug, Clone)]
pub struct NewList {
    /// Unique among those of its kind, without regard to case.
    pub name: String,
    pub summary: String,
    pub ordered: bool,
    /// Ids, each once, at least one.
    pub items: Vec<Id>,
}

/// What shall be different; absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ListChange {
    pub name: Option<String>,
    pub summary: Option<String>,
    pub ordered: Option<bool>,
    pub items: Option<Vec<Id>>,
}

impl Catalog {
    /// The lists of a kind with something in these libraries, by name; of those with an item, only those that hold it.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn lists(
        &self,
        kind: ListKind,
        libraries: Vec<Id>,
        holding: Option<Id>,
    ) -> Result<Vec<ShelfList>, CatalogError> {
        let read = move |c: &Connection| {
            let sql = format!(
                "{} WHERE l.kind = ?2 AND (?3 IS NULL OR EXISTS (SELECT 1 FROM shelf_list_item AS h \
                WHERE h.list = l.id AND h.item = {}))",
                select(),
                number_of("?3")
            );
            let values = params![json(&libraries), kind.word(), holding];
            let rows = c.prepare_cached(&sql)?.query_map(values, list)?.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(rows)
        };
        let mut lists: Vec<ShelfList> = self.database.read(read).await?.into_iter().filter(is_seen).collect();
        lists.sort_by_cached_key(|list| sort_key(&fold(&list.name)));
        Ok(lists)
    }

    /// One list.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] also where nothing in it is in these libraries.
    pub async fn list(&self, kind: ListKind, id: &str, libraries: Vec<Id>) -> Result<ShelfList, CatalogError> {
        let id = id.to_owned();
        let read = move |c: &Connection| {
            let sql = format!("{} WHERE l.kind = ?2 AND l.id = ?3", select());
            c.prepare_cached(&sql)?.query_row(params![json(&libraries), kind.word(), id], list).optional()
        };
        self.database.read(read).await?.filter(is_seen).ok_or_else(|| kind.missing())
    }

    /// What is in a list, whoever may see it: each item with its library.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn list_places(&self, id: &str) -> Result<Vec<(Id, Id)>, CatalogError> {
        let id = id.to_owned();
        let sql = "SELECT i.id, i.library FROM shelf_list_item AS li JOIN item AS i ON i.n = li.item WHERE li.list = ?1 ORDER BY li.place";
        let read = move |c: &Connection| {
            c.prepare_cached(sql)?.query_map([id], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<rusqlite::Result<_>>()
        };
        Ok(self.database.read(read).await?)
    }

    /// Makes a list.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] for a name that is taken or is none, and for items that are not there or are there twice.
    pub async fn add_list(&self, kind: ListKind, new: NewList) -> Result<Id, CatalogError> {
        let (id, now) = (new_id(), (self.clock)());
        let made = id.clone();
        self.write(move |t| {
            if let Err(error) = check_name(t, kind, &new.name, None)? {
                return Ok(Err(error));
            }
            let sql = "INSERT INTO shelf_list VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
            let name = new.name.trim();
            t.execute(sql, params![id, kind.word(), name, fold(name), new.summary, new.ordered, now])?;
            let filled = fill(t, kind, &id, &new.items)?;
            if filled.is_err() {
                t.execute("DELETE FROM shelf_list WHERE id = ?1", [&id])?;
            }
            Ok(filled)
        })
        .await??;
        Ok(made)
    }

    /// Changes a list.
    ///
    /// # Errors
    /// As [`Catalog::add_list`], and [`CatalogError::NotFound`].
    pub async fn change_list(&self, kind: ListKind, id: &str, change: ListChange) -> Result<(), CatalogError> {
        let (id, now) = (id.to_owned(), (self.clock)());
        self.write(move |t| {
            let sql = "SELECT 1 FROM shelf_list WHERE id = ?1 AND kind = ?2";
            if t.query_row(sql, [&id, kind.word()], |_| Ok(())).optional()?.is_none() {
                return Ok(Err(kind.missing()));
            }
            if let Some(name) = &change.name
                && let Err(error) = check_name(t, kind, name, Some(&id))?
            {
                return Ok(Err(error));
            }
            if let Some(items) = &change.items
                && let Err(error) = fill(t, kind, &id, items)?
            {
                return Ok(Err(error));
            }
            let name = change.name.as_deref().map(str::trim);
            let sql = "UPDATE shelf_list SET name = ifnull(?2, name), name_key = ifnull(?3, name_key), \
                summary = ifnull(?4, summary), ordered = ifnull(?5, ordered), changed_at = ?6 WHERE id = ?1";
            t.execute(sql, params![id, name, name.map(fold), change.summary, change.ordered, now])?;
            Ok(Ok(()))
        })
        .await?
    }

    /// Forgets a list; what was in it stays.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove_list(&self, kind: ListKind, id: &str) -> Result<(), CatalogError> {
        let id = id.to_owned();
        let sql = "DELETE FROM shelf_list WHERE id = ?1 AND kind = ?2";
        let removed = self.write(move |t| t.execute(sql, [id.as_str(), kind.word()])).await?;
        if removed > 0 { Ok(()) } else { Err(kind.missing()) }
    }
}

/// Lists, with the items of the libraries in `?1`.
fn select() -> String {
    format!(
        "SELECT l.id, l.name, l.summary, l.ordered, l.created_at, l.changed_at, \
        (SELECT count(*) FROM shelf_list_item AS n WHERE n.list = l.id) AS items, \
        (SELECT json_group_array(id) FROM (SELECT {} AS id FROM shelf_list_item AS li JOIN item AS i ON i.n = li.item \
            LEFT JOIN book AS b ON b.item = i.n WHERE li.list = l.id AND i.library IN (SELECT value FROM json_each(?1)) \
            ORDER BY CASE WHEN l.ordered THEN '' WHEN i.kind = 'series' THEN i.sort_key ELSE ifnull(b.release_date, '~') END, li.place)) AS ids \
        FROM shelf_list AS l",
        shown_id("i")
    )
}

fn list(row: &Row<'_>) -> rusqlite::Result<ShelfList> {
    let items: Vec<Id> = super::words::read("ids", row.get_ref("ids")?.as_str()?)?;
    Ok(ShelfList {
        id: row.get("id")?,
        name: row.get("name")?,
        summary: row.get("summary")?,
        ordered: row.get("ordered")?,
        filtered: row.get::<_, i64>("items")? > items.len() as i64,
        items,
        created_at: row.get("created_at")?,
        changed_at: row.get("changed_at")?,
    })
}

/// A list of which nothing can be seen is not there; one that holds nothing is.
fn is_seen(list: &ShelfList) -> bool {
    !list.items.is_empty() || !list.filtered
}

fn json(ids: &[Id]) -> String {
    serde_json::Value::from(ids.to_vec()).to_string()
}

fn invalid(message: &str) -> CatalogError {
    CatalogError::Invalid(message.to_owned())
}

fn check_name(
    t: &Transaction<'_>,
    kind: ListKind,
    name: &str,
    own: Option<&str>,
) -> rusqlite::Result<Result<(), CatalogError>> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Ok(Err(invalid("name: must be 1 to 256 characters")));
    }
    let sql = "SELECT 1 FROM shelf_list WHERE kind = ?1 AND name_key = ?2 AND id IS NOT ?3";
    let taken = t.query_row(sql, params![kind.word(), fold(name), own], |_| Ok(())).optional()?.is_some();
    Ok(if taken { Err(invalid("name: there is one of this name already")) } else { Ok(()) })
}

/// Puts these items into a list, in place of those that are in it.
fn fill(t: &Transaction<'_>, kind: ListKind, list: &str, ids: &[Id]) -> rusqlite::Result<Result<(), CatalogError>> {
    if ids.is_empty() || ids.len() > ITEMS_MAX {
        return Ok(Err(invalid("ids: there must be one at least")));
    }
    let sql = format!(
        "SELECT i.n FROM item AS i JOIN library AS l ON l.id = i.library WHERE i.n = {} AND i.kind = ?2 AND l.friend IS NULL",
        number_of("?1")
    );
    let mut find = t.prepare_cached(&sql)?;
    let mut items: Vec<i64> = Vec::with_capacity(ids.len());
    for id in ids {
        match find.query_row([id.as_str(), kind.holds()], |r| r.get(0)).optional()? {
            Some(item) => items.push(item),
            None => return Ok(Err(invalid("ids: one of them names nothing"))),
        }
    }
    let unique: std::collections::HashSet<i64> = items.iter().copied().collect();
    if unique.len() < items.len() {
        return Ok(Err(invalid("ids: each may be there once")));
    }
    put(t, list, &items).map(Ok)
}

/// Puts the items of these numbers into a list, in place of those that are in it.
pub(in crate::catalog) fn put(t: &Transaction<'_>, list: &str, items: &[i64]) -> rusqlite::Result<()> {
    t.execute("DELETE FROM shelf_list_item WHERE list = ?1", [list])?;
    let mut put = t.prepare_cached("INSERT INTO shelf_list_item VALUES (?1, ?2, ?3)")?;
    for (place, item) in items.iter().enumerate() {
        put.execute(params![list, place as i64, item])?;
    }
    Ok(())
}
