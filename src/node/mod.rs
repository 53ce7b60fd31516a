//! One running node: opens what is in the data folder, wires the parts to each other, and stops them in order.
//!
//! It speaks no HTTP: a facade is built on its handles. Two carriers need an answerer from above, so they are started with one
//! by [`Node::start_webrtc`] and [`Node::start_links`]. Invariant: one process owns a data folder, from before the
//! first file is opened until after the last is closed.
mod covers;
mod events;
mod folder;
mod ipfs;
mod keys;
mod listens;
mod pins;
mod podcasts;
mod scrub;
mod tasks;
mod web;

pub use covers::{COVER_MAX, CoverError};
pub use events::NodeEvent;
pub use folder::{DataFolder, control_socket, write_secret};
pub use ipfs::{AnnounceState, Ipfs, IpfsOptions, NameError, Resolved, RouterError, is_router, routed};
pub use keys::NodeKey;
pub use listens::{Listens, ListensError, ListensOptions, ListensState};
pub use pins::{
    NewPin, PinInfo, PinPage, PinState, PinTarget, Pins, PinsError, PinsOptions, answered as pins_answered,
};
pub use podcasts::{Podcasts, PodcastsError, PodcastsOptions, ending as podcast_ending};
pub use scrub::{Healed, ScrubOptions, ScrubReport, ScrubState, Verified};
pub use tasks::Tasks;
pub use web::{Network, WebError};

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;

use crate::accounts::{Accounts, AccountsError, AccountsOptions, Caller, NewAccount};
use crate::blocks::{Blocks, BlocksOptions, Elsewhere, Fetched, FetchedOptions, Pace};
use crate::catalog::{Catalog, CatalogError, Item};
use crate::content::Cid;
use crate::database::{Database, DatabaseError, DatabaseOptions, migrations};
use crate::exchange::Responder;
use crate::exchange::iroh::IrohError;
use crate::exchange::webrtc::{WebRtc, WebRtcOptions};
use crate::friends::links::{Links, LinksOptions};
use crate::friends::replicas::{Replicas, ReplicasOptions, ReplicasParts};
use crate::friends::stand_in::Seals;
use crate::friends::{Dial, Friends, FriendsOptions};
use crate::library::{Importer, ImporterOptions, ItemChange, LibraryEvent};
use crate::media::{Media, MediaOptions};
use crate::playback::{FindSource, Playback, PlaybackOptions, Source};

/// Blocks from elsewhere that are kept besides what is pinned: 50 MB of memory.
const FETCHED_MAX: usize = 256 * 1024;
/// Bytes of their disk that stay free.
const FETCHED_SPARE: u64 = 1024 * 1024 * 1024;

/// Settings of a node.
#[derive(Clone)]
pub struct NodeOptions {
    /// The data folder.
    pub data: PathBuf,
    /// See [`AccountsOptions`].
    pub accounts: AccountsOptions,
    /// Watch the libraries' folders with inotify.
    pub watch: bool,
    /// Rescan all libraries this often; `None` for never.
    pub rescan: Option<Duration>,
    /// A file must have been quiet this long before it is read.
    pub settle: Duration,
    /// Trashed items are forgotten after this.
    pub keep_trashed: Duration,
    /// See [`MediaOptions`].
    pub media: MediaOptions,
    /// See [`PlaybackOptions`].
    pub playback: PlaybackOptions,
    /// See [`WebRtcOptions`]; `None` where it is off.
    pub webrtc: Option<WebRtcOptions>,
    /// Links with friends' nodes: see [`LinksOptions`]; `None` where they are off.
    pub links: Option<LinksOptions>,
    /// How friends are followed where there are links: see [`FriendsOptions`].
    pub friends: FriendsOptions,
    /// The IPFS side: see [`IpfsOptions`]; `None` where it is off.
    pub ipfs: Option<IpfsOptions>,
    /// See [`ScrubOptions`].
    pub scrub: ScrubOptions,
    /// See [`ReplicasOptions`].
    pub replicas: ReplicasOptions,
    /// See [`ListensOptions`].
    pub listens: ListensOptions,
    /// See [`PodcastsOptions`].
    pub podcasts: PodcastsOptions,
    /// Bytes of blocks from elsewhere that are kept besides what is pinned.
    pub fetched_bytes: u64,
}

/// Why there is no running node.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Nothing was made there yet.
    #[error("{0} is not a data folder; make one with `potluck --data {0} init --admin NAME --password-stdin`")]
    Missing(PathBuf),
    /// Something is there already.
    #[error("{0} {1}; nothing was changed")]
    Exists(PathBuf, &'static str),
    /// Another process owns it.
    #[error("{0} is in use by another potluck process")]
    InUse(PathBuf),
    /// The folder cannot be used.
    #[error("the data folder {path} cannot be used")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The node's key cannot be used.
    #[error("the node's key {path} cannot be used: {reason}")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A database cannot be opened.
    #[error("{path} cannot be opened")]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: DatabaseError,
    },
    /// The accounts refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The WebRTC port cannot be used.
    #[error("the WebRTC carrier cannot listen on {0}")]
    WebRtc(std::net::SocketAddr, #[source] std::io::Error),
    /// The carrier between nodes cannot start.
    #[error("the carrier between friends' nodes cannot start")]
    Links(#[source] IrohError),
    /// The IPFS side cannot start.
    #[error("the IPFS side cannot start")]
    Ipfs(#[source] crate::exchange::libp2p::Libp2pError),
}

/// What the data folder holds, opened but with nothing running: for the command line while the node is stopped.
pub struct Store {
    /// The folder, owned.
    pub folder: DataFolder,
    /// See [`NodeKey`].
    pub key: NodeKey,
    /// See [`Catalog`].
    pub catalog: Catalog,
    /// See [`Accounts`].
    pub accounts: Accounts,
}

impl Store {
    /// Opens a data folder.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn open(data: &Path, accounts: AccountsOptions) -> Result<Self, NodeError> {
        let folder = DataFolder::open(data)?;
        let key = NodeKey::read(&folder.key())?;
        Self::with(folder, key, accounts).await
    }

    /// Makes a data folder with its key and first admin.
    ///
    /// # Errors
    /// See [`NodeError`]; nothing is written over. Where the account is refused, what was made is taken away again.
    pub async fn create(data: &Path, accounts: AccountsOptions, admin: NewAccount) -> Result<Self, NodeError> {
        let folder = DataFolder::create(data)?;
        let key = NodeKey::create(&folder.key())?;
        let store = Self::with(folder, key, accounts).await?;
        if let Err(error) = store.accounts.add(admin).await {
            store.accounts.stop().await;
            for file in ["node.key", "apps.key", "catalog.db", "catalog.db-wal", "catalog.db-shm"] {
                let _ = std::fs::remove_file(store.folder.path().join(file));
            }
            return Err(error.into());
        }
        Ok(store)
    }

    async fn with(folder: DataFolder, key: NodeKey, accounts: AccountsOptions) -> Result<Self, NodeError> {
        let path = folder.catalog();
        let database = Database::open(&path, &DatabaseOptions::default(), migrations::CATALOG)
            .map_err(|source| NodeError::Database { path, source })?;
        let accounts = AccountsOptions { app_key: Some(keys::app_key(&folder.apps_key())?), ..accounts };
        let clock = accounts.clock.clone();
        let accounts = Accounts::open(database.clone(), accounts).await?;
        let catalog = Catalog::with_clock(database, clock);
        let decider = accounts.clone();
        catalog.tell_limits(move |limits| decider.limit(limits)).await?;
        Ok(Self { folder, key, catalog, accounts })
    }

    /// Writes what is still to be written.
    pub async fn close(self) {
        self.accounts.stop().await;
    }
}

struct Running {
    options: NodeOptions,
    folder: DataFolder,
    id: String,
    catalog: Catalog,
    accounts: Accounts,
    blocks: Blocks,
    elsewhere: Elsewhere,
    media: Media,
    importer: Importer,
    playback: Playback,
    key: NodeKey,
    webrtc: OnceLock<WebRtc<Caller>>,
    friends: OnceLock<Friends>,
    links: OnceLock<Links>,
    ipfs: OnceLock<Ipfs>,
    scrub: scrub::Scrubbing,
    replicas: Replicas,
    listens: Arc<Listens>,
    podcasts: Arc<Podcasts>,
    pinning: pins::Pinning,
    events: broadcast::Sender<NodeEvent>,
    tasks: Tasks,
    started: Instant,
}

/// A cheap handle to a running node.
#[derive(Clone)]
pub struct Node {
    running: Arc<Running>,
}

impl Node {
    /// Starts everything but the carriers: requests come with the facades.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn start(options: NodeOptions) -> Result<Self, NodeError> {
        let started = Instant::now();
        let Store { folder, key, catalog, accounts } = Store::open(&options.data, options.accounts.clone()).await?;
        let path = folder.index();
        let blocks = Blocks::open(BlocksOptions { path: path.clone() })
            .map_err(|source| NodeError::Database { path, source })?;
        let elsewhere = Elsewhere::new(open_fetched(folder.fetched(), options.fetched_bytes).await?);
        covers::settle(&catalog, folder.covers()).await?;
        let media = Media::new(options.media.clone());
        let podcasts =
            Podcasts::new(options.podcasts.clone(), &options.data, catalog.clone(), blocks.clone(), media.clone());
        let find = Arc::new(SourceFinder { catalog: catalog.clone(), podcasts: podcasts.folder().to_owned() });
        let cut_lists = options.playback.cut_lists.clone().unwrap_or_else(|| options.data.join("cut-lists"));
        let below = |name: &str| Some(options.data.join(name));
        let playback = PlaybackOptions {
            cut_lists: Some(cut_lists),
            renditions: options.playback.renditions.clone().or_else(|| below("renditions")),
            published: options.playback.published.clone().or_else(|| below("published")),
            ..options.playback.clone()
        };
        let playback = Playback::new(playback, media.clone(), blocks.clone(), find);
        blocks.set_producer(playback.producer());
        let import = importer_options(&options, &folder);
        let importer = Importer::start(import, catalog.clone(), blocks.clone(), media.clone()).await?;
        let (events, tasks) = (broadcast::Sender::new(events::BACKLOG), Tasks::default());
        let devices = playback.clone();
        tasks.spawn("devices", |stop| async move { devices.watch_devices(stop).await });
        if playback.makes_thumbnails() {
            let (maker, wanting) = (playback.clone(), playback.clone());
            tasks.spawn("thumbnails", |stop| async move { maker.make_thumbnails(stop).await });
            let (added, of) = (importer.events(), catalog.clone());
            tasks.spawn(
                "thumbnails of what is new",
                |stop| async move { want_thumbnails(added, of, wanting, stop).await },
            );
        }
        tasks.spawn("events", |stop| events::pass_on(importer.events(), events.clone(), stop));
        tasks.spawn("progress", |stop| events::tell_of_progress(catalog.clone(), events.clone(), stop));
        let parts = ReplicasParts {
            key: key.id(),
            accounts: accounts.clone(),
            catalog: catalog.clone(),
            blocks: blocks.clone(),
            importer: importer.clone(),
        };
        let replicas = Replicas::new(options.replicas.clone(), options.data.join("replicas"), parts);
        let listens = Arc::new(Listens::new(options.listens.clone(), accounts.clone(), catalog.clone()));
        let telling = Arc::clone(&listens);
        tasks.spawn("listens", |stop| async move { telling.keep(stop).await });
        let (feeds, episodes) = (Arc::clone(&podcasts), Arc::clone(&podcasts));
        tasks.spawn("feeds of podcasts", |stop| async move { feeds.keep_feeds(stop).await });
        tasks.spawn("episodes of podcasts", |stop| async move { episodes.keep_episodes(stop).await });
        let running = Running {
            id: key.id(),
            key,
            webrtc: OnceLock::new(),
            friends: OnceLock::new(),
            links: OnceLock::new(),
            ipfs: OnceLock::new(),
            scrub: scrub::Scrubbing::default(),
            replicas,
            listens,
            podcasts,
            pinning: pins::Pinning::new(),
            options,
            folder,
            catalog,
            accounts,
            blocks,
            elsewhere,
            media,
            importer,
            playback,
            events,
            tasks,
            started,
        };
        let node = Self { running: Arc::new(running) };
        let (scrubbed, mended, findings) = (node.clone(), node.clone(), node.blocks().findings());
        node.tasks().spawn("scrub", |stop| scrub::keep(scrubbed, stop));
        node.tasks().spawn("repairs", |stop| scrub::meet(mended, findings, stop));
        Ok(node)
    }

    /// Starts the WebRTC carrier, whose requests `responder` answers. Without effect where it is off or runs already.
    ///
    /// # Errors
    /// [`NodeError::WebRtc`] when its port cannot be used.
    pub async fn start_webrtc(&self, responder: Arc<dyn Responder<Caller>>) -> Result<(), NodeError> {
        let Some(options) = self.running.options.webrtc.clone() else { return Ok(()) };
        let listen = options.listen;
        let carrier = WebRtc::start(options, responder).await.map_err(|error| NodeError::WebRtc(listen, error))?;
        if let Err(second) = self.running.webrtc.set(carrier) {
            second.stop().await;
            return Ok(());
        }
        let node = self.clone();
        self.running.tasks.spawn("webrtc rights", |stop| async move { node.close_revoked(stop).await });
        Ok(())
    }

    /// Follows what friends share; `dial` reaches their nodes. Without effect where that runs already.
    ///
    /// # Errors
    /// [`NodeError::Key`] when nothing can be sealed with the node's key.
    pub fn start_friends(&self, options: FriendsOptions, dial: Arc<dyn Dial>) -> Result<(), NodeError> {
        let seals = Seals::new(&self.secret()?).map_err(|error| self.key_error(error))?;
        let mut started = false;
        let friends = self.running.friends.get_or_init(|| {
            started = true;
            let pictures = self.running.folder.friends_pictures();
            Friends::start(options, self.accounts().clone(), self.catalog().clone(), dial, seals, pictures)
        });
        if started {
            let (told, events) = (friends.events(), self.running.events.clone());
            self.running.tasks.spawn("friends' events", |stop| events::pass_on_friends(told, events, stop));
            let (told, node) = (friends.events(), self.clone());
            self.running.tasks.spawn("repairs by friends", |stop| scrub::hear(node, told, stop));
            let (changed, events) = (self.running.replicas.changed(), self.running.events.clone());
            self.running.tasks.spawn("replicas' events", |stop| events::tell_of_replicas(changed, events, stop));
            self.running.replicas.start(friends.clone());
        }
        Ok(())
    }

    fn secret(&self) -> Result<[u8; 32], NodeError> {
        self.running.key.secret().map_err(|error| self.key_error(error))
    }

    fn key_error(&self, error: impl std::fmt::Display) -> NodeError {
        NodeError::Key { path: self.running.folder.key(), reason: error.to_string() }
    }

    /// Starts the carrier between friends' nodes, whose requests `responder` answers, and follows what friends share. Without
    /// effect where it is off or runs already.
    ///
    /// # Errors
    /// [`NodeError::Links`] when its port cannot be used.
    pub async fn start_links(&self, responder: Arc<dyn Responder<Caller>>) -> Result<(), NodeError> {
        let Some(options) = self.running.options.links.clone() else { return Ok(()) };
        let secret = self.secret()?;
        let options = LinksOptions { ipfs: self.ipfs().map(|ipfs| ipfs.libp2p().id().to_string()), ..options };
        let follows = options.keep;
        let links = Links::start(options, &secret, self.accounts().clone(), responder).await;
        let links = links.map_err(NodeError::Links)?;
        if let Err(second) = self.running.links.set(links.clone()) {
            second.stop().await;
            return Ok(());
        }
        if follows {
            self.start_friends(self.running.options.friends.clone(), Arc::new(links.clone()))?;
        }
        let (changed, friends, events) =
            (links.iroh().came_or_went(), self.friends().cloned(), self.running.events.clone());
        self.running.tasks.spawn("friends' links", |stop| events::tell_of_links(changed, friends, events, stop));
        Ok(())
    }

    /// Closes the connections of callers that lost their right, whenever one did.
    async fn close_revoked(self, stop: tokio_util::sync::CancellationToken) {
        let mut revoked = self.accounts().revoked();
        loop {
            tokio::select! {
                changed = revoked.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
            if let Some(carrier) = self.webrtc() {
                let accounts = self.accounts().clone();
                carrier.close(move |caller| accounts.current(caller).is_none());
            }
        }
    }

    /// Stops in the middle of anything: nothing that was imported or written is lost. The data folder is free again when
    /// the last handle is dropped.
    pub async fn stop(&self) {
        self.running.replicas.stop().await;
        if let Some(friends) = self.friends() {
            friends.stop().await;
        }
        if let Some(carrier) = self.webrtc() {
            carrier.stop().await;
        }
        if let Some(links) = self.links() {
            links.stop().await;
        }
        if let Some(ipfs) = self.ipfs() {
            self.elsewhere().set_fetch(None);
            self.elsewhere().set_names(None);
            ipfs.libp2p().stop().await;
        }
        self.running.playback.stop().await;
        self.running.importer.stop().await;
        self.running.tasks.stop().await;
        self.running.media.stop().await;
        self.running.accounts.stop().await;
    }

    /// Reads a whole file again. When every block hashed right, it is remembered as verified; what is damaged is repaired from
    /// another copy here or a friend's, or marked as damaged by the importer.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog cannot be read or written.
    pub async fn verify(&self, root: &Cid, pace: Pace) -> Result<Verified, CatalogError> {
        scrub::check(self, root, pace).await
    }

    /// Bytes that were read of a file that is verified now.
    #[must_use]
    pub fn verified_bytes(&self, root: &Cid) -> Option<u64> {
        self.running.scrub.read_of(root)
    }

    /// How scrubbing goes on.
    #[must_use]
    pub fn scrub(&self) -> ScrubState {
        self.running.scrub.state()
    }

    /// Public key, base32.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.running.id
    }

    /// Its settings.
    #[must_use]
    pub fn options(&self) -> &NodeOptions {
        &self.running.options
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &DataFolder {
        &self.running.folder
    }

    /// See [`Catalog`].
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.running.catalog
    }

    /// See [`Accounts`].
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.running.accounts
    }

    /// See [`Listens`].
    #[must_use]
    pub fn listens(&self) -> &Listens {
        &self.running.listens
    }

    /// See [`Podcasts`].
    #[must_use]
    pub fn podcasts(&self) -> &Podcasts {
        &self.running.podcasts
    }

    /// See [`Blocks`].
    #[must_use]
    pub fn blocks(&self) -> &Blocks {
        &self.running.blocks
    }

    /// What is not in libraries: see [`Elsewhere`].
    #[must_use]
    pub fn elsewhere(&self) -> &Elsewhere {
        &self.running.elsewhere
    }

    /// See [`Media`].
    #[must_use]
    pub fn media(&self) -> &Media {
        &self.running.media
    }

    /// See [`Importer`].
    #[must_use]
    pub fn importer(&self) -> &Importer {
        &self.running.importer
    }

    /// See [`Playback`].
    #[must_use]
    pub fn playback(&self) -> &Playback {
        &self.running.playback
    }

    /// See [`WebRtc`]; `None` where it is off.
    #[must_use]
    pub fn webrtc(&self) -> Option<&WebRtc<Caller>> {
        self.running.webrtc.get()
    }

    /// See [`Friends`]; `None` where they are off.
    #[must_use]
    pub fn friends(&self) -> Option<&Friends> {
        self.running.friends.get()
    }

    /// See [`Replicas`]. Where friends are off, nothing is fetched.
    #[must_use]
    pub fn replicas(&self) -> &Replicas {
        &self.running.replicas
    }

    /// See [`Links`]; `None` where they are off.
    #[must_use]
    pub fn links(&self) -> Option<&Links> {
        self.running.links.get()
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<NodeEvent> {
        self.running.events.subscribe()
    }

    /// Tells everyone who listens.
    pub fn announce(&self, event: NodeEvent) {
        // Nobody listening is not an error.
        let _ = self.running.events.send(event);
    }

    /// Its tasks; what is started there is waited for by [`Node::stop`].
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.running.tasks
    }

    /// Since its start.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.running.started.elapsed()
    }
}

/// Opens the store of blocks from elsewhere.
///
/// # Errors
/// [`NodeError::Folder`].
pub async fn open_fetched(folder: PathBuf, quota_bytes: u64) -> Result<Fetched, NodeError> {
    let options =
        FetchedOptions { folder: folder.clone(), quota_bytes, blocks_max: FETCHED_MAX, spare_bytes: FETCHED_SPARE };
    let opened = tokio::task::spawn_blocking(move || Fetched::open(options)).await;
    opened.map_err(std::io::Error::other).flatten().map_err(|source| NodeError::Folder { path: folder, source })
}

fn importer_options(options: &NodeOptions, folder: &DataFolder) -> ImporterOptions {
    ImporterOptions {
        artwork: folder.artwork(),
        watch: options.watch,
        rescan: options.rescan,
        settle: options.settle,
        keep_trashed: options.keep_trashed,
    }
}

/// Has pictures for the seek bar made of what comes in.
async fn want_thumbnails(
    mut events: broadcast::Receiver<LibraryEvent>,
    catalog: Catalog,
    playback: Playback,
    stop: tokio_util::sync::CancellationToken,
) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Ok(LibraryEvent::Item { id, change: ItemChange::Added, .. }) => {
                let item = catalog.item(&id, "").await;
                if let Some(source) = item.ok().and_then(|listed| source_of(&listed.item)) {
                    // What there is already does not matter: asking is what has them made.
                    let _ = playback.thumbnails(&source);
                }
            }
            // Those that were missed are made when somebody looks at them.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => (),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Whether a folder can become a library: absolute, there, and not the data folder or inside it.
///
/// # Errors
/// [`CatalogError::Invalid`] saying what is wrong.
pub fn usable_folder(path: &Path, data: &Path) -> Result<(), CatalogError> {
    let refuse = |why: &str| Err(CatalogError::Invalid(format!("path: {} {why}", path.display())));
    if !path.is_absolute() {
        return refuse("is not absolute");
    }
    match path.canonicalize() {
        Ok(real) if !real.is_dir() => refuse("is not a folder"),
        Ok(real) if real.starts_with(data) => refuse("is inside the data folder"),
        Ok(_) => Ok(()),
        Err(error) => refuse(&format!("cannot be read: {error}")),
    }
}

/// Finds the file behind a root CID for playback.
struct SourceFinder {
    catalog: Catalog,
    /// The folder of podcasts.
    podcasts: PathBuf,
}

impl FindSource for SourceFinder {
    fn find(&self, cid: Cid) -> BoxFuture<'static, Option<Source>> {
        let (catalog, podcasts) = (self.catalog.clone(), self.podcasts.clone());
        async move {
            let found = async {
                if let Some(source) = catalog.items_of(&cid).await?.iter().find_map(source_of) {
                    return Ok(Some(source));
                }
                Ok::<_, CatalogError>(catalog.episode_file(&cid).await?.map(|file| podcasts::source(&podcasts, &file)))
            };
            let found = found.await;
            found.inspect_err(|error| tracing::error!(%error, "the catalog could not be read")).ok().flatten()
        }
        .boxed()
    }
}

/// What playback needs of an item, where it has a file on this disk that was imported and understood.
#[must_use]
pub fn source_of(item: &Item) -> Option<Source> {
    let file = item.file.as_ref().filter(|_| item.friend.is_none())?;
    Some(Source {
        cid: file.cid?,
        path: file.path.clone(),
        facts: file.facts.clone()?,
        sidecars: file.sidecars.clone(),
    })
}
