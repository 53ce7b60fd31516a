//! Whether a RAR 5 archive is locked: libarchive 3.6 passes over the record that says so and then unpacks noise.
//!
//! After the RAR 5.0 archive format note of its makers: a header is a checksum, its size, its type and flags, the sizes of
//! its extra area and of the data behind it where flags say so, then more by type, and the extra area at its end.
use std::fs::File;
use std::os::unix::fs::FileExt;

use potluck::media::book::{BookError, Limits};

/// Bytes of the signature.
const SIGNATURE: u64 = 8;
/// Bytes of the longest header.
const HEADER_MAX: u64 = 2 * 1024 * 1024;
/// Bytes of a header that are read first: most are shorter.
const HEAD: usize = 64;
const FILE: u64 = 2;
const ENCRYPTION: u64 = 4;
const END: u64 = 5;
/// Flags.
const HAS_EXTRA: u64 = 1;
const HAS_DATA: u64 = 2;
/// Type of a record in a file's extra area.
const LOCK: u64 = 1;

/// Whether all of it or any file in it needs a password. What does not keep to the format is left to whoever reads it.
pub(super) fn is_locked(file: &File, limits: &Limits) -> Result<bool, BookError> {
    let (mut at, len) = (SIGNATURE, file.metadata()?.len());
    for _ in 0..limits.entries.saturating_add(100) {
        match block(file, at, len)? {
            Some(Block { locked: true, .. }) => return Ok(true),
            Some(Block { next: Some(next), .. }) => at = next,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

struct Block {
    locked: bool,
    /// Where the next one begins, if there is one.
    next: Option<u64>,
}

fn block(file: &File, at: u64, len: u64) -> Result<Option<Block>, BookError> {
    let mut head = [0; HEAD];
    let count = file.read_at(&mut head, at)?;
    let Some((size, start)) = size(&head[..count]).filter(|(size, start)| fits(at, size + start, len)) else {
        return Ok(None);
    };
    let mut header = vec![0; usize::try_from(size).unwrap_or(0)];
    file.read_exact_at(&mut header, at + start)?;
    Ok(parse(&header, at + start + size))
}

fn fits(at: u64, size: u64, len: u64) -> bool {
    at.checked_add(size).is_some_and(|end| end <= len)
}

/// Bytes of a header, and where they begin after its checksum.
fn size(head: &[u8]) -> Option<(u64, u64)> {
    let mut rest = head.get(4..)?;
    let size = number(&mut rest).filter(|size| *size <= HEADER_MAX)?;
    Some((size, (head.len() - rest.len()) as u64))
}

fn parse(header: &[u8], end: u64) -> Option<Block> {
    let mut rest = header;
    let (kind, flags) = (number(&mut rest)?, number(&mut rest)?);
    let extra = if flags & HAS_EXTRA != 0 { number(&mut rest)? } else { 0 };
    let data = if flags & HAS_DATA != 0 { number(&mut rest)? } else { 0 };
    let records = header.len().checked_sub(usize::try_from(extra).ok()?).and_then(|start| header.get(start..))?;
    let locked = kind == ENCRYPTION || kind == FILE && has_lock(records);
    Some(Block { locked, next: end.checked_add(data).filter(|_| kind != END) })
}

fn has_lock(mut records: &[u8]) -> bool {
    while let Some(size) = number(&mut records) {
        let Some((record, after)) = usize::try_from(size).ok().and_then(|size| records.split_at_checked(size)) else {
            return false;
        };
        let mut record = record;
        if number(&mut record) == Some(LOCK) {
            return true;
        }
        records = after;
    }
    false
}

/// A number of seven bits a byte, the lowest first; the top bit says that more follow.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Rar5, file_of};
    use super::*;

    fn locked(bytes: &[u8]) -> bool {
        is_locked(&file_of(bytes), &Limits::default()).unwrap()
    }

    #[test]
    fn a_locked_archive_and_one_with_a_locked_file_are_told() {
        let files: [(&str, &[u8]); 2] = [("1.jpg", &[7; 5000]), ("2.jpg", b"x")];
        assert!(!locked(&Rar5::default().with(&files)));
        assert!(locked(&Rar5 { files_locked: true, ..Rar5::default() }.with(&files)));
        assert!(locked(&Rar5 { all_locked: true, ..Rar5::default() }.with(&files)));
    }

    #[test]
    fn an_archive_that_is_cut_off_is_not_called_locked() {
        let bytes = Rar5::default().with(&[("1.jpg", &[7; 100])]);
        assert!((0..bytes.len()).all(|len| !locked(&bytes[..len])));
    }

    #[test]
    fn numbers_are_of_seven_bits_a_byte() {
        assert_eq!(number(&mut &[0x85, 0x01][..]), Some(133));
        assert_eq!(number(&mut &[0x80][..]), None);
        assert_eq!(number(&mut &[0xff; 12][..]), None);
    }
}
