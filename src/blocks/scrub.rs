//! Reads all blocks of a file again, without taking any from a copy, and checks that they still make its root.
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::BlockError;
use super::by_reference::read_leaf;
use super::index::{Index, Object};
use crate::content::cid::{Digest, RAW, of_digest};
use crate::content::unixfs::{Builder, LINKS_MAX, Profile};

/// How soon a pause notices that the node stops.
const MOMENT: Duration = Duration::from_millis(100);

/// How fast files are read that nobody waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Bytes a second at most; `None` for as fast as the disk is.
    pub bytes_per_second: Option<u64>,
}

impl Pace {
    /// How long to wait when so many bytes were read since then.
    fn pause(self, bytes: u64, since: Duration) -> Duration {
        let due = self.bytes_per_second.map(|rate| Duration::from_millis(bytes.saturating_mul(1000) / rate.max(1)));
        due.unwrap_or_default().saturating_sub(since)
    }
}

/// Blocking.
pub(super) fn verify(
    index: &Index,
    object: &Object,
    pace: Pace,
    progress: &AtomicU64,
    cancel: &CancellationToken,
) -> Result<(), BlockError> {
    let mut builder = Builder::new(Profile::V1_2025);
    let (started, mut read) = (Instant::now(), 0);
    each_leaf(index, object, cancel, |number, digest| {
        let len = read_leaf(object, number, digest)?.ok_or_else(|| missing(digest))?.len() as u64;
        builder.push(*digest, len);
        read += len;
        progress.fetch_add(len, Ordering::Relaxed);
        pause(pace.pause(read, started.elapsed()), cancel);
        Ok::<_, BlockError>(())
    })?;
    let root = builder.finish().root;
    if root == object.cid() { Ok(()) } else { Err(BlockError::NotFound(object.cid())) }
}

/// The leaves that hold some of these bytes. Blocking.
pub(super) fn verify_range(index: &Index, object: &Object, range: &Range<u64>) -> Result<(), BlockError> {
    let leaves = object.shape().leaves_of(range);
    for start in leaves.clone().step_by(LINKS_MAX) {
        let numbers = start..(start + LINKS_MAX as u64).min(leaves.end);
        for (number, digest) in numbers.clone().zip(digests(index, object, numbers)?) {
            read_leaf(object, number, &digest)?.ok_or_else(|| missing(&digest))?;
        }
    }
    Ok(())
}

/// Blocking; ends at once when `cancel` is, give or take a moment.
fn pause(time: Duration, cancel: &CancellationToken) {
    let until = Instant::now() + time;
    while !cancel.is_cancelled() && Instant::now() < until {
        thread::sleep(until.saturating_duration_since(Instant::now()).min(MOMENT));
    }
}

/// The leaves whose bytes are others than they were, or that the disk does not give any more. Blocking.
///
/// # Errors
/// What is wrong with the file as a whole.
pub(super) fn wrong_leaves(
    index: &Index,
    object: &Object,
    cancel: &CancellationToken,
) -> Result<Vec<(u64, Digest)>, BlockError> {
    let mut wrong = Vec::new();
    each_leaf(index, object, cancel, |number, digest| {
        match read_leaf(object, number, digest) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(missing(digest)),
            Err(BlockError::Damaged { .. } | BlockError::Io(_)) => wrong.push((number, *digest)),
            Err(error) => return Err(error),
        }
        Ok(())
    })?;
    Ok(wrong)
}

/// Calls `leaf` with each leaf's number and digest, in order. Blocking.
pub(super) fn each_leaf<E: From<BlockError>>(
    index: &Index,
    object: &Object,
    cancel: &CancellationToken,
    mut leaf: impl FnMut(u64, &Digest) -> Result<(), E>,
) -> Result<(), E> {
    let shape = object.shape();
    let mut number = 0;
    while number < shape.count(0) {
        let end = (number + LINKS_MAX as u64).min(shape.count(0));
        for digest in digests(index, object, number..end)? {
            if cancel.is_cancelled() {
                return Err(BlockError::Cancelled.into());
            }
            leaf(number, &digest)?;
            number += 1;
        }
    }
    Ok(())
}

fn digests(index: &Index, object: &Object, numbers: Range<u64>) -> Result<Vec<Digest>, BlockError> {
    let count = numbers.end - numbers.start;
    let digests = index.digests(object, 0, numbers)?;
    // Fewer when it was imported again meanwhile.
    if digests.len() as u64 == count { Ok(digests) } else { Err(BlockError::NotFound(object.cid())) }
}

fn missing(digest: &Digest) -> BlockError {
    BlockError::NotFound(of_digest(RAW, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_waits_for_what_was_read_too_early() {
        let pace = Pace { bytes_per_second: Some(1000) };
        assert_eq!(pace.pause(500, Duration::from_millis(100)), Duration::from_millis(400));
        assert_eq!(pace.pause(500, Duration::from_secs(1)), Duration::ZERO);
        assert_eq!(Pace::default().pause(u64::MAX, Duration::ZERO), Duration::ZERO);
    }
}
