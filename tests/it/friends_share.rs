//! Two real nodes, one of which shares with the other: what is listed, found, played, kept, withdrawn, and not believed.
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use parking_lot::Mutex;
use potluck::accounts::Friend;
use potluck::exchange::webrtc::WebRtcOptions;
use potluck::exchange::{Body, Responder};
use potluck::facades::NodeRouter;
use potluck::facades::native::model::{ItemPage, ItemSummary};
use potluck::friends::{Dial, DialError, FriendsOptions};
use serde_json::{Value, json};

use crate::fixtures::film;
use crate::harness::{Browser, TestNode};
use crate::street::{Manner, Street, befriend, options, share_only, until};
use crate::webrtc;

/// Public keys of the two nodes, as far as their accounts know.
pub const ANN_KEY: &str = "annsnode";
const BOB_KEY: &str = "bobsnode";

/// Ann's node, which follows Bob's.
pub struct Pair {
    pub ann: TestNode,
    pub bob: TestNode,
    /// Bob's id at Ann's, and Ann's at Bob's.
    pub friend: String,
    pub guest: String,
    street: Arc<Street>,
}

impl Pair {
    /// Bob has a film that he does not share yet.
    pub async fn new() -> Self {
        Self::with(TestNode::start(&[film()]).await).await
    }

    pub async fn with(bob: TestNode) -> Self {
        let ann = TestNode::start(&[]).await;
        bob.imported().await;
        let friend = befriend(&ann, "Bob", BOB_KEY).await;
        let guest = befriend(&bob, "Ann", ANN_KEY).await;
        let street = Street::new(ANN_KEY);
        street.set(BOB_KEY, &bob, Manner::Honest);
        ann.node().start_friends(options(), Arc::clone(&street) as Arc<dyn Dial>).unwrap();
        Self { ann, bob, friend, guest, street }
    }

    fn bob_is(&self, manner: Manner) {
        self.street.set(BOB_KEY, &self.bob, manner);
    }

    pub async fn share(&self, libraries: Vec<String>) {
        share_only(&self.bob, &self.guest, libraries).await;
    }

    async fn shared() -> (Self, Browser, ItemSummary) {
        Self::new().await.share_all().await
    }

    async fn share_all(self) -> (Self, Browser, ItemSummary) {
        let pair = self;
        let ada = pair.ann.signed_in("ada").await;
        pair.share(vec![pair.bob.library.clone()]).await;
        let item = until(&pair.ann, || one(&ada)).await;
        (pair, ada, item)
    }

    pub async fn stop(self) {
        self.ann.stop().await;
        self.bob.stop().await;
    }
}

pub async fn items(browser: &Browser, query: &str) -> Vec<ItemSummary> {
    let answer = browser.get(&format!("/api/v1/items?{query}")).send().await.unwrap();
    answer.json::<ItemPage>().await.unwrap().items
}

async fn one(browser: &Browser) -> Option<ItemSummary> {
    items(browser, "").await.pop()
}

pub async fn json_of(browser: &Browser, path: &str) -> Value {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

async fn bytes_of(browser: &Browser, path: &str) -> Bytes {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap()
}

#[tokio::test]
async fn a_friends_film_is_listed_found_and_named() {
    let (pair, ada, item) = Pair::shared().await;
    let theirs = pair.bob.imported().await.remove(0);
    assert_eq!((&item.id, &item.cid, item.duration), (&theirs.id, &theirs.cid, theirs.duration));
    let holder = item.friend.clone().unwrap();
    assert_eq!((holder.id.as_str(), holder.name.as_str(), holder.online), (pair.friend.as_str(), "Bob", true));
    let word = item.title.split(' ').next().unwrap();
    assert_eq!(items(&ada, &format!("q={word}")).await.len(), 1, "search finds it");
    let whole = json_of(&ada, &format!("/api/v1/items/{}", item.id)).await;
    assert!(!whole["streams"].as_array().unwrap().is_empty());
    assert!(whole["files"][0].get("path").is_none(), "it has no path on this disk");
    assert_eq!(whole["sources"][0]["friend"]["name"], "Bob");
    assert_eq!(json_of(&ada, "/api/v1/scrub/due").await, serde_json::json!([]), "nor a file to be read again");
    let libraries = json_of(&ada, "/api/v1/libraries").await;
    let names: Vec<_> = libraries.as_array().unwrap().iter().map(|l| (&l["name"], &l["friend"]["name"])).collect();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|(name, _)| *name == "Films") && names.iter().any(|(_, friend)| *friend == "Bob"));
    pair.stop().await;
}

#[tokio::test]
async fn a_friends_film_plays_through_the_own_node_as_it_does_at_the_friends() {
    let (pair, ada, item) = Pair::shared().await;
    let there = pair.bob.signed_in("ada").await;
    let base = format!("/api/v1/items/{}", item.id);
    for path in ["/renditions", "/renditions/v0/segments?from=0&count=2", "/subtitles"] {
        let path = format!("{base}{path}");
        assert_eq!(json_of(&ada, &path).await, json_of(&there, &path).await, "{path}");
    }
    for path in
        ["/hls/master.m3u8", "/hls/v0/index.m3u8", "/hls/v0/init.mp4", "/hls/v0/0.m4s", "/file", "/sound?bitrate=64"]
    {
        let path = format!("{base}{path}");
        assert_eq!(bytes_of(&ada, &path).await, bytes_of(&there, &path).await, "{path}");
    }
    let segments = json_of(&ada, &format!("{base}/renditions/v0/segments?from=0&count=1")).await;
    let cid = segments[0]["blocks"][0]["cid"].as_str().unwrap();
    let block = bytes_of(&ada, &format!("{base}/blocks/{cid}")).await;
    let cid = potluck::content::cid::parse(cid).unwrap();
    assert!(potluck::content::cid::verify(&cid, &block).is_ok(), "the block is the one that was asked for");
    let none = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    assert_eq!(ada.status(&format!("{base}/blocks/{none}")).await, 404, "a block of something else is not there");
    let part = ada.get(&format!("{base}/file")).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.headers()["content-length"].to_str().unwrap()), (206, "10"));
    assert_eq!(ada.post(&format!("{base}/stopped")).send().await.unwrap().status(), 204);
    pair.stop().await;
}

#[tokio::test]
async fn progress_in_a_friends_film_is_kept_at_home() {
    let (pair, ada, item) = Pair::shared().await;
    let path = format!("/api/v1/items/{}", item.id);
    let progress = json!({"position": 1.5, "completed": false});
    let put = ada.request(reqwest::Method::PUT, &format!("{path}/progress")).json(&progress).send().await.unwrap();
    assert_eq!(put.status(), 204);
    assert_eq!(json_of(&ada, &path).await["progress"], progress);
    let there = pair.bob.signed_in("ada").await;
    assert!(json_of(&there, &path).await["progress"].is_null(), "the friend hears nothing of it");
    pair.stop().await;
}

#[tokio::test]
async fn changes_show_and_a_withdrawn_library_vanishes() {
    let (pair, ada, item) = Pair::shared().await;
    let second = pair.bob.films().join("Another One.mp4");
    std::fs::copy(film(), &second).unwrap();
    pair.bob.node().importer().scan(&pair.bob.library).await.unwrap();
    until(&pair.ann, || async { (items(&ada, "").await.len() == 2).then_some(()) }).await;
    std::fs::remove_file(&second).unwrap();
    pair.bob.node().importer().scan(&pair.bob.library).await.unwrap();
    until(&pair.ann, || async { (items(&ada, "").await.len() == 1).then_some(()) }).await;
    pair.share(Vec::new()).await;
    until(&pair.ann, || async { items(&ada, "").await.is_empty().then_some(()) }).await;
    for path in ["", "/file", "/poster", "/renditions", "/progress"] {
        let status = ada.status(&format!("/api/v1/items/{}{path}", item.id)).await;
        assert!(status == 404 || status == 405, "{path}: {status}");
    }
    assert_eq!(json_of(&ada, "/api/v1/libraries").await.as_array().unwrap().len(), 1);
    pair.stop().await;
}

#[tokio::test]
async fn the_permissions_of_our_people_count_for_friends_libraries_too() {
    let (pair, _, item) = Pair::shared().await;
    pair.ann.account("kid", Some(vec![pair.ann.library.clone()])).await;
    pair.ann.account("teen", Some(vec![pair.bob.library.clone()])).await;
    let (kid, teen) = (pair.ann.signed_in("kid").await, pair.ann.signed_in("teen").await);
    assert!(items(&kid, "").await.is_empty());
    for path in ["", "/file", "/sound", "/renditions"] {
        assert_eq!(kid.status(&format!("/api/v1/items/{}{path}", item.id)).await, 404);
        assert_eq!(teen.status(&format!("/api/v1/items/{}{path}", item.id)).await, 200);
    }
    let offer = json!({"sdp": "v=0"});
    let path = format!("/api/v1/friends/{}/webrtc", pair.friend);
    assert_eq!(kid.post(&path).json(&offer).send().await.unwrap().status(), 403);
    // It reached the friend's node, whose carrier is off.
    assert_eq!(teen.post(&path).json(&offer).send().await.unwrap().status(), 502);
    pair.stop().await;
}

#[tokio::test]
async fn a_page_speaks_with_the_friends_node_directly_for_as_long_as_it_is_a_friends() {
    let listen = WebRtcOptions { listen: "127.0.0.1:0".parse().unwrap(), ..WebRtcOptions::default() };
    let bob = TestNode::with(&[film()], |wishes| wishes.node.webrtc = Some(listen)).await;
    let (pair, ada, item) = Pair::with(bob).await.share_all().await;
    let path = format!("/api/v1/friends/{}/webrtc", pair.friend);
    let mut page = webrtc::browser::Browser::connect_by(async |sdp| {
        let answer = ada.post(&path).json(&json!({ "sdp": sdp })).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["sdp"].as_str().unwrap().to_owned()
    })
    .await;
    let cid = item.cid.unwrap();
    let block = page.fetch("GET", &format!("/ipfs/{cid}?format=raw"), b"").await;
    assert_eq!(block.status, 200);
    let cid = potluck::content::cid::parse(&cid).unwrap();
    assert!(potluck::content::cid::verify(&cid, &block.body).is_ok());
    for path in ["/api/v1/account", "/api/v1/status", "/api/v1/events"] {
        assert_eq!(page.fetch("GET", path, b"").await.status, 403, "it has the friend's rights, and no more: {path}");
    }
    pair.share(Vec::new()).await;
    assert_eq!(page.fetch("GET", &format!("/ipfs/{cid}?format=raw"), b"").await.status, 404);
    pair.stop().await;
}

#[tokio::test]
async fn what_a_friend_shares_is_not_shared_on() {
    let (pair, _, item) = Pair::shared().await;
    let carl = befriend(&pair.ann, "Carl", "carlsnode").await;
    let all = vec![pair.ann.library.clone(), pair.bob.library.clone()];
    share_only(&pair.ann, &carl, all).await;
    let router = NodeRouter::local(pair.ann.node().clone());
    let caller = pair.ann.node().accounts().by_endpoint("carlsnode", [127, 0, 0, 1].into());
    let ask = |path: String| {
        let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
        router.respond(caller.clone(), http::Request::get(path).body(body).unwrap())
    };
    for path in ["", "/file", "/sound", "/renditions", "/poster"] {
        assert_eq!(ask(format!("/api/v1/items/{}{path}", item.id)).await.status(), 404, "{path}");
    }
    assert_eq!(ask(format!("/api/v1/libraries/{}", pair.bob.library)).await.status(), 404);
    for path in ["/api/v1/changes", "/api/v1/items", "/api/v1/libraries"] {
        let text = ask(path.to_owned()).await.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&text).contains(&item.id), "{path}");
        assert!(!String::from_utf8_lossy(&text).contains(&pair.bob.library), "{path}");
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_friend_who_is_off_is_marked_and_named() {
    let (pair, ada, item) = Pair::shared().await;
    pair.bob_is(Manner::Off);
    let answer = ada.get(&format!("/api/v1/items/{}/renditions", item.id)).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["error"], "friend_off");
    assert!(problem["message"].as_str().unwrap().contains("Bob"), "{problem}");
    // A change ends the question that is held back; the next one finds nobody.
    pair.bob.node().catalog().change_library(&pair.bob.library, Some("Pictures"), None).await.unwrap();
    let online = |expected| {
        let ada = ada.clone();
        move || {
            let ada = ada.clone();
            async move {
                let item = one(&ada).await?;
                (item.friend.unwrap().online == expected).then_some(())
            }
        }
    };
    until(&pair.ann, online(false)).await;
    pair.bob_is(Manner::Honest);
    until(&pair.ann, online(true)).await;
    assert_eq!(ada.status(&format!("/api/v1/items/{}/renditions", item.id)).await, 200);
    pair.stop().await;
}

#[tokio::test]
async fn a_friend_that_is_removed_takes_everything_along() {
    let (pair, ada, item) = Pair::shared().await;
    pair.ann.node().accounts().remove_friend(&pair.friend).await.unwrap();
    until(&pair.ann, || async { items(&ada, "").await.is_empty().then_some(()) }).await;
    assert_eq!(ada.status(&format!("/api/v1/items/{}", item.id)).await, 404);
    pair.stop().await;
}

/// Answers each question with the next of these texts; the last one again and again.
struct Liar {
    answers: Mutex<Vec<String>>,
    asked: tokio::sync::mpsc::UnboundedSender<String>,
}

impl Dial for Liar {
    fn request(
        &self,
        _: &Friend,
        request: http::Request<Body>,
    ) -> BoxFuture<'static, Result<http::Response<Body>, DialError>> {
        let _ = self.asked.send(request.uri().to_string());
        let mut answers = self.answers.lock();
        let text = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
        async move { Ok(http::Response::new(body)) }.boxed()
    }
}

const LIBRARY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn told(items: &Value, next: &str, more: bool) -> String {
    let library = json!({"id": LIBRARY, "name": "Films", "kind": "movies", "state": "available"});
    json!({"libraries": [library], "items": items, "removed": [], "next": next, "more": more}).to_string()
}

fn movie(title: &str) -> Value {
    let id = uuid::Uuid::now_v7().to_string();
    json!({"id": id, "library": LIBRARY, "kind": "movie", "state": "present", "title": title, "added_at": 5})
}

/// A node whose friend answers with these, its events, and what the friend is asked.
async fn lied_to(answers: Vec<String>) -> (TestNode, String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let node = TestNode::start(&[]).await;
    let friend = befriend(&node, "Mallory", "mallory").await;
    let (asked, questions) = tokio::sync::mpsc::unbounded_channel();
    let options = FriendsOptions { items_max: 5000, page_max: 1 << 20, ..options() };
    node.node().start_friends(options, Arc::new(Liar { answers: Mutex::new(answers), asked })).unwrap();
    (node, friend, questions)
}

async fn not_believed(node: &TestNode, friend: &str) -> String {
    let friends = node.node().friends().unwrap().clone();
    let mut events = friends.events();
    loop {
        if let Some(problem) = friends.state(friend).problem {
            return problem;
        }
        events.recv().await.unwrap();
    }
}

#[tokio::test]
async fn a_lying_friend_does_no_harm() {
    let mut huge = movie("x");
    huge["title"] = "x".repeat(100_000).into();
    let mut negative = movie("negative");
    negative["duration"] = (-5.0).into();
    let page = told(&json!([huge, negative, movie("Honest"), "nonsense", {"id": 5}]), "AA", false);
    let (node, friend, _questions) = lied_to(vec![page, "[".repeat(500_000)]).await;
    let problem = not_believed(&node, &friend).await;
    assert!(problem.contains("nonsense"), "{problem}");
    let ada = node.signed_in("ada").await;
    let titles: Vec<_> = items(&ada, "").await.into_iter().map(|item| item.title).collect();
    assert_eq!(titles, ["Honest"], "what is no lie is kept, the rest left out");
    node.stop().await;
}

#[tokio::test]
async fn pages_without_end_end() {
    for answers in [
        vec![told(&json!([]), "AA", true)],
        (0..40)
            .map(|n| told(&json!((0..500).map(|_| movie("x")).collect::<Vec<_>>()), &format!("A{n}"), true))
            .collect(),
        vec!["x".repeat(3 << 20)],
    ] {
        let (node, friend, mut questions) = lied_to(answers).await;
        not_believed(&node, &friend).await;
        let mut count = 0;
        while questions.try_recv().is_ok() {
            count += 1;
        }
        assert!(count < 40, "it was asked {count} times");
        assert!(items(&node.signed_in("ada").await, "limit=1").await.len() <= 1);
        node.stop().await;
    }
}

#[tokio::test]
async fn a_first_sync_that_was_cut_off_goes_on_where_it_was() {
    let titles = |range: std::ops::Range<u32>| json!(range.map(|n| movie(&format!("Film {n}"))).collect::<Vec<_>>());
    let answers =
        vec![told(&titles(0..300), "AAAA", true), told(&titles(300..600), "BBBB", true), "cut off".to_owned()];
    let (node, friend, mut questions) = lied_to(answers).await;
    not_believed(&node, &friend).await;
    let node = node.restart().await;
    let (asked, mut after) = tokio::sync::mpsc::unbounded_channel();
    let rest = Mutex::new(vec![told(&titles(600..900), "CCCC", false)]);
    node.node().start_friends(options(), Arc::new(Liar { answers: rest, asked })).unwrap();
    assert!(after.recv().await.unwrap().contains("since=BBBB"), "nothing is asked for twice");
    let ada = node.signed_in("ada").await;
    let total = || async {
        let page: ItemPage = ada.get("/api/v1/items?limit=1").send().await.unwrap().json().await.unwrap();
        (page.total == Some(900)).then_some(())
    };
    until(&node, total).await;
    assert!(questions.recv().await.unwrap().contains("since=&"));
    node.stop().await;
}

#[tokio::test]
async fn a_question_is_held_back_until_something_is_new() {
    let (pair, _, _) = Pair::shared().await;
    let there = pair.bob.signed_in("ada").await;
    let first = json_of(&there, "/api/v1/changes").await;
    let next = first["next"].as_str().unwrap().to_owned();
    let held = tokio::spawn({
        let there = there.clone();
        async move { json_of(&there, &format!("/api/v1/changes?since={next}&wait=60")).await }
    });
    std::fs::copy(film(), pair.bob.films().join("New.mp4")).unwrap();
    pair.bob.node().importer().scan(&pair.bob.library).await.unwrap();
    let news = held.await.unwrap();
    assert_eq!(news["items"].as_array().unwrap().len(), 1);
    for query in ["wait=61", "limit=0", "limit=1001", "limit=-1", "wait=x"] {
        assert_eq!(there.status(&format!("/api/v1/changes?{query}")).await, 400, "{query}");
    }
    pair.stop().await;
}
