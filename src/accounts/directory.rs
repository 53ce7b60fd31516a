//! The copy in memory of accounts, sessions, keys and friends.
use std::collections::HashMap;

use super::{Account, Friend, TokenHash};

/// An account and what checks its password.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub account: Account,
    /// PHC string.
    pub password: String,
}

#[derive(Debug, Clone)]
pub(super) struct Session {
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

/// All of them, by what they are looked up by.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// By id.
    pub people: HashMap<String, Person>,
    /// Lower-case name to id.
    pub names: HashMap<String, String>,
    pub sessions: HashMap<TokenHash, Session>,
    pub keys: HashMap<TokenHash, Key>,
    /// By id.
    pub friends: HashMap<String, Friend>,
    /// Public key to id.
    pub endpoints: HashMap<String, String>,
}

impl Directory {
    pub fn by_name(&self, name: &str) -> Option<&Person> {
        self.names.get(&name_key(name)).and_then(|id| self.people.get(id))
    }

    pub fn by_endpoint(&self, endpoint: &str) -> Option<&Friend> {
        self.endpoints.get(endpoint).and_then(|id| self.friends.get(id))
    }
}

/// What two names are compared by.
pub(super) fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}
