//! The node in the network of IPFS.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the node stands in the network of IPFS.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Ipfs {
    /// Id of its host.
    pub peer_id: String,
    /// Its name: `/ipns/NAME` leads to the public libraries.
    pub name: String,
    /// CID of the folder that the name stands for.
    pub root: String,
    /// Whether other nodes were told what the name stands for now.
    pub published: bool,
    /// Where others reach it, as multiaddresses with its id.
    pub addresses: Vec<String>,
    /// Of these, those that are reached from elsewhere.
    pub external: Vec<String>,
    /// Addresses that it does not listen on, each with the reason.
    pub failed: Vec<String>,
    /// Nodes that are connected.
    pub peers: u64,
    /// How others are found: `off`, `private` or `public`.
    pub routing: String,
    /// Nodes that are known for finding others.
    pub routing_peers: u64,
    /// Whether the router forwards the ports: `off` where it is not asked, `asked` where it does not (yet), `forwarded`.
    pub port_mapping: String,
    /// Where it forwards them from.
    pub forwarded: Vec<String>,
    pub announced: Announced,
    /// Blocks that are being fetched.
    pub wanted: u64,
    /// What went over to and from each node that is connected.
    pub ledgers: Vec<Ledger>,
}

/// How announcing what is public goes on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Announced {
    /// Files and folders that are public.
    pub roots: u64,
    /// Told in the sweep that runs, or ran last.
    pub announced: u64,
    /// Of that sweep, those that nobody could be told.
    pub failed: u64,
    /// Sweeps that were finished since the start.
    pub sweeps: u64,
}

/// Blocks between this node and another.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// Id of the other.
    pub peer: String,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub blocks_sent: u64,
    pub blocks_received: u64,
    /// Blocks that it wants now.
    pub wants: u64,
}

/// A node to connect to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewPeer {
    /// Multiaddress that ends with `/p2p/` and the node's id.
    pub address: String,
}

/// A node that is connected.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Peer {
    pub peer: String,
}
