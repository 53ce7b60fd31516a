//! A node among many others of IPFS: what it weighs with a thousand of them, and whether who plays feels that a large public
//! library is announced.
use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use potluck::exchange::libp2p::{Libp2p, Libp2pOptions, Routing};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::api::Api;
use crate::ipfs::{Open, host, options};
use crate::node::{Served, init, percentiles};
use crate::table::Table;
use crate::tracks::Sounds;

const PEERS: usize = 1000;
/// Files of the public library.
const TRACKS: u64 = 10_000;
/// Nodes that are told of them.
const TOLD: usize = 20;
/// Turns with announcing, and as many without: what the machine does besides falls on both.
const TURNS: usize = 4;
/// Segments that are asked for in each.
const ASKED: usize = 500;
/// How long somebody plays while the pace of announcing is measured.
const WATCHED: Duration = Duration::from_secs(140);
const LISTEN: (&str, &str) = ("POTLUCK_IPFS__LISTEN", "/ip4/127.0.0.1/tcp/0");
const SETTLED: Duration = Duration::from_secs(10);

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(weigh(table))?;
    runtime.block_on(announce(table))
}

async fn serve(data: &Path, settings: &[(&str, &OsStr)]) -> anyhow::Result<Api> {
    init(data)?;
    let listen = (LISTEN.0, LISTEN.1.as_ref());
    Api::sign_in(Served::start_at("127.0.0.1", data, None, &[&[listen], settings].concat())?).await
}

async fn address(node: &Api) -> anyhow::Result<String> {
    let known = node.until("/api/v1/ipfs", |ipfs| ipfs["addresses"][0].is_string()).await?;
    Ok(known["addresses"][0].as_str().context("it listens")?.to_owned())
}

async fn weigh(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let node = serve(&folder.path().join("data"), &[("POTLUCK_IPFS__CONNECTIONS_MAX", "2000".as_ref())]).await?;
    let at = address(&node).await?;
    tokio::time::sleep(SETTLED).await;
    let alone = node.node.resident()? as f64 / 1e6;
    let connect = |number| {
        let at = at.clone();
        async move {
            let peer = host(options(number, Vec::new()), Open::nothing()).await?;
            peer.connect(&at).await?;
            anyhow::Ok(peer)
        }
    };
    let peers: Vec<Libp2p> = stream::iter((0..PEERS).map(connect)).buffer_unordered(16).try_collect().await?;
    tokio::time::sleep(SETTLED).await;
    let connected = node.get("/api/v1/ipfs").await?["peers"].as_u64().unwrap_or(0);
    ensure!(connected == PEERS as u64, "only {connected} are connected");
    let popular = node.node.resident()? as f64 / 1e6;
    table.row(
        &format!("a node with {PEERS} connected peers of IPFS, RSS"),
        format!("{popular:.1} MB"),
        "under 300 MB",
        format!("without any {alone:.1} MB"),
    );
    futures_util::future::join_all(peers.iter().map(Libp2p::stop)).await;
    Ok(())
}

async fn announce(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (music, films) = (folder.path().join("music"), folder.path().join("films"));
    std::fs::create_dir_all(&music)?;
    std::fs::create_dir_all(&films)?;
    Sounds::new(folder.path())?.write(&music, 0..TRACKS)?;
    crate::segments::film(&films)?;
    std::fs::remove_file(films.join("short.mp4"))?;
    let far = elsewhere()?;
    let told = far.spawn(network()).await??;
    let begin = told[0].addresses()[0].clone();
    let settings: [(&str, &OsStr); 2] =
        [("POTLUCK_IPFS__ROUTING", "private".as_ref()), ("POTLUCK_IPFS__BOOTSTRAP", OsStr::new(&begin))];
    let node = serve(&folder.path().join("data"), &settings).await?;
    node.post("/api/v1/libraries", json!({"name": "Films", "kind": "videos", "path": films})).await?;
    let item = node.until("/api/v1/items?kind=video", |all| all["items"][0]["state"] == "present").await?;
    let item = item["items"][0]["id"].as_str().context("the film has an id")?.to_owned();
    let library = json!({"name": "Music", "kind": "music", "path": music, "visibility": "private"});
    let library = node.post("/api/v1/libraries", library).await?["id"].as_str().context("it has an id")?.to_owned();
    node.until("/api/v1/libraries", |all| {
        let all = all.as_array().into_iter().flatten();
        all.into_iter().any(|one| one["id"] == library.as_str() && one["items"].as_u64() >= Some(TRACKS))
    })
    .await?;
    tokio::time::sleep(SETTLED).await;
    let segments = segments(&node, &item).await?;
    play(&node, &segments).await?;
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        quiet.extend(play(&node, &segments).await?);
        show(&node, &library, "public").await?;
        begun(&node).await?;
        busy.extend(play(&node, &segments).await?);
        announces(&node).await?;
        show(&node, &library, "private").await?;
        node.until("/api/v1/ipfs", |ipfs| ipfs["announced"]["roots"].as_u64() < Some(TRACKS)).await?;
        tokio::time::sleep(SETTLED / 5).await;
    }
    show(&node, &library, "public").await?;
    let (before, start) = (begun(&node).await?, Instant::now());
    while start.elapsed() < WATCHED {
        play(&node, &segments).await?;
    }
    let a_second = (announces(&node).await? - before) / start.elapsed().as_secs_f64();
    table.row(
        &format!("segments while {TRACKS} public files are announced"),
        percentiles(busy),
        "p99 within 10 % of without",
        format!("without announcing {}", percentiles(quiet)),
    );
    table.row(
        &format!("a sweep over {TRACKS} files while somebody plays all the time"),
        format!("{:.1} hours at {a_second:.3} a second", TRACKS as f64 / a_second / 3600.0),
        "within its 22 hours",
        format!("{TOLD} nodes were told"),
    );
    far.spawn(async move { futures_util::future::join_all(told.iter().map(Libp2p::stop)).await }).await?;
    far.shutdown_background();
    Ok(())
}

/// Who is told does its work on other machines: here, on what this one's has left.
fn elsewhere() -> anyhow::Result<Runtime> {
    let mut far = tokio::runtime::Builder::new_multi_thread();
    far.worker_threads(1).enable_all().on_thread_start(|| {
        // Of this thread alone: it runs where nobody else does. Where it is refused the figure is only worse.
        let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
        let idle = std::process::Command::new("chrt").args(["--idle", "--pid", "0", &thread]).status();
        if !idle.is_ok_and(|status| status.success()) {
            let _ = rustix::process::nice(19);
        }
    });
    Ok(far.build()?)
}

/// Nodes that know each other.
async fn network() -> anyhow::Result<Vec<Libp2p>> {
    let first = private(0, Vec::new()).await?;
    let begin = vec![first.addresses()[0].clone()];
    let others = stream::iter((1..TOLD).map(|number| private(number, begin.clone()))).buffer_unordered(4);
    let mut all = vec![first];
    all.extend(others.try_collect::<Vec<_>>().await?);
    Ok(all)
}

async fn private(number: usize, bootstrap: Vec<String>) -> anyhow::Result<Libp2p> {
    let listen = vec![LISTEN.1.to_owned()];
    let options = Libp2pOptions { routing: Routing::Private, bootstrap, ..options(number, listen) };
    host(options, Open::nothing()).await
}

async fn show(node: &Api, library: &str, visibility: &str) -> anyhow::Result<()> {
    node.patch(&format!("/api/v1/libraries/{library}"), json!({"visibility": visibility})).await?;
    Ok(())
}

/// Comes back when some were announced: how many.
async fn begun(node: &Api) -> anyhow::Result<f64> {
    let ipfs = node.until("/api/v1/ipfs", |ipfs| told_of(ipfs) > 20.0 && told_of(ipfs) < 1000.0).await?;
    Ok(told_of(&ipfs))
}

/// How many were announced, of which none failed and others are left.
async fn announces(node: &Api) -> anyhow::Result<f64> {
    let after = node.get("/api/v1/ipfs").await?;
    ensure!(after["announced"]["roots"].as_u64() > Some(TRACKS), "{after}: not all is public");
    ensure!(told_of(&after) < TRACKS as f64, "{after}: the sweep was over");
    ensure!(after["announced"]["failed"] == 0, "{after}: some could not be told");
    Ok(told_of(&after))
}

fn told_of(ipfs: &Value) -> f64 {
    ipfs["announced"]["announced"].as_f64().unwrap_or(0.0)
}

/// Addresses of the film's segments, as any player finds them.
async fn segments(node: &Api, item: &str) -> anyhow::Result<Vec<String>> {
    let base = format!("/api/v1/items/{item}/hls");
    let master = node.stream(&format!("{base}/master.m3u8")).await?.text().await?;
    let playlist =
        master.lines().find(|line| !line.starts_with('#') && !line.is_empty()).context("it has a playlist")?;
    let (folder, _) = playlist.rsplit_once('/').context("it is in a folder")?;
    let text = node.stream(&format!("{base}/{playlist}")).await?.text().await?;
    let parts = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    Ok(parts.map(|part| format!("{base}/{folder}/{part}")).collect())
}

/// How long each takes that is asked for, jumping.
async fn play(node: &Api, segments: &[String]) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(ASKED);
    for round in 0..ASKED {
        times.push(node.timed(&segments[round * 37 % segments.len()]).await?);
    }
    Ok(times)
}
