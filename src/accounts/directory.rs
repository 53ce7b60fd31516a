//! The copy in memory of accounts, guests, sessions, keys and friends.
use std::collections::{HashMap, HashSet};

use super::audience::{Limits, hidden_from};
use super::sessions::SessionKind;
use super::{Account, Caller, Friend, Hosting, TokenHash};

/// An account and what checks its password.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub account: Account,
    /// PHC string.
    pub password: String,
}

/// Somebody of a friend's node who may sign in here.
#[derive(Clone)]
pub(super) struct Guest {
    /// Whose people they are.
    pub friend: String,
    /// Id at home.
    pub account: String,
    pub name: String,
    pub name_key: String,
    /// PHC string; empty where it is not kept.
    pub password: String,
    /// Of those that are shared, the ones that they may see; `None` for all.
    pub libraries: Option<HashSet<String>>,
    pub max_bit_rate: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub kind: SessionKind,
    /// Id of the key that it was begun with, and ends with.
    pub api_key: Option<String>,
    pub account: String,
    pub created_at: i64,
    pub used_at: i64,
    pub expires_at: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub id: String,
    pub account: String,
    pub name: String,
    pub created_at: i64,
    pub used_at: Option<i64>,
}

/// An app password.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub id: String,
    pub account: String,
    pub name: String,
    /// See [`app_passwords`](super::app_passwords).
    pub sealed: Vec<u8>,
    pub created_at: i64,
    pub used_at: Option<i64>,
}

/// All of them, by what they are looked up by.
#[derive(Default)]
pub(super) struct Directory {
    /// By id.
    pub people: HashMap<String, Person>,
    /// Lower-case name to id.
    pub names: HashMap<String, String>,
    pub sessions: HashMap<TokenHash, Session>,
    pub keys: HashMap<TokenHash, Key>,
    /// By digest.
    pub apps: HashMap<TokenHash, App>,
    /// By id.
    pub friends: HashMap<String, Friend>,
    /// Public key to id.
    pub endpoints: HashMap<String, String>,
    /// By id here.
    pub guests: HashMap<String, Guest>,
    /// By friend.
    pub hosting: HashMap<String, Hosting>,
    /// Libraries that friends share with us, by friend; kept when the rest is read anew.
    pub offers: HashMap<String, HashSet<String>>,
    /// Which of them are for some of our people only; kept like `offers`.
    pub limits: Limits,
}

impl Directory {
    /// Takes over what was read anew.
    pub fn renew(&mut self, read: Self) {
        let (offers, limits) = (std::mem::take(&mut self.offers), std::mem::take(&mut self.limits));
        *self = Self { offers, limits, ..read };
        self.hide();
    }

    /// Takes over for whom of our people friends' libraries are. Whether that is new.
    pub fn limit(&mut self, limits: Limits) -> bool {
        let new = self.limits != limits;
        self.limits = limits;
        self.hide();
        new
    }

    fn hide(&mut self) {
        for Person { account, .. } in self.people.values_mut() {
            account.hidden = hidden_from(&self.limits, Some(&account.name));
        }
    }

    /// See [`super::Accounts::local`].
    pub fn local(&self) -> Caller {
        let mut caller = Caller::local();
        if let Some(account) = &mut caller.account {
            account.hidden = hidden_from(&self.limits, None);
        }
        caller
    }

    /// Whoever signs in with this name: one of our people, else a guest, as `name@home` or by a name that only one home has.
    pub fn by_name(&self, name: &str) -> Option<Person> {
        let key = name_key(name);
        if let Some(id) = self.names.get(&key) {
            return self.people.get(id).cloned();
        }
        let (name, home) = key.rsplit_once('@').map_or((key.as_str(), None), |(name, home)| (name, Some(home)));
        let called = |guest: &Guest| {
            let home =
                home.is_none_or(|home| self.home(guest).is_some_and(|friend| name_key(&friend.name) == home.trim()));
            guest.name_key == name.trim() && home
        };
        let mut known = self.guests.iter().filter(|(_, guest)| called(guest)).filter_map(|(id, _)| self.person(id));
        known.next().filter(|_| known.next().is_none())
    }

    /// One of our people, or a guest who may be here.
    pub fn person(&self, id: &str) -> Option<Person> {
        self.people.get(id).cloned().or_else(|| {
            let guest = self.guests.get(id).filter(|guest| !guest.password.is_empty())?;
            Some(Person { account: self.guest_account(id, guest)?, password: guest.password.clone() })
        })
    }

    /// See [`Directory::person`].
    pub fn account(&self, id: &str) -> Option<Account> {
        self.person(id).map(|person| person.account)
    }

    /// The friend at whose node a guest is at home, where its people may be here.
    fn home(&self, guest: &Guest) -> Option<&Friend> {
        self.friends.get(&guest.friend).filter(|friend| friend.enabled && friend.hosts)
    }

    fn guest_account(&self, id: &str, guest: &Guest) -> Option<Account> {
        let home = self.home(guest)?;
        let offered = self.offers.get(&home.id).into_iter().flatten();
        let mut libraries: Vec<String> = home.libraries_for(Some(&guest.name)).chain(offered).cloned().collect();
        libraries.sort_unstable();
        libraries.retain(|library| guest.libraries.as_ref().is_none_or(|seen| seen.contains(library)));
        Some(Account {
            id: id.to_owned(),
            name: guest.name.clone(),
            admin: false,
            libraries: Some(libraries),
            // They are none of our people, whatever they are called.
            hidden: hidden_from(&self.limits, None),
            max_bit_rate: guest.max_bit_rate,
            home: Some(home.name.clone()),
        })
    }

    pub fn by_endpoint(&self, endpoint: &str) -> Option<&Friend> {
        self.endpoints.get(endpoint).and_then(|id| self.friends.get(id))
    }
}

/// What two names are compared by.
pub(super) fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}
