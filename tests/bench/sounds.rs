//! The sound of a whole file over HTTP from a node, beside the `ffmpeg` program doing the same job: the first byte, with a worker
//! that has to be started as the program has, and how many times as quick as it is heard the whole is made.
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::api::Api;
use crate::node::{Served, init};
use crate::table::Table;

/// Seconds of the song.
const SECONDS: u64 = 240;
/// Times that each first byte is waited for, and each whole made.
const ROUNDS: u32 = 20;
const WHOLES: usize = 3;

/// A form: its name, what the program calls its encoder and container, kilobits a second.
struct Form {
    name: &'static str,
    encoder: &'static str,
    container: &'static str,
    kbps: u32,
}

const FORMS: [Form; 3] = [
    Form { name: "mp3", encoder: "libmp3lame", container: "mp3", kbps: 192 },
    Form { name: "opus", encoder: "libopus", container: "ogg", kbps: 128 },
    Form { name: "aac", encoder: "aac", container: "adts", kbps: 256 },
];

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(run(table))
}

async fn run(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, songs) = (folder.path().join("data"), folder.path().join("songs"));
    init(&data)?;
    std::fs::create_dir(&songs)?;
    let song = song(&songs)?;
    let node = Api::sign_in(Served::start(&data)?).await?;
    node.post("/api/v1/libraries", json!({"name": "Songs", "kind": "music", "path": songs})).await?;
    let items = node.until("/api/v1/items?kind=track", |all| all["items"][0]["state"] == "present").await?;
    let sound = format!("/api/v1/items/{}/sound", items["items"][0]["id"].as_str().context("it has an id")?);
    for form in &FORMS {
        first_byte(table, &node, &sound, &song, form).await?;
        whole(table, &node, &sound, &song, form).await?;
    }
    Ok(())
}

/// What music is to an encoder: tones that change, noise, two different sides.
fn song(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("song.flac");
    let tones = format!(
        "aevalsrc=0.3*sin(2*PI*(220+40*sin(t))*t)+0.1*random(0)|0.3*sin(2*PI*(330+30*cos(t))*t)+0.1*random(1):s=44100:d={SECONDS}"
    );
    let status = Command::new("ffmpeg").args(["-v", "error", "-f", "lavfi", "-i", &tones]).arg(&path).status()?;
    ensure!(status.success(), "ffmpeg failed");
    Ok(path)
}

async fn first_byte(table: &mut Table, node: &Api, sound: &str, song: &Path, form: &Form) -> anyhow::Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        // Each is a form of its own, so nothing is there already; and nobody waits for its end, so its worker goes.
        let query = format!("{sound}?format={}&bitrate={}&offset={}", form.name, form.kbps, f64::from(n) / 10.0);
        let begun = Instant::now();
        let mut answer = node.stream(&query).await?;
        answer.chunk().await?.context("no sound")?;
        ours.push(begun.elapsed());
        drop(answer);
        theirs.push(program(song, form, true)?);
    }
    table.row(
        &format!("first byte of a song as {} {}, worker started", form.name, form.kbps),
        percentiles(ours),
        "under 300 ms",
        format!("ffmpeg: {}", percentiles(theirs)),
    );
    Ok(())
}

async fn whole(table: &mut Table, node: &Api, sound: &str, song: &Path, form: &Form) -> anyhow::Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 0..WHOLES {
        // Almost all of it, and each time another form.
        let query = format!("{sound}?format={}&bitrate={}&offset=0.0{}", form.name, form.kbps, n + 11);
        let begun = Instant::now();
        let mut answer = node.stream(&query).await?;
        while answer.chunk().await?.is_some() {}
        ours.push(begun.elapsed());
        theirs.push(program(song, form, false)?);
    }
    let speed = |times: &mut Vec<Duration>| {
        times.sort();
        SECONDS as f64 / times[times.len() / 2].as_secs_f64()
    };
    let (ours, theirs) = (speed(&mut ours), speed(&mut theirs));
    table.row(
        &format!("a song of {SECONDS} s as {} {}", form.name, form.kbps),
        format!("{ours:.0} x as quick as heard"),
        "1.0 x the program",
        format!("ffmpeg: {theirs:.0} x, ratio {:.2}", ours / theirs),
    );
    Ok(())
}

/// How long the program takes, to its first byte or to its last.
fn program(song: &Path, form: &Form, first: bool) -> anyhow::Result<Duration> {
    let rate = format!("{}k", form.kbps);
    let begun = Instant::now();
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(song)
        .args(["-map", "0:a:0", "-c:a", form.encoder, "-b:a", &rate, "-f", form.container, "-"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = ffmpeg.stdout.take().context("its output")?;
    let mut piece = vec![0; 64 * 1024];
    while output.read(&mut piece)? > 0 && !first {}
    let time = begun.elapsed();
    // It may have ended by itself.
    let _ = ffmpeg.kill();
    ffmpeg.wait()?;
    Ok(time)
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:.0} ms, p99 {:.0} ms", at(50), at(99))
}
