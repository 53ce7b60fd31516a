//! Reads all blocks of a file again, without taking any from a copy, and checks that they still make its root.
use tokio_util::sync::CancellationToken;

use super::BlockError;
use super::by_reference::read_leaf;
use super::index::{Index, Object};
use crate::content::cid::{Digest, RAW, of_digest};
use crate::content::unixfs::{Builder, LINKS_MAX, Profile};

/// Blocking.
pub(super) fn verify(index: &Index, object: &Object, cancel: &CancellationToken) -> Result<(), BlockError> {
    let shape = object.shape();
    let mut builder = Builder::new(Profile::V1_2025);
    let mut number = 0;
    while number < shape.count(0) {
        let end = (number + LINKS_MAX as u64).min(shape.count(0));
        for digest in digests(index, object, number..end)? {
            if cancel.is_cancelled() {
                return Err(BlockError::Cancelled);
            }
            let len = read_leaf(object, number, &digest)?.ok_or_else(|| missing(&digest))?.len();
            builder.push(digest, len as u64);
            number += 1;
        }
    }
    let root = builder.finish().root;
    if root == object.cid() { Ok(()) } else { Err(BlockError::NotFound(object.cid())) }
}

fn digests(index: &Index, object: &Object, numbers: std::ops::Range<u64>) -> Result<Vec<Digest>, BlockError> {
    let count = numbers.end - numbers.start;
    let digests = index.digests(object, 0, numbers)?;
    // Fewer when it was imported again meanwhile.
    if digests.len() as u64 == count { Ok(digests) } else { Err(BlockError::NotFound(object.cid())) }
}

fn missing(digest: &Digest) -> BlockError {
    BlockError::NotFound(of_digest(RAW, digest))
}
