//! The IPFS side of a node: which blocks strangers and friends may have, what is announced, and the public folder under the
//! node's name.
//!
//! ```text
//!  public libraries ─► tree (folders) ─► root CID ─► record ─► /ipns/NAME/Movies/...
//!                 └──► sweep: the roots, one after another ─► Kademlia
//! ```
//! The invariant: what is in no public library is neither announced nor in the tree, and is given to nobody but friends with
//! whom it is shared.
mod announce;
mod delegated;
mod elsewhere;
mod larder;
mod names;
pub(super) mod near;
mod providers;
mod tree;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::keys;
use super::pins::{self, PinsOptions};
use super::{Node, NodeError, NodeEvent};
use crate::content::Cid;
use crate::content::ipns::Name;
use crate::exchange::libp2p::bitswap::{BitswapError, Session};
use crate::exchange::libp2p::{Libp2p, Libp2pError, Libp2pOptions, Libp2pParts, Routing};
use delegated::Routers;
use larder::Shelf;
use names::Names;

pub use delegated::{RouterError, is_router};
pub use names::{NameError, Resolved};
pub use providers::routed;
pub use tree::{Tree, TreeError};

/// After a change of what is public, the tree is made when nothing else came for this long.
const SETTLE: Duration = Duration::from_secs(2);
/// And after this where something comes all the time.
const SETTLE_MAX: Duration = Duration::from_secs(30);
/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// Settings of the IPFS side.
#[derive(Debug, Clone)]
pub struct IpfsOptions {
    /// See [`Libp2pOptions`]; its key is the data folder's.
    pub libp2p: Libp2pOptions,
    /// Everything public is announced once in this time.
    pub announce_every: Duration,
    /// Roots that are announced in a second at most.
    pub announced_per_second: u32,
    /// Servers of the Delegated Routing V1 HTTP API, which are asked who has what, and get the node's IPNS record.
    pub delegated: Vec<String>,
    /// See [`PinsOptions`].
    pub pins: PinsOptions,
}

/// How announcing goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnnounceState {
    /// Roots that are public.
    pub roots: u64,
    /// Of the sweep that runs, or ran last.
    pub announced: u64,
    /// Of that sweep, those that nobody could be told.
    pub failed: u64,
    /// Sweeps that were finished.
    pub sweeps: u64,
}

/// A cheap handle.
#[derive(Clone)]
pub struct Ipfs {
    inner: Arc<Inner>,
}

struct Inner {
    libp2p: Libp2p,
    name: Name,
    tree: Arc<RwLock<Tree>>,
    names: Names,
    announced: RwLock<AnnounceState>,
    routers: Routers,
    /// Counts changes of what is public.
    version: watch::Sender<u64>,
}

impl Ipfs {
    /// See [`Libp2p`].
    #[must_use]
    pub fn libp2p(&self) -> &Libp2p {
        &self.inner.libp2p
    }

    /// The name under which this node's public libraries are found.
    #[must_use]
    pub fn name(&self) -> Name {
        self.inner.name
    }

    /// The folder that holds the public libraries.
    #[must_use]
    pub fn root(&self) -> Cid {
        self.inner.tree.read().root()
    }

    /// A block of the folders in it, with which anybody may look around.
    ///
    /// # Errors
    /// [`TreeError`] where it cannot be read.
    pub fn folder(&self, cid: &Cid) -> Result<Option<Bytes>, TreeError> {
        self.inner.tree.read().get(cid)
    }

    /// The folder of a public library in it; `None` where the library is not public, or nothing is in it.
    #[must_use]
    pub fn library(&self, id: &str) -> Option<Cid> {
        self.inner.tree.read().library(id)
    }

    /// A block, checked, of whoever has it: as [`Libp2p::fetch`], and where delegated routers are set, they are asked who that is.
    ///
    /// # Errors
    /// See [`BitswapError`].
    pub async fn fetch(&self, root: &Cid, cid: &Cid, patience: Duration) -> Result<Bytes, BitswapError> {
        let session = self.libp2p().bitswap().session(root);
        self.fetch_in(root, &session, cid, patience).await
    }

    /// The same with what is held between blocks of one root.
    async fn fetch_in(
        &self,
        root: &Cid,
        session: &Arc<Session>,
        cid: &Cid,
        patience: Duration,
    ) -> Result<Bytes, BitswapError> {
        let fetching = self.libp2p().bitswap().fetch(session, cid, patience);
        self.inner.routers.beside(self.libp2p(), root, fetching).await
    }

    /// Whether servers are set that may know who has something.
    fn asks_routers(&self) -> bool {
        !self.inner.routers.is_empty()
    }

    /// What a name stands for.
    ///
    /// # Errors
    /// See [`NameError`].
    pub async fn resolve(&self, name: Name) -> Result<Resolved, NameError> {
        self.inner.names.resolve(&self.inner.libp2p, &self.inner.routers, name).await
    }

    /// See [`AnnounceState`].
    #[must_use]
    pub fn announced(&self) -> AnnounceState {
        *self.inner.announced.read()
    }

    /// Whether other nodes were given what the name stands for now.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.inner.names.is_given()
    }

    /// How often what is public changed since the start, as far as the tree shows it.
    #[must_use]
    pub fn version(&self) -> u64 {
        *self.inner.version.borrow()
    }

    /// Ticks whenever [`Ipfs::version`] changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.version.subscribe()
    }
}

impl Node {
    /// See [`Ipfs`]; `None` where it is off.
    #[must_use]
    pub fn ipfs(&self) -> Option<&Ipfs> {
        self.running.ipfs.get()
    }

    /// Starts the IPFS side. Without effect where it is off or runs already.
    ///
    /// # Errors
    /// [`NodeError::Key`], [`NodeError::Ipfs`].
    pub async fn start_ipfs(&self) -> Result<(), NodeError> {
        let Some(options) = self.running.options.ipfs.clone() else { return Ok(()) };
        let secret = keys::seed(&self.running.folder.ipfs_key())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&secret)
            .map_err(|error| NodeError::Ipfs(Libp2pError::Start(error.to_string())))?;
        let name = Name::of_ed25519(pair.public_key().as_ref().try_into().unwrap_or(&[0; 32]));
        let tree = Arc::new(RwLock::new(Tree::none(&self.running.folder.public_tree())));
        let larder = Arc::new(Shelf::new(self, Arc::clone(&tree)));
        let libp2p = Libp2pOptions { secret, ..options.libp2p.clone() };
        let parts = Libp2pParts { larder, check: Arc::new(names::is_record) };
        let libp2p = Libp2p::start(libp2p, parts).await.map_err(NodeError::Ipfs)?;
        let names = Names::new(name, pair, self.running.folder.ipns_record());
        let (announced, version) = (RwLock::default(), watch::Sender::new(0));
        let inner = Inner { libp2p, name, tree, names, announced, routers: Routers::new(&options.delegated), version };
        let ipfs = Ipfs { inner: Arc::new(inner) };
        if self.running.ipfs.set(ipfs.clone()).is_err() {
            ipfs.libp2p().stop().await;
            return Ok(());
        }
        let peers = elsewhere::Peers::new(ipfs.clone(), options.libp2p.routing);
        self.elsewhere().set_fetch(Some(Arc::new(peers)));
        self.elsewhere().set_names(Some(Arc::new(ipfs.clone())));
        let (node, publishing) = (self.clone(), ipfs.clone());
        self.tasks().spawn("public folder", |stop| async move { publishing.keep_tree(node, stop).await });
        let (node, pinning) = (self.clone(), ipfs.clone());
        self.tasks().spawn("remote pins", |stop| pins::keep(node, pinning, stop));
        let (naming, routing) = (ipfs.clone(), options.libp2p.routing != Routing::Off);
        self.tasks().spawn("name", |stop| names::keep(naming, routing, stop));
        if routing {
            let (node, announcing) = (self.clone(), ipfs);
            self.tasks().spawn("announcing", |stop| announce::keep(announcing, node, options, stop));
        }
        Ok(())
    }
}

impl Ipfs {
    /// Makes the tree anew whenever what is public may have changed.
    async fn keep_tree(self, node: Node, stop: CancellationToken) {
        let mut events = node.events();
        loop {
            let made = self.make_tree(&node).await;
            if let Err(error) = &made {
                tracing::error!(%error, "the folder of public libraries could not be made");
            }
            let next = async {
                tokio::select! {
                    more = changed(&mut events) => more,
                    () = tokio::time::sleep(AGAIN), if made.is_err() => Some(()),
                }
            };
            match stop.run_until_cancelled(next).await {
                Some(Some(())) => {}
                _ => return,
            }
        }
    }

    async fn make_tree(&self, node: &Node) -> Result<(), TreeError> {
        let path = node.folder().public_tree();
        let made = match node.catalog().public_files().await {
            Ok(libraries) => tokio::task::spawn_blocking({
                let path = path.clone();
                move || Tree::make(&path, libraries)
            })
            .await
            .unwrap_or_else(|_| Err(TreeError::Catalog("it was stopped".to_owned()))),
            Err(error) => Err(TreeError::Catalog(error.to_string())),
        };
        // What was public before may not be any more: where nobody knows, nobody is told.
        let (tree, failed) = match made {
            Ok(tree) => (tree, None),
            Err(error) => (Tree::none(&path), Some(error)),
        };
        let stands_for = self.take(tree);
        failed.map_or(Ok(()), Err)?;
        stands_for.map_err(|error| TreeError::Catalog(error.to_string()))
    }

    /// Takes over a new folder, and has the name stand for it.
    fn take(&self, tree: Tree) -> Result<(), NameError> {
        let root = tree.root();
        *self.inner.tree.write() = tree;
        self.inner.libp2p.bitswap().look_again();
        if self.inner.names.stands_for(root)? {
            self.inner.version.send_modify(|version| *version += 1);
        }
        Ok(())
    }
}

/// Comes back after a change of what may be public, and whatever comes close after it; `None` when there are no more.
async fn changed(events: &mut Receiver<NodeEvent>) -> Option<()> {
    let mut change = matters(events.recv().await)?;
    while change == Change::None {
        change = matters(events.recv().await)?;
    }
    let rest = async {
        while change != Change::Library
            && let Ok(event) = tokio::time::timeout(SETTLE, events.recv()).await
        {
            change = matters(event)?;
        }
        Some(())
    };
    // A long scan has something new all the time.
    tokio::time::timeout(SETTLE_MAX, rest).await.unwrap_or(Some(()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Item,
    /// Which libraries are public may have changed: nothing is to be told a moment longer of those that are not.
    Library,
}

/// What an event changes; `None` when there are no more.
fn matters(event: Result<NodeEvent, RecvError>) -> Option<Change> {
    match event {
        Ok(NodeEvent::Library(_)) => Some(Change::Library),
        Ok(NodeEvent::Item { .. }) | Err(RecvError::Lagged(_)) => Some(Change::Item),
        Ok(_) => Some(Change::None),
        Err(RecvError::Closed) => None,
    }
}
