//! For whom of a node's people a library is: a list of names, compared as the names of those who sign in.
//!
//! Both sides keep such lists. We say for whom at a friend's node a library of ours is; a friend says for whom of our people one
//! of theirs is. Only the node where somebody signs in knows who that is. So it hides from all others what is not for them,
//! admins too, and says for whom it asks; the owner's node gives what is for some people only to who asks for one of them.
use std::collections::{HashMap, HashSet};

use super::directory::name_key;
use super::people::allowed_name;
use super::{Accounts, AccountsError, Caller, Credential, friends};

/// People that a library is for at most, where it is not for everybody.
const PEOPLE_MAX: usize = 256;

/// Libraries that friends share with some of our people only, with whom: names as they are compared.
pub(super) type Limits = HashMap<String, HashSet<String>>;

impl Accounts {
    /// Takes over for whom of our people libraries of friends are; a library that is not named is for everybody. Who may not see one
    /// any more does not from the moment that this returns.
    pub fn limit(&self, people: HashMap<String, Vec<String>>) {
        let keys = |names: Vec<String>| names.iter().map(|name| name_key(name)).collect();
        let limits: Limits = people.into_iter().map(|(library, names)| (library, keys(names))).collect();
        if self.shared.directory.write().limit(limits) {
            self.shared.revision.send_modify(|n| *n += 1);
        }
    }

    /// Whether this is a friend's library that is for some of our people only.
    #[must_use]
    pub fn is_limited(&self, library: &str) -> bool {
        self.shared.directory.read().limits.contains_key(library)
    }

    /// The owner of the data folder, at this machine's command line: see [`Caller::local`]. Nothing is for them by name.
    #[must_use]
    pub fn local(&self) -> Caller {
        self.shared.directory.read().local()
    }

    /// A friend's node that asks over its own link, as it asks for one of its people. A name that nothing is shared with counts as
    /// none. Nobody else can ask for somebody.
    #[must_use]
    pub fn on_behalf(&self, caller: Caller, name: Option<&str>) -> Caller {
        let Credential::Endpoint(endpoint) = caller.credential else { return caller };
        let directory = self.shared.directory.read();
        let named = |name: &String| directory.by_endpoint(&endpoint).is_some_and(|friend| friend.names(name));
        let person = name.map(name_key).filter(named);
        friends::caller(&directory, Credential::Sent { endpoint, person }, caller.address)
    }
}

/// Ids of the libraries that are not for this one of our people, in order; for nobody's name, all that are limited.
pub(super) fn hidden_from(limits: &Limits, name: Option<&str>) -> Vec<String> {
    let key = name.map(name_key);
    let others = limits.iter().filter(|(_, people)| key.as_ref().is_none_or(|key| !people.contains(key)));
    let mut hidden: Vec<String> = others.map(|(library, _)| library.clone()).collect();
    hidden.sort_unstable();
    hidden
}

/// Whether a name is among these.
pub(super) fn includes(people: &[String], name: &str) -> bool {
    let key = name_key(name);
    people.iter().any(|one| name_key(one) == key)
}

/// The names for whom a library shall be, each once.
pub(super) fn allowed_people(names: Vec<String>) -> Result<Vec<String>, AccountsError> {
    if names.is_empty() || names.len() > PEOPLE_MAX {
        let rule = format!("people: 1 to {PEOPLE_MAX} names, or null for everybody there");
        return Err(AccountsError::Invalid(rule));
    }
    let mut people: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let name = allowed_name(&name)?;
        if !includes(&people, &name) {
            people.push(name);
        }
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_are_kept_once_as_they_were_written_and_compared_without_case() {
        assert_eq!(allowed_people(names(&[" Anna ", "anna", "Änne", "ÄNNE"])).unwrap(), ["Anna", "Änne"]);
        assert!(includes(&names(&["Änne"]), " änne") && !includes(&names(&["Anna"]), "Ann"));
    }

    #[test]
    fn a_list_of_nobody_of_too_many_or_of_what_is_no_name_is_refused() {
        let many: Vec<String> = (0..=PEOPLE_MAX).map(|n| n.to_string()).collect();
        for wrong in [vec![], many, names(&["anna", " "]), names(&["a:b"]), names(&["a\nb"]), vec!["x".repeat(65)]] {
            assert!(allowed_people(wrong.clone()).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_library_is_hidden_from_exactly_those_that_its_list_does_not_hold(
            people in proptest::collection::vec("[a-cA-C]{0,2}", 0..4), name in "[a-cA-C]{1,2}",
        ) {
            let keys = people.iter().map(|one| name_key(one)).collect();
            let limits = Limits::from([("films".to_owned(), keys)]);
            prop_assert_eq!(hidden_from(&limits, Some(&name)).is_empty(), includes(&people, &name));
            prop_assert_eq!(hidden_from(&limits, None), ["films"]);
        }
    }
}
