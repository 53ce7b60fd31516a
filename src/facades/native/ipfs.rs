//! The node in the network of IPFS: how it stands, and nodes to connect to.
use axum::extract::State;

use super::model::{Announced, Ipfs, Ledger, NewPeer, Peer, Problem};
use crate::exchange::libp2p::bitswap::PeerLedger;
use crate::exchange::libp2p::{PortState, Routing};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Json;
use crate::node;

/// Ledgers that are told: those of the nodes that most went over to and from.
const LEDGERS_MAX: usize = 100;

/// How the node stands in the network of IPFS (admin).
#[utoipa::path(get, path = "/api/v1/ipfs", tag = "status",
    responses((status = 200, body = Ipfs), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn show(State(app): State<App>) -> Result<axum::Json<Ipfs>, Refusal> {
    let ipfs = on(&app)?;
    let (libp2p, state) = (ipfs.libp2p(), ipfs.libp2p().state());
    let (port_mapping, forwarded) = match state.ports {
        PortState::Off => ("off", Vec::new()),
        PortState::Asked => ("asked", Vec::new()),
        PortState::Forwarded(addresses) => ("forwarded", addresses),
    };
    let announced = ipfs.announced();
    Ok(axum::Json(Ipfs {
        peer_id: libp2p.id().to_string(),
        name: ipfs.name().to_string(),
        root: ipfs.root().to_string(),
        published: ipfs.is_published(),
        addresses: libp2p.addresses(),
        external: state.external,
        failed: state.failed,
        peers: state.peers as u64,
        routing: routing(&app).to_owned(),
        routing_peers: state.routing_peers as u64,
        port_mapping: port_mapping.to_owned(),
        forwarded,
        announced: Announced {
            roots: announced.roots,
            announced: announced.announced,
            failed: announced.failed,
            sweeps: announced.sweeps,
        },
        wanted: libp2p.bitswap().wanted() as u64,
        ledgers: ledgers(libp2p.bitswap().ledgers()),
    }))
}

fn routing(app: &App) -> &'static str {
    match app.node().options().ipfs.as_ref().map(|options| options.libp2p.routing) {
        None | Some(Routing::Off) => "off",
        Some(Routing::Private) => "private",
        Some(Routing::Public) => "public",
    }
}

fn ledgers(mut all: Vec<PeerLedger>) -> Vec<Ledger> {
    all.sort_unstable_by_key(|ledger| std::cmp::Reverse(ledger.bytes_sent + ledger.bytes_received));
    let shape = |ledger: PeerLedger| Ledger {
        peer: ledger.peer.to_string(),
        bytes_sent: ledger.bytes_sent,
        bytes_received: ledger.bytes_received,
        blocks_sent: ledger.blocks_sent,
        blocks_received: ledger.blocks_received,
        wants: ledger.wants as u64,
    };
    all.into_iter().take(LEDGERS_MAX).map(shape).collect()
}

/// Connects to a node, which is asked for whatever is wanted from then on (admin).
#[utoipa::path(post, path = "/api/v1/ipfs/peers", tag = "status", request_body = NewPeer,
    responses((status = 200, body = Peer), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 502, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn connect(
    State(app): State<App>,
    Json(new): Json<NewPeer>,
) -> Result<axum::Json<Peer>, Refusal> {
    let peer = on(&app)?.libp2p().connect(&new.address).await?;
    Ok(axum::Json(Peer { peer: peer.to_string() }))
}

fn on(app: &App) -> Result<&node::Ipfs, Refusal> {
    let off = "the IPFS side is switched off on this node: see ipfs.enabled, and the log of its start";
    app.node().ipfs().ok_or_else(|| Refusal::unavailable(off))
}
