//! Who is asking and what may they do: accounts, credentials, permissions.

/// Whom a request comes from, as its carrier established.
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
}

impl Account {
    /// Whether it may see the items of this library.
    #[must_use]
    pub fn may_see(&self, library: &str) -> bool {
        self.admin || self.libraries.as_ref().is_none_or(|l| l.iter().any(|id| id == library))
    }
}
