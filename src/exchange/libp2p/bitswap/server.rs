//! Answers what peers want: one message at a time for each, and a turn for each in the order in which they came, so that one
//! who asks for much does not keep the others waiting.
use std::sync::Arc;
use std::time::Duration;

use ::libp2p::{PeerId, Stream};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::io::AsyncWriteExt as _;
use futures_util::stream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::message::{Entry, Kind, Message};
use super::peer::Peer;
use super::{Inner, wire};
use crate::content::Cid;
use crate::exchange::libp2p::streams::Order;

/// Bytes of blocks in a message, but for a single larger one: two leaves of this node's files.
const BLOCKS_MAX: u64 = 2 * 1024 * 1024;
/// Wants that are looked at for one message.
const LOOKED_AT_MAX: usize = 256;
/// Blocks of a message that are read at a time.
const READS: usize = 2;
/// A stream that is not used for so long is closed, so that the connection may end.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// A stream that does not open in this time does not open.
const OPEN_TIME: Duration = Duration::from_secs(10);

/// Says what a peer may have, and reads it. Asked for each block, each time.
pub trait Larder: Send + Sync + 'static {
    /// Bytes of a block that is here and that this peer may have; `None` for any other, which it cannot tell apart.
    fn size<'a>(&'a self, peer: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<u64>>;

    /// The block, checked; `None` as above, and where it cannot be read.
    fn block<'a>(&'a self, peer: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<Bytes>>;
}

/// Makes messages for a peer, each while the one before is being sent.
pub(super) async fn serve(inner: Arc<Inner>, peer: Arc<Peer>) {
    let (ready, to_send) = mpsc::channel(1);
    let work = async {
        tokio::join!(cook(&inner, &peer, ready), carry(&inner, &peer, to_send));
    };
    tokio::select! {
        () = work => {}
        () = peer.over.cancelled() => {}
    }
}

async fn cook(inner: &Inner, peer: &Peer, ready: mpsc::Sender<Message>) {
    loop {
        while !peer.mind.lock().is_open() {
            peer.ring.notified().await;
        }
        let message = message(inner, peer).await;
        if !message.is_empty() && ready.send(message).await.is_err() {
            return;
        }
    }
}

async fn message(inner: &Inner, peer: &Peer) -> Message {
    let (mut message, wanted) = {
        let mut mind = peer.mind.lock();
        (mind.words(), mind.theirs.is_open())
    };
    if wanted {
        // Those who wait for a turn get it in their order.
        let Ok(_turn) = inner.turns.acquire().await else { return message };
        let blocks = choose(inner, peer, &mut message).await;
        let larder = &inner.larder;
        let read = |entry: Entry| async move { (larder.block(&peer.id, &entry.cid).await, entry) };
        let found: Vec<_> = stream::iter(blocks.into_iter().map(read)).buffered(READS).collect().await;
        for (block, entry) in found {
            match block {
                Some(block) => message.blocks.push((entry.cid, block)),
                None => missing(peer, entry, &mut message),
            }
        }
    }
    message
}

/// Answers questions, and says which blocks come with this message.
async fn choose(inner: &Inner, peer: &Peer, message: &mut Message) -> Vec<Entry> {
    let (mut blocks, mut bytes) = (Vec::new(), 0);
    for _ in 0..LOOKED_AT_MAX {
        let Some(entry) = next(peer) else { break };
        match (inner.larder.size(&peer.id, &entry.cid).await, entry.kind) {
            (None, _) => missing(peer, entry, message),
            (Some(_), Kind::Have) => message.presences.push((entry.cid, true)),
            (Some(size), Kind::Block) if blocks.is_empty() || bytes + size <= BLOCKS_MAX => {
                bytes += size;
                blocks.push(entry);
            }
            (Some(_), Kind::Block) => {
                peer.mind.lock().theirs.put_back(entry);
                break;
            }
        }
    }
    blocks
}

fn next(peer: &Peer) -> Option<Entry> {
    peer.mind.lock().theirs.next()
}

fn missing(peer: &Peer, entry: Entry, message: &mut Message) {
    if entry.send_dont_have {
        message.presences.push((entry.cid, false));
    }
    peer.mind.lock().theirs.hold(entry);
}

async fn carry(inner: &Inner, peer: &Peer, mut ready: mpsc::Receiver<Message>) {
    let mut open = None;
    loop {
        let message = match timeout(IDLE_TIME, ready.recv()).await {
            Ok(Some(message)) => message,
            Ok(None) => return,
            Err(_) => {
                close(open.take()).await;
                match ready.recv().await {
                    Some(message) => message,
                    None => return,
                }
            }
        };
        let had_one = open.is_some();
        let sent = send(inner, peer, &mut open, &message).await;
        // The other side may have closed what it did not use.
        let sent = sent || (had_one && send(inner, peer, &mut open, &message).await);
        if sent {
            message.blocks.iter().for_each(|(_, block)| peer.ledger.sent(block.len()));
        } else {
            inner.client.unreachable(peer);
        }
    }
}

async fn send(inner: &Inner, peer: &Peer, open: &mut Option<Stream>, message: &Message) -> bool {
    let Some(mut stream) = (match open.take() {
        Some(stream) => Some(stream),
        None => ask_for_stream(inner, peer).await,
    }) else {
        return false;
    };
    match wire::write(&mut stream, message).await {
        Ok(()) => {
            *open = Some(stream);
            true
        }
        Err(error) => {
            tracing::debug!(peer = %peer.id, %error, "a Bitswap message was not sent");
            false
        }
    }
}

async fn ask_for_stream(inner: &Inner, peer: &Peer) -> Option<Stream> {
    let (opened, opening) = oneshot::channel();
    inner.orders.send(Order { peer: peer.id, opened }).await.ok()?;
    timeout(OPEN_TIME, opening).await.ok()?.ok()
}

async fn close(stream: Option<Stream>) {
    if let Some(mut stream) = stream {
        let _ = timeout(OPEN_TIME, stream.close()).await;
    }
}
