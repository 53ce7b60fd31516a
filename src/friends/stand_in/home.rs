//! This node as the home: tells a stand-in what it does not know, and takes back how far our people watched there.
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Full};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::words::{Parcel, Residents};
use super::{News, SealError, StandInState, Standing};
use crate::accounts::{AccountsError, Friend, StandIn, residents_digest};
use crate::catalog::{CatalogError, FACTS_MAX, Facts, Id, Known, Whose};
use crate::exchange::Body;
use crate::friends::{Friends, FriendsError};

/// A stand-in is asked to wait this long for something new.
const WAIT_SECONDS: u64 = 25;
/// Longest answer of a stand-in, bytes: a page of facts is a tenth of it.
const ANSWER_MAX: u64 = 2 * 1024 * 1024;
/// Where a stand-in is asked and told.
const PATH: &str = "/api/v1/stand-in";

/// Why a stand-in does not know all that it should.
#[derive(Debug, thiserror::Error)]
enum TellError {
    #[error(transparent)]
    Off(#[from] FriendsError),
    #[error("its answer broke off")]
    Broken,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("it told nonsense: {0}")]
    Nonsense(String),
    #[error("its owner does not let your people sign in there (yet)")]
    NotHosted,
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("our accounts could not be read or written")]
    Accounts(#[from] AccountsError),
    #[error("what it told could not be read or written")]
    Catalog(#[from] CatalogError),
}

/// Runs until `stop`, or until the stand-in gave everything back that it was to give back.
pub(super) async fn tell(friends: Friends, friend: Id, stop: CancellationToken) {
    let teller = Teller { friends, friend };
    let mut failures = 0u32;
    loop {
        let ended = tokio::select! {
            ended = teller.keep_told(&mut failures) => ended,
            () = stop.cancelled() => return,
        };
        let Err(error) = ended else { return };
        tracing::debug!(friend.id = %teller.friend, error = %error, "a stand-in is not told now");
        teller.failed(&error);
        failures += 1;
        tokio::select! {
            () = tokio::time::sleep(teller.pause(failures)) => {}
            () = teller.friends.inner.hurry.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

struct Teller {
    friends: Friends,
    friend: Id,
}

impl Teller {
    /// Tells and takes for as long as that works. Returns when there is nothing to do any more.
    async fn keep_told(&self, failures: &mut u32) -> Result<(), TellError> {
        let inner = &self.friends.inner;
        // Listened to before looking, so that nothing falls between.
        let (mut watched, mut changed) = (inner.catalog.watched(), inner.accounts.revoked());
        let mut news = self.ask(None).await?;
        loop {
            self.take(&news).await?;
            if news.more {
                news = self.ask(None).await?;
                continue;
            }
            let mut standing = news.standing.clone();
            if self.leaving()? {
                let Some(parcel) = self.parcel(&standing).await? else {
                    return Ok(inner.accounts.left_stand_in(&self.friend).await?);
                };
                // Guests are signed out by the first, and forgotten by the second: what they wrote last is taken in between.
                self.give(&parcel, &standing).await?;
                news = self.ask(None).await?;
                continue;
            }
            while let Some(parcel) = self.parcel(&standing).await? {
                standing = self.give(&parcel, &standing).await?;
            }
            *failures = 0;
            self.succeeded(&standing);
            tokio::select! {
                asked = self.ask(Some(&standing)) => { news = asked?; continue }
                _ = watched.changed() => {}
                _ = changed.changed() => {}
            }
            // A few changes travel together.
            tokio::time::sleep(inner.options.quiet).await;
            news = match self.leaving()? {
                true => self.ask(None).await?,
                false => News { standing, facts: Vec::new(), ..news },
            };
        }
    }

    fn friend(&self) -> Result<Friend, FriendsError> {
        self.friends.inner.accounts.friend(&self.friend).map_err(|_| FriendsError::Unlinked)
    }

    fn leaving(&self) -> Result<bool, FriendsError> {
        Ok(self.friend()?.stand_in != StandIn::Chosen)
    }

    /// Our people: each is called the same here and there.
    fn people(&self) -> Vec<Known> {
        self.friends.inner.accounts.list().into_iter().map(|account| (account.id.clone(), account.id)).collect()
    }

    /// What the stand-in has for us; with what it knew last, as soon as there is something.
    async fn ask(&self, known: Option<&Standing>) -> Result<News, TellError> {
        let inner = &self.friends.inner;
        let since = inner.catalog.facts_taken(&self.friend, Whose::Ours).await?;
        let wait = known.map(|known| format!("&known={}&wait={WAIT_SECONDS}", known.word())).unwrap_or_default();
        let request = Request::get(format!("{PATH}?since={since}{wait}")).body(empty());
        let request = request.map_err(|_| TellError::Broken)?;
        answer(self.friends.ask_unseen(&self.friend, request, ANSWER_MAX).await?).await
    }

    async fn take(&self, news: &News) -> Result<(), TellError> {
        let inner = &self.friends.inner;
        let known = inner.catalog.facts_taken(&self.friend, Whose::Ours).await?;
        if news.next == known {
            let endless = news.more.then(|| TellError::Nonsense("there is more, but nothing is told".to_owned()));
            return endless.map_or(Ok(()), Err);
        }
        let facts = news.facts.iter().take(FACTS_MAX).cloned().collect();
        let page = Facts { facts, next: news.next, more: news.more };
        inner.catalog.take_facts(&self.friend, Whose::Ours, self.people(), page).await?;
        Ok(())
    }

    /// What the stand-in is to be told next; `None` where it knows everything.
    async fn parcel(&self, standing: &Standing) -> Result<Option<Parcel>, TellError> {
        let inner = &self.friends.inner;
        let leaving = self.leaving()?;
        if !leaving && !standing.hosts || leaving && standing.revision.is_none() {
            return Ok(None);
        }
        // Facts before accounts: whoever has a fact among these is among those.
        let facts = match leaving {
            true => Facts { next: standing.taken, ..Facts::default() },
            false => inner.catalog.facts(self.people(), standing.taken, FACTS_MAX).await?,
        };
        let people = if leaving { Vec::new() } else { inner.accounts.residents() };
        let known = standing.digest.as_deref() == Some(residents_digest(&people)?.as_str());
        if known && facts.facts.is_empty() {
            return Ok(None);
        }
        let revision = standing.revision.map_or(0, |last| last.saturating_add(1)).max(inner.accounts.now());
        let accounts = (!known).then_some(Residents { revision, people });
        Ok(Some(Parcel { accounts, facts: facts.facts, next: facts.next }))
    }

    async fn give(&self, parcel: &Parcel, before: &Standing) -> Result<Standing, TellError> {
        let content = serde_json::to_vec(parcel).map_err(|error| TellError::Nonsense(error.to_string()))?;
        let to = self.friend()?.endpoint;
        let sealed = self.friends.inner.seals.seal(&to, &before.sealing_key, &content)?;
        let body = serde_json::to_vec(&sealed).map_err(|error| TellError::Nonsense(error.to_string()))?;
        let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {}).boxed_unsync();
        let request = Request::post(PATH).header(header::CONTENT_TYPE, "application/json").body(body);
        let request = request.map_err(|_| TellError::Broken)?;
        let standing: Standing = answer(self.friends.ask_unseen(&self.friend, request, ANSWER_MAX).await?).await?;
        match standing == *before {
            true => Err(TellError::Nonsense("it does not remember what it was told".to_owned())),
            false => Ok(standing),
        }
    }

    fn succeeded(&self, standing: &Standing) {
        let now = self.friends.inner.accounts.now();
        let state = match standing.hosts {
            true => StandInState { synced_at: Some(now), problem: None },
            false => self.troubled(&TellError::NotHosted),
        };
        self.friends.set_stand_in(&self.friend, state);
    }

    fn failed(&self, error: &TellError) {
        self.friends.set_stand_in(&self.friend, self.troubled(error));
    }

    fn troubled(&self, error: &TellError) -> StandInState {
        StandInState { problem: Some(error.to_string()), ..self.friends.stand_in(&self.friend) }
    }

    fn pause(&self, failures: u32) -> Duration {
        let options = &self.friends.inner.options;
        options.retry_first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(options.retry_last)
    }
}

fn empty() -> Body {
    Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync()
}

async fn answer<T: DeserializeOwned>(response: Response<Body>) -> Result<T, TellError> {
    if response.status() != StatusCode::OK {
        return Err(TellError::Status(response.status().as_u16()));
    }
    let bytes = response.into_body().collect().await.map_err(|_| TellError::Broken)?.to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| TellError::Nonsense(error.to_string()))
}
