//! UnixFS files and folders as DAGs, profile `unixfs-v1-2025` (IPIP-499): CIDv1, sha2-256, raw leaves of 1 MiB, at most
//! 1024 links a node, balanced.
use bytes::Bytes;

use super::Cid;

/// Bytes of a full leaf.
pub const LEAF_SIZE: usize = 1024 * 1024;
/// Links of a full interior node.
pub const LINKS_MAX: usize = 1024;

/// The DAG of one object: what to call it, and what to keep besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// What the object is called.
    pub root: Cid,
    /// Bytes of the object.
    pub size: u64,
    /// CID and length of each leaf, in order. A single leaf is the root itself.
    pub leaves: Vec<(Cid, u64)>,
    /// Interior nodes (dag-pb), leaves' parents first, root last. Empty for a single leaf.
    pub nodes: Vec<(Cid, Bytes)>,
}
