//! Blocks of friends' files for somebody who waits: from all who have the file, each as fast as it can, and believed by their CID alone.
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use tokio::time::Instant;

use super::pulse::Contact;
use super::trust::Fault;
use super::{Friends, FriendsError};
use crate::catalog::Id;
use crate::content::Cid;
use crate::content::cid;
use crate::content::unixfs::node::NODE_MAX;
use crate::exchange::Body;

/// A block that takes longer is asked for at another friend too, if that one has nothing to do.
const SLOW: Duration = Duration::from_millis(700);

/// One that did not have a block is asked last for this long: it may not have cut the film there yet.
const LAST: Duration = Duration::from_secs(2);
/// Bytes of a list of segments at most.
const LIST_MAX: u64 = 1024 * 1024;

/// Why a friend did not give a block.
#[derive(Debug, thiserror::Error)]
pub enum BlockFailure {
    /// It was not asked, or did not answer.
    #[error(transparent)]
    Off(#[from] FriendsError),
    /// It says so.
    #[error("it does not have the block")]
    Absent,
    /// The answer ended early.
    #[error("its answer broke off")]
    Broken,
    /// The answer is something else.
    #[error("it sent other bytes than the block's")]
    Lie,
}

/// Where a friend has a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPlace {
    /// The friend.
    pub friend: Id,
    /// What it is asked for.
    pub uri: Uri,
    /// What it is told beside that.
    pub headers: HeaderMap,
}

/// Counts a block that a friend is asked for, until it is there or nobody waits for it any more.
struct Asked(Arc<Contact>);

impl Asked {
    fn of(contact: Arc<Contact>) -> Self {
        contact.blocks.fetch_add(1, Ordering::Relaxed);
        Self(contact)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.blocks.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Friends {
    /// A block from one of these places, of which whoever has least to do is asked first. One that fails or falls silent is followed
    /// by the next; one that is slow is joined by one that is idle, and the first that has the block gives it.
    ///
    /// # Errors
    /// What the first one said, with the friend.
    pub async fn block(&self, mut places: Vec<BlockPlace>, cid: &Cid) -> Result<Bytes, (Id, BlockFailure)> {
        let _wait = self.inner.waiting.begin();
        let (mut flights, mut failed) = (FuturesUnordered::new(), None);
        loop {
            if let Some(place) = self.take(&mut places, !flights.is_empty()) {
                flights.push(self.flight(place, cid, !places.is_empty()));
            }
            tokio::select! {
                landed = flights.next() => match landed {
                    Some(Ok(bytes)) => return Ok(bytes),
                    Some(Err(failure)) => failed = failed.or(Some(failure)),
                    None => return Err(failed.unwrap_or((Id::new(), BlockFailure::Absent))),
                },
                () = tokio::time::sleep(SLOW), if !places.is_empty() => {}
            }
        }
    }

    /// The next place to ask, which is left out from then on. With `idle`, only one that has nothing to do.
    fn take(&self, places: &mut Vec<BlockPlace>, idle: bool) -> Option<BlockPlace> {
        let turn = self.inner.turn.fetch_add(1, Ordering::Relaxed);
        let many = places.len();
        let load = |at: usize| {
            let friend = &places[at].friend;
            let away = !self.state(friend).online || !self.trusts(friend);
            let lacked = self.contact(friend).lacked.lock().is_some_and(|at| at.elapsed() < LAST);
            (away, lacked, self.busy(friend), at.wrapping_add(turn) % many)
        };
        let (best, (away, _, busy, _)) = (0..many).map(|at| (at, load(at))).min_by_key(|(_, load)| *load)?;
        (!idle || (!away && busy == 0)).then(|| places.remove(best))
    }

    /// Has a friend make what the same question made another one make, so that its blocks can be had from both.
    pub fn prepare(&self, friend: Id, request: Request<Body>) {
        let (this, stop) = (self.clone(), self.inner.stop.clone());
        self.inner.tasks.spawn(async move {
            let list = async {
                let answer = this.ask_unseen(&friend, request, LIST_MAX).await?;
                let told = answer.status() == StatusCode::OK && answer.into_body().collect().await.is_ok();
                if told {
                    this.contact(&friend).lacked.lock().take();
                }
                Ok::<_, FriendsError>(())
            };
            tokio::select! {
                // One that is away makes nothing: the other is asked alone.
                _ = list => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Blocks that a friend is asked for now.
    pub(super) fn busy(&self, friend: &str) -> usize {
        self.contact(friend).blocks.load(Ordering::Relaxed)
    }

    async fn flight(&self, place: BlockPlace, cid: &Cid, others: bool) -> Result<Bytes, (Id, BlockFailure)> {
        let BlockPlace { friend, uri, headers } = place;
        let block = async {
            self.check_trust(&friend)?;
            match others {
                true => self.while_alive(&friend, self.block_of(&friend, uri, headers, cid)).await,
                false => self.block_of(&friend, uri, headers, cid).await,
            }
        };
        block.await.map_err(|failure| (friend.clone(), failure))
    }

    /// One block of a friend's, checked.
    pub(super) async fn block_of(
        &self,
        friend: &str,
        uri: Uri,
        headers: HeaderMap,
        cid: &Cid,
    ) -> Result<Bytes, BlockFailure> {
        let _asked = Asked::of(self.contact(friend));
        let empty = Body::new(Empty::<Bytes>::new().map_err(|never| match never {}));
        let mut request = Request::new(empty);
        (*request.uri_mut(), *request.headers_mut()) = (uri, headers);
        let response = self.ask_unseen(friend, request, NODE_MAX as u64).await?;
        if response.status() != StatusCode::OK {
            self.contact(friend).lacked.lock().replace(Instant::now());
            return Err(BlockFailure::Absent);
        }
        let bytes = response.into_body().collect().await.map_err(|_| BlockFailure::Broken)?.to_bytes();
        if cid::verify(cid, &bytes).is_ok() {
            return Ok(bytes);
        }
        self.note(friend, Fault::Lie);
        Err(BlockFailure::Lie)
    }
}
