//! A host that cannot be reached, and a relay that passes on connections to it: until both punched a hole.
use std::sync::mpsc;

use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, SwarmBuilder, identify, noise, relay, yamux};
use potluck::exchange::libp2p::Libp2pOptions;

use serde_json::{Value, json};

use super::{Host, options, served, until};
use crate::far_node::FarNode;
use crate::internet::{Internet, Place, Router};

#[derive(NetworkBehaviour)]
struct Relay {
    relay: relay::Behaviour,
    identify: identify::Behaviour,
}

/// A relay as anybody may run one; its address with its id.
async fn relay(ip: &str) -> String {
    let swarm: Swarm<Relay> = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(Default::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|key| Relay {
            relay: relay::Behaviour::new(key.public().to_peer_id(), relay::Config::default()),
            identify: identify::Behaviour::new(identify::Config::new("relay".to_owned(), key.public())),
        })
        .unwrap()
        .build();
    served(swarm, ip).await
}

#[tokio::test]
async fn a_host_that_listens_nowhere_is_reached_through_a_relay() {
    let relays = vec![relay("127.0.0.1").await];
    let hidden = Host::with(Libp2pOptions { listen: Vec::new(), relays, ..options(1) }).await;
    until(|| hidden.libp2p.addresses().iter().any(|address| address.contains("/p2p-circuit"))).await;
    let (layout, content) = hidden.file("soup", 50_000).await;
    let other = Host::new(2).await;
    other.libp2p.connect(&hidden.libp2p.addresses()[0]).await.unwrap();
    assert!(other.fetch(&layout).await.unwrap() == content);
    hidden.libp2p.stop().await;
    other.libp2p.stop().await;
}

/// A relay at a place; its address with its id.
fn relay_at(place: &Place) -> String {
    let (told, address) = mpsc::channel();
    let ip = place.address();
    place.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            told.send(relay(&ip).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    address.recv().unwrap()
}

async fn home(name: &'static str, net: &Internet, relay: &str) -> FarNode {
    let node = FarNode::new(name, net.home(Router::Closed)).await;
    let node = node.set("POTLUCK_IPFS__ENABLED", "true").set("POTLUCK_IPFS__RELAYS", relay);
    let listen = "/ip4/0.0.0.0/tcp/4001,/ip4/0.0.0.0/udp/4001/quic-v1";
    node.set("POTLUCK_IPFS__LISTEN", listen).running().await
}

/// What the node says of its IPFS side, once it is so.
async fn ipfs(node: &FarNode, so: impl Fn(&Value) -> bool) -> Value {
    let seen = async {
        loop {
            let ipfs = node.get("/api/v1/ipfs").await;
            if so(&ipfs) {
                return ipfs;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(super::PATIENCE, seen).await {
        Ok(ipfs) => ipfs,
        Err(_) => panic!("{}: {}", node.name, node.get("/api/v1/ipfs").await),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_homes_that_forward_nothing_meet_at_a_relay_and_need_it_no_more() {
    let Some(net) = Internet::new() else { return };
    let street = net.street();
    let relay = relay_at(&street);
    let (ann, bob) = (home("Ann", &net, &relay).await, home("Bob", &net, &relay).await);
    let public = json!({"visibility": "public"});
    ann.json("PATCH", &format!("/api/v1/libraries/{}", ann.library), public).await;
    let item = ann.get("/api/v1/items?kind=video").await["items"][0].clone();
    let cid = item["cid"].as_str().unwrap().to_owned();

    let relayed = |ipfs: &Value| {
        let addresses = ipfs["addresses"].as_array().unwrap().iter();
        addresses.filter_map(Value::as_str).find(|address| address.contains("/p2p-circuit")).map(str::to_owned)
    };
    let at = relayed(&ipfs(&ann, |ipfs| relayed(ipfs).is_some()).await).unwrap();
    bob.json("POST", "/api/v1/ipfs/peers", json!({"address": at})).await;
    ipfs(&bob, |ipfs| ipfs["peers"] == 2 && ipfs["relayed"] == 0).await;
    net.cut(&street);
    let (status, block) = bob.call("GET", &format!("/ipfs/{cid}?format=raw"), Value::Null).await;
    assert_eq!(status, 200, "{block:?}");
    let cid = potluck::content::cid::parse(&cid).unwrap();
    assert_eq!(potluck::content::cid::verify(&cid, &block), Ok(()));
}
