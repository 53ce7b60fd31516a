//! Links that rest: a node that may keep one awake, and its three friends, each a whole node on loopback.
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, Empty};
use potluck::accounts::Friend;
use potluck::exchange::Body;
use potluck::exchange::iroh::Iroh;
use potluck::facades::native::model::{self, FriendState};
use potluck::friends::links::{INVITE_TIME, Links, Presence};
use potluck::friends::{FriendsError, FriendsOptions};
use potluck::node::Node;

use crate::harness::{TestNode, Wishes, links};
use crate::street::{share, until as until_told};

const NAMES: [&str; 3] = ["bob", "carol", "dan"];
/// Answered with what is new, for which it waits.
const QUESTION: &str = "/api/v1/changes?people=true&wait=25&since=";

/// Nobody loses time, and nobody asks without a reason.
fn options() -> FriendsOptions {
    FriendsOptions {
        quiet: Duration::from_millis(1),
        retry_first: Duration::from_millis(20),
        retry_last: Duration::from_millis(50),
        ..FriendsOptions::default()
    }
}

fn called(name: &str, awake_max: usize, friends: FriendsOptions) -> impl FnOnce(&mut Wishes) {
    let mut links = links(name);
    links.iroh.dial_time = Duration::from_secs(2);
    (links.awake_max, links.unused) = (awake_max, Duration::from_millis(50));
    move |wishes| (wishes.node.links, wishes.node.friends) = (Some(links), friends)
}

/// Ann, who keeps one link awake, and her friends, who have one friend each.
async fn street(ann: FriendsOptions) -> (TestNode, Vec<TestNode>) {
    let ann = TestNode::with(&[], called("ann", 1, ann)).await;
    let mut friends = Vec::new();
    for name in NAMES {
        let friend = TestNode::with(&[], called(name, 256, options())).await;
        let code = links_of(&ann).invite(Some(name), INVITE_TIME).await.unwrap().code;
        links_of(&friend).accept(&code, Some("ann")).await.unwrap();
        friends.push(friend);
    }
    (ann, friends)
}

fn links_of(node: &TestNode) -> &Links {
    node.node().links().unwrap()
}

fn friend(node: &TestNode, name: &str) -> Friend {
    node.node().accounts().friends().into_iter().find(|friend| friend.name == name).unwrap()
}

fn presence(node: &TestNode, name: &str) -> Presence {
    links_of(node).presence(&friend(node, name))
}

fn rests(node: &TestNode, name: &str) -> bool {
    presence(node, name) == Presence::Resting
}

/// Waits until links of a node are as wanted.
async fn until(node: &TestNode, wanted: impl Fn(&Iroh<potluck::accounts::Caller>) -> bool) {
    let iroh = links_of(node).iroh();
    let mut changed = iroh.changed();
    while !wanted(iroh) {
        changed.changed().await.unwrap();
    }
}

/// Waits until all but one of Ann's links rest, each with nothing more to tell.
async fn settled(ann: &TestNode, friends: &[TestNode]) {
    for name in NAMES {
        until_told(ann, || async { is_there(ann.node(), &friend(ann, name).id).then_some(()) }).await;
    }
    for node in friends {
        until_told(node, || async { is_there(node.node(), &friend(node, "ann").id).then_some(()) }).await;
    }
    until(ann, |_| NAMES.iter().filter(|name| rests(ann, name)).count() == 2).await;
}

fn is_there(node: &Node, friend: &str) -> bool {
    let state = node.friends().unwrap().state(friend);
    state.online && state.synced
}

fn get(path: &str) -> http::Request<Body> {
    http::Request::get(path).body(Body::new(Empty::<Bytes>::new().map_err(|never| match never {}))).unwrap()
}

/// A friend whose link rests, by its place in [`NAMES`].
fn sleeper(ann: &TestNode) -> usize {
    NAMES.iter().position(|name| rests(ann, name)).unwrap()
}

/// At once, so that nobody dials whoever is stopped already.
async fn stop_all(ann: TestNode, friends: Vec<TestNode>) {
    futures_util::future::join_all(friends.into_iter().chain([ann]).map(TestNode::stop)).await;
}

#[tokio::test]
async fn friends_whose_links_rest_are_shown_as_there_on_both_sides() {
    let (ann, friends) = street(options()).await;
    settled(&ann, &friends).await;
    for (name, node) in NAMES.iter().zip(&friends) {
        let rests = rests(&ann, name);
        until(node, |_| matches!(presence(node, "ann"), Presence::Resting) == rests).await;
        assert!(is_there(ann.node(), &friend(&ann, name).id), "{name} is there for Ann");
        assert!(is_there(node.node(), &friend(node, "ann").id), "Ann is there for {name}");
    }
    let listed: Vec<model::Friend> =
        ann.signed_in("ada").await.get("/api/v1/friends").send().await.unwrap().json().await.unwrap();
    let count = |state| listed.iter().filter(|friend| friend.state == state).count();
    assert_eq!((count(FriendState::Resting), count(FriendState::Online)), (2, 1));
    assert_eq!(links_of(&ann).iroh().state().connections, 1);
    stop_all(ann, friends).await;
}

#[tokio::test]
async fn a_request_to_a_friend_whose_link_rests_is_answered_from_either_side() {
    let (ann, friends) = street(options()).await;
    settled(&ann, &friends).await;
    let name = NAMES[sleeper(&ann)];
    let answer = links_of(&ann).send(&friend(&ann, name), get("/api/v1/libraries")).await.unwrap();
    assert_eq!(answer.status(), 200);
    settled(&ann, &friends).await;
    let node = &friends[sleeper(&ann)];
    let answer = links_of(node).send(&friend(node, "ann"), get("/api/v1/libraries")).await.unwrap();
    assert_eq!(answer.status(), 200);
    stop_all(ann, friends).await;
}

#[tokio::test]
async fn what_a_friend_whose_link_rests_shares_shows_up_and_the_other_way_round() {
    let (ann, friends) = street(options()).await;
    settled(&ann, &friends).await;
    let number = sleeper(&ann);
    let (bob, name) = (&friends[number], NAMES[number]);
    let id = friend(&ann, name).id;
    until(bob, |_| rests(bob, "ann")).await;
    share(bob, &friend(bob, "ann").id).await;
    until_told(&ann, || async { ann.node().catalog().library(&bob.library).await.ok() }).await;

    settled(&ann, &friends).await;
    share(&ann, &id).await;
    until_told(bob, || async { bob.node().catalog().library(&ann.library).await.ok() }).await;
    stop_all(ann, friends).await;
}

#[tokio::test]
async fn a_friend_that_is_revoked_while_its_link_rests_is_never_woken_and_gets_nothing() {
    let (ann, friends) = street(options()).await;
    settled(&ann, &friends).await;
    let number = sleeper(&ann);
    let (revoked, node) = (friend(&ann, NAMES[number]), &friends[number]);
    until(node, |_| rests(node, "ann")).await;
    ann.node().accounts().remove_friend(&revoked.id).await.unwrap();
    until(&ann, |iroh| !iroh.rests(&revoked.endpoint)).await;
    let asked = ann.node().friends().unwrap().ask(&revoked.id, get("/api/v1/libraries"), 1000).await;
    assert!(matches!(asked, Err(FriendsError::Unlinked)));
    share(node, &friend(node, "ann").id).await;
    until(node, |iroh| iroh.link(ann.node().id()).is_some()).await;
    let answer = links_of(node).send(&friend(node, "ann"), get("/api/v1/libraries")).await.unwrap();
    assert_eq!(answer.status(), 401, "whoever wakes it is a stranger");
    assert!(ann.node().catalog().library(&node.library).await.is_err());
    stop_all(ann, friends).await;
}

#[tokio::test]
async fn a_friend_that_went_away_while_its_link_rested_is_away_after_a_request_and_there_when_it_is_back() {
    let (ann, mut friends) = street(options()).await;
    settled(&ann, &friends).await;
    let number = sleeper(&ann);
    let known = friend(&ann, NAMES[number]);
    let halted = friends.remove(number).halt().await;
    assert!(rests(&ann, NAMES[number]) && is_there(ann.node(), &known.id), "nothing tells of it");
    let asked = ann.node().friends().unwrap().ask(&known.id, get("/api/v1/libraries"), 1000).await;
    assert!(matches!(asked, Err(FriendsError::Off { .. })));
    assert!(matches!(presence(&ann, NAMES[number]), Presence::Off(_)));
    until_told(&ann, || async { (!is_there(ann.node(), &known.id)).then_some(()) }).await;

    friends.insert(number, halted.wake(|options| options.friends = self::options()).await);
    until_told(&ann, || async { is_there(ann.node(), &known.id).then_some(()) }).await;
    stop_all(ann, friends).await;
}

#[tokio::test]
async fn friends_whose_links_rest_are_asked_now_and_then_and_those_that_went_away_show_it() {
    let looks =
        FriendsOptions { quiet_max: Duration::from_millis(100), rest_max: Duration::from_millis(300), ..options() };
    let (ann, mut friends) = street(looks).await;
    until(&ann, |_| NAMES.iter().any(|name| rests(&ann, name))).await;
    let number = sleeper(&ann);
    let known = friend(&ann, NAMES[number]);
    friends.remove(number).stop().await;
    until_told(&ann, || async { (!is_there(ann.node(), &known.id)).then_some(()) }).await;
    until(&ann, |_| matches!(presence(&ann, NAMES[number]), Presence::Off(_))).await;
    stop_all(ann, friends).await;
}

#[tokio::test]
async fn links_that_are_used_do_not_rest_however_many_they_are() {
    let (ann, friends) = street(options()).await;
    settled(&ann, &friends).await;
    let asks: Vec<_> = friends[..2]
        .iter()
        .map(|node| {
            let known = friend(node, "ann");
            async move {
                let since = node.node().catalog().friend_cursor(&known.id).await.unwrap();
                links_of(node).send(&known, get(&format!("{QUESTION}{since}"))).await
            }
        })
        .collect();
    let mut asking = Box::pin(futures_util::future::join_all(asks));
    let linked = || NAMES[..2].iter().all(|name| matches!(presence(&ann, name), Presence::Online(_)));
    let both = async {
        until(&ann, |_| linked() && rests(&ann, "dan")).await;
        // Dan comes again, and goes: by then the other two were unused for longer than he.
        links_of(&ann).send(&friend(&ann, "dan"), get("/api/v1/libraries")).await.unwrap();
        until(&ann, |_| rests(&ann, "dan")).await;
        assert!(linked());
        assert!(links_of(&ann).iroh().idle().is_empty(), "a question is held open on each");
    };
    tokio::select! {
        () = both => {}
        _ = &mut asking => panic!("nothing was new"),
    }
    assert!((&mut asking).now_or_never().is_none());
    drop(asking);
    until(&ann, |_| NAMES.iter().filter(|name| rests(&ann, name)).count() == 2).await;
    stop_all(ann, friends).await;
}
