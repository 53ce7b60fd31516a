//! The carrier between nodes by itself: two of them on loopback, and a peer that does not behave.
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use iroh::endpoint::Builder;
use iroh::{Endpoint, EndpointAddr, EndpointId, SecretKey};
use potluck::exchange::iroh::{
    Iroh, IrohError, IrohOptions, Peer, Recognise, Recognised, public_key, public_key_bytes,
};
use potluck::exchange::{Body, Responder};
use tokio::sync::Notify;

use crate::bodies::{Watched, full};

/// Answers `/echo` with the request's body, `/caller` with the caller, `/endless` with bytes until nobody reads, `/wait` when
/// it is told to.
#[derive(Clone, Default)]
struct Site {
    watched: Watched,
    go: Arc<Notify>,
}

impl Responder<String> for Site {
    fn respond(
        &self,
        caller: String,
        request: http::Request<Body>,
    ) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        let site = self.clone();
        Box::pin(async move {
            let body = match request.uri().path() {
                "/echo" => request.into_body(),
                "/endless" => site.watched.endless(),
                "/wait" => {
                    site.go.notified().await;
                    Body::default()
                }
                _ => full(caller),
            };
            http::Response::new(body)
        })
    }
}

fn options() -> IrohOptions {
    IrohOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        dial_time: Duration::from_secs(5),
        ..IrohOptions::default()
    }
}

/// Calls everyone by their key.
async fn node(seed: u8, options: IrohOptions, site: &Site, all_known: bool) -> Iroh<String> {
    let recognise: Recognise<String> = Arc::new(move |key, _| Recognised { caller: key.to_owned(), known: all_known });
    Iroh::start(options, &[seed; 32], recognise, Arc::new(site.clone())).await.unwrap()
}

fn peer(of: &Iroh<String>) -> Peer {
    Peer { endpoint: of.id().to_owned(), addresses: of.addresses() }
}

fn get(path: &str) -> http::Request<Body> {
    http::Request::get(path).body(Body::default()).unwrap()
}

async fn text(from: &Iroh<String>, to: &Peer, path: &str) -> Result<String, IrohError> {
    let body = from.send(to, get(path)).await?.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn many_requests_go_over_one_link_and_both_sides_may_ask() {
    let (site, options) = (Site::default(), options());
    let (one, two) = (node(1, options.clone(), &site, true).await, node(2, options, &site, true).await);
    let to = peer(&one);
    let asked = futures_util::future::join_all((0..200).map(|_| text(&two, &to, "/caller"))).await;
    assert!(asked.into_iter().all(|caller| caller.unwrap() == two.id()), "the key names the caller");
    assert_eq!(two.state().connections, 1);
    assert_eq!(one.state().requests, 200);
    let unknown_place = Peer { endpoint: two.id().to_owned(), addresses: vec![] };
    assert_eq!(text(&one, &unknown_place, "/caller").await.unwrap(), one.id(), "on the link that the other dialed");
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let site = Site::default();
    let (one, two) = (node(1, options(), &site, true).await, node(2, options(), &site, true).await);
    let part = Bytes::from(vec![7; 100_000]);
    let parts = stream::iter((0..200).map(move |_| Ok(http_body::Frame::data(part.clone()))));
    let request = http::Request::post("/echo").body(Body::new(StreamBody::new(parts))).unwrap();
    let echoed = two.send(&peer(&one), request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert!(echoed.len() == 20_000_000 && echoed.iter().all(|byte| *byte == 7));
    assert!(one.state().bytes_received >= 20_000_000 && one.state().bytes_sent >= 20_000_000);
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_any_more_is_not_made_any_more() {
    let site = Site::default();
    let (one, two) = (node(1, options(), &site, true).await, node(2, options(), &site, true).await);
    let mut body = two.send(&peer(&one), get("/endless")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    site.watched.dropped.notified().await;
    assert_eq!(text(&two, &peer(&one), "/caller").await.unwrap(), two.id(), "the link goes on");
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn stopping_ends_what_is_under_way_on_both_sides() {
    let site = Site::default();
    let (one, two) = (node(1, options(), &site, true).await, node(2, options(), &site, true).await);
    let mut body = two.send(&peer(&one), get("/endless")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    let to = peer(&one);
    one.stop().await;
    assert!(body.collect().await.is_err());
    assert!(matches!(two.send(&to, get("/caller")).await, Err(IrohError::Unreachable(_))));
    two.stop().await;
    assert!(matches!(two.send(&to, get("/caller")).await, Err(IrohError::Stopped)));
}

#[tokio::test]
async fn closing_cuts_the_callers_that_were_picked_and_no_others() {
    let site = Site::default();
    let serving = node(1, options(), &site, true).await;
    let (two, three) = (node(2, options(), &site, true).await, node(3, options(), &site, true).await);
    let mut cut = two.send(&peer(&serving), get("/endless")).await.unwrap().into_body();
    let mut kept = three.send(&peer(&serving), get("/endless")).await.unwrap().into_body();
    let gone = two.id().to_owned();
    serving.close(|caller| *caller == gone);
    while let Some(Ok(_)) = cut.frame().await {}
    for _ in 0..100 {
        kept.frame().await.unwrap().unwrap();
    }
    for node in [serving, two, three] {
        node.stop().await;
    }
}

#[tokio::test]
async fn a_node_that_cannot_be_reached_is_told_and_not_dialed_for_each_request() {
    let two = node(2, IrohOptions { dial_pause: Duration::from_secs(600), ..options() }, &Site::default(), true).await;
    let nowhere = Peer { endpoint: two.id().to_owned(), addresses: vec!["127.0.0.1:9".to_owned()] };
    assert!(matches!(two.send(&nowhere, get("/")).await, Err(IrohError::Unreachable(_))));
    assert!(matches!(two.send(&nowhere, get("/")).await, Err(IrohError::Unreachable(_))));
    let nobody = Peer { endpoint: "not a key".to_owned(), addresses: vec![] };
    assert!(matches!(two.send(&nobody, get("/")).await, Err(IrohError::Key)));
    two.stop().await;
}

#[tokio::test]
async fn an_answer_whose_head_does_not_come_is_given_up() {
    let site = Site::default();
    let one = node(1, options(), &site, true).await;
    let two = node(2, IrohOptions { answer_time: Duration::from_millis(200), ..options() }, &site, true).await;
    assert!(matches!(two.send(&peer(&one), get("/wait")).await, Err(IrohError::Slow)));
    one.stop().await;
    two.stop().await;
}

/// A peer that speaks QUIC and nothing else.
async fn stray(seed: u8) -> Endpoint {
    Builder::empty()
        .crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .secret_key(SecretKey::from_bytes(&[seed; 32]))
        .clear_ip_transports()
        .bind_addr("127.0.0.1:0")
        .unwrap()
        .bind()
        .await
        .unwrap()
}

fn address(of: &Iroh<String>) -> EndpointAddr {
    let id = EndpointId::from_bytes(&public_key_bytes(of.id()).unwrap()).unwrap();
    of.listens().into_iter().fold(EndpointAddr::new(id), EndpointAddr::with_ip_addr)
}

#[tokio::test]
async fn garbage_on_a_stream_ends_that_stream_and_endless_heads_are_refused() {
    let site = Site::default();
    let one = node(1, options(), &site, true).await;
    let stray = stray(9).await;
    let connection = stray.connect(address(&one), b"potluck/1").await.unwrap();
    let long = [b"GET / HTTP/1.1\r\nx: ".to_vec(), vec![b'a'; 1_000_000]].concat();
    let many = [b"GET / HTTP/1.1\r\n".to_vec(), b"x: y\r\n".repeat(1000), b"\r\n".to_vec()].concat();
    for sent in [b"\0\xff not http".to_vec(), b"GET / HTTP/1.1\r\nbroken".to_vec(), long, many] {
        let (mut send, mut receive) = connection.open_bi().await.unwrap();
        // It may be told to stop before it sent everything.
        let _ = send.write_all(&sent).await;
        let _ = send.finish();
        let answer = receive.read_to_end(10_000).await.unwrap_or_default();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    }
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(b"GET /caller HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = receive.read_to_end(10_000).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "the link bears it");
    assert_eq!(one.state().requests, 1, "nothing else came as far as the router");
    stray.close().await;
    one.stop().await;
}

#[tokio::test]
async fn another_protocol_is_not_spoken() {
    let one = node(1, options(), &Site::default(), true).await;
    let stray = stray(9).await;
    assert!(stray.connect(address(&one), b"other/1").await.is_err());
    stray.close().await;
    one.stop().await;
}

#[tokio::test]
async fn strangers_are_few() {
    let few = IrohOptions { strangers_max: 2, stranger_time: Duration::from_secs(600), ..options() };
    let one = node(1, few, &Site::default(), false).await;
    let mut strangers = Vec::new();
    for seed in 10..13 {
        let stray = stray(seed).await;
        let connection = stray.connect(address(&one), b"potluck/1").await.unwrap();
        strangers.push((stray, connection));
    }
    // Which of them came first is not told, so one is as good as another.
    let closed = futures_util::future::select_all(strangers.iter().map(|(_, link)| Box::pin(link.closed()))).await.0;
    assert!(closed.to_string().contains("too many"), "{closed}");
    for (stray, _) in strangers {
        stray.close().await;
    }
    one.stop().await;
}

#[tokio::test]
async fn strangers_do_not_stay() {
    let short = IrohOptions { stranger_time: Duration::from_millis(100), ..options() };
    let one = node(1, short, &Site::default(), false).await;
    let stray = stray(9).await;
    let closed = stray.connect(address(&one), b"potluck/1").await.unwrap().closed().await;
    assert!(closed.to_string().contains("does not know"), "{closed}");
    stray.close().await;
    one.stop().await;
}

/// Waits until a node's links are as wanted.
async fn until(node: &Iroh<String>, wanted: impl Fn(&Iroh<String>) -> bool) {
    let mut changed = node.changed();
    while !wanted(node) {
        changed.changed().await.unwrap();
    }
}

/// As soon as nothing is under way.
async fn put_to_rest(node: &Iroh<String>, other: &str) {
    while !node.rest(other, Duration::ZERO) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_link_that_was_put_to_rest_is_made_anew_once_for_all_who_ask() {
    let site = Site::default();
    let (one, two) = (node(1, options(), &site, true).await, node(2, options(), &site, true).await);
    let (to_one, to_two) = (peer(&one), peer(&two));
    text(&two, &to_one, "/caller").await.unwrap();
    put_to_rest(&one, two.id()).await;
    until(&two, |two| two.rests(one.id())).await;
    for (node, other) in [(&one, two.id()), (&two, one.id())] {
        assert!(node.link(other).is_none() && node.state().connections == 0 && node.awake() == 0, "it weighs nothing");
    }
    let asked = futures_util::future::join_all((0..50).map(|_| text(&one, &to_two, "/caller"))).await;
    assert!(asked.into_iter().all(|caller| caller.unwrap() == one.id()), "either side wakes it");
    assert_eq!(one.link(two.id()).unwrap().number, 2, "one dial for all");
    assert!(!one.rests(two.id()) && !two.rests(one.id()));
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn who_waits_for_the_end_of_a_link_hears_of_it_when_the_node_cannot_be_woken() {
    let site = Site::default();
    let (one, two) = (node(1, options(), &site, true).await, node(2, options(), &site, true).await);
    let to_two = peer(&two);
    text(&one, &to_two, "/caller").await.unwrap();
    let gone = one.gone(two.id());
    let mut gone = std::pin::pin!(gone);
    assert!(futures_util::poll!(&mut gone).is_pending());
    let mut came_or_went = one.came_or_went();
    put_to_rest(&two, one.id()).await;
    until(&one, |one| one.rests(two.id())).await;
    assert!(futures_util::poll!(&mut gone).is_pending(), "it only rests");
    assert!(!came_or_went.has_changed().unwrap(), "nobody came or went");
    two.stop().await;
    assert!(one.rests(to_two.endpoint.as_str()), "nothing tells of it");
    assert!(matches!(one.send(&to_two, get("/caller")).await, Err(IrohError::Unreachable(_))));
    gone.await;
    assert!(came_or_went.has_changed().unwrap() && !one.rests(&to_two.endpoint));
    came_or_went.mark_unchanged();
    one.stop().await;
}

#[tokio::test]
async fn a_link_with_something_under_way_is_not_put_to_rest_by_either_side() {
    let site = Site::default();
    let (one, two) = (node(1, options(), &site, true).await, node(2, options(), &site, true).await);
    let mut body = two.send(&peer(&one), get("/endless")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert!(!one.rest(two.id(), Duration::ZERO) && !two.rest(one.id(), Duration::ZERO));
    assert!(one.idle().is_empty() && two.idle().is_empty());
    for _ in 0..100 {
        body.frame().await.unwrap().unwrap();
    }
    drop(body);
    site.watched.dropped.notified().await;
    assert!(!two.rest(one.id(), Duration::from_secs(600)), "it was used a moment ago");
    put_to_rest(&two, one.id()).await;
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_request_that_meets_a_link_being_put_to_rest_is_sent_once_more() {
    let two = node(2, options(), &Site::default(), true).await;
    let stray = stray(9).await;
    stray.set_alpns(vec![b"potluck/1".to_vec()]);
    let to = Peer {
        endpoint: public_key(stray.id().as_bytes()),
        addresses: stray.bound_sockets().iter().map(ToString::to_string).collect(),
    };
    let answering = async {
        let first = stray.accept().await.unwrap().await.unwrap();
        first.accept_bi().await.unwrap();
        first.close(4_u32.into(), b"");
        let second = stray.accept().await.unwrap().await.unwrap();
        let (mut send, mut receive) = second.accept_bi().await.unwrap();
        let mut head = [0; 100];
        let length = receive.read(&mut head).await.unwrap().unwrap();
        send.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        send.finish().unwrap();
        (second, String::from_utf8_lossy(&head[..length]).into_owned())
    };
    let body = full("hello".to_owned());
    let request = http::Request::post("/echo").body(body).unwrap();
    let (answer, (second, head)) = tokio::join!(two.send(&to, request), answering);
    let answer = answer.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(answer, "ok");
    assert!(head.starts_with("POST /echo"), "{head}");
    drop(second);
    stray.close().await;
    two.stop().await;
}
