//! Accounts and API keys that another program kept, with its hashes of their secrets: nobody needs a new password or key.
//!
//! Taking in the same again changes nothing, and what was removed here since does not come back.
use rusqlite::Transaction;
use uuid::Uuid;

use super::directory::{Key, name_key};
use super::people::allowed_name;
use super::{Account, Accounts, AccountsError, TokenHash, foreign_password, record};

/// Longest name of a key, in characters.
const KEY_NAME_MAX: usize = 64;

/// Somebody who had an account elsewhere. No `Debug`: it holds what checks a password.
#[derive(Clone)]
pub struct MovedAccount {
    /// The id that it had.
    pub id: String,
    pub name: String,
    /// A bcrypt hash; what is none lets nobody in.
    pub password: String,
    pub admin: bool,
    /// See [`Account::libraries`].
    pub libraries: Option<Vec<String>>,
    pub keys: Vec<MovedKey>,
}

/// An API key of theirs.
#[derive(Clone)]
pub struct MovedKey {
    /// The id that it had.
    pub id: String,
    pub name: String,
    /// SHA-512 of the secret.
    pub sha512: [u8; 64],
    /// Unix milliseconds.
    pub created_at: i64,
}

/// What became of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenAccount {
    /// Id of the account here; `None` where there is none.
    pub account: Option<String>,
    /// It was made.
    pub added: bool,
    /// Keys that came along now.
    pub keys: u64,
    /// Keys that were here, or came along before.
    pub keys_known: u64,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Accounts {
    /// Takes over accounts with their keys, all in one transaction. One whose name an account here has is that account, which
    /// stays as it is but for the keys.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn move_in(&self, people: Vec<MovedAccount>, rehearse: bool) -> Result<Vec<TakenAccount>, AccountsError> {
        let (now, limit) = (self.now(), self.shared.options.keys_per_account);
        self.change(move |t| {
            t.execute_batch("SAVEPOINT moved_in")?;
            let taken = people.iter().map(|one| take(t, one, limit, now)).collect::<rusqlite::Result<Vec<_>>>()?;
            let end = if rehearse { "ROLLBACK TO moved_in; RELEASE moved_in" } else { "RELEASE moved_in" };
            t.execute_batch(end)?;
            Ok(Ok(taken))
        })
        .await
    }
}

fn take(t: &Transaction<'_>, new: &MovedAccount, limit: u32, now: i64) -> rusqlite::Result<TakenAccount> {
    let mut taken = TakenAccount::default();
    match record::moved_account(t, &new.id)? {
        Some((account, true)) => taken.account = Some(account),
        Some((_, false)) => {
            taken.notes.push("its account was removed here".to_owned());
            return Ok(taken);
        }
        None => settle(t, new, now, &mut taken)?,
    }
    let Some(account) = taken.account.clone() else { return Ok(taken) };
    for key in &new.keys {
        take_key(t, &account, key, limit, now, &mut taken)?;
    }
    Ok(taken)
}

/// Finds the account of this name, or makes it.
fn settle(t: &Transaction<'_>, new: &MovedAccount, now: i64, taken: &mut TakenAccount) -> rusqlite::Result<()> {
    let name = match allowed_name(&new.name) {
        Ok(name) => name,
        Err(error) => {
            taken.notes.push(error.to_string());
            return Ok(());
        }
    };
    let id = match record::account_named(t, &name_key(&name))? {
        Some(id) => {
            taken.notes.push("an account here has this name, and keeps its own password and rights".to_owned());
            id
        }
        None => {
            taken.added = true;
            add(t, new, name, now, taken)?
        }
    };
    record::insert_moved_account(t, &new.id, &id)?;
    taken.account = Some(id);
    Ok(())
}

fn add(
    t: &Transaction<'_>,
    new: &MovedAccount,
    name: String,
    now: i64,
    taken: &mut TakenAccount,
) -> rusqlite::Result<String> {
    let password = foreign_password::usable(&new.password).unwrap_or_else(|| {
        taken.notes.push("its password cannot be checked here; set another with `potluck user password`".to_owned());
        closed()
    });
    let account = Account {
        id: Uuid::now_v7().to_string(),
        name,
        admin: new.admin,
        libraries: new.libraries.clone(),
        hidden: Vec::new(),
        max_bit_rate: None,
        home: None,
    };
    record::insert_account(t, &account, &name_key(&account.name), &password, now)?;
    Ok(account.id)
}

/// The form of a hash, of which nobody knows a password.
fn closed() -> String {
    let salt = data_encoding::BASE64_NOPAD.encode(&rand::random::<[u8; 16]>());
    let hash = data_encoding::BASE64_NOPAD.encode(&rand::random::<[u8; 32]>());
    format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${hash}")
}

fn take_key(
    t: &Transaction<'_>,
    account: &str,
    new: &MovedKey,
    limit: u32,
    now: i64,
    taken: &mut TakenAccount,
) -> rusqlite::Result<()> {
    let hash = TokenHash::of_sha512(&new.sha512);
    if record::key_taken(t, &new.id, &hash)? || record::count_keys(t, account)? >= limit {
        taken.keys_known += 1;
        return Ok(());
    }
    if !record::insert_moved_key(t, &new.id)? {
        taken.keys_known += 1;
        return Ok(());
    }
    let plain: String = new.name.chars().filter(|c| !c.is_control()).take(KEY_NAME_MAX).collect();
    let name = if plain.trim().is_empty() { "moved in".to_owned() } else { plain.trim().to_owned() };
    let created_at = new.created_at.clamp(0, now);
    let key = Key { id: new.id.clone(), account: account.to_owned(), name, created_at, used_at: None };
    record::insert_key(t, &hash, &key)?;
    taken.keys += 1;
    Ok(())
}
