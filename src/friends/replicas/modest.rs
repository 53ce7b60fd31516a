//! Asks friends for blocks that nobody waits for: after everybody who does, no faster than is allowed, and with no more under
//! way than a line carries in a moment, so that whoever else uses it does not stand in a queue behind them.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::blocks::Supplier;
use crate::content::Cid;
use crate::friends::{Friends, Holders};

/// A block that comes sooner leaves room for one more under way, ...
const SOON: Duration = Duration::from_millis(300);
/// ... one that comes later, for one less.
const LATE: Duration = Duration::from_secs(1);
/// Under way at first.
const FIRST: usize = 4;

/// See the module.
#[derive(Clone)]
pub(super) struct Modest(Arc<Inner>);

struct Inner {
    friends: Friends,
    holders: Holders,
    /// Bytes a second.
    rate: Option<u64>,
    flights: usize,
    line: Mutex<Line>,
    landed: Notify,
}

/// What is under way.
struct Line {
    busy: usize,
    /// Blocks that may be.
    room: usize,
    /// When the next may leave.
    next: Instant,
}

impl Modest {
    pub fn new(friends: Friends, holders: Holders, rate: Option<u64>, flights: usize) -> Self {
        let line = Line { busy: 0, room: FIRST.min(flights), next: Instant::now() };
        Self(Arc::new(Inner { friends, holders, rate, flights, line: Mutex::new(line), landed: Notify::new() }))
    }

    async fn fetch(self, cid: Cid) -> Option<Bytes> {
        let flight = self.start().await;
        let begun = Instant::now();
        let bytes = self.0.holders.fetch(&cid).await;
        self.0.line.lock().learn(begun.elapsed(), self.0.flights, self.0.rate, bytes.as_ref().map_or(0, Bytes::len));
        drop(flight);
        bytes
    }

    /// Waits for a turn.
    async fn start(&self) -> Flight {
        loop {
            self.0.friends.unneeded().await;
            let landed = self.0.landed.notified();
            let next = {
                let mut line = self.0.line.lock();
                if line.busy < line.room && line.next <= Instant::now() {
                    line.busy += 1;
                    return Flight(Arc::clone(&self.0));
                }
                line.next
            };
            tokio::select! {
                () = landed => {}
                () = sleep_until(next), if next > Instant::now() => {}
            }
        }
    }
}

impl Line {
    fn learn(&mut self, took: Duration, flights: usize, rate: Option<u64>, bytes: usize) {
        if took < SOON && self.busy >= self.room {
            self.room = (self.room + 1).min(flights);
        } else if took > LATE {
            self.room = (self.room - 1).max(1);
        }
        if let Some(rate) = rate {
            self.next = self.next.max(Instant::now()) + Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
        }
    }
}

/// A block under way, or one that nobody waits for any more.
struct Flight(Arc<Inner>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.line.lock().busy -= 1;
        self.0.landed.notify_waiters();
    }
}

impl Supplier for Modest {
    fn block(&self, cid: Cid) -> BoxFuture<'static, Option<Bytes>> {
        self.clone().fetch(cid).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_fast_line_gets_more_to_carry_and_a_slow_one_less() {
        let mut line = Line { busy: 4, room: 4, next: Instant::now() };
        for _ in 0..20 {
            line.busy = line.room;
            line.learn(Duration::from_millis(20), 16, None, 1);
        }
        assert_eq!(line.room, 16);
        for _ in 0..20 {
            line.learn(Duration::from_secs(3), 16, None, 1);
        }
        assert_eq!(line.room, 1);
        line.busy = 0;
        line.learn(Duration::from_millis(20), 16, None, 1);
        assert_eq!(line.room, 1, "what was not used up does not grow");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept() {
        let begun = Instant::now();
        let mut line = Line { busy: 1, room: 1, next: begun };
        for _ in 0..3 {
            line.learn(Duration::from_millis(1), 1, Some(1000), 500);
        }
        assert_eq!(line.next - begun, Duration::from_millis(1500));
    }
}
