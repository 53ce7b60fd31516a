//! The task that owns the port and every connection: no lock, no sharing, one thing at a time.
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use str0m::Rtc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answering::{Delivery, Recipient, answer};
use super::peer::{Peer, Wish};
use super::socket::{Arrival, Socket};
use super::stun::{Binding, binding_request, binding_success};
use super::{Counters, WebRtcError, WebRtcOptions};
use crate::exchange::Responder;
use crate::exchange::frames::Code;

/// Deliveries taken in one turn, so that the socket gets its turn too.
const DELIVERIES_A_TURN: usize = 64;
/// Receive batches taken in one turn.
const BATCHES_A_TURN: usize = 4;

/// What the handle asks of the worker.
pub enum Command<C> {
    /// Drive a new connection.
    Add { caller: C, rtc: Box<Rtc>, ufrag: String, reply: oneshot::Sender<Result<(), WebRtcError>> },
    /// Close the connections of callers that this is true for.
    Close(Box<dyn Fn(&C) -> bool + Send>),
}

struct Entry<C> {
    caller: C,
    ufrag: String,
    peer: Peer,
    tasks: HashMap<u32, AbortHandle>,
    /// As it stands in `alarms`.
    alarm: Instant,
    /// Of its addresses, how many the map knows.
    mapped: usize,
    counted_open: bool,
}

/// See the module.
pub struct Worker<C> {
    socket: Socket,
    options: WebRtcOptions,
    responder: Arc<dyn Responder<C>>,
    counters: Arc<Counters>,
    entries: HashMap<u64, Entry<C>>,
    by_ufrag: HashMap<String, u64>,
    by_address: HashMap<SocketAddr, u64>,
    alarms: BTreeSet<(Instant, u64)>,
    /// Connections that may have something to send.
    touched: HashSet<u64>,
    next: u64,
    deliveries: mpsc::Sender<Delivery>,
    tasks: TaskTracker,
}

impl<C: Clone + PartialEq + Send + Sync + 'static> Worker<C> {
    /// A worker without connections, and what its answers come back through.
    pub fn new(
        socket: Socket,
        options: WebRtcOptions,
        responder: Arc<dyn Responder<C>>,
        counters: Arc<Counters>,
    ) -> (Self, mpsc::Receiver<Delivery>) {
        let (deliveries, delivered) = mpsc::channel(256);
        let worker = Self {
            socket,
            options,
            responder,
            counters,
            entries: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            alarms: BTreeSet::new(),
            touched: HashSet::new(),
            next: 1,
            deliveries,
            tasks: TaskTracker::new(),
        };
        (worker, delivered)
    }

    /// Runs until `stop`, then closes every connection.
    pub async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command<C>>,
        mut delivered: mpsc::Receiver<Delivery>,
        stop: CancellationToken,
    ) {
        loop {
            let alarm = self.alarms.first().map_or_else(|| Instant::now() + Duration::from_secs(60), |(at, _)| *at);
            tokio::select! {
                () = stop.cancelled() => break,
                Some(command) = commands.recv() => self.command(command),
                Some(delivery) = delivered.recv() => self.deliver(delivery, &mut delivered),
                Ok(()) = self.socket.ready() => self.receive(),
                () = tokio::time::sleep_until(alarm.into()) => {}
            }
            self.ring();
            self.send();
        }
        let ids: Vec<u64> = self.entries.keys().copied().collect();
        for id in ids {
            self.end(id, Code::Gone, "the node is stopping");
        }
        self.socket.flush();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn command(&mut self, command: Command<C>) {
        match command {
            Command::Add { caller, rtc, ufrag, reply } => {
                let added = self.add(caller, *rtc, ufrag);
                let _ = reply.send(added);
            }
            Command::Close(gone) => {
                let ids: Vec<u64> = self.entries.iter().filter(|(_, e)| gone(&e.caller)).map(|(id, _)| *id).collect();
                for id in ids {
                    self.end(id, Code::Gone, "you are signed out");
                }
            }
        }
    }

    fn add(&mut self, caller: C, rtc: Rtc, ufrag: String) -> Result<(), WebRtcError> {
        self.make_room(&caller)?;
        let (id, now) = (self.next, Instant::now());
        self.next += 1;
        self.by_ufrag.insert(ufrag.clone(), id);
        let (peer, tasks) = (Peer::new(rtc, now), HashMap::new());
        self.entries.insert(id, Entry { caller, ufrag, peer, tasks, alarm: now, mapped: 0, counted_open: false });
        self.alarms.insert((now, id));
        Ok(())
    }

    /// A caller that makes more than it may keep pushes out its own oldest handshakes, never another's.
    fn make_room(&mut self, caller: &C) -> Result<(), WebRtcError> {
        let own = self.entries.iter().filter(|(_, e)| e.caller == *caller);
        let (open, pending): (Vec<_>, Vec<_>) = own.map(|(id, e)| (*id, e.peer.is_open())).partition(|(_, open)| *open);
        if open.len() >= self.options.connections_per_caller_max {
            return Err(WebRtcError::Full);
        }
        if open.len() + pending.len() >= self.options.connections_per_caller_max
            && let Some((oldest, _)) = pending.iter().min()
        {
            self.remove(*oldest);
        }
        let open = self.counters.connections.load(Ordering::Relaxed) as usize;
        if self.entries.len() - open >= self.options.pending_max || open >= self.options.connections_max {
            return Err(WebRtcError::Full);
        }
        Ok(())
    }

    fn receive(&mut self) {
        let mut socket_empty = false;
        for _ in 0..BATCHES_A_TURN {
            let mut batch: Vec<(SocketAddr, SocketAddr, Vec<u8>)> = Vec::new();
            if !self.socket.receive(|a| batch.push((a.source, a.destination, a.bytes.to_vec()))) {
                socket_empty = true;
            }
            for (source, destination, bytes) in &batch {
                self.datagram(Arrival { source: *source, destination: *destination, bytes });
            }
            if socket_empty {
                return;
            }
        }
    }

    fn datagram(&mut self, arrival: Arrival<'_>) {
        let id = match binding_request(arrival.bytes) {
            Some(Binding::Plain) => {
                let answer = binding_success(arrival.bytes, arrival.source);
                return self.socket.send(arrival.destination, arrival.source, &answer);
            }
            Some(Binding::Check { ufrag }) => {
                self.by_ufrag.get(ufrag).copied().filter(|id| self.checks_out(*id, arrival))
            }
            None => self.by_address.get(&arrival.source).copied(),
        };
        if let Some(id) = id {
            self.drive(id, |peer, socket, now, wishes| peer.datagram(arrival, now, socket, wishes));
        }
    }

    /// A check with the right password makes its source an address of the connection.
    fn checks_out(&mut self, id: u64, arrival: Arrival<'_>) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.peer.accepts(arrival)) else { return false };
        if self.by_address.insert(arrival.source, id) != Some(id) && !entry.peer.addresses().contains(&arrival.source) {
            entry.peer.addresses().push(arrival.source);
        }
        true
    }

    /// Lets one connection work, then does what it wishes. A bug that a peer's bytes bring out costs that peer only.
    fn drive(&mut self, id: u64, work: impl FnOnce(&mut Peer, &mut Socket, Instant, &mut Vec<Wish>)) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let mut wishes = Vec::new();
        let (peer, socket) = (&mut entry.peer, &mut self.socket);
        let run = std::panic::AssertUnwindSafe(|| work(peer, socket, Instant::now(), &mut wishes));
        if std::panic::catch_unwind(run).is_err() {
            tracing::error!("the WebRTC stack panicked; its connection is dropped");
            return self.remove(id);
        }
        self.touched.insert(id);
        for wish in wishes {
            self.fulfil(id, wish);
        }
    }

    fn fulfil(&mut self, id: u64, wish: Wish) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match wish {
            Wish::Respond { stream, request } => {
                self.counters.requests.fetch_add(1, Ordering::Relaxed);
                let to = Recipient { peer: id, stream, deliveries: self.deliveries.clone() };
                let task = answer(Arc::clone(&self.responder), entry.caller.clone(), request, to);
                entry.tasks.retain(|_, task| !task.is_finished());
                entry.tasks.insert(stream, self.tasks.spawn(task).abort_handle());
            }
            Wish::Abandon { stream } => {
                if let Some(task) = entry.tasks.remove(&stream) {
                    task.abort();
                }
            }
        }
    }

    fn deliver(&mut self, first: Delivery, more: &mut mpsc::Receiver<Delivery>) {
        let mut next = Some(first);
        for _ in 0..DELIVERIES_A_TURN {
            let Some(Delivery { peer, stream, part }) = next else { return };
            if let Some(entry) = self.entries.get_mut(&peer) {
                entry.peer.part(stream, part);
                self.touched.insert(peer);
            }
            next = more.try_recv().ok();
        }
        if let Some(Delivery { peer, stream, part }) = next
            && let Some(entry) = self.entries.get_mut(&peer)
        {
            entry.peer.part(stream, part);
        }
    }

    /// Wakes the connections whose time has come.
    fn ring(&mut self) {
        let now = Instant::now();
        while let Some((at, id)) = self.alarms.first().copied()
            && at <= now
        {
            self.alarms.pop_first();
            self.drive(id, |peer, socket, now, wishes| peer.tick(now, socket, wishes));
            // Its next alarm is set when it has sent.
            self.touched.insert(id);
        }
    }

    /// Lets the connections that something happened to send, and files what changed.
    /// While the kernel takes no datagrams everything waits: they would only pile up here.
    fn send(&mut self) {
        self.socket.flush();
        if self.socket.is_blocked() {
            return;
        }
        let mut touched: Vec<u64> = self.touched.drain().collect();
        for id in &touched {
            self.drive(*id, |peer, socket, now, wishes| peer.send(now, socket, wishes));
        }
        touched.extend(self.touched.drain());
        for id in touched {
            self.file(id);
        }
        self.socket.flush();
    }

    fn file(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let moved = entry.peer.take_moved();
        self.counters.bytes_sent.fetch_add(moved.sent, Ordering::Relaxed);
        self.counters.bytes_received.fetch_add(moved.received, Ordering::Relaxed);
        if !entry.peer.is_alive() {
            return self.remove(id);
        }
        if entry.peer.is_open() && !entry.counted_open {
            entry.counted_open = true;
            self.counters.connections.fetch_add(1, Ordering::Relaxed);
        }
        for address in entry.peer.addresses().iter().skip(entry.mapped) {
            self.by_address.entry(*address).or_insert(id);
        }
        entry.mapped = entry.peer.addresses().len();
        self.alarms.remove(&(entry.alarm, id));
        entry.alarm = entry.peer.wakes().max(Instant::now() + Duration::from_micros(500));
        self.alarms.insert((entry.alarm, id));
    }

    fn end(&mut self, id: u64, code: Code, text: &str) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.peer.end(code, text, Instant::now(), &mut self.socket);
            self.remove(id);
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(mut entry) = self.entries.remove(&id) else { return };
        for task in entry.tasks.values() {
            task.abort();
        }
        self.alarms.remove(&(entry.alarm, id));
        self.by_ufrag.remove(&entry.ufrag);
        for address in entry.peer.addresses() {
            if self.by_address.get(address) == Some(&id) {
                self.by_address.remove(address);
            }
        }
        if entry.counted_open {
            self.counters.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
