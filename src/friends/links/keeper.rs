//! Keeps a link to each friend's node where one can be had, lets some rest where they are very many, and cuts off who lost a right.
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Links, LinksError, Presence, peer, resting, talk};
use crate::accounts::{Caller, Credential, Friend};

/// Links that are dialed at a time.
const AT_ONCE: usize = 16;
/// Wait after the first attempt that failed; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// What the last attempts to reach a friend's node came to.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// For people.
    pub reason: String,
    /// It is there, and does not know this node.
    pub refused: bool,
    count: u32,
    next: Instant,
}

/// Works until it is told to stop.
pub(super) async fn run(links: Links) {
    let (accounts, iroh) = (links.inner.accounts.clone(), links.inner.iroh.clone());
    let (mut revoked, mut came_or_went) = (accounts.revoked(), iroh.changed());
    let mut dialing = JoinSet::new();
    let (mut busy, mut known) = (HashSet::new(), HashMap::new());
    loop {
        cut_off(&links, &mut known);
        let again = resting::let_rest(&links).map(Instant::from_std);
        let due = if links.inner.options.keep { dial_due(&links, &mut dialing, &mut busy) } else { None };
        let next = again.into_iter().chain(due).min();
        let timer = tokio::time::sleep_until(next.unwrap_or_else(|| Instant::now() + LONGEST_WAIT));
        tokio::select! {
            () = links.inner.stop.cancelled() => break,
            changed = revoked.changed() => if changed.is_err() { break },
            changed = came_or_went.changed() => if changed.is_err() { break },
            Some(done) = dialing.join_next(), if !dialing.is_empty() => {
                if let Ok((friend, result)) = done {
                    busy.remove(&friend.endpoint);
                    remember(&links, &friend, result);
                }
            }
            () = timer => (),
        }
    }
    dialing.shutdown().await;
}

/// Closes the links of those who may do less than when they were looked at last, or some of whose people may; whoever may still do
/// something comes back for it. Compared with what was known here, because a link forgets with each request who it stood for.
fn cut_off(links: &Links, known: &mut HashMap<String, Friend>) {
    let friends = links.inner.accounts.friends().into_iter().filter(|friend| friend.enabled);
    let now: HashMap<String, Friend> = friends.map(|friend| (friend.endpoint.clone(), friend)).collect();
    let less = |node: &str| match (known.get(node), now.get(node)) {
        (Some(before), Some(now)) => now.lost_something(before),
        (before, None) => before.is_some(),
        (None, Some(_)) => false,
    };
    let lost = |before: &Caller, now: &Caller| before.account.is_some() && now.account.is_none();
    links
        .inner
        .iroh
        .review(|before, now| lost(before, now) || matches!(&now.credential, Credential::Endpoint(node) if less(node)));
    resting::forget_others(links, &now.keys().map(String::as_str).collect());
    *known = now;
}

/// Dials the friends whose time it is, as far as there is room, and says when the next one's is.
fn dial_due(
    links: &Links,
    dialing: &mut JoinSet<(Friend, Result<(), LinksError>)>,
    busy: &mut HashSet<String>,
) -> Option<Instant> {
    let mut next: Option<Instant> = None;
    let all = links.inner.accounts.friends();
    let gone = |node: &String| !all.iter().any(|friend| friend.endpoint == *node);
    links.inner.failures.lock().retain(|node, _| !gone(node));
    links.inner.told.lock().retain(|node, _| !gone(node));
    let (most, addresses) = (AT_ONCE.min(resting::room(links)), digest(&links.inner.iroh.addresses()));
    for friend in all {
        let waits = !friend.enabled || busy.contains(&friend.endpoint) || dialing.len() >= most;
        if waits || is_up_to_date(links, &friend, addresses) {
            continue;
        }
        let due = links.inner.failures.lock().get(&friend.endpoint).map(|failure| failure.next);
        match due.filter(|due| *due > Instant::now()) {
            Some(later) => next = Some(next.map_or(later, |next| next.min(later))),
            None => {
                busy.insert(friend.endpoint.clone());
                let links = links.clone();
                dialing.spawn(async move {
                    let greeted = greet(&links, &friend).await;
                    (friend, greeted)
                });
            }
        }
    }
    next
}

/// Whether a friend is there, or rests, and need not be told where this node is. Who dialed tells it.
fn is_up_to_date(links: &Links, friend: &Friend, addresses: u64) -> bool {
    match links.presence(friend) {
        Presence::Online(link) => !link.dialed || links.inner.told.lock().get(&friend.endpoint) == Some(&addresses),
        Presence::Resting => true,
        Presence::Off(_) | Presence::Refused => false,
    }
}

fn digest(addresses: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    addresses.hash(&mut hasher);
    hasher.finish()
}

/// Dials a friend's node, and tells each other where to be found.
async fn greet(links: &Links, friend: &Friend) -> Result<(), LinksError> {
    links.inner.iroh.connect(&peer(friend)).await?;
    let own = links.greeting();
    let theirs = talk::hello(&links.inner.iroh, &peer(friend), &own).await?;
    links.inner.told.lock().insert(friend.endpoint.clone(), digest(&own.addresses));
    links.inner.accounts.found_friend(&friend.id, theirs.addresses, theirs.ipfs).await?;
    Ok(())
}

fn remember(links: &Links, friend: &Friend, result: Result<(), LinksError>) {
    let mut failures = links.inner.failures.lock();
    match result {
        Ok(()) => {
            failures.remove(&friend.endpoint);
            tracing::debug!(friend.name = friend.name, "reached a friend's node");
        }
        Err(error) => {
            let refused = matches!(error, LinksError::Refused(_));
            if refused {
                links.inner.iroh.close(|caller| caller.id() == friend.id);
            }
            let count = failures.get(&friend.endpoint).map_or(0, |failure| failure.count);
            let wait = (FIRST_WAIT * 2_u32.saturating_pow(count.min(16))).min(LONGEST_WAIT);
            tracing::debug!(friend.name = friend.name, error = %error, "a friend's node was not reached");
            let failure = Failure { reason: error.to_string(), refused, count: count + 1, next: Instant::now() + wait };
            failures.insert(friend.endpoint.clone(), failure);
        }
    }
}
