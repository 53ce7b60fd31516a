//! Speak a dialect over HTTP: the node's own API, the gateway for content, figures, the page.
//!
//! ```text
//! TCP, TLS, control socket ──► server ──► caller (who is asking) ──► routes (may they) ──► a handler
//! WebRTC, friends' nodes ────► carrier ──┘
//! ```
//! A carrier only establishes who is calling; handlers do not know which one was used. [`serve`] puts all of it on a
//! running [`Node`].
mod archive;
pub mod bytes;
mod caller;
mod carrier;
pub mod error;
mod extract;
mod floods;
mod forward;
mod gateway;
mod holders;
pub mod ipfs;
pub mod komga;
mod lyrics;
mod metrics;
pub mod native;
mod origins;
mod proxies;
mod routes;
mod server;
mod shares;
mod songs;
mod sounds;
pub mod subsonic;
mod uploads;
mod web;

pub use carrier::{NodeRouter, Traffic};
pub use metrics::MetricsAccess;
pub use proxies::{Connection, Mount, TrustedProxies};
pub use routes::{Policy, Reach, Route, table};
pub use server::{ServeError, ServeOptions, Service, TlsMode, connect_control, serve};
pub use uploads::{UploadHours, UploadOptions, limit as upload_limit};

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::node::Node;
use floods::Floods;
use uploads::Uploads;

/// Settings of everything above the node.
#[derive(Debug, Clone, Default)]
pub struct FacadeOptions {
    /// Whose `X-Forwarded-*` is believed.
    pub trusted_proxies: TrustedProxies,
    /// Who may read `/metrics`.
    pub metrics: MetricsAccess,
    /// STUN URLs that pages are told.
    pub stun_servers: Vec<String>,
    /// Connections a page should keep at most.
    pub webrtc_connections_per_page: u32,
    /// How much friends' nodes may take.
    pub uploads: UploadOptions,
    /// See [`LoginPasswords`](subsonic::LoginPasswords).
    pub login_passwords: subsonic::LoginPasswords,
    /// Nobody shares songs by links.
    pub no_shares: bool,
    /// See [`IpfsOptions`](ipfs::IpfsOptions).
    pub ipfs: ipfs::IpfsOptions,
    /// Requests a second that a friend's node may make, four times as many at once; 0 without a limit.
    pub friend_requests: u32,
}

struct Inner {
    node: Node,
    options: FacadeOptions,
    uploads: Uploads,
    floods: Floods,
    visitors: Floods,
    readers: komga::Readers,
    now_playing: subsonic::playing::NowPlaying,
    streams: komga::Streams,
    stopping: CancellationToken,
    listeners: Vec<(&'static str, SocketAddr)>,
    http: Traffic,
    https: Traffic,
    webrtc: Traffic,
    iroh: Traffic,
    libp2p: Traffic,
}

/// What handlers work with: a cheap handle.
#[derive(Clone)]
pub struct App(Arc<Inner>);

impl App {
    fn new(
        node: Node,
        options: FacadeOptions,
        stopping: CancellationToken,
        listeners: Vec<(&'static str, SocketAddr)>,
    ) -> Self {
        let (http, https, webrtc, iroh, libp2p) = Default::default();
        let (uploads, floods) = (Uploads::new(options.uploads.clone()), Floods::new(options.friend_requests));
        let (readers, streams) = Default::default();
        Self(Arc::new(Inner {
            node,
            options,
            uploads,
            floods,
            visitors: Floods::new(shares::REQUESTS_A_SECOND),
            readers,
            now_playing: subsonic::playing::NowPlaying::default(),
            streams,
            stopping,
            listeners,
            http,
            https,
            webrtc,
            iroh,
            libp2p,
        }))
    }

    /// The node behind everything.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.0.node
    }

    /// Cancelled when the carriers close: long answers end then.
    fn stopping(&self) -> CancellationToken {
        self.0.stopping.clone()
    }

    /// Carriers that listen, by name.
    fn listeners(&self) -> &[(&'static str, SocketAddr)] {
        &self.0.listeners
    }

    fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    fn floods(&self) -> &Floods {
        &self.0.floods
    }

    /// Those who come by a link.
    fn visitors(&self) -> &Floods {
        &self.0.visitors
    }

    fn readers(&self) -> &komga::Readers {
        &self.0.readers
    }

    fn now_playing(&self) -> &subsonic::playing::NowPlaying {
        &self.0.now_playing
    }

    fn streams(&self) -> &komga::Streams {
        &self.0.streams
    }

    fn options(&self) -> &FacadeOptions {
        &self.0.options
    }

    fn http(&self) -> &Traffic {
        &self.0.http
    }

    fn https(&self) -> &Traffic {
        &self.0.https
    }

    fn webrtc(&self) -> &Traffic {
        &self.0.webrtc
    }

    fn iroh(&self) -> &Traffic {
        &self.0.iroh
    }

    fn libp2p(&self) -> &Traffic {
        &self.0.libp2p
    }
}
