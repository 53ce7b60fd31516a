//! The body of a friend's answer, with a size and a time: one that goes on for ever, or stands still, ends with an error.
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
enum Broken {
    #[error("the friend's answer is longer than it may be")]
    TooLong,
    #[error("the friend's answer stood still for too long")]
    Stalled,
}

/// The same answer; its body has at most `longest` bytes, and `idle` between two parts.
pub(super) fn limited(response: Response<Body>, longest: u64, idle: Duration) -> Response<Body> {
    response.map(|body| Limited { body, left: longest, idle, timer: Box::pin(sleep(idle)) }.boxed_unsync())
}

struct Limited {
    body: Body,
    left: u64,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(other) => return Poll::Ready(other),
            Poll::Pending => {
                let stalled = self.timer.as_mut().poll(cx);
                return stalled.map(|()| Some(Err(Broken::Stalled.into())));
            }
        };
        let until = Instant::now() + self.idle;
        self.timer.as_mut().reset(until);
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => Poll::Ready(Some(Err(Broken::TooLong.into()))),
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
    use futures_util::stream;
    use http_body_util::{Full, StreamBody};

    use super::*;

    const IDLE: Duration = Duration::from_secs(30);

    fn of(bytes: usize) -> Response<Body> {
        let body = Full::new(Bytes::from(vec![7; bytes])).map_err(|never| match never {});
        Response::new(body.boxed_unsync())
    }

    #[tokio::test]
    async fn an_answer_within_its_length_passes_whole() {
        let body = limited(of(10), 10, IDLE).into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes().len(), 10);
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_ends_with_an_error() {
        let error = limited(of(11), 10, IDLE).into_body().collect().await.unwrap_err();
        assert_eq!(error.to_string(), Broken::TooLong.to_string());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_stands_still_ends_with_an_error() {
        let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, BodyError>>());
        let error = limited(Response::new(never.boxed_unsync()), 10, IDLE).into_body().collect().await.unwrap_err();
        assert_eq!(error.to_string(), Broken::Stalled.to_string());
    }
}
