//! How fast a copy of a friend's film comes: two nodes as processes, from the rule to the file that stands under its name, every
//! block checked, beside the same file fetched from the same node over plain HTTP onto the same disk.
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::api::Api;
use crate::node::{Served, init};
use crate::table::Table;
use crate::wan::{self, Wan};

const MIB: usize = 1024 * 1024;

/// A path and the MiB of the film that goes over it.
struct Stretch {
    round_trip_ms: u32,
    mebibytes: usize,
}

const NEAR: Stretch = Stretch { round_trip_ms: 0, mebibytes: 1024 };
const FAR: Stretch = Stretch { round_trip_ms: 50, mebibytes: 512 };

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(row(table, &NEAR, None))?;
    if let Some(wan) = Wan::up(FAR.round_trip_ms, 0.0)? {
        runtime.block_on(row(table, &FAR, Some(&wan)))?;
    }
    Ok(())
}

async fn row(table: &mut Table, path: &Stretch, wan: Option<&Wan>) -> anyhow::Result<()> {
    let (owner, keeper) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let films = owner.path().join("films");
    std::fs::create_dir(&films)?;
    film(&films.join("Long film.mp4"), path.mebibytes)?;
    for data in [owner.path(), keeper.path()] {
        init(&data.join("data"))?;
    }
    let (far, near) = if wan.is_some() { (wan::FAR, wan::NEAR) } else { ("127.0.0.1", "127.0.0.1") };
    let copies = keeper.path().join("copies");
    std::fs::create_dir(&copies)?;
    let keep = [("POTLUCK_REPLICAS__FOLDER", copies.as_os_str()), ("POTLUCK_REPLICAS__SPARE_GIB", "0".as_ref())];
    let owner = Api::sign_in(Served::start_at(far, &owner.path().join("data"), wan, &[])?).await?;
    let keeper = Api::sign_in(Served::start_at(near, &keeper.path().join("data"), None, &keep)?).await?;
    let library = owner.post("/api/v1/libraries", json!({"name": "Films", "kind": "videos", "path": films})).await?;
    let film = item(&owner).await?;
    let invite = owner.post("/api/v1/friends/invites", json!({"name": "keeper"})).await?;
    let code = json!({"code": invite["code"], "name": "owner"});
    keeper.post("/api/v1/friends/accept", code).await?;
    let friend = owner.get("/api/v1/friends").await?[0]["id"].take();
    let friend = friend.as_str().context("the keeper is a friend")?;
    owner.patch(&format!("/api/v1/friends/{friend}"), json!({"libraries": [library["id"]]})).await?;
    item(&keeper).await?;

    let begun = Instant::now();
    keeper.post("/api/v1/replicas", json!({"target": library["id"]})).await?;
    let rule = keeper.until("/api/v1/replicas", |all| all["rules"][0]["state"] == "done").await?;
    let kept = megabytes_a_second(path.mebibytes, begun);
    ensure!(rule["rules"][0]["items"] == 1, "kept something else: {rule}");
    let begun = Instant::now();
    download(&owner, film["id"].as_str().context("it has an id")?, &copies.join("reference")).await?;
    let reference = megabytes_a_second(path.mebibytes, begun);
    table.row(
        &format!("a copy of a film of {} MiB is kept, {} ms", path.mebibytes, path.round_trip_ms),
        format!("{kept:.1} MB/s"),
        "disk or link, not round trips",
        format!("plain HTTP onto the same disk: {reference:.1} MB/s"),
    );
    Ok(())
}

fn megabytes_a_second(mebibytes: usize, since: Instant) -> f64 {
    (mebibytes * MIB) as f64 / 1e6 / since.elapsed().as_secs_f64()
}

/// A short film, and after it bytes that no player reads.
pub fn film(path: &Path, mebibytes: usize) -> anyhow::Result<()> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=24", "-t", "4"]);
    ensure!(ffmpeg.args(["-c:v", "libx264", "-pix_fmt", "yuv420p"]).arg(path).status()?.success(), "ffmpeg failed");
    let mut bytes = std::fs::read(path)?;
    let junk = mebibytes * MIB - bytes.len();
    bytes.extend_from_slice(&u32::try_from(junk)?.to_be_bytes());
    bytes.extend_from_slice(b"free");
    let mut noise = vec![0; junk - 8];
    rand::fill(&mut noise[..]);
    bytes.extend(noise);
    Ok(std::fs::write(path, bytes)?)
}

/// The one item that a node lists, once it can be played.
async fn item(node: &Api) -> anyhow::Result<Value> {
    let mut items = node.until("/api/v1/items", |all| all["items"][0]["state"] == "present").await?;
    Ok(items["items"][0].take())
}

async fn download(node: &Api, item: &str, to: &Path) -> anyhow::Result<()> {
    let url = format!("{}/api/v1/items/{item}/file", node.node.url);
    let mut body = node.client.get(url).send().await?.error_for_status()?.bytes_stream();
    let mut file = tokio::fs::File::create(to).await?;
    while let Some(part) = body.next().await {
        file.write_all(&part?).await?;
    }
    Ok(file.sync_all().await?)
}
