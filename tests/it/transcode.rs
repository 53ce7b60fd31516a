//! Films that are decoded and encoded anew: what comes out is checked with the `ffmpeg` and `ffprobe` programs.
use std::path::{Path, PathBuf};
use std::process::Command;

use potluck::media::fmp4::init_section;
use potluck::media::hardware::Device;
use potluck::media::transcode::{PictureFormat, PicturePlan, Transcoded};
use potluck::media::{Media, MediaError, MediaOptions};
use tokio_util::sync::CancellationToken;

use crate::boxes::Segment;
use crate::fixtures::{film, film_mkv, media, media_options};

/// How a clip is cut here: every two seconds of a clock of 24,000.
const SCALE: u32 = 24_000;
const LENGTH: i64 = 2 * SCALE as i64;

pub fn format(width: u32, height: u32) -> PictureFormat {
    PictureFormat { width, height, bit_rate: 1_000_000, frame_rate_max: None, tone_map: false, burn: None, level: 30 }
}

/// Segment `n` of `count`, without a known keyframe.
pub fn plan(n: i64, count: i64, format: PictureFormat) -> PicturePlan {
    PicturePlan {
        stream: 0,
        sequence: u32::try_from(n).unwrap(),
        base_seconds: 0,
        timescale: SCALE,
        key: None,
        start: n * LENGTH,
        end: (n + 1) * LENGTH,
        last: n + 1 == count,
        format,
        device: Device::Software,
        threads: 2,
    }
}

pub async fn picture(media: &Media, path: &Path, plan: PicturePlan) -> Transcoded {
    media.picture(path, plan, &CancellationToken::new()).await.unwrap()
}

pub fn plans(count: i64, format: &PictureFormat) -> Vec<PicturePlan> {
    (0..count).map(|n| plan(n, count, format.clone())).collect()
}

/// A film that was made, and what the programs say of it.
pub struct Made {
    pub segments: Vec<Vec<u8>>,
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Made {
    /// The segments of a clip, made in this order.
    pub async fn of(media: &Media, path: &Path, plans: &[PicturePlan], order: &[usize]) -> Self {
        let head = media.picture_head(path, plans[0].clone()).await.unwrap();
        let mut segments = vec![Vec::new(); plans.len()];
        for n in order {
            segments[*n] = picture(media, path, plans[*n].clone()).await.bytes.to_vec();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.mp4");
        std::fs::write(&path, [init_section(&head).unwrap(), segments.concat()].concat()).unwrap();
        Self { segments, _folder: folder, path }
    }

    /// Entries of each frame, as `ffprobe` decodes them.
    pub fn frames(&self, entries: &str) -> Vec<String> {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", "v", "-show_entries", &format!("frame={entries}")])
            .args(["-of", "csv=p=0"])
            .arg(&self.path)
            .output()
            .expect("the tests need the ffprobe program");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.trim_end_matches(',').to_owned()).filter(|line| !line.is_empty()).collect()
    }

    /// When each picture is shown. Checks that all of them decode, that each segment starts with a keyframe, at the plan's
    /// start, and ends where the next one starts.
    pub fn ticks(&self, plans: &[PicturePlan]) -> Vec<i64> {
        let mut ticks = Vec::new();
        for (plan, bytes) in plans.iter().zip(&self.segments) {
            let segment = Segment::read(bytes);
            let keys: Vec<bool> = segment.samples.iter().map(|sample| sample.sync).collect();
            assert_eq!(keys.iter().position(|key| *key), Some(0));
            assert_eq!(segment.base, plan.start);
            assert!(segment.end() == plan.end || plan.last, "{} is not {}", segment.end(), plan.end);
            let mut own: Vec<i64> = segment.samples.iter().map(|sample| sample.presented).collect();
            own.sort_unstable();
            ticks.extend(own);
        }
        assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{ticks:?}");
        assert_eq!(self.frames("pts").len(), ticks.len());
        ticks
    }

    /// The colours of its `n`th frame, shrunk.
    pub fn colours(&self, n: usize) -> Vec<u8> {
        shrunk(&self.path, n)
    }
}

/// The `n`th frame of a film, 16 x 9 pixels of red, green and blue.
pub fn shrunk(path: &Path, n: usize) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-vf", &format!("select=eq(n\\,{n}),format=rgb24,scale=16:9:flags=area")])
        .args(["-frames:v", "1", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(output.stdout.len() >= 144, "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The mean difference of two pictures.
pub fn difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / one.len() as f64
}

#[tokio::test]
async fn a_film_becomes_one_that_decodes_with_each_picture_at_its_time() {
    let plans = plans(6, &format(160, 90));
    let made = Made::of(&media(), &film(), &plans, &[0, 1, 2, 3, 4, 5]).await;
    let expected: Vec<i64> = (0..288).map(|n| n * 1000).collect();
    assert_eq!(made.ticks(&plans), expected);
    assert!(difference(&made.colours(180), &shrunk(&film(), 180)) < 8.0);
    let shape = made.frames("width,height,sample_aspect_ratio,color_space");
    assert_eq!(shape[0], "160,90,1:1,bt709");
}

#[tokio::test]
async fn segments_are_the_same_in_any_order() {
    let plans = plans(6, &format(160, 90));
    for path in [film(), film_mkv()] {
        let in_order = Made::of(&media(), &path, &plans, &[0, 1, 2, 3, 4, 5]).await;
        let jumping = Made::of(&media(), &path, &plans, &[4, 1, 5, 2, 0, 3]).await;
        assert!(in_order.segments == jumping.segments, "{}", path.display());
    }
}

/// A worker that writes its process id down when it starts.
pub struct Watched {
    folder: tempfile::TempDir,
}

impl Watched {
    pub fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Written by another process: a fork of this one must not hold it open for writing when it is started.
        let text = format!("#!/bin/sh\necho $$ >> {}/ids\nexec {program} \"$@\"\n", folder.path().display());
        let write = "printf %s \"$1\" > \"$0/worker\" && chmod 755 \"$0/worker\"";
        let written = Command::new("sh").args(["-c", write]).arg(folder.path()).arg(text).status().unwrap();
        assert!(written.success());
        Self { folder }
    }

    pub fn program(&self) -> PathBuf {
        self.folder.path().join("worker")
    }

    fn media(&self) -> Media {
        Media::new(MediaOptions::new(self.program()))
    }

    /// The processes that were started so far.
    pub fn ids(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("ids")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until so many were started, and transcode.
    async fn work(&self, media: &Media, count: usize) {
        while self.ids().len() < count || media.state().transcoding == 0 {
            tokio::task::yield_now().await;
        }
    }
}

pub fn the_worker() -> &'static str {
    env!("CARGO_BIN_EXE_potluck-media-worker")
}

/// All of the clip as one large segment: seconds of work.
fn long_plan() -> PicturePlan {
    PicturePlan { end: 6 * LENGTH, last: true, ..plan(0, 1, PictureFormat { level: 51, ..format(1280, 720) }) }
}

#[tokio::test]
async fn a_transcode_that_nobody_wants_any_more_ends_with_its_worker() {
    let watched = Watched::new(the_worker());
    let (media, cancel, path) = (watched.media(), CancellationToken::new(), film());
    let wanted = tokio::spawn({
        let (media, cancel, path) = (media.clone(), cancel.clone(), path.clone());
        async move { media.picture(&path, long_plan(), &cancel).await }
    });
    watched.work(&media, 1).await;
    cancel.cancel();
    assert!(matches!(wanted.await.unwrap(), Err(MediaError::Cancelled)));
    let state = media.state();
    assert_eq!((state.running, state.transcoding, state.failures), (0, 0, 0));
    assert!(!Path::new("/proc").join(&watched.ids()[0]).exists());
    picture(&media, &path, plan(1, 6, format(160, 90))).await;
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_of_a_segment_is_replaced() {
    let watched = Watched::new(the_worker());
    let (media, path) = (watched.media(), film());
    let wanted = tokio::spawn({
        let (media, path) = (media.clone(), path.clone());
        async move { picture(&media, &path, long_plan()).await }
    });
    watched.work(&media, 1).await;
    let killed = Command::new("kill").args(["-9", &watched.ids()[0]]).status().unwrap();
    assert!(killed.success());
    let segment = wanted.await.unwrap();
    assert_eq!(Segment::read(&segment.bytes).samples.len(), 288);
    assert_eq!((watched.ids().len(), media.state().failures), (2, 1));
}

#[tokio::test]
async fn a_film_that_crashes_its_worker_twice_is_given_up() {
    let watched = Watched::new("false");
    let answer = watched.media().picture(&film(), long_plan(), &CancellationToken::new()).await;
    assert!(matches!(answer, Err(MediaError::Crashed(_))), "{answer:?}");
    let plan = PicturePlan { device: Device::Vaapi("/dev/null".into()), ..long_plan() };
    let answer = watched.media().picture(&film(), plan, &CancellationToken::new()).await;
    assert!(matches!(answer, Err(MediaError::Device(_))), "{answer:?}");
    assert_eq!(watched.ids().len(), 4);
}

#[tokio::test]
async fn copies_do_not_wait_for_transcodes() {
    let (media, path) = (Media::new(MediaOptions { transcoders: 1, workers: 1, ..media_options() }), film());
    let slow = tokio::spawn({
        let (media, path) = (media.clone(), path.clone());
        async move { picture(&media, &path, long_plan()).await }
    });
    while media.state().transcoding == 0 {
        tokio::task::yield_now().await;
    }
    media.probe(&path).await.unwrap();
    assert_eq!(media.state().transcoding, 1);
    slow.await.unwrap();
}
