//! Keeps bytes by hash, without keeping the bytes: a file on disk *is* its blocks.
//!
//! Owns `blocks.db`: leaf CID -> (file, offset, length), the small interior DAG nodes, and derived blocks (CID -> recipe).
//! Everything in it can be made again by a rescan. The one invariant: **no block leaves that does not hash to its CID.**
mod by_reference;
mod derived;
mod import;
mod index;
mod naming;
mod scrub;

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, TryFutureExt};
use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use crate::content::Cid;
use crate::content::cid::{self, Digest};
use crate::content::unixfs::{LINKS_MAX, Layout, Position, Profile};
use crate::database::DatabaseError;
pub use naming::{NamingError, cid_of_path};

use by_reference::{Stamp, read_leaf};
use derived::Kitchen;
use index::{Index, Object};

/// Settings of the block index.
#[derive(Debug, Clone)]
pub struct BlocksOptions {
    /// Where `blocks.db` is or will be.
    pub path: PathBuf,
}

/// A file whose DAG is in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Root of its UnixFS DAG (profile `unixfs-v1-2025`).
    pub cid: Cid,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the Unix epoch, as read before the first and after the last byte.
    pub modified_ns: i64,
    /// Inode and device.
    pub inode: u64,
    /// See `inode`.
    pub device: u64,
}

/// Why a file did not get into the index.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It grew, shrank or was written while it was read: come back when it is quiet.
    #[error("{0} changed while it was read")]
    Changing(PathBuf),
    /// The system did not let us read it.
    #[error("{path} cannot be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The token was cancelled.
    #[error("the import was cancelled")]
    Cancelled,
    /// The index could not be written.
    #[error("the block index could not be written")]
    Index(#[from] DatabaseError),
}

/// Why a block was not served.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// Not in the index, or its file is gone.
    #[error("no block {0} here")]
    NotFound(Cid),
    /// Its file has another size or modification time than when it was imported; it must be imported again.
    #[error("{path} changed since it was imported")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Size and modification time are the same but the bytes are not: a bad disk or a bad copy.
    #[error("{path} holds other bytes than when it was imported")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A derived block could not be made again.
    #[error("block {cid} could not be made again: {reason}")]
    Underived {
        /// The block.
        cid: Cid,
        /// Why.
        reason: String,
    },
    /// The DAG under a root is not one that this node can read.
    #[error("{0} is not a file that can be read here")]
    NotAFile(Cid),
    /// The system did not let us read it.
    #[error("reading a block")]
    Io(#[from] std::io::Error),
    /// The index could not be read.
    #[error("the block index could not be read")]
    Index(#[from] DatabaseError),
    /// A token was cancelled, or the node is stopping.
    #[error("reading blocks was cancelled")]
    Cancelled,
}

/// What is found out about a file while its blocks are served. The library acts on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Finding {
    /// Import it again.
    Changed(PathBuf),
    /// Mark it damaged and tell its owner.
    Damaged(PathBuf),
}

/// How a derived block is made again: opaque to this layer, meant for the [`Producer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Root CID of the library file it is derived from.
    pub source: Cid,
    /// What the producer needs besides, in its own encoding (at most 1 KiB).
    pub detail: Vec<u8>,
}

/// Makes the bytes of a derived object again. `playback` is one.
pub trait Producer: Send + Sync + 'static {
    /// The whole object (a segment), of which the index knows the blocks.
    fn produce(&self, recipe: Recipe) -> BoxFuture<'static, Result<Bytes, String>>;
}

/// Size and place of a block or DAG, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockStat {
    /// Bytes of the block itself.
    pub size: u64,
    /// Roots of the library files that it is part of or derived from. Who may see one of these may see the block.
    pub roots: Vec<Cid>,
}

/// How much the index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockTotals {
    /// Blocks that can be found by their CID.
    pub blocks: u64,
    /// Files and derived objects.
    pub objects: u64,
}

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
        let (this, path, cancel) = (self.clone(), path.to_owned(), cancel.clone());
        let task = move || {
            let imported = import::import(&this.inner.index, &path, progress, &cancel)?;
            this.forget_findings(&path);
            Ok(imported)
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| ImportError::Cancelled)?
    }

    /// What the index holds of a path, if it does.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn imported(&self, path: &Path) -> Result<Option<Imported>, DatabaseError> {
        let path = path.to_owned();
        self.with_index(move |index| Ok(index.file_at(&path)?.and_then(|o| o.imported()))).await
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
        Err(wrong.unwrap_or(BlockError::NotFound(*cid)))
    }

    /// Whether the block is here, how large, and under which roots. Reads no file.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn stat(&self, cid: &Cid) -> Result<Option<BlockStat>, BlockError> {
        let Some(digest) = cid::digest_of(cid) else { return Ok(None) };
        let found = self.locate(&digest).await?;
        let Some((object, at)) = found.first() else { return Ok(None) };
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

    /// Reads every block of a file again; `Ok(())` when all hash right. For scrubbing and `verified_at`. Every copy is
    /// read.
    ///
    /// # Errors
    /// What is wrong with the first copy that is not right; [`BlockError::NotFound`] when there is none.
    pub async fn verify(&self, root: &Cid, cancel: &CancellationToken) -> Result<(), BlockError> {
        let digest = cid::digest_of(root).ok_or(BlockError::NotFound(*root))?;
        let found = self.locate(&digest).await?;
        let files = found.into_iter().filter(|(o, at)| *at == o.shape().root() && o.imported().is_some());
        let files: Vec<Object> = files.map(|(object, _)| object).collect();
        if files.is_empty() {
            return Err(BlockError::NotFound(*root));
        }
        let (this, cancel) = (self.clone(), cancel.clone());
        let task = move || {
            files
                .iter()
                .try_for_each(|object| scrub::verify(&this.inner.index, object, &cancel).inspect_err(|e| this.find(e)))
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

    async fn locate(&self, digest: &Digest) -> Result<Vec<(Object, Position)>, DatabaseError> {
        let digest = *digest;
        self.with_index(move |index| index.locate(&digest)).await
    }

    /// The object that a CID names a part of, and which of its bytes.
    async fn part(&self, root: &Cid) -> Result<(Object, Range<u64>), BlockError> {
        let digest = cid::digest_of(root).ok_or(BlockError::NotFound(*root))?;
        let (object, at) = self.locate(&digest).await?.into_iter().next().ok_or(BlockError::NotFound(*root))?;
        // A leaf may hold bytes that look like a node, but they are a file's bytes, not ours to follow.
        let codec = if at.level == 0 { cid::RAW } else { cid::DAG_PB };
        if cid::canonical(root).codec() != codec {
            return Err(BlockError::NotAFile(*root));
        }
        let span = object.shape().span(at).ok_or(BlockError::NotFound(*root))?;
        Ok((object, span))
    }

    /// Bytes `range` of an object, leaf by leaf, reading a little ahead.
    fn pieces(&self, object: Object, range: Range<u64>) -> impl Stream<Item = Result<Bytes, BlockError>> + use<> {
        let shape = object.shape();
        let leaves = shape.leaves_of(&range);
        let this = self.clone();
        let runs = stream::iter(leaves.clone().step_by(LINKS_MAX)).map(move |start| {
            let end = (start + LINKS_MAX as u64).min(leaves.end);
            (this.clone(), object.clone(), start..end)
        });
        let numbered = runs.then(|(this, object, numbers)| this.numbered(object, numbers)).try_flatten();
        let this = self.clone();
        let read = numbered.map_ok(move |(object, number, digest)| {
            let (this, range) = (this.clone(), range.clone());
            async move {
                let leaf = this.leaf(&object, number, &digest).await?;
                Ok(cut(leaf, shape.span(Position::leaf(number)), &range))
            }
        });
        read.try_buffered(READ_AHEAD)
    }

    /// Leaves of an object with their digests.
    async fn numbered(
        self,
        object: Object,
        numbers: Range<u64>,
    ) -> Result<impl Stream<Item = Result<(Object, u64, Digest), BlockError>>, BlockError> {
        let (asked, wanted) = (object.clone(), numbers.clone());
        let digests = self.with_index(move |index| index.digests(&asked, 0, wanted)).await?;
        // Fewer when the file was imported again meanwhile: what is left of the old one cannot be told any more.
        if digests.len() as u64 != numbers.end - numbers.start {
            return Err(BlockError::NotFound(object.cid()));
        }
        Ok(stream::iter(numbers.zip(digests).map(move |(number, digest)| Ok((object.clone(), number, digest)))))
    }

    /// A leaf from this object or, when it is not right there, from any other that has it.
    async fn leaf(&self, object: &Object, number: u64, digest: &Digest) -> Result<Bytes, BlockError> {
        match self.block(object, Position::leaf(number), digest).await {
            Ok(bytes) => Ok(bytes),
            Err(wrong) => self.get(&cid::of_digest(cid::RAW, digest)).await.map_err(|_| wrong),
        }
    }

    /// One block of one object, checked.
    async fn block(&self, object: &Object, at: Position, digest: &Digest) -> Result<Bytes, BlockError> {
        if at.level == 0 && object.imported().is_none() {
            return self.inner.kitchen.leaf(object, at.number, digest).await;
        }
        let _permit = self.inner.reads.acquire().await.map_err(|_| BlockError::Cancelled)?;
        let (this, object, digest) = (self.clone(), object.clone(), *digest);
        let task = move || {
            if at.level == 0 {
                let leaf = read_leaf(&object, at.number, &digest).inspect_err(|e| this.find(e))?;
                return leaf.ok_or(BlockError::NotFound(cid::of_digest(cid::RAW, &digest)));
            }
            this.node(&object, at, &digest)
        };
        tokio::task::spawn_blocking(task).await.map_err(|_| BlockError::Cancelled)?
    }

    /// An interior node, written again from its children's digests. Blocking.
    fn node(&self, object: &Object, at: Position, digest: &Digest) -> Result<Bytes, BlockError> {
        let missing = || BlockError::NotFound(cid::of_digest(cid::DAG_PB, digest));
        let children = object.shape().children(at).ok_or_else(missing)?;
        let digests = self.inner.index.digests(object, at.level - 1, children)?;
        let bytes = object.shape().encode(at, &digests).ok_or_else(missing)?;
        if cid::sha256(&bytes) == *digest { Ok(bytes.into()) } else { Err(missing()) }
    }

    /// Tells what an error says about a file.
    fn find(&self, error: &BlockError) {
        let finding = match error {
            BlockError::Changed { path } => Finding::Changed(path.clone()),
            BlockError::Damaged { path } => Finding::Damaged(path.clone()),
            _ => return,
        };
        if self.inner.found.lock().insert(finding.clone()) {
            // Nobody listens in tools; the finding is in the error too.
            let _ = self.inner.findings.send(finding);
        }
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

/// The bytes of a leaf that lie in `range`.
fn cut(leaf: Bytes, span: Option<Range<u64>>, range: &Range<u64>) -> Bytes {
    let span = span.unwrap_or(0..0);
    let inside = |at: u64| usize::try_from(at.saturating_sub(span.start)).unwrap_or(usize::MAX).min(leaf.len());
    let (start, end) = (inside(range.start), inside(range.end));
    leaf.slice(start..end.max(start))
}
