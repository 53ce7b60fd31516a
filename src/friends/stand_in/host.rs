//! This node as a stand-in: takes what a friend's node tells of its people, and hands back how far they watched here.
use super::words::Parcel;
use super::{News, SealError, Sealed, Standing};
use crate::accounts::{AccountsError, Friend};
use crate::catalog::{CatalogError, FACTS_MAX, Facts, Whose};
use crate::friends::Friends;

/// Why a home's parcel was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It was opened, and makes no sense.
    #[error("what was sealed is no parcel: {0}")]
    Nonsense(String),
    /// This node does not host the friend's people.
    #[error("the owner of this node does not let your people sign in here")]
    NotHosted,
    /// The accounts refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl Friends {
    /// What is known here of a friend's people.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn standing(&self, friend: &Friend) -> Result<Standing, CatalogError> {
        let hosting = self.inner.accounts.hosting(&friend.id);
        Ok(Standing {
            hosts: friend.hosts,
            sealing_key: self.inner.seals.sealing_key().to_owned(),
            revision: hosting.as_ref().map(|hosting| hosting.revision),
            digest: hosting.map(|hosting| hosting.digest),
            taken: self.inner.catalog.facts_taken(&friend.id, Whose::Theirs).await?,
        })
    }

    /// What there is for a home after a revision. Also where its people may not sign in here any more.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn news(&self, friend: &Friend, since: i64) -> Result<News, CatalogError> {
        let guests = self.inner.accounts.guests(&friend.id);
        let Facts { facts, next, more } = self.inner.catalog.facts(guests, since, FACTS_MAX).await?;
        Ok(News { standing: self.standing(friend).await?, facts, next, more })
    }

    /// Takes what a home sealed for this node. What is answered is written.
    ///
    /// # Errors
    /// [`HostError`]; accounts that are older than those that are known are refused with all that comes along.
    pub async fn receive(&self, friend: &Friend, sealed: &Sealed) -> Result<(), HostError> {
        let opened = self.inner.seals.open(&friend.endpoint, sealed)?;
        let parcel: Parcel = serde_json::from_slice(&opened).map_err(|error| HostError::Nonsense(error.to_string()))?;
        let leaves = parcel.accounts.as_ref().is_some_and(|accounts| accounts.people.is_empty());
        if !friend.hosts && !leaves {
            return Err(HostError::NotHosted);
        }
        if let Some(accounts) = parcel.accounts {
            self.inner.accounts.host(&friend.id, accounts.revision, accounts.people).await?;
        }
        let (guests, page) = (self.inner.accounts.guests(&friend.id), parcel.facts);
        let page = Facts { facts: page.into_iter().take(FACTS_MAX).collect(), next: parcel.next, more: false };
        self.inner.catalog.take_facts(&friend.id, Whose::Theirs, guests, page).await?;
        Ok(())
    }
}
