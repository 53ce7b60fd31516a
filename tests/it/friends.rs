//! Two and three whole nodes in this process, linked over iroh on loopback: no relay, no discovery, nobody else.
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use potluck::accounts::Friend;
use potluck::exchange::Body;
use potluck::exchange::iroh::Peer;
use potluck::facades::native::model::{self, FriendState};
use potluck::friends::links::Presence;
use potluck::node::NodeEvent;
use serde_json::{Value, json};

use crate::fixtures::film;
use crate::harness::{TestNode, Wishes, links};
use crate::street::until as until_told;

/// A UUID that names nothing.
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// A CID that nobody has.
const NO_CID: &str = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

fn called(name: &'static str) -> impl FnOnce(&mut Wishes) {
    move |wishes| wishes.node.links = Some(links(name))
}

/// Calls the API of a node as its admin.
async fn api(node: &TestNode, method: &str, path: &str, body: Value) -> (u16, Value) {
    let browser = node.signed_in("ada").await;
    let request = browser.request(method.parse().unwrap(), path);
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

async fn invite(node: &TestNode, wish: Value) -> String {
    let (status, made) = api(node, "POST", "/api/v1/friends/invites", wish).await;
    assert_eq!(status, 201, "{made}");
    made["code"].as_str().unwrap().to_owned()
}

async fn accept(node: &TestNode, code: &str) -> (u16, Value) {
    api(node, "POST", "/api/v1/friends/accept", json!({"code": code})).await
}

async fn share(node: &TestNode, friend: &str, libraries: &[&str]) {
    let path = format!("/api/v1/friends/{}", only_friend(node, friend).id);
    let (status, answer) = api(node, "PATCH", &path, json!({"libraries": libraries})).await;
    assert_eq!(status, 200, "{answer}");
}

fn only_friend(node: &TestNode, name: &str) -> Friend {
    let friends = node.node().accounts().friends();
    assert_eq!(friends.len(), 1);
    assert_eq!(friends[0].name, name);
    friends[0].clone()
}

/// Two nodes that are linked: ada's, which has a film, and bob's, which has none.
async fn linked(files: &[PathBuf]) -> (TestNode, TestNode) {
    let (ada, bob) = (TestNode::with(files, called("ada's")).await, TestNode::with(&[], called("bob's")).await);
    let code = invite(&ada, json!({"name": "Bob"})).await;
    let (status, answer) = accept(&bob, &code).await;
    assert_eq!(status, 201, "{answer}");
    (ada, bob)
}

async fn send(from: &TestNode, method: &str, path: &str, body: &str) -> http::Response<Body> {
    let friend = from.node().accounts().friends().remove(0);
    let body = Body::new(Full::from(Bytes::copy_from_slice(body.as_bytes())).map_err(|never| match never {}));
    let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
    from.node().links().unwrap().send(&friend, request.body(body).unwrap()).await.unwrap()
}

/// Reads from the first friend of a node.
async fn get(from: &TestNode, path: &str) -> (u16, Bytes) {
    let answer = send(from, "GET", path, "").await;
    (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes())
}

fn as_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Waits until the first friend of a node is as wanted.
async fn until(node: &TestNode, wanted: impl Fn(&Presence) -> bool) {
    let mut events = node.node().events();
    loop {
        let friend = node.node().accounts().friends().remove(0);
        if wanted(&node.node().links().unwrap().presence(&friend)) {
            return;
        }
        while !matches!(events.recv().await.unwrap(), NodeEvent::Friends) {}
    }
}

fn online(presence: &Presence) -> bool {
    matches!(presence, Presence::Online(_))
}

#[tokio::test]
async fn an_invite_links_two_nodes_by_the_names_that_each_side_chose() {
    let (ada, bob) = linked(&[]).await;
    assert_eq!(only_friend(&ada, "Bob").endpoint, bob.node().id(), "the key of the node is its credential");
    assert_eq!(only_friend(&bob, "ada's").endpoint, ada.node().id());
    for node in [&ada, &bob] {
        until(node, online).await;
        let (_, friends) = api(node, "GET", "/api/v1/friends", Value::Null).await;
        let friend: model::Friend = serde_json::from_value(friends[0].clone()).unwrap();
        assert_eq!((friend.state, friend.relayed), (FriendState::Online, false));
        assert!(friend.address.unwrap().starts_with("127.0.0.1:"));
        assert!(friend.libraries.is_empty(), "linking shares nothing");
    }
    let (_, open) = api(&ada, "GET", "/api/v1/friends/invites", Value::Null).await;
    assert_eq!(open, json!([]));
    let renamed = format!("/api/v1/friends/{}", only_friend(&bob, "ada's").id);
    assert_eq!(api(&bob, "PATCH", &renamed, json!({"name": "Ada"})).await.0, 200);
    only_friend(&bob, "Ada");
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_friend_reads_what_is_shared_over_its_link_through_the_same_router() {
    let (ada, bob) = linked(&[film()]).await;
    let item = ada.imported().await.remove(0);
    let (_, before) = get(&bob, "/api/v1/libraries").await;
    assert_eq!(as_json(&before), json!([]));
    share(&ada, "Bob", &[&ada.library]).await;
    let libraries = as_json(&get(&bob, "/api/v1/libraries").await.1);
    assert_eq!(libraries[0]["id"], json!(ada.library));
    assert!(libraries[0].get("path").is_none_or(Value::is_null), "where it lies is nobody's business");
    let items = as_json(&get(&bob, "/api/v1/items").await.1);
    assert_eq!(items["items"][0]["id"], json!(item.id));
    let (status, file) = get(&bob, &format!("/api/v1/items/{}/file", item.id)).await;
    assert_eq!(status, 200);
    assert!(file == std::fs::read(film()).unwrap());
    let cid = item.cid.unwrap();
    assert_eq!(get(&bob, &format!("/ipfs/{cid}?format=raw")).await.0, 200);
    let segments = format!("/api/v1/items/{}/renditions/v0/segments?from=0&count=1", item.id);
    assert_eq!(get(&bob, &segments).await.0, 200);
    assert_eq!(get(&bob, "/api/v1/accounts").await.0, 403);
    let progress = send(&bob, "PUT", &format!("/api/v1/items/{}/progress", item.id), "{}").await;
    assert_eq!(progress.status(), 403, "how far a friend's people watched stays at home");
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn what_is_not_shared_is_told_exactly_as_what_does_not_exist() {
    let (ada, bob) = linked(&[film()]).await;
    let item = ada.imported().await.remove(0);
    let cid = item.cid.unwrap();
    for (hidden, absent) in [
        (format!("/api/v1/items/{}", item.id), format!("/api/v1/items/{NOTHING}")),
        (format!("/api/v1/items/{}/file", item.id), format!("/api/v1/items/{NOTHING}/file")),
        (format!("/api/v1/items/{}/poster", item.id), format!("/api/v1/items/{NOTHING}/poster")),
        (format!("/api/v1/libraries/{}", ada.library), format!("/api/v1/libraries/{NOTHING}")),
        (format!("/api/v1/items?library={}", ada.library), format!("/api/v1/items?library={NOTHING}")),
        (format!("/ipfs/{cid}"), format!("/ipfs/{NO_CID}")),
        (format!("/ipfs/{cid}?format=raw"), format!("/ipfs/{NO_CID}?format=raw")),
    ] {
        let (hidden_answer, absent_answer) = (get(&bob, &hidden).await, get(&bob, &absent).await);
        assert_eq!(hidden_answer, absent_answer, "{hidden}");
        assert_eq!(hidden_answer.0, 404);
    }
    assert_eq!(as_json(&get(&bob, "/api/v1/items?q=film").await.1)["total"], json!(0), "nor by search");
    share(&ada, "Bob", &[&ada.library]).await;
    assert_eq!(get(&bob, &format!("/api/v1/items/{}", item.id)).await.0, 200);
    share(&ada, "Bob", &[]).await;
    assert_eq!(get(&bob, &format!("/api/v1/items/{}", item.id)).await.0, 404, "a share can be withdrawn");
    ada.stop().await;
    bob.stop().await;
}

/// The film with 64 MiB behind it: more than can be under way at any moment.
fn long_film(folder: &tempfile::TempDir) -> PathBuf {
    const FREE: u32 = 64 * 1024 * 1024;
    let path = folder.path().join("long.mp4");
    std::fs::copy(film(), &path).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&FREE.to_be_bytes()).unwrap();
    file.write_all(b"free").unwrap();
    file.set_len(file.metadata().unwrap().len() + u64::from(FREE) - 8).unwrap();
    path
}

#[tokio::test]
async fn revoking_cuts_a_friend_off_in_the_middle_of_a_film() {
    let folder = tempfile::tempdir().unwrap();
    let (ada, bob) = linked(&[long_film(&folder)]).await;
    let item = ada.imported().await.remove(0);
    share(&ada, "Bob", &[&ada.library]).await;
    let mut film = send(&bob, "GET", &format!("/api/v1/items/{}/file", item.id), "").await.into_body();
    film.frame().await.unwrap().unwrap();
    let path = format!("/api/v1/friends/{}", only_friend(&ada, "Bob").id);
    assert_eq!(api(&ada, "DELETE", &path, Value::Null).await.0, 204);
    assert!(film.collect().await.is_err(), "the rest of the film does not come");
    until(&bob, |presence| *presence == Presence::Refused).await;
    assert_eq!(get(&bob, "/api/v1/libraries").await.0, 401);
    assert!(ada.node().accounts().friends().is_empty());
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_friend_gets_no_more_than_its_budget_and_all_of_it_comes() {
    let (ada, bob) = linked(&[film()]).await;
    let item = ada.imported().await.remove(0);
    share(&ada, "Bob", &[&item.library]).await;
    let path = format!("/api/v1/friends/{}", only_friend(&ada, "Bob").id);
    let refused = api(&ada, "PATCH", &path, json!({"upload_rate": 1})).await;
    assert_eq!(refused.0, 400);
    assert!(refused.1["message"].as_str().unwrap().contains("upload_rate"), "{}", refused.1);
    let file = format!("/api/v1/items/{}/file", item.id);
    let whole = std::fs::read(film()).unwrap();
    let rate = u64::try_from(whole.len()).unwrap() * 8;
    assert_eq!(api(&ada, "PATCH", &path, json!({"upload_rate": rate})).await.1["upload_rate"], rate);
    let began = std::time::Instant::now();
    let both = tokio::join!(get(&bob, &file), get(&bob, &file));
    let seconds = began.elapsed().as_secs_f64();
    assert!(both.0.1 == whole && both.1.1 == whole);
    assert!(seconds > 1.5, "two films at a film a second, less a burst: {seconds} s");
    assert_eq!(api(&ada, "PATCH", &path, json!({"upload_rate": null})).await.1["upload_rate"], Value::Null);
    assert_eq!(only_friend(&ada, "Bob").upload_rate, None);
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn withdrawing_a_share_ends_what_is_read_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (ada, bob) = linked(&[long_film(&folder)]).await;
    let item = ada.imported().await.remove(0);
    share(&ada, "Bob", &[&ada.library]).await;
    let mut film = send(&bob, "GET", &format!("/api/v1/items/{}/file", item.id), "").await.into_body();
    film.frame().await.unwrap().unwrap();
    share(&ada, "Bob", &[]).await;
    assert!(film.collect().await.is_err());
    assert_eq!(get(&bob, "/api/v1/libraries").await.0, 200, "they are friends still");
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn taking_somebody_off_a_list_ends_what_is_read_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let (ada, bob) = linked(&[long_film(&folder)]).await;
    let item = ada.imported().await.remove(0);
    let path = format!("/api/v1/friends/{}", only_friend(&ada, "Bob").id);
    let only_for = async |people: Value| {
        let change = json!({"libraries": [ada.library], "people": {ada.library.as_str(): people}});
        assert_eq!(api(&ada, "PATCH", &path, change).await.0, 200);
    };
    let file = format!("/api/v1/items/{}/file", item.id);
    let read_for = async |name: &'static str| {
        let friend = bob.node().accounts().friends().remove(0);
        let nothing = Body::new(Full::from(Bytes::new()).map_err(|never| match never {}));
        let request = http::Request::get(&file).header("potluck-for", name.as_bytes()).body(nothing).unwrap();
        bob.node().links().unwrap().send(&friend, request).await.unwrap()
    };
    only_for(json!(["Änne", "ben"])).await;
    assert_eq!(get(&bob, &file).await.0, 404, "for itself, Bob's node gets nothing");
    let mut film = read_for("ben").await.into_body();
    film.frame().await.unwrap().unwrap();
    only_for(json!(["Änne"])).await;
    assert!(film.collect().await.is_err());
    assert_eq!(read_for("ben").await.status(), 404);
    assert_eq!(read_for("änne").await.status(), 200);
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_friend_that_revokes_is_told_of_and_a_new_invite_links_again() {
    let (ada, bob) = linked(&[]).await;
    let friend = only_friend(&bob, "ada's").id;
    assert_eq!(api(&bob, "DELETE", &format!("/api/v1/friends/{friend}"), Value::Null).await.0, 204);
    until(&ada, |presence| *presence == Presence::Refused).await;
    let (_, friends) = api(&ada, "GET", "/api/v1/friends", Value::Null).await;
    assert_eq!(friends[0]["state"], json!("refused"));
    let code = invite(&ada, json!({})).await;
    assert_eq!(accept(&bob, &code).await.0, 201);
    until(&ada, online).await;
    assert_eq!(only_friend(&ada, "Bob").endpoint, bob.node().id(), "it is the same friend, by its name of before");
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_node_that_nobody_invited_gets_nothing_and_leaves_a_line() {
    let ada = TestNode::with(&[film()], called("ada's")).await;
    let eve = TestNode::with(&[], called("eve's")).await;
    let item = ada.imported().await.remove(0);
    let carrier = ada.node().links().unwrap().iroh();
    let peer = Peer { endpoint: ada.node().id().to_owned(), addresses: carrier.addresses() };
    for path in ["/api/v1/libraries", "/api/v1/status", "/", &format!("/api/v1/items/{}/file", item.id)] {
        let request = http::Request::get(path).body(Body::new(http_body_util::Empty::new().map_err(|e| match e {})));
        let answer = eve.node().links().unwrap().iroh().send(&peer, request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        let told = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(as_json(&told)["error"], json!("unknown_node"));
    }
    eve.stop().await;
    let accounts = ada.node().accounts().clone();
    ada.stop().await;
    let lines = accounts.audit_lines(10).await.unwrap();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.account.as_ref().unwrap().starts_with("node ") && line.status == 401));
}

#[tokio::test]
async fn an_invite_works_for_one_node_and_its_replay_is_refused() {
    let ada = TestNode::with(&[], called("ada's")).await;
    let (bob, eve) = (TestNode::with(&[], called("bob's")).await, TestNode::with(&[], called("eve's")).await);
    let code = invite(&ada, json!({})).await;
    assert_eq!(accept(&bob, &code).await.0, 201);
    let (status, refused) = accept(&eve, &code).await;
    assert_eq!(status, 409);
    assert!(refused["message"].as_str().unwrap().contains("ask for a new one"), "{refused}");
    assert!(eve.node().accounts().friends().is_empty());
    assert_eq!(accept(&bob, &code).await.0, 201, "the same node may finish what was cut off");
    let path = format!("/api/v1/friends/{}", only_friend(&ada, "bob's").id);
    assert_eq!(api(&ada, "DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(accept(&bob, &code).await.0, 409, "but not undo that it was revoked");
    for node in [ada, bob, eve] {
        node.stop().await;
    }
}

#[tokio::test]
async fn codes_that_are_forged_cut_expired_withdrawn_or_ones_own_are_refused_with_their_reason() {
    let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
    let time = Arc::clone(&clock);
    let ada = TestNode::with(&[], |wishes| {
        called("ada's")(wishes);
        wishes.node.accounts.clock = Arc::new(move || time.load(Ordering::Relaxed));
    });
    let (ada, bob) = (ada.await, TestNode::with(&[], called("bob's")).await);
    let code = invite(&ada, json!({"hours": 1})).await;
    let (_, open) = api(&ada, "GET", "/api/v1/friends/invites", Value::Null).await;
    let withdrawn = format!("/api/v1/friends/invites/{}", open[0]["id"].as_str().unwrap());
    assert_eq!(api(&ada, "DELETE", &withdrawn, Value::Null).await.0, 204);
    let late = invite(&ada, json!({"hours": 1})).await;
    clock.fetch_add(3_600_000, Ordering::Relaxed);
    let mut forged = invite(&ada, json!({})).await;
    forged.replace_range(60..61, if &forged[60..61] == "a" { "b" } else { "a" });
    let own = invite(&bob, json!({})).await;
    for (code, status, reason) in [
        (code.as_str(), 409, "expired"),
        (&late, 409, "expired"),
        (&forged, 400, "not complete"),
        (&own[..100], 400, "not complete"),
        (&own, 400, "your own node"),
        ("hello", 400, "this is not an invite"),
        ("", 400, "this is not an invite"),
    ] {
        let (answered, problem) = accept(&bob, code).await;
        let message = problem["message"].as_str().unwrap();
        assert!(answered == status && message.contains(reason), "{code}: {answered} {message}");
    }
    assert_eq!(api(&ada, "POST", "/api/v1/friends/invites", json!({"hours": 721})).await.0, 400);
    assert!(ada.node().accounts().friends().is_empty() && bob.node().accounts().friends().is_empty());
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn redeeming_and_greeting_are_for_other_nodes_alone() {
    let ada = TestNode::with(&[], called("ada's")).await;
    let brought = json!({"secret": "x", "name": "Eve", "addresses": []});
    assert_eq!(api(&ada, "POST", "/api/v1/friends/redeem", brought).await.0, 403);
    let greeting = json!({"name": "Eve", "addresses": []});
    assert_eq!(api(&ada, "POST", "/api/v1/friends/hello", greeting).await.0, 403);
    ada.stop().await;
}

#[tokio::test]
async fn a_restart_of_either_side_on_another_port_finds_the_other_again() {
    let (ada, bob) = linked(&[]).await;
    until(&ada, online).await;
    let ada = ada.restart().await;
    until(&bob, online).await;
    assert_eq!(get(&bob, "/api/v1/libraries").await.0, 200);
    let bob = bob.restart().await;
    until(&ada, online).await;
    assert_eq!(get(&ada, "/api/v1/libraries").await.0, 200);
    assert_eq!(get(&bob, "/api/v1/libraries").await.0, 200);
    ada.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_friend_that_is_off_is_told_at_once_after_the_first_attempt() {
    let (ada, bob) = linked(&[]).await;
    until(&bob, online).await;
    ada.stop().await;
    until(&bob, |presence| !online(presence)).await;
    let friend = only_friend(&bob, "ada's");
    let request = || http::Request::get("/api/v1/libraries").body(Body::default()).unwrap();
    assert!(bob.node().links().unwrap().send(&friend, request()).await.is_err());
    bob.stop().await;
}

#[tokio::test]
async fn what_friends_move_is_counted_like_any_carrier() {
    let (ada, bob) = linked(&[film()]).await;
    let item = ada.imported().await.remove(0);
    share(&ada, "Bob", &[&ada.library]).await;
    let (_, file) = get(&bob, &format!("/api/v1/items/{}/file", item.id)).await;
    let (_, status) = api(&ada, "GET", "/api/v1/status", Value::Null).await;
    let carriers = status["carriers"].as_array().unwrap();
    let iroh = carriers.iter().find(|carrier| carrier["name"] == "iroh").unwrap();
    assert_eq!(iroh["enabled"], json!(true));
    assert!(iroh["bytes_sent"].as_u64().unwrap() >= file.len() as u64);
    assert!(iroh["connections"].as_u64().unwrap() >= 1);
    let figures = ada.signed_in("ada").await.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(figures.contains("potluck_requests_total{carrier=\"iroh\"}"), "{figures}");
    ada.stop().await;
    bob.stop().await;
}

/// Requests that a node answered over links, so far.
async fn answered(node: &TestNode) -> u64 {
    let (_, status) = api(node, "GET", "/api/v1/status", Value::Null).await;
    let iroh = status["carriers"].as_array().unwrap().iter().find(|carrier| carrier["name"] == "iroh").unwrap();
    iroh["requests"].as_u64().unwrap()
}

#[tokio::test]
async fn a_node_hears_of_a_change_because_it_is_rung_for() {
    let (ada, bob) = linked(&[film()]).await;
    share(&ada, "Bob", &[&ada.library]).await;
    let named = async |name: Option<&str>| {
        let libraries = bob.node().catalog().libraries().await.unwrap();
        libraries.into_iter().find(|l| l.friend.is_some() && name.is_none_or(|name| l.name == name))
    };
    until_told(&bob, || named(None)).await;
    let rung = answered(&bob).await;
    let (status, answer) =
        api(&ada, "PATCH", &format!("/api/v1/libraries/{}", ada.library), json!({"name": "Old films"})).await;
    assert_eq!(status, 200, "{answer}");
    // Without a ring it would ask in five minutes.
    until_told(&bob, || named(Some("Old films"))).await;
    assert!(answered(&bob).await > rung);
    ada.stop().await;
    bob.stop().await;
}
