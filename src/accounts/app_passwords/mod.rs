//! App passwords: what a program signs in with that wants a name and a password, or proves that it knows one (Subsonic's tokens).
//!
//! Such a proof can be checked only by who has the password itself, so these are made by the node, for one program each, and are
//! sealed under a key outside the database. They open what the programs' dialect offers and nothing else of the node. An account's
//! own password is never kept in a form that could be read.
mod record;
mod seal;
mod secret;

use std::net::IpAddr;

use rusqlite::Transaction;
use uuid::Uuid;

use super::directory::{App, name_key};
use super::{Accounts, AccountsError, Caller, Credential, TokenHash, record as accounts};

pub(super) use record::{delete_of, load, used};
pub use seal::AppKey;
pub(super) use seal::Seals;

/// Longest name, in characters.
const NAME_MAX: usize = 64;
/// App passwords of one account.
const APPS_MAX: u32 = 50;
/// How often the time of last use is moved on.
const TOUCH_MS: i64 = 10 * 60 * 1_000;
/// Failures of keys that name no account are counted together. No account has this name.
const KEYS: &str = ":";

/// An app password without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPassword {
    /// UUID.
    pub id: String,
    /// Which program on which device it is for.
    pub name: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds, within ten minutes.
    pub used_at: Option<i64>,
}

impl From<&App> for AppPassword {
    fn from(app: &App) -> Self {
        Self { id: app.id.clone(), name: app.name.clone(), created_at: app.created_at, used_at: app.used_at }
    }
}

impl Accounts {
    /// Makes one for an account; it comes with its password.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for an empty or endless name, [`AccountsError::Conflict`] when there are too many,
    /// [`AccountsError::NotFound`] without such an account.
    pub async fn add_app_password(&self, account: &str, name: &str) -> Result<(AppPassword, String), AccountsError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(AccountsError::Invalid(format!("an app's name has 1 to {NAME_MAX} characters")));
        }
        let (id, password) = (Uuid::now_v7().to_string(), secret::generate());
        let seals = &self.shared.seals;
        let (digest, sealed) = (seals.digest(&secret::bare(&password)), seals.seal(account, &id, &password)?);
        let (account, name) = (account.to_owned(), name.to_owned());
        let app = App { id, account, name, sealed, created_at: self.now(), used_at: None };
        let made = AppPassword::from(&app);
        self.change(move |t| insert(t, &digest, &app)).await?;
        Ok((made, password))
    }

    /// Those of an account, oldest first.
    #[must_use]
    pub fn app_passwords(&self, account: &str) -> Vec<AppPassword> {
        let directory = self.shared.directory.read();
        let own = directory.apps.values().filter(|app| app.account == account);
        let mut apps: Vec<AppPassword> = own.map(AppPassword::from).collect();
        apps.sort_by(|a, b| a.id.cmp(&b.id));
        apps
    }

    /// One of an account's, with its password.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`]; [`AccountsError::Conflict`] where the key that it was sealed with is gone.
    pub fn app_password(&self, account: &str, id: &str) -> Result<(AppPassword, String), AccountsError> {
        let directory = self.shared.directory.read();
        let app = directory.apps.values().find(|app| app.account == account && app.id == id);
        let app = app.ok_or(AccountsError::NotFound("app password"))?;
        let lost = "this app password cannot be read any more, because apps.key in the data folder is another one now; make a new one";
        let password = self.shared.seals.open(account, id, &app.sealed);
        password.map(|password| (app.into(), password)).ok_or_else(|| AccountsError::Conflict(lost.to_owned()))
    }

    /// Revokes one of an account's.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`] where the account has no such app password.
    pub async fn remove_app_password(&self, account: &str, id: &str) -> Result<(), AccountsError> {
        let (account, id) = (account.to_owned(), id.to_owned());
        self.change(move |t| match record::delete(t, &account, &id)? {
            0 => Ok(Err(AccountsError::NotFound("app password"))),
            _ => Ok(Ok(())),
        })
        .await
    }

    /// The caller that an app password belongs to, however it was typed.
    #[must_use]
    pub fn by_app_password(&self, password: &str, address: IpAddr) -> Option<Caller> {
        let digest = self.shared.seals.digest(&secret::bare(password));
        self.as_app(&digest, address)
    }

    /// The caller of this name who made a Subsonic token of this salt and one of its app passwords: hexadecimal MD5 of the
    /// password followed by the salt.
    #[must_use]
    pub fn by_app_token(&self, name: &str, token: &str, salt: &str, address: IpAddr) -> Option<Caller> {
        let digest = {
            let directory = self.shared.directory.read();
            let account = directory.names.get(&name_key(name))?;
            let own = directory.apps.iter().filter(|(_, app)| app.account == *account);
            let fits = |app: &App| {
                let password = self.shared.seals.open(&app.account, &app.id, &app.sealed);
                password.is_some_and(|password| secret::fits(token, salt, &password))
            };
            own.into_iter().find(|(_, app)| fits(app)).map(|(digest, _)| *digest)?
        };
        self.as_app(&digest, address)
    }

    /// Counts that somebody brought what opens nothing, by a name or by a key alone; what to tell them.
    #[must_use]
    pub fn refuse(&self, name: Option<&str>, address: IpAddr) -> AccountsError {
        let name = name.map_or_else(|| KEYS.to_owned(), name_key);
        let allowed = self.shared.limits.lock().begin(address, &name, self.now());
        allowed.map_or_else(AccountsError::TooMany, |()| AccountsError::WrongPassword)
    }

    fn as_app(&self, digest: &TokenHash, address: IpAddr) -> Option<Caller> {
        let now = self.now();
        let (caller, due) = {
            let directory = self.shared.directory.read();
            let app = directory.apps.get(digest)?;
            let due = app.used_at.is_none_or(|at| now - at >= TOUCH_MS);
            let account = directory.people.get(&app.account)?.account.clone();
            (Caller { account: Some(account), credential: Credential::App(app.id.clone()), address }, due)
        };
        if due && let Some(app) = self.shared.directory.write().apps.get_mut(digest) {
            app.used_at = Some(now);
            self.shared.notes.app_used(*digest, now);
        }
        Some(caller)
    }
}

fn insert(t: &Transaction<'_>, digest: &TokenHash, app: &App) -> Result<Result<(), AccountsError>, rusqlite::Error> {
    if !accounts::account_exists(t, &app.account)? {
        return Ok(Err(AccountsError::NotFound("account")));
    }
    if record::count(t, &app.account)? >= APPS_MAX {
        return Ok(Err(AccountsError::Conflict(format!("an account has at most {APPS_MAX} app passwords"))));
    }
    record::insert(t, digest, app).map(Ok)
}
