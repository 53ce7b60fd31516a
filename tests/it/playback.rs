//! Copy renditions: what players get is the source's own streams, cut into segments that are equal whoever makes them.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use potluck::blocks::{BlockError, Blocks, BlocksOptions, Finding};
use potluck::content::Cid;
use potluck::media::Media;
use potluck::media::timeline::FileIndex;
use potluck::playback::{
    Capabilities, FindSource, Playback, PlaybackError, PlaybackOptions, Rendition, Source, Watcher,
};
use tokio_util::sync::CancellationToken;

use crate::boxes::Segment;
use crate::fixtures::{clip, film, film_mkv, media};
use crate::harness::TestNode;

/// The files that playback may find again.
#[derive(Default)]
struct Shelf(Mutex<HashMap<Cid, Source>>);

impl FindSource for Shelf {
    fn find(&self, cid: Cid) -> BoxFuture<'static, Option<Source>> {
        let found = self.0.lock().get(&cid).cloned();
        Box::pin(async move { found })
    }
}

/// A node's lower half.
struct Stage {
    folder: Arc<tempfile::TempDir>,
    media: Media,
    blocks: Blocks,
    playback: Playback,
    shelf: Arc<Shelf>,
}

impl Stage {
    fn new() -> Self {
        Self::in_folder(Arc::new(tempfile::tempdir().unwrap()))
    }

    fn in_folder(folder: Arc<tempfile::TempDir>) -> Self {
        let media = media();
        let blocks = Blocks::open(BlocksOptions { path: folder.path().join("blocks.db") }).unwrap();
        let shelf = Arc::new(Shelf::default());
        let options = PlaybackOptions {
            cache_bytes: 8 << 20,
            cut_lists: Some(folder.path().join("cut-lists")),
            ..PlaybackOptions::default()
        };
        let playback = Playback::new(options, media.clone(), blocks.clone(), shelf.clone());
        blocks.set_producer(playback.producer());
        Self { folder, media, blocks, playback, shelf }
    }

    async fn source(&self, path: &Path) -> Source {
        let cid = self.blocks.import(path, |_| (), &CancellationToken::new()).await.unwrap().cid;
        let source =
            Source { cid, path: path.to_owned(), facts: self.media.probe(path).await.unwrap(), sidecars: Vec::new() };
        self.shelf.0.lock().insert(cid, source.clone());
        source
    }

    /// What a plain client is offered.
    async fn renditions(&self, source: &Source) -> Vec<Arc<Rendition>> {
        let choice = self.playback.choice(source, &Capabilities::default()).await.unwrap();
        choice.renditions().cloned().collect()
    }

    /// Every segment of a rendition, made in this order of numbers.
    async fn segments(&self, source: &Source, rendition: &Rendition, order: &[usize]) -> Vec<bytes::Bytes> {
        let mut made = vec![bytes::Bytes::new(); rendition.segments.len()];
        for n in order {
            made[*n] =
                self.playback.segment(source, &rendition.id, *n as u64, &Watcher::default()).await.unwrap().bytes;
        }
        made
    }

    /// Writes everything as a player would fetch it; gives the multivariant playlist's path.
    async fn written(&self, source: &Source) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let master = folder.path().join("master.m3u8");
        std::fs::write(&master, self.playback.master_playlist(source, &Capabilities::default()).await.unwrap())
            .unwrap();
        for rendition in self.renditions(source).await.iter() {
            let below = folder.path().join(&rendition.id);
            std::fs::create_dir(&below).unwrap();
            let playlist = self.playback.media_playlist(source, &rendition.id).await.unwrap();
            std::fs::write(below.join("index.m3u8"), playlist).unwrap();
            let init = self.playback.init(source, &rendition.id, &Watcher::default()).await.unwrap();
            std::fs::write(below.join("init.mp4"), init.bytes).unwrap();
            for n in 0..rendition.segments.len() {
                let segment =
                    self.playback.segment(source, &rendition.id, n as u64, &Watcher::default()).await.unwrap();
                std::fs::write(below.join(format!("{n}.m4s")), segment.bytes).unwrap();
            }
        }
        (folder, master)
    }
}

/// Standard output of `ffmpeg -i input ARGUMENTS -`.
fn ffmpeg(input: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(input)
        .args(arguments)
        .arg("-")
        .output()
        .expect("the tests need the ffmpeg program");
    assert!(output.status.success(), "{}: {}", input.display(), String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The decoded pictures' hashes, in the order shown.
fn pictures(input: &Path) -> Vec<String> {
    let text =
        String::from_utf8(ffmpeg(input, &["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5"])).unwrap();
    text.lines().filter(|l| !l.starts_with('#')).map(|l| l.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

/// Everything that must hold of any file that is repackaged.
async fn check(path: &Path) -> Vec<Vec<Segment>> {
    let stage = Stage::new();
    let source = stage.source(path).await;
    let renditions = stage.renditions(&source).await;
    let mut all = Vec::new();
    for rendition in renditions.iter() {
        let count = rendition.segments.len();
        let forwards = stage.segments(&source, rendition, &(0..count).collect::<Vec<_>>()).await;
        other_orders_give_equal_bytes(&source, rendition, &forwards).await;
        let segments: Vec<Segment> = forwards.iter().map(|bytes| Segment::read(bytes)).collect();
        segments_follow_each_other(path, rendition, &segments);
        all.push(segments);
    }
    elementary_streams_are_the_sources(&stage, &source, &renditions).await;
    all
}

async fn other_orders_give_equal_bytes(source: &Source, rendition: &Rendition, expected: &[bytes::Bytes]) {
    let another = Stage::new();
    let same = another.source(&source.path).await;
    let again = another.renditions(&same).await;
    let again = again.iter().find(|r| r.id == rendition.id).unwrap();
    assert_eq!(again.descriptor, rendition.descriptor);
    let count = expected.len();
    let backwards: Vec<usize> = (0..count).rev().collect();
    let mixed: Vec<usize> = (0..count).map(|n| (n * 7 + 3) % count).chain(0..count).collect();
    for order in [backwards, mixed] {
        let fresh = Stage::new();
        let same = fresh.source(&source.path).await;
        assert!(
            fresh.segments(&same, again, &order).await == expected,
            "{} in the order {order:?}",
            source.path.display()
        );
    }
}

fn segments_follow_each_other(path: &Path, rendition: &Rendition, segments: &[Segment]) {
    let name = format!("{} {}", path.display(), rendition.id);
    for (n, pair) in segments.windows(2).enumerate() {
        assert_eq!(pair[0].end(), pair[1].base, "{name}: a gap after segment {n}");
        assert_eq!(pair[0].sequence + 1, pair[1].sequence);
    }
    for (n, segment) in segments.iter().enumerate() {
        assert!(segment.samples[0].sync, "{name}: segment {n} does not start with a keyframe");
        let first_shown = segment.samples.iter().map(|s| s.presented).min().unwrap();
        assert_eq!(segment.base, first_shown, "{name}: segment {n} starts with another time");
    }
    let (told, written): (f64, i64) =
        (rendition.segments.iter().map(|(_, d)| d).sum(), segments.last().unwrap().end() - segments[0].base);
    let seconds = written as f64 / told;
    assert!(
        (seconds - seconds.round()).abs() / seconds < 0.06,
        "{name}: the playlist tells {told} s of {written} ticks"
    );
}

async fn elementary_streams_are_the_sources(stage: &Stage, source: &Source, renditions: &[Arc<Rendition>]) {
    let (_folder, master) = stage.written(source).await;
    for (kind, format) in [("v", "h264"), ("a", "adts")] {
        let tracks: Vec<_> = renditions.iter().filter(|r| r.id.starts_with(kind)).collect();
        for (n, rendition) in tracks.iter().enumerate() {
            let of_source =
                ffmpeg(&source.path, &["-map", &format!("0:{}", &rendition.id[1..]), "-c", "copy", "-f", format]);
            let of_ours = ffmpeg(&master, &["-map", &format!("0:{kind}:{n}"), "-c", "copy", "-f", format]);
            assert!(of_source == of_ours, "{} {}: another elementary stream", source.path.display(), rendition.id);
        }
    }
    if renditions.iter().any(|r| r.id.starts_with('v')) {
        let (of_source, of_ours) = (pictures(&source.path), pictures(&master));
        // Pictures that an edit list hides are needed to decode the rest; here they come before the others.
        let hidden = if source.path.ends_with("early.mp4") { 12 } else { 0 };
        assert!(of_ours[hidden..] == of_source, "{}: other pictures", source.path.display());
    }
}

const ENCODE: [&str; 7] = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt"];

fn encoded(name: &str, before: &[&str], after: &[&str]) -> PathBuf {
    clip(name, &[before, &ENCODE, &["yuv420p"], after].concat())
}

const PICTURES: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=14"];

#[tokio::test]
async fn an_mp4_is_repackaged() {
    let all = check(&film()).await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
}

#[tokio::test]
async fn a_matroska_file_is_repackaged() {
    let all = check(&film_mkv()).await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
}

#[tokio::test]
async fn a_matroska_file_without_an_index_is_repackaged() {
    check(&clip("live.mkv", &["-i", "{film}", "-c", "copy", "-live", "1"])).await;
}

#[tokio::test]
async fn a_quicktime_file_and_sound_in_six_channels_are_repackaged() {
    let six = ["-i", "{film}", "-c:v", "copy", "-c:a", "aac", "-ac", "6", "-ar", "48000"];
    check(&clip("six.mov", &six)).await;
    let all = check(&clip("six.mkv", &six)).await;
    assert_eq!(all[1].iter().map(|s| s.base % 1024).collect::<Vec<_>>(), vec![all[1][0].base % 1024; 3]);
}

#[tokio::test]
async fn offsets_below_zero_are_kept() {
    let negative = ["-i", "{film}", "-c", "copy", "-movflags", "+negative_cts_offsets+faststart"];
    check(&clip("negative.mp4", &negative)).await;
    let long = encoded("long.mp4", &LONG, &LONG_CODING);
    let negative =
        clip("long-negative.mp4", &["-i", long.to_str().unwrap(), "-c", "copy", "-movflags", "negative_cts_offsets"]);
    assert_eq!(check(&negative).await[0].len(), 15);
}

#[tokio::test]
async fn a_fragmented_mp4_is_repackaged() {
    check(&clip("fragmented.mp4", &["-i", "{film}", "-c", "copy", "-movflags", "frag_keyframe+empty_moov"])).await;
}

#[tokio::test]
async fn a_variable_frame_rate_is_kept() {
    let uneven = ["-vf", "select='not(mod(n,3))+not(mod(n,7))'", "-fps_mode", "vfr", "-g", "20"];
    check(&encoded("uneven.mp4", &PICTURES, &uneven)).await;
    check(&clip("uneven.mkv", &["-i", encoded("uneven.mp4", &PICTURES, &uneven).to_str().unwrap(), "-c", "copy"]))
        .await;
}

#[tokio::test]
async fn an_open_group_of_pictures_is_cut_without_a_gap() {
    let open = ["-x264-params", "open-gop=1:keyint=50:bframes=3:b-adapt=0:scenecut=0"];
    check(&encoded("open.mp4", &PICTURES, &open)).await;
    check(&clip("open.mkv", &["-i", encoded("open.mp4", &PICTURES, &open).to_str().unwrap(), "-c", "copy"])).await;
}

#[tokio::test]
async fn a_stream_that_starts_below_zero_is_shifted_by_whole_seconds() {
    let early =
        clip("early.mp4", &["-itsoffset", "-0.5", "-i", "{film}", "-c", "copy", "-avoid_negative_ts", "disabled"]);
    let all = check(&early).await;
    assert!(all.iter().all(|segments| segments[0].base >= 0));
    let late = clip("late.mkv", &["-ss", "2.3", "-i", "{film}", "-c", "copy"]);
    check(&late).await;
}

#[tokio::test]
async fn a_turned_picture_stays_turned() {
    let path = clip("turned.mp4", &["-i", "{film}", "-c", "copy", "-metadata:s:v", "rotate=90"]);
    check(&path).await;
    let stage = Stage::new();
    let source = stage.source(&path).await;
    let (_folder, master) = stage.written(&source).await;
    assert_eq!(stage.media.probe(&stage_init(&master)).await.unwrap().streams[0].width, Some(180));
}

/// The whole first rendition as one file.
fn stage_init(master: &Path) -> PathBuf {
    let folder = master.with_file_name("v0");
    let whole = ["init.mp4", "0.m4s"].map(|name| std::fs::read(folder.join(name)).unwrap()).concat();
    let path = folder.join("whole.mp4");
    std::fs::write(&path, whole).unwrap();
    path
}

#[tokio::test]
async fn two_languages_are_two_renditions_in_one_group() {
    let path = clip(
        "languages.mkv",
        &[
            "-i",
            "{film}",
            "-i",
            "{film}",
            "-map",
            "0:v",
            "-map",
            "0:a",
            "-map",
            "1:a",
            "-c",
            "copy",
            "-metadata:s:a:0",
            "language=ger",
            "-metadata:s:a:1",
            "language=eng",
            "-metadata:s:a:1",
            "title=Director \"X\"",
            "-disposition:a:0",
            "0",
            "-disposition:a:1",
            "default",
        ],
    );
    check(&path).await;
    let stage = Stage::new();
    let source = stage.source(&path).await;
    let master = stage.playback.master_playlist(&source, &Capabilities::default()).await.unwrap();
    assert!(master.contains("NAME=\"ger\",LANGUAGE=\"ger\""), "{master}");
    assert!(master.contains("NAME=\"Director 'X'\",LANGUAGE=\"eng\",DEFAULT=YES"), "{master}");
}

#[tokio::test]
async fn sound_alone_is_cut_evenly() {
    let all = check(&clip("song.m4a", &["-i", "{film}", "-vn", "-c", "copy"])).await;
    assert_eq!(all[0].len(), 3);
    check(&clip("song.mkv", &["-i", "{film}", "-vn", "-c", "copy"])).await;
}

const LONG: [&str; 8] =
    ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=10:duration=90", "-f", "lavfi", "-i", "sine=duration=90"];
const LONG_CODING: [&str; 4] = ["-g", "30", "-c:a", "aac"];

#[tokio::test]
async fn a_long_film_is_cut_by_its_index() {
    let long = encoded("long.mp4", &LONG, &LONG_CODING);
    let all = check(&long).await;
    assert_eq!(all[0].len(), 15);
    let mkv = clip("long.mkv", &["-i", long.to_str().unwrap(), "-c", "copy"]);
    assert_eq!(check(&mkv).await[0].len(), 15);
    let live = clip("long-live.mkv", &["-i", long.to_str().unwrap(), "-c", "copy", "-live", "1"]);
    assert_eq!(check(&live).await[0].len(), 15);
}

#[tokio::test]
async fn an_index_gives_the_cuts_that_reading_gives() {
    let long = encoded("long.mp4", &LONG, &LONG_CODING);
    let read = clip("long-fragmented.mp4", &["-i", long.to_str().unwrap(), "-c", "copy", "-movflags", "frag_keyframe"]);
    let media = media();
    let (listed, counted) = (media.index(&long).await.unwrap(), media.index(&read).await.unwrap());
    // The two files need not start at the same time.
    let film = |index: &FileIndex| {
        let track = &index.tracks[0];
        let starts: Vec<i64> = track.starts.iter().chain([&track.end]).map(|start| start - track.starts[0]).collect();
        assert_eq!(track.starts, track.keys);
        starts
    };
    assert_eq!(film(&listed), film(&counted));
}

#[tokio::test]
async fn the_playlists_say_what_players_need() {
    let stage = Stage::new();
    let source = stage.source(&film()).await;
    let master = stage.playback.master_playlist(&source, &Capabilities::default()).await.unwrap();
    let without_rates: String = master
        .lines()
        .map(|l| match l.split_once(",CODECS") {
            Some((_, rest)) => format!("...,CODECS{rest}\n"),
            None => format!("{l}\n"),
        })
        .collect();
    insta::assert_snapshot!(without_rates);
    insta::assert_snapshot!(stage.playback.media_playlist(&source, "v0").await.unwrap());
}

#[tokio::test]
async fn segments_are_derived_blocks_that_are_made_again_after_a_restart() {
    let stage = Stage::new();
    let source = stage.source(&film()).await;
    let made = stage.playback.segment(&source, "v0", 1, &Watcher::default()).await.unwrap();
    let folder = Arc::clone(&stage.folder);
    stage.media.stop().await;
    drop(stage);
    let restarted = Stage::in_folder(folder);
    restarted.shelf.0.lock().insert(source.cid, source.clone());
    let (leaf, size) = made.layout.leaves[0];
    let bytes = restarted.blocks.get(&leaf).await.unwrap();
    assert_eq!(bytes, made.bytes.slice(..size as usize));
    let stat = restarted.blocks.stat(&leaf).await.unwrap().unwrap();
    assert_eq!(stat.roots, [source.cid]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ffmpeg_program_plays_a_film_from_a_node_over_http() {
    let node = TestNode::start(&[film()]).await;
    let item = node.imported().await.remove(0);
    let ada = node.signed_in("ada").await;
    let made = ada.post("/api/v1/api-keys").json(&serde_json::json!({"name": "player"})).send().await.unwrap();
    let made: serde_json::Value = made.json().await.unwrap();
    let header = format!("Authorization: Bearer {}", made["key"].as_str().unwrap());
    let url = format!("{}/api/v1/items/{}/hls/master.m3u8", node.url, item.id);
    let played = tokio::task::spawn_blocking(move || {
        let arguments = [
            "-v", "error", "-nostdin", "-headers", &header, "-i", &url, "-map", "0:v", "-c", "copy", "-f", "h264", "-",
        ];
        Command::new("ffmpeg").args(arguments).output().unwrap()
    });
    let played = played.await.unwrap();
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    assert!(
        played.stdout == ffmpeg(&film(), &["-map", "0:v", "-c", "copy", "-f", "h264"]),
        "another elementary stream"
    );
    node.stop().await;
}

#[tokio::test]
async fn a_cut_list_is_measured_once() {
    let stage = Stage::new();
    let source = stage.source(&film()).await;
    let before = stage.renditions(&source).await;
    let restarted = Stage::in_folder(Arc::clone(&stage.folder));
    let gone = Source { path: "/nowhere.mp4".into(), ..source };
    let after = restarted.renditions(&gone).await;
    assert_eq!(before[0].descriptor, after[0].descriptor);
}

#[tokio::test]
async fn a_file_that_changed_gives_no_segments_under_its_old_name() {
    let stage = Stage::new();
    let path = stage.folder.path().join("film.mp4");
    std::fs::copy(film(), &path).unwrap();
    let source = stage.source(&path).await;
    stage.playback.segment(&source, "v0", 0, &Watcher::default()).await.unwrap();
    let mut findings = stage.blocks.findings();
    std::fs::copy(film_mkv(), &path).unwrap();
    let answer = stage.playback.segment(&source, "v0", 1, &Watcher::default()).await;
    assert!(matches!(answer, Err(PlaybackError::Blocks(BlockError::Changed { .. }))), "{answer:?}");
    assert_eq!(findings.recv().await.unwrap(), Finding::Changed(path));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let stage = Stage::new();
    let source = stage.source(&film()).await;
    for (rendition, n) in [("v0", 3), ("v0", u64::MAX), ("v9", 0), ("", 0), ("../v0", 0)] {
        let answer = stage.playback.segment(&source, rendition, n, &Watcher::default()).await;
        assert!(matches!(answer, Err(PlaybackError::NotFound)), "{rendition} {n}: {answer:?}");
    }
    assert!(matches!(stage.playback.media_playlist(&source, "a0").await, Err(PlaybackError::NotFound)));
}

#[tokio::test]
async fn what_needs_transcoding_says_why() {
    let stage = Stage::new();
    let path = clip(
        "hevc.mkv",
        &[
            "-i",
            "{film}",
            "-t",
            "1",
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none",
            "-c:a",
            "copy",
        ],
    );
    let source = stage.source(&path).await;
    let expected = "the video is transcoded because it is HEVC, which this player cannot play";
    assert_eq!(stage.playback.decide(&source.facts, &Capabilities::default()).reason, expected);
    let master = stage.playback.master_playlist(&source, &Capabilities::default()).await.unwrap();
    assert!(
        master.contains("CODECS=\"avc3.64001e,mp4a.40.2\",RESOLUTION=320x180,FRAME-RATE=24.000,VIDEO-RANGE=SDR"),
        "{master}"
    );
    assert!(master.ends_with("v0-180/index.m3u8\n"), "{master}");
}
