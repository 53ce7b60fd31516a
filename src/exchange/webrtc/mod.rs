//! The WebRTC carrier: browsers' data channels on one UDP port, each carrying many HTTP requests.
//!
//! ```text
//!  POST /api/v1/webrtc ── offer ──► answer          one UDP port
//!                                     │                  │
//!                                     ▼                  ▼
//!                 Command::Add ──► worker ◄── socket (STUN by user fragment, the rest by address)
//!                                     │
//!            peer: ICE, DTLS, SCTP ──► session (rules) ──► answering (Responder) ──► outbox ──► peer
//! ```
//!
//! The browser never names an address that we look up: behind mDNS names it reaches us, and its checks say who it is.
//! Whatever a browser sends ends at most its own connection.
mod answering;
mod offer;
mod pace;
mod peer;
mod socket;
mod stun;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use str0m::config::DtlsCert;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::socket::machine_addresses;

use self::offer::Reach;
use self::socket::{Socket, local_addresses};
use self::worker::{Command, Worker};
use super::{CarrierState, Responder};

/// Settings of the carrier.
#[derive(Debug, Clone)]
pub struct WebRtcOptions {
    /// UDP address to listen on; port 0 for any.
    pub listen: SocketAddr,
    /// Addresses that browsers can reach this port at besides the local interfaces' (port forwarding, public address).
    pub public_addresses: Vec<SocketAddr>,
    /// Connections at most.
    pub connections_max: usize,
    /// Connections of one caller at most; a page keeps up to eight.
    pub connections_per_caller_max: usize,
    /// Connections that have not finished their handshake at most.
    pub pending_max: usize,
}

impl Default for WebRtcOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 9000)),
            public_addresses: Vec::new(),
            connections_max: 1024,
            connections_per_caller_max: 64,
            pending_max: 256,
        }
    }
}

/// Why there is no answer to an offer.
#[derive(Debug, thiserror::Error)]
pub enum WebRtcError {
    /// The offer is not a data channel offer we can read: what is wrong, for people.
    #[error("the offer is not usable: {0}")]
    Offer(String),
    /// Too many connections; try again later or use HTTPS.
    #[error("too many connections")]
    Full,
    /// The carrier is off or stopped.
    #[error("the WebRTC carrier is not running")]
    Stopped,
}

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicU64,
    requests: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

struct Inner<C> {
    address: SocketAddr,
    public: Vec<SocketAddr>,
    certificate: DtlsCert,
    counters: Arc<Counters>,
    /// Without a bound of its own: its senders are sign-ins, sign-outs and offers, each of which waits for its answer.
    commands: mpsc::UnboundedSender<Command<C>>,
    stop: CancellationToken,
    worker: Mutex<Option<JoinHandle<()>>>,
}

/// A cheap handle to the carrier.
pub struct WebRtc<C> {
    inner: Arc<Inner<C>>,
}

impl<C> Clone for WebRtc<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<C: Clone + PartialEq + Send + Sync + 'static> WebRtc<C> {
    /// Binds the UDP port and starts the worker. Connections of equal callers count as one caller's.
    pub async fn start(options: WebRtcOptions, responder: Arc<dyn Responder<C>>) -> std::io::Result<Self> {
        let socket = Socket::bind(options.listen).await?;
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| std::io::Error::other("no DTLS certificate could be made"))?;
        // The first of a process counts; every carrier installs the same one.
        crypto.install_process_default();
        let (address, public) = (socket.address(), options.public_addresses.clone());
        let (counters, stop) = (Arc::<Counters>::default(), CancellationToken::new());
        let (commands, received) = mpsc::unbounded_channel();
        let (worker, delivered) = Worker::new(socket, options, responder, Arc::clone(&counters));
        let worker = tokio::spawn(worker.run(received, delivered, stop.clone()));
        let worker = Mutex::new(Some(worker));
        Ok(Self { inner: Arc::new(Inner { address, public, certificate, counters, commands, stop, worker }) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// Answers an offer. Every request on the new connection is `caller`'s.
    pub async fn answer(&self, caller: C, offer: String) -> Result<String, WebRtcError> {
        if self.inner.stop.is_cancelled() {
            return Err(WebRtcError::Stopped);
        }
        let reach = Reach { local: local_addresses(self.inner.address), public: self.inner.public.clone() };
        let made = offer::answer(&offer, &reach, self.inner.certificate.clone(), Instant::now())?;
        let (reply, replied) = oneshot::channel();
        let command = Command::Add { caller, rtc: Box::new(made.rtc), ufrag: made.ufrag, reply };
        self.inner.commands.send(command).map_err(|_| WebRtcError::Stopped)?;
        replied.await.map_err(|_| WebRtcError::Stopped)??;
        Ok(made.answer)
    }

    /// Closes the connections of callers that `gone` says have lost their right (sign-out, revoked account).
    pub fn close(&self, gone: impl Fn(&C) -> bool + Send + 'static) {
        // Nothing to close once the worker has stopped.
        let _ = self.inner.commands.send(Command::Close(Box::new(gone)));
    }

    /// Numbers for the status page.
    #[must_use]
    pub fn state(&self) -> CarrierState {
        let counters = &self.inner.counters;
        CarrierState {
            connections: counters.connections.load(Ordering::Relaxed),
            requests: counters.requests.load(Ordering::Relaxed),
            bytes_sent: counters.bytes_sent.load(Ordering::Relaxed),
            bytes_received: counters.bytes_received.load(Ordering::Relaxed),
        }
    }

    /// Closes all connections and waits for the worker.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        let worker = self.inner.worker.lock().take();
        if let Some(worker) = worker {
            // A panic was logged where it happened.
            let _ = worker.await;
        }
    }
}
