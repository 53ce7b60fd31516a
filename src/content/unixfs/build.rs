//! Builds a file's DAG while its leaves come in. Holds at most one unfinished node of each level: a file of 1 TiB needs
//! two times 1024 links, whatever its size.
use bytes::Bytes;

use super::super::Cid;
use super::super::cid::{self, DAG_PB, Digest, RAW};
use super::node::{FileLink, encode_file};
use super::{Position, Profile};

/// An interior node, ready to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltNode {
    /// Where in the file it is.
    pub position: Position,
    /// What it is called.
    pub digest: Digest,
    /// Its bytes (dag-pb).
    pub bytes: Bytes,
}

impl From<BuiltNode> for (Cid, Bytes) {
    fn from(node: BuiltNode) -> Self {
        (cid::of_digest(DAG_PB, &node.digest), node.bytes)
    }
}

/// What [`Builder::finish`] gives.
#[derive(Debug, Clone)]
pub struct Built {
    /// Of the whole.
    pub root: Cid,
    /// Bytes of the whole.
    pub size: u64,
    /// The nodes that were not full, leaves' parents first, root last.
    pub nodes: Vec<BuiltNode>,
}

/// See the module.
#[derive(Debug)]
pub struct Builder {
    profile: Profile,
    levels: Vec<Level>,
}

#[derive(Debug, Default)]
struct Level {
    /// Children of the next node.
    open: Vec<FileLink>,
    /// Nodes made of this level's links so far.
    closed: u64,
}

impl Builder {
    /// For one file.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self { profile, levels: vec![Level::default()] }
    }

    /// Takes the next leaf: its digest and length. All but the last have the profile's length. Gives the nodes that became
    /// full by it, lower ones first: mostly none.
    pub fn push(&mut self, digest: Digest, len: u64) -> Vec<BuiltNode> {
        self.levels[0].open.push(FileLink { digest, leaf: true, size: len, tsize: len });
        let mut full = Vec::new();
        let mut at = 0;
        while self.levels[at].open.len() as u64 >= self.profile.links_max {
            full.push(self.close(at));
            at += 1;
        }
        full
    }

    /// Ends the file. Without any leaf it is the empty file, which is one empty leaf.
    #[must_use]
    pub fn finish(mut self) -> Built {
        let mut nodes = Vec::new();
        let mut at = 0;
        while at + 1 < self.levels.len() || self.levels[at].open.len() > 1 {
            if !self.levels[at].open.is_empty() {
                nodes.push(self.close(at));
            }
            at += 1;
        }
        let empty = FileLink { digest: cid::sha256(b""), leaf: true, size: 0, tsize: 0 };
        let root = self.levels[at].open.first().copied().unwrap_or(empty);
        let codec = if root.leaf { RAW } else { DAG_PB };
        Built { root: cid::of_digest(codec, &root.digest), size: root.size, nodes }
    }

    /// Makes a node of the open links of level `at` and links it one level up.
    fn close(&mut self, at: usize) -> BuiltNode {
        let level = &mut self.levels[at];
        let bytes = encode_file(&level.open);
        let digest = cid::sha256(&bytes);
        let size = level.open.iter().map(|l| l.size).sum();
        let tsize = level.open.iter().map(|l| l.tsize).sum::<u64>() + bytes.len() as u64;
        let position = Position { level: at as u8 + 1, number: level.closed };
        level.open.clear();
        level.closed += 1;
        if self.levels.len() == at + 1 {
            self.levels.push(Level::default());
        }
        self.levels[at + 1].open.push(FileLink { digest, leaf: false, size, tsize });
        BuiltNode { position, digest, bytes: bytes.into() }
    }
}
