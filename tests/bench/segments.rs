//! Copy segments: how long a player waits for one from a warm worker, and how fast a whole file is packaged, beside the
//! `ffmpeg` program that repackages the same file.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use potluck::media::timeline::FileIndex;
use potluck::media::{Media, MediaOptions};

use crate::table::Table;

/// Measures the group.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mp4 = film(folder.path())?;
    let mkv = folder.path().join("film.mkv");
    ffmpeg(&["-i", text(&mp4), "-c", "copy", text(&mkv)])?;
    for path in [&mkv, &mp4] {
        runtime.block_on(of_file(table, path, folder.path()))?;
    }
    Ok(())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

fn ffmpeg(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).status()?;
    anyhow::ensure!(status.success(), "ffmpeg {arguments:?}");
    Ok(())
}

/// 6 minutes at about 11 Mbit/s with a keyframe every two seconds: some seconds encoded, and repeated.
pub fn film(folder: &Path) -> anyhow::Result<PathBuf> {
    let (short, long) = (folder.join("short.mp4"), folder.join("film.mp4"));
    let picture = "testsrc2=size=1280x720:rate=24:duration=12,noise=alls=20:allf=t";
    let arguments =
        ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=duration=12", "-c:v", "libx264", "-preset"];
    let more =
        ["ultrafast", "-g", "48", "-b:v", "11M", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "160k", text(&short)];
    ffmpeg(&[&arguments[..], &more].concat())?;
    ffmpeg(&["-stream_loop", "29", "-i", text(&short), "-c", "copy", text(&long)])?;
    Ok(long)
}

fn media() -> Media {
    Media::new(MediaOptions::new(Path::new(env!("CARGO_BIN_EXE_potluck-media-worker")).to_owned()))
}

async fn of_file(table: &mut Table, path: &Path, folder: &Path) -> anyhow::Result<()> {
    let media = media();
    let kind = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    media.probe(path).await?;
    let start = Instant::now();
    let index = media.index(path).await?;
    table.row(&format!("cut list of a {kind}"), milliseconds(start.elapsed()), "-", size(path)?);

    let (film, sound) = (in_order(&media, path, &index, 0, 1).await?, in_order(&media, path, &index, 1, 1).await?);
    let jumps = in_order(&media, path, &index, 0, 37).await?;
    let reference = one_by_ffmpeg(path, folder)?;
    table.row(&format!("{kind} film segment, in order"), percentiles(&film), "p50 20 ms, p95 40 ms", reference.clone());
    table.row(&format!("{kind} film segment, jumping"), percentiles(&jumps), "p50 20 ms, p95 40 ms", reference);
    table.row(&format!("{kind} sound segment, in order"), percentiles(&sound), "p50 20 ms, p95 40 ms", "-".to_owned());

    let ours = Instant::now();
    in_order(&media, path, &index, 0, 1).await?;
    in_order(&media, path, &index, 1, 1).await?;
    let ours = rate(path, ours.elapsed())?;
    let theirs = Instant::now();
    let playlist = folder.join("out.m3u8");
    ffmpeg(&[
        "-i",
        text(path),
        "-c",
        "copy",
        "-f",
        "hls",
        "-hls_time",
        "4",
        "-hls_segment_type",
        "fmp4",
        text(&playlist),
    ])?;
    table.row(
        &format!("whole {kind} packaged"),
        ours,
        "-",
        format!("ffmpeg -c copy -f hls: {}", rate(path, theirs.elapsed())?),
    );
    media.stop().await;
    Ok(())
}

/// Times of all segments of a track, going `step` further (and round) each time.
async fn in_order(
    media: &Media,
    path: &Path,
    index: &FileIndex,
    track: usize,
    step: usize,
) -> anyhow::Result<Vec<Duration>> {
    let track = &index.tracks[track];
    let count = track.starts.len();
    let mut times = Vec::with_capacity(count);
    for n in 0..count {
        let plan = index.plan(track, n * step % count).ok_or_else(|| anyhow::anyhow!("no segment {n}"))?;
        let start = Instant::now();
        media.segment(path, plan).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// What asking the program for one segment costs each time.
fn one_by_ffmpeg(path: &Path, folder: &Path) -> anyhow::Result<String> {
    let out = folder.join("one.mp4");
    let times = (0..8).map(|n| {
        let start = Instant::now();
        let from = (n * 40).to_string();
        ffmpeg(&[
            "-ss",
            &from,
            "-i",
            text(path),
            "-t",
            "4",
            "-map",
            "0:v",
            "-c",
            "copy",
            "-movflags",
            "frag_keyframe",
            text(&out),
        ])?;
        Ok(start.elapsed())
    });
    Ok(format!("ffmpeg for each: {}", percentiles(&times.collect::<anyhow::Result<Vec<_>>>()?)))
}

fn percentiles(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |part: usize| {
        sorted.get((sorted.len() * part / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    format!("p50 {}, p95 {}", milliseconds(at(50)), milliseconds(at(95)))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn size(path: &Path) -> anyhow::Result<String> {
    Ok(format!("file of {} MB", std::fs::metadata(path)?.len() / 1_000_000))
}

fn rate(path: &Path, time: Duration) -> anyhow::Result<String> {
    Ok(format!("{:.0} MB/s", std::fs::metadata(path)?.len() as f64 / 1e6 / time.as_secs_f64()))
}
