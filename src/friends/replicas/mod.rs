//! Keeps films of friends on this disk: by rules, within a quota, from every friend who has them.
//!
//! ```text
//!  rules ──┐
//!  offers ─┼─► plan ──► copy: folder, NFO, pictures, blocks (many at a time, from all holders) ─► importer ─► an own library
//!  disk ───┘     └────► remove: what no rule wants any more
//! ```
//! One file at a time, after everybody who waits for a friend's node. What is kept is an ordinary file in an ordinary folder, and
//! stays when the friend, the rule or Potluck goes. The catalog says which file was made of which item; nothing else is
//! ever removed. A process that ends in the middle goes on where it was: see [`Blocks::gather`].
mod copy;
mod files;
mod keeper;
mod modest;
mod pictures;
mod plan;
mod subtitles;

pub use plan::Share;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::plan::{Held, Plan, Terms, View};
use super::Friends;
use crate::accounts::Accounts;
use crate::blocks::{Blocks, Gathered, free_bytes, part_of};
use crate::catalog::replicas::{Kept, Offered, Replica};
use crate::catalog::{Catalog, CatalogError, Id, LibraryState};
use crate::content::Cid;
use crate::content::cid::sha256;
use crate::library::Importer;

/// In which the disk's use is told (POSIX, `st_blocks`).
const DISK_BLOCK: u64 = 512;

/// Settings of replication.
#[derive(Debug, Clone)]
pub struct ReplicasOptions {
    /// Where replicas are put; must be there. `None` for a folder of the node's own, which it makes.
    pub folder: Option<PathBuf>,
    /// Bytes that all replicas may have; `None` without a limit.
    pub quota: Option<u64>,
    /// Bytes of the disk that stay free.
    pub spare: u64,
    /// Bytes a second that are fetched at most; `None` for what the line gives.
    pub rate: Option<u64>,
    /// Blocks under way at the same time at most.
    pub flights: usize,
    /// How often it is looked what there is to do when nothing is heard.
    pub look: Duration,
    /// What could not be fetched is tried again after this, or when a friend's state is another.
    pub retry: Duration,
    /// What was watched to its end, and is kept only until then, goes after this.
    pub keep_watched: Duration,
}

impl Default for ReplicasOptions {
    fn default() -> Self {
        Self {
            folder: None,
            quota: None,
            spare: 0,
            rate: None,
            flights: 16,
            look: Duration::from_secs(10 * 60),
            retry: Duration::from_secs(60),
            keep_watched: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What is fetched now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// The rule that wants it.
    pub replica: Id,
    /// The friend's item.
    pub item: Id,
    /// As shown.
    pub title: String,
    /// Bytes of its file.
    pub size: u64,
    /// Bytes of it that are here.
    pub there: u64,
}

/// How replication goes on.
#[derive(Debug, Clone, Default)]
pub struct ReplicasState {
    /// Where replicas are put.
    pub folder: PathBuf,
    /// Bytes of all replicas.
    pub used: u64,
    /// Bytes that are free on their disk.
    pub free: u64,
    /// What is fetched now.
    pub current: Option<Current>,
    /// Bytes that friends gave since the start.
    pub fetched: u64,
    /// Why nothing is fetched, for people.
    pub problem: Option<String>,
    /// All rules, oldest first, with how far each is and what is in its way.
    pub rules: Vec<(Replica, Share, Option<String>)>,
}

/// What is not in the catalog.
#[derive(Debug, Default)]
struct Live {
    current: Option<Current>,
    fetched: u64,
    problem: Option<String>,
    /// By rule: why an item of it could not be fetched when it was tried last.
    problems: HashMap<Id, String>,
}

struct Inner {
    options: ReplicasOptions,
    /// Where replicas are put.
    folder: PathBuf,
    /// Public key of this node.
    key: String,
    accounts: Accounts,
    catalog: Catalog,
    blocks: Blocks,
    importer: Importer,
    live: Mutex<Live>,
    changed: watch::Sender<u64>,
    /// There may be something else to do.
    wake: Notify,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A cheap handle to replication.
#[derive(Clone)]
pub struct Replicas {
    inner: Arc<Inner>,
}

/// The parts of a node that replication uses.
#[derive(Clone)]
pub struct ReplicasParts {
    /// Public key of this node.
    pub key: String,
    /// See [`Accounts`].
    pub accounts: Accounts,
    /// See [`Catalog`].
    pub catalog: Catalog,
    /// See [`Blocks`].
    pub blocks: Blocks,
    /// See [`Importer`].
    pub importer: Importer,
}

impl Replicas {
    /// Fetches nothing before [`Replicas::start`]. `own` is where replicas are put if the settings name no folder.
    #[must_use]
    pub fn new(options: ReplicasOptions, own: PathBuf, parts: ReplicasParts) -> Self {
        let ReplicasParts { key, accounts, catalog, blocks, importer } = parts;
        let inner = Inner {
            folder: options.folder.clone().unwrap_or(own),
            options,
            key,
            accounts,
            catalog,
            blocks,
            importer,
            live: Mutex::default(),
            changed: watch::Sender::default(),
            wake: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Does what the rules say, now and later.
    pub fn start(&self, friends: Friends) {
        self.inner.tasks.spawn(keeper::keep(self.clone(), friends));
    }

    /// To be called when a rule came, changed or went; or when somebody wants it to try again.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
        self.tell();
    }

    /// Ticks when something of [`Replicas::state`] is another.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// How it goes on.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn state(&self) -> Result<ReplicasState, CatalogError> {
        let view = self.view().await?;
        let plan = self.plan(&view, &|_| false);
        let live = self.inner.live.lock();
        let rules = view.rules.into_iter().map(|(rule, _)| {
            let mut share = plan.shares.get(&rule.id).copied().unwrap_or_default();
            let begun = begun(&view.held, &rule.id, live.current.as_ref());
            share.bytes_done = share.bytes.min(share.bytes_done + begun);
            let problem = live.problems.get(&rule.id).cloned();
            (rule, share, problem)
        });
        Ok(ReplicasState {
            folder: self.inner.folder.clone(),
            used: plan.used,
            free: free_bytes(self.inner.folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"))),
            current: live.current.clone(),
            fetched: live.fetched,
            problem: live.problem.clone(),
            rules: rules.collect(),
        })
    }

    /// Ends a rule. The files that it made go where `files` says so and no other rule wants them; otherwise they are ordinary
    /// files from then on.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove(&self, id: &str, files: bool) -> Result<Replica, CatalogError> {
        // First of all nothing more is fetched.
        self.inner.catalog.change_replica(id, None, Some(true)).await?;
        self.wake();
        self.until_idle(id).await;
        let view = self.view().await?;
        for held in view.held.values().filter(|held| held.kept.replica == id) {
            let offers = |offers: &[Offered]| offers.iter().any(|offered| offered.item == held.kept.item);
            let heir = view.rules.iter().find(|(rule, offered)| rule.id != id && offers(offered));
            match heir {
                Some((rule, _)) => {
                    self.inner.catalog.keep(Kept { replica: rule.id.clone(), ..held.kept.clone() }).await?;
                }
                None if files || !held.kept.done => self.take_away(&held.kept).await?,
                None => {}
            }
        }
        let removed = self.inner.catalog.remove_replica(id).await?;
        self.wake();
        Ok(removed)
    }

    /// Ends what runs and waits for it. What was fetched stays.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Comes back when nothing is fetched for a rule.
    async fn until_idle(&self, id: &str) {
        let mut changed = self.changed();
        while self.inner.live.lock().current.as_ref().is_some_and(|current| current.replica == id) {
            let _ = changed.changed().await;
        }
    }

    fn tell(&self) {
        self.inner.changed.send_modify(|count| *count += 1);
    }

    fn update(&self, change: impl FnOnce(&mut Live)) {
        change(&mut self.inner.live.lock());
        self.tell();
    }

    fn progress(&self, before: u64) -> impl Fn(Gathered) + Send + Sync + use<> {
        let this = self.clone();
        move |gathered| {
            this.update(|live| {
                live.fetched = live.fetched.max(before + gathered.supplied);
                if let Some(current) = &mut live.current {
                    current.there = current.there.max(gathered.there);
                }
            });
        }
    }

    /// Reads the rules, what is offered, and what the disk says.
    async fn view(&self) -> Result<View, CatalogError> {
        let mut rules = Vec::new();
        for rule in self.inner.catalog.replicas().await? {
            let offers = self.inner.catalog.offered(&rule).await?;
            rules.push((rule, offers));
        }
        let kept = self.inner.catalog.kept().await?;
        let look = move || kept.into_iter().map(look_at).map(|held| (held.kept.item.clone(), held)).collect();
        let held = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        Ok(View { rules, held })
    }

    fn plan(&self, view: &View, synced: &dyn Fn(&Id) -> bool) -> Plan {
        let friends = self.inner.accounts.friends();
        let place = |key: &str, cid: &Cid| sha256(&[&cid.to_bytes()[..], key.as_bytes()].concat());
        let before_us = |holder: &Id, cid: &Cid| {
            let friend = friends.iter().find(|friend| friend.id == *holder);
            friend.is_some_and(|friend| place(&friend.endpoint, cid) < place(&self.inner.key, cid))
        };
        let now = jiff::Timestamp::now().as_millisecond();
        let kept = i64::try_from(self.inner.options.keep_watched.as_millis()).unwrap_or(i64::MAX);
        let (quota, watched_before) = (self.inner.options.quota, now.saturating_sub(kept));
        Plan::of(view, &Terms { quota, watched_before, before_us: &before_us, synced })
    }

    /// Removes a file that was made by a rule.
    async fn take_away(&self, kept: &Kept) -> Result<(), CatalogError> {
        let file = kept.clone();
        let removed = tokio::task::spawn_blocking(move || files::remove(&file)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(file.path = %kept.path().display(), %error, "a replica could not be removed");
            return Ok(());
        }
        self.inner.importer.removed(&kept.library, &kept.place).await?;
        self.inner.catalog.let_go(vec![kept.item.clone()]).await?;
        self.close_if_empty(kept).await
    }

    /// A library of replicas goes with its last film.
    async fn close_if_empty(&self, kept: &Kept) -> Result<(), CatalogError> {
        let catalog = &self.inner.catalog;
        let more = catalog.kept().await?.iter().any(|other| other.library == kept.library);
        if more || catalog.totals(&kept.library).await?.items > 0 {
            return Ok(());
        }
        catalog.remove_library(&kept.library).await?;
        self.inner.importer.reload().await?;
        let (root, folder) = (kept.root.clone(), self.inner.folder.clone());
        // Those in which something is left stay.
        let folders = move || root.ancestors().take_while(|above| *above != folder).try_for_each(std::fs::remove_dir);
        let _ = tokio::task::spawn_blocking(folders).await;
        Ok(())
    }

    /// Has the importer look at a file that came or went.
    fn look(&self, kept: &Kept) {
        if let Some(folder) = kept.place.parent() {
            self.inner.importer.look(&kept.library, folder);
        }
    }
}

/// Bytes of what a rule began, and does not fetch now: that says itself how far it is.
fn begun(held: &HashMap<Id, Held>, rule: &str, current: Option<&Current>) -> u64 {
    let waits = |held: &&Held| held.kept.replica == rule && current.is_none_or(|now| now.item != held.kept.item);
    held.values().filter(waits).map(|held| held.part).sum()
}

/// Blocking.
fn look_at(kept: Kept) -> Held {
    let away = kept.library_state == LibraryState::Unavailable || !kept.root.is_dir();
    let there = away || kept.path().is_file();
    // Blocks come in any order, so it has holes.
    let part = if kept.done { None } else { std::fs::metadata(part_of(&kept.path())).ok() };
    let part = part.map_or(0, |part| (part.blocks() * DISK_BLOCK).min(kept.size));
    Held { kept, there, part }
}
