//! Which of a node's addresses are dialed.
//!
//! An address inside of a home's network means another machine in each home. Where this home has a node at the address that the friend
//! has in its own, that one answers first and with another key, which ends an attempt on all addresses, and iroh remembers the
//! address. So those are dialed only once it is known who is there; meanwhile relays and public addresses are. A link that was
//! made over those finds the short way inside by itself, and believes nobody but the friend.
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::select_ok;
use iroh::endpoint::Connection;
use iroh::{Endpoint, EndpointAddr, EndpointId, TransportAddr};

use super::{ALPN, Inner, start};

/// Makes a link to a node. The error is for people.
pub(super) async fn connect<C: Send + Sync + 'static>(
    inner: &Arc<Inner<C>>,
    id: EndpointId,
    all: BTreeSet<TransportAddr>,
) -> Result<Connection, String> {
    let (inside, outside): (BTreeSet<_>, BTreeSet<_>) = all.iter().cloned().partition(is_inside);
    if inside.is_empty() || outside.is_empty() {
        return dial(&inner.endpoint, id, all).await;
    }
    let looking = inner.tasks.spawn(is_there(Arc::clone(inner), id, inside));
    let near = async {
        match looking.await {
            Ok(true) => dial(&inner.endpoint, id, all).await,
            _ => Err("it is not in this network, and does not answer from elsewhere".to_owned()),
        }
    };
    select_ok([dial(&inner.endpoint, id, outside).boxed(), near.boxed()]).await.map(|(connection, _)| connection)
}

async fn dial(endpoint: &Endpoint, id: EndpointId, to: BTreeSet<TransportAddr>) -> Result<Connection, String> {
    endpoint.connect(EndpointAddr::from_parts(id, to), ALPN).await.map_err(|error| error.to_string())
}

/// Whether the node answers at one of these addresses: asked as a stranger, from a port that is forgotten.
async fn is_there<C>(inner: Arc<Inner<C>>, id: EndpointId, addresses: BTreeSet<TransportAddr>) -> bool {
    let Ok(stranger) = start::stranger().await else { return false };
    let asking = tokio::time::timeout(inner.options.dial_time, dial(&stranger, id, addresses));
    let there = tokio::select! {
        answer = asking => matches!(answer, Ok(Ok(_))),
        () = inner.stop.cancelled() => false,
    };
    stranger.close().await;
    there
}

/// Whether an address is one of a home's own network.
fn is_inside(address: &TransportAddr) -> bool {
    let TransportAddr::Ip(address) = address else { return false };
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_homes_own_network_are_told_from_those_of_all_the_world() {
        let inside = |text| start::parse_address(text).is_some_and(|address| is_inside(&address));
        for home in
            ["192.168.1.2:9001", "10.0.0.2:9001", "127.0.0.1:9001", "[fd00::2]:9001", "[::ffff:172.16.0.2]:9001"]
        {
            assert!(inside(home), "{home}");
        }
        for world in ["203.0.113.7:9001", "[2001:db8::1]:9001", "https://relay.example.org/"] {
            assert!(!inside(world), "{world}");
        }
    }
}
