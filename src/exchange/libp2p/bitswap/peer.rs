//! What is known of one peer: what it wants, what is to be said to it, and what went over.
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ::libp2p::PeerId;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::message::{ENTRIES_MAX, Entry, MESSAGE_MAX, Message};
use super::wants::Wants;
use crate::content::Cid;

const KIB: usize = 1024;
/// Streams of one peer that are read at a time.
const READING_MAX: usize = 16;
/// Longest message of a peer that was asked for nothing: what wantlists take.
const UNASKED_MAX: usize = 256 * 1024;
/// Messages of the greatest length of one peer that are being read at a time, whichever that length is.
const LONGEST_AT_ONCE: usize = 2;
/// Blocks that were asked for may come so long after they were cancelled.
const ASKED_FOR: Duration = Duration::from_secs(60);
/// A peer that was not measured yet is expected to answer in this time.
const LATENCY: Duration = Duration::from_millis(300);
/// And one that keeps others waiting in no longer than this.
const LATENCY_MAX: Duration = Duration::from_secs(10);
/// Answers that wait for a peer to take them.
const PRESENCES_MAX: usize = ENTRIES_MAX;
/// Entries and presences in one message at most.
const SAID_MAX: usize = ENTRIES_MAX / 4;

/// Bytes and blocks that went to a peer and came from it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub bytes_sent: AtomicU64,
    pub bytes_received: AtomicU64,
    pub blocks_sent: AtomicU64,
    pub blocks_received: AtomicU64,
}

impl Ledger {
    pub fn sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.blocks_sent.fetch_add(1, Ordering::Relaxed);
    }

    pub fn received(&self, bytes: usize) {
        self.bytes_received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.blocks_received.fetch_add(1, Ordering::Relaxed);
    }
}

/// See the module.
pub(super) struct Peer {
    pub id: PeerId,
    pub mind: Mutex<Mind>,
    /// Something is to be said, or wanted by it.
    pub ring: Notify,
    pub reading: Semaphore,
    /// KiB of messages that are being read.
    room: Semaphore,
    /// Streams that it opened.
    pub streams: AtomicUsize,
    pub ledger: Ledger,
    pub over: CancellationToken,
}

/// What changes.
pub(super) struct Mind {
    /// What it wants.
    pub theirs: Wants,
    entries: Vec<Entry>,
    presences: Vec<(Cid, bool)>,
    /// Blocks that it was asked for and that did not come yet.
    pub in_flight: usize,
    /// How long a block took lately.
    pub latency: Duration,
    asked: Option<Instant>,
    pub offences: u32,
}

impl Peer {
    pub fn new(id: PeerId, over: CancellationToken) -> Self {
        let mind = Mind {
            theirs: Wants::default(),
            entries: Vec::new(),
            presences: Vec::new(),
            in_flight: 0,
            latency: LATENCY,
            asked: None,
            offences: 0,
        };
        Self {
            id,
            mind: Mutex::new(mind),
            ring: Notify::new(),
            reading: Semaphore::new(READING_MAX),
            room: Semaphore::new(LONGEST_AT_ONCE * MESSAGE_MAX / KIB),
            streams: AtomicUsize::new(0),
            ledger: Ledger::default(),
            over,
        }
    }

    /// Says what this node wants, or does not want any more.
    pub fn say(&self, entry: Entry) {
        let mut mind = self.mind.lock();
        mind.asked = Some(Instant::now());
        mind.entries.push(entry);
        drop(mind);
        self.ring.notify_one();
    }

    /// Says whether blocks are here.
    pub fn tell(&self, presences: impl IntoIterator<Item = (Cid, bool)>) {
        let mut mind = self.mind.lock();
        // Who asks for more than it takes answers of is not answered.
        let room = PRESENCES_MAX.saturating_sub(mind.presences.len());
        mind.presences.extend(presences.into_iter().take(room));
        drop(mind);
        self.ring.notify_one();
    }

    /// Room for a message of so many bytes, as soon as there is some; `None` where it may not have as many.
    pub async fn room(&self, len: usize) -> Option<SemaphorePermit<'_>> {
        let asked = self.mind.lock().asked;
        let max = if asked.is_some_and(|asked| asked.elapsed() < ASKED_FOR) { MESSAGE_MAX } else { UNASKED_MAX };
        let weight = u32::try_from((len * (MESSAGE_MAX / max)).div_ceil(KIB)).ok()?;
        if len > max { None } else { self.room.acquire_many(weight).await.ok() }
    }

    /// A block came `after` it was asked for.
    pub fn took(&self, after: Duration) {
        let mut mind = self.mind.lock();
        mind.latency = (mind.latency * 7 + after) / 8;
        mind.asked = Some(Instant::now());
    }

    /// A block did not come in the time that was to be expected: others are asked before it.
    pub fn late(&self) {
        let mut mind = self.mind.lock();
        mind.latency = (mind.latency * 2).min(LATENCY_MAX);
    }

    /// One block less is on its way.
    pub fn landed(&self) {
        let mut mind = self.mind.lock();
        mind.in_flight = mind.in_flight.saturating_sub(1);
    }

    /// After this long another is asked too.
    pub fn patience(&self) -> Duration {
        (self.mind.lock().latency * 4).max(Duration::from_secs(1))
    }
}

impl Mind {
    /// Whether there is something to be said, or something wanted.
    pub fn is_open(&self) -> bool {
        self.has_words() || self.theirs.is_open()
    }

    /// Whether there is something to be said.
    pub fn has_words(&self) -> bool {
        !self.entries.is_empty() || !self.presences.is_empty()
    }

    /// What is to be said, without blocks.
    pub fn words(&mut self) -> Message {
        let take = |n: usize| n.min(SAID_MAX);
        let entries = self.entries.drain(..take(self.entries.len())).collect();
        let presences = self.presences.drain(..take(self.presences.len())).collect();
        Message { entries, presences, ..Message::default() }
    }
}
