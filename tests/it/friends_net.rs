//! Friends' nodes as processes, with networks between them that fail in the ways that networks do.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use potluck::catalog::record::{Description, Place as FilePlace, Record, Stat};
use potluck::catalog::{ItemKind, LibraryKind, Visibility};
use potluck::content::cid;
use potluck::node::Store;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::far_node::{FarNode, film, link};
use crate::harness::cheap;
use crate::internet::{Internet, PORT, Place, Router};

/// Items of the library that is synchronised while nodes die: several pages.
const MANY: u64 = 4_000;

fn set(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

#[tokio::test]
async fn two_homes_behind_nat_are_linked_where_one_router_forwards_a_port() {
    let Some(net) = Internet::new() else { return };
    let (forwards, closed) = (net.home(Router::Forwards), net.home(Router::Closed));
    let outside = format!("{}:{PORT}", forwards.address());
    let ann = FarNode::new("ann", forwards).await.set("POTLUCK_FRIENDS__PUBLIC_ADDRESSES", outside).running().await;
    let mut bob = FarNode::new("bob", closed).await.running().await;
    link(&ann, &bob).await;
    let both = set(&["Film of ann", "Film of bob"]);
    ann.until_listed(&both).await;
    bob.until_listed(&both).await;
    let address = ann.friend("bob").await["address"].as_str().unwrap().to_owned();
    assert!(address.starts_with(&bob.place.address()), "{address}: it is Bob's router that is seen");
    assert!(ann.read(&ann.item("Film of bob").await).await == film("Film of bob", 1), "on the link that Bob made");
    assert!(bob.read(&bob.item("Film of ann").await).await == film("Film of ann", 1));

    bob.place.renumber();
    bob.film("News of bob", 1).await;
    ann.film("News of ann", 1).await;
    let all = set(&["Film of ann", "Film of bob", "News of ann", "News of bob"]);
    ann.until_listed(&all).await;
    bob.until_listed(&all).await;
}

#[tokio::test]
async fn commands_change_of_a_friend_what_they_say_and_nothing_else() {
    let Some(net) = Internet::new() else { return };
    let ann = FarNode::new("ann", net.street()).await.running().await;
    let bob = FarNode::new("bob", net.street()).await.running().await;
    link(&ann, &bob).await;
    for arguments in [&["limit", "bob", "5000"][..], &["stand-in", "bob"], &["host", "bob"], &["share", "bob"]] {
        ann.potluck(&[&["friend"], arguments].concat()).await.unwrap();
    }
    let friend = ann.friend("bob").await;
    assert_eq!((&friend["upload_rate"], &friend["libraries"]), (&json!(5_000_000), &json!([])));
    assert!(friend["stand_in"].is_object() && friend["hosts"].is_object(), "{friend}");
}

#[tokio::test]
async fn two_homes_that_forward_nothing_find_each_other_where_both_know_their_outside_address() {
    let Some(net) = Internet::new() else { return };
    // They are linked while they are neighbours.
    let (mut ann, mut bob) = (FarNode::new("ann", net.street()).await, FarNode::new("bob", net.street()).await);
    let homes = (net.home(Router::Closed), net.home(Router::Closed));
    let outside = |place: &Place| format!("{}:{PORT}", place.address());
    ann = ann.set("POTLUCK_FRIENDS__PUBLIC_ADDRESSES", outside(&homes.0)).running().await;
    bob = bob.set("POTLUCK_FRIENDS__PUBLIC_ADDRESSES", outside(&homes.1)).running().await;
    link(&ann, &bob).await;
    bob.until_listed(&set(&["Film of ann", "Film of bob"])).await;
    for (node, home) in [(&mut ann, homes.0), (&mut bob, homes.1)] {
        node.kill().await;
        node.place = home;
    }
    ann.start().await;
    bob.start().await;
    ann.film("News of ann", 1).await;
    bob.until_listed(&set(&["Film of ann", "News of ann", "Film of bob"])).await;
    let address = bob.friend("ann").await["address"].as_str().unwrap().to_owned();
    assert!(address.starts_with(&ann.place.address()), "{address}: both dialed, which opened both routers");
}

#[tokio::test]
async fn two_homes_where_no_hole_can_be_punched_are_linked_and_play_through_a_relay_of_their_own() {
    let Some(net) = Internet::new() else { return };
    let Some(relay) = Relay::start(&net).await else { return };
    let at_home = async |name| {
        let node = FarNode::new(name, net.home(Router::Symmetric)).await;
        node.set("POTLUCK_FRIENDS__RELAYS", &relay.url).running().await
    };
    let (mut ann, bob) = (at_home("ann").await, at_home("bob").await);
    link(&ann, &bob).await;
    let both = set(&["Film of ann", "Film of bob"]);
    ann.until_listed(&both).await;
    bob.until_listed(&both).await;
    ann.film("Long film", 12).await;
    assert!(bob.read(&bob.item("Long film").await).await == film("Long film", 12));
    let friend = bob.friend("ann").await;
    assert_eq!((&friend["relayed"], friend["address"].as_str()), (&true.into(), Some(relay.url.as_str())));

    ann.kill().await;
    bob.until_friend("ann", "off").await;
    ann.place.renumber();
    ann.start().await;
    bob.film("News of bob", 1).await;
    ann.until_listed(&set(&["Film of ann", "Film of bob", "Long film", "News of bob"])).await;
}

#[tokio::test]
async fn a_friend_is_reached_through_a_relay_where_another_node_has_the_same_address_inside() {
    let Some(net) = Internet::new() else { return };
    let Some(relay) = Relay::start(&net).await else { return };
    let (anns, other) = (net.home(Router::Closed), net.home(Router::Closed));
    // A node that is nobody's friend has the address in this home that Ann's has in hers.
    let bobs = net.beside(&other);
    let _stranger = FarNode::new("stranger", other).await.running().await;
    let ann = FarNode::new("ann", anns).await.set("POTLUCK_FRIENDS__RELAYS", &relay.url).running().await;
    let bob = FarNode::new("bob", bobs).await.set("POTLUCK_FRIENDS__RELAYS", &relay.url).running().await;
    link(&ann, &bob).await;
    bob.until_listed(&set(&["Film of ann", "Film of bob"])).await;
    assert!(bob.read(&bob.item("Film of ann").await).await == film("Film of ann", 1));
}

/// The iroh project's relay, on a street of its own.
struct Relay {
    url: String,
    _process: Child,
    _street: Place,
}

impl Relay {
    /// `None` where the program is missing, which is said.
    async fn start(net: &Internet) -> Option<Self> {
        if std::process::Command::new("iroh-relay").arg("--version").output().is_err() {
            eprintln!("left out: a relay needs the program iroh-relay (see docs/friends.md)");
            return None;
        }
        let street = net.street();
        let mut relay = street.command("iroh-relay");
        relay.arg("--dev").stdout(Stdio::null()).stderr(Stdio::piped()).env("RUST_LOG", "info").kill_on_drop(true);
        let mut process = relay.spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        while !said.next_line().await.unwrap().expect("the relay ended").contains("serving") {}
        Some(Self { url: format!("http://{}:3340/", street.address()), _process: process, _street: street })
    }
}

#[tokio::test]
async fn two_nodes_of_one_network_whose_addresses_both_changed_find_each_other_by_multicast() {
    let Some(net) = Internet::new() else { return };
    let home = net.home(Router::Closed);
    let beside = net.beside(&home);
    let inside =
        async |name, place| FarNode::new(name, place).await.set("POTLUCK_FRIENDS__DISCOVERY", "mdns").running().await;
    let (mut ann, mut bob) = (inside("ann", home).await, inside("bob", beside).await);
    link(&ann, &bob).await;
    bob.until_listed(&set(&["Film of ann", "Film of bob"])).await;
    for node in [&mut ann, &mut bob] {
        node.kill().await;
        node.place.move_inside();
    }
    ann.start().await;
    bob.start().await;
    ann.film("News of ann", 1).await;
    bob.until_listed(&set(&["Film of ann", "News of ann", "Film of bob"])).await;
}

#[tokio::test]
async fn five_nodes_converge_after_one_was_cut_off_and_who_was_revoked_meanwhile_stays_out() {
    let Some(net) = Internet::new() else { return };
    let names = ["ann", "bob", "carl", "dora", "eve"];
    let nodes = join_all(names.map(async |name| FarNode::new(name, net.street()).await.running().await)).await;
    for (at, host) in nodes.iter().enumerate() {
        for guest in &nodes[at + 1..] {
            link(host, guest).await;
        }
    }
    let films = names.map(|name| format!("Film of {name}"));
    let films: BTreeSet<String> = films.into_iter().collect();
    join_all(nodes.iter().map(|node| node.until_listed(&films))).await;
    let [ann, bob, carl, dora, eve] = &nodes[..] else { unreachable!() };

    net.cut(&eve.place);
    ann.film("News of ann", 1).await;
    eve.film("News of eve", 1).await;
    let here = &films | &set(&["News of ann"]);
    join_all([bob, dora].map(|node| node.until_listed(&here))).await;
    let revoked = carl.friend("eve").await["id"].as_str().unwrap().to_owned();
    assert_eq!(carl.call("DELETE", &format!("/api/v1/friends/{revoked}"), Value::Null).await.0, 204);
    carl.until_listed(&(&here - &set(&["Film of eve"]))).await;
    join_all([ann, bob, dora].map(|node| node.until_friend("eve", "off"))).await;

    net.mend(&eve.place);
    let all = &here | &set(&["News of eve"]);
    join_all([ann, bob, dora].map(|node| node.until_listed(&all))).await;
    eve.until_listed(&(&all - &set(&["Film of carl"]))).await;
    eve.until_friend("carl", "refused").await;
    carl.until_listed(&(&all - &set(&["Film of eve", "News of eve"]))).await;
}

#[tokio::test]
async fn where_packets_are_lost_all_arrives_and_revoking_ends_what_is_under_way() {
    let Some(net) = Internet::new() else { return };
    let ann = FarNode::new("ann", net.street()).await.running().await;
    let bob = FarNode::new("bob", net.street()).await.running().await;
    link(&ann, &bob).await;
    net.lose(5);
    ann.film("Long film", 12).await;
    let item = bob.item("Long film").await;
    assert!(bob.read(&item).await == film("Long film", 12));

    ann.change_friend("bob", json!({"upload_rate": 4_000_000})).await;
    let path = format!("/api/v1/items/{}/file", item["id"].as_str().unwrap());
    let mut body = bob.send("GET", &path, Value::Null).await.into_body();
    body.frame().await.unwrap().unwrap();
    let friend = ann.friend("bob").await["id"].as_str().unwrap().to_owned();
    assert_eq!(ann.call("DELETE", &format!("/api/v1/friends/{friend}"), Value::Null).await.0, 204);
    assert!(body.collect().await.is_err(), "the rest does not come");
    bob.until_friend("ann", "refused").await;
    bob.until_listed(&set(&["Film of bob"])).await;
}

#[tokio::test]
async fn clocks_that_are_a_day_off_on_either_side_change_nothing() {
    let Some(net) = Internet::new() else { return };
    let Some(library) = faketime() else {
        eprintln!("left out: another time for a process needs libfaketime (Debian: faketime)");
        return;
    };
    let skewed = async |name, by: &str| {
        let node = FarNode::new(name, net.street()).await.set("LD_PRELOAD", library.to_str().unwrap());
        node.set("FAKETIME", by).set("FAKETIME_DONT_FAKE_MONOTONIC", "1").running().await
    };
    let (ann, bob) = (skewed("ann", "+1d").await, skewed("bob", "-1d").await);
    let added = |node: Value| node["added_at"].as_i64().unwrap();
    let (late, early) = (added(ann.item("Film of ann").await), added(bob.item("Film of bob").await));
    assert!(late - early > 47 * 3_600_000, "their clocks differ: {late} {early}");
    let carl = FarNode::new("carl", net.street()).await.running().await;
    link(&ann, &bob).await;
    link(&bob, &carl).await;
    link(&carl, &ann).await;
    let films = set(&["Film of ann", "Film of bob", "Film of carl"]);
    join_all([&ann, &bob, &carl].map(|node| node.until_listed(&films))).await;
    bob.film("News of bob", 1).await;
    let films = &films | &set(&["News of bob"]);
    join_all([&ann, &bob, &carl].map(|node| node.until_listed(&films))).await;
    assert!(ann.read(&ann.item("News of bob").await).await == film("News of bob", 1));
}

fn faketime() -> Option<PathBuf> {
    let architectures = std::fs::read_dir("/usr/lib").ok()?;
    let libraries = architectures.flatten().map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|path| path.exists())
}

#[tokio::test]
async fn nodes_that_are_killed_in_the_middle_of_a_sync_lose_and_repeat_nothing() {
    let Some(net) = Internet::new() else { return };
    let mut ann = FarNode::new("ann", net.street()).await;
    let many = fill(&ann).await;
    ann.start().await;
    let mut bob = FarNode::new("bob", net.street()).await.running().await;
    link(&ann, &bob).await;
    // Slow enough for somebody to die meanwhile.
    ann.change_friend("bob", json!({"libraries": [many], "upload_rate": 2_000_000})).await;
    let before = bob.until("heard of an item", async || Some(count(&bob).await).filter(|n| *n > 1)).await;
    bob.kill().await;
    assert!(known(&bob, &many).len() < MANY as usize, "{before} when it was killed: in the middle");
    bob.start().await;
    let now = bob.until("heard of more", async || Some(count(&bob).await).filter(|n| *n > before)).await;
    ann.kill().await;
    assert!(now < MANY, "{now}: in the middle");
    ann.start().await;
    bob.until("heard of all", async || (count(&bob).await > MANY).then_some(())).await;
    assert_eq!(known(&bob, &many), known(&ann, &many));
}

/// A library of [`MANY`] films that nobody reads.
async fn fill(node: &FarNode) -> String {
    let store = Store::open(&node.data(), cheap()).await.unwrap();
    let path = Path::new("/nowhere/many");
    let library = store.catalog.add_library("Many", LibraryKind::Movies, path, Visibility::Private).await.unwrap().id;
    for n in 0..MANY {
        let title = format!("Title {n}");
        let record = Record {
            item: None,
            place: FilePlace { library: library.clone(), path: PathBuf::from(format!("{title}.mkv")) },
            kind: ItemKind::Movie,
            stat: Stat { size: 1_000_000 + n, modified_ns: 1, inode: n, device: 1 },
            cid: Some(cid::of_raw(&n.to_le_bytes())),
            facts: None,
            book: None,
            music: None,
            problem: None,
            retry: false,
            description: Description { title, overview: Some("Long. ".repeat(50)), ..Description::default() },
        };
        store.catalog.record(record).await.unwrap();
    }
    store.close().await;
    library
}

async fn count(node: &FarNode) -> u64 {
    node.get("/api/v1/items?limit=1").await["total"].as_u64().unwrap()
}

/// What its catalog holds of a library.
fn known(node: &FarNode, library: &str) -> BTreeSet<String> {
    let catalog = rusqlite::Connection::open(node.data().join("catalog.db")).unwrap();
    let mut items = catalog.prepare("SELECT id, title FROM item WHERE library = ?").unwrap();
    let rows =
        items.query_map([library], |row| Ok(format!("{} {}", row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}
