//! Two and three real nodes: one dies, and its people sign in at a friend's, go on where they were, and take that home.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use parking_lot::Mutex;
use potluck::accounts::{AccountChange, Caller, Friend, FriendChange, NewFriend};
use potluck::exchange::{Body, Responder};
use potluck::facades::NodeRouter;
use potluck::facades::native::model::ItemSummary;
use potluck::friends::stand_in::{Sealed, Seals};
use potluck::friends::{Dial, DialError};
use potluck::node::{Node, NodeKey};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::film;
use crate::harness::{Browser, PASSWORD, TestNode, links};
use crate::street::options;

const DAY: i64 = 24 * 3600 * 1000;

/// Looks again whenever anything is new at a node, until there is an answer.
async fn until<T, F: Future<Output = Option<T>>>(node: &Node, look: impl Fn() -> F) -> T {
    let mut watched = node.catalog().watched();
    let mut changed = node.accounts().revoked();
    let mut events = node.events();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        tokio::select! {
            _ = watched.changed() => {}
            _ = changed.changed() => {}
            _ = events.recv() => {}
        }
    }
}

async fn friend_named(node: &TestNode, name: &str) -> Friend {
    let friends = node.node().accounts().friends();
    friends.into_iter().find(|friend| friend.name == name).unwrap()
}

async fn change(node: &TestNode, friend: &str, change: FriendChange) {
    let id = friend_named(node, friend).await.id;
    node.node().accounts().update_friend(&id, change).await.unwrap();
}

async fn choose(home: &TestNode, stand_in: bool) {
    change(home, "Bob", FriendChange { stand_in: Some(stand_in), ..FriendChange::default() }).await;
}

async fn allow(bob: &TestNode, hosts: bool) {
    change(bob, "Home", FriendChange { hosts: Some(hosts), ..FriendChange::default() }).await;
}

/// Whether home's friend knows all that it should.
async fn told(home: &TestNode) {
    let id = friend_named(home, "Bob").await.id;
    let friends = home.node().friends().unwrap().clone();
    until(home.node(), || {
        let state = friends.stand_in(&id);
        async move { (state.synced_at.is_some() && state.problem.is_none()).then_some(()) }
    })
    .await;
}

async fn watch(browser: &Browser, item: &str, position: f64) -> u16 {
    let progress = json!({"position": position, "completed": false});
    let put = browser.request(Method::PUT, &format!("/api/v1/items/{item}/progress")).json(&progress);
    put.send().await.unwrap().status().as_u16()
}

async fn position(browser: &Browser, item: &str) -> Option<f64> {
    let answer = browser.get(&format!("/api/v1/items/{item}")).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["progress"]["position"].as_f64()
}

/// Waits until somebody is at this position.
async fn reaches(node: &TestNode, browser: &Browser, item: &str, seconds: f64) {
    until(node.node(), || async { (position(browser, item).await == Some(seconds)).then_some(()) }).await;
}

/// How far an account of home's is at Bob's, as far as that is written there.
async fn known_at(bob: &TestNode, item: &str, seconds: f64) {
    let home = friend_named(bob, "Home").await.id;
    until(bob.node(), || async {
        let facts = bob.node().catalog().facts(bob.node().accounts().guests(&home), 0, 500).await.unwrap().facts;
        facts.iter().any(|fact| fact.item == item && (fact.position - seconds).abs() < 0.01).then_some(())
    })
    .await;
}

async fn listed(browser: &Browser) -> Vec<ItemSummary> {
    let answer = browser.get("/api/v1/items").send().await.unwrap();
    answer.json::<potluck::facades::native::model::ItemPage>().await.unwrap().items
}

/// Home, with a film that it shares, and Bob's node, which it chose as its stand-in, over iroh.
async fn linked() -> (TestNode, TestNode, ItemSummary) {
    linked_with(0).await
}

/// The same; Bob's clock is ahead by as many milliseconds.
async fn linked_with(ahead: i64) -> (TestNode, TestNode, ItemSummary) {
    let home = TestNode::with(&[film()], |wishes| wishes.node.links = Some(links("Home"))).await;
    let bob = TestNode::with(&[], |wishes| {
        wishes.node.links = Some(links("Bob"));
        wishes.node.accounts.clock = Arc::new(move || jiff::Timestamp::now().as_millisecond() + ahead);
    })
    .await;
    home.account("anna", None).await;
    let code = home.node().links().unwrap().invite(None, Duration::from_secs(3600)).await.unwrap().code;
    bob.node().links().unwrap().accept(&code, None).await.unwrap();
    let film = home.imported().await.remove(0);
    change(&home, "Bob", FriendChange { libraries: Some(vec![home.library.clone()]), ..FriendChange::default() }).await;
    (home, bob, film)
}

async fn standing_in() -> (TestNode, TestNode, ItemSummary) {
    standing_in_with(0).await
}

async fn standing_in_with(ahead: i64) -> (TestNode, TestNode, ItemSummary) {
    let (home, bob, film) = linked_with(ahead).await;
    let all = bob.signed_in("ada").await;
    until(bob.node(), || async { listed(&all).await.pop() }).await;
    allow(&bob, true).await;
    choose(&home, true).await;
    told(&home).await;
    (home, bob, film)
}

#[tokio::test]
async fn somebody_whose_home_died_goes_on_at_a_friends_and_takes_that_home() {
    let (home, bob, film) = standing_in().await;
    let anna = home.signed_in("anna").await;
    assert_eq!(watch(&anna, &film.id, 1.5).await, 204);
    known_at(&bob, &film.id, 1.5).await;
    let (home_data, links) = (home.data(), home.node().id().to_owned());
    let dead = home.halt().await;

    let guest = bob.signed_in("anna").await;
    let account: Value = guest.get("/api/v1/account").send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&account["name"], &account["home"], &account["admin"]),
        (&json!("anna"), &json!("Home"), &json!(false))
    );
    assert_eq!(listed(&guest).await.len(), 1);
    assert_eq!(position(&guest, &film.id).await, Some(1.5), "the last position");
    assert_eq!(watch(&guest, &film.id, 2.5).await, 204);
    for (method, path) in [(Method::GET, "/api/v1/accounts"), (Method::GET, "/api/v1/friends")] {
        assert_eq!(guest.request(method, path).send().await.unwrap().status(), 403, "{path}");
    }
    let key = guest.post("/api/v1/api-keys").json(&json!({"name": "x"})).send().await.unwrap();
    assert_eq!(key.status(), 404, "a guest makes no keys");

    let home = dead.wake(|_| {}).await;
    assert_eq!((home.data(), home.node().id()), (home_data, links.as_str()));
    let anna = home.signed_in("anna").await;
    reaches(&home, &anna, &film.id, 2.5).await;
    home.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_film_of_a_home_that_died_plays_from_the_stand_ins_own_copy() {
    let (home, bob, theirs) = standing_in().await;
    std::fs::copy(film(), bob.films().join("Bob's own name.mp4")).unwrap();
    bob.node().importer().scan(&bob.library).await.unwrap();
    let ada = bob.signed_in("ada").await;
    let own = |items: Vec<ItemSummary>| items.into_iter().find(|item| item.library == bob.library);
    let own = until(bob.node(), || async { own(listed(&ada).await) }).await;
    let dead = home.halt().await;
    let guest = bob.signed_in("anna").await;
    let item = listed(&guest).await.remove(0);
    assert_eq!((&item.id, item.friend), (&theirs.id, None), "it plays from here");
    assert_eq!(watch(&guest, &item.id, 1.0).await, 204);
    for path in ["/renditions", "/renditions/v0/segments?from=0&count=1", "/hls/v0/0.m4s", "/file"] {
        assert_eq!(guest.status(&format!("/api/v1/items/{}{path}", item.id)).await, 200, "{path}");
        assert_eq!(guest.status(&format!("/api/v1/items/{}{path}", own.id)).await, 404, "Bob's library is his: {path}");
    }
    drop(dead);
    bob.stop().await;
}

#[tokio::test]
async fn our_own_names_come_first_and_a_guest_says_whose_home_is_meant() {
    let (home, bob, film) = standing_in().await;
    let ours = bob.node().accounts().named("ada").unwrap();
    let change = AccountChange { password: Some("a password of bob's".to_owned()), ..AccountChange::default() };
    bob.node().accounts().update(&ours.id, change, &Caller::local()).await.unwrap();
    let browser = bob.browser();
    assert_eq!(browser.sign_in("ada", PASSWORD).await.status(), 401, "home's ada is not asked for");
    assert_eq!(browser.sign_in("Ada@HOME", PASSWORD).await.status(), 200);
    assert_eq!(browser.status("/api/v1/audit").await, 403, "an admin at home is none here");
    assert_eq!(listed(&browser).await[0].id, film.id);
    assert_eq!(browser.status(&format!("/api/v1/libraries/{}", bob.library)).await, 404, "what Bob does not share");
    change_shares(&bob).await;
    assert_eq!(browser.status(&format!("/api/v1/libraries/{}", bob.library)).await, 200, "and what he does");
    home.stop().await;
    bob.stop().await;
}

async fn change_shares(bob: &TestNode) {
    let shares = FriendChange { libraries: Some(vec![bob.library.clone()]), ..FriendChange::default() };
    change(bob, "Home", shares).await;
}

#[tokio::test]
async fn what_an_account_may_not_see_at_home_it_does_not_see_at_the_stand_in() {
    let (home, bob, film) = standing_in().await;
    home.account("kid", Some(Vec::new())).await;
    until(bob.node(), || async {
        (bob.node().accounts().guests(&friend_named(&bob, "Home").await.id).len() == 3).then_some(())
    })
    .await;
    let kid = bob.signed_in("kid").await;
    assert!(listed(&kid).await.is_empty());
    assert_eq!(kid.status(&format!("/api/v1/items/{}", film.id)).await, 404);
    home.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn what_is_shared_with_homes_people_by_name_a_guest_of_that_name_sees_and_no_other() {
    let (home, bob, film) = standing_in().await;
    let only_for = |library: &str, names: &[&str]| FriendChange {
        libraries: Some(vec![library.to_owned()]),
        people: [(library.to_owned(), Some(names.iter().map(|name| (*name).to_owned()).collect()))].into(),
        ..FriendChange::default()
    };
    change(&bob, "Home", only_for(&bob.library, &["Anna"])).await;
    let anna = bob.signed_in("anna").await;
    let ada = bob.browser();
    assert_eq!(ada.sign_in("ada@home", PASSWORD).await.status(), 200);
    let library = format!("/api/v1/libraries/{}", bob.library);
    assert_eq!((anna.status(&library).await, ada.status(&library).await), (200, 404));
    // Of what home shares with some of Bob's people, guests are none.
    let bobs = bob.account("carl", None).await;
    change(&home, "Bob", only_for(&home.library, &["anna", "carl"])).await;
    until(bob.node(), || async { listed(&anna).await.is_empty().then_some(()) }).await;
    assert_eq!(anna.status(&format!("/api/v1/items/{}", film.id)).await, 404);
    let carl = bob.signed_in(&bobs.name).await;
    until(bob.node(), || async { listed(&carl).await.pop() }).await;
    assert_eq!(carl.status(&format!("/api/v1/items/{}/renditions", film.id)).await, 200);
    home.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn without_the_word_of_both_owners_nobody_signs_in_and_nothing_is_told_why() {
    let (home, bob, _) = linked().await;
    let refused = || async {
        let answer = bob.browser().sign_in("anna", PASSWORD).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let nobody = {
        let answer = bob.browser().sign_in("nobody", PASSWORD).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    choose(&home, true).await;
    let id = friend_named(&home, "Bob").await.id;
    let friends = home.node().friends().unwrap().clone();
    let problem = until(home.node(), || std::future::ready(friends.stand_in(&id).problem)).await;
    assert!(problem.contains("does not let your people sign in"), "{problem}");
    assert_eq!(refused().await, nobody);
    assert!(bob.node().accounts().guests(&friend_named(&bob, "Home").await.id).is_empty(), "nothing was told");
    allow(&bob, true).await;
    told(&home).await;
    bob.signed_in("anna").await;
    home.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn guests_are_signed_out_at_once_when_bob_hosts_them_no_more_or_home_takes_its_accounts_back() {
    let (home, bob, film) = standing_in().await;
    let guest = bob.signed_in("anna").await;
    let mut events = guest.get("/api/v1/events").send().await.unwrap();
    assert!(events.chunk().await.unwrap().is_some(), "a first comment");
    allow(&bob, false).await;
    while events.chunk().await.unwrap().is_some() {}
    assert_eq!(guest.status("/api/v1/account").await, 401);
    assert_eq!(bob.browser().sign_in("anna", PASSWORD).await.status(), 401);
    allow(&bob, true).await;
    assert_eq!(guest.status("/api/v1/account").await, 401, "a session that ended does not come back");
    let id = friend_named(&bob, "Home").await.id;
    let told_again = || bob.node().accounts().hosting(&id).filter(|hosting| !hosting.digest.is_empty());
    until(bob.node(), || std::future::ready(told_again())).await;
    let guest = bob.signed_in("anna").await;
    assert_eq!(watch(&guest, &film.id, 2.0).await, 204);
    choose(&home, false).await;
    until(bob.node(), || async { bob.node().accounts().guests(&id).is_empty().then_some(()) }).await;
    assert_eq!(guest.status("/api/v1/account").await, 401);
    reaches(&home, &home.signed_in("anna").await, &film.id, 2.0).await;
    home.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_revoked_friends_people_are_out_at_once() {
    let (home, bob, _) = standing_in().await;
    let guest = bob.signed_in("anna").await;
    bob.node().accounts().remove_friend(&friend_named(&bob, "Home").await.id).await.unwrap();
    assert_eq!(guest.status("/api/v1/account").await, 401);
    assert_eq!(bob.browser().sign_in("anna", PASSWORD).await.status(), 401);
    home.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_new_password_and_a_removed_account_reach_the_stand_in() {
    let (home, bob, _) = standing_in().await;
    let guest = bob.signed_in("anna").await;
    let refused = json!({"old": PASSWORD, "new": "set at the stand-in"});
    let answer = guest.request(Method::PUT, "/api/v1/account/password").json(&refused).send().await.unwrap();
    assert_eq!(answer.status(), 403, "a password is set at home");
    let anna = home.node().accounts().named("anna").unwrap();
    let new = AccountChange { password: Some("another one".to_owned()), ..AccountChange::default() };
    home.node().accounts().update(&anna.id, new, &Caller::local()).await.unwrap();
    until(bob.node(), || async { (guest.status("/api/v1/account").await == 401).then_some(()) }).await;
    assert_eq!(bob.browser().sign_in("anna", PASSWORD).await.status(), 401);
    let guest = bob.browser();
    assert_eq!(guest.sign_in("anna", "another one").await.status(), 200);
    home.node().accounts().remove(&anna.id).await.unwrap();
    until(bob.node(), || async { (guest.status("/api/v1/account").await == 401).then_some(()) }).await;
    assert_eq!(bob.browser().sign_in("anna", "another one").await.status(), 401);
    home.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_loses_no_position_that_the_other_node_had_heard_of() {
    for ahead in [DAY, -DAY] {
        let (home, bob, film) = standing_in_with(ahead).await;
        let (anna, guest) = (home.signed_in("anna").await, bob.signed_in("anna").await);
        assert_eq!(watch(&anna, &film.id, 1.0).await, 204);
        reaches(&bob, &guest, &film.id, 1.0).await;
        assert_eq!(watch(&guest, &film.id, 2.0).await, 204);
        reaches(&home, &anna, &film.id, 2.0).await;
        assert_eq!(watch(&anna, &film.id, 0.5).await, 204);
        reaches(&bob, &guest, &film.id, 0.5).await;
        assert_eq!(position(&anna, &film.id).await, Some(0.5), "nothing older came back");
        home.stop().await;
        bob.stop().await;
    }
}

/// The keys that a node seals with.
fn seals(node: &TestNode) -> Seals {
    let key = NodeKey::read(&node.data().join("node.key")).unwrap();
    Seals::new(&key.secret().unwrap()).unwrap()
}

/// Brings something sealed to Bob's node, as the node with this key.
async fn bring(bob: &TestNode, node: &str, sealed: &Sealed) -> u16 {
    let caller = bob.node().accounts().by_endpoint(node, [127, 0, 0, 1].into());
    let body = Body::new(Full::from(serde_json::to_vec(sealed).unwrap()).map_err(|never| match never {}));
    let request = http::Request::post("/api/v1/stand-in").header("content-type", "application/json");
    NodeRouter::local(bob.node().clone()).respond(caller, request.body(body).unwrap()).await.status().as_u16()
}

#[tokio::test]
async fn old_replayed_forged_and_impossible_accounts_are_refused_and_none_takes_over_one_of_ours() {
    let (home, bob, _) = standing_in().await;
    let (home_id, bob_id, keys) = (home.node().id().to_owned(), bob.node().id().to_owned(), seals(&home));
    let people = serde_json::to_value(home.node().accounts().residents()).unwrap();
    home.stop().await;
    let friend = friend_named(&bob, "Home").await.id;
    let known = bob.node().accounts().hosting(&friend).unwrap().revision;
    let told = |revision: i64, people: &Value| {
        let parcel = json!({"accounts": {"revision": revision, "people": people}, "facts": [], "next": 0});
        keys.seal(&bob_id, seals(&bob).sealing_key(), &serde_json::to_vec(&parcel).unwrap()).unwrap()
    };
    for old in [known, known - 1, 0] {
        assert_eq!(bring(&bob, &home_id, &told(old, &people)).await, 409, "revision {old}");
    }
    let ada = bob.node().accounts().named("ada").unwrap();
    let anna = people.as_array().unwrap().iter().find(|one| one["name"] == "anna").unwrap().clone();
    let mut eve = anna.clone();
    (eve["id"], eve["name"]) = (json!(ada.id), json!("eve"));
    let taken = told(known + 1, &json!([eve]));
    let other = Sealed { content: taken.content.replacen(&taken.content[..1], "_", 1), ..taken.clone() };
    assert_eq!(bring(&bob, &home_id, &other).await, 403, "changed on the way");
    let carl = NewFriend { name: "Carl".into(), endpoint: "carlsnode".into(), addresses: vec![] };
    bob.node().accounts().add_friend(carl).await.unwrap();
    assert_eq!(bring(&bob, "carlsnode", &taken).await, 403, "brought by another friend");
    assert_eq!(bring(&bob, "nobody", &taken).await, 401);
    for (what, value) in [
        ("id", json!("no uuid")),
        ("name", json!("a:b")),
        ("password", json!("$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")),
        ("password", json!("")),
    ] {
        let mut wrong = anna.clone();
        wrong[what] = value;
        assert_eq!(bring(&bob, &home_id, &told(known + 1, &json!([wrong]))).await, 400, "{what}");
    }
    bob.signed_in("anna").await;
    assert_eq!(bring(&bob, &home_id, &taken).await, 200);
    assert_eq!(bring(&bob, &home_id, &taken).await, 409, "once");
    assert_eq!(bob.node().accounts().get(&ada.id).unwrap(), ada);
    let guest = bob.signed_in("eve").await;
    let account: Value = guest.get("/api/v1/account").send().await.unwrap().json().await.unwrap();
    assert_ne!(account["id"], json!(ada.id));
    assert_eq!(bob.browser().sign_in("anna", PASSWORD).await.status(), 401, "who is not told any more is gone");
    bob.stop().await;
}

/// Hands requests to the router of a node in this process; answers may get lost.
struct Line {
    /// Nobody where the line is cut: what is stopped is not held.
    to: Arc<Mutex<Option<Node>>>,
    from: String,
    lost: Arc<AtomicBool>,
}

impl Dial for Line {
    fn request(
        &self,
        _: &Friend,
        request: http::Request<Body>,
    ) -> BoxFuture<'static, Result<http::Response<Body>, DialError>> {
        let Some(to) = self.to.lock().clone() else {
            return async { Err(DialError("the line is cut".to_owned())) }.boxed();
        };
        let caller = to.accounts().by_endpoint(&self.from, [127, 0, 0, 1].into());
        let answer = NodeRouter::local(to).respond(caller, request);
        let lost = Arc::clone(&self.lost);
        async move {
            let answer = answer.await;
            if lost.load(Ordering::Relaxed) { Err(DialError("the line broke".to_owned())) } else { Ok(answer) }
        }
        .boxed()
    }
}

/// Lets a node reach the other until the line is cut.
fn lay(from: &TestNode, to: &TestNode) -> (Arc<Mutex<Option<Node>>>, Arc<AtomicBool>) {
    let (to, lost) = (Arc::new(Mutex::new(Some(to.node().clone()))), Arc::new(AtomicBool::new(false)));
    let line = Line { to: Arc::clone(&to), from: from.node().id().to_owned(), lost: Arc::clone(&lost) };
    from.node().start_friends(options(), Arc::new(line)).unwrap();
    (to, lost)
}

#[tokio::test]
async fn what_was_answered_is_kept_where_answers_are_lost_and_either_node_ends_in_between() {
    let (home, bob) = (TestNode::start(&[film()]).await, TestNode::start(&[]).await);
    let film = home.imported().await.remove(0).id;
    home.account("anna", None).await;
    for (node, name, key) in [(&home, "Bob", bob.node().id()), (&bob, "Home", home.node().id())] {
        let new = NewFriend { name: name.to_owned(), endpoint: key.to_owned(), addresses: vec![] };
        node.node().accounts().add_friend(new).await.unwrap();
    }
    change(&home, "Bob", FriendChange { libraries: Some(vec![home.library.clone()]), ..FriendChange::default() }).await;
    let ((there, lost), (back, _)) = (lay(&home, &bob), lay(&bob, &home));
    allow(&bob, true).await;
    choose(&home, true).await;
    told(&home).await;
    let guest = bob.signed_in("anna").await;
    until(bob.node(), || async { listed(&guest).await.pop() }).await;
    lost.store(true, Ordering::Relaxed);
    let anna = home.signed_in("anna").await;
    assert_eq!(watch(&anna, &film, 1.0).await, 204);
    known_at(&bob, &film, 1.0).await;
    for line in [there, back] {
        line.lock().take();
    }
    let dead = home.halt().await;
    assert_eq!(watch(&guest, &film, 2.0).await, 204);
    let bob = bob.restart().await;
    let home = dead.wake(|_| {}).await;
    let _lines = (lay(&bob, &home), lay(&home, &bob));
    let anna = home.signed_in("anna").await;
    reaches(&home, &anna, &film, 2.0).await;
    told(&home).await;
    let friend = friend_named(&bob, "Home").await.id;
    let known = bob.node().catalog().facts(bob.node().accounts().guests(&friend), 0, 500).await.unwrap().facts;
    assert_eq!(known.len(), 1, "told twice, known once");
    home.stop().await;
    bob.stop().await;
}
