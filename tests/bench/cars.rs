//! CARs: how fast one is written of a library's file and of what is pinned, by HTTP and by the command line, beside the same bytes read plainly.
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::api::Api;
use crate::node::{Served, init};
use crate::table::Table;

const PROGRAM: &str = env!("CARGO_BIN_EXE_potluck");
/// Of the file; `POTLUCK_BENCH_CAR_MIB` has another size.
const SIZE: usize = 1024;
/// Each is measured so often, and the best counts: what the machine does besides is not ours.
const ROUNDS: usize = 3;

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(written(table))
}

async fn written(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, films, car) = (folder.path().join("data"), folder.path().join("films"), folder.path().join("film.car"));
    std::fs::create_dir(&films)?;
    let size = std::env::var("POTLUCK_BENCH_CAR_MIB").ok().and_then(|n| n.parse().ok()).unwrap_or(SIZE);
    crate::replicas::film(&films.join("film.mp4"), size)?;
    init(&data)?;
    run(&data, &["library", "add", "Films", "--kind", "videos", "--path"], Some(&films))?;
    run(&data, &["scan"], None)?;
    let cid = run(&data, &["cid"], Some(&films.join("film.mp4")))?;
    let cid = cid.trim();
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let api = Api::sign_in(Served::start(&data)?).await?;
    let plain = fetched(&api, &format!("/ipfs/{cid}?filename=a.mp4")).await?;
    let of_library = fetched(&api, &format!("/ipfs/{cid}?format=car")).await?;
    let exported = exported(&data, cid)?;
    table.row("CAR of a library's file, by HTTP", rate(of_library), "-", format!("the file by HTTP: {}", rate(plain)));
    table.row("`potluck export` of it to nowhere", rate(exported), "-", format!("the file by HTTP: {}", rate(plain)));
    run(&data, &["export", cid, "--output"], Some(&car))?;
    let begun = Instant::now();
    run(&data, &["import", "car"], Some(&car))?;
    let taken = car.metadata()?.len() as f64 / begun.elapsed().as_secs_f64();
    // Without the library its blocks come from the store alone.
    run(&data, &["library", "remove", "Films"], None)?;
    let cached = fetched(&api, &format!("/ipfs/{cid}?format=car")).await?;
    let exported = self::exported(&data, cid)?;
    let beside = format!("`cat` of that CAR: {}", rate(copied(&car)?));
    table.row("CAR from the store of blocks, by HTTP", rate(cached), "at least 500 MB/s", beside.clone());
    table.row("`potluck export` of it to nowhere", rate(exported), "at least 500 MB/s", beside.clone());
    table.row("`potluck import car`, checked, on disk", rate(taken), "-", beside);
    Ok(())
}

fn run(data: &Path, arguments: &[&str], path: Option<&Path>) -> anyhow::Result<String> {
    let mut command = Command::new(PROGRAM);
    command.arg("--data").arg(data).args(arguments).args(path);
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Bytes a second.
async fn fetched(api: &Api, path: &str) -> anyhow::Result<f64> {
    let mut best = 0.0f64;
    for _ in 0..ROUNDS {
        let (begun, mut bytes) = (Instant::now(), 0);
        let mut answer = api.stream(path).await?;
        while let Some(piece) = answer.chunk().await? {
            bytes += piece.len();
        }
        best = best.max(bytes as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn exported(data: &Path, cid: &str) -> anyhow::Result<f64> {
    count(|| {
        let mut command = Command::new(PROGRAM);
        command.arg("--data").arg(data).args(["export", cid]);
        command
    })
}

fn copied(car: &Path) -> anyhow::Result<f64> {
    count(|| {
        let mut command = Command::new("cat");
        command.arg(car);
        command
    })
}

/// How fast a program's output is read.
fn count(command: impl Fn() -> Command) -> anyhow::Result<f64> {
    let mut best = 0.0f64;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut child = command().stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let bytes = std::io::copy(&mut child.stdout.take().context("its output")?, &mut std::io::sink())?;
        ensure!(child.wait()?.success() && bytes > 0, "nothing came");
        best = best.max(bytes as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn rate(bytes_per_second: f64) -> String {
    format!("{:.0} MB/s", bytes_per_second / 1e6)
}
