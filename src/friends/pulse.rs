//! Tells a friend's node that is slow to answer from one that is gone.
//!
//! A node that was switched off says no goodbye, and its link ends only after a long silence. Where somebody else can answer
//! as well, a node of which nothing is heard, on whatever stream, is asked for a sign of life. One that gives none is away until its
//! follower hears of it again.
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::answer::{Broken, Listener};
use super::trust::Fault;
use super::{FriendState, Friends, FriendsError};
use crate::catalog::Id;
use crate::exchange::Body;

/// A node that is waited for and without a word for this long is asked for a sign of life ...
const SILENCE: Duration = Duration::from_millis(250);
/// ... and has this long to give it.
const SIGN: Duration = Duration::from_millis(300);
/// A link that rests may take this long to be made anew before silence counts.
const WAKING: Duration = Duration::from_millis(1500);
/// Something that any friend may ask and that costs nothing to answer.
const QUESTION: &str = "/api/v1/webrtc";
const ANSWER_MAX: u64 = 64 * 1024;

/// What is under way with a friend's node.
#[derive(Debug)]
pub(super) struct Contact {
    /// When anything came from it last.
    heard: Mutex<Instant>,
    /// Blocks that it is asked for now.
    pub blocks: AtomicUsize,
    /// When it did not have a block that it was asked for.
    pub lacked: Mutex<Option<Instant>>,
}

/// Hears an answer of a friend's.
pub(super) struct Ear {
    friends: Friends,
    friend: Id,
    contact: Arc<Contact>,
}

impl Listener for Ear {
    fn heard(&self) {
        *self.contact.heard.lock() = Instant::now();
    }

    fn broke(&self, broken: Broken) {
        let fault = match broken {
            Broken::TooLong => Fault::Endless,
            Broken::Stalled => Fault::Stall,
        };
        self.friends.note(&self.friend, fault);
    }
}

impl Friends {
    pub(super) fn contact(&self, friend: &str) -> Arc<Contact> {
        let new = || {
            let (heard, blocks) = (Mutex::new(Instant::now()), AtomicUsize::new(0));
            Arc::new(Contact { heard, blocks, lacked: Mutex::new(None) })
        };
        Arc::clone(self.inner.contacts.lock().entry(friend.to_owned()).or_insert_with(new))
    }

    pub(super) fn ear(&self, friend: &str) -> Ear {
        Ear { friends: self.clone(), friend: friend.to_owned(), contact: self.contact(friend) }
    }

    /// As [`Friends::ask`], for a question that others can answer too: gives up on a node that gives no sign of life, however
    /// long the answer may take where it does.
    ///
    /// # Errors
    /// [`FriendsError`].
    pub async fn ask_while_alive(
        &self,
        friend: &str,
        request: Request<Body>,
        longest: u64,
    ) -> Result<Response<Body>, FriendsError> {
        self.while_alive(friend, self.ask(friend, request, longest)).await
    }

    /// Waits for something of a friend's node for as long as the node gives signs of life.
    pub(super) async fn while_alive<T, E: From<FriendsError>>(
        &self,
        friend: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                sign = self.after_silence(friend) => sign?,
            }
        }
    }

    async fn after_silence(&self, friend: &str) -> Result<(), FriendsError> {
        if let Ok(known) = self.inner.accounts.friend(friend) {
            let _ = tokio::time::timeout(WAKING, self.inner.dial.woken(&known)).await;
        }
        self.silent(friend).await;
        let nothing = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let mut request = Request::new(nothing);
        *request.uri_mut() = http::Uri::from_static(QUESTION);
        match tokio::time::timeout(SIGN, self.ask_unseen(friend, request, ANSWER_MAX)).await {
            Ok(answer) => answer.map(|_| ()),
            Err(_) => Err(self.gone(friend).await),
        }
    }

    /// Comes back when nothing was heard of a friend for too long, from now on.
    async fn silent(&self, friend: &str) {
        let (contact, begun) = (self.contact(friend), Instant::now());
        loop {
            let until = begun.max(*contact.heard.lock()) + SILENCE;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }

    /// Marks a friend as away; its follower asks anew at once.
    async fn gone(&self, friend: &str) -> FriendsError {
        let Ok(known) = self.inner.accounts.friend(friend) else { return FriendsError::Unlinked };
        tracing::debug!(friend.id = %friend, "a friend's node gives no sign of life");
        let problem = Some("its node gives no sign of life".to_owned());
        self.set_state(friend, FriendState { problem, ..FriendState::default() }).await;
        self.inner.doubt.notify_waiters();
        FriendsError::Off { name: known.name, retry: self.inner.options.retry_first }
    }

    /// Comes back when a friend that was there is said to be away by somebody else than its follower.
    pub(super) async fn doubted(&self, friend: &str) {
        loop {
            let doubt = self.inner.doubt.notified();
            if !self.state(friend).online {
                return;
            }
            doubt.await;
        }
    }
}
