//! Covers that people put up for series, books and lists: what is known of them. One of a thing's is shown, or what was found with it.
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::catalog::items::{bytes, number_of, path};
use crate::catalog::model::Id;
use crate::catalog::{Catalog, CatalogError};

/// Covers of one thing.
const COUNT_MAX: i64 = 20;
/// Bytes of all together: nothing is taken away for a new one, so there is an end to them.
const BYTES_MAX: i64 = 512 * 1024 * 1024;

/// What a cover is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoverOf {
    /// A series or a book, by its own id or by one that it had elsewhere.
    Item(Id),
    /// A collection or a read list.
    List(Id),
}

impl CoverOf {
    /// The column that names it, and its id.
    fn column(&self) -> (String, &str) {
        match self {
            Self::Item(id) => (format!("item = {}", number_of("?1")), id),
            Self::List(id) => ("list = ?1".to_owned(), id),
        }
    }
}

/// A cover that somebody put up: a JPEG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfCover {
    pub id: Id,
    /// Absolute.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// It is the one that is shown.
    pub selected: bool,
}

fn cover(r: &Row<'_>) -> rusqlite::Result<ShelfCover> {
    let size = r.get::<_, i64>("size")?.cast_unsigned();
    let (id, path, selected) = (r.get("id")?, path(r.get("path")?), r.get("selected")?);
    Ok(ShelfCover { id, path, size, width: r.get("width")?, height: r.get("height")?, selected })
}

pub(in crate::catalog) fn of(c: &Connection, of: &CoverOf) -> rusqlite::Result<Vec<ShelfCover>> {
    let (column, id) = of.column();
    let sql =
        format!("SELECT id, path, size, width, height, selected FROM cover WHERE {column} ORDER BY created_at, id");
    c.prepare_cached(&sql)?.query_map([id], cover)?.collect()
}

impl Catalog {
    /// The covers that people put up for a thing, oldest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn covers(&self, thing: CoverOf) -> Result<Vec<ShelfCover>, CatalogError> {
        Ok(self.database.read(move |c| of(c, &thing)).await?)
    }

    /// The picture that was found with an item, and whether it lies in its library.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn found_cover(&self, item: &str) -> Result<Option<(PathBuf, bool)>, CatalogError> {
        let item = item.to_owned();
        let sql = format!(
            "SELECT i.poster, substr(i.poster, 1, length(l.path)) = l.path FROM item AS i JOIN library AS l ON l.id = i.library \
            WHERE i.n = {} AND i.poster IS NOT NULL AND l.friend IS NULL",
            number_of("?1")
        );
        let read = move |c: &Connection| {
            c.prepare_cached(&sql)?.query_row([item], |r| Ok((path(r.get(0)?), r.get(1)?))).optional()
        };
        Ok(self.database.read(read).await?)
    }

    /// Writes down a cover; the first of a list is shown in any case, as nothing else is.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where the thing went, [`CatalogError::Invalid`] where there are enough.
    pub async fn add_cover(&self, thing: CoverOf, new: ShelfCover) -> Result<ShelfCover, CatalogError> {
        let now = (self.clock)();
        self.write(move |t| add(t, &thing, new, now)).await?
    }

    /// Shows this one; `None`: what was found with the thing.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where the thing has no such cover.
    pub async fn select_cover(&self, thing: CoverOf, id: Option<Id>) -> Result<(), CatalogError> {
        self.write(move |t| {
            if let Some(id) = &id
                && !of(t, &thing)?.iter().any(|cover| cover.id == *id)
            {
                return Ok(Err(CatalogError::NotFound("cover")));
            }
            show(t, &thing, id.as_deref()).map(Ok)
        })
        .await?
    }

    /// Forgets a cover. Returns it: its file is to be removed.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where the thing has no such cover.
    pub async fn remove_cover(&self, thing: CoverOf, id: &str) -> Result<ShelfCover, CatalogError> {
        let id = id.to_owned();
        self.write(move |t| {
            let Some(gone) = of(t, &thing)?.into_iter().find(|cover| cover.id == id) else {
                return Ok(Err(CatalogError::NotFound("cover")));
            };
            t.execute("DELETE FROM cover WHERE id = ?1", [&id])?;
            if gone.selected
                && matches!(thing, CoverOf::List(_))
                && let Some(next) = of(t, &thing)?.pop()
            {
                show(t, &thing, Some(&next.id))?;
            }
            Ok(Ok(gone))
        })
        .await?
    }

    /// Tells in which folder the covers are, which are called after their ids. Returns these.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn settle_covers(&self, folder: &Path) -> Result<HashSet<Id>, CatalogError> {
        let folder = folder.to_owned();
        let settle = move |t: &Transaction<'_>| {
            let ids: HashSet<Id> =
                t.prepare("SELECT id FROM cover")?.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
            for id in &ids {
                let path = folder.join(format!("{id}.jpg"));
                t.execute("UPDATE cover SET path = ?2 WHERE id = ?1 AND path <> ?2", params![id, bytes(&path)])?;
            }
            Ok(ids)
        };
        Ok(self.database.write(settle).await?)
    }
}

pub(in crate::catalog) fn add(
    t: &Transaction<'_>,
    thing: &CoverOf,
    new: ShelfCover,
    now: i64,
) -> rusqlite::Result<Result<ShelfCover, CatalogError>> {
    let (sql, id) = match thing {
        CoverOf::Item(id) => (format!("SELECT n, NULL FROM item WHERE n = {}", number_of("?1")), id),
        CoverOf::List(id) => ("SELECT NULL, id FROM shelf_list WHERE id = ?1".to_owned(), id),
    };
    let found =
        t.query_row(&sql, [id], |r| Ok((r.get::<_, Option<i64>>(0)?, r.get::<_, Option<Id>>(1)?))).optional()?;
    let Some((item, list)) = found else { return Ok(Err(CatalogError::NotFound("item or list"))) };
    let there = of(t, thing)?;
    let bytes_now: i64 = t.query_row("SELECT ifnull(sum(size), 0) FROM cover", [], |r| r.get(0))?;
    if there.len() as i64 >= COUNT_MAX {
        return Ok(Err(CatalogError::Invalid(format!("file: there are {COUNT_MAX} covers of it already"))));
    }
    if bytes_now.saturating_add(new.size.cast_signed()) > BYTES_MAX {
        return Ok(Err(CatalogError::Invalid("file: there are covers enough; remove some first".to_owned())));
    }
    let sql = "INSERT INTO cover VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)";
    let size = new.size.cast_signed();
    t.execute(sql, params![new.id, item, list, bytes(&new.path), size, new.width, new.height, now])?;
    let alone = matches!(thing, CoverOf::List(_)) && !there.iter().any(|cover| cover.selected);
    let selected = new.selected || alone;
    if selected {
        show(t, thing, Some(&new.id))?;
    }
    Ok(Ok(ShelfCover { selected, ..new }))
}

fn show(t: &Transaction<'_>, thing: &CoverOf, id: Option<&str>) -> rusqlite::Result<()> {
    let (column, own) = thing.column();
    t.execute(&format!("UPDATE cover SET selected = 0 WHERE {column} AND selected"), [own])?;
    if let Some(id) = id {
        t.execute("UPDATE cover SET selected = 1 WHERE id = ?1", [id])?;
    }
    Ok(())
}
