//! A file on disk as a source of blocks: opened, compared with what was imported, read, hashed, closed.
//!
//! Blocking. Nothing is kept open between two blocks, so a disk can be unmounted while its films are not watched.
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use bytes::Bytes;

use super::BlockError;
use super::index::{Object, Origin};
use crate::content::cid::{Digest, sha256};
use crate::content::unixfs::Position;

/// What tells that a file is still the one that was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub size: u64,
    pub modified_ns: i64,
    pub inode: u64,
    pub device: u64,
}

impl Stamp {
    pub fn of(meta: &Metadata) -> Self {
        let modified_ns = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        Self { size: meta.len(), modified_ns, inode: meta.ino(), device: meta.dev() }
    }

    /// Whether nobody wrote to it. A re-mounted disk may give other inodes and devices.
    fn same_content(&self, other: &Self) -> bool {
        self.size == other.size && self.modified_ns == other.modified_ns
    }
}

/// Opens a regular file for reading. A pipe or device is refused without waiting for it.
pub(super) fn open(path: &Path) -> io::Result<(File, Stamp)> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok((file, Stamp::of(&meta)))
}

/// Reads a leaf of an imported file and checks it.
///
/// # Errors
/// `NotFound` (which the caller turns into a CID's), `Changed`, `Damaged`, `Io`.
pub(super) fn read_leaf(object: &Object, number: u64, digest: &Digest) -> Result<Option<Bytes>, BlockError> {
    let Origin::File { path, modified_ns, bound, .. } = &object.origin else { return Ok(None) };
    let Some(span) = object.shape().span(Position::leaf(number)) else { return Ok(None) };
    if let Some(bound) = bound {
        return bound.read_leaf(path, span, digest);
    }
    let (file, now) = match open(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        other => other?,
    };
    let then = Stamp { size: object.size, modified_ns: *modified_ns, ..now };
    let changed = || BlockError::Changed { path: path.clone() };
    if !then.same_content(&now) {
        return Err(changed());
    }
    let bytes = match read_span(&file, span) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Err(changed()),
        other => other?,
    };
    if sha256(&bytes) == *digest {
        return Ok(Some(bytes.into()));
    }
    // Someone may have written to it between the comparison and the read.
    if then.same_content(&Stamp::of(&file.metadata()?)) {
        Err(BlockError::Damaged { path: path.clone() })
    } else {
        Err(changed())
    }
}

/// Whether nobody wrote to it since it was imported, so that wrong bytes are damage.
pub(super) fn is_as_imported(object: &Object) -> bool {
    let Origin::File { path, modified_ns, bound, .. } = &object.origin else { return false };
    if let Some(bound) = bound {
        return bound.stamp(path).is_ok_and(|stamp| stamp.is_some());
    }
    fs::metadata(path).is_ok_and(|meta| {
        let now = Stamp::of(&meta);
        meta.is_file() && now.size == object.size && now.modified_ns == *modified_ns
    })
}

pub(super) fn read_span(file: &File, span: Range<u64>) -> io::Result<Vec<u8>> {
    let len = usize::try_from(span.end - span.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, span.start)?;
    Ok(bytes)
}
