//! How many requests one caller makes: so many a second, and some at once. For friends' nodes, with the browsers that they send, and for
//! whoever comes by a link, without an account.
//!
//! What is over that is refused before anything is looked up for it. Who goes on regardless gets no answer but refusals for a while.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Seconds' worth of requests that may come at once; and as many refusals that are borne before it is a flood.
const AT_ONCE: f64 = 4.0;
/// Whoever floods is refused for this long.
const BARRED: Duration = Duration::from_secs(60);
/// Callers that are remembered, before those are forgotten who could ask as much as if they were new.
const KNOWN_MAX: usize = 4096;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is answered.
    Granted,
    /// It is refused; there may be room after this.
    Refused(Duration),
    /// It is refused, and it is one too many.
    Flood,
}

/// The buckets of all callers: a cheap handle.
#[derive(Clone)]
pub(super) struct Floods {
    /// Requests a second; 0 without a limit.
    rate: u32,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Requests that may come now.
    left: f64,
    at: Instant,
    /// Requests that came too many, since it was full last.
    refused: f64,
    barred: Option<Instant>,
}

impl Floods {
    pub fn new(rate: u32) -> Self {
        Self { rate, buckets: Arc::default() }
    }

    /// Counts a request of a caller, by a name for it.
    pub fn admit(&self, caller: &str) -> Admission {
        if self.rate == 0 {
            return Admission::Granted;
        }
        let (rate, now) = (f64::from(self.rate), Instant::now());
        let full = Bucket { left: rate * AT_ONCE, at: now, refused: 0.0, barred: None };
        let mut buckets = self.buckets.lock();
        if buckets.len() >= KNOWN_MAX && !buckets.contains_key(caller) {
            buckets.retain(|_, bucket| !bucket.is_as_new(rate, now));
        }
        buckets.entry(caller.to_owned()).or_insert(full).take(rate, now)
    }
}

impl Bucket {
    fn is_as_new(&self, rate: f64, now: Instant) -> bool {
        let full = self.left + rate * (now - self.at).as_secs_f64() >= rate * AT_ONCE;
        full && self.barred.is_none_or(|until| until <= now)
    }

    fn take(&mut self, rate: f64, now: Instant) -> Admission {
        if let Some(until) = self.barred.filter(|until| *until > now) {
            return Admission::Refused(until - now);
        }
        let full = rate * AT_ONCE;
        self.left = (self.left + rate * (now - self.at).as_secs_f64()).min(full);
        (self.at, self.barred) = (now, None);
        if self.left >= full {
            self.refused = 0.0;
        }
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Admission::Granted;
        }
        self.refused += 1.0;
        if self.refused <= full {
            return Admission::Refused(Duration::from_secs(1));
        }
        (self.refused, self.barred) = (0.0, Some(now + BARRED));
        Admission::Flood
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(floods: &Floods, friend: &str, requests: u32) -> u32 {
        (0..requests).map(|_| u32::from(floods.admit(friend) == Admission::Granted)).sum()
    }

    #[tokio::test(start_paused = true)]
    async fn a_friend_may_ask_much_at_once_and_then_so_much_a_second() {
        let floods = Floods::new(10);
        assert_eq!(granted(&floods, "bob", 60), 40);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(granted(&floods, "bob", 30), 20);
        assert_eq!(granted(&floods, "carl", 1), 1, "another one is not refused for it");
        assert_eq!(granted(&Floods::new(0), "bob", 1000), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_who_may_ask_as_if_new_are_forgotten() {
        let floods = Floods::new(10);
        granted(&floods, "first", 40);
        (0..KNOWN_MAX).for_each(|n| assert_eq!(floods.admit(&n.to_string()), Admission::Granted));
        assert!(floods.buckets.lock().len() > KNOWN_MAX, "nobody is forgotten too early");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(granted(&floods, "new", 50), 40);
        assert_eq!(floods.buckets.lock().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_on_regardless_is_refused_for_a_while() {
        let floods = Floods::new(10);
        let all: Vec<_> = (0..200).map(|_| floods.admit("bob")).collect();
        assert_eq!(all.iter().filter(|one| **one == Admission::Flood).count(), 1);
        assert_eq!(all[80], Admission::Flood);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(matches!(floods.admit("bob"), Admission::Refused(_)));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(granted(&floods, "bob", 10), 10);
    }
}
