//! How much friends' nodes, and the browsers that they send, may take from this one: bits a second for each friend and for
//! all of them together, by time of day.
//!
//! The invariant: over any stretch of time the bodies of all answers to a friend are at most as long as the budget allows
//! for that time, plus one burst. Answers under way share a budget piece by piece, so none waits for another to end.
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use jiff::civil::Time;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::exchange::{Body, BodyError};

/// Bytes that leave at once.
const PIECE: usize = 64 * 1024;
/// What was not used is kept for this long.
const BURST: Duration = Duration::from_millis(250);

/// Settings of the budgets.
#[derive(Clone)]
pub struct UploadOptions {
    /// Bits a second for one friend that has no budget of its own; `None` without a limit.
    pub each: Option<u64>,
    /// Bits a second for all friends together.
    pub all: Option<u64>,
    /// Times of day with another budget for all; the first that holds counts.
    pub hours: Vec<UploadHours>,
    /// What time of day it is.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
}

impl Default for UploadOptions {
    fn default() -> Self {
        Self { each: None, all: None, hours: Vec::new(), clock: Arc::new(|| jiff::Zoned::now().time()) }
    }
}

impl std::fmt::Debug for UploadOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { each, all, hours, .. } = self;
        f.debug_struct("UploadOptions").field("each", each).field("all", all).field("hours", hours).finish()
    }
}

/// A part of each day, over midnight where it ends before it begins, and the bits a second that all friends have in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadHours {
    from: Time,
    until: Time,
    rate: Option<u64>,
}

impl UploadHours {
    /// From `18:00-23:30=5000`: kilobits a second, 0 for no limit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, kilobits) = text.split_once('=')?;
        let (from, until) = hours.split_once('-')?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
        let kilobits: u64 = kilobits.trim().parse().ok()?;
        Some(Self { from: time(from)?, until: time(until)?, rate: limit(kilobits) })
    }

    fn hold(&self, now: Time) -> bool {
        if self.from <= self.until {
            (self.from..self.until).contains(&now)
        } else {
            now >= self.from || now < self.until
        }
    }
}

/// Kilobits as a setting says them: 0 for no limit.
#[must_use]
pub fn limit(kilobits: u64) -> Option<u64> {
    (kilobits > 0).then(|| kilobits.saturating_mul(1000))
}

/// The budgets of a node: a cheap handle.
#[derive(Clone, Default)]
pub(super) struct Uploads(Arc<Inner>);

#[derive(Default)]
struct Inner {
    options: UploadOptions,
    paces: Mutex<Paces>,
}

#[derive(Default)]
struct Paces {
    all: Pace,
    each: HashMap<String, Pace>,
}

/// When the next byte may leave.
#[derive(Default)]
struct Pace(Option<Instant>);

impl Pace {
    /// Takes the time that some bytes need, from now or from when those before them have left; returns when they may leave.
    fn take(&mut self, rate: Option<u64>, bytes: usize, now: Instant) -> Instant {
        let Some(rate) = rate else { return now };
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let at = self.0.map_or(now, |next| next.max(earliest));
        self.0 = Some(at + Duration::from_secs_f64(bytes as f64 * 8.0 / rate.max(1) as f64));
        at
    }
}

impl Uploads {
    pub(super) fn new(options: UploadOptions) -> Self {
        Self(Arc::new(Inner { options, paces: Mutex::default() }))
    }

    /// The body of an answer to a friend, which leaves no sooner than the budgets allow. `own` is the friend's own budget,
    /// bits a second.
    pub(super) fn paced(&self, friend: &str, own: Option<u64>, body: Body) -> Body {
        let paced = Paced {
            uploads: self.clone(),
            friend: friend.to_owned(),
            own: own.or(self.0.options.each),
            body,
            rest: Bytes::new(),
            due: Bytes::new(),
            until: None,
        };
        paced.boxed_unsync()
    }

    fn take(&self, friend: &str, own: Option<u64>, bytes: usize) -> Instant {
        let (options, now) = (&self.0.options, Instant::now());
        let of_hour = if options.hours.is_empty() { None } else { self.of_hour() };
        let mut paces = self.0.paces.lock();
        let all = paces.all.take(of_hour.unwrap_or(options.all), bytes, now);
        if own.is_none() {
            return all;
        }
        let each = paces.each.entry(friend.to_owned()).or_default();
        all.max(each.take(own, bytes, now))
    }

    fn of_hour(&self) -> Option<Option<u64>> {
        let now = (self.0.options.clock)();
        self.0.options.hours.iter().find(|hours| hours.hold(now)).map(|hours| hours.rate)
    }
}

/// See [`Uploads::paced`].
struct Paced {
    uploads: Uploads,
    friend: String,
    own: Option<u64>,
    body: Body,
    /// What came from the body and was given no time yet.
    rest: Bytes,
    /// What leaves when its time has come.
    due: Bytes,
    until: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(until) = &mut self.until {
                ready!(until.as_mut().poll(context));
                self.until = None;
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.due)))));
            }
            if self.rest.is_empty() {
                match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => self.rest = data,
                        Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                    },
                    end => return Poll::Ready(end),
                }
                continue;
            }
            let size = self.rest.len().min(PIECE);
            self.due = self.rest.split_to(size);
            let at = self.uploads.take(&self.friend, self.own, size);
            self.until = Some(Box::pin(sleep_until(at)));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.until.is_none() && self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let here = (self.rest.len() + self.due.len()) as u64;
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + here);
        }
        hint.set_lower(inner.lower() + here);
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    fn body(size: usize) -> Body {
        Full::new(Bytes::from(vec![7; size])).map_err(|never| match never {}).boxed_unsync()
    }

    fn uploads(each: Option<u64>, all: Option<u64>, hours: &[&str], now: &str) -> Uploads {
        let now = Time::strptime("%H:%M", now).unwrap();
        let hours = hours.iter().map(|text| UploadHours::parse(text).unwrap()).collect();
        Uploads::new(UploadOptions { each, all, hours, clock: Arc::new(move || now) })
    }

    /// Seconds until all of these have left, each a friend, its own budget and a number of bytes.
    async fn seconds(uploads: &Uploads, answers: &[(&str, Option<u64>, usize)]) -> f64 {
        let began = Instant::now();
        let sent = answers.iter().map(async |(friend, own, size)| {
            let sent = uploads.paced(friend, *own, body(*size)).collect().await.unwrap().to_bytes();
            assert_eq!(sent, vec![7; *size]);
        });
        futures_util::future::join_all(sent).await;
        began.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn a_friend_gets_what_its_budget_allows_however_many_answers_it_asks_for() {
        let uploads = uploads(Some(8_000_000), None, &[], "12:00");
        let one = seconds(&uploads, &[("bob", None, 4_000_000)]).await;
        assert!((3.6..4.1).contains(&one), "{one}");
        let four = seconds(&uploads, &[("bob", None, 1_000_000); 4]).await;
        assert!((3.6..4.1).contains(&four), "{four}");
        let other = seconds(&uploads, &[("eve", Some(80_000_000), 4_000_000)]).await;
        assert!(other < 0.5, "a budget of its own counts instead: {other}");
    }

    #[tokio::test(start_paused = true)]
    async fn all_friends_share_what_the_node_has() {
        let uploads = uploads(None, Some(8_000_000), &[], "12:00");
        let both = seconds(&uploads, &[("bob", None, 1_000_000), ("eve", Some(1_000_000_000), 1_000_000)]).await;
        assert!((1.7..2.1).contains(&both), "{both}");
        assert!(seconds(&self::uploads(None, None, &[], "12:00"), &[("bob", None, 50_000_000)]).await < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_used_is_no_more_than_a_burst() {
        let uploads = uploads(Some(8_000_000), None, &[], "12:00");
        seconds(&uploads, &[("bob", None, 100_000)]).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let after = seconds(&uploads, &[("bob", None, 2_000_000)]).await;
        assert!(after > 1.6, "{after}");
    }

    #[tokio::test(start_paused = true)]
    async fn hours_of_the_day_have_budgets_of_their_own() {
        let hours = ["23:00-07:00=0", "18:00-23:00=4000"];
        let at =
            async |now: &str| seconds(&uploads(None, Some(8_000_000), &hours, now), &[("bob", None, 2_000_000)]).await;
        assert!((1.6..2.1).contains(&at("12:00").await));
        assert!((3.6..4.1).contains(&at("18:00").await));
        assert!(at("23:00").await < 0.01 && at("06:59").await < 0.01);
        assert!((1.6..2.1).contains(&at("07:00").await));
    }

    #[test]
    fn hours_that_mean_nothing_are_refused() {
        for text in
            ["", "18:00", "18:00-19:00", "18:00-25:00=1", "18:00-19:00=-1", "18-19=5", "a-b=c", "18:00-19:00=5x"]
        {
            assert_eq!(UploadHours::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_size_of_an_answer_is_known() {
        let paced = uploads(Some(1000), None, &[], "12:00").paced("bob", None, body(12345));
        assert_eq!(http_body::Body::size_hint(&paced).exact(), Some(12345));
    }
}
