//! What is being heard now, by whom. Forgotten with the node: it is no history.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::accounts::Account;
use crate::catalog::Id;

/// What was begun this long ago is over, although nobody said so.
const LONGEST: Duration = Duration::from_secs(2 * 3600);
/// Programs of one account at most.
const PROGRAMS_MAX: usize = 16;
/// Letters of a program's name.
const NAME_MAX: usize = 100;

/// Somebody hears something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playing {
    /// Of the account.
    pub name: String,
    /// As it calls itself.
    pub program: String,
    /// Number of the track.
    pub track: i64,
    pub since: Instant,
}

/// A cheap list of them.
#[derive(Default)]
pub struct NowPlaying(Mutex<HashMap<(Id, String), Playing>>);

impl NowPlaying {
    /// A program plays a track now.
    pub fn begun(&self, account: &Account, program: &str, track: i64) {
        let program: String = program.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        let mut all = self.0.lock();
        all.retain(|_, playing| playing.since.elapsed() < LONGEST);
        let key = (account.id.clone(), program.clone());
        let known = all.get(&key).filter(|playing| playing.track == track).map(|playing| playing.since);
        let of_account = all.keys().filter(|(id, _)| *id == account.id).count();
        if of_account >= PROGRAMS_MAX && !all.contains_key(&key) {
            return;
        }
        let since = known.unwrap_or_else(Instant::now);
        all.insert(key, Playing { name: account.name.clone(), program, track, since });
    }

    /// A program plays nothing more.
    pub fn ended(&self, account: &Account, program: &str) {
        let program: String = program.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        self.0.lock().remove(&(account.id.clone(), program));
    }

    /// All, latest first.
    pub fn all(&self) -> Vec<Playing> {
        let mut all: Vec<Playing> =
            self.0.lock().values().filter(|playing| playing.since.elapsed() < LONGEST).cloned().collect();
        all.sort_by_key(|playing| std::cmp::Reverse(playing.since));
        all
    }
}
