//! The router as every carrier sees it, and what each carrier moved.
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{Request, Response, header};
use axum::middleware::from_fn_with_state;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tower::ServiceExt as _;

use super::error::Refusal;
use super::floods::Admission;
use super::{App, FacadeOptions, caller, forward, origins, routes, web};
use crate::accounts::Caller;
use crate::exchange::{Body, Responder};
use crate::friends::Fault;
use crate::node::Node;

/// Minutes of history.
const HISTORY: usize = 60;

/// What a carrier moved since start.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Open connections.
    pub connections: AtomicU64,
    /// Requests answered.
    pub requests: AtomicU64,
    /// Bytes sent.
    pub sent: AtomicU64,
    /// Bytes received.
    pub received: AtomicU64,
    history: Mutex<History>,
}

#[derive(Debug, Default)]
struct History {
    /// `sent` at the end of the last minute.
    before: u64,
    minutes: VecDeque<u64>,
}

impl Traffic {
    /// To be called once a minute with all bytes sent so far.
    pub fn minute_passed(&self, sent: u64) {
        let mut history = self.history.lock();
        let moved = sent.saturating_sub(history.before);
        history.before = sent;
        history.minutes.push_back(moved);
        if history.minutes.len() > HISTORY {
            history.minutes.pop_front();
        }
    }

    /// Bytes sent in each of the last 60 minutes, oldest first; the last is the minute that runs.
    #[must_use]
    pub fn history(&self, sent: u64) -> Vec<u64> {
        let history = self.history.lock();
        let mut minutes: Vec<u64> =
            history.minutes.iter().copied().skip(history.minutes.len().saturating_sub(59)).collect();
        minutes.push(sent.saturating_sub(history.before));
        let mut padded = vec![0; HISTORY.saturating_sub(minutes.len())];
        padded.append(&mut minutes);
        padded
    }

    /// Bytes sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// The whole HTTP surface of a node. A request needs a [`Caller`] or a [`Connection`](super::Connection) with it.
#[derive(Clone)]
pub struct NodeRouter {
    app: App,
    router: Router,
}

impl NodeRouter {
    pub(super) fn new(app: App) -> Self {
        let router = routes::router()
            .with_state(app.clone())
            .layer(axum::middleware::from_fn(web::security_headers))
            .layer(from_fn_with_state(app.clone(), caller::identify));
        Self { app, router }
    }

    /// For a process that hosts a node for itself: no listeners, no settings.
    #[must_use]
    pub fn local(node: Node) -> Self {
        let stopping = node.tasks().stopping();
        Self::new(App::new(node, FacadeOptions::default(), stopping, Vec::new()))
    }

    /// Who asks from this machine's command line.
    #[must_use]
    pub fn local_caller(&self) -> Caller {
        self.app.node().accounts().local()
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<axum::body::Body>) -> Response<axum::body::Body> {
        match origins::turn(&self.app, request) {
            Ok(request) => match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(response) => response,
        }
    }

    /// Why a friend's node gets no answer, where it asks for too much.
    fn too_many(&self, friend: &str) -> Option<Refusal> {
        match self.app.floods().admit(friend) {
            Admission::Granted => None,
            Admission::Refused(wait) => Some(Refusal::too_many(wait)),
            Admission::Flood => {
                if let Some(friends) = self.app.node().friends() {
                    friends.note(friend, Fault::Flood);
                }
                Some(Refusal::too_many(Duration::from_secs(60)))
            }
        }
    }
}

/// As carriers take it.
fn carried(response: Response<axum::body::Body>) -> Response<Body> {
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

impl Responder<Caller> for NodeRouter {
    /// The channel's caller is who asks, whatever credentials the request brings, with the rights it has by now. A friend's node may
    /// say over its link for which of its people it asks; what comes over any other channel has no say in that.
    fn respond(&self, caller: Caller, request: Request<Body>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        let this = self.clone();
        Box::pin(async move {
            let friend = this.app.node().accounts().friend(caller.id()).ok().filter(|_| caller.is_node());
            if let Some(refusal) = friend.as_ref().and_then(|friend| this.too_many(&friend.id)) {
                return carried(axum::response::IntoResponse::into_response(refusal));
            }
            let (mut parts, body) = request.into_parts();
            parts.headers.remove(header::COOKIE);
            parts.headers.remove(header::AUTHORIZATION);
            // Rights that a carrier could have left there are not taken over.
            parts.extensions.clear();
            let accounts = this.app.node().accounts();
            let now = accounts.current(&caller).map(|now| match parts.headers.remove(forward::FOR) {
                Some(name) => accounts.on_behalf(now, std::str::from_utf8(name.as_bytes()).ok()),
                None => now,
            });
            let gone = now.is_none();
            parts.extensions.insert(now.unwrap_or_else(|| Caller::nobody(caller.address)));
            let response = if gone {
                axum::response::IntoResponse::into_response(Refusal::unauthenticated())
            } else {
                this.answer(Request::from_parts(parts, axum::body::Body::new(body))).await
            };
            let response = carried(response);
            match friend {
                Some(friend) => response.map(|body| this.app.uploads().paced(&friend.id, friend.upload_rate, body)),
                None => response,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_has_sixty_minutes_and_the_running_one_is_last() {
        let traffic = Traffic::default();
        assert_eq!(traffic.history(0), vec![0; 60]);
        for minute in 1..=100 {
            traffic.minute_passed(minute * 10);
        }
        let history = traffic.history(1_003);
        assert_eq!(history.len(), 60);
        assert_eq!(history[58..], [10, 3]);
    }
}
