//! Congestion control between nodes of one house.
//!
//! A controller reckons what may be under way from the bandwidth and the shortest round trip it has seen. On loopback or in a home's own
//! network that round trip is shorter than the time until a thread gets its turn again, so what it allows is acknowledged long before
//! the sender is back: the line idles. Likewise a pacer whose timers tick once a millisecond, and which forgets what it
//! was owed beyond [`BURST_PACKETS`], cannot keep up with a fast line. [`Near`] wraps a controller and, only while the shortest
//! round trip is below [`NEAR`], lets as much be under way as the line carries in [`TURN`], and leaves pacing out where it would
//! be the limit. On every other path it changes nothing.
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noq_proto::RttEstimator;
use noq_proto::congestion::{Controller, ControllerFactory, ControllerMetrics};

/// A shorter round trip is that of a house.
const NEAR: Duration = Duration::from_millis(2);
/// A thread that was put aside has its turn again by then.
const TURN: Duration = Duration::from_millis(4);
/// Packets that noq's pacer lets go at once at most.
const BURST_PACKETS: u64 = 256;
/// How far apart the pacer's bursts may come to lie: what it waits, and one tick of the timer.
const BURST_GAP: Duration = Duration::from_millis(3);
/// Bytes a second that no pacer holds up.
const UNPACED: u64 = 1 << 40;

/// Makes a [`Near`] of what another factory makes.
pub(super) struct NearFactory(pub Arc<dyn ControllerFactory + Send + Sync>);

impl ControllerFactory for NearFactory {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let inner = Arc::clone(&self.0).build(now, mtu);
        Box::new(Near { inner, mtu, shortest: Duration::MAX })
    }
}

/// See the module.
#[derive(Debug)]
struct Near {
    inner: Box<dyn Controller>,
    mtu: u16,
    /// Shortest round trip of the path.
    shortest: Duration,
}

impl Near {
    fn is_near(&self) -> bool {
        self.shortest < NEAR
    }

    /// Bytes that the line carries while a thread waits for its turn.
    fn turn(&self) -> u64 {
        let bits_a_second = self.inner.metrics().bandwidth_estimate.unwrap_or(0);
        bits_a_second / 8 * TURN.as_micros() as u64 / 1_000_000
    }
}

impl Controller for Near {
    fn on_sent(&mut self, now: Instant, bytes: u64, largest_pn: u64) {
        self.inner.on_sent(now, bytes, largest_pn);
    }

    fn on_packet_sent(&mut self, now: Instant, bytes: u16, pn: u64) {
        self.inner.on_packet_sent(now, bytes, pn);
    }

    fn on_cwnd_limited(&mut self) {
        self.inner.on_cwnd_limited();
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, pn: u64, app_limited: bool, rtt: &RttEstimator) {
        self.shortest = rtt.min();
        self.inner.on_ack(now, sent, bytes, pn, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest_acked: Option<u64>) {
        self.inner.on_end_acks(now, in_flight, app_limited, largest_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        is_ecn: bool,
        lost_bytes: u64,
        largest_lost_pn: u64,
    ) {
        self.inner.on_congestion_event(now, sent, is_persistent_congestion, is_ecn, lost_bytes, largest_lost_pn);
    }

    fn on_packet_lost(&mut self, lost_bytes: u16, pn: u64, now: Instant) {
        self.inner.on_packet_lost(lost_bytes, pn, now);
    }

    fn on_spurious_congestion_event(&mut self) {
        self.inner.on_spurious_congestion_event();
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu;
        self.inner.on_mtu_update(new_mtu);
    }

    fn on_ack_frequency_update(&mut self, threshold: u64, requested_max_ack_delay: Duration) {
        self.inner.on_ack_frequency_update(threshold, requested_max_ack_delay);
    }

    fn window(&self) -> u64 {
        let window = self.inner.window();
        if self.is_near() { window.max(self.turn()) } else { window }
    }

    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = self.inner.metrics();
        metrics.congestion_window = self.window();
        let paced_at_most = BURST_PACKETS * u64::from(self.mtu) * 1_000_000 / BURST_GAP.as_micros() as u64;
        metrics.pacing_rate =
            metrics.pacing_rate.map(|rate| if self.is_near() && rate > paced_at_most { UNPACED } else { rate });
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self { inner: self.inner.clone_box(), ..*self })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Always says the same.
    #[derive(Debug, Clone)]
    struct Steady {
        window: u64,
        bytes_a_second: u64,
    }

    impl Controller for Steady {
        fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: bool, _: u64, _: u64) {}

        fn on_mtu_update(&mut self, _: u16) {}

        fn window(&self) -> u64 {
            self.window
        }

        fn metrics(&self) -> ControllerMetrics {
            let mut metrics = ControllerMetrics::default();
            metrics.congestion_window = self.window;
            metrics.pacing_rate = Some(self.bytes_a_second);
            metrics.bandwidth_estimate = Some(self.bytes_a_second * 8);
            metrics
        }

        fn clone_box(&self) -> Box<dyn Controller> {
            Box::new(self.clone())
        }

        fn initial_window(&self) -> u64 {
            self.window
        }

        fn into_any(self: Box<Self>) -> Box<dyn Any> {
            self
        }
    }

    fn over(shortest: Duration, window: u64, bytes_a_second: u64) -> Near {
        Near { inner: Box::new(Steady { window, bytes_a_second }), mtu: 1452, shortest }
    }

    #[test]
    fn inside_a_house_what_the_line_carries_in_a_turn_may_be_under_way_and_a_fast_line_is_not_paced() {
        let near = over(Duration::from_micros(80), 20_000, 500_000_000);
        assert_eq!(near.window(), 2_000_000, "4 ms of 500 MB/s");
        assert_eq!(near.metrics().congestion_window, 2_000_000);
        assert_eq!(near.metrics().pacing_rate, Some(UNPACED));
        let slow = over(Duration::from_micros(80), 20_000, 1_000_000);
        assert_eq!((slow.window(), slow.metrics().pacing_rate), (20_000, Some(1_000_000)), "a slow line is paced");
    }

    #[test]
    fn on_a_longer_path_and_before_a_round_trip_is_known_nothing_is_changed() {
        for shortest in [NEAR, Duration::from_millis(50), Duration::MAX] {
            let far = over(shortest, 20_000, 500_000_000);
            assert_eq!((far.window(), far.metrics().pacing_rate), (20_000, Some(500_000_000)), "{shortest:?}");
            assert_eq!(far.clone_box().window(), 20_000);
        }
    }
}
