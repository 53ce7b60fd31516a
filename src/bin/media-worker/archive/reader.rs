//! An open archive, entry after entry. Nothing goes back: to read an earlier entry, open the archive again.
//!
//! libarchive is told which format to expect and tries no other. `unsafe` is for its calls: the archive and its feed are
//! owned here and live until both are freed; an entry belongs to the archive and is only looked at before the next call.
use std::ffi::{CStr, c_char, c_int};
use std::fs::File;
use std::ptr::{self, NonNull};

use super::feed::{self, Feed};
use super::ffi::{self, archive_read_data, archive_read_next_header};
use super::locale;
use potluck::media::book::{BookError, Format};

/// Bytes that are unpacked at once.
const STEP: usize = 64 * 1024;
/// Times that an entry is asked for again when libarchive says that this may help.
const RETRIES: usize = 100;

/// What an archive says of an entry.
pub(super) struct Header {
    /// From 0 on, folders included.
    pub index: u64,
    /// With its folders. Never to be used as a path.
    pub name: String,
    /// Bytes, unpacked; 0 where the archive does not say.
    pub size: u64,
    /// Neither a folder nor a link.
    pub is_file: bool,
    /// Cannot be read without a password.
    pub encrypted: bool,
}

/// An archive that is being read.
pub(super) struct Archive {
    raw: NonNull<ffi::Archive>,
    feed: NonNull<Feed>,
    /// Of the entry that comes next.
    next: u64,
}

// SAFETY: an archive and its feed belong to no thread, and only their owner uses them.
unsafe impl Send for Archive {}

impl Archive {
    /// Stands before the first entry.
    pub fn open(file: &File, format: Format) -> Result<Self, BookError> {
        let feed = Box::new(Feed::new(file)?);
        // SAFETY: see the module.
        let raw = NonNull::new(unsafe { ffi::archive_read_new() }).ok_or_else(no_memory)?;
        let archive = Self { raw, feed: NonNull::from(Box::leak(feed)), next: 0 };
        if archive.expect(format)? != ffi::OK || archive.start() != ffi::OK {
            return Err(archive.trouble(false));
        }
        Ok(archive)
    }

    fn expect(&self, format: Format) -> Result<c_int, BookError> {
        let raw = self.raw.as_ptr();
        // SAFETY: see the module.
        let code = unsafe {
            match format {
                Format::Rar4 => ffi::archive_read_support_format_rar(raw),
                Format::Rar5 => ffi::archive_read_support_format_rar5(raw),
                Format::SevenZip => ffi::archive_read_support_format_7zip(raw),
                Format::Zip => ffi::archive_read_support_format_zip_seekable(raw),
                other => return Err(BookError::NeedsOther(other)),
            }
        };
        Ok(code)
    }

    fn start(&self) -> c_int {
        let raw = self.raw.as_ptr();
        // SAFETY: see the module; the feed is what the three functions expect.
        unsafe {
            ffi::archive_read_set_callback_data(raw, self.feed.as_ptr().cast());
            ffi::archive_read_set_read_callback(raw, feed::read);
            ffi::archive_read_set_skip_callback(raw, feed::skip);
            ffi::archive_read_set_seek_callback(raw, feed::seek);
            ffi::archive_read_open1(raw)
        }
    }

    /// Number of the entry that comes next.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// Goes to the next entry; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Header>, BookError> {
        locale::in_utf8(|| {
            let mut entry = ptr::null_mut();
            for _ in 0..RETRIES {
                // SAFETY: see the module.
                match unsafe { archive_read_next_header(self.raw.as_ptr(), &raw mut entry) } {
                    ffi::OK | ffi::WARN => return Ok(Some(self.header(entry))),
                    ffi::EOF => return Ok(None),
                    ffi::RETRY => (),
                    _ => break,
                }
            }
            Err(self.trouble(true))
        })
    }

    fn header(&mut self, entry: *mut ffi::Entry) -> Header {
        let index = self.next;
        self.next += 1;
        // SAFETY: see the module.
        unsafe {
            let name =
                text(ffi::archive_entry_pathname_utf8(entry)).or_else(|| text(ffi::archive_entry_pathname(entry)));
            let size = if ffi::archive_entry_size_is_set(entry) != 0 { ffi::archive_entry_size(entry) } else { 0 };
            Header {
                index,
                name: name.unwrap_or_default(),
                size: u64::try_from(size).unwrap_or(0),
                is_file: ffi::archive_entry_filetype(entry) == ffi::REGULAR,
                encrypted: ffi::archive_entry_is_encrypted(entry) != 0,
            }
        }
    }

    /// Unpacks on until there are `wanted` bytes of the entry, or all there are.
    pub fn unpack(&mut self, into: &mut Vec<u8>, wanted: u64) -> Result<(), BookError> {
        while (into.len() as u64) < wanted {
            let start = into.len();
            let step = usize::try_from(wanted).map_or(STEP, |wanted| STEP.min(wanted - start));
            into.resize(start + step, 0);
            let room = &mut into[start..];
            // SAFETY: see the module; there is room for as many bytes as are asked for.
            let count = unsafe { archive_read_data(self.raw.as_ptr(), room.as_mut_ptr().cast(), room.len()) };
            into.truncate(start + usize::try_from(count).unwrap_or(0).min(step));
            match count {
                0 => return Ok(()),
                count if count < 0 => return Err(self.trouble(true)),
                _ => (),
            }
        }
        Ok(())
    }

    /// What went wrong last. Only once it is `open` may libarchive be asked about locks: before, version 3.6 looks for the
    /// answer behind the end of its list of formats.
    fn trouble(&self, open: bool) -> BookError {
        // SAFETY: see the module; libarchive calls nothing back now.
        let (failure, said, locked) = unsafe {
            let said = text(ffi::archive_error_string(self.raw.as_ptr()));
            let locked = open && ffi::archive_read_has_encrypted_entries(self.raw.as_ptr()) > 0;
            ((*self.feed.as_ptr()).failure.take(), said.unwrap_or_default().to_lowercase(), locked)
        };
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        match failure {
            Some(failure) => BookError::Io(failure),
            None if locked || says(&["encrypt", "passphrase", "password"]) => BookError::Encrypted,
            None if says(&["solid archive"]) => BookError::SolidRar,
            None if says(&["truncated", "end of file"]) => BookError::Broken("it is cut off"),
            None if says(&["upported", "unavailable"]) => {
                BookError::Broken("it is packed in a way that cannot be read")
            }
            None => BookError::Broken("it cannot be unpacked"),
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        // SAFETY: nobody else has either of the two; the feed came out of a box and is not used by the archive any more.
        unsafe {
            ffi::archive_read_free(self.raw.as_ptr());
            drop(Box::from_raw(self.feed.as_ptr()));
        }
    }
}

/// Text that may be in any encoding.
///
/// # Safety
/// The pointer is null or one to text that ends with a nought.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    // SAFETY: what the caller promises.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

fn no_memory() -> BookError {
    BookError::Io(std::io::ErrorKind::OutOfMemory.into())
}
