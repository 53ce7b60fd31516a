//! Tar archives by hops from header to header: POSIX ustar and pax (IEEE Std 1003.1-2017, `pax`), GNU's long names and
//! large sizes, and the headers of before. Contents are read where they lie.
use std::fs::File;

use super::Limits;
use super::bytes::Source;
use super::error::BookError;
use super::pages::Entry;
use super::place::{Place, within};
use super::zip::{RawName, decode_names};

/// Headers and contents begin at multiples of this.
const BLOCK: u64 = 512;
/// Bytes of a long name or of a pax header.
const EXTENSION_MAX: u64 = 64 * 1024;

/// Whether the bytes begin with a tar header: its checksum is right and it has a name.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    bytes.get(..BLOCK as usize).is_some_and(|block| block[0] != 0 && has_checksum(block))
}

/// Every plain file in the archive, in its order.
///
/// # Errors
/// [`BookError`]: `TooMany`, `TooLarge` (a name), `Broken`, `Io`.
pub fn list(file: &File, limits: &Limits) -> Result<Vec<Entry>, BookError> {
    let source = Source::new(file)?;
    let mut walk = Walk { source, at: 0, headers: 0, next: Overrides::default(), found: Vec::new(), name_bytes: 0 };
    while walk.step(limits)? {}
    let raw: Vec<RawName> = walk.found.iter().map(|(name, ..)| raw(name)).collect();
    let names = decode_names(&raw);
    let entries = walk.found.iter().zip(names).map(|((_, offset, size), name)| Entry {
        name,
        size: *size,
        place: Place::Stored { offset: *offset, size: *size },
        encrypted: false,
    });
    Ok(entries.collect())
}

fn raw(name: &[u8]) -> RawName<'_> {
    RawName { bytes: name, utf8: false, unix: true, extra: &[] }
}

/// What headers in front of an entry say of it.
#[derive(Default)]
struct Overrides {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

struct Walk<'a> {
    source: Source<'a>,
    at: u64,
    /// Of any kind: those of no entry are limited too.
    headers: u64,
    next: Overrides,
    /// Name, offset, size.
    found: Vec<(Vec<u8>, u64, u64)>,
    name_bytes: u64,
}

impl Walk<'_> {
    /// Reads one header; false at the end of the archive.
    fn step(&mut self, limits: &Limits) -> Result<bool, BookError> {
        // Some tools leave out the two empty blocks of the end.
        if self.at == self.source.len && self.headers > 0 {
            return Ok(false);
        }
        let header = self.source.read(self.at, BLOCK)?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(false);
        }
        if !has_checksum(&header) {
            return Err(BookError::Broken("a header of it is damaged"));
        }
        self.headers += 1;
        if self.headers > limits.entries.saturating_mul(3) || self.found.len() as u64 >= limits.entries {
            return Err(BookError::TooMany { entries: self.found.len() as u64 + 1, max: limits.entries });
        }
        self.take(&header, limits)?;
        Ok(true)
    }

    fn take(&mut self, header: &[u8], limits: &Limits) -> Result<(), BookError> {
        let told = number(&header[124..136]).ok_or(BookError::Broken("a header of it is damaged"))?;
        let content = self.at + BLOCK;
        let extension = matches!(header[156], b'x' | b'g' | b'L' | b'K');
        let size = if extension { told } else { self.next.size.take().unwrap_or(told) };
        let end = content.checked_add(size).filter(|end| *end <= self.source.len);
        let end = end.ok_or(BookError::Broken("it is cut off"))?;
        match header[156] {
            b'x' => self.pax(content, size)?,
            b'L' => self.next.name = Some(until_zero(&self.extension(content, size)?).to_vec()),
            b'g' | b'K' => {}
            kind => {
                let name = self.next.name.take().unwrap_or_else(|| own_name(header));
                self.name_bytes += name.len() as u64;
                within("the book's directory", self.name_bytes, limits.directory_bytes)?;
                // '7' is a contiguous file; the rest are links, folders, devices, and sparse files.
                if matches!(kind, b'0' | b'7' | 0) && !name.ends_with(b"/") {
                    self.found.push((name, content, size));
                }
            }
        }
        self.at = end.checked_next_multiple_of(BLOCK).ok_or(BookError::Broken("it is cut off"))?;
        Ok(())
    }

    fn extension(&self, offset: u64, size: u64) -> Result<Vec<u8>, BookError> {
        within("a name in the book", size, EXTENSION_MAX)?;
        self.source.read(offset, size)
    }

    /// Records `length key=value\n`, of which name and size are of use.
    fn pax(&mut self, offset: u64, size: u64) -> Result<(), BookError> {
        let records = self.extension(offset, size)?;
        let mut rest = &*records;
        while let Some((key, value, after)) = pax_record(rest) {
            match key {
                b"path" => self.next.name = Some(value.to_vec()),
                b"size" => self.next.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
                _ => {}
            }
            rest = after;
        }
        Ok(())
    }
}

fn pax_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let len: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..len)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &bytes[len..]))
}

/// The name field, with ustar's prefix before it. GNU's headers have other things in the prefix's place.
fn own_name(header: &[u8]) -> Vec<u8> {
    let (name, prefix) = (until_zero(&header[..100]), until_zero(&header[345..500]));
    if prefix.is_empty() || &header[257..263] != b"ustar\0" {
        return name.to_vec();
    }
    [prefix, b"/", name].concat()
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits, or GNU's binary number, which has the first bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        // Only numbers of up to 64 bits that are not negative.
        let (head, low) = field.split_last_chunk::<8>()?;
        let (first, middle) = head.split_first()?;
        return (*first == 0x80 && middle.iter().all(|byte| *byte == 0)).then(|| u64::from_be_bytes(*low));
    }
    let digits = until_zero(field).trim_ascii();
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// The sum of all bytes with the checksum's own field as spaces; old tools added signed bytes.
fn has_checksum(header: &[u8]) -> bool {
    let Some(told) = number(&header[148..156]) else { return false };
    let others = || header[..148].iter().chain(&header[156..]);
    let unsigned: u64 = others().map(|byte| u64::from(*byte)).sum::<u64>() + 8 * u64::from(b' ');
    let signed: i64 = others().map(|byte| i64::from(byte.cast_signed())).sum::<i64>() + 8 * i64::from(b' ');
    told == unsigned || i64::try_from(told) == Ok(signed)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{file_of, tar, tar_entry};
    use super::*;

    fn listed(bytes: &[u8]) -> Result<Vec<(String, u64)>, BookError> {
        let entries = list(&file_of(bytes), &Limits::default())?;
        Ok(entries.into_iter().map(|entry| (entry.name, entry.size)).collect())
    }

    #[test]
    fn files_are_listed_with_where_they_lie() {
        let bytes = tar(&[("a/1.jpg", b"one"), ("2.jpg", &[7; 600])]);
        let file = file_of(&bytes);
        let entries = list(&file, &Limits::default()).unwrap();
        assert_eq!(entries[0].name, "a/1.jpg");
        assert_eq!(entries[1].place, Place::Stored { offset: 1536, size: 600 });
        assert_eq!(super::super::read_page(&file, &entries[0].place, 10).unwrap(), b"one");
    }

    #[test]
    fn long_names_of_either_kind_are_read() {
        let long = format!("{}/1.jpg", "x".repeat(200));
        let record = format!("path={long}\n");
        let pax = format!("{} {record}", record.len() + 4);
        for (kind, content) in [(b'L', format!("{long}\0")), (b'x', pax)] {
            let mut bytes = tar_entry("ignored", content.as_bytes(), kind);
            bytes.extend(tar_entry("short", b"one", b'0'));
            bytes.extend(tar_entry("2.jpg", b"two", b'0'));
            bytes.extend([0; 1024]);
            assert_eq!(listed(&bytes).unwrap(), [(long.clone(), 3), ("2.jpg".to_owned(), 3)]);
        }
    }

    #[test]
    fn folders_and_links_are_left_out() {
        let mut bytes = tar_entry("a/", b"", b'5');
        bytes.extend(tar_entry("a/link.jpg", b"", b'2'));
        bytes.extend(tar_entry("a/1.jpg", b"one", b'0'));
        assert_eq!(listed(&bytes).unwrap(), [("a/1.jpg".to_owned(), 3)]);
    }

    #[test]
    fn sizes_are_octal_or_binary() {
        assert_eq!(number(b"00000000644\0"), Some(420));
        assert_eq!(number(b"  644 \0\0\0\0\0\0"), Some(420));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]), Some(1 << 33));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(&[0x80; 8]), None);
        assert_eq!(number(b"x"), None);
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error() {
        let bytes = tar(&[("1.jpg", b"one"), ("2.jpg", b"two")]);
        assert!(matches!(listed(&bytes[..700]), Err(BookError::Broken(_))));
        assert!(matches!(listed(&bytes[..514]), Err(BookError::Broken(_))));
        let mut damaged = bytes;
        damaged[1030] ^= 1;
        assert!(matches!(listed(&damaged), Err(BookError::Broken(_))));
    }

    #[test]
    fn limits_are_kept() {
        let file = file_of(&tar(&[("1.jpg", b"one"), ("2.jpg", b"two")]));
        let few = Limits { entries: 1, ..Limits::default() };
        assert!(matches!(list(&file, &few), Err(BookError::TooMany { max: 1, .. })));
    }
}
