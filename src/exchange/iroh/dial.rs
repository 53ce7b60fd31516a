//! Asks other nodes: finds or makes the link, and puts one request on it.
use std::sync::Arc;
use std::time::Instant;

use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::links::Link;
use super::start::parse_address;
use super::{Inner, Iroh, IrohError, LinkState, Peer, accept, key, reach, stream};
use crate::exchange::Body;

impl<C: Clone + Send + Sync + 'static> Iroh<C> {
    /// Makes sure that there is a link to a node, dialing it also where that failed a moment ago.
    ///
    /// # Errors
    /// [`IrohError::Key`], [`IrohError::Unreachable`], [`IrohError::Stopped`].
    pub async fn connect(&self, peer: &Peer) -> Result<LinkState, IrohError> {
        self.inner.failed.lock().remove(&peer.endpoint);
        Ok(self.link_to(peer).await?.state())
    }

    /// Sends a request to a node and returns its answer as soon as its head is there; the bodies stream. A link that is there
    /// is used, whoever dialed it.
    ///
    /// # Errors
    /// As [`Iroh::connect`]; [`IrohError::Lost`], [`IrohError::Slow`].
    pub async fn send(&self, peer: &Peer, request: http::Request<Body>) -> Result<http::Response<Body>, IrohError> {
        let link = self.link_to(peer).await?;
        let exchange = exchange(&self.inner, &link, request);
        tokio::time::timeout(self.inner.options.answer_time, exchange).await.map_err(|_| IrohError::Slow)?
    }

    async fn link_to(&self, peer: &Peer) -> Result<Arc<Link<C>>, IrohError> {
        let inner = &self.inner;
        if let Some(link) = inner.links.newest(&peer.endpoint) {
            return Ok(link);
        }
        if inner.stop.is_cancelled() {
            return Err(IrohError::Stopped);
        }
        let turn = Arc::clone(inner.dialing.lock().entry(peer.endpoint.clone()).or_default());
        let guard = turn.lock().await;
        // Another request may have made the link, or failed to, while this one waited for its turn.
        if let Some(link) = inner.links.newest(&peer.endpoint) {
            return Ok(link);
        }
        let dialed = match inner.failed_lately(&peer.endpoint) {
            Some(reason) => Err(IrohError::Unreachable(reason)),
            None => self.dial(peer).await,
        };
        drop(guard);
        drop(turn);
        inner.dialing.lock().retain(|_, turn| Arc::strong_count(turn) > 1);
        dialed
    }

    async fn dial(&self, peer: &Peer) -> Result<Arc<Link<C>>, IrohError> {
        let inner = &self.inner;
        let id = key::parse(&peer.endpoint).ok_or(IrohError::Key)?;
        let addresses = peer.addresses.iter().filter_map(|text| parse_address(text)).collect();
        let connecting = reach::connect(inner, id, addresses);
        let connected = tokio::select! {
            done = tokio::time::timeout(inner.options.dial_time, connecting) => done,
            () = inner.stop.cancelled() => return Err(IrohError::Stopped),
        };
        let failure = match connected {
            Ok(Ok(connection)) => {
                let link = inner.enter(connection, true).ok_or_else(full)?;
                inner.tasks.spawn(accept::keep(Arc::clone(inner), Arc::clone(&link)));
                return Ok(link);
            }
            Ok(Err(failure)) => failure,
            Err(_) => "no answer from any of its addresses".to_owned(),
        };
        inner.failed.lock().insert(peer.endpoint.clone(), (Instant::now(), failure.clone()));
        Err(IrohError::Unreachable(failure))
    }
}

impl<C> Inner<C> {
    fn failed_lately(&self, node: &str) -> Option<String> {
        let mut failed = self.failed.lock();
        failed.retain(|_, (at, _)| at.elapsed() < self.options.dial_pause);
        failed.get(node).map(|(_, reason)| reason.clone())
    }
}

fn full() -> IrohError {
    IrohError::Unreachable("this node has too many links, or is stopping".to_owned())
}

async fn exchange<C: Clone + Send + Sync + 'static>(
    inner: &Arc<Inner<C>>,
    link: &Link<C>,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, IrohError> {
    let lost = |error: &dyn std::fmt::Display| IrohError::Lost(error.to_string());
    let (send, receive) = link.connection.open_bi().await.map_err(|error| lost(&error))?;
    let pipe = TokioIo::new(stream::Pipe::new(send, receive, &inner.counters));
    let (mut sender, connection) = http1::handshake(pipe).await.map_err(|error| lost(&error))?;
    // Ends with the answer's body, or when nobody wants it any more.
    let stop = inner.stop.clone();
    inner.tasks.spawn(async move {
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(error = %error, "an exchange with a node ended badly");
            },
            () = stop.cancelled() => (),
        }
    });
    let response = sender.send_request(request).await.map_err(|error| lost(&error))?;
    Ok(response.map(|body| Body::new(body.map_err(Into::into))))
}
