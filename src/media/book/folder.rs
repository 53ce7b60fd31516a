//! Folders of loose pictures: what such a book has, and its bytes as one archive.
//!
//! A page's place is the one that it has in the archive that [`StoredZip`] makes of the folder's files, which is what the book's
//! bytes are wherever they are asked for as a whole. No path is opened here; `open` is given a number in the listing.
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use flate2::Crc;

use super::bytes::Source;
use super::error::BookError;
use super::pages::Entry;
use super::{Book, Format, Limits, Place, is_page_name, partial_md5_of, picture_book, place, read_page};
use crate::content::stored_zip::{Member, Piece, StoredZip, TooLarge};

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

/// A file of a folder of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFile {
    /// Its name in the folder, as the system gives it.
    pub name: Vec<u8>,
    /// Bytes.
    pub size: u64,
}

/// What a folder of pictures is.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderBook {
    /// As of any other book.
    pub book: Book,
    /// The files in the order of the listing, with their checksums.
    pub archive: StoredZip,
    /// What KOReader calls the archive.
    pub partial_md5: String,
}

impl From<TooLarge> for BookError {
    fn from(TooLarge(bytes): TooLarge) -> Self {
        Self::TooLarge { what: "a file of the book", bytes, max: u64::from(u32::MAX) }
    }
}

/// Whether a file of that name, directly in a folder of pictures, is of the book: a page, or what describes it.
#[must_use]
pub fn is_folder_file(name: &str) -> bool {
    is_page_name(name) || super::comic_info_rank(name) == Some(1)
}

/// Finds out what is in a folder of pictures. Reads all of every file once, for its checksum.
///
/// # Errors
/// [`BookError`]: `NoPages`, `TooMany`, `TooLarge`, `Io`; `Broken` where a file has not the size that the listing says.
pub fn inspect_folder(
    files: Vec<FolderFile>,
    limits: &Limits,
    open: impl Fn(usize) -> io::Result<File>,
) -> Result<FolderBook, BookError> {
    if files.len() as u64 > limits.entries {
        return Err(BookError::TooMany { entries: files.len() as u64, max: limits.entries });
    }
    let mut members = Vec::with_capacity(files.len());
    for (number, FolderFile { name, size }) in files.into_iter().enumerate() {
        members.push(Member { name, size, crc: checksum(&open(number)?, size)? });
    }
    let archive = StoredZip::new(members)?;
    let entry = |(number, member): (usize, &Member)| Entry {
        name: String::from_utf8_lossy(&member.name).into_owned(),
        size: member.size,
        place: Place::Stored { offset: archive.offset(number).unwrap_or_default(), size: member.size },
        encrypted: false,
    };
    let entries: Vec<Entry> = archive.members().iter().enumerate().map(entry).collect();
    let opened = |entry: &Entry| match entry.place {
        Place::Stored { offset, .. } => open(archive.member_at(offset).unwrap_or(usize::MAX)).map_err(BookError::from),
        _ => Err(BookError::NotABook),
    };
    let whole = |entry: &Entry| Place::Whole { size: entry.size };
    let read = |entry: &Entry| read_page(&opened(entry)?, &whole(entry), limits.document_bytes);
    let head = |entry: &Entry, wanted: u64| {
        let file = opened(entry)?;
        place::read_head(&Source::new(&file)?, &whole(entry), wanted)
    };
    let book = picture_book(Format::Folder, &entries, limits, read, head)?;
    let partial_md5 = partial_md5_of(|sample, at| read_at(&archive, &open, sample, at))?;
    Ok(FolderBook { book, archive, partial_md5 })
}

/// CRC-32 of a file of that size.
fn checksum(file: &File, size: u64) -> Result<u32, BookError> {
    let (mut crc, mut at, mut buffer) = (Crc::new(), 0, vec![0; PIECE]);
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => break,
            Ok(read) => {
                crc.update(&buffer[..read]);
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if at > size {
            break;
        }
    }
    if at == size { Ok(crc.sum()) } else { Err(BookError::Broken("a file of it changed")) }
}

/// Bytes of the archive from an offset on: fewer than asked only where it ends.
fn read_at(
    archive: &StoredZip,
    open: impl Fn(usize) -> io::Result<File>,
    sample: &mut [u8],
    at: u64,
) -> io::Result<usize> {
    let mut read = 0;
    for piece in archive.pieces(at..at.saturating_add(sample.len() as u64)) {
        let len = match piece {
            Piece::Bytes(bytes) => {
                sample[read..read + bytes.len()].copy_from_slice(&bytes);
                bytes.len()
            }
            Piece::Member { number, range } => {
                let len = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
                open(number)?.read_exact_at(&mut sample[read..read + len], range.start)?;
                len
            }
        };
        read += len;
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{file_of, jpeg, png};
    use super::*;
    use crate::media::book::{inspect, partial_md5};

    fn listed(files: &[(&str, Vec<u8>)]) -> Vec<FolderFile> {
        let file =
            |(name, bytes): &(&str, Vec<u8>)| FolderFile { name: name.as_bytes().to_vec(), size: bytes.len() as u64 };
        files.iter().map(file).collect()
    }

    fn told(files: &[(&str, Vec<u8>)]) -> Result<FolderBook, BookError> {
        let open =
            |number: usize| files.get(number).map(|(_, bytes)| file_of(bytes)).ok_or_else(|| io::Error::other("none"));
        inspect_folder(listed(files), &Limits::default(), open)
    }

    /// The archive of these files, written out.
    fn written(book: &FolderBook, files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(book.archive.size()).unwrap()];
        let open = |number: usize| Ok(file_of(&files[number].1));
        assert_eq!(read_at(&book.archive, open, &mut bytes, 0).unwrap(), bytes.len());
        bytes
    }

    #[test]
    fn a_folder_has_the_pages_of_the_archive_that_is_made_of_it() {
        let info = b"<ComicInfo><Title>Dawn</Title></ComicInfo>".to_vec();
        let files = [
            ("10.jpg", jpeg(30, 20, 400, 0)),
            ("2.png", png(7, 5, 90)),
            ("ComicInfo.xml", info),
            ("\u{e9}.jpg", vec![7; 200_000]),
        ];
        let book = told(&files).unwrap();
        let bytes = written(&book, &files);
        let archive = file_of(&bytes);
        let read = inspect(&archive, &Limits::default()).unwrap();
        let told = |book: &Book| -> Vec<_> {
            book.pages
                .iter()
                .map(|page| (page.name.clone(), page.media_type, page.width, page.height, page.size))
                .collect()
        };
        assert_eq!(told(&book.book), told(&read));
        assert_eq!(book.book.comic_info, read.comic_info);
        assert_eq!(book.book.faults, read.faults);
        for (own, zipped) in book.book.pages.iter().zip(&read.pages) {
            // By its checksum in the one, by its place in the other.
            let zipped = read_page(&archive, &zipped.place, 1 << 20).unwrap();
            assert_eq!(read_page(&archive, &own.place, 1 << 20).unwrap(), zipped);
        }
        assert_eq!(book.partial_md5, partial_md5(&archive).unwrap());
    }

    #[test]
    fn what_is_not_as_listed_too_much_or_nothing_is_an_error() {
        assert!(matches!(told(&[]), Err(BookError::NoPages)));
        assert!(matches!(told(&[("ComicInfo.xml", Vec::new())]), Err(BookError::NoPages)));
        for size in [0, 2] {
            let files = vec![FolderFile { name: b"1.jpg".to_vec(), size }];
            let short = inspect_folder(files, &Limits::default(), |_| Ok(file_of(b"x")));
            assert!(matches!(short, Err(BookError::Broken(_))), "{size}");
        }
        let limits = Limits { entries: 1, ..Limits::default() };
        let two = listed(&[("1.jpg", Vec::new()), ("2.jpg", Vec::new())]);
        let many = inspect_folder(two, &limits, |_| Ok(file_of(b"")));
        assert!(matches!(many, Err(BookError::TooMany { entries: 2, max: 1 })));
    }

    #[test]
    fn pages_and_what_describes_them_are_of_the_book() {
        for name in ["1.jpg", "cover.PNG", "comicinfo.xml"] {
            assert!(is_folder_file(name), "{name}");
        }
        for name in ["Thumbs.db", ".1.jpg", "1.txt", "series.json", "__MACOSX"] {
            assert!(!is_folder_file(name), "{name}");
        }
    }
}
