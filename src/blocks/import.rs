//! Reads a file once, from its first byte to its last, and gives the digests of its leaves.
//!
//! A second thread reads ahead into four buffers of 1 MiB while this one hashes, so a disk and a core are busy together
//! and memory does not grow with the file.
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio_util::sync::CancellationToken;

use super::by_reference::{Stamp, open};
use super::index::{Index, Origin, Placed};
use super::{ImportError, Imported};
use crate::content::cid::{Digest, digest_of, sha256};
use crate::content::unixfs::{Builder, Built, LEAF_SIZE, LINKS_MAX, Position, Profile};

/// Buffers between the thread that reads and the one that hashes.
const BUFFERS: usize = 4;
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
    let mut read = 0;
    let mut told = 0;
    let mut take = |bytes: &[u8]| {
        if cancel.is_cancelled() {
            return Err(ImportError::Cancelled);
        }
        read += bytes.len() as u64;
        if read > before.size {
            return Err(changing());
        }
        leaf(sha256(bytes), bytes.len() as u64)?;
        if read - told >= PROGRESS_STEP {
            told = read;
            progress(read);
        }
        Ok(())
    };
    if before.size <= LEAF_SIZE as u64 {
        // One byte more than it may have, to see it grow.
        let mut whole = Vec::with_capacity(usize::try_from(before.size).unwrap_or(LEAF_SIZE));
        (&file).take(LEAF_SIZE as u64 + 1).read_to_end(&mut whole).map_err(io)?;
        take(&whole)?;
    } else {
        in_pieces(&file, io, &mut take)?;
    }
    progress(read);
    let after = Stamp::of(&file.metadata().map_err(io)?);
    let there = Stamp::of(&std::fs::metadata(path).map_err(io)?);
    if read == before.size && after == before && there == before { Ok(before) } else { Err(changing()) }
}

/// Calls `take` with one piece after another of a file, all but the last of a leaf's size.
fn in_pieces(
    file: &File,
    io: impl Fn(io::Error) -> ImportError,
    take: &mut impl FnMut(&[u8]) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
    let (empty_tx, empty_rx) = sync_channel(BUFFERS);
    let (full_tx, full_rx) = sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        empty_tx.send(Vec::with_capacity(LEAF_SIZE)).map_err(|e| io(io::Error::other(e)))?;
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("import-read".to_owned())
            .spawn_scoped(scope, move || read_ahead(file, &empty_rx, &full_tx))
            .map_err(&io)?;
        // When this returns early, both channels close and the thread ends.
        let full_rx = full_rx;
        let empty_tx = empty_tx;
        for piece in &full_rx {
            let piece = piece.map_err(&io)?;
            take(&piece)?;
            let _ = empty_tx.send(piece);
        }
        Ok(())
    })
}

fn read_ahead(mut file: &File, empty: &Receiver<Vec<u8>>, full: &SyncSender<io::Result<Vec<u8>>>) {
    while let Ok(mut buffer) = empty.recv() {
        buffer.clear();
        let read = file.by_ref().take(LEAF_SIZE as u64).read_to_end(&mut buffer);
        let last = !matches!(read, Ok(LEAF_SIZE));
        let piece = match read {
            Ok(0) => return,
            Ok(_) => Ok(buffer),
            Err(e) => Err(e),
        };
        if full.send(piece).is_err() || last {
            return;
        }
    }
}

/// Imports a file. Blocking.
pub(super) fn import(
    index: &Index,
    path: &Path,
    progress: impl FnMut(u64),
    cancel: &CancellationToken,
) -> Result<Imported, ImportError> {
    let mut recorder = Recorder::new(index);
    match recorder.run(path, progress, cancel) {
        Ok(imported) => Ok(imported),
        Err(e) => {
            recorder.discard()?;
            Err(e)
        }
    }
}

/// Writes a file's blocks to the index as they come: a file up to 4 GiB in one transaction, a larger one in one for
/// each 4 GiB, of which nothing is seen before the last.
struct Recorder<'a> {
    index: &'a Index,
    id: Option<i64>,
    blocks: Vec<Placed>,
}

impl<'a> Recorder<'a> {
    fn new(index: &'a Index) -> Self {
        Self { index, id: None, blocks: Vec::new() }
    }

    fn run(
        &mut self,
        path: &Path,
        progress: impl FnMut(u64),
        cancel: &CancellationToken,
    ) -> Result<Imported, ImportError> {
        let mut builder = Builder::new(Profile::V1_2025);
        let mut number = 0;
        let stamp = hash_leaves(path, progress, cancel, |digest, len| {
            if self.blocks.len() >= BATCH {
                self.flush()?;
            }
            self.blocks.push((Position::leaf(number), digest));
            self.blocks.extend(builder.push(digest, len).iter().map(|node| (node.position, node.digest)));
            number += 1;
            Ok(())
        })?;
        let Built { root, size, nodes, .. } = builder.finish();
        self.blocks.extend(nodes.iter().map(|node| (node.position, node.digest)));
        let root_digest = digest_of(&root).expect("the builder hashes with SHA-256");
        self.blocks.retain(|(_, digest)| *digest != root_digest);
        let Stamp { modified_ns, inode, device, .. } = stamp;
        let origin = Origin::File { path: path.to_owned(), modified_ns, inode, device };
        let (_, gone) = self.index.publish(self.id, &self.blocks, &root_digest, size, &origin)?;
        self.index.purge(gone)?;
        Ok(Imported { cid: root, size, modified_ns, inode, device })
    }
    fn flush(&mut self) -> Result<(), ImportError> {
        self.id = Some(self.index.append(self.id, &self.blocks)?);
        self.blocks.clear();
        Ok(())
    }

    fn discard(self) -> Result<(), ImportError> {
        self.index.purge(self.id.into_iter().collect())?;
        Ok(())
    }
}
