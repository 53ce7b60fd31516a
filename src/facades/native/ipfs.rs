//! The node in the network of IPFS: how it stands, and nodes to connect to.
use std::sync::Arc;

use axum::extract::{Query, State};
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;

use super::model::{Announced, Ipfs, IpfsContent, IpfsEntry, IpfsPath, Ledger, NewPeer, Peer, Problem};
use crate::blocks::May;
use crate::exchange::libp2p::bitswap::PeerLedger;
use crate::exchange::libp2p::{PortState, Routing};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};
use crate::facades::ipfs::{Described, Gate as _, GatewayRequest, What, pasted};
use crate::facades::routes::ContentGate;
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
        PortState::Inside(addresses) => ("inside", addresses),
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
        relayed: state.relayed as u64,
        routing: routing(&app).to_owned(),
        routing_peers: state.routing_peers as u64,
        delegated_routers: delegated(&app),
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

fn delegated(app: &App) -> Vec<String> {
    app.node().options().ipfs.as_ref().map(|options| options.delegated.clone()).unwrap_or_default()
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

/// Entries of a folder that are told.
const ENTRIES_MAX: usize = 10_000;

/// What is at the end of a path of IPFS: in the libraries that the caller may see, or fetched from other nodes.
#[utoipa::path(get, path = "/api/v1/ipfs/content", tag = "items", params(IpfsPath),
    responses((status = 200, body = IpfsContent), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem), (status = 504, body = Problem)))]
pub(in crate::facades) async fn content(
    State(app): State<App>,
    Asker(caller): Asker,
    Query(query): Query<IpfsPath>,
) -> Result<axum::Json<IpfsContent>, Refusal> {
    let what = "path: this is no CID, no name of IPNS, and no address of either";
    let (namespace, root, path) = pasted(&query.path).ok_or_else(|| Refusal::invalid(what))?;
    let gate = Arc::new(ContentGate::new(&app, &caller));
    let (may, headers) = (gate.may(), HeaderMap::new());
    let (method, own_origin) = (&Method::GET, false);
    let request =
        GatewayRequest { method, headers: &headers, query: None, namespace, root: &root, path: &path, own_origin };
    match app.gateway().describe(gate, request, ENTRIES_MAX).await {
        Ok(described) => Ok(axum::Json(shape(&format!("/{}/{root}", namespace.name()), &path, described))),
        Err(answer) if answer.status() == 404 && may != May::Fetch => Err(Refusal::forbidden(
            "it is in no library that you may see, and you may not open what is elsewhere: see ipfs.fetch",
        )),
        Err(answer) if answer.status() == 404 => {
            on(&app)?;
            Err(Refusal::absent("nobody who was asked has it"))
        }
        Err(answer) => Err(refused(answer).await),
    }
}

/// An answer of the gateway as one of this API.
async fn refused(answer: axum::response::Response) -> Refusal {
    let status = answer.status();
    let text = answer.into_body().collect().await.map(|text| text.to_bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    match status.as_u16() {
        504 => Refusal::late(text),
        400 | 501 => Refusal::invalid(text),
        _ => Refusal::unavailable(text),
    }
}

fn shape(root: &str, path: &str, described: Described) -> IpfsContent {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let path = std::iter::once(root).chain(names).collect::<Vec<_>>().join("/");
    let kind = match described.what {
        What::File => "file",
        What::Folder => "folder",
        What::Other => "block",
    };
    let entry = |link: crate::content::unixfs::node::Link| IpfsEntry {
        name: link.name,
        cid: link.cid.to_string(),
        size: link.tsize,
    };
    IpfsContent {
        url: crate::facades::ipfs::encode(&path),
        path,
        cid: described.cid.to_string(),
        kind: kind.to_owned(),
        name: described.name,
        size: described.size,
        media_type: described.media_type,
        entries: described.entries.into_iter().map(entry).collect(),
        truncated: described.more,
    }
}

fn on(app: &App) -> Result<&node::Ipfs, Refusal> {
    let off = "the IPFS side is switched off on this node: see ipfs.enabled, and the log of its start";
    app.node().ipfs().ok_or_else(|| Refusal::unavailable(off))
}
