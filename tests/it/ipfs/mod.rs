//! The IPFS side: hosts that exchange blocks, what they tell, and what they keep for themselves.
mod bitswap;
mod delegated;
mod hostile;
mod keeper;
pub mod nodes;
mod opened;
mod pins;
mod reached;
mod relayed;
mod routing;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ::bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use libp2p::Swarm;
use libp2p::futures::StreamExt as _;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use parking_lot::Mutex;
use potluck::blocks::Blocks;
use potluck::content::Cid;
use potluck::content::unixfs::{Layout, Profile};
use potluck::exchange::libp2p::bitswap::BitswapError;
use potluck::exchange::libp2p::{Larder, Libp2p, Libp2pOptions, Libp2pParts, PeerId, Routing};

use crate::blocks::Kitchen;

/// Long enough for anything that happens on this machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Long enough for what does not happen.
pub const SOON: Duration = Duration::from_millis(300);

/// Gives what is in an index to everybody, but for roots that are hidden, and remembers what it was asked for.
pub struct Pantry {
    blocks: Blocks,
    pub hidden: Mutex<HashSet<Cid>>,
    pub given: Mutex<Vec<Cid>>,
}

impl Pantry {
    async fn seen(&self, cid: &Cid) -> Option<u64> {
        let stat = self.blocks.stat(cid).await.unwrap()?;
        let hidden = self.hidden.lock();
        stat.roots.iter().any(|root| !hidden.contains(root)).then_some(stat.size)
    }
}

impl Larder for Pantry {
    fn size<'a>(&'a self, _: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<u64>> {
        self.seen(cid).boxed()
    }

    fn block<'a>(&'a self, _: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<Bytes>> {
        async move {
            self.seen(cid).await?;
            let block = self.blocks.get(cid).await.ok()?;
            self.given.lock().push(*cid);
            Some(block)
        }
        .boxed()
    }
}

/// A host with files.
pub struct Host {
    pub kitchen: Kitchen,
    pub pantry: Arc<Pantry>,
    pub libp2p: Libp2p,
}

pub fn options(seed: u8) -> Libp2pOptions {
    Libp2pOptions {
        secret: [seed; 32],
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        public_addresses: Vec::new(),
        routing: Routing::Off,
        bootstrap: Vec::new(),
        relays: Vec::new(),
        port_mapping: false,
        connections_max: 64,
        memory_limit: None,
        announced_max: 1000,
    }
}

impl Host {
    pub async fn new(seed: u8) -> Self {
        Self::with(options(seed)).await
    }

    pub async fn with(options: Libp2pOptions) -> Self {
        let kitchen = Kitchen::new();
        let pantry =
            Arc::new(Pantry { blocks: kitchen.blocks.clone(), hidden: Mutex::default(), given: Mutex::default() });
        let check = Arc::new(|key: &[u8], value: &[u8], _: Option<&[u8]>| value.starts_with(key));
        let wanted = options.listen.len();
        let libp2p = Libp2p::start(options, Libp2pParts { larder: pantry.clone(), check }).await.unwrap();
        until(|| libp2p.state().listens.len() >= wanted).await;
        Self { kitchen, pantry, libp2p }
    }

    /// A file of so many bytes, its layout and its content.
    pub async fn file(&self, name: &str, len: usize) -> (Layout, Vec<u8>) {
        let content = crate::blocks::bytes(len);
        let imported = self.kitchen.import(&self.kitchen.write(name, &content)).await.unwrap();
        let layout = Layout::of(&content, Profile::V1_2025);
        assert_eq!(imported.cid, layout.root);
        (layout, content)
    }

    pub async fn connect(&self, other: &Self) {
        self.libp2p.connect(&other.libp2p.addresses()[0]).await.unwrap();
    }

    /// Every leaf of a file, several at a time.
    pub async fn fetch(&self, layout: &Layout) -> Result<Vec<u8>, BitswapError> {
        use futures_util::{StreamExt as _, TryStreamExt as _};
        let leaves = futures_util::stream::iter(layout.leaves.iter().map(|(leaf, _)| *leaf));
        let session = self.libp2p.bitswap().session(&layout.root);
        let fetch = |leaf: Cid| {
            let session = Arc::clone(&session);
            async move { self.libp2p.bitswap().fetch(&session, &leaf, PATIENCE).await }
        };
        let blocks: Vec<Bytes> = leaves.map(fetch).buffered(8).try_collect().await?;
        Ok(blocks.concat())
    }

    pub async fn fetch_one(&self, cid: &Cid, patience: Duration) -> Result<Bytes, BitswapError> {
        self.libp2p.fetch(cid, cid, patience).await
    }
}

/// Has a host that is made of libp2p alone listen, and go on; its address with its id.
async fn served<B: NetworkBehaviour + Send>(mut swarm: Swarm<B>, ip: &str) -> String
where
    B::ToSwarm: std::fmt::Debug,
{
    swarm.listen_on(format!("/ip4/{ip}/tcp/0").parse().unwrap()).unwrap();
    let address = loop {
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

/// Waits until something is so.
pub async fn until(mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it happens");
}
