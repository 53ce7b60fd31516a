//! What is in the store, in memory: which block was used when, which are held by pins, and which go when it is full.
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A multihash: blocks of one hash are one, whatever codec their CIDs say.
pub(super) type Key = Arc<[u8]>;

#[derive(Debug)]
struct Entry {
    size: u64,
    /// When it was used last: larger is later.
    used: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shelf {
    entries: HashMap<Key, Entry>,
    /// Those that no pin holds, longest unused first.
    loose: BTreeMap<u64, Key>,
    /// How many pins hold a block, also one that is not here (any more).
    held: HashMap<Key, u32>,
    clock: u64,
    loose_bytes: u64,
    held_bytes: u64,
    quota_bytes: u64,
    blocks_max: usize,
}

impl Shelf {
    /// For at most so many bytes and blocks that no pin holds.
    pub fn new(quota_bytes: u64, blocks_max: usize) -> Self {
        let (entries, loose, held) = Default::default();
        let (clock, loose_bytes, held_bytes) = Default::default();
        Self { entries, loose, held, clock, loose_bytes, held_bytes, quota_bytes, blocks_max }
    }

    /// Puts a block there, and says which have to go for it.
    pub fn insert(&mut self, key: Key, size: u64) -> Vec<Key> {
        self.remove(&key);
        self.clock += 1;
        match self.held.contains_key(&key) {
            true => self.held_bytes += size,
            false => {
                self.loose_bytes += size;
                self.loose.insert(self.clock, Arc::clone(&key));
            }
        }
        self.entries.insert(key, Entry { size, used: self.clock });
        self.shrink()
    }

    /// Takes a block away; its pins stay, for when it comes back.
    pub fn remove(&mut self, key: &[u8]) {
        let Some(entry) = self.entries.remove(key) else { return };
        match self.loose.remove(&entry.used) {
            Some(_) => self.loose_bytes -= entry.size,
            None => self.held_bytes -= entry.size,
        }
    }

    /// Bytes of a block that is there.
    pub fn size(&self, key: &[u8]) -> Option<u64> {
        self.entries.get(key).map(|entry| entry.size)
    }

    /// Whether a pin holds it.
    pub fn is_held(&self, key: &[u8]) -> bool {
        self.held.contains_key(key)
    }

    /// Somebody used it.
    pub fn touch(&mut self, key: &[u8]) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(key) = self.loose.remove(&entry.used) {
            self.clock += 1;
            entry.used = self.clock;
            self.loose.insert(self.clock, key);
        }
    }

    /// One more pin holds it.
    pub fn hold(&mut self, key: Key) {
        if let Some(entry) = self.entries.get(&key)
            && self.loose.remove(&entry.used).is_some()
        {
            self.loose_bytes -= entry.size;
            self.held_bytes += entry.size;
        }
        *self.held.entry(key).or_default() += 1;
    }

    /// One pin less holds it; the last one makes it the block that was used last. Says which have to go then.
    pub fn release(&mut self, key: &Key) -> Vec<Key> {
        let Some(count) = self.held.get_mut(key) else { return Vec::new() };
        *count -= 1;
        if *count > 0 {
            return Vec::new();
        }
        self.held.remove(key);
        if let Some(entry) = self.entries.get_mut(key) {
            self.clock += 1;
            entry.used = self.clock;
            self.held_bytes -= entry.size;
            self.loose_bytes += entry.size;
            self.loose.insert(self.clock, Arc::clone(key));
        }
        self.shrink()
    }

    /// Blocks, bytes that may go, bytes that pins hold.
    pub fn totals(&self) -> (usize, u64, u64) {
        (self.entries.len(), self.loose_bytes, self.held_bytes)
    }

    fn shrink(&mut self) -> Vec<Key> {
        let mut gone = Vec::new();
        while self.loose_bytes > self.quota_bytes || self.loose.len() > self.blocks_max {
            let Some((_, key)) = self.loose.pop_first() else { break };
            if let Some(entry) = self.entries.remove(&key) {
                self.loose_bytes -= entry.size;
            }
            gone.push(key);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(name: u8) -> Key {
        Arc::from([name])
    }

    #[test]
    fn what_nobody_used_for_longest_goes_first() {
        let mut shelf = Shelf::new(30, 100);
        for name in 1..=3 {
            assert!(shelf.insert(key(name), 10).is_empty());
        }
        shelf.touch(&key(1));
        assert_eq!(shelf.insert(key(4), 10), [key(2)]);
        assert_eq!(shelf.insert(key(5), 25), [key(3), key(1), key(4)]);
        assert_eq!(shelf.totals(), (1, 25, 0));
    }

    #[test]
    fn pinned_blocks_stay_and_do_not_count() {
        let mut shelf = Shelf::new(10, 100);
        shelf.hold(key(1));
        shelf.insert(key(1), 50);
        shelf.insert(key(2), 10);
        shelf.hold(key(2));
        shelf.hold(key(2));
        assert_eq!(shelf.totals(), (2, 0, 60));
        assert!(shelf.insert(key(3), 10).is_empty());
        assert!(shelf.release(&key(2)).is_empty(), "another pin holds it");
        assert_eq!(shelf.release(&key(2)), [key(3)]);
        assert_eq!(shelf.release(&key(1)), [key(2), key(1)], "more than fits at all");
        assert_eq!(shelf.totals(), (0, 0, 0));
    }

    #[test]
    fn a_block_that_is_too_large_for_the_quota_goes_at_once_and_so_does_one_too_many() {
        let mut shelf = Shelf::new(10, 2);
        assert_eq!(shelf.insert(key(1), 11), [key(1)]);
        shelf.insert(key(1), 1);
        shelf.insert(key(2), 1);
        assert_eq!(shelf.insert(key(3), 1), [key(1)]);
    }

    proptest! {
        #[test]
        fn the_sums_are_those_of_what_is_there(steps in prop::collection::vec((0u8..5, 0u8..6, 0u64..20), 0..60)) {
            let mut shelf = Shelf::new(40, 4);
            for (what, name, size) in steps {
                match what {
                    0 => drop(shelf.insert(key(name), size)),
                    1 => shelf.remove(&key(name)),
                    2 => shelf.touch(&key(name)),
                    3 => shelf.hold(key(name)),
                    _ => drop(shelf.release(&key(name))),
                }
                let of = |held: bool| -> u64 {
                    let those = shelf.entries.iter().filter(|(key, _)| shelf.held.contains_key(*key) == held);
                    those.map(|(_, entry)| entry.size).sum()
                };
                prop_assert_eq!((of(false), of(true)), (shelf.loose_bytes, shelf.held_bytes));
                prop_assert!(shelf.loose_bytes <= 40 && shelf.loose.len() <= 4);
                let loose = shelf.entries.keys().filter(|key| !shelf.held.contains_key(*key)).count();
                prop_assert_eq!(loose, shelf.loose.len());
            }
        }
    }
}
