//! Comics and books: from the files to series, books and pages.
use std::fs;

use image::ImageFormat;
use potluck::catalog::{ItemKind, ItemState, LibraryKind, Progress};
use potluck::facades::native::model::{BookPages, ItemPage, ItemSummary};
use potluck::library::ScanState;
use potluck::node::NodeEvent;
use serde_json::json;

use crate::comics::{comic, described, epub, packed, page, pdf, picture, solid_rar4, zip};
use crate::friends_share::{Pair, items};
use crate::harness::{Browser, TestNode};
use crate::komga::{self, Reader};
use crate::shelf::{ACCOUNT, Shelf};
use crate::street::until;

async fn comics() -> (Shelf, potluck::catalog::Library) {
    let shelf = Shelf::new().await;
    let library = shelf.library("comics", LibraryKind::Comics).await;
    (shelf, library)
}

fn put(shelf: &Shelf, place: &str, bytes: Vec<u8>) {
    let path = shelf.path(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_folder_is_a_series_and_its_files_are_books_in_the_order_of_their_numbers() {
    let (shelf, library) = comics().await;
    for (name, seed) in [("Saga 10", 1), ("Saga 2", 2), ("Saga 1.5", 3)] {
        put(&shelf, &format!("comics/Saga/{name}.cbz"), comic(seed));
    }
    put(&shelf, "comics/Alone.cbz", comic(9));
    shelf.scan(&library).await;
    let series = shelf.items(Some(ItemKind::Series)).await;
    let titles: Vec<&str> = series.iter().map(|series| series.title.as_str()).collect();
    assert_eq!(titles, ["Alone", "Saga"]);
    let books = shelf.items(Some(ItemKind::Book)).await;
    let numbers: Vec<(&str, &str)> =
        books.iter().map(|book| (book.title.as_str(), book.book.as_ref().unwrap().number.as_str())).collect();
    assert_eq!(numbers, [("Alone", ""), ("Saga 1.5", "1.5"), ("Saga 2", "2"), ("Saga 10", "10")]);
    assert!(books.iter().all(|book| book.book.as_ref().unwrap().pages == 3));
    assert_eq!(books[1].show.as_ref(), Some(&series[1].id));
    assert!(books[1].artwork.poster.is_some() && series[1].artwork.poster.is_some(), "the first page is the cover");
}

#[tokio::test]
async fn what_comic_info_says_stands_over_the_name_of_the_file_and_of_the_folder() {
    let (shelf, library) = comics().await;
    let info = "<Series>The Long Saga</Series><Title>Dawn</Title><Number>7</Number><Summary>It begins.</Summary>\
        <Year>2012</Year><Genre>Drama, War</Genre><Manga>YesAndRightToLeft</Manga>";
    put(&shelf, "comics/folder/file 3.cbz", described(1, info));
    shelf.scan(&library).await;
    let (series, books) = (shelf.items(Some(ItemKind::Series)).await, shelf.items(Some(ItemKind::Book)).await);
    assert_eq!(series[0].title, "The Long Saga");
    assert_eq!(series[0].genres, ["Drama", "War"]);
    assert_eq!((books[0].title.as_str(), books[0].year), ("Dawn", Some(2012)));
    assert_eq!(books[0].book.as_ref().unwrap().number, "7");
    assert_eq!(shelf.catalog.direction(&books[0].id).await.unwrap().as_deref(), Some("rtl"));
    let whole = shelf.catalog.item(&books[0].id, ACCOUNT).await.unwrap();
    assert_eq!(whole.item.overview.as_deref(), Some("It begins."));
}

#[tokio::test]
async fn a_series_keeps_its_id_and_its_books_theirs_when_its_folder_is_renamed_and_a_chapter_comes_with_it() {
    let (shelf, library) = comics().await;
    for seed in 1..=20 {
        put(&shelf, &format!("comics/Old/Chapter {seed:02}.cbz"), comic(seed));
    }
    shelf.scan(&library).await;
    let before = shelf.items(Some(ItemKind::Book)).await;
    let series = shelf.items(Some(ItemKind::Series)).await;
    let read = Progress { position: 2.0, completed: false };
    shelf.catalog.set_progress(ACCOUNT, &before[4].id, read).await.unwrap();
    shelf.rename("comics/Old", "comics/New");
    put(&shelf, "comics/New/Chapter 21.cbz", comic(21));
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.moved, scan.added, scan.trashed), (20, 1, 0));
    let after = shelf.items(Some(ItemKind::Series)).await;
    assert_eq!((after.len(), &after[0].id, after[0].title.as_str()), (1, &series[0].id, "New"));
    let books = shelf.items(Some(ItemKind::Book)).await;
    let kept: Vec<&str> = books.iter().take(20).map(|book| book.id.as_str()).collect();
    assert_eq!(kept, before.iter().map(|book| book.id.as_str()).collect::<Vec<_>>());
    assert_eq!(shelf.catalog.item(&before[4].id, ACCOUNT).await.unwrap().progress, Some(read));
}

#[tokio::test]
async fn two_series_that_swap_their_folders_names_keep_their_ids_and_books() {
    let (shelf, library) = comics().await;
    for (series, seed) in [("A", 10), ("B", 20)] {
        for n in 0..3 {
            put(&shelf, &format!("comics/{series}/{n}.cbz"), comic(seed + n));
        }
    }
    shelf.scan(&library).await;
    let owners = async || {
        let books = shelf.items(Some(ItemKind::Book)).await;
        books.into_iter().map(|book| (book.id, book.show)).collect::<std::collections::BTreeMap<_, _>>()
    };
    let (before, series) = (owners().await, shelf.items(Some(ItemKind::Series)).await);
    shelf.rename("comics/A", "comics/C");
    shelf.rename("comics/B", "comics/A");
    shelf.rename("comics/C", "comics/B");
    shelf.scan(&library).await;
    assert_eq!(owners().await, before, "each book is in the series that it was in");
    let after = shelf.items(Some(ItemKind::Series)).await;
    assert_eq!(
        after.iter().map(|one| &one.id).collect::<Vec<_>>(),
        [&series[1].id, &series[0].id],
        "by their new names"
    );
}

#[tokio::test]
async fn a_series_whose_folder_moves_into_one_that_another_keeps_joins_it_and_keeps_its_own_place_for_later() {
    let (shelf, library) = comics().await;
    for (series, seed) in [("A", 10), ("B", 20), ("C", 30)] {
        for n in 0..3 {
            put(&shelf, &format!("comics/{series}/{series}{n}.cbz"), comic(seed + n));
        }
    }
    shelf.scan(&library).await;
    let series = shelf.items(Some(ItemKind::Series)).await;
    // Most of A goes to B's folder, most of B to C's, where C stays: nobody can have the other's folder.
    for (from, to) in [("A", "B"), ("B", "C")] {
        for n in 0..2 {
            shelf.rename(&format!("comics/{from}/{from}{n}.cbz"), &format!("comics/{to}/{from}{n}.cbz"));
        }
    }
    shelf.scan(&library).await;
    put(&shelf, "comics/A/A9.cbz", comic(19));
    shelf.scan(&library).await;
    let after = shelf.items(Some(ItemKind::Series)).await;
    assert_eq!(
        after.iter().map(|one| &one.id).collect::<Vec<_>>(),
        series.iter().map(|one| &one.id).collect::<Vec<_>>()
    );
    let books = shelf.items(Some(ItemKind::Book)).await;
    let of = |id: &String| books.iter().filter(|book| book.show.as_ref() == Some(id)).count();
    assert_eq!(series.iter().map(|one| of(&one.id)).collect::<Vec<_>>(), [2, 3, 5]);
}

#[tokio::test]
async fn an_epub_that_flows_has_its_cover_and_its_documents_for_pages() {
    let (node, ada, library) = node().await;
    let folder = node.data().with_file_name("comics/Prose");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("1.epub"), epub()).unwrap();
    let mut events = node.node().events();
    ada.post(&format!("/api/v1/libraries/{library}/scan")).send().await.unwrap();
    let done =
        |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == library && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
    let all = books(&ada, &library).await;
    let prose = all.iter().find(|book| book.title == "Prose").unwrap();
    assert_eq!(prose.pages, Some(2));
    let cover = ada.get(prose.poster.as_ref().unwrap()).send().await.unwrap();
    assert_eq!(cover.headers()["content-type"], "image/jpeg");
    let list: BookPages =
        ada.get(&format!("/api/v1/items/{}/pages", prose.id)).send().await.unwrap().json().await.unwrap();
    assert!(list.pages.len() == 2 && list.pages.iter().all(|page| page.kind == "application/xhtml+xml"), "{list:?}");
    node.stop().await;
}

#[tokio::test]
async fn a_storm_of_renames_over_three_hundred_books_loses_nothing() {
    const SERIES: usize = 30;
    let (shelf, library) = comics().await;
    let info = |n: usize| format!("<Title>Title {n}</Title>");
    let whole = |n: usize| {
        zip(&[("1.jpg", page(1)), ("ComicInfo.xml", format!("<ComicInfo>{}</ComicInfo>", info(n)).into_bytes())])
    };
    for n in 0..300 {
        put(&shelf, &format!("comics/S{:02}/{:02}.cbz", n % SERIES, n / SERIES), whole(n));
    }
    shelf.scan(&library).await;
    let state = async || {
        let books = shelf.items(Some(ItemKind::Book)).await;
        let by_title = books.into_iter().map(|book| (book.title, (book.id, book.show.unwrap())));
        by_title.collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = state().await;
    assert_eq!(before.len(), 300);
    for (n, (id, _)) in before.values().enumerate() {
        let read = Progress { position: (n + 1) as f64, completed: n % 2 == 0 };
        shelf.catalog.set_progress(ACCOUNT, id, read).await.unwrap();
    }
    // Folders get other names, some swap theirs, all books get other names, some swap theirs.
    for s in 0..SERIES {
        let folder = format!("comics/S{s:02}");
        for b in 0..10 {
            shelf.rename(&format!("{folder}/{b:02}.cbz"), &format!("{folder}/chapter {}.x", 9 - b));
        }
        for b in 0..10 {
            shelf.rename(&format!("{folder}/chapter {b}.x"), &format!("{folder}/{b:02}.cbz"));
        }
        shelf.rename(&folder, &format!("comics/T{:02}", (s * 7 + 3) % SERIES));
    }
    for s in 0..SERIES / 2 {
        shelf.rename(&format!("comics/T{s:02}"), &format!("comics/S{s:02}"));
    }
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.moved + scan.changed, scan.added, scan.trashed), (300, 0, 0), "{scan:?}");
    assert_eq!(state().await, before, "ids, titles and series are what they were");
    for (n, (id, _)) in before.values().enumerate() {
        let progress = shelf.catalog.item(id, ACCOUNT).await.unwrap().progress.unwrap();
        assert_eq!((progress.position, progress.completed), ((n + 1) as f64, n % 2 == 0));
    }
}

#[tokio::test]
async fn a_book_that_is_tagged_anew_under_another_name_keeps_its_id() {
    let (shelf, library) = comics().await;
    put(&shelf, "comics/Saga/1.cbz", described(1, "<Title>One</Title>"));
    shelf.scan(&library).await;
    let before = shelf.items(Some(ItemKind::Book)).await.remove(0);
    put(&shelf, "comics/Saga/1.cbz", described(1, "<Title>The first</Title>"));
    shelf.scan(&library).await;
    let after = shelf.items(Some(ItemKind::Book)).await.remove(0);
    assert_eq!((after.id, after.title.as_str()), (before.id, "The first"));
}

#[tokio::test]
async fn damaged_and_hostile_archives_are_told_of_and_leave_the_rest_alone() {
    let (shelf, library) = comics().await;
    let whole = comic(1);
    put(&shelf, "comics/S/1 good.cbz", whole.clone());
    put(&shelf, "comics/S/2 cut.cbz", whole[..whole.len() / 2].to_vec());
    put(&shelf, "comics/S/3 text.cbz", b"this is no archive".to_vec());
    put(&shelf, "comics/S/4 empty.cbz", Vec::new());
    put(&shelf, "comics/S/5 none.cbz", zip(&[("readme.txt", b"hello".to_vec())]));
    put(
        &shelf,
        "comics/S/6 tricks.cbz",
        zip(&[("../../etc/1.jpg", page(1)), ("ok.jpg", page(2)), ("__MACOSX/x.jpg", page(3))]),
    );
    put(&shelf, "comics/S/7 lies.cbz", zip(&[("1.jpg", picture(1, 8, 8, ImageFormat::Png))]));
    shelf.scan(&library).await;
    let books = shelf.items(Some(ItemKind::Book)).await;
    let states: Vec<ItemState> = books.iter().map(|book| book.state).collect();
    use ItemState::{Present, Unreadable};
    assert_eq!(states, [Present, Unreadable, Unreadable, Unreadable, Unreadable, Present, Present], "{books:#?}");
    assert!(books[1..5].iter().all(|book| book.problem.as_ref().is_some_and(|problem| !problem.is_empty())));
    assert_eq!(books[5].book.as_ref().unwrap().pages, 1);
    assert!(books[6].artwork.poster.is_some(), "shown as what it is, whatever its name says");
}

#[tokio::test]
async fn a_solid_rar_of_an_old_version_says_why_it_is_not_read_and_what_to_do() {
    let node = TestNode::start(&[]).await;
    let files = [("Saga/Saga 1.cbr", solid_rar4("1.jpg", &page(1))), ("Saga/Saga 2.cbz", comic(2))];
    let (library, series, _) = komga::library(&node, &files).await;
    let ada = node.signed_in("ada").await;
    let told = books(&ada, &library).await;
    let shown = ada.get(&format!("/api/v1/items/{}", told[0].id)).send().await.unwrap();
    let why = shown.json::<serde_json::Value>().await.unwrap()["problem"].as_str().unwrap().to_owned();
    assert!(why.contains("solid RAR") && why.contains("CBZ"), "{why}");
    assert_eq!((told[0].state, told[1].state), (ItemState::Unreadable, ItemState::Present));
    let reader = Reader::new(&node);
    let books = reader.json(&format!("/api/v1/series/{series}/books")).await;
    let media = &books["content"][0]["media"];
    assert_eq!((&media["status"], &media["comment"]), (&json!("ERROR"), &json!(why)));
    assert_eq!(
        reader.status(&format!("/api/v1/books/{}/pages/1", books["content"][0]["id"].as_str().unwrap())).await,
        404
    );
    node.stop().await;
}

/// A node with a library of comics beside its films.
async fn node() -> (TestNode, Browser, String) {
    let node = TestNode::start(&[]).await;
    let folder = node.data().with_file_name("comics");
    fs::create_dir_all(folder.join("Saga")).unwrap();
    fs::write(folder.join("Saga/Saga 1.cbz"), comic(1)).unwrap();
    let gif = zip(&[("1.gif", picture(7, 40, 30, ImageFormat::Gif)), ("2.bmp", picture(8, 40, 30, ImageFormat::Bmp))]);
    fs::write(folder.join("Saga/Saga 2.cbz"), gif).unwrap();
    let mut events = node.node().events();
    let ada = node.signed_in("ada").await;
    let body = json!({"name": "Comics", "kind": "comics", "path": folder});
    let made: serde_json::Value = ada.post("/api/v1/libraries").json(&body).send().await.unwrap().json().await.unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    let done = |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == id && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
    (node, ada, id)
}

async fn books(ada: &Browser, library: &str) -> Vec<ItemSummary> {
    let path = format!("/api/v1/items?library={library}&kind=book");
    ada.get(&path).send().await.unwrap().json::<ItemPage>().await.unwrap().items
}

#[tokio::test]
async fn pages_are_listed_and_sent_as_they_are_in_the_book_with_a_tag() {
    let (node, ada, library) = node().await;
    let books = books(&ada, &library).await;
    assert_eq!((books[0].number.as_deref(), books[0].pages), (Some("1"), Some(3)));
    let base = format!("/api/v1/items/{}/pages", books[0].id);
    let list: BookPages = ada.get(&base).send().await.unwrap().json().await.unwrap();
    assert_eq!(list.format, "zip");
    let names: Vec<&str> = list.pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(names, ["1.jpg", "2.jpg", "10.jpg"], "in natural order");
    let first = &list.pages[0];
    assert_eq!((first.kind.as_str(), first.width, first.height), ("image/jpeg", Some(60), Some(90)));

    let answer = ada.get(&format!("{base}/1")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    let tag = answer.headers()["etag"].clone();
    assert_eq!(answer.bytes().await.unwrap(), page(1));
    let again = ada.get(&format!("{base}/1")).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    for wrong in ["0", "4", "99999999999", "-1", "x"] {
        assert_eq!(ada.status(&format!("{base}/{wrong}")).await, 404, "{wrong}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_page_that_a_browser_cannot_show_is_made_into_one_that_it_can() {
    let (node, ada, library) = node().await;
    let books = books(&ada, &library).await;
    let base = format!("/api/v1/items/{}/pages", books[1].id);
    for (convert, format) in [("jpeg", ImageFormat::Jpeg), ("png", ImageFormat::Png)] {
        let answer = ada.get(&format!("{base}/2?convert={convert}")).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], format!("image/{convert}"));
        let made = image::load_from_memory_with_format(&answer.bytes().await.unwrap(), format).unwrap();
        assert_eq!((made.width(), made.height()), (40, 30));
    }
    assert_eq!(ada.status(&format!("{base}/2?convert=exe")).await, 400);
    node.stop().await;
}

#[tokio::test]
async fn books_of_other_formats_are_read_whatever_their_names_say() {
    let (node, ada, library) = node().await;
    let folder = node.data().with_file_name("comics/Other");
    fs::create_dir(&folder).unwrap();
    let solid = packed("7z", &["a", "-t7z", "-ms=on", "book.bin"], 31);
    let seven = packed("7z", &["a", "-t7z", "-ms=off", "book.bin"], 32);
    fs::write(folder.join("1.cb7"), solid).unwrap();
    fs::write(folder.join("2.cbz"), seven).unwrap();
    fs::write(folder.join("3.cbt"), packed("tar", &["-cf", "book.bin"], 33)).unwrap();
    fs::write(folder.join("4.pdf"), pdf(3)).unwrap();
    let mut events = node.node().events();
    assert_eq!(ada.post(&format!("/api/v1/libraries/{library}/scan")).send().await.unwrap().status(), 202);
    let done =
        |event: &NodeEvent| matches!(event, NodeEvent::Scan(p) if p.library == library && p.state == ScanState::Done);
    while !done(&events.recv().await.unwrap()) {}
    let all = books(&ada, &library).await;
    let others: Vec<_> = all.iter().filter(|book| book.show_title.as_deref() == Some("Other")).collect();
    let mut formats = Vec::new();
    for (book, seed) in others.iter().zip([31, 32, 33, 0]) {
        assert_eq!((book.state, book.pages), (ItemState::Present, Some(3)), "{book:#?}");
        assert!(book.poster.is_some());
        let base = format!("/api/v1/items/{}/pages", book.id);
        let list: BookPages = ada.get(&base).send().await.unwrap().json().await.unwrap();
        let last = ada.get(&format!("{base}/3")).send().await.unwrap();
        assert_eq!(last.headers()["content-type"], "image/jpeg");
        let first = ada.get(&format!("{base}/1")).send().await.unwrap().bytes().await.unwrap();
        if list.format == "pdf" {
            let drawn = image::load_from_memory(&first).unwrap();
            assert!(drawn.height() > drawn.width() && drawn.height() >= 1000, "{} × {}", drawn.width(), drawn.height());
        } else {
            assert_eq!(first, page(seed), "{}", list.format);
        }
        formats.push(list.format);
    }
    assert_eq!(formats, ["7z", "7z", "tar", "pdf"]);
    node.stop().await;
}

#[tokio::test]
async fn how_far_somebody_read_is_kept_by_the_page() {
    let (node, ada, library) = node().await;
    let book = books(&ada, &library).await.remove(0);
    let path = format!("/api/v1/items/{}/progress", book.id);
    let body = json!({"position": 2, "completed": false});
    assert_eq!(ada.request(reqwest::Method::PUT, &path).json(&body).send().await.unwrap().status(), 204);
    let page = ada.get("/api/v1/items?progress=started&sort=-watched").send().await.unwrap();
    let items = page.json::<ItemPage>().await.unwrap().items;
    assert_eq!(items.iter().map(|item| &item.id).collect::<Vec<_>>(), [&book.id]);
    assert_eq!(items[0].progress.unwrap().position, 2.0);
    node.stop().await;
}

#[tokio::test]
async fn a_friends_comic_is_listed_with_its_number_and_read_from_the_friends_node() {
    let (bob, _, comics) = node().await;
    let theirs = books(&bob.signed_in("ada").await, &comics).await;
    let pair = Pair::with(bob).await;
    pair.share(vec![comics.clone()]).await;
    let ada = pair.ann.signed_in("ada").await;
    let both = async || {
        let found = items(&ada, "kind=book").await;
        (found.len() == 2).then_some(found)
    };
    let found = until(&pair.ann, &both).await;
    let told = |all: &[ItemSummary]| {
        all.iter().map(|book| (book.id.clone(), book.number.clone(), book.pages, book.show.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(&found), told(&theirs));
    let base = format!("/api/v1/items/{}/pages", found[0].id);
    let list: BookPages = ada.get(&base).send().await.unwrap().json().await.unwrap();
    assert_eq!(list.pages.len(), 3);
    assert_eq!(ada.get(&format!("{base}/1")).send().await.unwrap().bytes().await.unwrap(), page(1));
    pair.stop().await;
}
