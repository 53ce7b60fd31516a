//! With which token of ListenBrainz the plays of an account are told there: sealed as app passwords are, and shown to nobody.
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Accounts, AccountsError};

/// What the token of an account is sealed for, where an app password has its id.
const SEALED_FOR: &str = "listenbrainz";
/// Longest token, in characters.
const TOKEN_MAX: usize = 200;
/// Longest name that is kept, in characters.
const NAME_MAX: usize = 200;
/// Longest reason that is kept, in characters.
const FAILURE_MAX: usize = 300;

/// What an account is there. No `Debug`: it holds the token.
#[derive(Clone)]
pub struct Listening {
    /// `None` where it cannot be opened any more, because `apps.key` is another one now.
    pub token: Option<String>,
    /// What the account is called there.
    pub name: String,
    /// It was not taken there the last time.
    pub refused: bool,
    /// Plays that were taken there.
    pub told: u64,
    /// When the last of them was: Unix milliseconds.
    pub told_at: Option<i64>,
    /// When and why telling failed, as long as nothing was taken after it.
    pub failure: Option<(i64, String)>,
}

impl Accounts {
    /// What an account is at ListenBrainz; `None` where its plays are nobody's business.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn listening(&self, account: &str) -> Result<Option<Listening>, AccountsError> {
        let id = account.to_owned();
        let sql = "SELECT sealed, name, refused, told, told_at, failed_at, failure FROM listening WHERE account = ?1";
        let read = move |c: &Connection| {
            let row = |r: &rusqlite::Row<'_>| {
                let failure = r.get::<_, Option<i64>>(5)?.zip(r.get(6)?);
                let (name, refused, told) = (r.get(1)?, r.get(2)?, r.get::<_, i64>(3)?.cast_unsigned());
                let listening = Listening { token: None, name, refused, told, told_at: r.get(4)?, failure };
                Ok((r.get::<_, Vec<u8>>(0)?, listening))
            };
            c.prepare_cached(sql)?.query_row([id], row).optional()
        };
        let found = self.shared.database.read(read).await?;
        Ok(found.map(|(sealed, listening)| {
            let token = self.shared.seals.open(account, SEALED_FOR, &sealed);
            Listening { token, ..listening }
        }))
    }

    /// From now on the plays of an account are told with this token.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for what is no token; [`AccountsError::NotFound`] without such an account.
    pub async fn listen(&self, account: &str, token: &str, name: &str) -> Result<(), AccountsError> {
        let sane = (1..=TOKEN_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        if !sane {
            return Err(AccountsError::Invalid(format!("a token has 1 to {TOKEN_MAX} letters, digits and signs")));
        }
        let sealed = self.shared.seals.seal(account, SEALED_FOR, token)?;
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        let account = account.to_owned();
        let write = move |t: &Transaction<'_>| {
            let sql = "INSERT INTO listening (account, sealed, name, refused) SELECT id, ?2, ?3, 0 FROM account WHERE id = ?1 \
                ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, name = excluded.name, refused = 0, failure = NULL";
            t.execute(sql, params![account, sealed, name])
        };
        match self.shared.database.write(write).await? {
            0 => Err(AccountsError::NotFound("account")),
            _ => Ok(()),
        }
    }

    /// Nothing is told any more. Again is no error.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn stop_listening(&self, account: &str) -> Result<(), AccountsError> {
        let account = account.to_owned();
        let write = move |t: &Transaction<'_>| t.execute("DELETE FROM listening WHERE account = ?1", [account]);
        self.shared.database.write(write).await?;
        Ok(())
    }

    /// Remembers that plays were taken there now.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn listening_told(&self, account: &str, plays: usize) -> Result<(), AccountsError> {
        let (account, now) = (account.to_owned(), self.now());
        let sql = "UPDATE listening SET refused = 0, failure = NULL, told = told + ?2, told_at = ?3 WHERE account = ?1";
        let plays = i64::try_from(plays).unwrap_or(i64::MAX);
        self.shared.database.write(move |t| t.execute(sql, params![account, plays, now])).await?;
        Ok(())
    }

    /// Remembers why telling failed now, and whether that was because the token was refused.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn listening_failed(&self, account: &str, why: &str, refused: bool) -> Result<(), AccountsError> {
        let (account, now) = (account.to_owned(), self.now());
        let why: String = why.chars().filter(|c| !c.is_control()).take(FAILURE_MAX).collect();
        let sql = "UPDATE listening SET refused = max(refused, ?4), failed_at = ?3, failure = ?2 WHERE account = ?1";
        self.shared.database.write(move |t| t.execute(sql, params![account, why, now, refused])).await?;
        Ok(())
    }
}
