//! A friend's node that does what none should, over a real link: it is cut short, asked no more for a while, and shown.
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use potluck::accounts::NewFriend;
use potluck::exchange::iroh::{Iroh, Peer, Recognised};
use potluck::exchange::{Body, BodyError, Responder};
use potluck::facades::native::model::{Friend, FriendFault, FriendTrouble, ItemPage, ItemSummary};
use potluck::friends::FriendsOptions;
use serde_json::{Value, json};

use crate::bodies::{Watched, full};
use crate::harness::{Browser, TestNode, links};
use crate::street::{options, until};

const LIBRARY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const ITEM: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
/// Of a block that Mallory does not send, whatever she sends.
const CID: &str = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

/// A node that shares one film, and has its own ways of sending it.
#[derive(Clone, Copy)]
struct Mallory;

impl Mallory {
    async fn start() -> Iroh<()> {
        let recognise = Arc::new(|_: &str, _| Recognised { caller: (), known: true });
        Iroh::start(links("Mallory").iroh, &[7; 32], recognise, Arc::new(Self)).await.unwrap()
    }

    async fn answer(path: &str, query: &str) -> Body {
        match path.rsplit('/').next().unwrap() {
            "changes" if query.contains("since=AA") => std::future::pending().await,
            "changes" => full(changes().to_string()),
            "hello" => full(json!({"name": "Mallory", "addresses": []}).to_string()),
            "file" => Watched::default().endless(),
            "renditions" => Body::new(StreamBody::new(first().chain(stream::pending()))),
            "subtitles" => Body::new(StreamBody::new(first().chain(drops()))),
            _ => full("other bytes"),
        }
    }
}

impl Responder<()> for Mallory {
    fn respond(
        &self,
        (): (),
        request: http::Request<Body>,
    ) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        Box::pin(async move {
            let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
            http::Response::new(Self::answer(path, query).await)
        })
    }
}

fn changes() -> Value {
    let library = json!({"id": LIBRARY, "name": "Films", "kind": "movies", "state": "available"});
    let film =
        json!({"id": ITEM, "library": LIBRARY, "kind": "movie", "state": "present", "title": "Bait", "added_at": 5});
    json!({"libraries": [library], "items": [film], "removed": [], "next": "AA", "more": false})
}

type Frames = Result<Frame<Bytes>, BodyError>;

fn first() -> stream::BoxStream<'static, Frames> {
    stream::iter([Ok(Frame::data(Bytes::from_static(b"{")))]).boxed()
}

/// A byte now and then.
fn drops() -> stream::BoxStream<'static, Frames> {
    let drop = |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Frame::data(Bytes::from_static(b" ")))
    };
    stream::repeat(()).then(drop).boxed()
}

/// Ann's node, and Mallory, who is a friend of hers.
struct Pair {
    ann: TestNode,
    mallory: Iroh<()>,
    ada: Browser,
}

impl Pair {
    async fn new() -> Self {
        let ann = TestNode::with(&[], |wishes| {
            wishes.node.links = Some(links("Ann"));
            let idle = Duration::from_millis(400);
            wishes.node.friends = FriendsOptions { body_idle: idle, body_floor: 1000, ..options() };
            wishes.serve.facades.friend_requests = 20;
        })
        .await;
        let mallory = Mallory::start().await;
        let new =
            NewFriend { name: "Mallory".to_owned(), endpoint: mallory.id().to_owned(), addresses: mallory.addresses() };
        ann.node().accounts().add_friend(new).await.unwrap();
        let ada = ann.signed_in("ada").await;
        let pair = Self { ann, mallory, ada };
        let there = |item: ItemSummary| item.friend.unwrap().online.then_some(());
        until(&pair.ann, || async { pair.listed().await.and_then(there) }).await;
        pair
    }

    async fn listed(&self) -> Option<ItemSummary> {
        let page: ItemPage = self.ada.get("/api/v1/items").send().await.unwrap().json().await.unwrap();
        page.items.into_iter().next()
    }

    async fn trouble(&self) -> Option<FriendTrouble> {
        let all: Vec<Friend> = self.ada.get("/api/v1/friends").send().await.unwrap().json().await.unwrap();
        all.into_iter().next().unwrap().trouble
    }

    /// Mallory did this, is asked no more, and everybody is told so.
    async fn is_shown(&self, kind: FriendFault) {
        let trouble = self.trouble().await.unwrap();
        assert_eq!((trouble.kind, trouble.count), (kind, 1));
        assert!(trouble.until > trouble.at && trouble.at > 1_700_000_000_000);
        assert!(!self.listed().await.unwrap().friend.unwrap().online, "her film is marked");
        let answer = self.ada.get(&format!("/api/v1/items/{ITEM}/hls/master.m3u8")).send().await.unwrap();
        assert_eq!(answer.status(), 503);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["error"], "friend_distrusted");
        assert!(problem["message"].as_str().unwrap().contains(&trouble.reason), "{problem}");
        let status: Value = self.ada.get("/api/v1/status").send().await.unwrap().json().await.unwrap();
        assert!(status["alerts"].to_string().contains(&trouble.reason), "{status}");
    }

    /// Whether what Mallory sends for this ends before it is whole.
    async fn breaks_off(&self, what: &str) -> bool {
        let answer = self.ada.get(&format!("/api/v1/items/{ITEM}/{what}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{what}");
        answer.bytes().await.is_err()
    }

    async fn stop(self) {
        self.ann.stop().await;
        self.mallory.stop().await;
    }
}

#[tokio::test]
async fn a_friend_whose_answer_has_no_end_is_cut_short_and_asked_no_more() {
    let pair = Pair::new().await;
    assert!(pair.trouble().await.is_none());
    assert!(pair.breaks_off("file").await);
    pair.is_shown(FriendFault::Endless).await;
    pair.stop().await;
}

#[tokio::test]
async fn a_friend_that_stops_in_the_middle_is_not_waited_for_and_asked_no_more() {
    let pair = Pair::new().await;
    assert!(pair.breaks_off("renditions").await);
    pair.is_shown(FriendFault::Stall).await;
    pair.stop().await;
}

#[tokio::test]
async fn a_friend_that_sends_by_the_drop_is_not_waited_for_and_asked_no_more() {
    let pair = Pair::new().await;
    assert!(pair.breaks_off("subtitles").await);
    pair.is_shown(FriendFault::Stall).await;
    pair.stop().await;
}

#[tokio::test]
async fn a_friend_that_sends_other_bytes_is_not_believed_and_asked_no_more() {
    let pair = Pair::new().await;
    let answer = pair.ada.get(&format!("/api/v1/items/{ITEM}/blocks/{CID}")).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    pair.is_shown(FriendFault::Lie).await;
    pair.stop().await;
}

#[tokio::test]
async fn a_friend_that_asks_for_far_too_much_is_refused_and_asked_no_more() {
    let pair = Pair::new().await;
    let links = pair.ann.node().links().unwrap().iroh();
    let ann = Peer { endpoint: links.id().to_owned(), addresses: links.addresses() };
    let ask = || async {
        let request = http::Request::get("/api/v1/libraries").body(Body::default()).unwrap();
        let answer = pair.mallory.send(&ann, request).await.unwrap();
        let status = answer.status();
        answer.into_body().collect().await.unwrap();
        status
    };
    let statuses = stream::iter(0..1000).map(|_| ask()).buffer_unordered(50).collect::<Vec<_>>().await;
    let granted = statuses.iter().filter(|status| **status == 200).count();
    assert!((1..400).contains(&granted), "{granted} of 1000");
    assert!(statuses.iter().all(|status| *status == 200 || *status == 429));
    assert_eq!(ask().await, 429, "she is refused for a while");
    pair.is_shown(FriendFault::Flood).await;
    pair.stop().await;
}
