//! Tells a friend's node that is slow to answer from one that is gone.
//!
//! A node that was switched off says no goodbye, and its link ends only after a long silence. Where somebody else can answer
//! as well, a silent node is asked for a sign of life. One that gives none is away until its follower hears of it again.
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};

use super::{FriendState, Friends, FriendsError};
use crate::exchange::Body;

/// A node without a word for this long is asked for a sign of life, and has as long to give it.
const SILENCE: Duration = Duration::from_millis(400);
/// Something that any friend may ask and that costs nothing to answer.
const QUESTION: &str = "/api/v1/webrtc";
const ANSWER_MAX: u64 = 64 * 1024;

impl Friends {
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
        let answer = self.ask(friend, request, longest);
        tokio::pin!(answer);
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                sign = self.after_silence(friend) => sign?,
            }
        }
    }

    async fn after_silence(&self, friend: &str) -> Result<(), FriendsError> {
        tokio::time::sleep(SILENCE).await;
        let nothing = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let mut request = Request::new(nothing);
        *request.uri_mut() = http::Uri::from_static(QUESTION);
        match tokio::time::timeout(SILENCE, self.ask_unseen(friend, request, ANSWER_MAX)).await {
            Ok(answer) => answer.map(|_| ()),
            Err(_) => Err(self.gone(friend).await),
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
