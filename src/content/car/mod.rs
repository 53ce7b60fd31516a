//! CARv1: a header, then blocks one after another, each checkable as it arrives.
//!
//! Source: the IPLD "CARv1" specification. The header is DAG-CBOR `{roots, version}`; a section is a varint length, the
//! CID, the bytes.
mod decode;

use serde::{Deserialize, Serialize};
use unsigned_varint::encode;

use super::Cid;
use super::cid::{self, CidError};
use super::unixfs::node::NODE_MAX;

pub use decode::{Decoder, Item};

/// Longest header that is read.
const HEADER_MAX: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct Header {
    roots: Vec<Cid>,
    version: u64,
}

/// A CAR that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Car<'a> {
    /// What its writer says it is about.
    pub roots: Vec<Cid>,
    /// Checked blocks in their order.
    pub blocks: Vec<(Cid, &'a [u8])>,
}

/// Why bytes are not a CAR.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CarError {
    /// A length, the header or a CID cannot be read.
    #[error("not a CAR: {0}")]
    Malformed(&'static str),
    /// A block does not hash to its CID.
    #[error(transparent)]
    Block(#[from] CidError),
    /// The header names a root that is not among the blocks.
    #[error("the CAR names {0} as its root and does not hold it")]
    MissingRoot(Cid),
}

/// The bytes before the first block.
#[must_use]
pub fn header(roots: &[Cid]) -> Vec<u8> {
    let header = Header { roots: roots.to_vec(), version: 1 };
    let body = serde_ipld_dagcbor::to_vec(&header).expect("CIDs and a number are always DAG-CBOR");
    with_length(body.len(), &[&body])
}

/// The bytes before a block's own bytes: the length of CID and block, and the CID.
#[must_use]
pub fn section_prefix(cid: &Cid, block_len: usize) -> Vec<u8> {
    let cid = cid.to_bytes();
    with_length(cid.len() + block_len, &[&cid])
}

fn with_length(len: usize, parts: &[&[u8]]) -> Vec<u8> {
    let mut buffer = encode::usize_buffer();
    let mut out = encode::usize(len, &mut buffer).to_vec();
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Reads a whole CAR that is in memory and checks every block.
///
/// # Errors
/// See [`CarError`].
pub fn read(bytes: &[u8]) -> Result<Car<'_>, CarError> {
    let (head, mut rest) = take(bytes, HEADER_MAX)?;
    let header: Header = serde_ipld_dagcbor::from_slice(head).map_err(|_| CarError::Malformed("its header"))?;
    if header.version != 1 {
        return Err(CarError::Malformed("its version is not 1"));
    }
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let (section, after) = take(rest, NODE_MAX + 128)?;
        let mut block = section;
        let cid = Cid::read_bytes(&mut block).map_err(|_| CarError::Malformed("a CID"))?;
        cid::verify(&cid, block)?;
        blocks.push((cid, block));
        rest = after;
    }
    Ok(Car { roots: header.roots, blocks })
}

fn take(bytes: &[u8], max: usize) -> Result<(&[u8], &[u8]), CarError> {
    let (len, rest) = unsigned_varint::decode::usize(bytes).map_err(|_| CarError::Malformed("a length"))?;
    if len > max {
        return Err(CarError::Malformed("a length above the limit"));
    }
    rest.split_at_checked(len).ok_or(CarError::Malformed("it ends early"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn car(blocks: &[Vec<u8>]) -> (Vec<Cid>, Vec<u8>) {
        let cids: Vec<Cid> = blocks.iter().map(|b| cid::of_raw(b)).collect();
        let mut out = header(&cids[..1]);
        for (cid, block) in cids.iter().zip(blocks) {
            out.extend(section_prefix(cid, block.len()));
            out.extend_from_slice(block);
        }
        (cids, out)
    }

    #[test]
    fn the_header_has_the_bytes_of_the_specification() {
        let cid = cid::of_raw(b"");
        let bytes = header(&[cid]);
        assert_eq!(bytes[..18], *b"\x3a\xa2\x65roots\x81\xd8\x2a\x58\x25\0\x01\x55\x12\x20");
        assert_eq!(bytes[bytes.len() - 9..], *b"\x67version\x01");
    }

    #[test]
    fn a_block_that_is_not_its_cid_is_refused() {
        let (cids, mut bytes) = car(&[b"dish".to_vec()]);
        *bytes.last_mut().unwrap() ^= 1;
        assert_eq!(read(&bytes), Err(CarError::Block(CidError::Mismatch(cids[0]))));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5)) {
            let (cids, bytes) = car(&blocks);
            let car = read(&bytes).unwrap();
            prop_assert_eq!(&car.roots[..], &cids[..1]);
            prop_assert_eq!(car.blocks.iter().map(|b| b.0).collect::<Vec<_>>(), cids);
            prop_assert_eq!(car.blocks.iter().map(|b| b.1.to_vec()).collect::<Vec<_>>(), blocks);
        }

        #[test]
        fn a_cut_car_is_an_error_or_shorter(cut in 0usize..120) {
            let (_, mut bytes) = car(&[b"one".to_vec(), b"three".to_vec()]);
            bytes.truncate(cut);
            if let Ok(car) = read(&bytes) {
                prop_assert!(car.blocks.len() <= 2);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
