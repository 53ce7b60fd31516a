//! Replicas over real links: nodes that are killed while one is fetched, a disk that is full, and files that change meanwhile.
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::disk::{Disk, Growing};
use crate::far_node::{FarNode, film, link};
use crate::internet::Internet;

const TITLE: &str = "Long film";
const MIB: usize = 1024 * 1024;
/// Of the film, with a block each.
const BLOCKS: usize = 24;

/// Ann's node, which does not run yet and puts replicas into a folder of its own.
async fn keeper(net: &Internet) -> FarNode {
    let ann = FarNode::new("ann", net.street()).await;
    let folder = copies(&ann);
    std::fs::create_dir(&folder).unwrap();
    ann.set("POTLUCK_REPLICAS__FOLDER", folder.to_str().unwrap()).set("POTLUCK_REPLICAS__SPARE_GIB", "0")
}

/// Bob's node. It shares a film with Ann's, that comes slowly enough for somebody to die meanwhile.
async fn owner(net: &Internet, ann: &FarNode) -> FarNode {
    let mut bob = FarNode::new("bob", net.street()).await;
    bob.start().await;
    bob.film(TITLE, BLOCKS).await;
    link(&bob, ann).await;
    bob.change_friend("ann", json!({"upload_rate": 16_000_000})).await;
    bob
}

async fn linked(net: &Internet) -> (FarNode, FarNode) {
    let mut ann = keeper(net).await;
    ann.start().await;
    let bob = owner(net, &ann).await;
    (ann, bob)
}

fn copies(node: &FarNode) -> PathBuf {
    node.data().with_file_name("copies")
}

/// Where the replica of a film lies.
fn replica(node: &FarNode, title: &str) -> PathBuf {
    copies(node).join(format!("bob/Films/{title}.mp4"))
}

/// Has all of Bob's films kept; what comes of the long one is watched.
async fn keep(ann: &FarNode, bob: &FarNode) -> Growing {
    ann.item(TITLE).await;
    let folder = replica(ann, TITLE).parent().unwrap().to_owned();
    std::fs::create_dir_all(&folder).unwrap();
    let growing = Growing::at(folder.join(format!("{TITLE}.mp4.part")), film(TITLE, BLOCKS));
    ann.json("POST", "/api/v1/replicas", json!({"target": bob.library})).await;
    growing
}

async fn rule(ann: &FarNode) -> Value {
    ann.get("/api/v1/replicas").await["rules"][0].take()
}

async fn until_done(ann: &FarNode, items: u64) {
    let done = async || {
        let rule = rule(ann).await;
        (rule["state"] == "done" && rule["items"] == items).then_some(())
    };
    ann.until("kept all", done).await;
}

fn is(path: &Path, bytes: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|kept| kept == bytes)
}

#[tokio::test]
async fn a_replica_survives_the_end_of_its_node_and_of_the_friends_and_fetches_nothing_twice() {
    let Some(net) = Internet::new() else { return };
    let (mut ann, mut bob) = linked(&net).await;
    let mut part = keep(&ann, &bob).await;
    part.until(3).await;
    ann.kill().await;
    let kept = part.right();
    assert!((3..BLOCKS).contains(&kept), "{kept}: in the middle");
    assert!(!replica(&ann, TITLE).exists(), "what is not whole has not its name");

    ann.start().await;
    part.until(kept + 3).await;
    bob.kill().await;
    let waits = async || {
        let rule = rule(&ann).await;
        rule["problem"].is_string().then(|| rule["bytes_done"].as_u64().unwrap())
    };
    let told = ann.until("missed Bob", waits).await;
    assert!(told >= ((kept + 3) * MIB) as u64, "{told} bytes: what is there is told also while nobody gives more");
    let kept_later = part.right();
    assert!((kept..BLOCKS).contains(&kept_later), "{kept_later}: in the middle");
    bob.start().await;
    until_done(&ann, 1).await;
    assert!(is(&replica(&ann, TITLE), &film(TITLE, BLOCKS)));
    // Sixteen at most were under way when Bob died.
    let most = (BLOCKS - kept + 16 + 1) * MIB;
    let received = ann.received().await;
    assert!(received < most as u64, "{received} bytes with {kept} blocks there: what was there was not fetched again");
}

#[tokio::test]
async fn a_replica_on_a_full_disk_says_so_and_goes_on_when_there_is_room() {
    let Some(net) = Internet::new() else { return };
    let mut ann = keeper(&net).await;
    let _disk = Disk::mount(&copies(&ann), BLOCKS + 2);
    ann.start().await;
    let bob = owner(&net, &ann).await;
    bob.change_friend("ann", json!({"upload_rate": null})).await;
    let ballast = copies(&ann).join("ballast");
    std::fs::write(&ballast, vec![1; 12 * MIB]).unwrap();
    let part = keep(&ann, &bob).await;

    let problem = async || rule(&ann).await["problem"].as_str().map(str::to_owned);
    assert_eq!(ann.until("was out of space", problem).await, "the disk is full");
    assert_eq!(ann.get("/api/v1/replicas").await["problem"], "the disk is full");
    let kept = part.right();
    assert!((2..BLOCKS).contains(&kept), "{kept}: in the middle, and kept");
    assert!(is(&ballast, &vec![1; 12 * MIB]), "nothing was removed for it");
    assert_eq!(ann.titles().await.len(), 1, "the friend's film is still listed");

    let before = ann.received().await;
    std::fs::remove_file(&ballast).unwrap();
    // What somebody does with the rule has it tried again at once.
    let path = format!("/api/v1/replicas/{}", rule(&ann).await["id"].as_str().unwrap());
    ann.json("PATCH", &path, json!({"paused": false})).await;
    until_done(&ann, 1).await;
    assert!(is(&replica(&ann, TITLE), &film(TITLE, BLOCKS)));
    assert_eq!(ann.get("/api/v1/replicas").await["problem"], Value::Null);
    let (received, most) = (ann.received().await - before, (BLOCKS - kept + 2) * MIB);
    assert!(received < most as u64, "{received} bytes with {kept} blocks there: what was there was not fetched again");
}

#[tokio::test]
async fn a_film_that_is_renamed_and_edited_over_there_while_it_is_fetched_is_kept_as_it_is_in_the_end() {
    let Some(net) = Internet::new() else { return };
    let (ann, bob) = linked(&net).await;
    let mut part = keep(&ann, &bob).await;
    part.until(3).await;
    let (old, new) = (bob.films().join(format!("{TITLE}.mp4")), bob.films().join("Other name.mp4"));
    std::fs::rename(&old, &new).unwrap();
    bob.scan().await;
    ann.item("Other name").await;
    let mut edited = film(TITLE, BLOCKS);
    let last = edited.len() - 5;
    edited[last] ^= 1;
    std::fs::write(&new, &edited).unwrap();
    bob.scan().await;
    bob.change_friend("ann", json!({"upload_rate": null})).await;
    let kept = async || {
        let files = std::fs::read_dir(copies(&ann).join("bob/Films")).unwrap().map(|entry| entry.unwrap().path());
        let films: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().contains(".mp4")).collect();
        matches!(&films[..], [one] if is(one, &edited)).then_some(())
    };
    ann.until("kept the edited film, and nothing else", kept).await;
    until_done(&ann, 1).await;
    assert_eq!(ann.titles().await.len(), 1, "it is one film all the time");
    // All of it once, what was under way when it changed, and the last block again.
    let received = ann.received().await;
    assert!(received < ((BLOCKS + 16 + 2) * MIB) as u64, "{received} bytes");
}

#[tokio::test]
async fn the_command_keeps_lists_pauses_and_ends_replicas_and_says_what_it_refuses() {
    let Some(net) = Internet::new() else { return };
    let (ann, bob) = linked(&net).await;
    let theirs = ann.item(TITLE).await;
    let replicate = async |arguments: &[&str]| ann.potluck(&[&["replicate"], arguments].concat()).await;
    for (arguments, reason) in [
        (&["eve"][..], "no friend named eve"),
        (&["bob", "Nothing"], "bob shares nothing that is called Nothing"),
        (&["bob", "Films", "--pause"], "that is not kept"),
        (&["bob", "--policy", "copies"], "copies"),
        (&["bob", "--policy", "unwatched", "--user", "nobody"], "no account of this name"),
    ] {
        let refused = replicate(arguments).await.unwrap_err();
        assert!(refused.contains(reason), "{arguments:?}: {refused}");
    }
    assert!(replicate(&["--list"]).await.unwrap().starts_with("0 B used"));

    let said = replicate(&["Bob"]).await.unwrap();
    assert!(said.contains("0/1 items"), "a friend's only library: {said}");
    let said = replicate(&["bob", "films", "--pause"]).await.unwrap();
    assert!(said.contains("paused"), "{said}");
    assert!(replicate(&["bob", "films", "--wait"]).await.unwrap_err().contains("Films is paused"));
    bob.change_friend("ann", json!({"upload_rate": null})).await;
    replicate(&["bob", "films", "--resume"]).await.unwrap();
    let said = replicate(&["bob", "films", "--wait"]).await.unwrap();
    assert!(said.contains("done") && said.contains("1/1 items"), "{said}");
    assert!(is(&replica(&ann, TITLE), &film(TITLE, BLOCKS)));
    let listed: Value = serde_json::from_str(&replicate(&["--list", "--json"]).await.unwrap()).unwrap();
    assert_eq!(
        (&listed["rules"][0]["state"], &listed["rules"][0]["target"]),
        (&"done".into(), &bob.library.as_str().into())
    );

    let said = replicate(&["bob", "films", "--remove"]).await.unwrap();
    assert!(said.contains("its files stay"), "{said}");
    assert!(is(&replica(&ann, TITLE), &film(TITLE, BLOCKS)));
    let before = ann.received().await;
    let said = replicate(&["bob", theirs["id"].as_str().unwrap(), "--wait"]).await.unwrap();
    assert!(said.contains("1/1 items"), "{said}");
    assert!(ann.received().await - before < MIB as u64, "what is there is not fetched again");
    replicate(&["bob", TITLE, "--remove", "--files"]).await.unwrap();
    assert!(is(&replica(&ann, TITLE), &film(TITLE, BLOCKS)), "an ordinary file since the rule that made it ended");
}
