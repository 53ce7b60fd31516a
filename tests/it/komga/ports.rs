//! Where Komga's API is: below `/komga`, at a port of its own, behind a proxy that takes a part of the path away.
use std::net::SocketAddr;

use potluck::facades::TrustedProxies;
use reqwest::{Method, Response, redirect};
use serde_json::json;

use super::{Reader, comics, library};
use crate::harness::{TestNode, provider};

/// A node with a port for Komga's API; calls from this machine are those of a proxy that is trusted, if so wished.
async fn scene(trusted: bool) -> (TestNode, Reader) {
    let node = TestNode::with(&[], |wishes| {
        wishes.serve.komga = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let proxies: &[&str] = if trusted { &["127.0.0.1"] } else { &[] };
        wishes.serve.facades.trusted_proxies = TrustedProxies::parse(proxies).unwrap();
    })
    .await;
    library(&node, &comics()).await;
    let own = format!("http://{}", node.service.komga_address().unwrap());
    let reader = Reader::new(&node).at(own);
    (node, reader)
}

fn cookie(answer: &Response) -> &str {
    answer.headers()["set-cookie"].to_str().unwrap()
}

/// The first path in a feed of OPDS 1.2, and the first address in one of OPDS 2.
async fn links(reader: &Reader, headers: &[(&str, &str)]) -> [String; 2] {
    let atom = proxied(reader, "/opds/v1.2/catalog", headers).await.text().await.unwrap();
    let json: serde_json::Value = proxied(reader, "/opds/v2/catalog", headers).await.json().await.unwrap();
    let path = atom.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    [path.to_owned(), json["links"][0]["href"].as_str().unwrap().to_owned()]
}

#[tokio::test]
async fn the_own_port_has_komgas_api_at_its_root_and_nothing_else() {
    let (node, reader) = scene(false).await;
    let answer = reader.get("/api/v1/series?unpaged=true").await;
    assert!(cookie(&answer).contains("Path=/; HttpOnly"), "{}", cookie(&answer));
    let there: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(there, Reader::new(&node).json("/api/v1/series?unpaged=true").await);
    let bare = reader.bare(Method::GET, "/api/v1/libraries").send().await.unwrap();
    assert_eq!(bare.status(), 200, "the cookie is enough");

    let [path, address] = links(&reader, &[]).await;
    assert_eq!((path.as_str(), reader.path(&address)), ("/opds/v1.2/catalog", "/opds/v2/catalog"));
    let below = Reader::new(&node);
    let [path, address] = links(&below, &[]).await;
    assert_eq!((path.as_str(), below.path(&address)), ("/komga/opds/v1.2/catalog", "/opds/v2/catalog"));
    let book = there["content"][0]["id"].as_str().unwrap().to_owned();
    let books = reader.json(&format!("/api/v1/series/{book}/books")).await;
    let manifest = format!("/api/v1/books/{}/manifest", books["content"][0]["id"].as_str().unwrap());
    let manifest = reader.json(&manifest).await;
    let page = manifest["readingOrder"][0]["href"].as_str().unwrap();
    assert_eq!(reader.status(reader.path(page)).await, 200, "{page}");
    let key = reader.send(Method::POST, "/api/v2/users/me/api-keys", &json!({"comment": "x"})).await;
    assert_eq!(key.0, 200, "what changes something is no call of another site's page");
    let sync = reader.bare(Method::GET, "/koreader/users/auth").header("x-auth-user", key.1["key"].as_str().unwrap());
    assert_eq!(sync.send().await.unwrap().status(), 200);
    let out = reader.get("/api/logout").await;
    assert!(cookie(&out).contains("Path=/; Max-Age=0"), "{}", cookie(&out));

    for native in ["/api/v1/items", "/api/v1/openapi.json", "/healthz", "/komga/api/v1/series", "/index.html"] {
        assert_eq!(reader.status(native).await, 404, "{native}");
    }
    let wrong = reader.bare(Method::GET, "/api/v1/series").basic_auth("ada", Some("wrong")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    let error: serde_json::Value = wrong.json().await.unwrap();
    assert_eq!(error["path"], "/api/v1/series");
    node.stop().await;
}

#[tokio::test]
async fn what_a_browser_opens_at_the_own_port_is_the_nodes_page() {
    let (node, reader) = scene(false).await;
    provider();
    let browser = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let own = node.service.komga_address().unwrap();
    for (path, page) in [("/", "/"), ("/series/1-2", "/item/1-2"), ("/book/3", "/item/3")] {
        let answer = browser.get(format!("http://{own}{path}")).send().await.unwrap();
        assert_eq!(answer.headers()["location"], format!("{}{page}", node.url), "{path}");
        assert_eq!(reader.status("/api/v1/libraries").await, 200);
    }
    let below = browser.get(format!("{}/komga/series/1", node.url)).send().await.unwrap();
    assert_eq!(below.headers()["location"], "/item/1");
    node.stop().await;
}

const TOLD: [(&str, &str); 3] =
    [("x-forwarded-host", "comics.example"), ("x-forwarded-proto", "https"), ("x-forwarded-prefix", "/books")];

async fn proxied(reader: &Reader, path: &str, headers: &[(&str, &str)]) -> Response {
    let call = headers.iter().fold(reader.call(Method::GET, path), |call, (name, value)| call.header(*name, *value));
    call.send().await.unwrap()
}

#[tokio::test]
async fn addresses_and_cookies_are_as_a_trusted_proxy_says() {
    let (node, own) = scene(true).await;
    let below = Reader::new(&node);
    for (reader, place) in [(&own, "/books"), (&below, "/books/komga")] {
        let cookie = cookie(&proxied(reader, "/opds/v2/catalog", &TOLD).await).to_owned();
        assert!(cookie.contains(&format!("Path={place};")) && cookie.ends_with("Secure"), "{cookie}");
        let wanted = [format!("{place}/opds/v1.2/catalog"), format!("https://comics.example{place}/opds/v2/catalog")];
        assert_eq!(links(reader, &TOLD).await, wanted);
    }
    let standard = [("forwarded", "for=192.0.2.1;proto=https;host=comics.example")];
    assert_eq!(links(&own, &standard).await[1], "https://comics.example/opds/v2/catalog");
    node.stop().await;
}

#[tokio::test]
async fn what_others_say_of_addresses_is_not_believed_and_addresses_are_paths_then() {
    let (node, reader) = scene(false).await;
    let answer = proxied(&reader, "/opds/v2/catalog", &TOLD).await;
    assert!(cookie(&answer).contains("Path=/;"), "{}", cookie(&answer));
    assert!(!answer.text().await.unwrap().contains("comics.example"));
    assert_eq!(links(&reader, &TOLD).await, ["/opds/v1.2/catalog", "/opds/v2/catalog"]);
    node.stop().await;
}
