//! The blocks of a DAG one after another, each before what is below it, and several fetched ahead.
//!
//! ```text
//!  queue:  [ next | later | later | ... ]      the first few are being fetched while the next is waited for
//!            └─ decode ─► its children take its place at the front, in their order
//! ```
//! The queue is all that is remembered: it grows with the width and depth of the DAG and not with its size.
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio_util::task::AbortOnDropHandle;

use super::{DagError, Source};
use crate::content::Cid;
use crate::content::cid::{self, DAG_PB, RAW, canonical};
use crate::content::ipld;
use crate::content::unixfs::folder;
use crate::content::unixfs::node::{self, Link, Node};

/// Links that wait at most: a node has at most about 46,000.
const QUEUE_MAX: usize = 200_000;
/// Nodes below each other at most. A file of 2^64 bytes needs six, a path of the longest names some more.
const DEPTH_MAX: u32 = 256;
/// Blocks of one walk at most.
const BLOCKS_MAX: u64 = 1 << 24;
/// Blocks that are remembered as told already.
const TOLD_MAX: usize = 1 << 21;

/// A codec and the first bytes of a hash.
type Key = (u64, [u8; 16]);

/// How much of a DAG is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The block alone.
    Block,
    /// The file, or the folder without what is in it.
    Entity,
    /// Everything below.
    All,
}

/// How a DAG is walked.
#[derive(Debug, Clone)]
pub struct WalkOptions {
    /// See [`Scope`].
    pub scope: Scope,
    /// Of a file, only the blocks that these bytes lie in.
    pub range: Option<Range<u64>>,
    /// Blocks that are fetched at the same time; at least 1.
    pub ahead: usize,
    /// Whether a block comes each time that the DAG leads to it, or only once.
    pub again: bool,
    /// Whether sizes that a file's nodes tell of what is below them have to be true.
    pub strict: bool,
}

/// What a block is within the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// It has these bytes of a file, which begin at that place. Empty in a node that has only links.
    File {
        /// Place of the first byte.
        start: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// Names of a folder, with those of the shards above left out.
    Folder(Vec<Link>),
    /// Something else.
    Other,
}

/// A block as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, as the DAG writes it.
    pub cid: Cid,
    /// Its bytes.
    pub block: Bytes,
    /// See [`Part`].
    pub part: Part,
}

struct Waiting {
    cid: Cid,
    /// Place of its first byte in the file that it is a part of, and how many the node above tells.
    start: u64,
    told: Option<u64>,
    depth: u32,
    /// Within one sharded folder.
    shard: bool,
    fetching: Option<AbortOnDropHandle<Result<Bytes, DagError>>>,
}

impl Waiting {
    fn new(cid: Cid, depth: u32) -> Self {
        Self { cid, start: 0, told: None, depth, shard: false, fetching: None }
    }
}

/// See the module.
pub struct Walk {
    source: Arc<dyn Source>,
    options: WalkOptions,
    queue: VecDeque<Waiting>,
    /// What came.
    told: HashSet<Key>,
    count: u64,
}

impl Walk {
    /// From `root` on.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, root: Cid, options: WalkOptions) -> Self {
        let queue = VecDeque::from([Waiting::new(root, 0)]);
        Self { source, options, queue, told: HashSet::new(), count: 0 }
    }

    /// The next block; `None` after the last. After an error nothing comes.
    ///
    /// # Errors
    /// See [`DagError`].
    pub async fn next(&mut self) -> Result<Option<Step>, DagError> {
        loop {
            let next = self.advance().await;
            match next {
                Ok(Some((step, true))) => return Ok(Some(step)),
                Ok(Some((_, false))) => {}
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.queue.clear();
                    return Err(error);
                }
            }
        }
    }

    /// The next block, and whether it is to be told.
    async fn advance(&mut self) -> Result<Option<(Step, bool)>, DagError> {
        let Some(mut next) = self.queue.pop_front() else { return Ok(None) };
        let first = !self.knows(&next.cid)?;
        if !first && !self.options.again && self.options.range.is_none() {
            // What is below it came, too.
            return Ok(Some((Step { cid: next.cid, block: Bytes::new(), part: Part::Other }, false)));
        }
        start(&self.source, &mut next);
        self.fetch_ahead();
        let fetching = next.fetching.take().ok_or(DagError::NotFound(next.cid))?;
        // A task that was ended is one of a runtime that ends.
        let block = fetching.await.map_err(|_| DagError::NotFound(next.cid))??;
        self.count += 1;
        if self.count > BLOCKS_MAX {
            return Err(DagError::Limit(next.cid, "in a DAG of too many blocks"));
        }
        let part = self.open(&next, &block)?;
        let told = first || self.options.again;
        Ok(Some((Step { cid: next.cid, block, part }, told)))
    }

    fn knows(&mut self, cid: &Cid) -> Result<bool, DagError> {
        let Some(key) = key(cid).filter(|_| !self.options.again) else { return Ok(false) };
        let first = self.told.insert(key);
        if self.told.len() > TOLD_MAX {
            return Err(DagError::Limit(*cid, "in a DAG of too many blocks to leave out those that came before"));
        }
        Ok(!first)
    }

    fn fetch_ahead(&mut self) {
        for waiting in self.queue.iter_mut().take(self.options.ahead.saturating_sub(1)) {
            if !key(&waiting.cid).is_some_and(|key| self.told.contains(&key)) {
                start(&self.source, waiting);
            }
        }
    }

    /// Looks into a block, and puts what is below it in front.
    fn open(&mut self, at: &Waiting, block: &Bytes) -> Result<Part, DagError> {
        let of_file = at.told.is_some();
        match canonical(&at.cid).codec() {
            RAW => {
                self.true_size(at, block.len() as u64)?;
                Ok(Part::File { start: at.start, bytes: block.clone() })
            }
            DAG_PB => match node::decode(block) {
                Ok(node) => self.open_node(at, node),
                Err(node::NodeError::NotUnixFs(_)) if !of_file && self.options.scope != Scope::Entity => {
                    let links = node::links(block).map_err(|error| DagError::node(&at.cid, &error))?;
                    self.push_all(at, links)?;
                    Ok(Part::Other)
                }
                Err(error) => Err(DagError::node(&at.cid, &error)),
            },
            _ if of_file => Err(DagError::UnknownCodec(at.cid)),
            codec => {
                if self.options.scope == Scope::All {
                    let links = ipld::links(codec, block).map_err(|error| DagError::ipld(&at.cid, error))?;
                    self.push_all(at, links)?;
                }
                Ok(Part::Other)
            }
        }
    }

    fn open_node(&mut self, at: &Waiting, node: Node) -> Result<Part, DagError> {
        let all = self.options.scope == Scope::All;
        match node {
            Node::File { inline, links, size } => {
                self.true_size(at, size)?;
                self.push_file(at, at.start.saturating_add(inline.len() as u64), links)?;
                Ok(Part::File { start: at.start, bytes: inline })
            }
            _ if at.told.is_some() => Err(DagError::NotAFile(at.cid)),
            Node::Folder(_) if at.shard => Err(DagError::NotAFolder(at.cid)),
            Node::Folder(links) => {
                if all {
                    self.push_all(at, links.iter().map(|link| link.cid))?;
                }
                Ok(Part::Folder(links))
            }
            Node::Shard { links, fanout } => self.push_shard(at, links, fanout),
            Node::Symlink(_) => Ok(Part::Other),
        }
    }

    fn true_size(&self, at: &Waiting, found: u64) -> Result<(), DagError> {
        match at.told.filter(|told| self.options.strict && *told != found) {
            Some(told) => Err(DagError::Lies { cid: at.cid, told, found }),
            None => Ok(()),
        }
    }

    fn push_file(&mut self, above: &Waiting, mut start: u64, links: Vec<(Cid, u64)>) -> Result<(), DagError> {
        if self.options.scope == Scope::Block {
            return Ok(());
        }
        let mut children = Vec::new();
        for (cid, size) in links {
            let end = start.checked_add(size).ok_or(DagError::Limit(above.cid, "longer than can be counted"))?;
            if self.options.range.as_ref().is_none_or(|range| start < range.end && range.start < end) {
                children.push(Waiting { start, told: Some(size), ..Waiting::new(cid, above.depth + 1) });
            }
            start = end;
        }
        self.push(above, children)
    }

    fn push_shard(&mut self, above: &Waiting, links: Vec<Link>, fanout: u64) -> Result<Part, DagError> {
        let mut children = Vec::new();
        let mut entries = Vec::new();
        for link in links {
            let (shard, name) = folder::entry(&link.name, fanout);
            if shard || self.options.scope == Scope::All {
                children.push(Waiting { shard, ..Waiting::new(link.cid, above.depth + 1) });
            }
            if let Some(name) = name {
                entries.push(Link { name: name.to_owned(), ..link });
            }
        }
        if self.options.scope != Scope::Block {
            self.push(above, children)?;
        }
        Ok(Part::Folder(entries))
    }

    fn push_all(&mut self, above: &Waiting, links: impl IntoIterator<Item = Cid>) -> Result<(), DagError> {
        if self.options.scope != Scope::All {
            return Ok(());
        }
        self.push(above, links.into_iter().map(|cid| Waiting::new(cid, above.depth + 1)).collect())
    }

    fn push(&mut self, above: &Waiting, children: Vec<Waiting>) -> Result<(), DagError> {
        if above.depth >= DEPTH_MAX && !children.is_empty() {
            return Err(DagError::Limit(above.cid, "too deep in its DAG"));
        }
        if self.queue.len() + children.len() > QUEUE_MAX {
            return Err(DagError::Limit(above.cid, "in a DAG that is too wide"));
        }
        for child in children.into_iter().rev() {
            self.queue.push_front(child);
        }
        Ok(())
    }
}

/// What tells a block from any other; `None` for one that is in its name.
fn key(cid: &Cid) -> Option<Key> {
    let mut first = [0; 16];
    first.iter_mut().zip(cid.hash().digest()).for_each(|(at, byte)| *at = *byte);
    cid::inline(cid).is_none().then_some((canonical(cid).codec(), first))
}

fn start(source: &Arc<dyn Source>, waiting: &mut Waiting) {
    if waiting.fetching.is_none() {
        let (source, cid) = (Arc::clone(source), waiting.cid);
        let task = tokio::spawn(async move { source.block(&cid).await });
        waiting.fetching = Some(AbortOnDropHandle::new(task));
    }
}
