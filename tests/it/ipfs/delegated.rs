//! Servers of delegated routing say who has a block, and what a name stands for.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::Mutex;
use potluck::content::Cid;
use potluck::content::ipns::{Name, verify};
use potluck::exchange::libp2p::Routing;
use potluck::exchange::libp2p::bitswap::BitswapError;
use potluck::node::{IpfsOptions, NameError};
use serde_json::{Value, json};

use super::nodes::side;
use super::{Host, PATIENCE, until};
use crate::harness::TestNode;

const RECORD: &str = "application/vnd.ipfs.ipns-record";

#[derive(Default)]
struct Known {
    providers: HashMap<String, Value>,
    records: HashMap<String, Vec<u8>>,
    /// Answered in place of anything else.
    odd: Option<(u16, &'static str, Vec<u8>)>,
    asked: Vec<String>,
    lines: bool,
}

/// A server beside the node that answers as the specification has it.
#[derive(Clone)]
struct Router {
    url: String,
    known: Arc<Mutex<Known>>,
}

impl Router {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let router = Self { url: format!("http://{}", listener.local_addr().unwrap()), known: Arc::default() };
        let app = axum::Router::new()
            .route("/routing/v1/providers/{cid}", get(providers))
            .route("/routing/v1/ipns/{name}", get(record).put(publish))
            .with_state(router.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        router
    }

    fn provides(&self, root: &Cid, records: Value) {
        self.known.lock().providers.insert(root.to_string(), records);
    }

    fn asked(&self) -> usize {
        self.known.lock().asked.len()
    }
}

fn peer(host: &Host) -> Value {
    let id = host.libp2p.id().to_string();
    let at = host.libp2p.state().listens[0].clone();
    json!({"Schema": "peer", "ID": id, "Addrs": [at], "Protocols": ["transport-bitswap"], "more": {"x": [1]}})
}

async fn providers(State(router): State<Router>, Path(cid): Path<String>, headers: HeaderMap) -> Response {
    let mut known = router.known.lock();
    known.asked.push(cid.clone());
    if let Some((status, kind, body)) = known.odd.clone() {
        return (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, kind)], body).into_response();
    }
    let Some(found) = known.providers.get(&cid) else { return StatusCode::NOT_FOUND.into_response() };
    if known.lines {
        assert!(headers[header::ACCEPT].to_str().unwrap().contains("application/x-ndjson"), "only who asks gets lines");
        let lines: String = found.as_array().unwrap().iter().map(|record| format!("{record}\n")).collect();
        return ([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response();
    }
    axum::Json(json!({"Providers": found})).into_response()
}

async fn record(State(router): State<Router>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    assert_eq!(headers[header::ACCEPT], RECORD);
    match router.known.lock().records.get(&name) {
        Some(record) => ([(header::CONTENT_TYPE, RECORD)], record.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn publish(
    State(router): State<Router>,
    Path(text): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let name = Name::parse(&text).unwrap();
    if headers[header::CONTENT_TYPE] != RECORD || verify(name, &body, jiff::Timestamp::now()).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    router.known.lock().records.insert(text, body.to_vec());
    StatusCode::OK
}

async fn node(routers: &[&Router]) -> TestNode {
    let delegated = routers.iter().map(|router| router.url.clone()).collect();
    let node = TestNode::with(&[], |wish| {
        wish.node.ipfs = Some(IpfsOptions { delegated, ..side(Routing::Off, Vec::new()) });
    })
    .await;
    until(|| node.node().ipfs().unwrap().version() > 0).await;
    node
}

#[tokio::test]
async fn a_server_says_who_has_a_file_at_once_or_line_by_line() {
    for lines in [false, true] {
        let (router, owner) = (Router::start().await, Host::new(5).await);
        router.known.lock().lines = lines;
        let (layout, content) = owner.file("film", 2 * 1024 * 1024 + 7).await;
        let others =
            json!([{"Schema": "bitswap", "ID": 7}, {"Schema": "peer", "ID": "nobody"}, "nonsense", peer(&owner)]);
        router.provides(&layout.root, others);
        let node = node(&[&router]).await;
        let ipfs = node.node().ipfs().unwrap();
        let mut got = Vec::new();
        for (leaf, _) in &layout.leaves {
            got.extend_from_slice(&ipfs.fetch(&layout.root, leaf, PATIENCE).await.unwrap());
        }
        assert!(got == content);
        assert_eq!(router.asked(), 1, "once for a root, however many blocks it has");
        node.stop().await;
        owner.libp2p.stop().await;
    }
}

#[tokio::test]
async fn of_several_servers_each_is_asked_and_one_that_fails_is_no_harm() {
    let (broken, right, owner) = (Router::start().await, Router::start().await, Host::new(5).await);
    let away = Router { url: "http://127.0.0.1:1".to_owned(), known: Arc::default() };
    let (layout, _) = owner.file("film", 10).await;
    right.provides(&layout.root, json!([peer(&owner)]));
    let endless = b"{\"Schema\":\"peer\"".repeat(200_000);
    for odd in [
        (500, "text/plain", b"no".to_vec()),
        (200, "application/json", b"<html>".to_vec()),
        (200, "application/json", endless.clone()),
        (200, "application/x-ndjson", endless),
        (200, "application/x-ndjson", b"\n\n{}\n[]\n\xff\n".to_vec()),
        (302, "text/plain", Vec::new()),
    ] {
        broken.known.lock().odd = Some(odd);
        let node = node(&[&broken, &away, &right]).await;
        node.node().ipfs().unwrap().fetch(&layout.root, &layout.root, PATIENCE).await.unwrap();
        node.stop().await;
    }
    owner.libp2p.stop().await;
}

#[tokio::test]
async fn what_nobody_has_is_asked_for_once_in_a_while() {
    let router = Router::start().await;
    let node = node(&[&router]).await;
    let ipfs = node.node().ipfs().unwrap();
    let nowhere = potluck::content::cid::of_raw(b"nowhere");
    for _ in 0..3 {
        let answer = ipfs.fetch(&nowhere, &nowhere, Duration::from_millis(300)).await;
        assert_eq!(answer, Err(BitswapError::NotFound(nowhere)));
    }
    assert_eq!(*router.known.lock().asked, [nowhere.to_string()]);
    node.stop().await;
}

#[tokio::test]
async fn a_server_cannot_have_a_node_knock_at_more_than_eight_doors() {
    let (router, knocks) = (Router::start().await, Arc::new(AtomicUsize::new(0)));
    let mut peers = Vec::new();
    for seed in 100..140 {
        let (door, knocks) = (tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::clone(&knocks));
        let at = format!("/ip4/127.0.0.1/tcp/{}", door.local_addr().unwrap().port());
        peers.push(json!({"Schema": "peer", "ID": Name::of_ed25519(&[seed; 32]).peer_id(), "Addrs": [at]}));
        tokio::spawn(async move {
            while door.accept().await.is_ok() {
                knocks.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let nowhere = potluck::content::cid::of_raw(b"nowhere");
    router.provides(&nowhere, Value::Array(peers));
    let node = node(&[&router]).await;
    let ipfs = node.node().ipfs().unwrap();
    let fetching = ipfs.fetch(&nowhere, &nowhere, Duration::from_secs(3));
    let (answer, ()) = tokio::join!(fetching, until(|| knocks.load(Ordering::Relaxed) >= 8));
    assert!(answer.is_err());
    assert_eq!(knocks.load(Ordering::Relaxed), 8);
    node.stop().await;
}

#[tokio::test]
async fn a_name_is_given_to_a_server_and_resolved_by_others_there() {
    let router = Router::start().await;
    let (owner, seeker) = (node(&[&router]).await, node(&[&router]).await);
    let (ipfs, other) = (owner.node().ipfs().unwrap(), seeker.node().ipfs().unwrap());
    let name = ipfs.name();
    until(|| router.known.lock().records.contains_key(&name.to_string())).await;
    let found = other.resolve(name).await.unwrap();
    assert_eq!(found.record.value, format!("/ipfs/{}", ipfs.root()));
    assert!(name != other.name());
    owner.stop().await;
    seeker.stop().await;
}

#[tokio::test]
async fn a_record_of_somebody_else_or_none_is_not_believed_and_the_newest_counts() {
    let (liar, old, new) = (Router::start().await, Router::start().await, Router::start().await);
    let (first, second) = (node(&[&old]).await, node(&[&new]).await);
    let (name, stranger) = (first.node().ipfs().unwrap().name(), second.node().ipfs().unwrap().name());
    until(|| old.known.lock().records.contains_key(&name.to_string())).await;
    until(|| new.known.lock().records.contains_key(&stranger.to_string())).await;
    let seeker = node(&[&liar, &old]).await;
    let other = new.known.lock().records[&stranger.to_string()].clone();
    liar.known.lock().records.insert(name.to_string(), other.clone());
    let found = seeker.node().ipfs().unwrap().resolve(name).await.unwrap();
    assert_eq!(found.bytes, old.known.lock().records[&name.to_string()]);
    liar.known.lock().records.insert(stranger.to_string(), vec![7; 20_000]);
    assert!(matches!(seeker.node().ipfs().unwrap().resolve(stranger).await, Err(NameError::Unknown)));
    // The same name, as it is after what is public changed.
    let films = first.films();
    std::fs::copy(crate::fixtures::film(), films.join("film.mp4")).unwrap();
    let before = old.known.lock().records[&name.to_string()].clone();
    let ada = first.signed_in("ada").await;
    let path = format!("/api/v1/libraries/{}", first.library);
    let change = json!({"visibility": "public"});
    assert_eq!(ada.request(reqwest::Method::PATCH, &path).json(&change).send().await.unwrap().status(), 200);
    assert!(ada.post(&format!("{path}/scan")).send().await.unwrap().status().is_success());
    let later = || {
        let bytes = old.known.lock().records[&name.to_string()].clone();
        verify(name, &bytes, jiff::Timestamp::now()).unwrap().sequence
            > verify(name, &before, jiff::Timestamp::now()).unwrap().sequence
    };
    until(later).await;
    liar.known.lock().records.insert(name.to_string(), before);
    let fresh = node(&[&liar, &old]).await;
    let found = fresh.node().ipfs().unwrap().resolve(name).await.unwrap();
    assert_eq!(found.bytes, old.known.lock().records[&name.to_string()], "the older one came too");
    for node in [first, second, seeker, fresh] {
        node.stop().await;
    }
}
