//! Trades blocks with peers: the carriers that move requests and responses, and nothing above them.
//!
//! A carrier establishes who is calling and hands each request to a [`Responder`]; which handlers answer is not its
//! business. The caller's type `C` is chosen by `node`, so that this layer needs to know no accounts.
pub mod frames;
pub mod iroh;
pub mod libp2p;
pub mod network;
mod outbox;
mod session;
pub mod webrtc;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

/// Any failure a body can end with.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// A streamed request or response body.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// What a carrier moved since its start.
#[derive(Debug, Clone, Default)]
pub struct CarrierState {
    /// Open connections.
    pub connections: u64,
    /// Requests answered.
    pub requests: u64,
    /// Payload bytes.
    pub bytes_sent: u64,
    /// Payload bytes.
    pub bytes_received: u64,
}

/// Answers requests that arrive over a carrier. The node's axum router stands behind it.
pub trait Responder<C>: Send + Sync + 'static {
    /// Answers one request of `caller`. Never fails: a failure is a response with its status.
    fn respond(
        &self,
        caller: C,
        request: http::Request<Body>,
    ) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>>;
}
