//! What is under way on a link, and since when nothing is.
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

/// How a link is used.
#[derive(Debug)]
pub(super) struct Usage {
    /// Exchanges under way, of either side.
    pub open: usize,
    /// When one began or ended last.
    pub last: Instant,
    /// It was put to rest: nothing begins on it any more.
    pub over: bool,
}

impl Default for Usage {
    fn default() -> Self {
        Self { open: 0, last: Instant::now(), over: false }
    }
}

/// One exchange that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct InUse(Arc<Mutex<Usage>>);

impl InUse {
    /// Nothing where the link was put to rest.
    pub fn begin(usage: &Arc<Mutex<Usage>>) -> Option<Self> {
        let mut now = usage.lock();
        if now.over {
            return None;
        }
        (now.open, now.last) = (now.open + 1, Instant::now());
        Some(Self(Arc::clone(usage)))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut usage = self.0.lock();
        (usage.open, usage.last) = (usage.open.saturating_sub(1), Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_counted_until_they_end_and_none_begins_on_a_link_that_rests() {
        let usage = Arc::new(Mutex::new(Usage::default()));
        let (one, two) = (InUse::begin(&usage), InUse::begin(&usage));
        assert_eq!(usage.lock().open, 2);
        drop(one);
        assert_eq!(usage.lock().open, 1);
        drop(two);
        usage.lock().over = true;
        assert!(InUse::begin(&usage).is_none());
        assert_eq!(usage.lock().open, 0);
    }
}
