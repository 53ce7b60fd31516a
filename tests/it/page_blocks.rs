//! Pages of books by CID: named by their bytes, served to whoever may see the book, made again when they were forgotten.
use std::fs;

use image::ImageFormat;
use potluck::content::cid;
use potluck::content::unixfs::{Layout, Profile};
use potluck::exchange::webrtc::WebRtcOptions;
use potluck::facades::native::model::{ItemPage, ItemSummary, PageBlocks};
use serde_json::{Value, json};

use crate::comics::{comic, packed, page, pdf, picture, zip};
use crate::friends_share::{Pair, items};
use crate::harness::{Browser, TestNode};
use crate::heal::damage;
use crate::komga;
use crate::street::until;
use crate::webrtc;

/// A page of several blocks.
fn large() -> Vec<u8> {
    picture(5, 1000, 800, ImageFormat::Bmp)
}

/// A comic whose second page is large.
fn thick() -> Vec<u8> {
    zip(&[("1.jpg", page(1)), ("2.bmp", large()), ("3.jpg", page(3)), ("4.jpg", page(4))])
}

/// A node with one book of each of these files, in their order.
struct Scene {
    node: TestNode,
    library: String,
    books: Vec<ItemSummary>,
    ada: Browser,
}

impl Scene {
    async fn new(files: &[(&str, Vec<u8>)]) -> Self {
        Self::with(TestNode::start(&[]).await, files).await
    }

    async fn with(node: TestNode, files: &[(&str, Vec<u8>)]) -> Self {
        let (library, ..) = komga::library(&node, files).await;
        let ada = node.signed_in("ada").await;
        let listed = ada.get(&format!("/api/v1/items?library={library}&kind=book")).send().await.unwrap();
        let books = listed.json::<ItemPage>().await.unwrap().items;
        assert_eq!(books.len(), files.len());
        Self { node, library, books, ada }
    }

    fn base(&self, book: usize) -> String {
        format!("/api/v1/items/{}/pages", self.books[book].id)
    }

    async fn window(&self, book: usize, query: &str) -> Vec<PageBlocks> {
        window(&self.ada, &format!("{}/blocks?{query}", self.base(book))).await
    }

    /// The same node on the same folders, which remembers nothing that is not on disk.
    async fn restarted(self) -> Self {
        let node = self.node.restart().await;
        let ada = node.signed_in("ada").await;
        Self { node, ada, ..self }
    }
}

async fn window(browser: &Browser, path: &str) -> Vec<PageBlocks> {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// The bytes of a page, each block by its CID below `base` and checked.
async fn joined(browser: &Browser, base: &str, page: &PageBlocks) -> Vec<u8> {
    let mut whole = Vec::new();
    for block in &page.content.blocks {
        let answer = browser.get(&format!("{base}/{}?format=raw", block.cid)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{base}");
        let bytes = answer.bytes().await.unwrap();
        cid::verify(&cid::parse(&block.cid).unwrap(), &bytes).unwrap();
        assert_eq!(bytes.len() as u64, block.size);
        whole.extend(bytes);
    }
    whole
}

fn cids(pages: &[PageBlocks]) -> Vec<&str> {
    pages.iter().map(|page| page.content.cid.as_str()).collect()
}

#[tokio::test]
async fn a_page_is_named_by_its_bytes_and_comes_by_its_blocks() {
    let scene = Scene::new(&[("Saga/1.cbz", thick())]).await;
    let pages = scene.window(0, "from=1").await;
    let wanted = [page(1), large(), page(3), page(4)];
    assert_eq!(pages.iter().map(|page| page.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(
        pages.iter().map(|page| &*page.kind).collect::<Vec<_>>(),
        ["image/jpeg", "image/bmp", "image/jpeg", "image/jpeg"]
    );
    let item = format!("/api/v1/items/{}/blocks", scene.books[0].id);
    for (told, bytes) in pages.iter().zip(&wanted) {
        assert_eq!(told.content.cid, Layout::of(bytes, Profile::V1_2025).root.to_string());
        assert_eq!(told.content.size, bytes.len() as u64);
        assert!(joined(&scene.ada, "/ipfs", told).await == *bytes && joined(&scene.ada, &item, told).await == *bytes);
    }
    assert_eq!((pages[0].content.blocks.len(), pages[1].content.blocks.len()), (1, 3));
    assert_eq!(pages[0].content.cid, pages[0].content.blocks[0].cid, "a small page is one block");
    let whole = scene.ada.get(&format!("/ipfs/{}", pages[1].content.cid)).send().await.unwrap();
    assert!(whole.bytes().await.unwrap() == large(), "its CID is a file's for the gateway too");
    assert_eq!(cids(&scene.window(0, "from=3&count=32").await), cids(&pages)[2..]);
    scene.node.stop().await;
}

#[tokio::test]
async fn a_window_beyond_the_book_is_empty_and_one_that_is_none_is_refused() {
    let scene = Scene::new(&[("Saga/1.cbz", comic(1))]).await;
    let base = format!("{}/blocks", scene.base(0));
    for beyond in ["from=4", "from=4294967295&count=32"] {
        assert!(scene.window(0, beyond).await.is_empty(), "{beyond}");
    }
    for wrong in [
        "",
        "from=0",
        "from=-1",
        "from=4294967296",
        "from=x",
        "from=1&count=0",
        "from=1&count=33",
        "from=1&count=-1",
        "from=1&count=99999999999999999999",
        "from=1&convert=exe",
        "from=1&convert=../../etc/passwd",
    ] {
        assert_eq!(scene.ada.status(&format!("{base}?{wrong}")).await, 400, "{wrong}");
    }
    scene.node.stop().await;
}

#[tokio::test]
async fn the_same_page_has_one_name_in_every_archive_on_every_node_and_comes_from_whichever_is_left() {
    let seven = packed("7z", &["a", "-t7z", "-ms=on", "book.bin"], 31);
    let tar = packed("tar", &["-cf", "book.bin"], 31);
    let files = [("Saga/1.cbz", comic(31)), ("Saga/2.cb7", seven), ("Saga/3.cbt", tar)];
    let (one, other) = (Scene::new(&files).await, Scene::new(&files[..1]).await);
    let here = other.window(0, "from=1").await;
    assert_eq!(here[0].content.cid, cid::of_raw(&page(31)).to_string());
    for (book, (name, _)) in files.iter().enumerate() {
        assert_eq!(one.window(book, "from=1&count=1").await[0].content.cid, here[0].content.cid, "{name}");
    }
    // The copy that was named first is gone.
    fs::remove_file(one.node.data().with_file_name("comics/Saga/1.cbz")).unwrap();
    let one = one.restarted().await;
    assert!(joined(&one.ada, "/ipfs", &here[0]).await == page(31));
    one.node.stop().await;
    other.node.stop().await;
}

#[tokio::test]
async fn what_a_worker_makes_of_a_page_is_the_same_on_every_node_and_told_when_it_is_wanted() {
    let seven = packed("7z", &["a", "-t7z", "-ms=on", "book.bin"], 31);
    let files = [("Saga/1.cbz", thick()), ("Saga/2.pdf", pdf(3)), ("Saga/3.cb7", seven)];
    let (one, other) = (Scene::new(&files).await, Scene::new(&files).await);
    for (book, query) in
        [(0, "from=2&count=1&convert=jpeg"), (0, "from=2&count=1&convert=png"), (1, "from=2"), (2, "from=2")]
    {
        let (made, again) = (one.window(book, query).await, other.window(book, query).await);
        assert_eq!((made.len(), cids(&made)), (1, cids(&again)), "{}?{query}", files[book].0);
        let plain = query.replace("from=2", "").replace("&count=1", "");
        let bytes = one.ada.get(&format!("{}/2?{plain}", one.base(book))).send().await.unwrap().bytes().await.unwrap();
        assert!(joined(&one.ada, "/ipfs", &made[0]).await == bytes);
        image::load_from_memory(&bytes).unwrap();
    }
    assert_eq!(one.window(1, "from=1").await.len(), 2, "the next one, which is there already");
    let (before, one) = (one.window(1, "from=3").await, one.restarted().await);
    assert!(!joined(&one.ada, "/ipfs", &before[0]).await.is_empty(), "drawn anew, it is the same");
    one.node.stop().await;
    other.node.stop().await;
}

#[tokio::test]
async fn pages_that_a_browser_shows_are_not_converted() {
    let scene = Scene::new(&[("Saga/1.cbz", comic(1))]).await;
    let (plain, converted) = (scene.window(0, "from=1").await, scene.window(0, "from=1&convert=jpeg").await);
    assert_eq!((cids(&plain), plain.len()), (cids(&converted), 3));
    scene.node.stop().await;
}

#[tokio::test]
async fn blocks_of_a_page_are_for_whoever_may_see_its_book_over_every_carrier() {
    let listen = WebRtcOptions { listen: "127.0.0.1:0".parse().unwrap(), ..WebRtcOptions::default() };
    let node = TestNode::with(&[], |wishes| wishes.node.webrtc = Some(listen)).await;
    let scene = Scene::with(node, &[("Saga/1.cbz", thick())]).await;
    let pages = scene.window(0, "from=1").await;
    scene.node.account("reader", Some(vec![scene.library.clone()])).await;
    scene.node.account("viewer", Some(vec![scene.node.library.clone()])).await;
    let list = format!("{}/blocks?from=1", scene.base(0));
    for (name, right) in [("reader", true), ("viewer", false)] {
        let who = scene.node.signed_in(name).await;
        let mut channel = webrtc::browser::Browser::connect_by(async |sdp| {
            let answer = who.post("/api/v1/webrtc").json(&json!({ "sdp": sdp })).send().await.unwrap();
            answer.json::<Value>().await.unwrap()["sdp"].as_str().unwrap().to_owned()
        })
        .await;
        let status = if right { 200 } else { 404 };
        assert_eq!(
            (who.status(&list).await, channel.fetch("GET", &list, b"").await.status),
            (status, status),
            "{name}"
        );
        for block in pages.iter().flat_map(|page| &page.content.blocks) {
            for path in [
                format!("/ipfs/{}?format=raw", block.cid),
                format!("/api/v1/items/{}/blocks/{}", scene.books[0].id, block.cid),
            ] {
                let answer = channel.fetch("GET", &path, b"").await;
                assert_eq!((who.status(&path).await, answer.status), (status, status), "{name} {path}");
                assert_eq!(cid::verify(&cid::parse(&block.cid).unwrap(), &answer.body).is_ok(), right);
            }
        }
    }
    let nobody = scene.node.browser();
    assert_eq!(nobody.status(&list).await, 401);
    assert_eq!(nobody.status(&format!("/ipfs/{}?format=raw", pages[0].content.cid)).await, 404);
    scene.node.stop().await;
}

#[tokio::test]
async fn a_forgotten_block_is_made_again_after_a_restart() {
    let scene = Scene::new(&[("Saga/1.cbz", thick())]).await;
    let before = scene.window(0, "from=1").await;
    let scene = scene.restarted().await;
    for (told, bytes) in before.iter().zip([page(1), large(), page(3), page(4)]) {
        assert!(joined(&scene.ada, "/ipfs", told).await == bytes);
    }
    scene.node.stop().await;
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_never_other_bytes_and_the_others_are_there() {
    let (book, third) = (thick(), page(3));
    let at = book.windows(third.len()).position(|part| part == third).unwrap() + third.len() / 2;
    let scene = Scene::new(&[("Saga/1.cbz", book)]).await;
    let before = scene.window(0, "from=1").await;
    damage(&scene.node.data().with_file_name("comics/Saga/1.cbz"), &[at]);
    let scene = scene.restarted().await;
    let block = |n: usize| format!("/ipfs/{}?format=raw", before[n].content.cid);
    let answer = scene.ada.get(&block(2)).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text().await.unwrap(), "the block could not be read\n");
    assert_eq!(scene.ada.status(&format!("{}/blocks?from=3", scene.base(0))).await, 503);
    assert_eq!(cids(&scene.window(0, "from=1").await), cids(&before)[..2], "up to the damaged one");
    assert_eq!(cids(&scene.window(0, "from=4").await), cids(&before)[3..]);
    assert_eq!(scene.ada.status(&block(3)).await, 200);
    scene.node.stop().await;
}

#[tokio::test]
async fn nothing_new_is_named_of_a_book_that_changed_until_it_is_read_again() {
    let scene = Scene::new(&[("Saga/1.cbz", comic(1))]).await;
    let old = scene.window(0, "from=1&count=1").await;
    fs::write(scene.node.data().with_file_name("comics/Saga/1.cbz"), comic(2)).unwrap();
    assert_eq!(scene.ada.status(&format!("{}/blocks?from=2", scene.base(0))).await, 503);
    scene.node.node().importer().scan(&scene.library).await.unwrap();
    let named = async || {
        let now = scene.window(0, "from=1").await;
        (cids(&now)[0] != cids(&old)[0]).then_some(now)
    };
    assert_eq!(cids(&until(&scene.node, named).await)[0], cid::of_raw(&page(2)).to_string());
    assert_eq!(scene.ada.status(&format!("/ipfs/{}?format=raw", old[0].content.cid)).await, 404);
    scene.node.stop().await;
}

#[tokio::test]
async fn pages_of_a_friends_comic_come_by_the_own_node_and_from_the_friends_directly() {
    let listen = WebRtcOptions { listen: "127.0.0.1:0".parse().unwrap(), ..WebRtcOptions::default() };
    let node = TestNode::with(&[], |wishes| wishes.node.webrtc = Some(listen)).await;
    let scene = Scene::with(node, &[("Saga/1.cbz", thick())]).await;
    let (base, theirs) = (scene.base(0), scene.window(0, "from=1").await);
    let pair = Pair::with(scene.node).await;
    pair.share(vec![scene.library.clone()]).await;
    let ada = pair.ann.signed_in("ada").await;
    let item = until(&pair.ann, || async { items(&ada, "kind=book").await.pop() }).await;
    let told = window(&ada, &format!("{base}/blocks?from=1")).await;
    assert_eq!(cids(&told), cids(&theirs));
    assert!(joined(&ada, &format!("/api/v1/items/{}/blocks", item.id), &told[1]).await == large());
    let offer = format!("/api/v1/friends/{}/webrtc", pair.friend);
    let mut channel = webrtc::browser::Browser::connect_by(async |sdp| {
        let answer = ada.post(&offer).json(&json!({ "sdp": sdp })).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["sdp"].as_str().unwrap().to_owned()
    })
    .await;
    let block = format!("/ipfs/{}?format=raw", told[0].content.cid);
    assert!(channel.fetch("GET", &block, b"").await.body == page(1));
    pair.share(Vec::new()).await;
    assert_eq!(channel.fetch("GET", &block, b"").await.status, 404);
    pair.stop().await;
}
