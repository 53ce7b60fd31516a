//! Takes series along with their books: a folder that got another name, or two that swapped theirs, keep what is theirs.
use std::collections::HashMap;
use std::path::Path;

use super::context::{Context, JobError};
use super::describe::show_name;
use crate::catalog::Library;
use crate::catalog::record::{Known, KnownShow, ShowName};

/// A series, and how many of its books came to be in which other one's place.
struct Leaving {
    series: KnownShow,
    to: HashMap<String, (ShowName, u64)>,
}

/// Gives each series of which most books moved to one other folder that folder, unless another one stays there.
/// `moves` are files that were recognised, with their new places in `library`.
pub(super) async fn take_along<'a>(
    context: &Context,
    library: &Library,
    moves: impl Iterator<Item = (&'a Path, &'a Known)>,
) -> Result<(), JobError> {
    if !library.kind.is_read() {
        return Ok(());
    }
    let mut leaving: HashMap<i64, Leaving> = HashMap::new();
    for (place, known) in moves {
        let Some(series) = context.catalog.show_of(known.item).await? else { continue };
        let Some(name) = show_name(context.titles.read(library.kind, place)) else { continue };
        let entry = leaving.entry(series.number).or_insert_with(|| Leaving { series, to: HashMap::new() });
        entry.to.entry(name.key.clone()).or_insert((name, 0)).1 += 1;
    }
    let takes: Vec<(i64, ShowName)> = leaving.into_values().filter_map(|one| one.goes(library)).collect();
    if takes.is_empty() { Ok(()) } else { Ok(context.catalog.move_series(&library.id, takes).await?) }
}

impl Leaving {
    /// Where most of its books are now, if that is elsewhere.
    fn goes(self, library: &Library) -> Option<(i64, ShowName)> {
        let (name, books) = self.to.into_values().max_by_key(|(_, books)| *books)?;
        let elsewhere = name.key != self.series.key || library.id != self.series.library;
        (elsewhere && books * 2 > self.series.books).then_some((self.series.number, name))
    }
}
