//! The links that are open, by the public key of the other side.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use iroh::TransportAddr;
use iroh::endpoint::{Connection, VarInt};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::start::address_text;

/// Links to one node that may be open at a time: both sides may dial at once. The oldest gives way.
const PER_NODE: usize = 3;

/// Why a link is closed, for the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Stopping,
    Revoked,
    TooMany,
    TooLong,
}

impl Reason {
    fn code(self) -> VarInt {
        VarInt::from_u32(match self {
            Self::Stopping => 0,
            Self::Revoked => 1,
            Self::TooMany => 2,
            Self::TooLong => 3,
        })
    }

    fn text(self) -> &'static str {
        match self {
            Self::Stopping => "the node is stopping",
            Self::Revoked => "your node may no longer do this",
            Self::TooMany => "too many connections",
            Self::TooLong => "this node does not know yours",
        }
    }
}

/// How another node is reached at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// Tells this link from those before it.
    pub number: u64,
    /// Whether this side dialed.
    pub dialed: bool,
    /// Socket address of the other side, or URL of the relay between.
    pub address: String,
    /// Whether a relay is between.
    pub relayed: bool,
    /// Round-trip time.
    pub rtt: Duration,
}

/// One open link.
pub(super) struct Link<C> {
    pub number: u64,
    /// Public key of the other side.
    pub node: String,
    pub connection: Connection,
    pub dialed: bool,
    /// False while nobody knows the node.
    pub known: AtomicBool,
    caller: Mutex<C>,
}

impl<C: Clone> Link<C> {
    /// Takes over what the node may do by now.
    pub fn recognised(&self, caller: C, known: bool) {
        *self.caller.lock() = caller;
        self.known.store(known, Ordering::Relaxed);
    }

    /// Whom it stood for when that was looked up last.
    pub fn caller(&self) -> C {
        self.caller.lock().clone()
    }

    pub fn close(&self, reason: Reason) {
        self.connection.close(reason.code(), reason.text().as_bytes());
    }

    /// Where the other side is; unspecified behind a relay.
    pub fn ip(&self) -> IpAddr {
        match self.path() {
            Some((TransportAddr::Ip(address), _)) => address.ip().to_canonical(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        }
    }

    pub fn state(&self) -> LinkState {
        let (address, rtt) = self.path().unzip();
        LinkState {
            number: self.number,
            dialed: self.dialed,
            relayed: address.as_ref().is_some_and(TransportAddr::is_relay),
            address: address.as_ref().and_then(address_text).unwrap_or_default(),
            rtt: rtt.unwrap_or_default(),
        }
    }

    /// The path in use, or else any.
    fn path(&self) -> Option<(TransportAddr, Duration)> {
        let paths = self.connection.paths();
        let path = paths.iter().find(|path| path.is_selected()).or_else(|| paths.iter().next())?;
        Some((path.remote_addr().clone(), path.rtt()))
    }
}

/// All of them.
pub(super) struct Links<C> {
    by_node: Mutex<HashMap<String, Vec<Arc<Link<C>>>>>,
    next: AtomicU64,
    changed: watch::Sender<u64>,
}

impl<C> Default for Links<C> {
    fn default() -> Self {
        Self { by_node: Mutex::default(), next: AtomicU64::new(1), changed: watch::Sender::new(0) }
    }
}

impl<C: Clone> Links<C> {
    pub fn add(&self, node: String, connection: Connection, dialed: bool, caller: C, known: bool) -> Arc<Link<C>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (known, caller) = (AtomicBool::new(known), Mutex::new(caller));
        let link = Arc::new(Link { number, node: node.clone(), connection, dialed, known, caller });
        let mut by_node = self.by_node.lock();
        let links = by_node.entry(node).or_default();
        links.push(Arc::clone(&link));
        if links.len() > PER_NODE {
            links.remove(0).close(Reason::TooMany);
        }
        drop(by_node);
        self.changed.send_modify(|n| *n += 1);
        link
    }

    pub fn remove(&self, link: &Link<C>) {
        let mut by_node = self.by_node.lock();
        if let Some(links) = by_node.get_mut(&link.node) {
            links.retain(|other| other.number != link.number);
            if links.is_empty() {
                by_node.remove(&link.node);
            }
        }
        drop(by_node);
        self.changed.send_modify(|n| *n += 1);
    }

    /// The newest link to a node that is not closed.
    pub fn newest(&self, node: &str) -> Option<Arc<Link<C>>> {
        let by_node = self.by_node.lock();
        let open = |link: &&Arc<Link<C>>| link.connection.close_reason().is_none();
        by_node.get(node)?.iter().rev().find(open).cloned()
    }

    /// Closes the links whose caller `gone` picks. The lists forget them when their tasks end.
    pub fn close(&self, gone: impl Fn(&C) -> bool) {
        self.all().iter().filter(|link| gone(&link.caller())).for_each(|link| link.close(Reason::Revoked));
    }

    pub fn all(&self) -> Vec<Arc<Link<C>>> {
        self.by_node.lock().values().flatten().cloned().collect()
    }

    pub fn close_all(&self) {
        self.by_node.lock().values().flatten().for_each(|link| link.close(Reason::Stopping));
    }

    pub fn count(&self) -> usize {
        self.by_node.lock().values().map(Vec::len).sum()
    }

    pub fn strangers(&self) -> usize {
        let by_node = self.by_node.lock();
        by_node.values().flatten().filter(|link| !link.dialed && !link.known.load(Ordering::Relaxed)).count()
    }

    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
