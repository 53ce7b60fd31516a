//! The gateway of a whole node: who may open what, pins, addresses, and roots with origins of their own.
use std::sync::Arc;

use http::{Method, StatusCode};
use potluck::catalog::Visibility;
use potluck::content::car::{header, section_prefix};
use potluck::content::unixfs::folder::{FolderEntry, build};
use potluck::content::{Cid, cid};
use potluck::facades::ipfs::{IpfsOptions, WhoFetches};

use super::Others;
use crate::fixtures::film;
use crate::harness::{Browser, TestNode};

/// A CAR of a folder with one page, its root and that page.
fn site() -> (Vec<u8>, Cid, Cid) {
    let page = b"<!DOCTYPE html><p>soup</p>";
    let leaf = cid::of_raw(page);
    let entry = FolderEntry { name: "index.html".into(), cid: leaf, tsize: page.len() as u64 };
    let built = build(vec![entry]).unwrap();
    let (root, node) = built.nodes[0].clone();
    let sections = [section_prefix(&root, node.len()), node.to_vec(), section_prefix(&leaf, page.len()), page.to_vec()];
    (std::iter::once(header(&[root])).chain(sections).collect::<Vec<_>>().concat(), root, leaf)
}

async fn pin(browser: &Browser, car: Vec<u8>) -> reqwest::Response {
    let request = browser.post("/api/v1/pins?name=site.car").header("content-type", "application/vnd.ipld.car");
    request.body(car).send().await.unwrap()
}

async fn node(fetch: WhoFetches, hosts: &[&str]) -> TestNode {
    let subdomain_hosts = hosts.iter().map(ToString::to_string).collect();
    TestNode::with(&[film()], |wishes| {
        wishes.visibility = Visibility::Public;
        wishes.serve.facades.ipfs = IpfsOptions { fetch, subdomain_hosts };
    })
    .await
}

#[tokio::test]
async fn what_is_pinned_is_for_the_nodes_people_and_what_is_fetched_for_those_who_may() {
    for (fetch, account, admin) in
        [(WhoFetches::Everyone, 200, 200), (WhoFetches::Admins, 404, 200), (WhoFetches::Nobody, 404, 404)]
    {
        let node = node(fetch, &[]).await;
        let others = Others::default();
        let elsewhere = others.raw(b"bread");
        node.node().elsewhere().set_fetch(Some(Arc::new(others.clone())));
        let (car, root, _) = site();
        let ada = node.signed_in("ada").await;
        assert_eq!(pin(&ada, car).await.status(), StatusCode::CREATED);
        node.account("guest", Some(Vec::new())).await;
        let (guest, stranger) = (node.signed_in("guest").await, node.browser());
        for (browser, pinned, fetched) in [(&stranger, 404, 404), (&guest, 200, account), (&ada, 200, admin)] {
            assert_eq!(browser.status(&format!("/ipfs/{root}/")).await, pinned, "{fetch:?}");
            assert_eq!(browser.status(&format!("/ipfs/{elsewhere}")).await, fetched, "{fetch:?}");
        }
        assert_eq!(others.asked() > 0, admin == 200, "who may not causes no question");
        node.stop().await;
    }
}

#[tokio::test]
async fn who_wants_only_what_is_here_is_told_apart_and_learns_nothing_of_what_is_hidden() {
    let node = TestNode::with(&[film()], |wishes| wishes.visibility = Visibility::Private).await;
    let hidden = node.imported().await.remove(0).cid.unwrap();
    let missing = cid::of_raw(b"nowhere").to_string();
    let client = reqwest::Client::new();
    for method in [Method::HEAD, Method::GET] {
        let mut answers = Vec::new();
        for cid in [&hidden, &missing] {
            let request = client.request(method.clone(), format!("{}/ipfs/{cid}", node.url));
            let answer = request.header("cache-control", "only-if-cached").send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::PRECONDITION_FAILED, "{cid}");
            answers.push(answer.text().await.unwrap());
        }
        assert_eq!(answers[0], answers[1]);
    }
    let ada = node.signed_in("ada").await;
    let kept = ada.get(&format!("/ipfs/{hidden}")).header("cache-control", "only-if-cached").send().await.unwrap();
    assert_eq!(kept.status(), StatusCode::OK);
    node.stop().await;
}

#[tokio::test]
async fn a_car_is_taken_in_listed_survives_and_is_given_back() {
    let node = node(WhoFetches::Everyone, &[]).await;
    let (car, root, leaf) = site();
    let ada = node.signed_in("ada").await;
    let broken = pin(&ada, car[..car.len() - 1].to_vec()).await;
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    assert!(broken.text().await.unwrap().contains("it ends early"));
    let made: serde_json::Value = pin(&ada, car).await.json().await.unwrap();
    assert_eq!((made["cid"].as_str(), made["blocks"].as_u64()), (Some(root.to_string().as_str()), Some(2)));
    let node = node.restart().await;
    let ada = node.signed_in("ada").await;
    let list: serde_json::Value = ada.get("/api/v1/pins").send().await.unwrap().json().await.unwrap();
    assert_eq!(list, serde_json::json!([made]));
    assert_eq!(ada.status(&format!("/ipfs/{leaf}")).await, 200);
    let path = format!("/api/v1/pins/{root}");
    assert_eq!(ada.request(Method::DELETE, &path).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(ada.request(Method::DELETE, &path).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    node.stop().await;
}

#[tokio::test]
async fn an_ipfs_address_is_sent_to_its_path_and_nothing_else_is() {
    let node = TestNode::start(&[]).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (query, status, location) in [
        ("?uri=ipfs%3A%2F%2Fbafkqaaa%2Fa%20b", 301, "/ipfs/bafkqaaa/a%20b"),
        ("?uri=ipns%3A%2F%2Fk51qzi", 301, "/ipns/k51qzi"),
        ("?uri=https%3A%2F%2Fexample.org", 400, ""),
        ("", 400, ""),
    ] {
        for space in ["/ipfs/", "/ipns/"] {
            let answer = client.get(format!("{}{space}{query}", node.url)).send().await.unwrap();
            let told = answer.headers().get("location").map_or("", |value| value.to_str().unwrap());
            assert_eq!((answer.status().as_u16(), told), (status, location), "{space}{query}");
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn pages_of_other_sites_may_read_what_is_for_anyone_and_ask_before() {
    let node = node(WhoFetches::Everyone, &[]).await;
    let item = node.imported().await.remove(0);
    let client = reqwest::Client::new();
    let url = format!("{}/ipfs/{}?format=raw", node.url, item.cid.unwrap());
    let asked = client.request(Method::OPTIONS, &url).send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::NO_CONTENT);
    let answer = client.get(&url).send().await.unwrap();
    for told in [&asked, &answer] {
        let has = |header: &str, names: &[&str]| {
            let value = told.headers()[&format!("access-control-{header}")].to_str().unwrap();
            let told: Vec<&str> = value.split(", ").collect();
            assert!(names.iter().all(|name| told.contains(name)), "{header}: {value}");
            value.to_owned()
        };
        has("allow-origin", &["*"]);
        has("allow-methods", &["GET", "HEAD", "OPTIONS"]);
        let may = has("allow-headers", &["Content-Type", "Range", "User-Agent", "X-Requested-With"]);
        assert!(!may.contains("Authorization"), "no page of another site brings a key along: {may}");
        let shown = ["Content-Length", "Content-Range", "Ipfs-Uri", "X-Chunked-Output"];
        has("expose-headers", &[&shown[..], &["X-Ipfs-Path", "X-Ipfs-Roots", "X-Stream-Output"]].concat());
        assert!(!told.headers().contains_key("access-control-allow-credentials"));
    }
    assert_eq!(answer.headers()["cross-origin-resource-policy"], "cross-origin");
    node.stop().await;
}

/// Asks as a browser that was sent to this host.
async fn at(node: &TestNode, host: &str, path: &str, cookie: Option<&str>) -> (u16, String, String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut request = client.get(format!("{}{path}", node.url)).header("host", host);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let answer = request.send().await.unwrap();
    let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), location, answer.text().await.unwrap_or_default())
}

#[tokio::test]
async fn a_path_is_sent_to_the_roots_own_host_and_that_leads_to_the_root_alone() {
    let node = node(WhoFetches::Everyone, &["ipfs.example.org"]).await;
    let item = node.imported().await.remove(0);
    let film: Cid = item.cid.unwrap().parse().unwrap();
    let host = format!("{film}.ipfs.ipfs.example.org");
    let (status, location, _) = at(&node, "ipfs.example.org:8096", &format!("/ipfs/{film}?filename=a"), None).await;
    assert_eq!((status, location), (301, format!("http://{host}:8096/?filename=a")));
    let (status, ..) = at(&node, "ipfs.example.org", &format!("/ipfs/{film}?format=raw"), None).await;
    assert_eq!(status, 200, "who checks what it gets needs no origin");
    assert_eq!(at(&node, &host, "/?filename=a.mp4", None).await.0, 200);
    assert_eq!(at(&node, &host, "/api/v1/openapi.json", None).await.0, 404, "the node's own paths are not there");
    assert_eq!(at(&node, "x.ipfs.ipfs.example.org", "/", None).await.0, 400);
    assert_eq!(at(&node, "ipfs.example.org", "/api/v1/openapi.json", None).await.0, 200);
    let long = "bafyrgqhai26anf3i7pips7q22coa4sz2fr4gk4q4sqdtymvvjyginfzaqewveaeqdh524nsktaq43j65v22xxrybrtertmcfxufdam3da3hbk";
    assert_eq!(at(&node, "ipfs.example.org", &format!("/ipfs/{long}"), None).await.0, 400);
    node.stop().await;
}

#[tokio::test]
async fn a_cookie_of_the_page_counts_for_nothing_at_a_roots_own_host() {
    let node = node(WhoFetches::Everyone, &["ipfs.example.org"]).await;
    let (car, root, _) = site();
    let ada = node.signed_in("ada").await;
    pin(&ada, car).await;
    let body = serde_json::json!({"username": "ada", "password": crate::harness::PASSWORD});
    let login = reqwest::Client::new().post(format!("{}/api/v1/login", node.url)).json(&body).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(at(&node, "node.example.org", &format!("/ipfs/{root}/"), Some(&cookie)).await.0, 200);
    let host = format!("{root}.ipfs.ipfs.example.org");
    assert_eq!(at(&node, &host, "/", Some(&cookie)).await.0, 404);
    let key = ada.post("/api/v1/api-keys").json(&serde_json::json!({"name": "x"})).send().await.unwrap();
    let key: serde_json::Value = key.json().await.unwrap();
    let client = reqwest::Client::new();
    let own =
        client.get(&node.url).header("host", &host).bearer_auth(key["key"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(own.headers()["content-security-policy"], "frame-ancestors 'self'");
    assert!(own.text().await.unwrap().contains("soup"));
    node.stop().await;
}
