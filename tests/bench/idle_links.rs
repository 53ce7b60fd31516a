//! What a node weighs that is linked with many friends' nodes of which none wants anything. The friends are in this process:
//! each an endpoint of its own, with a router that has no news.
use std::ffi::OsStr;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use potluck::accounts::{AccountsOptions, NewFriend};
use potluck::catalog::shared::Changes;
use potluck::exchange::iroh::{Iroh, IrohOptions, Peer, Recognise, Recognised};
use potluck::exchange::{Body, Responder};
use potluck::friends::links::Greeting;
use potluck::node::Store;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::watch;

use crate::node::{Served, percentiles, prepare};
use crate::table::Table;

const FRIENDS: usize = 1000;
/// After this long without anything new a node is idle.
const SETTLED: Duration = Duration::from_secs(30);
/// Friends that ask the node for something, of either sort.
const ASKING: usize = 50;

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let usual = runtime.block_on(weigh(&[]))?;
    let all = runtime.block_on(weigh(&[("POTLUCK_FRIENDS__LINKS_AWAKE", OsStr::new("0"))]))?;
    table.row(
        &format!("{FRIENDS} friends' idle links, RSS over a node without"),
        format!("{:.1} MB, {} awake", usual.popular - usual.alone, usual.awake),
        "at most 100 MB",
        format!("all awake: {:.1} MB; a node without friends {:.1} MB", all.popular - all.alone, usual.alone),
    );
    table.row(
        &format!("until each of {FRIENDS} friends was reached after a start"),
        format!("{:.1} s", usual.reached.as_secs_f64()),
        "-",
        format!("all awake: {:.1} s", all.reached.as_secs_f64()),
    );
    let times = |times: &[Duration]| if times.is_empty() { "-".to_owned() } else { percentiles(times.to_vec()) };
    table.row(
        "a request over a link that rested",
        times(&usual.rested),
        "-",
        format!("awake: {}", times(&usual.at_once)),
    );
    Ok(())
}

/// What a node with many friends weighs, and how soon it answers them.
struct Weight {
    /// MB of a node without friends, and of one with them.
    alone: f64,
    popular: f64,
    /// Links that are open.
    awake: usize,
    /// From the start until each friend was asked for news.
    reached: Duration,
    /// A question and its answer, where the link rested and where it was open.
    rested: Vec<Duration>,
    at_once: Vec<Duration>,
}

async fn weigh(settings: &[(&str, &OsStr)]) -> anyhow::Result<Weight> {
    let (known, mut knowing) = watch::channel(0);
    let (known, node) = (Arc::new(known), Arc::new(OnceLock::new()));
    let friends = (0..FRIENDS).map(|number| friend(number, Arc::clone(&known), Arc::clone(&node)));
    let friends: Vec<Iroh<()>> = stream::iter(friends).buffer_unordered(16).try_collect().await?;
    let (alone, popular) = (tempfile::tempdir()?, tempfile::tempdir()?);
    prepare(alone.path(), 0).await?;
    prepare(popular.path(), 0).await?;
    befriend(popular.path(), &friends).await?;
    let alone = Served::start_at("127.0.0.1", alone.path(), None, settings)?;
    let begin = Instant::now();
    let popular = Served::start_at("127.0.0.1", popular.path(), None, settings)?;
    // Each friend has been asked for news.
    knowing.wait_for(|known| *known >= FRIENDS).await?;
    let reached = begin.elapsed();
    tokio::time::sleep(SETTLED).await;
    let megabytes = |node: &Served| anyhow::Ok(node.resident()? as f64 / 1e6);
    let figures = (megabytes(&alone)?, megabytes(&popular)?);
    let node = node.get().context("the node made no link")?;
    let awake: Vec<&Iroh<()>> = friends.iter().filter(|friend| friend.link(node).is_some()).collect();
    let resting: Vec<&Iroh<()>> = friends.iter().filter(|friend| friend.rests(node)).collect();
    let missing = FRIENDS - awake.len() - resting.len();
    ensure!(missing == 0, "{} are awake and {} rest: {missing} are neither", awake.len(), resting.len());
    let address = awake.first().and_then(|friend| friend.link(node)).context("no link is open")?.address;
    let peer = Peer { endpoint: node.clone(), addresses: vec![address] };
    let (mut at_once, mut rested) = (Vec::new(), Vec::new());
    for friend in awake.iter().take(ASKING) {
        at_once.push(asked(friend, &peer).await?);
    }
    for friend in resting.iter().take(ASKING) {
        rested.push(asked(friend, &peer).await?);
    }
    let awake = awake.len();
    // Before its friends, whom it would dial again.
    drop((alone, popular));
    futures_util::future::join_all(friends.iter().map(Iroh::stop)).await;
    let (alone, popular) = figures;
    Ok(Weight { alone, popular, awake, reached, rested, at_once })
}

/// How long a friend's question at the node takes.
async fn asked(friend: &Iroh<()>, node: &Peer) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let request = http::Request::get("/api/v1/libraries").body(Body::default())?;
    let answer = friend.send(node, request).await?;
    ensure!(answer.status() == 200, "{}", answer.status());
    answer.into_body().collect().await.map_err(anyhow::Error::from_boxed)?;
    Ok(begin.elapsed())
}

/// A friend, which notes the key of the node that reaches it.
async fn friend(
    number: usize,
    known: Arc<watch::Sender<usize>>,
    node: Arc<OnceLock<String>>,
) -> anyhow::Result<Iroh<()>> {
    let mut secret = [7; 32];
    secret[..8].copy_from_slice(&number.to_le_bytes());
    let options = IrohOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..IrohOptions::default() };
    let recognise: Recognise<()> = Arc::new(move |key, _| {
        node.get_or_init(|| key.to_owned());
        Recognised { caller: (), known: true }
    });
    let quiet = Quiet { asked: AtomicBool::new(false), known };
    Ok(Iroh::start(options, &secret, recognise, Arc::new(quiet)).await?)
}

/// Knows the friends before it is started.
async fn befriend(data: &Path, friends: &[Iroh<()>]) -> anyhow::Result<()> {
    let store = Store::open(data, AccountsOptions::default()).await?;
    for (number, friend) in friends.iter().enumerate() {
        let addresses = friend.addresses();
        let new = NewFriend { name: format!("friend {number}"), endpoint: friend.id().to_owned(), addresses };
        store.accounts.add_friend(new).await?;
    }
    store.close().await;
    Ok(())
}

/// Has no news, and never rings.
struct Quiet {
    asked: AtomicBool,
    known: Arc<watch::Sender<usize>>,
}

impl Responder<()> for Quiet {
    fn respond(
        &self,
        (): (),
        request: http::Request<Body>,
    ) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        if request.uri().path() != "/api/v1/changes" {
            let greeting = Greeting { name: "a friend".to_owned(), addresses: Vec::new(), ipfs: None };
            return Box::pin(async move { json(&greeting) });
        }
        if !self.asked.swap(true, Ordering::Relaxed) {
            self.known.send_modify(|known| *known += 1);
        }
        Box::pin(async move { json(&Changes { next: "1".to_owned(), ..Changes::default() }) })
    }
}

fn json(body: &impl serde::Serialize) -> http::Response<Body> {
    let bytes = Bytes::from(serde_json::to_vec(body).unwrap_or_default());
    http::Response::new(Full::from(bytes).map_err(|never| match never {}).boxed_unsync())
}
