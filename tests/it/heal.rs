//! A damaged file is found and repaired from friends who hold the same: two and three real nodes, honest and not.
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use potluck::catalog::ItemState;
use potluck::facades::native::model::{ItemSummary, Verdict};
use potluck::friends::Dial;
use potluck::node::ScrubOptions;
use serde_json::Value;

use crate::harness::{Browser, TestNode};
use crate::street::{Manner, Street, befriend, options, share};

/// A film of several blocks: one that plays, and after it bytes that no player reads.
pub fn long_film(folder: &Path, name: &str) -> PathBuf {
    let mut bytes = std::fs::read(crate::fixtures::film()).unwrap();
    let junk = 5 * 1024 * 1024u32;
    bytes.extend_from_slice(&(junk + 8).to_be_bytes());
    bytes.extend_from_slice(b"free");
    bytes.extend((0..junk).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]));
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Flips a bit at each of these places; size and time stay.
pub fn damage(path: &Path, places: &[usize]) {
    let modified = path.metadata().unwrap().modified().unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    for place in places {
        bytes[*place] ^= 1;
    }
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(&bytes).unwrap();
    file.set_times(std::fs::FileTimes::new().set_modified(modified)).unwrap();
}

async fn item_of(node: &TestNode) -> ItemSummary {
    node.imported().await.into_iter().find(|item| item.friend.is_none()).unwrap()
}

async fn verify(browser: &Browser, item: &str) -> Verdict {
    browser.post(&format!("/api/v1/items/{item}/verify")).send().await.unwrap().json().await.unwrap()
}

/// Waits until a node knows of as many friends that hold a file.
pub async fn until_held(node: &TestNode, cid: &str, holders: usize) {
    let root = potluck::content::cid::parse(cid).unwrap();
    let mut written = node.node().catalog().written();
    while node.node().catalog().friends_holding(&root).await.unwrap().len() < holders {
        written.changed().await.unwrap();
    }
}

/// Ann, whose film Bob and Carl have too, and how she reaches them.
struct Three {
    ann: TestNode,
    bob: TestNode,
    carl: TestNode,
    street: Arc<Street>,
    item: ItemSummary,
    film: PathBuf,
    right: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Three {
    async fn new(bob_is: Manner, carl_is: Manner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let film = long_film(folder.path(), "Film.mp4");
        let ann = TestNode::start(std::slice::from_ref(&film)).await;
        let (bob, carl) =
            (TestNode::start(std::slice::from_ref(&film)).await, TestNode::start(std::slice::from_ref(&film)).await);
        let item = item_of(&ann).await;
        let street = Street::new("ann");
        for (node, name, key, manner) in [(&bob, "Bob", "bob", bob_is), (&carl, "Carl", "carl", carl_is)] {
            node.imported().await;
            befriend(&ann, name, key).await;
            share(node, &befriend(node, "Ann", "ann").await).await;
            street.set(key, node, manner);
        }
        ann.node().start_friends(options(), Arc::clone(&street) as Arc<dyn Dial>).unwrap();
        let there = [bob_is, carl_is].iter().filter(|manner| **manner != Manner::Off).count();
        until_held(&ann, item.cid.as_ref().unwrap(), there).await;
        let right = std::fs::read(&film).unwrap();
        let film = ann.films().join("Film.mp4");
        Self { ann, bob, carl, street, item, film, right, _folder: folder }
    }

    fn beside(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.ann.films()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    async fn stop(self) {
        self.ann.stop().await;
        self.bob.stop().await;
        self.carl.stop().await;
    }
}

#[tokio::test]
async fn a_damaged_file_is_found_and_repaired_from_friends() {
    let three = Three::new(Manner::Honest, Manner::Honest).await;
    let ada = three.ann.signed_in("ada").await;
    std::fs::set_permissions(&three.film, std::fs::Permissions::from_mode(0o640)).unwrap();
    let before = three.film.metadata().unwrap();
    damage(&three.film, &[10, 2_000_000, 4_500_000]);
    let verdict = verify(&ada, &three.item.id).await;
    assert_eq!(verdict.problem, None);
    let healed = verdict.healed.unwrap();
    assert_eq!(healed.blocks, 3);
    assert!(healed.friends.iter().all(|name| name == "Bob" || name == "Carl") && !healed.friends.is_empty());
    assert_eq!(std::fs::read(&three.film).unwrap(), three.right);
    let after = three.film.metadata().unwrap();
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
    assert_eq!(after.permissions(), before.permissions());
    assert_eq!(three.beside(), ["Film.mp4"], "nothing is left beside it");
    let status: Value = ada.get("/api/v1/status").send().await.unwrap().json().await.unwrap();
    assert_eq!((&status["scrub"]["healed_files"], &status["totals"]["damaged"]), (&1.into(), &0.into()));
    assert!(status["alerts"].to_string().contains("was damaged (3 blocks) and was repaired from"), "{status}");
    let again = verify(&ada, &three.item.id).await;
    assert!(again.problem.is_none() && again.healed.is_none());
    assert_eq!(three.street.asked(), 3, "no block is asked for but the damaged ones");
    three.stop().await;
}

#[tokio::test]
async fn a_friend_that_lies_is_not_believed_and_is_named() {
    let three = Three::new(Manner::Lies, Manner::Honest).await;
    let ada = three.ann.signed_in("ada").await;
    damage(&three.film, &[10, 1_500_000, 2_500_000, 3_500_000]);
    let healed = verify(&ada, &three.item.id).await.healed.unwrap();
    assert_eq!((healed.blocks, healed.friends), (4, vec!["Carl".to_owned()]));
    assert_eq!(std::fs::read(&three.film).unwrap(), three.right);
    let status: Value = ada.get("/api/v1/status").send().await.unwrap().json().await.unwrap();
    assert!(status["alerts"].to_string().contains("The node of Bob misbehaved: it sent other bytes"), "{status}");
    three.stop().await;
}

#[tokio::test]
async fn a_file_that_nobody_can_repair_stays_as_it_is_until_a_friend_is_back() {
    let three = Three::new(Manner::Lies, Manner::Off).await;
    let ada = three.ann.signed_in("ada").await;
    damage(&three.film, &[10, 2_000_000]);
    let wrong = std::fs::read(&three.film).unwrap();
    let verdict = verify(&ada, &three.item.id).await;
    assert!(verdict.problem.unwrap().contains("2 of the 2 damaged blocks") && verdict.healed.is_none());
    assert_eq!(std::fs::read(&three.film).unwrap(), wrong);
    assert_eq!(three.beside(), ["Film.mp4"]);
    let root = potluck::content::cid::parse(three.item.cid.as_ref().unwrap()).unwrap();
    let mut written = three.ann.node().catalog().written();
    let state = || async { three.ann.node().catalog().known_by_cid(&root).await.unwrap()[0].state };
    while state().await != ItemState::Damaged {
        written.changed().await.unwrap();
    }
    three.street.set("carl", &three.carl, Manner::Honest);
    while state().await != ItemState::Present {
        written.changed().await.unwrap();
    }
    assert_eq!(std::fs::read(&three.film).unwrap(), three.right);
    three.stop().await;
}

#[tokio::test]
async fn a_repair_that_was_killed_goes_on_and_a_copy_here_is_asked_first() {
    let three = Three::new(Manner::Honest, Manner::Honest).await;
    let ada = three.ann.signed_in("ada").await;
    damage(&three.film, &[10, 2_000_000]);
    // What a process that ended in the middle left: its first block is right, the rest is not there.
    std::fs::write(three.ann.films().join(".Film.mp4.potluck-mend"), &three.right[..1024 * 1024]).unwrap();
    assert_eq!(verify(&ada, &three.item.id).await.healed.unwrap().blocks, 2);
    assert_eq!(three.street.asked(), 1, "what was fetched is not fetched again");
    assert_eq!(std::fs::read(&three.film).unwrap(), three.right);
    let copy = three.ann.films().join("Copy.mp4");
    std::fs::write(&copy, &three.right).unwrap();
    let mut events = three.ann.node().events();
    three.ann.node().importer().scan(&three.ann.library).await.unwrap();
    let root = potluck::content::cid::parse(three.item.cid.as_ref().unwrap()).unwrap();
    while three.ann.node().catalog().known_by_cid(&root).await.unwrap().len() < 2 {
        events.recv().await.unwrap();
    }
    damage(&three.film, &[3_000_000]);
    let healed = verify(&ada, &three.item.id).await.healed.unwrap();
    assert_eq!((healed.blocks, healed.friends.len()), (1, 0));
    assert_eq!(std::fs::read(&three.film).unwrap(), three.right);
    three.stop().await;
}

#[tokio::test]
async fn a_file_that_its_owner_changed_is_not_changed_back() {
    let three = Three::new(Manner::Honest, Manner::Honest).await;
    let ada = three.ann.signed_in("ada").await;
    let mut edited = three.right.clone();
    edited[2_000_000] ^= 1;
    std::fs::write(&three.film, &edited).unwrap();
    let verdict = verify(&ada, &three.item.id).await;
    assert!(verdict.problem.is_some() && verdict.healed.is_none());
    assert_eq!(std::fs::read(&three.film).unwrap(), edited);
    assert_eq!(three.street.asked(), 0);
    three.stop().await;
}

#[tokio::test]
async fn damage_that_is_met_is_repaired_in_the_middle_of_a_pass_that_takes_days() {
    let folder = tempfile::tempdir().unwrap();
    let film = long_film(folder.path(), "Film.mp4");
    let copy = folder.path().join("Copy.mp4");
    std::fs::copy(&film, &copy).unwrap();
    let right = std::fs::read(&film).unwrap();
    let node = TestNode::start(&[film, copy]).await;
    let item = node.imported().await.remove(0);
    let pace = potluck::blocks::Pace { bytes_per_second: Some(1) };
    let slow = ScrubOptions { every: Some(std::time::Duration::ZERO), pace, ..ScrubOptions::default() };
    let node = node.restart_with(|options| options.scrub = slow).await;
    while node.node().scrub().current.is_none() {
        tokio::task::yield_now().await;
    }
    let files = ["Film.mp4", "Copy.mp4"].map(|name| node.films().join(name));
    damage(&files[0], &[2_000_000]);
    damage(&files[1], &[4_500_000]);
    let mut written = node.node().catalog().written();
    let ada = node.signed_in("ada").await;
    let path = format!("/api/v1/items/{}/verify", item.id);
    let progress: Value = ada.get(&path).send().await.unwrap().json().await.unwrap();
    assert!(progress["bytes"].as_u64().is_some_and(|bytes| bytes < right.len() as u64), "{progress}");
    // Whichever of the two it is read from, its damage is met.
    assert_eq!(ada.status(&format!("/ipfs/{}?format=raw", item.cid.as_ref().unwrap())).await, 200);
    assert_eq!(ada.get(&format!("/ipfs/{}", item.cid.unwrap())).send().await.unwrap().bytes().await.unwrap(), right);
    while files.iter().all(|file| std::fs::read(file).unwrap() != right) {
        written.changed().await.unwrap();
    }
    assert!(node.node().scrub().current.is_some(), "the pass goes on");
    node.stop().await;
}

async fn segments(browser: &Browser, item: &str) -> (u16, Value) {
    let list = browser.get(&format!("/api/v1/items/{item}/renditions")).send().await.unwrap();
    let rendition = list.json::<Value>().await.unwrap()["renditions"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/items/{item}/renditions/{rendition}/segments?from=0&count=32");
    let answer = browser.get(&path).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn no_segment_is_made_of_bytes_that_the_disk_changed() {
    let three = Three::new(Manner::Off, Manner::Honest).await;
    let (ada, other) = (three.ann.signed_in("ada").await, three.carl.signed_in("ada").await);
    let film = crate::fixtures::film().metadata().unwrap().len();
    damage(&three.film, &[usize::try_from(film / 2).unwrap()]);
    assert_eq!(segments(&ada, &three.item.id).await.0, 503);
    assert_eq!(verify(&ada, &three.item.id).await.problem, None);
    let (right, now) = (segments(&other, &item_of(&three.carl).await.id).await, segments(&ada, &three.item.id).await);
    assert_eq!((now.0, now.1), (200, right.1));
    three.stop().await;
}
