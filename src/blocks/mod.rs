//! Keeps bytes by hash, without keeping the bytes: a file on disk *is* its blocks.
//!
//! Owns `blocks.db`: leaf CID -> (file, offset, length), the small interior DAG nodes, and derived blocks (CID -> recipe).
//! Everything in it can be made again by a rescan. The one invariant: **no block leaves that does not hash to its CID.**
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::content::Cid;

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
    Index(#[from] crate::database::DatabaseError),
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
    Index(#[from] crate::database::DatabaseError),
}

/// What is found out about a file while its blocks are served. The library acts on it.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A cheap handle to the index.
#[derive(Clone)]
pub struct Blocks {
    _inner: Arc<()>,
}

impl Blocks {
    /// Opens or makes the index. Call within a tokio runtime.
    pub fn open(_options: BlocksOptions) -> Result<Self, crate::database::DatabaseError> {
        todo!()
    }

    /// Reads a file once, sequentially, and puts its DAG into the index in one transaction, replacing what the index knew
    /// of that path. `progress` is called with the bytes read so far, from a blocking thread, every few MiB.
    pub async fn import(
        &self,
        _path: &Path,
        _progress: impl FnMut(u64) + Send + 'static,
        _cancel: &CancellationToken,
    ) -> Result<Imported, ImportError> {
        todo!()
    }

    /// What the index holds of a path, if it does.
    pub async fn imported(&self, _path: &Path) -> Result<Option<Imported>, crate::database::DatabaseError> {
        todo!()
    }

    /// The file moved, its bytes did not: no re-hash.
    pub async fn relocate(&self, _from: &Path, _to: &Path) -> Result<(), crate::database::DatabaseError> {
        todo!()
    }

    /// The file is gone for good.
    pub async fn forget(&self, _path: &Path) -> Result<(), crate::database::DatabaseError> {
        todo!()
    }

    /// The bytes of one block (leaf, interior node, derived), hashed again before they are returned.
    pub async fn get(&self, _cid: &Cid) -> Result<Bytes, BlockError> {
        todo!()
    }

    /// Whether the block is here, how large, and under which roots.
    pub async fn stat(&self, _cid: &Cid) -> Result<Option<BlockStat>, BlockError> {
        todo!()
    }

    /// Size in bytes of the file whose root this is.
    pub async fn file_size(&self, _root: &Cid) -> Result<u64, BlockError> {
        todo!()
    }

    /// Verified bytes `range` of the file whose root this is, in pieces of at most 1 MiB.
    pub fn read(&self, _root: &Cid, _range: std::ops::Range<u64>) -> BoxStream<'static, Result<Bytes, BlockError>> {
        todo!()
    }

    /// Reads every block of a file again; `Ok(())` when all hash right. For scrubbing and `verified_at`.
    pub async fn verify(&self, _root: &Cid, _cancel: &CancellationToken) -> Result<(), BlockError> {
        todo!()
    }

    /// Records that an object (a segment) can be made by `recipe`: its UnixFS layout is computed, its root, leaves and
    /// nodes are remembered, its bytes are not. Idempotent.
    pub async fn put_derived(
        &self,
        _recipe: Recipe,
        _bytes: Bytes,
    ) -> Result<crate::content::unixfs::Layout, BlockError> {
        todo!()
    }

    /// Who makes derived objects again. Set once, at start.
    pub fn set_producer(&self, _producer: Arc<dyn Producer>) {
        todo!()
    }

    /// What is found out about files while serving.
    pub fn findings(&self) -> broadcast::Receiver<Finding> {
        todo!()
    }
}
