//! What the gateway asks others for: blocks over Bitswap, of those too whom delegated routers name, and what names stand for.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Ipfs, NameError, Resolved};
use crate::blocks::{Fetch, FetchError, Named, Names, NamesError};
use crate::content::Cid;
use crate::content::ipns::Name;
use crate::exchange::libp2p::Routing;
use crate::exchange::libp2p::bitswap::{BitswapError, Session};

/// Nobody is waited for any longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks the peers of Bitswap.
pub(super) struct Peers {
    ipfs: Ipfs,
    routing: Routing,
    /// The root, and what is held so that who gave one block is asked for the next.
    session: Option<(Cid, Arc<Session>)>,
}

impl Peers {
    pub fn new(ipfs: Ipfs, routing: Routing) -> Self {
        Self { ipfs, routing, session: None }
    }

    async fn ask(&self, cid: &Cid) -> Result<Bytes, FetchError> {
        let libp2p = self.ipfs.libp2p();
        // Nobody is there, and nobody can be found.
        if self.routing == Routing::Off && !self.ipfs.asks_routers() && libp2p.peers() == 0 {
            return Err(FetchError::NotFound);
        }
        let (root, session) = self.session.clone().unwrap_or_else(|| (*cid, libp2p.bitswap().session(cid)));
        match self.ipfs.fetch_in(&root, &session, cid, PATIENCE).await {
            Ok(block) => Ok(block),
            Err(BitswapError::NotFound(_)) => Err(FetchError::TimedOut),
            Err(BitswapError::Stopped) => Err(FetchError::Cancelled),
        }
    }
}

impl Fetch for Peers {
    fn fetch<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        self.ask(cid).boxed()
    }

    fn session(&self, root: &Cid) -> Arc<dyn Fetch> {
        let session = Some((*root, self.ipfs.libp2p().bitswap().session(root)));
        Arc::new(Self { ipfs: self.ipfs.clone(), routing: self.routing, session })
    }
}

impl Names for Ipfs {
    fn resolve(&self, name: Name, ask: bool) -> BoxFuture<'_, Result<Named, NamesError>> {
        async move {
            if !ask && name != self.name() {
                return Err(NamesError::NotFound);
            }
            match Self::resolve(self, name).await {
                Ok(resolved) => Ok(named(resolved)),
                Err(NameError::Unknown | NameError::Libp2p(_)) => Err(NamesError::NotFound),
                Err(error) => Err(NamesError::Wrong(error.to_string())),
            }
        }
        .boxed()
    }
}

fn named(resolved: Resolved) -> Named {
    let left = resolved.record.until.duration_since(jiff::Timestamp::now());
    let left = Duration::try_from(left).unwrap_or_default();
    Named { path: resolved.record.value, ttl: resolved.record.ttl.min(left), record: Some(resolved.bytes.into()) }
}
