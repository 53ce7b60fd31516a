//! The accounts themselves: adding, changing, removing them.
use rusqlite::Transaction;
use uuid::Uuid;

use super::directory::name_key;
use super::{Account, Accounts, AccountsError, Caller, Credential, app_passwords, record};

/// Longest name, in characters.
pub(super) const NAME_MAX: usize = 64;
/// Bits a second that a limit has at least: a telephone's video.
const RATE_MIN: u64 = 64_000;
/// Bits a second that a limit has at most.
const RATE_MAX: u64 = 100_000_000_000;

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// 1 to 64 characters, unique without regard to case.
    pub name: String,
    /// At least 8 characters.
    pub password: String,
    /// May change everything.
    pub admin: bool,
    /// Ids of the libraries it may see; `None` for all.
    pub libraries: Option<Vec<String>>,
    /// See [`Account::max_bit_rate`].
    pub max_bit_rate: Option<u64>,
}

/// What shall be different; absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// See [`NewAccount::name`].
    pub name: Option<String>,
    /// Signs the account out everywhere but where the change is made from, and revokes its API keys and app passwords.
    pub password: Option<String>,
    /// The last admin stays one.
    pub admin: Option<bool>,
    /// `Some(None)` for all libraries.
    pub libraries: Option<Option<Vec<String>>>,
    /// `Some(None)` for no limit.
    pub max_bit_rate: Option<Option<u64>>,
}

impl Accounts {
    /// All accounts, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Account> {
        let mut all: Vec<Account> = self.shared.directory.read().people.values().map(|p| p.account.clone()).collect();
        all.sort_by_cached_key(|account| name_key(&account.name));
        all
    }

    /// One account.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`].
    pub fn get(&self, id: &str) -> Result<Account, AccountsError> {
        let directory = self.shared.directory.read();
        directory.people.get(id).map(|p| p.account.clone()).ok_or(AccountsError::NotFound("account"))
    }

    /// The account of this name, without regard to case.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`].
    pub fn named(&self, name: &str) -> Result<Account, AccountsError> {
        let directory = self.shared.directory.read();
        let known = directory.names.get(&name_key(name)).and_then(|id| directory.people.get(id));
        known.map(|p| p.account.clone()).ok_or(AccountsError::NotFound("account of this name"))
    }

    /// What somebody is called here.
    #[must_use]
    pub fn name_of(&self, id: &str) -> Option<String> {
        self.shared.directory.read().account(id).map(|account| account.name)
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for a name or password that is not allowed, [`AccountsError::Conflict`] for a name that
    /// is taken.
    pub async fn add(&self, new: NewAccount) -> Result<Account, AccountsError> {
        let name = allowed_name(&new.name)?;
        allowed_rate(new.max_bit_rate)?;
        let password = self.shared.passwords.hash(&new.password).await?;
        let account = Account {
            id: Uuid::now_v7().to_string(),
            name,
            admin: new.admin,
            libraries: new.libraries,
            hidden: Vec::new(),
            max_bit_rate: new.max_bit_rate,
            home: None,
        };
        let now = self.now();
        self.change(move |t| {
            let key = name_key(&account.name);
            if record::name_taken(t, &key, "")? {
                return Ok(Err(taken(&account.name)));
            }
            record::insert_account(t, &account, &key, &password, now)?;
            Ok(Ok(account))
        })
        .await
    }

    /// Changes an account, at the request of `by`.
    ///
    /// # Errors
    /// As [`Accounts::add`]; [`AccountsError::NotFound`]; [`AccountsError::Conflict`] when no admin would be left.
    pub async fn update(&self, id: &str, change: AccountChange, by: &Caller) -> Result<Account, AccountsError> {
        let name = change.name.as_deref().map(allowed_name).transpose()?;
        allowed_rate(change.max_bit_rate.flatten())?;
        let password = match &change.password {
            Some(password) => Some(self.shared.passwords.hash(password).await?),
            None => None,
        };
        let kept_session = match by.credential {
            Credential::Session(hash) => Some(hash),
            _ => None,
        };
        let account = id.to_owned();
        self.change(move |t| {
            if let Err(refusal) = may_update(t, &account, name.as_deref(), change.admin)? {
                return Ok(Err(refusal));
            }
            if let Some(name) = name {
                record::set_name(t, &account, &name, &name_key(&name))?;
            }
            if let Some(password) = password {
                record::set_password(t, &account, &password)?;
                record::delete_sessions_of(t, &account, kept_session.as_ref())?;
                record::delete_keys_of(t, &account)?;
                app_passwords::delete_of(t, &account)?;
            }
            if let Some(admin) = change.admin {
                record::set_admin(t, &account, admin)?;
            }
            if let Some(libraries) = change.libraries {
                record::set_libraries(t, &account, libraries.as_deref())?;
            }
            if let Some(limit) = change.max_bit_rate {
                record::set_max_bit_rate(t, &account, limit)?;
            }
            Ok(Ok(()))
        })
        .await?;
        self.get(id)
    }

    /// Removes an account with its sessions and keys.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`]; [`AccountsError::Conflict`] for the last admin.
    pub async fn remove(&self, id: &str) -> Result<(), AccountsError> {
        let id = id.to_owned();
        self.change(move |t| {
            if let Err(refusal) = may_update(t, &id, None, Some(false))? {
                return Ok(Err(refusal));
            }
            record::delete_account(t, &id)?;
            Ok(Ok(()))
        })
        .await
    }
}

fn may_update(
    t: &Transaction<'_>,
    id: &str,
    name: Option<&str>,
    admin: Option<bool>,
) -> Result<Result<(), AccountsError>, rusqlite::Error> {
    if !record::account_exists(t, id)? {
        return Ok(Err(AccountsError::NotFound("account")));
    }
    if let Some(name) = name
        && record::name_taken(t, &name_key(name), id)?
    {
        return Ok(Err(taken(name)));
    }
    if admin == Some(false) && record::admins_besides(t, id)? == 0 {
        let reason = "this is the last admin; make another account an admin first";
        return Ok(Err(AccountsError::Conflict(reason.to_owned())));
    }
    Ok(Ok(()))
}

pub(super) fn taken(name: &str) -> AccountsError {
    AccountsError::Conflict(format!("there is an account named {name} already"))
}

/// A limit that nothing could be played under is more likely bytes or megabits than a wish.
fn allowed_rate(limit: Option<u64>) -> Result<(), AccountsError> {
    match limit {
        Some(limit) if !(RATE_MIN..=RATE_MAX).contains(&limit) => {
            let rule = format!("max_bit_rate: is in bits a second, {RATE_MIN} to {RATE_MAX}");
            Err(AccountsError::Invalid(rule))
        }
        _ => Ok(()),
    }
}

/// Without surrounding space. A colon cannot be sent by HTTP Basic.
pub(super) fn allowed_name(name: &str) -> Result<String, AccountsError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > NAME_MAX || name.chars().any(|c| c.is_control() || c == ':') {
        let rule = format!("a name has 1 to {NAME_MAX} characters, without colons and control characters");
        return Err(AccountsError::Invalid(rule));
    }
    Ok(name.to_owned())
}
