//! The body of a friend's answer, with a size and a time: one that goes on for ever, stops, or comes by the drop, ends with an error.
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep, sleep};

use crate::exchange::{Body, BodyError};

/// Why a body ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("the friend's answer is longer than it may be")]
    TooLong,
    #[error("the friend's answer stood still for too long")]
    Stalled,
}

/// What a body is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes at most.
    pub longest: u64,
    /// Of this time that somebody waits for it ...
    pub idle: Duration,
    /// ... it brings at least so many bytes.
    pub floor: u64,
}

/// Hears how a body comes in.
pub(super) trait Listener: Send + Unpin + 'static {
    /// Something came.
    fn heard(&self);
    /// It ended with this, which is the friend's doing.
    fn broke(&self, broken: Broken);
}

/// The same answer; its body keeps to the limits.
pub(super) fn limited(response: Response<Body>, limits: Limits, listener: impl Listener) -> Response<Body> {
    let timer = Box::pin(sleep(limits.idle));
    let body = |body| Limited {
        body,
        limits,
        listener,
        left: limits.longest,
        brought: 0,
        waited: Duration::ZERO,
        since: None,
        timer,
    };
    response.map(|inner| body(inner).boxed_unsync())
}

struct Limited<L> {
    body: Body,
    limits: Limits,
    listener: L,
    left: u64,
    /// Bytes in this stretch of time.
    brought: u64,
    /// Of this stretch, for the friend and nobody else: a reader that rests is not held against it.
    waited: Duration,
    /// Since when somebody waits now.
    since: Option<Instant>,
    /// When the stretch is over, if nothing comes.
    timer: Pin<Box<Sleep>>,
}

impl<L: Listener> Limited<L> {
    fn came(&mut self, length: u64) -> Result<(), Broken> {
        self.listener.heard();
        self.waited += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.brought += length;
        self.left = self.left.checked_sub(length).ok_or(Broken::TooLong)?;
        if self.waited < self.limits.idle { Ok(()) } else { self.stretch() }
    }

    /// The end of a stretch: whether it brought enough.
    fn stretch(&mut self) -> Result<(), Broken> {
        self.waited = Duration::ZERO;
        let brought = std::mem::take(&mut self.brought);
        if brought < self.limits.floor { Err(Broken::Stalled) } else { Ok(()) }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        loop {
            if self.since.is_none() {
                let now = Instant::now();
                self.since = Some(now);
                let left = self.limits.idle.saturating_sub(self.waited);
                self.timer.as_mut().reset(now + left);
            }
            std::task::ready!(self.timer.as_mut().poll(cx));
            self.since = None;
            if let Err(broken) = self.stretch() {
                return Poll::Ready(broken);
            }
        }
    }

    fn broke(&self, broken: Broken) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.listener.broke(broken);
        Poll::Ready(Some(Err(broken.into())))
    }
}

impl<L: Listener> HttpBody for Limited<L> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(other) => return Poll::Ready(other),
            Poll::Pending => {
                let broken = std::task::ready!(self.wait(cx));
                return self.broke(broken);
            }
        };
        match self.came(frame.data_ref().map_or(0, |data| data.len() as u64)) {
            Ok(()) => Poll::Ready(Some(Ok(frame))),
            Err(broken) => self.broke(broken),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{StreamExt as _, stream};
    use http_body_util::{Full, StreamBody};
    use parking_lot::Mutex;

    use super::*;

    const LIMITS: Limits = Limits { longest: 1000, idle: Duration::from_secs(30), floor: 20 };

    impl Listener for Arc<Mutex<Vec<Broken>>> {
        fn heard(&self) {}

        fn broke(&self, broken: Broken) {
            self.lock().push(broken);
        }
    }

    /// Frames of `bytes` bytes, the next one after `pause`.
    fn every(pause: Duration, bytes: usize) -> Body {
        let frames = stream::repeat(()).then(move |()| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, BodyError>(Frame::data(Bytes::from(vec![7; bytes])))
        });
        StreamBody::new(Box::pin(frames)).boxed_unsync()
    }

    /// How many bytes come, and what is told of the rest.
    async fn read(body: Body) -> (usize, Vec<Broken>) {
        let broken = Arc::<Mutex<Vec<Broken>>>::default();
        let mut body = limited(Response::new(body), LIMITS, Arc::clone(&broken)).into_body();
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
        let broken = broken.lock().clone();
        (bytes, broken)
    }

    fn whole(bytes: usize) -> Body {
        Full::new(Bytes::from(vec![7; bytes])).map_err(|never| match never {}).boxed_unsync()
    }

    #[tokio::test]
    async fn an_answer_within_its_length_passes_whole_and_a_longer_one_does_not() {
        assert_eq!(read(whole(1000)).await, (1000, vec![]));
        assert_eq!(read(whole(1001)).await, (0, vec![Broken::TooLong]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_an_end_ends_at_its_length() {
        assert_eq!(read(every(Duration::from_millis(1), 100)).await, (1000, vec![Broken::TooLong]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_stands_still_or_comes_by_the_drop_ends() {
        let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, BodyError>>());
        assert_eq!(read(never.boxed_unsync()).await, (0, vec![Broken::Stalled]));
        let (bytes, broken) = read(every(Duration::from_secs(2), 1)).await;
        assert!(bytes < 20, "{bytes}");
        assert_eq!(broken, [Broken::Stalled]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_slow_but_not_too_slow_passes() {
        assert_eq!(read(every(Duration::from_secs(10), 10)).await, (1000, vec![Broken::TooLong]), "to its full length");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_rests_is_not_held_against_the_friend() {
        let broken = Arc::<Mutex<Vec<Broken>>>::default();
        let body = every(Duration::from_secs(1), 1);
        let mut body = limited(Response::new(body), LIMITS, Arc::clone(&broken)).into_body();
        for _ in 0..10 {
            assert!(body.frame().await.unwrap().is_ok());
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert!(broken.lock().is_empty());
    }
}
