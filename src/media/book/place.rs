//! Where the bytes of a page are, and how they are read.
use std::fs::File;

use serde::{Deserialize, Serialize};

use super::bytes::Source;
use super::error::BookError;
use super::format::Format;
use super::zip::{self, ZipPlace};

/// Where a page's bytes are: enough to read it later without looking at the rest of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// An entry of a zip archive.
    Zip(ZipPlace),
    /// As they are, from `offset` on (tar).
    Stored {
        /// Bytes from the start of the file.
        offset: u64,
        /// Bytes.
        size: u64,
    },
    /// A file of its own, of that many bytes: the page's name says which file of the folder.
    Whole {
        /// Bytes.
        size: u64,
    },
    /// Read by another part of the worker.
    Other {
        /// Tells which.
        format: Format,
        /// Which entry of the archive, or page of the document, from 0.
        index: u64,
    },
}

impl Place {
    /// The method that an entry is packed by, if it is none that is read here.
    pub(super) fn unknown_method(&self) -> Option<u16> {
        match self {
            Self::Zip(place) => Some(place.method).filter(|method| !zip::METHODS.contains(method)),
            _ => None,
        }
    }
}

/// The bytes of a page, no more than `limit_bytes` of them. For [`Place::Whole`] `file` is the page's own file, else the
/// book. A zip entry has the size and the checksum that its directory tells, or there is an error.
///
/// # Errors
/// [`BookError`]: `TooLarge`, `Broken`, `UnknownMethod`, `NeedsOther`, `Io`.
pub fn read_page(file: &File, place: &Place, limit_bytes: u64) -> Result<Vec<u8>, BookError> {
    let source = Source::new(file)?;
    let (offset, size) = match place {
        Place::Zip(place) => return zip::read(&source, place, limit_bytes),
        Place::Other { format, .. } => return Err(BookError::NeedsOther(*format)),
        Place::Stored { offset, size } => (*offset, *size),
        Place::Whole { .. } => (0, source.len),
    };
    within("a file of the book", size, limit_bytes)?;
    source.read(offset, size)
}

/// The first bytes of a page, `wanted` of them or fewer. Neither size nor checksum can be verified by them.
pub(super) fn read_head(source: &Source, place: &Place, wanted: u64) -> Result<Vec<u8>, BookError> {
    match place {
        Place::Zip(place) => zip::read_head(source, place, wanted),
        Place::Stored { offset, size } => source.read_up_to(*offset, wanted.min(*size)),
        Place::Whole { .. } => source.read_up_to(0, wanted),
        Place::Other { format, .. } => Err(BookError::NeedsOther(*format)),
    }
}

/// Refuses what is larger than its limit.
pub(super) fn within(what: &'static str, bytes: u64, max: u64) -> Result<(), BookError> {
    if bytes > max { Err(BookError::TooLarge { what, bytes, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::samples::file_of;
    use super::*;

    #[test]
    fn bytes_that_are_stored_are_read_by_position_and_within_the_limit() {
        let file = file_of(b"0123456789");
        let place = Place::Stored { offset: 2, size: 3 };
        assert_eq!(read_page(&file, &place, 3).unwrap(), b"234");
        assert!(matches!(read_page(&file, &place, 2), Err(BookError::TooLarge { bytes: 3, max: 2, .. })));
        let past = Place::Stored { offset: 8, size: 3 };
        assert!(matches!(read_page(&file, &past, 100), Err(BookError::Broken(_))));
        assert_eq!(read_page(&file, &Place::Whole { size: 1 }, 10).unwrap(), b"0123456789");
    }

    #[test]
    fn what_another_part_reads_is_refused() {
        let place = Place::Other { format: Format::Rar5, index: 0 };
        let refused = read_page(&file_of(b""), &place, 10);
        assert!(matches!(refused, Err(BookError::NeedsOther(Format::Rar5))));
    }
}
