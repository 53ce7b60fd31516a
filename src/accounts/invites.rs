//! Invites: secrets that make one other node a friend, once, for a while.
use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::credentials::{TokenHash, random_token};
use super::friends::{self, Friend, NewFriend};
use super::people::allowed_name;
use super::{Accounts, AccountsError};

type Rows<T> = Result<T, rusqlite::Error>;

/// An invite without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// UUID.
    pub id: String,
    /// What the friend shall be called here; `None` for the name it gives itself.
    pub name: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
}

impl Accounts {
    /// Makes an invite and returns it with its secret, which nobody can show again.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for a name that is none, [`AccountsError::Conflict`] when too many are open.
    pub async fn add_invite(&self, name: Option<&str>, lifetime: Duration) -> Result<(Invite, String), AccountsError> {
        let name = name.map(allowed_name).transpose()?;
        let (now, secret) = (self.now(), random_token());
        let expires_at = now.saturating_add(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX));
        let invite = Invite { id: Uuid::now_v7().to_string(), name, created_at: now, expires_at };
        let (made, hash, limit) = (invite.clone(), TokenHash::of(&secret), self.shared.options.invites_max);
        self.change(move |t| {
            t.execute("DELETE FROM friend_invite WHERE expires_at <= ?1", [now])?;
            let sql = "SELECT count(*) FROM friend_invite WHERE redeemed_by IS NULL";
            if t.query_row::<u32, _, _>(sql, [], |r| r.get(0))? >= limit {
                return Ok(Err(AccountsError::Conflict(format!("at most {limit} invites are open at a time"))));
            }
            insert(t, &invite, &hash).map(Ok)
        })
        .await?;
        Ok((made, secret))
    }

    /// Invites that can still be redeemed, oldest first.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn invites(&self) -> Result<Vec<Invite>, AccountsError> {
        let now = self.now();
        let read = self.shared.database.read(move |c| {
            let sql = "SELECT id, name, created_at, expires_at FROM friend_invite
                       WHERE redeemed_by IS NULL AND expires_at > ?1 ORDER BY id";
            let mut invites = c.prepare_cached(sql)?;
            let rows = invites.query_map([now], |r| {
                Ok(Invite { id: r.get(0)?, name: r.get(1)?, created_at: r.get(2)?, expires_at: r.get(3)? })
            })?;
            rows.collect()
        });
        Ok(read.await?)
    }

    /// Withdraws an invite.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`].
    pub async fn remove_invite(&self, id: &str) -> Result<(), AccountsError> {
        let id = id.to_owned();
        self.change(move |t| {
            match t.execute("DELETE FROM friend_invite WHERE id = ?1 AND redeemed_by IS NULL", [id])? {
                0 => Ok(Err(AccountsError::NotFound("invite"))),
                _ => Ok(Ok(())),
            }
        })
        .await
    }

    /// Makes the node that brings an invite's secret a friend. The same node may bring it again while they are friends: its
    /// first answer may have been lost on the way.
    ///
    /// # Errors
    /// [`AccountsError::WrongInvite`] for a secret that is not, or no more, good; else as [`Accounts::add_friend`].
    pub async fn redeem(&self, secret: &str, new: NewFriend) -> Result<Friend, AccountsError> {
        let new = friends::allowed(new)?;
        let (hash, now, limit) = (TokenHash::of(secret), self.now(), self.shared.options.friends_max);
        let endpoint = new.endpoint.clone();
        self.change(move |t| {
            let Some((name, redeemed_by)) = find(t, &hash, now)? else { return Ok(Err(AccountsError::WrongInvite)) };
            if let Some(by) = redeemed_by {
                let same = by == new.endpoint && friends::is_enabled(t, &by)?;
                return Ok(if same { Ok(()) } else { Err(AccountsError::WrongInvite) });
            }
            let new = NewFriend { name: name.unwrap_or(new.name), ..new };
            if let Err(refusal) = friends::insert(t, &new, now, limit)? {
                return Ok(Err(refusal));
            }
            let sql = "UPDATE friend_invite SET redeemed_by = ?2 WHERE hash = ?1";
            t.execute(sql, params![hash.bytes(), new.endpoint])?;
            Ok(Ok(()))
        })
        .await?;
        self.friend_by_endpoint(&endpoint).ok_or(AccountsError::WrongInvite)
    }
}

fn insert(t: &Transaction<'_>, invite: &Invite, hash: &TokenHash) -> Rows<()> {
    t.execute(
        "INSERT INTO friend_invite (id, hash, name, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![invite.id, hash.bytes(), invite.name, invite.created_at, invite.expires_at],
    )?;
    Ok(())
}

/// The name of an invite that is not too old, and who redeemed it.
fn find(t: &Transaction<'_>, hash: &TokenHash, now: i64) -> Rows<Option<(Option<String>, Option<String>)>> {
    let sql = "SELECT name, redeemed_by FROM friend_invite WHERE hash = ?1 AND expires_at > ?2";
    t.query_row(sql, params![hash.bytes(), now], |r| Ok((r.get(0)?, r.get(1)?))).optional()
}
