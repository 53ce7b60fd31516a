//! UnixFS files and folders as DAGs, profile `unixfs-v1-2025` (IPIP-499): CIDv1, sha2-256, raw leaves of 1 MiB, at most
//! 1024 links a node, balanced; folders above 256 KiB are sharded.
//!
//! | part | the question it answers |
//! |---|---|
//! | [`node`] | what is in a dag-pb node, and how is one written (exact bytes) |
//! | [`Builder`] | leaves in, nodes out, as a file is read |
//! | [`Shape`] | where a node lies in a file of known size, and what it links to |
//! | [`folder`] | names to CIDs, flat or sharded |
//!
//! The invariant: the same bytes and names give the same CID here, in Kubo and in Helia.
mod build;
pub mod folder;
mod hamt;
pub mod node;
mod shape;

use bytes::Bytes;

use super::Cid;

pub use build::{Builder, Built, BuiltNode};
pub use shape::{Position, Shape};

/// Bytes of a full leaf.
pub const LEAF_SIZE: usize = 1024 * 1024;
/// Links of a full interior node.
pub const LINKS_MAX: usize = 1024;

/// The two numbers that give a file's DAG its form. Tests use small ones to get deep DAGs from few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Bytes of a full leaf; at least 1.
    pub leaf_size: u64,
    /// Links of a full interior node; at least 2.
    pub links_max: u64,
}

impl Profile {
    /// `unixfs-v1-2025`, the profile of every DAG this node makes.
    pub const V1_2025: Self = Self { leaf_size: LEAF_SIZE as u64, links_max: LINKS_MAX as u64 };
}

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

impl Layout {
    /// The layout of an object that is in memory.
    #[must_use]
    pub fn of(bytes: &[u8], profile: Profile) -> Self {
        let mut builder = Builder::new(profile);
        let (mut leaves, mut built) = (Vec::new(), Vec::new());
        for leaf in leaves_of(bytes, profile) {
            let digest = super::cid::sha256(leaf);
            leaves.push((super::cid::of_digest(super::cid::RAW, &digest), leaf.len() as u64));
            built.extend(builder.push(digest, leaf.len() as u64));
        }
        let Built { root, size, nodes: last, .. } = builder.finish();
        built.extend(last);
        built.sort_by_key(|node| node.position);
        Self { root, size, leaves, nodes: built.into_iter().map(Into::into).collect() }
    }
}

/// The leaves of an object that is in memory; an empty object has one empty leaf.
pub fn leaves_of(bytes: &[u8], profile: Profile) -> impl Iterator<Item = &[u8]> {
    let step = usize::try_from(profile.leaf_size).unwrap_or(usize::MAX);
    let empty = bytes.is_empty().then_some(bytes);
    empty.into_iter().chain(bytes.chunks(step))
}
