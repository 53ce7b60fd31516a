//! What is known of a media file, and the handle to the worker processes that find it out.
//!
//! All libav code lives in `bin/media-worker`; this module speaks to it over pipes and never links it.
pub mod facts;

pub use facts::{Chapter, Facts, HdrFormat, Stream, StreamKind};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Settings of the worker pool.
#[derive(Debug, Clone)]
pub struct MediaOptions {
    /// The worker program; by default `potluck-media-worker` beside the running program.
    pub worker: PathBuf,
    /// Workers that may run at once.
    pub workers: usize,
    /// Address space of one worker, bytes.
    pub memory_limit: u64,
    /// A request that takes longer ends its worker.
    pub timeout: Duration,
}

/// Why the worker gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The file is not media, or is broken: what the worker says of it, for people.
    #[error("{0}")]
    Unreadable(String),
    /// The worker crashed, ran out of memory or time on this file.
    #[error("the media worker gave up on this file: {0}")]
    Crashed(String),
    /// The worker program could not be started.
    #[error("the media worker could not be started")]
    Start(#[source] std::io::Error),
    /// The file could not be opened.
    #[error("the file cannot be opened")]
    Open(#[source] std::io::Error),
}

/// State of the pool, for the status page.
#[derive(Debug, Clone, Default)]
pub struct MediaState {
    /// Workers that run.
    pub running: usize,
    /// Workers that work.
    pub busy: usize,
    /// Workers ended by a crash or limit since start.
    pub failures: u64,
}

/// A cheap handle to the worker pool.
#[derive(Clone)]
pub struct Media {
    _inner: Arc<()>,
}

impl Media {
    /// Starts no process yet; workers start when they are needed and are kept warm. Call within a tokio runtime.
    #[must_use]
    pub fn new(_options: MediaOptions) -> Self {
        todo!()
    }

    /// What is known of a file.
    pub async fn probe(&self, _path: &Path) -> Result<Facts, MediaError> {
        todo!()
    }

    /// A frame of the file as a JPEG, scaled to at most `width` pixels: a keyframe near a tenth of the duration that is
    /// neither black nor blank where one can be found.
    pub async fn poster(&self, _path: &Path, _width: u32) -> Result<Vec<u8>, MediaError> {
        todo!()
    }

    /// Numbers for the status page.
    #[must_use]
    pub fn state(&self) -> MediaState {
        todo!()
    }

    /// Ends all workers and waits for them.
    pub async fn stop(&self) {
        todo!()
    }
}
