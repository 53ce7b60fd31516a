//! Item and position to bytes in order: which renditions a file has for a client, their playlists, their segments.
//!
//! ```text
//! facts ──► choice (what this client is offered) ──► playlists
//! index ──► title (what there can be) ──► copy: a worker, now      ──┐
//!                                     └─► transcode: jobs, cache   ──┴──► segment, registered as a derived block
//! ```
//! Segments are made on demand. Copies are byte-identical whatever the order they are asked in; transcoded ones are kept on
//! disk, because another encoder would give others. Anyone allowed can fetch either by CID.
mod activity;
mod choice;
mod covers;
mod devices;
mod disk;
mod id;
mod jobs;
mod ladder;
mod making;
mod outline;
mod pages;
mod playlists;
mod publish;
mod renditions;
mod segments;
mod shelf;
mod sounds;
mod subtitles;
mod thumbnails;
mod titles;
mod workshop;

pub use choice::Choice;
pub use covers::{Cover, Mosaic};
pub use id::RenditionId;
pub use jobs::Transcoding;
pub use ladder::Rung;
pub use pages::PageForm;
pub use publish::{PublishProgress, Published};
pub use sounds::{ComingSound, KeptSound, Sound, SoundForm};
pub use subtitles::{SubtitleId, SubtitleInfo, subtitle_tracks};
pub use thumbnails::{ThumbnailLayout, Thumbnails};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use self::activity::Activity;
use self::devices::Devices;
use self::disk::Disk;
use self::jobs::Jobs;
use self::making::{Inner, Remaker};
use self::segments::Segments;
use self::shelf::Shelf;
use self::sounds::Sounds;
use self::subtitles::Tracks;
use self::thumbnails::Waiting;
use self::titles::Titles;
use self::workshop::{Bench, Workshop};
use crate::blocks::{Blocks, Producer};
use crate::content::Cid;
use crate::content::unixfs::Layout;
pub use crate::media::decide::Method;
use crate::media::hardware::{Device, DeviceReport};
pub use crate::media::{Capabilities, Decision};
use crate::media::{Facts, Media, StreamKind, decide, fmp4};

/// Settings of playback.
#[derive(Debug, Clone)]
pub struct PlaybackOptions {
    /// Bytes of finished segments kept in memory; 64 MiB by default, some ten segments of a heavy film.
    pub cache_bytes: u64,
    /// Folder in which cut lists are kept, so that a file is not measured again after a restart; made when needed.
    /// `None` keeps them in memory only.
    pub cut_lists: Option<PathBuf>,
    /// Sizes that films are transcoded to.
    pub ladder: Vec<Rung>,
    /// Bits a second that a film may have, picture and sound; `None` without a limit.
    pub max_bit_rate: Option<u64>,
    /// Films transcoded at once; 0: by the processor's cores and what hardware is found.
    pub transcodes: usize,
    /// Folder of transcoded segments; `None` keeps them in memory only.
    pub renditions: Option<PathBuf>,
    /// Bytes that they may take; 10 GiB by default.
    pub disk_cache_bytes: u64,
    /// Folder of published renditions.
    pub published: Option<PathBuf>,
    /// Folder of pictures for seek bars; `None` makes none.
    pub thumbnails: Option<PathBuf>,
    /// Bytes that they may take; 1 GiB by default.
    pub thumbnails_bytes: u64,
}

impl Default for PlaybackOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            cut_lists: None,
            ladder: Rung::usual(),
            max_bit_rate: None,
            transcodes: 0,
            renditions: None,
            disk_cache_bytes: 10 * 1024 * 1024 * 1024,
            published: None,
            thumbnails: None,
            thumbnails_bytes: 1024 * 1024 * 1024,
        }
    }
}

/// A file to play.
#[derive(Debug, Clone)]
pub struct Source {
    /// Root of its DAG.
    pub cid: Cid,
    /// Where it is.
    pub path: PathBuf,
    /// What the probe found.
    pub facts: Facts,
    /// Subtitles beside it.
    pub sidecars: Vec<PathBuf>,
}

/// One playable form of one stream.
#[derive(Debug, Clone)]
pub struct Rendition {
    /// See [`RenditionId`].
    pub id: String,
    /// Video or audio.
    pub kind: StreamKind,
    /// RFC 6381.
    pub codecs: String,
    /// ISO 639.
    pub language: Option<String>,
    /// Track name.
    pub name: Option<String>,
    /// It plays unless another of its kind is chosen.
    pub default: bool,
    /// It is encoded anew.
    pub transcoded: bool,
    /// Pixels.
    pub size: Option<(u32, u32)>,
    /// Frames a second.
    pub frame_rate: Option<f64>,
    /// `SDR`, `PQ` or `HLG`, of a video.
    pub video_range: Option<&'static str>,
    /// Of a sound.
    pub channels: Option<u32>,
    /// Bits a second; of a copied film, those of its whole file.
    pub average_bit_rate: u64,
    /// Bits a second of the heaviest segment, or an upper bound of it.
    pub peak_bit_rate: u64,
    /// CID of the descriptor: what its bytes follow from, or for a transcoded one what must be equal for two segments to
    /// stand beside each other.
    pub descriptor: Cid,
    /// Start and duration of each segment, seconds.
    pub segments: Vec<(f64, f64)>,
    typed: RenditionId,
    form: renditions::Form,
    /// Its folder in the cache.
    key: String,
}

/// A produced object: the initialisation section, one segment, or one page of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its DAG.
    pub layout: Layout,
    /// Its bytes.
    pub bytes: Bytes,
    /// `copy`, or who encoded it.
    pub encoder: String,
}

/// Who asks for segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// Tells one viewer from another.
    pub viewer: String,
    /// Bits a second that may be sent to it; see [`PlaybackOptions::max_bit_rate`].
    pub bit_rate_max: Option<u64>,
}

impl Default for Watcher {
    /// The node itself.
    fn default() -> Self {
        Self { viewer: "node".to_owned(), bit_rate_max: None }
    }
}

/// Why there is no segment or playlist.
#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    /// No such rendition or segment of this file.
    #[error("there is no such rendition or segment")]
    NotFound,
    /// There is nothing in it to play.
    #[error("{0}")]
    Unsupported(String),
    /// What is to be drawn into the film is none of its picture subtitles.
    #[error("burn: stream {0} of this file holds no picture subtitles; its list of subtitles tells which can be drawn")]
    NotPictures(u32),
    /// It has more bits a second than this viewer may be sent.
    #[error("this rendition has more bits a second than may be sent to you; choose a lower one")]
    OverLimit,
    /// As many films or sounds are transcoded as may be; how long to wait.
    #[error("the node transcodes as much as it can; try again in a moment")]
    Busy(Duration),
    /// Transcoding failed: which segment and why.
    #[error("{0}")]
    Transcode(String),
    /// The file's configuration cannot be written as MP4.
    #[error("the file could not be repackaged")]
    Fmp4(#[from] fmp4::Fmp4Error),
    /// The worker failed on this file.
    #[error("the file could not be repackaged")]
    Media(#[from] crate::media::MediaError),
    /// The segment could not be registered.
    #[error("the segment could not be registered")]
    Blocks(#[from] crate::blocks::BlockError),
}

/// How the cache of transcoded segments is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheState {
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes it may take.
    pub quota: u64,
    /// Why nothing more is kept, for people.
    pub problem: Option<String>,
}

/// A cheap handle. Register [`Playback::producer`] with [`Blocks::set_producer`] after making it.
#[derive(Clone)]
pub struct Playback {
    inner: Arc<Inner>,
}

impl Playback {
    /// `find` gives the file for a root CID, so that derived blocks can be made again after a restart. Call within a tokio
    /// runtime.
    #[must_use]
    pub fn new(options: PlaybackOptions, media: Media, blocks: Blocks, find: Arc<dyn FindSource>) -> Self {
        let disk = Disk::open(options.renditions.clone(), options.disk_cache_bytes, Arc::new(SystemTime::now));
        let segments = Segments::new(options.cache_bytes);
        let shop = Arc::new(Workshop { media, blocks, segments, disk, devices: Devices::default() });
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let slots = if options.transcodes == 0 { (cores / 4).max(1) } else { options.transcodes };
        let jobs = Jobs::new(Arc::new(Bench(Arc::clone(&shop))), slots);
        let sounds = Sounds::new(Arc::clone(&shop));
        let shelf = Shelf::new(options.cut_lists.clone());
        let threads = u32::try_from(cores).unwrap_or(1).clamp(1, THREADS_MAX);
        let inner = Inner {
            shop,
            jobs,
            sounds,
            find,
            shelf,
            titles: Titles::default(),
            tracks: Tracks::default(),
            outlines: outline::Outlines::default(),
            waiting: Waiting::default(),
            activity: Activity::default(),
            options,
            threads,
        };
        Self { inner: Arc::new(inner) }
    }

    /// How this file plays for a client, decided from its facts alone.
    #[must_use]
    pub fn decide(&self, facts: &Facts, client: &Capabilities) -> Decision {
        decide::decide(facts, &self.limited(client))
    }

    /// What a client is offered of a file.
    ///
    /// # Errors
    /// [`PlaybackError::Unsupported`] for what has neither picture nor sound, [`PlaybackError::NotPictures`] where the client
    /// wants something drawn that cannot be, [`PlaybackError::Media`] when the file cannot be measured.
    pub async fn choice(&self, source: &Source, client: &Capabilities) -> Result<Choice, PlaybackError> {
        choice::choose(&*self.inner.title(source).await?, &self.limited(client))
    }

    /// HLS multivariant playlist, URIs relative to it (`v0/index.m3u8`).
    ///
    /// # Errors
    /// As [`Playback::choice`].
    pub async fn master_playlist(&self, source: &Source, client: &Capabilities) -> Result<String, PlaybackError> {
        Ok(playlists::master(&self.choice(source, client).await?, &subtitle_tracks(source)))
    }

    /// One rendition of a file, by its id.
    ///
    /// # Errors
    /// As [`Playback::choice`]; [`PlaybackError::NotFound`]; [`PlaybackError::OverLimit`].
    pub async fn rendition(
        &self,
        source: &Source,
        rendition: &str,
        watcher: &Watcher,
    ) -> Result<Arc<Rendition>, PlaybackError> {
        let title = self.inner.title(source).await?;
        let found = title.rendition(rendition.parse()?).ok_or(PlaybackError::NotFound)?;
        let limit = [watcher.bit_rate_max, self.inner.options.max_bit_rate].into_iter().flatten().min();
        if choice::allowed(&title, &found, limit) { Ok(found) } else { Err(PlaybackError::OverLimit) }
    }

    /// The sound of a file for a player that knows nothing but HLS, within so many bits a second where it can be: of the stream with
    /// this index, of the one that plays without it.
    ///
    /// # Errors
    /// As [`Playback::rendition`].
    pub async fn sound_rendition(
        &self,
        source: &Source,
        stream: Option<u32>,
        bit_rate_max: Option<u64>,
        watcher: &Watcher,
    ) -> Result<Arc<Rendition>, PlaybackError> {
        let title = self.inner.title(source).await?;
        let silent = || PlaybackError::Unsupported("there is no sound in this file".to_owned());
        let usual = decide::default_sound(&source.facts).map(|stream| stream.index);
        let limits = [bit_rate_max, watcher.bit_rate_max, self.inner.options.max_bit_rate];
        let most = limits.into_iter().flatten().min();
        let of = |index| choice::sound_within(&title, index, most);
        stream.and_then(of).or_else(|| usual.and_then(of)).ok_or_else(silent)
    }

    /// HLS media playlist of one rendition, URIs relative to it (`init.mp4`, `0.m4s`).
    ///
    /// # Errors
    /// As [`Playback::rendition`].
    pub async fn media_playlist(&self, source: &Source, rendition: &str) -> Result<String, PlaybackError> {
        let found = self.rendition(source, rendition, &Watcher::default()).await?;
        Ok(playlists::media(&found))
    }

    /// The initialisation section.
    ///
    /// # Errors
    /// As [`Playback::rendition`], and [`PlaybackError::Blocks`].
    pub async fn init(&self, source: &Source, rendition: &str, watcher: &Watcher) -> Result<Segment, PlaybackError> {
        let found = self.rendition(source, rendition, watcher).await?;
        self.inner.init(source, &found).await
    }

    /// Segment `n`, from 0.
    ///
    /// # Errors
    /// As [`Playback::init`]; of transcoded renditions also [`PlaybackError::Busy`] and [`PlaybackError::Transcode`].
    pub async fn segment(
        &self,
        source: &Source,
        rendition: &str,
        n: u64,
        watcher: &Watcher,
    ) -> Result<Segment, PlaybackError> {
        self.inner.activity.mark();
        let found = self.rendition(source, rendition, watcher).await?;
        self.inner.segment(source, &found, n, &watcher.viewer).await
    }

    /// A segment after one that was asked for: made now where that costs little, else only if it is there already.
    ///
    /// # Errors
    /// As [`Playback::segment`].
    pub async fn next(
        &self,
        source: &Source,
        rendition: &Rendition,
        n: u64,
        watcher: &Watcher,
    ) -> Result<Option<Segment>, PlaybackError> {
        self.inner.activity.mark();
        if rendition.transcoded {
            return Ok(self.inner.ready(source, rendition, n, &watcher.viewer).await);
        }
        self.inner.segment(source, rendition, n, &watcher.viewer).await.map(Some)
    }

    /// The sound of a whole file in a form, for programs that play music: kept from before, or coming.
    ///
    /// # Errors
    /// [`PlaybackError::Unsupported`] for a file whose sound cannot be had, [`PlaybackError::Busy`],
    /// [`PlaybackError::Transcode`], and [`PlaybackError::Blocks`] where the file changed.
    pub async fn sound(&self, source: &Source, form: &SoundForm, watcher: &Watcher) -> Result<Sound, PlaybackError> {
        self.inner.activity.mark();
        self.inner.sounds.sound(source, &self.audible(form, watcher), &watcher.viewer).await
    }

    /// The same only if it is kept from before.
    pub async fn kept_sound(&self, source: &Source, form: &SoundForm, watcher: &Watcher) -> Option<KeptSound> {
        self.inner.activity.mark();
        self.inner.sounds.kept(&source.cid, &self.audible(form, watcher)).await
    }

    /// A form within the limits of the viewer and the node.
    fn audible(&self, form: &SoundForm, watcher: &Watcher) -> SoundForm {
        let limits = [watcher.bit_rate_max, self.inner.options.max_bit_rate];
        form.limited(limits.into_iter().flatten().min())
    }

    /// A viewer watches a file no more.
    pub fn stopped(&self, file: &Cid, viewer: &str) {
        self.inner.jobs.left(file, viewer);
    }

    /// Whether somebody plays something now: a segment or a sound was asked for within the last half minute.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.inner.activity.is_recent()
    }

    /// What is transcoded now.
    #[must_use]
    pub fn transcodes(&self) -> Vec<Transcoding> {
        self.inner.jobs.list()
    }

    /// Films that may be transcoded at once.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.inner.jobs.slots()
    }

    /// The devices that were found; empty until they were looked for.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceReport> {
        self.inner.shop.devices.reports()
    }

    /// How the cache of transcoded segments is.
    #[must_use]
    pub fn cache(&self) -> CacheState {
        let disk = &self.inner.shop.disk;
        CacheState { bytes: disk.bytes(), quota: self.inner.options.disk_cache_bytes, problem: disk.problem() }
    }

    /// Looks for devices, now and after failures, until it is told to stop.
    pub async fn watch_devices(&self, stop: CancellationToken) {
        let grow = async {
            self.inner.shop.devices.ready().await;
            let hardware = self.inner.shop.devices.usable().iter().any(|device| *device != Device::Software);
            if hardware && self.inner.options.transcodes == 0 {
                self.inner.jobs.grow(HARDWARE_SLOTS);
            }
        };
        tokio::join!(self.inner.shop.devices.watch(&self.inner.shop.media, stop), grow);
    }

    /// Gives up what is being made and waits for it.
    pub async fn stop(&self) {
        tokio::join!(self.inner.jobs.stop(), self.inner.sounds.stop());
    }

    /// Makes derived blocks again for [`Blocks`].
    #[must_use]
    pub fn producer(&self) -> Arc<dyn Producer> {
        // Weak, because the blocks keep the producer, and we keep the blocks.
        Arc::new(Remaker { inner: Arc::downgrade(&self.inner) })
    }

    /// Under the node's own limit.
    fn limited(&self, client: &Capabilities) -> Capabilities {
        let limits = [client.bit_rate_max, self.inner.options.max_bit_rate];
        Capabilities { bit_rate_max: limits.into_iter().flatten().min(), ..client.clone() }
    }
}

/// Threads of one transcode at most: more of them cost quality and gain little.
const THREADS_MAX: u32 = 8;
/// Films at once where a device does the work.
const HARDWARE_SLOTS: usize = 4;

/// Finds a library file by its root CID.
pub trait FindSource: Send + Sync + 'static {
    /// `None` where no library holds it any more.
    fn find(&self, cid: Cid) -> BoxFuture<'static, Option<Source>>;
}
