//! What a host is started with, and what can go wrong.
use std::sync::Arc;

use ::libp2p::Multiaddr;
use ::libp2p::multiaddr::Protocol;

use super::bitswap::Larder;

/// How others are found, and told what is here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Routing {
    /// Not at all.
    #[default]
    Off,
    /// Among nodes that are found from the own bootstrap nodes on, and speak the protocol of private networks.
    Private,
    /// In the public network, Amino.
    Public,
}

/// Settings of a host.
#[derive(Debug, Clone)]
pub struct Libp2pOptions {
    /// Of its Ed25519 key.
    pub secret: [u8; 32],
    /// Multiaddresses that it listens on.
    pub listen: Vec<String>,
    /// Where others reach it besides.
    pub public_addresses: Vec<String>,
    /// See [`Routing`].
    pub routing: Routing,
    /// Nodes to begin with, each with `/p2p/` and its id. None in mode `Public`: those that everybody begins with.
    pub bootstrap: Vec<String>,
    /// Nodes that pass on connections to this one, written the same way.
    pub relays: Vec<String>,
    /// Ask the router to forward the ports.
    pub port_mapping: bool,
    /// Connections at most.
    pub connections_max: u32,
    /// While the program has more bytes in memory, no connection is made or taken, and those that hold most are ended.
    pub memory_limit: Option<u64>,
    /// Items that are announced at most.
    pub announced_max: usize,
}

/// Whether a text is an address of libp2p; `with_peer`, one that ends with `/p2p/` and an id.
#[must_use]
pub fn is_address(text: &str, with_peer: bool) -> bool {
    let address = text.parse::<Multiaddr>();
    address.is_ok_and(|address| !with_peer || matches!(address.iter().last(), Some(Protocol::P2p(_))))
}

/// Says whether a record (key, value) may be kept and believed; where there is one already (the third), in the place of that.
pub type RecordCheck = Arc<dyn Fn(&[u8], &[u8], Option<&[u8]>) -> bool + Send + Sync>;

/// What a host needs of the node.
#[derive(Clone)]
pub struct Libp2pParts {
    /// See [`Larder`].
    pub larder: Arc<dyn Larder>,
    /// See [`RecordCheck`].
    pub check: RecordCheck,
}

/// What the router said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PortState {
    /// It is not asked.
    #[default]
    Off,
    /// It did not answer yet, or does not know how.
    Asked,
    /// It forwards ports from these addresses.
    Forwarded(Vec<String>),
    /// It forwards ports from these, which are none of the internet's: another router is behind it.
    Inside(Vec<String>),
}

/// Why something cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Libp2pError {
    /// The text of a setting or of a call.
    #[error("{0} is not a multiaddress with /p2p/ and an id at its end")]
    Address(String),
    /// The key, a transport or the name service cannot be used.
    #[error("the libp2p host cannot start: {0}")]
    Start(String),
    /// A node does not answer.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// Kademlia.
    #[error("routing: {0}")]
    Routing(String),
    /// The host stops.
    #[error("the libp2p host stops")]
    Stopped,
}
