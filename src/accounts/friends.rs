//! Friends: other people's nodes, recognised by their public keys alone, and what is shared with each.
use std::collections::BTreeMap;
use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::audience::{allowed_people, includes};
use super::directory::{Directory, name_key};
use super::people::{NAME_MAX, allowed_name};
use super::{Account, Accounts, AccountsError, Caller, Credential, guests};

/// Longest public key in text.
const ENDPOINT_MAX: usize = 64;
/// Addresses remembered of a friend's node.
const ADDRESSES_MAX: usize = 16;
/// Longest of them: a relay's URL.
const ADDRESS_MAX: usize = 256;
/// Least bits a second of a friend that has a budget: what its node asks for is answered in time.
const UPLOAD_RATE_MIN: u64 = 64_000;

type Rows<T> = Result<T, rusqlite::Error>;

/// A friend's node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Friend {
    /// UUID.
    pub id: String,
    /// As its owner is called here.
    pub name: String,
    /// Public key of its node.
    pub endpoint: String,
    /// Where it is not, the friend may do nothing and is not asked for anything.
    pub enabled: bool,
    /// Ids of the libraries that are shared with it.
    pub libraries: Vec<String>,
    /// Of those that are for some people at its node only: for whom, by library.
    pub people: BTreeMap<String, Vec<String>>,
    /// Where its node was reached last, as its carrier writes addresses.
    pub addresses: Vec<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Bits a second that it may take from this node; `None` where the setting for all counts.
    pub upload_rate: Option<u64>,
    /// Whether its node stands in for ours.
    pub stand_in: StandIn,
    /// Its people may sign in here, where it chose this node as a stand-in.
    pub hosts: bool,
    /// Id of its node in the network of IPFS, as it says itself.
    pub ipfs: Option<String>,
}

/// Whether a friend's node knows our accounts, so that our people can sign in there while ours is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandIn {
    /// It does not.
    No,
    /// It does, or shall.
    Chosen,
    /// It did, and is to forget them.
    Leaving,
}

impl StandIn {
    fn of(number: i64) -> Self {
        match number {
            1 => Self::Chosen,
            2 => Self::Leaving,
            _ => Self::No,
        }
    }
}

impl Friend {
    /// What it may do here for this one of its people: see what is shared with them. For itself, where none is named: see what is
    /// for everybody at its node.
    #[must_use]
    pub fn account(&self, person: Option<&str>) -> Account {
        Account {
            id: self.id.clone(),
            name: self.name.clone(),
            admin: false,
            libraries: Some(self.libraries_for(person).cloned().collect()),
            hidden: Vec::new(),
            max_bit_rate: None,
            home: None,
        }
    }
}

impl Friend {
    /// Of the libraries that are shared with it, those that this one of its people may see; without a name, those for everybody.
    pub fn libraries_for(&self, person: Option<&str>) -> impl Iterator<Item = &String> {
        let is_for = move |people: &Vec<String>| person.is_some_and(|name| includes(people, name));
        self.libraries.iter().filter(move |library| self.people.get(*library).is_none_or(is_for))
    }

    /// Whether something is shared with this one of its people by name.
    pub(super) fn names(&self, person: &str) -> bool {
        self.people.values().any(|people| includes(people, person))
    }

    /// Whether somebody at its node may see less than `before`.
    #[must_use]
    pub fn lost_something(&self, before: &Self) -> bool {
        let kept = |library: &String| match (before.people.get(library), self.people.get(library)) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(before), Some(now)) => before.iter().all(|name| includes(now, name)),
        };
        !before.libraries.iter().all(|library| self.libraries.contains(library) && kept(library))
    }
}

/// A friend to be added.
#[derive(Debug, Clone)]
pub struct NewFriend {
    /// 1 to 64 characters. Where it is taken, a number is put behind it.
    pub name: String,
    /// See [`Friend::endpoint`].
    pub endpoint: String,
    /// See [`Friend::addresses`].
    pub addresses: Vec<String>,
}

/// What shall be different; absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct FriendChange {
    /// Unique among friends without regard to case.
    pub name: Option<String>,
    /// See [`Friend::enabled`].
    pub enabled: Option<bool>,
    /// See [`Friend::libraries`]. For whom those are that stay is not changed by this.
    pub libraries: Option<Vec<String>>,
    /// By library, for whom it shall be; `None` for everybody. Those that are not in here stay as they are.
    pub people: BTreeMap<String, Option<Vec<String>>>,
    /// See [`Friend::upload_rate`].
    pub upload_rate: Option<Option<u64>>,
    /// See [`Friend::stand_in`].
    pub stand_in: Option<bool>,
    /// See [`Friend::hosts`].
    pub hosts: Option<bool>,
}

impl Accounts {
    /// All friends, by name.
    #[must_use]
    pub fn friends(&self) -> Vec<Friend> {
        let mut all: Vec<Friend> = self.shared.directory.read().friends.values().cloned().collect();
        all.sort_by_cached_key(|friend| name_key(&friend.name));
        all
    }

    /// One friend.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`].
    pub fn friend(&self, id: &str) -> Result<Friend, AccountsError> {
        self.shared.directory.read().friends.get(id).cloned().ok_or(AccountsError::NotFound("friend"))
    }

    /// The friend whose node has this public key.
    #[must_use]
    pub fn friend_by_endpoint(&self, endpoint: &str) -> Option<Friend> {
        self.shared.directory.read().by_endpoint(endpoint).cloned()
    }

    /// The friend, where it is not switched off, whose node has this id in the network of IPFS.
    #[must_use]
    pub fn friend_by_ipfs(&self, peer: &str) -> Option<Friend> {
        let directory = self.shared.directory.read();
        directory.friends.values().find(|friend| friend.enabled && friend.ipfs.as_deref() == Some(peer)).cloned()
    }

    /// The caller that a node's public key stands for: a friend, or a node without an account.
    #[must_use]
    pub fn by_endpoint(&self, endpoint: &str, address: IpAddr) -> Caller {
        caller(&self.shared.directory.read(), Credential::Endpoint(endpoint.to_owned()), address)
    }

    /// Adds a friend with which nothing is shared. One whose key is known already is switched on again, and stays what it is
    /// otherwise.
    ///
    /// # Errors
    /// [`AccountsError::Invalid`] for a name or a key that is none, [`AccountsError::Conflict`] when there are too many.
    pub async fn add_friend(&self, new: NewFriend) -> Result<Friend, AccountsError> {
        let new = allowed(new)?;
        let (endpoint, now, limit) = (new.endpoint.clone(), self.now(), self.shared.options.friends_max);
        self.change(move |t| insert(t, &new, now, limit)).await?;
        self.friend_by_endpoint(&endpoint).ok_or(AccountsError::NotFound("friend"))
    }

    /// Changes a friend. What it loses by it is gone for its next request, and for those under way.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`]; [`AccountsError::Invalid`] or [`AccountsError::Conflict`] for its name, or for people that are no
    /// list of names or see what is not shared.
    pub async fn update_friend(&self, id: &str, change: FriendChange) -> Result<Friend, AccountsError> {
        let name = change.name.as_deref().map(allowed_name).transpose()?;
        if change.upload_rate.flatten().is_some_and(|rate| rate < UPLOAD_RATE_MIN) {
            return Err(AccountsError::Invalid(format!("upload_rate: at least {UPLOAD_RATE_MIN} bits a second")));
        }
        let people =
            change.people.into_iter().map(|(library, names)| Ok((library, names.map(allowed_people).transpose()?)));
        let people: BTreeMap<_, _> = people.collect::<Result<_, AccountsError>>()?;
        let friend = id.to_owned();
        self.change(move |t| {
            if !exists(t, &friend)? {
                return Ok(Err(AccountsError::NotFound("friend")));
            }
            let shared = change.libraries.clone().map_or_else(|| shared(t, &friend), Ok)?;
            if let Some(other) = people.keys().find(|library| !shared.contains(library)) {
                let reason = format!("people: the library {other} is not shared with this friend");
                return Ok(Err(AccountsError::Invalid(reason)));
            }
            if let Some(name) = name {
                if taken(t, &name, &friend)? {
                    return Ok(Err(AccountsError::Conflict(format!("there is a friend named {name} already"))));
                }
                let sql = "UPDATE friend SET name = ?2, name_key = ?3 WHERE id = ?1";
                t.execute(sql, params![friend, name, name_key(&name)])?;
            }
            if let Some(enabled) = change.enabled {
                t.execute("UPDATE friend SET enabled = ?2 WHERE id = ?1", params![friend, enabled])?;
                if !enabled {
                    guests::sign_out(t, &friend)?;
                }
            }
            if let Some(stand_in) = change.stand_in {
                // What was told there has to be taken back.
                let sql = "UPDATE friend SET stand_in = CASE WHEN ?2 THEN 1 WHEN stand_in = 0 THEN 0 ELSE 2 END WHERE id = ?1";
                t.execute(sql, params![friend, stand_in])?;
            }
            if let Some(hosts) = change.hosts {
                t.execute("UPDATE friend SET hosts = ?2 WHERE id = ?1", params![friend, hosts])?;
                if !hosts {
                    guests::send_home(t, &friend)?;
                }
            }
            if let Some(rate) = change.upload_rate {
                let rate = rate.map(|rate| i64::try_from(rate).unwrap_or(i64::MAX));
                t.execute("UPDATE friend SET upload_rate = ?2 WHERE id = ?1", params![friend, rate])?;
            }
            if let Some(libraries) = change.libraries {
                set_libraries(t, &friend, &libraries)?;
            }
            for (library, names) in people {
                let sql = "UPDATE friend_library SET people = ?3 WHERE friend = ?1 AND library = ?2";
                t.execute(sql, params![friend, library, names.as_deref().map(as_json)])?;
            }
            Ok(Ok(()))
        })
        .await?;
        self.friend(id)
    }

    /// Remembers where a friend's node was reached, and its id in the network of IPFS. Nothing is written where that is known.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn found_friend(
        &self,
        id: &str,
        addresses: Vec<String>,
        ipfs: Option<String>,
    ) -> Result<(), AccountsError> {
        let Some(before) = self.shared.directory.read().friends.get(id).cloned() else { return Ok(()) };
        let addresses =
            Some(allowed_addresses(addresses)).filter(|all| !all.is_empty()).unwrap_or(before.addresses.clone());
        let ipfs = ipfs.filter(|peer| peer.len() <= ENDPOINT_MAX && peer.bytes().all(|b| b.is_ascii_alphanumeric()));
        if before.addresses == addresses && before.ipfs == ipfs {
            return Ok(());
        }
        let (id, text) = (id.to_owned(), as_json(&addresses));
        self.change(move |t| {
            t.execute("UPDATE friend SET addresses = ?2, ipfs = ?3 WHERE id = ?1", params![id, text, ipfs])?;
            Ok(Ok(()))
        })
        .await
    }

    /// Ends a friendship: the node is a stranger from now on, and its invite is worth nothing.
    ///
    /// # Errors
    /// [`AccountsError::NotFound`].
    pub async fn remove_friend(&self, id: &str) -> Result<(), AccountsError> {
        let id = id.to_owned();
        self.change(move |t| {
            let sql = "DELETE FROM friend_invite WHERE redeemed_by = (SELECT endpoint FROM friend WHERE id = ?1)";
            t.execute(sql, [&id])?;
            match t.execute("DELETE FROM friend WHERE id = ?1", [&id])? {
                0 => Ok(Err(AccountsError::NotFound("friend"))),
                _ => Ok(Ok(())),
            }
        })
        .await
    }
}

/// The caller that a node's credential stands for by this copy of the tables.
pub(super) fn caller(directory: &Directory, credential: Credential, address: IpAddr) -> Caller {
    let (endpoint, person) = match &credential {
        Credential::Endpoint(endpoint) => (endpoint.as_str(), None),
        Credential::Sent { endpoint, person } => (endpoint.as_str(), person.as_deref()),
        _ => return Caller::nobody(address),
    };
    let friend = directory.by_endpoint(endpoint).filter(|friend| friend.enabled);
    Caller { account: friend.map(|friend| friend.account(person)), credential, address }
}

/// All friends with what is shared with them, for the copy in memory.
pub(super) fn load(c: &Connection, directory: &mut Directory) -> Rows<()> {
    let sql =
        "SELECT id, name, endpoint, enabled, addresses, created_at, upload_rate, stand_in, hosts, ipfs FROM friend";
    let mut friends = c.prepare_cached(sql)?;
    let mut rows = friends.query([])?;
    while let Some(r) = rows.next()? {
        let addresses = serde_json::from_str(&r.get::<_, String>(4)?).unwrap_or_default();
        let (libraries, people, created_at) = (Vec::new(), BTreeMap::new(), r.get(5)?);
        let upload_rate = r.get::<_, Option<i64>>(6)?.and_then(|rate| u64::try_from(rate).ok());
        let (id, endpoint): (String, String) = (r.get(0)?, r.get(2)?);
        directory.endpoints.insert(endpoint.clone(), id.clone());
        let (name, enabled, stand_in, hosts) = (r.get(1)?, r.get(3)?, StandIn::of(r.get(7)?), r.get(8)?);
        let friend = Friend {
            id,
            name,
            endpoint,
            enabled,
            libraries,
            people,
            addresses,
            created_at,
            upload_rate,
            stand_in,
            hosts,
            ipfs: r.get(9)?,
        };
        directory.friends.insert(friend.id.clone(), friend);
    }
    let mut shared = c.prepare_cached("SELECT friend, library, people FROM friend_library ORDER BY friend, library")?;
    let mut rows = shared.query([])?;
    while let Some(r) = rows.next()? {
        let Some(friend) = directory.friends.get_mut(&r.get::<_, String>(0)?) else { continue };
        let library: String = r.get(1)?;
        if let Some(people) = r.get::<_, Option<String>>(2)? {
            friend.people.insert(library.clone(), serde_json::from_str(&people).unwrap_or_default());
        }
        friend.libraries.push(library);
    }
    Ok(())
}

/// Checks what another node says of itself.
pub(super) fn allowed(new: NewFriend) -> Result<NewFriend, AccountsError> {
    let plain = new.endpoint.bytes().all(|b| b.is_ascii_alphanumeric());
    if new.endpoint.is_empty() || new.endpoint.len() > ENDPOINT_MAX || !plain {
        return Err(AccountsError::Invalid("this is not the public key of a node".to_owned()));
    }
    Ok(NewFriend { name: allowed_name(&new.name)?, addresses: allowed_addresses(new.addresses), ..new })
}

fn allowed_addresses(addresses: Vec<String>) -> Vec<String> {
    addresses.into_iter().filter(|address| address.len() <= ADDRESS_MAX).take(ADDRESSES_MAX).collect()
}

/// Inserts a friend, or switches one with the same key on again.
pub(super) fn insert(t: &Transaction<'_>, new: &NewFriend, now: i64, limit: usize) -> Rows<Result<(), AccountsError>> {
    let sql = "UPDATE friend SET enabled = 1, addresses = ?2 WHERE endpoint = ?1";
    if t.execute(sql, params![new.endpoint, as_json(&new.addresses)])? > 0 {
        return Ok(Ok(()));
    }
    let count: i64 = t.query_row("SELECT count(*) FROM friend", [], |r| r.get(0))?;
    if usize::try_from(count).is_ok_and(|count| count >= limit) {
        return Ok(Err(AccountsError::Conflict(format!("a node has at most {limit} friends"))));
    }
    let name = free_name(t, &new.name)?;
    t.execute(
        "INSERT INTO friend (id, name, name_key, endpoint, enabled, addresses, created_at) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
        params![Uuid::now_v7().to_string(), name, name_key(&name), new.endpoint, as_json(&new.addresses), now],
    )?;
    Ok(Ok(()))
}

/// The name, or the first of "name 2", "name 3", ... that nobody has.
fn free_name(t: &Transaction<'_>, name: &str) -> Rows<String> {
    let mut free = name.to_owned();
    let mut number = 1;
    while taken(t, &free, "")? {
        number += 1;
        let behind = format!(" {number}");
        let short: String = name.chars().take(NAME_MAX - behind.len()).collect();
        free = format!("{}{behind}", short.trim_end());
    }
    Ok(free)
}

fn taken(t: &Transaction<'_>, name: &str, except: &str) -> Rows<bool> {
    let sql = "SELECT 1 FROM friend WHERE name_key = ?1 AND id <> ?2";
    Ok(t.query_row(sql, params![name_key(name), except], |_| Ok(())).optional()?.is_some())
}

pub(super) fn is_enabled(t: &Transaction<'_>, endpoint: &str) -> Rows<bool> {
    let sql = "SELECT enabled FROM friend WHERE endpoint = ?1";
    Ok(t.query_row(sql, [endpoint], |r| r.get(0)).optional()?.unwrap_or(false))
}

fn exists(t: &Transaction<'_>, id: &str) -> Rows<bool> {
    Ok(t.query_row("SELECT 1 FROM friend WHERE id = ?1", [id], |_| Ok(())).optional()?.is_some())
}

/// Ids of the libraries that are shared with a friend.
fn shared(t: &Transaction<'_>, friend: &str) -> Rows<Vec<String>> {
    t.prepare("SELECT library FROM friend_library WHERE friend = ?1")?.query_map([friend], |r| r.get(0))?.collect()
}

fn set_libraries(t: &Transaction<'_>, friend: &str, libraries: &[String]) -> Rows<()> {
    let others = "DELETE FROM friend_library WHERE friend = ?1 AND library NOT IN (SELECT value FROM json_each(?2))";
    t.execute(others, params![friend, as_json(libraries)])?;
    for library in libraries {
        let sql = "INSERT OR IGNORE INTO friend_library (friend, library) VALUES (?1, ?2)";
        t.execute(sql, params![friend, library])?;
    }
    Ok(())
}

fn as_json(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}
