//! Which node a film is played from: this one, for whom it is a friend's, and a friend's, where it is gone from this disk.
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use potluck::catalog::ItemState;
use potluck::exchange::Responder;
use potluck::facades::NodeRouter;
use potluck::facades::native::model::{ItemDetail, ItemPage, ItemSummary};
use potluck::friends::Dial;
use serde_json::Value;

use crate::fixtures::film;
use crate::harness::{Browser, TestNode};
use crate::street::{Manner, Street, befriend, options, share, share_only, until};

/// Ann's node and Bob's, each with the same film under another name; Bob shares his.
struct Both {
    ann: TestNode,
    bob: TestNode,
    /// Ids of the film at each.
    own: String,
    theirs: String,
    /// Bob's account at Ann's.
    friend: String,
    street: Arc<Street>,
}

impl Both {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [secret, shared] = ["Secret Name.mp4", "Shared Name.mp4"].map(|name| folder.path().join(name));
        for name in [&secret, &shared] {
            std::fs::copy(film(), name).unwrap();
        }
        // A folder without any film would be taken for a disk that is away.
        let other = crate::heal::long_film(folder.path(), "Other.mp4");
        let (ann, bob) = (TestNode::start(&[secret, other]).await, TestNode::start(&[shared]).await);
        let own = ann.imported().await.into_iter().find(|item| item.title == "Secret Name").unwrap().id;
        let theirs = bob.imported().await.remove(0).id;
        let friend = befriend(&ann, "Bob", "bob").await;
        share(&bob, &befriend(&bob, "Ann", "ann").await).await;
        let street = Street::new("ann");
        street.set("bob", &bob, Manner::Honest);
        ann.node().start_friends(options(), Arc::clone(&street) as Arc<dyn Dial>).unwrap();
        let both = Self { ann, bob, own, theirs, friend, street };
        let ada = both.ann.signed_in("ada").await;
        both.until(|| async { (detail(&ada, &both.own).await.sources.len() == 2).then_some(()) }).await;
        both
    }

    async fn until<T, F: Future<Output = Option<T>>>(&self, look: impl Fn() -> F) -> T {
        until(&self.ann, look).await
    }

    fn bob_is(&self, manner: Manner) {
        self.street.set("bob", &self.bob, manner);
    }

    async fn stop(self) {
        self.ann.stop().await;
        self.bob.stop().await;
    }
}

async fn detail(browser: &Browser, item: &str) -> ItemDetail {
    browser.get(&format!("/api/v1/items/{item}")).send().await.unwrap().json().await.unwrap()
}

async fn listed(browser: &Browser) -> Vec<ItemSummary> {
    browser.get("/api/v1/items").send().await.unwrap().json::<ItemPage>().await.unwrap().items
}

async fn text(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    format!("{:?} {}", answer.headers().clone(), String::from_utf8_lossy(&answer.bytes().await.unwrap()))
}

/// Whether all that a page asks for is answered: what it plays, and each block by both its names.
async fn plays(browser: &Browser, item: &str) {
    let base = format!("/api/v1/items/{item}");
    for path in ["renditions", "subtitles", "hls/master.m3u8", "hls/v0/0.m4s", "file"] {
        assert_eq!(browser.status(&format!("{base}/{path}")).await, 200, "{path}");
    }
    let segments = format!("{base}/renditions/v0/segments?from=0&count=1");
    let segments: Value = browser.get(&segments).send().await.unwrap().json().await.unwrap();
    let cid = segments[0]["blocks"][0]["cid"].as_str().unwrap();
    let answer = browser.get(&format!("{base}/blocks/{cid}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let cid = potluck::content::cid::parse(cid).unwrap();
    assert!(potluck::content::cid::verify(&cid, &answer.bytes().await.unwrap()).is_ok());
}

#[tokio::test]
async fn a_friends_film_plays_from_the_same_bytes_here_and_tells_nothing_of_the_file_they_are_in() {
    let both = Both::new().await;
    both.ann.account("kid", Some(vec![both.bob.library.clone()])).await;
    let kid = both.ann.signed_in("kid").await;
    let item = listed(&kid).await.remove(0);
    assert_eq!((&item.id, &item.friend, item.state), (&both.theirs, &None, ItemState::Present), "it plays from here");
    let holders: Vec<_> = detail(&kid, &item.id).await.sources.into_iter().map(|s| s.friend.map(|f| f.name)).collect();
    assert_eq!(holders, [None, Some("Bob".to_owned())]);
    both.bob_is(Manner::Off);
    plays(&kid, &item.id).await;
    let cid = item.cid.unwrap();
    assert_eq!(kid.status(&format!("/ipfs/{cid}?format=raw")).await, 200, "by its name alone too");
    assert_eq!(both.street.asked(), 0);
    for path in ["", "/file", "/renditions"] {
        assert_eq!(kid.status(&format!("/api/v1/items/{}{path}", both.own)).await, 404, "{path}");
    }
    for path in ["", "/file", "/renditions", "/subtitles", "/hls/master.m3u8"] {
        let text = text(&kid, &format!("/api/v1/items/{}{path}", item.id)).await;
        for hidden in [&both.own, &both.ann.library, "Secret"] {
            assert!(!text.contains(hidden), "{path} tells {hidden}");
        }
    }
    both.stop().await;
}

#[tokio::test]
async fn the_same_bytes_here_are_no_business_of_a_friends_node() {
    let both = Both::new().await;
    share_only(&both.ann, &both.friend, vec![both.bob.library.clone()]).await;
    let caller = both.ann.node().accounts().by_endpoint("bob", [127, 0, 0, 1].into());
    let router = NodeRouter::local(both.ann.node().clone());
    let cid = detail(&both.ann.signed_in("ada").await, &both.own).await.summary.cid.unwrap();
    for path in [format!("/ipfs/{cid}?format=raw"), format!("/api/v1/items/{}/file", both.theirs)] {
        let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
        let answer = router.respond(caller.clone(), http::Request::get(&path).body(body).unwrap()).await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    both.stop().await;
}

/// Takes a file or folder away, as an unmounted disk does, and has the library looked through.
async fn take_away(node: &TestNode, path: &Path) {
    std::fs::rename(path, path.with_extension("away")).unwrap();
    node.node().importer().scan(&node.library).await.unwrap();
}

#[tokio::test]
async fn a_film_on_a_disk_that_is_away_plays_from_a_friend_who_has_the_same() {
    let both = Both::new().await;
    let ada = both.ann.signed_in("ada").await;
    take_away(&both.ann, &both.ann.films()).await;
    let there = |wanted: Option<&'static str>| {
        let (ada, own) = (ada.clone(), both.own.clone());
        move || {
            let (ada, own) = (ada.clone(), own.clone());
            async move {
                let detail = detail(&ada, &own).await;
                let friend = detail.summary.friend.as_ref().map(|friend| friend.name.as_str());
                let gone = detail.sources[0].state == ItemState::Unavailable;
                (gone && friend == wanted).then_some(detail.summary.state)
            }
        }
    };
    assert_eq!(both.until(there(Some("Bob"))).await, ItemState::Present);
    let states = listed(&ada).await.into_iter().map(|item| (item.id == both.own, item.state));
    assert!(states.eq([(false, ItemState::Unavailable), (true, ItemState::Present)]), "only what Bob has");
    plays(&ada, &both.own).await;
    both.ann.account("kid", Some(vec![both.ann.library.clone()])).await;
    let kid = both.ann.signed_in("kid").await;
    assert_eq!(kid.status(&format!("/api/v1/items/{}/file", both.own)).await, 503, "who may not see Bob's library");
    both.bob_is(Manner::Off);
    // A change ends the question that is held back; the next one finds nobody.
    both.bob.node().catalog().change_library(&both.bob.library, Some("Pictures"), None).await.unwrap();
    assert_eq!(both.until(there(None)).await, ItemState::Unavailable);
    let answer = ada.get(&format!("/api/v1/items/{}/renditions", both.own)).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["error"], "unavailable", "the reason is ours: {problem}");
    both.stop().await;
}

#[tokio::test]
async fn a_page_that_is_open_plays_on_from_a_friend_when_the_file_is_deleted() {
    let both = Both::new().await;
    let ada = both.ann.signed_in("ada").await;
    take_away(&both.ann, &both.ann.films().join("Secret Name.mp4")).await;
    both.until(|| async { listed(&ada).await.iter().any(|item| item.id == both.theirs).then_some(()) }).await;
    plays(&ada, &both.own).await;
    both.stop().await;
}
