//! Who may have which block over Bitswap: anybody what is public, friends what is shared with them.
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::RwLock;

use super::Tree;
use crate::accounts::Accounts;
use crate::blocks::Blocks;
use crate::catalog::{Catalog, Visibility};
use crate::content::Cid;
use crate::exchange::libp2p::{Larder, PeerId};
use crate::node::Node;

/// See the module.
pub(super) struct Shelf {
    blocks: Blocks,
    catalog: Catalog,
    accounts: Accounts,
    tree: Arc<RwLock<Tree>>,
}

impl Shelf {
    pub fn new(node: &Node, tree: Arc<RwLock<Tree>>) -> Self {
        let (blocks, catalog, accounts) = (node.blocks().clone(), node.catalog().clone(), node.accounts().clone());
        Self { blocks, catalog, accounts, tree }
    }

    /// Bytes of a block that the peer may have. What cannot be read is not there.
    async fn allowed(&self, peer: &PeerId, cid: &Cid) -> Option<u64> {
        let stat =
            self.blocks.stat(cid).await.inspect_err(|error| tracing::error!(%error, "no block is told")).ok()??;
        let mut held = Vec::new();
        for root in &stat.roots {
            held.extend(self.catalog.libraries_of(root).await.unwrap_or_default());
        }
        let public = held.iter().any(|(_, visibility)| *visibility == Visibility::Public);
        (public || self.shared(peer, &held)).then_some(stat.size)
    }

    /// Whether the peer is a friend's, and one of these libraries is shared with the friend.
    fn shared(&self, peer: &PeerId, libraries: &[(String, Visibility)]) -> bool {
        let Some(friend) = self.accounts.friend_by_ipfs(&peer.to_string()) else { return false };
        libraries.iter().any(|(library, _)| friend.libraries_for(None).any(|shared| shared == library))
    }

    fn folder(&self, cid: &Cid) -> Option<Bytes> {
        self.tree.read().get(cid).inspect_err(|error| tracing::warn!(%error, "no public folder is told")).ok()?
    }
}

impl Larder for Shelf {
    fn size<'a>(&'a self, peer: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<u64>> {
        async move {
            if let Some(node) = self.folder(cid) {
                return Some(node.len() as u64);
            }
            self.allowed(peer, cid).await
        }
        .boxed()
    }

    fn block<'a>(&'a self, peer: &'a PeerId, cid: &'a Cid) -> BoxFuture<'a, Option<Bytes>> {
        async move {
            if let Some(node) = self.folder(cid) {
                return Some(node);
            }
            // A right may have gone since the peer asked.
            self.allowed(peer, cid).await?;
            let block = self.blocks.get(cid).await;
            block.inspect_err(|error| tracing::debug!(%error, %cid, "a block is not sent")).ok()
        }
        .boxed()
    }
}
