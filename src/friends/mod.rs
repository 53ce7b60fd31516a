//! Friends' nodes as ours sees them: follows what they share, knows who is there, and asks them for what they hold.
//!
//! ```text
//!  accounts (who is a friend) ──► keeper ──► a follower for each ── GET /changes ──► Dial ──► the friend's router
//!                                               │      ◄── POST /friends/bell: there is news
//!                                               ▼
//!                           catalog (the friend's libraries and items, under the friend's ids)
//! ```
//! How a friend's node is reached is the business of a [`Dial`] that is given: [`links`]. Whatever a friend sends is an error with a
//! limit, never more: a page is looked at before it is written, an answer has a size and a time, and a friend that lies is
//! asked again after a long while only. A friend that is removed here takes with it all that it told.
mod answer;
mod bell;
mod blocks;
mod fetch;
mod follow;
mod gallery;
mod keeper;
pub mod links;
mod pulse;
pub mod replicas;
pub mod stand_in;
mod trust;
mod waiting;

pub use blocks::{BlockFailure, BlockPlace};
pub use fetch::Holders;
pub use gallery::{FriendPicture, PictureKind, PictureOf};
pub use trust::{Fault, Trouble};

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{Accounts, Friend};
use crate::catalog::{Catalog, Id};
use crate::exchange::Body;
use answer::{Limits, Listener as _};
use stand_in::{Seals, StandInState};

/// Events that a slow reader may be behind.
const BACKLOG: usize = 256;

/// Reaches friends' nodes. Their routers answer as if the request had come over any other carrier.
pub trait Dial: Send + Sync + 'static {
    /// Sends one request to a friend's node, and returns its answer when its head is there; bodies stream both ways.
    fn request(&self, friend: &Friend, request: Request<Body>)
    -> BoxFuture<'static, Result<Response<Body>, DialError>>;

    /// Comes back when there is no link to a friend's node, not even one that rests; never, where that is not known.
    fn gone(&self, friend: &Friend) -> BoxFuture<'static, ()> {
        let _ = friend;
        Box::pin(std::future::pending())
    }

    /// Comes back when the link to a friend's node does not rest (any more): it is open, or there is none.
    fn woken(&self, friend: &Friend) -> BoxFuture<'static, ()> {
        let _ = friend;
        Box::pin(std::future::ready(()))
    }

    /// Makes a link to a friend's node where none is open, as soon as there is room, for what nobody waits for; comes back also
    /// where that fails. A request does that without being told, at once.
    fn wake(&self, friend: &Friend) -> BoxFuture<'static, ()> {
        let _ = friend;
        Box::pin(std::future::ready(()))
    }
}

/// A friend's node could not be reached: why, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DialError(pub String);

/// Settings of the followers.
#[derive(Debug, Clone)]
pub struct FriendsOptions {
    /// Items of one friend that are listed here at most.
    pub items_max: u64,
    /// Longest page of changes, bytes.
    pub page_max: usize,
    /// A friend's node may take this long until the head of an answer is there.
    pub answer_time: Duration,
    /// The body of an answer may stand still this long, ...
    pub body_idle: Duration,
    /// ... and brings at least so many bytes in it.
    pub body_floor: u64,
    /// A few changes travel together: after each answer the next question, and after something new the ring for it, come no
    /// sooner than this.
    pub quiet: Duration,
    /// A friend's node that did not ring is asked after this.
    pub quiet_max: Duration,
    /// One whose link rests is asked when something woke it after that time, or else after this and up to half as much again.
    pub rest_max: Duration,
    /// A friend's node that cannot be reached is tried again after this, and twice as long each time, ...
    pub retry_first: Duration,
    /// ... up to this.
    pub retry_last: Duration,
    /// A friend's node that told nonsense is asked again after this.
    pub retry_nonsense: Duration,
    /// Bytes of friends' pictures that are kept; 0 keeps none.
    pub pictures_room: u64,
    /// A picture that is kept is compared with the friend's when it is looked at and this old.
    pub pictures_fresh: Duration,
}

impl Default for FriendsOptions {
    fn default() -> Self {
        Self {
            items_max: 500_000,
            page_max: 32 * 1024 * 1024,
            answer_time: Duration::from_secs(60),
            body_idle: Duration::from_secs(30),
            body_floor: 32 * 1024,
            quiet: Duration::from_millis(250),
            quiet_max: Duration::from_secs(5 * 60),
            rest_max: Duration::from_secs(10 * 60),
            retry_first: Duration::from_secs(1),
            retry_last: Duration::from_secs(60),
            retry_nonsense: Duration::from_secs(15 * 60),
            pictures_room: 512 * 1024 * 1024,
            pictures_fresh: Duration::from_secs(5 * 60),
        }
    }
}

/// How a friend's node is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FriendState {
    /// It answered the last question.
    pub online: bool,
    /// Its changes are known up to when it answered last.
    pub synced: bool,
    /// Why it is away or was not believed, for people.
    pub problem: Option<String>,
}

/// Why a friend's node did not answer.
#[derive(Debug, thiserror::Error)]
pub enum FriendsError {
    /// It is no friend (any more), or switched off here.
    #[error("this is of a friend whose node is not linked any more")]
    Unlinked,
    /// It is away.
    #[error("the node of {name} is off or cannot be reached now")]
    Off {
        /// The friend.
        name: String,
        /// When it is tried again.
        retry: Duration,
    },
    /// It did what nobody should.
    #[error("the node of {name} is not asked for a while: {reason}")]
    Distrusted {
        /// The friend.
        name: String,
        /// What it did.
        reason: &'static str,
        /// When it is asked again.
        retry: Duration,
    },
}

/// Something changed in what friends share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FriendsEvent {
    /// A library of a friend's came, went or changed, or its friend came or went.
    Library(Id),
    /// A friend's state is another.
    State(Id),
    /// A friend's node knows more, or less, of what it needs to stand in for ours.
    StandIn(Id),
    /// A friend's node did what it should not, or is asked again.
    Trouble(Id),
}

struct Inner {
    options: FriendsOptions,
    accounts: Accounts,
    catalog: Catalog,
    dial: Arc<dyn Dial>,
    seals: Seals,
    stand_ins: Mutex<HashMap<Id, StandInState>>,
    states: Mutex<HashMap<Id, FriendState>>,
    /// What friends did wrong, since the start.
    distrust: Mutex<HashMap<Id, trust::Distrust>>,
    gallery: gallery::Gallery,
    contacts: Mutex<HashMap<Id, Arc<pulse::Contact>>>,
    /// Whose turn it is among friends with as much to do.
    turn: AtomicUsize,
    events: broadcast::Sender<FriendsEvent>,
    /// Who rings, and who is rung for.
    bells: bell::Bells,
    /// Somebody has a reason to believe that a friend is there: those that wait try again.
    hurry: Notify,
    /// Somebody has a reason to believe that a friend is gone.
    doubt: Notify,
    /// Who waits for an answer of a friend's node.
    waiting: waiting::Waiting,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A cheap handle to the followers.
#[derive(Clone)]
pub struct Friends {
    inner: Arc<Inner>,
}

impl Friends {
    /// Follows every friend that is switched on, now and later. Pictures of friends' items are kept in `pictures`.
    #[must_use]
    pub fn start(
        options: FriendsOptions,
        accounts: Accounts,
        catalog: Catalog,
        dial: Arc<dyn Dial>,
        seals: Seals,
        pictures: PathBuf,
    ) -> Self {
        let inner = Inner {
            gallery: gallery::Gallery::new(pictures, options.pictures_room),
            options,
            accounts,
            catalog,
            dial,
            seals,
            stand_ins: Mutex::default(),
            states: Mutex::default(),
            distrust: Mutex::default(),
            contacts: Mutex::default(),
            turn: AtomicUsize::new(0),
            events: broadcast::Sender::new(BACKLOG),
            bells: bell::Bells::default(),
            hurry: Notify::new(),
            doubt: Notify::new(),
            waiting: waiting::Waiting::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let this = Self { inner: Arc::new(inner) };
        this.inner.tasks.spawn(keeper::keep(this.clone()));
        this.inner.tasks.spawn(bell::keep(this.clone()));
        this.inner.tasks.spawn(stand_in::keep(this.clone()));
        this
    }

    /// How a friend's node is doing; unknown ones are away.
    #[must_use]
    pub fn state(&self, friend: &str) -> FriendState {
        self.inner.states.lock().get(friend).cloned().unwrap_or_default()
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<FriendsEvent> {
        self.inner.events.subscribe()
    }

    /// Tries those that are away at once: a link came up, or somebody pressed a button.
    pub fn hurry(&self) {
        self.inner.hurry.notify_waiters();
    }

    /// Asks a friend's node for somebody who waits for the answer. Its body ends with an error where it stands still for too long
    /// or has more than `longest` bytes.
    ///
    /// # Errors
    /// [`FriendsError`].
    pub async fn ask(
        &self,
        friend: &str,
        request: Request<Body>,
        longest: u64,
    ) -> Result<Response<Body>, FriendsError> {
        self.check_trust(friend)?;
        let wait = self.inner.waiting.begin();
        let answer = self.ask_unseen(friend, request, longest).await?;
        Ok(answer.map(|body| wait.until_end_of(body)))
    }

    /// The same for the node itself: nobody waits.
    async fn ask_unseen(
        &self,
        friend: &str,
        request: Request<Body>,
        longest: u64,
    ) -> Result<Response<Body>, FriendsError> {
        let known = self.inner.accounts.friend(friend).ok().filter(|friend| friend.enabled);
        let friend = known.ok_or(FriendsError::Unlinked)?;
        let answer = tokio::time::timeout(self.inner.options.answer_time, self.inner.dial.request(&friend, request));
        let options = &self.inner.options;
        let failed = match answer.await {
            Ok(Ok(response)) => {
                let limits = Limits { longest, idle: options.body_idle, floor: options.body_floor };
                let ear = self.ear(&friend.id);
                ear.heard();
                return Ok(answer::limited(response, limits, ear));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                self.note(&friend.id, Fault::Stall);
                "it did not answer in time".to_owned()
            }
        };
        tracing::debug!(friend.id = %friend.id, reason = %failed, "a friend's node did not answer");
        Err(FriendsError::Off { name: friend.name, retry: self.inner.options.retry_first })
    }

    /// Ends the followers and waits for them. What was taken in stays.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Remembers a state, and tells where it is another.
    async fn set_state(&self, friend: &str, state: FriendState) {
        let before = self.inner.states.lock().insert(friend.to_owned(), state.clone());
        if before.unwrap_or_default() != state {
            self.tell(FriendsEvent::State(friend.to_owned()));
            let libraries = self.inner.catalog.libraries().await.unwrap_or_default();
            for library in libraries.into_iter().filter(|library| library.friend.as_deref() == Some(friend)) {
                self.tell(FriendsEvent::Library(library.id));
            }
        }
    }

    /// Lets the people of a friend who are guests here see what it shares with us.
    async fn set_offered(&self, friend: &str) {
        let libraries = self.inner.catalog.libraries().await.unwrap_or_default();
        let theirs = libraries.into_iter().filter(|library| library.friend.as_deref() == Some(friend));
        self.inner.accounts.offered(friend, theirs.map(|library| library.id).collect::<HashSet<_>>());
    }

    fn tell(&self, event: FriendsEvent) {
        // Nobody listening is not an error.
        let _ = self.inner.events.send(event);
    }
}
