//! Does what the plan says, one thing after the other, and looks again whenever something is heard of rules or friends.
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::Replicas;
use super::copy::CopyError;
use super::plan::{Next, Plan};
use crate::blocks::GatherError;
use crate::catalog::{CatalogError, Id};
use crate::content::Cid;
use crate::friends::{Friends, FriendsEvent};

/// What is heard together is looked at once.
const GATHER: Duration = Duration::from_millis(300);

/// Runs until replication is stopped.
pub(super) async fn keep(replicas: Replicas, friends: Friends) {
    let mut keeper = Keeper { events: friends.events(), replicas, friends, tried: HashMap::new(), stale: false };
    loop {
        let stop = keeper.replicas.inner.stop.clone();
        let again = tokio::select! {
            again = keeper.pass() => again,
            () = stop.cancelled() => return,
        };
        let again = again.unwrap_or_else(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "replicas could not be looked after now");
            Again::Later
        });
        if again == Again::Now {
            continue;
        }
        let options = &keeper.replicas.inner.options;
        let pause = if keeper.tried.is_empty() { options.look } else { options.look.min(options.retry) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = keeper.heard() => {}
            () = stop.cancelled() => return,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Again {
    Now,
    Later,
}

struct Keeper {
    replicas: Replicas,
    friends: Friends,
    events: Receiver<FriendsEvent>,
    /// By item: what could not be fetched when it was tried last.
    tried: HashMap<Id, Tried>,
    /// Something was heard since the plan was made.
    stale: bool,
}

struct Tried {
    /// Another file of the same item is another matter.
    cid: Cid,
    /// `None` where there is reason to try again.
    at: Option<Instant>,
    replica: Id,
    problem: String,
}

impl Keeper {
    async fn plan(&self) -> Result<Plan, CatalogError> {
        let view = self.replicas.view().await?;
        Ok(self.replicas.plan(&view, &|friend| self.friends.state(friend).synced))
    }

    async fn pass(&mut self) -> Result<Again, CatalogError> {
        self.stale = false;
        let plan = self.plan().await?;
        for kept in &plan.remove {
            tracing::info!(file.path = %kept.path().display(), "a replica is not wanted any more");
            self.replicas.take_away(kept).await?;
        }
        if !plan.remove.is_empty() {
            return Ok(Again::Now);
        }
        let wanted: HashSet<&Id> = plan.fetch.iter().map(|next| &next.item).collect();
        self.tried.retain(|item, _| wanted.contains(item));
        self.tell();
        for next in plan.fetch {
            if self.tried_lately(&next) {
                continue;
            }
            if !self.fetch(&next).await? {
                return Ok(Again::Later);
            }
            self.take_note();
            if self.stale {
                return Ok(Again::Now);
            }
        }
        Ok(Again::Later)
    }

    fn tried_lately(&self, next: &Next) -> bool {
        let at = self.tried.get(&next.item).filter(|tried| tried.cid == next.cid).and_then(|tried| tried.at);
        at.is_some_and(|at| at.elapsed() < self.replicas.inner.options.retry)
    }

    /// Fetches one. `false` where the others would fare no better.
    async fn fetch(&mut self, next: &Next) -> Result<bool, CatalogError> {
        let error = match self.fetch_while_wanted(next).await? {
            Ok(()) => {
                self.tried.remove(&next.item);
                self.replicas.update(|live| live.problem = None);
                self.tell();
                return Ok(true);
            }
            Err(error) => error,
        };
        match error {
            CopyError::Catalog(error) => return Err(error),
            CopyError::Gather(GatherError::Cancelled) | CopyError::Other | CopyError::Stopped => return Ok(true),
            CopyError::Gather(GatherError::Full | GatherError::Write { .. })
            | CopyError::Folder(_)
            | CopyError::Write { .. } => {
                tracing::warn!(item.id = next.item, %error, "a replica could not be written; it is tried again in a while");
                self.failed(next, &error);
                self.replicas.update(|live| live.problem = Some(error.to_string()));
                return Ok(false);
            }
            _ => {}
        }
        tracing::debug!(item.id = next.item, %error, "a replica could not be fetched now");
        self.failed(next, &error);
        Ok(true)
    }

    fn failed(&mut self, next: &Next, error: &CopyError) {
        let (at, replica) = (Some(Instant::now()), next.replica.clone());
        let tried = Tried { cid: next.cid, at, replica, problem: error.to_string() };
        self.tried.insert(next.item.clone(), tried);
        self.tell();
    }

    /// Says what is in the way of each rule.
    fn tell(&self) {
        let problems = self.tried.values().map(|tried| (tried.replica.clone(), tried.problem.clone())).collect();
        self.replicas.update(|live| live.problems = problems);
    }

    /// Fetches one, and stops where rules or friends changed so that it is not to be fetched any more.
    async fn fetch_while_wanted(&mut self, next: &Next) -> Result<Result<(), CopyError>, CatalogError> {
        let cancel = self.replicas.inner.stop.child_token();
        let (replicas, friends) = (self.replicas.clone(), self.friends.clone());
        let work = replicas.copy(&friends, next, &cancel);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = self.heard() => {
                    if !self.plan().await?.fetch.contains(next) {
                        cancel.cancel();
                    }
                }
            }
        }
    }

    /// Comes back when something was heard that may change the plan, and a moment later, so that much of it is looked at once.
    async fn heard(&mut self) {
        tokio::select! {
            // Somebody who changes a rule does not wait for what is in its way to be tried again.
            () = self.replicas.inner.wake.notified() => self.note(None),
            event = self.events.recv() => self.note(event.ok().as_ref()),
        }
        tokio::time::sleep(GATHER).await;
        self.take_note();
        self.stale = true;
    }

    /// Takes in what was heard already.
    fn take_note(&mut self) {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.note(Some(&event)),
                Err(TryRecvError::Lagged(_)) => self.note(None),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// A friend that came back may have what could not be had.
    fn note(&mut self, event: Option<&FriendsEvent>) {
        self.stale = true;
        if !matches!(event, Some(FriendsEvent::Library(_))) {
            self.tried.values_mut().for_each(|tried| tried.at = None);
        }
    }
}
