//! Where this node listens, and where others reach it.
use std::net::{IpAddr, SocketAddr};

use ::libp2p::Multiaddr;
use ::libp2p::core::transport::ListenerId;
use ::libp2p::multiaddr::Protocol;

use super::worker::Worker;

impl Worker {
    /// Listens there; an address that cannot be used is told, and the others are used.
    pub fn listen(&mut self, address: Multiaddr) {
        // libp2p would share a port with another program of the same user, and each would get some of the other's calls.
        if let Some(error) = tcp_socket(&address).and_then(|socket| std::net::TcpListener::bind(socket).err()) {
            return self.not_listened(&address, &error);
        }
        match self.swarm.listen_on(address.clone()) {
            Ok(id) => drop(self.failed.insert(id, address)),
            Err(error) => self.not_listened(&address, &error),
        }
    }

    /// It listens there from now on.
    pub fn listens(&mut self, address: &Multiaddr) {
        self.ports.listens(address);
        // Who announces without an address is not remembered.
        if self.private && !self.swarm.external_addresses().any(|known| known == address) {
            self.swarm.add_external_address(address.clone());
            self.local.push(address.clone());
        }
    }

    /// And there no more.
    pub fn listens_no_more(&mut self, address: &Multiaddr) {
        if let Some(at) = self.local.iter().position(|known| known == address) {
            self.swarm.remove_external_address(address);
            self.local.swap_remove(at);
        }
    }

    /// Has a relay pass on connections, and again when that ended.
    pub fn listen_at_relay(&mut self, address: Multiaddr) {
        let listener = self.swarm.listen_on(address.clone()).ok();
        self.relays.push((address, listener));
    }

    /// A listener ended.
    pub fn closed(&mut self, listener: ListenerId) {
        for (_, open) in self.relays.iter_mut().filter(|(_, open)| *open == Some(listener)) {
            *open = None;
        }
    }

    pub fn not_listened(&mut self, address: &Multiaddr, error: &dyn std::fmt::Display) {
        tracing::warn!(%address, %error, "the IPFS side does not listen there");
        self.refused.push(format!("{address}: {error}"));
    }

    pub fn reached_at(&mut self, address: Multiaddr) {
        self.swarm.add_external_address(address);
    }

    /// The router forwards otherwise than before.
    pub fn take_ports(&mut self) {
        let now = self.ports.external();
        for gone in self.forwarded.iter().filter(|address| !now.contains(address)) {
            self.swarm.remove_external_address(gone);
        }
        for new in now.iter().filter(|address| !self.forwarded.contains(address)) {
            tracing::info!(address = %new, "the router forwards a port to the IPFS side");
            self.swarm.add_external_address(new.clone());
        }
        self.forwarded = now;
    }
}

/// Where an address of TCP listens.
fn tcp_socket(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) if parts.all(|part| matches!(part, Protocol::Ws(_) | Protocol::Wss(_))) => {
            Some(SocketAddr::new(ip, port))
        }
        _ => None,
    }
}
