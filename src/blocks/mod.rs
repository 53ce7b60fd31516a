//! Keeps bytes by hash, without keeping the bytes: a file on disk *is* its blocks.
//!
//! ```text
//!  file ── import ──► index (digests and places)         get, read ──► locate ──► file, node or derived ──► hash ──► out
//! ```
//!
//! Owns `blocks.db`: which block is where in which file, and which can be derived from what (CID -> recipe). Everything
//! in it can be made again by a rescan. The one invariant: **no block leaves that does not hash to its CID.**
mod beside;
mod bound;
mod by_reference;
pub mod dag;
mod derived;
mod fetch;
mod fetched;
mod gather;
mod import;
mod index;
mod mend;
mod model;
mod names;
mod naming;
mod scrub;
mod serve;

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use futures_util::future::TryFutureExt;
use futures_util::stream::{BoxStream, StreamExt};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use crate::content::Cid;
use crate::content::cid;
use crate::content::cid::Digest;
use crate::content::unixfs::folder::{self, FolderEntry};
use crate::content::unixfs::{Layout, Profile};
use crate::database::DatabaseError;
use bound::Bound;
use by_reference::{Stamp, is_as_imported};
use derived::Kitchen;
use index::{Index, Object, Origin};

pub use bound::BoundFile;
pub use fetch::{Elsewhere, Fetch, FetchError, May, Session};
pub use fetched::{Fetched, FetchedError, FetchedOptions, FetchedTotals, Pin, Pinning, TakeError};
pub use gather::{GatherError, Gathered, Gathering, free_bytes, give_up, part_of};
pub use mend::{MendError, Mended, Supplier};
pub use model::{BlockError, BlockStat, BlockTotals, BlocksOptions, Finding, ImportError, Imported, Producer, Recipe};
pub use names::{Named, Names, NamesError};
pub use naming::{NamingError, cid_of_path};
pub use scrub::Pace;

/// Blocks of files that are read at the same time, each on a blocking thread.
const READS_MAX: usize = 8;
/// Leaves that a stream reads ahead of its reader.
const READ_AHEAD: usize = 2;

struct Inner {
    index: Index,
    kitchen: Kitchen,
    reads: Semaphore,
    findings: broadcast::Sender<Finding>,
    /// Said once, until the file is imported, moved or forgotten.
    found: Mutex<HashSet<Finding>>,
}

/// A cheap handle to the index.
#[derive(Clone)]
pub struct Blocks {
    inner: Arc<Inner>,
}

impl Blocks {
    /// Opens or makes the index. Call within a tokio runtime.
    ///
    /// # Errors
    /// When the file cannot be opened or made, or was written by a newer Potluck.
    pub fn open(options: BlocksOptions) -> Result<Self, DatabaseError> {
        let index = Index::open(&options.path)?;
        let dead = index.dead()?;
        let (findings, _) = broadcast::channel(256);
        let inner = Inner {
            index,
            kitchen: Kitchen::default(),
            reads: Semaphore::new(READS_MAX),
            findings,
            found: Mutex::default(),
        };
        let this = Self { inner: Arc::new(inner) };
        if !dead.is_empty() {
            this.purge_later(dead);
        }
        Ok(this)
    }

    /// Reads a file once, sequentially, and puts its DAG into the index, seen at once and whole, replacing what the index
    /// knew of that path. `progress` is called with the bytes read so far, from a blocking thread, every few MiB.
    ///
    /// # Errors
    /// See [`ImportError`]. What the index knew of the path stays then.
    pub async fn import(
        &self,
        path: &Path,
        progress: impl FnMut(u64) + Send + 'static,
        cancel: &CancellationToken,
    ) -> Result<Imported, ImportError> {
        self.import_with(path, None, progress, cancel).await
    }

    /// The same of several small files, read one after the other and put into the index together. What became of each, in order.
    ///
    /// # Errors
    /// When the index cannot be read or written; what it knew stays then. [`DatabaseError::Cancelled`] when the node stops.
    pub async fn import_several(
        &self,
        paths: Vec<PathBuf>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Result<Imported, ImportError>>, DatabaseError> {
        let cancel = cancel.clone();
        let this = self.clone();
        self.with_index(move |index| {
            let outcomes = import::import_several(index, &paths, &cancel)?;
            let imported = paths.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
            imported.for_each(|(path, _)| this.forget_findings(path));
            Ok(outcomes)
        })
        .await
    }

    /// The same for a file of the node's own that was made of a library file: who may see `of` may see it, and it is
    /// forgotten with it.
    ///
    /// # Errors
    /// As [`Blocks::import`].
    pub async fn import_made(&self, path: &Path, of: Cid, cancel: &CancellationToken) -> Result<Imported, ImportError> {
        self.import_with(path, Some(of), |_| (), cancel).await
    }

    async fn import_with(
        &self,
        path: &Path,
        of: Option<Cid>,
        progress: impl FnMut(u64) + Send + 'static,
        cancel: &CancellationToken,
    ) -> Result<Imported, ImportError> {
        let (this, path, cancel) = (self.clone(), path.to_owned(), cancel.clone());
        let task = move || {
            let imported = import::import(&this.inner.index, &path, of, progress, &cancel)?;
            this.forget_findings(&path);
            Ok(imported)
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| ImportError::Cancelled)?
    }

    /// Imports files of a folder as one: a zip archive that stores them in this order, and is nowhere on disk. What the index
    /// tells of the folder's path is that archive, and its time is the newest of the folder and all its files.
    ///
    /// # Errors
    /// As [`Blocks::import`]; [`ImportError::Changing`] also where a file is not as it is told here.
    pub async fn import_folder(
        &self,
        folder: &Path,
        files: Vec<BoundFile>,
        progress: impl FnMut(u64) + Send + 'static,
        cancel: &CancellationToken,
    ) -> Result<Imported, ImportError> {
        let (this, folder, cancel) = (self.clone(), folder.to_owned(), cancel.clone());
        let task = move || {
            let too_large = |error| ImportError::Io { path: folder.clone(), source: std::io::Error::other(error) };
            let bound = Bound::new(files).map_err(too_large)?;
            let imported = import::import_bound(&this.inner.index, &folder, bound, progress, &cancel)?;
            this.forget_findings(&folder);
            Ok(imported)
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| ImportError::Cancelled)?
    }

    /// The file whose bytes begin at `offset` of what a folder was imported as; `None` for anything else.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn bound_file(&self, folder: &Path, offset: u64) -> Result<Option<PathBuf>, DatabaseError> {
        let folder = folder.to_owned();
        self.with_index(move |index| {
            let object = index.file_at(&folder)?;
            let bound = object.and_then(|object| match object.origin {
                Origin::File { bound, .. } => bound,
                Origin::Derived(_) => None,
            });
            Ok(bound.and_then(|bound| bound.file_at(&folder, offset)))
        })
        .await
    }

    /// The same as [`Blocks::imported`], where nobody wrote to the file since.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn unchanged(&self, path: &Path) -> Result<Option<Imported>, DatabaseError> {
        let path = path.to_owned();
        let look = move |index: &Index| Ok(index.file_at(&path)?.filter(is_as_imported).and_then(|o| o.imported()));
        self.with_index(look).await
    }

    /// What the index holds of a path, if it does.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn imported(&self, path: &Path) -> Result<Option<Imported>, DatabaseError> {
        let path = path.to_owned();
        self.with_index(move |index| Ok(index.file_at(&path)?.and_then(|o| o.imported()))).await
    }

    /// The same of several paths, in order.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn all_imported(&self, paths: Vec<PathBuf>) -> Result<Vec<Option<Imported>>, DatabaseError> {
        let imported = |object: Option<Object>| object.and_then(|object| object.imported());
        self.with_index(move |index| Ok(index.files_at(&paths)?.into_iter().map(imported).collect())).await
    }

    /// The file moved, its bytes did not: no re-hash. Where `to` can be read, its inode and device are remembered.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub async fn relocate(&self, from: &Path, to: &Path) -> Result<(), DatabaseError> {
        self.forget_findings(from);
        let (from, to) = (from.to_owned(), to.to_owned());
        self.with_index(move |index| {
            let place = std::fs::metadata(&to).ok().map(|m| Stamp::of(&m)).map(|s| (s.inode, s.device));
            index.purge(index.relocate(&from, &to, place)?)
        })
        .await
    }

    /// The file is gone for good.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub async fn forget(&self, path: &Path) -> Result<(), DatabaseError> {
        self.forget_findings(path);
        let path = path.to_owned();
        self.with_index(move |index| index.purge(index.retire(&path)?)).await
    }

    /// The bytes of one block (leaf, interior node, derived), hashed again before they are returned. Where one file that
    /// holds it is gone, changed or damaged, another is taken.
    ///
    /// # Errors
    /// See [`BlockError`]; where several files hold it, what was wrong with the first.
    pub async fn get(&self, cid: &Cid) -> Result<Bytes, BlockError> {
        let digest = cid::digest_of(cid).ok_or(BlockError::NotFound(*cid))?;
        let mut wrong = None;
        for (object, at) in self.locate(&digest).await? {
            match self.block(&object, at, &digest).await {
                Ok(bytes) => return Ok(bytes),
                Err(e) => wrong = wrong.or(Some(e)),
            }
        }
        match self.folder(&digest).await? {
            Some((node, _)) if wrong.is_none() => Ok(node),
            _ => Err(wrong.unwrap_or(BlockError::NotFound(*cid))),
        }
    }

    /// Keeps a folder of what is here already: its own nodes, not what it holds. Who may see the file `source` may see it,
    /// and it is forgotten with it.
    ///
    /// # Errors
    /// When the index cannot be written, or too many names hash alike.
    pub async fn put_folder(&self, source: Cid, entries: Vec<FolderEntry>) -> Result<FolderEntry, BlockError> {
        let built = folder::build(entries).map_err(std::io::Error::other)?;
        let nodes: Vec<(Digest, Bytes)> =
            built.nodes.into_iter().filter_map(|(cid, bytes)| Some((cid::digest_of(&cid)?, bytes))).collect();
        self.with_index(move |index| index.put_folder(&source, &nodes)).await?;
        Ok(FolderEntry { name: String::new(), cid: built.root, tsize: built.tsize })
    }

    /// A folder's node, checked, and the files that decide who may see it.
    async fn folder(&self, digest: &Digest) -> Result<Option<(Bytes, Vec<Cid>)>, DatabaseError> {
        let digest = *digest;
        let found = self.with_index(move |index| index.folder(&digest)).await?;
        Ok(found.filter(|(node, _)| cid::sha256(node) == digest))
    }

    /// Whether the block is here, how large, and under which roots. Reads no file.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn stat(&self, cid: &Cid) -> Result<Option<BlockStat>, BlockError> {
        let Some(digest) = cid::digest_of(cid) else { return Ok(None) };
        let found = self.locate(&digest).await?;
        let Some((object, at)) = found.first() else {
            let folder = self.folder(&digest).await?;
            return Ok(folder.map(|(node, roots)| BlockStat { size: node.len() as u64, roots }));
        };
        let size = object.shape().block_len(*at).unwrap_or(0);
        let mut roots: Vec<Cid> = found.iter().map(|(object, _)| object.source()).collect();
        roots.sort_unstable();
        roots.dedup();
        Ok(Some(BlockStat { size, roots }))
    }

    /// Size in bytes of the file whose root this is. Any node of a file is the root of a part of it.
    ///
    /// # Errors
    /// [`BlockError::NotFound`], [`BlockError::NotAFile`], [`BlockError::Index`].
    pub async fn file_size(&self, root: &Cid) -> Result<u64, BlockError> {
        let (_, span) = self.part(root).await?;
        Ok(span.end - span.start)
    }

    /// Verified bytes `range` of the file whose root this is, in pieces of at most 1 MiB. Ends where the file does.
    pub fn read(&self, root: &Cid, range: Range<u64>) -> BoxStream<'static, Result<Bytes, BlockError>> {
        let (this, root) = (self.clone(), *root);
        let pieces = async move {
            let (object, span) = this.part(&root).await?;
            let start = span.start.saturating_add(range.start).min(span.end);
            let end = span.start.saturating_add(range.end).min(span.end);
            Ok::<_, BlockError>(this.pieces(object, start..end))
        };
        pieces.try_flatten_stream().boxed()
    }

    /// Reads the blocks that `range` of the file at `path` lies in, from that file and from no copy.
    ///
    /// # Errors
    /// [`BlockError::Damaged`] and [`BlockError::Changed`], which are found by that; [`BlockError::Index`], [`BlockError::Io`].
    pub async fn intact(&self, path: &Path, range: Range<u64>) -> Result<(), BlockError> {
        let path = path.to_owned();
        let known = self.with_index(move |index| index.file_at(&path)).await?;
        // What is not imported has no name that could be wrong.
        let Some(object) = known else { return Ok(()) };
        let _permit = self.inner.reads.acquire().await.map_err(|_| BlockError::Cancelled)?;
        let this = self.clone();
        let task =
            move || scrub::verify_range(&this.inner.index, &object, &range).inspect_err(|error| this.find(error));
        tokio::task::spawn_blocking(task).await.map_err(|_| BlockError::Cancelled)?
    }

    /// Reads every block of a file again; `Ok(())` when all hash right. For scrubbing and `verified_at`. Every copy is
    /// read.
    ///
    /// # Errors
    /// What is wrong with the first copy that is not right; [`BlockError::NotFound`] when there is none.
    pub async fn verify(&self, root: &Cid, cancel: &CancellationToken) -> Result<(), BlockError> {
        self.verify_at(root, Pace::default(), Arc::default(), cancel).await
    }

    /// The same at a pace, so that who plays a film meanwhile does not feel it. `read` counts the bytes.
    ///
    /// # Errors
    /// As [`Blocks::verify`].
    pub async fn verify_at(
        &self,
        root: &Cid,
        pace: Pace,
        read: Arc<AtomicU64>,
        cancel: &CancellationToken,
    ) -> Result<(), BlockError> {
        let digest = cid::digest_of(root).ok_or(BlockError::NotFound(*root))?;
        let found = self.locate(&digest).await?;
        let files = found.into_iter().filter(|(o, at)| *at == o.shape().root() && o.imported().is_some());
        let files: Vec<Object> = files.map(|(object, _)| object).collect();
        if files.is_empty() {
            return Err(BlockError::NotFound(*root));
        }
        let (this, cancel) = (self.clone(), cancel.clone());
        let task = move || {
            files.iter().try_for_each(|object| {
                scrub::verify(&this.inner.index, object, pace, &read, &cancel).inspect_err(|e| this.find(e))
            })
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| BlockError::Cancelled)?
    }

    /// Records that an object (a segment) can be made by `recipe`: its UnixFS layout is computed, its root, leaves and
    /// nodes are remembered, its bytes are not. Idempotent.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub async fn put_derived(&self, recipe: Recipe, bytes: Bytes) -> Result<Layout, BlockError> {
        let this = self.clone();
        let task = move || {
            let layout = Layout::of(&bytes, Profile::V1_2025);
            let id = derived::record(&this.inner.index, recipe, &layout)?;
            this.inner.kitchen.keep(id, bytes);
            Ok(layout)
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| BlockError::Cancelled)?
    }

    /// Root of what a recipe made last, if it is known.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn derived(&self, recipe: Recipe) -> Result<Option<Cid>, DatabaseError> {
        self.with_index(move |index| Ok(index.derived_by(&recipe)?.map(|object| object.cid()))).await
    }

    /// Who makes derived objects again. Set once, at start.
    pub fn set_producer(&self, producer: Arc<dyn Producer>) {
        self.inner.kitchen.set_producer(producer);
    }

    /// What is found out about files while serving. Each finding is told once, until its file is imported again, moved
    /// or forgotten.
    #[must_use]
    pub fn findings(&self) -> broadcast::Receiver<Finding> {
        self.inner.findings.subscribe()
    }

    /// Whether a finding was not overtaken: by an import, a move, a repair.
    #[must_use]
    pub fn stands(&self, finding: &Finding) -> bool {
        self.inner.found.lock().contains(finding)
    }

    /// How many blocks can be found, and how many files and derived objects are known.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn totals(&self) -> Result<BlockTotals, DatabaseError> {
        let (blocks, objects) = self.with_index(|index| index.totals()).await?;
        Ok(BlockTotals { blocks, objects })
    }

    /// Runs `f` on a blocking thread.
    async fn with_index<T, F>(&self, f: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Index) -> Result<T, DatabaseError> + Send + 'static,
    {
        let this = self.clone();
        tokio::task::spawn_blocking(move || f(&this.inner.index)).await.map_err(|_| DatabaseError::Cancelled)?
    }

    fn forget_findings(&self, path: &Path) {
        let mut found = self.inner.found.lock();
        found.retain(|(Finding::Changed(p) | Finding::Damaged(p))| p != path);
    }

    /// Removes what a process that ended in the middle left. It ends with the last handle.
    fn purge_later(&self, dead: Vec<i64>) {
        let inner = Arc::downgrade(&self.inner);
        tokio::task::spawn_blocking(move || {
            for id in dead {
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = inner.index.purge(vec![id]) {
                    tracing::warn!(%error, "leftovers in the block index could not be removed");
                    return;
                }
            }
        });
    }
}
