//! Stand-ins: friends' nodes at which our people can sign in while ours is away, and friends' people who sign in at ours.
//!
//! ```text
//!  home: accounts, facts of how far they watched ── sealed ── POST /api/v1/stand-in ──► the stand-in: guests, facts
//!        facts of what they watched there        ◄─────────── GET /api/v1/stand-in?since=&wait= ──
//! ```
//! Both owners must want it: home's chooses the friend, the friend's lets guests in. Home asks and tells; what was told is what
//! the stand-in says it knows, and is kept by it alone. So a kill of either at any time, or an old copy of either's database, costs
//! nothing but telling again. Accounts are told whole, with a revision that only grows; facts come to the same in any order
//! (see [`crate::catalog::Fact`]). Invariant: nothing of a home's accounts leaves it unsealed, and nothing is believed but what that
//! home sealed for this node.
mod home;
mod host;
mod seals;
mod words;

pub use host::HostError;
pub use seals::{SealError, Sealed, Seals};
pub use words::{News, Question, Standing};

use std::collections::HashMap;

use tokio_util::sync::CancellationToken;

use super::{Friends, FriendsEvent};
use crate::accounts::StandIn;
use crate::catalog::Id;

/// How far a friend's node is as our stand-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandInState {
    /// Unix milliseconds when it knew all that we do.
    pub synced_at: Option<i64>,
    /// Why it does not now, for people.
    pub problem: Option<String>,
}

/// Keeps one teller for each friend that stands in for this node, or is to forget us.
pub(super) async fn keep(friends: Friends) {
    let mut changed = friends.inner.accounts.revoked();
    let mut tellers: HashMap<Id, CancellationToken> = HashMap::new();
    loop {
        let mut wanted = friends.inner.accounts.friends();
        wanted.retain(|friend| friend.enabled && friend.stand_in != StandIn::No);
        tellers.retain(|id, stop| {
            let kept = wanted.iter().any(|friend| friend.id == *id);
            if !kept {
                stop.cancel();
                friends.inner.stand_ins.lock().remove(id);
            }
            kept
        });
        for friend in wanted {
            tellers.entry(friend.id.clone()).or_insert_with(|| {
                let stop = friends.inner.stop.child_token();
                friends.inner.tasks.spawn(home::tell(friends.clone(), friend.id, stop.clone()));
                stop
            });
        }
        tokio::select! {
            tick = changed.changed() => if tick.is_err() { return },
            () = friends.inner.stop.cancelled() => return,
        }
    }
}

impl Friends {
    /// How far a friend's node is as our stand-in.
    #[must_use]
    pub fn stand_in(&self, friend: &str) -> StandInState {
        self.inner.stand_ins.lock().get(friend).cloned().unwrap_or_default()
    }

    /// Remembers how far it is. Whoever looks at it is told where that is news: a later time alone is none.
    fn set_stand_in(&self, friend: &str, state: StandInState) {
        let before = self.inner.stand_ins.lock().insert(friend.to_owned(), state.clone()).unwrap_or_default();
        if before.problem != state.problem || before.synced_at.is_some() != state.synced_at.is_some() {
            self.tell(FriendsEvent::StandIn(friend.to_owned()));
        }
    }
}
