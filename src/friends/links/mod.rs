//! Links: how friends' nodes are reached, and how a node becomes one.
//!
//! Owns the [`Iroh`] carrier and what is said over it between friends' nodes: redeeming invites, greetings, and the links
//! that are kept open. Who is a friend, and what is shared with whom, is kept by [`Accounts`]; what a friend's request may
//! see is decided where all requests are, in the router behind the [`Responder`].
//!
//! ```text
//!  invite ──► code ──(a person)──► accept ──── POST /api/v1/friends/redeem ───► the inviting node's router
//!  keeper: dials each friend, says where it is (POST /api/v1/friends/hello), closes who lost a right, lets links rest
//! ```
//! Invariant: a link is open only to a node that is, or may become, a friend; one that was removed is cut off at once.
mod code;
mod keeper;
mod resting;
mod talk;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Dial, DialError};
use crate::accounts::{Accounts, AccountsError, Caller, Friend, Invite, NewFriend};
use crate::exchange::iroh::{Iroh, IrohError, IrohOptions, KEY_BYTES, LinkState, Peer, Recognised};
use crate::exchange::{Body, Responder};

pub use code::CodeError;
pub use talk::{Greeting, Redemption};

/// How long invites are good for when nothing else is said, and at most.
pub const INVITE_TIME: Duration = Duration::from_secs(72 * 3600);
/// What [`LinksOptions::unused`] usually is.
pub const LINK_UNUSED: Duration = Duration::from_secs(3);
const INVITE_TIME_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// Settings of links.
#[derive(Debug, Clone)]
pub struct LinksOptions {
    /// How this node introduces itself: a name that friends may change for themselves.
    pub name: String,
    /// See [`IrohOptions`].
    pub iroh: IrohOptions,
    /// Dial friends without being asked to, so that each side knows whether the other is there.
    pub keep: bool,
    /// Friends' links that are awake at most, where the others have no use just now; 0 for all.
    pub awake_max: usize,
    /// A link that was used within this is not put to rest.
    pub unused: Duration,
    /// The node's id in the network of IPFS, which friends are told.
    pub ipfs: Option<String>,
}

/// Why something between nodes did not work.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The code is none.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The invite is this node's.
    #[error("this is an invite of your own node; give it to somebody else")]
    OwnInvite,
    /// The invite's time is over, by its own word.
    #[error("this invite expired; ask for a new one")]
    Expired,
    /// The other node said no, for a reason it gave.
    #[error("the other node refused: {0}")]
    Refused(String),
    /// What the other node said makes no sense.
    #[error("the other node's answer is not what was expected")]
    Nonsense,
    /// An invite cannot be good for so long.
    #[error("hours: an invite is good for 1 hour to 30 days")]
    Lifetime,
    /// The other node is not there.
    #[error(transparent)]
    Iroh(#[from] IrohError),
    /// The accounts refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
}

/// How a friend's node is at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// There is a link.
    Online(LinkState),
    /// It is there as far as is known; the link is made again when there is something to say.
    Resting,
    /// It was not reached yet, or not any more: why, for people.
    Off(Option<String>),
    /// It is there and does not know this node any more.
    Refused,
}

/// A new invite.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// What is kept of it.
    pub invite: Invite,
    /// For the person who is invited: here and never again.
    pub code: String,
}

struct Inner {
    options: LinksOptions,
    accounts: Accounts,
    iroh: Iroh<Caller>,
    /// What the last attempt to reach a friend's node ended with, by public key.
    failures: Mutex<HashMap<String, keeper::Failure>>,
    /// Which addresses of this node each friend's was told last, by public key: their digest.
    told: Mutex<HashMap<String, u64>>,
    /// Whose turn it is to be dialed without anybody waiting: of those whose links rest, and of the others.
    waking: Semaphore,
    seeking: Semaphore,
    stop: CancellationToken,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

/// A cheap handle to the links.
#[derive(Clone)]
pub struct Links {
    inner: Arc<Inner>,
}

impl Links {
    /// Starts the carrier and the keeper of links. `secret` is the seed of the node's key.
    ///
    /// # Errors
    /// [`IrohError::Start`].
    pub async fn start(
        options: LinksOptions,
        secret: &[u8; KEY_BYTES],
        accounts: Accounts,
        responder: Arc<dyn Responder<Caller>>,
    ) -> Result<Self, IrohError> {
        let known = accounts.clone();
        let recognise = Arc::new(move |node: &str, address| {
            let caller = known.by_endpoint(node, address);
            Recognised { known: caller.account.is_some(), caller }
        });
        let iroh = Iroh::start(options.iroh.clone(), secret, recognise, responder).await?;
        let inner = Arc::new(Inner {
            options,
            accounts,
            iroh,
            failures: Mutex::default(),
            told: Mutex::default(),
            waking: Semaphore::new(resting::WOKEN_AT_ONCE),
            seeking: Semaphore::new(resting::SOUGHT_AT_ONCE),
            stop: CancellationToken::new(),
            keeper: Mutex::new(None),
        });
        let links = Self { inner };
        let keeper = tokio::spawn(keeper::run(links.clone()));
        *links.inner.keeper.lock() = Some(keeper);
        Ok(links)
    }

    /// The carrier.
    #[must_use]
    pub fn iroh(&self) -> &Iroh<Caller> {
        &self.inner.iroh
    }

    /// How this node introduces itself.
    #[must_use]
    pub fn greeting(&self) -> Greeting {
        let (name, ipfs) = (self.inner.options.name.clone(), self.inner.options.ipfs.clone());
        Greeting { name, addresses: self.inner.iroh.addresses(), ipfs }
    }

    /// Makes an invite. `name` is what the friend shall be called here; without it, the name that it gives itself.
    ///
    /// # Errors
    /// [`LinksError::Lifetime`], [`LinksError::Accounts`].
    pub async fn invite(&self, name: Option<&str>, lifetime: Duration) -> Result<NewInvite, LinksError> {
        if lifetime.is_zero() || lifetime > INVITE_TIME_MAX {
            return Err(LinksError::Lifetime);
        }
        let (invite, secret) = self.inner.accounts.add_invite(name, lifetime).await?;
        let code = code::InviteCode {
            endpoint: self.inner.iroh.id().to_owned(),
            secret,
            expires_at: u64::try_from(invite.expires_at / 1000).unwrap_or_default(),
            addresses: self.inner.iroh.addresses(),
        };
        Ok(NewInvite { invite, code: code.encode().ok_or(IrohError::Key)? })
    }

    /// Redeems an invite of another node, which is a friend from then on, as this node is its friend. `name` is what it shall
    /// be called here; without it, the name that it gives itself.
    ///
    /// # Errors
    /// See [`LinksError`]; nothing is kept then.
    pub async fn accept(&self, code: &str, name: Option<&str>) -> Result<Friend, LinksError> {
        let code = code::InviteCode::decode(code)?;
        if code.endpoint == self.inner.iroh.id() {
            return Err(LinksError::OwnInvite);
        }
        let peer = Peer { endpoint: code.endpoint.clone(), addresses: code.addresses.clone() };
        let own = self.greeting();
        let redemption = Redemption { secret: code.secret.clone(), name: own.name, addresses: own.addresses };
        let theirs = talk::redeem(&self.inner.iroh, &peer, &redemption).await;
        let theirs = theirs.map_err(|error| match error {
            LinksError::Refused(_) if code.expires_at <= now() => LinksError::Expired,
            other => other,
        })?;
        let mut addresses = theirs.addresses;
        addresses.extend(code.addresses.into_iter().filter(|known| !addresses.contains(known)).collect::<Vec<_>>());
        let name = name.map_or(theirs.name, str::to_owned);
        let new = NewFriend { name, endpoint: code.endpoint, addresses };
        let friend = self.inner.accounts.add_friend(new).await?;
        self.is_known_to(&friend.endpoint);
        tracing::info!(target: "audit", { friend.name = friend.name, friend.id = friend.id }, "accepted an invite");
        Ok(friend)
    }

    /// How a friend's node is. A link to one that does not know this node leads nowhere.
    #[must_use]
    pub fn presence(&self, friend: &Friend) -> Presence {
        let failure = self.inner.failures.lock().get(&friend.endpoint).cloned();
        match (failure, self.inner.iroh.link(&friend.endpoint)) {
            (Some(failure), _) if failure.refused => Presence::Refused,
            (_, Some(link)) => Presence::Online(link),
            _ if self.inner.iroh.rests(&friend.endpoint) => Presence::Resting,
            (failure, None) => Presence::Off(failure.map(|failure| failure.reason)),
        }
    }

    /// A node showed that it knows this one.
    pub fn is_known_to(&self, endpoint: &str) {
        self.inner.failures.lock().remove(endpoint);
    }

    /// Sends a request to a friend's router, which answers what it shares with this node. The target is a path of the API.
    ///
    /// # Errors
    /// [`IrohError`]: the friend's node is not there, or stopped answering.
    pub async fn send(&self, friend: &Friend, request: http::Request<Body>) -> Result<http::Response<Body>, IrohError> {
        self.inner.iroh.send(&peer(friend), request).await
    }

    /// Closes all links, then waits for the keeper.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        let keeper = self.inner.keeper.lock().take();
        if let Some(keeper) = keeper
            && let Err(error) = keeper.await
        {
            tracing::error!(error = %error, "the keeper of friends' links ended badly");
        }
        self.inner.iroh.stop().await;
    }
}

fn peer(friend: &Friend) -> Peer {
    Peer { endpoint: friend.endpoint.clone(), addresses: friend.addresses.clone() }
}

impl Dial for Links {
    fn request(
        &self,
        friend: &Friend,
        request: http::Request<Body>,
    ) -> BoxFuture<'static, Result<http::Response<Body>, DialError>> {
        let (links, friend) = (self.clone(), friend.clone());
        async move { links.send(&friend, request).await.map_err(|error| DialError(error.to_string())) }.boxed()
    }

    fn gone(&self, friend: &Friend) -> BoxFuture<'static, ()> {
        let (iroh, endpoint) = (self.inner.iroh.clone(), friend.endpoint.clone());
        async move { iroh.gone(&endpoint).await }.boxed()
    }

    fn woken(&self, friend: &Friend) -> BoxFuture<'static, ()> {
        let (iroh, endpoint) = (self.inner.iroh.clone(), friend.endpoint.clone());
        async move { iroh.woken(&endpoint).await }.boxed()
    }

    fn wake(&self, friend: &Friend) -> BoxFuture<'static, ()> {
        let (links, friend) = (self.clone(), friend.clone());
        async move { links.wake(&friend).await }.boxed()
    }
}

/// Unix seconds.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
