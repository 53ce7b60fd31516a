//! Content from elsewhere at a node's own gateway: who may open it, what comes, and what the page is told.
use potluck::exchange::libp2p::Routing;
use serde_json::{Value, json};

use super::nodes::{address, empty_folder, public, root, side};
use super::{Host, until};
use crate::fixtures::film;
use crate::harness::Browser;

async fn told(browser: &Browser, path: &str) -> (u16, Value) {
    let path = percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC);
    let answer = browser.get(&format!("/api/v1/ipfs/content?path={path}")).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_film_of_another_node_is_opened_by_its_cid_and_kept() {
    let (owner, other) =
        (public(&[film()], side(Routing::Off, vec![])).await, public(&[], side(Routing::Off, vec![])).await);
    let film_root = root(&owner).await;
    let ada = other.signed_in("ada").await;
    assert_eq!(told(&ada, &film_root.to_string()).await.0, 404, "nobody is connected");
    let connect = ada.post("/api/v1/ipfs/peers").json(&json!({"address": address(&owner)}));
    assert_eq!(connect.send().await.unwrap().status(), 200);
    let (status, content) = told(&ada, &format!("ipfs://{film_root}")).await;
    let bytes = std::fs::read(film()).unwrap();
    assert_eq!((status, &content["kind"], &content["size"]), (200, &json!("file"), &json!(bytes.len())), "{content}");
    assert_eq!(content["media_type"], json!("video/mp4"));
    let url = content["url"].as_str().unwrap();
    let part = ada.get(url).header("range", "bytes=100-199").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert!(part.bytes().await.unwrap() == bytes[100..200]);
    assert!(ada.get(url).send().await.unwrap().bytes().await.unwrap() == bytes);
    assert_eq!(other.browser().status(url).await, 404, "strangers get nothing from elsewhere");
    owner.stop().await;
    assert!(ada.get(url).send().await.unwrap().bytes().await.unwrap() == bytes, "it was kept");
    let sent = other.node().ipfs().unwrap().libp2p().clone();
    let stranger = Host::new(9).await;
    stranger.libp2p.connect(&sent.addresses()[0]).await.unwrap();
    assert!(stranger.fetch_one(&film_root, super::SOON).await.is_err(), "what somebody opened is nobody's business");
    stranger.libp2p.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn anybody_walks_the_public_libraries_under_the_nodes_name() {
    let node = public(&[film()], side(Routing::Off, vec![])).await;
    let film_root = root(&node).await;
    let ipfs = node.node().ipfs().unwrap().clone();
    until(|| ipfs.root() != empty_folder()).await;
    let (stranger, ada) = (node.browser(), node.signed_in("ada").await);
    let name = ipfs.name();
    let page = stranger.get(&format!("/ipns/{name}/Films/")).header("accept", "text/html").send().await.unwrap();
    let file = film().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains(&file));
    let (status, content) = told(&ada, &format!("ipns://{name}/Films")).await;
    assert_eq!((status, &content["kind"]), (200, &json!("folder")), "{content}");
    assert_eq!(content["entries"][0]["name"], json!(file));
    assert_eq!(content["entries"][0]["cid"], json!(film_root.to_string()));
    let bytes = stranger.get(&format!("/ipns/{name}/Films/{file}")).send().await.unwrap().bytes().await.unwrap();
    assert!(bytes == std::fs::read(film()).unwrap());
    node.stop().await;
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_with_its_reason() {
    let node = public(&[], side(Routing::Off, vec![])).await;
    node.account("carl", None).await;
    let carl = node.signed_in("carl").await;
    for (path, status) in [
        ("soup", 400),
        ("", 400),
        ("https://example.org/film.mp4", 400),
        ("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", 404),
        ("k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8", 404),
    ] {
        let (seen, problem) = told(&carl, path).await;
        assert_eq!(seen, status, "{path}: {problem}");
        assert!(problem["message"].as_str().is_some_and(|text| text.len() > 10), "{problem}");
    }
    assert_eq!(told(&node.browser(), "bafkqaaa").await.0, 401);
    assert_eq!(told(&carl, "bafkqabtimvwgy3yk").await.1["size"], json!(6), "an identity CID needs nobody");
    node.stop().await;
}
