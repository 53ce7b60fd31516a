//! Follows one friend: asks for what changed, writes it, and asks again, for as long as it is a friend.
//!
//! The cursor is written with the page it ends, so that a kill at any time loses nothing and asks for nothing twice. When
//! nothing is new, it waits until the friend's node rings (`bell.rs`) or is gone: an idle friend costs a link and nothing on it. Where
//! the link rests, a question now and then shows whether the friend is there at all.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Fault, FriendState, Friends, FriendsError, FriendsEvent};
use crate::accounts::Friend;
use crate::catalog::record::Taken;
use crate::catalog::shared::{Changes, ENTRIES_MAX, Nonsense};
use crate::catalog::{CatalogError, Id};
use crate::exchange::Body;

/// Items of a page that are told one by one; of more, the libraries are.
const LIBRARIES_TOLD: usize = 64;

/// Why a question led to nothing.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    /// Its node is away.
    #[error(transparent)]
    Off(#[from] FriendsError),
    /// It was silent when somebody asked for something else.
    #[error("its node gives no sign of life")]
    Silent,
    /// Its link ended.
    #[error("the link to its node ended")]
    Gone,
    /// The answer broke off.
    #[error("its answer broke off")]
    Broken,
    /// It does not know us (any more).
    #[error("it does not know this node any more; ask its owner for an invite")]
    Stranger,
    /// It answered with something else.
    #[error("it answered with status {0}")]
    Status(u16),
    /// What it told cannot be.
    #[error("it told nonsense: {0}")]
    Nonsense(String),
    /// We could not write it.
    #[error("what it told could not be written")]
    Catalog(#[from] CatalogError),
}

impl From<Nonsense> for FollowError {
    fn from(nonsense: Nonsense) -> Self {
        Self::Nonsense(nonsense.to_string())
    }
}

/// Runs until `stop`.
pub(super) async fn follow(friends: Friends, friend: Id, stop: CancellationToken) {
    let bell = friends.inner.bells.of(&friend);
    let mut follower = Follower { friends, friend, bell, entries: 0, online: false };
    stop.run_until_cancelled(follower.run()).await;
}

fn pause(options: &super::FriendsOptions, error: &FollowError, failures: u32) -> Duration {
    let doubled = options.retry_first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(options.retry_last);
    match error {
        FollowError::Nonsense(_) => options.retry_nonsense,
        // Not all at the same moment, where a router came back.
        _ => doubled.mul_f64(rand::random_range(0.75..1.25)),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum More {
    /// There is more to ask for.
    Now,
    /// That was all.
    Later,
    /// Nothing was new.
    Nothing,
}

struct Follower {
    friends: Friends,
    friend: Id,
    bell: Arc<Notify>,
    /// Entries since the friend said that there is no more.
    entries: u64,
    online: bool,
}

impl Follower {
    async fn run(&mut self) {
        let mut failures = 0u32;
        // At a start there are many followers, of which not all may ask at once.
        if let Ok(friend) = self.friends.inner.accounts.friend(&self.friend) {
            self.friends.inner.dial.wake(&friend).await;
        }
        loop {
            let asked = match self.ask().await {
                Ok(More::Now) => continue,
                Ok(more) => {
                    failures = 0;
                    self.expect_news(&more).await
                }
                failed => failed.map(drop),
            };
            if let Err(error) = asked {
                failures += 1;
                let inner = Arc::clone(&self.friends.inner);
                let pause = pause(&inner.options, &error, failures);
                self.failed(&error).await;
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = inner.hurry.notified() => {}
                }
            }
        }
    }

    /// Waits until it is time for the next question.
    async fn expect_news(&self, more: &More) -> Result<(), FollowError> {
        let (inner, options) = (&self.friends.inner, &self.friends.inner.options);
        // News that are none are not asked for as fast as they come.
        let least = if *more == More::Nothing { options.retry_first.max(options.quiet) } else { options.quiet };
        let Ok(friend) = inner.accounts.friend(&self.friend) else { return Ok(()) };
        let rung = async {
            tokio::time::sleep(least).await;
            tokio::select! {
                () = self.bell.notified() => {}
                () = self.quiet_for_long(&friend) => {}
            }
        };
        tokio::select! {
            () = rung => Ok(()),
            () = inner.dial.gone(&friend) => Err(FollowError::Gone),
            () = self.friends.doubted(&self.friend) => Err(FollowError::Silent),
        }
    }

    /// Comes back when a friend that did not ring is to be asked, with its link awake if it is there.
    async fn quiet_for_long(&self, friend: &Friend) {
        let (dial, options) = (&self.friends.inner.dial, &self.friends.inner.options);
        tokio::time::sleep(options.quiet_max).await;
        // Not all at the same moment: they were put to rest together.
        let rest_max = options.rest_max.mul_f64(rand::random_range(1.0..1.5)).saturating_sub(options.quiet_max);
        tokio::select! {
            () = dial.woken(friend) => {}
            () = tokio::time::sleep(rest_max) => dial.wake(friend).await,
        }
    }

    /// One question and what follows from it.
    async fn ask(&mut self) -> Result<More, FollowError> {
        let inner = Arc::clone(&self.friends.inner);
        let since = inner.catalog.friend_cursor(&self.friend).await?;
        let page = tokio::select! {
            page = self.page(&since) => page?,
            () = self.friends.doubted(&self.friend), if self.online => return Err(FollowError::Silent),
        };
        let (more, same) = (page.more, page.next == since);
        self.believe(&page, &since)?;
        if !same {
            let taken = inner.catalog.take_changes(&self.friend, page, inner.options.items_max).await?;
            self.friends.set_offered(&self.friend).await;
            self.tell(&taken);
            self.forget_pictures(&taken).await;
        }
        let state = FriendState { online: true, synced: !more, problem: None };
        self.friends.set_state(&self.friend, state).await;
        self.online = true;
        Ok(match (more, same) {
            (true, _) => More::Now,
            (false, true) => More::Nothing,
            (false, false) => More::Later,
        })
    }

    async fn page(&self, since: &str) -> Result<Changes, FollowError> {
        let uri = format!("/api/v1/changes?since={since}&limit={ENTRIES_MAX}&people=true");
        let empty = Body::new(Empty::<Bytes>::new().map_err(|never| match never {}));
        let request = Request::get(uri).body(empty).map_err(|_| FollowError::Broken)?;
        let longest = self.friends.inner.options.page_max as u64;
        let response = self.friends.ask_unseen(&self.friend, request, longest).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(FollowError::Stranger),
            other => return Err(FollowError::Status(other.as_u16())),
        }
        let bytes = response.into_body().collect().await.map_err(|_| FollowError::Broken)?.to_bytes();
        serde_json::from_slice(&bytes).map_err(|error| FollowError::Nonsense(error.to_string()))
    }

    /// Whether a page is one, and leads on.
    fn believe(&mut self, page: &Changes, since: &str) -> Result<(), FollowError> {
        page.check()?;
        let count = (page.items.len() + page.removed.len()) as u64;
        self.entries = if page.more { self.entries + count } else { 0 };
        if page.more && (count == 0 || page.next == since) {
            return Err(FollowError::Nonsense("there is more, but nothing is told".to_owned()));
        }
        // As many as there may be, and as many that went.
        if self.entries > 2 * self.friends.inner.options.items_max + ENTRIES_MAX as u64 {
            self.friends.note(&self.friend, Fault::Endless);
            return Err(FollowError::Nonsense("its changes do not end".to_owned()));
        }
        Ok(())
    }

    fn tell(&self, taken: &Taken) {
        if taken.refused > 0 {
            tracing::warn!(friend.id = %self.friend, entries = taken.refused, "a friend told of items that cannot be its own");
        }
        let items = taken.added.iter().chain(&taken.changed).chain(&taken.removed).map(|touched| &touched.library);
        let mut libraries: Vec<&Id> = items.chain(&taken.libraries).collect();
        libraries.sort_unstable();
        libraries.dedup();
        for library in libraries.into_iter().take(LIBRARIES_TOLD) {
            self.friends.tell(FriendsEvent::Library(library.clone()));
        }
    }

    /// What is not shared any more leaves no picture here.
    async fn forget_pictures(&self, taken: &Taken) {
        for removed in &taken.removed {
            self.friends.forget_pictures_of(&self.friend, &removed.library, &removed.id).await;
        }
        for library in &taken.libraries {
            if let Err(CatalogError::NotFound(_)) = self.friends.inner.catalog.library(library).await {
                self.friends.forget_pictures(&self.friend, Some(library)).await;
            }
        }
    }

    /// Marks the friend as away, or as one that is not believed. One that does not know us shares nothing.
    async fn failed(&mut self, error: &FollowError) {
        (self.online, self.entries) = (false, 0);
        tracing::debug!(friend.id = %self.friend, error = %error, "a friend is not followed now");
        if matches!(error, FollowError::Stranger) {
            let nothing = self.friends.inner.catalog.take_changes(&self.friend, Changes::default(), 0).await;
            match nothing {
                Ok(taken) => {
                    self.friends.set_offered(&self.friend).await;
                    self.tell(&taken);
                    self.forget_pictures(&taken).await;
                }
                Err(error) => {
                    tracing::error!(friend.id = %self.friend, error = %error, "a friend's libraries could not be hidden")
                }
            }
        }
        let problem = Some(error.to_string());
        self.friends.set_state(&self.friend, FriendState { problem, ..FriendState::default() }).await;
    }
}
