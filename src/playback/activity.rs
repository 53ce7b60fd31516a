//! Whether somebody plays something now: what can wait does then.
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A player that has enough asks for nothing; most ask again within this.
const PAUSE: Duration = Duration::from_secs(30);

/// When something was last asked for.
#[derive(Default)]
pub(super) struct Activity(Mutex<Option<Instant>>);

impl Activity {
    pub fn mark(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    pub fn is_recent(&self) -> bool {
        self.is_recent_at(Instant::now())
    }

    fn is_recent_at(&self, now: Instant) -> bool {
        self.0.lock().is_some_and(|last| now.saturating_duration_since(last) < PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_plays_until_nothing_was_asked_for_a_while() {
        let activity = Activity::default();
        assert!(!activity.is_recent(), "nothing was asked for yet");
        activity.mark();
        let now = Instant::now();
        assert!(activity.is_recent_at(now + PAUSE / 2));
        assert!(!activity.is_recent_at(now + PAUSE));
        activity.mark();
        assert!(activity.is_recent());
    }
}
