//! Reads many small files: a few at a time, and writes them down together, while the next are read. Of music there are a hundred
//! thousand, and a commit for each of them would take longer than to read them.
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::context::{Context, JobError};
use super::hashing;
use super::import::{self, Look, Outcome, Still, Task};
use super::report::Report;
use crate::blocks::{ImportError, Imported};
use crate::catalog::record::Stat;

/// Files that workers are asked of at once.
const AT_ONCE: usize = 4;
/// Files that are hashed together, and parts of so many that are read at once: while one is hashed, the other is asked of.
const TOGETHER: usize = 32;
const PARTS: usize = 2;
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

/// Reads files: what looking at each gave, in order.
///
/// # Errors
/// Only what stops the whole scan: see [`JobError`].
pub(super) async fn look(context: &Context, tasks: &[Task<'_>], report: &Report) -> Result<Vec<Look>, JobError> {
    let parts: Vec<_> = tasks.chunks(TOGETHER).map(|part| look_together(context, part, report).boxed()).collect();
    stream::iter(parts).buffered(PARTS).try_concat().await
}

/// Each is opened, and they are hashed together.
async fn look_together(context: &Context, tasks: &[Task<'_>], report: &Report) -> Result<Vec<Look>, JobError> {
    let opened: Vec<_> = tasks.iter().map(|task| import::open(context, task).boxed()).collect();
    let opened: Vec<_> = stream::iter(opened).buffered(AT_ONCE / PARTS).try_collect().await?;
    let readable: Vec<&Task<'_>> =
        tasks.iter().zip(&opened).filter(|(_, opened)| opened.is_ok()).map(|(task, _)| task).collect();
    let mut hashed = hashing::hash_several(context, &readable, report).await?.into_iter();
    let mut looks = Vec::with_capacity(tasks.len());
    for (task, opened) in tasks.iter().zip(opened) {
        let reading = match opened {
            Ok(content) => {
                let hashed = hashed.next().unwrap_or(Err(ImportError::Cancelled));
                import::whole(content, hashed.and_then(|imported| as_listed(&task.found.stat, task.path(), imported)))?
            }
            Err(reading) => reading,
        };
        looks.push(import::tell(task, reading, report));
    }
    Ok(looks)
}

/// A file that was written since it was listed is not what was found in it: of many, some are hashed long after they were opened.
fn as_listed(listed: &Stat, path: PathBuf, imported: Imported) -> Result<Imported, ImportError> {
    let Imported { size, modified_ns, inode, device, .. } = imported;
    let same = *listed == Stat { size, modified_ns, inode, device };
    if same { Ok(imported) } else { Err(ImportError::Changing(path)) }
}

/// Writes down files that were looked at; what became of each, in order.
///
/// # Errors
/// Only what stops the whole scan: see [`JobError`].
pub(super) async fn write(
    context: &Context,
    tasks: &[Task<'_>],
    looks: Vec<Look>,
    sleeves: &mut Sleeves,
    report: &Report,
) -> Result<Vec<Outcome>, JobError> {
    let cids = looks.iter().filter_map(Look::cid).collect();
    let mut known = context.catalog.known_by_cids(cids).await?.into_iter();
    let descriptions = context.describe_several(tasks).await;
    let (mut outcomes, mut written, mut taken) = (Vec::with_capacity(tasks.len()), Vec::new(), HashSet::new());
    for ((task, look), mut description) in tasks.iter().zip(looks).zip(descriptions) {
        let known = look.cid().and_then(|_| known.next()).unwrap_or_default();
        match look {
            Look::Busy => outcomes.push(Outcome::Busy),
            Look::Gone => outcomes.push(Outcome::Gone),
            Look::Read(read) => {
                let sleeve = sleeves.of(context, task, &read).await;
                description.poster = description.poster.or(sleeve);
                let prepared = import::prepare(context, task, read, known, description, &taken).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid;

    #[test]
    fn a_file_that_was_written_after_it_was_opened_is_read_again() {
        let listed = Stat { size: 5, modified_ns: 1_000, inode: 7, device: 1 };
        let imported = Imported { cid: cid::of_raw(b"tune!"), size: 5, modified_ns: 1_000, inode: 7, device: 1 };
        let read = |imported: &Imported| as_listed(&listed, PathBuf::from("a.mp3"), imported.clone());
        assert_eq!(read(&imported).unwrap(), imported);
        let written = Imported { modified_ns: 1_001, ..imported.clone() };
        for changed in [written, Imported { size: 6, ..imported.clone() }, Imported { inode: 8, ..imported }] {
            assert!(matches!(read(&changed), Err(ImportError::Changing(_))), "{changed:?}");
        }
    }
}
