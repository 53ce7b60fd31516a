//! What is known of a media file, and the handle to the worker processes that find it out.
//!
//! All libav code lives in `bin/media-worker`; this module speaks to it over pipes and never links it.
pub mod avc;
mod connection;
pub mod cuts;
pub mod decide;
pub mod facts;
pub mod fmp4;
pub mod mp4_tables;
mod pool;
pub mod protocol;
pub mod timeline;

pub use decide::Decision;
pub use facts::{Chapter, Facts, HdrFormat, Stream, StreamKind};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use self::pool::Pool;
use self::protocol::{Question, Reply};
use self::timeline::{FileIndex, SegmentPlan};

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
    pool: Arc<Pool>,
}

impl Media {
    /// Starts no process yet; workers start when they are needed and are kept warm. Call within a tokio runtime.
    #[must_use]
    pub fn new(options: MediaOptions) -> Self {
        Self { pool: Pool::new(options) }
    }

    /// What is known of a file.
    ///
    /// # Errors
    /// [`MediaError::Unreadable`] for what is not media, the others when no worker could look at it.
    pub async fn probe(&self, path: &Path) -> Result<Facts, MediaError> {
        match self.pool.ask(path, Question::Probe).await? {
            (Reply::Facts(facts), _) => Ok(facts),
            (other, _) => Err(refused(other)),
        }
    }

    /// A frame of the file as a JPEG, scaled to at most `width` pixels: a keyframe near a tenth of the duration that is
    /// neither black nor blank where one can be found.
    ///
    /// # Errors
    /// As [`Media::probe`]; a file without pictures is unreadable here.
    pub async fn poster(&self, path: &Path, width: u32) -> Result<Vec<u8>, MediaError> {
        match self.pool.ask(path, Question::Poster { width }).await? {
            (Reply::Payload, picture) => Ok(picture.into()),
            (other, _) => Err(refused(other)),
        }
    }

    /// Where the streams of a file that can be repackaged are cut. Reads a file without an index from end to end, so
    /// keep the answer.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn index(&self, path: &Path) -> Result<FileIndex, MediaError> {
        match self.pool.ask(path, Question::Index).await? {
            (Reply::Index(index), _) => Ok(index),
            (other, _) => Err(refused(other)),
        }
    }

    /// One finished segment (`moof` and `mdat`) of one stream.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn segment(&self, path: &Path, plan: SegmentPlan) -> Result<Bytes, MediaError> {
        match self.pool.ask(path, Question::Segment(plan)).await? {
            (Reply::Payload, segment) => Ok(segment),
            (other, _) => Err(refused(other)),
        }
    }

    /// Numbers for the status page.
    #[must_use]
    pub fn state(&self) -> MediaState {
        self.pool.state()
    }

    /// Ends all workers and waits for them.
    pub async fn stop(&self) {
        self.pool.stop().await;
    }
}

fn refused(reply: Reply) -> MediaError {
    match reply {
        Reply::Unreadable(sentence) => MediaError::Unreadable(sentence),
        _ => MediaError::Crashed("it answered something else than it was asked".to_owned()),
    }
}
