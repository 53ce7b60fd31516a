//! Ann keeps films of Bob's and Carl's on her disk: whole nodes, some of them over iroh, with friends that lie, edit, and go away.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use potluck::facades::native::model::{ItemPage, ItemSummary, Replica, ReplicaState, Replicas};
use potluck::friends::Dial;
use potluck::friends::replicas::ReplicasOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::film;
use crate::harness::{Browser, TestNode, Wishes, links};
use crate::street::{Manner, Street, befriend, options, share, until};

const MIB: usize = 1024 * 1024;

/// Films that play, each of about so many MiB and none like another.
fn films(folder: &Path, sizes: &[(&str, usize)]) -> Vec<PathBuf> {
    let made = sizes.iter().zip(1u32..).map(|((name, mib), seed)| {
        let mut bytes = std::fs::read(film()).unwrap();
        let junk = (mib * MIB) as u32;
        bytes.extend_from_slice(&(junk + 8).to_be_bytes());
        bytes.extend_from_slice(b"free");
        bytes.extend((0..junk).map(|n| n.wrapping_mul(2_654_435_761).wrapping_add(seed << 20).to_be_bytes()[0]));
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    });
    made.collect()
}

fn quick(options: &mut ReplicasOptions) {
    options.retry = Duration::from_millis(50);
    options.look = Duration::from_millis(200);
    options.keep_watched = Duration::ZERO;
    options.flights = 4;
}

/// Ann, and her friends Bob and Carl. Bob has films; Carl has the first of them, or none.
struct Scene {
    ann: TestNode,
    bob: TestNode,
    carl: TestNode,
    street: Arc<Street>,
    ada: Browser,
    originals: Vec<PathBuf>,
    bob_is: String,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new(sizes: &[(&str, usize)], carl_has_one: bool, wish: impl FnOnce(&mut Wishes)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let originals = films(folder.path(), sizes);
        let ann = TestNode::with(&[], |wishes| {
            quick(&mut wishes.node.replicas);
            wish(wishes);
        })
        .await;
        let carls = if carl_has_one { &originals[..1] } else { &[] };
        let (bob, carl) = (TestNode::start(&originals).await, TestNode::start(carls).await);
        let (street, mut bob_is) = (Street::new("ann"), String::new());
        for (node, name, key) in [(&carl, "Carl", "carl"), (&bob, "Bob", "bob")] {
            node.imported().await;
            bob_is = befriend(&ann, name, key).await;
            share(node, &befriend(node, "Ann", "ann").await).await;
            street.set(key, node, Manner::Honest);
        }
        ann.node().start_friends(options(), Arc::clone(&street) as Arc<dyn Dial>).unwrap();
        let ada = ann.signed_in("ada").await;
        let scene = Self { ann, bob, carl, street, ada, originals, bob_is, _folder: folder };
        let shown = [(&scene.bob.library, sizes.len()), (&scene.carl.library, usize::from(carl_has_one))];
        for (library, count) in shown {
            let path = format!("/api/v1/items?library={library}");
            scene.until(|| async { (scene.items(&path).await.len() == count).then_some(()) }).await;
        }
        scene
    }

    async fn until<T, F: Future<Output = Option<T>>>(&self, look: impl Fn() -> F) -> T {
        until(&self.ann, look).await
    }

    async fn items(&self, path: &str) -> Vec<ItemSummary> {
        // A library that was not heard of yet is not there.
        let page = self.ada.get(path).send().await.unwrap().json::<ItemPage>().await;
        page.map(|page| page.items).unwrap_or_default()
    }

    /// What of Bob's is called so.
    async fn of_bob(&self, title: &str) -> ItemSummary {
        let path = format!("/api/v1/items?library={}", self.bob.library);
        self.items(&path).await.into_iter().find(|item| item.title == title).unwrap()
    }

    async fn keep(&self, rule: Value) -> Replica {
        let answer = self.ada.post("/api/v1/replicas").json(&rule).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    async fn change(&self, id: &str, change: Value) -> Replica {
        let answer =
            self.ada.request(Method::PATCH, &format!("/api/v1/replicas/{id}")).json(&change).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    async fn remove(&self, id: &str, files: bool) {
        let path = format!("/api/v1/replicas/{id}?files={files}");
        assert_eq!(self.ada.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    }

    async fn replicas(&self) -> Replicas {
        self.ada.get("/api/v1/replicas").send().await.unwrap().json().await.unwrap()
    }

    async fn rule(&self) -> Replica {
        self.replicas().await.rules.remove(0)
    }

    /// Waits until the only rule has all that it wants.
    async fn until_done(&self, items: u64) -> Replica {
        self.until(|| async {
            let rule = self.rule().await;
            (rule.state == ReplicaState::Done && rule.items == items).then_some(rule)
        })
        .await
    }

    /// Waits until the list holds as many items, all of them (with `own`) from this node's disk, or none.
    async fn until_listed(&self, count: usize, own: bool) -> Vec<ItemSummary> {
        self.until(|| async {
            let items = self.items("/api/v1/items").await;
            (items.len() == count && items.iter().all(|item| item.friend.is_none() == own)).then_some(items)
        })
        .await
    }

    /// Where replicas of Bob's are.
    fn folder(&self) -> PathBuf {
        self.ann.data().join("replicas/Bob/Films")
    }

    /// Names below that.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder())
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.retain(|name| name.contains(".mp4"));
        names.sort();
        names
    }

    fn is_kept(&self, original: usize, name: &str) -> bool {
        std::fs::read(self.folder().join(name)).unwrap() == std::fs::read(&self.originals[original]).unwrap()
    }

    async fn stop(self) {
        for node in [self.ann, self.bob, self.carl] {
            node.stop().await;
        }
    }
}

async fn progress(browser: &Browser, item: &str) -> Value {
    browser.get(&format!("/api/v1/items/{item}")).send().await.unwrap().json::<Value>().await.unwrap()["progress"]
        .clone()
}

async fn watch(browser: &Browser, item: &str, position: f64, completed: bool) {
    let path = format!("/api/v1/items/{item}/progress");
    let body = json!({"position": position, "completed": completed});
    assert_eq!(browser.request(Method::PUT, &path).json(&body).send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_library_is_kept_from_all_who_have_it_and_plays_when_they_are_gone() {
    let scene = Scene::new(&[("One.mp4", 12), ("Two.mp4", 3)], true, |_| {}).await;
    scene.ann.account("kid", Some(vec![scene.bob.library.clone()])).await;
    let before = scene.until_listed(2, false).await;
    let one = before.iter().find(|item| item.title == "One").unwrap().id.clone();
    watch(&scene.ada, &one, 4.5, false).await;
    let rule = scene.keep(json!({"target": scene.bob.library})).await;
    assert_eq!((rule.title.as_str(), rule.items), ("Films", 2));
    let rule = scene.until_done(2).await;
    assert_eq!(rule.bytes_done, rule.bytes);
    let items = scene.until_listed(2, true).await;
    assert!(scene.is_kept(0, "One.mp4") && scene.is_kept(1, "Two.mp4"));
    assert_eq!(scene.files(), ["One.mp4", "Two.mp4"], "nothing is left beside them");
    assert!(scene.street.asked_of("bob") > 2 && scene.street.asked_of("carl") > 2, "both give");
    let asked = scene.street.asked();
    assert!(asked <= 13 + 1 + 4 + 1 + 2, "each block is asked for once: {asked}");
    for key in ["bob", "carl"] {
        scene.street.set(key, &scene.bob, Manner::Off);
    }
    let own = &items.iter().find(|item| item.title == "One").unwrap().id;
    assert_eq!(progress(&scene.ada, own).await, json!({"position": 4.5, "completed": false}));
    let file = scene.ada.get(&format!("/api/v1/items/{own}/file")).send().await.unwrap().bytes().await.unwrap();
    assert!(file == std::fs::read(&scene.originals[0]).unwrap());
    let kid = scene.ann.signed_in("kid").await;
    assert_eq!(kid.status(&format!("/api/v1/items/{own}/file")).await, 200, "who saw the friend's sees the replica");
    assert_eq!(
        scene.ann.node().accounts().friends()[0].libraries,
        Vec::<String>::new(),
        "nothing is shared on by itself"
    );
    scene.stop().await;
}

#[tokio::test]
async fn progress_goes_along_with_a_replica_that_comes_and_goes() {
    let scene = Scene::new(&[("One.mp4", 2)], false, |_| {}).await;
    let theirs = scene.until_listed(1, false).await.remove(0).id;
    watch(&scene.ada, &theirs, 3.0, false).await;
    let rule = scene.keep(json!({"target": theirs})).await;
    let own = scene.until_listed(1, true).await.remove(0).id;
    assert_eq!(progress(&scene.ada, &own).await["position"], 3.0);
    watch(&scene.ada, &own, 7.0, true).await;
    scene.remove(&rule.id, true).await;
    let again = scene.until_listed(1, false).await.remove(0);
    assert_eq!(again.id, theirs);
    assert_eq!(progress(&scene.ada, &theirs).await, json!({"position": 7.0, "completed": true}));
    assert!(scene.files().is_empty() && scene.replicas().await.rules.is_empty());
    scene.stop().await;
}

#[tokio::test]
async fn subtitles_that_lie_beside_a_film_come_and_go_with_its_replica() {
    let scene = Scene::new(&[("One.mp4", 1)], false, |_| {}).await;
    let srt = "1\n00:00:01,000 --> 00:00:02,000\nBonjour\n";
    std::fs::write(scene.bob.films().join("One.fr.forced.srt"), srt).unwrap();
    scene.bob.node().importer().scan(&scene.bob.library).await.unwrap();
    let browser = scene.bob.signed_in("ada").await;
    let subtitles = async |browser: &Browser, item: &str| {
        let answer = browser.get(&format!("/api/v1/items/{item}/subtitles")).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["tracks"].as_array().unwrap().clone()
    };
    let theirs = scene.of_bob("One").await.id;
    until(&scene.bob, || async { (subtitles(&browser, &theirs).await.len() == 1).then_some(()) }).await;
    let rule = scene.keep(json!({"target": scene.bob.library})).await;
    scene.until_done(1).await;
    let beside = scene.folder().join("One.fr.forced.vtt");
    assert!(std::fs::read_to_string(&beside).unwrap().contains("Bonjour"));
    let own = scene.until_listed(1, true).await.remove(0).id;
    let tracks = subtitles(&scene.ada, &own).await;
    assert_eq!((&tracks[0]["language"], &tracks[0]["forced"], tracks.len()), (&json!("fr"), &json!(true), 1));
    let text = scene.ada.get(tracks[0]["vtt"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("Bonjour"), "{text}");
    scene.remove(&rule.id, true).await;
    assert!(!beside.exists());
    scene.stop().await;
}

#[tokio::test]
async fn a_node_that_ended_in_the_middle_goes_on_where_it_was() {
    let scene = Scene::new(&[("One.mp4", 20)], false, |_| {}).await;
    scene.street.allowed.send_replace(9);
    scene.keep(json!({"target": scene.bob.library})).await;
    scene.until(|| async { (scene.replicas().await.current?.there >= 8 * MIB as u64).then_some(()) }).await;
    let part = scene.folder().join("One.mp4.part");
    assert!(part.exists() && !scene.folder().join("One.mp4").exists());
    let Scene { ann, bob, carl, street, originals, bob_is, _folder, .. } = scene;
    let ann = ann.restart_with(|options| quick(&mut options.replicas)).await;
    let under_way = street.asked() - 9;
    street.allowed.send_replace(u64::MAX);
    ann.node().start_friends(options(), Arc::clone(&street) as Arc<dyn Dial>).unwrap();
    let ada = ann.signed_in("ada").await;
    let scene = Scene { ann, bob, carl, street, ada, originals, bob_is, _folder };
    scene.until_done(1).await;
    assert!(scene.is_kept(0, "One.mp4") && !part.exists());
    let asked = scene.street.asked();
    assert!(asked <= 21 + 2 + under_way, "only what was under way is asked for again: {asked}");
    assert_eq!(
        scene.replicas().await.fetched,
        21 * MIB as u64 - 8 * MIB as u64 - (MIB as u64 - tail(&scene.originals[0]))
    );
    scene.stop().await;
}

/// Bytes of the last block of a file.
fn tail(path: &Path) -> u64 {
    path.metadata().unwrap().len() % MIB as u64
}

#[tokio::test]
async fn a_paused_rule_does_nothing_and_an_ended_one_leaves_ordinary_files() {
    let scene = Scene::new(&[("One.mp4", 8), ("Two.mp4", 2)], false, |_| {}).await;
    scene.street.allowed.send_replace(4);
    let rule = scene.keep(json!({"target": scene.bob.library})).await;
    scene.until(|| async { (scene.replicas().await.current?.there >= 2 * MIB as u64).then_some(()) }).await;
    assert_eq!(scene.change(&rule.id, json!({"paused": true})).await.state, ReplicaState::Paused);
    scene.until(|| async { scene.replicas().await.current.is_none().then_some(()) }).await;
    scene.street.allowed.send_replace(u64::MAX);
    assert_eq!(scene.files(), ["One.mp4.part"]);
    scene.change(&rule.id, json!({"paused": false})).await;
    scene.until_done(2).await;
    scene.until_listed(2, true).await;
    scene.remove(&rule.id, false).await;
    assert_eq!(scene.files(), ["One.mp4", "Two.mp4"]);
    scene.until_listed(2, true).await;
    // A new rule finds what is there already.
    let asked = scene.street.asked();
    scene.keep(json!({"target": scene.bob.library})).await;
    scene.until_done(2).await;
    assert_eq!((scene.street.asked(), scene.files().len()), (asked, 2));
    scene.stop().await;
}

#[tokio::test]
async fn a_quota_and_a_disk_that_are_full_let_in_what_fits_and_lose_nothing() {
    let scene = Scene::new(&[("One.mp4", 6), ("Two.mp4", 2), ("Xxx.mp4", 2)], false, |wishes| {
        wishes.node.replicas.quota = Some(6 * MIB as u64);
    })
    .await;
    scene.keep(json!({"target": scene.bob.library})).await;
    let rule = scene
        .until(|| async {
            let now = scene.rule().await;
            (now.items_done == 2).then_some(now)
        })
        .await;
    assert_eq!((rule.over_quota, rule.state), (1, ReplicaState::Waiting));
    assert_eq!(scene.files(), ["Two.mp4", "Xxx.mp4"]);
    assert!(scene.replicas().await.used <= 6 * MIB as u64);
    scene.stop().await;
    let full = Scene::new(&[("One.mp4", 2)], false, |wishes| wishes.node.replicas.spare = u64::MAX).await;
    full.keep(json!({"target": full.bob.library})).await;
    let problem = full.until(|| async { full.replicas().await.problem }).await;
    assert!(problem.contains("disk is full"), "{problem}");
    assert_eq!(full.rule().await.items_done, 0);
    full.stop().await;
}

#[tokio::test]
async fn a_friend_that_lies_is_not_believed_and_another_gives_the_rest() {
    let scene = Scene::new(&[("One.mp4", 6)], true, |_| {}).await;
    scene.street.set("bob", &scene.bob, Manner::Lies);
    scene.keep(json!({"target": scene.bob.library})).await;
    scene.until_done(1).await;
    assert!(scene.is_kept(0, "One.mp4"));
    assert!(!scene.ann.node().friends().unwrap().trusts(&scene.bob_is));
    scene.stop().await;
}

#[tokio::test]
async fn a_friend_that_goes_off_is_waited_for_and_says_so() {
    let scene = Scene::new(&[("One.mp4", 12)], false, |_| {}).await;
    scene.street.allowed.send_replace(3);
    scene.keep(json!({"target": scene.bob.library})).await;
    scene.until(|| async { (scene.replicas().await.current?.there >= 2 * MIB as u64).then_some(()) }).await;
    scene.street.set("bob", &scene.bob, Manner::Off);
    scene.street.allowed.send_replace(u64::MAX);
    // A change ends the question that is held back; the next one finds nobody.
    scene.bob.node().catalog().change_library(&scene.bob.library, Some("Pictures"), None).await.unwrap();
    scene.until(|| async { scene.rule().await.problem }).await;
    scene.street.set("bob", &scene.bob, Manner::Honest);
    scene.until_done(1).await;
    assert!(scene.is_kept(0, "One.mp4"));
    scene.stop().await;
}

#[tokio::test]
async fn what_a_friend_edits_renames_and_deletes_meanwhile_is_followed_and_nothing_is_lost() {
    let scene = Scene::new(&[("One.mp4", 8), ("Two.mp4", 1)], false, |_| {}).await;
    scene.street.allowed.send_replace(4);
    scene.keep(json!({"target": scene.bob.library})).await;
    scene.until(|| async { (scene.replicas().await.current?.there >= 3 * MIB as u64).then_some(()) }).await;
    // Renamed and edited while it is fetched: the new one is kept, and nothing of the old one.
    let (old, new) = (scene.bob.films().join("One.mp4"), scene.bob.films().join("Other.mp4"));
    let mut bytes = std::fs::read(&old).unwrap();
    let at = bytes.len() - 5;
    let edit = |bytes: &mut Vec<u8>| {
        bytes[at] = bytes[at].wrapping_add(1);
        std::fs::write(&new, bytes).unwrap();
    };
    edit(&mut bytes);
    std::fs::remove_file(&old).unwrap();
    scene.bob.node().importer().scan(&scene.bob.library).await.unwrap();
    let renamed =
        || async { scene.items("/api/v1/items").await.iter().any(|item| item.title == "Other").then_some(()) };
    scene.until(renamed).await;
    scene.street.allowed.send_replace(u64::MAX);
    scene.until_done(2).await;
    scene.until_listed(2, true).await;
    let kept = || std::fs::read(scene.folder().join("Other.mp4")).unwrap();
    scene.until(|| async { (scene.files() == ["Other.mp4", "Two.mp4"]).then_some(()) }).await;
    assert!(kept() == bytes);
    // Edited when it was whole: the old one is there until the new one is.
    let (before, asked) = (bytes.clone(), scene.street.asked());
    scene.street.allowed.send_replace(asked);
    edit(&mut bytes);
    scene.bob.node().importer().scan(&scene.bob.library).await.unwrap();
    scene.until(|| async { scene.replicas().await.current }).await;
    assert!(kept() == before);
    assert_eq!(scene.items("/api/v1/items").await.len(), 2, "it is one film all the time");
    scene.street.allowed.send_replace(u64::MAX);
    scene.until(|| async { (kept() == bytes).then_some(()) }).await;
    let blocks = scene.street.asked() - asked;
    assert!(blocks <= 4, "what is the same is not fetched again: {blocks}");
    // Deleted there: it stays here.
    scene.until_done(2).await;
    std::fs::remove_file(&new).unwrap();
    scene.bob.node().importer().scan(&scene.bob.library).await.unwrap();
    scene.until_done(1).await;
    assert!(kept() == bytes);
    scene.until_listed(2, true).await;
    scene.stop().await;
}

#[tokio::test]
async fn what_was_watched_is_not_kept_where_a_rule_says_so() {
    let scene = Scene::new(&[("One.mp4", 2), ("Two.mp4", 2)], false, |_| {}).await;
    watch(&scene.ada, &scene.of_bob("Two").await.id, 12.0, true).await;
    let choice = json!({"target": scene.bob.library, "policy": "unwatched"});
    assert_eq!(scene.keep(choice).await.account.as_deref(), Some("ada"));
    scene.until_done(1).await;
    let own = scene
        .until(|| async { scene.items("/api/v1/items").await.into_iter().find(|item| item.friend.is_none()) })
        .await;
    assert_eq!((own.title.as_str(), scene.files()), ("One", vec!["One.mp4".to_owned()]));
    watch(&scene.ada, &own.id, 12.0, true).await;
    scene.until(|| async { scene.files().is_empty().then_some(()) }).await;
    scene.until_listed(2, false).await;
    scene.stop().await;
}

#[tokio::test]
async fn copies_are_made_while_there_are_too_few_and_one_of_too_many_goes() {
    let scene = Scene::new(&[("One.mp4", 2), ("Two.mp4", 2)], true, |_| {}).await;
    let rule = scene.keep(json!({"target": scene.bob.library, "policy": "copies", "copies": 2})).await;
    assert_eq!(scene.until_done(1).await.copies, Some(2));
    scene
        .until(|| async {
            (scene.items("/api/v1/items").await.iter().filter(|item| item.friend.is_none()).count() == 1).then_some(())
        })
        .await;
    assert_eq!(scene.files(), ["Two.mp4"], "of the first there are two already");
    scene.change(&rule.id, json!({"policy": "copies", "copies": 3})).await;
    scene.until_done(2).await;
    scene.change(&rule.id, json!({"policy": "copies", "copies": 1})).await;
    scene.until(|| async { scene.files().is_empty().then_some(()) }).await;
    scene.until_listed(2, false).await;
    scene.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words() {
    let scene = Scene::new(&[("One.mp4", 1)], false, |_| {}).await;
    let library = scene.bob.library.clone();
    for (rule, status) in [
        (json!({"target": scene.ann.library}), 404),
        (json!({"target": "01890a5d-ac96-774b-bcce-b302099a8057"}), 404),
        (json!({"target": library, "policy": "copies"}), 400),
        (json!({"target": library, "policy": "copies", "copies": 0}), 400),
        (json!({"target": library, "policy": "some"}), 400),
        (json!({"target": library, "policy": "unwatched", "account": "nobody"}), 404),
        (json!({"target": library, "paused": true}), 201),
        (json!({"target": library}), 409),
    ] {
        let answer = scene.ada.post("/api/v1/replicas").json(&rule).send().await.unwrap();
        assert_eq!(answer.status(), status, "{rule}");
    }
    // It takes space on the owner's disk: nobody else decides that.
    scene.ann.account("kid", None).await;
    let (kid, rule) = (scene.ann.signed_in("kid").await, scene.rule().await.id);
    let path = format!("/api/v1/replicas/{rule}");
    for (method, path) in [
        (Method::GET, "/api/v1/replicas"),
        (Method::POST, "/api/v1/replicas"),
        (Method::PATCH, &path),
        (Method::DELETE, &path),
    ] {
        let body = json!({"target": library, "paused": false});
        let answer = kid.request(method.clone(), path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{method} {path}");
    }
    assert_eq!(scene.rule().await.state, ReplicaState::Paused);
    assert!(scene.files().is_empty());
    scene.stop().await;
}

#[tokio::test]
async fn a_film_is_kept_over_iroh() {
    let folder = tempfile::tempdir().unwrap();
    let originals = films(folder.path(), &[("One.mp4", 5)]);
    let bob = TestNode::with(&originals, |wishes| wishes.node.links = Some(links("bob's"))).await;
    let ann = TestNode::with(&[], |wishes| {
        quick(&mut wishes.node.replicas);
        wishes.node.links = Some(links("ann's"));
    })
    .await;
    bob.imported().await;
    let (ada, at_bobs) = (ann.signed_in("ada").await, bob.signed_in("ada").await);
    let made: Value =
        at_bobs.post("/api/v1/friends/invites").json(&json!({})).send().await.unwrap().json().await.unwrap();
    let accepted = ada.post("/api/v1/friends/accept").json(&json!({"code": made["code"]})).send().await.unwrap();
    assert_eq!(accepted.status(), 201);
    share(&bob, &bob.node().accounts().friends()[0].id).await;
    let item = until(&ann, || async {
        let page: ItemPage = ada.get("/api/v1/items").send().await.unwrap().json().await.unwrap();
        page.items.into_iter().next()
    })
    .await;
    let kept = ada.post("/api/v1/replicas").json(&json!({"target": item.id})).send().await.unwrap();
    assert_eq!(kept.status(), 201);
    until(&ann, || async {
        let all: Replicas = ada.get("/api/v1/replicas").send().await.unwrap().json().await.unwrap();
        (all.rules[0].state == ReplicaState::Done).then_some(())
    })
    .await;
    let path = ann.data().join("replicas/bob's/Films/One.mp4");
    assert!(std::fs::read(path).unwrap() == std::fs::read(&originals[0]).unwrap());
    ann.stop().await;
    bob.stop().await;
}
