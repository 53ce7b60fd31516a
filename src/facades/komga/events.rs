//! `GET /sse/v1/events`: what happens in the node, in Komga's words, of what the caller may see.
//!
//! A stream ends when the node stops, when the caller loses its right (it is told `SessionExpired` first), and when it falls too
//! far behind: nothing is kept for a reader that does not read. An account has a few streams at once and no more.
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::herald::{Herald, Told};
use crate::accounts::Caller;
use crate::catalog::Id;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Asker;
use crate::node::NodeEvent;

/// A comment this often keeps a quiet stream open; Komga's readers wait for 15 seconds.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Admins are told this often what the node does.
const STATUS: Duration = Duration::from_secs(10);
/// Streams of one account.
const STREAMS_MAX: u32 = 16;
/// After this somebody with too many may try again.
const RETRY: Duration = Duration::from_secs(30);

/// How many streams each account has.
#[derive(Debug, Default)]
pub(in crate::facades) struct Streams(Arc<Mutex<HashMap<Id, u32>>>);

/// One of them, until it is dropped.
struct Slot {
    all: Arc<Mutex<HashMap<Id, u32>>>,
    account: Id,
}

impl Streams {
    fn take(&self, account: &str) -> Result<Slot, Refusal> {
        let mut all = self.0.lock();
        let count = all.entry(account.to_owned()).or_default();
        if *count >= STREAMS_MAX {
            return Err(Refusal::too_many(RETRY));
        }
        *count += 1;
        Ok(Slot { all: Arc::clone(&self.0), account: account.to_owned() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(count) = all.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.account);
            }
        }
    }
}

/// Events for as long as somebody listens.
pub(in crate::facades) async fn stream(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let slot = app.streams().take(caller.id())?;
    let (events, revoked, stop) = (app.node().events(), app.node().accounts().revoked(), app.stopping());
    let herald = Herald::new(app.node().catalog().clone()).await?;
    let mut status = interval(STATUS);
    status.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let waiting = VecDeque::new();
    let listener = Listener {
        app,
        caller,
        herald,
        events,
        revoked,
        stop,
        status,
        waiting,
        greeted: false,
        over: false,
        _slot: slot,
    };
    let events =
        stream::unfold(
            listener,
            |mut listener| async move { listener.next().await.map(|event| (Ok(event), listener)) },
        );
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

struct Listener {
    app: App,
    caller: Caller,
    herald: Herald,
    events: Receiver<NodeEvent>,
    revoked: watch::Receiver<u64>,
    stop: CancellationToken,
    status: Interval,
    /// Of one event of the node, what is still to be told.
    waiting: VecDeque<Told>,
    greeted: bool,
    over: bool,
    _slot: Slot,
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        // The first bytes let the reader know that it is connected.
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Event::default().comment("hello"));
        }
        loop {
            if let Some(told) = self.waiting.pop_front() {
                return Event::default().event(told.name).json_data(told.data).ok();
            }
            if self.over {
                return None;
            }
            tokio::select! {
                // What was taken away counts for what is told after it.
                biased;
                () = self.stop.cancelled() => return None,
                changed = self.revoked.changed() => {
                    changed.ok()?;
                    self.look();
                }
                _ = self.status.tick() => {
                    self.look();
                    self.tell_status();
                }
                event = self.events.recv() => match event {
                    Ok(NodeEvent::Gap) | Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
                    Ok(event) => self.waiting = self.herald.told(&self.caller, event).await.ok()?.into(),
                },
            }
        }
    }

    /// Whether the caller still is who it was, and sees what it saw.
    fn look(&mut self) {
        match self.app.node().accounts().current(&self.caller) {
            Some(now) => self.caller = now,
            None => {
                self.waiting = [Told { name: "SessionExpired", data: json!({"userId": self.caller.id()}) }].into();
                self.over = true;
            }
        }
    }

    fn tell_status(&mut self) {
        if self.over || !self.caller.is_admin() {
            return;
        }
        let importer = self.app.node().importer();
        let scans = self.herald.libraries().filter(|library| importer.progress(library).is_some()).count();
        let types = if scans > 0 { json!({"ScanLibrary": scans}) } else { json!({}) };
        self.waiting.push_back(Told { name: "TaskQueueStatus", data: json!({"count": scans, "countByType": types}) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_few_streams_and_gets_their_places_back() {
        let streams = Streams::default();
        let slots: Vec<Slot> = (0..STREAMS_MAX).map(|_| streams.take("a").unwrap_or_else(|_| panic!("full"))).collect();
        assert!(streams.take("a").is_err());
        assert!(streams.take("b").is_ok());
        drop(slots);
        assert!(streams.take("a").is_ok());
        assert!(streams.0.lock().is_empty(), "nothing is kept of who left");
    }
}
