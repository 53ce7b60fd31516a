//! Asks other nodes: finds or makes the link, and puts one request on it.
use std::sync::Arc;
use std::time::Instant;

use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::letter::Letter;
use super::links::Link;
use super::start::parse_address;
use super::usage::InUse;
use super::{Inner, Iroh, IrohError, LinkState, Peer, accept, key, reach, stream};
use crate::exchange::Body;

/// A request is sent so often at most, where each time its link had been put to rest.
const TRIES: usize = 3;

/// A link, with an exchange begun on it.
type Begun<C> = (Arc<Link<C>>, InUse);

impl<C: Clone + Send + Sync + 'static> Iroh<C> {
    /// Makes sure that there is a link to a node, dialing it also where that failed a moment ago.
    ///
    /// # Errors
    /// [`IrohError::Key`], [`IrohError::Unreachable`], [`IrohError::Stopped`].
    pub async fn connect(&self, peer: &Peer) -> Result<LinkState, IrohError> {
        self.inner.failed.lock().remove(&peer.endpoint);
        self.reach(peer).await
    }

    /// The same, without dialing where that failed a moment ago.
    ///
    /// # Errors
    /// As [`Iroh::connect`].
    pub async fn reach(&self, peer: &Peer) -> Result<LinkState, IrohError> {
        Ok(self.link_to(peer).await?.0.state())
    }

    /// Sends a request to a node and returns its answer as soon as its head is there; the bodies stream. A link that is there
    /// is used, whoever dialed it; one that rests is made anew.
    ///
    /// # Errors
    /// As [`Iroh::connect`]; [`IrohError::Lost`], [`IrohError::Slow`].
    pub async fn send(&self, peer: &Peer, request: http::Request<Body>) -> Result<http::Response<Body>, IrohError> {
        let mut letter = Letter::new(request).await?;
        let mut outcome = Err(IrohError::Lost("its link was put to rest".to_owned()));
        for _ in 0..TRIES {
            let Some(request) = letter.copy() else { break };
            let (link, in_use) = self.link_to(peer).await?;
            let exchange = exchange(&self.inner, &link, in_use, request);
            outcome = match tokio::time::timeout(self.inner.options.answer_time, exchange).await {
                Ok(lost @ Err(IrohError::Lost(_))) if link.was_let_rest() => lost,
                Ok(lost @ Err(IrohError::Lost(_))) if link.was_forgotten() && letter.is_safe() => lost,
                Ok(answer) => return answer,
                Err(_) => return Err(IrohError::Slow),
            };
        }
        outcome
    }

    async fn link_to(&self, peer: &Peer) -> Result<Begun<C>, IrohError> {
        let inner = &self.inner;
        if let Some(begun) = inner.links.begin(&peer.endpoint) {
            return Ok(begun);
        }
        if inner.stop.is_cancelled() {
            return Err(IrohError::Stopped);
        }
        let turn = Arc::clone(inner.dialing.lock().entry(peer.endpoint.clone()).or_default());
        let guard = turn.lock().await;
        // Another request may have made the link, or failed to, while this one waited for its turn.
        if let Some(begun) = inner.links.begin(&peer.endpoint) {
            return Ok(begun);
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

    async fn dial(&self, peer: &Peer) -> Result<Begun<C>, IrohError> {
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
                let in_use = link.begin();
                inner.tasks.spawn(accept::keep(Arc::clone(inner), Arc::clone(&link)));
                return Ok((link, in_use.ok_or_else(full)?));
            }
            Ok(Err(failure)) => failure,
            Err(_) => "no answer from any of its addresses".to_owned(),
        };
        inner.failed.lock().insert(peer.endpoint.clone(), (Instant::now(), failure.clone()));
        inner.links.missed(&peer.endpoint);
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
    in_use: InUse,
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
        drop(in_use);
    });
    let response = sender.send_request(request).await.map_err(|error| lost(&error))?;
    Ok(response.map(|body| Body::new(body.map_err(Into::into))))
}
