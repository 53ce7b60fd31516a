//! Server-sent events: what happens in the node, of the libraries that the caller may see.
//!
//! A stream ends when the node stops, when the caller loses its right, when it may see other things than before, and when the reader
//! falls too far behind: it is then told `reset`, and looks everything up again after it reconnected.
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::model::{ItemChanged, LibraryChanged, Problem, ScanProgress};
use super::shapes::change_word;
use crate::accounts::{Accounts, Caller};
use crate::facades::App;
use crate::facades::extract::Asker;
use crate::node::NodeEvent;

/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events: `scan` ([`ScanProgress`]), `item` ([`ItemChanged`]), `library` ([`LibraryChanged`]), `friends` and
/// `replicas` (empty, for admins: look at their lists again), `reset` (empty).
#[utoipa::path(get, path = "/api/v1/events", tag = "status",
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401, body = Problem)))]
pub(in crate::facades) async fn stream(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let revoked = app.node().accounts().revoked();
    let listener = Listener {
        events: app.node().events(),
        accounts: app.node().accounts().clone(),
        caller,
        revoked,
        stop: app.stopping(),
        greeted: false,
        ended: false,
    };
    let events =
        stream::unfold(
            listener,
            |mut listener| async move { listener.next().await.map(|event| (Ok(event), listener)) },
        );
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

struct Listener {
    events: Receiver<NodeEvent>,
    accounts: Accounts,
    caller: Caller,
    revoked: watch::Receiver<u64>,
    stop: CancellationToken,
    greeted: bool,
    ended: bool,
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        // The first bytes let the reader know that it is connected.
        if !std::mem::replace(&mut self.greeted, true) {
            // What was taken away between the caller's naming and our listening is seen here.
            self.caller = self.accounts.current(&self.caller)?;
            return Some(Event::default().comment("hello"));
        }
        while !self.ended {
            tokio::select! {
                // What was taken away counts for what is told after it.
                biased;
                () = self.stop.cancelled() => return None,
                changed = self.revoked.changed() => {
                    changed.ok()?;
                    let now = self.accounts.current(&self.caller)?;
                    if std::mem::replace(&mut self.caller, now.clone()).account != now.account {
                        return Some(self.reset());
                    }
                }
                event = self.events.recv() => match event {
                    Ok(NodeEvent::Gap) | Err(RecvError::Lagged(_)) => return Some(self.reset()),
                    Ok(event) => if let Some(shown) = self.show(event) { return Some(shown) },
                    Err(RecvError::Closed) => return None,
                },
            }
        }
        None
    }

    fn reset(&mut self) -> Event {
        self.ended = true;
        Event::default().event("reset").data("{}")
    }

    fn show(&self, event: NodeEvent) -> Option<Event> {
        if !event.library().is_none_or(|library| self.caller.may_see(library)) {
            return None;
        }
        match event {
            NodeEvent::Scan(progress) => json("scan", &ScanProgress::from(progress)),
            NodeEvent::Item { id, library, change, .. } => {
                json("item", &ItemChanged { id, library, change: change_word(change).to_owned() })
            }
            NodeEvent::Library(id) => json("library", &LibraryChanged { id }),
            NodeEvent::Friends => self.caller.is_admin().then(|| Event::default().event("friends").data("{}")),
            NodeEvent::Replicas => self.caller.is_admin().then(|| Event::default().event("replicas").data("{}")),
            NodeEvent::Progress(_) | NodeEvent::List { .. } | NodeEvent::Cover { .. } | NodeEvent::Gap => None,
        }
    }
}

fn json(name: &str, data: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(data).ok()
}
