//! Starts the host: transports, protocols, listeners.
use std::sync::Arc;
use std::time::Duration;

use ::libp2p::identity::Keypair;
use ::libp2p::multiaddr::Protocol;
use ::libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, noise, tcp, tls, yamux};
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::behaviour::{BITSWAP, Behaviour};
use super::bitswap::{Bitswap, Wiring};
use super::options::{Libp2pError, Libp2pOptions, Libp2pParts, Routing};
use super::ports::Ports;
use super::streams::Streams;
use super::worker::Worker;
use super::{HostState, Inner, Libp2p};

/// A connection without streams ends after this.
const IDLE_TIME: Duration = Duration::from_secs(120);
/// Streams of one connection, of all protocols. Each may hold 256 KiB that were not read yet.
const STREAMS_MAX: usize = 32;
/// What one stream, and one connection, of QUIC may hold that was not read yet, in bytes.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 2 * STREAM_WINDOW;
/// Calls that may wait for the worker.
const COMMANDS: usize = 256;
/// Roots that may wait to be looked for.
const SEARCHES: usize = 64;

/// Nodes that everybody begins with in the public network. Source: the "Bootstrap" list of Kubo's documentation.
const AMINO_BOOTSTRAP: [&str; 5] = [
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
    "/dnsaddr/va1.bootstrap.libp2p.io/p2p/12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8",
    "/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
];

pub(super) async fn start(options: Libp2pOptions, parts: Libp2pParts) -> Result<Libp2p, Libp2pError> {
    let key = Keypair::ed25519_from_bytes(options.secret).map_err(failed)?;
    let id = key.public().to_peer_id();
    let (streams, orders, arrivals) = Streams::new(BITSWAP);
    let swarm = swarm(key, streams, &options).await?;
    let stop = CancellationToken::new();
    let (search, searches) = mpsc::channel(SEARCHES);
    let (offenders, offending) = mpsc::unbounded_channel();
    let (commands, commanded) = mpsc::channel(COMMANDS);
    let bitswap = Bitswap::new(parts.larder, Wiring { orders, search, offenders, stop: stop.clone() });
    let state = Arc::new(RwLock::new(HostState::default()));
    let ports = Ports::new(options.port_mapping);
    let mut worker = Worker::new(swarm, bitswap.clone(), parts.check, Arc::clone(&state), ports, &options);
    prepare(&mut worker, &options)?;
    let (trading, stopping) = (bitswap.clone(), stop.clone());
    let tasks = vec![
        tokio::spawn(async move { trading.listen(arrivals).await }),
        tokio::spawn(async move { worker.run(commanded, searches, offending, stopping).await }),
    ];
    let inner = Inner { id, bitswap, commands, state, stop, tasks: Mutex::new(tasks) };
    Ok(Libp2p { inner: Arc::new(inner) })
}

fn failed(error: impl std::fmt::Display) -> Libp2pError {
    Libp2pError::Start(error.to_string())
}

async fn swarm(key: Keypair, streams: Streams, options: &Libp2pOptions) -> Result<Swarm<Behaviour>, Libp2pError> {
    let security = (tls::Config::new, noise::Config::new);
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), security, muxer)
        .map_err(failed)?
        .with_quic_config(|mut config| {
            config.max_concurrent_stream_limit = STREAMS_MAX as u32;
            (config.max_stream_data, config.max_connection_data) = (STREAM_WINDOW, CONNECTION_WINDOW);
            config
        })
        .with_dns()
        .map_err(failed)?
        .with_websocket(security, muxer)
        .await
        .map_err(failed)?
        .with_relay_client(security, muxer)
        .map_err(failed)?
        .with_behaviour(|key, relay| Behaviour::new(key, relay, streams, options))
        .map_err(failed)?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(IDLE_TIME).with_max_negotiating_inbound_streams(STREAMS_MAX)
        })
        .build();
    Ok(swarm)
}

fn muxer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS_MAX);
    config
}

fn prepare(worker: &mut Worker, options: &Libp2pOptions) -> Result<(), Libp2pError> {
    for address in &options.public_addresses {
        worker.reached_at(parse(address)?);
    }
    for address in &options.listen {
        worker.listen(parse(address)?);
    }
    for relay in &options.relays {
        let (_, address) = peer_at(relay)?;
        worker.listen_at_relay(address.with(Protocol::P2pCircuit));
    }
    let amino = || AMINO_BOOTSTRAP.map(str::to_owned).to_vec();
    let bootstrap = match options.routing {
        Routing::Public if options.bootstrap.is_empty() => amino(),
        _ => options.bootstrap.clone(),
    };
    for node in &bootstrap {
        let (peer, address) = peer_at(node)?;
        worker.begin_with(peer, address);
    }
    Ok(())
}

fn parse(address: &str) -> Result<Multiaddr, Libp2pError> {
    address.parse().map_err(|_| Libp2pError::Address(address.to_owned()))
}

/// The node at an address, and the address.
fn peer_at(text: &str) -> Result<(PeerId, Multiaddr), Libp2pError> {
    let address = parse(text)?;
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Ok((peer, address)),
        _ => Err(Libp2pError::Address(text.to_owned())),
    }
}
