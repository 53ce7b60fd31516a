//! In the public network anybody may say that a node is at an address of this house. Nothing is dialed there on the word of others.
use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll};

use ::libp2p::core::Endpoint;
use ::libp2p::core::transport::PortUse;
use ::libp2p::multiaddr::Protocol;
use ::libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use ::libp2p::{Multiaddr, PeerId};

use crate::exchange::network::is_public;

/// Whether an address is one of a house, or of a machine itself: it means another node to everybody else.
pub(super) fn is_of_house(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => !is_public(ip.into()),
        Some(Protocol::Ip6(ip)) => !is_public(ip.into()),
        _ => false,
    }
}

/// A protocol that knows addresses of nodes from others; `wary` leaves those of houses out.
pub(super) struct Outside<B> {
    inner: B,
    wary: bool,
}

impl<B> Outside<B> {
    pub fn new(inner: B, wary: bool) -> Self {
        Self { inner, wary }
    }

    fn allowed(&self, mut addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
        addresses.retain(|address| !self.wary || !is_of_house(address));
        addresses
    }
}

impl<B> Deref for Outside<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.inner
    }
}

impl<B> DerefMut for Outside<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.inner
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Outside<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(id, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let known = self.inner.handle_pending_outbound_connection(id, peer, addresses, role)?;
        Ok(self.allowed(known))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(id, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use ::libp2p::kad;
    use ::libp2p::kad::store::MemoryStore;

    use super::*;

    #[test]
    fn addresses_of_houses_are_told_from_those_of_the_internet() {
        let is = |text: &str| is_of_house(&text.parse().unwrap());
        for house in
            ["/ip4/192.168.0.9/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1", "/ip6/fe80::1/tcp/1", "/ip4/100.64.0.1/tcp/1"]
        {
            assert!(is(house), "{house}");
        }
        for internet in ["/ip4/1.1.1.1/tcp/1", "/ip6/2606:4700::1/tcp/1", "/dns4/example.org/tcp/1"] {
            assert!(!is(internet), "{internet}");
        }
    }

    #[test]
    fn nothing_is_dialed_in_the_house_on_the_word_of_others() {
        let (own, other) = (PeerId::random(), PeerId::random());
        for (wary, expected) in [(true, 1), (false, 2)] {
            let mut kad = Outside::new(kad::Behaviour::new(own, MemoryStore::new(own)), wary);
            for address in ["/ip4/192.168.0.9/tcp/22", "/ip4/1.1.1.1/tcp/4001"] {
                kad.add_address(&other, address.parse().unwrap());
            }
            let id = ConnectionId::new_unchecked(1);
            let dialed = kad.handle_pending_outbound_connection(id, Some(other), &[], Endpoint::Dialer).unwrap();
            assert_eq!(dialed.len(), expected, "{dialed:?}");
        }
    }
}
