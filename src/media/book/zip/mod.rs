//! Zip archives, as far as books need them (PKWARE APPNOTE 6.3.10): the central directory is the list, and one local
//! header is read for each page that is asked for.
//!
//! Our own reader, because the place of each entry is what is kept: with it, a page is read without the directory.
//! Read: ZIP64, comments, data descriptors, anything in front of the archive, methods stored and deflate. Not read:
//! archives of several volumes, encryption. Local headers are believed only for where the data begins.
mod data;
mod end;
mod names;

pub(super) use data::{METHODS, read, read_head};
pub(super) use end::has_end;
pub(super) use names::{RawName, decode as decode_names};

use std::fs::File;

use serde::{Deserialize, Serialize};

use super::Limits;
use super::bytes::{Fields, Source};
use super::error::BookError;
use super::pages::Entry;
use super::place::Place;

/// Where a zip's entry is and how it is packed, as its central directory says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ZipPlace {
    /// Of the local header, bytes from the start of the file.
    pub header: u64,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes unpacked.
    pub size: u64,
    /// 0 stored, 8 deflate, others are not read (APPNOTE 6.3.10, section 4.4.5).
    pub method: u16,
    /// CRC-32 of the unpacked bytes.
    pub crc: u32,
}

/// One file header of the central directory (APPNOTE 6.3.10, section 4.3.12).
struct FileHeader<'a> {
    name: RawName<'a>,
    encrypted: bool,
    place: ZipPlace,
}

/// Every file in the archive, in the directory's order; folders are left out.
///
/// # Errors
/// [`BookError`]: `TooMany`, `TooLarge` (the directory), `Broken`, `Io`.
pub fn list(file: &File, limits: &Limits) -> Result<Vec<Entry>, BookError> {
    let source = Source::new(file)?;
    let directory = end::find(&source, limits)?;
    let headers = headers(&directory, limits)?;
    let raw: Vec<RawName> = headers.iter().map(|header| header.name).collect();
    let entries = headers.iter().zip(decode_names(&raw)).map(|(header, name)| Entry {
        name,
        size: header.place.size,
        place: Place::Zip(header.place),
        encrypted: header.encrypted,
    });
    Ok(entries.filter(|entry| !entry.name.ends_with(['/', '\\'])).collect())
}

fn headers<'a>(directory: &'a end::Directory, limits: &Limits) -> Result<Vec<FileHeader<'a>>, BookError> {
    let mut fields = Fields(&directory.bytes);
    let mut found = Vec::new();
    while !fields.0.is_empty() {
        // What follows the last entry may be a digital signature (section 4.3.13), or padding.
        if !fields.0.starts_with(b"PK\x01\x02") && found.len() as u64 >= directory.entries {
            break;
        }
        let header = file_header(&mut fields, directory.shift).ok_or(BookError::Broken("its directory is damaged"))?;
        found.push(header);
        if found.len() as u64 > limits.entries {
            return Err(BookError::TooMany { entries: found.len() as u64, max: limits.entries });
        }
    }
    // Old tools count modulo 65536: more than was told is fine.
    if (found.len() as u64) < directory.entries {
        return Err(BookError::Broken("its directory is cut off"));
    }
    Ok(found)
}

fn file_header<'a>(fields: &mut Fields<'a>, shift: u64) -> Option<FileHeader<'a>> {
    if fields.take(4)? != b"PK\x01\x02" {
        return None;
    }
    let made_by = fields.u16_le()?;
    let _needed = fields.u16_le()?;
    let flags = fields.u16_le()?;
    let method = fields.u16_le()?;
    let _time_and_date = fields.u32_le()?;
    let crc = fields.u32_le()?;
    let (packed, size) = (fields.u32_le()?, fields.u32_le()?);
    let (name, extra, comment) = (fields.u16_le()?, fields.u16_le()?, fields.u16_le()?);
    let _disk_and_attributes = fields.take(8)?;
    let header = fields.u32_le()?;
    let name = fields.take(name.into())?;
    let extra = fields.take(extra.into())?;
    fields.take(comment.into())?;
    let [size, packed, header] = wide([size, packed, header], extra);
    // Method 99 is AES (APPNOTE 6.3.10, appendix E).
    let encrypted = flags & 1 != 0 || method == 99;
    let name = RawName { bytes: name, utf8: flags & (1 << 11) != 0, unix: made_by >> 8 == 3, extra };
    let place = ZipPlace { header: header.checked_add(shift)?, packed, size, method, crc };
    Some(FileHeader { name, encrypted, place })
}

/// The fields with those that did not fit taken from the ZIP64 extra field (section 4.5.3), which holds only those.
fn wide(fields: [u32; 3], extra: &[u8]) -> [u64; 3] {
    let mut wide = Fields(extra_field(extra, 1).unwrap_or_default());
    fields.map(|field| match field {
        u32::MAX => wide.u64_le().unwrap_or(u64::from(field)),
        field => u64::from(field),
    })
}

/// The extra field of that id (section 4.5.1).
fn extra_field(extra: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut fields = Fields(extra);
    loop {
        let (id, len) = (fields.u16_le()?, fields.u16_le()?);
        let content = fields.take(len.into())?;
        if id == wanted {
            return Some(content);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Zip, file_of, zip};
    use super::*;

    fn names(bytes: &[u8]) -> Result<Vec<String>, BookError> {
        let entries = list(&file_of(bytes), &Limits::default())?;
        Ok(entries.into_iter().map(|entry| entry.name).collect())
    }

    #[test]
    fn files_are_listed_and_folders_are_not() {
        let bytes = zip(&[("a/", b""), ("a/1.jpg", b"one"), ("b\\", b""), ("2.jpg", b"two")]);
        assert_eq!(names(&bytes).unwrap(), ["a/1.jpg", "2.jpg"]);
        assert!(names(&zip(&[])).unwrap().is_empty());
    }

    #[test]
    fn a_comment_and_something_in_front_do_no_harm() {
        let plain = zip(&[("1.jpg", b"one"), ("2.jpg", b"two")]);
        let mut bytes = b"#!/bin/sh\n".repeat(100);
        bytes.extend(&plain);
        let comment = b"PK\x05\x06 is in this comment".repeat(300);
        let at = bytes.len() - 2;
        bytes[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
        bytes.extend(comment);
        let file = file_of(&bytes);
        let entries = list(&file, &Limits::default()).unwrap();
        let pages: Vec<_> = entries.iter().map(|e| super::super::read_page(&file, &e.place, 99).unwrap()).collect();
        assert_eq!(pages, [b"one", b"two"]);
    }

    #[test]
    fn zip64_is_read() {
        let bytes = Zip { zip64: true, ..Zip::default() }.with(&[("1.jpg", b"one"), ("2.jpg", b"two")]);
        let file = file_of(&bytes);
        let entries = list(&file, &Limits::default()).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(super::super::read_page(&file, &entries[1].place, 99).unwrap(), b"two");
    }

    #[test]
    fn limits_are_kept() {
        let bytes = zip(&[("1.jpg", b"one"), ("2.jpg", b"two")]);
        let few = Limits { entries: 1, ..Limits::default() };
        assert!(matches!(list(&file_of(&bytes), &few), Err(BookError::TooMany { entries: 2, max: 1 })));
        let small = Limits { directory_bytes: 10, ..Limits::default() };
        assert!(matches!(list(&file_of(&bytes), &small), Err(BookError::TooLarge { max: 10, .. })));
    }

    #[test]
    fn an_archive_that_is_cut_off_is_an_error() {
        let bytes = zip(&[("1.jpg", b"one"), ("2.jpg", b"two")]);
        for len in 0..bytes.len() {
            assert!(names(&bytes[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn an_encrypted_entry_is_told() {
        let bytes = Zip { encrypted: true, ..Zip::default() }.with(&[("1.jpg", b"one")]);
        assert!(list(&file_of(&bytes), &Limits::default()).unwrap()[0].encrypted);
    }
}
