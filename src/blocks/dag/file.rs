//! Files of a DAG as bytes.
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _, try_unfold};

use super::{DagError, Part, Scope, Source, Walk, WalkOptions};
use crate::content::Cid;
use crate::content::cid::{DAG_PB, RAW, canonical};
use crate::content::ipld;
use crate::content::unixfs::node::{self, Node};

/// Blocks of a file that are fetched at the same time. At 50 ms to whoever has them and 256 KiB a block that is 640 Mbit/s.
const AHEAD: usize = 16;

/// What a block is the root of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A file of so many bytes.
    File(u64),
    /// A folder, flat or in shards.
    Folder,
    /// A symbolic link to this path.
    Symlink(Bytes),
    /// Data of a codec that has a meaning of its own: one block.
    Data,
}

/// Says what the block of a CID is.
///
/// # Errors
/// [`DagError::UnknownCodec`], [`DagError::Malformed`].
pub fn kind(cid: &Cid, block: &[u8]) -> Result<Kind, DagError> {
    match canonical(cid).codec() {
        RAW => Ok(Kind::File(block.len() as u64)),
        DAG_PB => match node::decode(block).map_err(|error| DagError::node(cid, &error))? {
            Node::File { size, .. } => Ok(Kind::File(size)),
            Node::Folder(_) | Node::Shard { .. } => Ok(Kind::Folder),
            Node::Symlink(target) => Ok(Kind::Symlink(target)),
        },
        ipld::DAG_CBOR | ipld::DAG_JSON | ipld::CBOR | ipld::JSON => Ok(Kind::Data),
        _ => Err(DagError::UnknownCodec(*cid)),
    }
}

/// Bytes of the file whose root this is.
///
/// # Errors
/// [`DagError::NotAFile`], and whatever reading the root gives.
pub async fn size(source: &dyn Source, root: &Cid) -> Result<u64, DagError> {
    match kind(root, &source.block(root).await?)? {
        Kind::File(size) => Ok(size),
        _ => Err(DagError::NotAFile(*root)),
    }
}

/// Bytes `range` of a file, in pieces of at most a block. Ends where the file does, or with an error: what came before it is right.
pub fn read(source: Arc<dyn Source>, root: Cid, range: Range<u64>) -> BoxStream<'static, Result<Bytes, DagError>> {
    let options =
        WalkOptions { scope: Scope::Entity, range: Some(range.clone()), ahead: AHEAD, again: true, strict: true };
    let walk = Walk::new(source, root, options);
    let pieces = try_unfold((walk, range), |(mut walk, range)| async move {
        while let Some(step) = walk.next().await? {
            let Part::File { start, bytes } = step.part else { return Err(DagError::NotAFile(step.cid)) };
            let piece = cut(&bytes, start, &range);
            if !piece.is_empty() {
                return Ok(Some((piece, (walk, range))));
            }
        }
        Ok(None)
    });
    pieces.boxed()
}

/// What of the bytes that begin at `start` lies in the range.
fn cut(bytes: &Bytes, start: u64, range: &Range<u64>) -> Bytes {
    let inside = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX).min(bytes.len());
    let (from, to) = (inside(range.start), inside(range.end));
    bytes.slice(from..to.max(from))
}
