//! A whole node as a process: how soon it is ready, what it weighs when idle, how fast its lists are over HTTP.
use std::ffi::OsStr;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use potluck::catalog::record::{Description, Place, Record, Stat};
use potluck::catalog::{Catalog, ItemKind, LibraryKind, Visibility};
use potluck::content::cid;
use potluck::database::{Database, DatabaseOptions, Durability, migrations};
use serde_json::json;

use crate::table::Table;
use crate::wan::Wan;

const PROGRAM: &str = env!("CARGO_BIN_EXE_potluck");
pub const PASSWORD: &str = "a pinch of salt";
/// Items of the node that is weighed.
const HOUSEHOLD: u64 = 10_000;
/// Items of the node that is asked.
const LARGE: u64 = 100_000;
/// Times that each path is asked for.
const ROUNDS: usize = 500;
/// After this long without a request a node is idle.
pub const SETTLED: Duration = Duration::from_secs(8);

/// `POTLUCK_BENCH_ITEMS` makes both smaller, for a quick try.
fn at_most(count: u64) -> u64 {
    std::env::var("POTLUCK_BENCH_ITEMS").ok().and_then(|n| n.parse().ok()).map_or(count, |most: u64| count.min(most))
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(weigh(table))?;
    runtime.block_on(ask(table))
}

async fn weigh(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    prepare(folder.path(), at_most(HOUSEHOLD)).await?;
    let empty = tempfile::tempdir()?;
    prepare(empty.path(), 0).await?;
    let (small, node) = (Served::start(empty.path())?, Served::start(folder.path())?);
    let items = at_most(HOUSEHOLD);
    table.row(
        &format!("ready after start, {items} items"),
        format!("{} ms", node.ready.as_millis()),
        "at most 1 s",
        format!("without items {} ms", small.ready.as_millis()),
    );
    tokio::time::sleep(SETTLED).await;
    table.row(
        &format!("idle node with {items} items, RSS"),
        format!("{:.1} MB", node.resident()? as f64 / 1e6),
        "at most 60 MB",
        format!("without items {:.1} MB", small.resident()? as f64 / 1e6),
    );
    Ok(())
}

async fn ask(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    prepare(folder.path(), at_most(LARGE)).await?;
    let node = Served::start(folder.path())?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().cookie_store(true).build()?;
    let login = client.post(format!("{}/api/v1/login", node.url));
    login.json(&json!({"username": "ada", "password": PASSWORD})).send().await?.error_for_status()?;
    for path in ["/api/v1/items?limit=50", "/api/v1/items?limit=50&sort=-added", "/api/v1/items?limit=50&q=title%209"] {
        // In turns, so that both meet the same machine.
        let (mut asked, mut reference) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            asked.push(timed(get(&client, &node.url, path)).await?);
            reference.push(timed(get(&client, &node.url, "/healthz")).await?);
        }
        table.row(
            &format!("GET {path} of {} over HTTP", at_most(LARGE)),
            percentiles(asked),
            "p99 < 20 ms",
            format!("/healthz: {}", percentiles(reference)),
        );
    }
    Ok(())
}

async fn get(client: &reqwest::Client, url: &str, path: &str) -> anyhow::Result<()> {
    client.get(format!("{url}{path}")).send().await?.error_for_status()?.bytes().await?;
    Ok(())
}

async fn timed(call: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    call.await?;
    Ok(begin.elapsed())
}

pub fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:.1} ms, p99 {:.1} ms", at(50), at(99))
}

/// A data folder with an account.
pub fn init(data: &Path) -> anyhow::Result<()> {
    let mut init = Command::new(PROGRAM);
    init.arg("--data").arg(data).args(["init", "--admin", "ada", "--password-stdin"]);
    let mut init = init.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    init.stdin.take().context("its input")?.write_all(PASSWORD.as_bytes())?;
    ensure!(init.wait()?.success(), "init failed");
    Ok(())
}

/// A data folder with an account and that many items.
pub async fn prepare(data: &Path, count: u64) -> anyhow::Result<()> {
    init(data)?;
    let options = DatabaseOptions { durability: Durability::Normal, ..DatabaseOptions::default() };
    let catalog = Catalog::new(Database::open(&data.join("catalog.db"), &options, migrations::CATALOG)?);
    let library =
        catalog.add_library("Films", LibraryKind::Movies, Path::new("/nowhere/films"), Visibility::Private).await?;
    for n in 0..count {
        let title = format!("Title {n}");
        let record = Record {
            item: None,
            place: Place { library: library.id.clone(), path: PathBuf::from(format!("{title}.mkv")) },
            kind: ItemKind::Movie,
            stat: Stat { size: 1_000_000 + n, modified_ns: 1, inode: n, device: 1 },
            cid: Some(cid::of_raw(&n.to_le_bytes())),
            facts: None,
            book: None,
            music: None,
            problem: None,
            retry: false,
            description: Description { title, ..Description::default() },
        };
        catalog.record(record).await?;
    }
    Ok(())
}

/// A node that runs until it is dropped.
pub struct Served {
    process: Child,
    pub url: String,
    ready: Duration,
}

impl Served {
    pub fn start(data: &Path) -> anyhow::Result<Self> {
        Self::start_at("127.0.0.1", data, None, &[])
    }

    /// One that listens at `host`, on the far side of a link where there is one.
    pub fn start_at(host: &str, data: &Path, wan: Option<&Wan>, settings: &[(&str, &OsStr)]) -> anyhow::Result<Self> {
        let begin = Instant::now();
        let any = format!("{host}:0");
        let mut serve = wan.map_or_else(|| Command::new(PROGRAM), |wan| wan.command(PROGRAM));
        serve.arg("--data").arg(data).args(["serve", "--listen", &any]);
        serve.env("POTLUCK_IPFS__LISTEN", "/ip4/127.0.0.1/tcp/0");
        serve.env("POTLUCK_WEBRTC__LISTEN", &any).env("POTLUCK_FRIENDS__LISTEN", &any);
        serve.env("POTLUCK_LOG__LEVEL", "error").env("POTLUCK_LIBRARY__SETTLE_SECONDS", "0");
        serve.envs(settings.iter().copied());
        let mut process = serve.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("its output")?).read_line(&mut line)?;
        let ready = begin.elapsed();
        let url = line.split_whitespace().find(|word| word.starts_with("http")).context("no address in its line")?;
        Ok(Self { process, url: url.trim_end_matches('/').to_owned(), ready })
    }

    pub fn resident(&self) -> anyhow::Result<u64> {
        of_status(self.process.id(), "VmRSS:")
    }

    /// What of that is memory of its own: the rest is of files, and the same page of one counts for each connection that maps it.
    pub fn own(&self) -> anyhow::Result<u64> {
        of_status(self.process.id(), "RssAnon:")
    }

    /// The most that it weighed since it began, in bytes.
    pub fn peak(&self) -> anyhow::Result<u64> {
        of_status(self.process.id(), "VmHWM:")
    }

    /// What its workers weigh now, in bytes.
    pub fn workers(&self) -> u64 {
        children(self.process.id()).filter_map(|id| of_status(id, "VmRSS:").ok()).sum()
    }
}

/// A line of what the kernel says of a process, in bytes.
pub fn of_status(process: u32, name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// The processes that a process started, and that run.
pub fn children(process: u32) -> impl Iterator<Item = u32> {
    let all = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of_threads = threads.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let ids: std::collections::HashSet<u32> = of_threads
        .chain([all])
        .flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>())
        .collect();
    ids.into_iter()
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
