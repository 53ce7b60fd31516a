//! Ann's node has two friends with the same file: what one does not answer any more, the other does.
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use potluck::facades::native::model::{ItemDetail, ItemPage};
use potluck::friends::{Dial, FriendsOptions};
use serde_json::Value;

use crate::fixtures::film;
use crate::harness::{Browser, TestNode};
use crate::street::{Manner, Street, befriend, options, share, until};

const ANN_KEY: &str = "annsnode";

/// Ann's node, and Bob's and Carol's, which share the same film with her.
struct Three {
    ann: TestNode,
    bob: TestNode,
    carol: TestNode,
    street: Arc<Street>,
    ada: Browser,
    item: String,
}

impl Three {
    async fn new() -> Self {
        let (ann, bob, carol) =
            (TestNode::start(&[]).await, TestNode::start(&[film()]).await, TestNode::start(&[film()]).await);
        let (street, ada) = (Street::new(ANN_KEY), ann.signed_in("ada").await);
        // Whatever is passed over here is so long before that.
        let patient = FriendsOptions { body_idle: Duration::from_secs(3600), ..options() };
        ann.node().start_friends(patient, Arc::clone(&street) as Arc<dyn Dial>).unwrap();
        let mut three = Self { ann, bob, carol, street, ada, item: String::new() };
        three.join(&three.bob, "Bob").await;
        three.item = three.until(|| async { three.listed().await.pop() }).await;
        three.join(&three.carol, "Carol").await;
        three.until(|| async { (three.detail().await.sources.len() == 2).then_some(()) }).await;
        three
    }

    async fn join(&self, node: &TestNode, name: &str) {
        node.imported().await;
        share(node, &befriend(node, "Ann", ANN_KEY).await).await;
        self.street.set(name, node, Manner::Honest);
        befriend(&self.ann, name, name).await;
    }

    async fn until<T, F: Future<Output = Option<T>>>(&self, look: impl Fn() -> F) -> T {
        until(&self.ann, look).await
    }

    fn bob_is(&self, manner: Manner) {
        self.street.set("Bob", &self.bob, manner);
    }

    fn carol_is(&self, manner: Manner) {
        self.street.set("Carol", &self.carol, manner);
    }

    async fn listed(&self) -> Vec<String> {
        let answer = self.ada.get("/api/v1/items").send().await.unwrap();
        answer.json::<ItemPage>().await.unwrap().items.into_iter().map(|item| item.id).collect()
    }

    async fn detail(&self) -> ItemDetail {
        self.ada.get(&format!("/api/v1/items/{}", self.item)).send().await.unwrap().json().await.unwrap()
    }

    /// The film is said to be played from this friend's node, and marked so in lists too.
    async fn plays_from(&self, name: &str) {
        self.until(|| async {
            let friend = self.detail().await.summary.friend?;
            (friend.online && friend.name == name).then_some(())
        })
        .await;
    }

    async fn get(&self, rest: &str) -> (u16, Bytes) {
        let answer = self.ada.get(&format!("/api/v1/items/{}/{rest}", self.item)).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    }

    /// What a page asks for while it plays.
    async fn played(&self) -> Vec<Bytes> {
        let (status, list) = self.get("renditions").await;
        assert_eq!(status, 200);
        let renditions: Value = serde_json::from_slice(&list).unwrap();
        let rendition = renditions["renditions"][0]["id"].as_str().unwrap().to_owned();
        let (status, segments) = self.get(&format!("renditions/{rendition}/segments?from=0&count=2")).await;
        assert_eq!(status, 200);
        let told: Value = serde_json::from_slice(&segments).unwrap();
        let cid = told[0]["blocks"][0]["cid"].as_str().unwrap().to_owned();
        let (status, block) = self.get(&format!("blocks/{cid}")).await;
        assert_eq!(status, 200);
        assert!(potluck::content::cid::verify(&potluck::content::cid::parse(&cid).unwrap(), &block).is_ok());
        vec![list, segments, block]
    }

    async fn stop(self) {
        for node in [self.ann, self.bob, self.carol] {
            node.stop().await;
        }
    }
}

#[tokio::test]
async fn when_a_friend_is_off_another_with_the_same_file_answers_with_the_same_blocks() {
    let three = Three::new().await;
    three.plays_from("Bob").await;
    let before = three.played().await;
    three.bob_is(Manner::Off);
    assert_eq!(three.played().await, before);
    three.carol_is(Manner::Off);
    let (status, problem) = three.get("renditions").await;
    assert_eq!(status, 503);
    assert!(String::from_utf8_lossy(&problem).contains("Bob"), "the first one is named");
    three.stop().await;
}

#[tokio::test]
async fn a_friend_that_falls_silent_is_passed_over_and_marked_until_it_is_back() {
    let three = Three::new().await;
    let before = three.played().await;
    three.bob_is(Manner::Silent);
    assert_eq!(three.played().await, before);
    three.plays_from("Carol").await;
    let sources = three.detail().await.sources;
    let online: Vec<_> = sources.into_iter().filter_map(|source| source.friend).map(|f| (f.name, f.online)).collect();
    assert_eq!(online, [("Bob".to_owned(), false), ("Carol".to_owned(), true)]);
    three.stop().await;
}

#[tokio::test]
async fn another_holder_answers_only_those_who_may_see_its_library() {
    let three = Three::new().await;
    let libraries = three.ann.node().catalog().libraries().await.unwrap();
    let bobs = three.detail().await.summary.library;
    assert!(libraries.iter().any(|library| library.id == bobs));
    three.ann.account("eve", Some(vec![bobs])).await;
    let eve = three.ann.signed_in("eve").await;
    three.bob_is(Manner::Off);
    let answer = eve.get(&format!("/api/v1/items/{}/renditions", three.item)).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    three.stop().await;
}

impl Three {
    /// The blocks of all pieces of the film that are told, each once.
    async fn blocks(&self) -> Vec<String> {
        let (_, list) = self.get("renditions").await;
        let renditions: Value = serde_json::from_slice(&list).unwrap();
        let mut all = BTreeSet::new();
        for rendition in renditions["renditions"].as_array().unwrap() {
            let id = rendition["id"].as_str().unwrap();
            let (_, told) = self.get(&format!("renditions/{id}/segments?from=0&count=32")).await;
            let told: Value = serde_json::from_slice(&told).unwrap();
            for block in told.as_array().unwrap().iter().flat_map(|segment| segment["blocks"].as_array().unwrap()) {
                all.insert(block["cid"].as_str().unwrap().to_owned());
            }
        }
        all.into_iter().collect()
    }

    /// Waits until a friend has cut the film as the other did.
    async fn until_cut(&self, node: &TestNode, blocks: &[String]) {
        for cid in blocks {
            let cid = potluck::content::cid::parse(cid).unwrap();
            while node.node().blocks().stat(&cid).await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn all_right(&self, blocks: &[String]) {
        let asked = blocks.iter().map(|cid| async move {
            let (status, block) = self.get(&format!("blocks/{cid}")).await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&block));
            assert!(potluck::content::cid::verify(&potluck::content::cid::parse(cid).unwrap(), &block).is_ok());
        });
        futures_util::future::join_all(asked).await;
    }

    /// What the node says that a friend did wrong.
    async fn trouble(&self, name: &str) -> Value {
        let all: Value = self.ada.get("/api/v1/friends").send().await.unwrap().json().await.unwrap();
        all.as_array().unwrap().iter().find(|friend| friend["name"] == name).unwrap()["trouble"].clone()
    }
}

#[tokio::test]
async fn blocks_come_from_all_who_hold_the_film_and_none_is_asked_for_twice() {
    let three = Three::new().await;
    let blocks = three.blocks().await;
    three.until_cut(&three.carol, &blocks).await;
    three.all_right(&blocks).await;
    let (bob, carol) = (three.street.asked_of("Bob"), three.street.asked_of("Carol"));
    assert_eq!(bob + carol, blocks.len() as u64);
    assert!(bob > 0 && carol > 0, "Bob gave {bob}, Carol {carol}");
    three.stop().await;
}

#[tokio::test]
async fn a_friend_that_sends_wrong_blocks_is_asked_no_more_and_its_blocks_come_from_another() {
    let three = Three::new().await;
    let blocks = three.blocks().await;
    three.until_cut(&three.carol, &blocks).await;
    three.bob_is(Manner::Lies);
    three.all_right(&blocks).await;
    assert_eq!(three.trouble("Bob").await["kind"], "lie");
    assert_eq!(three.trouble("Carol").await, Value::Null);
    let asked = three.street.asked_of("Bob");
    three.all_right(&blocks).await;
    assert_eq!(three.street.asked_of("Bob"), asked);
    three.plays_from("Carol").await;
    three.stop().await;
}

#[tokio::test]
async fn a_block_that_stops_in_the_middle_comes_from_another_at_once() {
    let three = Three::new().await;
    let blocks = three.blocks().await;
    three.until_cut(&three.carol, &blocks).await;
    three.bob_is(Manner::Stalls);
    three.all_right(&blocks).await;
    three.stop().await;
}
