//! Sounds over HTTP: sent while they are made, shared, given up, kept with ranges, limited.
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use potluck::catalog::LibraryKind;
use potluck::media::MediaState;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::fixtures::{clip, film, media_options};
use crate::harness::{Browser, TestNode, Wishes};
use crate::sound::{decoded, tone};
use crate::transcode::{Watched, the_worker};

/// A tone of two hours: a worker is at it while a test does something else.
fn long() -> PathBuf {
    clip("long.flac", &["-f", "lavfi", "-i", "sine=duration=7200:sample_rate=8000", "-c:a", "flac"])
}

fn song() -> PathBuf {
    tone("song.flac", 44_100, "stereo", &["-c:a", "flac"])
}

async fn music(files: &[PathBuf], wish: impl FnOnce(&mut Wishes)) -> TestNode {
    let wish = |wishes: &mut Wishes| {
        wishes.kind = LibraryKind::Music;
        wish(wishes);
    };
    TestNode::with(files, wish).await
}

struct Scene {
    node: TestNode,
    ada: Browser,
    /// The address of the item's sound.
    sound: String,
}

impl Scene {
    /// Of a piece of music.
    async fn of(file: PathBuf) -> Self {
        Self::wishing(file, |_| {}).await
    }

    /// The same of a node with other settings.
    async fn wishing(file: PathBuf, wish: impl FnOnce(&mut Wishes)) -> Self {
        Self::with(music(&[file], wish).await).await
    }

    async fn with(node: TestNode) -> Self {
        let item = node.imported().await.remove(0);
        let ada = node.signed_in("ada").await;
        // The worker that looks for devices shall not be taken for one of ours.
        while node.node().playback().devices().is_empty() {
            tokio::task::yield_now().await;
        }
        Self { sound: format!("/api/v1/items/{}/sound", item.id), node, ada }
    }

    async fn get(&self, query: &str) -> Response {
        self.ada.get(&format!("{}?{query}", self.sound)).send().await.unwrap()
    }

    async fn part(&self, query: &str, range: &str) -> Response {
        self.ada.get(&format!("{}?{query}", self.sound)).header("range", range).send().await.unwrap()
    }

    fn state(&self) -> MediaState {
        self.node.node().media().state()
    }

    /// Waits until so many sounds are made.
    async fn sounding(&self, count: usize) {
        let wait = async {
            while self.state().sounding != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("{:?}", self.state()));
    }

    fn cached(&self) -> u64 {
        self.node.node().playback().cache().bytes
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_sound_is_sent_as_it_is_made_and_kept_with_ranges_also_for_the_next_process() {
    let scene = Scene::of(song()).await;
    for (format, kind) in [("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("aac", "audio/aac")] {
        let query = format!("format={format}&bitrate=96");
        let coming = scene.part(&query, "bytes=100-199").await;
        assert_eq!(coming.status(), 200, "what is being made has no parts");
        assert_eq!((header(&coming, "accept-ranges"), header(&coming, "content-type")), (Some("none"), Some(kind)));
        assert_eq!((header(&coming, "content-length"), header(&coming, "etag")), (None, None));
        assert_eq!(header(&coming, "x-content-duration"), Some("21.000"));
        let made = coming.bytes().await.unwrap();
        let kept = scene.get(&query).await;
        assert_eq!((kept.status(), header(&kept, "accept-ranges")), (StatusCode::OK, Some("bytes")));
        assert_eq!(kept.content_length(), Some(made.len() as u64));
        assert_eq!(kept.bytes().await.unwrap(), made);
    }
    assert!(scene.cached() > 0);
    let scene = Scene::with(scene.node.restart().await).await;
    let kept = scene.get("format=opus&bitrate=96").await;
    assert_eq!(header(&kept, "accept-ranges"), Some("bytes"), "it outlives the process");
    scene.node.stop().await;
}

#[tokio::test]
async fn parts_of_what_is_kept_are_as_rfc_9110_says() {
    let scene = Scene::of(song()).await;
    let whole = scene.get("bitrate=64").await.bytes().await.unwrap();
    let size = whole.len();
    let part = scene.part("bitrate=64", "bytes=100-199").await;
    assert_eq!(part.status(), 206);
    assert_eq!(header(&part, "content-range"), Some(format!("bytes 100-199/{size}").as_str()));
    let tag = header(&part, "etag").unwrap().to_owned();
    assert_eq!(part.bytes().await.unwrap(), whole.slice(100..200));
    let tail = scene.part("bitrate=64", &format!("bytes={}-", size - 7)).await;
    assert_eq!(tail.bytes().await.unwrap(), whole.slice(size - 7..));
    let beyond = scene.part("bitrate=64", &format!("bytes={size}-")).await;
    assert_eq!(beyond.status(), 416);
    assert_eq!(header(&beyond, "content-range"), Some(format!("bytes */{size}").as_str()));
    let known = scene.ada.get(&format!("{}?bitrate=64", scene.sound)).header("if-none-match", &tag);
    assert_eq!(known.send().await.unwrap().status(), 304);
    for (if_range, status) in [(tag.as_str(), 206), ("\"other\"", 200)] {
        let asked = scene.ada.get(&format!("{}?bitrate=64", scene.sound));
        let answer = asked.header("range", "bytes=0-9").header("if-range", if_range).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
    let head = scene.ada.request(Method::HEAD, &format!("{}?bitrate=64", scene.sound)).send().await.unwrap();
    assert_eq!(header(&head, "content-length"), Some(size.to_string().as_str()));
    scene.node.stop().await;
}

#[tokio::test]
async fn a_kept_sound_that_the_disk_changed_is_made_again() {
    let scene = Scene::of(song()).await;
    let made = scene.get("bitrate=64").await.bytes().await.unwrap();
    let folder = scene.node.data().join("renditions");
    let halted = scene.node.halt().await;
    let files = || walkdir::WalkDir::new(&folder).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
    let kept = files().next().unwrap().into_path();
    let mut bytes = std::fs::read(&kept).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&kept, bytes).unwrap();
    let scene = Scene::with(halted.wake(|_| {}).await).await;
    let again = scene.get("bitrate=64").await;
    assert_eq!(header(&again, "accept-ranges"), Some("none"));
    assert_eq!(again.bytes().await.unwrap(), made);
    scene.node.stop().await;
}

#[tokio::test]
async fn head_starts_nothing() {
    let watched = Watched::new(the_worker());
    let program = watched.program();
    let scene = Scene::wishing(song(), |wishes| wishes.node.media.worker = program).await;
    let before = watched.ids();
    let head = scene.ada.request(Method::HEAD, &scene.sound).send().await.unwrap();
    assert_eq!((head.status(), header(&head, "content-type")), (StatusCode::OK, Some("audio/mpeg")));
    assert_eq!((header(&head, "accept-ranges"), header(&head, "content-length")), (Some("none"), None));
    assert_eq!(watched.ids(), before);
    scene.get("").await.bytes().await.unwrap();
    assert_eq!(watched.ids().len(), before.len() + 1, "GET does");
    scene.node.stop().await;
}

#[tokio::test]
async fn the_length_that_is_told_is_true_to_the_byte() {
    let scene = Scene::of(song()).await;
    for query in ["bitrate=128&length=true", "bitrate=192&length=true&offset=7.25"] {
        let coming = scene.get(query).await;
        assert_eq!(header(&coming, "accept-ranges"), Some("none"));
        let told = coming.content_length().unwrap();
        assert_eq!(coming.bytes().await.unwrap().len() as u64, told, "{query}");
    }
    let coming = scene.get("format=opus&length=true").await;
    assert_eq!(header(&coming, "content-length"), None, "nobody knows that of Opus");
    scene.node.stop().await;
}

#[tokio::test]
async fn what_begins_in_the_middle_is_not_kept() {
    let scene = Scene::of(song()).await;
    for _ in 0..2 {
        let coming = scene.get("format=opus&offset=20").await;
        assert_eq!(header(&coming, "accept-ranges"), Some("none"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.opus");
        std::fs::write(&path, coming.bytes().await.unwrap()).unwrap();
        assert!(decoded(&path, 2)[0].len().abs_diff(48_000) < 1000);
    }
    assert_eq!(scene.cached(), 0);
    let left: Vec<_> = walkdir::WalkDir::new(scene.node.data().join("renditions")).min_depth(1).into_iter().collect();
    assert!(left.is_empty(), "{left:?}");
    scene.node.stop().await;
}

#[tokio::test]
async fn two_listeners_share_a_worker_and_get_the_same_bytes_and_one_may_leave() {
    let scene = Scene::of(long()).await;
    let mut first = scene.get("bitrate=320").await;
    let mut second = scene.get("bitrate=320").await;
    assert_eq!(scene.state().sounding, 1);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    while one.len() < 500_000 || two.len() < 500_000 {
        one.extend_from_slice(&first.chunk().await.unwrap().unwrap());
        two.extend_from_slice(&second.chunk().await.unwrap().unwrap());
    }
    assert!(one[..500_000] == two[..500_000]);
    drop(first);
    while two.len() < 2_000_000 {
        two.extend_from_slice(&second.chunk().await.unwrap().unwrap());
    }
    assert_eq!(scene.state().sounding, 1);
    drop(second);
    scene.sounding(0).await;
    assert_eq!(scene.state().failures, 0);
    scene.node.stop().await;
}

#[tokio::test]
async fn a_listener_who_leaves_alone_ends_the_worker_and_nothing_is_kept() {
    let watched = Watched::new(the_worker());
    let program = watched.program();
    let scene = Scene::wishing(long(), |wishes| wishes.node.media.worker = program).await;
    let mut coming = scene.get("format=aac").await;
    coming.chunk().await.unwrap().unwrap();
    let worker = std::path::Path::new("/proc").join(watched.ids().pop().unwrap());
    assert!(scene.state().sounding == 1 && worker.exists());
    drop(coming);
    scene.sounding(0).await;
    assert!(!worker.exists());
    assert_eq!(scene.cached(), 0);
    let again = scene.get("format=aac").await;
    assert_eq!(again.status(), 200, "whoever comes back hears it from the beginning");
    drop(again);
    scene.node.stop().await;
}

#[tokio::test]
async fn nobody_gets_all_places_and_with_none_left_the_answer_says_when_to_come_back() {
    let node = music(&[long()], |wishes| wishes.node.media.sounds = 2).await;
    node.account("ben", None).await;
    let scene = Scene::with(node).await;
    let mut own = scene.get("bitrate=64").await;
    own.chunk().await.unwrap().unwrap();
    let refused = scene.get("bitrate=96").await;
    assert_eq!((refused.status(), header(&refused, "retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("5")));
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "busy");
    let ben = scene.node.signed_in("ben").await;
    let ask = |query: &str| ben.get(&format!("{}?{query}", scene.sound)).send();
    let shared = ask("bitrate=64").await.unwrap();
    assert_eq!((shared.status(), scene.state().sounding), (StatusCode::OK, 1), "to listen along takes no place");
    let mut other = ask("bitrate=128").await.unwrap();
    other.chunk().await.unwrap().unwrap();
    assert_eq!(scene.state().sounding, 2);
    scene.node.account("cat", None).await;
    let cat = scene.node.signed_in("cat").await;
    assert_eq!(cat.status(&format!("{}?bitrate=160", scene.sound)).await, 429);
    drop(other);
    assert_eq!(cat.get(&format!("{}?bitrate=160", scene.sound)).send().await.unwrap().status(), 200);
    drop((own, shared));
    scene.node.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_killed_ends_the_answer_and_the_next_one_is_whole() {
    let watched = Watched::new(the_worker());
    let program = watched.program();
    let node = music(&[long()], |wishes| wishes.node.media.worker = program).await;
    let scene = Scene::with(node).await;
    let mut coming = scene.get("bitrate=32&length=true").await;
    coming.chunk().await.unwrap().unwrap();
    let worker = watched.ids().pop().unwrap();
    assert!(Command::new("kill").args(["-9", &worker]).status().unwrap().success());
    let broken = loop {
        match coming.chunk().await {
            Ok(Some(_)) => (),
            other => break other,
        }
    };
    assert!(broken.is_err(), "a part is not taken for the whole");
    assert_eq!((scene.cached(), scene.state().failures), (0, 1));
    let again = scene.get("bitrate=32&offset=7190&length=true").await;
    let told = again.content_length().unwrap();
    assert_eq!(again.bytes().await.unwrap().len() as u64, told);
    scene.node.stop().await;
}

#[tokio::test]
async fn what_does_not_fit_the_quota_is_heard_and_not_kept() {
    let node = music(&[song()], |wishes| wishes.node.playback.disk_cache_bytes = 100_000).await;
    let scene = Scene::with(node).await;
    for _ in 0..2 {
        let coming = scene.get("bitrate=128").await;
        assert_eq!(header(&coming, "accept-ranges"), Some("none"));
        assert!(coming.bytes().await.unwrap().len() > 300_000);
    }
    assert_eq!(scene.cached(), 0);
    assert!(scene.node.node().playback().cache().problem.unwrap().contains("quota"));
    scene.node.stop().await;
}

#[tokio::test]
async fn a_limit_of_the_account_counts_for_sounds() {
    let scene = Scene::of(song()).await;
    let change = potluck::accounts::AccountChange { max_bit_rate: Some(Some(100_000)), ..Default::default() };
    let (accounts, local) = (scene.node.node().accounts(), potluck::accounts::Caller::local());
    let ben = scene.node.account("ben", None).await;
    accounts.update(&ben.id, change, &local).await.unwrap();
    let ben = scene.node.signed_in("ben").await;
    let made = ben.get(&format!("{}?bitrate=320", scene.sound)).send().await.unwrap().bytes().await.unwrap();
    assert!((made.len() as u64 * 8 / 21).abs_diff(96_000) < 1000);
    scene.node.stop().await;
}

#[tokio::test]
async fn questions_that_mean_nothing_and_files_without_sound_are_refused() {
    let silent = clip("silent.mp4", &["-i", "{film}", "-an", "-c", "copy"]);
    let scene = Scene::with(TestNode::start(&[silent]).await).await;
    for query in ["format=wma", "bitrate=0", "bitrate=x", "offset=-1", "offset=NaN", "offset=12.1", "length=maybe"] {
        assert_eq!(scene.get(query).await.status(), 400, "{query}");
    }
    let answer = scene.get("format=mp3").await;
    assert_eq!(answer.status(), 415);
    assert_eq!(answer.json::<Value>().await.unwrap()["message"], "there is no sound in this file");
    scene.node.stop().await;
}

#[tokio::test]
async fn a_node_stops_while_sounds_are_made() {
    let scene = Scene::of(long()).await;
    let mut coming = scene.get("bitrate=64").await;
    coming.chunk().await.unwrap().unwrap();
    let media = scene.node.node().media().clone();
    scene.node.stop().await;
    assert_eq!((media.state().sounding, media.state().running), (0, 0));
    assert!(media_options().sounds >= 4);
}

#[tokio::test]
async fn films_have_sound_too() {
    let scene = Scene::with(TestNode::start(&[film()]).await).await;
    assert!(scene.get("bitrate=64").await.bytes().await.unwrap().len().abs_diff(96_000) < 2000);
    scene.node.stop().await;
}
