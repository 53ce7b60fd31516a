//! The IPFS side: a libp2p host, which Kubo, Helia and other nodes of Potluck exchange blocks with.
//!
//! ```text
//!  TCP, QUIC, WebSocket ─► Swarm (worker) ─┬─ streams ─► Bitswap ─► Larder (policy, blocks)
//!                                          ├─ Kademlia: who has what, IPNS records
//!                                          └─ identify, AutoNAT, relays, DCUtR: how others reach this node
//! ```
//! One task owns the swarm; the handle asks it. Invariants: every stream, connection and message is limited, and in routing
//! mode `off` nobody is told and nobody asked what is here.
mod addresses;
mod behaviour;
pub mod bitswap;
mod by_address;
mod events;
mod kept;
mod memory;
mod options;
mod outside;
mod ports;
mod queries;
mod start;
mod streams;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use ::libp2p::Multiaddr;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::CarrierState;
use crate::content::Cid;
use bitswap::{Bitswap, BitswapError};
use worker::Command;

pub use ::libp2p::PeerId;
pub use bitswap::Larder;
pub use options::{Libp2pError, Libp2pOptions, Libp2pParts, PortState, RecordCheck, Routing, is_address};

/// How this node stands in the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostState {
    /// Where it listens, as multiaddresses.
    pub listens: Vec<String>,
    /// Where others reach it from elsewhere: told in the settings, forwarded by the router, or found out with the help of others.
    pub external: Vec<String>,
    /// Addresses that could not be listened on, each with the reason.
    pub failed: Vec<String>,
    /// Nodes that are connected.
    pub peers: usize,
    /// Of those, the ones that are reached by way of a relay only.
    pub relayed: usize,
    /// Connections with them.
    pub connections: usize,
    /// Nodes that Kademlia knows.
    pub routing_peers: usize,
    /// Whether others keep records here.
    pub routing_server: bool,
    /// What the router said when it was asked to forward the ports.
    pub ports: PortState,
}

struct Inner {
    id: PeerId,
    bitswap: Bitswap,
    commands: mpsc::Sender<Command>,
    state: Arc<RwLock<HostState>>,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// A cheap handle to the host.
#[derive(Clone)]
pub struct Libp2p {
    inner: Arc<Inner>,
}

impl Libp2p {
    /// Starts the host. Addresses that cannot be listened on are told in [`HostState::failed`]; the others are used.
    ///
    /// # Errors
    /// See [`Libp2pError`].
    pub async fn start(options: Libp2pOptions, parts: Libp2pParts) -> Result<Self, Libp2pError> {
        start::start(options, parts).await
    }

    /// Its peer id, which is made of its key.
    #[must_use]
    pub fn id(&self) -> PeerId {
        self.inner.id
    }

    /// See [`HostState`].
    #[must_use]
    pub fn state(&self) -> HostState {
        self.inner.state.read().clone()
    }

    /// Nodes that are connected.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.inner.state.read().peers
    }

    /// Where others may reach it, with its id.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let state = self.inner.state.read();
        let end = format!("/p2p/{}", self.inner.id);
        // Addresses at a relay have it.
        let whole = |at: &String| format!("{}{end}", at.trim_end_matches(&end));
        let mut all: Vec<String> = state.external.iter().chain(&state.listens).map(whole).collect();
        let mut seen = std::collections::HashSet::new();
        all.retain(|address| seen.insert(address.clone()));
        all
    }

    /// See [`Bitswap`].
    #[must_use]
    pub fn bitswap(&self) -> &Bitswap {
        &self.inner.bitswap
    }

    /// Numbers for the status page.
    #[must_use]
    pub fn carrier(&self) -> CarrierState {
        let (bytes_sent, bytes_received) = self.inner.bitswap.bytes();
        let connections = self.inner.state.read().connections as u64;
        let requests = self.inner.bitswap.ledgers().iter().map(|ledger| ledger.blocks_sent).sum();
        CarrierState { connections, requests, bytes_sent, bytes_received }
    }

    /// Connects to a node at an address that ends with `/p2p/` and its id.
    ///
    /// # Errors
    /// [`Libp2pError::Address`] for what is no such address, [`Libp2pError::Unreachable`], [`Libp2pError::Stopped`].
    pub async fn connect(&self, address: &str) -> Result<PeerId, Libp2pError> {
        let bad = || Libp2pError::Address(address.to_owned());
        let address: Multiaddr = address.parse().map_err(|_| bad())?;
        let Some(::libp2p::multiaddr::Protocol::P2p(peer)) = address.iter().last() else { return Err(bad()) };
        self.ask(|answer| Command::Connect { peer, addresses: vec![address], answer }).await??;
        Ok(peer)
    }

    /// Connects to a node at whichever of these addresses answers; they need not name it. Those that cannot be used are passed over.
    ///
    /// # Errors
    /// [`Libp2pError::Unreachable`], also where none is left; [`Libp2pError::Stopped`].
    pub async fn connect_at(&self, peer: PeerId, addresses: &[String]) -> Result<(), Libp2pError> {
        let read = |address: &String| address.parse::<Multiaddr>().ok()?.with_p2p(peer).ok();
        let addresses: Vec<Multiaddr> = addresses.iter().filter_map(read).collect();
        if addresses.is_empty() {
            return Err(Libp2pError::Unreachable(format!("no address of {peer} can be used")));
        }
        self.ask(|answer| Command::Connect { peer, addresses, answer }).await?
    }

    /// A block, checked, of whoever has it. `root` names what it is part of: who gave a block of it is asked first.
    ///
    /// # Errors
    /// See [`BitswapError`].
    pub async fn fetch(&self, root: &Cid, cid: &Cid, patience: Duration) -> Result<Bytes, BitswapError> {
        let session = self.inner.bitswap.session(root);
        self.inner.bitswap.fetch(&session, cid, patience).await
    }

    /// A node is said to have this root; it is asked before anybody is looked for.
    pub fn provides(&self, root: &Cid, peer: PeerId) {
        self.inner.bitswap.provides(root, peer);
    }

    /// Tells the network that this node has a block, and all that it leads to.
    ///
    /// # Errors
    /// [`Libp2pError::Routing`] where routing is off or nobody could be told; [`Libp2pError::Stopped`].
    pub async fn announce(&self, cid: &Cid) -> Result<(), Libp2pError> {
        let key = cid.hash().to_bytes();
        self.ask(|answer| Command::Provide { key, answer }).await?
    }

    /// Says no more that this node has a block. Others that were told forget it after two days.
    ///
    /// # Errors
    /// [`Libp2pError::Stopped`].
    pub async fn withdraw(&self, cid: &Cid) -> Result<(), Libp2pError> {
        let key = cid.hash().to_bytes();
        self.ask(|answer| Command::Withdraw { key, answer }).await?
    }

    /// Who says that it has a block.
    ///
    /// # Errors
    /// [`Libp2pError::Routing`] where routing is off; [`Libp2pError::Stopped`].
    pub async fn providers(&self, cid: &Cid) -> Result<Vec<PeerId>, Libp2pError> {
        let key = cid.hash().to_bytes();
        self.ask(|answer| Command::Providers { key, answer }).await?
    }

    /// Gives a record to the nodes that are nearest to its key.
    ///
    /// # Errors
    /// As [`Libp2p::announce`].
    pub async fn put_record(&self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Libp2pError> {
        self.ask(|answer| Command::Put { key, value, answer }).await?
    }

    /// The records that other nodes keep under a key, those that [`RecordCheck`] takes for good.
    ///
    /// # Errors
    /// As [`Libp2p::announce`].
    pub async fn records(&self, key: Vec<u8>) -> Result<Vec<Vec<u8>>, Libp2pError> {
        self.ask(|answer| Command::Get { key, answer }).await?
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Libp2pError> {
        let (answer, answered) = oneshot::channel();
        self.inner.commands.send(command(answer)).await.map_err(|_| Libp2pError::Stopped)?;
        answered.await.map_err(|_| Libp2pError::Stopped)
    }

    /// Ends all connections, and waits for everything that ran on them.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        let tasks = std::mem::take(&mut *self.inner.tasks.lock());
        for task in tasks {
            // A panic was logged where it happened.
            let _ = task.await;
        }
    }
}
