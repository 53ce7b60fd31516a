//! Whole nodes in the network of IPFS: what strangers and friends get, and the public folder under the node's name.
use std::path::PathBuf;
use std::time::Duration;

use potluck::catalog::Visibility;
use potluck::content::unixfs::node::{Node as Folder, decode};
use potluck::content::{Cid, cid};
use potluck::exchange::libp2p::{Libp2pOptions, Routing};
use potluck::node::{Ipfs, IpfsOptions, PinsOptions};
use serde_json::{Value, json};

use super::{Host, PATIENCE, SOON, options, until};
use crate::fixtures::{film, film_mkv};
use crate::harness::{TestNode, Wishes, links};

pub fn side(routing: Routing, bootstrap: Vec<String>) -> IpfsOptions {
    let libp2p = Libp2pOptions { routing, bootstrap, ..options(0) };
    let (delegated, pins) = (Vec::new(), PinsOptions::default());
    IpfsOptions { libp2p, announce_every: Duration::from_secs(3600), announced_per_second: 1000, delegated, pins }
}

/// A node with a public library that holds these files.
pub async fn public(files: &[PathBuf], side: IpfsOptions) -> TestNode {
    let wish = |wishes: &mut Wishes| {
        wishes.visibility = Visibility::Public;
        wishes.node.ipfs = Some(side);
    };
    let node = TestNode::with(files, wish).await;
    until(|| !node.node().ipfs().unwrap().libp2p().state().listens.is_empty()).await;
    node
}

pub fn address(node: &TestNode) -> String {
    node.node().ipfs().unwrap().libp2p().addresses().remove(0)
}

pub async fn root(node: &TestNode) -> Cid {
    cid::parse(node.imported().await[0].cid.as_deref().unwrap()).unwrap()
}

/// The root and all it links to.
async fn blocks(node: &TestNode, root: &Cid) -> Vec<Cid> {
    let mut all = vec![*root];
    if let Ok(Folder::File { links, .. }) = decode(&node.node().blocks().get(root).await.unwrap()) {
        all.extend(links.into_iter().map(|(leaf, _)| leaf));
    }
    all
}

/// The folder of no public library.
pub fn empty_folder() -> Cid {
    potluck::content::unixfs::folder::build(Vec::new()).unwrap().root
}

/// Adds a private library with one file, and gives the file's root.
async fn add_private(node: &TestNode, file: &PathBuf) -> Cid {
    let folder = node.films().with_file_name("private");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(file, folder.join("secret.mkv")).unwrap();
    let ada = node.signed_in("ada").await;
    let library = json!({"name": "Private", "kind": "videos", "path": folder, "visibility": "private"});
    let answer = ada.post("/api/v1/libraries").json(&library).send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    let find = async || {
        let page: Value = ada.get("/api/v1/items?limit=10").send().await.unwrap().json().await.unwrap();
        let items = page["items"].as_array().unwrap().clone();
        items.iter().find(|item| item["title"] == "secret").and_then(|item| item["cid"].as_str().map(str::to_owned))
    };
    for _ in 0..3000 {
        if let Some(found) = find().await {
            return cid::parse(&found).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the private film comes in");
}

#[tokio::test]
async fn what_is_private_is_neither_served_nor_confirmed_nor_announced_to_anyone() {
    let middle = Host::with(Libp2pOptions { routing: Routing::Private, ..options(1) }).await;
    let bootstrap = middle.libp2p.addresses();
    let node = public(&[film()], side(Routing::Private, bootstrap.clone())).await;
    let shown = root(&node).await;
    let secret = add_private(&node, &film_mkv()).await;
    let ipfs = node.node().ipfs().unwrap().clone();
    // The folder and the film.
    until(|| ipfs.announced().announced == 2 && ipfs.announced().roots == 2).await;

    let stranger = Host::with(Libp2pOptions { routing: Routing::Private, bootstrap, ..options(2) }).await;
    until(|| stranger.libp2p.state().routing_peers > 0).await;
    stranger.libp2p.connect(&address(&node)).await.unwrap();
    for block in blocks(&node, &shown).await {
        assert_eq!(cid::verify(&block, &stranger.fetch_one(&block, PATIENCE).await.unwrap()), Ok(()));
    }
    for block in blocks(&node, &secret).await {
        assert!(stranger.fetch_one(&block, SOON).await.is_err(), "{block} over Bitswap");
    }
    assert_eq!(stranger.libp2p.providers(&shown).await.unwrap(), [ipfs.libp2p().id()]);
    assert!(stranger.libp2p.providers(&secret).await.unwrap().is_empty());

    let browser = node.browser();
    assert_eq!(browser.status(&format!("/ipfs/{shown}?format=raw")).await, 200);
    let nowhere = cid::of_raw(b"nowhere");
    for block in blocks(&node, &secret).await {
        let (hidden, none) =
            (browser.get(&format!("/ipfs/{block}?format=raw")), browser.get(&format!("/ipfs/{nowhere}?format=raw")));
        let (hidden, none) = (hidden.send().await.unwrap(), none.send().await.unwrap());
        assert_eq!(hidden.status(), 404);
        assert_eq!((hidden.status(), hidden.text().await.unwrap()), (none.status(), none.text().await.unwrap()));
    }
    let ada = node.signed_in("ada").await;
    assert_eq!(ada.status(&format!("/ipfs/{secret}?format=raw")).await, 200, "its owner has it");
    node.stop().await;
    middle.libp2p.stop().await;
    stranger.libp2p.stop().await;
}

#[tokio::test]
async fn what_is_made_private_is_not_said_to_be_here_any_more() {
    let middle = Host::with(Libp2pOptions { routing: Routing::Private, ..options(1) }).await;
    let node = public(&[film()], side(Routing::Private, middle.libp2p.addresses())).await;
    let shown = root(&node).await;
    let ipfs = node.node().ipfs().unwrap().clone();
    until(|| ipfs.announced().announced == 2).await;
    // Nobody is left who was told.
    middle.libp2p.stop().await;
    let at = vec![address(&node)];
    let stranger = Host::with(Libp2pOptions { routing: Routing::Private, bootstrap: at, ..options(2) }).await;
    until(|| stranger.libp2p.state().routing_peers > 0).await;
    assert_eq!(stranger.libp2p.providers(&shown).await.unwrap(), [ipfs.libp2p().id()]);

    let ada = node.signed_in("ada").await;
    let libraries: Value = ada.get("/api/v1/libraries").send().await.unwrap().json().await.unwrap();
    let library = format!("/api/v1/libraries/{}", libraries[0]["id"].as_str().unwrap());
    let answer =
        ada.request(http::Method::PATCH, &library).json(&json!({"visibility": "private"})).send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    until(|| ipfs.announced().roots == 1).await;
    assert!(stranger.libp2p.providers(&shown).await.unwrap().is_empty());
    node.stop().await;
    stranger.libp2p.stop().await;
}

#[tokio::test]
async fn the_public_libraries_are_a_folder_under_the_nodes_name() {
    let middle = Host::with(Libp2pOptions { routing: Routing::Private, ..options(1) }).await;
    let node = public(&[film()], side(Routing::Private, middle.libp2p.addresses())).await;
    let other = public(&[], side(Routing::Private, middle.libp2p.addresses())).await;
    let film = root(&node).await;
    let (ipfs, asking): (Ipfs, Ipfs) = (node.node().ipfs().unwrap().clone(), other.node().ipfs().unwrap().clone());
    let name = ipfs.name();
    assert_ne!(name, asking.name(), "each node has its own");
    let at = async |value: &str, path: &[&str]| {
        let mut at = cid::parse(value.strip_prefix("/ipfs/")?).ok()?;
        for part in path {
            let block = asking.libp2p().fetch(&at, &at, PATIENCE).await.ok()?;
            let Ok(Folder::Folder(links)) = decode(&block) else { return None };
            at = links.into_iter().find(|link| link.name == *part)?.cid;
        }
        Some(at)
    };
    asking.libp2p().connect(&address(&node)).await.unwrap();
    let name_of_file = std::fs::read_dir(node.films()).unwrap().next().unwrap().unwrap().file_name();
    let path = ["Films", name_of_file.to_str().unwrap()];
    let empty = asking.root();
    until(|| ipfs.root() != empty && ipfs.is_published()).await;
    let resolved = asking.resolve(name).await.unwrap();
    assert_eq!(at(&resolved.record.value, &path).await, Some(film));
    let info: Value = node.signed_in("ada").await.get("/api/v1/ipfs").send().await.unwrap().json().await.unwrap();
    assert_eq!(info["name"], json!(name.to_string()));
    assert_eq!(info["root"], json!(ipfs.root().to_string()));
    node.stop().await;
    other.stop().await;
    middle.libp2p.stop().await;
}

#[tokio::test]
async fn a_library_that_is_not_public_any_more_is_given_to_nobody() {
    let node = public(&[film()], side(Routing::Off, Vec::new())).await;
    let film = root(&node).await;
    let stranger = Host::new(2).await;
    stranger.libp2p.connect(&address(&node)).await.unwrap();
    stranger.fetch_one(&film, PATIENCE).await.unwrap();
    let ipfs = node.node().ipfs().unwrap().clone();
    until(|| ipfs.root() != empty_folder()).await;
    let ada = node.signed_in("ada").await;
    let tree = ipfs.root();
    let path = format!("/api/v1/libraries/{}", node.library);
    let private = ada.request(http::Method::PATCH, &path).json(&json!({"visibility": "private"}));
    assert!(private.send().await.unwrap().status().is_success());
    assert!(stranger.fetch_one(&film, SOON).await.is_err(), "from that moment on");
    until(|| ipfs.root() != tree).await;
    assert!(stranger.fetch_one(&tree, SOON).await.is_err(), "nor are the names of its files told");
    node.stop().await;
    stranger.libp2p.stop().await;
}

#[tokio::test]
async fn a_friend_has_over_bitswap_what_is_shared_with_it() {
    let wish = |name: &'static str| {
        move |wishes: &mut Wishes| {
            wishes.node.links = Some(links(name));
            wishes.node.ipfs = Some(side(Routing::Off, Vec::new()));
        }
    };
    let (ada, bob) = (TestNode::with(&[film()], wish("ada's")).await, TestNode::with(&[], wish("bob's")).await);
    let film = root(&ada).await;
    let invite = ada.signed_in("ada").await.post("/api/v1/friends/invites").json(&json!({"name": "Bob"}));
    let code: Value = invite.send().await.unwrap().json().await.unwrap();
    let accept = bob.signed_in("ada").await.post("/api/v1/friends/accept").json(&json!({"code": code["code"]}));
    assert_eq!(accept.send().await.unwrap().status(), 201);
    until(|| ada.node().accounts().friends().first().is_some_and(|friend| friend.ipfs.is_some())).await;
    until(|| !ada.node().ipfs().unwrap().libp2p().state().listens.is_empty()).await;
    let theirs = bob.node().ipfs().unwrap().libp2p().clone();
    theirs.connect(&address(&ada)).await.unwrap();
    assert!(theirs.fetch(&film, &film, SOON).await.is_err(), "linking shares nothing");
    let friend = ada.node().accounts().friends().remove(0).id;
    let path = format!("/api/v1/friends/{friend}");
    let share =
        ada.signed_in("ada").await.request(http::Method::PATCH, &path).json(&json!({"libraries": [ada.library]}));
    assert!(share.send().await.unwrap().status().is_success());
    let block = theirs.fetch(&film, &film, PATIENCE).await.unwrap();
    assert_eq!(cid::verify(&film, &block), Ok(()));
    let stranger = Host::new(3).await;
    stranger.libp2p.connect(&address(&ada)).await.unwrap();
    assert!(stranger.fetch_one(&film, SOON).await.is_err(), "strangers have nothing of it");
    ada.stop().await;
    bob.stop().await;
    stranger.libp2p.stop().await;
}

#[tokio::test]
async fn admins_see_how_it_stands_and_connect_to_nodes() {
    let node = public(&[], side(Routing::Off, Vec::new())).await;
    let host = Host::new(2).await;
    let ada = node.signed_in("ada").await;
    let connect = |address: String| ada.post("/api/v1/ipfs/peers").json(&json!({"address": address})).send();
    let answer: Value = connect(host.libp2p.addresses().remove(0)).await.unwrap().json().await.unwrap();
    assert_eq!(answer["peer"], json!(host.libp2p.id().to_string()));
    for (address, status) in [("soup", 400), ("/ip4/127.0.0.1/tcp/4001", 400)] {
        assert_eq!(connect(address.to_owned()).await.unwrap().status(), status, "{address}");
    }
    let nobody = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", potluck::exchange::libp2p::PeerId::random());
    assert_eq!(connect(nobody).await.unwrap().status(), 502);
    let info: Value = ada.get("/api/v1/ipfs").send().await.unwrap().json().await.unwrap();
    assert_eq!((&info["peers"], &info["routing"], &info["port_mapping"]), (&json!(1), &json!("off"), &json!("off")));
    let status: Value = ada.get("/api/v1/status").send().await.unwrap().json().await.unwrap();
    let carrier = status["carriers"].as_array().unwrap().iter().find(|carrier| carrier["name"] == "libp2p").unwrap();
    assert_eq!((&carrier["enabled"], &carrier["connections"]), (&json!(true), &json!(1)));
    node.account("carl", None).await;
    assert_eq!(node.signed_in("carl").await.status("/api/v1/ipfs").await, 403);
    node.stop().await;
    host.libp2p.stop().await;
    let without = TestNode::start(&[]).await;
    assert_eq!(without.signed_in("ada").await.status("/api/v1/ipfs").await, 503, "a node runs without");
    without.stop().await;
}

#[tokio::test]
async fn where_the_public_folder_cannot_be_written_nothing_is_told_of_what_was_public() {
    let node = public(&[film()], side(Routing::Off, Vec::new())).await;
    root(&node).await;
    let ipfs = node.node().ipfs().unwrap().clone();
    until(|| ipfs.root() != empty_folder()).await;
    let shown = ipfs.root();
    assert!(ipfs.folder(&shown).unwrap().is_some());
    // No file can be made there.
    let part = node.node().folder().public_tree().with_extension("part");
    std::fs::create_dir(&part).unwrap();
    let ada = node.signed_in("ada").await;
    let libraries: Value = ada.get("/api/v1/libraries").send().await.unwrap().json().await.unwrap();
    let library = format!("/api/v1/libraries/{}", libraries[0]["id"].as_str().unwrap());
    let private = json!({"visibility": "private"});
    let answer = ada.request(http::Method::PATCH, &library).json(&private).send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    until(|| ipfs.root() == empty_folder()).await;
    assert!(ipfs.folder(&shown).unwrap().is_none());
    assert!(!ipfs.is_published(), "nobody is there who was told");
    node.stop().await;
}
