//! The iroh carrier: other nodes over QUIC, each known by its public key. One link carries requests both ways.
//!
//! ```text
//!  accept ── handshake ──┐                        ┌── accept_bi ──► streams (Responder) ──► answer
//!                        ├──► links (key ► link) ─┤
//!  dial ──── handshake ──┘                        └── open_bi ◄── request of this node ──► its answer
//! ```
//! One bidirectional stream is one HTTP/1.1 exchange, streamed both ways; whoever dialed, either side may ask. The handshake
//! proves the key and nothing else: what the key's owner may do is decided above, for each request anew. Nodes that nobody
//! knows are few at a time and do not stay. A link without use can be put to rest (`rest.rs`). Invariant: whatever another node
//! sends ends at most its own link.
//!
//! Nobody is contacted but nodes that were dialed, the relays in the options, and, with mDNS, the local network.
mod accept;
mod dial;
mod key;
mod letter;
mod links;
mod near;
mod reach;
mod rest;
mod start;
mod stream;
mod usage;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use iroh::Endpoint;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::links::{Links, Standing};
use super::{CarrierState, Responder};

pub use self::key::{KEY_BYTES, public_key, public_key_bytes};
pub use self::links::LinkState;
pub use self::rest::Idle;

/// What both sides must speak.
const ALPN: &[u8] = b"potluck/1";

/// Largest window of a stream. QUIC's receiver here breaks a link off when a stream has more than 1024 gaps; in a window of this
/// size, of packets of at least 1200 bytes, there cannot be so many, however many are lost.
pub const STREAM_WINDOW_MAX: u32 = 2 * 1024 * 1024;

/// How fast a sender goes, and what it takes for congestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Congestion {
    /// BBR 3: measures the path, and bears the loss of wireless and long lines.
    Bbr,
    /// CUBIC: gives way at each loss, as TCP does.
    Cubic,
}

/// Settings of the carrier.
#[derive(Debug, Clone)]
pub struct IrohOptions {
    /// UDP address to listen on; port 0 for any. With `0.0.0.0`, IPv6 is listened on too.
    pub listen: SocketAddr,
    /// Addresses that others can reach this port at besides the local interfaces' (port forwarding, public address).
    pub public_addresses: Vec<SocketAddr>,
    /// URLs of relays, which help where no direct path is found. Empty for none.
    pub relays: Vec<String>,
    /// Finds nodes, and is found, on the local network by multicast DNS.
    pub mdns: bool,
    /// See [`Congestion`].
    pub congestion: Congestion,
    /// Bytes under way on one stream, at most [`STREAM_WINDOW_MAX`]: the speed of one stream is this by the round-trip time.
    pub stream_window: u32,
    /// Links at most, those of strangers with them.
    pub connections_max: usize,
    /// Links of nodes that nobody knows at most.
    pub strangers_max: usize,
    /// Handshakes under way at most.
    pub pending_max: usize,
    /// Requests of one link at a time.
    pub streams_max: u32,
    /// Longest request head, bytes.
    pub head_max: usize,
    /// A request head takes at most this long.
    pub head_time: Duration,
    /// A link of a stranger is closed after this.
    pub stranger_time: Duration,
    /// Dialing takes at most this long.
    pub dial_time: Duration,
    /// After a node could not be reached, requests to it fail at once for this long.
    pub dial_pause: Duration,
    /// The head of an answer takes at most this long.
    pub answer_time: Duration,
}

impl Default for IrohOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 9001)),
            public_addresses: Vec::new(),
            relays: Vec::new(),
            mdns: false,
            congestion: Congestion::Bbr,
            stream_window: STREAM_WINDOW_MAX,
            connections_max: 2048,
            strangers_max: 32,
            pending_max: 128,
            streams_max: 128,
            head_max: 64 * 1024,
            head_time: Duration::from_secs(15),
            stranger_time: Duration::from_secs(30),
            dial_time: Duration::from_secs(10),
            dial_pause: Duration::from_secs(3),
            answer_time: Duration::from_secs(90),
        }
    }
}

/// Why another node did not answer, or why there is no carrier.
#[derive(Debug, thiserror::Error)]
pub enum IrohError {
    /// The carrier cannot start: what is wrong, for people.
    #[error("{0}")]
    Start(String),
    /// The text is no public key of a node.
    #[error("this is not the public key of a node")]
    Key,
    /// No way to the node was found.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The link broke while it was used.
    #[error("the node stopped answering: {0}")]
    Lost(String),
    /// The answer's head did not come in time.
    #[error("the node did not answer in time")]
    Slow,
    /// The carrier is stopped.
    #[error("the carrier is not running")]
    Stopped,
}

/// Another node, and where it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its public key.
    pub endpoint: String,
    /// Socket addresses and URLs of relays. What cannot be read is passed over.
    pub addresses: Vec<String>,
}

/// Whom a public key stands for at this moment.
#[derive(Debug, Clone)]
pub struct Recognised<C> {
    /// Who asks.
    pub caller: C,
    /// False for a node that nobody knows.
    pub known: bool,
}

/// Says whom a node's public key stands for; it is asked for each request.
pub type Recognise<C> = Arc<dyn Fn(&str, IpAddr) -> Recognised<C> + Send + Sync>;

struct Inner<C> {
    options: IrohOptions,
    endpoint: Endpoint,
    id: String,
    /// Let go of at the end: who answers holds this carrier.
    responder: Mutex<Option<Arc<dyn Responder<C>>>>,
    recognise: Recognise<C>,
    counters: Arc<stream::Counters>,
    links: Links<C>,
    /// One dial at a time for each node.
    dialing: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    failed: Mutex<HashMap<String, (Instant, String)>>,
    handshakes: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
    worker: Mutex<Option<JoinHandle<()>>>,
}

/// A cheap handle to the carrier.
pub struct Iroh<C> {
    inner: Arc<Inner<C>>,
}

impl<C> Clone for Iroh<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<C: Clone + Send + Sync + 'static> Iroh<C> {
    /// The public key of this node.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Where it listens.
    #[must_use]
    pub fn listens(&self) -> Vec<SocketAddr> {
        self.inner.endpoint.bound_sockets()
    }

    /// Where others may reach it, for [`Peer::addresses`]: the interfaces' addresses, those of the options, and a relay.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        start::addresses(&self.inner.endpoint, &self.inner.options)
    }

    /// The link to a node, where there is one.
    #[must_use]
    pub fn link(&self, endpoint: &str) -> Option<LinkState> {
        self.inner.links.newest(endpoint).map(|link| link.state())
    }

    /// Comes back when there is no link to a node: none that is open, and none that rests.
    pub async fn gone(&self, endpoint: &str) {
        loop {
            match self.inner.links.standing(endpoint) {
                Standing::Linked(link) => {
                    link.connection.closed().await;
                    self.inner.links.end(&link);
                }
                Standing::Rests(over) => over.cancelled().await,
                Standing::Away => return,
            }
        }
    }

    /// Ticks whenever a link came, went, was put to rest or woken.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.links.changed()
    }

    /// The same, but for links that only rest or do not any more.
    #[must_use]
    pub fn came_or_went(&self) -> watch::Receiver<u64> {
        self.inner.links.came_or_went()
    }

    /// Closes the links of callers that `gone` says have lost a right, with all that is under way on them.
    pub fn close(&self, gone: impl Fn(&C) -> bool) {
        self.inner.links.close(gone);
    }

    /// Looks up anew whom each link stands for, and closes those that `lost` says lost a right between then and now.
    pub fn review(&self, lost: impl Fn(&C, &C) -> bool) {
        for link in self.inner.links.all() {
            let Recognised { caller, known } = (self.inner.recognise)(&link.node, link.ip());
            if lost(&link.caller(), &caller) {
                link.close(links::Reason::Revoked);
            } else {
                link.recognised(caller, known);
            }
        }
    }

    /// Numbers for the status page.
    #[must_use]
    pub fn state(&self) -> CarrierState {
        let counters = &self.inner.counters;
        CarrierState {
            connections: self.inner.links.count() as u64,
            requests: counters.requests.load(Ordering::Relaxed),
            bytes_sent: counters.sent.load(Ordering::Relaxed),
            bytes_received: counters.received.load(Ordering::Relaxed),
        }
    }

    /// Closes all links and waits for everything that ran on them.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        let worker = self.inner.worker.lock().take();
        if let Some(worker) = worker {
            // A panic was logged where it happened.
            let _ = worker.await;
        }
        self.inner.links.close_all();
        self.forget_resting(|_| false);
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.inner.endpoint.close().await;
        self.inner.responder.lock().take();
    }
}
