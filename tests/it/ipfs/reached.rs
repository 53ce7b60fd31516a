//! A host in the public network learns from others where it is reached.
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, SwarmBuilder, autonat, identify, noise, yamux};
use potluck::exchange::libp2p::{Libp2pOptions, Routing};

use super::{Host, options, served, until};

#[derive(NetworkBehaviour)]
struct Helper {
    autonat: autonat::v2::server::Behaviour,
    identify: identify::Behaviour,
}

/// One who dials back whoever asks for it; its address with its id.
async fn helper() -> String {
    let swarm: Swarm<Helper> = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(Default::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|key| Helper {
            autonat: autonat::v2::server::Behaviour::default(),
            identify: identify::Behaviour::new(identify::Config::new("helper".to_owned(), key.public())),
        })
        .unwrap()
        .build();
    served(swarm, "127.0.0.1").await
}

#[tokio::test]
async fn a_host_is_told_where_it_is_reached_by_one_who_tried_it() {
    let bootstrap = vec![helper().await];
    let host = Host::with(Libp2pOptions { routing: Routing::Public, bootstrap, ..options(1) }).await;
    let listens = host.libp2p.state().listens;
    until(|| host.libp2p.state().external == listens).await;
    host.libp2p.stop().await;
}
