//! Tells ListenBrainz what people hear, of those who gave it a token of theirs there.
//!
//! Plays wait in the database until they were taken, in the order in which they happened; while the server is away or wants to be
//! left alone, longer each time. What somebody hears now is told once, and not at all where that fails. Tokens and names of
//! tracks are in no log.
mod client;
mod words;

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::web::WebError;
use crate::accounts::{Accounts, AccountsError, Listening};
use crate::catalog::music::{Heard, Listen};
use crate::catalog::{Catalog, CatalogError};
use client::{Answer, Client};

/// Plays that are told at once.
const BATCH: u32 = 100;
/// People who hear something now, and of whom that is not told yet.
const PLAYING: usize = 64;
/// How long a server may ask to be left alone.
const REST_MAX: Duration = Duration::from_secs(60 * 60);
/// How many seconds it wants to be left alone for, when it was asked too often.
const RESET_IN: &str = "x-ratelimit-reset-in";

/// Settings of telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListensOptions {
    /// Address of ListenBrainz, or of a server that speaks as it does.
    pub url: String,
    /// How long to wait after the first failure; twice as long after each further one.
    pub first_wait: Duration,
    /// And at most.
    pub longest_wait: Duration,
}

impl Default for ListensOptions {
    fn default() -> Self {
        Self {
            url: "https://api.listenbrainz.org".to_owned(),
            first_wait: Duration::from_secs(30),
            longest_wait: REST_MAX,
        }
    }
}

/// Why an account is not connected.
#[derive(Debug, thiserror::Error)]
pub enum ListensError {
    /// The server knows no such token.
    #[error("ListenBrainz does not know this token; copy it from the settings there")]
    Token,
    /// The server answers something else.
    #[error("ListenBrainz answered {0}")]
    Status(StatusCode),
    /// The server is away.
    #[error(transparent)]
    Ask(#[from] WebError),
    /// The accounts refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// How telling goes for an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListensState {
    /// What the account is called there.
    pub name: String,
    /// The token is not taken there any more.
    pub refused: bool,
    /// Plays that are still to be told.
    pub waiting: u64,
    /// Plays that were told.
    pub told: u64,
    /// When the last of them was: Unix milliseconds.
    pub told_at: Option<i64>,
    /// When and why telling failed, as long as nothing was told after it.
    pub failure: Option<(i64, String)>,
}

/// The handle.
pub struct Listens {
    options: ListensOptions,
    accounts: Accounts,
    catalog: Catalog,
    client: Client,
    wake: Notify,
    playing: mpsc::Sender<(String, Heard)>,
    heard_now: parking_lot::Mutex<Option<mpsc::Receiver<(String, Heard)>>>,
}

impl Listens {
    pub(super) fn new(options: ListensOptions, accounts: Accounts, catalog: Catalog) -> Self {
        let (playing, heard_now) = mpsc::channel(PLAYING);
        let client = Client::new(&options.url);
        let heard_now = parking_lot::Mutex::new(Some(heard_now));
        Self { options, accounts, catalog, client, wake: Notify::new(), playing, heard_now }
    }

    /// Looks whose a token is, and tells the plays of an account with it from now on.
    ///
    /// # Errors
    /// See [`ListensError`].
    pub async fn connect(&self, account: &str, token: &str) -> Result<ListensState, ListensError> {
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ListensError::Token);
        }
        let name = self.name_of(token).await?;
        self.accounts.listen(account, token, &name).await?;
        self.catalog.put_listens_off(account, 0, false).await?;
        self.wake();
        self.state(account).await.map(Option::unwrap_or_default)
    }

    /// What the account is called there that a token is of.
    async fn name_of(&self, token: &str) -> Result<String, ListensError> {
        let answer = self.client.ask(Method::GET, "/1/validate-token", token, None).await?;
        match answer.status {
            StatusCode::OK if answer.body["valid"] == true => {
                Ok(answer.body["user_name"].as_str().unwrap_or_default().to_owned())
            }
            StatusCode::OK | StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST => Err(ListensError::Token),
            other => Err(ListensError::Status(other)),
        }
    }

    /// Looks whether the token of an account is still taken there; where it is, what waits is told at once. `None` where nothing is told.
    ///
    /// # Errors
    /// See [`ListensError`]; a token that is not taken any more is none, but stands in the state.
    pub async fn check(&self, account: &str) -> Result<Option<ListensState>, ListensError> {
        let Some(listening) = self.accounts.listening(account).await? else { return Ok(None) };
        let asked = match &listening.token {
            Some(token) => self.name_of(token).await.map(|name| (token, name)),
            None => Err(ListensError::Token),
        };
        match asked {
            Ok((token, name)) => {
                self.accounts.listen(account, token, &name).await?;
                self.catalog.put_listens_off(account, 0, false).await?;
                self.wake();
            }
            Err(error @ ListensError::Token) => {
                self.accounts.listening_failed(account, &error.to_string(), true).await?;
            }
            Err(error) => {
                self.accounts.listening_failed(account, &error.to_string(), false).await?;
                return Err(error);
            }
        }
        self.state(account).await
    }

    /// Forgets the token of an account, and what was still to be told.
    ///
    /// # Errors
    /// See [`ListensError`].
    pub async fn disconnect(&self, account: &str) -> Result<(), ListensError> {
        self.accounts.stop_listening(account).await?;
        Ok(self.catalog.forget_listens(account).await?)
    }

    /// How telling goes for an account; `None` where nothing is told.
    ///
    /// # Errors
    /// See [`ListensError`].
    pub async fn state(&self, account: &str) -> Result<Option<ListensState>, ListensError> {
        let Some(listening) = self.accounts.listening(account).await? else { return Ok(None) };
        let waiting = self.catalog.listens_waiting(account).await?;
        let Listening { name, refused, told, told_at, failure, .. } = listening;
        Ok(Some(ListensState { name, refused, waiting, told, told_at, failure }))
    }

    /// Something waits to be told.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Somebody hears something now. Where too many do, it is not told.
    pub fn hears(&self, account: &str, heard: Heard) {
        let _ = self.playing.try_send((account.to_owned(), heard));
    }

    /// Tells, until it is stopped.
    pub(super) async fn keep(&self, stop: CancellationToken) {
        let Some(mut now) = self.heard_now.lock().take() else { return };
        loop {
            let next = tokio::select! {
                next = self.tell_due() => next,
                () = stop.cancelled() => return,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                Some((account, heard)) = now.recv() => tokio::select! {
                    () = self.tell_now(&account, &heard) => {}
                    () = stop.cancelled() => return,
                },
                () = until(next) => {}
            }
        }
    }

    /// Tells everything that may be told now; returns when the next may be.
    async fn tell_due(&self) -> Option<i64> {
        match self.all_due().await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "plays could not be read or written down");
                Some(now() + milliseconds(self.options.longest_wait))
            }
        }
    }

    async fn all_due(&self) -> Result<Option<i64>, ListensError> {
        loop {
            let listens = self.catalog.listens_due(now(), BATCH).await?;
            let Some(first) = listens.first() else { return Ok(self.catalog.next_listen().await?) };
            let account = first.account.clone();
            match self.accounts.listening(&account).await? {
                Some(listening) => self.tell(&account, listening.token.as_deref(), &listens).await?,
                None => self.catalog.forget_listens(&account).await?,
            }
        }
    }

    async fn tell(&self, account: &str, token: Option<&str>, listens: &[Listen]) -> Result<(), ListensError> {
        let Some(token) = token else { return self.refused(account).await };
        let answer = self.submit(token, listens).await;
        match answer.as_ref().map(|answer| answer.status) {
            Ok(status) if status.is_success() => self.told(account, listens).await,
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => self.refused(account).await,
            Ok(StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE) => self.sift(account, token, listens).await,
            Ok(StatusCode::TOO_MANY_REQUESTS) => {
                let rest = answer.ok().and_then(|answer| rest(&answer.headers)).unwrap_or(self.options.first_wait);
                Ok(self.catalog.put_listens_off(account, now() + milliseconds(rest), false).await?)
            }
            Ok(status) => self.away(account, listens, &ListensError::Status(status).to_string()).await,
            Err(error) => self.away(account, listens, &error.to_string()).await,
        }
    }

    async fn submit(&self, token: &str, listens: &[Listen]) -> Result<Answer, WebError> {
        self.client.ask(Method::POST, "/1/submit-listens", token, Some(&words::heard(listens))).await
    }

    /// They were taken.
    async fn told(&self, account: &str, listens: &[Listen]) -> Result<(), ListensError> {
        self.accounts.listening_told(account, listens.len()).await?;
        self.forget(listens).await
    }

    async fn forget(&self, listens: &[Listen]) -> Result<(), ListensError> {
        Ok(self.catalog.listens_told(listens.iter().map(|listen| listen.number).collect()).await?)
    }

    /// One of them is not understood there: each is told alone, and those that are not taken are given up.
    async fn sift(&self, account: &str, token: &str, listens: &[Listen]) -> Result<(), ListensError> {
        for one in listens.chunks(1) {
            let status = if listens.len() == 1 {
                Ok(StatusCode::BAD_REQUEST)
            } else {
                self.submit(token, one).await.map(|a| a.status)
            };
            match status {
                Ok(status) if status.is_success() => self.told(account, one).await?,
                Ok(StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE) => {
                    tracing::warn!(account.id = account, "ListenBrainz does not understand a play, which is not told");
                    self.accounts
                        .listening_failed(account, "a play was not understood there, and is not told", false)
                        .await?;
                    self.forget(one).await?;
                }
                // The next round finds out what it is.
                Ok(_) | Err(_) => {
                    let until = now() + milliseconds(self.options.first_wait);
                    return Ok(self.catalog.put_listens_off(account, until, true).await?);
                }
            }
        }
        Ok(())
    }

    /// Asked again later: the token may be taken then, or there is another one.
    async fn refused(&self, account: &str) -> Result<(), ListensError> {
        tracing::warn!(account.id = account, "ListenBrainz does not take the token of an account");
        self.accounts.listening_failed(account, &ListensError::Token.to_string(), true).await?;
        let until = now() + milliseconds(self.options.longest_wait);
        Ok(self.catalog.put_listens_off(account, until, false).await?)
    }

    async fn away(&self, account: &str, listens: &[Listen], why: &str) -> Result<(), ListensError> {
        let tries = listens.iter().map(|listen| listen.tries).max().unwrap_or_default();
        let wait = self.options.first_wait.saturating_mul(1 << tries.min(16)).min(self.options.longest_wait);
        tracing::debug!(account.id = account, reason = why, "ListenBrainz takes nothing now");
        self.accounts.listening_failed(account, why, false).await?;
        Ok(self.catalog.put_listens_off(account, now() + milliseconds(wait), true).await?)
    }

    async fn tell_now(&self, account: &str, heard: &Heard) {
        let Ok(Some(listening)) = self.accounts.listening(account).await else { return };
        let Some(token) = listening.token.filter(|_| !listening.refused) else { return };
        let told = words::playing_now(heard);
        if let Err(error) = self.client.ask(Method::POST, "/1/submit-listens", &token, Some(&told)).await {
            tracing::debug!(%error, "what is heard now is not told");
        }
    }
}

async fn until(at: Option<i64>) {
    match at {
        Some(at) => tokio::time::sleep(Duration::from_millis((at - now()).max(1).cast_unsigned())).await,
        None => std::future::pending().await,
    }
}

/// How long the server wants to be left alone.
fn rest(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RESET_IN)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.max(1)).min(REST_MAX))
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2)
}
