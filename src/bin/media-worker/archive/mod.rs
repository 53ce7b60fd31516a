//! Books in archives that [`potluck::media::book`] only tells apart: RAR, 7-Zip, and zips that are packed by other methods than
//! deflate. libarchive unpacks them, out of a descriptor and into memory; nothing is opened by name or written.
//!
//! A page's place is the number of its entry. In a solid archive each entry needs all before it unpacked, hence the
//! [`Shelf`], which goes on where it stopped.
//!
//! ```text
//! feed (bytes of the file) -> libarchive -> reader (entries) -> survey -> Book
//!                                                            -> shelf  -> a page's bytes
//! ```
mod feed;
mod ffi;
#[cfg(test)]
mod hostile;
mod locale;
mod rar5;
mod reader;
#[cfg(test)]
mod samples;
mod shelf;
mod survey;

use std::fs::File;

pub use shelf::Shelf;

use potluck::media::book::{Book, BookError, Format, Limits};
use reader::Archive;
use survey::Survey;

/// Finds out what an archive has, in one pass over it. `format` is one of RAR, 7-Zip and zip.
///
/// # Errors
/// [`BookError`]: `Encrypted`, `SolidRar`, `Broken`, `TooMany`, `TooLarge`, `NoPages`, `Io`; `NeedsOther` for another format. What is
/// wrong with single pages is in [`Book::faults`].
pub fn inspect(file: &File, format: Format, limits: &Limits) -> Result<Book, BookError> {
    if format == Format::Rar5 && rar5::is_locked(file, limits)? {
        return Err(BookError::Encrypted);
    }
    let mut archive = Archive::open(file, format)?;
    let mut survey = Survey::new(format, limits);
    while let Some(header) = archive.next()? {
        survey.see(header, &mut archive)?;
    }
    survey.book()
}

/// The bytes of entry number `index`, `limit_bytes` of them at most; all entries before it are gone through. Size and
/// checksum are verified, save for the checksums in a RAR 4 and of what is only stored in a RAR 5, which libarchive 3.6
/// passes over.
///
/// # Errors
/// [`BookError`]: `TooLarge`, `Encrypted`, `Broken`, `Io`; `NeedsOther` for another format.
#[cfg(test)]
pub fn read_page(file: &File, format: Format, index: u64, limit_bytes: u64) -> Result<Vec<u8>, BookError> {
    let mut archive = Archive::open(file, format)?;
    loop {
        let header = archive.next()?.ok_or(BookError::Broken("it has no such entry"))?;
        if header.index == index {
            return whole(&header, &mut archive, limit_bytes);
        }
    }
}

/// All bytes of the entry that the archive stands at.
fn whole(header: &reader::Header, archive: &mut Archive, limit_bytes: u64) -> Result<Vec<u8>, BookError> {
    let too_large = |bytes| BookError::TooLarge { what: "a file of the book", bytes, max: limit_bytes };
    if header.encrypted {
        return Err(BookError::Encrypted);
    }
    if header.size > limit_bytes {
        return Err(too_large(header.size));
    }
    let mut bytes = Vec::new();
    archive.unpack(&mut bytes, limit_bytes.saturating_add(1))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(too_large(bytes.len() as u64));
    }
    if header.size != 0 && bytes.len() as u64 != header.size {
        return Err(BookError::Broken("an entry has another size than it says"));
    }
    Ok(bytes)
}
