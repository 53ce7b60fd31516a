//! What a node weighs that is linked with many friends' nodes of which none wants anything. The friends are in this process:
//! each an endpoint of its own, with a router that has no news.
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use potluck::accounts::{AccountsOptions, NewFriend};
use potluck::catalog::shared::Changes;
use potluck::exchange::iroh::{Iroh, IrohOptions, Recognise, Recognised};
use potluck::exchange::{Body, Responder};
use potluck::friends::links::Greeting;
use potluck::node::Store;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::watch;

use crate::node::{Served, prepare};
use crate::table::Table;

const FRIENDS: usize = 1000;
/// After this long without anything new a node is idle.
const SETTLED: Duration = Duration::from_secs(30);

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(weigh(table))
}

async fn weigh(table: &mut Table) -> anyhow::Result<()> {
    let (known, mut knowing) = watch::channel(0);
    let known = Arc::new(known);
    let friends = (0..FRIENDS).map(|number| friend(number, Arc::clone(&known)));
    let friends: Vec<Iroh<()>> = stream::iter(friends).buffer_unordered(16).try_collect().await?;
    let (alone, popular) = (tempfile::tempdir()?, tempfile::tempdir()?);
    prepare(alone.path(), 0).await?;
    prepare(popular.path(), 0).await?;
    befriend(popular.path(), &friends).await?;
    let (alone, popular) = (Served::start(alone.path())?, Served::start(popular.path())?);
    // Each friend has been asked for news.
    knowing.wait_for(|known| *known >= FRIENDS).await?;
    tokio::time::sleep(SETTLED).await;
    let megabytes = |node: &Served| anyhow::Ok(node.resident()? as f64 / 1e6);
    let figures = (megabytes(&alone)?, megabytes(&popular)?);
    // Before its friends, whom it would dial again.
    drop((alone, popular));
    let (alone, popular) = figures;
    table.row(
        &format!("{FRIENDS} friends' idle links, RSS over a node without"),
        format!("{:.1} MB", popular - alone),
        "at most 100 MB",
        format!("with {popular:.1} MB, without {alone:.1} MB"),
    );
    futures_util::future::join_all(friends.iter().map(Iroh::stop)).await;
    Ok(())
}

async fn friend(number: usize, known: Arc<watch::Sender<usize>>) -> anyhow::Result<Iroh<()>> {
    let mut secret = [7; 32];
    secret[..8].copy_from_slice(&number.to_le_bytes());
    let options = IrohOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..IrohOptions::default() };
    let recognise: Recognise<()> = Arc::new(|_, _| Recognised { caller: (), known: true });
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
            let greeting = Greeting { name: "a friend".to_owned(), addresses: Vec::new() };
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
