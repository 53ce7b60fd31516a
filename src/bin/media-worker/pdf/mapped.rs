//! A file as a slice, without reading it all: a PDF of hundreds of megabytes is opened by a few pages of memory.
//!
//! Whoever makes the file shorter meanwhile ends the process, which the worker is there for; other changes are noise in
//! what is read.
use std::fs::File;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use potluck::media::book::BookError;

/// All bytes of a file.
pub(super) struct Mapped {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory is only read, and belongs to no thread.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Maps a file of no more than `max` bytes.
    pub fn of(file: &File, max: u64) -> Result<Self, BookError> {
        let bytes = file.metadata()?.len();
        let Some(len) = usize::try_from(bytes).ok().filter(|_| bytes <= max) else {
            return Err(BookError::TooLarge { what: "the file", bytes, max });
        };
        if len == 0 {
            return Err(BookError::NotABook);
        }
        // SAFETY: a new mapping at a place that the kernel chooses, which nothing else knows of.
        let start = unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ, MapFlags::PRIVATE, file, 0) };
        let start = start.map_err(std::io::Error::from)?;
        let start = NonNull::new(start.cast()).ok_or(std::io::ErrorKind::OutOfMemory).map_err(std::io::Error::from)?;
        Ok(Self { start, len })
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping is as long, and lives as long as this.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: it was mapped here, and no slice of it outlives this. If it stays mapped, only room is lost.
        unsafe { munmap(self.start.as_ptr().cast(), self.len) }.ok();
    }
}
