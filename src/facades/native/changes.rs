//! What changed in the libraries that the caller may see: how a friend's node follows ours, and any program that wants to.
//!
//! With `wait` an answer that would hold nothing new is held back until there is something. A friend's node need not wait:
//! it is rung for.
use std::time::Duration;

use axum::extract::State;
use tokio::time::{Instant, timeout_at};

use super::model::{ChangesQuery, Problem};
use crate::accounts::{Caller, Credential};
use crate::catalog::Seen;
use crate::catalog::shared::{CURSOR_MAX, Changes, ENTRIES_MAX};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Query};

/// Longest wait, seconds.
pub(super) const WAIT_MAX: u64 = 60;

/// The next page of changes in this node's own libraries that the caller may see.
#[utoipa::path(get, path = "/api/v1/changes", tag = "libraries", params(ChangesQuery),
    responses((status = 200, body = Changes), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
    Query(query): Query<ChangesQuery>,
) -> Result<axum::Json<Changes>, Refusal> {
    let since = query.since.unwrap_or_default();
    let limit = query.limit.unwrap_or(500);
    if !(1..=ENTRIES_MAX).contains(&limit) {
        return Err(Refusal::invalid(format!("limit: must be 1 to {ENTRIES_MAX}")));
    }
    let wait = query.wait.unwrap_or(0);
    if wait > WAIT_MAX {
        return Err(Refusal::invalid(format!("wait: must be 0 to {WAIT_MAX}")));
    }
    if since.len() > CURSOR_MAX {
        return Err(Refusal::invalid("since: must be the `next` of an answer"));
    }
    let until = Instant::now() + Duration::from_secs(wait);
    let people = query.people.unwrap_or(false);
    follow(&app, caller, Wanted { since, limit, people }, until).await.map(axum::Json)
}

/// What is asked for.
struct Wanted {
    since: String,
    limit: usize,
    /// The asker keeps to the lists of people that it is told.
    people: bool,
}

/// What a caller may follow. A friend's node hears of a library that is for some of its people only where it keeps to that.
fn seen(app: &App, caller: &Caller, people: bool) -> Seen {
    let friend = app.node().accounts().friend(caller.id()).ok();
    match (&caller.credential, friend) {
        (Credential::Endpoint(_), Some(friend)) if people => {
            Seen { libraries: Some(friend.libraries), people: friend.people }
        }
        _ if caller.is_admin() => Seen::default(),
        _ => {
            let libraries = caller.account.as_ref().map_or(Some(Vec::new()), |account| account.libraries.clone());
            Seen { libraries, ..Seen::default() }
        }
    }
}

/// What is new after a cursor, as soon as anything is, or nothing new when the time is up.
async fn follow(app: &App, mut caller: Caller, wanted: Wanted, until: Instant) -> Result<Changes, Refusal> {
    let is_link = matches!(caller.credential, Credential::Endpoint(_));
    // Listened to before looking, so that nothing falls between.
    if let Some(friends) = app.node().friends().filter(|_| is_link && wanted.people) {
        friends.expects_ring(caller.id(), &wanted.since);
    }
    let (catalog, accounts, stop) = (app.node().catalog(), app.node().accounts(), app.stopping());
    let (mut written, mut revoked) = (catalog.written(), accounts.revoked());
    loop {
        let page = catalog.changes(seen(app, &caller, wanted.people), wanted.since.clone(), wanted.limit).await?;
        if page.next != wanted.since {
            return Ok(page);
        }
        let woken = timeout_at(until, async {
            tokio::select! {
                tick = written.changed() => tick.is_ok(),
                tick = revoked.changed() => tick.is_ok(),
                () = stop.cancelled() => false,
            }
        });
        if !woken.await.unwrap_or(false) {
            return Ok(page);
        }
        caller = accounts.current(&caller).ok_or_else(Refusal::unauthenticated)?;
    }
}
