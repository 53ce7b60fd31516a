//! Brings files in: walks a library's folder, recognises what it knows, reads and hashes what it does not, and keeps
//! watching.
//!
//! The invariant: an item's id belongs to its content and its place together, so neither a rename nor a re-tag loses it.
//!
//! ```text
//!  watch ─► queue ─► scan ─► sorted ─► identify ─► relocate (moved: no byte is read)
//!  schedule ──┘                            └─────► import   (probe, hash, one transaction a file)
//!  findings ──┘                                       ▲ describe ◄─ titles, nfo, artwork
//! ```
mod along;
mod artwork;
mod context;
mod describe;
mod folder_books;
mod hashing;
mod identify;
mod import;
mod job;
mod lists;
pub mod move_in;
pub mod newcomer;
mod nfo;
mod queue;
mod relocate;
mod report;
mod scan;
mod sorted;
mod titles;
mod tracks;
pub mod unpack;
mod watch;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, broadcast};
use tokio_util::task::TaskTracker;

use context::{Context, JobError};
use queue::Queue;
use scan::Scope;
use worker::Listener;

use crate::blocks::Blocks;
use crate::catalog::record::Place;
use crate::catalog::{Catalog, CatalogError, Id};
use crate::media::Media;

/// Settings of the importer.
#[derive(Debug, Clone)]
pub struct ImporterOptions {
    /// Where frames taken from videos are kept.
    pub artwork: PathBuf,
    /// Watch with inotify.
    pub watch: bool,
    /// Rescan all libraries this often; `None` for never.
    pub rescan: Option<Duration>,
    /// A file must have been quiet this long before it is read.
    pub settle: Duration,
    /// Trashed items are forgotten after this.
    pub keep_trashed: Duration,
}

/// How far a scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanProgress {
    /// Library id.
    pub library: Id,
    /// What it does now.
    pub state: ScanState,
    /// Files found so far.
    pub files_total: u64,
    /// Files looked at.
    pub files_done: u64,
    /// Bytes that need reading.
    pub bytes_total: u64,
    /// Bytes read.
    pub bytes_done: u64,
    /// New items.
    pub added: u64,
    /// Items with a new CID.
    pub changed: u64,
    /// Items found at another path.
    pub moved: u64,
    /// Items whose file is gone.
    pub trashed: u64,
    /// Files that could not be read or understood.
    pub problems: u64,
    /// File name being read.
    pub current: Option<String>,
}

/// See [`ScanProgress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanState {
    /// Waits its turn.
    Queued,
    /// Walks the folder.
    Listing,
    /// Reads and hashes.
    Importing,
    /// Finished.
    Done,
    /// Ended early; what was imported stays.
    Failed,
}

/// What happened, for events to the page.
#[derive(Debug, Clone)]
pub enum LibraryEvent {
    /// A scan moved on (at most ten a second for each library) or ended.
    Scan(ScanProgress),
    /// An item came, changed or went.
    Item {
        /// Item id.
        id: Id,
        /// Library id.
        library: Id,
        /// The show or series that it is of, or was.
        show: Option<Id>,
        /// What happened to it.
        change: ItemChange,
    },
    /// A library came, went, or its state changed.
    Library(Id),
}

/// See [`LibraryEvent::Item`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemChange {
    /// New.
    Added,
    /// Other facts, file, state or artwork.
    Changed,
    /// In the trash or forgotten.
    Removed,
}

/// A first scan waits no longer than this for the watch of a large or slow disk.
const WATCH_AT_MOST: Duration = Duration::from_secs(60);

/// A cheap handle to the importer's worker.
#[derive(Clone)]
pub struct Importer {
    inner: Arc<Inner>,
}

struct Inner {
    context: Arc<Context>,
    queue: Arc<Queue>,
    reload: Arc<Notify>,
    tasks: TaskTracker,
}

impl Importer {
    /// Starts the worker: scans every library once, then watches. Listens to [`Blocks::findings`].
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn start(
        options: ImporterOptions,
        catalog: Catalog,
        blocks: Blocks,
        media: Media,
    ) -> Result<Self, CatalogError> {
        let findings = blocks.findings();
        let libraries = catalog.own_libraries().await?;
        let importer = Self::on_demand(options, catalog, blocks, media).await?;
        let inner = &importer.inner;
        for library in &libraries {
            inner.context.board.queued(&library.id);
            // The listener brings this forward once it watches, so that no change falls between scan and watch.
            inner.queue.push(&library.id, Scope::All, Instant::now() + WATCH_AT_MOST);
        }
        let listener = Listener {
            context: Arc::clone(&inner.context),
            queue: Arc::clone(&inner.queue),
            findings,
            reload: Arc::clone(&inner.reload),
            known: libraries.into_iter().map(|library| library.id).collect(),
        };
        inner.tasks.spawn(listener.listen());
        Ok(importer)
    }

    /// Starts the worker without scanning, watching or rescanning: it does what [`Importer::scan`] asks and no more, as
    /// the command line wants it while the node is stopped.
    ///
    /// # Errors
    /// None now; kept like [`Importer::start`].
    pub async fn on_demand(
        options: ImporterOptions,
        catalog: Catalog,
        blocks: Blocks,
        media: Media,
    ) -> Result<Self, CatalogError> {
        let context = Arc::new(Context::new(options, catalog, blocks, media));
        let (queue, tasks) = (Arc::new(Queue::new()), TaskTracker::new());
        tasks.spawn(worker::scan(Arc::clone(&context), Arc::clone(&queue)));
        Ok(Self { inner: Arc::new(Inner { context, queue, reload: Arc::default(), tasks }) })
    }

    /// Returns when no scan runs or waits, not even for a file that is still being written; or when the importer is stopped.
    pub async fn idle(&self) {
        tokio::select! {
            () = self.inner.context.cancel.cancelled() => {}
            () = self.inner.queue.idle() => {}
        }
    }

    /// Asks for a scan and returns at once. A library that is being scanned is scanned once more afterwards.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] for a library that is not there.
    pub async fn scan(&self, library: &str) -> Result<ScanProgress, CatalogError> {
        let library = self.inner.context.catalog.library(library).await?;
        let progress = self.inner.context.board.queued(&library.id);
        self.inner.queue.push(&library.id, Scope::All, Instant::now());
        Ok(progress)
    }

    /// Asks for a look at one folder of a library: something came or went there.
    pub fn look(&self, library: &str, folder: &Path) {
        let scope = Scope::Folders([(folder.to_owned(), false)].into());
        self.inner.queue.push(library, scope, Instant::now());
    }

    /// A file was removed on purpose: into the trash with its item, also where no other is left, which a scan would take for a
    /// disk that is away.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn removed(&self, library: &str, place: &Path) -> Result<(), CatalogError> {
        let context = &self.inner.context;
        let place = Place { library: library.to_owned(), path: place.to_owned() };
        let Some(known) = context.catalog.known_at(place).await? else { return Ok(()) };
        for touched in context.catalog.trash(vec![known.item]).await? {
            context.board.item(&touched, ItemChange::Removed);
        }
        Ok(())
    }

    /// Asks for files of a library to be read and described again, whatever they look like: those below these absolute paths.
    /// Returns at once.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn read_again(&self, library: &str, below: &[PathBuf]) -> Result<(), CatalogError> {
        let context = &self.inner.context;
        let library = context.catalog.library(library).await?;
        for known in context.catalog.known(&library.id, None).await?.into_iter().filter(|known| !known.gone) {
            let path = library.path.join(known.place);
            if below.iter().any(|below| path.starts_with(below)) {
                context.force(path);
            }
        }
        self.scan(&library.id).await.map(|_| ())
    }

    /// Forgets all that is in the trash of a library.
    ///
    /// # Errors
    /// When the catalog or the block index cannot be written.
    pub async fn empty_trash(&self, library: &str) -> Result<(), CatalogError> {
        let context = &self.inner.context;
        let items = context.catalog.empty_trash(library).await?;
        match job::forget(context, items).await {
            Ok(()) | Err(JobError::Cancelled | JobError::Worker(_)) => Ok(()),
            Err(JobError::Index(error)) => Err(error.into()),
            Err(JobError::Catalog(error)) => Err(error),
        }
    }

    /// Drops the scans that wait; returns how many. What runs goes on, and watches and schedules ask again.
    pub fn drop_waiting(&self) -> usize {
        let dropped = self.inner.queue.drop_waiting();
        for library in &dropped {
            self.inner.context.board.forget(library);
        }
        dropped.len()
    }

    /// The scan that runs or waits for a library.
    #[must_use]
    pub fn progress(&self, library: &str) -> Option<ScanProgress> {
        let last = self.last(library)?;
        let over = matches!(last.state, ScanState::Done | ScanState::Failed);
        (!over).then_some(last)
    }

    /// The scan that runs, waits or ran last since the start.
    #[must_use]
    pub fn last(&self, library: &str) -> Option<ScanProgress> {
        self.inner.context.board.last(library)
    }

    /// To be called after a library was added to, changed in or removed from the catalog.
    ///
    /// # Errors
    /// None now; what cannot be read is tried again at the next call.
    pub async fn reload(&self) -> Result<(), CatalogError> {
        self.inner.reload.notify_one();
        Ok(())
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<LibraryEvent> {
        self.inner.context.board.events()
    }

    /// Stops scans and watches and waits for them; what is imported stays.
    pub async fn stop(&self) {
        self.inner.context.cancel.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}
