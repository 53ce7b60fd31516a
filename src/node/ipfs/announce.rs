//! Announcing what is public: roots only, one sweep after another, at a pace that nobody feels: while somebody plays, no faster than
//! the sweep needs to be through in its time.
//!
//! A sweep tells of everything once. What changes meanwhile ends the step that runs: what is not public any more is withdrawn,
//! and of the rest only what was not told yet follows.
use std::collections::HashSet;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{AnnounceState, Ipfs, IpfsOptions};
use crate::catalog::Visibility;
use crate::content::Cid;
use crate::node::Node;

/// Roots that are announced at a time: most of an announcement is waiting for others.
const AT_ONCE: usize = 8;

/// While somebody plays, a root waits no longer than this: ten thousand are told of in 22 hours even so.
const SLOWEST: Duration = Duration::from_secs(7);
/// How often is looked whether somebody plays.
const LOOK: Duration = Duration::from_millis(500);

/// What some could not be told is tried again after this.
const AGAIN: Duration = Duration::from_secs(600);
/// How often is looked whether this node is reached at other addresses than those that were told.
const MOVED_EVERY: Duration = Duration::from_secs(30);

/// What was told, and to be told.
#[derive(Default)]
struct Announced {
    /// All that the host was asked to announce, and is still public.
    said: HashSet<Cid>,
    /// Of the sweep that runs.
    told: HashSet<Cid>,
    /// In that sweep everything was told once, or was tried.
    over: bool,
    /// Where this node was reached when that was told.
    reached: Vec<String>,
}

pub(super) async fn keep(ipfs: Ipfs, node: Node, options: IpfsOptions, stop: CancellationToken) {
    let work = async {
        let mut announced = Announced::default();
        loop {
            connected(&ipfs).await;
            sweep(&ipfs, &node, &options, &mut announced).await;
            (announced.told, announced.over) = (HashSet::new(), false);
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Comes back when there is somebody to tell, and something is known of what is public.
async fn connected(ipfs: &Ipfs) {
    let alone = || {
        let state = ipfs.libp2p().state();
        state.peers == 0 || state.routing_peers == 0
    };
    while alone() || ipfs.version() == 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Tells of everything, and of what comes new until the next sweep is due.
async fn sweep(ipfs: &Ipfs, node: &Node, options: &IpfsOptions, announced: &mut Announced) {
    let due = Instant::now() + options.announce_every;
    let mut changes = ipfs.changes();
    loop {
        changes.mark_unchanged();
        announced.reached_at(reached(ipfs));
        if let Some(roots) = public(ipfs, node, options).await {
            withdraw(ipfs, &roots, announced).await;
            let (pace, reached) = (Pace::new(options, due), announced.reached.clone());
            tokio::select! {
                () = step(ipfs, node, &pace, &roots, announced) => {}
                () = moved(ipfs, &reached) => continue,
                _ = changes.changed() => continue,
            }
        }
        let failed = ipfs.announced().failed > 0;
        tokio::select! {
            () = tokio::time::sleep_until(due) => return,
            () = tokio::time::sleep(AGAIN), if failed => {}
            () = moved(ipfs, &announced.reached) => {}
            _ = changes.changed() => {}
        }
    }
}

impl Announced {
    /// What was told with addresses that nobody reaches is told anew.
    fn reached_at(&mut self, now: Vec<String>) {
        if !now.is_empty() && now != self.reached {
            self.told.clear();
            self.reached = now;
        }
    }
}

fn reached(ipfs: &Ipfs) -> Vec<String> {
    let mut external = ipfs.libp2p().state().external;
    external.sort_unstable();
    external
}

/// Comes back when this node is reached elsewhere than before. Nowhere is not told to anybody.
async fn moved(ipfs: &Ipfs, before: &[String]) {
    loop {
        tokio::time::sleep(MOVED_EVERY).await;
        let now = reached(ipfs);
        if !now.is_empty() && now != before {
            return;
        }
    }
}

/// The roots of what is public, the folder first: it leads to all the others.
async fn public(ipfs: &Ipfs, node: &Node, options: &IpfsOptions) -> Option<Vec<Cid>> {
    let libraries = match node.catalog().public_files().await {
        Ok(libraries) => libraries,
        Err(error) => {
            tracing::error!(%error, "nothing is announced: the catalog could not be read");
            return None;
        }
    };
    let mut roots: Vec<Cid> = libraries.into_iter().flat_map(|library| library.files).map(|file| file.cid).collect();
    roots.sort_unstable();
    roots.dedup();
    roots.insert(0, ipfs.root());
    roots.truncate(options.libp2p.announced_max);
    Some(roots)
}

/// What is not public any more is not said to be here.
async fn withdraw(ipfs: &Ipfs, roots: &[Cid], announced: &mut Announced) {
    let roots: HashSet<&Cid> = roots.iter().collect();
    let gone: Vec<Cid> = announced.said.iter().filter(|cid| !roots.contains(cid)).copied().collect();
    for cid in gone {
        announced.said.remove(&cid);
        announced.told.remove(&cid);
        // Only a host that stops cannot.
        let _ = ipfs.libp2p().withdraw(&cid).await;
    }
}

/// Tells of the roots that were not told of in this sweep.
async fn step(ipfs: &Ipfs, node: &Node, pace: &Pace, roots: &[Cid], announced: &mut Announced) {
    let Announced { said, told, over, .. } = announced;
    let fresh = in_turn(roots, said, told);
    begin(&mut ipfs.inner.announced.write(), roots.len(), fresh.len());
    let begun = Instant::now();
    let asked = paced(fresh, pace, || node.playback().is_playing()).map(|root| {
        said.insert(root);
        one(ipfs, node, root)
    });
    let mut answers = std::pin::pin!(asked.buffer_unordered(AT_ONCE));
    while let Some((root, was_told)) = answers.next().await {
        let mut state = ipfs.inner.announced.write();
        if was_told {
            state.announced += 1;
            told.insert(root);
        } else {
            state.failed += 1;
        }
    }
    if !std::mem::replace(over, true) {
        let mut state = ipfs.inner.announced.write();
        state.sweeps += 1;
        let seconds = begun.elapsed().as_secs();
        tracing::info!(roots = state.roots, failed = state.failed, seconds, "announced what is public");
    }
}

/// What was not told of in this sweep: the folder, then what nobody was told of before, then the rest.
fn in_turn(roots: &[Cid], said: &HashSet<Cid>, told: &HashSet<Cid>) -> Vec<Cid> {
    let left = || roots.iter().enumerate().filter(|(_, root)| !told.contains(root));
    let is_new = |(number, root): &(usize, &Cid)| *number == 0 || !said.contains(root);
    let (new, old) = (left().filter(is_new), left().filter(|root| !is_new(root)));
    new.chain(old).map(|(_, root)| *root).collect()
}

fn begin(state: &mut AnnounceState, roots: usize, fresh: usize) {
    *state = AnnounceState { roots: roots as u64, announced: (roots - fresh) as u64, failed: 0, sweeps: state.sweeps };
}

/// How fast roots follow each other.
struct Pace {
    /// Between two of them while nobody plays.
    least: Duration,
    /// When everything is to be told; the last tenth of a sweep is for what has to be told again.
    due: Instant,
}

impl Pace {
    fn new(options: &IpfsOptions, due: Instant) -> Self {
        Self {
            least: Duration::from_secs(1) / options.announced_per_second.max(1),
            due: due - options.announce_every / 10,
        }
    }

    /// Between two of so many that are left. Who plays has the machine for himself but for what the sweep needs.
    fn between(&self, left: usize, playing: bool, now: Instant) -> Duration {
        if !playing {
            return self.least;
        }
        let time = self.due.saturating_duration_since(now);
        (time / u32::try_from(left).unwrap_or(u32::MAX).max(1)).min(SLOWEST).max(self.least)
    }
}

/// One after the other, as the pace has it.
fn paced(roots: Vec<Cid>, pace: &Pace, playing: impl Fn() -> bool) -> impl Stream<Item = Cid> {
    let (mut left, state) = (roots.len(), (roots.into_iter(), None, playing));
    stream::unfold(state, move |(mut roots, last, playing)| {
        let turn = left;
        left = left.saturating_sub(1);
        async move {
            let root = roots.next()?;
            let at = match last {
                None => Instant::now(),
                Some(last) => turn_after(last, pace, turn, &playing).await,
            };
            Some((root, (roots, Some(at), playing)))
        }
    })
}

/// Waits for the turn of the first of so many that are left, and returns when that was.
async fn turn_after(last: Instant, pace: &Pace, left: usize, playing: impl Fn() -> bool) -> Instant {
    loop {
        let now = Instant::now();
        let at = last + pace.between(left, playing(), now);
        if at <= now {
            // Nothing that was waited for is made up for.
            return now;
        }
        tokio::time::sleep_until(at.min(now + LOOK)).await;
    }
}

async fn one(ipfs: &Ipfs, node: &Node, root: Cid) -> (Cid, bool) {
    // Between two steps, some of it may have become private.
    let told = is_public(ipfs, node, &root).await && ipfs.libp2p().announce(&root).await.is_ok();
    (root, told)
}

async fn is_public(ipfs: &Ipfs, node: &Node, root: &Cid) -> bool {
    let held = node.catalog().libraries_of(root).await.unwrap_or_default();
    *root == ipfs.root() || held.iter().any(|(_, visibility)| *visibility == Visibility::Public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid;

    #[test]
    fn while_somebody_plays_roots_follow_each_other_as_slowly_as_the_sweep_allows() {
        let (now, hour) = (Instant::now(), Duration::from_secs(3600));
        let pace = |hours| Pace { least: Duration::from_millis(250), due: now + hour * hours };
        let cases = [
            (22, 10_000, false, 0.25),
            (22, 10_000, true, 7.0),
            (22, 20_000, true, 3.96),
            (1, 10_000, true, 0.36),
            (1, 100_000, true, 0.25),
            (0, 10, true, 0.25),
            (22, 1, true, 7.0),
            (22, 0, true, 7.0),
        ];
        for (hours, left, playing, seconds) in cases {
            let between = pace(hours).between(left, playing, now);
            assert_eq!(between.as_secs_f64(), seconds, "{left} left in {hours} hours, playing: {playing}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_is_through_in_its_time_though_somebody_plays_all_the_time() {
        let (begun, due) = (Instant::now(), Duration::from_secs(3600));
        let pace = Pace { least: Duration::from_millis(250), due: begun + due };
        let roots: Vec<Cid> = (0..2000_u16).map(|n| cid::of_raw(&n.to_le_bytes())).collect();
        let mut paced = std::pin::pin!(paced(roots, &pace, || true));
        let mut halfway = Duration::ZERO;
        let mut count = 0;
        while paced.next().await.is_some() {
            count += 1;
            halfway = if count == 1000 { begun.elapsed() } else { halfway };
        }
        assert!(begun.elapsed() <= due + Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!((1700..1900).contains(&halfway.as_secs()), "{halfway:?}: at one pace");
    }

    #[test]
    fn what_is_new_is_told_before_what_others_know() {
        let roots: Vec<Cid> = (0..6_u8).map(|n| cid::of_raw(&[n])).collect();
        let of = |numbers: &[usize]| numbers.iter().map(|n| roots[*n]).collect::<Vec<_>>();
        let set = |numbers: &[usize]| of(numbers).into_iter().collect::<HashSet<_>>();
        assert_eq!(in_turn(&roots, &set(&[0, 1, 2, 4]), &set(&[2])), of(&[0, 3, 5, 1, 4]));
        assert_eq!(in_turn(&roots, &set(&[0, 1, 2, 3, 4, 5]), &set(&[0, 1, 2, 3, 4, 5])), []);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_follows_who_begins_to_play_and_who_stops() {
        let pace = Pace { least: Duration::from_secs(1), due: Instant::now() + Duration::from_secs(24 * 3600) };
        let roots: Vec<Cid> = (0..6_u8).map(|n| cid::of_raw(&[n])).collect();
        let begun = Instant::now();
        let playing = || (1200..12_000).contains(&begun.elapsed().as_millis());
        let mut paced = std::pin::pin!(paced(roots.clone(), &pace, playing));
        for (root, at) in roots.iter().zip([0, 1, 8, 12, 13, 14]) {
            assert_eq!(paced.next().await.as_ref(), Some(root));
            assert_eq!(begun.elapsed().as_secs(), at, "nothing that was waited for is made up for");
        }
        assert_eq!(paced.next().await, None);
    }

    #[test]
    fn what_was_told_is_told_anew_where_this_node_is_reached_elsewhere() {
        let told = || HashSet::from([cid::of_raw(b"film")]);
        let [first, second] = ["/ip4/203.0.113.7/tcp/4001", "/ip4/203.0.113.8/tcp/4001"].map(|at| vec![at.to_owned()]);
        let mut announced = Announced { told: told(), ..Announced::default() };
        for (now, left) in [(vec![], 1), (first.clone(), 0), (first, 1), (vec![], 1), (second, 0)] {
            announced.reached_at(now.clone());
            assert_eq!(announced.told.len(), left, "{now:?}");
            announced.told = told();
        }
    }
}
