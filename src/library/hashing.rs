//! Hashes files into the block index, unless that was done before a restart.
use std::path::{Path, PathBuf};

use super::context::{Context, JobError};
use super::import::Task;
use super::report::Report;
use crate::blocks::{BoundFile, ImportError, Imported};
use crate::catalog::record::Stat;

/// Bytes of a file that is hashed together with others: of a larger one the time to write it down does not count.
const SMALL: u64 = 32 * 1024 * 1024;

/// Hashes a file, or a folder that is read as one.
pub(super) async fn hash(
    context: &Context,
    path: &Path,
    stat: &Stat,
    bound: Option<Vec<BoundFile>>,
    report: &Report,
) -> Result<Imported, ImportError> {
    let known = context.blocks.imported(path).await?;
    if let Some(known) = known.filter(|known| is_same(context, path, stat, known)) {
        report.update(|progress| progress.bytes_done += stat.size);
        return Ok(known);
    }
    let (reporter, mut before) = (report.clone(), 0);
    let count = move |bytes: u64| {
        reporter.update(|progress| progress.bytes_done += bytes.saturating_sub(before));
        before = bytes;
    };
    match bound {
        Some(files) => context.blocks.import_folder(path, files, count, &context.cancel).await,
        None => context.blocks.import(path, count, &context.cancel).await,
    }
}

/// Hashes several files, the small ones together; what became of each, in order.
pub(super) async fn hash_several(
    context: &Context,
    tasks: &[&Task<'_>],
    report: &Report,
) -> Result<Vec<Result<Imported, ImportError>>, JobError> {
    let paths: Vec<PathBuf> = tasks.iter().map(|task| task.path()).collect();
    let known = context.blocks.all_imported(paths.clone()).await?;
    let is_there = |at: usize, known: &Imported| is_same(context, &paths[at], &tasks[at].found.stat, known);
    let known: Vec<_> = known.into_iter().enumerate().map(|(at, known)| known.filter(|k| is_there(at, k))).collect();
    let is_small = |at: &usize| known[*at].is_none() && tasks[*at].found.stat.size <= SMALL;
    let small: Vec<usize> = (0..tasks.len()).filter(is_small).collect();
    let of_small = small.iter().map(|at| paths[*at].clone()).collect();
    let mut imported = context.blocks.import_several(of_small, &context.cancel).await?.into_iter();
    let mut outcomes = Vec::with_capacity(tasks.len());
    for (at, (task, path)) in tasks.iter().zip(&paths).enumerate() {
        let outcome = match (known[at].clone(), small.binary_search(&at)) {
            (Some(known), _) => Ok(known),
            (None, Ok(_)) => imported.next().unwrap_or(Err(ImportError::Cancelled)),
            (None, Err(_)) => {
                outcomes.push(hash(context, path, &task.found.stat, None, report).await);
                continue;
            }
        };
        report.update(|progress| progress.bytes_done += task.found.stat.size);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Whether the index holds a file as it is now, and nothing says that it is another all the same.
fn is_same(context: &Context, path: &Path, stat: &Stat, known: &Imported) -> bool {
    let Imported { size, modified_ns, inode, device, .. } = *known;
    *stat == (Stat { size, modified_ns, inode, device }) && !context.is_forced(path)
}
