//! Links that rest, between nodes as processes with networks between them that hide and lose.
use std::time::Duration;

use crate::far_node::{FarNode, film, link};
use crate::internet::{Internet, PORT, Router};

/// No event tells that a link rests, because for people nothing is different.
const LOOK: Duration = Duration::from_millis(50);

async fn state(node: &FarNode, friend: &str) -> String {
    node.friend(friend).await["state"].as_str().unwrap_or_default().to_owned()
}

/// Looks until there is an answer.
async fn seen<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let mut looks = tokio::time::interval(LOOK);
    let found = async {
        loop {
            looks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(120), found).await.unwrap_or_else(|_| panic!("never {what}"))
}

async fn seen_as(node: &FarNode, friend: &str, wanted: &str) {
    seen(&format!("{friend} {wanted}"), async || (state(node, friend).await == wanted).then_some(())).await;
}

/// Of two friends, of which one rests and the other does not, the one that does.
async fn sleeper(node: &FarNode, friends: &[FarNode; 2]) -> usize {
    seen("a link that rests", async || {
        let states = [state(node, friends[0].name).await, state(node, friends[1].name).await];
        match [states[0].as_str(), states[1].as_str()] {
            ["resting", "online"] => Some(0),
            ["online", "resting"] => Some(1),
            _ => None,
        }
    })
    .await
}

async fn reads(node: &FarNode, title: &str) {
    assert!(node.read(&node.item(title).await).await == film(title, 1), "{} reads {title}", node.name);
}

#[tokio::test]
async fn friends_behind_nat_whose_links_rest_make_them_anew_and_one_that_cannot_be_woken_keeps_its_link() {
    let Some(net) = Internet::new() else { return };
    let (forwards, closed) = (net.home(Router::Forwards), [net.home(Router::Closed), net.home(Router::Closed)]);
    let outside = format!("{}:{PORT}", forwards.address());
    let ann = FarNode::new("ann", forwards).await.set("POTLUCK_FRIENDS__PUBLIC_ADDRESSES", outside);
    let ann = ann.set("POTLUCK_FRIENDS__LINKS_AWAKE", "1").running().await;
    let [bobs, carols] = closed;
    let mut friends =
        [FarNode::new("bob", bobs).await.running().await, FarNode::new("carol", carols).await.running().await];
    for friend in &friends {
        link(&ann, friend).await;
        ann.item(&format!("Film of {}", friend.name)).await;
        friend.item("Film of ann").await;
    }

    let sleeps = &friends[sleeper(&ann, &friends).await];
    seen_as(sleeps, "ann", "resting").await;
    reads(sleeps, "Film of ann").await;
    let sleeps = &friends[sleeper(&ann, &friends).await];
    reads(&ann, &format!("Film of {}", sleeps.name)).await;

    // The way back through its router was open still. Without it, Ann sees that she cannot dial it, and keeps the link that it makes.
    let at = sleeper(&ann, &friends).await;
    friends[at].place.renumber();
    let (sleeps, other) = (&friends[at], &friends[1 - at]);
    let path =
        format!("/api/v1/items/{}/file", ann.item(&format!("Film of {}", sleeps.name)).await["id"].as_str().unwrap());
    assert_eq!(ann.call("GET", &path, serde_json::Value::Null).await.0, 503);
    assert_eq!(state(&ann, sleeps.name).await, "off");
    reads(sleeps, "Film of ann").await;
    seen_as(&ann, sleeps.name, "online").await;
    seen_as(&ann, other.name, "resting").await;
    reads(&ann, &format!("Film of {}", sleeps.name)).await;
}

#[tokio::test]
async fn a_friend_that_was_not_told_that_its_link_rests_learns_it_with_its_next_word() {
    let Some(net) = Internet::new() else { return };
    let ann = FarNode::new("ann", net.street()).await.set("POTLUCK_FRIENDS__LINKS_AWAKE", "1").running().await;
    let friends = [
        FarNode::new("bob", net.street()).await.running().await,
        FarNode::new("carol", net.street()).await.running().await,
    ];
    for friend in &friends {
        link(&ann, friend).await;
        friend.item("Film of ann").await;
    }
    sleeper(&ann, &friends).await;
    for friend in &friends {
        reads(friend, "Film of ann").await;
        net.cut(&friend.place);
    }
    let sleeps = &friends[sleeper(&ann, &friends).await];
    assert_eq!(state(sleeps, "ann").await, "online", "{} was not told", sleeps.name);
    friends.iter().for_each(|friend| net.mend(&friend.place));
    seen(&format!("{} saw it", sleeps.name), async || {
        assert_eq!(state(&ann, sleeps.name).await, "resting", "nobody dialed for it");
        (state(sleeps, "ann").await == "resting").then_some(())
    })
    .await;
    reads(sleeps, "Film of ann").await;
}
