//! Moves in what another program keeps of the files that lie here: with its ids, so that what points to them goes on pointing.
//!
//! ```text
//!  open, table (any database, read only)
//!  komga/ ─────► roots (libraries) ─► matching (books, series) ──────────────► catalog::moved_in
//!                    │                 people (accounts, keys, progress) ─────► accounts::moved_in
//!  navidrome/ ─► roots (libraries) ─► songs (tracks, albums, artists), people ─► both
//! ```
//! Libraries that are not here yet are told of, and added and scanned by who asked; then it is asked again. Each kind of thing is
//! taken in by transactions of its own: killed in between, nothing is lost, and the next time completes it. The second time changes
//! only what is newer there and was not changed here.
mod covers;
mod komga;
mod matching;
mod navidrome;
mod open;
mod people;
mod places;
mod report;
mod roots;
mod table;

pub use covers::{KeepCover, MovedCover};
pub use navidrome::from_navidrome;
pub use open::ForeignError;
pub use places::FolderMap;
pub use report::{
    Lines, Matched, MatchedTracks, MoveInReport, MovedCovers, MovedLibrary, MovedLibraryState, MovedLists,
    MovedMetadata, MovedOpinions, MovedPeople, MovedProgress, MusicMoveInReport,
};

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::accounts::{Accounts, AccountsError};
use crate::catalog::moved_in::{Disagreement, MovedItem, MovedList, TakenItems, TakenList};
use crate::catalog::shelves::{ListKind, Shelf};
use crate::catalog::{Catalog, CatalogError, Id, LibraryKind};
use komga::Kept;
use matching::{How, Match, Shelves, shown};
use roots::Roots;

/// Items of one transaction.
const BATCH: usize = 500;

/// Why nothing, or not all, was taken in.
#[derive(Debug, thiserror::Error)]
pub enum MoveInError {
    /// The other program's database cannot be read.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The accounts refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// What shall be moved in.
#[derive(Debug, Clone)]
pub struct MoveIn {
    /// The other program's database.
    pub database: PathBuf,
    /// Folders that have another path here.
    pub maps: Vec<FolderMap>,
    /// Nothing is written.
    pub rehearse: bool,
    /// A folder on this disk, where a copy of the database may be put for a while.
    pub scratch: PathBuf,
}

/// Both sides, and what is what.
struct Sides {
    kept: Kept,
    roots: Roots,
    books: Vec<Option<Match>>,
    series: Vec<Option<Match>>,
}

/// Moves in from Komga, as far as its files are in libraries of the catalog. Pictures go to `covers`.
///
/// # Errors
/// See [`MoveInError`]; what was taken in before stays.
pub async fn from_komga(
    catalog: &Catalog,
    accounts: &Accounts,
    covers: &dyn KeepCover,
    wish: MoveIn,
) -> Result<MoveInReport, MoveInError> {
    let (rehearse, source) = (wish.rehearse, (wish.database.clone(), wish.scratch.clone()));
    let sides = sides(catalog, wish).await?;
    let mut report = MoveInReport { dry_run: rehearse, ..MoveInReport::default() };
    report.libraries = sides.roots.told.iter().map(|(_, told)| told.clone()).collect();
    for (id, told) in &sides.roots.told {
        if let Some(library) = &told.library {
            catalog.take_library(id, library, rehearse).await?;
        }
    }
    take_items(catalog, &sides, Shelf::Series, rehearse, &mut report).await?;
    take_items(catalog, &sides, Shelf::Books, rehearse, &mut report).await?;
    tell_missing(&sides, &mut report);
    let people = people::take(catalog, accounts, &sides, rehearse, &mut report).await?;
    people::take_reading(catalog, &sides, &people, rehearse, &mut report).await?;
    let lists = take_lists(catalog, &sides, rehearse, &mut report).await?;
    covers::take(catalog, covers, &sides, source, &lists, &mut report).await?;
    report.not_carried.extend(sides.kept.rest.iter().map(|(count, what)| format!("{count} {what}")));
    Ok(report)
}

async fn sides(catalog: &Catalog, wish: MoveIn) -> Result<Sides, MoveInError> {
    let (database, scratch) = (wish.database, wish.scratch);
    let kept = blocking(move || komga::read(&database, &scratch)).await??;
    let (own, maps) = (catalog.own_libraries().await?, wish.maps);
    let settled = move || {
        let mut roots = Roots::new(kept.theirs(), &own, LibraryKind::is_read, &maps);
        roots.count_files(kept.files());
        (kept, roots)
    };
    let (kept, roots) = blocking(settled).await?;
    let mut shelves = Shelves::default();
    for (library, _) in roots.ours() {
        let (books, series) = catalog.book_places(library).await?;
        shelves.add(library, books, series);
    }
    let matched = move || {
        let books = shelves.books(&kept, &roots);
        let series = shelves.series(&kept, &roots, &books);
        Sides { kept, roots, books, series }
    };
    blocking(matched).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, MoveInError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| MoveInError::Stopping)
}

async fn take_items(
    catalog: &Catalog,
    sides: &Sides,
    shelf: Shelf,
    rehearse: bool,
    report: &mut MoveInReport,
) -> Result<(), MoveInError> {
    let items = match shelf {
        Shelf::Series => moved_series(sides),
        Shelf::Books => moved_books(sides),
    };
    let mut taken = TakenItems::default();
    for batch in items.chunks(BATCH) {
        let more = catalog.take_items(shelf, batch.to_vec(), rehearse).await?;
        taken.ids += more.ids;
        taken.fields += more.fields;
        taken.left += more.left;
        taken.disagreements.extend(more.disagreements);
    }
    let matched = match shelf {
        Shelf::Series => &mut report.series,
        Shelf::Books => &mut report.books,
    };
    matched.ids = taken.ids;
    report.metadata.taken += taken.fields;
    report.metadata.left += taken.left;
    for Disagreement { id, why } in taken.disagreements {
        report.conflicts.add(|| format!("{} {id}: {why}", if shelf == Shelf::Series { "series" } else { "book" }));
    }
    Ok(())
}

/// Those that are the item first come first: the id of one of them is shown.
fn ordered(mut items: Vec<MovedItem>) -> Vec<MovedItem> {
    items.sort_by_key(|item| !item.shown);
    items
}

fn moved_series(sides: &Sides) -> Vec<MovedItem> {
    let found = sides.kept.series.iter().zip(&sides.series).filter_map(|(one, found)| Some((one, (*found)?)));
    ordered(
        found
            .map(|(one, found)| MovedItem {
                id: one.id.clone(),
                item: found.item,
                shown: found.first,
                created_at: one.created_at,
                changed_at: one.changed_at,
                fields: one.fields.clone(),
            })
            .collect(),
    )
}

fn moved_books(sides: &Sides) -> Vec<MovedItem> {
    let found = sides.kept.books.iter().zip(&sides.books).filter_map(|(one, found)| Some((one, (*found)?)));
    ordered(
        found
            .map(|(one, found)| MovedItem {
                id: one.id.clone(),
                item: found.item,
                shown: found.first,
                created_at: one.created_at,
                changed_at: one.changed_at,
                fields: one.fields.clone(),
            })
            .collect(),
    )
}

/// Counts what is here, and names what is not.
fn tell_missing(sides: &Sides, report: &mut MoveInReport) {
    let Sides { kept, books, series, .. } = sides;
    let series = kept.series.iter().zip(series).map(|(one, found)| (one.trashed, &one.url, found));
    let books = kept.books.iter().zip(books).map(|(one, found)| (one.trashed, &one.url, found));
    let missing = &mut report.not_matched;
    for (matched, all) in [(&mut report.series, series.collect::<Vec<_>>()), (&mut report.books, books.collect())] {
        for (trashed, url, found) in all {
            matched.total += u64::from(!trashed);
            match found {
                Some(_) if trashed => matched.from_trash += 1,
                Some(Match { how: How::Path, .. }) => matched.by_path += 1,
                Some(Match { how: How::Content, .. }) => matched.by_content += 1,
                Some(Match { how: How::Name, .. }) => matched.by_name += 1,
                None if trashed => {}
                None => {
                    matched.not_here += 1;
                    missing.add(|| shown(url));
                }
            }
        }
    }
}

/// Returns the ids of those that are here then.
async fn take_lists(
    catalog: &Catalog,
    sides: &Sides,
    rehearse: bool,
    report: &mut MoveInReport,
) -> Result<HashSet<Id>, MoveInError> {
    let mut here = HashSet::new();
    let Sides { kept, books, series, .. } = sides;
    let numbers = |ids: Vec<&Id>, found: &[Option<Match>]| -> HashMap<Id, i64> {
        ids.into_iter().zip(found).filter_map(|(id, found)| Some((id.clone(), (*found)?.item))).collect()
    };
    let series = numbers(kept.series.iter().map(|one| &one.id).collect(), series);
    let books = numbers(kept.books.iter().map(|one| &one.id).collect(), books);
    for list in &kept.lists {
        let (told, numbers, what) = match list.kind {
            ListKind::Collection => (&mut report.collections, &series, "collection"),
            ListKind::ReadList => (&mut report.read_lists, &books, "read list"),
        };
        let items: Vec<i64> = list.members.iter().filter_map(|id| numbers.get(id).copied()).collect();
        told.not_here += (list.members.len() - items.len()) as u64;
        let moved = MovedList {
            id: list.id.clone(),
            kind: list.kind,
            name: list.name.clone(),
            summary: list.summary.clone(),
            ordered: list.ordered,
            items,
            created_at: list.created_at,
            changed_at: list.changed_at,
        };
        let taken = catalog.take_list(moved, rehearse).await?;
        if matches!(taken, TakenList::Added | TakenList::Changed | TakenList::Same) {
            here.insert(list.id.clone());
        }
        match taken {
            TakenList::Added => told.added += 1,
            TakenList::Changed => told.changed += 1,
            TakenList::Same => told.same += 1,
            TakenList::Removed => told.removed += 1,
            TakenList::Refused(why) => {
                told.refused += 1;
                report.conflicts.add(|| format!("{what} {}: {why}", list.name));
            }
        }
    }
    Ok(here)
}
