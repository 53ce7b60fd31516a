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
    /// Bytes of all blocks: `size` and the nodes.
    pub tsize: u64,
    /// The nodes that were not full, leaves' parents first, root last.
    pub nodes: Vec<BuiltNode>,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Builder {
    profile: Profile,
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Default)]
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
        Built { root: cid::of_digest(codec, &root.digest), size: root.size, tsize: root.tsize, nodes }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::unixfs::LEAF_SIZE;

    const GIB: usize = 1024 * LEAF_SIZE;

    /// Leaf `number` of the files that `tests/interop/helia` names too.
    fn leaf(number: usize, pattern: &mut [u8]) -> &[u8] {
        pattern[..4].copy_from_slice(&(number as u32).to_le_bytes());
        pattern
    }

    fn root(builder: &Builder, pattern: &mut [u8], number: usize, rest: usize) -> String {
        let mut builder = builder.clone();
        if rest > 0 {
            builder.push(cid::sha256(&leaf(number, pattern)[..rest]), rest as u64);
        }
        builder.finish().root.to_string()
    }

    #[test]
    fn files_have_the_cids_that_helia_gives_them() {
        let vectors = [
            (0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
            (1, "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu"),
            (LEAF_SIZE - 1, "bafkreif6jkqyddenvzx4qb4nwphmsrcoumi2xxcqa5ay4e7mg722i2fdjq"),
            (LEAF_SIZE, "bafkreiby5h3vfxm4hw5oozdih3d3w4bclbp4t2py4bybamu7fw3ohrkf7a"),
            (LEAF_SIZE + 1, "bafybeiha7zwkpjcgrdyjmzrfr4bz7eobrbe42rw4aztjvhimqyjuloqdoi"),
            (2 * LEAF_SIZE, "bafybeibvutglj5s6a52eb3hyg3ulexfyytnihunqwaqkh5bpjevgzdooyu"),
            (GIB, "bafybeifeh7lcwvm5t3klbjtldtbetmxxmffma5u6oraaxj32twpofbmm5u"),
            (GIB + 1, "bafybeia2faurgedt7o4wrwl2rvhk2y6rcxizottgnbhnq34blm3prkmqwe"),
            (GIB + 3 * LEAF_SIZE + 5, "bafybeihrytmfcrtmvppspfdrqnxmrdadic6k6i256cfabbgj2kfa563eom"),
        ];
        let mut pattern: Vec<u8> = b"a dish for everyone, ".iter().copied().cycle().take(LEAF_SIZE).collect();
        let mut builder = Builder::new(Profile::V1_2025);
        let mut number = 0;
        for (size, expected) in vectors {
            while (number + 1) * LEAF_SIZE <= size {
                builder.push(cid::sha256(leaf(number, &mut pattern)), LEAF_SIZE as u64);
                number += 1;
            }
            assert_eq!(root(&builder, &mut pattern, number, size % LEAF_SIZE), expected, "{size} bytes");
        }
    }
}
