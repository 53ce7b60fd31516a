//! Fetches the blocks of a file from all friends who hold it, for the node itself: repairs and replicas.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Uri};
use parking_lot::Mutex;

use super::Friends;
use crate::blocks::Supplier;
use crate::catalog::{CatalogError, Id};
use crate::content::Cid;

/// One that gave no answer is asked last for this long.
const LAST: Duration = Duration::from_secs(10);

/// The friends that hold a file, to be asked for its blocks. Cheap to clone.
#[derive(Clone)]
pub struct Holders {
    friends: Friends,
    all: Arc<[Holder]>,
    turn: Arc<AtomicUsize>,
}

/// One of them.
#[derive(Debug)]
struct Holder {
    friend: Id,
    gave: AtomicU64,
    failed: Mutex<Option<Instant>>,
}

impl Friends {
    /// The friends that share a file with this root.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn holders(&self, root: &Cid) -> Result<Holders, CatalogError> {
        let all = self.inner.catalog.friends_holding(root).await?.into_iter().map(Holder::new).collect();
        Ok(Holders { friends: self.clone(), all, turn: Arc::default() })
    }
}

impl Holder {
    fn new(friend: Id) -> Self {
        Self { friend, gave: AtomicU64::new(0), failed: Mutex::new(None) }
    }

    fn failed_lately(&self) -> bool {
        self.failed.lock().is_some_and(|at| at.elapsed() < LAST)
    }
}

impl Holders {
    /// Whether there is nobody to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether one of them is there.
    #[must_use]
    pub fn reachable(&self) -> bool {
        self.all.iter().any(|holder| self.friends.state(&holder.friend).online && self.friends.trusts(&holder.friend))
    }

    /// Friends that gave blocks, with how many.
    #[must_use]
    pub fn gave(&self) -> Vec<(Id, u64)> {
        let gave = self.all.iter().map(|holder| (holder.friend.clone(), holder.gave.load(Ordering::Relaxed)));
        let mut gave: Vec<_> = gave.filter(|(_, blocks)| *blocks > 0).collect();
        gave.sort_by_key(|(_, blocks)| std::cmp::Reverse(*blocks));
        gave
    }

    /// A block of the file, from the first friend that gives it. Whoever has least to do is asked first, so that all who have the
    /// file share the work as fast as each can.
    pub async fn fetch(&self, cid: &Cid) -> Option<Bytes> {
        let mut tried = vec![false; self.all.len()];
        while let Some(at) = self.next(&tried) {
            tried[at] = true;
            let holder = &self.all[at];
            match self.friends.block_of(&holder.friend, by_name(cid), HeaderMap::new(), cid).await {
                Ok(bytes) => {
                    holder.gave.fetch_add(1, Ordering::Relaxed);
                    return Some(bytes);
                }
                Err(error) => {
                    *holder.failed.lock() = Some(Instant::now());
                    tracing::debug!(friend.id = %holder.friend, block.cid = %cid, %error, "a friend did not give a block");
                }
            }
        }
        None
    }

    /// Whom to ask next. Of those with as much to do, another one each time.
    fn next(&self, tried: &[bool]) -> Option<usize> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let left = (0..self.all.len()).filter(|at| !tried[*at] && self.friends.trusts(&self.all[*at].friend));
        left.min_by_key(|at| {
            let holder = &self.all[*at];
            (holder.failed_lately(), self.friends.busy(&holder.friend), at.wrapping_add(turn) % self.all.len())
        })
    }
}

/// A block is asked for by its name alone: whoever shares the file gives it.
fn by_name(cid: &Cid) -> Uri {
    format!("/ipfs/{cid}?format=raw").parse().unwrap_or_default()
}

impl Supplier for Holders {
    fn block(&self, cid: Cid) -> BoxFuture<'static, Option<Bytes>> {
        let this = self.clone();
        async move { this.fetch(&cid).await }.boxed()
    }
}
