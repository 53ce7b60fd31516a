//! Bitswap 1.2.0: trades blocks with IPFS peers, each of which asks for what it wants.
//!
//! ```text
//!  stream ─► wire ─► message ─► wants ─► server ─► Larder (policy, then the block)
//!                          └──► presences, blocks ─► client ─► whoever fetches
//! ```
//! The invariants: a [`Larder`] is asked before every answer, so that what a peer may not have is to it as if it were not
//! there; a block goes to nobody but those who wanted it by the name that it hashes to; what one peer may have in memory is limited.
mod client;
#[cfg(test)]
mod fakes;
pub mod message;
mod peer;
mod server;
mod wants;
pub mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::libp2p::{PeerId, Stream};
use bytes::Bytes;
use futures_util::io::AsyncRead;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::streams::{Arrival, Order};
use crate::content::Cid;
use client::Client;
use message::{Message, MessageError};
use peer::Peer;
use wants::{WANTS_MAX, WANTS_MORE, WANTS_OF_ALL};

pub use client::Session;
pub use server::Larder;

/// Peers whose messages are made at the same time.
const TURNS: usize = 4;
/// Blocks that nobody wanted, and messages that are none, before a peer is sent away.
const OFFENCES_MAX: u32 = 4;
/// Streams that a peer may have waiting to be read, and for how long.
const WAITING_MAX: usize = 64;
const WAITING_TIME: Duration = Duration::from_secs(30);

/// Why there is no block.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BitswapError {
    /// Nobody who was found has it, or gave it in time.
    #[error("nobody who was asked has {0}")]
    NotFound(Cid),
    /// The node stops.
    #[error("the node stops")]
    Stopped,
}

/// What went between this node and a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerLedger {
    /// Its id.
    pub peer: PeerId,
    /// Bytes of blocks.
    pub bytes_sent: u64,
    /// Bytes of blocks.
    pub bytes_received: u64,
    /// Blocks.
    pub blocks_sent: u64,
    /// Blocks.
    pub blocks_received: u64,
    /// Lines of its wantlist.
    pub wants: usize,
}

#[derive(Default)]
struct Counters {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Counters {
    fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

struct Inner {
    larder: Arc<dyn Larder>,
    orders: mpsc::Sender<Order>,
    peers: Mutex<HashMap<PeerId, Arc<Peer>>>,
    turns: Semaphore,
    /// KiB of messages that are made or being sent.
    room: Semaphore,
    client: Client,
    offenders: mpsc::UnboundedSender<PeerId>,
    counters: Counters,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What Bitswap needs of the host that it runs on.
pub(super) struct Wiring {
    pub orders: mpsc::Sender<Order>,
    /// Roots whose providers are to be looked for.
    pub search: mpsc::Sender<Cid>,
    /// Peers that are to be sent away.
    pub offenders: mpsc::UnboundedSender<PeerId>,
    pub stop: CancellationToken,
}

/// A cheap handle.
#[derive(Clone)]
pub struct Bitswap {
    inner: Arc<Inner>,
}

impl Bitswap {
    pub(super) fn new(larder: Arc<dyn Larder>, wiring: Wiring) -> Self {
        let inner = Inner {
            larder,
            orders: wiring.orders,
            peers: Mutex::default(),
            turns: Semaphore::new(TURNS),
            room: Semaphore::new(server::ROOM_KIB),
            client: Client::new(wiring.search),
            offenders: wiring.offenders,
            counters: Counters::default(),
            tasks: TaskTracker::new(),
            stop: wiring.stop,
        };
        Self { inner: Arc::new(inner) }
    }

    /// What blocks of one root are fetched in: who gave one is asked for the next.
    #[must_use]
    pub fn session(&self, root: &Cid) -> Arc<Session> {
        self.inner.client.session(root)
    }

    /// A block, checked, from whoever has it. Fetching ends when the future is dropped.
    ///
    /// # Errors
    /// [`BitswapError::NotFound`] after `patience`, [`BitswapError::Stopped`].
    pub async fn fetch(&self, session: &Arc<Session>, cid: &Cid, patience: Duration) -> Result<Bytes, BitswapError> {
        client::fetch(&self.inner, session, cid, patience).await
    }

    /// Something came into the libraries: who wanted it is answered.
    pub fn look_again(&self) {
        for peer in self.inner.peers.lock().values() {
            peer.mind.lock().theirs.look_again();
            peer.ring.notify_one();
        }
    }

    /// What went over, by peer.
    #[must_use]
    pub fn ledgers(&self) -> Vec<PeerLedger> {
        let peers = self.inner.peers.lock();
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ledger = |peer: &Arc<Peer>| PeerLedger {
            peer: peer.id,
            bytes_sent: load(&peer.ledger.bytes_sent),
            bytes_received: load(&peer.ledger.bytes_received),
            blocks_sent: load(&peer.ledger.blocks_sent),
            blocks_received: load(&peer.ledger.blocks_received),
            wants: peer.mind.lock().theirs.len(),
        };
        peers.values().map(ledger).collect()
    }

    /// Bytes of blocks that went out, and that came in, since the start.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let here = self.ledgers();
        let gone = &self.inner.counters;
        let sent = gone.sent.load(Ordering::Relaxed) + here.iter().map(|peer| peer.bytes_sent).sum::<u64>();
        (sent, gone.received.load(Ordering::Relaxed))
    }

    /// Blocks that this node wants at this moment.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.inner.client.wanted()
    }

    /// Peers, those with most streams first: each holds what was not read of it yet.
    pub(super) fn greediest(&self) -> Vec<PeerId> {
        let peers = self.inner.peers.lock();
        let mut greedy: Vec<_> = peers.values().map(|peer| (peer.streams.load(Ordering::Relaxed), peer.id)).collect();
        greedy.sort_unstable_by(|a, b| b.cmp(a));
        greedy.into_iter().map(|(_, peer)| peer).collect()
    }

    /// This peer is said to have a root.
    pub(super) fn provides(&self, root: &Cid, peer: PeerId) {
        self.inner.client.provides(root, peer);
    }

    /// Takes over what the host tells, until it stops.
    pub(super) async fn listen(&self, mut arrivals: mpsc::UnboundedReceiver<Arrival>) {
        while let Some(Some(arrival)) = self.inner.stop.run_until_cancelled(arrivals.recv()).await {
            match arrival {
                Arrival::Speaks(peer) => drop(self.peer(peer)),
                Arrival::Gone(peer) => self.gone(&peer),
                Arrival::Stream(peer, stream) => self.read(self.peer(peer), stream),
            }
        }
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    fn peer(&self, id: PeerId) -> Arc<Peer> {
        let mut peers = self.inner.peers.lock();
        if let Some(peer) = peers.get(&id) {
            return Arc::clone(peer);
        }
        let peer = Arc::new(Peer::new(id, self.inner.stop.child_token()));
        peers.insert(id, Arc::clone(&peer));
        drop(peers);
        self.inner.tasks.spawn(server::serve(Arc::clone(&self.inner), Arc::clone(&peer)));
        self.inner.client.look_again();
        peer
    }

    fn gone(&self, id: &PeerId) {
        let Some(peer) = self.inner.peers.lock().remove(id) else { return };
        peer.over.cancel();
        self.inner.counters.sent.fetch_add(peer.ledger.bytes_sent.load(Ordering::Relaxed), Ordering::Relaxed);
        self.inner.client.unreachable(&peer);
    }

    fn read(&self, peer: Arc<Peer>, stream: Stream) {
        let inner = Arc::clone(&self.inner);
        if peer.streams.fetch_add(1, Ordering::Relaxed) < WAITING_MAX {
            self.inner.tasks.spawn(async move {
                peer.over.run_until_cancelled(listen_to(&inner, &peer, stream)).await;
                peer.streams.fetch_sub(1, Ordering::Relaxed);
            });
        } else {
            peer.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

async fn listen_to(inner: &Inner, peer: &Arc<Peer>, mut stream: impl AsyncRead + Unpin) {
    // Some peers open a stream for each message: those that are too many wait.
    let Ok(Ok(_place)) = timeout(WAITING_TIME, peer.reading.acquire()).await else { return };
    loop {
        match next(peer, &mut stream).await {
            Ok(Some(message)) => handle(inner, peer, message),
            Ok(None) | Err(wire::WireError::Io(_)) => return,
            // Not every line is quick.
            Err(wire::WireError::Slow) => return tracing::debug!(peer = %peer.id, "a Bitswap stream was too slow"),
            Err(error) => {
                tracing::debug!(peer = %peer.id, %error, "a Bitswap stream is not read any more");
                return offended(inner, peer);
            }
        }
    }
}

/// The next message of a peer, read as soon as there is room for it.
async fn next(peer: &Peer, stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Message>, wire::WireError> {
    let Some(len) = wire::next_length(stream).await? else { return Ok(None) };
    let _room = peer.room(len).await.ok_or(MessageError::TooLong(len))?;
    wire::message(stream, len).await.map(Some)
}

fn handle(inner: &Inner, peer: &Arc<Peer>, message: Message) {
    for (cid, data) in &message.blocks {
        if !inner.client.block(inner, peer, cid, data) {
            offended(inner, peer);
        }
    }
    // Nobody asks for what cannot be checked.
    (0..message.unverifiable).for_each(|_| offended(inner, peer));
    for (cid, have) in &message.presences {
        inner.client.presence(peer, cid, *have);
    }
    if !message.entries.is_empty() || message.full {
        let max = room(inner, peer, message.entries.len());
        let refused = peer.mind.lock().theirs.apply(message.entries, message.full, max);
        peer.tell(refused.into_iter().filter(|entry| entry.send_dont_have).map(|entry| (entry.cid, false)));
    }
}

/// Wants that a peer may have who asks for so many more.
fn room(inner: &Inner, peer: &Peer, more: usize) -> usize {
    if peer.mind.lock().theirs.len() + more <= WANTS_MAX {
        return WANTS_MAX;
    }
    let all: usize = inner.peers.lock().values().map(|peer| peer.mind.lock().theirs.len()).sum();
    if all < WANTS_OF_ALL { WANTS_MORE } else { WANTS_MAX }
}

/// The peer sent what nobody wanted, or no message at all.
fn offended(inner: &Inner, peer: &Peer) {
    let mut mind = peer.mind.lock();
    mind.offences += 1;
    if mind.offences == OFFENCES_MAX {
        // Nobody takes it any more when the node stops.
        let _ = inner.offenders.send(peer.id);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::fakes::bitswap;
    use super::*;

    /// Gives these bytes, and then nothing for ever.
    struct Stuck(&'static [u8]);

    impl AsyncRead for Stuck {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
            let len = self.0.len().min(to.len());
            to[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            if len > 0 { Poll::Ready(Ok(len)) } else { Poll::Pending }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_is_no_offence_and_what_is_no_message_is_one() {
        let id = PeerId::random();
        let bitswap = bitswap(&[id]);
        let peer = bitswap.peer(id);
        for (bytes, offences) in [(&[100, 0x0a][..], 0), (&[0x80][..], 0), (&[2, 0xff, 0xff][..], 1)] {
            listen_to(&bitswap.inner, &peer, Stuck(bytes)).await;
            assert_eq!(peer.mind.lock().offences, offences, "{bytes:?}");
        }
    }
}
