//! The WebRTC carrier: browsers' data channels on one UDP port, each carrying many HTTP requests.
use std::net::SocketAddr;
use std::sync::Arc;

use super::Responder;

/// Settings of the carrier.
#[derive(Debug, Clone)]
pub struct WebRtcOptions {
    /// UDP address to listen on; port 0 for any.
    pub listen: SocketAddr,
    /// Addresses that browsers can reach this port at besides the local interfaces' (port forwarding, public address).
    pub public_addresses: Vec<SocketAddr>,
    /// Connections at most, and for each caller.
    pub connections_max: usize,
    /// Connections that have not finished their handshake at most.
    pub pending_max: usize,
}

/// Why there is no answer to an offer.
#[derive(Debug, thiserror::Error)]
pub enum WebRtcError {
    /// The offer is not a data channel offer we can read: what is wrong, for people.
    #[error("the offer is not usable: {0}")]
    Offer(String),
    /// Too many connections; try again later or use HTTPS.
    #[error("too many connections")]
    Full,
    /// The carrier is off or stopped.
    #[error("the WebRTC carrier is not running")]
    Stopped,
}

/// Totals since start.
#[derive(Debug, Clone, Default)]
pub struct WebRtcState {
    /// Open connections.
    pub connections: u64,
    /// Requests answered.
    pub requests: u64,
    /// Payload bytes.
    pub bytes_sent: u64,
    /// Payload bytes.
    pub bytes_received: u64,
}

/// A cheap handle to the carrier.
#[derive(Clone)]
pub struct WebRtc<C> {
    _inner: Arc<std::marker::PhantomData<C>>,
}

impl<C: Clone + Send + Sync + 'static> WebRtc<C> {
    /// Binds the UDP port and starts the worker.
    pub async fn start(_options: WebRtcOptions, _responder: Arc<dyn Responder<C>>) -> std::io::Result<Self> {
        todo!()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        todo!()
    }

    /// Answers an offer. Every request on the new connection is `caller`'s.
    pub async fn answer(&self, _caller: C, _offer: String) -> Result<String, WebRtcError> {
        todo!()
    }

    /// Closes the connections of callers that `gone` says have lost their right (sign-out, revoked account).
    pub fn close(&self, _gone: impl Fn(&C) -> bool + Send + 'static) {
        todo!()
    }

    /// Numbers for the status page.
    #[must_use]
    pub fn state(&self) -> WebRtcState {
        todo!()
    }

    /// Closes all connections and waits for the worker.
    pub async fn stop(&self) {
        todo!()
    }
}
