//! What the swarm tells, and what follows from it.
use ::libp2p::kad::{self, InboundRequest};
use ::libp2p::swarm::SwarmEvent;
use ::libp2p::{PeerId, identify};

use super::behaviour::BehaviourEvent;
use super::options::Libp2pError;
use super::outside::is_of_house;
use super::queries::Next;
use super::worker::Worker;

impl Worker {
    pub fn event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.told(event),
            SwarmEvent::NewListenAddr { listener_id, address } => {
                tracing::debug!(%address, "the IPFS side listens");
                self.failed.remove(&listener_id);
                self.listens(&address);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => self.listens_no_more(&address),
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                self.closed(listener_id);
                if let (Some(address), Err(error)) = (self.failed.remove(&listener_id), reason) {
                    self.not_listened(&address, &error);
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                // Before whoever asked for it looks.
                self.publish();
                self.dialed(peer_id, || Ok(()));
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                let reason = error.to_string();
                self.dialed(peer, || Err(Libp2pError::Unreachable(reason.clone())));
            }
            _ => {}
        }
    }

    fn dialed(&mut self, peer: PeerId, result: impl Fn() -> Result<(), Libp2pError>) {
        for answer in self.dialing.remove(&peer).unwrap_or_default() {
            // Who asked may have gone.
            let _ = answer.send(result());
        }
    }

    fn told(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => self.met(peer_id, info),
            BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed { id, result, step, stats }) => {
                match self.queries.step(id, result, &step, stats.num_successes(), &self.check) {
                    Next::More => {}
                    Next::Enough => self.finish(&id),
                    Next::Found(root, peers) => self.found(&root, peers),
                }
            }
            BehaviourEvent::Kad(kad::Event::InboundRequest { request }) => self.keep(request),
            _ => {}
        }
    }

    fn finish(&mut self, id: &kad::QueryId) {
        if let Some(mut query) = self.swarm.behaviour_mut().kad.as_mut().and_then(|kad| kad.query_mut(id)) {
            query.finish();
        }
    }

    /// A node that speaks this Kademlia is remembered with its addresses.
    fn met(&mut self, peer: PeerId, info: identify::Info) {
        let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() else { return };
        if info.protocols.iter().any(|protocol| kad.protocol_names().contains(protocol)) {
            let told = info.listen_addrs.into_iter().filter(|address| !self.public || !is_of_house(address));
            for address in told {
                kad.add_address(&peer, address);
            }
        }
    }

    /// What others want kept here: records that are right, and providers.
    fn keep(&mut self, request: InboundRequest) {
        let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() else { return };
        match request {
            InboundRequest::PutRecord { record: Some(record), .. } => {
                self.kept.record(kad.store_mut(), record, &self.check);
            }
            InboundRequest::AddProvider { record: Some(record) } => self.kept.provider(kad.store_mut(), record),
            _ => {}
        }
    }
}
