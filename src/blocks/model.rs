//! The words of the block index: what goes in, what comes out, what can be wrong.
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::content::Cid;
use crate::database::DatabaseError;

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
