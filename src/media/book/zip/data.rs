//! The bytes of one entry of a zip archive.
use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::super::bytes::{Fields, Source};
use super::super::error::BookError;
use super::super::place::within;
use super::ZipPlace;

/// Bytes of a local header without name and extra field.
const HEADER_LEN: u64 = 30;
/// Bytes of name and extra field for which one read of header and data together suffices.
const NAME_ROOM: u64 = 512;
/// Packed bytes that are read at once.
const CHUNK_LEN: u64 = 64 * 1024;
/// Deflate makes at most this many bytes of one (RFC 1951: 258 bytes by two bits).
const DEFLATE_RATIO: u64 = 1032;

const STORED: u16 = 0;
const DEFLATE: u16 = 8;
/// Methods that are read (APPNOTE 6.3.10, section 4.4.5).
pub const METHODS: [u16; 2] = [STORED, DEFLATE];

/// All of the entry, verified by size and CRC-32.
pub fn read(source: &Source, place: &ZipPlace, limit_bytes: u64) -> Result<Vec<u8>, BookError> {
    within("a file of the book", place.size, limit_bytes)?;
    let header = source.read(place.header, HEADER_LEN)?;
    let offset = place.header + data_offset(&header)?;
    let bytes = match place.method {
        STORED if place.packed != place.size => return Err(BookError::Broken("an entry has two sizes")),
        STORED => source.read(offset, place.size)?,
        DEFLATE => inflate(source, offset, place)?,
        method => return Err(BookError::UnknownMethod(method)),
    };
    let mut crc = Crc::new();
    crc.update(&bytes);
    if crc.sum() == place.crc { Ok(bytes) } else { Err(BookError::Broken("an entry has a wrong checksum")) }
}

/// The first `wanted` bytes of the entry, or fewer. A damaged entry gives what comes before the damage.
pub fn read_head(source: &Source, place: &ZipPlace, wanted: u64) -> Result<Vec<u8>, BookError> {
    let wanted = wanted.min(place.size);
    let packed = place.packed.min(wanted + NAME_ROOM);
    let mut bytes = source.read_up_to(place.header, HEADER_LEN + NAME_ROOM + packed)?;
    let offset = data_offset(&bytes)?;
    match bytes.get(offset as usize..) {
        Some(data) if data.len() as u64 >= packed.min(wanted) => drop(bytes.drain(..offset as usize)),
        _ => bytes = source.read_up_to(place.header.saturating_add(offset), packed)?,
    }
    bytes.truncate(packed as usize);
    match place.method {
        STORED => {
            bytes.truncate(wanted as usize);
            Ok(bytes)
        }
        DEFLATE => Ok(inflate_head(&bytes, wanted as usize)),
        method => Err(BookError::UnknownMethod(method)),
    }
}

/// Where the data begins, from the start of its local header (APPNOTE 6.3.10, section 4.3.7). Name and extra field may
/// have other lengths there than in the directory.
fn data_offset(header: &[u8]) -> Result<u64, BookError> {
    let lengths = || {
        let mut fields = Fields(header.strip_prefix(b"PK\x03\x04")?);
        fields.take(22)?;
        Some(HEADER_LEN + u64::from(fields.u16_le()?) + u64::from(fields.u16_le()?))
    };
    lengths().ok_or(BookError::Broken("an entry is not where its directory says"))
}

fn inflate(source: &Source, offset: u64, place: &ZipPlace) -> Result<Vec<u8>, BookError> {
    if place.size / DEFLATE_RATIO > place.packed {
        return Err(BookError::Broken("an entry cannot be as large as it says"));
    }
    if offset.checked_add(place.packed).is_none_or(|end| end > source.len) {
        return Err(BookError::Broken("it is cut off"));
    }
    // One byte more shows an entry that is longer than it says.
    let mut inflation = Inflation::new(place.size as usize + 1);
    let mut chunk = vec![0; place.packed.min(CHUNK_LEN) as usize];
    let mut taken = 0;
    while taken < place.packed && !inflation.is_over() {
        let len = (place.packed - taken).min(CHUNK_LEN) as usize;
        source.fill(offset + taken, &mut chunk[..len])?;
        inflation.feed(&chunk[..len])?;
        taken += len as u64;
    }
    match inflation.filled {
        filled if filled as u64 == place.size && inflation.ended => Ok(inflation.finish()),
        filled if filled as u64 > place.size => Err(BookError::Broken("an entry is longer than it says")),
        _ => Err(BookError::Broken("an entry is shorter than it says")),
    }
}

fn inflate_head(packed: &[u8], wanted: usize) -> Vec<u8> {
    let mut inflation = Inflation::new(wanted);
    // Damage shows later, when the page is read.
    let _ = inflation.feed(packed);
    inflation.finish()
}

/// A raw deflate stream (RFC 1951) into a buffer that does not grow.
struct Inflation {
    inflater: Decompress,
    bytes: Vec<u8>,
    filled: usize,
    ended: bool,
}

impl Inflation {
    fn new(room: usize) -> Self {
        Self { inflater: Decompress::new(false), bytes: vec![0; room], filled: 0, ended: false }
    }

    fn is_over(&self) -> bool {
        self.ended || self.filled == self.bytes.len()
    }

    fn feed(&mut self, mut packed: &[u8]) -> Result<(), BookError> {
        while !self.is_over() {
            let (taken, made) = (self.inflater.total_in(), self.inflater.total_out());
            let status = self.inflater.decompress(packed, &mut self.bytes[self.filled..], FlushDecompress::None);
            let taken = (self.inflater.total_in() - taken) as usize;
            let made = (self.inflater.total_out() - made) as usize;
            packed = &packed[taken..];
            self.filled += made;
            match status {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) if taken == 0 && made == 0 => break,
                Ok(_) => {}
                Err(_) => return Err(BookError::Broken("an entry is damaged")),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Limits;
    use super::super::super::samples::{Zip, file_of};
    use super::*;

    /// An archive of one entry, and its place.
    fn one(zip: &Zip, content: &[u8]) -> (Vec<u8>, ZipPlace) {
        let bytes = zip.with(&[("1.jpg", content)]);
        let entries = super::super::list(&file_of(&bytes), &Limits::default()).unwrap();
        let super::super::Place::Zip(place) = entries[0].place else { panic!("not in a zip") };
        (bytes, place)
    }

    fn read_of(bytes: &[u8], place: &ZipPlace, limit: u64) -> Result<Vec<u8>, BookError> {
        read(&Source::new(&file_of(bytes)).unwrap(), place, limit)
    }

    fn content() -> Vec<u8> {
        (0..300_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 28) as u8).collect()
    }

    #[test]
    fn an_entry_is_read_whole_and_by_its_head() {
        for zip in [Zip::default(), Zip { deflate: true, ..Zip::default() }] {
            let (bytes, place) = one(&zip, &content());
            assert_eq!(read_of(&bytes, &place, 300_000).unwrap(), content());
            let file = file_of(&bytes);
            let source = Source::new(&file).unwrap();
            for wanted in [0, 1, 10_000, 300_000, 400_000] {
                let head = read_head(&source, &place, wanted).unwrap();
                assert_eq!(head, content()[..300_000.min(wanted as usize)], "{wanted}");
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit_or_at_the_size_it_says() {
        let (bytes, place) = one(&Zip { deflate: true, ..Zip::default() }, &vec![0; 10_000_000]);
        assert!(place.packed < 100_000);
        assert!(matches!(read_of(&bytes, &place, 9_999_999), Err(BookError::TooLarge { .. })));
        let small = ZipPlace { size: 1000, ..place };
        assert!(matches!(read_of(&bytes, &small, 1000), Err(BookError::Broken(_))));
        let large = ZipPlace { size: u64::MAX, ..place };
        assert!(matches!(read_of(&bytes, &large, u64::MAX), Err(BookError::Broken(_))));
    }

    #[test]
    fn size_and_checksum_are_verified() {
        for zip in [Zip::default(), Zip { deflate: true, ..Zip::default() }] {
            let (bytes, place) = one(&zip, b"a page, a page, a page, a page");
            for wrong in [
                ZipPlace { crc: place.crc ^ 1, ..place },
                ZipPlace { size: place.size + 1, ..place },
                ZipPlace { size: place.size - 1, ..place },
                ZipPlace { packed: place.packed - 1, ..place },
                ZipPlace { header: place.header + 1, ..place },
                ZipPlace { header: u64::MAX, ..place },
                ZipPlace { method: 14, ..place },
            ] {
                assert!(read_of(&bytes, &wrong, 1000).is_err(), "{wrong:?}");
            }
            assert!(read_of(&bytes[..40], &place, 1000).is_err());
        }
    }
}
