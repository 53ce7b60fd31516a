//! A file that is being put together leaf by leaf, beside the place that it will have.
//!
//! What is right in it is told by its hashes alone, so that nothing else has to be written down: a process that ends in the
//! middle, or a disk that lost its last writes, costs a look and not a byte. Blocking.
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use parking_lot::RwLock;

use super::by_reference::{open, read_span};
use crate::content::cid::{Digest, sha256};
use crate::content::unixfs::{Position, Shape};

/// See the module.
#[derive(Debug)]
pub(super) struct Beside {
    pub path: PathBuf,
    pub shape: Shape,
    /// Leaves may still be under way when it is given up; none of them makes the file again.
    given_up: RwLock<bool>,
}

impl Beside {
    pub fn new(path: PathBuf, shape: Shape) -> Self {
        Self { path, shape, given_up: RwLock::new(false) }
    }

    pub fn span(&self, number: u64) -> Range<u64> {
        self.shape.span(Position::leaf(number)).unwrap_or(0..0)
    }

    /// Takes the file away where it is of no use.
    pub fn give_up(&self) {
        let mut given_up = self.given_up.write();
        *given_up = true;
        let _ = fs::remove_file(&self.path);
    }

    /// Whether a leaf is in it already.
    pub fn holds(&self, number: u64, digest: &Digest) -> bool {
        let read = open(&self.path).and_then(|(file, _)| read_span(&file, self.span(number)));
        read.is_ok_and(|bytes| sha256(&bytes) == *digest)
    }

    pub fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let given_up = self.given_up.read();
        if *given_up {
            return Err(ErrorKind::Interrupted.into());
        }
        self.file()?.write_all_at(bytes, self.span(number).start)
    }

    /// Made for its owner alone, and never through a link that somebody put there.
    pub fn file(&self) -> io::Result<File> {
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
        options.open(&self.path)
    }

    /// Puts it in its place, in one step. A rename is on the disk when its folder is; some network disks cannot say so.
    pub fn become_file(&self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        let folder = path.parent().map(File::open);
        if let Some(Ok(folder)) = folder {
            match folder.sync_all() {
                Err(error) if error.kind() != ErrorKind::InvalidInput => {
                    tracing::debug!(%error, file.path = %path.display(), "a folder could not be flushed");
                }
                _ => (),
            }
        }
        Ok(())
    }
}
