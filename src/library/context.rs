//! What every scan needs: the stores, the workers, the settings.
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::ImporterOptions;
use super::report::Board;
use super::titles::Titles;
use crate::blocks::Blocks;
use crate::catalog::{Catalog, CatalogError, Id};
use crate::database::DatabaseError;
use crate::media::Media;

/// Why a scan ended early. What is wrong with one file is not among it.
#[derive(Debug, thiserror::Error)]
pub(super) enum JobError {
    /// The node stops, or the library was removed.
    #[error("the scan was cancelled")]
    Cancelled,
    #[error("the media worker could not be started")]
    Worker(#[source] std::io::Error),
    #[error("the block index could not be read or written")]
    Index(#[from] DatabaseError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

pub(super) struct Context {
    pub options: ImporterOptions,
    pub catalog: Catalog,
    pub blocks: Blocks,
    pub media: Media,
    pub titles: Arc<Titles>,
    pub board: Arc<Board>,
    pub cancel: CancellationToken,
    /// Files that were found changed while they were served, although they may look unchanged: to be read in any case.
    forced: Mutex<HashSet<PathBuf>>,
    /// Libraries whose files were looked for in the block index since the start.
    checked: Mutex<HashSet<Id>>,
}

impl Context {
    pub fn new(options: ImporterOptions, catalog: Catalog, blocks: Blocks, media: Media) -> Self {
        Self {
            options,
            catalog,
            blocks,
            media,
            titles: Arc::new(Titles::new()),
            board: Arc::new(Board::new()),
            cancel: CancellationToken::new(),
            forced: Mutex::default(),
            checked: Mutex::default(),
        }
    }

    pub fn force(&self, path: PathBuf) {
        self.forced.lock().insert(path);
    }

    pub fn is_forced(&self, path: &Path) -> bool {
        let forced = self.forced.lock();
        !forced.is_empty() && forced.contains(path)
    }

    pub fn unforce(&self, path: &Path) {
        self.forced.lock().remove(path);
    }

    /// Whether this is the first time that this is asked of a library.
    pub fn first_check(&self, library: &str) -> bool {
        self.checked.lock().insert(library.to_owned())
    }
}
