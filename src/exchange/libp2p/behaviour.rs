//! The protocols of the host, each with its limits.
use std::time::Duration;

use ::libp2p::identity::Keypair;
use ::libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use ::libp2p::swarm::NetworkBehaviour;
use ::libp2p::swarm::behaviour::toggle::Toggle;
use ::libp2p::{
    PeerId, StreamProtocol, allow_block_list, autonat, connection_limits, dcutr, identify, kad,
    memory_connection_limits, ping, relay,
};

use super::by_address::ByAddress;
use super::kept::{KEPT_FOR, PROVIDERS_MAX, RECORD_MAX, RECORDS_MAX};
use super::options::{Libp2pOptions, Routing};
use super::outside::Outside;
use super::streams::Streams;

/// Bitswap as it is spoken here.
pub(super) const BITSWAP: StreamProtocol = StreamProtocol::new("/ipfs/bitswap/1.2.0");
/// Kademlia in the public network.
const AMINO: StreamProtocol = StreamProtocol::new("/ipfs/kad/1.0.0");
/// Kademlia in networks that are not the public one: what Kubo uses in local networks. A node of one is never taken for a node of the other.
const PRIVATE: StreamProtocol = StreamProtocol::new("/ipfs/lan/kad/1.0.0");
/// Connections of one node.
const PER_PEER: u32 = 4;
/// Connections that are being made, in either direction.
const PENDING: u32 = 128;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    by_address: ByAddress,
    memory: Toggle<memory_connection_limits::Behaviour>,
    pub blocked: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub streams: Streams,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub kad: Outside<Toggle<kad::Behaviour<MemoryStore>>>,
    autonat: Toggle<autonat::v2::client::Behaviour>,
    relay: relay::client::Behaviour,
    dcutr: dcutr::Behaviour,
}

impl Behaviour {
    pub fn new(key: &Keypair, relay: relay::client::Behaviour, streams: Streams, options: &Libp2pOptions) -> Self {
        let id = key.public().to_peer_id();
        let public = options.routing == Routing::Public;
        Self {
            limits: connection_limits::Behaviour::new(limits(options.connections_max)),
            by_address: ByAddress::default(),
            memory: options.memory_limit.map(memory).into(),
            blocked: allow_block_list::Behaviour::default(),
            streams,
            identify: identify::Behaviour::new(introduction(key, public)),
            ping: ping::Behaviour::default(),
            kad: Outside::new(kademlia(id, options).into(), public),
            autonat: public.then(autonat::v2::client::Behaviour::default).into(),
            relay,
            dcutr: dcutr::Behaviour::new(id),
        }
    }
}

fn limits(connections_max: u32) -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING))
        .with_max_pending_outgoing(Some(PENDING))
        // Others cannot take all places: this node can still make connections itself.
        .with_max_established_incoming(Some(connections_max - connections_max / 4))
        .with_max_established(Some(connections_max))
        .with_max_established_per_peer(Some(PER_PEER))
}

fn memory(limit: u64) -> memory_connection_limits::Behaviour {
    memory_connection_limits::Behaviour::with_max_bytes(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// What other nodes are told: where they reach this one, but in the public network not what its own network looks like.
fn introduction(key: &Keypair, public: bool) -> identify::Config {
    identify::Config::new("ipfs/0.1.0".to_owned(), key.public())
        .with_agent_version(concat!("potluck/", env!("CARGO_PKG_VERSION")).to_owned())
        .with_push_listen_addr_updates(true)
        .with_hide_listen_addrs(public)
}

fn kademlia(id: PeerId, options: &Libp2pOptions) -> Option<kad::Behaviour<MemoryStore>> {
    let protocol = match options.routing {
        Routing::Off => return None,
        Routing::Private => PRIVATE,
        Routing::Public => AMINO,
    };
    let mut config = kad::Config::new(protocol);
    config
        // A record is looked at before it is kept.
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_record_ttl(Some(KEPT_FOR))
        .set_provider_record_ttl(Some(KEPT_FOR))
        // This node announces in sweeps of its own.
        .set_provider_publication_interval(None)
        .set_publication_interval(None)
        .set_replication_interval(None)
        .set_query_timeout(Duration::from_secs(60));
    let store = MemoryStoreConfig {
        max_records: RECORDS_MAX,
        max_value_bytes: RECORD_MAX,
        max_providers_per_key: 20,
        max_provided_keys: options.announced_max + PROVIDERS_MAX,
    };
    let mut kad = kad::Behaviour::with_config(id, MemoryStore::with_config(id, store), config);
    if options.routing == Routing::Private {
        // There, everybody can be reached by everybody.
        kad.set_mode(Some(kad::Mode::Server));
    }
    Some(kad)
}
