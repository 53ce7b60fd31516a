//! The end of a zip archive, and the central directory that it points to (APPNOTE 6.3.10, sections 4.3.14 to 4.3.16).
use super::super::Limits;
use super::super::bytes::{Fields, Source};
use super::super::error::BookError;
use super::super::place::within;

/// Bytes of the end record without its comment.
const END_LEN: u64 = 22;
/// Bytes of the locator of the ZIP64 end record.
const LOCATOR_LEN: u64 = 20;
/// Bytes of the ZIP64 end record without its extensible part.
const WIDE_END_LEN: u64 = 56;
/// Bytes at the end of the file that can hold the end record.
const TAIL_LEN: u64 = END_LEN + u16::MAX as u64;

/// The central directory's bytes.
pub(super) struct Directory {
    pub bytes: Vec<u8>,
    /// How many entries there should be.
    pub entries: u64,
    /// What is to be added to the offsets in it: the length of what is in front of the archive.
    pub shift: u64,
}

/// What an end record says of the directory.
#[derive(Clone, Copy)]
struct End {
    /// Where the record itself is.
    at: u64,
    entries: u64,
    size: u64,
    offset: u64,
}

/// Whether the file ends as a zip archive does.
pub fn has_end(source: &Source) -> Result<bool, BookError> {
    Ok(end(&Tail::of(source)?).is_some())
}

/// Finds and reads the directory.
pub(super) fn find(source: &Source, limits: &Limits) -> Result<Directory, BookError> {
    let tail = Tail::of(source)?;
    let narrow = end(&tail).ok_or(BookError::Broken("it has no end: the file may be cut off"))?;
    let end = wide_end(source, narrow)?.unwrap_or(narrow);
    if end.entries > limits.entries {
        return Err(BookError::TooMany { entries: end.entries, max: limits.entries });
    }
    within("the book's directory", end.size, limits.directory_bytes)?;
    let (bytes, shift) = directory(source, &tail, end)?;
    Ok(Directory { bytes, entries: end.entries, shift })
}

/// The last bytes of the file: they hold the whole directory of most books, which saves a second read.
struct Tail {
    at: u64,
    bytes: Vec<u8>,
}

impl Tail {
    fn of(source: &Source) -> Result<Self, BookError> {
        let at = source.len.saturating_sub(TAIL_LEN);
        Ok(Self { at, bytes: source.read_up_to(at, TAIL_LEN)? })
    }

    fn read(&self, source: &Source, offset: u64, len: u64) -> Result<Vec<u8>, BookError> {
        let inside = offset.checked_sub(self.at).and_then(|from| {
            let from = usize::try_from(from).ok()?;
            self.bytes.get(from..from.checked_add(usize::try_from(len).ok()?)?)
        });
        inside.map_or_else(|| source.read(offset, len), |bytes| Ok(bytes.to_vec()))
    }
}

/// The last end record whose comment ends where the file does; where there is none, the last whose comment fits.
fn end(tail: &Tail) -> Option<End> {
    let mut fits = None;
    for from in (0..tail.bytes.len().saturating_sub(END_LEN as usize - 1)).rev() {
        if !tail.bytes[from..].starts_with(b"PK\x05\x06") {
            continue;
        }
        let Some((end, comment_ends)) = end_record(&tail.bytes[from..], tail.at + from as u64) else { continue };
        if comment_ends == tail.bytes.len() - from {
            return Some(end);
        }
        fits = fits.or((comment_ends < tail.bytes.len() - from).then_some(end));
    }
    fits
}

fn end_record(bytes: &[u8], at: u64) -> Option<(End, usize)> {
    let mut fields = Fields(bytes.get(4..)?);
    let (disk, directory_disk) = (fields.u16_le()?, fields.u16_le()?);
    let (here, entries) = (fields.u16_le()?, fields.u16_le()?);
    let (size, offset, comment) = (fields.u32_le()?, fields.u32_le()?, fields.u16_le()?);
    // A ZIP64 end record holds what is all ones here.
    let one_volume = (disk == 0 || disk == u16::MAX) && disk == directory_disk && here == entries;
    let end = End { at, entries: entries.into(), size: size.into(), offset: offset.into() };
    one_volume.then_some((end, END_LEN as usize + usize::from(comment)))
}

/// The ZIP64 end record, if there is one.
fn wide_end(source: &Source, end: End) -> Result<Option<End>, BookError> {
    let Some(locator_at) = end.at.checked_sub(LOCATOR_LEN) else { return Ok(None) };
    let locator = source.read(locator_at, LOCATOR_LEN)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let told = Fields(&locator[8..]).u64_le().unwrap_or(u64::MAX);
    // With something in front of the archive it is not where it is told to be, but still right before its locator.
    let places = [Some(told), locator_at.checked_sub(WIDE_END_LEN)];
    for at in places.into_iter().flatten().filter(|at| *at < locator_at) {
        if let Some(end) = wide_end_record(&source.read_up_to(at, WIDE_END_LEN)?, at) {
            return Ok(Some(end));
        }
    }
    Err(BookError::Broken("its end is damaged"))
}

fn wide_end_record(bytes: &[u8], at: u64) -> Option<End> {
    let mut fields = Fields(bytes);
    if fields.take(4)? != b"PK\x06\x06" {
        return None;
    }
    fields.take(12)?;
    let one_volume = fields.take(8)? == [0; 8];
    let (here, entries) = (fields.u64_le()?, fields.u64_le()?);
    let end = End { at, entries, size: fields.u64_le()?, offset: fields.u64_le()? };
    (one_volume && here == entries).then_some(end)
}

/// The directory ends where the end record begins; only where it is not there is the offset that was told believed.
fn directory(source: &Source, tail: &Tail, end: End) -> Result<(Vec<u8>, u64), BookError> {
    if end.size == 0 && end.entries == 0 {
        return Ok((Vec::new(), 0));
    }
    if let Some(start) = end.at.checked_sub(end.size)
        && let Some(shift) = start.checked_sub(end.offset)
    {
        let bytes = tail.read(source, start, end.size)?;
        if bytes.starts_with(b"PK\x01\x02") {
            return Ok((bytes, shift));
        }
    }
    let bytes = tail.read(source, end.offset, end.size)?;
    if bytes.starts_with(b"PK\x01\x02") { Ok((bytes, 0)) } else { Err(BookError::Broken("its directory is missing")) }
}
