//! A memory of finished segments and pages, bounded by bytes: what several viewers or a seek back ask again is made once.
//!
//! The invariant: one object is never made twice at the same time; who asks meanwhile waits for the first.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::{PlaybackError, Segment};
use crate::content::Cid;

/// A piece of a rendition, or a page of a book by its recipe.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub file: Cid,
    pub rendition: String,
    pub piece: Piece,
}

/// See [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    Init,
    Number(u64),
    /// All there is of it.
    Whole,
}

#[derive(Default)]
struct Entry {
    made: Arc<OnceCell<Segment>>,
    bytes: u64,
    used: u64,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    bytes: u64,
    clock: u64,
}

/// See the module.
pub(super) struct Segments {
    limit: u64,
    kept: Mutex<Kept>,
}

impl Segments {
    pub fn new(limit: u64) -> Self {
        Self { limit, kept: Mutex::default() }
    }

    /// The kept object, if it is kept.
    pub fn get(&self, key: &Key) -> Option<Segment> {
        let mut kept = self.kept.lock();
        kept.clock += 1;
        let clock = kept.clock;
        let entry = kept.entries.get_mut(key)?;
        entry.used = clock;
        entry.made.get().cloned()
    }

    /// Whether an object is kept.
    pub fn has(&self, key: &Key) -> bool {
        self.kept.lock().entries.get(key).is_some_and(|entry| entry.made.get().is_some())
    }

    /// Keeps an object that was made elsewhere.
    pub fn put(&self, key: Key, segment: Segment) {
        let mut kept = self.kept.lock();
        let bytes = segment.bytes.len() as u64;
        let cell = kept.cell(&key);
        if cell.set(segment).is_ok() {
            kept.settle(&key, &cell, bytes, self.limit);
        }
    }

    /// The kept object, or what `make` makes.
    pub async fn get_or_make<F>(&self, key: Key, make: F) -> Result<Segment, PlaybackError>
    where
        F: Future<Output = Result<Segment, PlaybackError>>,
    {
        let cell = self.kept.lock().cell(&key);
        let made = cell.get_or_try_init(|| make).await;
        let mut kept = self.kept.lock();
        match made {
            Ok(segment) => {
                kept.settle(&key, &cell, segment.bytes.len() as u64, self.limit);
                Ok(segment.clone())
            }
            Err(error) => {
                kept.drop_unmade(&key);
                Err(error)
            }
        }
    }
}

impl Kept {
    fn cell(&mut self, key: &Key) -> Arc<OnceCell<Segment>> {
        self.clock += 1;
        let entry = self.entries.entry(key.clone()).or_default();
        entry.used = self.clock;
        Arc::clone(&entry.made)
    }

    /// Counts a new object and lets the longest unused ones go.
    fn settle(&mut self, key: &Key, cell: &Arc<OnceCell<Segment>>, bytes: u64, limit: u64) {
        if let Some(entry) = self.entries.get_mut(key)
            && entry.bytes == 0
            && Arc::ptr_eq(&entry.made, cell)
        {
            entry.bytes = bytes;
            self.bytes += bytes;
        }
        while self.bytes > limit {
            let made = self.entries.iter().filter(|(_, e)| e.bytes > 0);
            let Some(oldest) = made.min_by_key(|(_, e)| e.used).map(|(key, _)| key.clone()) else { return };
            if let Some(gone) = self.entries.remove(&oldest) {
                self.bytes -= gone.bytes;
            }
        }
    }

    fn drop_unmade(&mut self, key: &Key) {
        if self.entries.get(key).is_some_and(|e| e.made.get().is_none() && Arc::strong_count(&e.made) <= 2) {
            self.entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::content::cid::of_raw;
    use crate::content::unixfs::{Layout, Profile};

    fn key(n: u64) -> Key {
        Key { file: of_raw(b"film"), rendition: "v0".to_owned(), piece: Piece::Number(n) }
    }

    fn segment(size: usize) -> Segment {
        let bytes = Bytes::from(vec![7; size]);
        Segment { layout: Layout::of(&bytes, Profile::V1_2025), bytes, encoder: "copy".to_owned() }
    }

    #[tokio::test]
    async fn the_longest_unused_go_first() {
        let segments = Segments::new(250);
        for n in [0, 1, 0, 2] {
            segments.get_or_make(key(n), async { Ok(segment(100)) }).await.unwrap();
        }
        let kept = segments.kept.lock();
        assert!(kept.entries.contains_key(&key(0)) && kept.entries.contains_key(&key(2)));
        assert_eq!((kept.entries.len(), kept.bytes), (2, 200));
    }

    #[tokio::test]
    async fn what_two_ask_for_at_once_is_made_once() {
        let segments = Segments::new(1000);
        let (start, go) = tokio::sync::oneshot::channel::<()>();
        let first = segments.get_or_make(key(0), async {
            go.await.unwrap();
            Ok(segment(10))
        });
        let second = segments.get_or_make(key(0), async { panic!("made twice") });
        let release = async { start.send(()).unwrap() };
        let (first, second, ()) = tokio::join!(first, second, release);
        assert_eq!(first.unwrap().bytes, second.unwrap().bytes);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let segments = Segments::new(1000);
        assert!(segments.get_or_make(key(0), async { Err(PlaybackError::NotFound) }).await.is_err());
        assert!(segments.kept.lock().entries.is_empty());
        assert!(segments.get_or_make(key(0), async { Ok(segment(10)) }).await.is_ok());
    }
}
