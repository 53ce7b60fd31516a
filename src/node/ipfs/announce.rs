//! Announcing what is public: roots only, one sweep after another, at a pace that nobody feels.
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{AnnounceState, Ipfs, IpfsOptions};
use crate::content::Cid;
use crate::node::Node;

/// Roots that are announced at a time.
const AT_ONCE: usize = 4;
/// A change of what is public is looked at this often.
const LOOK: Duration = Duration::from_secs(10);

pub(super) async fn keep(ipfs: Ipfs, node: Node, options: IpfsOptions, stop: CancellationToken) {
    while stop.run_until_cancelled(connected(&ipfs)).await.is_some() {
        let (began, version) = (Instant::now(), ipfs.version());
        if stop.run_until_cancelled(sweep(&ipfs, &node, &options)).await.is_none() {
            return;
        }
        // What came new is announced soon, and all of it again when its time has come.
        let due = async {
            while began.elapsed() < options.announce_every && ipfs.version() == version {
                tokio::time::sleep(LOOK.min(options.announce_every)).await;
            }
        };
        if stop.run_until_cancelled(due).await.is_none() {
            return;
        }
    }
}

/// Comes back when there is somebody to tell, and something is known of what is public.
async fn connected(ipfs: &Ipfs) {
    while ipfs.libp2p().state().routing_peers == 0 || ipfs.version() == 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn sweep(ipfs: &Ipfs, node: &Node, options: &IpfsOptions) {
    let libraries = match node.catalog().public_files().await {
        Ok(libraries) => libraries,
        Err(error) => return tracing::error!(%error, "nothing is announced: the catalog could not be read"),
    };
    let mut roots: Vec<Cid> = libraries.into_iter().flat_map(|library| library.files).map(|file| file.cid).collect();
    roots.sort_unstable();
    roots.dedup();
    // The folder first: it leads to all the others.
    roots.insert(0, ipfs.root());
    roots.truncate(options.libp2p.announced_max);
    let sweeps = ipfs.announced().sweeps;
    *ipfs.inner.announced.write() = AnnounceState { roots: roots.len() as u64, sweeps, ..AnnounceState::default() };
    let pace = Duration::from_secs(1) / options.announced_per_second.max(1);
    let (mut next, began) = (Instant::now(), Instant::now());
    let paced = futures_util::stream::iter(roots).then(|root| {
        let at = next;
        next += pace;
        async move {
            tokio::time::sleep_until(at).await;
            root
        }
    });
    paced.for_each_concurrent(AT_ONCE, |root| one(ipfs, root)).await;
    let mut state = ipfs.inner.announced.write();
    state.sweeps += 1;
    let seconds = began.elapsed().as_secs();
    tracing::info!(roots = state.roots, failed = state.failed, seconds, "announced what is public");
}

async fn one(ipfs: &Ipfs, root: Cid) {
    let told = ipfs.libp2p().announce(&root).await;
    let mut state = ipfs.inner.announced.write();
    match told {
        Ok(()) => state.announced += 1,
        Err(_) => state.failed += 1,
    }
}
