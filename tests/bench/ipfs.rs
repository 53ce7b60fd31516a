//! The network of IPFS: Bitswap between two hosts of this process, on loopback and on a line of 100 Mbit/s with 50 ms, beside HTTPS
//! in the same run; and Helia, which fetches from a node. Every block is read from a file, checked, sent, and checked again.
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use potluck::blocks::{Blocks, BlocksOptions};
use potluck::content::Cid;
use potluck::content::unixfs::node::{Node, decode};
use potluck::exchange::libp2p::{Larder, Libp2p, Libp2pOptions, Libp2pParts, PeerId, Routing};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::friends::{self, LOOPBACK, Run, Stretch, cpu_seconds};
use crate::node::{Served, init};
use crate::table::Table;
use crate::wan::{self, Wan};

const MIB: usize = 1024 * 1024;
/// Blocks that are fetched at a time.
const AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(120);

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let near = Stretch { round_trip_ms: 0, loss_percent: 0.0, readers: 1, mebibytes: 512, asked: "at least 200 MB/s" };
    for (transport, asked) in [("tcp/0", near.asked), ("udp/0/quic-v1", "-"), ("tcp/0/ws", "-")] {
        runtime.block_on(row(table, &Stretch { asked, ..near }, transport, LOOPBACK, runtime.handle()))?;
    }
    let long = Stretch { round_trip_ms: 50, mebibytes: 128, asked: "at least 7.5 MB/s (60 % of 100 Mbit/s)", ..near };
    if let Some(wan) = Wan::with_rate(50, 0.0, 100)? {
        let far = wan.far_runtime()?;
        for transport in ["tcp/0", "udp/0/quic-v1"] {
            runtime.block_on(row(table, &long, transport, wan::FAR, far.handle()))?;
        }
    }
    runtime.block_on(helia(table))
}

async fn row(table: &mut Table, path: &Stretch, transport: &str, host: &str, there: &Handle) -> anyhow::Result<()> {
    let (ours, https) =
        (over_bitswap(path, transport, host, there).await?, friends::over_https(path, host, there).await?);
    let name = transport.replace("/0", "").replace('/', " ");
    let what = format!("Bitswap, {name}, {} ms, {} MiB", path.round_trip_ms, path.mebibytes);
    table.row(&what, ours.text(), path.asked, format!("HTTPS {}", https.text()));
    Ok(())
}

/// Gives everything to everybody.
pub struct Open(Option<Blocks>);

impl Open {
    pub fn nothing() -> Arc<Self> {
        Arc::new(Self(None))
    }
}

impl Larder for Open {
    fn size<'a>(&'a self, _: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<u64>> {
        async move { Some(self.0.as_ref()?.stat(cid).await.ok()??.size) }.boxed()
    }

    fn block<'a>(&'a self, _: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<Bytes>> {
        async move { self.0.as_ref()?.get(cid).await.ok() }.boxed()
    }
}

pub fn options(number: usize, listen: Vec<String>) -> Libp2pOptions {
    let mut secret = [9; 32];
    secret[..8].copy_from_slice(&number.to_le_bytes());
    Libp2pOptions {
        secret,
        listen,
        public_addresses: Vec::new(),
        routing: Routing::Off,
        bootstrap: Vec::new(),
        relays: Vec::new(),
        port_mapping: false,
        connections_max: 4096,
        memory_limit: None,
        announced_max: 20_000,
    }
}

pub async fn host(options: Libp2pOptions, larder: Arc<Open>) -> anyhow::Result<Libp2p> {
    let listens = !options.listen.is_empty();
    let host = Libp2p::start(options, Libp2pParts { larder, check: Arc::new(|_, _, _| true) }).await?;
    while listens && host.state().listens.is_empty() {
        ensure!(host.state().failed.is_empty(), "{:?}", host.state().failed);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(host)
}

async fn over_bitswap(path: &Stretch, transport: &str, address: &str, there: &Handle) -> anyhow::Result<Run> {
    let folder = tempfile::tempdir()?;
    let film = folder.path().join("film");
    noise(&film, path.mebibytes)?;
    let blocks = Blocks::open(BlocksOptions { path: folder.path().join("blocks.db") })?;
    let root = blocks.import(&film, |_| {}, &CancellationToken::new()).await?.cid;
    let listen = vec![format!("/ip4/{address}/{transport}")];
    let serving = there.spawn(async move { host(options(1, listen), Arc::new(Open(Some(blocks)))).await }).await??;
    let asking = host(options(2, Vec::new()), Open::nothing()).await?;
    asking.connect(&serving.addresses()[0]).await?;
    let leaves = leaves(&asking, root).await?;
    // The first of them is not counted.
    fetch(&asking, root, &leaves[..4]).await?;
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let moved = fetch(&asking, root, &leaves[4..]).await?;
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    asking.stop().await;
    there.spawn(async move { serving.stop().await }).await?;
    Ok(Run { megabytes_a_second: moved as f64 / 1e6 / seconds, cpu_a_gigabyte: cpu / (moved as f64 / 1e9) })
}

fn noise(path: &Path, mebibytes: usize) -> anyhow::Result<()> {
    let mut noise = vec![0; mebibytes * MIB];
    rand::fill(&mut noise[..]);
    Ok(std::fs::write(path, noise)?)
}

async fn leaves(asking: &Libp2p, root: Cid) -> anyhow::Result<Vec<Cid>> {
    let Node::File { links, .. } = decode(&asking.fetch(&root, &root, PATIENCE).await?)? else {
        anyhow::bail!("the root is no file")
    };
    Ok(links.into_iter().map(|(leaf, _)| leaf).collect())
}

async fn fetch(asking: &Libp2p, root: Cid, leaves: &[Cid]) -> anyhow::Result<usize> {
    let session = asking.bitswap().session(&root);
    let one = |leaf: Cid| {
        let session = Arc::clone(&session);
        async move { asking.bitswap().fetch(&session, &leaf, PATIENCE).await }
    };
    let fetched = stream::iter(leaves.to_vec()).map(one).buffered(AT_ONCE);
    Ok(fetched.try_fold(0, |sum, block| async move { Ok(sum + block.len()) }).await?)
}

/// Helia in Node fetches a file of a public library, over TCP; beside it the same program fetches it over HTTP.
async fn helia(table: &mut Table) -> anyhow::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let node = here.join("tests/interop/ipfs/node_modules/.bin/node");
    if !node.exists() {
        eprintln!("left out: Helia (make interop-test installs it)");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let (films, data) = (folder.path().join("films"), folder.path().join("data"));
    std::fs::create_dir(&films)?;
    crate::replicas::film(&films.join("film.mp4"), 100)?;
    init(&data)?;
    let served =
        Served::start_at("127.0.0.1", &data, None, &[("POTLUCK_IPFS__LISTEN", "/ip4/127.0.0.1/tcp/0".as_ref())])?;
    let api = Api::sign_in(served).await?;
    let library = json!({"name": "Films", "kind": "videos", "path": films, "visibility": "public"});
    api.post("/api/v1/libraries", library).await?;
    let item = api.until("/api/v1/items", |all| all["items"][0]["state"] == "present").await?["items"][0].take();
    let address = api.get("/api/v1/ipfs").await?["addresses"][0].as_str().context("it listens")?.to_owned();
    let cid = item["cid"].as_str().context("it has a CID")?;
    let mut fetching = Command::new(node);
    fetching.current_dir(here.join("tests/interop/ipfs")).arg(here.join("tests/bench/ipfs/helia.mjs"));
    let url = format!("{}/ipfs/{cid}", api.node.url);
    fetching.args(["--address", &address, "--cid", cid, "--url", &url]);
    let output = tokio::task::spawn_blocking(move || fetching.output()).await??;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;
    let rate = |of: &Value| of["bytes"].as_f64().unwrap_or(0.0) / 1e6 / of["seconds"].as_f64().unwrap_or(f64::NAN);
    table.row(
        "a file of 100 MiB to Helia in Node, TCP",
        format!("{:.1} MB/s", rate(&told)),
        "at least 50 MB/s",
        format!("HTTP {:.1} MB/s", rate(&told["reference"])),
    );
    Ok(())
}
