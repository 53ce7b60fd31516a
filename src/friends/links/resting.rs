//! Which links rest: of very many, those that were used least recently.
//!
//! A link weighs about 130 kB as long as it is open. Up to a number of them nothing is done; above it and a quarter more, so that links do not
//! come and go one by one, links without use are put to rest down to the number. Those that this side made come first: a friend that had
//! to dial this node may be one that cannot be dialed. One that could not be woken and came by itself is left alone for a day.
//!
//! What this node does by itself makes a link only where there is room, a few at a time: a start, or news for everybody, would have
//! all awake at once otherwise, and memory that was used once does not become free again. What somebody waits for does so at once.
use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::{Links, peer};
use crate::accounts::Friend;
use crate::exchange::iroh::Idle;

/// Friends that are woken at a time without anybody waiting.
pub(super) const WOKEN_AT_ONCE: usize = 16;
/// Friends that are dialed so at a time who may be away: that takes long.
pub(super) const SOUGHT_AT_ONCE: usize = 32;
/// Room is waited for so long at most: where all links are used all the time there will be none.
const ROOM: Duration = Duration::from_secs(10);
/// A friend that could not be woken keeps its link for this long.
const DOUBT: Duration = Duration::from_secs(24 * 3600);

/// How many links may be awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    /// So many are left awake, ...
    low: usize,
    /// ... when more than so many were.
    high: usize,
}

impl Marks {
    /// None where there is no limit.
    fn new(most: usize) -> Option<Self> {
        (most > 0).then(|| Self { low: most, high: most.saturating_add(most / 4) })
    }
}

/// Who is put to rest now, and when to look again where those are too few.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choice {
    rest: Vec<String>,
    again: Option<Instant>,
}

fn choose(marks: Marks, awake: usize, idle: Vec<Idle>, unused: Duration, now: Instant) -> Choice {
    if awake <= marks.high {
        return Choice::default();
    }
    let surplus = awake - marks.low;
    let mut ripe: Vec<Idle> =
        idle.into_iter().filter(|idle| may_rest(idle, now) && idle.since + unused <= now).collect();
    ripe.sort_unstable_by_key(|idle| (!idle.dialed, idle.since));
    ripe.truncate(surplus);
    let again = (ripe.len() < surplus).then(|| now + unused);
    Choice { rest: ripe.into_iter().map(|idle| idle.node).collect(), again }
}

fn may_rest(idle: &Idle, now: Instant) -> bool {
    idle.missed.is_none_or(|at| now.saturating_duration_since(at) > DOUBT)
}

/// Puts links to rest where too many are awake. Returns when to look again, if not before.
pub(super) fn let_rest(links: &Links) -> Option<Instant> {
    let (iroh, options) = (&links.inner.iroh, &links.inner.options);
    let (marks, awake) = (Marks::new(options.awake_max)?, iroh.awake());
    if awake <= marks.high {
        return None;
    }
    let choice = choose(marks, awake, iroh.idle(), options.unused, Instant::now());
    let rested = choice.rest.iter().filter(|node| iroh.rest(node, options.unused)).count();
    tracing::debug!(links.awake = awake, links.rested = rested, "friends' links were put to rest");
    choice.again
}

/// How many friends more may be linked now without anybody waiting. Links that never rest take no room.
pub(super) fn room(links: &Links) -> usize {
    let Some(marks) = Marks::new(links.inner.options.awake_max) else { return usize::MAX };
    let room = (marks.high + 1).saturating_sub(links.inner.iroh.awake());
    if room > 0 {
        return room;
    }
    let now = Instant::now();
    let lasting = links.inner.iroh.idle().iter().filter(|idle| !may_rest(idle, now)).count();
    (marks.high + 1 + lasting).saturating_sub(links.inner.iroh.awake())
}

/// Forgets that the links rest of those who are no friends any more.
pub(super) fn forget_others(links: &Links, friends: &HashSet<&str>) {
    links.inner.iroh.forget_resting(|node| friends.contains(node));
}

impl Links {
    /// Makes the link to a friend's node where none is open, for something that nobody waits for. Comes back also where that fails.
    pub(super) async fn wake(&self, friend: &Friend) {
        let iroh = &self.inner.iroh;
        if iroh.rests(&friend.endpoint) {
            tokio::select! {
                () = self.dial_in_turn(friend, &self.inner.waking) => {}
                () = iroh.woken(&friend.endpoint) => {}
            }
        } else {
            tokio::select! {
                () = self.linked(friend) => {}
                () = self.dial_in_turn(friend, &self.inner.seeking) => {}
            }
        }
    }

    async fn dial_in_turn(&self, friend: &Friend, turns: &Semaphore) {
        let Ok(_turn) = turns.acquire().await else { return };
        // Without room it goes on all the same.
        let _ = tokio::time::timeout(ROOM, self.has_room()).await;
        if let Err(error) = self.inner.iroh.reach(&peer(friend)).await {
            tracing::debug!(friend.id = %friend.id, error = %error, "a friend's node is not there");
        }
    }

    async fn has_room(&self) {
        let mut changed = self.inner.iroh.changed();
        while room(self) == 0 && changed.changed().await.is_ok() {}
    }

    async fn linked(&self, friend: &Friend) {
        let mut came = self.inner.iroh.came_or_went();
        while self.inner.iroh.link(&friend.endpoint).is_none() && came.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNUSED: Duration = Duration::from_secs(3);

    /// A link that was used so many seconds before `now`.
    fn idle(node: &str, now: Instant, seconds: u64) -> Idle {
        Idle { node: node.to_owned(), since: now - Duration::from_secs(seconds), dialed: true, missed: None }
    }

    fn later() -> Instant {
        Instant::now() + 2 * DOUBT
    }

    #[test]
    fn nobody_rests_until_a_quarter_more_are_awake_than_shall_be() {
        let (marks, now) = (Marks::new(8).unwrap(), later());
        let all = || (0..10).map(|n| idle(&n.to_string(), now, 100 - n)).collect::<Vec<_>>();
        assert_eq!(choose(marks, 10, all(), UNUSED, now), Choice::default());
        assert_eq!(
            choose(marks, 11, all(), UNUSED, now),
            Choice { rest: ["0", "1", "2"].map(str::to_owned).to_vec(), again: None }
        );
        assert_eq!(Marks::new(0), None, "without a limit, nobody rests");
        assert_eq!(Marks::new(1), Some(Marks { low: 1, high: 1 }));
    }

    #[test]
    fn links_that_were_just_used_stay_and_are_looked_at_again() {
        let (marks, now) = (Marks::new(1).unwrap(), later());
        let choice = choose(marks, 3, vec![idle("old", now, 4), idle("new", now, 2)], UNUSED, now);
        assert_eq!(choice, Choice { rest: vec!["old".to_owned()], again: Some(now + UNUSED) });
    }

    #[test]
    fn friends_that_this_node_dialed_rest_first_and_those_that_could_not_be_woken_do_not() {
        let (marks, now) = (Marks::new(1).unwrap(), later());
        let dialed_us = Idle { dialed: false, ..idle("dialed us", now, 100) };
        let missed = Idle { missed: Some(now - Duration::from_secs(60)), ..idle("missed", now, 200) };
        let forgiven = Idle { missed: Some(now - 2 * DOUBT), ..idle("forgiven", now, 20) };
        let all = vec![dialed_us, missed, forgiven, idle("usual", now, 10)];
        let rest = |awake| choose(marks, awake, all.clone(), UNUSED, now).rest;
        assert_eq!(rest(2), ["forgiven"]);
        assert_eq!(rest(4), ["forgiven", "usual", "dialed us"]);
        assert_eq!(rest(9).len(), 3);
    }
}
