//! Who is asking and what may they do: accounts, credentials, permissions, and a line for each refusal.
//!
//! Owns the tables `account`, `account_library`, `session`, `api_key`, `app_password`, `friend`, `friend_library`, `hosting`, `guest`,
//! `friend_invite`, `audit`, `moved_account` and `moved_key` of `catalog.db`, and a copy of all but the last four in memory, so that naming a caller costs a hash and a look-up;
//! also `pin_service` and `pinned_library`, which only those read who ask there. It never sees HTTP: a carrier brings a token, a
//! key, a name with a password or another node's public key, and gets a [`Caller`]. A friend is an account of another kind:
//! it has no password, is never an admin, and sees the libraries that were shared with it and no others.
//!
//! The invariants: secrets are stored as hashes only (Argon2id for what people choose, SHA-256 for 256 random bits), but for
//! app passwords and tokens of services elsewhere, which are sealed, and what came from another program, which keeps that one's hash until it is used (see
//! `moved_in`); the last admin cannot be lost; a right that was taken away is gone for the next request, on every carrier.
mod api_keys;
mod app_passwords;
mod audience;
mod audit;
mod caller;
mod client_settings;
mod credentials;
mod directory;
mod foreign_password;
mod friends;
mod guests;
mod invites;
mod limits;
mod listening;
mod moved_in;
mod password;
mod people;
mod pin_services;
mod record;
mod sessions;

pub use api_keys::{ApiKey, KeyForm};
pub use app_passwords::{AppKey, AppPassword};
pub use audit::AuditLine;
pub use caller::{Account, Caller, Credential};
pub use client_settings::ClientSetting;
pub use credentials::TokenHash;
pub use friends::{Friend, FriendChange, NewFriend, StandIn};
pub use guests::{Hosting, Resident, residents_digest};
pub use invites::Invite;
pub use listening::Listening;
pub use moved_in::{MovedAccount, MovedKey, TakenAccount};
pub use people::{AccountChange, NewAccount};
pub use pin_services::{PinService, PinnedLibrary};
pub use sessions::{SessionKind, SignedIn};

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, RwLock};
use rusqlite::Transaction;
use tokio::sync::watch;

use crate::database::{Database, DatabaseError};
use app_passwords::Seals;
use directory::Directory;
use limits::Limits;
use password::Passwords;

/// Unix milliseconds, from wherever the owner of the handle wants them.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Settings of the accounts.
#[derive(Clone)]
pub struct AccountsOptions {
    /// Memory of one password check in KiB, its passes over it: Argon2id with one lane (OWASP's first choice).
    pub argon2_memory_kib: u32,
    /// See `argon2_memory_kib`.
    pub argon2_passes: u32,
    /// Password checks that run at once, so that their memory is bounded.
    pub checks_at_once: usize,
    /// Password checks that may wait for their turn; beyond them a sign-in is told to come back.
    pub checks_waiting: usize,
    /// A session ends after this long without a request.
    pub session_idle: Duration,
    /// A session ends after this long whatever happens.
    pub session_longest: Duration,
    /// Sessions of one account; the least recently used goes first.
    pub sessions_per_account: usize,
    /// API keys of one account.
    pub keys_per_account: u32,
    /// Friends' nodes.
    pub friends_max: usize,
    /// Invites that nobody redeemed yet.
    pub invites_max: u32,
    /// Lines kept in the audit table.
    pub audit_rows: u32,
    /// What app passwords are sealed with. `None`: with a key of this process, so that none outlives it.
    pub app_key: Option<AppKey>,
    /// What time it is.
    pub clock: Clock,
}

impl Default for AccountsOptions {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        Self {
            argon2_memory_kib: 19 * 1024,
            argon2_passes: 2,
            checks_at_once: 2,
            checks_waiting: 64,
            session_idle: 30 * DAY,
            session_longest: 365 * DAY,
            sessions_per_account: 100,
            keys_per_account: 100,
            friends_max: 1000,
            invites_max: 100,
            audit_rows: 10_000,
            app_key: None,
            clock: Arc::new(system_clock),
        }
    }
}

fn system_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Why the accounts refused.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The name is unknown or the password wrong; which of them is not told.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Too many attempts failed.
    #[error("too many attempts failed; try again in {} s", .0.as_secs().max(1))]
    TooMany(Duration),
    /// All password checks are taken.
    #[error("too many people are signing in at this moment; try again in a few seconds")]
    Busy,
    /// The invite is not one of ours, was used, or is too old; which of them is not told.
    #[error("this invite is not valid: it was used already, it expired, or it was withdrawn; ask for a new one")]
    WrongInvite,
    /// No such account or key.
    #[error("there is no {0}")]
    NotFound(&'static str),
    /// The name is taken, or the last admin would be lost.
    #[error("{0}")]
    Conflict(String),
    /// A value is not allowed: which, and what it may be.
    #[error("{0}")]
    Invalid(String),
    /// The database failed.
    #[error("the accounts could not be read or written")]
    Database(#[from] DatabaseError),
    /// Argon2 refused its parameters or the stored hash.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
}

struct Shared {
    database: Database,
    options: AccountsOptions,
    /// Held while the database and the copy in memory change together; only on blocking threads.
    changing: Mutex<()>,
    directory: RwLock<Directory>,
    limits: Mutex<Limits>,
    passwords: Passwords,
    seals: Seals,
    notes: audit::Notes,
    revision: watch::Sender<u64>,
}

/// A cheap handle to the accounts.
#[derive(Clone)]
pub struct Accounts {
    shared: Arc<Shared>,
}

impl Accounts {
    /// On a database opened with the migrations of `catalog.db`. Starts the worker that writes audit lines and times of
    /// last use; call within a tokio runtime, and [`Accounts::stop`] before it ends.
    ///
    /// # Errors
    /// [`AccountsError::Database`] when the tables cannot be read, [`AccountsError::Hash`] for impossible parameters.
    pub async fn open(database: Database, options: AccountsOptions) -> Result<Self, AccountsError> {
        let now = (options.clock)();
        let directory = database
            .write(move |t| {
                record::drop_expired_sessions(t, now)?;
                record::load(t)
            })
            .await?;
        let shared = Shared {
            passwords: Passwords::new(&options)?,
            seals: Seals::new(&options.app_key.clone().unwrap_or_else(AppKey::random))?,
            notes: audit::Notes::start(database.clone(), options.audit_rows),
            database,
            options,
            changing: Mutex::new(()),
            directory: RwLock::new(directory),
            limits: Mutex::default(),
            revision: watch::Sender::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Ticks whenever a right was taken away: a session ended, a key was revoked, an account or a friend changed or went. Whoever
    /// serves a long answer then asks [`Accounts::current`] whether its caller may go on.
    #[must_use]
    pub fn revoked(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
    }

    /// Writes what is still to be written and ends the worker. Audit lines after it go to the log alone.
    pub async fn stop(&self) {
        self.shared.notes.stop().await;
    }

    /// What time it is, in Unix milliseconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.shared.options.clock)()
    }

    /// Runs a change in one transaction and takes it over into memory; nothing changes when `f` refuses.
    async fn change<T, F>(&self, f: F) -> Result<T, AccountsError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<Result<T, AccountsError>, rusqlite::Error> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let changed = move || {
            let _turn = shared.changing.lock();
            let (answer, directory) = shared.database.write_blocking(|t| {
                let answer = f(t)?;
                Ok((answer, record::load(t)?))
            })?;
            shared.directory.write().renew(directory);
            shared.revision.send_modify(|n| *n += 1);
            answer
        };
        tokio::task::spawn_blocking(changed).await.map_err(|_| DatabaseError::Cancelled)?
    }
}

#[cfg(test)]
mod tests;
