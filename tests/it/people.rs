//! A library that is shared with some of a friend's people only: they see and play it, and for all others it is not there.
use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use potluck::accounts::FriendChange;
use potluck::catalog::{LibraryKind, Visibility};
use potluck::exchange::Responder as _;
use potluck::exchange::webrtc::WebRtcOptions;
use potluck::facades::NodeRouter;
use potluck::facades::native::model::ItemSummary;
use serde_json::{Value, json};

use crate::fixtures::film;
use crate::friends_share::{ANN_KEY, Pair, items, json_of};
use crate::harness::{Browser, TestNode};
use crate::street::{befriend, until};
use crate::webrtc;

/// What is below an item and needs its file.
const PARTS: [&str; 7] =
    ["", "/file", "/renditions", "/poster", "/subtitles", "/hls/master.m3u8", "/renditions/v0/segments?from=0&count=1"];

/// Ann's node, with two people besides its admin, and Bob's.
struct Scene {
    pair: Pair,
    /// The admin of Ann's node.
    ada: Browser,
    anna: Browser,
    ben: Browser,
}

impl Scene {
    async fn new() -> Self {
        Self::with(TestNode::start(&[film()]).await).await
    }

    async fn with(bob: TestNode) -> Self {
        let pair = Pair::with(bob).await;
        for name in ["anna", "ben"] {
            pair.ann.account(name, None).await;
        }
        let [ada, anna, ben] = [pair.ann.signed_in("ada").await, of(&pair, "anna").await, of(&pair, "ben").await];
        Self { pair, ada, anna, ben }
    }

    /// Bob's film is shared with these of Ann's people.
    async fn shared_with(people: &[&str]) -> (Self, ItemSummary) {
        Self::new().await.share(people).await
    }

    async fn share(self, people: &[&str]) -> (Self, ItemSummary) {
        let libraries = Some(vec![self.pair.bob.library.clone()]);
        self.change(FriendChange { libraries, people: self.list(Some(people)), ..FriendChange::default() }).await;
        let item = until(&self.pair.ann, || async { items(&self.anna, "").await.pop() }).await;
        (self, item)
    }

    async fn only_for(&self, people: Option<&[&str]>) {
        self.change(FriendChange { people: self.list(people), ..FriendChange::default() }).await;
    }

    fn list(&self, people: Option<&[&str]>) -> BTreeMap<String, Option<Vec<String>>> {
        let names = people.map(|people| people.iter().map(|name| (*name).to_owned()).collect());
        BTreeMap::from([(self.pair.bob.library.clone(), names)])
    }

    async fn change(&self, change: FriendChange) {
        self.pair.bob.node().accounts().update_friend(&self.pair.guest, change).await.unwrap();
    }

    /// Nothing of the film or its library is there for this one of Ann's people.
    async fn sees_nothing(&self, who: &Browser, item: &ItemSummary) {
        let word = item.title.split(' ').next().unwrap();
        let search = format!("q={word}");
        for query in
            ["", &search, "sort=-added", "sort=-watched", "kind=video", "progress=unwatched", "progress=started"]
        {
            assert!(items(who, query).await.is_empty(), "{query}");
        }
        let library = &item.library;
        assert_eq!(who.status(&format!("/api/v1/items?library={library}")).await, 404);
        assert_eq!(who.status(&format!("/api/v1/libraries/{library}")).await, 404);
        assert!(!json_of(who, "/api/v1/libraries").await.to_string().contains(library.as_str()));
        assert!(!json_of(who, "/api/v1/status").await.to_string().contains(library.as_str()));
        for part in PARTS {
            assert_eq!(who.status(&format!("/api/v1/items/{}{part}", item.id)).await, 404, "{part}");
        }
        let cid = item.cid.as_ref().unwrap();
        assert_eq!(who.status(&format!("/api/v1/items/{}/blocks/{cid}", item.id)).await, 404);
        assert_eq!(who.status(&format!("/ipfs/{cid}?format=raw")).await, 404);
        let progress = who.request(reqwest::Method::PUT, &format!("/api/v1/items/{}/progress", item.id));
        let progress = progress.json(&json!({"position": 1.0, "completed": false})).send().await.unwrap();
        assert_eq!(progress.status(), 404);
        let offer = who.post(&format!("/api/v1/friends/{}/webrtc", self.pair.friend)).json(&json!({"sdp": "v=0"}));
        assert_eq!(offer.send().await.unwrap().status(), 404, "not even a channel");
    }
}

async fn of(pair: &Pair, name: &str) -> Browser {
    pair.ann.signed_in(name).await
}

/// Asks Bob's node as Ann's does over its link, for one of her people.
async fn ask(pair: &Pair, path: &str, person: Option<&[u8]>) -> (u16, String) {
    let bob = pair.bob.node();
    let mut request = http::Request::get(path);
    if let Some(name) = person {
        request = request.header("potluck-for", name);
    }
    let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
    let caller = bob.accounts().by_endpoint(ANN_KEY, [127, 0, 0, 1].into());
    let answer = NodeRouter::local(bob.clone()).respond(caller, request.body(body).unwrap()).await;
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn who_is_named_sees_and_plays_and_for_all_others_there_is_nothing() {
    let (scene, item) = Scene::shared_with(&["Anna"]).await;
    for part in PARTS {
        assert_eq!(scene.anna.status(&format!("/api/v1/items/{}{part}", item.id)).await, 200, "{part}");
    }
    let segments = format!("/api/v1/items/{}/renditions/v0/segments?from=0&count=1", item.id);
    let segments = json_of(&scene.anna, &segments).await;
    let cid = segments[0]["blocks"][0]["cid"].as_str().unwrap();
    assert_eq!(scene.anna.status(&format!("/api/v1/items/{}/blocks/{cid}", item.id)).await, 200);
    let word = item.title.split(' ').next().unwrap();
    assert_eq!(items(&scene.anna, &format!("q={word}")).await.len(), 1);
    assert_eq!(json_of(&scene.anna, "/api/v1/libraries").await.as_array().unwrap().len(), 2);
    scene.sees_nothing(&scene.ben, &item).await;
    scene.sees_nothing(&scene.ada, &item).await;
    scene.pair.stop().await;
}

#[tokio::test]
async fn a_list_that_changes_counts_at_once_and_pages_that_are_open_hear_of_it() {
    let (scene, item) = Scene::shared_with(&["anna", "ben"]).await;
    assert_eq!(items(&scene.ben, "").await.len(), 1);
    let progress = scene.ben.request(reqwest::Method::PUT, &format!("/api/v1/items/{}/progress", item.id));
    let progress = progress.json(&json!({"position": 1.0, "completed": false})).send().await.unwrap();
    assert_eq!(progress.status(), 204);
    let mut events = scene.ben.get("/api/v1/events").send().await.unwrap();
    let mut told = String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()).into_owned();
    scene.only_for(Some(&["anna"])).await;
    while !told.contains("event: reset") {
        let chunk = events.chunk().await.unwrap().expect("the stream says why it ends");
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(!told.contains(&item.library), "and nothing else of it: {told}");
    scene.sees_nothing(&scene.ben, &item).await;
    assert_eq!(items(&scene.anna, "").await.len(), 1);
    scene.only_for(None).await;
    until(&scene.pair.ann, || async { (items(&scene.ada, "").await.len() == 1).then_some(()) }).await;
    let again = items(&scene.ben, "progress=started").await.remove(0);
    assert_eq!(again.progress.unwrap().position, 1.0, "for everybody again, and ben goes on where he was");
    scene.pair.stop().await;
}

#[tokio::test]
async fn what_a_browser_says_of_whom_it_is_for_does_not_count() {
    let (scene, item) = Scene::shared_with(&["anna"]).await;
    let path = format!("/api/v1/items/{}/renditions", item.id);
    let status = async |who: &Browser, name: &str| {
        who.get(&path).header("potluck-for", name).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&scene.ben, "anna").await, 404);
    assert_eq!(status(&scene.ada, "anna").await, 404);
    assert_eq!(status(&scene.anna, "ben").await, 200, "nor does it take anything away");
    scene.pair.stop().await;
}

#[tokio::test]
async fn the_owners_node_gives_nothing_to_a_node_that_asks_for_itself_or_for_another() {
    let (scene, item) = Scene::shared_with(&["anna"]).await;
    scene.only_for(Some(&["Änne"])).await;
    let pair = &scene.pair;
    let cid = item.cid.as_ref().unwrap();
    let content = format!("/ipfs/{cid}?format=raw");
    let block = format!("/api/v1/items/{}/blocks/{cid}", item.id);
    let library = format!("/api/v1/libraries/{}", item.library);
    let paths = PARTS.iter().map(|part| format!("/api/v1/items/{}{part}", item.id)).chain([content, block, library]);
    let nothing = ask(pair, "/api/v1/items/01890a5d-ac96-774b-bcce-b302099a8057", None).await;
    for path in paths {
        for other in [None, Some(&b"ben"[..]), Some(b""), Some(b"\xff\xfe"), Some("anne".as_bytes())] {
            let answer = ask(pair, &path, other).await;
            assert_eq!(answer.0, 404, "{path} for {other:?}");
            assert_eq!(answer, nothing, "told as what does not exist: {path} for {other:?}");
        }
        assert_eq!(ask(pair, &path, Some(" ÄNNE ".as_bytes())).await.0, 200, "{path}");
    }
    for path in ["/api/v1/items", "/api/v1/libraries", "/api/v1/changes", "/api/v1/items?q=f"] {
        for other in [None, Some(&b"ben"[..])] {
            let (status, text) = ask(pair, path, other).await;
            assert!(status == 200 && !text.contains(&item.library), "{path} for {other:?}: {text}");
        }
        assert_eq!(ask(pair, path, Some("änne".as_bytes())).await.0, 200);
    }
    let (_, told) = ask(pair, "/api/v1/changes?people=true", None).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["libraries"][0]["people"], json!(["Änne"]), "a node that keeps to the list is told of it");
    let (_, told) = ask(pair, "/api/v1/changes?people=true", Some(b"ben")).await;
    assert!(!told.contains(&item.library), "but not for one of its people");
    scene.pair.stop().await;
}

#[tokio::test]
async fn a_channel_to_the_friends_node_is_for_who_signed_in_and_for_nobody_else() {
    let listen = WebRtcOptions { listen: "127.0.0.1:0".parse().unwrap(), ..WebRtcOptions::default() };
    let bob = TestNode::with(&[film()], |wishes| wishes.node.webrtc = Some(listen)).await;
    let more = tempfile::tempdir().unwrap();
    let talks = bob.node().catalog().add_library("Talks", LibraryKind::Videos, more.path(), Visibility::Private);
    let talks = talks.await.unwrap().id;
    let (scene, item) = Scene::with(bob).await.share(&["anna"]).await;
    scene.pair.share(vec![scene.pair.bob.library.clone(), talks]).await;
    until(&scene.pair.ann, || async {
        (json_of(&scene.ben, "/api/v1/libraries").await.as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    let path = format!("/api/v1/friends/{}/webrtc", scene.pair.friend);
    let connect = async |who: &Browser| {
        webrtc::browser::Browser::connect_by(async |sdp| {
            let answer = who.post(&path).header("potluck-for", "anna").json(&json!({ "sdp": sdp })).send().await;
            answer.unwrap().json::<Value>().await.unwrap()["sdp"].as_str().unwrap().to_owned()
        })
        .await
    };
    let block = format!("/ipfs/{}?format=raw", item.cid.as_ref().unwrap());
    let mut annas = connect(&scene.anna).await;
    assert_eq!(annas.fetch("GET", &block, b"").await.status, 200);
    let claim = |name: &'static str| vec![("potluck-for".to_owned(), Bytes::from_static(name.as_bytes()))];
    assert_eq!(annas.fetch_with("GET", &block, claim("ben"), b"").await.status, 200);
    let mut bens = connect(&scene.ben).await;
    assert_eq!(bens.fetch("GET", &block, b"").await.status, 404);
    assert_eq!(bens.fetch_with("GET", &block, claim("anna"), b"").await.status, 404);
    let greeting = json!({"name": "Ann", "addresses": ["192.0.2.1:1"]}).to_string();
    let json = vec![("content-type".to_owned(), Bytes::from_static(b"application/json"))];
    let greeted = bens.fetch_with("POST", "/api/v1/friends/hello", json, greeting.as_bytes()).await;
    assert_eq!(greeted.status, 403, "a browser does not speak for the node that sent it");
    assert_eq!(bens.fetch("GET", "/api/v1/stand-in?since=0", b"").await.status, 403, "nor hears what is between nodes");
    scene.only_for(Some(&["ben"])).await;
    assert_eq!(annas.fetch("GET", &block, b"").await.status, 404);
    scene.pair.stop().await;
}

#[tokio::test]
async fn after_a_restart_the_list_counts_from_the_first_moment_without_the_friend() {
    let (scene, item) = Scene::shared_with(&["anna"]).await;
    let Scene { pair, .. } = scene;
    let Pair { ann, bob, .. } = pair;
    bob.stop().await;
    let ann = ann.restart().await;
    let (anna, ada) = (ann.signed_in("anna").await, ann.signed_in("ada").await);
    assert_eq!(items(&anna, "").await.len(), 1);
    assert!(items(&ada, "").await.is_empty());
    assert_eq!(ada.status(&format!("/api/v1/items/{}", item.id)).await, 404);
    ann.stop().await;
}

#[tokio::test]
async fn the_name_of_an_account_counts_as_it_is_now() {
    let (scene, item) = Scene::shared_with(&["anna"]).await;
    let rename = async |from: &str, to: &str| {
        let account = scene.pair.ann.node().accounts().named(from).unwrap().id;
        let change = scene.ada.request(reqwest::Method::PATCH, &format!("/api/v1/accounts/{account}"));
        assert_eq!(change.json(&json!({ "name": to })).send().await.unwrap().status(), 200);
    };
    rename("anna", "hanna").await;
    scene.sees_nothing(&scene.anna, &item).await;
    rename("ben", "anna").await;
    assert_eq!(scene.ben.status(&format!("/api/v1/items/{}/renditions", item.id)).await, 200);
    scene.pair.stop().await;
}

#[tokio::test]
async fn what_is_for_some_people_only_is_not_kept_here() {
    let (scene, item) = Scene::shared_with(&["anna", "ada"]).await;
    let keep = async |target: &str| {
        let answer = scene.ada.post("/api/v1/replicas").json(&json!({ "target": target, "policy": "everything" }));
        let answer = answer.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["message"].to_string())
    };
    for target in [&item.id, &item.library] {
        let (status, message) = keep(target).await;
        assert!(status == 400 && message.contains("some people"), "{status}: {message}");
    }
    scene.only_for(Some(&["anna"])).await;
    until(&scene.pair.ann, || async { items(&scene.ada, "").await.is_empty().then_some(()) }).await;
    for target in [&item.id, &item.library] {
        assert_eq!(keep(target).await.0, 404, "an admin who is not named does not even hear that it is there");
    }
    scene.pair.stop().await;
}

#[tokio::test]
async fn the_api_says_for_whom_a_library_is_and_changes_nothing_else() {
    let bob = TestNode::start(&[]).await;
    let ada = bob.signed_in("ada").await;
    let friend = befriend(&bob, "Ann", ANN_KEY).await;
    let patch = async |change: Value| {
        let answer = ada.request(reqwest::Method::PATCH, &format!("/api/v1/friends/{friend}")).json(&change);
        let answer = answer.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let library = &bob.library;
    let people = |names: Value| json!({"people": {library.as_str(): names}});
    assert_eq!(patch(people(json!(["anna"]))).await.0, 400, "it is not shared yet");
    assert_eq!(patch(json!({"libraries": [library]})).await.1["people"], json!({}));
    let (status, now) = patch(people(json!(["Anna", "anna", "Ben"]))).await;
    assert_eq!((status, &now["people"]), (200, &json!({library.as_str(): ["Anna", "Ben"]})));
    for wrong in [json!([]), json!([""]), json!(["a:b"]), json!(["x".repeat(65)]), json!(vec!["x"; 257]), json!("x")] {
        assert_eq!(patch(people(wrong.clone())).await.0, 400, "{wrong}");
    }
    let (_, now) = patch(json!({"libraries": [library], "name": "Anne"})).await;
    assert_eq!(
        now["people"],
        json!({library.as_str(): ["Anna", "Ben"]}),
        "what stays shared stays for the same people"
    );
    patch(json!({"libraries": []})).await;
    assert_eq!(
        patch(json!({"libraries": [library]})).await.1["people"],
        json!({}),
        "what is shared anew is for everybody"
    );
    patch(people(json!(["anna"]))).await;
    assert_eq!(patch(people(Value::Null)).await.1["people"], json!({}));
    bob.stop().await;
}
