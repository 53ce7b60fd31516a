//! Folders: names to CIDs. Flat up to a node of 256 KiB, sharded above (IPIP-499: the size of the encoded node decides).
use bytes::Bytes;
use ipld_dagpb::PbLink;

use super::hamt;
use super::node::{Data, Node, Type, encode};
use crate::content::{Cid, cid};

/// Largest node of a folder that is not sharded.
pub const FLAT_MAX: usize = 256 * 1024;
/// Shards between a folder and an entry, at most: 64 bits of hash, at least 3 a level.
pub const DEPTH_MAX: u32 = 21;

/// What a folder holds under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Without a slash.
    pub name: String,
    /// File or folder.
    pub cid: Cid,
    /// Block bytes of its whole DAG.
    pub tsize: u64,
}

impl From<FolderEntry> for PbLink {
    fn from(entry: FolderEntry) -> Self {
        Self { cid: entry.cid, name: Some(entry.name), size: Some(entry.tsize) }
    }
}

/// The nodes of a folder, without those of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderBuilt {
    /// What the folder is called.
    pub root: Cid,
    /// Block bytes of its whole DAG.
    pub tsize: u64,
    /// The root last.
    pub nodes: Vec<(Cid, Bytes)>,
}

/// Why there is no folder of these entries.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FolderError {
    /// Too many names have the same hash as this one.
    #[error("too many names hash like {0:?}")]
    Collision(String),
}

/// Writes a folder. Names must be unique; their order does not matter.
///
/// # Errors
/// [`FolderError::Collision`], which takes an effort to bring about.
pub fn build(entries: Vec<FolderEntry>) -> Result<FolderBuilt, FolderError> {
    let data = Data { kind: Type::Directory.into(), ..Data::default() };
    let bytes = encode(data, entries.iter().cloned().map(Into::into).collect());
    if bytes.len() > FLAT_MAX {
        return hamt::build(entries);
    }
    let tsize = entries.iter().map(|entry| entry.tsize).sum::<u64>() + bytes.len() as u64;
    let root = cid::of_node(&bytes);
    Ok(FolderBuilt { root, tsize, nodes: vec![(root, bytes.into())] })
}

/// Where a name leads from a folder's node or shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the entry itself.
    Entry(Cid),
    /// To a deeper shard that may know it.
    Shard(Cid),
}

/// Looks a name up in a folder's root (`depth` 0) or in a shard below it.
#[must_use]
pub fn find(node: &Node, name: &str, depth: u32) -> Option<Step> {
    match node {
        Node::Folder(links) => links.iter().find(|link| link.name == name).map(|link| Step::Entry(link.cid)),
        Node::Shard { links, fanout } => {
            let prefix = hamt::prefix(hamt::slot(name, depth, *fanout)?, *fanout);
            let of_slot = links.iter().filter_map(|link| Some((link.name.strip_prefix(&prefix)?, link.cid)));
            of_slot.into_iter().find_map(|(rest, cid)| match rest {
                "" => Some(Step::Shard(cid)),
                rest if rest == name => Some(Step::Entry(cid)),
                _ => None,
            })
        }
        Node::File { .. } | Node::Symlink(_) => None,
    }
}

/// What the name of a link in a shard says: whether it leads to a deeper shard of the same folder, and else the name of the entry.
#[must_use]
pub fn entry(link: &str, fanout: u64) -> (bool, Option<&str>) {
    let len = hamt::prefix_len(fanout);
    match link.get(len..) {
        Some("") => (true, None),
        name => (false, name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::node::decode;
    use super::*;
    use std::collections::HashMap;

    fn entries(count: usize) -> Vec<FolderEntry> {
        let entry = |n: usize| {
            let name = format!("a file with a fairly long name {n}");
            FolderEntry { cid: cid::of_raw(name.as_bytes()), tsize: name.len() as u64, name }
        };
        (0..count).map(entry).collect()
    }

    fn look_up(built: &FolderBuilt, name: &str) -> Option<Cid> {
        let nodes: HashMap<Cid, Bytes> = built.nodes.iter().cloned().collect();
        let mut at = built.root;
        for depth in 0..DEPTH_MAX {
            match find(&decode(&nodes[&at]).unwrap(), name, depth)? {
                Step::Entry(cid) => return Some(cid),
                Step::Shard(cid) => at = cid,
            }
        }
        None
    }

    #[test]
    fn an_empty_folder_has_the_published_cid() {
        let built = build(Vec::new()).unwrap();
        assert_eq!(built.root.to_string(), "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
    }

    /// The folders of `tests/interop/helia`: an empty file, then files that hold their number.
    fn numbered(count: usize, name: impl Fn(usize) -> String) -> Vec<FolderEntry> {
        let content = |n: usize| if n == 0 { String::new() } else { n.to_string() };
        let entry =
            |n| FolderEntry { name: name(n), cid: cid::of_raw(content(n).as_bytes()), tsize: content(n).len() as u64 };
        (0..count).map(entry).collect()
    }

    #[test]
    fn folders_have_the_cids_that_helia_gives_them() {
        let root = |count, name: fn(usize) -> String| build(numbered(count, name)).unwrap().root.to_string();
        assert_eq!(root(3495, |n| format!("{n:031}")), "bafybeienypnlib7cr4u234mqa7zi5uxyjstdpg4mvuyyliu2dx4j5sa47i");
        assert_eq!(root(3496, |n| format!("{n:031}")), "bafybeidudtzzsg5bfkjv5rp4jfvygtsccovqbnxscz67ju3ee57inupksy");
        let two_levels = root(9000, |n| format!("track {n} ü.flac"));
        assert_eq!(two_levels, "bafybeiaielk4iuydw6daitets54xsh7j4mqoaigcdzaz67yikt5fperiki");
    }

    #[test]
    fn every_entry_of_a_flat_and_of_a_sharded_folder_is_found() {
        for (count, nodes) in [(10, 1..2), (4000, 2..4000)] {
            let built = build(entries(count)).unwrap();
            assert!(nodes.contains(&built.nodes.len()), "{}", built.nodes.len());
            for entry in entries(count) {
                assert_eq!(look_up(&built, &entry.name), Some(entry.cid));
            }
            for name in ["", "..", "a file", "0A", "a file with a fairly long name 99999"] {
                assert_eq!(look_up(&built, name), None, "{name}");
            }
        }
    }

    #[test]
    fn the_order_of_entries_does_not_matter() {
        for count in [10, 4000] {
            let reversed = entries(count).into_iter().rev().collect();
            assert_eq!(build(reversed).unwrap().root, build(entries(count)).unwrap().root);
        }
    }

    #[test]
    fn the_encoded_size_decides_whether_a_folder_is_sharded() {
        // 4 bytes of data; a link takes 36 + 2 of CID, 2 + 32 of name, 2 of size and 2 around it.
        let entry = |n: usize| FolderEntry { name: format!("{n:032}"), cid: cid::of_raw(b""), tsize: 1 };
        let fits = (FLAT_MAX - 4) / 76;
        assert_eq!(build((0..fits).map(entry).collect()).unwrap().nodes.len(), 1);
        assert!(build((0..=fits).map(entry).collect()).unwrap().nodes.len() > 1);
    }
}
