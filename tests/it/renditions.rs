//! What a node does with films that browsers cannot play: decision, playlists, segments, limits, and the cache.
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use potluck::catalog::Visibility;
use potluck::facades::native::model::{
    ItemDetail, PlaybackMethod, PublishProgress, RenditionMethod, Renditions, Segment, Subtitles, ThumbnailState,
    Thumbnails,
};
use serde_json::{Value, json};

use crate::fixtures::{clip, film};
use crate::harness::{Browser, TestNode};

/// HEVC and AC-3 in Matroska, with a subtitle track: 12 s of 320 x 180.
fn foreign() -> PathBuf {
    // Written once: another test may be reading it.
    static TEXT: LazyLock<PathBuf> = LazyLock::new(|| {
        let text = film().with_file_name("unplayable.srt");
        std::fs::write(&text, "1\n00:00:01,000 --> 00:00:03,000\nHello & <i>good</i> evening\n").unwrap();
        text
    });
    let text = &*TEXT;
    clip(
        "unplayable.mkv",
        &[
            "-i",
            "{film}",
            "-i",
            text.to_str().unwrap(),
            "-map",
            "0:v",
            "-map",
            "0:a",
            "-map",
            "1",
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none:keyint=48",
            "-c:a",
            "ac3",
            "-ac",
            "6",
            "-c:s",
            "subrip",
            "-metadata:s:s",
            "language=eng",
        ],
    )
}

async fn json<T: serde::de::DeserializeOwned>(browser: &Browser, path: &str) -> T {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

async fn text(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn the_decision_follows_the_client_and_says_why() {
    let node = TestNode::start(&[foreign()]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let plain: ItemDetail = json(&ada, &item).await;
    let decision = plain.playback.unwrap();
    assert_eq!(decision.method, PlaybackMethod::Transcode);
    assert!(decision.reason.contains("HEVC") && decision.reason.contains("AC-3"), "{}", decision.reason);
    let half: ItemDetail = json(&ada, &format!("{item}?video=h264,hevc,vvc&audio=aac")).await;
    assert_eq!(half.playback.unwrap().method, PlaybackMethod::Audio);
    for (query, key) in
        [("channels=0", "channels"), ("channels=x", "channels"), ("height=-1", "height"), ("hdr=2", "hdr")]
    {
        for path in [item.clone(), format!("{item}/renditions"), format!("{item}/hls/master.m3u8")] {
            let answer = ada.get(&format!("{path}?{query}")).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{path}?{query}");
            let problem: Value = answer.json().await.unwrap();
            assert!(problem["message"].as_str().unwrap().contains(key), "{problem}");
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn the_playlist_of_a_transcoded_film_says_what_players_need() {
    let node = TestNode::start(&[foreign()]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    insta::assert_snapshot!(text(&ada, &format!("{item}/hls/master.m3u8?channels=6&video=h264")).await);
    insta::assert_snapshot!(text(&ada, &format!("{item}/hls/s2/index.m3u8")).await);
    let offered: Renditions = json(&ada, &format!("{item}/renditions")).await;
    let ids: Vec<_> = offered.renditions.iter().map(|r| (r.id.as_str(), r.method, r.init.is_none())).collect();
    assert_eq!(ids, [("v0-180", RenditionMethod::Transcode, true), ("a1-aac2", RenditionMethod::Transcode, true)]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ffmpeg_program_plays_a_transcoded_film_to_its_end() {
    let node = TestNode::start(&[foreign()]).await;
    let item = node.imported().await.remove(0);
    let ada = node.signed_in("ada").await;
    let made = ada.post("/api/v1/api-keys").json(&json!({"name": "player"})).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let header = format!("Authorization: Bearer {}", made["key"].as_str().unwrap());
    let url = format!("{}/api/v1/items/{}/hls/master.m3u8", node.url, item.id);
    let count = |stream: &'static str| {
        let (header, url) = (header.clone(), url.clone());
        tokio::task::spawn_blocking(move || {
            let arguments = ["-v", "error", "-headers", &header, "-count_frames", "-select_streams", stream];
            let shown = ["-show_entries", "stream=nb_read_frames,channels", "-of", "json", &url];
            let output = Command::new("ffprobe").args(arguments).args(shown).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice::<Value>(&output.stdout).unwrap()["streams"][0].clone()
        })
    };
    assert_eq!(count("v").await.unwrap()["nb_read_frames"], "288");
    let sound = count("a").await.unwrap();
    assert_eq!(sound["channels"], 2);
    let frames: u64 = sound["nb_read_frames"].as_str().unwrap().parse().unwrap();
    assert!((515..=530).contains(&frames), "{frames} frames of sound in 12 s at 44.1 kHz");
    node.stop().await;
}

#[tokio::test]
async fn high_dynamic_range_is_offered_to_who_shows_it_and_mapped_for_who_does_not() {
    let colours = "log-level=none:keyint=48:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc";
    let codec = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", colours];
    let bright = clip("bright.mkv", &[&["-i", "{film}", "-map", "0"][..], &codec, &["-c:a", "copy"]].concat());
    let node = TestNode::start(&[bright]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let ranges = async |query: &str| {
        let master = text(&ada, &format!("{item}/hls/master.m3u8?{query}")).await;
        let range = |line: &str| line.split_once("VIDEO-RANGE=").map(|(_, r)| r.split(',').next().unwrap().to_owned());
        let mut ranges: Vec<_> = master.lines().filter_map(range).collect();
        ranges.dedup();
        ranges
    };
    assert_eq!(ranges("video=h264&hdr=false").await, ["SDR"]);
    assert_eq!(ranges("video=h264,hevc,hevc10&hdr=true").await.first().map(String::as_str), Some("PQ"));
    assert_eq!(ranges("video=h264,hevc,hevc10&hdr=false").await, ["SDR"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn picture_subtitles_are_drawn_into_the_film_on_request() {
    let node = TestNode::start(&[crate::burn::subtitled("drawn.mkv", "copy")]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let listed: Subtitles = json(&ada, &format!("{item}/subtitles")).await;
    let burn = listed.tracks[0].burn.unwrap();
    let offered: Renditions = json(&ada, &format!("{item}/renditions?burn={burn}")).await;
    let rung = offered.renditions.iter().find(|r| r.method == RenditionMethod::Transcode).unwrap().id.clone();
    assert!(rung.ends_with(&format!("-b{burn}")), "{rung}");
    let plain: Renditions = json(&ada, &format!("{item}/renditions")).await;
    assert!(plain.renditions.iter().all(|r| !r.id.contains("-b")), "without the wish nothing is drawn");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment.mp4");
    let hls = format!("{item}/hls/{rung}");
    let playlist = text(&ada, &format!("{hls}/index.m3u8")).await;
    let init = playlist.split_once("MAP:URI=\"").unwrap().1.split('"').next().unwrap();
    let segments: Vec<_> = playlist.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let mut film = Vec::new();
    for part in std::iter::once(&init).chain(&segments) {
        film.extend_from_slice(&ada.get(&format!("{hls}/{part}")).send().await.unwrap().bytes().await.unwrap());
    }
    std::fs::write(&path, film).unwrap();
    let brightest = |second: &str| {
        let arguments = ["-v", "error", "-ss", second, "-i", path.to_str().unwrap(), "-frames:v", "1"];
        let shown = ["-vf", "scale=16:9:flags=area,format=rgb24", "-f", "rawvideo", "-"];
        let pixels = Command::new("ffmpeg").args(arguments).args(shown).output().unwrap().stdout;
        (5..11).all(|x| pixels[(6 * 16 + x) * 3..][..3].iter().all(|value| *value > 200))
    };
    assert_eq!(["2.5", "4", "6"].map(brightest), [false, true, false]);
    for not in ["0", "99", "-1", "2,subtitles=x"] {
        let answer = ada.get(&format!("{item}/hls/master.m3u8?burn={not}")).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{not}");
    }
    node.stop().await;
}

#[tokio::test]
async fn transcoded_segments_are_content_that_survives_a_restart() {
    let node = TestNode::start(&[foreign()]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let window = format!("{item}/renditions/v0-180/segments?from=1&count=1");
    let made: Vec<Segment> = json(&ada, &window).await;
    assert_eq!((made[0].n, made[0].encoder.as_str()), (1, "libx264"));
    let block = format!("/ipfs/{}?format=raw", made[0].content.blocks[0].cid);
    let bytes = ada.get(&block).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, made[0].content.blocks[0].size);
    let node = node.restart().await;
    let ada = node.signed_in("ada").await;
    assert_eq!(ada.get(&block).send().await.unwrap().bytes().await.unwrap(), bytes);
    let again: Vec<Segment> = json(&ada, &window).await;
    assert_eq!((&again[0].content.cid, &again[0].encoder), (&made[0].content.cid, &made[0].encoder));
    let status: Value = json(&ada, "/api/v1/status").await;
    assert!(status["storage"]["renditions"].as_u64().unwrap() > 0, "{}", status["storage"]);
    node.stop().await;
}

#[tokio::test]
async fn a_second_film_waits_and_is_told_to_come_back() {
    let other = clip("unplayable-two.mkv", &["-i", foreign().to_str().unwrap(), "-c", "copy", "-t", "8"]);
    let node = TestNode::with(&[foreign(), other], |wishes| wishes.node.playback.transcodes = 1).await;
    let items = node.imported().await;
    node.account("bob", None).await;
    let (ada, bob) = (node.signed_in("ada").await, node.signed_in("bob").await);
    let segment = |n: usize| format!("/api/v1/items/{}/hls/v0-180/0.m4s", items[n].id);
    assert_eq!(ada.status(&segment(0)).await, 200);
    let status: Value = json(&ada, "/api/v1/status").await;
    assert_eq!(status["transcodes"][0]["rendition"], "v0-180");
    assert_eq!(status["transcodes"][0]["viewers"], 1);
    let refused = bob.get(&segment(1)).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "busy");
    assert_eq!(bob.status(&segment(0)).await, 200, "what was made needs no turn");
    let left = ada.post(&format!("/api/v1/items/{}/stopped", items[0].id)).send().await.unwrap();
    assert_eq!(left.status(), 204);
    bob.post(&format!("/api/v1/items/{}/stopped", items[0].id)).send().await.unwrap();
    assert_eq!(bob.status(&segment(1)).await, 200);
    node.stop().await;
}

#[tokio::test]
async fn an_accounts_limit_leaves_out_what_is_above_it() {
    let large = clip(
        "large.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=1280x720:rate=10:duration=4",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-b:v",
            "8M",
            "-minrate",
            "8M",
            "-maxrate",
            "8M",
            "-bufsize",
            "1M",
            "-nal-hrd",
            "cbr",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let node = TestNode::start(&[large]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let bob = node.account("bob", None).await;
    let (ada, browser) = (node.signed_in("ada").await, node.signed_in("bob").await);
    let ids = async |browser: &Browser| {
        let offered: Renditions = json(browser, &format!("{item}/renditions")).await;
        offered.renditions.into_iter().map(|r| r.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&browser).await, ["v0"]);
    let limit = ada.request(reqwest::Method::PATCH, &format!("/api/v1/accounts/{}", bob.id));
    let limited: Value = limit.json(&json!({"max_bit_rate": 2_000_000})).send().await.unwrap().json().await.unwrap();
    assert_eq!(limited["max_bit_rate"], 2_000_000);
    assert_eq!(ids(&browser).await, ["v0-480"]);
    assert_eq!(ids(&ada).await, ["v0"]);
    assert_eq!(browser.status(&format!("{item}/hls/v0/0.m4s")).await, 403);
    assert_eq!(browser.status(&format!("{item}/renditions/v0-720/segments?from=0")).await, 403);
    assert_eq!(browser.status(&format!("{item}/renditions/v0-480/segments?from=0&count=1")).await, 200);
    let nonsense = ada.request(reqwest::Method::PATCH, &format!("/api/v1/accounts/{}", bob.id));
    assert_eq!(nonsense.json(&json!({"max_bit_rate": 5})).send().await.unwrap().status(), 400);
    node.stop().await;
}

#[tokio::test]
async fn subtitles_are_listed_and_given_whole_and_in_pieces() {
    let beside = foreign().with_file_name("unplayable.de.srt");
    std::fs::write(&beside, "1\n00:00:02,000 --> 00:00:04,000\nGuten Abend\n").unwrap();
    let node = TestNode::start(&[foreign(), beside]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let listed: Subtitles = json(&ada, &format!("{item}/subtitles")).await;
    let english = &listed.tracks[0];
    assert_eq!((english.id.as_str(), english.language.as_deref(), &english.ass), ("s2", Some("eng"), &None));
    let whole = text(&ada, english.vtt.as_ref().unwrap()).await;
    assert!(whole.starts_with("WEBVTT\n") && whole.contains("\n00:00:01.0"), "{whole}");
    let german = &listed.tracks[1];
    assert_eq!((german.id.as_str(), german.language.as_deref(), german.stream), ("x0", Some("de"), None));
    let whole = text(&ada, german.vtt.as_ref().unwrap()).await;
    assert!(whole.contains("\n00:00:02.000 --> 00:00:04.000\nGuten Abend"), "{whole}");
    let piece = text(&ada, &format!("{item}/hls/s2/0.vtt")).await;
    assert!(piece.contains("X-TIMESTAMP-MAP") && piece.contains("good"), "{piece}");
    for not in [
        "subtitles/s0.vtt",
        "subtitles/s02.vtt",
        "subtitles/x9.vtt",
        "subtitles/s2.ass",
        "hls/s2/1.vtt",
        "attachments/0",
    ] {
        assert_eq!(ada.status(&format!("{item}/{not}")).await, 404, "{not}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_film_plays_from_the_gateway_for_whoever_may_see_it() {
    let node = TestNode::with(&[foreign()], |wishes| wishes.visibility = Visibility::Public).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let publish = async || {
        let answer = ada.post(&format!("{item}/publish")).json(&json!({"renditions": []})).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let lines = answer.text().await.unwrap();
        serde_json::from_str::<PublishProgress>(lines.lines().last().unwrap()).unwrap()
    };
    let first = publish().await;
    assert_eq!((&first.problem, first.done), (&None, first.total));
    let root = first.root.unwrap();
    assert_eq!(publish().await.root.as_ref(), Some(&root), "published again, it is the same");
    let anyone = node.browser();
    let master = text(&anyone, &format!("/ipfs/{root}/master.m3u8")).await;
    assert!(master.contains("v0-180/index.m3u8") && master.contains("s2/index.m3u8"), "{master}");
    let url = format!("{}/ipfs/{root}/master.m3u8", node.url);
    let played = tokio::task::spawn_blocking(move || {
        let arguments =
            ["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames"];
        Command::new("ffprobe").args(arguments).args(["-of", "csv=p=0", &url]).output().unwrap()
    });
    let played = played.await.unwrap();
    assert!(String::from_utf8_lossy(&played.stdout).starts_with("288"), "{played:?}");
    node.stop().await;
}

#[tokio::test]
async fn what_is_published_of_a_private_film_is_hidden_from_others() {
    let node = TestNode::start(&[foreign()]).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let wish = json!({"renditions": ["a1-aac2", "s2"]});
    let answer = ada.post(&format!("{item}/publish")).json(&wish).send().await.unwrap().text().await.unwrap();
    let root = serde_json::from_str::<PublishProgress>(answer.lines().last().unwrap()).unwrap().root.unwrap();
    let playlist = format!("/ipfs/{root}/a1-aac2/index.m3u8");
    assert_eq!((ada.status(&playlist).await, node.browser().status(&playlist).await), (200, 404));
    for not in ["v0-9999", "v0-180:x", "s0", "x0"] {
        let refused = ada.post(&format!("{item}/publish")).json(&json!({"renditions": [not]})).send().await.unwrap();
        let problem = refused.text().await.unwrap();
        assert!(problem.contains("no such"), "{not}: {problem}");
    }
    node.stop().await;
}

#[tokio::test]
async fn pictures_for_the_seek_bar_are_made_when_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let thumbnails = Some(folder.path().to_owned());
    let node = TestNode::with(&[film()], |wishes| wishes.node.playback.thumbnails = thumbnails).await;
    let item = format!("/api/v1/items/{}", node.imported().await.remove(0).id);
    let ada = node.signed_in("ada").await;
    let made = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        loop {
            let told: Thumbnails = json(&ada, &format!("{item}/thumbnails")).await;
            if told.state == ThumbnailState::Ready {
                return told;
            }
            tokio::task::yield_now().await;
        }
    });
    let made = made.await.unwrap();
    assert_eq!((made.width, made.height, made.interval, made.sprites.len()), (160, 90, 2.0, 1));
    let sprite = ada.get(&made.sprites[0]).send().await.unwrap();
    assert_eq!(sprite.headers()["content-type"], "image/jpeg");
    assert!(text(&ada, &format!("{item}/thumbnails.vtt")).await.contains("thumbnails/0.jpg#xywh=160,0,160,90"));
    for not in ["1.jpg", "00.jpg", "../x.jpg", "0.png"] {
        assert_eq!(ada.status(&format!("{item}/thumbnails/{not}")).await, 404, "{not}");
    }
    node.stop().await;
}
