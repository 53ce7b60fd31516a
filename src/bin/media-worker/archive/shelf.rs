//! Archives that are being read stay open, and some of their pages unpacked, so that the next page costs no new pass.
//!
//! An archive goes on from where it stopped; an earlier page that is not kept any more means to begin again, and then
//! the pages before it are kept too, because whoever goes back goes on going back.
use std::collections::VecDeque;
use std::fs::File;

use super::reader::Archive;
use super::whole;
use potluck::media::book::{BookError, Format, is_page_name};
use potluck::media::protocol::FileKey;

/// Archives that are open. Each may have a dictionary of 64 MiB or more.
const BOOKS: usize = 3;
/// Bytes of all pages that are kept.
const BYTES_MAX: usize = 96 * 1024 * 1024;
/// Pages before the one asked for that are unpacked and kept.
const BEFORE: u64 = 8;

/// The books that were read last.
#[derive(Default)]
pub struct Shelf {
    /// Last used at the end.
    books: Vec<Open>,
}

struct Open {
    key: FileKey,
    archive: Archive,
    /// Last unpacked at the end, with the numbers of their entries.
    pages: VecDeque<(u64, Vec<u8>)>,
}

impl Shelf {
    /// The bytes of entry number `index` of the archive that `file` is and `key` tells from others, as
    /// [`super::read_page`] gives them. On trouble all books are closed: none is trusted, and memory may be what lacked.
    ///
    /// # Errors
    /// Those of [`super::read_page`].
    pub fn page(
        &mut self,
        key: FileKey,
        file: &File,
        format: Format,
        index: u64,
        limit_bytes: u64,
    ) -> Result<Vec<u8>, BookError> {
        let page = self.taken(key, file, format).and_then(|mut book| {
            let page = book.page(file, format, index, limit_bytes)?;
            self.books.push(book);
            Ok(page)
        });
        match page {
            Ok(_) => self.tidy(),
            Err(_) => self.clear(),
        }
        page
    }

    /// Closes all books.
    pub fn clear(&mut self) {
        self.books.clear();
    }

    fn taken(&mut self, key: FileKey, file: &File, format: Format) -> Result<Open, BookError> {
        match self.books.iter().position(|book| book.key == key) {
            Some(at) => Ok(self.books.remove(at)),
            None => Ok(Open { key, archive: Archive::open(file, format)?, pages: VecDeque::new() }),
        }
    }

    fn tidy(&mut self) {
        let over = self.books.len().saturating_sub(BOOKS);
        self.books.drain(..over);
        while self.bytes() > BYTES_MAX {
            let Some(book) = self.books.iter_mut().find(|book| !book.pages.is_empty()) else { return };
            book.pages.pop_front();
        }
    }

    fn bytes(&self) -> usize {
        self.books.iter().flat_map(|book| &book.pages).map(|(_, page)| page.len()).sum()
    }
}

impl Open {
    fn page(&mut self, file: &File, format: Format, index: u64, limit_bytes: u64) -> Result<Vec<u8>, BookError> {
        let kept = self.pages.iter().find(|(kept, page)| *kept == index && page.len() as u64 <= limit_bytes);
        if let Some((_, page)) = kept {
            return Ok(page.clone());
        }
        if self.archive.next_index() > index {
            self.archive = Archive::open(file, format)?;
        }
        loop {
            let header = self.archive.next()?.ok_or(BookError::Broken("it has no such entry"))?;
            if header.index == index {
                let page = whole(&header, &mut self.archive, limit_bytes)?;
                self.keep(index, page.clone());
                return Ok(page);
            }
            if index - header.index <= BEFORE && is_page_name(&header.name) && self.lacks(header.index) {
                // One that cannot be read is not the one that was asked for.
                whole(&header, &mut self.archive, limit_bytes).map(|page| self.keep(header.index, page)).ok();
            }
        }
    }

    fn lacks(&self, index: u64) -> bool {
        self.pages.iter().all(|(kept, _)| *kept != index)
    }

    /// Keeps no more of one book than of all, in the middle of a pass too.
    fn keep(&mut self, index: u64, page: Vec<u8>) {
        self.pages.push_back((index, page));
        while self.pages.iter().map(|(_, page)| page.len()).sum::<usize>() > BYTES_MAX {
            self.pages.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Rar5, SevenZip, file_of, png};
    use super::*;

    fn key(inode: u64) -> FileKey {
        FileKey { device: 1, inode, size: 2, modified_ns: 3 }
    }

    fn book(pages: u32) -> Vec<(String, Vec<u8>)> {
        (0..pages).map(|n| (format!("{n:03}.png"), png(n + 1, 9, 1000))).collect()
    }

    fn read(shelf: &mut Shelf, file: &File, index: u64) -> Vec<u8> {
        shelf.page(key(1), file, Format::Rar5, index, 10_000).unwrap()
    }

    #[test]
    fn pages_come_in_any_order() {
        let pages = book(40);
        let file = file_of(&Rar5::default().of(&pages));
        let mut shelf = Shelf::default();
        for index in [0, 1, 2, 39, 38, 30, 29, 5, 6, 6, 0] {
            assert_eq!(read(&mut shelf, &file, index), pages[index as usize].1, "{index}");
        }
        assert_eq!(shelf.books.len(), 1);
    }

    #[test]
    fn whoever_goes_back_finds_the_pages_before_unpacked() {
        let file = file_of(&Rar5::default().of(&book(40)));
        let mut shelf = Shelf::default();
        read(&mut shelf, &file, 20);
        let kept: Vec<u64> = shelf.books[0].pages.iter().map(|(index, _)| *index).collect();
        assert_eq!(kept, (12..=20).collect::<Vec<_>>());
        read(&mut shelf, &file, 13);
        assert_eq!(shelf.books[0].archive.next_index(), 21);
    }

    #[test]
    fn few_books_stay_open_and_none_after_trouble() {
        let file = file_of(&Rar5::default().of(&book(3)));
        let mut shelf = Shelf::default();
        for inode in 0..10 {
            shelf.page(key(inode), &file, Format::Rar5, 1, 10_000).unwrap();
        }
        let open: Vec<u64> = shelf.books.iter().map(|book| book.key.inode).collect();
        assert_eq!(open, [7, 8, 9]);
        assert!(shelf.page(key(8), &file, Format::Rar5, 3, 10_000).is_err());
        assert!(shelf.books.is_empty());
        assert!(matches!(shelf.page(key(8), &file, Format::Rar5, 1, 999), Err(BookError::TooLarge { .. })));
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let pages: Vec<_> = (0..60).map(|n| (format!("{n:02}.png"), png(n, 1, 3 * 1024 * 1024))).collect();
        let file = file_of(&Rar5::default().of(&pages));
        let mut shelf = Shelf::default();
        for inode in 0..2 {
            for index in 0..60 {
                shelf.page(key(inode), &file, Format::Rar5, index, 10_000_000).unwrap();
            }
            assert!(shelf.bytes() <= BYTES_MAX);
        }
    }

    #[test]
    fn a_solid_archive_is_gone_through_once_to_be_read_to_its_end() {
        let pages = book(50);
        let Some(bytes) = SevenZip::default().of(&pages) else { return };
        let file = file_of(&bytes);
        let mut shelf = Shelf::default();
        for (index, (_, page)) in pages.iter().enumerate() {
            assert_eq!(&shelf.page(key(1), &file, Format::SevenZip, index as u64, 10_000).unwrap(), page);
            assert_eq!(shelf.books[0].archive.next_index(), index as u64 + 1);
        }
    }
}
