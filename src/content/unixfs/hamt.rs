//! Sharded folders: how a name finds its slot, and how a large folder becomes shards.
//!
//! Source: the UnixFS specification, "HAMT sharded directory". A slot is the next 8 bits (at fan-out 256) of the first
//! half of murmur3-x64-128 of the name; the name of a link is its slot in hexadecimal, followed by the entry's name.
use std::collections::BTreeMap;

use bytes::Bytes;

use super::folder::{FolderBuilt, FolderEntry, FolderError};
use super::node::{Data, Type, encode};
use crate::content::cid;

/// Multihash code of murmur3-x64-64, the only function UnixFS uses here.
pub(super) const HASH_TYPE: u64 = 0x22;
/// Slots of the shards this node makes.
const FANOUT: u64 = 256;
/// The hash has 64 bits, eight levels of 8: names that agree in all of them cannot be told apart.
const DEPTH_MAX: u32 = 8;

/// The slot of a name at a depth (0 at the root), for shards with `fanout` slots (a power of two).
pub(super) fn slot(name: &str, depth: u32, fanout: u64) -> Option<u64> {
    let bits = fanout.trailing_zeros();
    let shift = u64::BITS.checked_sub(bits * (depth + 1))?;
    Some((hash(name) >> shift) & (fanout - 1))
}

/// How a link's name begins.
pub(super) fn prefix(slot: u64, fanout: u64) -> String {
    format!("{slot:0width$X}", width = prefix_len(fanout))
}

/// Letters that hold a link's slot.
pub(super) fn prefix_len(fanout: u64) -> usize {
    format!("{:X}", fanout - 1).len()
}

/// Writes the shards of a folder, the root last.
pub(super) fn build(entries: Vec<FolderEntry>) -> Result<FolderBuilt, FolderError> {
    shard(entries, 0)
}

fn shard(entries: Vec<FolderEntry>, depth: u32) -> Result<FolderBuilt, FolderError> {
    if depth == DEPTH_MAX {
        return Err(FolderError::Collision(entries.into_iter().next().map(|e| e.name).unwrap_or_default()));
    }
    let mut slots: BTreeMap<u64, Vec<FolderEntry>> = BTreeMap::new();
    for entry in entries {
        slots.entry(slot(&entry.name, depth, FANOUT).unwrap_or(0)).or_default().push(entry);
    }
    let bits = bitfield(slots.keys().copied());
    let (mut nodes, mut links) = (Vec::new(), Vec::new());
    for (slot, mut entries) in slots {
        let prefix = prefix(slot, FANOUT);
        let link = if entries.len() == 1 {
            let FolderEntry { name, cid, tsize } = entries.remove(0);
            FolderEntry { name: prefix + &name, cid, tsize }
        } else {
            let FolderBuilt { root, tsize, nodes: below } = shard(entries, depth + 1)?;
            nodes.extend(below);
            FolderEntry { name: prefix, cid: root, tsize }
        };
        links.push(link);
    }
    let data = Data {
        kind: Type::HamtShard.into(),
        data: Some(bits),
        hash_type: Some(HASH_TYPE),
        fanout: Some(FANOUT),
        ..Data::default()
    };
    let tsize: u64 = links.iter().map(|link| link.tsize).sum();
    let bytes = encode(data, links.into_iter().map(Into::into).collect());
    let (root, tsize) = (cid::of_node(&bytes), tsize + bytes.len() as u64);
    nodes.push((root, bytes.into()));
    Ok(FolderBuilt { root, tsize, nodes })
}

/// One bit a slot, slot 0 in the last byte's lowest bit, without leading zero bytes.
fn bitfield(slots: impl Iterator<Item = u64>) -> Bytes {
    let mut bytes = [0u8; FANOUT as usize / 8];
    for slot in slots {
        let at = bytes.len() - 1 - slot as usize / 8;
        bytes[at] |= 1 << (slot % 8);
    }
    let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
    Bytes::copy_from_slice(&bytes[first..])
}

fn hash(name: &str) -> u64 {
    let both = murmur3::murmur3_x64_128(&mut name.as_bytes(), 0).expect("reading from memory cannot go wrong");
    // The crate puts the first half into the low bits.
    both as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_slots_that_other_implementations_give_them() {
        // murmur3-x64-128 of "hello", first half: cbd8a7b341bd9b02.
        assert_eq!(hash("hello"), 0xcbd8_a7b3_41bd_9b02);
        assert_eq!((slot("hello", 0, 256), slot("hello", 7, 256)), (Some(0xcb), Some(0x02)));
        assert_eq!(slot("hello", 8, 256), None);
        assert_eq!(slot("hello", 0, 16), Some(0xc));
        assert_eq!((prefix(0xb, 256), prefix(0xb, 1024), prefix(0xb, 16)), ("0B".into(), "00B".into(), "B".into()));
    }

    #[test]
    fn a_bitfield_has_no_leading_zeros() {
        assert_eq!(bitfield([0].into_iter()), vec![1]);
        assert_eq!(bitfield([9, 0].into_iter()), vec![2, 1]);
        assert_eq!(bitfield([255].into_iter())[0], 0x80);
    }
}
