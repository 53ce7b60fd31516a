//! Which friends' nodes are not asked for films for a while, because of what they did.
//!
//! What a friend's node sends is never a bug, but it costs somebody here something: blocks that are others, answers without an end,
//! answers that stop or trickle, requests without measure. Whoever did that gives nothing until some time has passed; people see why and
//! since when. What it shares is still followed, and nothing of this outlives the process.
use std::time::Duration;

use tokio::time::Instant;

use super::{Friends, FriendsError, FriendsEvent};

/// What a friend's node did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It sent other bytes than the block's. No accident: the transport is encrypted and complete.
    Lie,
    /// Its answer, or its list of changes, has no end.
    Endless,
    /// It stopped in the middle of an answer, or sends it by the drop.
    Stall,
    /// It asked for far more than it may.
    Flood,
}

impl Fault {
    /// It is not asked for this long.
    fn rest(self) -> Duration {
        Duration::from_secs(match self {
            Self::Lie => 60 * 60,
            Self::Endless => 15 * 60,
            Self::Stall | Self::Flood => 60,
        })
    }

    /// For people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Lie => "it sent other bytes than it was asked for",
            Self::Endless => "what it sent was longer than it may be",
            Self::Stall => "it stopped in the middle of what it was sending, or sent it far too slowly",
            Self::Flood => "it asked this node for far too much at once",
        }
    }
}

/// What a friend's node did last, since this node was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// What it was.
    pub fault: Fault,
    /// How often it did anything of the kind.
    pub count: u64,
    /// Unix milliseconds.
    pub at: i64,
    /// Unix milliseconds; until then it is not asked.
    pub until: i64,
}

/// A [`Trouble`] with the clock that counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Distrust {
    trouble: Trouble,
    until: Instant,
}

impl Friends {
    /// What a friend's node did that it should not, if anything.
    #[must_use]
    pub fn trouble(&self, friend: &str) -> Option<Trouble> {
        self.inner.distrust.lock().get(friend).map(|distrust| distrust.trouble)
    }

    /// Whether it may be asked for what it holds.
    #[must_use]
    pub fn trusts(&self, friend: &str) -> bool {
        self.rests(friend).is_none()
    }

    /// Notes what a friend's node did; it is no source for a while.
    pub fn note(&self, friend: &str, fault: Fault) {
        let fresh = self.trusts(friend);
        let until = self.remember(friend, fault);
        if fresh {
            tracing::warn!(friend.id = %friend, reason = fault.reason(), "a friend's node is not asked for a while");
            self.tell_of_trouble(friend);
            self.inner.tasks.spawn(self.clone().forgive(friend.to_owned(), until));
        }
    }

    fn remember(&self, friend: &str, fault: Fault) -> Instant {
        let (now, rest) = (jiff::Timestamp::now().as_millisecond(), fault.rest());
        let mut all = self.inner.distrust.lock();
        let known = all.get(friend).copied();
        // A lesser fault does not shorten the rest for a greater one.
        let until = known.map_or(Instant::now(), |known| known.until).max(Instant::now() + rest);
        let left = i64::try_from(until.duration_since(Instant::now()).as_millis()).unwrap_or(i64::MAX);
        let count = known.map_or(0, |known| known.trouble.count) + 1;
        let trouble = Trouble { fault, count, at: now, until: now.saturating_add(left) };
        all.insert(friend.to_owned(), Distrust { trouble, until });
        until
    }

    /// Tells once more when the time is over: the friend's films play again.
    async fn forgive(self, friend: String, until: Instant) {
        tokio::select! {
            () = tokio::time::sleep_until(until) => self.tell_of_trouble(&friend),
            () = self.inner.stop.cancelled() => {}
        }
    }

    fn tell_of_trouble(&self, friend: &str) {
        self.tell(FriendsEvent::Trouble(friend.to_owned()));
    }

    fn rests(&self, friend: &str) -> Option<Distrust> {
        self.inner.distrust.lock().get(friend).copied().filter(|distrust| distrust.until > Instant::now())
    }

    /// Refuses where a friend's node is not to be asked.
    pub(super) fn check_trust(&self, friend: &str) -> Result<(), FriendsError> {
        let Some(Distrust { trouble, until }) = self.rests(friend) else { return Ok(()) };
        let name = self.inner.accounts.friend(friend).map(|friend| friend.name).unwrap_or_default();
        let retry = until.duration_since(Instant::now());
        Err(FriendsError::Distrusted { name, reason: trouble.fault.reason(), retry })
    }
}
