//! Peers that do not behave: made of libp2p alone, so that they say what no host of this node would.
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use ::bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::io::AsyncWriteExt as _;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::DeniedUpgrade;
use libp2p::core::{Endpoint, OutboundUpgrade, UpgradeInfo};
use libp2p::futures::StreamExt as _;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, OneShotHandler, SubstreamProtocol,
    SwarmEvent, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, noise, yamux};
use potluck::content::cid;
use potluck::exchange::libp2p::bitswap::message::{Entry, Kind, MESSAGE_MAX, Message};
use tokio::sync::mpsc;

use super::{Host, PATIENCE, until};

/// Bytes that are written to a stream of their own.
#[derive(Debug)]
struct Words {
    bytes: Vec<u8>,
    /// Stays open when they are written.
    lasting: bool,
}

impl UpgradeInfo for Words {
    type Info = StreamProtocol;
    type InfoIter = std::iter::Once<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once(StreamProtocol::new("/ipfs/bitswap/1.2.0"))
    }
}

impl OutboundUpgrade<Stream> for Words {
    type Output = Said;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Said>>;

    fn upgrade_outbound(self, mut stream: Stream, _: StreamProtocol) -> Self::Future {
        async move {
            stream.write_all(&self.bytes).await?;
            stream.flush().await?;
            if self.lasting {
                return Ok(Said(Some(stream)));
            }
            stream.close().await?;
            Ok(Said(None))
        }
        .boxed()
    }
}

#[derive(Debug)]
struct Said(#[expect(dead_code, reason = "the stream is open as long as this is there")] Option<Stream>);

impl From<Infallible> for Said {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<()> for Said {
    fn from((): ()) -> Self {
        Self(None)
    }
}

type Handler = OneShotHandler<DeniedUpgrade, Words, Said>;

/// Says what it is told to.
struct Mouth {
    to: PeerId,
    words: mpsc::UnboundedReceiver<Words>,
    connected: bool,
    open: VecDeque<Said>,
}

impl NetworkBehaviour for Mouth {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(OneShotHandler::new(SubstreamProtocol::new(DeniedUpgrade, ()), Default::default()))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(OneShotHandler::new(SubstreamProtocol::new(DeniedUpgrade, ()), Default::default()))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if matches!(event, FromSwarm::ConnectionEstablished(_)) {
            self.connected = true;
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, said: THandlerOutEvent<Self>) {
        self.open.extend(said);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        match self.words.poll_recv(cx) {
            Poll::Ready(Some(event)) if self.connected => {
                Poll::Ready(ToSwarm::NotifyHandler { peer_id: self.to, handler: NotifyHandler::Any, event })
            }
            _ => Poll::Pending,
        }
    }
}

/// A peer that is connected to a host, and what it heard.
struct Rogue {
    say: mpsc::UnboundedSender<Words>,
    closed: mpsc::UnboundedReceiver<()>,
}

impl Rogue {
    async fn at(host: &Host) -> Self {
        let (say, words) = mpsc::unbounded_channel();
        let (closing, closed) = mpsc::unbounded_channel();
        let to = host.libp2p.id();
        let mouth = Mouth { to, words, connected: false, open: VecDeque::new() };
        let mut swarm: Swarm<Mouth> = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(Default::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| mouth)
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
            .build();
        swarm.dial(host.libp2p.addresses()[0].parse::<Multiaddr>().unwrap()).unwrap();
        let (connecting, connected) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut connecting = Some(connecting);
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => drop(connecting.take().map(|told| told.send(()))),
                    SwarmEvent::ConnectionClosed { .. } => drop(closing.send(())),
                    _ => {}
                }
            }
        });
        connected.await.unwrap();
        Self { say, closed }
    }

    fn says(&self, bytes: Vec<u8>) {
        self.say.send(Words { bytes, lasting: false }).unwrap();
    }

    /// Says it and goes on holding the stream.
    fn begins(&self, bytes: Vec<u8>) {
        self.say.send(Words { bytes, lasting: true }).unwrap();
    }

    async fn sent_away(mut self) {
        tokio::time::timeout(PATIENCE, self.closed.recv()).await.expect("the connection is closed").unwrap();
    }
}

fn unwanted(text: &'static str) -> Vec<u8> {
    let block = Bytes::from_static(text.as_bytes());
    Message { blocks: vec![(cid::of_raw(&block), block)], ..Message::default() }.encode()
}

/// A host with a file, and an honest one that fetches it whatever else happens there.
async fn household() -> (Host, Host, potluck::content::unixfs::Layout) {
    let (one, honest) = (Host::new(1).await, Host::new(2).await);
    let (layout, _) = one.file("film", 3 * 1024 * 1024).await;
    honest.connect(&one).await;
    (one, honest, layout)
}

async fn end(one: Host, honest: Host, layout: potluck::content::unixfs::Layout) {
    assert_eq!(honest.fetch(&layout).await.unwrap().len(), 3 * 1024 * 1024, "honest peers are served");
    one.libp2p.stop().await;
    honest.libp2p.stop().await;
}

#[tokio::test]
async fn one_who_sends_what_nobody_wants_is_sent_away() {
    let (one, honest, layout) = household().await;
    let rogue = Rogue::at(&one).await;
    for text in ["spam", "ham", "eggs", "more spam"] {
        rogue.says(unwanted(text));
    }
    rogue.sent_away().await;
    assert_eq!(one.libp2p.bitswap().bytes().1, 0);
    end(one, honest, layout).await;
}

#[tokio::test]
async fn one_who_sends_what_is_no_message_is_sent_away() {
    let (one, honest, layout) = household().await;
    let rogue = Rogue::at(&one).await;
    let wants: Vec<u8> = [0x0a, 0].repeat(100_000);
    let mut many = vec![0x0a];
    prost::encoding::encode_varint(wants.len() as u64, &mut many);
    many.extend(wants);
    let mut framed = Vec::new();
    prost::encoding::encode_varint(many.len() as u64, &mut framed);
    framed.extend(many);
    let too_long = vec![0xff; 8];
    let garbage = vec![4, 0xff, 0xff, 0xff, 0xff];
    let mut unasked = Vec::new();
    prost::encoding::encode_varint(MESSAGE_MAX as u64, &mut unasked);
    for bytes in [framed, too_long, garbage, unasked] {
        rogue.says(bytes);
    }
    rogue.sent_away().await;
    end(one, honest, layout).await;
}

#[tokio::test]
async fn a_block_that_is_not_what_was_asked_for_is_not_taken_for_it() {
    let (one, honest, layout) = household().await;
    let rogue = Rogue::at(&one).await;
    let nowhere = cid::of_raw(b"soup");
    let asking = one.fetch_one(&nowhere, Duration::from_secs(2));
    let lying = async {
        until(|| one.libp2p.bitswap().wanted() == 1).await;
        rogue.says(unwanted("poison"));
    };
    let (answer, ()) = tokio::join!(asking, lying);
    assert!(answer.is_err());
    rogue.says(unwanted("soup"));
    end(one, honest, layout).await;
}

#[tokio::test]
async fn wants_without_end_cost_a_list_of_limited_length() {
    let (one, honest, layout) = household().await;
    let rogue = Rogue::at(&one).await;
    for round in 0..20u32 {
        let entry = |n: u32| Entry {
            cid: cid::of_raw(&(round, n).0.to_le_bytes().iter().chain(&n.to_le_bytes()).copied().collect::<Vec<u8>>()),
            priority: 1,
            kind: Kind::Block,
            cancel: false,
            send_dont_have: true,
        };
        rogue.begins(Message { entries: (0..4000).map(entry).collect(), ..Message::default() }.encode());
    }
    let most = || one.libp2p.bitswap().ledgers().iter().map(|ledger| ledger.wants).max().unwrap_or(0);
    until(|| {
        let most = most();
        assert!(most <= 8192, "{most} wants");
        most == 8192
    })
    .await;
    end(one, honest, layout).await;
}

#[tokio::test]
async fn one_who_wants_blocks_and_does_not_take_them_is_tried_some_times_and_forgotten() {
    let (one, honest, layout) = household().await;
    // It takes no stream that the other side opens.
    let rogue = Rogue::at(&one).await;
    let want = |(cid, _): &(potluck::content::Cid, _)| Entry {
        cid: *cid,
        priority: 1,
        kind: Kind::Block,
        cancel: false,
        send_dont_have: true,
    };
    rogue.says(Message { entries: layout.leaves.iter().map(want).collect(), ..Message::default() }.encode());
    until(|| !one.pantry.given.lock().is_empty()).await;
    until(|| one.libp2p.bitswap().ledgers().iter().all(|ledger| ledger.wants == 0 && ledger.blocks_sent == 0)).await;
    let read = one.pantry.given.lock().len();
    assert!(read <= 4 * layout.leaves.len(), "{read} blocks were read in vain");
    end(one, honest, layout).await;
}

#[tokio::test]
async fn a_node_with_too_much_in_memory_sends_the_greediest_home() {
    let used = || memory_stats::memory_stats().unwrap().physical_mem as u64;
    const SPARE: u64 = 768 * 1024 * 1024;
    let limited = potluck::exchange::libp2p::Libp2pOptions { memory_limit: Some(used() + SPARE), ..super::options(1) };
    let one = Host::with(limited).await;
    let mut rogues = Vec::new();
    for _ in 0..20 {
        rogues.push(Rogue::at(&one).await);
    }
    until(|| one.libp2p.state().connections == 20).await;
    let greedy = rogues.pop().unwrap();
    let mut begun = Vec::new();
    prost::encoding::encode_varint(200_000, &mut begun);
    for _ in 0..8 {
        greedy.begins(begun.clone());
    }
    for rogue in &rogues {
        rogue.begins(begun.clone());
    }
    // Somewhere else in the program.
    let ballast = vec![1u8; 3 * SPARE as usize];
    greedy.sent_away().await;
    until(|| one.libp2p.state().connections == 16).await;
    assert!(ballast.iter().step_by(4096).all(|byte| *byte == 1));
    one.libp2p.stop().await;
}

#[tokio::test]
async fn one_who_begins_messages_and_does_not_end_them_keeps_nobody_waiting() {
    let (one, honest, layout) = household().await;
    let rogue = Rogue::at(&one).await;
    let mut begun = Vec::new();
    prost::encoding::encode_varint(200_000, &mut begun);
    begun.extend([0; 1000]);
    // More than are read at a time.
    for _ in 0..24 {
        rogue.begins(begun.clone());
    }
    end(one, honest, layout).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_and_those_that_are_there_stay() {
    let few = potluck::exchange::libp2p::Libp2pOptions { connections_max: 8, ..super::options(1) };
    let (one, honest) = (Host::with(few).await, Host::new(2).await);
    let (layout, _) = one.file("film", 3 * 1024 * 1024).await;
    honest.connect(&one).await;
    let mut rogues = Vec::new();
    for _ in 0..5 {
        rogues.push(Rogue::at(&one).await);
    }
    // Six of eight places are for others.
    Rogue::at(&one).await.sent_away().await;
    until(|| one.libp2p.state().connections == 6).await;
    end(one, honest, layout).await;
}

#[tokio::test]
async fn a_node_without_memory_to_spare_takes_no_connections() {
    let full = potluck::exchange::libp2p::Libp2pOptions { memory_limit: Some(1), ..super::options(1) };
    let (one, other) = (Host::with(full).await, Host::new(2).await);
    assert!(other.libp2p.connect(&one.libp2p.addresses()[0]).await.is_err());
    assert!(one.libp2p.connect(&other.libp2p.addresses()[0]).await.is_err(), "nor makes any");
    assert_eq!(one.libp2p.state().connections, 0);
    one.libp2p.stop().await;
    other.libp2p.stop().await;
}
