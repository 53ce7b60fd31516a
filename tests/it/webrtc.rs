//! The WebRTC carrier, seen by a browser: a second protocol stack on a socket of its own speaks to it over loopback.
pub mod browser;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use potluck::exchange::frames::{BODY_MAX, Code, Frame};
use potluck::exchange::webrtc::{WebRtc, WebRtcError, WebRtcOptions};
use potluck::exchange::{Body, Responder};

use self::browser::{Answer, Browser};
use crate::bodies::{Watched, full};

/// Answers `/bytes/N` with N bytes, `/echo` with the request's body, `/caller` with the caller's name, `/endless`
/// with bytes until nobody reads, `/broken` with a body that breaks off, `/panic` with a panic.
#[derive(Default)]
struct Site {
    watched: Watched,
}

impl Site {
    fn answer(&self, caller: &str, path: &str, body: Bytes) -> Body {
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["", "bytes", count] => full(vec![9; count.parse().unwrap()]),
            ["", "echo"] => full(body),
            ["", "caller"] => full(caller.to_owned()),
            ["", "endless"] => self.watched.endless(),
            ["", "broken"] => Body::new(StreamBody::new(stream::iter([
                Ok(http_body::Frame::data(Bytes::from_static(b"half"))),
                Err("the disk is gone".into()),
            ]))),
            _ => panic!("no such page"),
        }
    }
}

impl Responder<String> for Site {
    fn respond(
        &self,
        caller: String,
        request: http::Request<Body>,
    ) -> std::pin::Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        let path = request.uri().path().to_owned();
        let site = Self { watched: self.watched.clone() };
        Box::pin(async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let answer = site.answer(&caller, &path, body);
            http::Response::builder().header("etag", "\"x\"").body(answer).unwrap()
        })
    }
}

fn options() -> WebRtcOptions {
    WebRtcOptions { listen: "127.0.0.1:0".parse().unwrap(), ..WebRtcOptions::default() }
}

async fn site(options: WebRtcOptions) -> (WebRtc<String>, Arc<Site>) {
    let site = Arc::new(Site::default());
    (WebRtc::start(options, Arc::clone(&site) as Arc<dyn Responder<String>>).await.unwrap(), site)
}

async fn carrier() -> (WebRtc<String>, Arc<Site>) {
    site(options()).await
}

#[tokio::test]
async fn a_request_is_answered_as_the_caller_of_the_offer() {
    let (carrier, _) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    let answer = browser.fetch("GET", "/caller", b"").await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"mia"[..]));
    assert_eq!(answer.headers, [("etag".to_owned(), Bytes::from_static(b"\"x\""))]);
    let state = carrier.state();
    assert_eq!((state.connections, state.requests, state.bytes_sent), (1, 1, 3));
    carrier.stop().await;
}

#[tokio::test]
async fn many_requests_share_a_connection_and_each_gets_its_own_bytes() {
    let (carrier, _) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    let sizes: Vec<usize> = (0..16).map(|n| n * 40_000 + n).collect();
    let streams: Vec<u32> = futures_util::future::join_all(
        sizes.iter().map(|size| browser.ask("GET", &format!("/bytes/{size}"), 4 << 20)).collect::<Vec<_>>(),
    )
    .await;
    for (stream, size) in streams.into_iter().zip(sizes) {
        let Answer { body, error, .. } = browser.answer(stream).await;
        assert_eq!((body.len(), error), (size, None));
    }
    carrier.stop().await;
}

#[tokio::test]
async fn a_body_sent_with_a_request_arrives_whole() {
    let (carrier, _) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    let sent = vec![3; 300_000];
    assert_eq!(browser.fetch("PUT", "/echo", &sent).await.body, sent);
    carrier.stop().await;
}

#[tokio::test]
async fn without_credit_nothing_more_is_sent_or_even_read_from_the_handler() {
    let (carrier, site) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    let stream = browser.ask("GET", "/endless", 200_000).await;
    browser.until_received(stream, 200_000).await;
    // An answer on the same connection comes after everything that credit allowed.
    assert_eq!(browser.fetch("GET", "/bytes/10", b"").await.body.len(), 10);
    assert_eq!(browser.received(stream), 200_000);
    let pulled = site.watched.pulled.load(Ordering::SeqCst);
    assert!(pulled <= 200_000 / 50_000 + 2, "{pulled} parts were read");
    browser.send(&Frame::Credit { stream, bytes: 1000 }).await;
    browser.until_received(stream, 201_000).await;
    carrier.stop().await;
}

#[tokio::test]
async fn a_cancelled_request_is_dropped_by_the_handler_and_the_connection_goes_on() {
    let (carrier, site) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    let stream = browser.ask("GET", "/endless", 1 << 20).await;
    browser.until_received(stream, 10_000).await;
    browser.send(&Frame::Cancel { stream }).await;
    browser.until(site.watched.dropped.notified()).await;
    assert_eq!(browser.fetch("GET", "/bytes/70000", b"").await.body.len(), 70_000);
    carrier.stop().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_panics_is_an_error_and_not_an_end() {
    let (carrier, _) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    for path in ["/broken", "/nowhere"] {
        assert_eq!(browser.fetch("GET", path, b"").await.error, Some(Code::Failed), "{path}");
    }
    assert_eq!(browser.fetch("GET", "/bytes/5", b"").await.body.len(), 5);
    carrier.stop().await;
}

#[tokio::test]
async fn frames_that_break_the_rules_close_that_connection_only() {
    let (carrier, _) = carrier().await;
    let mut good = Browser::connect(&carrier, "mia").await;
    let broken: Vec<Bytes> = vec![
        Bytes::from_static(b"garbage"),
        Bytes::from(vec![2; 60_000]),
        Frame::Credit { stream: 77, bytes: 1 }.encode(),
        Frame::RequestBody { stream: 5, end: true, data: Bytes::new() }.encode(),
        Frame::Body { stream: 1, data: Bytes::from_static(b"x") }.encode(),
    ];
    for message in broken {
        let mut bad = Browser::connect(&carrier, "mal").await;
        bad.send_raw(&message).await;
        assert_eq!(bad.until_closed().await, Some(Code::Protocol), "{:?}", &message[..5]);
        assert_eq!(good.fetch("GET", "/bytes/9", b"").await.body.len(), 9);
    }
    carrier.stop().await;
}

#[tokio::test]
async fn more_requests_than_allowed_are_refused_one_by_one() {
    let (carrier, _) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    let mut streams = Vec::new();
    for _ in 0..17 {
        streams.push(browser.ask("GET", "/endless", 0).await);
    }
    assert_eq!(browser.answer(streams[16]).await.error, Some(Code::Limit));
    browser.send(&Frame::Cancel { stream: streams[0] }).await;
    assert_eq!(browser.fetch("GET", "/bytes/2", b"").await.body.len(), 2);
    carrier.stop().await;
}

#[tokio::test]
async fn a_thousand_half_open_offers_leave_another_connection_working() {
    let (carrier, _) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    let mut refused = 0;
    for n in 0..1000 {
        let offer = Browser::offer().await;
        // Twenty strangers: each keeps its own share, together they meet the limit of all.
        match carrier.answer(format!("stranger {}", n % 20), offer).await {
            Ok(_) => {}
            Err(WebRtcError::Full) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        if n % 100 == 0 {
            assert_eq!(browser.fetch("GET", "/bytes/50000", b"").await.body.len(), 50_000);
        }
    }
    assert!(refused > 500, "{refused}");
    assert_eq!(carrier.state().connections, 1);
    assert_eq!(browser.fetch("GET", "/bytes/1000000", b"").await.body.len(), 1_000_000);
    carrier.stop().await;
}

#[tokio::test]
async fn a_caller_that_offers_too_much_pushes_out_only_its_own_handshakes() {
    let (carrier, _) = site(WebRtcOptions { connections_per_caller_max: 4, pending_max: 6, ..options() }).await;
    for _ in 0..50 {
        carrier.answer("mal".to_owned(), Browser::offer().await).await.unwrap();
    }
    let mut browser = Browser::connect(&carrier, "mia").await;
    assert_eq!(browser.fetch("GET", "/bytes/5", b"").await.body.len(), 5);
    carrier.stop().await;
}

#[tokio::test]
async fn offers_that_are_not_for_a_data_channel_are_refused_with_a_reason() {
    let (carrier, _) = carrier().await;
    for offer in
        ["", "v=0", "{}", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "v=0\r\n\0\r\n", &"v=0\r\n".repeat(9000)]
    {
        let error = carrier.answer("mia".to_owned(), offer.to_owned()).await.unwrap_err();
        assert!(error.to_string().starts_with("the offer is not usable: "), "{error}");
    }
    carrier.stop().await;
}

#[tokio::test]
async fn closing_a_caller_closes_its_connections_and_no_others() {
    let (carrier, _) = carrier().await;
    let mut mia = Browser::connect(&carrier, "mia").await;
    let mut leo = Browser::connect(&carrier, "leo").await;
    carrier.close(|caller| caller == "mia");
    assert_eq!(mia.until_closed().await, Some(Code::Gone));
    assert_eq!(leo.fetch("GET", "/caller", b"").await.body, b"leo");
    assert_eq!(carrier.state().connections, 1);
    carrier.stop().await;
    assert_eq!(leo.until_closed().await, Some(Code::Gone));
    assert!(matches!(carrier.answer("mia".into(), Browser::offer().await).await, Err(WebRtcError::Stopped)));
}

#[tokio::test]
async fn the_port_answers_a_plain_stun_request_with_the_askers_address() {
    let (carrier, _) = carrier().await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"garbage", carrier.address()).await.unwrap();
    socket.send_to(b"\0\x01\0\0\x21\x12\xa4\x42transaction!", carrier.address()).await.unwrap();
    let mut answer = [0; 100];
    let (size, _) = socket.recv_from(&mut answer).await.unwrap();
    let port = u16::from_be_bytes([answer[26] ^ 0x21, answer[27] ^ 0x12]);
    assert_eq!((size, port), (32, socket.local_addr().unwrap().port()));
    carrier.stop().await;
}

#[tokio::test]
async fn body_messages_are_small_enough_to_share_the_connection() {
    let (carrier, _) = carrier().await;
    let mut browser = Browser::connect(&carrier, "mia").await;
    browser.fetch("GET", "/bytes/200000", b"").await;
    assert!(browser.longest_body <= BODY_MAX);
    carrier.stop().await;
}
