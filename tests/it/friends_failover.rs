//! Ann's node has two friends with the same file: what one does not answer any more, the other does.
use std::sync::Arc;

use bytes::Bytes;
use potluck::facades::native::model::{ItemDetail, ItemPage};
use potluck::friends::Dial;
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
        ann.node().start_friends(options(), Arc::clone(&street) as Arc<dyn Dial>).unwrap();
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
