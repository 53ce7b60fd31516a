//! The task that owns the swarm.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::libp2p::core::transport::ListenerId;
use ::libp2p::futures::StreamExt as _;
use ::libp2p::kad::{self, Quorum, Record, RecordKey};
use ::libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use ::libp2p::{Multiaddr, PeerId, Swarm};
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::HostState;
use super::behaviour::Behaviour;
use super::bitswap::Bitswap;
use super::kept::Kept;
use super::memory;
use super::options::{Libp2pError, Libp2pOptions, RecordCheck, Routing};
use super::ports::Ports;
use super::queries::{Queries, Query};
use crate::content::Cid;

/// A node that sent what nobody wanted is kept away for this long.
const BLOCKED_FOR: Duration = Duration::from_secs(600);
/// How things stand is written down this often at most.
const PUBLISH_EVERY: Duration = Duration::from_millis(20);
/// How often what changes slowly is looked at.
const TICK: Duration = Duration::from_secs(15);
/// How often memory is looked at, where it is limited.
const WEIGH_EVERY: Duration = Duration::from_secs(1);

type Answer<T> = oneshot::Sender<Result<T, Libp2pError>>;

/// What the handle asks for.
pub(super) enum Command {
    Connect { peer: PeerId, addresses: Vec<Multiaddr>, answer: Answer<()> },
    Provide { key: Vec<u8>, answer: Answer<()> },
    Withdraw { key: Vec<u8>, answer: Answer<()> },
    Providers { key: Vec<u8>, answer: Answer<Vec<PeerId>> },
    Put { key: Vec<u8>, value: Vec<u8>, answer: Answer<()> },
    Get { key: Vec<u8>, answer: Answer<Vec<Vec<u8>>> },
}

/// See the module.
pub(super) struct Worker {
    pub swarm: Swarm<Behaviour>,
    pub bitswap: Bitswap,
    pub check: RecordCheck,
    pub queries: Queries,
    pub ports: Ports,
    pub kept: Kept,
    pub dialing: HashMap<PeerId, Vec<Answer<()>>>,
    pub failed: HashMap<ListenerId, Multiaddr>,
    pub refused: Vec<String>,
    state: Arc<RwLock<HostState>>,
    blocked: Vec<(Instant, PeerId)>,
    /// Where the router passes on to this node.
    pub forwarded: Vec<Multiaddr>,
    begin: Vec<(PeerId, Multiaddr)>,
    /// Everybody reaches where this node listens: its own addresses are told with what it announces.
    pub private: bool,
    /// Nobody is told of the addresses of houses, nor believed about them.
    pub public: bool,
    /// Bytes of the program, beyond which nodes are sent home.
    memory_limit: Option<u64>,
    /// Those addresses.
    pub local: Vec<Multiaddr>,
    /// Addresses at relays, each with its listener while there is one.
    pub relays: Vec<(Multiaddr, Option<ListenerId>)>,
}

impl Worker {
    pub fn new(
        swarm: Swarm<Behaviour>,
        bitswap: Bitswap,
        check: RecordCheck,
        state: Arc<RwLock<HostState>>,
        ports: Ports,
        options: &Libp2pOptions,
    ) -> Self {
        let (queries, kept, dialing, failed) = (Queries::default(), Kept::default(), HashMap::new(), HashMap::new());
        let (refused, blocked, forwarded, begin, local, relays) = Default::default();
        Self {
            swarm,
            bitswap,
            check,
            queries,
            ports,
            kept,
            dialing,
            failed,
            refused,
            state,
            blocked,
            forwarded,
            begin,
            private: options.routing == Routing::Private,
            public: options.routing == Routing::Public,
            memory_limit: options.memory_limit,
            local,
            relays,
        }
    }

    /// A node that Kademlia begins with, and that is connected to at the start.
    pub fn begin_with(&mut self, peer: PeerId, address: Multiaddr) {
        if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() {
            kad.add_address(&peer, address.clone());
        }
        self.begin.push((peer, address));
    }

    pub async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut searches: mpsc::Receiver<Cid>,
        mut offenders: mpsc::UnboundedReceiver<PeerId>,
        stop: CancellationToken,
    ) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut weigh = tokio::time::interval(WEIGH_EVERY);
        weigh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Where nothing happens there is nothing to write down.
        let (mut changed, mut published) = (true, tokio::time::Instant::now());
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(published + PUBLISH_EVERY), if changed => {
                    self.publish();
                    (changed, published) = (false, tokio::time::Instant::now());
                    continue;
                }
                event = self.swarm.select_next_some() => self.event(event),
                Some(command) = commands.recv() => self.command(command),
                Some(root) = searches.recv(), if self.queries.may_search() => self.search(root),
                Some(peer) = offenders.recv() => self.send_away(peer),
                () = self.ports.changed() => self.take_ports(),
                _ = tick.tick() => self.tick(),
                _ = weigh.tick(), if self.memory_limit.is_some() => {
                    self.weigh();
                    continue;
                }
                () = stop.cancelled() => break,
            }
            changed = true;
        }
        self.ports.stop();
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Connect { peer, addresses, answer } => self.connect(peer, addresses, answer),
            Command::Provide { key, answer } => self.provide(&RecordKey::from(key), answer),
            Command::Withdraw { key, answer } => {
                let withdrawn = self.kad().map(|kad| kad.stop_providing(&RecordKey::from(key)));
                drop(answer.send(withdrawn));
            }
            Command::Providers { key, answer } => match self.kad() {
                Ok(kad) => {
                    let id = kad.get_providers(RecordKey::from(key));
                    self.queries.add(id, Query::Providers { found: Default::default(), answer });
                }
                Err(error) => drop(answer.send(Err(error))),
            },
            Command::Put { key, value, answer } => self.put(Record::new(RecordKey::from(key), value), answer),
            Command::Get { key, answer } => match self.kad() {
                Ok(kad) => {
                    let id = kad.get_record(RecordKey::from(key));
                    self.queries.add(id, Query::Get { found: Vec::new(), answer });
                }
                Err(error) => drop(answer.send(Err(error))),
            },
        }
    }

    fn kad(&mut self) -> Result<&mut kad::Behaviour<kad::store::MemoryStore>, Libp2pError> {
        let off = || Libp2pError::Routing("it is off (ipfs.routing)".to_owned());
        self.swarm.behaviour_mut().kad.as_mut().ok_or_else(off)
    }

    fn connect(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, answer: Answer<()>) {
        if self.swarm.is_connected(&peer) {
            return drop(answer.send(Ok(())));
        }
        let options = DialOpts::peer_id(peer).addresses(addresses).condition(PeerCondition::NotDialing).build();
        match self.swarm.dial(options) {
            // One that is under way already may come to another address.
            Ok(()) | Err(::libp2p::swarm::DialError::DialPeerConditionFalse(_)) => {
                self.dialing.entry(peer).or_default().push(answer);
            }
            Err(error) => drop(answer.send(Err(Libp2pError::Unreachable(error.to_string())))),
        }
    }

    fn provide(&mut self, key: &RecordKey, answer: Answer<()>) {
        let started = self
            .kad()
            .and_then(|kad| kad.start_providing(key.clone()).map_err(|error| Libp2pError::Routing(error.to_string())));
        match started {
            Ok(id) => self.queries.add(id, Query::Provide(answer)),
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    fn put(&mut self, record: Record, answer: Answer<()>) {
        let started = self.kad().and_then(|kad| {
            kad.put_record(record, Quorum::One).map_err(|error| Libp2pError::Routing(error.to_string()))
        });
        match started {
            Ok(id) => self.queries.add(id, Query::Put(answer)),
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    /// Looks for who has a root, for Bitswap.
    fn search(&mut self, root: Cid) {
        // Where routing is off, those who are connected are all there are.
        if let Ok(kad) = self.kad() {
            let id = kad.get_providers(RecordKey::from(root.hash().to_bytes()));
            self.queries.add(id, Query::Search(root));
        }
    }

    /// These are said to have a root.
    pub fn found(&mut self, root: &Cid, peers: Vec<PeerId>) {
        let own = *self.swarm.local_peer_id();
        for peer in peers.into_iter().filter(|peer| *peer != own) {
            self.bitswap.provides(root, peer);
            // Kademlia keeps their addresses. One that cannot be reached is not asked.
            let _ =
                self.swarm.dial(DialOpts::peer_id(peer).condition(PeerCondition::DisconnectedAndNotDialing).build());
        }
    }

    fn send_away(&mut self, peer: PeerId) {
        tracing::info!(%peer, minutes = BLOCKED_FOR.as_secs() / 60, "an IPFS node sends what nobody wants; it is kept away");
        self.swarm.behaviour_mut().blocked.block_peer(peer);
        self.blocked.push((Instant::now(), peer));
    }

    /// Sends nodes home while there is too much in memory.
    fn weigh(&mut self) {
        if memory::used() <= self.memory_limit {
            return;
        }
        let home = memory::too_many(self.bitswap.greediest());
        if !home.is_empty() {
            tracing::warn!(
                nodes = home.len(),
                "too much memory is in use (ipfs.memory_limit_mib); IPFS nodes are sent home"
            );
        }
        for peer in home {
            // One that has just gone is not connected.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn tick(&mut self) {
        let (free, blocked) = self.blocked.drain(..).partition(|(since, _)| since.elapsed() > BLOCKED_FOR);
        self.blocked = blocked;
        let free: Vec<(Instant, PeerId)> = free;
        for (_, peer) in free {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
        for (address, open) in self.relays.iter_mut().filter(|(_, open)| open.is_none()) {
            *open = self.swarm.listen_on(address.clone()).ok();
        }
        if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() {
            self.kept.forget(kad.store_mut(), Instant::now());
        }
        if self.swarm.network_info().num_peers() == 0 {
            self.begin();
        }
    }

    /// Connects to the nodes to begin with, where nobody is connected.
    fn begin(&mut self) {
        for (peer, address) in self.begin.clone() {
            let options = DialOpts::peer_id(peer).addresses(vec![address]).build();
            let _ = self.swarm.dial(options);
        }
        if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() {
            // Nobody is known in a network of one.
            let _ = kad.bootstrap();
        }
    }

    /// Writes down how things stand, where that changed.
    pub fn publish(&mut self) {
        let info = self.swarm.network_info();
        let kad = self.swarm.behaviour_mut().kad.as_mut();
        let routing_server = kad.as_ref().is_some_and(|kad| kad.mode() == kad::Mode::Server);
        let routing_peers = kad.map_or(0, |kad| kad.kbuckets().map(|bucket| bucket.num_entries()).sum());
        let text = |addresses: &mut dyn Iterator<Item = &Multiaddr>| addresses.map(ToString::to_string).collect();
        let now = HostState {
            listens: text(&mut self.swarm.listeners()),
            external: text(&mut self.swarm.external_addresses().filter(|address| !self.local.contains(address))),
            failed: self.refused.clone(),
            peers: info.num_peers(),
            relayed: self.swarm.behaviour().streams.relayed(),
            connections: info.connection_counters().num_connections() as usize,
            routing_peers,
            routing_server,
            ports: self.ports.state(),
        };
        if *self.state.read() != now {
            *self.state.write() = now;
        }
    }
}
