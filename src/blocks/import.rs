//! Reads a file once, from its first byte to its last, and gives the digests of its leaves.
//!
//! Two threads read and hash alternate leaves, each through a small buffer that stays in its core's cache: handing
//! whole leaves from a reading to a hashing thread was measured at half the speed of hashing, this at one and a half
//! times. Neither runs more than a few leaves ahead of the other, so a disk sees one sequential read, and memory does not
//! grow with the file.
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use aws_lc_rs::digest::{Context, SHA256};
use tokio_util::sync::CancellationToken;

use super::bound::Bound;
use super::by_reference::{Stamp, open};
use super::index::{Index, Origin, Placed, Whole};
use super::{ImportError, Imported};
use crate::content::Cid;
use crate::content::cid::{Digest, digest_of};
use crate::content::unixfs::{Builder, Built, LEAF_SIZE, LINKS_MAX, Position, Profile, Shape};
use crate::database::DatabaseError;

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;
/// Leaves that one thread may be ahead of the other.
const AHEAD: usize = 4;
/// Blocks of one transaction: four full nodes with their leaves.
const BATCH: usize = 4 * (LINKS_MAX + 1);
/// Bytes between two calls of `progress`.
const PROGRESS_STEP: u64 = 4 * LEAF_SIZE as u64;

/// Reads a file and hands over the digest and length of each leaf. Gives what the file was before its first and after
/// its last byte.
pub(super) fn hash_leaves(
    path: &Path,
    mut progress: impl FnMut(u64),
    cancel: &CancellationToken,
    mut leaf: impl FnMut(Digest, u64) -> Result<(), ImportError>,
) -> Result<Stamp, ImportError> {
    let io = |source| ImportError::Io { path: path.to_owned(), source };
    let changing = || ImportError::Changing(path.to_owned());
    let (file, before) = open(path).map_err(io)?;
    let mut told = 0;
    let take = |digest: io::Result<Option<Digest>>, span: Range<u64>| {
        if cancel.is_cancelled() {
            return Err(ImportError::Cancelled);
        }
        leaf(digest.map_err(io)?.ok_or_else(changing)?, span.end - span.start)?;
        if span.end - told >= PROGRESS_STEP {
            told = span.end;
            progress(span.end);
        }
        Ok(())
    };
    in_order(&file, Shape::new(Profile::V1_2025, before.size), take)?;
    progress(before.size);
    let after = Stamp::of(&file.metadata().map_err(io)?);
    let there = Stamp::of(&std::fs::metadata(path).map_err(io)?);
    if after == before && there == before { Ok(before) } else { Err(changing()) }
}

/// A leaf's digest; `None` where the file ends before it does.
type Hashed = io::Result<Option<Digest>>;

/// Calls `take` with every leaf's digest, in order.
fn in_order(
    file: &File,
    shape: Shape,
    mut take: impl FnMut(Hashed, Range<u64>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let span = |number| shape.span(Position::leaf(number)).unwrap_or(0..0);
    let leaves = shape.count(0);
    let mut buffer = vec![0; PIECE.min(usize::try_from(shape.size()).unwrap_or(PIECE))];
    if leaves == 1 {
        return take(hash_leaf(file, span(0), &mut buffer), span(0));
    }
    // Only a hint: without it the read is slower.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
    let (odd_tx, odd) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        // Ends early when `odd` is dropped.
        scope.spawn(move || hash_odd(file, shape, &odd_tx));
        let odd = odd;
        for number in 0..leaves {
            let digest = match number % 2 {
                0 => hash_leaf(file, span(number), &mut buffer),
                _ => odd.recv().unwrap_or_else(|e| Err(io::Error::other(e))),
            };
            take(digest, span(number))?;
        }
        Ok(())
    })
}

fn hash_odd(file: &File, shape: Shape, to: &SyncSender<Hashed>) {
    let mut buffer = vec![0; PIECE];
    for number in (1..shape.count(0)).step_by(2) {
        let span = shape.span(Position::leaf(number)).unwrap_or(0..0);
        // The kernel's own read-ahead is less sure of itself with two readers.
        let next = span.end..span.end + (AHEAD * LEAF_SIZE) as u64;
        let _ = rustix::fs::fadvise(
            file,
            next.start,
            (next.end - next.start).try_into().ok(),
            rustix::fs::Advice::WillNeed,
        );
        let hashed = hash_leaf(file, span, &mut buffer);
        if to.send(hashed).is_err() {
            return;
        }
    }
}

fn hash_leaf(file: &File, span: Range<u64>, buffer: &mut [u8]) -> Hashed {
    let mut context = Context::new(&SHA256);
    let mut at = span.start;
    while at < span.end {
        let len = buffer.len().min(usize::try_from(span.end - at).unwrap_or(usize::MAX));
        match file.read_at(&mut buffer[..len], at) {
            Ok(0) => return Ok(None),
            Ok(read) => {
                context.update(&buffer[..read]);
                at += read as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(Digest::try_from(context.finish().as_ref()).ok())
}

/// Imports a file. Blocking.
pub(super) fn import(
    index: &Index,
    path: &Path,
    of: Option<Cid>,
    progress: impl FnMut(u64),
    cancel: &CancellationToken,
) -> Result<Imported, ImportError> {
    Recorder::new(index, of).record(path, |leaf| hash_leaves(path, progress, cancel, leaf))
}

/// Imports files, one after the other, and takes all over in one transaction: for many that are small. What became of each, in
/// order. Blocking.
pub(super) fn import_several(
    index: &Index,
    paths: &[PathBuf],
    cancel: &CancellationToken,
) -> Result<Vec<Result<Imported, ImportError>>, DatabaseError> {
    let (mut outcomes, mut wholes) = (Vec::with_capacity(paths.len()), Vec::with_capacity(paths.len()));
    for path in paths {
        if cancel.is_cancelled() {
            outcomes.push(Err(ImportError::Cancelled));
            continue;
        }
        let mut recorder = Recorder::new(index, None);
        match recorder.read(path, |leaf| hash_leaves(path, |_| (), cancel, leaf)) {
            Ok((whole, imported)) => {
                wholes.push(whole);
                outcomes.push(Ok(imported));
            }
            Err(error) => {
                recorder.discard()?;
                outcomes.push(Err(error));
            }
        }
    }
    index.purge(index.publish_all(&wholes)?)?;
    Ok(outcomes)
}

/// Imports a folder as one file. Blocking.
pub(super) fn import_bound(
    index: &Index,
    folder: &Path,
    bound: Bound,
    progress: impl FnMut(u64),
    cancel: &CancellationToken,
) -> Result<Imported, ImportError> {
    let bound = Arc::new(bound);
    let recorder = Recorder { bound: Some(Arc::clone(&bound)), ..Recorder::new(index, None) };
    recorder.record(folder, |leaf| bound.hash_leaves(folder, progress, cancel, leaf))
}

/// Takes a file of these leaves over, which were hashed while they were written. Blocking.
pub(super) fn adopt(
    index: &Index,
    path: &Path,
    stamp: Stamp,
    leaves: impl IntoIterator<Item = (Digest, u64)>,
) -> Result<Imported, ImportError> {
    Recorder::new(index, None).record(path, |leaf| {
        leaves.into_iter().try_for_each(|(digest, len)| leaf(digest, len))?;
        Ok(stamp)
    })
}

/// Takes the next leaf.
type TakeLeaf<'a> = &'a mut dyn FnMut(Digest, u64) -> Result<(), ImportError>;

/// Writes a file's blocks to the index as they come: a file up to 4 GiB in one transaction, a larger one in one for
/// each 4 GiB, of which nothing is seen before the last.
struct Recorder<'a> {
    index: &'a Index,
    of: Option<Cid>,
    bound: Option<Arc<Bound>>,
    id: Option<i64>,
    blocks: Vec<Placed>,
}

impl<'a> Recorder<'a> {
    fn new(index: &'a Index, of: Option<Cid>) -> Self {
        Self { index, of, bound: None, id: None, blocks: Vec::new() }
    }

    fn record(
        mut self,
        path: &Path,
        leaves: impl FnOnce(TakeLeaf<'_>) -> Result<Stamp, ImportError>,
    ) -> Result<Imported, ImportError> {
        match self.run(path, leaves) {
            Ok(imported) => Ok(imported),
            Err(e) => {
                self.discard()?;
                Err(e)
            }
        }
    }

    fn run(
        &mut self,
        path: &Path,
        leaves: impl FnOnce(TakeLeaf<'_>) -> Result<Stamp, ImportError>,
    ) -> Result<Imported, ImportError> {
        let (whole, imported) = self.read(path, leaves)?;
        self.index.purge(self.index.publish_all(&[whole])?)?;
        Ok(imported)
    }

    /// Reads to the end; what is left to write then.
    fn read(
        &mut self,
        path: &Path,
        leaves: impl FnOnce(TakeLeaf<'_>) -> Result<Stamp, ImportError>,
    ) -> Result<(Whole, Imported), ImportError> {
        let mut builder = Builder::new(Profile::V1_2025);
        let mut number = 0;
        let stamp = leaves(&mut |digest, len| {
            if self.blocks.len() >= BATCH {
                self.flush()?;
            }
            self.blocks.push((Position::leaf(number), digest));
            self.blocks.extend(builder.push(digest, len).iter().map(|node| (node.position, node.digest)));
            number += 1;
            Ok(())
        })?;
        let Built { root: cid, size, nodes, .. } = builder.finish();
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.extend(nodes.iter().map(|node| (node.position, node.digest)));
        let root = digest_of(&cid).expect("the builder hashes with SHA-256");
        blocks.retain(|(_, digest)| *digest != root);
        let Stamp { modified_ns, inode, device, .. } = stamp;
        let bound = self.bound.clone();
        let origin = Origin::File { path: path.to_owned(), modified_ns, inode, device, of: self.of, bound };
        Ok((Whole { id: self.id, blocks, root, size, origin }, Imported { cid, size, modified_ns, inode, device }))
    }

    fn flush(&mut self) -> Result<(), ImportError> {
        self.id = Some(self.index.append(self.id, &self.blocks)?);
        self.blocks.clear();
        Ok(())
    }

    fn discard(self) -> Result<(), DatabaseError> {
        self.index.purge(self.id.into_iter().collect())
    }
}
