//! Covers that people put up: each is drawn anew by whoever keeps them here, and has the id that it had.
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::komga::{self, Cover, Of, Source};
use super::matching::Match;
use super::report::MoveInReport;
use super::{MoveInError, Sides, blocking};
use crate::catalog::moved_in::is_id;
use crate::catalog::shelves::CoverOf;
use crate::catalog::{Catalog, Id};

/// Bytes of a picture: as many as Komga takes, and more than anything here does.
const PICTURE_MAX: usize = 32 * 1024 * 1024;

/// A cover as it was elsewhere.
#[derive(Debug, Clone)]
pub struct MovedCover {
    /// The id that it had.
    pub id: Id,
    pub of: CoverOf,
    /// It was the one that was shown.
    pub selected: bool,
}

/// Keeps pictures as covers; the node does.
pub trait KeepCover: Send + Sync {
    /// Puts a picture up under the id that it had. One that was `selected` is shown, unless another is that somebody put up here.
    ///
    /// # Errors
    /// Why it is not kept, for people.
    fn keep(&self, cover: MovedCover, picture: Bytes) -> BoxFuture<'_, Result<(), String>>;
}

/// Takes in the covers of what is here; `lists` are the ids of the lists that are.
pub(super) async fn take(
    catalog: &Catalog,
    keeper: &dyn KeepCover,
    sides: &Sides,
    (database, scratch): (PathBuf, PathBuf),
    lists: &HashSet<Id>,
    report: &mut MoveInReport,
) -> Result<(), MoveInError> {
    let mut known = catalog.moved_covers().await?;
    let here = Here::of(sides, lists);
    let mut wanted = Vec::new();
    for cover in sides.kept.covers.iter().filter(|cover| is_id(&cover.id)) {
        match here.thing(cover) {
            None => report.covers.not_here += 1,
            Some(of) if known.insert(cover.id.clone()) => wanted.push((cover, of)),
            Some(_) => report.covers.known += 1,
        }
    }
    if report.dry_run || wanted.is_empty() {
        report.covers.taken = wanted.len() as u64;
        return Ok(());
    }
    let opened = blocking(move || komga::open(&database, &scratch)).await??;
    let opened = Arc::new(Mutex::new(opened));
    for (cover, of) in wanted {
        match one(keeper, &opened, cover, of).await? {
            Ok(()) => report.covers.taken += 1,
            Err(why) => {
                report.covers.refused += 1;
                report.conflicts.add(|| format!("cover of {} {}: {why}", cover.of.word(), cover.thing));
            }
        }
    }
    Ok(())
}

async fn one(
    keeper: &dyn KeepCover,
    opened: &Arc<Mutex<Source>>,
    cover: &Cover,
    of: CoverOf,
) -> Result<Result<(), String>, MoveInError> {
    let (opened, asked) = (Arc::clone(opened), cover.clone());
    let Some(picture) = blocking(move || opened.lock().picture(&asked, PICTURE_MAX)).await?? else {
        return Ok(Err("it has no picture, or one that is too large".to_owned()));
    };
    let moved = MovedCover { id: cover.id.clone(), of, selected: cover.selected };
    Ok(keeper.keep(moved, picture.into()).await)
}

/// What is here of what covers are of.
struct Here<'a> {
    series: HashMap<&'a str, &'a Option<Match>>,
    books: HashMap<&'a str, &'a Option<Match>>,
    lists: &'a HashSet<Id>,
}

impl<'a> Here<'a> {
    fn of(sides: &'a Sides, lists: &'a HashSet<Id>) -> Self {
        let series = sides.kept.series.iter().map(|one| one.id.as_str()).zip(&sides.series).collect();
        let books = sides.kept.books.iter().map(|one| one.id.as_str()).zip(&sides.books).collect();
        Self { series, books, lists }
    }

    fn thing(&self, cover: &Cover) -> Option<CoverOf> {
        let (id, item) = (cover.thing.as_str(), || CoverOf::Item(cover.thing.clone()));
        let found = |all: &HashMap<&str, &Option<Match>>| all.get(id).is_some_and(|found| found.is_some());
        match cover.of {
            Of::Series => found(&self.series).then(item),
            Of::Book => found(&self.books).then(item),
            Of::Collection | Of::ReadList => self.lists.contains(id).then(|| CoverOf::List(id.to_owned())),
        }
    }
}
