//! Brings files in: walks a library's folder, recognises what it knows, reads and hashes what it does not, and keeps
//! watching.
//!
//! The invariant: an item's id belongs to its content and its place together, so neither a rename nor a re-tag loses it.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::blocks::Blocks;
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

/// A cheap handle to the importer's worker.
#[derive(Clone)]
pub struct Importer {
    _inner: Arc<()>,
}

impl Importer {
    /// Starts the worker: scans every library once, then watches. Listens to [`Blocks::findings`].
    pub async fn start(
        _options: ImporterOptions,
        _catalog: Catalog,
        _blocks: Blocks,
        _media: Media,
    ) -> Result<Self, CatalogError> {
        todo!()
    }

    /// Starts the worker without scanning, watching or rescanning: it does what [`Importer::scan`] asks and no more, as
    /// the command line wants it while the node is stopped.
    pub async fn on_demand(
        _options: ImporterOptions,
        _catalog: Catalog,
        _blocks: Blocks,
        _media: Media,
    ) -> Result<Self, CatalogError> {
        todo!()
    }

    /// Returns when no scan runs or waits.
    pub async fn idle(&self) {
        todo!()
    }

    /// Asks for a scan and returns at once. A library that is being scanned is scanned once more afterwards.
    pub async fn scan(&self, _library: &str) -> Result<ScanProgress, CatalogError> {
        todo!()
    }

    /// The scan that runs or waits for a library.
    #[must_use]
    pub fn progress(&self, _library: &str) -> Option<ScanProgress> {
        todo!()
    }

    /// To be called after a library was added to or removed from the catalog.
    pub async fn reload(&self) -> Result<(), CatalogError> {
        todo!()
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<LibraryEvent> {
        todo!()
    }

    /// Stops scans and watches and waits for them; what is imported stays.
    pub async fn stop(&self) {
        todo!()
    }
}
