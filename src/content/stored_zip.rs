//! Several files as one zip archive that stores them as they are (APPNOTE 6.3.10): which of its bytes are whose.
//!
//! Pure: nobody writes the archive. Its layout follows from names, sizes and checksums alone, and times are left out, so equal
//! files give equal archives, here and on any other node. ([`super::zip`] writes what people download of several files: sums come behind
//! the files there, and times are told.)
use std::ops::Range;

/// Bytes of a local header without its name (4.3.7).
const LOCAL: u64 = 30;
/// Bytes of an entry of the directory without its name (4.3.12).
const ENTRY: u64 = 46;
/// Bytes of the extra field of an entry that begins beyond 4 GiB (4.5.3).
const FAR: u64 = 12;
/// Bytes of the end record (4.3.16), and of the two that come before it in a large archive (4.3.14, 4.3.15).
const END: u64 = 22;
const LARGE_END: u64 = 56 + 20;
/// 1980-01-01, the first day there is in a zip.
const DAY: u16 = 0x21;
/// General purpose bit 11: the name is UTF-8.
const UTF8: u16 = 0x800;

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As the archive has it; one that is not UTF-8 is kept as it is.
    pub name: Vec<u8>,
    /// Bytes.
    pub size: u64,
    /// CRC-32 of its bytes.
    pub crc: u32,
}

/// What a part of the archive is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes of a member.
    Member {
        /// Which, from 0.
        number: usize,
        /// Of its bytes.
        range: Range<u64>,
    },
}

/// Why there is no archive of these files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file of {0} bytes does not go into an archive of this kind")]
pub struct TooLarge(pub u64);

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredZip {
    members: Vec<Member>,
    /// Where the header of each member begins, and where the directory does.
    starts: Vec<u64>,
    size: u64,
}

impl StoredZip {
    /// Lays the members out in the order given.
    ///
    /// # Errors
    /// For a member of 4 GiB or more, or with a name of 64 KiB.
    pub fn new(members: Vec<Member>) -> Result<Self, TooLarge> {
        let (mut starts, mut at, mut directory) = (Vec::with_capacity(members.len() + 1), 0u64, 0u64);
        for Member { name, size, .. } in &members {
            if *size >= u64::from(u32::MAX) || name.len() >= usize::from(u16::MAX) {
                return Err(TooLarge(*size));
            }
            starts.push(at);
            directory += ENTRY + name.len() as u64 + if is_far(at) { FAR } else { 0 };
            at += LOCAL + name.len() as u64 + size;
        }
        starts.push(at);
        let large = is_large(members.len(), at, directory);
        let size = at + directory + if large { LARGE_END } else { 0 } + END;
        Ok(Self { members, starts, size })
    }

    /// Bytes of the whole archive.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// In their order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where the bytes of a member begin; `None` where there is no such member.
    #[must_use]
    pub fn offset(&self, number: usize) -> Option<u64> {
        let member = self.members.get(number)?;
        Some(self.starts[number] + LOCAL + member.name.len() as u64)
    }

    /// The member whose bytes begin there, or its header does.
    #[must_use]
    pub fn member_at(&self, offset: u64) -> Option<usize> {
        let next = self.starts.partition_point(|start| *start < offset);
        let by_bytes = next.checked_sub(1).filter(|number| self.offset(*number) == Some(offset));
        by_bytes.or_else(|| (next < self.members.len() && self.starts[next] == offset).then_some(next))
    }

    /// What these bytes of the archive are, in order; they end where it does.
    #[must_use]
    pub fn pieces(&self, range: Range<u64>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let first = self.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        for number in first..self.members.len() {
            let (start, end) = (self.starts[number], self.starts[number + 1]);
            if start >= range.end {
                return pieces;
            }
            let data = self.offset(number).unwrap_or(end);
            push_bytes(&mut pieces, start..data, &range, || self.local(number));
            let inside = range.start.max(data)..range.end.min(end);
            if !inside.is_empty() {
                pieces.push(Piece::Member { number, range: inside.start - data..inside.end - data });
            }
        }
        let directory = self.starts.last().copied().unwrap_or_default();
        push_bytes(&mut pieces, directory..self.size, &range, || self.directory());
        pieces
    }

    fn local(&self, number: usize) -> Vec<u8> {
        let member = &self.members[number];
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.extend(shared(member, 20, 0));
        bytes.extend(&member.name);
        bytes
    }

    /// The directory with what ends it.
    fn directory(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (member, start) in self.members.iter().zip(&self.starts) {
            let far = is_far(*start);
            let version: u16 = if far { 45 } else { 20 };
            bytes.extend(b"PK\x01\x02");
            bytes.extend(version.to_le_bytes());
            bytes.extend(shared(member, version, if far { FAR as u16 } else { 0 }));
            bytes.extend([0; 10]);
            bytes.extend(short(*start).to_le_bytes());
            bytes.extend(&member.name);
            if far {
                bytes.extend(1u16.to_le_bytes());
                bytes.extend(8u16.to_le_bytes());
                bytes.extend(start.to_le_bytes());
            }
        }
        let (at, len) = (self.starts.last().copied().unwrap_or_default(), bytes.len() as u64);
        if is_large(self.members.len(), at, len) {
            bytes.extend(large_end(self.members.len() as u64, at, len));
        }
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        let count = u16::try_from(self.members.len()).unwrap_or(u16::MAX);
        bytes.extend(count.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(short(len).to_le_bytes());
        bytes.extend(short(at).to_le_bytes());
        bytes.extend([0; 2]);
        bytes
    }
}

/// What the local header and the directory say alike: from the version on to the length of the extra field.
fn shared(member: &Member, version: u16, extra: u16) -> Vec<u8> {
    let flags = if std::str::from_utf8(&member.name).is_ok() { UTF8 } else { 0 };
    let mut bytes = Vec::with_capacity(26);
    for word in [version, flags, 0, 0, DAY] {
        bytes.extend(word.to_le_bytes());
    }
    for number in [member.crc, short(member.size), short(member.size)] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(u16::try_from(member.name.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(extra.to_le_bytes());
    bytes
}

fn large_end(count: u64, at: u64, len: u64) -> Vec<u8> {
    let mut bytes = b"PK\x06\x06".to_vec();
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0]);
    bytes.extend([0; 8]);
    for number in [count, count, len, at] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((at + len).to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes
}

/// The part of `span` that lies in `range`, where `whole` gives the bytes of all of `span`.
fn push_bytes(pieces: &mut Vec<Piece>, span: Range<u64>, range: &Range<u64>, whole: impl FnOnce() -> Vec<u8>) {
    let inside = range.start.max(span.start)..range.end.min(span.end);
    if inside.is_empty() {
        return;
    }
    let index = |at: u64| usize::try_from(at - span.start).unwrap_or(usize::MAX);
    let bytes = whole();
    pieces.extend(bytes.get(index(inside.start)..index(inside.end)).map(|part| Piece::Bytes(part.to_vec())));
}

fn is_far(start: u64) -> bool {
    start >= u64::from(u32::MAX)
}

fn is_large(count: usize, at: u64, len: u64) -> bool {
    count >= usize::from(u16::MAX) || is_far(at) || is_far(len)
}

/// What stands in a field of four bytes; all ones where the large one beside it counts.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(name: &str, size: u64) -> Member {
        Member { name: name.as_bytes().to_vec(), size, crc: 7 }
    }

    /// The bytes of a part, those of members being their number.
    fn written(zip: &StoredZip, range: Range<u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in zip.pieces(range) {
            match piece {
                Piece::Bytes(part) => bytes.extend(part),
                Piece::Member { number, range } => {
                    bytes.resize(bytes.len() + usize::try_from(range.end - range.start).unwrap(), number as u8);
                }
            }
        }
        bytes
    }

    #[test]
    fn the_members_lie_one_after_the_other_and_the_directory_says_where() {
        let zip = StoredZip::new(vec![member("1.jpg", 10), member("é.png", 0), member("2.jpg", 5)]).unwrap();
        let bytes = written(&zip, 0..zip.size());
        assert_eq!(bytes.len() as u64, zip.size());
        assert_eq!(zip.offset(0), Some(35));
        assert_eq!(bytes[35..45], [0; 10]);
        assert_eq!(&bytes[45..49], b"PK\x03\x04");
        let third = zip.offset(2).unwrap();
        assert_eq!((zip.member_at(third), zip.member_at(third + 1), zip.member_at(0)), (Some(2), None, Some(0)));
        assert_eq!(zip.member_at(zip.offset(1).unwrap()), Some(1), "also of one without bytes");
        assert_eq!(&bytes[bytes.len() - 22..][..4], b"PK\x05\x06");
    }

    #[test]
    fn an_archive_beyond_four_gigabytes_or_of_very_many_files_says_so_in_its_larger_form() {
        let wide = StoredZip::new((0..5).map(|n| member(&n.to_string(), 1 << 30)).collect()).unwrap();
        let tail = written(&wide, wide.size() - 200..wide.size());
        assert!(tail.windows(4).any(|part| part == b"PK\x06\x06") && tail.windows(4).any(|part| part == b"PK\x06\x07"));
        let far = wide.offset(4).unwrap() - LOCAL - 1;
        assert!(tail.windows(8).any(|part| part == far.to_le_bytes()), "the fifth file begins beyond 4 GiB");
        let many = StoredZip::new((0..70_000).map(|n| member(&n.to_string(), 0)).collect()).unwrap();
        assert_eq!(written(&many, many.size() - 98..many.size()).len(), 98);
        assert_eq!(StoredZip::new(vec![member("1.jpg", 1 << 32)]), Err(TooLarge(1 << 32)));
    }

    proptest! {
        #[test]
        fn any_two_parts_are_the_whole(
            sizes in proptest::collection::vec(0u64..40, 0..6), at in 0u64..400, len in 0u64..100,
        ) {
            let members = sizes.iter().enumerate().map(|(n, size)| member(&n.to_string(), *size)).collect();
            let zip = StoredZip::new(members).unwrap();
            let whole = written(&zip, 0..zip.size());
            prop_assert_eq!(whole.len() as u64, zip.size());
            let (start, end) = (at.min(zip.size()), (at + len).min(zip.size()));
            prop_assert_eq!(written(&zip, at..at + len), &whole[start as usize..end as usize]);
        }
    }
}
