//! Any bytes as the file of a book: no panic, pages numbered in order and within their limits, kept and read back as they were.
#![no_main]
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use potluck::media::book::{BookError, FolderFile, Limits, Place, decode_pages, encode_pages, inspect, inspect_folder, outline, read_page};

const PAGE_MAX: u64 = 50_000;
const LIMITS: Limits = Limits { entries: 100, directory_bytes: 20_000, document_bytes: 20_000, probe_bytes: 200_000 };

/// One file for all runs: it is made anew of each input.
static FILE: LazyLock<File> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("potluck-fuzz-book-{}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
});

fn file_of(bytes: &[u8]) -> &'static File {
    let mut file: &File = &FILE;
    file.set_len(0).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(bytes).unwrap();
    &FILE
}

fuzz_target!(|bytes: &[u8]| {
    let file = file_of(bytes);
    if let Ok(book) = inspect(file, &LIMITS) {
        assert!(book.pages.len() <= 100 && book.pages.iter().zip(1..).all(|(page, number)| page.number == number));
        assert_eq!(decode_pages(&encode_pages(&book.pages)).unwrap(), book.pages);
        let _ = (book.told(), book.direction());
        for page in &book.pages {
            assert!(read_page(file, &page.place, PAGE_MAX).map_or(0, |page| page.len() as u64) <= PAGE_MAX);
        }
    }
    let _ = outline(file, &LIMITS);
    // The same bytes as a loose picture: its place is after the header of the archive.
    let files = vec![FolderFile { name: b"1.jpg".to_vec(), size: bytes.len() as u64 }];
    match inspect_folder(files, &LIMITS, |_| FILE.try_clone()) {
        Ok(folder) => {
            let place = Place::Stored { offset: 35, size: bytes.len() as u64 };
            assert_eq!(folder.book.pages.iter().map(|page| page.place).collect::<Vec<_>>(), [place]);
            assert_eq!(folder.archive.size(), 35 + bytes.len() as u64 + 51 + 22);
        }
        Err(error) => assert!(matches!(error, BookError::Io(_)), "{error}"),
    }
});
