//! Whom a request comes from, as every handler sees it.
use std::net::{IpAddr, Ipv4Addr};

use super::TokenHash;

/// Someone who may sign in, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// UUID.
    pub id: String,
    /// As shown.
    pub name: String,
    /// May change libraries, accounts and settings.
    pub admin: bool,
    /// Ids of the libraries it may see; `None` for all.
    pub libraries: Option<Vec<String>>,
    /// Bits a second that a film may have for it, picture and sound; `None` without a limit.
    pub max_bit_rate: Option<u64>,
    /// Whose people a guest is of: the friend's name. `None` for our own.
    pub home: Option<String>,
}

impl Account {
    /// Whether it may see the items of this library.
    #[must_use]
    pub fn may_see(&self, library: &str) -> bool {
        self.admin || self.libraries.as_ref().is_none_or(|l| l.iter().any(|id| id == library))
    }
}

/// By what a caller was recognised.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Credential {
    /// By nothing.
    Absent,
    /// By a session's cookie.
    Session(TokenHash),
    /// By the API key with this id.
    ApiKey(String),
    /// By name and password; the hash of the stored password tells when it was changed.
    Password(TokenHash),
    /// By the public key of the node that asks: a friend's, or one that nobody knows.
    Endpoint(String),
    /// By being on this machine with access to the data folder.
    Local,
}

/// Whom a request comes from, as its carrier established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `None` for someone who did not sign in.
    pub account: Option<Account>,
    /// By what it was recognised.
    pub credential: Credential,
    /// Where the request comes from, behind trusted proxies.
    pub address: IpAddr,
}

impl Caller {
    /// Someone who did not sign in.
    #[must_use]
    pub fn nobody(address: IpAddr) -> Self {
        Self { account: None, credential: Credential::Absent, address }
    }

    /// The owner of the data folder, at this machine's command line: an admin without an account.
    #[must_use]
    pub fn local() -> Self {
        let account = Account {
            id: "local".to_owned(),
            name: "local".to_owned(),
            admin: true,
            libraries: None,
            max_bit_rate: None,
            home: None,
        };
        Self { account: Some(account), credential: Credential::Local, address: Ipv4Addr::LOCALHOST.into() }
    }

    /// Whether another node asks, or a browser that another node sent.
    #[must_use]
    pub fn is_node(&self) -> bool {
        matches!(self.credential, Credential::Endpoint(_))
    }

    /// Whether somebody of a friend's node signed in here, while that is away.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.account.as_ref().is_some_and(|a| a.home.is_some())
    }

    /// Whether it may change libraries, accounts and settings.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.account.as_ref().is_some_and(|a| a.admin)
    }

    /// Whether it may see the items of this library.
    #[must_use]
    pub fn may_see(&self, library: &str) -> bool {
        self.account.as_ref().is_some_and(|a| a.may_see(library))
    }

    /// Id of its account; empty for nobody.
    #[must_use]
    pub fn id(&self) -> &str {
        self.account.as_ref().map_or("", |a| &a.id)
    }

    /// Ids of the libraries it may see; `None` for all.
    #[must_use]
    pub fn libraries(&self) -> Option<Vec<String>> {
        match &self.account {
            None => Some(Vec::new()),
            Some(account) if account.admin => None,
            Some(account) => account.libraries.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_no_library_and_local_sees_all() {
        assert!(!Caller::nobody(Ipv4Addr::LOCALHOST.into()).may_see("l"));
        assert_eq!(Caller::nobody(Ipv4Addr::LOCALHOST.into()).libraries(), Some(Vec::new()));
        assert!(Caller::local().may_see("l"));
        assert_eq!(Caller::local().libraries(), None);
    }

    #[test]
    fn an_account_with_a_list_sees_only_that_list() {
        let libraries = Some(vec!["one".into()]);
        let account =
            Account { id: "a".into(), name: "a".into(), admin: false, libraries, max_bit_rate: None, home: None };
        assert!(account.may_see("one"));
        assert!(!account.may_see("two"));
    }
}
