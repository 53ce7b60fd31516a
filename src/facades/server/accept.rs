//! The TCP carrier: accepts, shakes hands, speaks HTTP/1.1 and HTTP/2.
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::GRACE;
use super::connections::{Counted, Newcomer, Silent};
use super::tls::Certificates;
use crate::facades::carrier::{NodeRouter, Traffic};
use crate::facades::proxies::{Connection, Mount};
use crate::facades::{App, komga};

/// A TLS handshake, and then the first request head, take at most this long each.
const FIRST: Duration = Duration::from_secs(15);
/// A request head takes at most this long; also how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(60);
/// After an accept that failed, such as for want of descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// What a connection is served with.
#[derive(Clone)]
pub(super) struct Front {
    pub app: App,
    pub router: NodeRouter,
    pub tls: Option<Arc<Certificates>>,
    pub connections_max: usize,
    pub mount: Mount,
}

/// The traffic of one of the two TCP carriers.
struct Counter {
    app: App,
    tls: bool,
}

impl AsRef<Traffic> for Counter {
    fn as_ref(&self) -> &Traffic {
        if self.tls { self.app.https() } else { self.app.http() }
    }
}

/// Accepts until it is told to stop, then lets answers under way end.
pub(super) async fn run(listener: TcpListener, front: Front, stop: CancellationToken) {
    let (silent, graceful, tracker) = (Arc::new(Silent::default()), GracefulShutdown::new(), TaskTracker::new());
    let cut = CancellationToken::new();
    let counter = Arc::new(Counter { app: front.app.clone(), tls: front.tls.is_some() });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        if tracker.len() >= front.connections_max {
            tracing::debug!(peer.address = %peer, "too many connections; closed one");
            continue;
        }
        let (newcomer, watcher) = (silent.enter(), graceful.watcher());
        let (front, counter, cut) = (front.clone(), Arc::clone(&counter), cut.clone());
        tracker.spawn(async move {
            let talk = cut.run_until_cancelled_owned(shake_hands(stream, peer, front, counter, newcomer, watcher));
            if let Some(Err(error)) = talk.await {
                tracing::debug!(peer.address = %peer, error = %error, "a connection ended badly");
            }
        });
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::debug!("answers were cut off at stop");
    }
    cut.cancel();
    tracker.wait().await;
}

type Watcher = hyper_util::server::graceful::Watcher;

async fn shake_hands(
    stream: TcpStream,
    peer: SocketAddr,
    front: Front,
    counter: Arc<Counter>,
    newcomer: Newcomer,
    watcher: Watcher,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = Counted::new(stream, counter.clone());
    let connection = Connection { peer, tls: front.tls.is_some(), mount: front.mount };
    match &front.tls {
        None => talk(stream, connection, front.router, counter, newcomer, watcher).await,
        Some(tls) => {
            let handshake = tls.acceptor().accept(stream);
            let stream = tokio::select! {
                done = tokio::time::timeout(FIRST, handshake) => done.map_err(|_| io::ErrorKind::TimedOut)??,
                () = newcomer.give_way.cancelled() => return Ok(()),
            };
            talk(stream, connection, front.router, counter, newcomer, watcher).await
        }
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    connection: Connection,
    router: NodeRouter,
    counter: Arc<Counter>,
    newcomer: Newcomer,
    watcher: Watcher,
) -> io::Result<()> {
    let newcomer = Arc::new(newcomer);
    let speaker = Arc::clone(&newcomer);
    let service = service_fn(move |mut request: Request<Incoming>| {
        speaker.spoke();
        (*counter).as_ref().requests.fetch_add(1, Ordering::Relaxed);
        request.extensions_mut().insert(connection);
        if connection.mount == Mount::Komga {
            *request.uri_mut() = komga::below(request.uri());
        }
        let router = router.clone();
        async move { Ok::<Response<Body>, Infallible>(router.answer(request.map(Body::new)).await) }
    });
    let builder = protocol();
    let served = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
    let mut served = std::pin::pin!(served);
    let deadline = async {
        tokio::time::sleep(FIRST).await;
        if !newcomer.is_silent() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        done = served.as_mut() => done.map_err(io::Error::other),
        () = newcomer.give_way.cancelled() => Ok(()),
        () = deadline => Ok(()),
    }
}

/// A head with the longest address that is read, 65,534 bytes, and headers: programs that play music put a whole queue into one.
const HEAD_MAX: usize = 96 * 1024;

/// HTTP/1.1 and HTTP/2 with bounded heads, streams and patience.
pub(super) fn protocol() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(30))
        .max_concurrent_streams(128)
        .max_header_list_size(80 * 1024);
    builder
}
