//! Binds the endpoint and says where it can be reached.
use std::collections::BTreeSet;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;

use iroh::endpoint::{BindOpts, Builder, QuicTransportConfig, VarInt};
use iroh::{Endpoint, RelayMode, RelayUrl, SecretKey, TransportAddr};
use iroh_mdns_address_lookup::MdnsAddressLookup;
use noq_proto::congestion::{Bbr3Config, ControllerFactory, CubicConfig};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::links::Links;
use super::near::NearFactory;
use super::{
    ALPN, Congestion, Inner, Iroh, IrohError, IrohOptions, KEY_BYTES, Recognise, STREAM_WINDOW_MAX, accept, key,
};
use crate::exchange::Responder;

/// Bytes that a link may send before they are acknowledged, in windows of a stream.
const SEND_WINDOWS: u64 = 4;

impl<C: Clone + Send + Sync + 'static> Iroh<C> {
    /// Binds the port and starts the worker. `secret` is the Ed25519 seed of the node's key.
    ///
    /// # Errors
    /// [`IrohError::Start`] when the port or a relay cannot be used.
    pub async fn start(
        options: IrohOptions,
        secret: &[u8; KEY_BYTES],
        recognise: Recognise<C>,
        responder: Arc<dyn Responder<C>>,
    ) -> Result<Self, IrohError> {
        let endpoint = bind(&options, secret).await?;
        let inner = Arc::new(Inner {
            id: key::text(&endpoint.id()),
            handshakes: Arc::new(Semaphore::new(options.pending_max)),
            options,
            endpoint,
            responder: Mutex::new(Some(responder)),
            recognise,
            counters: Arc::default(),
            links: Links::default(),
            dialing: Mutex::default(),
            failed: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            worker: Mutex::new(None),
        });
        let worker = tokio::spawn(accept::run(Arc::clone(&inner)));
        *inner.worker.lock() = Some(worker);
        Ok(Self { inner })
    }
}

async fn bind(options: &IrohOptions, secret: &[u8; KEY_BYTES]) -> Result<Endpoint, IrohError> {
    let start = |error: &dyn std::fmt::Display| IrohError::Start(error.to_string());
    let relays: Vec<RelayUrl> = options
        .relays
        .iter()
        .map(|url| url.parse().map_err(|error| IrohError::Start(format!("{url} is not the URL of a relay: {error}"))))
        .collect::<Result<_, _>>()?;
    let mut builder = nobody()
        .secret_key(SecretKey::from_bytes(secret))
        .alpns(vec![ALPN.to_vec()])
        .transport_config(transport(options))
        .relay_mode(if relays.is_empty() { RelayMode::Disabled } else { RelayMode::custom(relays) })
        .clear_ip_transports()
        .bind_addr(options.listen)
        .map_err(|error| start(&error))?;
    if options.listen.ip().is_unspecified() && options.listen.is_ipv4() {
        // Where the system has no IPv6, IPv4 has to do.
        let six = SocketAddr::from((Ipv6Addr::UNSPECIFIED, options.listen.port()));
        let optional = BindOpts::default().set_is_required(false);
        builder = builder.bind_addr_with_opts(six, optional).map_err(|error| start(&error))?;
    }
    for address in &options.public_addresses {
        builder = builder.external_addr(*address);
    }
    if options.mdns {
        builder = builder.address_lookup(MdnsAddressLookup::builder());
    }
    builder.bind().await.map_err(|error| start(&error))
}

/// An endpoint with a key of its own that is forgotten, which nobody finds.
pub(super) async fn stranger() -> Result<Endpoint, IrohError> {
    nobody().relay_mode(RelayMode::Disabled).bind().await.map_err(|error| IrohError::Start(error.to_string()))
}

fn nobody() -> Builder {
    Builder::empty().crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

fn transport(options: &IrohOptions) -> QuicTransportConfig {
    let window = VarInt::from_u32(options.stream_window.min(STREAM_WINDOW_MAX));
    let builder = QuicTransportConfig::builder()
        .max_concurrent_bidi_streams(VarInt::from_u32(options.streams_max))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(window)
        .send_window(SEND_WINDOWS * u64::from(options.stream_window));
    match options.congestion {
        Congestion::Bbr => builder.congestion_controller_factory(near(Bbr3Config::default())),
        Congestion::Cubic => builder.congestion_controller_factory(near(CubicConfig::default())),
    }
    .build()
}

fn near(far: impl ControllerFactory + Send + Sync + 'static) -> Arc<NearFactory> {
    Arc::new(NearFactory(Arc::new(far)))
}

/// What can be told to others: texts that [`parse_address`] reads.
pub(super) fn addresses(endpoint: &Endpoint, options: &IrohOptions) -> Vec<String> {
    // Which relay is used is known only a moment after the start; it is one of those.
    let relays = options.relays.iter().filter_map(|url| parse_address(url));
    let all: BTreeSet<TransportAddr> = endpoint.addr().addrs.into_iter().chain(relays).collect();
    all.iter().filter_map(address_text).collect()
}

pub(super) fn address_text(address: &TransportAddr) -> Option<String> {
    match address {
        TransportAddr::Ip(address) => Some(address.to_string()),
        TransportAddr::Relay(url) => Some(url.to_string()),
        _ => None,
    }
}

pub(super) fn parse_address(text: &str) -> Option<TransportAddr> {
    if let Ok(address) = text.parse() {
        return Some(TransportAddr::Ip(address));
    }
    let url = text.contains("://").then(|| text.parse::<RelayUrl>().ok()).flatten()?;
    Some(TransportAddr::Relay(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_relays_are_read_back_and_nothing_else_is() {
        for text in ["192.0.2.7:9001", "[2001:db8::1]:9001", "https://relay.example.org/"] {
            assert_eq!(parse_address(text).and_then(|address| address_text(&address)).as_deref(), Some(text));
        }
        for wrong in ["", "192.0.2.7", "relay.example.org", "node:9001"] {
            assert_eq!(parse_address(wrong), None, "{wrong}");
        }
    }
}
