//! Ids from elsewhere, given to libraries, series and books.
use rusqlite::{OptionalExtension, Transaction, params};

use super::fields::{self, MovedField};
use super::{Disagreement, is_id};
use crate::catalog::model::Id;
use crate::catalog::shelves::Shelf;

/// A series or book as it was elsewhere.
#[derive(Debug, Clone)]
pub struct MovedItem {
    /// The id that it had.
    pub id: Id,
    /// Number of the item that it is here.
    pub item: i64,
    /// It may be the id that programs for reading are told; otherwise the item is only found by it.
    pub shown: bool,
    /// Unix milliseconds.
    pub created_at: Option<i64>,
    /// Unix milliseconds.
    pub changed_at: Option<i64>,
    /// What was written of it.
    pub fields: Vec<MovedField>,
}

/// What became of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenItems {
    /// Ids that are new here.
    pub ids: u64,
    /// Ids that were known.
    pub known: u64,
    /// Fields that have another value, or are locked, now.
    pub fields: u64,
    /// Fields that nobody had locked and of which the files here say something else, which counts.
    pub left: u64,
    /// What stayed as it was here.
    pub disagreements: Vec<Disagreement>,
}

/// See [`super::Catalog::take_library`].
pub(super) fn of_library(t: &Transaction<'_>, id: &str, library: &str) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR IGNORE INTO library_alias SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM library WHERE id = ?1)";
    if is_id(id) { t.execute(sql, [id, library]).map(|_| ()) } else { Ok(()) }
}

/// See [`super::Catalog::take_items`].
pub(super) fn take(t: &Transaction<'_>, shelf: Shelf, items: &[MovedItem], now: i64) -> rusqlite::Result<TakenItems> {
    let mut taken = TakenItems::default();
    for new in items {
        let shown = match name(t, new)? {
            Named::New(shown) => {
                taken.ids += 1;
                date(t, shelf, new)?;
                shown
            }
            Named::Known(shown) => {
                taken.known += 1;
                shown
            }
            Named::Refused(why) => {
                taken.disagreements.push(Disagreement { id: new.id.clone(), why: why.to_owned() });
                continue;
            }
        };
        if shown && new.shown {
            fields::take(t, shelf, new, now, &mut taken)?;
        }
    }
    Ok(taken)
}

/// What became of an id; of one that is the item's now, whether it is shown.
enum Named {
    New(bool),
    Known(bool),
    Refused(&'static str),
}

fn name(t: &Transaction<'_>, new: &MovedItem) -> rusqlite::Result<Named> {
    if !is_id(&new.id) {
        return Ok(Named::Refused("this is no id"));
    }
    let sql = "SELECT item, shown FROM alias WHERE id = ?1";
    let known = t.prepare_cached(sql)?.query_row([&new.id], |r| Ok((r.get::<_, i64>(0)?, r.get(1)?))).optional()?;
    match known {
        Some((item, shown)) if item == new.item => return Ok(Named::Known(shown)),
        Some(_) => return Ok(Named::Refused("another item here has this id")),
        None => {}
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM item WHERE id = ?1), EXISTS (SELECT 1 FROM item WHERE n = ?2), \
        EXISTS (SELECT 1 FROM alias WHERE item = ?2 AND shown = 1)";
    let (taken, there, named): (bool, bool, bool) =
        t.prepare_cached(sql)?.query_row(params![new.id, new.item], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    if taken || !there {
        return Ok(Named::Refused(if taken { "another item here has this id" } else { "its item went meanwhile" }));
    }
    let shown = new.shown && !named;
    let sql = "INSERT INTO alias (id, item, shown) VALUES (?1, ?2, ?3)";
    t.prepare_cached(sql)?.execute(params![new.id, new.item, shown])?;
    Ok(Named::New(shown))
}

/// It came when it came elsewhere, and changed when it changed there.
fn date(t: &Transaction<'_>, shelf: Shelf, new: &MovedItem) -> rusqlite::Result<()> {
    if let Some(at) = new.created_at.filter(|_| new.shown) {
        let sql = "UPDATE item SET added_at = ?2 WHERE n = ?1 AND added_at > ?2";
        t.prepare_cached(sql)?.execute(params![new.item, at])?;
    }
    if let (Shelf::Series, Some(at)) = (shelf, new.changed_at.filter(|_| new.shown)) {
        let sql = "UPDATE series SET changed_at = ?2 WHERE item = ?1 AND changed_at > ?2";
        t.prepare_cached(sql)?.execute(params![new.item, at])?;
    }
    Ok(())
}
