//! Reads many small files: a few at a time, and writes them down together. Of music there are a hundred thousand, and a commit
//! for each of them would take longer than to read them.
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};

use super::context::{Context, JobError};
use super::import::{self, Look, Outcome, Still, Task};
use super::report::Report;

/// Files that are read at once.
const AT_ONCE: usize = 4;
/// Files that are written down together.
pub(super) const BATCH: usize = 128;

/// The pictures that were taken from tracks in one scan, by folder and album: the tracks of an album hold the same.
#[derive(Default)]
pub(super) struct Sleeves(HashMap<(PathBuf, Option<String>), Option<PathBuf>>);

impl Sleeves {
    /// The picture that a track holds, taken from it only where none of its album was before.
    async fn of(&mut self, context: &Context, task: &Task<'_>, read: &import::Read) -> Option<PathBuf> {
        let (album, cid) = read.sleeve()?;
        let key = (task.folder.place.clone(), album.map(str::to_owned));
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        let known = context.catalog.sleeve(&task.library.id, &key.0, album).await.ok().flatten();
        let sleeve = match known {
            Some(known) => Some(known),
            None => import::picture(context, &task.path(), cid, Still::Sleeve).await,
        };
        self.0.insert(key, sleeve.clone());
        sleeve
    }
}

/// Reads files and writes them down; what became of each, in order.
///
/// # Errors
/// Only what stops the whole scan: see [`JobError`].
pub(super) async fn import(
    context: &Context,
    tasks: &[Task<'_>],
    sleeves: &mut Sleeves,
    report: &Report,
) -> Result<Vec<Outcome>, JobError> {
    let looks: Vec<_> = tasks.iter().map(|task| import::look(context, task, report).boxed()).collect();
    let mut looks = stream::iter(looks).buffered(AT_ONCE);
    let (mut outcomes, mut written, mut taken) = (Vec::with_capacity(tasks.len()), Vec::new(), HashSet::new());
    for task in tasks {
        let Some(look) = looks.next().await.transpose()? else { break };
        match look {
            Look::Busy => outcomes.push(Outcome::Busy),
            Look::Gone => outcomes.push(Outcome::Gone),
            Look::Read(read) => {
                let sleeve = sleeves.of(context, task, &read).await;
                let prepared = import::prepare(context, task, read, sleeve, &taken).await?;
                taken.extend(prepared.record.item);
                // Which row it is becomes known when it is written.
                written.push((outcomes.len(), task, prepared));
                outcomes.push(Outcome::Gone);
            }
        }
    }
    let records = written.iter().map(|(_, _, prepared)| prepared.record.clone()).collect();
    let touched = context.catalog.record_all(records).await?;
    for ((at, task, prepared), touched) in written.iter().zip(&touched) {
        import::finish(context, task, report, prepared, touched).await?;
        outcomes[*at] = Outcome::Item(touched.number);
    }
    Ok(outcomes)
}
