//! What is known of a media file, and the handle to the worker processes that find it out.
//!
//! All libav code lives in `bin/media-worker`; this module speaks to it over pipes and never links it.
pub mod avc;
pub mod book;
pub mod codecs;
mod connection;
pub mod cuts;
pub mod decide;
pub mod facts;
pub mod fmp4;
pub mod hardware;
pub mod mix;
pub mod mp4_tables;
pub mod music;
mod pictures;
mod pool;
mod process;
pub mod protocol;
pub mod rung_cuts;
pub mod subtitles;
pub mod timeline;
pub mod transcode;
pub mod whole_sound;

pub use decide::{Capabilities, Decision};
pub use facts::{Chapter, Facts, HdrDetails, HdrFormat, Stream, StreamKind};
pub use pictures::picture_type;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::book::Place;
use self::fmp4::TrackConfig;
use self::hardware::{Device, DeviceReport};
use self::pool::{Asked, Pool, PoolOptions};
use self::process::Launch;
use self::protocol::{BookFacts, PicturePage, Question, Reply, TrackFacts};
use self::subtitles::SubtitleTrack;
use self::timeline::{FileIndex, SegmentPlan};
use self::transcode::{PicturePlan, SoundPlan, SpritePlan, Transcoded};
use self::whole_sound::{Piece, WholeSound};

/// Settings of the worker pools.
#[derive(Debug, Clone)]
pub struct MediaOptions {
    /// The worker program; by default `potluck-media-worker` beside the running program.
    pub worker: PathBuf,
    /// Workers that may look into files and repackage them at once.
    pub workers: usize,
    /// Workers that may transcode films at once, beside those.
    pub transcoders: usize,
    /// Workers that may transcode the sound of whole files at once, beside those.
    pub sounds: usize,
    /// Memory of one worker, bytes.
    pub memory_limit: u64,
    /// A request that takes longer ends its worker; transcoding may take [`TRANSCODE_PATIENCE`] times as long.
    pub timeout: Duration,
    /// Render nodes or X displays to look for encoders on; `None` for those in `/dev/dri`.
    pub devices: Option<Vec<String>>,
    /// The environment of workers that use devices.
    pub environment: Vec<(OsString, OsString)>,
}

impl MediaOptions {
    /// The defaults for a worker program, and of the environment what drivers go by.
    #[must_use]
    pub fn new(worker: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            worker,
            workers: 2,
            transcoders: (cores / 2).max(1),
            sounds: (cores * 2).clamp(4, 16),
            memory_limit: 1536 << 20,
            timeout: Duration::from_secs(60),
            devices: None,
            environment: hardware::environment(),
        }
    }
}

/// How much longer than another request one for transcoding may take.
pub const TRANSCODE_PATIENCE: u32 = 5;
/// How long workers stay warm: one that transcodes holds pictures, hundreds of megabytes for large films.
const IDLE_MAX: Duration = Duration::from_secs(300);
const IDLE_TRANSCODER_MAX: Duration = Duration::from_secs(30);
/// How far workers step back behind the node: those that somebody waits for less than those that nobody does.
const NICENESS: u32 = 5;
const TRANSCODER_NICENESS: u32 = 8;
const BACKGROUND_NICENESS: u32 = 15;
/// Workers for what nobody waits for.
const BACKGROUND_WORKERS: usize = 1;

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
    /// Workers that may run at once.
    pub most: usize,
    /// Workers that run.
    pub running: usize,
    /// Workers that work.
    pub busy: usize,
    /// Workers ended by a crash or limit since start.
    pub failures: u64,
    /// Of those that work, the ones that transcode films.
    pub transcoding: usize,
    /// Of those that work, the ones that make the sound of whole files.
    pub sounding: usize,
}

/// A cheap handle to the worker pools: what a player waits for briefly, films that are transcoded, sound of whole files, and
/// the rest.
#[derive(Clone)]
pub struct Media {
    devices: Option<Vec<String>>,
    quick: Arc<Pool>,
    transcoders: Arc<Pool>,
    sounds: Arc<Pool>,
    background: Arc<Pool>,
}

impl Media {
    /// Starts no process yet; workers start when they are needed and are kept warm. Call within a tokio runtime.
    #[must_use]
    pub fn new(options: MediaOptions) -> Self {
        let launch = Launch {
            program: options.worker,
            memory: options.memory_limit,
            address_space: Some(options.memory_limit),
            time: options.timeout,
            niceness: NICENESS,
            environment: Vec::new(),
        };
        let with_devices = Launch {
            address_space: None,
            time: options.timeout * TRANSCODE_PATIENCE,
            niceness: TRANSCODER_NICENESS,
            environment: options.environment,
            ..launch.clone()
        };
        let background = Launch { niceness: BACKGROUND_NICENESS, ..with_devices.clone() };
        let pool = |launch, workers, idle_max| Pool::new(PoolOptions { launch, workers, idle_max });
        Self {
            devices: options.devices,
            quick: pool(launch.clone(), options.workers, IDLE_MAX),
            transcoders: pool(with_devices, options.transcoders, IDLE_TRANSCODER_MAX),
            sounds: pool(launch, options.sounds, IDLE_TRANSCODER_MAX),
            background: pool(background, BACKGROUND_WORKERS, IDLE_TRANSCODER_MAX),
        }
    }

    /// Asks a worker of the pool that a question belongs to.
    async fn ask(&self, path: &Path, question: Question) -> Result<(Reply, Bytes), MediaError> {
        let pool = match question {
            Question::Subtitles { .. } | Question::Sprite(_) => &self.background,
            _ => &self.quick,
        };
        pool.ask(Asked { path: Some(path.to_owned()), question, cancel: None, pieces: None }).await
    }

    /// What is known of a file.
    ///
    /// # Errors
    /// [`MediaError::Unreadable`] for what is not media, the others when no worker could look at it.
    pub async fn probe(&self, path: &Path) -> Result<Facts, MediaError> {
        match self.ask(path, Question::Probe).await? {
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
        match self.ask(path, Question::Poster { width }).await? {
            (Reply::Payload, picture) => Ok(picture.into()),
            (other, _) => Err(refused(other)),
        }
    }

    /// What is known of a book, and its list of pages in the form of [`book::encode_pages`].
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn book(&self, path: &Path) -> Result<(BookFacts, Bytes), MediaError> {
        match self.ask(path, Question::Book).await? {
            (Reply::Book(facts), pages) => Ok((*facts, pages)),
            (other, _) => Err(refused(other)),
        }
    }

    /// The bytes of a page, as they are in the book.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn page(&self, path: &Path, place: Place) -> Result<Bytes, MediaError> {
        match self.ask(path, Question::Page(place)).await? {
            (Reply::Payload, page) => Ok(page),
            (other, _) => Err(refused(other)),
        }
    }

    /// A page in a form that everything can show, no larger than asked.
    ///
    /// # Errors
    /// As [`Media::probe`]; what cannot be decoded here is unreadable.
    pub async fn picture_page(&self, path: &Path, plan: PicturePage) -> Result<Bytes, MediaError> {
        match self.ask(path, Question::PicturePage(plan)).await? {
            (Reply::Payload, picture) => Ok(picture),
            (other, _) => Err(refused(other)),
        }
    }

    /// One picture, as JPEG, of up to four.
    ///
    /// # Errors
    /// As [`Media::probe`]; what cannot be decoded here is unreadable.
    pub async fn mosaic(&self, pictures: &[Bytes]) -> Result<Bytes, MediaError> {
        let sizes = pictures.iter().map(|picture| picture.len() as u64).collect();
        // A question comes with one file: one in memory that holds them all.
        let together = in_memory(&pictures.concat()).map_err(MediaError::Open)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", together.as_raw_fd()));
        match self.ask(&path, Question::Mosaic(sizes)).await? {
            (Reply::Payload, picture) => Ok(picture),
            (other, _) => Err(refused(other)),
        }
    }

    /// What a piece of music is, and what it says of itself.
    ///
    /// # Errors
    /// As [`Media::probe`]; a file without sound is unreadable here.
    pub async fn track(&self, path: &Path) -> Result<TrackFacts, MediaError> {
        match self.ask(path, Question::Track { ending: ending(path) }).await? {
            (Reply::Track(facts), _) => Ok(*facts),
            (other, _) => Err(refused(other)),
        }
    }

    /// The picture that a piece of music holds, as JPEG of at most `side` pixels.
    ///
    /// # Errors
    /// As [`Media::probe`]; one without a picture that can be shown is unreadable here.
    pub async fn track_picture(&self, path: &Path, side: u32) -> Result<Bytes, MediaError> {
        match self.ask(path, Question::TrackPicture { ending: ending(path), side }).await? {
            (Reply::Payload, picture) => Ok(picture),
            (other, _) => Err(refused(other)),
        }
    }

    /// Where the streams of a file that can be repackaged are cut. Reads a file without an index from end to end, so
    /// keep the answer.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn index(&self, path: &Path) -> Result<FileIndex, MediaError> {
        match self.ask(path, Question::Index).await? {
            (Reply::Index(index), _) => Ok(index),
            (other, _) => Err(refused(other)),
        }
    }

    /// One finished segment (`moof` and `mdat`) of one stream, and the bytes of the file that it was taken from.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn segment(&self, path: &Path, plan: SegmentPlan) -> Result<(Bytes, Range<u64>), MediaError> {
        match self.ask(path, Question::Segment(plan)).await? {
            (Reply::Cut { span }, segment) => Ok((segment, span)),
            (other, _) => Err(refused(other)),
        }
    }

    /// What the initialisation section of a transcoded film says; equal for all devices and segments of a format.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn picture_head(&self, path: &Path, plan: PicturePlan) -> Result<TrackConfig, MediaError> {
        match self.ask(path, Question::PictureHead(plan)).await? {
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
        let on_a_device = plan.device != Device::Software;
        let (path, question) = (Some(path.to_owned()), Question::Picture(plan));
        let cancel = Some(cancel.clone());
        match self.transcoders.ask(Asked { path, question, cancel, pieces: None }).await {
            // A driver can take the worker with it; the film is not to blame.
            Err(MediaError::Crashed(reason)) if on_a_device => Err(MediaError::Device(reason)),
            answer => encoded(answer?),
        }
    }

    /// What the initialisation section of transcoded sound says.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn sound_head(&self, path: &Path, plan: SoundPlan) -> Result<TrackConfig, MediaError> {
        match self.ask(path, Question::SoundHead(plan)).await? {
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
        // Short work: it runs to its end, and the worker stays warm.
        tokio::select! {
            answer = self.ask(path, Question::Sound(plan)) => encoded(answer?),
            () = cancel.cancelled() => Err(MediaError::Cancelled),
        }
    }

    /// The sound of a whole file, which goes to `pieces` while it is made; gives who encoded it. When `cancel` fires the worker is ended, however far
    /// it is. Without an error, all of it was sent.
    ///
    /// # Errors
    /// As [`Media::probe`] and [`MediaError::Cancelled`]; pieces may have been sent by then.
    pub async fn whole_sound(
        &self,
        path: &Path,
        plan: WholeSound,
        pieces: mpsc::Sender<Piece>,
        cancel: &CancellationToken,
    ) -> Result<String, MediaError> {
        let (path, question) = (Some(path.to_owned()), Question::WholeSound(plan));
        let asked = Asked { path, question, cancel: Some(cancel.clone()), pieces: Some(pieces) };
        match self.sounds.ask(asked).await? {
            (Reply::Encoded { encoder }, _) => Ok(encoder),
            (other, _) => Err(refused(other)),
        }
    }

    /// How many whole files of sound may be made at once.
    #[must_use]
    pub fn sounds_at_once(&self) -> usize {
        self.sounds.state().most
    }

    /// All cues of an embedded text subtitle stream, on the time line that `base_seconds` of the file's index shifts to.
    /// Reads the file from end to end where its container keeps no index of them, so keep the answer.
    ///
    /// # Errors
    /// As [`Media::probe`]; subtitles that are pictures are unreadable here.
    pub async fn subtitles(&self, path: &Path, stream: u32, base_seconds: i64) -> Result<SubtitleTrack, MediaError> {
        match self.ask(path, Question::Subtitles { stream, base_seconds }).await? {
            (Reply::Subtitles(track), _) => Ok(track),
            (other, _) => Err(refused(other)),
        }
    }

    /// The bytes of an attached file, a font for example.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn attachment(&self, path: &Path, stream: u32) -> Result<Bytes, MediaError> {
        match self.ask(path, Question::Attachment { stream }).await? {
            (Reply::Payload, bytes) => Ok(bytes),
            (other, _) => Err(refused(other)),
        }
    }

    /// Small pictures of a film in one JPEG.
    ///
    /// # Errors
    /// As [`Media::probe`].
    pub async fn sprite(&self, path: &Path, plan: SpritePlan) -> Result<Bytes, MediaError> {
        match self.ask(path, Question::Sprite(plan)).await? {
            (Reply::Payload, bytes) => Ok(bytes),
            (other, _) => Err(refused(other)),
        }
    }

    /// Which devices this machine has and what they can do, best first; software is the last. A device that cannot be
    /// used says why. Asks a worker for each, which a driver may crash.
    ///
    /// # Errors
    /// [`MediaError::Start`].
    pub async fn probe_hardware(&self) -> Result<Vec<DeviceReport>, MediaError> {
        let mut reports = Vec::new();
        for candidate in hardware::candidates(self.devices.as_deref()) {
            reports.push(match candidate {
                Ok(device) => self.probe_device(device).await?,
                Err(report) => report,
            });
        }
        reports.sort_by_key(|report| report.problem.is_some());
        reports.push(self.probe_device(Device::Software).await?);
        Ok(reports)
    }

    async fn probe_device(&self, device: Device) -> Result<DeviceReport, MediaError> {
        let question = Question::Hardware(device.clone());
        match self.background.ask(Asked { path: None, question, cancel: None, pieces: None }).await {
            Ok((Reply::Hardware(report), _)) => Ok(report),
            Ok((other, _)) => Ok(DeviceReport::unusable(&device, refused(other).to_string())),
            Err(MediaError::Crashed(reason)) => {
                Ok(DeviceReport::unusable(&device, format!("its driver crashed ({reason}): update or remove it")))
            }
            Err(other) => Err(other),
        }
    }

    /// Numbers for the status page.
    #[must_use]
    pub fn state(&self) -> MediaState {
        let states = self.pools().map(|pool| pool.state());
        MediaState {
            most: states.iter().map(|state| state.most).sum(),
            running: states.iter().map(|state| state.running).sum(),
            busy: states.iter().map(|state| state.busy).sum(),
            failures: states.iter().map(|state| state.failures).sum(),
            transcoding: self.transcoders.state().busy,
            sounding: self.sounds.state().busy,
        }
    }

    fn pools(&self) -> [&Arc<Pool>; 4] {
        [&self.quick, &self.transcoders, &self.sounds, &self.background]
    }

    /// Ends all workers and waits for them.
    pub async fn stop(&self) {
        for pool in self.pools() {
            pool.stop().await;
        }
    }
}

fn encoded((reply, bytes): (Reply, Bytes)) -> Result<Transcoded, MediaError> {
    match reply {
        Reply::Encoded { encoder } => Ok(Transcoded { bytes, encoder }),
        other => Err(refused(other)),
    }
}

/// A file that has no name and goes with its last handle.
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("potluck", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file)
}

fn refused(reply: Reply) -> MediaError {
    match reply {
        Reply::Unreadable(sentence) => MediaError::Unreadable(sentence),
        Reply::DeviceFailed(sentence) => MediaError::Device(sentence),
        _ => MediaError::Crashed("it answered something else than it was asked".to_owned()),
    }
}

/// Of a file's name, in small letters.
fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}
