//! Fetches blocks from friends' nodes, and believes none of them: a block is what its CID says, or it is not taken.
//!
//! A block that is another one is a lie, not an accident: the transport is encrypted and complete. Who told one is not asked
//! for blocks again for a while, and people see it in the node's status.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;

use super::{Friends, FriendsError};
use crate::blocks::Supplier;
use crate::catalog::{CatalogError, Id};
use crate::content::Cid;
use crate::content::cid;
use crate::content::unixfs::node::NODE_MAX;
use crate::exchange::Body;

/// A friend's node that told a lie is not asked for blocks for this long.
const DISTRUST: Duration = Duration::from_secs(60 * 60);
/// One that gave no answer is asked last for this long.
const LAST: Duration = Duration::from_secs(10);

/// What a friend's node told wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lies {
    count: u64,
    last: Instant,
}

/// Why a friend did not give a block.
#[derive(Debug, thiserror::Error)]
enum BlockFailure {
    #[error(transparent)]
    Off(#[from] FriendsError),
    #[error("it does not have the block")]
    Absent,
    #[error("its answer broke off")]
    Broken,
    #[error("it sent other bytes than the block's")]
    Lie,
}

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
    /// Blocks that it is asked for just now.
    busy: AtomicUsize,
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

    /// How many blocks a friend's node sent that were others than they should be, since the start.
    #[must_use]
    pub fn lies(&self, friend: &str) -> u64 {
        self.inner.lies.lock().get(friend).map_or(0, |lies| lies.count)
    }

    fn trusted(&self, friend: &str) -> bool {
        self.inner.lies.lock().get(friend).is_none_or(|lies| lies.last.elapsed() > DISTRUST)
    }

    fn note_lie(&self, friend: &str, cid: &Cid) {
        tracing::warn!(friend.id = %friend, block.cid = %cid, "a friend's node sent other bytes than the block's; it is not asked for blocks for an hour");
        let mut lies = self.inner.lies.lock();
        let lies = lies.entry(friend.to_owned()).or_insert(Lies { count: 0, last: Instant::now() });
        *lies = Lies { count: lies.count + 1, last: Instant::now() };
    }

    /// One block of a friend's, checked.
    async fn block_of(&self, friend: &str, cid: &Cid) -> Result<Bytes, BlockFailure> {
        let empty = Body::new(Empty::<Bytes>::new().map_err(|never| match never {}));
        let request = Request::get(format!("/ipfs/{cid}?format=raw")).body(empty).map_err(|_| BlockFailure::Broken)?;
        let response = self.ask_unseen(friend, request, NODE_MAX as u64).await?;
        if response.status() != StatusCode::OK {
            return Err(BlockFailure::Absent);
        }
        let bytes = response.into_body().collect().await.map_err(|_| BlockFailure::Broken)?.to_bytes();
        if cid::verify(cid, &bytes).is_ok() { Ok(bytes) } else { Err(BlockFailure::Lie) }
    }
}

impl Holder {
    fn new(friend: Id) -> Self {
        Self { friend, busy: AtomicUsize::new(0), gave: AtomicU64::new(0), failed: Mutex::new(None) }
    }

    fn failed_lately(&self) -> bool {
        self.failed.lock().is_some_and(|at| at.elapsed() < LAST)
    }
}

/// Counts a block that is asked for, until it is there or nobody waits for it any more.
struct Asked<'a>(&'a AtomicUsize);

impl<'a> Asked<'a> {
    fn of(busy: &'a AtomicUsize) -> Self {
        busy.fetch_add(1, Ordering::Relaxed);
        Self(busy)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
        self.all.iter().any(|holder| self.friends.state(&holder.friend).online && self.friends.trusted(&holder.friend))
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
            let asked = Asked::of(&holder.busy);
            let answer = self.friends.block_of(&holder.friend, cid).await;
            drop(asked);
            match answer {
                Ok(bytes) => {
                    holder.gave.fetch_add(1, Ordering::Relaxed);
                    return Some(bytes);
                }
                Err(BlockFailure::Lie) => self.friends.note_lie(&holder.friend, cid),
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
        let left = (0..self.all.len()).filter(|at| !tried[*at] && self.friends.trusted(&self.all[*at].friend));
        left.min_by_key(|at| {
            let holder = &self.all[*at];
            (holder.failed_lately(), holder.busy.load(Ordering::Relaxed), at.wrapping_add(turn) % self.all.len())
        })
    }
}

impl Supplier for Holders {
    fn block(&self, cid: Cid) -> BoxFuture<'static, Option<Bytes>> {
        let this = self.clone();
        async move { this.fetch(&cid).await }.boxed()
    }
}
