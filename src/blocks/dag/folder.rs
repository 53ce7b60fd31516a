//! Folders of a DAG: what is under a name, and what is in them.
use std::sync::Arc;

use bytes::Bytes;

use super::{DagError, Part, Scope, Source, Walk, WalkOptions};
use crate::content::Cid;
use crate::content::cid::{DAG_PB, canonical};
use crate::content::unixfs::folder::{DEPTH_MAX, Step, find as find_in};
use crate::content::unixfs::node::{self, Link, Node};

/// Shards that are fetched at the same time.
const AHEAD: usize = 16;

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its entries, by name.
    pub entries: Vec<Link>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

/// The CID under a name of a folder, through as many shards as it takes. The blocks that were read for it are put into `proof`.
///
/// # Errors
/// [`DagError::NoName`], [`DagError::NotAFolder`], and whatever reading a block gives.
pub async fn find(
    source: &dyn Source,
    folder: Cid,
    name: &str,
    proof: &mut Vec<(Cid, Bytes)>,
) -> Result<Cid, DagError> {
    let none = || DagError::NoName { folder, name: name.to_owned() };
    let mut at = folder;
    for depth in 0..DEPTH_MAX {
        if canonical(&at).codec() != DAG_PB {
            return Err(DagError::NotAFolder(folder));
        }
        let bytes = source.block(&at).await?;
        let node = node::decode(&bytes).map_err(|error| DagError::node(&at, &error))?;
        if matches!(node, Node::File { .. } | Node::Symlink(_)) {
            return Err(DagError::NotAFolder(folder));
        }
        proof.push((at, bytes));
        match find_in(&node, name, depth) {
            Some(Step::Entry(cid)) => return Ok(cid),
            Some(Step::Shard(cid)) => at = cid,
            None => return Err(none()),
        }
    }
    Err(none())
}

/// The first `max` entries of a folder that its blocks give, sorted by name.
///
/// # Errors
/// [`DagError::NotAFolder`], and whatever reading a block gives.
pub async fn list(source: Arc<dyn Source>, folder: Cid, max: usize) -> Result<Listing, DagError> {
    let options = WalkOptions { scope: Scope::Entity, range: None, ahead: AHEAD, again: false, strict: true };
    let mut walk = Walk::new(source, folder, options);
    let mut entries = Vec::new();
    while let Some(step) = walk.next().await? {
        let Part::Folder(links) = step.part else { return Err(DagError::NotAFolder(folder)) };
        entries.extend(links);
        if entries.len() > max {
            break;
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let more = entries.len() > max;
    entries.truncate(max);
    Ok(Listing { entries, more })
}
