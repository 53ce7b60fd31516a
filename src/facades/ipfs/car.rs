//! A DAG as a stream of CAR sections: depth first, one block in memory at a time.
use std::ops::Range;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::Resolved;
use super::request::{Query, Scope};
use crate::blocks::{BlockError, Blocks};
use crate::content::car::{header, section_prefix};
use crate::content::cid::{DAG_PB, canonical, sha256};
use crate::content::unixfs::folder;
use crate::content::unixfs::node::{self, Node};
use crate::content::{Cid, ranges};

/// A block to be sent, and where in the file its bytes begin.
struct Step {
    cid: Cid,
    start: u64,
}

struct Walk {
    blocks: Blocks,
    /// The next block last.
    stack: Vec<Step>,
    scope: Scope,
    range: Option<Range<u64>>,
}

/// The part of the entity tag that tells one CAR of a CID from another.
pub(super) fn form(found: &Resolved, query: &Query) -> String {
    let what = format!("{:?} {:?} {:?}", found.cids, query.scope, query.entity_bytes);
    format!(".car.{}", data_encoding::BASE32_NOPAD.encode(&sha256(what.as_bytes())[..10]).to_lowercase())
}

/// The bytes of a file that `entity-bytes` asks for; a folder is one whatever is asked.
pub(super) async fn range(blocks: &Blocks, cid: &Cid, text: &str) -> Result<Option<Range<u64>>, BlockError> {
    match blocks.file_size(cid).await {
        Ok(size) => Ok(ranges::entity_bytes(text, size)),
        Err(BlockError::NotAFile(_)) => Ok(Some(0..u64::MAX)),
        Err(error) => Err(error),
    }
}

/// The CAR. The first block is read before it is begun.
pub(super) async fn body(
    blocks: &Blocks,
    found: &Resolved,
    scope: Scope,
    range: Option<Range<u64>>,
) -> Result<Body, BlockError> {
    let mut begin = vec![Bytes::from(header(&found.cids[..1]))];
    for (cid, block) in &found.proof {
        begin.extend([section_prefix(cid, block.len()).into(), block.clone()]);
    }
    let mut walk = Walk { blocks: blocks.clone(), stack: vec![Step { cid: found.last(), start: 0 }], scope, range };
    begin.extend(walk.next().await?.into_iter().flatten());
    let rest = stream::try_unfold(walk, |mut walk| async move {
        let section = walk.next().await?;
        Ok::<_, BlockError>(section.map(|section| (stream::iter(section.map(Ok::<_, BlockError>)), walk)))
    });
    Ok(Body::from_stream(stream::iter(begin.into_iter().map(Ok)).chain(rest.try_flatten())))
}

impl Walk {
    /// The next section: what comes before the block, and the block.
    async fn next(&mut self) -> Result<Option<[Bytes; 2]>, BlockError> {
        let Some(step) = self.stack.pop() else { return Ok(None) };
        let block = self.blocks.get(&step.cid).await?;
        if canonical(&step.cid).codec() == DAG_PB && self.scope != Scope::Block {
            let node = node::decode(&block).map_err(|_| BlockError::NotAFile(step.cid))?;
            self.push_children(node, step.start);
        }
        Ok(Some([section_prefix(&step.cid, block.len()).into(), block]))
    }

    fn push_children(&mut self, node: Node, start: u64) {
        let first = self.stack.len();
        match node {
            Node::File { inline, links, .. } => {
                let mut start = start + inline.len() as u64;
                for (cid, size) in links {
                    if self.wanted(start..start.saturating_add(size)) {
                        self.stack.push(Step { cid, start });
                    }
                    start = start.saturating_add(size);
                }
            }
            Node::Folder(links) if self.scope == Scope::All => {
                self.stack.extend(links.into_iter().map(|link| Step { cid: link.cid, start: 0 }));
            }
            Node::Shard { links, .. } if self.scope == Scope::All => {
                self.stack.extend(links.into_iter().map(|link| Step { cid: link.cid, start: 0 }));
            }
            Node::Shard { links, fanout } => {
                self.stack.extend(folder::shards(&links, fanout).map(|cid| Step { cid, start: 0 }));
            }
            Node::Folder(_) | Node::Symlink(_) => {}
        }
        self.stack[first..].reverse();
    }

    fn wanted(&self, span: Range<u64>) -> bool {
        self.range.as_ref().is_none_or(|range| span.start < range.end && range.start < span.end)
    }
}
