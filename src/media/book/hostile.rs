//! Books that were made to do harm: none makes the reader panic, and what is read stays within its limits.
use std::time::Instant;

use proptest::prelude::*;

use super::samples::{Zip, file_of, jpeg, png, tar, tar_entry};
use super::{BookError, Limits, decode_pages, encode_pages, inspect, read_page};

const PAGE_MAX: u64 = 50_000;

/// Whatever it is, it is looked into and all of its pages are read.
fn survives(bytes: &[u8]) {
    let file = file_of(bytes);
    let limits = Limits { entries: 100, directory_bytes: 20_000, document_bytes: 20_000, probe_bytes: 200_000 };
    let Ok(book) = inspect(&file, &limits) else { return };
    assert!(book.pages.len() <= 100 && book.pages.iter().zip(1..).all(|(page, number)| page.number == number));
    assert_eq!(decode_pages(&encode_pages(&book.pages)).unwrap(), book.pages);
    let cover = book.epub.iter().flat_map(|epub| &epub.cover).map(|cover| cover.place);
    for place in book.pages.iter().map(|page| page.place).chain(cover) {
        if let Ok(page) = read_page(&file, &place, PAGE_MAX) {
            assert!(page.len() as u64 <= PAGE_MAX);
        }
    }
}

/// Bytes changed here and there, some to values that lie at limits, and perhaps cut off.
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
        proptest::collection::vec((any::<prop::sample::Index>(), byte), 0..12),
        proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    )
}

const PACKAGE: &[u8] = br#"<package><metadata><dc:title>T</dc:title><meta name="cover" content="i"/></metadata><manifest>
    <item id="a" href="1.xhtml" media-type="application/xhtml+xml"/><item id="i" href="1.png" media-type="image/png"/></manifest>
    <spine><itemref idref="a"/></spine></package>"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_zip_that_was_tampered_with_does_no_harm(deflate: bool, zip64: bool, (changes, cut) in changes()) {
        let (page, photo) = (png(30, 40, 200), jpeg(30, 40, 300, 900));
        let zip = Zip { deflate, zip64, encrypted: false };
        survives(&changed(zip.with(&[("a/1.png", &page), ("a/2.jpg", &photo), ("ComicInfo.xml", b"<ComicInfo><Title>T</Title></ComicInfo>")]), &changes, cut));
    }

    #[test]
    fn a_tar_that_was_tampered_with_does_no_harm((changes, cut) in changes()) {
        let mut bytes = tar_entry("x", b"22 path=dir/page1.png\n", b'x');
        bytes.extend(tar_entry("1.png", &png(30, 40, 200), b'0'));
        bytes.extend(tar(&[("2.jpg", &jpeg(30, 40, 300, 900))]));
        survives(&changed(bytes, &changes, cut));
    }

    #[test]
    fn an_epub_that_was_tampered_with_does_no_harm(deflate: bool, (changes, cut) in changes()) {
        let zip = Zip { deflate, ..Zip::default() };
        let files: [(&str, &[u8]); 5] = [
            ("mimetype", b"application/epub+zip"), ("META-INF/container.xml", b"<c><rootfile full-path='a.opf'/></c>"), ("a.opf", PACKAGE),
            ("1.xhtml", b"<html><body><img src='1.png'/></body></html>"), ("1.png", &png(30, 40, 200)),
        ];
        survives(&changed(zip.with(&files), &changes, cut));
    }

    #[test]
    fn any_bytes_do_no_harm(magic in prop::sample::select(vec![&b"PK\x03\x04"[..], b"PK\x05\x06", b"%PDF-", b""]), bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        survives(&[magic, &bytes].concat());
        survives(&[&bytes, magic, &[0; 18]].concat());
    }
}

#[test]
fn a_book_without_pages_or_with_a_lock_says_so() {
    let told = |bytes: &[u8]| inspect(&file_of(bytes), &Limits::default());
    assert!(matches!(told(&Zip::default().with(&[("a.txt", b"x")])), Err(BookError::NoPages)));
    let locked = Zip { encrypted: true, ..Zip::default() };
    assert!(matches!(told(&locked.with(&[("1.jpg", b"x")])), Err(BookError::Encrypted)));
    assert!(matches!(told(b"Rar!\x1a\x07\x01\x00"), Err(BookError::NeedsOther(super::Format::Rar5))));
    assert!(matches!(told(b"hello"), Err(BookError::NotABook)));
}

/// Prints what inspecting costs: `cargo test --release -- --nocapture a_book_of_180_pages`.
#[test]
fn a_book_of_180_pages_is_looked_into_quickly() {
    for deflate in [false, true] {
        let photo: Vec<u8> = jpeg(1200, 1800, 4000, 0)
            .into_iter()
            .chain((0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8))
            .collect();
        let names: Vec<String> = (1..=180).map(|n| format!("Series v01/page {n}.jpg")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), photo.as_slice())).collect();
        let file = file_of(&Zip { deflate, ..Zip::default() }.with(&files));
        let start = Instant::now();
        let book = inspect(&file, &Limits::default()).unwrap();
        let inspected = start.elapsed();
        let start = Instant::now();
        let kept = encode_pages(&book.pages);
        let pages = decode_pages(&kept).unwrap();
        let coded = start.elapsed();
        let start = Instant::now();
        let last = read_page(&file, &pages[179].place, 10_000_000).unwrap();
        let read = start.elapsed();
        println!(
            "deflate {deflate}: inspect {inspected:?}, encode and decode {coded:?} ({} bytes), read a page of {} bytes {read:?}",
            kept.len(),
            last.len()
        );
        assert_eq!((pages.len(), pages[179].width, last.len()), (180, Some(1200), photo.len()));
    }
}
