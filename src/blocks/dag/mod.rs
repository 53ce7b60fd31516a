//! Reads DAGs, wherever their blocks come from: files as bytes, folders as names, whole DAGs block by block.
//!
//! | part | the question it answers |
//! |---|---|
//! | [`Source`] | give me this block |
//! | [`Walk`] | which blocks come next, in order, fetched ahead |
//! | [`file`] | how large is the file, and what are these bytes of it |
//! | [`folder`] | what is in the folder, and what is under this name |
//! | [`path`] | where does a path lead |
//!
//! DAGs come from strangers. The invariant: whatever they hold, a reader keeps a bounded number of blocks and links in memory and
//! ends, with an error that says why; no byte of a file is given out whose place is not the one that every node above it told.
pub mod file;
pub mod folder;
pub mod path;
#[cfg(test)]
mod tests;
mod walk;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{BlockError, Blocks, FetchError};
use crate::content::Cid;
use crate::content::cid::CidError;
use crate::content::ipld::IpldError;
use crate::content::unixfs::node::NodeError;

pub use walk::{Part, Scope, Step, Walk, WalkOptions};

/// Blocks by their CIDs, for one reader.
pub trait Source: Send + Sync {
    /// One block, checked. What this reader may not see does not exist.
    fn block<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, DagError>>;
}

/// What is in libraries, without asking who reads.
impl Source for Blocks {
    fn block<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, DagError>> {
        self.get(cid).map(|got| got.map_err(DagError::from)).boxed()
    }
}

/// Why a DAG cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DagError {
    /// It does not exist for this reader.
    #[error("no block {0} here")]
    NotFound(Cid),
    /// There is no such name in a folder or block.
    #[error("there is no {name:?} in {folder}")]
    NoName {
        /// The folder.
        folder: Cid,
        /// What was looked for.
        name: String,
    },
    /// The path ends at something within a block, which has no CID.
    #[error("{0} is reached, but only links can be followed to their end, not what lies within a block")]
    Within(Cid),
    /// It is a folder, a link or data where a file is asked for.
    #[error("{0} is not a file")]
    NotAFile(Cid),
    /// It is something else where a folder is asked for.
    #[error("{0} is not a folder")]
    NotAFolder(Cid),
    /// Of a codec that is not known here.
    #[error("{0} has codec {codec:#x}, which is not known here", codec = .0.codec())]
    UnknownCodec(Cid),
    /// Larger than any block that IPFS peers exchange.
    #[error("block {0} is too large")]
    TooLarge(Cid),
    /// It cannot be decoded.
    #[error("{cid} is damaged in the making: {reason}")]
    Malformed {
        /// The block.
        cid: Cid,
        /// What is wrong with it.
        reason: String,
    },
    /// A file's node has other bytes below it than the node above says.
    #[error("{cid} has {found} bytes, and {told} are told of it")]
    Lies {
        /// The node.
        cid: Cid,
        /// What the node above says.
        told: u64,
        /// What is there.
        found: u64,
    },
    /// It is deeper, wider or longer than anything useful.
    #[error("{0} is {1}")]
    Limit(Cid, &'static str),
    /// Its hash function is not known, or somebody brought other bytes.
    #[error(transparent)]
    Cid(#[from] CidError),
    /// Others were asked and did not bring it.
    #[error("block {0} could not be fetched: {1}")]
    Unfetched(Cid, FetchError),
    /// It is here and cannot be read.
    #[error(transparent)]
    Here(BlockError),
}

impl From<BlockError> for DagError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::NotFound(cid) => Self::NotFound(cid),
            BlockError::NotAFile(cid) => Self::NotAFile(cid),
            other => Self::Here(other),
        }
    }
}

impl DagError {
    fn node(cid: &Cid, error: &NodeError) -> Self {
        match error {
            NodeError::TooLarge => Self::TooLarge(*cid),
            other => Self::Malformed { cid: *cid, reason: other.to_string() },
        }
    }

    fn ipld(cid: &Cid, error: IpldError) -> Self {
        match error {
            IpldError::TooLarge => Self::TooLarge(*cid),
            other => Self::Malformed { cid: *cid, reason: other.to_string() },
        }
    }
}
