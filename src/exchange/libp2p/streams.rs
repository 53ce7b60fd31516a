//! Streams of one protocol, as they come and as they are asked for; what is said on them is decided elsewhere.
//!
//! No stream that arrives is lost: they wait in a queue, as many as a connection may have ([`super::start`] limits that).
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::task::{Context, Poll};

use ::libp2p::core::Endpoint;
use ::libp2p::core::transport::PortUse;
use ::libp2p::core::upgrade::ReadyUpgrade;
use ::libp2p::swarm::behaviour::ConnectionEstablished;
use ::libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound, ProtocolsChange,
};
use ::libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, NotifyHandler, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use ::libp2p::{Multiaddr, PeerId, Stream, StreamProtocol};
use tokio::sync::{mpsc, oneshot};

/// What happens at other nodes.
#[derive(Debug)]
pub(super) enum Arrival {
    /// It speaks the protocol.
    Speaks(PeerId),
    /// Its last connection ended.
    Gone(PeerId),
    /// It opened a stream.
    Stream(PeerId, Stream),
}

/// A stream is to be opened; there is no answer where that is not possible.
#[derive(Debug)]
pub(super) struct Order {
    pub peer: PeerId,
    pub opened: oneshot::Sender<Stream>,
}

struct Connection {
    id: ConnectionId,
    relayed: bool,
}

/// Orders that may wait.
const ORDERS: usize = 256;

type Arrivals = mpsc::UnboundedSender<Arrival>;
type Upgrade = ReadyUpgrade<StreamProtocol>;

/// See the module.
pub(super) struct Streams {
    protocol: StreamProtocol,
    arrivals: Arrivals,
    orders: mpsc::Receiver<Order>,
    /// Of each node, the direct ones before those by way of a relay.
    connections: HashMap<PeerId, Vec<Connection>>,
}

impl Streams {
    /// Where orders go, and where arrivals come from.
    pub fn new(protocol: StreamProtocol) -> (Self, mpsc::Sender<Order>, mpsc::UnboundedReceiver<Arrival>) {
        let (arrivals, arriving) = mpsc::unbounded_channel();
        let (ordering, orders) = mpsc::channel(ORDERS);
        (Self { protocol, arrivals, orders, connections: HashMap::new() }, ordering, arriving)
    }

    /// Nodes that are connected by way of a relay only.
    pub fn relayed(&self) -> usize {
        self.connections.values().filter(|known| known.iter().all(|connection| connection.relayed)).count()
    }

    fn handler(&self, peer: PeerId) -> Handler {
        let (protocol, arrivals) = (self.protocol.clone(), self.arrivals.clone());
        Handler { peer, protocol, arrivals, opening: VecDeque::new() }
    }

    fn opened(&mut self, peer: PeerId, connection: Connection) {
        let known = self.connections.entry(peer).or_default();
        known.push(connection);
        known.sort_by_key(|connection| connection.relayed);
    }

    fn closed(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(known) = self.connections.get_mut(&peer) else { return };
        known.retain(|connection| connection.id != id);
        if known.is_empty() {
            self.connections.remove(&peer);
            let _ = self.arrivals.send(Arrival::Gone(peer));
        }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                self.opened(peer_id, Connection { id: connection_id, relayed: endpoint.is_relayed() });
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.closed(peer_id, connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        while let Poll::Ready(Some(Order { peer, opened })) = self.orders.poll_recv(cx) {
            if let Some(best) = self.connections.get(&peer).and_then(|known| known.first()) {
                let handler = NotifyHandler::One(best.id);
                return Poll::Ready(ToSwarm::NotifyHandler { peer_id: peer, handler, event: opened });
            }
        }
        Poll::Pending
    }
}

/// Of one connection.
pub(super) struct Handler {
    peer: PeerId,
    protocol: StreamProtocol,
    arrivals: Arrivals,
    opening: VecDeque<oneshot::Sender<Stream>>,
}

impl Handler {
    fn tell(&self, arrival: Arrival) {
        // Nobody listens any more when the node stops.
        let _ = self.arrivals.send(arrival);
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = oneshot::Sender<Stream>;
    type ToBehaviour = Infallible;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<Stream>;

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Upgrade, Self::OutboundOpenInfo, Infallible>> {
        match self.opening.pop_front() {
            Some(opened) => Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), opened),
            }),
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, opened: oneshot::Sender<Stream>) {
        self.opening.push_back(opened);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Upgrade, Upgrade, Self::InboundOpenInfo, Self::OutboundOpenInfo>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.tell(Arrival::Stream(self.peer, protocol));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info }) => {
                let _ = info.send(protocol);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                tracing::debug!(peer = %self.peer, %error, "no stream could be opened");
            }
            ConnectionEvent::RemoteProtocolsChange(ProtocolsChange::Added(mut added)) => {
                if added.any(|protocol| *protocol == self.protocol) {
                    self.tell(Arrival::Speaks(self.peer));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_connection_is_used_before_one_by_way_of_a_relay() {
        let (mut streams, ..) = Streams::new(StreamProtocol::new("/test"));
        let peer = PeerId::random();
        let [first, second] = [1, 2].map(ConnectionId::new_unchecked);
        streams.opened(peer, Connection { id: first, relayed: true });
        streams.opened(peer, Connection { id: second, relayed: false });
        let best = |streams: &Streams| streams.connections[&peer][0].id;
        assert_eq!((best(&streams), streams.relayed()), (second, 0));
        streams.closed(peer, second);
        assert_eq!((best(&streams), streams.relayed()), (first, 1));
    }

    #[test]
    fn one_is_gone_with_its_last_connection() {
        let (mut streams, _orders, mut arrivals) = Streams::new(StreamProtocol::new("/test"));
        let peer = PeerId::random();
        let [first, second] = [1, 2].map(ConnectionId::new_unchecked);
        streams.opened(peer, Connection { id: first, relayed: false });
        streams.opened(peer, Connection { id: second, relayed: false });
        streams.closed(peer, first);
        assert!(arrivals.try_recv().is_err());
        streams.closed(peer, second);
        assert!(matches!(arrivals.try_recv(), Ok(Arrival::Gone(gone)) if gone == peer));
    }
}
