//! Covers that somebody put up elsewhere, with their ids.
use std::collections::HashSet;

use rusqlite::{Connection, Transaction};

use crate::catalog::CatalogError;
use crate::catalog::model::Id;
use crate::catalog::shelves::covers::{add, of};
use crate::catalog::shelves::{CoverOf, ShelfCover};

/// See [`super::Catalog::moved_covers`].
pub(super) fn moved(c: &Connection) -> rusqlite::Result<HashSet<Id>> {
    c.prepare_cached("SELECT id FROM moved_cover UNION SELECT id FROM cover")?.query_map([], |r| r.get(0))?.collect()
}

/// See [`super::Catalog::take_cover`].
pub(super) fn take(
    t: &Transaction<'_>,
    thing: &CoverOf,
    mut new: ShelfCover,
    now: i64,
) -> rusqlite::Result<Result<ShelfCover, CatalogError>> {
    new.selected &= !of(t, thing)?.iter().any(|cover| cover.selected);
    let id = new.id.clone();
    let added = add(t, thing, new, now)?;
    if added.is_ok() {
        t.execute("INSERT INTO moved_cover VALUES (?1)", [&id])?;
    }
    Ok(added)
}
