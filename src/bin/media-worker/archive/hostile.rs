//! Archives of every kind that is read here, as they should be and as they should not.
use std::time::Instant;

use proptest::prelude::*;

use super::samples::{Rar5, SevenZip, file_of, png, rar4};
use super::{inspect, read_page};
use potluck::media::book::{BookError, Fault, Format, Limits, PictureType, Place};

const COMIC: &[u8] = b"<ComicInfo><Series>S</Series></ComicInfo>";

fn format_of(bytes: &[u8]) -> Option<Format> {
    Format::of(&file_of(bytes), &Limits::default()).ok()
}

/// A book with a folder, names that are not in order and not in ASCII, a picture of another type than its name says,
/// and things that are no pages.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("b/10.png", png(10, 20, 3000)),
        ("b/é 2.jpg", png(30, 40, 200_000)),
        ("b/.DS_Store", b"x".to_vec()),
        ("b/ComicInfo.xml", b"<ComicInfo><Series>Deep</Series></ComicInfo>".to_vec()),
        ("ComicInfo.xml", COMIC.to_vec()),
        ("b/note.txt", b"hello".to_vec()),
    ]
}

fn borrowed<'a>(files: &'a [(&'static str, Vec<u8>)]) -> Vec<(&'a str, &'a [u8])> {
    files.iter().map(|(name, content)| (*name, content.as_slice())).collect()
}

/// Every kind that can be made here, with its format.
fn archives(files: &[(&str, &[u8])]) -> Vec<(&'static str, Format, Vec<u8>)> {
    let seven = |kind, options| SevenZip { kind, options }.with(files);
    let made = [
        ("rar 4", Format::Rar4, Some(rar4(files, false))),
        ("rar 5", Format::Rar5, Some(Rar5::default().with(files))),
        ("7z solid", Format::SevenZip, seven("7z", &["-ms=on"])),
        ("7z not solid", Format::SevenZip, seven("7z", &["-ms=off"])),
        ("7z ppmd", Format::SevenZip, seven("7z", &["-m0=ppmd"])),
        ("7z bzip2", Format::SevenZip, seven("7z", &["-m0=bzip2"])),
        ("7z stored", Format::SevenZip, seven("7z", &["-mx=0"])),
        ("zip bzip2", Format::Zip, seven("zip", &["-mm=bzip2"])),
        ("zip lzma", Format::Zip, seven("zip", &["-mm=lzma"])),
        ("zip ppmd", Format::Zip, seven("zip", &["-mm=ppmd"])),
    ];
    made.into_iter().filter_map(|(what, format, bytes)| Some((what, format, bytes?))).collect()
}

#[test]
fn a_book_is_the_same_in_every_archive() {
    let files = files();
    for (what, format, bytes) in archives(&borrowed(&files)) {
        assert_eq!(format_of(&bytes), Some(format), "{what}");
        let file = file_of(&bytes);
        let book = inspect(&file, format, &Limits::default()).expect(what);
        let told: Vec<_> = book.pages.iter().map(|page| (page.number, &*page.name, page.width, page.height)).collect();
        assert_eq!(told, [(1, "b/10.png", Some(10), Some(20)), (2, "b/é 2.jpg", Some(30), Some(40))], "{what}");
        assert_eq!(book.pages[1].media_type, PictureType::Png);
        assert_eq!(book.comic_info.expect(what).series.as_deref(), Some("S"), "{what}");
        assert!(book.faults.is_empty());
        for page in &book.pages {
            let Place::Other { format, index } = page.place else { panic!("{what}") };
            let wanted = &files.iter().find(|(name, _)| *name == page.name).unwrap().1;
            assert_eq!(&read_page(&file, format, index, 200_000).expect(what), wanted, "{what}");
            let small = page.size - 1;
            assert!(matches!(read_page(&file, format, index, small), Err(BookError::TooLarge { .. })), "{what}");
        }
        assert!(matches!(read_page(&file, format, 99, 10), Err(BookError::Broken(_))));
    }
}

#[test]
fn a_locked_book_says_so() {
    let page = png(1, 2, 100);
    let files: [(&str, &[u8]); 1] = [("1.png", &page)];
    let locked = |kind, options| SevenZip { kind, options }.with(&files);
    let books = [
        (Format::Rar4, Some(rar4(&files, true))),
        (Format::Rar5, Some(Rar5 { files_locked: true, ..Rar5::default() }.with(&files))),
        (Format::Rar5, Some(Rar5 { all_locked: true, ..Rar5::default() }.with(&files))),
        (Format::SevenZip, locked("7z", &["-pword"])),
        (Format::SevenZip, locked("7z", &["-pword", "-mhe=on"])),
        (Format::Zip, locked("zip", &["-pword", "-mm=bzip2"])),
    ];
    for (number, (format, bytes)) in books.into_iter().enumerate() {
        let Some(bytes) = bytes else { continue };
        let told = inspect(&file_of(&bytes), format, &Limits::default());
        assert!(matches!(told, Err(BookError::Encrypted)), "{number}: {told:?}");
    }
}

/// Its files share a dictionary, which libarchive 3.6 has no code for.
#[test]
fn a_solid_rar_4_is_refused_and_says_why() {
    let mut bytes = rar4(&[("1.png", &png(1, 2, 100))], false);
    // The first file's header begins after the signature and the archive's header: its flags, and then its checksum.
    bytes[23] |= 0x10;
    let told = inspect(&file_of(&bytes), Format::Rar4, &Limits::default());
    let Err(error @ BookError::SolidRar) = told else { panic!("{told:?}") };
    assert!(error.to_string().contains("solid RAR"), "{error}");
}

#[test]
fn limits_hold() {
    let page = png(1, 2, 100_000);
    let files: [(&str, &[u8]); 3] = [("1.png", &page), ("2.png", &page), ("3.png", &page)];
    for (what, format, bytes) in archives(&files) {
        let file = file_of(&bytes);
        let told = |limits: Limits| inspect(&file, format, &limits);
        let few = Limits { entries: 2, ..Limits::default() };
        assert!(matches!(told(few), Err(BookError::TooMany { max: 2, .. })), "{what}");
        let short = Limits { directory_bytes: 8, ..Limits::default() };
        assert!(matches!(told(short), Err(BookError::TooLarge { max: 8, .. })), "{what}");
        let little = told(Limits { probe_bytes: 5000, ..Limits::default() }).unwrap();
        assert_eq!(little.pages.iter().filter(|page| page.width.is_some()).count(), 2, "{what}");
    }
}

/// Stored, so that the place of a page's bytes is known.
fn stored(files: &[(&str, &[u8])]) -> Vec<(Format, Vec<u8>)> {
    let seven = |kind| SevenZip { kind, options: &["-mx=0"] }.with(files);
    let made = [
        (Format::Rar4, Some(rar4(files, false))),
        (Format::Rar5, Some(Rar5::default().with(files))),
        (Format::SevenZip, seven("7z")),
        (Format::Zip, seven("zip")),
    ];
    made.into_iter().filter_map(|(format, bytes)| Some((format, bytes?))).collect()
}

#[test]
fn what_is_no_picture_is_a_fault_of_its_page() {
    for (format, bytes) in stored(&[("1.png", &png(1, 2, 100)), ("2.png", b"<html>")]) {
        let book = inspect(&file_of(&bytes), format, &Limits::default()).unwrap();
        let faults: Vec<_> = book.faults.iter().map(|fault| (fault.page, fault.fault)).collect();
        assert_eq!(faults, [(2, Fault::NotAPicture)], "{format:?}");
    }
}

#[test]
fn a_page_with_another_checksum_and_an_archive_that_is_cut_off_are_broken() {
    for (format, mut bytes) in stored(&[("1.png", &png(1, 2, 100))]) {
        let at = bytes.windows(4).position(|part| part == [7; 4]).unwrap();
        bytes[at + 10] ^= 1;
        let read = read_page(&file_of(&bytes), format, 0, 1000);
        // libarchive 3.6 looks at no checksum of what is stored in a RAR.
        let rar = matches!(format, Format::Rar4 | Format::Rar5);
        assert!(rar || matches!(read, Err(BookError::Broken(_))), "{format:?}: {read:?}");
        let cut = inspect(&file_of(&bytes[..at + 3]), format, &Limits::default());
        assert!(matches!(cut, Err(BookError::Broken(_))), "{format:?}: {cut:?}");
    }
}

#[test]
fn an_archive_without_pages_and_another_format_are_refused() {
    let bytes = rar4(&[("a.txt", b"x")], false);
    assert!(matches!(inspect(&file_of(&bytes), Format::Rar4, &Limits::default()), Err(BookError::NoPages)));
    let other = inspect(&file_of(&bytes), Format::Tar, &Limits::default());
    assert!(matches!(other, Err(BookError::NeedsOther(Format::Tar))));
    assert!(inspect(&file_of(&bytes), Format::SevenZip, &Limits::default()).is_err());
}

/// Whatever it is, it is looked into and all of its pages are read.
fn survives(format: Format, bytes: &[u8]) {
    let file = file_of(bytes);
    let limits = Limits { entries: 100, directory_bytes: 20_000, document_bytes: 20_000, probe_bytes: 2_000_000 };
    let Ok(book) = inspect(&file, format, &limits) else { return };
    assert!(book.pages.len() <= 100 && book.pages.iter().zip(1..).all(|(page, number)| page.number == number));
    for page in &book.pages {
        let Place::Other { format, index } = page.place else { panic!("it is in the archive") };
        assert!(read_page(&file, format, index, 250_000).is_ok_and(|page| page.len() <= 250_000) || !bytes.is_empty());
    }
}

fn changed(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len() + 1));
    }
    bytes
}

fn changes() -> impl Strategy<Value = (Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>)> {
    let byte = prop_oneof![Just(0), Just(0xff), Just(1), Just(0x7f), Just(0x80), any::<u8>()];
    (
        proptest::collection::vec((any::<prop::sample::Index>(), byte), 1..12),
        proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    )
}

#[test]
fn an_archive_that_was_tampered_with_does_no_harm() {
    let (page, photo) = (png(30, 40, 300), png(3, 4, 400));
    let made = archives(&[("a/1.png", &page), ("a/2.png", &photo), ("ComicInfo.xml", COMIC)]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(3000));
    let kinds = prop::sample::select(made);
    let result = runner.run(&(kinds, changes()), |((_, format, bytes), (changes, cut))| {
        survives(format, &changed(bytes, &changes, cut));
        Ok(())
    });
    result.unwrap();
}

/// Prints what inspecting and reading cost: `cargo test --release -- --nocapture --ignored a_book_of_180_pages`.
#[test]
#[ignore = "measures, and takes a while to pack"]
fn a_book_of_180_pages_is_looked_into_quickly() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut noise = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as u8
    };
    let mut page = || png(1200, 1800, 0).into_iter().chain((0..500_000).map(|_| noise())).collect::<Vec<_>>();
    let files: Vec<(String, Vec<u8>)> = (1..=180).map(|n| (format!("S v01/page {n:03}.png"), page())).collect();
    let seven = |options| SevenZip { kind: "7z", options }.of(&files);
    let made = [
        ("7z solid", Format::SevenZip, seven(&["-ms=on", "-mx=5"])),
        ("7z not solid", Format::SevenZip, seven(&["-ms=off", "-mx=5"])),
        ("rar 5 stored", Format::Rar5, Some(Rar5::default().of(&files))),
    ];
    for (what, format, bytes) in made {
        let Some(bytes) = bytes else { continue };
        let file = file_of(&bytes);
        let start = Instant::now();
        let book = inspect(&file, format, &Limits::default()).unwrap();
        let inspected = start.elapsed();
        let mut times = Vec::new();
        for number in [0, 90, 179] {
            let Place::Other { index, .. } = book.pages[number].place else { panic!("it is in the archive") };
            let start = Instant::now();
            read_page(&file, format, index, 10_000_000).unwrap();
            times.push(start.elapsed());
        }
        let mut shelf = super::Shelf::default();
        let key = potluck::media::protocol::FileKey { device: 1, inode: 1, size: 1, modified_ns: 1 };
        let start = Instant::now();
        for page in &book.pages {
            let Place::Other { index, .. } = page.place else { panic!("it is in the archive") };
            shelf.page(key, &file, format, index, 10_000_000).unwrap();
        }
        let through = start.elapsed();
        println!(
            "{what}, {} MB: inspect {inspected:?}, pages 1, 91 and 180 {times:?}, all by the shelf {through:?}",
            bytes.len() / 1_000_000
        );
    }
}
