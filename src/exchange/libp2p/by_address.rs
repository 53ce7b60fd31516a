//! Not more than some connections from one place: a house, or a machine of a hoster, can be many nodes by many keys.
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};

use ::libp2p::core::Endpoint;
use ::libp2p::core::transport::PortUse;
use ::libp2p::multiaddr::Protocol;
use ::libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use ::libp2p::{Multiaddr, PeerId};

use crate::exchange::network::is_public;

/// Connections that come from one place. Behind the address of a provider there may be several households.
const PER_PLACE: usize = 32;

/// See the module.
#[derive(Default)]
pub(super) struct ByAddress {
    places: HashMap<ConnectionId, IpAddr>,
    counts: HashMap<IpAddr, usize>,
}

#[derive(Debug, thiserror::Error)]
#[error("{PER_PLACE} connections from {0} are enough")]
struct Crowded(IpAddr);

impl ByAddress {
    fn take(&mut self, connection: ConnectionId, from: &Multiaddr) -> Result<(), Crowded> {
        let Some(place) = place(from) else { return Ok(()) };
        let count = self.counts.entry(place).or_default();
        if *count >= PER_PLACE {
            return Err(Crowded(place));
        }
        *count += 1;
        self.places.insert(connection, place);
        Ok(())
    }

    fn leave(&mut self, connection: ConnectionId) {
        let Some(place) = self.places.remove(&connection) else { return };
        if let Some(count) = self.counts.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&place);
            }
        }
    }
}

/// What counts as one place: an address of IPv4, a network of IPv6. `None` for one's own networks, and where a relay comes between.
fn place(from: &Multiaddr) -> Option<IpAddr> {
    if from.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    match from.iter().next()? {
        Protocol::Ip4(ip) if is_public(ip.into()) => Some(ip.into()),
        Protocol::Ip6(ip) if is_public(ip.into()) => match ip.to_ipv4_mapped() {
            Some(ip) => Some(ip.into()),
            None => Some(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into()),
        },
        _ => None,
    }
}

impl NetworkBehaviour for ByAddress {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.take(connection, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => self.leave(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(from: impl Fn(usize) -> String) -> (ByAddress, usize) {
        let mut all = ByAddress::default();
        let taken = (0..4 * PER_PLACE)
            .filter(|n| all.take(ConnectionId::new_unchecked(*n), &from(*n).parse().unwrap()).is_ok())
            .count();
        (all, taken)
    }

    #[test]
    fn one_place_has_not_all_connections() {
        let (mut all, count) = taken(|n| format!("/ip4/1.1.1.1/tcp/{}", n + 1));
        assert_eq!(count, PER_PLACE);
        let elsewhere: Multiaddr = "/ip4/1.1.1.2/tcp/1".parse().unwrap();
        assert!(all.take(ConnectionId::new_unchecked(1000), &elsewhere).is_ok());
        all.leave(ConnectionId::new_unchecked(0));
        assert!(all.take(ConnectionId::new_unchecked(1001), &"/ip4/1.1.1.1/tcp/9".parse().unwrap()).is_ok());
        assert!(all.take(ConnectionId::new_unchecked(1002), &"/ip4/1.1.1.1/tcp/9".parse().unwrap()).is_err());
    }

    #[test]
    fn a_network_of_ipv6_is_one_place() {
        assert_eq!(taken(|n| format!("/ip6/2606:4700::{n:x}/tcp/1")).1, PER_PLACE);
        assert_eq!(taken(|n| format!("/ip6/2606:4700:0:{n:x}::1/tcp/1")).1, 4 * PER_PLACE);
    }

    #[test]
    fn the_own_house_is_not_counted() {
        for own in ["/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.2/udp/1/quic-v1", "/ip6/fe80::1/tcp/1"] {
            assert_eq!(taken(|_| own.to_owned()).1, 4 * PER_PLACE, "{own}");
        }
        let relayed = "/ip4/1.1.1.1/tcp/1/p2p-circuit";
        assert_eq!(taken(|_| relayed.to_owned()).1, 4 * PER_PLACE);
    }

    #[test]
    fn all_that_is_remembered_goes_with_the_connections() {
        let (mut all, _) = taken(|n| format!("/ip4/1.1.{}.1/tcp/1", n % 7));
        (0..4 * PER_PLACE).for_each(|n| all.leave(ConnectionId::new_unchecked(n)));
        assert!(all.places.is_empty() && all.counts.is_empty());
    }
}
