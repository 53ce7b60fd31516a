//! What names of IPNS stand for: said by whoever can ask for their records.
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::content::ipns::Name;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// `/ipfs/CID...` or `/ipns/NAME...`.
    pub path: String,
    /// How long that may be believed from now on.
    pub ttl: Duration,
    /// The record that says so, where there is one.
    pub record: Option<Bytes>,
}

/// Why it is not known what a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    /// There is no record of it, or nobody can be asked.
    #[error("nobody knows what this name stands for")]
    NotFound,
    /// Nobody answered in time.
    #[error("nobody told in time what this name stands for")]
    TimedOut,
    /// There are records, and none is right: why.
    #[error("the record of this name is not right: {0}")]
    Wrong(String),
}

/// Looks names up. What it tells was checked.
pub trait Names: Send + Sync {
    /// The record of a key's name. Without `ask`, only what is known here: this node's own name.
    fn resolve(&self, name: Name, ask: bool) -> BoxFuture<'_, Result<Named, NamesError>>;
}
