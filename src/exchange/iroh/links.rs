//! The links that are open, by the public key of the other side, and the nodes whose links rest.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use iroh::TransportAddr;
use iroh::endpoint::{Connection, ConnectionError, VarInt};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::rest::Resting;
use super::start::address_text;
use super::usage::{InUse, Usage};

/// Links to one node that may be open at a time: both sides may dial at once. The oldest gives way.
const PER_NODE: usize = 3;

/// Why a link is closed, for the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Stopping,
    Revoked,
    TooMany,
    TooLong,
    Resting,
}

impl Reason {
    fn code(self) -> VarInt {
        VarInt::from_u32(match self {
            Self::Stopping => 0,
            Self::Revoked => 1,
            Self::TooMany => 2,
            Self::TooLong => 3,
            Self::Resting => 4,
        })
    }

    fn text(self) -> &'static str {
        match self {
            Self::Stopping => "the node is stopping",
            Self::Revoked => "your node may no longer do this",
            Self::TooMany => "too many connections",
            Self::TooLong => "this node does not know yours",
            Self::Resting => "nothing to say for now",
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
    pub usage: Arc<Mutex<Usage>>,
    caller: Mutex<C>,
}

impl<C: Clone> Link<C> {
    /// Takes over what the node may do by now.
    pub fn recognised(&self, caller: C, known: bool) {
        *self.caller.lock() = caller;
        self.known.store(known, Ordering::Relaxed);
    }

    pub fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Begins an exchange. Nothing where the link was put to rest.
    pub fn begin(&self) -> Option<InUse> {
        InUse::begin(&self.usage)
    }

    /// Since when nothing is under way; nothing while something is.
    pub fn idle_since(&self) -> Option<Instant> {
        let usage = self.usage.lock();
        (usage.open == 0).then_some(usage.last)
    }

    /// Whether the other side put it to rest.
    pub fn was_let_rest(&self) -> bool {
        let closed = self.connection.close_reason();
        matches!(closed, Some(ConnectionError::ApplicationClosed(close)) if close.error_code == Reason::Resting.code())
    }

    /// Whether the other side knows nothing of it any more, and what it said of that was lost. Only a node that runs on since
    /// it had the link can tell so: it is there.
    pub fn was_forgotten(&self) -> bool {
        matches!(self.connection.close_reason(), Some(ConnectionError::Reset))
    }

    /// Whether the other side has closed it and is there.
    pub fn rests(&self) -> bool {
        self.was_let_rest() || self.was_forgotten()
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

/// How a node stands at this moment.
pub(super) enum Standing<C> {
    /// There is a link to it, or one that ended just now and is not noted yet.
    Linked(Arc<Link<C>>),
    /// Its link rests, until this is cancelled.
    Rests(CancellationToken),
    /// Neither.
    Away,
}

pub(super) struct Table<C> {
    pub open: HashMap<String, Vec<Arc<Link<C>>>>,
    pub resting: Resting,
}

/// All of them.
pub(super) struct Links<C> {
    pub table: Mutex<Table<C>>,
    next: AtomicU64,
    changed: watch::Sender<u64>,
    came_or_went: watch::Sender<u64>,
}

impl<C> Default for Links<C> {
    fn default() -> Self {
        let table = Table { open: HashMap::new(), resting: Resting::default() };
        let (changed, came_or_went) = (watch::Sender::new(0), watch::Sender::new(0));
        Self { table: Mutex::new(table), next: AtomicU64::new(1), changed, came_or_went }
    }
}

impl<C: Clone> Links<C> {
    pub fn add(&self, node: String, connection: Connection, dialed: bool, caller: C, known: bool) -> Arc<Link<C>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (known, usage, caller) = (AtomicBool::new(known), Arc::default(), Mutex::new(caller));
        let link = Arc::new(Link { number, node: node.clone(), connection, dialed, known, usage, caller });
        let mut table = self.table.lock();
        let woke = table.resting.end(&node);
        if dialed {
            table.resting.found(&node);
        }
        let links = table.open.entry(node).or_default();
        links.push(Arc::clone(&link));
        if links.len() > PER_NODE {
            links.remove(0).close(Reason::TooMany);
        }
        drop(table);
        self.tick(!woke);
        link
    }

    /// Notes that a link is closed. Without effect where that was done before.
    pub fn end(&self, link: &Link<C>) {
        let mut table = self.table.lock();
        let Some(links) = table.open.get_mut(&link.node) else { return };
        let before = links.len();
        links.retain(|other| other.number != link.number);
        if links.len() == before {
            return;
        }
        let last = links.is_empty();
        if last {
            table.open.remove(&link.node);
        }
        let rests = last && link.is_known() && link.rests();
        if rests {
            table.resting.begin(&link.node);
        }
        drop(table);
        self.tick(!rests);
    }

    /// The newest link to a node that is not closed.
    pub fn newest(&self, node: &str) -> Option<Arc<Link<C>>> {
        let table = self.table.lock();
        let open = |link: &&Arc<Link<C>>| link.connection.close_reason().is_none();
        table.open.get(node)?.iter().rev().find(open).cloned()
    }

    /// The same, with an exchange begun on it.
    pub fn begin(&self, node: &str) -> Option<(Arc<Link<C>>, InUse)> {
        let link = self.newest(node)?;
        let in_use = link.begin()?;
        Some((link, in_use))
    }

    pub fn standing(&self, node: &str) -> Standing<C> {
        let table = self.table.lock();
        if let Some(link) = table.open.get(node).and_then(|links| links.last()) {
            return Standing::Linked(Arc::clone(link));
        }
        table.resting.get(node).map_or(Standing::Away, Standing::Rests)
    }

    /// Closes the links whose caller `gone` picks. The lists forget them when their tasks end.
    pub fn close(&self, gone: impl Fn(&C) -> bool) {
        self.all().iter().filter(|link| gone(&link.caller())).for_each(|link| link.close(Reason::Revoked));
    }

    pub fn all(&self) -> Vec<Arc<Link<C>>> {
        self.table.lock().open.values().flatten().cloned().collect()
    }

    pub fn close_all(&self) {
        self.all().iter().for_each(|link| link.close(Reason::Stopping));
    }

    pub fn count(&self) -> usize {
        self.table.lock().open.values().map(Vec::len).sum()
    }

    pub fn strangers(&self) -> usize {
        self.table.lock().open.values().flatten().filter(|link| !link.dialed && !link.is_known()).count()
    }

    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub fn came_or_went(&self) -> watch::Receiver<u64> {
        self.came_or_went.subscribe()
    }

    /// A link is another; `presence`: more than that it rests now, or does not any more.
    pub fn tick(&self, presence: bool) {
        self.changed.send_modify(|n| *n += 1);
        if presence {
            self.came_or_went.send_modify(|n| *n += 1);
        }
    }
}
