//! Rings at friends' nodes when there is news for them, so that neither side holds a question open for it.
//!
//! A friend's node that asked for changes when there were none is expecting a ring. What it knows is remembered here; when
//! something was written or a right is another, it is looked up once more, and where there is something new, the friend
//! is rung for once: it asks what it is, and is expecting the next ring then. A ring that is lost costs a friend at most
//! [`quiet_max`](super::FriendsOptions::quiet_max), after which it asks anyway.
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Friends;
use crate::accounts::Friend;
use crate::catalog::{Id, Seen};

/// The route that a ring is for.
const ROUTE: &str = "/api/v1/friends/bell";
/// Rings at a time.
const AT_ONCE: usize = 16;
const ANSWER_MAX: u64 = 64 * 1024;
/// A ring that was refused, because this node asked for too much just then, is tried so often.
const TRIES: u32 = 5;

/// Who is expecting a ring, and whom it would wake here.
#[derive(Default)]
pub(super) struct Bells {
    /// Friends that know all there is, and the cursor that they have.
    expecting: Mutex<HashMap<Id, String>>,
    /// Followers here, which wait to be rung for.
    here: Mutex<HashMap<Id, Arc<Notify>>>,
}

impl Bells {
    /// The bell of a friend's follower. A ring that comes while nobody waits is not lost.
    pub fn of(&self, friend: &Id) -> Arc<Notify> {
        Arc::clone(self.here.lock().entry(friend.clone()).or_default())
    }

    /// Forgets a friend.
    pub fn remove(&self, friend: &Id) {
        self.here.lock().remove(friend);
        self.expecting.lock().remove(friend);
    }
}

impl Friends {
    /// A friend's node is about to be told what is new after `cursor`: if that is nothing, it is expecting a ring.
    pub fn expects_ring(&self, friend: &str, cursor: &str) {
        self.inner.bells.expecting.lock().insert(friend.to_owned(), cursor.to_owned());
    }

    /// A friend's node says that there is news of it.
    pub fn rung(&self, friend: &str) {
        if let Some(bell) = self.inner.bells.here.lock().get(friend) {
            bell.notify_one();
        }
    }
}

/// Runs until the friends are stopped.
pub(super) async fn keep(friends: Friends) {
    let inner = Arc::clone(&friends.inner);
    let (mut written, mut revoked) = (inner.catalog.written(), inner.accounts.revoked());
    loop {
        tokio::select! {
            tick = written.changed() => if tick.is_err() { return },
            tick = revoked.changed() => if tick.is_err() { return },
            () = inner.stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(inner.options.quiet) => {}
            () = inner.stop.cancelled() => return,
        }
        let all: Vec<_> =
            inner.bells.expecting.lock().iter().map(|(id, cursor)| (id.clone(), cursor.clone())).collect();
        let rings: Vec<_> = all.into_iter().map(|(friend, cursor)| ring_if_new(&friends, friend, cursor)).collect();
        tokio::select! {
            () = futures_util::stream::iter(rings).for_each_concurrent(AT_ONCE, |ring| ring) => {}
            () = inner.stop.cancelled() => return,
        }
    }
}

async fn ring_if_new(friends: &Friends, friend: Id, cursor: String) {
    let inner = &friends.inner;
    let Ok(known) = inner.accounts.friend(&friend) else {
        inner.bells.expecting.lock().remove(&friend);
        return;
    };
    let seen = Seen { libraries: Some(known.libraries.clone()), people: known.people.clone() };
    let is_news = inner.catalog.changes(seen, cursor.clone(), 1).await.map(|page| page.next != cursor);
    match is_news {
        Ok(false) => {}
        Ok(true) => {
            // If it asked meanwhile, and knows all by now, it asks once in vain.
            inner.bells.expecting.lock().remove(&friend);
            let (friends, stop) = (friends.clone(), inner.stop.clone());
            inner.tasks.spawn(async move { stop.run_until_cancelled(ring(&friends, &known)).await });
        }
        Err(error) => {
            tracing::warn!(friend.id = %friend, error = %error, "whether there is news for a friend is not known")
        }
    }
}

/// Rings, again after a while where that was refused. A link that rests is woken for it. One that ended needs no ring: the friend
/// asks when it is back.
async fn ring(friends: &Friends, friend: &Friend) {
    friends.inner.dial.wake(friend).await;
    let friend = &friend.id;
    let mut pause = friends.inner.options.retry_first;
    for _ in 0..TRIES {
        let empty = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let Ok(request) = Request::post(ROUTE).body(empty) else { return };
        match friends.ask_unseen(friend, request, ANSWER_MAX).await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => {
                tracing::debug!(friend.id = %friend, http.status = answer.status().as_u16(), "a ring was refused");
            }
            Err(error) => {
                tracing::debug!(friend.id = %friend, error = %error, "a friend's node was not told that there is news");
                return;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(friends.inner.options.retry_last);
    }
}
