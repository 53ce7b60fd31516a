//! A request that can be sent once more: a node may put a link to rest while a request is on its way, and did not look at it then.
use bytes::Bytes;
use http::Request;
use http::request::Parts;
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};

use super::IrohError;
use crate::exchange::Body;

/// Longest body that is kept for it. What friends' nodes ask has none, or a short one.
const KEPT_MAX: u64 = 64 * 1024;

/// A request, and whether it can be had again.
pub(super) enum Letter {
    /// Its body is kept.
    Short(Parts, Bytes),
    /// It can be sent once.
    Long(Request<Body>),
    /// It was.
    Sent,
}

impl Letter {
    /// # Errors
    /// [`IrohError::Lost`]: its own body broke off.
    pub async fn new(request: Request<Body>) -> Result<Self, IrohError> {
        if request.body().size_hint().upper().is_none_or(|most| most > KEPT_MAX) {
            return Ok(Self::Long(request));
        }
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await.map_err(|error| IrohError::Lost(error.to_string()))?.to_bytes();
        Ok(Self::Short(parts, bytes))
    }

    /// Whether it does no harm to be answered twice.
    pub fn is_safe(&self) -> bool {
        matches!(self, Self::Short(parts, _) if parts.method.is_safe())
    }

    /// The request, unless it could be had once and was.
    pub fn copy(&mut self) -> Option<Request<Body>> {
        if let Self::Short(parts, bytes) = self {
            let body = Full::new(bytes.clone()).map_err(|never| match never {}).boxed_unsync();
            return Some(Request::from_parts(parts.clone(), body));
        }
        match std::mem::replace(self, Self::Sent) {
            Self::Long(request) => Some(request),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::StreamBody;

    use super::*;

    #[tokio::test]
    async fn a_short_request_can_be_had_again_and_one_of_unknown_length_once() {
        let short = Full::new(Bytes::from_static(b"hello")).map_err(|never| match never {}).boxed_unsync();
        let mut letter = Letter::new(Request::post("/a").header("x", "y").body(short).unwrap()).await.unwrap();
        for _ in 0..2 {
            let request = letter.copy().unwrap();
            assert_eq!((request.method(), request.uri().path()), (&http::Method::POST, "/a"));
            assert_eq!(request.headers()["x"], "y");
            assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "hello");
        }
        let parts = stream::iter([Ok(http_body::Frame::data(Bytes::from_static(b"long")))]);
        let long = Request::new(StreamBody::new(parts).boxed_unsync());
        let mut letter = Letter::new(long).await.unwrap();
        assert!(letter.copy().is_some());
        assert!(letter.copy().is_none());
    }

    #[tokio::test]
    async fn only_questions_may_be_answered_twice() {
        for (method, safe) in [("GET", true), ("HEAD", true), ("POST", false), ("DELETE", false)] {
            let nothing = http_body_util::Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
            let letter = Letter::new(Request::builder().method(method).body(nothing).unwrap()).await.unwrap();
            assert_eq!(letter.is_safe(), safe, "{method}");
        }
    }
}
