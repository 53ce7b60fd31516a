//! Fetches a whole file that is not here, block by block, to the place that it shall have.
//!
//! ```text
//!  root ─► nodes, checked against the one form that a file of this size has ─► digests of all leaves
//!                                                                                     │
//!  what is right in NAME.part already ◄──┬──► the rest, many at a time: here, else a [`Supplier`] ─► NAME.part
//!                                        └──► flush ─► index ─► rename to NAME
//! ```
//! Invariants: no byte is written that does not hash to its CID, and under its own name the file is whole or not there. What
//! is in `NAME.part` is found again by its hashes, so a process that ends in the middle loses the blocks under way and no other.
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::beside::Beside;
use super::by_reference::{Stamp, open, read_span};
use super::index::Index;
use super::{Blocks, ImportError, Imported, Supplier, import};
use crate::content::Cid;
use crate::content::cid::{self, DAG_PB, Digest, RAW, of_digest, sha256};
use crate::content::unixfs::node::{self, Node};
use crate::content::unixfs::{Position, Profile, Shape};

/// Nodes that are fetched at the same time.
const NODES: usize = 4;
/// Free space is looked at each time after so many leaves.
const LOOK: u64 = 32;

/// How a file is fetched.
#[derive(Debug, Clone, Copy)]
pub struct Gathering {
    /// Bytes of the file.
    pub size: u64,
    /// Blocks under way at the same time; at least 1.
    pub flights: usize,
    /// Bytes of the disk that stay free.
    pub spare: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Bytes of the file that are in their place.
    pub there: u64,
    /// Bytes of it that the supplier gave, by this call.
    pub supplied: u64,
}

/// Why a file is not whole. What was fetched is kept beside its place.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// Nobody gave this block.
    #[error("block {0} could not be had from anybody")]
    Missing(Cid),
    /// It is no file of that size, or not cut into blocks as this node would.
    #[error("{0} is not a file of the size that was told, in the form that this node knows")]
    OtherForm(Cid),
    /// The disk has less space left than must stay free.
    #[error("the disk is full")]
    Full,
    /// It could not be written.
    #[error("{path} cannot be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The index could not be written.
    #[error("the file could not be put into the block index")]
    Index(#[from] ImportError),
    /// The token was cancelled.
    #[error("fetching was cancelled")]
    Cancelled,
}

/// What is known of a file while it is fetched.
struct Gather {
    path: PathBuf,
    part: Beside,
    leaves: Vec<Digest>,
    spare: u64,
    there: AtomicU64,
    supplied: AtomicU64,
    progress: Box<dyn Fn(Gathered) + Send + Sync>,
    /// Blocks that are being written.
    writing: TaskTracker,
}

impl Blocks {
    /// Has the file with this root at `path`, whose folder is there: fetched, flushed, in the index. A file
    /// that is there already is replaced once the new one is whole. `progress` is called with each block.
    ///
    /// # Errors
    /// See [`GatherError`]; a later call goes on with what was fetched.
    pub async fn gather(
        &self,
        root: &Cid,
        path: &Path,
        supplier: Arc<dyn Supplier>,
        options: Gathering,
        progress: impl Fn(Gathered) + Send + Sync + 'static,
        cancel: &CancellationToken,
    ) -> Result<Imported, GatherError> {
        let shape = Shape::new(Profile::V1_2025, options.size);
        let part = Beside::new(part_of(path), shape);
        let work = async {
            let leaves = self.leaves_of(root, shape, &supplier).await?;
            let gather = Gather {
                path: path.to_owned(),
                part,
                leaves,
                spare: options.spare,
                there: AtomicU64::new(0),
                supplied: AtomicU64::new(0),
                progress: Box::new(progress),
                writing: TaskTracker::new(),
            };
            let gather = Arc::new(gather);
            let missing = gather.blocking(cancel, Gather::missing).await?;
            let fetched = stream::iter(missing).map(|number| {
                let (this, gather, supplier) = (self.clone(), Arc::clone(&gather), Arc::clone(&supplier));
                async move { gather.fetch(&this, number, supplier).await }
            });
            let fetched = fetched.buffer_unordered(options.flights.max(1)).try_collect::<()>().await;
            // Who gives up here leaves nobody behind that still writes.
            gather.writing.close();
            gather.writing.wait().await;
            fetched?;
            let index = self.clone();
            gather.blocking(cancel, move |gather, _| gather.complete(&index.inner.index)).await
        };
        let imported = tokio::select! {
            imported = work => imported?,
            () = cancel.cancelled() => return Err(GatherError::Cancelled),
        };
        self.forget_findings(path);
        if imported.cid == *root { Ok(imported) } else { Err(GatherError::OtherForm(*root)) }
    }

    /// The digests of all leaves below a root. Each node must be the one that this node would write, so that nothing in it has to
    /// be believed.
    async fn leaves_of(
        &self,
        root: &Cid,
        shape: Shape,
        supplier: &Arc<dyn Supplier>,
    ) -> Result<Vec<Digest>, GatherError> {
        let other = || GatherError::OtherForm(*root);
        let top = shape.root();
        let codec = if top.level == 0 { RAW } else { DAG_PB };
        let mut digests = vec![cid::digest_of(root).filter(|_| root.codec() == codec).ok_or_else(other)?];
        for level in (1..=top.level).rev() {
            let below = stream::iter(digests.into_iter().zip(0..)).map(|(digest, number)| async move {
                let cid = of_digest(DAG_PB, &digest);
                let (bytes, _) = self.obtain(cid, Some(&**supplier)).await.ok_or(GatherError::Missing(cid))?;
                children(shape, Position { level, number }, &bytes).ok_or_else(other)
            });
            digests = below.buffered(NODES).try_concat().await?;
        }
        Ok(digests)
    }
}

/// The digests that a node links to, where it is exactly the node at this position.
fn children(shape: Shape, at: Position, bytes: &[u8]) -> Option<Vec<Digest>> {
    let Ok(Node::File { links, .. }) = node::decode(bytes) else { return None };
    let digests: Vec<Digest> = links.iter().map(|(cid, _)| cid::digest_of(cid)).collect::<Option<_>>()?;
    (shape.encode(at, &digests)? == bytes).then_some(digests)
}

/// Where a file is put together: no scan takes it for a film.
#[must_use]
pub fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".part");
    path.with_file_name(name)
}

impl Gather {
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        cancel: &CancellationToken,
        work: impl FnOnce(&Self, &CancellationToken) -> Result<T, GatherError> + Send + 'static,
    ) -> Result<T, GatherError> {
        let (this, cancel) = (Arc::clone(self), cancel.clone());
        tokio::task::spawn_blocking(move || work(&this, &cancel)).await.map_err(|_| GatherError::Cancelled)?
    }

    /// Numbers of the leaves that are still to be fetched. Blocking.
    fn missing(&self, cancel: &CancellationToken) -> Result<Vec<u64>, GatherError> {
        let held = open(&self.part.path).ok();
        let length = held.as_ref().map_or(0, |(_, stamp)| stamp.size);
        let mut missing = Vec::new();
        for (number, digest) in (0..).zip(&self.leaves) {
            if cancel.is_cancelled() {
                return Err(GatherError::Cancelled);
            }
            let span = self.part.span(number);
            let held = held.as_ref().filter(|_| span.end <= length);
            let right = held.and_then(|(file, _)| read_span(file, span.clone()).ok());
            match right.filter(|bytes| sha256(bytes) == *digest) {
                Some(_) => self.tell(span.end - span.start, false),
                None => missing.push(number),
            }
        }
        Ok(missing)
    }

    fn tell(&self, bytes: u64, supplied: bool) {
        let there = self.there.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let more = if supplied { bytes } else { 0 };
        let supplied = self.supplied.fetch_add(more, Ordering::Relaxed) + more;
        (self.progress)(Gathered { there, supplied });
    }

    async fn fetch(
        self: Arc<Self>,
        blocks: &Blocks,
        number: u64,
        supplier: Arc<dyn Supplier>,
    ) -> Result<(), GatherError> {
        let leaf = usize::try_from(number).ok().and_then(|at| self.leaves.get(at));
        let cid = of_digest(RAW, leaf.unwrap_or(&Digest::default()));
        let (bytes, supplied) = blocks.obtain(cid, Some(&*supplier)).await.ok_or(GatherError::Missing(cid))?;
        let length = bytes.len() as u64;
        let this = Arc::clone(&self);
        let written = self.writing.spawn_blocking(move || this.write(number, &bytes)).await;
        written.map_err(|_| GatherError::Cancelled)??;
        self.tell(length, supplied);
        Ok(())
    }

    fn write(&self, number: u64, bytes: &[u8]) -> Result<(), GatherError> {
        if number.is_multiple_of(LOOK) && self.part.path.parent().is_some_and(|folder| free_bytes(folder) < self.spare)
        {
            return Err(GatherError::Full);
        }
        self.part.write(number, bytes).map_err(|source| self.unwritten(source))
    }

    fn unwritten(&self, source: io::Error) -> GatherError {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => GatherError::Full,
            _ => GatherError::Write { path: self.part.path.clone(), source },
        }
    }

    /// Flushes what was written, tells the index, and puts the file in its place. Blocking.
    fn complete(&self, index: &Index) -> Result<Imported, GatherError> {
        let settled = || -> io::Result<Stamp> {
            let file = self.part.file()?;
            // There may have been more in it: of a longer file that this one takes the place of.
            file.set_len(self.part.shape.size())?;
            file.set_permissions(Permissions::from_mode(0o644))?;
            file.sync_all()?;
            Ok(Stamp::of(&file.metadata()?))
        };
        let stamp = settled().map_err(|source| self.unwritten(source))?;
        let leaves = (0..).zip(&self.leaves).map(|(number, digest)| {
            let span = self.part.span(number);
            (*digest, span.end - span.start)
        });
        let imported = import::adopt(index, &self.path, stamp, leaves)?;
        self.part.become_file(&self.path).map_err(|source| self.unwritten(source))?;
        Ok(imported)
    }
}

/// Bytes that are free for us on the disk of a folder; all there can be where nobody can say.
#[must_use]
pub fn free_bytes(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Takes away what was fetched of a file that is not wanted any more. Blocking.
pub fn give_up(path: &Path) {
    let _ = fs::remove_file(part_of(path));
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bytes::Bytes;
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use parking_lot::Mutex;

    use super::*;
    use crate::blocks::BlocksOptions;
    use crate::content::unixfs::{LEAF_SIZE, Layout, leaves_of};

    /// Holds blocks, and counts how often each is asked for. Gives no more than `left`.
    struct Store {
        blocks: HashMap<Cid, Bytes>,
        asked: Mutex<Vec<Cid>>,
        left: AtomicU64,
    }

    impl Supplier for Store {
        fn block(&self, cid: Cid) -> BoxFuture<'static, Option<Bytes>> {
            self.asked.lock().push(cid);
            let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            let found = left.ok().and_then(|_| self.blocks.get(&cid).cloned());
            async move { found }.boxed()
        }
    }

    fn file(seed: u8, length: usize) -> Vec<u8> {
        (0..length).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed).collect()
    }

    fn store(bytes: &[u8], left: u64) -> (Arc<Store>, Cid) {
        let layout = Layout::of(bytes, Profile::V1_2025);
        let leaves = layout.leaves.iter().map(|leaf| leaf.0).zip(leaves_of(bytes, Profile::V1_2025));
        let mut blocks: HashMap<Cid, Bytes> = leaves.map(|(cid, leaf)| (cid, Bytes::copy_from_slice(leaf))).collect();
        blocks.extend(layout.nodes);
        (Arc::new(Store { blocks, asked: Mutex::default(), left: AtomicU64::new(left) }), layout.root)
    }

    struct Scene {
        folder: tempfile::TempDir,
        blocks: Blocks,
    }

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let blocks = Blocks::open(BlocksOptions { path: folder.path().join("blocks.db") }).unwrap();
            Self { folder, blocks }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("Film.mkv")
        }

        async fn gather(&self, store: &Arc<Store>, root: &Cid, size: usize) -> Result<(Imported, u64), GatherError> {
            let (supplied, told) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
            let count = Arc::clone(&supplied);
            let progress = move |gathered: Gathered| count.store(gathered.supplied, Ordering::Relaxed);
            let options = Gathering { size: size as u64, flights: 4, spare: 0 };
            let supplier = Arc::clone(store) as Arc<dyn Supplier>;
            let imported = self.blocks.gather(root, &self.path(), supplier, options, progress, &told).await?;
            Ok((imported, supplied.load(Ordering::Relaxed)))
        }
    }

    #[tokio::test]
    async fn a_file_is_fetched_whole_and_its_blocks_are_served_without_reading_it_again() {
        let (scene, bytes) = (Scene::new(), file(1, 5 * LEAF_SIZE + 77));
        let (store, root) = store(&bytes, u64::MAX);
        let (imported, supplied) = scene.gather(&store, &root, bytes.len()).await.unwrap();
        assert_eq!((imported.cid, supplied), (root, bytes.len() as u64));
        assert_eq!(fs::read(scene.path()).unwrap(), bytes);
        assert!(!part_of(&scene.path()).exists());
        assert_eq!(scene.blocks.imported(&scene.path()).await.unwrap(), Some(imported));
        scene.blocks.verify(&root, &CancellationToken::new()).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_fetched_is_not_fetched_again_and_what_rotted_meanwhile_is() {
        let (scene, bytes) = (Scene::new(), file(2, 9 * LEAF_SIZE));
        let (first, root) = store(&bytes, 6);
        assert!(matches!(scene.gather(&first, &root, bytes.len()).await, Err(GatherError::Missing(_))));
        assert!(!scene.path().exists(), "what is not whole has not its name");
        let part = part_of(&scene.path());
        let mut held = fs::read(&part).unwrap();
        held[5] ^= 1;
        fs::write(&part, &held).unwrap();
        let there = held.chunks(LEAF_SIZE).zip(bytes.chunks(LEAF_SIZE)).filter(|(one, other)| one == other).count();
        assert!(there > 0);
        let (second, _) = store(&bytes, u64::MAX);
        let (_, supplied) = scene.gather(&second, &root, bytes.len()).await.unwrap();
        assert_eq!(supplied, ((9 - there) * LEAF_SIZE) as u64);
        assert_eq!(fs::read(scene.path()).unwrap(), bytes);
    }

    #[tokio::test]
    async fn an_edited_file_takes_over_the_blocks_that_are_the_same() {
        let (scene, bytes) = (Scene::new(), file(3, 4 * LEAF_SIZE));
        let (before, root) = store(&bytes, u64::MAX);
        scene.gather(&before, &root, bytes.len()).await.unwrap();
        let mut edited = bytes.clone();
        edited[LEAF_SIZE + 9] ^= 1;
        edited.truncate(3 * LEAF_SIZE + 5);
        let (after, root) = store(&edited, u64::MAX);
        let (_, supplied) = scene.gather(&after, &root, edited.len()).await.unwrap();
        assert_eq!(supplied, (LEAF_SIZE + 5) as u64);
        assert_eq!(fs::read(scene.path()).unwrap(), edited);
    }

    #[tokio::test]
    async fn a_dag_of_another_size_or_form_is_refused_before_a_byte_is_written() {
        let (scene, bytes) = (Scene::new(), file(4, 3 * LEAF_SIZE));
        let (store, root) = store(&bytes, u64::MAX);
        for size in [0, 1, LEAF_SIZE, bytes.len() - 1, bytes.len() + 1, 5000 * LEAF_SIZE] {
            let refused = scene.gather(&store, &root, size).await;
            assert!(matches!(refused, Err(GatherError::OtherForm(_))), "{size}: {refused:?}");
        }
        assert!(!part_of(&scene.path()).exists());
    }

    #[tokio::test]
    async fn space_that_must_stay_free_stays_free() {
        let (scene, bytes) = (Scene::new(), file(5, 2 * LEAF_SIZE));
        let (store, root) = store(&bytes, u64::MAX);
        let options = Gathering { size: bytes.len() as u64, flights: 1, spare: u64::MAX };
        let supplier = Arc::clone(&store) as Arc<dyn Supplier>;
        let (path, cancel) = (scene.path(), CancellationToken::new());
        let full = scene.blocks.gather(&root, &path, supplier, options, |_| (), &cancel).await;
        assert!(matches!(full, Err(GatherError::Full)), "{full:?}");
        scene.gather(&store, &root, bytes.len()).await.unwrap();
    }
}
