//! Who waits for an answer of a friend's node: a viewer, a page. What the node does for itself gives way meanwhile.
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Friends;
use crate::exchange::{Body, BodyError};

/// A film is asked for in bursts: who waited a moment ago will again.
const MOMENT: Duration = Duration::from_secs(2);

/// How many wait, and when the last one stopped waiting.
#[derive(Debug, Default)]
pub(super) struct Waiting(watch::Sender<(usize, Option<Instant>)>);

/// Somebody waits, for as long as this is there.
pub(super) struct Wait(watch::Sender<(usize, Option<Instant>)>);

impl Waiting {
    pub fn begin(&self) -> Wait {
        self.0.send_modify(|(count, _)| *count += 1);
        Wait(self.0.clone())
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.send_modify(|(count, last)| {
            *count -= 1;
            *last = Some(Instant::now());
        });
    }
}

impl Wait {
    /// The same body: somebody waits until it ends.
    pub fn until_end_of(self, body: Body) -> Body {
        Awaited { body, _wait: self }.boxed_unsync()
    }
}

struct Awaited {
    body: Body,
    _wait: Wait,
}

impl HttpBody for Awaited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Friends {
    /// Comes back when nobody waits for friends' nodes, nor did a moment ago.
    pub(super) async fn unneeded(&self) {
        let mut waiting = self.inner.waiting.0.subscribe();
        loop {
            let (count, last) = *waiting.borrow_and_update();
            let quiet = last.map(|last| last + MOMENT);
            tokio::select! {
                () = tokio::time::sleep_until(quiet.unwrap_or_else(Instant::now)), if count == 0 => return,
                changed = waiting.changed() => if changed.is_err() { return },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_who_waits_does_so_until_the_body_ends() {
        let waiting = Waiting::default();
        let full = http_body_util::Full::new(Bytes::from_static(b"bytes")).map_err(|never| match never {});
        let body = waiting.begin().until_end_of(full.boxed_unsync());
        assert_eq!(waiting.0.borrow().0, 1);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "bytes");
        let (count, last) = *waiting.0.borrow();
        assert!(count == 0 && last.is_some());
    }
}
