//! The listeners: TLS, silent connections, stopping in the middle, starting again.
use std::time::Duration;

use potluck::facades::TlsMode;
use potluck::node::{Node, NodeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixtures::film;
use crate::harness::{PASSWORD, TestNode};

#[tokio::test]
async fn a_certificate_of_its_own_is_kept_and_makes_cookies_secure() {
    let node = TestNode::with(&[], |wishes| wishes.serve.tls = TlsMode::SelfSigned).await;
    assert!(node.url.starts_with("https://"));
    assert_eq!(node.service.fingerprint().unwrap().len(), 32 * 3 - 1);
    let answer = node.browser().sign_in("ada", PASSWORD).await;
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
    let (cert, key) = (node.data().join("tls/cert.pem"), node.data().join("tls/key.pem"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&key.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let files = TlsMode::Files { cert: cert.clone(), key };
    let second = TestNode::with(&[], |wishes| wishes.serve.tls = files).await;
    assert_eq!(second.browser().status("/healthz").await, 200);
    assert!(second.service.fingerprint().is_none(), "the owner knows their own files");
    second.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn a_thousand_connections_that_say_nothing_keep_nobody_out() {
    let node = TestNode::start(&[]).await;
    let mut silent = Vec::new();
    for n in 0..1_000 {
        let mut stream = TcpStream::connect(node.service.address()).await.unwrap();
        if n % 2 == 0 {
            // The node may have sent it away already.
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: half").await;
        }
        silent.push(stream);
    }
    let asked = std::time::Instant::now();
    assert_eq!(node.browser().status("/healthz").await, 200);
    assert!(asked.elapsed() < Duration::from_secs(5));
    let mut first = silent.remove(0);
    let mut rest = Vec::new();
    // The oldest had to give way: its end is seen, by a close or a reset.
    let _ = first.read_to_end(&mut rest).await;
    node.stop().await;
}

#[tokio::test]
async fn heads_and_bodies_without_end_are_cut_off() {
    let node = TestNode::start(&[]).await;
    let body = vec![b' '; 4 * 1024 * 1024];
    let ada = node.signed_in("ada").await;
    let call = ada.post("/api/v1/api-keys").header("content-type", "application/json").body(body);
    // The node answers before it has read everything; a client that is still writing may see a reset instead.
    if let Ok(answer) = call.send().await {
        assert_eq!(answer.status(), 413);
    }
    let mut stream = TcpStream::connect(node.service.address()).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(200_000));
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 16];
    if stream.read_exact(&mut answer).await.is_ok() {
        assert!(answer.starts_with(b"HTTP/1.1 431"), "{answer:?}");
    }
    assert_eq!(ada.status("/healthz").await, 200);
    node.stop().await;
}

#[tokio::test]
async fn a_node_stopped_in_the_middle_of_a_scan_starts_again_and_finishes() {
    let node = TestNode::start(&[]).await;
    let film = std::fs::read(film()).unwrap();
    for n in 0..5 {
        // Other content each, so that each is read.
        let bytes = [&film[..], &[n]].concat();
        std::fs::write(node.films().join(format!("Film {n}.mp4")), bytes).unwrap();
    }
    let ada = node.signed_in("ada").await;
    let mut events = ada.get("/api/v1/events").send().await.unwrap();
    let scan = ada.post(&format!("/api/v1/libraries/{}/scan", node.library)).send().await.unwrap();
    assert_eq!(scan.status(), 202);
    let node = node.restart().await;
    while let Ok(Some(_)) = events.chunk().await {}
    assert_eq!(node.imported().await.len(), 5);
    let again = node.signed_in("ada").await;
    assert_eq!(again.status("/api/v1/status").await, 200);
    node.stop().await;
}

#[tokio::test]
async fn figures_are_for_admins_and_for_whoever_was_given_the_token() {
    let node = TestNode::with(&[], |wishes| {
        wishes.serve.facades.metrics.token = Some(potluck::accounts::TokenHash::of("a token for prometheus"));
    })
    .await;
    let prometheus = node.browser();
    let ask = |token: &'static str| prometheus.get("/metrics").bearer_auth(token).send();
    assert_eq!(ask("another token").await.unwrap().status(), 401);
    let figures = ask("a token for prometheus").await.unwrap();
    assert_eq!(figures.status(), 200);
    let text = figures.text().await.unwrap();
    for line in ["potluck_uptime_seconds ", "potluck_sent_bytes_total{carrier=\"http\"} ", "# EOF"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let account = prometheus.get("/api/v1/account").bearer_auth("a token for prometheus").send().await.unwrap();
    assert_eq!(account.status(), 401, "it opens nothing else");
    node.stop().await;
}

#[tokio::test]
async fn two_nodes_on_one_data_folder_are_refused() {
    let node = TestNode::start(&[]).await;
    let options = node.node().options().clone();
    assert!(matches!(Node::start(options.clone()).await, Err(NodeError::InUse(_))));
    node.stop().await;
}

#[tokio::test]
async fn a_film_is_played_by_plain_http() {
    let node = TestNode::start(&[film()]).await;
    let item = node.imported().await.remove(0);
    let ada = node.signed_in("ada").await;
    let path = format!("/api/v1/items/{}", item.id);
    let file = ada.get(&format!("{path}/file")).header("range", "bytes=4-7").send().await.unwrap();
    assert_eq!(
        (file.status().as_u16(), file.headers()["etag"].to_str().unwrap().to_owned()),
        (206, format!("\"{}\"", item.cid.unwrap()))
    );
    assert_eq!(file.bytes().await.unwrap(), "ftyp");
    let poster = ada.get(&format!("{path}/poster")).send().await.unwrap();
    assert_eq!(poster.headers()["content-type"], "image/jpeg");
    let tag = poster.headers()["etag"].clone();
    let again = ada.get(&format!("{path}/poster")).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let master = ada.get(&format!("{path}/hls/master.m3u8")).send().await.unwrap();
    assert_eq!(master.headers()["content-type"], "application/vnd.apple.mpegurl");
    assert!(master.text().await.unwrap().contains("v0/index.m3u8"));
    let segment = ada.get(&format!("{path}/hls/v0/0.m4s")).send().await.unwrap();
    let tag = segment.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
    assert_eq!(segment.headers()["content-type"], "video/mp4");
    let bytes = segment.bytes().await.unwrap();
    let told: serde_json::Value =
        ada.get(&format!("{path}/renditions/v0/segments?from=0&count=2")).send().await.unwrap().json().await.unwrap();
    assert_eq!(told[0]["cid"], tag.as_str());
    assert_eq!(told[0]["size"], bytes.len());
    let leaf = told[0]["blocks"][0]["cid"].as_str().unwrap();
    let block = ada.get(&format!("/ipfs/{leaf}?format=raw")).send().await.unwrap();
    assert_eq!(block.bytes().await.unwrap(), bytes);
    let progress = ada.request(reqwest::Method::PUT, &format!("{path}/progress"));
    let put = progress.json(&serde_json::json!({"position": 4.5, "completed": false})).send().await.unwrap();
    assert_eq!(put.status(), 204);
    let seen: serde_json::Value = ada.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["progress"]["position"], 4.5);
    node.stop().await;
}
