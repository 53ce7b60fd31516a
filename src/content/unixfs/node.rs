//! dag-pb nodes and the UnixFS message in them: exact bytes out, limits on the way in.
//!
//! Sources: the dag-pb specification (links before data) and the UnixFS specification's `Data` message. Files of this node carry neither
//! mode nor modification time, because the profile leaves them out.
use bytes::Bytes;
use ipld_dagpb::{PbLink, PbNode};
use prost::Message;

use super::super::Cid;
use super::super::cid::{self, DAG_PB, Digest, RAW};

/// Largest node that is decoded. IPFS peers exchange at most 2 MiB a block.
pub const NODE_MAX: usize = 2 * 1024 * 1024;

/// Why bytes are not a UnixFS node.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NodeError {
    /// Larger than [`NODE_MAX`].
    #[error("the node is larger than {NODE_MAX} bytes")]
    TooLarge,
    /// Not dag-pb.
    #[error("not a dag-pb node")]
    NotDagPb,
    /// dag-pb, but the data inside is no UnixFS message or contradicts the links.
    #[error("not a UnixFS node: {0}")]
    NotUnixFs(&'static str),
}

/// The `Type` of a UnixFS message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum Type {
    /// Bytes, an old kind of leaf.
    Raw = 0,
    /// A folder.
    Directory = 1,
    /// A file or a part of one.
    File = 2,
    /// Not in use.
    Metadata = 3,
    /// A symbolic link.
    Symlink = 4,
    /// A part of a large folder.
    HamtShard = 5,
}

/// The UnixFS `Data` message.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Data {
    #[prost(enumeration = "Type", required, tag = "1")]
    pub kind: i32,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub data: Option<Bytes>,
    #[prost(uint64, optional, tag = "3")]
    pub filesize: Option<u64>,
    #[prost(uint64, repeated, packed = "false", tag = "4")]
    pub blocksizes: Vec<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub hash_type: Option<u64>,
    #[prost(uint64, optional, tag = "6")]
    pub fanout: Option<u64>,
}

/// One link of an interior node of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLink {
    /// Of the child block.
    pub digest: Digest,
    /// Whether the child is a leaf (`raw`) or a node (`dag-pb`).
    pub leaf: bool,
    /// File bytes below it.
    pub size: u64,
    /// Block bytes below it: `size` and all nodes.
    pub tsize: u64,
}

impl FileLink {
    fn cid(&self) -> Cid {
        cid::of_digest(if self.leaf { RAW } else { DAG_PB }, &self.digest)
    }
}

/// Writes an interior node of a file.
#[must_use]
pub fn encode_file(links: &[FileLink]) -> Vec<u8> {
    let data = Data {
        kind: Type::File.into(),
        filesize: Some(links.iter().map(|l| l.size).sum()),
        blocksizes: links.iter().map(|l| l.size).collect(),
        ..Data::default()
    };
    let links = links.iter().map(|l| PbLink { cid: l.cid(), name: Some(String::new()), size: Some(l.tsize) });
    encode(data, links.collect())
}

/// Writes any node.
pub(super) fn encode(data: Data, links: Vec<PbLink>) -> Vec<u8> {
    PbNode { links, data: Some(data.encode_to_vec().into()) }.into_bytes()
}

/// A link as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Of the child.
    pub cid: Cid,
    /// Empty in files.
    pub name: String,
    /// Block bytes below it, as the writer claims.
    pub tsize: u64,
}

/// A UnixFS node as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A file or a part of one.
    File {
        /// Bytes in the node itself (old profiles put them there); they come before the links' bytes.
        inline: Bytes,
        /// Each child with the number of file bytes below it.
        links: Vec<(Cid, u64)>,
        /// Bytes of the whole.
        size: u64,
    },
    /// A folder whose entries are all here.
    Folder(Vec<Link>),
    /// A part of a sharded folder.
    Shard {
        /// Entries and deeper shards; names begin with their slot.
        links: Vec<Link>,
        /// Slots of a shard: a power of two, at most 1024.
        fanout: u64,
    },
    /// A symbolic link to this path.
    Symlink(Bytes),
}

/// Reads a node.
///
/// # Errors
/// See [`NodeError`]. A file whose sizes do not add up is refused.
pub fn decode(bytes: &[u8]) -> Result<Node, NodeError> {
    let PbNode { links, data } = decode_dag_pb(bytes)?;
    let data = Data::decode(data.ok_or(NodeError::NotUnixFs("it has no data"))?)
        .map_err(|_| NodeError::NotUnixFs("its data is no UnixFS message"))?;
    match Type::try_from(data.kind) {
        Ok(Type::File | Type::Raw) => file(data, links),
        Ok(Type::Directory) => Ok(Node::Folder(links.into_iter().map(named).collect())),
        Ok(Type::HamtShard) => shard(&data, links),
        Ok(Type::Symlink) => Ok(Node::Symlink(data.data.unwrap_or_default())),
        Ok(Type::Metadata) | Err(_) => Err(NodeError::NotUnixFs("its type is not known")),
    }
}

/// What a dag-pb node links to, whatever is in it.
///
/// # Errors
/// [`NodeError::TooLarge`], [`NodeError::NotDagPb`].
pub fn links(bytes: &[u8]) -> Result<Vec<Cid>, NodeError> {
    Ok(decode_dag_pb(bytes)?.links.into_iter().map(|link| link.cid).collect())
}

/// Writes a file's node from any links, each with the bytes that it tells of them, and the bytes that it holds itself. For those
/// who check readers: the sizes need not be true.
#[must_use]
pub fn encode_any(inline: Option<Bytes>, links: &[(Cid, u64)]) -> Vec<u8> {
    let own = inline.as_ref().map_or(0, |bytes| bytes.len() as u64);
    let data = Data {
        kind: Type::File.into(),
        data: inline,
        filesize: Some(links.iter().fold(own, |sum, (_, size)| sum.wrapping_add(*size))),
        blocksizes: links.iter().map(|(_, size)| *size).collect(),
        ..Data::default()
    };
    let links = links.iter().map(|(cid, size)| PbLink { cid: *cid, name: Some(String::new()), size: Some(*size) });
    encode(data, links.collect())
}

/// Writes a symbolic link to a path.
#[must_use]
pub fn encode_symlink(target: &str) -> Vec<u8> {
    let data = Bytes::copy_from_slice(target.as_bytes());
    encode(Data { kind: Type::Symlink.into(), data: Some(data), ..Data::default() }, Vec::new())
}

fn decode_dag_pb(bytes: &[u8]) -> Result<PbNode, NodeError> {
    if bytes.len() > NODE_MAX {
        return Err(NodeError::TooLarge);
    }
    PbNode::from_bytes(Bytes::copy_from_slice(bytes)).map_err(|_| NodeError::NotDagPb)
}

fn named(link: PbLink) -> Link {
    Link { cid: link.cid, name: link.name.unwrap_or_default(), tsize: link.size.unwrap_or(0) }
}

fn file(data: Data, links: Vec<PbLink>) -> Result<Node, NodeError> {
    if links.len() != data.blocksizes.len() {
        return Err(NodeError::NotUnixFs("it has not as many sizes as links"));
    }
    let inline = data.data.unwrap_or_default();
    let size = data.blocksizes.iter().try_fold(inline.len() as u64, |sum, size| sum.checked_add(*size));
    let size = size.ok_or(NodeError::NotUnixFs("its sizes overflow"))?;
    if data.filesize.is_some_and(|claimed| claimed != size) {
        return Err(NodeError::NotUnixFs("its sizes do not add up"));
    }
    let links = links.into_iter().map(|l| l.cid).zip(data.blocksizes).collect();
    Ok(Node::File { inline, links, size })
}

fn shard(data: &Data, links: Vec<PbLink>) -> Result<Node, NodeError> {
    let fanout = data.fanout.unwrap_or(0);
    if !fanout.is_power_of_two() || !(8..=1024).contains(&fanout) {
        return Err(NodeError::NotUnixFs("its fan-out is not a power of two up to 1024"));
    }
    if data.hash_type != Some(super::hamt::HASH_TYPE) {
        return Err(NodeError::NotUnixFs("its shards are hashed by another function"));
    }
    Ok(Node::Shard { links: links.into_iter().map(named).collect(), fanout })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(bytes: &[u8]) -> FileLink {
        let len = bytes.len() as u64;
        FileLink { digest: cid::sha256(bytes), leaf: true, size: len, tsize: len }
    }

    #[test]
    fn a_written_file_node_is_read_back() {
        let bytes = encode_file(&[leaf(b"one"), leaf(b"three")]);
        let links = vec![(cid::of_raw(b"one"), 3), (cid::of_raw(b"three"), 5)];
        assert_eq!(decode(&bytes), Ok(Node::File { inline: Bytes::new(), links, size: 8 }));
    }

    #[test]
    fn sizes_that_do_not_add_up_are_refused() {
        let data = Data { kind: Type::File.into(), filesize: Some(9), blocksizes: vec![8], ..Data::default() };
        let link = PbLink { cid: cid::of_raw(b"x"), name: Some(String::new()), size: Some(8) };
        let bytes = encode(data.clone(), vec![link.clone()]);
        assert_eq!(decode(&bytes), Err(NodeError::NotUnixFs("its sizes do not add up")));
        let overflow = Data { filesize: None, blocksizes: vec![u64::MAX, 2], ..data.clone() };
        let bytes = encode(overflow, vec![link.clone(), link.clone()]);
        assert_eq!(decode(&bytes), Err(NodeError::NotUnixFs("its sizes overflow")));
        let bytes = encode(data, vec![link.clone(), link]);
        assert_eq!(decode(&bytes), Err(NodeError::NotUnixFs("it has not as many sizes as links")));
    }

    #[test]
    fn a_node_above_the_limit_is_not_looked_at() {
        assert_eq!(decode(&vec![0; NODE_MAX + 1]), Err(NodeError::TooLarge));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_damaged_node_never_panics(at in 0usize..150, to: u8, cut in 0usize..150) {
            let mut bytes = encode_file(&[leaf(b"one"), leaf(b"three")]);
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = decode(&bytes);
            bytes.truncate(cut);
            let _ = decode(&bytes);
        }
    }
}
