//! People of friends' nodes who may sign in here: those nodes chose this one as a stand-in, and its owner lets them in.
//!
//! A [`Resident`] is an account as its home tells it; a guest is what is made of it here. A guest has an id of its own, so that
//! nothing a friend's node tells can name an account of ours; it is never an admin, and sees of what its home shares with us and of
//! what we share with its home no more than its account may see at home. Our own names come first.
use std::collections::HashSet;

use argon2::Params;
use argon2::password_hash::phc::PasswordHash;
use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::directory::{Directory, Guest, name_key};
use super::people::allowed_name;
use super::{Account, Accounts, AccountsError, foreign_password};

/// Accounts that one home has here at most.
const RESIDENTS_MAX: usize = 1000;
/// Libraries that one of them names at most.
const LIBRARIES_MAX: usize = 1000;
/// Memory of one password check that another node may cause here, KiB; passes; lanes.
const ARGON2_MAX: (u32, u32, u32) = (64 * 1024, 10, 4);

type Rows<T> = Result<T, rusqlite::Error>;

/// An account, as its home tells it to a stand-in. No `Debug`: it holds what checks a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// At home.
    pub id: String,
    /// See [`Account::name`].
    pub name: String,
    /// PHC string.
    pub password: String,
    /// See [`Account::libraries`]; `None` for an admin too.
    pub libraries: Option<Vec<String>>,
    /// See [`Account::max_bit_rate`].
    pub max_bit_rate: Option<u64>,
}

/// What is known here of a home's accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosting {
    /// Only grows.
    pub revision: i64,
    /// See [`residents_digest`]; empty where the accounts were told, but are not kept.
    pub digest: String,
    /// Unix milliseconds.
    pub received_at: i64,
}

/// What tells two lists of residents apart.
///
/// # Errors
/// [`AccountsError::Invalid`], which cannot be.
pub fn residents_digest(residents: &[Resident]) -> Result<String, AccountsError> {
    let text = serde_json::to_vec(residents).map_err(|error| AccountsError::Invalid(error.to_string()))?;
    Ok(HEXLOWER.encode(digest::digest(&digest::SHA256, &text).as_ref()))
}

impl Accounts {
    /// Our people, as a stand-in is told of them, by id.
    #[must_use]
    pub fn residents(&self) -> Vec<Resident> {
        let directory = self.shared.directory.read();
        let resident = |person: &super::directory::Person| {
            let Account { id, name, admin, libraries, max_bit_rate, .. } = person.account.clone();
            let libraries = libraries.filter(|_| !admin);
            Resident { id, name, password: person.password.clone(), libraries, max_bit_rate }
        };
        // One that did not sign in since it came from elsewhere has a password that only we can check.
        let ours = |person: &&super::directory::Person| !foreign_password::is_one(&person.password);
        let mut all: Vec<Resident> = directory.people.values().filter(ours).map(resident).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// What is known here of the accounts of a friend's node.
    #[must_use]
    pub fn hosting(&self, friend: &str) -> Option<Hosting> {
        self.shared.directory.read().hosting.get(friend).cloned()
    }

    /// The guests of a home: their ids here, and at home.
    #[must_use]
    pub fn guests(&self, friend: &str) -> Vec<(String, String)> {
        let directory = self.shared.directory.read();
        let guests = directory.guests.iter().filter(|(_, guest)| guest.friend == friend);
        guests.map(|(id, guest)| (id.clone(), guest.account.clone())).collect()
    }

    /// Takes over the accounts of a friend's node: these and no others. Who is not among them any more, or has another
    /// password, is signed out. Where there are none, guests go in two steps: the first time nobody can sign in any more, and how
    /// far they watched is kept until the second.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for what cannot be, [`AccountsError::Conflict`] where this revision, or a later one, is known,
    /// or where the friend's people may not sign in here.
    pub async fn host(&self, friend: &str, revision: i64, residents: Vec<Resident>) -> Result<(), AccountsError> {
        check(&residents)?;
        let digest = residents_digest(&residents)?;
        let (friend, now) = (friend.to_owned(), self.now());
        self.change(move |t| {
            let hosts: bool = t.query_row("SELECT hosts FROM friend WHERE id = ?1", [&friend], |r| r.get(0))?;
            if !hosts && !residents.is_empty() {
                return Ok(Err(AccountsError::Conflict("this node hosts nobody of yours".to_owned())));
            }
            let sql = "SELECT revision FROM hosting WHERE friend = ?1";
            let known: Option<i64> = t.query_row(sql, [&friend], |r| r.get(0)).optional()?;
            if known.is_some_and(|known| revision <= known) {
                return Ok(Err(AccountsError::Conflict("these accounts are older than what is known here".to_owned())));
            }
            let here = "SELECT EXISTS (SELECT 1 FROM guest WHERE friend = ?1 AND password <> '')";
            let leave = residents.is_empty() && t.query_row(here, [&friend], |r| r.get(0))?;
            let sql = "INSERT OR REPLACE INTO hosting VALUES (?1, ?2, ?3, ?4)";
            t.execute(sql, params![friend, revision, digest, now])?;
            if leave {
                send_home(t, &friend)?
            } else {
                replace(t, &friend, &residents)?
            }
            Ok(Ok(()))
        })
        .await
    }

    /// Remembers what a friend's node shares with us: its people may see that here too. For as long as this process runs.
    pub fn offered(&self, friend: &str, libraries: HashSet<String>) {
        let before = self.shared.directory.write().offers.insert(friend.to_owned(), libraries.clone());
        if before.is_some_and(|before| before != libraries) {
            self.shared.revision.send_modify(|n| *n += 1);
        }
    }

    /// A stand-in that was to give our accounts back did.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn left_stand_in(&self, friend: &str) -> Result<(), AccountsError> {
        let friend = friend.to_owned();
        self.change(move |t| {
            t.execute("UPDATE friend SET stand_in = 0 WHERE id = ?1 AND stand_in = 2", [friend])?;
            Ok(Ok(()))
        })
        .await
    }
}

fn check(residents: &[Resident]) -> Result<(), AccountsError> {
    let wrong = |what: &str| Err(AccountsError::Invalid(format!("accounts: {what}")));
    if residents.len() > RESIDENTS_MAX {
        return wrong("too many");
    }
    let (mut ids, mut names) = (HashSet::new(), HashSet::new());
    for resident in residents {
        allowed_name(&resident.name)?;
        let libraries = resident.libraries.iter().flatten();
        if !std::iter::once(&resident.id).chain(libraries).all(|id| Uuid::try_parse(id).is_ok()) {
            return wrong("an id that is none");
        }
        if resident.libraries.as_ref().is_some_and(|libraries| libraries.len() > LIBRARIES_MAX) {
            return wrong("too many libraries");
        }
        if !ids.insert(&resident.id) || !names.insert(name_key(&resident.name)) {
            return wrong("the same twice");
        }
        if !affordable(&resident.password) {
            return wrong("a password that cannot be checked here");
        }
    }
    Ok(())
}

/// Whether a stored password is one that costs no more to check than it may.
fn affordable(stored: &str) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
    let (memory, passes, lanes) = ARGON2_MAX;
    let within = params.m_cost() <= memory && params.t_cost() <= passes && params.p_cost() <= lanes;
    stored.len() <= 256 && hash.algorithm.as_str() == "argon2id" && hash.hash.is_some() && within
}

fn replace(t: &Transaction<'_>, friend: &str, residents: &[Resident]) -> Rows<()> {
    let kept: Vec<&str> = residents.iter().map(|resident| resident.id.as_str()).collect();
    let gone = "DELETE FROM guest WHERE friend = ?1 AND account NOT IN (SELECT value FROM json_each(?2))";
    t.execute(gone, params![friend, serde_json::Value::from(kept).to_string()])?;
    // Two may have swapped names.
    t.execute("UPDATE guest SET name_key = ':' || id WHERE friend = ?1", [friend])?;
    for resident in residents {
        let changed = "DELETE FROM session WHERE account = \
            (SELECT id FROM guest WHERE friend = ?1 AND account = ?2 AND password <> ?3)";
        t.execute(changed, params![friend, resident.id, resident.password])?;
        let libraries = resident.libraries.clone().map(|libraries| serde_json::Value::from(libraries).to_string());
        let sql = "INSERT INTO guest VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (friend, account) DO UPDATE SET \
            name = excluded.name, name_key = excluded.name_key, password = excluded.password, \
            libraries = excluded.libraries, max_bit_rate = excluded.max_bit_rate";
        t.execute(
            sql,
            params![
                Uuid::now_v7().to_string(),
                friend,
                resident.id,
                resident.name.trim(),
                name_key(&resident.name),
                resident.password,
                libraries,
                resident.max_bit_rate.map(|rate| i64::try_from(rate).unwrap_or(i64::MAX)),
            ],
        )?;
    }
    Ok(())
}

/// Signs the people of a friend out.
pub(super) fn sign_out(t: &Transaction<'_>, friend: &str) -> Rows<()> {
    t.execute("DELETE FROM session WHERE account IN (SELECT id FROM guest WHERE friend = ?1)", [friend])?;
    Ok(())
}

/// The people of a friend may not sign in here any more. How far they watched is kept until their home asked for it.
pub(super) fn send_home(t: &Transaction<'_>, friend: &str) -> Rows<()> {
    sign_out(t, friend)?;
    t.execute("UPDATE guest SET password = '' WHERE friend = ?1", [friend])?;
    t.execute("UPDATE hosting SET digest = '' WHERE friend = ?1", [friend])?;
    Ok(())
}

/// All guests, for the copy in memory.
pub(super) fn load(c: &Connection, directory: &mut Directory) -> Rows<()> {
    let mut hosting = c.prepare_cached("SELECT friend, revision, digest, received_at FROM hosting")?;
    let rows = hosting.query_map([], |r| {
        Ok((r.get(0)?, Hosting { revision: r.get(1)?, digest: r.get(2)?, received_at: r.get(3)? }))
    })?;
    directory.hosting = rows.collect::<Rows<_>>()?;
    let sql = "SELECT id, friend, account, name, name_key, password, libraries, max_bit_rate FROM guest";
    let mut guests = c.prepare_cached(sql)?;
    let rows = guests.query_map([], |r| {
        let libraries: Option<String> = r.get(6)?;
        let guest = Guest {
            friend: r.get(1)?,
            account: r.get(2)?,
            name: r.get(3)?,
            name_key: r.get(4)?,
            password: r.get(5)?,
            libraries: libraries.map(|json| serde_json::from_str(&json).unwrap_or_default()),
            max_bit_rate: r.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned),
        };
        Ok((r.get(0)?, guest))
    })?;
    directory.guests = rows.collect::<Rows<_>>()?;
    Ok(())
}
