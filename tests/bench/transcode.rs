//! Transcoding in software, beside the `ffmpeg` program doing the same job (preset, quality, bit rate, threads, niceness) in
//! the same run: frames a second, the first segment after a seek in a film that no worker has open, and a worker's memory.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use potluck::media::hardware::Device;
use potluck::media::transcode::{PictureFormat, PicturePlan};
use potluck::media::{Media, MediaOptions};
use tokio_util::sync::CancellationToken;

use crate::table::Table;

/// Seconds of a clip and of a segment, the longest that there are, and frames a second.
const SECONDS: i64 = 12;
const LENGTH: i64 = 3;
const RATE: i64 = 24;
/// Ticks between two keyframes.
const KEYS: i64 = 2000;
/// Ticks a second of Matroska.
const SCALE: u32 = 1000;

/// A job: its name, the clip, and what becomes of it.
struct Job {
    name: &'static str,
    clip: PathBuf,
    format: PictureFormat,
    /// How often it is done by each in turn; the middle time counts.
    turns: usize,
}

/// Measures the group.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = clips()?;
    let large = clip(&folder, "hevc-main10-2160.mkv", 3840, 2160, &["libx265", "-pix_fmt", "yuv420p10le"])?;
    let small = clip(&folder, "h264-1080.mkv", 1920, 1080, &["libx264", "-pix_fmt", "yuv420p"])?;
    let jobs = [
        Job {
            name: "2160 HEVC Main10 to 1080 H.264",
            clip: large.clone(),
            format: format(1920, 1080, 8_000_000, false),
            turns: 1,
        },
        Job { name: "the same, tones mapped", clip: large, format: format(1920, 1080, 8_000_000, true), turns: 1 },
        Job { name: "1080 H.264 to 720 H.264", clip: small, format: format(1280, 720, 4_000_000, false), turns: 5 },
    ];
    for job in &jobs {
        runtime.block_on(of_job(table, job))?;
    }
    Ok(())
}

fn format(width: u32, height: u32, bit_rate: u64, tone_map: bool) -> PictureFormat {
    PictureFormat { width, height, bit_rate, frame_rate_max: None, tone_map, burn: None, level: 40 }
}

/// Where clips are kept: the large one takes minutes to make.
fn clips() -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("HOME").ok_or_else(|| anyhow::anyhow!("no HOME"))?;
    let folder = PathBuf::from(home).join(".cache/potluck/bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn clip(folder: &Path, name: &str, width: u32, height: u32, codec: &[&str]) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(path);
    }
    let picture = format!("testsrc2=size={width}x{height}:rate={RATE}:duration={SECONDS},noise=alls=8:allf=t");
    let part = folder.join(format!("part-{name}"));
    let colours = "log-level=none:keyint=48:min-keyint=48:scenecut=0:open-gop=0:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc";
    let mut arguments = vec!["-f", "lavfi", "-i", &picture, "-preset", "ultrafast", "-g", "48", "-c:v"];
    arguments.extend(codec);
    if codec[0] == "libx265" {
        arguments.extend(["-x265-params", colours]);
    }
    ffmpeg(&[&arguments[..], &[text(&part)]].concat())?;
    std::fs::rename(&part, &path)?;
    Ok(path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// Runs the program as far behind others as the workers are.
fn ffmpeg(arguments: &[&str]) -> anyhow::Result<()> {
    let program = ["-n", "8", "ffmpeg", "-v", "error", "-nostdin", "-y"];
    let status = Command::new("nice").args(program).args(arguments).status()?;
    anyhow::ensure!(status.success(), "ffmpeg {arguments:?}");
    Ok(())
}

fn threads() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1))
}

fn plan(n: i64, format: &PictureFormat) -> PicturePlan {
    let ticks = LENGTH * i64::from(SCALE);
    PicturePlan {
        stream: 0,
        sequence: u32::try_from(n).unwrap_or(0),
        base_seconds: 0,
        timescale: SCALE,
        key: Some(n * ticks / KEYS * KEYS),
        start: n * ticks,
        end: (n + 1) * ticks,
        last: (n + 1) * LENGTH == SECONDS,
        format: format.clone(),
        device: Device::Software,
        threads: threads(),
    }
}

fn media() -> Media {
    Media::new(MediaOptions::new(Path::new(env!("CARGO_BIN_EXE_potluck-media-worker")).to_owned()))
}

async fn of_job(table: &mut Table, job: &Job) -> anyhow::Result<()> {
    let (out, never) = (tempfile::tempdir()?, CancellationToken::new());
    first_segment(table, job, out.path()).await?;
    let (mut ours, mut theirs, mut memory) = (Vec::new(), Vec::new(), 0);
    for _ in 0..job.turns {
        let (media, begun) = (media(), Instant::now());
        for n in 0..SECONDS / LENGTH {
            media.picture(&job.clip, plan(n, &job.format), &never).await?;
        }
        ours.push(begun.elapsed());
        memory = memory.max(peak_of_workers()?);
        media.stop().await;
        let begun = Instant::now();
        program(job, &[], &[], out.path())?;
        theirs.push(begun.elapsed());
    }
    let (ours, theirs) = (frames(middle(&mut ours)), frames(middle(&mut theirs)));
    table.row(
        job.name,
        format!("{ours:.1} frames/s"),
        "1.0 x the program",
        format!("ffmpeg: {theirs:.1} frames/s, ratio {:.2}", ours / theirs),
    );
    table.row(&format!("{}: worker's peak", job.name), format!("{memory} MB"), "500 MB", "-".to_owned());
    Ok(())
}

async fn first_segment(table: &mut Table, job: &Job, out: &Path) -> anyhow::Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (from, length) = (LENGTH.to_string(), LENGTH.to_string());
    for _ in 0..job.turns {
        let (cold, begun) = (media(), Instant::now());
        cold.picture(&job.clip, plan(1, &job.format), &CancellationToken::new()).await?;
        ours.push(begun.elapsed());
        cold.stop().await;
        let begun = Instant::now();
        program(job, &["-ss", &from], &["-t", &length], out)?;
        theirs.push(begun.elapsed());
    }
    table.row(
        &format!("{}: first segment after a seek", job.name),
        milliseconds(middle(&mut ours)),
        "the program's + 100 ms; 1080: 2 s",
        format!("ffmpeg: {}", milliseconds(middle(&mut theirs))),
    );
    Ok(())
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// What the program does in one go.
fn program(job: &Job, before: &[&str], after: &[&str], out: &Path) -> anyhow::Result<()> {
    let PictureFormat { width, height, bit_rate, tone_map, .. } = job.format;
    let mapped = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0:peak=10,zscale=t=bt709:m=bt709:r=limited,";
    let filter =
        format!("scale=w={width}:h={height}:flags=bicubic,{}format=yuv420p", if tone_map { mapped } else { "" });
    let (threads, most, buffer) = (threads().to_string(), bit_rate.to_string(), (bit_rate / 2).to_string());
    let out = out.join("out.mp4");
    let input = ["-threads", &threads, "-i", text(&job.clip), "-vf", &filter, "-c:v", "libx264", "-preset", "veryfast"];
    let output = ["-crf", "21", "-maxrate", &most, "-bufsize", &buffer, "-threads", &threads, text(&out)];
    ffmpeg(&[before, &input[..], after, &output[..]].concat())
}

fn frames(time: Duration) -> f64 {
    (SECONDS * RATE) as f64 / time.as_secs_f64()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}

/// The most memory that a worker of this process had at once, in megabytes.
fn peak_of_workers() -> anyhow::Result<u64> {
    let own = format!("PPid:\t{}", std::process::id());
    let mut most = 0;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        if status.lines().any(|line| line == own) {
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
            most = most.max(peak.and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or(0));
        }
    }
    Ok(most * 1024 / 1_000_000)
}
