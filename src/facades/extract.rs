//! What handlers take from a request; each refuses with a [`Refusal`], so that every refusal has the same shape.
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::error::Refusal;
use super::routes::ContentGate;
use super::shares::Seen;
use crate::accounts::Caller;
use crate::catalog::{Library, Listed};

/// Longest JSON body, bytes. An SDP offer is a few KiB.
const BODY_MAX: usize = 128 * 1024;
/// A body takes at most this long to arrive.
const BODY_TIME: Duration = Duration::from_secs(20);

/// Parts of the path, percent-decoded.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Refusal))]
pub struct Path<T>(pub T);

/// The query.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Refusal))]
pub struct Query<T>(pub T);

/// A JSON body. `Content-Type: application/json`, or a kind of it (`application/...+json`), is required: no HTML form can send it.
/// At most `MAX` bytes of it are read.
pub struct Json<T, const MAX: usize = BODY_MAX>(pub T);

impl<S: Sync, T: DeserializeOwned, const MAX: usize> FromRequest<S> for Json<T, MAX> {
    type Rejection = Refusal;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !is_json(kind) {
            return Err(Refusal::invalid("the body must be JSON, with Content-Type: application/json"));
        }
        let body = Limited::new(request.into_body(), MAX).collect();
        let body = tokio::time::timeout(BODY_TIME, body).await.map_err(|_| Refusal::too_slow())?;
        let bytes = body.map_err(|error| body_refusal(error, MAX))?.to_bytes();
        serde_json::from_slice(&bytes).map(Json).map_err(|error| Refusal::invalid(format!("the body: {error}")))
    }
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

fn body_refusal(error: Box<dyn std::error::Error + Send + Sync>, longest: usize) -> Refusal {
    if error.is::<LengthLimitError>() {
        return Refusal::too_large(longest);
    }
    Refusal::invalid("the body ended early")
}

/// Who is asking. Set by the carrier's layer for every request.
pub struct Asker(pub Caller);

/// The item of a route with [`Policy::Item`](super::routes::Policy::Item), which the caller may see.
pub struct SeenItem(pub Arc<Listed>);

/// The library of a route with [`Policy::Library`](super::routes::Policy::Library), which the caller may see.
pub struct SeenLibrary(pub Arc<Library>);

/// The share of a route with [`Policy::Link`](super::routes::Policy::Link).
pub(super) struct SeenShare(pub Seen);

/// On a route with [`Policy::Content`](super::routes::Policy::Content): what the caller may see.
pub struct SeenContent(pub Arc<ContentGate>);

/// Takes what the policy check or the carrier left with the request. It is there by construction: a route that lacks the
/// policy answers 500 at its first call, in every test.
fn left<T: Clone + Send + Sync + 'static>(parts: &Parts) -> Result<T, StatusCode> {
    parts.extensions.get::<T>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        left(parts).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for SeenItem {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        left(parts).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for SeenLibrary {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        left(parts).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for SeenContent {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        left(parts).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for SeenShare {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        left(parts).map(Self)
    }
}

/// The request's headers and nothing else, for conditional requests.
pub struct IfNoneMatch(Option<String>);

impl IfNoneMatch {
    /// Whether the caller has this entity already. `etag` with its quotes.
    #[must_use]
    pub fn has(&self, etag: &str) -> bool {
        self.0.as_deref().is_some_and(|tags| {
            tags.split(',').map(|tag| tag.trim()).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
        })
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let value = parts.headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
        Ok(Self(value.map(str::to_owned)))
    }
}
