//! Takes links in and keeps each until it ends: the requests of the other side are answered here.
use std::sync::Arc;
use std::sync::atomic::Ordering;

use iroh::endpoint::{Connection, Incoming};
use tokio::sync::OwnedSemaphorePermit;

use super::links::{Link, Reason};
use super::{ALPN, Inner, Recognised, key, stream};

/// Accepts until it is told to stop.
pub(super) async fn run<C: Clone + Send + Sync + 'static>(inner: Arc<Inner<C>>) {
    loop {
        let incoming = tokio::select! {
            incoming = inner.endpoint.accept() => incoming,
            () = inner.stop.cancelled() => return,
        };
        let Some(incoming) = incoming else { return };
        let room = Arc::clone(&inner.handshakes).try_acquire_owned();
        let Ok(permit) = room else {
            incoming.refuse();
            continue;
        };
        // Under load, whoever asks first has to show that it is where it says.
        if inner.handshakes.available_permits() < inner.options.pending_max / 2 && !incoming.remote_addr_validated() {
            let _ = incoming.retry();
            continue;
        }
        let task = shake_hands(Arc::clone(&inner), incoming, permit);
        inner.tasks.spawn(task);
    }
}

async fn shake_hands<C: Clone + Send + Sync + 'static>(
    inner: Arc<Inner<C>>,
    incoming: Incoming,
    permit: OwnedSemaphorePermit,
) {
    let Ok(accepting) = incoming.accept() else { return };
    let connection = tokio::select! {
        done = tokio::time::timeout(inner.options.dial_time, accepting) => done,
        () = inner.stop.cancelled() => return,
    };
    drop(permit);
    match connection {
        Ok(Ok(connection)) if connection.alpn() == ALPN => {
            if let Some(link) = inner.enter(connection, false) {
                keep(inner, link).await;
            }
        }
        Ok(Ok(_)) | Err(_) => (),
        Ok(Err(error)) => tracing::debug!(error = %error, "a node's handshake ended badly"),
    }
}

impl<C: Clone + Send + Sync + 'static> Inner<C> {
    /// Puts a connection among the links, where there is room for it.
    pub fn enter(&self, connection: Connection, dialed: bool) -> Option<Arc<Link<C>>> {
        let node = key::text(&connection.remote_id());
        let Recognised { caller, known } = (self.recognise)(&node, std::net::Ipv4Addr::UNSPECIFIED.into());
        let full = self.links.count() >= self.options.connections_max
            || (!known && !dialed && self.links.strangers() >= self.options.strangers_max);
        let link = self.links.add(node, connection, dialed, caller, known);
        if full || self.stop.is_cancelled() {
            link.close(if full { Reason::TooMany } else { Reason::Stopping });
            self.links.end(&link);
            return None;
        }
        self.failed.lock().remove(&link.node);
        Some(link)
    }
}

/// Answers the requests on a link until it is closed, by whomever.
pub(super) async fn keep<C: Clone + Send + Sync + 'static>(inner: Arc<Inner<C>>, link: Arc<Link<C>>) {
    let too_long = tokio::time::sleep(inner.options.stranger_time);
    let mut too_long = std::pin::pin!(too_long);
    loop {
        let stranger = !link.known.load(Ordering::Relaxed);
        tokio::select! {
            accepted = link.connection.accept_bi() => match accepted {
                // What comes on a link that was just put to rest is not looked at: the other side sends it again.
                Ok((send, receive)) => if let Some(in_use) = link.begin() {
                    let answer = stream::answer(Arc::clone(&inner), Arc::clone(&link), in_use, send, receive);
                    inner.tasks.spawn(answer);
                },
                Err(error) => {
                    tracing::debug!(peer.node = link.node, error = %error, "a link ended");
                    break;
                }
            },
            () = &mut too_long, if stranger => {
                let now = (inner.recognise)(&link.node, link.ip());
                if !now.known {
                    link.close(Reason::TooLong);
                    break;
                }
                link.recognised(now.caller, true);
            }
        }
    }
    inner.links.end(&link);
}
