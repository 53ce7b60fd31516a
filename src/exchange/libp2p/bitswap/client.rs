//! Fetches blocks: who has one is found by asking, and who is quickest is asked for it.
//!
//! ```text
//!  fetch(cid) ─► whoever gave blocks of the same root ─► the block
//!                else: "have you?" to all, and a search for providers ─► who has it ─► the block
//! ```
//! A peer that says no, leaves or is slow is followed by the next; what comes first counts, and the others are told.
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ::libp2p::PeerId;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::message::{Entry, Kind};
use super::peer::Peer;
use super::{BitswapError, Inner};
use crate::content::Cid;
use crate::content::cid::{canonical, is_verifiable};

/// Peers that are asked whether they have a block, where nobody is known to.
const ASKED_MAX: usize = 64;
/// Where nobody has it, all are asked again after this.
const AGAIN: Duration = Duration::from_secs(10);
/// Who was asked for a block and sent nothing may have lost the question: it is asked again after this, where nobody else is left.
const ASKED_AGAIN: Duration = Duration::from_secs(30);
/// Providers of a root are looked for this often at most.
const SEARCH_EVERY: Duration = Duration::from_secs(30);
/// Blocks that came, or were cancelled: one of them is no surprise.
const RECENT: usize = 4096;

/// Blocks of one root: who has one of them has the others.
pub struct Session {
    root: Cid,
    members: Mutex<HashSet<PeerId>>,
    searched: Mutex<Option<Instant>>,
}

struct Want {
    cid: Cid,
    session: Arc<Session>,
    state: Mutex<State>,
    ring: Notify,
    done: watch::Sender<Option<Bytes>>,
    waiters: AtomicUsize,
    over: CancellationToken,
}

impl Want {
    /// One more waits for it; not where the last one has just gone, or where it ends.
    fn is_joined(&self) -> bool {
        let more = |waiters| (waiters > 0).then_some(waiters + 1);
        !self.over.is_cancelled() && self.waiters.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }
}

#[derive(Default)]
struct State {
    /// Who was asked for the block, and when.
    asked: HashMap<PeerId, Instant>,
    /// Of those, who did not send it in time.
    late: HashSet<PeerId>,
    /// Who was asked whether it has it.
    told: HashSet<PeerId>,
    haves: HashSet<PeerId>,
    nots: HashSet<PeerId>,
}

/// See the module.
pub(super) struct Client {
    wants: Mutex<HashMap<Cid, Arc<Want>>>,
    sessions: Mutex<HashMap<Cid, Weak<Session>>>,
    recent: Mutex<Recent>,
    search: mpsc::Sender<Cid>,
}

#[derive(Default)]
struct Recent {
    set: HashSet<Cid>,
    order: VecDeque<Cid>,
}

impl Recent {
    fn add(&mut self, cid: Cid) {
        if self.set.insert(cid) {
            self.order.push_back(cid);
        }
        if self.order.len() > RECENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
    }
}

/// One who waits. When the last one goes, the block is not wanted any more.
struct Waiting(Arc<Want>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.0.waiters.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.over.cancel();
        }
    }
}

impl Client {
    pub fn new(search: mpsc::Sender<Cid>) -> Self {
        Self { wants: Mutex::default(), sessions: Mutex::default(), recent: Mutex::default(), search }
    }

    pub fn session(&self, root: &Cid) -> Arc<Session> {
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, session| session.strong_count() > 0);
        if let Some(session) = sessions.get(root).and_then(Weak::upgrade) {
            return session;
        }
        let session = Arc::new(Session { root: *root, members: Mutex::default(), searched: Mutex::default() });
        sessions.insert(*root, Arc::downgrade(&session));
        session
    }

    /// This peer is said to have a root.
    pub fn provides(&self, root: &Cid, peer: PeerId) {
        let session = self.sessions.lock().get(root).and_then(Weak::upgrade);
        if let Some(session) = session {
            session.members.lock().insert(peer);
        }
        self.look_again();
    }

    /// Somebody came, of whom nobody was asked yet.
    pub fn look_again(&self) {
        self.wants.lock().values().for_each(|want| want.ring.notify_one());
    }

    /// Blocks that are wanted.
    pub fn wanted(&self) -> usize {
        self.wants.lock().len()
    }

    fn want(&self, inner: &Arc<Inner>, session: &Arc<Session>, cid: &Cid) -> Waiting {
        let mut wants = self.wants.lock();
        if let Some(want) = wants.get(&canonical(cid)).filter(|want| want.is_joined()) {
            return Waiting(Arc::clone(want));
        }
        let want = Arc::new(Want {
            cid: *cid,
            session: Arc::clone(session),
            state: Mutex::default(),
            ring: Notify::new(),
            done: watch::Sender::new(None),
            waiters: AtomicUsize::new(1),
            over: inner.stop.child_token(),
        });
        wants.insert(canonical(cid), Arc::clone(&want));
        inner.tasks.spawn(drive(Arc::clone(inner), Arc::clone(&want)));
        Waiting(want)
    }

    /// Says whether a block that came was wanted, or had been.
    pub fn block(&self, inner: &Inner, peer: &Arc<Peer>, cid: &Cid, data: &Bytes) -> bool {
        let found = self.wants.lock().get(&canonical(cid)).cloned();
        let Some(want) = found else { return self.recent.lock().set.contains(&canonical(cid)) };
        let asked = want.state.lock().asked.get(&peer.id).copied();
        if let Some(asked) = asked {
            peer.took(asked.elapsed());
        }
        want.session.members.lock().insert(peer.id);
        peer.ledger.received(data.len());
        inner.counters.received(data.len());
        want.done.send_replace(Some(data.clone()));
        want.ring.notify_one();
        true
    }

    pub fn presence(&self, peer: &Peer, cid: &Cid, have: bool) {
        let Some(want) = self.wants.lock().get(&canonical(cid)).cloned() else { return };
        let mut state = want.state.lock();
        if have {
            state.nots.remove(&peer.id);
            state.haves.insert(peer.id);
            want.session.members.lock().insert(peer.id);
        } else {
            state.nots.insert(peer.id);
            state.haves.remove(&peer.id);
            if state.asked.remove(&peer.id).is_some() {
                peer.landed();
            }
        }
        drop(state);
        want.ring.notify_one();
    }

    /// The peer left, or takes no messages: others are asked for what it was asked for.
    pub fn unreachable(&self, peer: &Peer) {
        for want in self.wants.lock().values() {
            let mut state = want.state.lock();
            if state.asked.remove(&peer.id).is_some() {
                peer.landed();
            }
            // It may come back and be asked anew.
            state.told.remove(&peer.id);
            state.haves.remove(&peer.id);
            want.session.members.lock().remove(&peer.id);
            want.ring.notify_one();
        }
    }
}

/// A block, from whoever has it.
pub(super) async fn fetch(
    inner: &Arc<Inner>,
    session: &Arc<Session>,
    cid: &Cid,
    patience: Duration,
) -> Result<Bytes, BitswapError> {
    // What nobody here can check nobody can bring.
    if !is_verifiable(cid) {
        return Err(BitswapError::NotFound(*cid));
    }
    let waiting = inner.client.want(inner, session, cid);
    let mut done = waiting.0.done.subscribe();
    let block = async {
        tokio::select! {
            block = done.wait_for(Option::is_some) => block.ok().and_then(|block| block.clone()),
            () = inner.stop.cancelled() => None,
        }
    };
    match tokio::time::timeout(patience, block).await {
        Ok(Some(block)) => Ok(block),
        Ok(None) => Err(BitswapError::Stopped),
        Err(_) => Err(BitswapError::NotFound(*cid)),
    }
}

async fn drive(inner: Arc<Inner>, want: Arc<Want>) {
    let mut done = want.done.subscribe();
    tokio::select! {
        () = pursue(&inner, &want) => {}
        _ = done.wait_for(Option::is_some) => {}
        () = want.over.cancelled() => {}
    }
    want.over.cancel();
    let mut wants = inner.client.wants.lock();
    if wants.get(&canonical(&want.cid)).is_some_and(|other| Arc::ptr_eq(other, &want)) {
        wants.remove(&canonical(&want.cid));
    }
    inner.client.recent.lock().add(canonical(&want.cid));
    // Where it is wanted anew, it is not to be cancelled after that was said.
    let wanted = wants.contains_key(&canonical(&want.cid));
    give_up(&inner, &want, !wanted);
}

/// What was asked for is not on its way any more; `cancel` tells those who were asked.
fn give_up(inner: &Inner, want: &Want, cancel: bool) {
    let state = std::mem::take(&mut *want.state.lock());
    let peers = inner.peers.lock();
    for peer in state.asked.keys().filter_map(|id| peers.get(id)) {
        peer.landed();
    }
    if !cancel {
        return;
    }
    // Who said no remembers the question too, in case it comes.
    let told: HashSet<&PeerId> = state.asked.keys().chain(&state.told).chain(&state.nots).collect();
    for peer in told.into_iter().filter_map(|id| peers.get(id)) {
        peer.say(Entry { cancel: true, ..entry(want, Kind::Block) });
    }
}

async fn pursue(inner: &Inner, want: &Want) {
    loop {
        let wait = step(inner, want);
        tokio::select! {
            () = want.ring.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Asks whoever is to be asked now, and says how long to wait for that.
fn step(inner: &Inner, want: &Want) -> Duration {
    if let Some(left) = patience_left(inner, want) {
        return left;
    }
    blame(inner, want);
    if let Some(peer) = best(inner, want) {
        peer.mind.lock().in_flight += 1;
        want.state.lock().asked.insert(peer.id, Instant::now());
        peer.say(entry(want, Kind::Block));
        return peer.patience();
    }
    forget(inner, want);
    ask_all(inner, want);
    search(inner, want);
    AGAIN
}

/// Those who were asked long ago may be asked again.
fn forget(inner: &Inner, want: &Want) {
    let mut state = want.state.lock();
    let peers = inner.peers.lock();
    for (id, _) in state.asked.extract_if(|_, at| at.elapsed() > ASKED_AGAIN) {
        peers.get(&id).inspect(|peer| peer.landed());
    }
}

/// How long somebody who was asked may still take.
fn patience_left(inner: &Inner, want: &Want) -> Option<Duration> {
    let asked: Vec<(PeerId, Instant)> = want.state.lock().asked.iter().map(|(id, at)| (*id, *at)).collect();
    let peers = inner.peers.lock();
    let left = |(id, at): (PeerId, Instant)| peers.get(&id)?.patience().checked_sub(at.elapsed());
    asked.into_iter().filter_map(left).max()
}

/// Those who were asked, said that they have it and sent nothing are asked after others from now on.
fn blame(inner: &Inner, want: &Want) {
    let mut state = want.state.lock();
    let State { asked, late, .. } = &mut *state;
    let peers = inner.peers.lock();
    asked.keys().filter(|id| late.insert(**id)).filter_map(|id| peers.get(id)).for_each(|peer| peer.late());
}

/// Who has it, as far as is known, and was not asked yet: the one that is likely to have sent it first.
fn best(inner: &Inner, want: &Want) -> Option<Arc<Peer>> {
    let state = want.state.lock();
    let members = want.session.members.lock();
    let candidates = members.union(&state.haves).filter(|id| !state.nots.contains(id) && !state.asked.contains_key(id));
    let peers = inner.peers.lock();
    let load = |peer: &Arc<Peer>| {
        let mind = peer.mind.lock();
        mind.latency.saturating_mul(u32::try_from(mind.in_flight + 1).unwrap_or(u32::MAX))
    };
    candidates.filter_map(|id| peers.get(id).cloned()).min_by_key(load)
}

fn ask_all(inner: &Inner, want: &Want) {
    let peers: Vec<Arc<Peer>> = inner.peers.lock().values().cloned().collect();
    let mut state = want.state.lock();
    let strangers = peers.into_iter().filter(|peer| !state.asked.contains_key(&peer.id));
    let new: Vec<_> = strangers.filter(|peer| !state.told.contains(&peer.id)).take(ASKED_MAX).collect();
    for peer in new {
        state.told.insert(peer.id);
        peer.say(entry(want, Kind::Have));
    }
}

fn search(inner: &Inner, want: &Want) {
    let mut searched = want.session.searched.lock();
    if searched.is_none_or(|at| at.elapsed() > SEARCH_EVERY) {
        // A full queue is as good as a search that finds nobody: it is tried again.
        *searched = inner.client.search.try_send(want.session.root).is_ok().then(Instant::now);
    }
}

fn entry(want: &Want, kind: Kind) -> Entry {
    Entry { cid: want.cid, priority: 1, kind, cancel: false, send_dont_have: true }
}

#[cfg(test)]
mod tests {
    use super::super::fakes::bitswap;
    use super::*;
    use crate::content::cid;

    #[tokio::test]
    async fn one_who_says_that_it_has_a_block_and_does_not_send_it_is_asked_after_others() {
        let (idle, good) = (PeerId::random(), PeerId::random());
        let bitswap = bitswap(&[idle, good]);
        let inner = &bitswap.inner;
        let session = bitswap.session(&cid::of_raw(b"root"));
        session.members.lock().extend([idle, good]);
        let waiting = inner.client.want(inner, &session, &cid::of_raw(b"soup"));
        waiting.0.state.lock().asked.insert(idle, Instant::now());
        blame(inner, &waiting.0);
        blame(inner, &waiting.0);
        let latency = |peer: &PeerId| inner.peers.lock()[peer].mind.lock().latency;
        assert_eq!(latency(&idle), 2 * latency(&good), "blamed once for one block");
        let other = inner.client.want(inner, &session, &cid::of_raw(b"bread"));
        assert_eq!(best(inner, &other.0).map(|peer| peer.id), Some(good));
    }

    #[tokio::test]
    async fn one_who_comes_as_the_last_one_goes_waits_for_a_want_of_its_own() {
        let bitswap = bitswap(&[]);
        let session = bitswap.session(&cid::of_raw(b"root"));
        let want = || bitswap.inner.client.want(&bitswap.inner, &session, &cid::of_raw(b"soup"));
        let (first, second) = (want(), want());
        assert!(Arc::ptr_eq(&first.0, &second.0));
        // Between the last one's going and the end of the want.
        second.0.waiters.store(0, Ordering::Release);
        let third = want();
        assert!(!Arc::ptr_eq(&first.0, &third.0) && !third.0.over.is_cancelled());
    }

    #[tokio::test]
    async fn what_nobody_can_check_is_not_asked_for() {
        let bitswap = bitswap(&[PeerId::random()]);
        let sha1 = Cid::new_v1(0x55, multihash::Multihash::wrap(0x11, &[7; 20]).unwrap());
        let session = bitswap.session(&sha1);
        let answer = bitswap.fetch(&session, &sha1, Duration::MAX).await;
        assert_eq!(answer, Err(BitswapError::NotFound(sha1)));
    }
}
