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
use tokio::sync::{SemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

use super::message::{Entry, Kind, Message};
use super::peer::Peer;
use super::{Inner, wire};
use crate::content::Cid;
use crate::exchange::libp2p::streams::Order;

/// Bytes of blocks in a message, but for a single larger one: two leaves of this node's files.
const BLOCKS_MAX: u64 = 2 * 1024 * 1024;
/// KiB of messages that wait to be sent, or are being sent, to all peers: each message counts twice, as blocks and as it goes out.
pub(super) const ROOM_KIB: usize = 128 * 1024;
/// A peer that takes nothing is tried again after this, and twice that the next time.
const AGAIN: Duration = Duration::from_millis(500);
/// After so many times in a row what it wants is forgotten.
const TRIES: u32 = 4;
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

/// A message that is ready to be sent.
struct Dish<'a> {
    message: Message,
    /// What its blocks answer.
    wants: Vec<Entry>,
    _room: Option<SemaphorePermit<'a>>,
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

async fn cook<'a>(inner: &'a Inner, peer: &Peer, ready: mpsc::Sender<Dish<'a>>) {
    // One is made while another is on its way, and none more.
    while let Ok(place) = ready.reserve().await {
        while !peer.mind.lock().is_open() {
            peer.ring.notified().await;
        }
        let dish = dish(inner, peer).await;
        if !dish.message.is_empty() {
            place.send(dish);
        }
    }
}

async fn dish<'a>(inner: &'a Inner, peer: &Peer) -> Dish<'a> {
    let (message, wanted) = {
        let mut mind = peer.mind.lock();
        (mind.words(), mind.theirs.is_open())
    };
    let mut dish = Dish { message, wants: Vec::new(), _room: None };
    if wanted && let Some(mut room) = room(inner, peer, !dish.message.is_empty()).await {
        let Ok(_turn) = inner.turns.acquire().await else { return dish };
        fill(inner, peer, &mut dish).await;
        let bytes: usize = dish.message.blocks.iter().map(|(_, block)| block.len()).sum();
        drop(room.split((kib(BLOCKS_MAX) - kib(BLOCKS_MAX).min(kib(bytes as u64))) as usize));
        dish._room = Some(room);
    }
    dish
}

/// Room for blocks, which those who wait for it get in their order. What is to be said does not wait for it: `None` where there are words
/// already, or come, and no room.
async fn room<'a>(inner: &'a Inner, peer: &Peer, words: bool) -> Option<SemaphorePermit<'a>> {
    if words {
        return inner.room.try_acquire_many(kib(BLOCKS_MAX)).ok();
    }
    let mut waiting = std::pin::pin!(inner.room.acquire_many(kib(BLOCKS_MAX)));
    loop {
        tokio::select! {
            room = &mut waiting => return room.ok(),
            () = peer.ring.notified() => {}
        }
        if peer.mind.lock().has_words() {
            return None;
        }
    }
}

/// What a message with so many bytes of blocks takes.
fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes * 2 / 1024).unwrap_or(u32::MAX)
}

async fn fill(inner: &Inner, peer: &Peer, dish: &mut Dish<'_>) {
    let blocks = choose(inner, peer, &mut dish.message).await;
    let larder = &inner.larder;
    let read = |entry: Entry| async move { (larder.block(&peer.id, &entry.cid).await, entry) };
    let found: Vec<_> = stream::iter(blocks.into_iter().map(read)).buffered(READS).collect().await;
    for (block, entry) in found {
        match block {
            Some(block) => {
                dish.message.blocks.push((entry.cid, block));
                dish.wants.push(entry);
            }
            None => missing(peer, entry, &mut dish.message),
        }
    }
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

async fn carry(inner: &Inner, peer: &Peer, mut ready: mpsc::Receiver<Dish<'_>>) {
    let (mut open, mut failed) = (None, 0);
    while let Some(dish) = next_dish(&mut ready, &mut open).await {
        let had_one = open.is_some();
        let sent = send(inner, peer, &mut open, &dish.message).await;
        // The other side may have closed what it did not use.
        if sent || (had_one && send(inner, peer, &mut open, &dish.message).await) {
            dish.message.blocks.iter().for_each(|(_, block)| peer.ledger.sent(block.len()));
            failed = 0;
        } else {
            failed += 1;
            inner.client.unreachable(peer);
            not_taken(peer, dish, failed).await;
        }
    }
}

/// The next message; while there is none for long, no stream is held open.
async fn next_dish<'a>(ready: &mut mpsc::Receiver<Dish<'a>>, open: &mut Option<Stream>) -> Option<Dish<'a>> {
    match timeout(IDLE_TIME, ready.recv()).await {
        Ok(dish) => dish,
        Err(_) => {
            close(open.take()).await;
            ready.recv().await
        }
    }
}

/// What it wants stays wanted, but a peer that takes nothing is not tried on and on.
async fn not_taken(peer: &Peer, dish: Dish<'_>, failed: u32) {
    let Dish { wants, message, _room } = dish;
    drop((message.blocks, _room));
    if failed >= TRIES {
        drop(peer.mind.lock().theirs.apply(Vec::new(), true, 0));
    } else {
        let mut mind = peer.mind.lock();
        wants.into_iter().for_each(|entry| mind.theirs.put_back(entry));
        drop(mind);
        peer.tell(message.presences);
    }
    tokio::time::sleep(AGAIN * 2u32.pow(failed.min(TRIES) - 1)).await;
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

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::super::fakes::bitswap;
    use super::*;
    use crate::content::cid;

    fn want(text: &str) -> Entry {
        let cid = cid::of_raw(text.as_bytes());
        Entry { cid, priority: 1, kind: Kind::Block, cancel: false, send_dont_have: true }
    }

    fn dish(wants: Vec<Entry>) -> Dish<'static> {
        let message = Message { presences: vec![(cid::of_raw(b"salt"), true)], ..Message::default() };
        Dish { message, wants, _room: None }
    }

    #[tokio::test(start_paused = true)]
    async fn what_did_not_go_out_is_still_wanted_and_still_to_be_said() {
        let peer = Peer::new(PeerId::random(), CancellationToken::new());
        not_taken(&peer, dish(vec![want("soup"), want("bread")]), 1).await;
        let mut mind = peer.mind.lock();
        assert_eq!((mind.theirs.len(), mind.words().presences.len()), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_to_be_said_does_not_wait_for_room_that_others_have() {
        let bitswap = bitswap(&[]);
        let inner = &bitswap.inner;
        let _all = inner.room.acquire_many(ROOM_KIB as u32).await.unwrap();
        let peer = Peer::new(PeerId::random(), CancellationToken::new());
        peer.mind.lock().theirs.apply(vec![want("soup")], false, 10);
        peer.say(want("bread"));
        assert_eq!(super::dish(inner, &peer).await.message.entries.len(), 1, "words that are there");
        let later = async {
            tokio::time::sleep(AGAIN).await;
            peer.say(want("salt"));
        };
        let (nothing, ()) = tokio::join!(super::dish(inner, &peer), later);
        assert!(nothing.message.is_empty(), "it waited for room until there were words");
        assert_eq!(super::dish(inner, &peer).await.message.entries.len(), 1, "words that came");
        assert_eq!(peer.mind.lock().theirs.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_nothing_is_tried_less_and_less_and_then_forgotten() {
        let peer = Peer::new(PeerId::random(), CancellationToken::new());
        let begun = tokio::time::Instant::now();
        for failed in 1..=TRIES {
            let wants = if failed == 1 { vec![want("soup")] } else { vec![peer.mind.lock().theirs.next().unwrap()] };
            not_taken(&peer, dish(wants), failed).await;
        }
        assert_eq!(peer.mind.lock().theirs.len(), 0);
        assert_eq!(begun.elapsed(), AGAIN * (2u32.pow(TRIES) - 1));
    }
}
