//! Any bytes as what is written in and around a book, as its kept list of pages and as the first bytes of a picture: no panic, and
//! an order of names that is one.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::media::book::{
    BookName, ComicInfo, SeriesJson, compare, comic_info_rank, decode_pages, encode_pages, is_folder_file, is_page_name, isbn13,
    picture_dimensions, picture_kind,
};

fuzz_target!(|input: (&[u8], String, String)| {
    let (bytes, one, other) = input;
    let _ = ComicInfo::parse(bytes);
    let _ = SeriesJson::parse(bytes);
    if let Ok(pages) = decode_pages(bytes) {
        assert_eq!(decode_pages(&encode_pages(&pages)).unwrap(), pages);
    }
    if let Some(kind) = picture_kind(bytes) {
        let _ = picture_dimensions(kind, bytes);
    }
    assert_eq!(compare(&one, &other), compare(&other, &one).reverse());
    let _ = (BookName::parse(&one), isbn13(&one), is_page_name(&one), is_folder_file(&one), comic_info_rank(&one));
});
