//! Listens: TCP with or without TLS, and the control socket for the command line on this machine.
//!
//! Nothing here knows a route. What it guards is the node's own health: connections that never ask for anything are few
//! (the oldest gives way to the newest), heads and handshakes have deadlines, and stopping is orderly.
mod accept;
mod connections;
mod control;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::carrier::NodeRouter;
use super::error::with_causes;
use super::proxies::Mount;
use super::{App, FacadeOptions};
use crate::node::{Node, Tasks};

pub use control::connect as connect_control;
pub use tls::TlsMode;

/// Answers that are under way get this long when the node stops.
const GRACE: Duration = Duration::from_secs(3);

/// Settings of the listeners.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Port 0 for any.
    pub listen: SocketAddr,
    /// Where Komga's API is besides, at the root; port 0 for any.
    pub komga: Option<SocketAddr>,
    /// See [`TlsMode`].
    pub tls: TlsMode,
    /// Connections at most; further ones are closed at once.
    pub connections_max: usize,
    /// See [`FacadeOptions`].
    pub facades: FacadeOptions,
}

/// Why the node cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The control socket cannot be made.
    #[error("cannot make the control socket {0}")]
    Control(PathBuf, #[source] std::io::Error),
    /// Certificate or key cannot be used: which and why.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

/// A node that can be reached.
pub struct Service {
    app: App,
    tasks: Tasks,
    address: SocketAddr,
    komga: Option<SocketAddr>,
    scheme: &'static str,
    fingerprint: Option<String>,
}

/// Opens the carriers of a node.
///
/// # Errors
/// See [`ServeError`]; the node runs on without carriers then.
pub async fn serve(node: Node, options: ServeOptions) -> Result<Service, ServeError> {
    let (tasks, control) = (Tasks::default(), node.folder().control_socket());
    let tls = tls::Certificates::load(&options.tls, &node.folder().tls())?;
    let (listener, address) = listen(options.listen).await?;
    let komga = match options.komga {
        Some(wanted) => Some(listen(wanted).await?),
        None => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let app = App::new(node.clone(), options.facades, tasks.stopping(), vec![(scheme, address)]);
    let router = NodeRouter::new(app.clone());
    // Everything works without it, only slower: a port that another program has is no reason not to start.
    if let Err(error) = node.start_webrtc(Arc::new(router.clone())).await {
        tracing::error!(error = %with_causes(&error), "WebRTC is off; browsers use HTTP instead");
    }
    if let Err(error) = node.start_ipfs().await {
        tracing::error!(error = %with_causes(&error), "the IPFS side is off: nobody fetches by CID over libp2p");
    }
    if let Err(error) = node.start_links(Arc::new(router.clone())).await {
        tracing::error!(error = %with_causes(&error), "friends' nodes cannot be reached, nor reach this one");
    }
    let socket = control::bind(&control).map_err(|e| ServeError::Control(control.clone(), e))?;
    let fingerprint = tls.as_ref().and_then(|tls| tls.fingerprint());
    if let Some(tls) = tls.clone() {
        tasks.spawn("certificates", |stop| tls.watch(stop));
    }
    let front = accept::Front {
        router: router.clone(),
        tls,
        connections_max: options.connections_max,
        app: app.clone(),
        mount: Mount::Node,
    };
    let at_komga = komga.as_ref().map(|(_, address)| *address);
    if let Some((listener, _)) = komga {
        let front = accept::Front { mount: Mount::Komga, ..front.clone() };
        tasks.spawn("komga", |stop| accept::run(listener, front, stop));
    }
    tasks.spawn("tcp", |stop| accept::run(listener, front, stop));
    tasks.spawn("control", |stop| control::run(socket, control, router, stop));
    let counted = app.clone();
    tasks.spawn("traffic", |stop| count_minutes(counted, stop));
    Ok(Service { app, tasks, address, komga: at_komga, scheme, fingerprint })
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let listener = TcpListener::bind(wanted).await.map_err(|e| ServeError::Listen(wanted, e))?;
    let address = listener.local_addr().map_err(|e| ServeError::Listen(wanted, e))?;
    Ok((listener, address))
}

impl Service {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where Komga's API has a port of its own.
    #[must_use]
    pub fn komga_address(&self) -> Option<SocketAddr> {
        self.komga
    }

    /// How a browser on this machine reaches it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let here = if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
            address.set_ip(here);
        }
        format!("{}://{address}", self.scheme)
    }

    /// SHA-256 of the certificate the node made for itself, as browsers show it.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// The node behind it.
    #[must_use]
    pub fn node(&self) -> &Node {
        self.app.node()
    }

    /// Closes the carriers, gives answers under way a moment, then stops the node.
    pub async fn stop(self) {
        self.tasks.stop().await;
        self.app.node().stop().await;
    }
}

/// Moves the history of each carrier on, once a minute.
async fn count_minutes(app: App, stop: tokio_util::sync::CancellationToken) {
    let mut minute = tokio::time::interval(Duration::from_secs(60));
    minute.tick().await;
    loop {
        tokio::select! {
            _ = minute.tick() => {}
            () = stop.cancelled() => return,
        }
        app.http().minute_passed(app.http().sent());
        app.https().minute_passed(app.https().sent());
        let webrtc = app.node().webrtc().map_or(0, |carrier| carrier.state().bytes_sent);
        app.webrtc().minute_passed(webrtc);
        let iroh = app.node().links().map_or(0, |links| links.iroh().state().bytes_sent);
        app.iroh().minute_passed(iroh);
        let libp2p = app.node().ipfs().map_or(0, |ipfs| ipfs.libp2p().carrier().bytes_sent);
        app.libp2p().minute_passed(libp2p);
    }
}
