//! Scans that wait: at most one for each library, grown when more is asked.
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::scan::Scope;
use crate::catalog::Id;

/// A scan that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    library: Id,
    scope: Scope,
    /// Not before this.
    at: Instant,
}

/// Scans that wait, and the library whose scan runs.
#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    running: Option<Id>,
}

/// See the module.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Counts up with every change.
    changes: watch::Sender<u64>,
}

/// What a worker shall do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This scan; [`Queue::done`] when it ended.
    Scan(Id, Scope),
    /// Wait until then, or for a change.
    Wait(Option<Instant>),
}

impl Queue {
    pub fn new() -> Self {
        Self { state: Mutex::default(), changes: watch::channel(0).0 }
    }

    /// Asks for a scan at the earliest at `at`. One that waits already takes this one's part on, and the earlier time.
    pub fn push(&self, library: &str, scope: Scope, at: Instant) {
        {
            let mut state = self.state.lock();
            if let Some(waiting) = state.waiting.iter_mut().find(|waiting| waiting.library == library) {
                let before = std::mem::replace(&mut waiting.scope, Scope::All);
                waiting.scope = before.join(scope);
                waiting.at = waiting.at.min(at);
            } else {
                state.waiting.push(Waiting { library: library.to_owned(), scope, at });
            }
        }
        self.changed();
    }

    /// The scan that is due longest.
    pub fn next(&self, now: Instant) -> Next {
        let mut state = self.state.lock();
        let due = state.waiting.iter().enumerate().filter(|(_, waiting)| waiting.at <= now).min_by_key(|(_, w)| w.at);
        match due.map(|(at, _)| at) {
            Some(at) => {
                let Waiting { library, scope, .. } = state.waiting.remove(at);
                state.running = Some(library.clone());
                Next::Scan(library, scope)
            }
            None => Next::Wait(state.waiting.iter().map(|waiting| waiting.at).min()),
        }
    }

    /// The scan that ran has ended.
    pub fn done(&self) {
        self.state.lock().running = None;
        self.changed();
    }

    /// Nobody needs this library's scans any more.
    pub fn forget(&self, library: &str) {
        self.state.lock().waiting.retain(|waiting| waiting.library != library);
        self.changed();
    }

    /// Drops all scans that wait, and tells of which libraries.
    pub fn drop_waiting(&self) -> Vec<Id> {
        let dropped = std::mem::take(&mut self.state.lock().waiting);
        self.changed();
        dropped.into_iter().map(|waiting| waiting.library).collect()
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Returns when no scan runs or waits.
    pub async fn idle(&self) {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            {
                let state = self.state.lock();
                if state.waiting.is_empty() && state.running.is_none() {
                    return;
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn folder(name: &str) -> Scope {
        Scope::Folders([(name.into(), false)].into())
    }

    #[test]
    fn a_library_that_waits_already_waits_once_for_all_that_is_asked() {
        let (queue, now) = (Queue::new(), Instant::now());
        let later = now + Duration::from_secs(5);
        queue.push("films", folder("a"), later);
        assert_eq!(queue.next(now), Next::Wait(Some(later)));
        queue.push("films", folder("b"), now);
        assert_eq!(queue.next(now), Next::Scan("films".to_owned(), folder("a").join(folder("b"))));
        assert_eq!(queue.next(now), Next::Wait(None));
    }

    #[test]
    fn scans_that_wait_can_be_dropped_and_what_runs_goes_on() {
        let (queue, now) = (Queue::new(), Instant::now());
        queue.push("films", Scope::All, now);
        queue.next(now);
        queue.push("books", Scope::All, now);
        assert_eq!(queue.drop_waiting(), ["books"]);
        assert_eq!(queue.next(now), Next::Wait(None));
        assert_eq!(queue.state.lock().running.as_deref(), Some("films"));
    }

    #[tokio::test]
    async fn it_is_idle_when_the_last_scan_ended() {
        let (queue, now) = (Queue::new(), Instant::now());
        queue.push("films", Scope::All, now);
        queue.next(now);
        let idle = queue.idle();
        tokio::pin!(idle);
        assert!(futures_util::poll!(&mut idle).is_pending());
        queue.done();
        idle.await;
    }
}
