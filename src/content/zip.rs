//! A ZIP archive that is written while it is sent (PKWARE APPNOTE 6.3.10): files as they are, without compression, so that its length is
//! known before the first of them is read.
//!
//! What a file's bytes sum up to (CRC-32) is known only behind them, so that it stands there, in a data descriptor. Names are UTF-8. What is
//! too large for 32 bits, or too many for 16, is written as ZIP64 has it.
use jiff::Timestamp;
use jiff::tz::TimeZone;

const LOCAL_HEADER: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const FILE_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// Numbers that stand for "see the ZIP64 field".
const MAX_32: u64 = 0xffff_ffff;
const MAX_16: usize = 0xffff;
/// Version 4.5 has ZIP64; version 2.0 is what every reader has.
const VERSION_64: u16 = 45;
const VERSION: u16 = 20;
/// Made on Unix, whose modes of files are told.
const MADE_BY: u16 = 3 << 8 | VERSION_64;
/// Sizes and sum in a data descriptor; the name in UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
/// A plain file that everybody reads.
const MODE: u32 = 0o100_644 << 16;
/// Bytes of a name at most.
const NAME_MAX: usize = 0xffff;

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// With `/` between folders; at most 65,535 bytes, the rest is cut off.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Unix milliseconds.
    pub modified_at: i64,
}

/// An archive of files in order.
#[derive(Debug, Clone)]
pub struct Zip {
    entries: Vec<Entry>,
    /// Of each local header, from the start, and of the central directory.
    offsets: Vec<u64>,
}

impl Zip {
    /// An archive of these files.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        for entry in &mut entries {
            entry.name.truncate(entry.name.floor_char_boundary(NAME_MAX));
        }
        let mut zip = Self { offsets: vec![0], entries };
        for n in 0..zip.entries.len() {
            let around = zip.header(n).len() + zip.descriptor(n, 0).len();
            zip.offsets.push(zip.offsets[n] + around as u64 + zip.entries[n].size);
        }
        zip
    }

    /// Bytes of the whole.
    #[must_use]
    pub fn length(&self) -> u64 {
        let sums = vec![0; self.entries.len()];
        self.directory_at() + self.directory(&sums).len() as u64
    }

    /// What comes before the bytes of file `n`.
    #[must_use]
    pub fn header(&self, n: usize) -> Vec<u8> {
        let Some(entry) = self.entries.get(n) else { return Vec::new() };
        let (date, time) = dos_time(entry.modified_at);
        let mut out = Fields::default();
        out.u32(LOCAL_HEADER).u16(version(entry)).u16(FLAGS).u16(0).u16(time).u16(date).u32(0);
        if is_large(entry.size) {
            out.u32(MAX_32 as u32).u32(MAX_32 as u32).u16(entry.name.len() as u16).u16(20).text(&entry.name);
            // That it is there says that sizes in the descriptor have eight bytes.
            out.u16(1).u16(16).u64(0).u64(0);
        } else {
            out.u32(0).u32(0).u16(entry.name.len() as u16).u16(0).text(&entry.name);
        }
        out.0
    }

    /// What comes behind them; `sum` is their CRC-32.
    #[must_use]
    pub fn descriptor(&self, n: usize, sum: u32) -> Vec<u8> {
        let Some(size) = self.entries.get(n).map(|entry| entry.size) else { return Vec::new() };
        let mut out = Fields::default();
        out.u32(DESCRIPTOR).u32(sum);
        match is_large(size) {
            true => out.u64(size).u64(size),
            false => out.u32(size as u32).u32(size as u32),
        };
        out.0
    }

    /// What comes behind the last file: the central directory, with the sums of all.
    #[must_use]
    pub fn directory(&self, sums: &[u32]) -> Vec<u8> {
        let mut out = Fields::default();
        for ((entry, offset), sum) in self.entries.iter().zip(&self.offsets).zip(sums) {
            file_header(&mut out, entry, *offset, *sum);
        }
        let (start, size, count) = (self.directory_at(), out.0.len() as u64, self.entries.len());
        if count >= MAX_16 || start >= MAX_32 || size >= MAX_32 {
            out.u32(END_64).u64(44).u16(MADE_BY).u16(VERSION_64).u32(0).u32(0);
            out.u64(count as u64).u64(count as u64).u64(size).u64(start);
            out.u32(LOCATOR_64).u32(0).u64(start + size).u32(1);
        }
        let count = count.min(MAX_16) as u16;
        out.u32(END).u16(0).u16(0).u16(count).u16(count);
        out.u32(size.min(MAX_32) as u32).u32(start.min(MAX_32) as u32).u16(0);
        out.0
    }

    fn directory_at(&self) -> u64 {
        self.offsets.last().copied().unwrap_or_default()
    }
}

fn file_header(out: &mut Fields, entry: &Entry, offset: u64, sum: u32) {
    let (date, time) = dos_time(entry.modified_at);
    let mut wide = Fields::default();
    if is_large(entry.size) {
        wide.u64(entry.size).u64(entry.size);
    }
    if offset >= MAX_32 {
        wide.u64(offset);
    }
    let version = if wide.0.is_empty() { VERSION } else { VERSION_64 };
    let size = if is_large(entry.size) { MAX_32 } else { entry.size } as u32;
    let extra = if wide.0.is_empty() { 0 } else { wide.0.len() + 4 };
    out.u32(FILE_HEADER).u16(MADE_BY).u16(version).u16(FLAGS).u16(0).u16(time).u16(date).u32(sum).u32(size).u32(size);
    out.u16(entry.name.len() as u16).u16(extra as u16).u16(0).u16(0).u16(0).u32(MODE).u32(offset.min(MAX_32) as u32);
    out.text(&entry.name);
    if extra > 0 {
        out.u16(1).u16(wide.0.len() as u16);
        out.0.extend(wide.0);
    }
}

fn is_large(size: u64) -> bool {
    size >= MAX_32
}

fn version(entry: &Entry) -> u16 {
    if is_large(entry.size) { VERSION_64 } else { VERSION }
}

/// Date and time as MS-DOS has them, in UTC: to two seconds, from 1980 to 2107.
fn dos_time(milliseconds: i64) -> (u16, u16) {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_zoned(TimeZone::UTC);
    if !(1980..=2107).contains(&time.year()) {
        return (1 << 5 | 1, 0);
    }
    let parts = [i32::from(time.year()) - 1980, time.month().into(), time.day().into()];
    let clock = [i32::from(time.hour()), time.minute().into(), i32::from(time.second()) / 2];
    let date = parts[0] << 9 | parts[1] << 5 | parts[2];
    ((date & 0xffff) as u16, (clock[0] << 11 | clock[1] << 5 | clock[2]) as u16)
}

/// Numbers from their low bytes on.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn u16(&mut self, value: u16) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.extend(text.as_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, size: u64) -> Entry {
        Entry { name: name.to_owned(), size, modified_at: 1_700_000_000_000 }
    }

    /// The whole archive, with files of zeros that are left out.
    fn without_bytes(zip: &Zip) -> u64 {
        let around = |n| (zip.header(n).len() + zip.descriptor(n, 7).len()) as u64 + zip.entries[n].size;
        let files: u64 = (0..zip.entries.len()).map(around).sum();
        files + zip.directory(&vec![7; zip.entries.len()]).len() as u64
    }

    fn u64_at(bytes: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
    }

    #[test]
    fn a_small_archive_has_nothing_of_zip64() {
        let zip = Zip::new(vec![entry("a/é.mp3", 3), entry("b", 0)]);
        assert_eq!(zip.header(0).len(), 30 + "a/é.mp3".len());
        assert_eq!(zip.descriptor(0, 1).len(), 16);
        assert_eq!(zip.directory(&[1, 2]).len(), 2 * 46 + "a/é.mp3b".len() + 22);
        assert_eq!(zip.length(), without_bytes(&zip));
        assert_eq!(Zip::new(vec![]).length(), 22);
    }

    #[test]
    fn what_is_large_is_told_in_eight_bytes() {
        let zip = Zip::new(vec![entry("large", 5_000_000_000), entry("behind", 1)]);
        let (header, descriptor) = (zip.header(0), zip.descriptor(0, 9));
        assert_eq!((header.len(), &header[18..26], &header[4..6]), (30 + 5 + 20, &[0xff; 8][..], &[45, 0][..]));
        assert_eq!((descriptor.len(), u64_at(&descriptor, 8)), (24, 5_000_000_000));
        let directory = zip.directory(&[9, 9]);
        assert_eq!(u64_at(&directory, 46 + 5 + 4), 5_000_000_000);
        let second = 46 + 5 + 20;
        assert_eq!(&directory[second + 42..second + 46], &[0xff; 4], "the second begins behind 4 GiB");
        let behind = (header.len() + descriptor.len()) as u64 + 5_000_000_000;
        assert_eq!(u64_at(&directory, second + 46 + 6 + 4), behind);
        assert_eq!(&directory[directory.len() - 22 - 20 - 56..][..4], &END_64.to_le_bytes());
        assert_eq!(zip.length(), without_bytes(&zip));
    }

    #[test]
    fn many_files_are_counted_in_eight_bytes() {
        let zip = Zip::new((0..70_000).map(|n| entry(&n.to_string(), 0)).collect());
        let directory = zip.directory(&vec![0; 70_000]);
        let end = &directory[directory.len() - 22 - 20 - 56..];
        assert_eq!((u64_at(end, 24), &end[56 + 20 + 8..56 + 20 + 12]), (70_000, &[0xff; 4][..]));
    }

    #[test]
    fn times_are_those_of_dos() {
        assert_eq!(dos_time(1_700_000_000_000), ((43 << 9) | (11 << 5) | 14, (22 << 11) | (13 << 5) | 10));
        for none in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(dos_time(none), (33, 0));
        }
    }

    proptest! {
        #[test]
        fn the_length_is_known_beforehand(sizes in proptest::collection::vec(0..9_000_000_000_u64, 0..6), name in "\\PC{0,20}") {
            let zip = Zip::new(sizes.iter().map(|size| entry(&name, *size)).collect());
            prop_assert_eq!(zip.length(), without_bytes(&zip));
        }
    }
}
