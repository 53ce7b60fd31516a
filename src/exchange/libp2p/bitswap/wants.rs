//! What a peer wants of this node, in the order in which it wants it.
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::message::{Entry, Kind};
use crate::content::Cid;

/// Wants of one peer that are remembered in any case. Beyond what it may have the least urgent is refused.
pub(super) const WANTS_MAX: usize = 1024;
/// Wants that a peer may have while all peers together have no more than [`WANTS_OF_ALL`]: some ask for a whole film at once.
pub(super) const WANTS_MORE: usize = 8 * 1024;
/// About 50 MB of memory.
pub(super) const WANTS_OF_ALL: usize = 128 * 1024;

/// Most urgent first; the older of two that are as urgent.
type Rank = (Reverse<i32>, u64);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Wants {
    ranks: HashMap<Cid, Rank>,
    open: BTreeMap<Rank, Entry>,
    /// What is not here: asked again when something came.
    held: BTreeMap<Rank, Entry>,
    next: u64,
}

impl Wants {
    /// Takes over a message's entries, of which `full` says that they are all, up to `max` in all. What comes back is refused.
    pub fn apply(&mut self, entries: Vec<Entry>, full: bool, max: usize) -> Vec<Entry> {
        if full {
            *self = Self { next: self.next, ..Self::default() };
        }
        entries.into_iter().filter_map(|entry| self.take_over(entry, max)).collect()
    }

    fn take_over(&mut self, entry: Entry, max: usize) -> Option<Entry> {
        let kind = self.remove(&entry.cid).map(|before| before.kind);
        if entry.cancel {
            return None;
        }
        // Who wants the block is not content with hearing of it.
        let kind = if kind == Some(Kind::Block) { Kind::Block } else { entry.kind };
        self.next += 1;
        let rank = (Reverse(entry.priority), self.next);
        self.ranks.insert(entry.cid, rank);
        self.open.insert(rank, Entry { kind, ..entry });
        if self.ranks.len() <= max {
            return None;
        }
        let last = |wants: &BTreeMap<Rank, Entry>| wants.last_key_value().map(|(rank, entry)| (*rank, entry.cid));
        let (_, least) = last(&self.open).max(last(&self.held))?;
        self.remove(&least)
    }

    fn remove(&mut self, cid: &Cid) -> Option<Entry> {
        let rank = self.ranks.remove(cid)?;
        self.open.remove(&rank).or_else(|| self.held.remove(&rank))
    }

    /// The most urgent; it is forgotten.
    pub fn next(&mut self) -> Option<Entry> {
        let (_, entry) = self.open.pop_first()?;
        self.ranks.remove(&entry.cid);
        Some(entry)
    }

    /// Whether anything is open.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Puts back what was taken and is too much for one message.
    pub fn put_back(&mut self, entry: Entry) {
        self.put(entry, false);
    }

    /// It is not here: remembered until it comes or is cancelled.
    pub fn hold(&mut self, entry: Entry) {
        self.put(entry, true);
    }

    fn put(&mut self, entry: Entry, hold: bool) {
        // Said again, or cancelled and said again, meanwhile: that counts.
        if self.ranks.contains_key(&entry.cid) || self.ranks.len() >= WANTS_MORE {
            return;
        }
        // What was there before comes before what comes now.
        let rank = (Reverse(entry.priority), 0);
        let rank = if hold || self.open.contains_key(&rank) { self.fresh(entry.priority) } else { rank };
        self.ranks.insert(entry.cid, rank);
        if hold {
            self.held.insert(rank, entry)
        } else {
            self.open.insert(rank, entry)
        };
    }

    fn fresh(&mut self, priority: i32) -> Rank {
        self.next += 1;
        (Reverse(priority), self.next)
    }

    /// Something came: what was not here may be now.
    pub fn look_again(&mut self) {
        // A peer is told once that something is not here.
        let again = std::mem::take(&mut self.held).into_iter();
        self.open.extend(again.map(|(rank, entry)| (rank, Entry { send_dont_have: false, ..entry })));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ranks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid;

    fn want(text: &str, priority: i32) -> Entry {
        let cid = cid::of_raw(text.as_bytes());
        Entry { cid, priority, kind: Kind::Block, cancel: false, send_dont_have: true }
    }

    fn all(wants: &mut Wants) -> Vec<Cid> {
        std::iter::from_fn(|| wants.next()).map(|entry| entry.cid).collect()
    }

    #[test]
    fn what_is_more_urgent_comes_first_and_then_what_is_older() {
        let mut wants = Wants::default();
        wants.apply(vec![want("a", 1), want("b", 9), want("c", 1)], false, WANTS_MAX);
        let [a, b, c] = ["a", "b", "c"].map(|text| cid::of_raw(text.as_bytes()));
        assert_eq!(all(&mut wants), [b, a, c]);
        assert_eq!(wants.len(), 0);
    }

    #[test]
    fn what_is_cancelled_is_not_sent_and_a_full_list_replaces_all() {
        let mut wants = Wants::default();
        wants.apply(vec![want("a", 1), want("b", 1)], false, WANTS_MAX);
        wants.apply(vec![Entry { cancel: true, ..want("a", 1) }], false, WANTS_MAX);
        assert_eq!(wants.len(), 1);
        wants.apply(vec![want("c", 1)], true, WANTS_MAX);
        assert_eq!(all(&mut wants), [cid::of_raw(b"c")]);
    }

    #[test]
    fn of_too_many_the_least_urgent_are_refused() {
        let mut wants = Wants::default();
        let many: Vec<Entry> = (0..WANTS_MAX + 10).map(|n| want(&n.to_string(), 5)).collect();
        let refused = wants.apply(many, false, WANTS_MAX);
        assert_eq!((wants.len(), refused.len()), (WANTS_MAX, 10));
        assert_eq!(wants.apply(vec![want("urgent", 6)], false, WANTS_MAX).len(), 1);
        assert_eq!(wants.next().unwrap().cid, cid::of_raw(b"urgent"));
    }

    #[test]
    fn what_is_not_here_is_looked_for_again_when_something_came() {
        let mut wants = Wants::default();
        wants.apply(vec![want("a", 1)], false, WANTS_MAX);
        let entry = wants.next().unwrap();
        wants.hold(entry);
        assert!(!wants.is_open());
        wants.look_again();
        let again = wants.next().unwrap();
        assert!(!again.send_dont_have, "that was said before");
        wants.hold(again.clone());
        wants.apply(vec![Entry { cancel: true, ..again }], false, WANTS_MAX);
        assert_eq!(wants.len(), 0);
    }

    #[test]
    fn who_wants_a_block_and_asks_whether_it_is_there_gets_the_block() {
        let mut wants = Wants::default();
        wants.apply(vec![want("a", 1), Entry { kind: Kind::Have, ..want("a", 1) }], false, WANTS_MAX);
        assert_eq!(wants.next().unwrap().kind, Kind::Block);
    }
}
