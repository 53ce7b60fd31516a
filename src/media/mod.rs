//! What is known of a media file, and the handle to the worker processes that find it out.
//!
//! All libav code lives in `bin/media-worker`; this module speaks to it over pipes and never links it.
pub mod avc;
mod connection;
pub mod cuts;
pub mod decide;
pub mod facts;
pub mod fmp4;
pub mod hardware;
pub mod mp4_tables;
mod pool;
pub mod protocol;
pub mod rung_cuts;
pub mod subtitles;
pub mod timeline;
pub mod transcode;

pub use decide::{Capabilities, Decision};
pub use facts::{Chapter, Facts, HdrFormat, Stream, StreamKind};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use tokio_util::sync::CancellationToken;

use self::fmp4::TrackConfig;
use self::hardware::DeviceReport;
use self::pool::Pool;
use self::protocol::{Question, Reply};
use self::subtitles::SubtitleTrack;
use self::timeline::{FileIndex, SegmentPlan};
use self::transcode::{PicturePlan, SoundPlan, SpritePlan, Transcoded};

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
    /// The device failed on this plan; another may do it.
    #[error("the device failed: {0}")]
    Device(String),
    /// Nobody wants the answer any more.
    #[error("it was no longer wanted")]
    Cancelled,
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

    /// What the initialisation section of a transcoded film says; equal for all devices and segments of a format.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn picture_head(&self, path: &Path, plan: PicturePlan) -> Result<TrackConfig, MediaError> {
        match self.pool.ask(path, Question::PictureHead(plan)).await? {
            (Reply::Head(config), _) => Ok(config),
            (other, _) => Err(refused(other)),
        }
    }

    /// One segment of a transcoded film. When `cancel` fires the worker is ended, however far it is.
    ///
    /// # Errors
    /// As [`Media::probe`], [`MediaError::Device`] and [`MediaError::Cancelled`].
    pub async fn picture(
        &self,
        path: &Path,
        plan: PicturePlan,
        cancel: &CancellationToken,
    ) -> Result<Transcoded, MediaError> {
        self.encoded(path, Question::Picture(plan), cancel).await
    }

    /// What the initialisation section of transcoded sound says.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn sound_head(&self, path: &Path, plan: SoundPlan) -> Result<TrackConfig, MediaError> {
        match self.pool.ask(path, Question::SoundHead(plan)).await? {
            (Reply::Head(config), _) => Ok(config),
            (other, _) => Err(refused(other)),
        }
    }

    /// One segment of transcoded sound.
    ///
    /// # Errors
    /// As [`Media::picture`].
    pub async fn sound(
        &self,
        path: &Path,
        plan: SoundPlan,
        cancel: &CancellationToken,
    ) -> Result<Transcoded, MediaError> {
        self.encoded(path, Question::Sound(plan), cancel).await
    }

    async fn encoded(
        &self,
        path: &Path,
        question: Question,
        cancel: &CancellationToken,
    ) -> Result<Transcoded, MediaError> {
        let answer = tokio::select! {
            answer = self.pool.ask(path, question) => answer?,
            () = cancel.cancelled() => return Err(MediaError::Cancelled),
        };
        match answer {
            (Reply::Encoded { encoder }, bytes) => Ok(Transcoded { bytes, encoder }),
            (other, _) => Err(refused(other)),
        }
    }

    /// All cues of an embedded text subtitle stream. Reads the file from end to end where its container keeps no index
    /// of them, so keep the answer.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn subtitles(&self, path: &Path, stream: u32) -> Result<SubtitleTrack, MediaError> {
        match self.pool.ask(path, Question::Subtitles { stream }).await? {
            (Reply::Subtitles(track), _) => Ok(track),
            (other, _) => Err(refused(other)),
        }
    }

    /// The bytes of an attached file, a font for example.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn attachment(&self, path: &Path, stream: u32) -> Result<Bytes, MediaError> {
        match self.pool.ask(path, Question::Attachment { stream }).await? {
            (Reply::Payload, bytes) => Ok(bytes),
            (other, _) => Err(refused(other)),
        }
    }

    /// Small pictures of a film in one JPEG.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn sprite(&self, path: &Path, plan: SpritePlan) -> Result<Bytes, MediaError> {
        match self.pool.ask(path, Question::Sprite(plan)).await? {
            (Reply::Payload, bytes) => Ok(bytes),
            (other, _) => Err(refused(other)),
        }
    }

    /// Which devices this machine has and what they can do, best first; software is the last. Asks a worker.
    ///
    /// # Errors
    /// [`MediaError::Start`] and [`MediaError::Crashed`].
    pub async fn probe_hardware(&self) -> Result<Vec<DeviceReport>, MediaError> {
        match self.pool.ask(Path::new("/dev/null"), Question::Hardware).await? {
            (Reply::Hardware(devices), _) => Ok(devices),
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
        Reply::DeviceFailed(sentence) => MediaError::Device(sentence),
        _ => MediaError::Crashed("it answered something else than it was asked".to_owned()),
    }
}
