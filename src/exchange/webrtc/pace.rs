//! How fast and how much: a window and a pace that follow the path, and a clock for the stack that suits it.
//!
//! Chromium reads a WebRTC socket through a buffer of about 57 packets and loses what overruns it. On a short path a
//! small window alone prevents that; on a long one the window must be larger, so datagrams leave in small bursts.
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A round trip from which on the path counts as long.
const LONG: Duration = Duration::from_millis(5);
/// Unacknowledged bytes on a short path: two such bursts still fit into Chromium's buffer.
const WINDOW_SHORT: usize = 64 * 1024;
/// Unacknowledged bytes on a long path, for each of a page's (up to eight) connections.
pub const WINDOW_LONG: usize = 128 * 1024;
/// Datagrams that leave at once, bytes.
const BURST: f64 = 12.0 * 1024.0;
/// A window leaves in this part of a round trip, so that what is lost can be sent again within it.
const WINDOW_SHARE: f64 = 0.8;

/// What may be unacknowledged on a path with this round trip, bytes.
pub fn window(round_trip: Option<Duration>) -> usize {
    match round_trip {
        Some(long) if long >= LONG => WINDOW_LONG,
        _ => WINDOW_SHORT,
    }
}

/// Maps time to the stack's time, which runs faster by a constant.
///
/// The stack's SCTP waits a second at least before it sends a lost tail again (RFC 9260, 6.3.1). That was meant for
/// peers that delay acknowledgements by half a second; browsers delay by at most 200 ms (dcSCTP), and mostly by none.
/// A clock that runs fourfold makes it a quarter of a second, as TCP does, without touching the stack.
#[derive(Debug, Clone, Copy)]
pub struct StackClock {
    start: Instant,
}

impl StackClock {
    /// How much faster it runs.
    pub const SPEED: u32 = 4;

    pub fn new(start: Instant) -> Self {
        Self { start }
    }

    /// The stack's time at `now`.
    pub fn at(self, now: Instant) -> Instant {
        self.start + now.saturating_duration_since(self.start) * Self::SPEED
    }

    /// When the stack's time is `then`; rounded up, so that its timers are due when they ring.
    pub fn when(self, then: Instant) -> Instant {
        let real = then.saturating_duration_since(self.start) / Self::SPEED;
        self.start + real + Duration::from_micros(1)
    }
}

/// A datagram that waits for its turn.
struct Waiting {
    source: SocketAddr,
    destination: SocketAddr,
    bytes: Vec<u8>,
}

/// Lets datagrams leave in small bursts at a steady rate; a token bucket.
pub struct Pace {
    queue: VecDeque<Waiting>,
    /// Bytes a second; none for no limit.
    rate: Option<f64>,
    tokens: f64,
    at: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { queue: VecDeque::new(), rate: None, tokens: BURST, at: now }
    }

    /// Follows the path's round trip.
    pub fn follow(&mut self, round_trip: Duration) {
        let long = round_trip >= LONG;
        self.rate = long.then(|| window(Some(round_trip)) as f64 / (round_trip.as_secs_f64() * WINDOW_SHARE));
    }

    /// From now on nothing waits: for the last words.
    pub fn lift(&mut self) {
        self.rate = None;
    }

    /// Queues a datagram.
    pub fn push(&mut self, source: SocketAddr, destination: SocketAddr, bytes: Vec<u8>) {
        self.queue.push_back(Waiting { source, destination, bytes });
    }

    /// Hands out what may leave now, in order.
    pub fn release(&mut self, now: Instant, mut send: impl FnMut(SocketAddr, SocketAddr, &[u8])) {
        if let Some(rate) = self.rate {
            let passed = now.saturating_duration_since(self.at).as_secs_f64();
            self.tokens = (self.tokens + rate * passed).min(BURST);
        }
        self.at = now;
        while let Some(next) = self.queue.front() {
            if self.rate.is_some() && self.tokens <= 0.0 {
                return;
            }
            self.tokens -= next.bytes.len() as f64;
            send(next.source, next.destination, &next.bytes);
            self.queue.pop_front();
        }
    }

    /// When the next burst may leave; none if nothing waits. Waits for a whole burst: timers are coarse.
    pub fn wakes(&self) -> Option<Instant> {
        let rate = self.rate.filter(|_| !self.queue.is_empty())?;
        let missing = (BURST / 2.0 - self.tokens).max(0.0);
        Some(self.at + Duration::from_secs_f64(missing / rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(round_trip_ms: u64, now: Instant) -> Pace {
        let mut pace = Pace::new(now);
        pace.follow(Duration::from_millis(round_trip_ms));
        for n in 0..100 {
            let address = SocketAddr::from(([192, 0, 2, 1], n));
            pace.push(address, address, vec![0; 1200]);
        }
        pace
    }

    fn released(pace: &mut Pace, now: Instant) -> Vec<u16> {
        let mut ports = Vec::new();
        pace.release(now, |_, to, _| ports.push(to.port()));
        ports
    }

    #[test]
    fn a_short_path_waits_for_nothing() {
        let now = Instant::now();
        let mut pace = pace(1, now);
        assert_eq!(released(&mut pace, now), (0..100).collect::<Vec<_>>());
        assert_eq!(pace.wakes(), None);
    }

    #[test]
    fn a_long_path_gets_small_bursts_in_order_and_a_window_in_most_of_a_round_trip() {
        let start = Instant::now();
        let (mut pace, mut now, mut sent) = (pace(50, start), start, Vec::new());
        while let Some(at) = {
            sent.extend(released(&mut pace, now));
            pace.wakes()
        } {
            assert!(at > now);
            now = at;
            let before = sent.len();
            sent.extend(released(&mut pace, now));
            assert!(sent.len() - before <= 11, "{}", sent.len() - before);
        }
        assert_eq!(sent, (0..100).collect::<Vec<_>>());
        let took = (now - start).as_secs_f64();
        let expected = (100.0 * 1200.0 - BURST) / (WINDOW_LONG as f64 / 0.04);
        assert!((took - expected).abs() < 0.005, "{took} {expected}");
    }

    #[test]
    fn the_stacks_clock_runs_fourfold_and_its_timers_are_due_when_they_ring() {
        let start = Instant::now();
        let clock = StackClock::new(start);
        let now = start + Duration::from_millis(250);
        assert_eq!(clock.at(now), start + Duration::from_secs(1));
        let timer = start + Duration::from_nanos(1_234_567_891);
        assert!(clock.at(clock.when(timer)) >= timer);
        assert_eq!(clock.at(start - Duration::from_secs(1)), start);
    }
}
