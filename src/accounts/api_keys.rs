//! API keys: for programs that act for an account.
use uuid::Uuid;

use super::credentials::{KEY_PREFIX, TokenHash, random_hex, random_token};
use super::directory::Key;
use super::{Accounts, AccountsError, record};

/// Longest name of a key, in characters.
const NAME_MAX: usize = 64;

/// What the secret of a key looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// `pk_` and 256 bits in base 32.
    Marked,
    /// 32 digits of base 16, for programs that take nothing else.
    Hex,
}

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// UUID.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds, within ten minutes.
    pub used_at: Option<i64>,
}

impl From<&Key> for ApiKey {
    fn from(key: &Key) -> Self {
        Self { id: key.id.clone(), name: key.name.clone(), created_at: key.created_at, used_at: key.used_at }
    }
}

impl Accounts {
    /// Makes a key for an account and returns it with its secret, which nobody can show again.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for an empty or endless name, [`AccountsError::Conflict`] when there are too many,
    /// [`AccountsError::NotFound`] without such an account.
    pub async fn add_api_key(&self, account: &str, name: &str) -> Result<(ApiKey, String), AccountsError> {
        self.add_api_key_like(account, name, KeyForm::Marked).await
    }

    /// The same, with a secret of this form.
    ///
    /// # Errors
    /// As [`Accounts::add_api_key`].
    pub async fn add_api_key_like(
        &self,
        account: &str,
        name: &str,
        form: KeyForm,
    ) -> Result<(ApiKey, String), AccountsError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(AccountsError::Invalid(format!("a key's name has 1 to {NAME_MAX} characters")));
        }
        let secret = match form {
            KeyForm::Marked => format!("{KEY_PREFIX}{}", random_token()),
            KeyForm::Hex => random_hex(),
        };
        let hash = TokenHash::of(&secret);
        let key = Key {
            id: Uuid::now_v7().to_string(),
            account: account.to_owned(),
            name: name.to_owned(),
            created_at: self.now(),
            used_at: None,
        };
        let (made, limit) = (ApiKey::from(&key), self.shared.options.keys_per_account);
        self.change(move |t| {
            if !record::account_exists(t, &key.account)? {
                return Ok(Err(AccountsError::NotFound("account")));
            }
            if record::count_keys(t, &key.account)? >= limit {
                return Ok(Err(AccountsError::Conflict(format!("an account has at most {limit} keys"))));
            }
            record::insert_key(t, &hash, &key).map(Ok)
        })
        .await?;
        Ok((made, secret))
    }

    /// The keys of an account, oldest first.
    #[must_use]
    pub fn api_keys(&self, account: &str) -> Vec<ApiKey> {
        let directory = self.shared.directory.read();
        let mut keys: Vec<ApiKey> =
            directory.keys.values().filter(|key| key.account == account).map(ApiKey::from).collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys
    }

    /// Revokes a key of an account.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`] where the account has no such key.
    pub async fn remove_api_key(&self, account: &str, id: &str) -> Result<(), AccountsError> {
        let (account, id) = (account.to_owned(), id.to_owned());
        self.change(move |t| match record::delete_key(t, &account, &id)? {
            0 => Ok(Err(AccountsError::NotFound("API key"))),
            _ => Ok(Ok(())),
        })
        .await
    }
}
