//! One stream, one exchange: HTTP/1.1 by hyper, its bytes counted.
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use iroh::endpoint::{RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::links::Link;
use super::usage::InUse;
use super::{Inner, Recognised};
use crate::exchange::Body;

/// Header lines of a request at most.
const HEADERS_MAX: usize = 64;

/// What the carrier moved since its start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub requests: AtomicU64,
    pub sent: AtomicU64,
    pub received: AtomicU64,
}

/// Both halves of a stream.
pub(super) struct Pipe {
    send: SendStream,
    receive: RecvStream,
    counters: Arc<Counters>,
}

impl Pipe {
    pub fn new(send: SendStream, receive: RecvStream, counters: &Arc<Counters>) -> Self {
        Self { send, receive, counters: Arc::clone(counters) }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = AsyncRead::poll_read(Pin::new(&mut self.receive), cx, buf);
        self.counters.received.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = AsyncWrite::poll_write(Pin::new(&mut self.send), cx, buf);
        if let Poll::Ready(Ok(sent)) = &polled {
            self.counters.sent.fetch_add(*sent as u64, Ordering::Relaxed);
        }
        polled
    }

    /// The first that is not empty: a body then goes to the link without a copy between.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.poll_write(cx, first.map_or(&[][..], |buf| &**buf))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.send), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(&mut self.send), cx)
    }
}

/// Answers the one request of a stream that the other side opened.
pub(super) async fn answer<C: Clone + Send + Sync + 'static>(
    inner: Arc<Inner<C>>,
    link: Arc<Link<C>>,
    in_use: InUse,
    send: SendStream,
    receive: RecvStream,
) {
    let Some(responder) = inner.responder.lock().clone() else { return };
    let arrived = send.stopped();
    let pipe = TokioIo::new(Pipe::new(send, receive, &inner.counters));
    let mut builder = http1::Builder::new();
    builder
        .keep_alive(false)
        .max_buf_size(inner.options.head_max)
        .max_headers(HEADERS_MAX)
        .timer(TokioTimer::new())
        .header_read_timeout(inner.options.head_time);
    let served = builder.serve_connection(
        pipe,
        service_fn(|request: http::Request<Incoming>| {
            inner.counters.requests.fetch_add(1, Ordering::Relaxed);
            // Asked anew each time: a friend since the last request has its rights, one that was removed has none.
            let Recognised { caller, known } = (inner.recognise)(&link.node, link.ip());
            link.recognised(caller.clone(), known);
            let request = request.map(|body| Body::new(body.map_err(Into::into)));
            let responding = responder.respond(caller, request);
            async move { Ok::<_, Infallible>(responding.await) }
        }),
    );
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::debug!(peer.node = link.node, error = %error, "a node's request ended badly");
        },
        // Whatever a handler was doing for it is not wanted any more.
        _ = link.connection.closed() => (),
    }
    // What is written may still be under way; a link that was put to rest now would lose it.
    let _ = arrived.await;
    drop(in_use);
}
