//! What reading programs keep here for whoever uses them, and for everybody: texts under names that they choose.
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Accounts, AccountsError};

/// Longest name, in bytes.
const KEY_MAX: usize = 255;
/// Settings of one account, and of everybody.
const COUNT_MAX: i64 = 500;
/// Bytes of all of them together.
const BYTES_MAX: i64 = 1024 * 1024;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSetting {
    /// Like `application.domain.key`.
    pub key: String,
    pub value: String,
    /// Of everybody's: also told to whoever did not sign in.
    pub unauthorized: bool,
}

impl Accounts {
    /// The settings of an account, or everybody's, by name.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn client_settings(&self, account: Option<&str>) -> Result<Vec<ClientSetting>, AccountsError> {
        let account = account.map(str::to_owned);
        let sql = "SELECT key, value, unauthorized FROM client_setting WHERE account IS ?1 ORDER BY key";
        let read = move |c: &Connection| {
            let setting =
                |r: &rusqlite::Row<'_>| Ok(ClientSetting { key: r.get(0)?, value: r.get(1)?, unauthorized: r.get(2)? });
            c.prepare_cached(sql)?.query_map([account], setting)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        Ok(self.shared.database.read(read).await?)
    }

    /// Writes settings of an account, or everybody's.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for a name that is none, and where it would be too much; [`AccountsError::NotFound`] for an
    /// account that is not one of ours.
    pub async fn set_client_settings(
        &self,
        account: Option<&str>,
        settings: Vec<ClientSetting>,
    ) -> Result<(), AccountsError> {
        if let Some(setting) = settings.iter().find(|setting| !is_key(&setting.key)) {
            let name: String = setting.key.chars().take(64).collect();
            return Err(AccountsError::Invalid(format!("{name} is no name like application.domain.key")));
        }
        let account = account.map(str::to_owned);
        self.write_settings(move |t| write(t, account.as_deref(), &settings)).await
    }

    /// Forgets settings; those that are not there are passed over.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn remove_client_settings(&self, account: Option<&str>, keys: Vec<String>) -> Result<(), AccountsError> {
        let account = account.map(str::to_owned);
        self.write_settings(move |t| {
            for key in &keys {
                t.execute("DELETE FROM client_setting WHERE account IS ?1 AND key = ?2", params![account, key])?;
            }
            Ok(Ok(()))
        })
        .await
    }

    /// In one transaction, of which nothing stays where it refuses.
    async fn write_settings<F>(&self, f: F) -> Result<(), AccountsError>
    where
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<(), AccountsError>> + Send + 'static,
    {
        let write = move |t: &Transaction<'_>| {
            t.execute_batch("SAVEPOINT settings")?;
            let answer = f(t)?;
            if answer.is_err() {
                t.execute_batch("ROLLBACK TO settings")?;
            }
            t.execute_batch("RELEASE settings")?;
            Ok(answer)
        };
        self.shared.database.write(write).await?
    }
}

fn write(
    t: &Transaction<'_>,
    account: Option<&str>,
    settings: &[ClientSetting],
) -> rusqlite::Result<Result<(), AccountsError>> {
    if let Some(account) = account
        && t.query_row("SELECT 1 FROM account WHERE id = ?1", [account], |_| Ok(())).optional()?.is_none()
    {
        return Ok(Err(AccountsError::NotFound("account of ours")));
    }
    for ClientSetting { key, value, unauthorized } in settings {
        t.execute("DELETE FROM client_setting WHERE account IS ?1 AND key = ?2", params![account, key])?;
        let sql = "INSERT INTO client_setting (account, key, value, unauthorized) VALUES (?1, ?2, ?3, ?4)";
        t.execute(sql, params![account, key, value, unauthorized])?;
    }
    let sql = "SELECT count(*), ifnull(sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))), 0) \
        FROM client_setting WHERE account IS ?1";
    let (count, bytes): (i64, i64) = t.query_row(sql, [account], |r| Ok((r.get(0)?, r.get(1)?)))?;
    if count > COUNT_MAX || bytes > BYTES_MAX {
        let rule = format!("at most {COUNT_MAX} settings with {BYTES_MAX} bytes together are kept");
        return Ok(Err(AccountsError::Invalid(rule)));
    }
    Ok(Ok(()))
}

/// Parts of small letters, digits, `_` and `-`, with dots between them; the first begins with a letter.
fn is_key(key: &str) -> bool {
    let part = |part: &str| {
        let inside = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        inside && ends(part.as_bytes().first()) && ends(part.as_bytes().last())
    };
    key.len() <= KEY_MAX && key.starts_with(|c: char| c.is_ascii_lowercase()) && key.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spaces_of_names() {
        for key in ["a", "komelia.reader.scale", "a1.b-2.c_d"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", ".", "a.", ".a", "A", "1a", "a b", "a..b", "a.-b", "a_", &"a".repeat(256)] {
            assert!(!is_key(key), "{key}");
        }
    }
}
