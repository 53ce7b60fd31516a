//! Pinning services: IPFS Clusters and others elsewhere that keep what is public here, by the standard Pinning Service API.
//!
//! ```text
//!  pin a library ─► its folder's CID ─► POST /pins ─► the service fetches it of this node
//!  the library changes ─► keep (task) ─► POST /pins/{request} ─► only what is new is fetched
//! ```
//! A service is a stranger to Bitswap: it gets what anybody gets, so that nothing but what is public can be pinned. Tokens are in no
//! log and in no answer, and go to the address of their service alone.
mod desk;
mod follow;
mod targets;
mod words;

use std::time::Duration;

use tokio::sync::Notify;

use super::Node;
use super::ipfs::TreeError;
use super::web::{self, Reach, Web, WebError};
use crate::accounts::{AccountsError, PinService, PinnedLibrary};
use crate::blocks::BlockError;
use crate::catalog::CatalogError;
use crate::content::Cid;
use desk::Desk;

pub(super) use follow::keep;
pub use words::{PinInfo, PinPage, PinState, answered};

/// Pins of one page at most, as the specification has it.
pub const PAGE_MAX: u32 = 1000;

/// Settings of keeping libraries pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinsOptions {
    /// How long to wait before a service is asked again about what it has not finished, or did not take; twice as long each time.
    pub first_wait: Duration,
    /// And at most.
    pub longest_wait: Duration,
    /// How often a pin that is as it should be is looked at.
    pub look_every: Duration,
}

impl Default for PinsOptions {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self { first_wait: Duration::from_secs(30), longest_wait: HOUR, look_every: 12 * HOUR }
    }
}

/// Why something is not, or cannot be, pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// Nothing could be fetched of this node.
    #[error("the IPFS side of this node does not run, so no service can fetch anything from it: see ipfs.enabled")]
    Off,
    /// What was asked for cannot be used: why.
    #[error("{0}")]
    Invalid(String),
    /// It is not public, or not here, or pinned already: what is so, and what to do.
    #[error("{0}")]
    Conflict(String),
    /// The service knows the token not.
    #[error(
        "{0} does not take this node's token: remove the service here, and add it again with a token that it gave you"
    )]
    Token(String),
    /// The service wants to be paid.
    #[error("{0} keeps no more for this account without more room or money there{1}")]
    Funds(String, String),
    /// The service has no such pin.
    #[error("{0} has no such pin")]
    Missing(String),
    /// The service does not want to: status and its words.
    #[error("{0} refused with status {1}{2}")]
    Refused(String, u16, String),
    /// The service cannot now: status and its words.
    #[error("{0} failed with status {1}{2}; try again later")]
    Failed(String, u16, String),
    /// The server is no pinning service: what was odd.
    #[error("{0} does not answer as a pinning service does ({1}): is its address right?")]
    Odd(String, String),
    /// See [`WebError`].
    #[error(transparent)]
    Web(#[from] WebError),
    /// The accounts refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The block index could not be read.
    #[error(transparent)]
    Blocks(#[from] BlockError),
    /// The folder of what is public could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What is to be pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinTarget {
    /// Id of a library, which stays pinned as it changes.
    Library(String),
    /// Id of an item: its file as it is now.
    Item(String),
    /// Anything that is public.
    Cid(Cid),
}

/// A pin that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPin {
    /// See [`PinTarget`].
    pub target: PinTarget,
    /// What it is called there; without it, what the library or item is called.
    pub name: Option<String>,
}

/// What pinning needs of the node beside its parts.
pub(super) struct Pinning {
    web: Web,
    wake: Notify,
}

impl Pinning {
    pub fn new() -> Self {
        // A person chose the server, which may be in the house.
        Self { web: Web::new(Reach::Everywhere), wake: Notify::new() }
    }
}

/// The handle.
pub struct Pins {
    node: Node,
}

impl Node {
    /// See [`Pins`].
    #[must_use]
    pub fn pins(&self) -> Pins {
        Pins { node: self.clone() }
    }
}

impl Pins {
    /// The services, by name.
    ///
    /// # Errors
    /// [`PinsError::Accounts`].
    pub async fn services(&self) -> Result<Vec<PinService>, PinsError> {
        Ok(self.node.accounts().pin_services().await?)
    }

    /// The libraries that services shall keep, and how that stands.
    ///
    /// # Errors
    /// [`PinsError::Accounts`].
    pub async fn libraries(&self) -> Result<Vec<PinnedLibrary>, PinsError> {
        Ok(self.node.accounts().pinned_libraries().await?)
    }

    /// Adds a service, which has to take the token now.
    ///
    /// # Errors
    /// See [`PinsError`].
    pub async fn add_service(&self, name: &str, url: &str, token: &str) -> Result<PinService, PinsError> {
        let (url, token) = (base(url)?, token.trim());
        let sane = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !sane {
            return Err(PinsError::Invalid("token: must be letters, digits and signs without spaces".to_owned()));
        }
        Desk::new(&self.node.running.pinning.web, name.trim(), &url, token).page(None, 1).await?;
        Ok(self.node.accounts().add_pin_service(name, &url, token).await?)
    }

    /// Forgets a service. What it keeps stays there.
    ///
    /// # Errors
    /// [`PinsError::Accounts`].
    pub async fn remove_service(&self, id: &str) -> Result<(), PinsError> {
        Ok(self.node.accounts().remove_pin_service(id).await?)
    }

    /// The pins of a service, newest first: those that came before `before` (as [`PinInfo::created`] has it), at most `limit`.
    ///
    /// # Errors
    /// See [`PinsError`].
    pub async fn page(&self, service: &str, before: Option<&str>, limit: u32) -> Result<PinPage, PinsError> {
        if before.is_some_and(|text| text.parse::<jiff::Timestamp>().is_err()) {
            return Err(PinsError::Invalid("before: must be a time, as created is".to_owned()));
        }
        if !(1..=PAGE_MAX).contains(&limit) {
            return Err(PinsError::Invalid(format!("limit: must be 1 to {PAGE_MAX}")));
        }
        let service = self.node.accounts().pin_service(service).await?;
        self.desk(&service)?.page(before, limit).await
    }

    /// Has a service keep something.
    ///
    /// # Errors
    /// See [`PinsError`].
    pub async fn add(&self, service: &str, new: NewPin) -> Result<PinInfo, PinsError> {
        let service = self.node.accounts().pin_service(service).await?;
        let ipfs = self.node.ipfs().ok_or(PinsError::Off)?;
        let target = targets::find(&self.node, ipfs, new).await?;
        if let Some(library) = &target.library
            && self.libraries().await?.iter().any(|known| known.service == service.id && known.library == *library)
        {
            return Err(PinsError::Conflict(format!("{} keeps this library already", service.name)));
        }
        let desk = self.desk(&service)?;
        let pin = targets::pin(ipfs, &target.cid, target.name.as_deref(), &service.url).await;
        let told = desk.add(&pin).await?;
        if let Some(library) = target.library {
            let name = target.name.unwrap_or_default();
            let row = PinnedLibrary { service: service.id, library, name, ..PinnedLibrary::default() };
            let row = follow::told(row, &target.cid, &told, &service.name, follow::options(&self.node));
            self.node.accounts().pin_library(row).await?;
            self.node.running.pinning.wake.notify_one();
        }
        targets::connect(ipfs, &service.url, &told).await;
        Ok(told.info())
    }

    /// Has a service let go of a pin, by its id there, or by the id of a library that it shall keep.
    ///
    /// # Errors
    /// See [`PinsError`].
    pub async fn remove(&self, service: &str, request: &str) -> Result<(), PinsError> {
        let service = self.node.accounts().pin_service(service).await?;
        let mut kept = self.libraries().await?.into_iter().filter(|known| known.service == service.id);
        let kept = kept.find(|known| known.library == request || known.request.as_deref() == Some(request));
        let Some(kept) = kept else { return self.desk(&service)?.remove(request).await };
        // First, so that it is not pinned anew in between.
        self.node.accounts().unpin_library(&service.id, &kept.library).await?;
        let removed = match &kept.request {
            Some(request) => self.desk(&service)?.remove(request).await,
            None => Ok(()),
        };
        match removed {
            Ok(()) | Err(PinsError::Missing(_)) => Ok(()),
            Err(error) => {
                self.node.accounts().pin_library(kept).await?;
                Err(error)
            }
        }
    }

    fn desk<'a>(&'a self, service: &'a PinService) -> Result<Desk<'a>, PinsError> {
        let token = service.token.as_deref().ok_or_else(|| PinsError::Token(service.name.clone()))?;
        Ok(Desk::new(&self.node.running.pinning.web, &service.name, &service.url, token))
    }
}

/// The address of a service, as its paths come after it.
fn base(url: &str) -> Result<String, PinsError> {
    let wrong = |why: String| Err(PinsError::Invalid(format!("url: {why}")));
    match web::address(url) {
        Ok(url) if url.query().is_some() || url.fragment().is_some() => wrong("must have no ? and no #".to_owned()),
        Ok(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        Err(error) => wrong(error.to_string()),
    }
}
