//! A host that cannot be reached, and a relay that passes on connections to it.
use libp2p::futures::StreamExt as _;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, Swarm, SwarmBuilder, identify, noise, relay, yamux};
use potluck::exchange::libp2p::Libp2pOptions;

use super::{Host, options, until};

#[derive(NetworkBehaviour)]
struct Relay {
    relay: relay::Behaviour,
    identify: identify::Behaviour,
}

/// A relay as anybody may run one; its address with its id.
async fn relay() -> String {
    let mut swarm: Swarm<Relay> = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(Default::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|key| Relay {
            relay: relay::Behaviour::new(key.public().to_peer_id(), relay::Config::default()),
            identify: identify::Behaviour::new(identify::Config::new("relay".to_owned(), key.public())),
        })
        .unwrap()
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address: Multiaddr = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    // Nobody else tells it where it is reached.
    swarm.add_external_address(address.clone());
    let address = format!("{address}/p2p/{}", swarm.local_peer_id());
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    address
}

#[tokio::test]
async fn a_host_that_listens_nowhere_is_reached_through_a_relay() {
    let relays = vec![relay().await];
    let hidden = Host::with(Libp2pOptions { listen: Vec::new(), relays, ..options(1) }).await;
    until(|| hidden.libp2p.addresses().iter().any(|address| address.contains("/p2p-circuit"))).await;
    let (layout, content) = hidden.file("soup", 50_000).await;
    let other = Host::new(2).await;
    other.libp2p.connect(&hidden.libp2p.addresses()[0]).await.unwrap();
    assert!(other.fetch(&layout).await.unwrap() == content);
    hidden.libp2p.stop().await;
    other.libp2p.stop().await;
}
