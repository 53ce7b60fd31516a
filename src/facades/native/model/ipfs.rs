//! The node in the network of IPFS.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
    /// Of those, the ones that are reached by way of a relay only.
    pub relayed: u64,
    /// How others are found: `off`, `private` or `public`.
    pub routing: String,
    /// Nodes that are known for finding others.
    pub routing_peers: u64,
    /// Servers of delegated routing that are asked.
    pub delegated_routers: Vec<String>,
    /// Whether the router forwards the ports: `off` where it is not asked, `asked` where it does not (yet), `forwarded`, `inside`
    /// where another router is between it and the internet.
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

/// What is to be looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IpfsPath {
    /// A CID, `/ipfs/CID/a/b`, `/ipns/NAME/a`, `ipfs://CID/a`, `ipns://NAME`, or the address of a gateway with such a path.
    pub path: String,
}

/// What is at the end of a path.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct IpfsContent {
    /// `/ipfs/...` or `/ipns/...`, not encoded.
    pub path: String,
    pub cid: String,
    /// `file`, `folder`, or `block` for anything else.
    pub kind: String,
    /// The last name of the path.
    pub name: Option<String>,
    /// Bytes of a file.
    pub size: Option<u64>,
    /// Of a file.
    pub media_type: Option<String>,
    /// Where this node gives it.
    pub url: String,
    /// What is in a folder, by name: at most 10,000.
    pub entries: Vec<IpfsEntry>,
    /// Whether there are more.
    pub truncated: bool,
}

/// Something in a folder.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct IpfsEntry {
    pub name: String,
    pub cid: String,
    /// Bytes of all blocks below, as the folder tells.
    pub size: u64,
}
