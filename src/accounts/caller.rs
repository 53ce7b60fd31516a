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
    /// Ids of the libraries that friends share with others of our people only: not even an admin sees what is in them.
    pub hidden: Vec<String>,
    /// Bits a second that a film may have for it, picture and sound; `None` without a limit.
    pub max_bit_rate: Option<u64>,
    /// Whose people a guest is of: the friend's name. `None` for our own.
    pub home: Option<String>,
}

impl Account {
    /// Whether it may see the items of this library.
    #[must_use]
    pub fn may_see(&self, library: &str) -> bool {
        let is = |id: &String| id == library;
        let given = self.admin || self.libraries.as_ref().is_none_or(|libraries| libraries.iter().any(is));
        given && !self.hidden.iter().any(is)
    }

    /// Whether it may see every library, also those to come.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        (self.admin || self.libraries.is_none()) && self.hidden.is_empty()
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
    /// By the app password with this id. It opens what is for such programs, and no other part of the node.
    App(String),
    /// By name and password; the hash of the stored password tells when it was changed.
    Password(TokenHash),
    /// By the public key of the node that asks for itself: a friend's, or one that nobody knows.
    Endpoint(String),
    /// By the public key of a friend's node that asks for one of its people, or sent the browser of one.
    Sent {
        /// Of the node.
        endpoint: String,
        /// Whom it named, in lower case, where something is shared with them by name.
        person: Option<String>,
    },
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
            hidden: Vec::new(),
            max_bit_rate: None,
            home: None,
        };
        Self { account: Some(account), credential: Credential::Local, address: Ipv4Addr::LOCALHOST.into() }
    }

    /// Whether another node asks, or a browser that another node sent.
    #[must_use]
    pub fn is_node(&self) -> bool {
        matches!(self.credential, Credential::Endpoint(_) | Credential::Sent { .. })
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

    /// Whether it may see every library, also those to come.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.account.as_ref().is_some_and(Account::sees_all)
    }

    /// Whether no friend shares this library with others of our people only.
    #[must_use]
    pub fn is_for(&self, library: &str) -> bool {
        self.account.as_ref().is_some_and(|account| !account.hidden.iter().any(|id| id == library))
    }

    /// The name by which friends know it, where it is one of our people.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        let account = self.account.as_ref().filter(|account| account.home.is_none())?;
        (!self.is_node() && self.credential != Credential::Local).then_some(account.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_no_library_and_local_sees_all() {
        assert!(!Caller::nobody(Ipv4Addr::LOCALHOST.into()).may_see("l"));
        assert!(!Caller::nobody(Ipv4Addr::LOCALHOST.into()).sees_all());
        assert!(Caller::local().may_see("l") && Caller::local().sees_all());
    }

    #[test]
    fn an_account_with_a_list_sees_only_that_list() {
        let account = Account { admin: false, libraries: Some(vec!["one".into()]), ..admin() };
        assert!(account.may_see("one"));
        assert!(!account.may_see("two"));
    }

    #[test]
    fn what_is_for_others_only_is_hidden_from_admins_too() {
        let account = Account { hidden: vec!["one".into()], ..admin() };
        assert!(!account.may_see("one") && account.may_see("two") && !account.sees_all());
    }

    #[test]
    fn only_our_own_people_have_a_name_for_friends() {
        let caller = |credential| Caller { credential, ..Caller::local() };
        let person = |caller: &Caller| caller.person().map(str::to_owned);
        assert_eq!(person(&caller(Credential::ApiKey("k".into()))).as_deref(), Some("local"));
        for other in [
            Credential::Local,
            Credential::Endpoint("b0b".into()),
            Credential::Sent { endpoint: "b0b".into(), person: Some("local".into()) },
        ] {
            assert_eq!(person(&caller(other)), None);
        }
        let guest = Account { home: Some("Bob".into()), ..admin() };
        assert_eq!(person(&Caller { account: Some(guest), ..caller(Credential::ApiKey("k".into())) }), None);
    }

    fn admin() -> Account {
        Caller::local().account.unwrap()
    }
}
