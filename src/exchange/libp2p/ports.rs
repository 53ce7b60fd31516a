//! Asks the router to forward the ports, by UPnP, PCP or NAT-PMP, and says what came of it.
use std::net::SocketAddrV4;
use std::num::NonZeroU16;
use std::sync::Arc;

use ::libp2p::Multiaddr;
use ::libp2p::multiaddr::Protocol;
use portmapper::{Client, Config};
use tokio::sync::{Notify, watch};

use super::options::PortState;
use crate::exchange::network::is_public;

/// A port that is to be forwarded.
struct Forward {
    client: Client,
    external: watch::Receiver<Option<SocketAddrV4>>,
    /// The rest of the address behind the port.
    rest: Multiaddr,
    udp: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Ports {
    asked: bool,
    tcp: Option<Forward>,
    udp: Option<Forward>,
    changed: Arc<Notify>,
}

impl Ports {
    pub fn new(asked: bool) -> Self {
        Self { asked, ..Self::default() }
    }

    /// This node listens at an address of IPv4. The first port of each kind is forwarded; loopback needs none.
    pub fn listens(&mut self, address: &Multiaddr) {
        let Some((port, udp, rest)) = port_of(address).filter(|_| self.asked) else { return };
        let place = if udp { &mut self.udp } else { &mut self.tcp };
        if place.is_some() {
            return;
        }
        let protocol = if udp { portmapper::Protocol::Udp } else { portmapper::Protocol::Tcp };
        let client = Client::new(Config { enable_upnp: true, enable_pcp: true, enable_nat_pmp: true, protocol });
        client.update_local_port(port);
        client.procure_mapping();
        let (external, changed) = (client.watch_external_address(), Arc::clone(&self.changed));
        let mut watched = external.clone();
        // It ends with the client.
        tokio::spawn(async move {
            while watched.changed().await.is_ok() {
                changed.notify_one();
            }
        });
        *place = Some(Forward { external, client, rest, udp });
    }

    /// Comes back when the router forwards otherwise than before.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The addresses at which the router passes on to this node, those that the internet reaches.
    pub fn external(&self) -> Vec<Multiaddr> {
        self.told().filter(|(at, _)| is_public((*at.ip()).into())).map(|(_, address)| address).collect()
    }

    /// What the router said.
    fn told(&self) -> impl Iterator<Item = (SocketAddrV4, Multiaddr)> {
        [&self.tcp, &self.udp].into_iter().flatten().filter_map(Forward::address)
    }

    pub fn state(&self) -> PortState {
        if !self.asked {
            return PortState::Off;
        }
        let text = |addresses: Vec<Multiaddr>| addresses.iter().map(ToString::to_string).collect();
        match (self.external(), self.told().map(|(_, address)| address).collect::<Vec<_>>()) {
            (_, told) if told.is_empty() => PortState::Asked,
            (external, told) if external.is_empty() => PortState::Inside(text(told)),
            (external, _) => PortState::Forwarded(text(external)),
        }
    }

    /// Takes the ports back.
    pub fn stop(&self) {
        [&self.tcp, &self.udp].into_iter().flatten().for_each(|forward| forward.client.deactivate());
    }
}

impl Forward {
    fn address(&self) -> Option<(SocketAddrV4, Multiaddr)> {
        let external = (*self.external.borrow())?;
        let port = if self.udp { Protocol::Udp(external.port()) } else { Protocol::Tcp(external.port()) };
        let address = Multiaddr::empty().with(Protocol::Ip4(*external.ip())).with(port);
        Some((external, self.rest.iter().fold(address, Multiaddr::with)))
    }
}

/// Port, whether it is of UDP, and what follows.
fn port_of(address: &Multiaddr) -> Option<(NonZeroU16, bool, Multiaddr)> {
    let mut parts = address.iter();
    match parts.next()? {
        Protocol::Ip4(ip) if !ip.is_loopback() => {}
        _ => return None,
    }
    let (port, udp) = match parts.next()? {
        Protocol::Tcp(port) => (port, false),
        Protocol::Udp(port) => (port, true),
        _ => return None,
    };
    let rest: Multiaddr = parts.collect();
    // Of two ports of TCP the one for browsers is the lesser.
    (udp || rest.is_empty()).then_some((NonZeroU16::new(port)?, udp, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_an_address_is_found_with_its_kind() {
        let of =
            |text: &str| port_of(&text.parse().unwrap()).map(|(port, udp, rest)| (port.get(), udp, rest.to_string()));
        assert_eq!(of("/ip4/192.0.2.1/tcp/4001"), Some((4001, false, String::new())));
        assert_eq!(of("/ip4/192.0.2.1/udp/4001/quic-v1"), Some((4001, true, "/quic-v1".to_owned())));
        for none in [
            "/ip4/192.0.2.1/tcp/4002/ws",
            "/ip4/127.0.0.1/tcp/4001",
            "/ip6/2001:db8::1/tcp/4001",
            "/dns/example.org/tcp/4001",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_router_that_is_not_asked_is_told_apart_from_one_that_does_not_answer() {
        assert_eq!(Ports::new(false).state(), PortState::Off);
        assert_eq!(Ports::new(true).state(), PortState::Asked);
    }
}
