//! What libarchive reads a book through: three functions that it calls back, which give it bytes of one descriptor by
//! position. It never learns of a name, and the descriptor's own cursor is neither used nor moved.
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::ffi::{self, FATAL};

/// Bytes that are read at once.
const BLOCK: usize = 128 * 1024;
/// `SEEK_SET`, `SEEK_CUR` and `SEEK_END` of `lseek(2)`.
const FROM_START: c_int = 0;
const FROM_HERE: c_int = 1;
const FROM_END: c_int = 2;

/// A file, and where libarchive is in it.
pub(super) struct Feed {
    file: File,
    len: u64,
    at: u64,
    block: Vec<u8>,
    /// Why the disk did not give what was asked for.
    pub failure: Option<io::Error>,
}

impl Feed {
    /// Stands at the beginning of the file.
    pub fn new(file: &File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: file.try_clone()?, len, at: 0, block: vec![0; BLOCK], failure: None })
    }

    fn next_block(&mut self) -> Option<&[u8]> {
        match self.file.read_at(&mut self.block, self.at) {
            Ok(count) => {
                self.at += count as u64;
                self.block.get(..count)
            }
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }

    /// Moves on by as much as there is of it.
    fn skip(&mut self, wanted: i64) -> i64 {
        let left = self.len.saturating_sub(self.at);
        let skipped = u64::try_from(wanted).unwrap_or(0).min(left);
        self.at += skipped;
        skipped.cast_signed()
    }

    /// Where it stands then; `None` for a place outside of the file.
    fn seek(&mut self, by: i64, from: c_int) -> Option<i64> {
        let base = match from {
            FROM_START => 0,
            FROM_HERE => self.at,
            FROM_END => self.len,
            _ => return None,
        };
        self.at = base.checked_add_signed(by).filter(|at| *at <= self.len)?;
        i64::try_from(self.at).ok()
    }
}

/// Gives the next bytes of the file.
///
/// # Safety
/// `feed` points to a [`Feed`] that nobody else looks at meanwhile, and `block` to where a pointer can be written.
pub(super) unsafe extern "C" fn read(_: *mut ffi::Archive, feed: *mut c_void, block: *mut *const c_void) -> isize {
    // SAFETY: what the caller promises.
    let feed = unsafe { &mut *feed.cast::<Feed>() };
    let Some(bytes) = feed.next_block() else { return FATAL as isize };
    // SAFETY: as above. The block stays where it is until the next call, as libarchive wants it.
    unsafe { *block = bytes.as_ptr().cast() };
    bytes.len().cast_signed()
}

/// Leaves bytes out.
///
/// # Safety
/// As for [`read`].
pub(super) unsafe extern "C" fn skip(_: *mut ffi::Archive, feed: *mut c_void, wanted: i64) -> i64 {
    // SAFETY: what the caller promises.
    unsafe { &mut *feed.cast::<Feed>() }.skip(wanted)
}

/// Goes to a place in the file.
///
/// # Safety
/// As for [`read`].
pub(super) unsafe extern "C" fn seek(_: *mut ffi::Archive, feed: *mut c_void, by: i64, from: c_int) -> i64 {
    // SAFETY: what the caller promises.
    unsafe { &mut *feed.cast::<Feed>() }.seek(by, from).unwrap_or(i64::from(FATAL))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_feed_stays_within_its_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut feed = Feed::new(&file).unwrap();
        assert_eq!(feed.next_block().unwrap(), b"0123456789");
        assert_eq!(feed.next_block().unwrap(), b"");
        assert_eq!(feed.seek(-3, FROM_END), Some(7));
        assert_eq!((feed.skip(2), feed.skip(2), feed.skip(-1)), (2, 1, 0));
        assert_eq!((feed.seek(-11, FROM_HERE), feed.seek(11, FROM_START), feed.seek(0, 9)), (None, None, None));
        assert_eq!(feed.seek(-1, FROM_HERE), Some(9));
        assert_eq!(feed.next_block().unwrap(), b"9");
    }
}
