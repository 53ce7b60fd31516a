//! Repairs over real links, with nodes that are killed in the middle of them, and a disk that is full.
use std::path::Path;

use futures_util::future::{Either, select};
use serde_json::{Value, json};

use crate::disk::{Disk, Growing};
use crate::far_node::{FarNode, film, link};
use crate::heal::damage;
use crate::internet::Internet;

const TITLE: &str = "The same film";
const MIB: usize = 1024 * 1024;
/// Of the film, with a block each.
const BLOCKS: usize = 24;

/// A node that has the film.
async fn holder(name: &'static str, net: &Internet) -> FarNode {
    let mut node = FarNode::new(name, net.street()).await;
    node.start().await;
    node.film(TITLE, BLOCKS).await;
    node
}

/// Every block of a file is wrong.
fn ruin(path: &Path) {
    let places: Vec<usize> = (0..BLOCKS).map(|block| block * MIB + 100).collect();
    damage(path, &places);
}

async fn until_synced(node: &FarNode, friends: &[&str]) {
    let item = node.item(TITLE).await;
    let path = format!("/api/v1/items/{}", item["id"].as_str().unwrap());
    let there = async || {
        let whole = node.get(&path).await;
        let sources = whole["sources"].as_array().cloned().unwrap_or_default();
        let online =
            |name: &&str| sources.iter().any(|s| s["friend"]["name"] == **name && s["friend"]["online"] == true);
        friends.iter().all(online).then_some(())
    };
    node.until(&format!("knew that {friends:?} hold the film"), there).await;
}

async fn verify(node: &FarNode) -> Value {
    let item = node.item(TITLE).await;
    node.json("POST", &format!("/api/v1/items/{}/verify", item["id"].as_str().unwrap()), Value::Null).await
}

/// What is put together beside a damaged file.
fn beside(file: &Path) -> Growing {
    let name = format!(".{}.potluck-mend", file.file_name().unwrap().to_str().unwrap());
    Growing::at(file.with_file_name(name), film(TITLE, BLOCKS))
}

#[tokio::test]
async fn a_repair_survives_the_end_of_the_node_and_of_one_that_gives_blocks() {
    let Some(net) = Internet::new() else { return };
    let (mut ann, mut bob, carl) = (holder("ann", &net).await, holder("bob", &net).await, holder("carl", &net).await);
    for friend in [&bob, &carl] {
        link(friend, &ann).await;
        // Slow enough for somebody to die meanwhile.
        friend.change_friend("ann", json!({"upload_rate": 12_000_000})).await;
    }
    until_synced(&ann, &["bob", "carl"]).await;
    let file = ann.films().join(format!("{TITLE}.mp4"));
    let mut beside = beside(&file);
    ruin(&file);
    let ruined = std::fs::read(&file).unwrap();

    match select(Box::pin(verify(&ann)), Box::pin(beside.until(2))).await {
        Either::Left((verdict, _)) => panic!("it was too quick to die in the middle: {verdict}"),
        Either::Right(_) => (),
    }
    ann.kill().await;
    let kept = beside.right();
    assert!((2..BLOCKS).contains(&kept), "{kept}");
    assert!(std::fs::read(&file).unwrap() == ruined, "the damaged file is as it was");

    ann.start().await;
    until_synced(&ann, &["bob", "carl"]).await;
    let verdict = {
        let mut repair = Box::pin(verify(&ann));
        match select(&mut repair, Box::pin(beside.until(kept + 2))).await {
            Either::Left((verdict, _)) => panic!("it was too quick for somebody to die in the middle: {verdict}"),
            Either::Right(_) => (),
        }
        bob.kill().await;
        repair.await
    };
    assert_eq!(verdict["healed"]["blocks"], BLOCKS, "{verdict}");
    assert!(verdict["healed"]["friends"].as_array().unwrap().contains(&"carl".into()), "{verdict}");
    assert!(std::fs::read(&file).unwrap() == film(TITLE, BLOCKS));
    assert!(!beside.path.exists(), "nothing is left beside it");
    // What Bob had under way when he died came again from Carl.
    let most = (BLOCKS - kept + 8) * MIB;
    let received = ann.received().await;
    assert!(received < most as u64, "{received} bytes: what was there was not fetched again");
}

#[tokio::test]
async fn a_repair_on_a_full_disk_says_so_and_works_when_there_is_room() {
    let Some(net) = Internet::new() else { return };
    let mut ann = FarNode::new("ann", net.street()).await;
    let _disk = Disk::mount(&ann.films(), 2 * BLOCKS + 8);
    ann.start().await;
    let file = ann.film(TITLE, BLOCKS).await;
    let bob = holder("bob", &net).await;
    link(&bob, &ann).await;
    until_synced(&ann, &["bob"]).await;
    let ballast = ann.films().join("ballast");
    std::fs::write(&ballast, vec![1; 16 * MIB]).unwrap();
    let mut beside = beside(&file);
    ruin(&file);
    let ruined = std::fs::read(&file).unwrap();

    let verdict = verify(&ann).await;
    let problem = verdict["problem"].as_str().unwrap();
    assert!(problem.contains("cannot be written beside") && problem.contains("No space left"), "{problem}");
    assert!(std::fs::read(&file).unwrap() == ruined, "the damaged file is as it was");
    // Whoever met the damage at the same time tries as well, and gives up as well: the disk is not kept full.
    beside.until_gone().await;

    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(verify(&ann).await["healed"]["blocks"], BLOCKS);
    assert!(std::fs::read(&file).unwrap() == film(TITLE, BLOCKS));
}
