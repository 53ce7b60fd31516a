//! Folders of loose pictures as books: found, kept, read and served as archives of them would be.
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use image::ImageFormat;
use potluck::blocks::BlockError;
use potluck::catalog::{Item, ItemKind, ItemState, Library, LibraryKind, Progress};
use potluck::content::unixfs::{Layout, Profile};
use potluck::content::{Cid, cid};
use potluck::facades::native::model::{BookPages, PageBlocks, ReplicaState, Replicas};
use potluck::friends::Dial;
use potluck::library::{Importer, ImporterOptions, ItemChange, LibraryEvent, ScanState};
use potluck::media::book::{self, Limits, decode_pages};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::comics::{comic, page, picture};
use crate::harness::TestNode;
use crate::heal::damage;
use crate::komga::{self, Reader};
use crate::shelf::{ACCOUNT, Shelf, event};
use crate::street::{Manner, Street, befriend, options, share_only, until};

/// The place of a chapter of three pages, which are those of `comic(seed)`.
fn chapter(shelf: &Shelf, place: &str, seed: u8) {
    for (name, seed) in [("2.jpg", 200), ("10.jpg", 201), ("1.jpg", seed)] {
        shelf.write(&format!("{place}/{name}"), &page(seed));
    }
}

async fn comics() -> (Shelf, Library) {
    let shelf = Shelf::new().await;
    let library = shelf.library("comics", LibraryKind::Comics).await;
    (shelf, library)
}

/// A library of one series of two such chapters; the first chapter.
async fn saga() -> (Shelf, Library, Item) {
    let (shelf, library) = comics().await;
    chapter(&shelf, "comics/Saga/Chapter 1", 1);
    chapter(&shelf, "comics/Saga/Chapter 2", 2);
    shelf.scan(&library).await;
    let item = shelf.at("comics/Saga/Chapter 1").await;
    (shelf, library, item)
}

async fn names(shelf: &Shelf, item: &str) -> Vec<String> {
    let list = shelf.catalog.page_list_of(item).await;
    decode_pages(&list.unwrap().unwrap()).unwrap().into_iter().map(|page| page.name).collect()
}

fn root(item: &Item) -> Cid {
    item.file.as_ref().unwrap().cid.unwrap()
}

#[tokio::test]
async fn folders_of_pictures_are_books_and_those_around_them_series() {
    let (shelf, library) = comics().await;
    for (chapter_of, seed) in [("Chapter 10.5", 1), ("Chapter 2", 2)] {
        chapter(&shelf, &format!("comics/Dr. Saga/{chapter_of}"), seed);
    }
    shelf.write("comics/Dr. Saga/cover.jpg", &page(9));
    shelf.write("comics/Dr. Saga/Chapter 2/Thumbs.db", b"x");
    shelf.write("comics/Dr. Saga/Chapter 2/.hidden.jpg", b"x");
    shelf.write("comics/Dr. Saga/Chapter 2/__MACOSX/1.jpg", b"x");
    shelf.write("comics/Other/Other 1.cbz", &comic(3));
    shelf.write("comics/Other/back.jpg", &page(8));
    chapter(&shelf, "comics/Alone", 4);
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.problems), (4, 0));
    let told = |items: Vec<Item>| items.into_iter().map(|item| item.title).collect::<Vec<_>>();
    assert_eq!(told(shelf.items(Some(ItemKind::Series)).await), ["Alone", "Dr. Saga", "Other"]);
    assert_eq!(told(shelf.items(Some(ItemKind::Book)).await), ["Alone", "Chapter 2", "Chapter 10.5", "Other 1"]);
    let books = shelf.items(Some(ItemKind::Book)).await;
    let told = |book: &Item| (book.book.clone().unwrap().number, book.book.clone().unwrap().pages);
    assert_eq!((told(&books[1]), told(&books[2])), (("2".into(), 3), ("10.5".into(), 3)));
    assert!(books.iter().all(|book| book.artwork.poster.is_some()), "the first page is the cover");
    let series = shelf.items(Some(ItemKind::Series)).await;
    assert_eq!(series[1].artwork.poster.as_ref().unwrap().file_name().unwrap(), "cover.jpg");
    let again = shelf.scan(&library).await;
    assert_eq!((again.bytes_total, again.added, again.changed, again.trashed), (0, 0, 0, 0));
}

#[tokio::test]
async fn a_folder_is_the_archive_of_its_pictures_wherever_its_bytes_are_asked_for() {
    let (shelf, library) = comics().await;
    let info = b"<ComicInfo><Title>Dawn</Title><Number>7</Number></ComicInfo>";
    chapter(&shelf, "comics/Saga/Chapter 1", 1);
    shelf.write("comics/Saga/Chapter 1/3.bmp", &picture(3, 1000, 800, ImageFormat::Bmp));
    shelf.write("comics/Saga/Chapter 1/ComicInfo.xml", info);
    shelf.scan(&library).await;
    let item = shelf.at("comics/Saga/Chapter 1").await;
    assert_eq!((item.title.as_str(), item.book.as_ref().unwrap().number.as_str()), ("Dawn", "7"));
    let bytes = shelf.bytes(&item).await;
    let file = item.file.as_ref().unwrap();
    assert_eq!((bytes.len() as u64, Layout::of(&bytes, Profile::V1_2025).root), (file.size, root(&item)));
    let mut archive = tempfile::tempfile().unwrap();
    archive.write_all(&bytes).unwrap();
    let read = book::inspect(&archive, &Limits::default()).unwrap();
    let told: Vec<&str> = read.pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(told, ["1.jpg", "2.jpg", "3.bmp", "10.jpg"]);
    for page in &read.pages {
        let own = fs::read(shelf.path("comics/Saga/Chapter 1").join(&page.name)).unwrap();
        assert!(book::read_page(&archive, &page.place, 1 << 24).unwrap() == own, "{}", page.name);
    }
    // Copied as an archive it is the same content, here and on any other node.
    shelf.write("comics/Copies/1.cbz", &bytes);
    shelf.scan(&library).await;
    assert_eq!(root(&shelf.at("comics/Copies/1.cbz").await), root(&item));
    shelf.blocks.verify(&root(&item), &CancellationToken::new()).await.unwrap();
}

#[tokio::test]
async fn a_renamed_or_moved_folder_is_the_same_book_and_is_not_read_again() {
    let (shelf, library, item) = saga().await;
    let read = Progress { position: 2.0, completed: false };
    shelf.catalog.set_progress(ACCOUNT, &item.id, read).await.unwrap();
    for (from, to) in
        [("Saga/Chapter 1", "Saga/Ch. 001.5"), ("Saga/Ch. 001.5", "Deep/er/Saga/X"), ("Deep/er/Saga/X", "Y")]
    {
        shelf.rename(&format!("comics/{from}"), &format!("comics/{to}"));
        let scan = shelf.scan(&library).await;
        assert_eq!((scan.moved, scan.bytes_total, scan.added, scan.trashed), (1, 0, 0, 0), "{to}");
        let now = shelf.at(&format!("comics/{to}")).await;
        assert_eq!((&now.id, root(&now)), (&item.id, root(&item)));
        assert!(!shelf.bytes(&now).await.is_empty());
    }
    assert_eq!(shelf.catalog.item(&item.id, ACCOUNT).await.unwrap().progress, Some(read));
    // The folder of the series, and with it all chapters.
    let other = shelf.at("comics/Saga/Chapter 2").await.id;
    shelf.rename("comics/Saga", "comics/New");
    assert_eq!((shelf.scan(&library).await.moved, shelf.at("comics/New/Chapter 2").await.id), (1, other));
}

#[tokio::test]
async fn a_folder_copied_to_another_disk_and_deleted_here_is_the_same_book() {
    let (shelf, library, item) = saga().await;
    chapter(&shelf, "comics/Elsewhere/First", 1);
    fs::remove_dir_all(shelf.path("comics/Saga/Chapter 1")).unwrap();
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.moved, scan.added), (1, 0));
    assert_eq!(shelf.at("comics/Elsewhere/First").await.id, item.id);
}

#[tokio::test]
async fn a_page_more_or_less_or_another_changes_the_book_and_not_its_id() {
    let (shelf, library, item) = saga().await;
    let mut seen = vec![root(&item)];
    let steps: [(&str, &dyn Fn()); 4] = [
        ("1.jpg 2.jpg 10.jpg 11.png", &|| {
            shelf.write("comics/Saga/Chapter 1/11.png", &picture(5, 8, 8, ImageFormat::Png));
        }),
        ("1.jpg 10.jpg 11.png", &|| fs::remove_file(shelf.path("comics/Saga/Chapter 1/2.jpg")).unwrap()),
        ("1.jpg 10.jpg 12.png", &|| shelf.rename("comics/Saga/Chapter 1/11.png", "comics/Saga/Chapter 1/12.png")),
        ("1.jpg 10.jpg 12.png", &|| drop(shelf.write("comics/Saga/Chapter 1/1.jpg", &page(77)))),
    ];
    for (pages, step) in steps {
        step();
        let scan = shelf.scan(&library).await;
        assert_eq!((scan.changed, scan.added, scan.trashed), (1, 0, 0), "{pages}");
        let now = shelf.at("comics/Saga/Chapter 1").await;
        assert_eq!((&now.id, names(&shelf, &now.id).await.join(" ").as_str()), (&item.id, pages));
        assert!(!seen.contains(&root(&now)));
        assert_eq!(shelf.bytes(&now).await.len() as u64, now.file.as_ref().unwrap().size);
        seen.push(root(&now));
    }
    // What is not of the book changes nothing.
    shelf.write("comics/Saga/Chapter 1/notes.txt", b"x");
    assert_eq!(shelf.scan(&library).await.changed, 0);
    assert_eq!(root(&shelf.at("comics/Saga/Chapter 1").await), seen[4]);
}

#[tokio::test]
async fn a_folder_that_is_gone_or_no_book_any_more_goes_to_the_trash_and_comes_back() {
    let (shelf, library, item) = saga().await;
    let away = shelf.videos.path().join("outside");
    fs::rename(shelf.path("comics/Saga/Chapter 1"), &away).unwrap();
    assert_eq!((shelf.scan(&library).await.trashed, shelf.state(&item.id).await), (1, ItemState::Trashed));
    fs::rename(&away, shelf.path("comics/Saga/Chapter 1")).unwrap();
    assert_eq!((shelf.scan(&library).await.bytes_total, shelf.state(&item.id).await), (0, ItemState::Present));
    // An archive in it makes it the folder of a series.
    shelf.write("comics/Saga/Chapter 1/Part 1.cbz", &comic(9));
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.trashed, scan.added, shelf.state(&item.id).await), (1, 1, ItemState::Trashed));
    fs::remove_file(shelf.path("comics/Saga/Chapter 1/Part 1.cbz")).unwrap();
    shelf.scan(&library).await;
    assert_eq!(shelf.at("comics/Saga/Chapter 1").await.id, item.id);
}

#[tokio::test]
async fn a_library_of_folders_that_is_away_forgets_nothing() {
    let (shelf, library, item) = saga().await;
    fs::rename(shelf.path("comics"), shelf.path("unmounted")).unwrap();
    fs::create_dir(shelf.path("comics")).unwrap();
    assert_eq!(shelf.scan(&library).await.trashed, 0);
    let listed = shelf.items(Some(ItemKind::Book)).await;
    assert!(listed.len() == 2 && listed.iter().all(|book| book.state == ItemState::Unavailable));
    let read = shelf.blocks.read(&root(&item), 0..1).next().await.unwrap();
    assert!(matches!(read, Err(BlockError::NotFound(_))), "{read:?}");
    fs::remove_dir(shelf.path("comics")).unwrap();
    fs::rename(shelf.path("unmounted"), shelf.path("comics")).unwrap();
    assert_eq!((shelf.scan(&library).await.bytes_total, shelf.state(&item.id).await), (0, ItemState::Present));
}

#[tokio::test]
async fn a_lost_index_is_made_again() {
    let (shelf, library, item) = saga().await;
    let shelf = shelf.restart_without_blocks().await;
    shelf.scan(&library).await;
    let now = shelf.at("comics/Saga/Chapter 1").await;
    assert_eq!((&now.id, root(&now)), (&item.id, root(&item)));
    assert!(!shelf.bytes(&now).await.is_empty());
}

#[tokio::test]
async fn a_library_of_folders_that_moves_keeps_its_books_and_is_not_read_again() {
    let (shelf, library, item) = saga().await;
    let pages = names(&shelf, &item.id).await;
    fs::create_dir(shelf.path("other disk")).unwrap();
    fs::rename(shelf.path("comics"), shelf.path("other disk/manga")).unwrap();
    let moved = shelf.catalog.set_library_path(&library.id, &shelf.path("other disk/manga")).await.unwrap();
    assert_eq!((moved.id.as_str(), moved.path), (library.id.as_str(), shelf.path("other disk/manga")));
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.bytes_total, scan.added, scan.changed, scan.trashed), (0, 0, 0, 0), "{scan:?}");
    let now = shelf.at("other disk/manga/Saga/Chapter 1").await;
    assert_eq!((&now.id, root(&now), now.state), (&item.id, root(&item), ItemState::Present));
    assert_eq!(names(&shelf, &now.id).await, pages);
    // The bytes come from where the pictures are now, also after a restart.
    let shelf = shelf.restart().await;
    let whole = shelf.bytes(&now).await;
    assert!(!whole.is_empty() && Layout::of(&whole, Profile::V1_2025).root == root(&item));
    assert_eq!(shelf.scan(&library).await.bytes_total, 0);
}

#[tokio::test]
async fn what_is_wrong_with_pictures_is_told_of_the_book_and_harms_no_other() {
    let (shelf, library) = comics().await;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.jpg"), page(66)).unwrap();
    chapter(&shelf, "comics/Bad/Linked", 1);
    std::os::unix::fs::symlink(outside.path().join("secret.jpg"), shelf.path("comics/Bad/Linked/3.jpg")).unwrap();
    for (place, bytes) in [
        ("Text/1.jpg", b"no picture".to_vec()),
        ("Empty/1.jpg", Vec::new()),
        ("No pixels/1.gif", b"GIF89a\0\0\0\0\0\0\0".to_vec()),
        ("Other ending/1.jpg", picture(1, 9, 9, ImageFormat::Png)),
    ] {
        shelf.write(&format!("comics/Bad/{place}"), &bytes);
        shelf.write(&format!("comics/Bad/{}/2.jpg", Path::new(place).parent().unwrap().display()), &page(2));
    }
    shelf.scan(&library).await;
    assert_eq!(names(&shelf, &shelf.at("comics/Bad/Linked").await.id).await, ["1.jpg", "2.jpg", "10.jpg"]);
    for name in ["Text", "Empty", "No pixels", "Other ending", "Linked"] {
        let item = shelf.at(&format!("comics/Bad/{name}")).await;
        let pages = if name == "Linked" { 3 } else { 2 };
        assert_eq!((item.state, item.book.as_ref().unwrap().pages), (ItemState::Present, pages), "{name}");
    }
    let right = shelf.at("comics/Bad/Other ending").await;
    let list = shelf.catalog.page_list_of(&right.id).await;
    let pages = decode_pages(&list.unwrap().unwrap()).unwrap();
    assert_eq!((pages[0].media_type.media_type(), pages[0].width), ("image/png", Some(9)), "by its content");
    // A name that is not UTF-8 is a file's like any other.
    fs::write(shelf.path("comics/Bad/Text").join(OsStr::from_bytes(b"caf\xe9.jpg")), page(7)).unwrap();
    assert_eq!(shelf.scan(&library).await.changed, 1);
    let now = shelf.at("comics/Bad/Text").await;
    assert_eq!((now.book.as_ref().unwrap().pages, shelf.bytes(&now).await.len() as u64), (3, now.file.unwrap().size));
}

#[tokio::test]
async fn a_folder_of_too_many_pictures_is_a_book_that_cannot_be_read() {
    let (shelf, library) = comics().await;
    let folder = shelf.path("comics/Saga/Flood");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("0.jpg"), b"").unwrap();
    for number in 1..=100_000 {
        fs::File::create(folder.join(format!("{number}.jpg"))).unwrap();
    }
    chapter(&shelf, "comics/Saga/Chapter 1", 1);
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.problems), (2, 1));
    let flood = shelf.at("comics/Saga/Flood").await;
    assert_eq!(flood.state, ItemState::Unreadable);
    assert!(flood.problem.as_ref().unwrap().contains("100000"), "{:?}", flood.problem);
    assert_eq!(shelf.at("comics/Saga/Chapter 1").await.state, ItemState::Present);
    fs::remove_file(folder.join("0.jpg")).unwrap();
    assert_eq!((shelf.scan(&library).await.changed, shelf.state(&flood.id).await), (1, ItemState::Present));
}

#[tokio::test]
async fn a_picture_that_the_disk_changed_is_found_and_put_right_from_an_archive_of_the_same() {
    let (shelf, library) = comics().await;
    chapter(&shelf, "comics/Saga/Chapter 1", 1);
    let large = picture(3, 1000, 800, ImageFormat::Bmp);
    shelf.write("comics/Saga/Chapter 1/3.bmp", &large);
    shelf.scan(&library).await;
    let item = shelf.at("comics/Saga/Chapter 1").await;
    let bytes = shelf.bytes(&item).await;
    damage(&shelf.path("comics/Saga/Chapter 1/3.bmp"), &[2_000_000]);
    let stop = CancellationToken::new();
    let found = shelf.blocks.verify(&root(&item), &stop).await;
    assert!(matches!(&found, Err(BlockError::Damaged { path }) if path.ends_with("Chapter 1")), "{found:?}");
    let alone = shelf.blocks.mend(&root(&item), None, &stop).await;
    assert!(alone.is_err(), "nobody has what is missing: {alone:?}");
    shelf.write("comics/Copies/1.cbz", &bytes);
    shelf.scan(&library).await;
    let mended = shelf.blocks.mend(&root(&item), None, &stop).await.unwrap();
    assert_eq!((mended.len(), mended[0].blocks), (1, 1));
    assert!(fs::read(shelf.path("comics/Saga/Chapter 1/3.bmp")).unwrap() == large);
    shelf.blocks.verify(&root(&item), &stop).await.unwrap();
    let left: Vec<_> = fs::read_dir(shelf.path("comics/Saga")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["Chapter 1"], "nothing is left beside it");
    assert_eq!(shelf.scan(&library).await.bytes_total, 0, "it is as it was");
}

#[tokio::test]
async fn pictures_that_come_one_after_the_other_are_one_book_and_one_import() {
    let shelf = Shelf::new().await;
    let library = shelf.library("comics", LibraryKind::Comics).await;
    // Longer than changes are gathered, so that each look finds it being written.
    let settle = Duration::from_secs(4);
    let options = ImporterOptions { watch: true, settle, ..Shelf::options(shelf.data(), true) };
    let (catalog, blocks, media) = (shelf.catalog.clone(), shelf.blocks.clone(), shelf.media.clone());
    let importer = Importer::start(options, catalog, blocks, media).await.unwrap();
    let mut events = importer.events();
    let done = |e: LibraryEvent| matches!(e, LibraryEvent::Scan(p) if p.state == ScanState::Done).then_some(());
    event(&mut events, done).await;
    for number in 1..=5 {
        shelf.write(&format!("comics/Saga/Chapter 1/{number}.jpg"), &page(number));
        // Nothing is an item before all is quiet.
        event(&mut events, |e| {
            assert!(!matches!(e, LibraryEvent::Item { .. }), "{e:?}");
            done(e)
        })
        .await;
    }
    let change = |e| if let LibraryEvent::Item { change, .. } = e { Some(change) } else { None };
    assert_eq!(event(&mut events, change).await, ItemChange::Added);
    let item = shelf.at("comics/Saga/Chapter 1").await;
    assert_eq!(item.book.unwrap().pages, 5);
    // A page more, and a new name for the folder, are heard of too.
    shelf.write("comics/Saga/Chapter 1/6.jpg", &page(6));
    let changed = |e| matches!(e, LibraryEvent::Item { change: ItemChange::Changed, .. }).then_some(());
    while shelf.catalog.item(&item.id, ACCOUNT).await.unwrap().item.book.unwrap().pages != 6 {
        event(&mut events, changed).await;
    }
    shelf.rename("comics/Saga/Chapter 1", "comics/Saga/Chapter 3");
    while shelf.at_id(&item.id).await != shelf.path("comics/Saga/Chapter 3") {
        event(&mut events, changed).await;
    }
    importer.stop().await;
    drop(library);
}

/// A node with a series of one chapter that is a folder, whose third page is of several blocks.
async fn scene() -> (TestNode, Reader, String) {
    let node = TestNode::start(&[]).await;
    let files = [
        ("Saga/Chapter 1/10.jpg", page(10)),
        ("Saga/Chapter 1/2.jpg", page(2)),
        ("Saga/Chapter 1/3.bmp", picture(3, 1000, 800, ImageFormat::Bmp)),
        ("Saga/Chapter 1/1.jpg", page(1)),
        ("Saga/Chapter 1/ComicInfo.xml", b"<ComicInfo><Title>Dawn</Title></ComicInfo>".to_vec()),
    ];
    let (_, _, book) = komga::library(&node, &files).await;
    let reader = Reader::new(&node);
    (node, reader, book)
}

fn wanted() -> [Vec<u8>; 4] {
    [page(1), page(2), picture(3, 1000, 800, ImageFormat::Bmp), page(10)]
}

#[tokio::test]
async fn the_page_of_the_node_reads_a_folder_as_any_book_and_its_pages_by_their_blocks() {
    let (node, _, book) = scene().await;
    let ada = node.signed_in("ada").await;
    let base = format!("/api/v1/items/{book}");
    let told: BookPages = ada.get(&format!("{base}/pages")).send().await.unwrap().json().await.unwrap();
    let names: Vec<&str> = told.pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!((told.format.as_str(), names), ("folder", vec!["1.jpg", "2.jpg", "3.bmp", "10.jpg"]));
    for (number, bytes) in (1..).zip(wanted()) {
        let answer = ada.get(&format!("{base}/pages/{number}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.unwrap() == bytes, "{number}");
    }
    let png = ada.get(&format!("{base}/pages/3?convert=png")).send().await.unwrap().bytes().await.unwrap();
    let drawn = image::load_from_memory(&png).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (1000, 800));
    let blocks = format!("{base}/pages/blocks?from=1&count=4");
    let window: Vec<PageBlocks> = ada.get(&blocks).send().await.unwrap().json().await.unwrap();
    let roots: Vec<String> =
        wanted().iter().map(|bytes| Layout::of(bytes, Profile::V1_2025).root.to_string()).collect();
    assert_eq!(window.iter().map(|page| page.content.cid.clone()).collect::<Vec<_>>(), roots);
    // What is remembered after a restart is how to make them again.
    let node = node.restart().await;
    let ada = node.signed_in("ada").await;
    for (page, bytes) in window.iter().zip(wanted()) {
        let mut whole = Vec::new();
        for block in &page.content.blocks {
            let got = ada.get(&format!("/ipfs/{}?format=raw", block.cid)).send().await.unwrap().bytes().await.unwrap();
            cid::verify(&cid::parse(&block.cid).unwrap(), &got).unwrap();
            whole.extend(got);
        }
        assert!(whole == bytes);
    }
    node.stop().await;
}

#[tokio::test]
async fn a_folder_is_downloaded_as_one_archive_whole_or_in_parts() {
    let (node, reader, book) = scene().await;
    let ada = node.signed_in("ada").await;
    let item: Value = ada.get(&format!("/api/v1/items/{book}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(item["files"][0]["name"], "Chapter 1.cbz");
    let own = ada.get(&format!("/api/v1/items/{book}/file")).send().await.unwrap();
    assert_eq!(own.headers()["content-type"], "application/zip");
    assert_eq!(own.headers()["content-length"].to_str().unwrap(), item["files"][0]["size"].to_string());
    let whole = own.bytes().await.unwrap();
    assert_eq!(cid::canonical(&Layout::of(&whole, Profile::V1_2025).root).to_string(), item["files"][0]["cid"]);
    let path = format!("/api/v1/books/{book}/file");
    let komga = reader.get(&path).await;
    assert_eq!((komga.status().as_u16(), &komga.headers()["content-type"]), (200, &"application/zip".parse().unwrap()));
    let named = komga.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(named.starts_with("attachment; filename=\"Chapter 1.cbz\""), "{named}");
    assert!(komga.bytes().await.unwrap() == whole);
    let part = reader.call(reqwest::Method::GET, &path).header("range", "bytes=1000-1999999").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert!(part.bytes().await.unwrap() == whole[1000..2_000_000]);
    // The program that people unpack with agrees.
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("book.cbz");
    fs::write(&archive, &whole).unwrap();
    let tested = std::process::Command::new("7z").arg("t").arg(&archive).output().unwrap();
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stdout));
    node.stop().await;
}

#[tokio::test]
async fn mihon_and_readers_of_opds_read_a_folder_as_they_read_an_archive() {
    let (node, reader, book) = scene().await;
    let told = reader.json(&format!("/api/v1/books/{book}")).await;
    assert_eq!((&told["name"], &told["metadata"]["title"]), (&"Chapter 1".into(), &"Dawn".into()));
    let media = &told["media"];
    assert_eq!(
        (&media["status"], &media["mediaType"], &media["mediaProfile"], &media["pagesCount"]),
        (&"READY".into(), &"application/zip".into(), &"DIVINA".into(), &4.into())
    );
    let pages = reader.json(&format!("/api/v1/books/{book}/pages")).await;
    let names: Vec<&Value> = pages.as_array().unwrap().iter().map(|page| &page["fileName"]).collect();
    assert_eq!(names, ["1.jpg", "2.jpg", "3.bmp", "10.jpg"]);
    assert_eq!((&pages[2]["width"], &pages[2]["mediaType"]), (&1000.into(), &"image/bmp".into()));
    for (number, bytes) in (1..).zip(wanted()) {
        let sent = reader.get(&format!("/api/v1/books/{book}/pages/{number}")).await;
        assert!(sent.status() == 200 && sent.bytes().await.unwrap() == bytes, "{number}");
    }
    for path in ["thumbnail", "pages/3/thumbnail"] {
        let small = reader.get(&format!("/api/v1/books/{book}/{path}")).await;
        assert_eq!((small.status().as_u16(), &small.headers()["content-type"]), (200, &"image/jpeg".parse().unwrap()));
        let drawn = image::load_from_memory(&small.bytes().await.unwrap()).unwrap();
        assert!(drawn.width().max(drawn.height()) <= 300, "{path}");
    }
    let series = told["seriesId"].as_str().unwrap();
    let feed = reader.get(&format!("/opds/v1.2/series/{series}")).await.text().await.unwrap();
    assert!(feed.contains("pse:count=\"4\"") && feed.contains("Chapter%201%2Ecbz"), "{feed}");
    let (_, rest) = feed.split_once("http://vaemendis.net/opds-pse/stream").unwrap();
    let (_, rest) = rest.split_once("href=\"").unwrap();
    let address = rest.split('"').next().unwrap().replace("{pageNumber}", "2").replace("&amp;", "&");
    let streamed = reader.get(reader.path(&address)).await;
    assert_eq!(
        (streamed.status().as_u16(), &streamed.headers()["content-type"]),
        (200, &"image/jpeg".parse().unwrap())
    );
    node.stop().await;
}

#[tokio::test]
async fn a_friend_keeps_a_copy_of_a_folder_and_mihon_reads_it_there_when_its_owner_is_gone() {
    let (bob, _, _) = scene().await;
    let at_bobs = bob.signed_in("ada").await;
    let all: Value = at_bobs.get("/api/v1/libraries").send().await.unwrap().json().await.unwrap();
    let comics = all.as_array().unwrap().iter().find(|one| one["kind"] == "comics").unwrap();
    let comics = comics["id"].as_str().unwrap().to_owned();
    let ann = TestNode::with(&[], |wishes| {
        let replicas = &mut wishes.node.replicas;
        (replicas.retry, replicas.look) = (Duration::from_millis(50), Duration::from_millis(200));
    })
    .await;
    befriend(&ann, "Bob", "bob").await;
    share_only(&bob, &befriend(&bob, "Ann", "ann").await, vec![comics.clone()]).await;
    let street = Street::new("ann");
    street.set("bob", &bob, Manner::Honest);
    ann.node().start_friends(options(), Arc::clone(&street) as Arc<dyn Dial>).unwrap();
    let ada = ann.signed_in("ada").await;
    until(&ann, || async { (ada.status(&format!("/api/v1/libraries/{comics}")).await == 200).then_some(()) }).await;
    let kept = ada.post("/api/v1/replicas").json(&json!({"target": comics})).send().await.unwrap();
    assert_eq!(kept.status(), 201);
    until(&ann, || async {
        let all: Replicas = ada.get("/api/v1/replicas").send().await.unwrap().json().await.unwrap();
        (all.rules[0].state == ReplicaState::Done && all.rules[0].items == 1).then_some(())
    })
    .await;
    street.set("bob", &bob, Manner::Off);
    bob.stop().await;
    let reader = Reader::new(&ann);
    let series = until(&ann, || async {
        let series = reader.json("/api/v1/series").await;
        series["content"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let books = reader.json(&format!("/api/v1/series/{series}/books")).await;
    let (book, media) = (&books["content"][0], &books["content"][0]["media"]);
    assert_eq!((&book["seriesTitle"], &book["metadata"]["title"]), (&"Saga".into(), &"Dawn".into()), "{book}");
    assert_eq!(
        (&media["status"], &media["pagesCount"], &books["totalElements"]),
        (&"READY".into(), &4.into(), &1.into())
    );
    for (number, bytes) in (1..).zip(wanted()) {
        let sent = reader.get(&format!("/api/v1/books/{}/pages/{number}", book["id"].as_str().unwrap())).await;
        assert!(sent.status() == 200 && sent.bytes().await.unwrap() == bytes, "{number}");
    }
    ann.stop().await;
}
