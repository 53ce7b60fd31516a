//! The form of a file's DAG follows from its size alone: which nodes there are, which bytes lie below each, what each
//! links to. So an interior node can be written again from its children's digests, and nobody needs to store it.
use std::ops::Range;

use super::super::cid::Digest;
use super::Profile;
use super::node::{FileLink, encode_file};

/// Where in a file's DAG a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// 0 for leaves.
    pub level: u8,
    /// From 0, within its level.
    pub number: u64,
}

impl Position {
    /// The leaf with this number.
    #[must_use]
    pub fn leaf(number: u64) -> Self {
        Self { level: 0, number }
    }
}

/// The DAG of a file of a known size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    profile: Profile,
    size: u64,
}

impl Shape {
    /// Of a file of `size` bytes.
    #[must_use]
    pub fn new(profile: Profile, size: u64) -> Self {
        Self { profile, size }
    }

    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Blocks of a level; level 0 are the leaves. An empty file has one.
    #[must_use]
    pub fn count(&self, level: u8) -> u64 {
        let leaves = self.size.div_ceil(self.profile.leaf_size).max(1);
        (0..level).fold(leaves, |below, _| below.div_ceil(self.profile.links_max))
    }

    /// Where the root is.
    #[must_use]
    pub fn root(&self) -> Position {
        let level = (0..u8::MAX).find(|level| self.count(*level) == 1).unwrap_or(u8::MAX);
        Position { level, number: 0 }
    }

    /// The file's bytes at or below a block; `None` where the file has no such block.
    #[must_use]
    pub fn span(&self, at: Position) -> Option<Range<u64>> {
        if at.level > self.root().level || at.number >= self.count(at.level) {
            return None;
        }
        let full = (0..at.level).fold(self.profile.leaf_size, |bytes, _| bytes.saturating_mul(self.profile.links_max));
        let start = full.checked_mul(at.number)?;
        Some(start..start.saturating_add(full).min(self.size))
    }

    /// Numbers of the leaves that hold some of these bytes. Empty when the range is.
    #[must_use]
    pub fn leaves_of(&self, bytes: &Range<u64>) -> Range<u64> {
        let end = bytes.end.min(self.size);
        if bytes.start >= end {
            return 0..0;
        }
        bytes.start / self.profile.leaf_size..end.div_ceil(self.profile.leaf_size)
    }

    /// Numbers, in the level below, of an interior node's children.
    #[must_use]
    pub fn children(&self, at: Position) -> Option<Range<u64>> {
        self.span(at)?;
        let below = at.level.checked_sub(1)?;
        let start = at.number * self.profile.links_max;
        Some(start..(start + self.profile.links_max).min(self.count(below)))
    }

    /// Writes the interior node at a position, given the digests of its children in order.
    ///
    /// `None` where there is no such node, or it has another number of children.
    #[must_use]
    pub fn encode(&self, at: Position, digests: &[Digest]) -> Option<Vec<u8>> {
        let children = self.children(at)?;
        if children.end - children.start != digests.len() as u64 {
            return None;
        }
        let level = at.level - 1;
        let tsizes = self.tsizes(level, &children)?;
        let links = children.clone().zip(digests).map(|(number, digest)| {
            let span = self.span(Position { level, number })?;
            let tsize = if number + 1 == children.end { tsizes.last } else { tsizes.full };
            Some(FileLink { digest: *digest, leaf: level == 0, size: span.end - span.start, tsize })
        });
        Some(encode_file(&links.collect::<Option<Vec<_>>>()?))
    }

    /// Bytes of the block at a position: of a leaf or of an encoded node.
    #[must_use]
    pub fn block_len(&self, at: Position) -> Option<u64> {
        let span = self.span(at)?;
        if at.level == 0 {
            return Some(span.end - span.start);
        }
        let children = self.children(at)?;
        let count = usize::try_from(children.end - children.start).ok()?;
        // Which digests are in a node does not change its length.
        Some(self.encode(at, &vec![Digest::default(); count])?.len() as u64)
    }

    /// Block bytes below and with each child: all but the last are full, and so alike.
    fn tsizes(&self, level: u8, children: &Range<u64>) -> Option<Tsizes> {
        let of = |number| self.tsize(Position { level, number });
        Some(Tsizes { full: of(children.start)?, last: of(children.end - 1)? })
    }

    /// Bytes of all blocks at and below a position, as links to it say.
    #[must_use]
    pub fn tsize(&self, at: Position) -> Option<u64> {
        let span = self.span(at)?;
        if at.level == 0 {
            return Some(span.end - span.start);
        }
        let children = self.children(at)?;
        let count = children.end - children.start;
        let tsizes = self.tsizes(at.level - 1, &children)?;
        let own = self.block_len(at)?;
        Some((count - 1) * tsizes.full + tsizes.last + own)
    }
}

struct Tsizes {
    full: u64,
    last: u64,
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, leaves_of};
    use super::*;
    use crate::content::cid;
    use proptest::prelude::*;

    fn digests(layout: &Layout, level: u8, shape: &Shape, numbers: Range<u64>) -> Vec<Digest> {
        let mut all: Vec<Vec<Digest>> = vec![layout.leaves.iter().map(|l| cid::digest_of(&l.0).unwrap()).collect()];
        for above in 1..=level {
            let of = |number| {
                let children = shape.children(Position { level: above, number }).unwrap();
                let children = &all[above as usize - 1][children.start as usize..children.end as usize];
                cid::sha256(&shape.encode(Position { level: above, number }, children).unwrap())
            };
            let made = (0..shape.count(above)).map(of).collect();
            all.push(made);
        }
        all[level as usize][numbers.start as usize..numbers.end as usize].to_vec()
    }

    #[test]
    fn the_largest_size_has_a_shape() {
        let shape = Shape::new(Profile::V1_2025, u64::MAX);
        assert_eq!(shape.root().level, 5);
        assert_eq!(shape.span(shape.root()), Some(0..u64::MAX));
        assert_eq!(shape.span(Position { level: 6, number: 0 }), None);
    }

    #[test]
    fn an_empty_file_has_one_empty_leaf() {
        let shape = Shape::new(Profile::V1_2025, 0);
        assert_eq!(shape.root(), Position::leaf(0));
        assert_eq!(shape.span(shape.root()), Some(0..0));
        assert_eq!(shape.leaves_of(&(0..10)), 0..0);
    }

    proptest! {
        #[test]
        fn every_node_is_written_again_from_its_childrens_digests(
            bytes in proptest::collection::vec(any::<u8>(), 0..150),
            leaf_size in 1u64..9,
            links_max in 2u64..6,
        ) {
            let profile = Profile { leaf_size, links_max };
            let layout = Layout::of(&bytes, profile);
            let shape = Shape::new(profile, bytes.len() as u64);
            let root = shape.root();
            prop_assert_eq!(shape.count(0), layout.leaves.len() as u64);
            let mut again = Vec::new();
            for level in 1..=root.level {
                for number in 0..shape.count(level) {
                    let at = Position { level, number };
                    let children = shape.children(at).unwrap();
                    let node = shape.encode(at, &digests(&layout, level - 1, &shape, children)).unwrap();
                    again.push((cid::of_node(&node), bytes::Bytes::from(node)));
                }
            }
            let mut built = layout.nodes.clone();
            built.sort();
            again.sort();
            prop_assert_eq!(again, built);
        }

        #[test]
        fn the_leaves_of_a_range_hold_exactly_its_bytes(
            size in 0u64..200, from in 0u64..250, len in 0u64..250, leaf_size in 1u64..9,
        ) {
            let bytes: Vec<u8> = (0..size).map(|n| n as u8).collect();
            let profile = Profile { leaf_size, links_max: 3 };
            let shape = Shape::new(profile, size);
            let range = from..from + len;
            let leaves = shape.leaves_of(&range);
            let all: Vec<&[u8]> = leaves_of(&bytes, profile).collect();
            let mut got = Vec::new();
            for number in leaves {
                let span = shape.span(Position::leaf(number)).unwrap();
                let leaf = all[number as usize];
                prop_assert_eq!(leaf.len() as u64, span.end - span.start);
                let (a, b) = (range.start.max(span.start), range.end.min(span.end));
                prop_assert!(a < b, "a leaf without a byte of the range");
                got.extend_from_slice(&leaf[(a - span.start) as usize..(b - span.start) as usize]);
            }
            let end = range.end.min(size) as usize;
            prop_assert_eq!(&got[..], &bytes[(from as usize).min(end)..end]);
        }
    }
}
