//! PDFs as they should be and as they should not.
use std::time::Instant;

use proptest::prelude::*;

use super::samples::{Drawn, book, file_of, half_red, jpeg, pdf, scanned, stream};
use super::{SIDE, inspect, read_page};
use potluck::media::book::{Book, BookError, Format, Limits, Place};

const MAX: u64 = 50_000_000;

fn told(bytes: &[u8]) -> Result<Book, BookError> {
    inspect(&file_of(bytes), &Limits::default())
}

fn first_page(bytes: &[u8]) -> Vec<u8> {
    read_page(&file_of(bytes), 0, 500, MAX).unwrap()
}

#[test]
fn a_page_that_is_one_jpeg_is_given_as_it_is() {
    let photo = jpeg(40, 60, 1);
    let bytes = book(&[half_red(), scanned(&photo, (40, 60))], "");
    let page = &told(&bytes).unwrap().pages[1];
    let size = (page.width, page.height, page.size);
    assert_eq!((page.number, size), (2, (Some(40), Some(60), photo.len() as u64)));
    assert_eq!(page.place, Place::Other { format: Format::Pdf, index: 1 });
    assert_eq!(read_page(&file_of(&bytes), 1, 500, MAX).unwrap(), photo);
    let small = read_page(&file_of(&bytes), 1, 500, 100);
    assert!(matches!(small, Err(BookError::TooLarge { max: 100, .. })));
}

#[test]
fn a_jpeg_that_is_not_all_of_its_page_is_drawn() {
    let photo = jpeg(40, 60, 1);
    let page = || scanned(&photo, (40, 60));
    let content = |content: &[u8]| Drawn { content: content.to_vec(), ..page() };
    let dict = |dict| Drawn { dict, ..page() };
    let drawn = [
        content(b"q 600 0 0 900 0 0 cm /Im0 Do Q BT ET"),
        content(b"q 600 0 0 900 0 0 cm /Im0 Do /Im0 Do Q"),
        content(b"q 300 0 0 900 0 0 cm /Im0 Do Q"),
        content(b"q -600 0 0 900 600 0 cm /Im0 Do Q"),
        content(b"q 600 0 0 900 50 0 cm /Im0 Do Q"),
        content(b"/Im0 Do"),
        dict("/Rotate 90/MediaBox[0 0 600 900]/Resources<</XObject<</Im0 {0} 0 R>>>>"),
        dict("/CropBox[0 0 300 900]/MediaBox[0 0 600 900]/Resources<</XObject<</Im0 {0} 0 R>>>>"),
        scanned(&photo, (41, 60)),
    ];
    for (number, page) in drawn.into_iter().enumerate() {
        assert_ne!(first_page(&book(&[page], "")), photo, "{number}");
    }
}

#[test]
fn a_page_is_drawn_as_large_as_its_listing_says() {
    let bytes = book(&[half_red()], "");
    let page = &told(&bytes).unwrap().pages[0];
    assert_eq!((page.width, page.height), (Some(2000), Some(1000)));
    let drawn = image::load_from_memory(&read_page(&file_of(&bytes), 0, SIDE, MAX).unwrap()).unwrap().to_rgb8();
    assert_eq!(drawn.dimensions(), (2000, 1000));
    let [red, white] = [drawn.get_pixel(100, 500).0, drawn.get_pixel(1900, 50).0];
    assert!(red[0] > 240 && red[1] < 15 && white.iter().all(|value| *value > 250), "{red:?} {white:?}");
    let dark = drawn.enumerate_pixels().filter(|(x, _, pixel)| *x > 1010 && pixel.0[0] < 60).count();
    assert!(dark > 1000, "the word is missing");
}

#[test]
fn title_and_author_are_told() {
    let said = |info: &str| told(&book(&[half_red()], &format!("/Info<<{info}>>"))).unwrap().told();
    let told = said("/Title(Vol. 1)/Author(A. Person)");
    assert_eq!(told.title.as_deref(), Some("Vol. 1"));
    assert_eq!(told.authors.iter().map(|author| &*author.name).collect::<Vec<_>>(), ["A. Person"]);
    assert_eq!(said("/Title(Microsoft Word - a.doc)"), said(""));
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let locked = book(
        &[half_red()],
        "/ID[(a)(b)]/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O(12345678901234567890123456789012)/U(12345678901234567890123456789012)>>",
    );
    assert!(matches!(told(&locked), Err(BookError::Encrypted)));
    assert!(matches!(told(b"%PDF-1.7\nhello"), Err(BookError::Broken(_))));
    assert!(matches!(told(b""), Err(BookError::NotABook)));
    let empty = told(&book(&[], ""));
    assert!(matches!(empty, Err(BookError::NoPages | BookError::Broken(_))), "{empty:?}");
    let bytes = book(&[half_red(), half_red()], "");
    assert!(matches!(read_page(&file_of(&bytes), 2, SIDE, MAX), Err(BookError::Broken(_))));
    assert!(matches!(read_page(&file_of(&bytes), u64::MAX, SIDE, MAX), Err(BookError::Broken(_))));
    let few = Limits { entries: 1, ..Limits::default() };
    assert!(matches!(inspect(&file_of(&bytes), &few), Err(BookError::TooMany { entries: 2, max: 1 })));
}

/// A page tree whose objects from number 2 on are given.
fn tree(objects: impl IntoIterator<Item = String>) -> Vec<u8> {
    let catalog = "<</Type/Catalog/Pages 2 0 R>>".to_owned();
    let objects: Vec<_> = std::iter::once(catalog).chain(objects).map(String::into_bytes).collect();
    pdf(&objects, "")
}

#[test]
fn page_trees_that_are_deep_or_wide_or_go_in_circles_do_no_harm() {
    let page = "<</Type/Page/MediaBox[0 0 9 9]>>".to_owned();
    let deep = (3..30_000).map(|kid| format!("<</Type/Pages/Count 1/Kids[{kid} 0 R]>>")).chain([page.clone()]);
    assert_eq!(told(&tree(deep)).unwrap().pages.len(), 1);
    let kids: String = (3..10_003).map(|kid| format!("{kid} 0 R ")).collect();
    let wide =
        std::iter::once(format!("<</Type/Pages/Count 1/Kids[{kids}]>>")).chain((3..10_003).map(|_| page.clone()));
    assert_eq!(told(&tree(wide)).unwrap().pages.len(), 10_000);
    let circle = ["<</Type/Pages/Kids[3 0 R 2 0 R]>>".to_owned(), "<</Type/Pages/Kids[2 0 R 3 0 R]>>".to_owned()];
    assert!(told(&tree(circle)).is_err());
    let inline = format!("{}{page}{}", "<</Type/Pages/Kids[".repeat(20_000), "]>>".repeat(20_000));
    told(&tree([inline])).ok();
}

#[test]
fn pages_of_strange_sizes_are_drawn_or_refused() {
    let long = "9".repeat(30);
    let boxes =
        ["0 0 L L", "0 0 L 1", "0 0 1 L", "0 0 0 0", "0 0 -5 -5", "-L -L L L", "L L 1 1", "0 0 0.001 1000", "(a) 1"]
            .map(|size| size.replace('L', &long));
    for size in boxes {
        let page = format!("<</Type/Page/MediaBox[{size}]/Contents 4 0 R>>");
        let bytes = tree([
            "<</Type/Pages/Kids[3 0 R]>>".to_owned(),
            page,
            "<</Length 25>>stream\n0 0 1 rg 0 0 999 999 re f\nendstream".to_owned(),
        ]);
        let book = told(&bytes).unwrap_or_else(|error| panic!("{size}: {error}"));
        let largest = book.pages[0].width.max(book.pages[0].height).unwrap_or(0);
        assert!(largest <= SIDE, "{size}: {largest}");
        if let Ok(drawn) = read_page(&file_of(&bytes), 0, 300, MAX) {
            let (width, height) = image::load_from_memory(&drawn).map(|drawn| (drawn.width(), drawn.height())).unwrap();
            assert!(width.max(height) <= 300, "{size}");
        }
    }
}

#[test]
fn objects_that_lie_deep_in_others_or_draw_themselves_do_no_harm() {
    let nested = |content: Vec<u8>| Drawn { dict: "/MediaBox[0 0 9 9]", content, objects: Vec::new() };
    first_page(&book(&[nested([b"[".repeat(200_000), b"]".repeat(200_000), b" TJ".to_vec()].concat())], ""));
    first_page(&book(&[nested(b"<</A".repeat(200_000))], ""));
    first_page(&book(&[nested(b"q ".repeat(500_000))], ""));
    let form = stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 3 0 R>>>>", b"/F Do /F Do");
    let dict = "/MediaBox[0 0 9 9]/Resources<</XObject<</F {0} 0 R>>>>";
    first_page(&book(&[Drawn { dict, content: b"/F Do".to_vec(), objects: vec![form] }], ""));
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_pdf_that_was_tampered_with_does_no_harm(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), prop::sample::select(b"09-./<>[]() R".to_vec())]), 1..12),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let whole = book(&[half_red(), scanned(&jpeg(8, 12, 3), (8, 12))], "/Info<</Title(T)>>");
        let bytes = changed(whole, &changes, cut);
        if let Ok(book) = told(&bytes) {
            for index in 0..book.pages.len().min(3) {
                let page = read_page(&file_of(&bytes), index as u64, 100, 100_000);
                prop_assert!(page.is_err() || page.is_ok_and(|page| page.len() <= 100_000));
            }
        }
    }
}

/// Prints what inspecting and reading cost: `cargo test --release -- --nocapture --ignored a_pdf_of_100_pages`.
#[test]
#[ignore = "measures"]
fn a_pdf_of_100_pages_is_looked_into_quickly() {
    let scans: Vec<Drawn> = (0..100).map(|seed| scanned(&jpeg(1200, 1800, seed), (1200, 1800))).collect();
    let turned = "/Rotate 180/MediaBox[0 0 600 900]/Resources<</XObject<</Im0 {0} 0 R>>>>";
    let upside_down = (0..100).map(|seed| Drawn { dict: turned, ..scanned(&jpeg(1200, 1800, seed), (1200, 1800)) });
    let lines = |_| Drawn {
        content: [
            half_red().content,
            b" BT /F1 9 Tf 20 280 Td 9 TL ".to_vec(),
            b"(The quick brown fox jumps over the lazy dog and runs away) Tj T* ".repeat(60),
            b"ET".to_vec(),
        ]
        .concat(),
        ..half_red()
    };
    for (what, pages) in
        [("scans", scans), ("scans to be drawn", upside_down.collect()), ("text", (0..100).map(lines).collect())]
    {
        let bytes = book(&pages, "");
        let file = file_of(&bytes);
        let start = Instant::now();
        inspect(&file, &Limits::default()).unwrap();
        let inspected = start.elapsed();
        let times = [0, 50, 99].map(|index| {
            let start = Instant::now();
            let page = read_page(&file, index, SIDE, MAX).unwrap();
            (start.elapsed(), page.len())
        });
        println!("{what}, {} kB: inspect {inspected:?}, pages {times:?}", bytes.len() / 1000);
    }
}
