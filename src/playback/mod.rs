//! Item and position to bytes in order: which renditions a file has, their playlists, their segments.
//!
//! Segments are made on demand, byte-identical whatever the order they are asked in, and registered as derived blocks,
//! so that anyone allowed can fetch them by CID.
mod playlists;
mod renditions;
mod segments;
mod subtitles;
mod titles;

pub use subtitles::{SubtitleId, SubtitleInfo, subtitle_tracks};

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use self::renditions::{PACKAGER, Shelf, Title};
use self::segments::{Key, Piece, Segments};
use self::titles::Titles;
use crate::blocks::{BlockError, Blocks, Producer, Recipe};
use crate::content::Cid;
use crate::content::unixfs::Layout;
pub use crate::media::decide::Method;
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
}

impl Default for PlaybackOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024, cut_lists: None }
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
    /// `v0`, `a1`: kind and stream index.
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
    /// Bits a second of the heaviest segment, or an upper bound of it.
    pub peak_bit_rate: u64,
    /// CID of the descriptor {file, stream, packager version, cut list, base, timescale, audio grid origin}.
    pub descriptor: Cid,
    /// Start and duration of each segment, seconds.
    pub segments: Vec<(f64, f64)>,
}

/// A produced object: the initialisation section or one segment.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its DAG.
    pub layout: Layout,
    /// Its bytes.
    pub bytes: Bytes,
    /// `copy`, or who encoded it.
    pub encoder: String,
}

/// Why there is no segment or playlist.
#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    /// No such rendition or segment of this file.
    #[error("there is no such rendition or segment")]
    NotFound,
    /// It needs transcoding.
    #[error("{0}")]
    Unsupported(String),
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

/// A cheap handle. Register [`Playback::producer`] with [`Blocks::set_producer`] after making it.
#[derive(Clone)]
pub struct Playback {
    inner: Arc<Inner>,
}

struct Inner {
    media: Media,
    blocks: Blocks,
    find: Arc<dyn FindSource>,
    shelf: Shelf,
    titles: Titles,
    segments: Segments,
}

impl Playback {
    /// `find` gives the file for a root CID, so that derived blocks can be made again after a restart.
    #[must_use]
    pub fn new(options: PlaybackOptions, media: Media, blocks: Blocks, find: Arc<dyn FindSource>) -> Self {
        let (shelf, segments) = (Shelf::new(options.cut_lists), Segments::new(options.cache_bytes));
        Self { inner: Arc::new(Inner { media, blocks, find, shelf, titles: Titles::default(), segments }) }
    }

    /// How this file plays for a client, decided from its facts alone.
    #[must_use]
    pub fn decide(facts: &Facts, client: &Capabilities) -> Decision {
        decide::decide(facts, client)
    }

    /// The copy renditions of a file.
    ///
    /// # Errors
    /// [`PlaybackError::Unsupported`] for what needs transcoding, [`PlaybackError::Media`] when the file cannot be measured.
    pub async fn renditions(&self, source: &Source) -> Result<Arc<Vec<Rendition>>, PlaybackError> {
        Ok(Arc::clone(&self.inner.title(source).await?.renditions))
    }

    /// HLS multivariant playlist, URIs relative to it (`v0/index.m3u8`).
    ///
    /// # Errors
    /// As [`Playback::renditions`].
    pub async fn master_playlist(&self, source: &Source) -> Result<String, PlaybackError> {
        Ok(playlists::master(source, &*self.inner.title(source).await?))
    }

    /// HLS media playlist of one rendition, URIs relative to it (`init.mp4`, `0.m4s`).
    ///
    /// # Errors
    /// As [`Playback::renditions`], and [`PlaybackError::NotFound`].
    pub async fn media_playlist(&self, source: &Source, rendition: &str) -> Result<String, PlaybackError> {
        let title = self.inner.title(source).await?;
        let found = title.renditions.iter().find(|r| r.id == rendition).ok_or(PlaybackError::NotFound)?;
        Ok(playlists::media(found))
    }

    /// The initialisation section.
    ///
    /// # Errors
    /// As [`Playback::media_playlist`], and [`PlaybackError::Blocks`].
    pub async fn init(&self, source: &Source, rendition: &str) -> Result<Segment, PlaybackError> {
        self.inner.piece(source, rendition, Piece::Init).await
    }

    /// Segment `n`, from 0.
    ///
    /// # Errors
    /// As [`Playback::init`].
    pub async fn segment(&self, source: &Source, rendition: &str, n: u64) -> Result<Segment, PlaybackError> {
        self.inner.piece(source, rendition, Piece::Number(n)).await
    }

    /// Makes derived blocks again for [`Blocks`].
    #[must_use]
    pub fn producer(&self) -> Arc<dyn Producer> {
        // Weak, because the blocks keep the producer, and we keep the blocks.
        Arc::new(Remaker { inner: Arc::downgrade(&self.inner) })
    }
}

impl Inner {
    async fn title(&self, source: &Source) -> Result<Arc<Title>, PlaybackError> {
        let decision = decide::decide(&source.facts, &Capabilities::default());
        if !matches!(decision.method, Method::Direct | Method::Copy) {
            return Err(PlaybackError::Unsupported(decision.reason));
        }
        let cell = self.titles.cell(&source.cid);
        cell.get_or_try_init(|| self.measure(source)).await.cloned()
    }

    async fn measure(&self, source: &Source) -> Result<Arc<Title>, PlaybackError> {
        let index = match self.shelf.get(&source.cid).await {
            Some(index) => index,
            None => {
                self.unchanged(source).await?;
                let index = self.media.index(&source.path).await?;
                self.shelf.put(&source.cid, &index).await;
                index
            }
        };
        Ok(Arc::new(Title::new(source, index)))
    }

    /// The worker reads the file, not its blocks: what it makes belongs to `source.cid` only while the file is as it was
    /// when it was imported.
    async fn unchanged(&self, source: &Source) -> Result<(), PlaybackError> {
        let known = self.blocks.imported(&source.path).await.map_err(BlockError::from)?;
        let metadata = tokio::fs::metadata(&source.path).await.map_err(BlockError::from)?;
        let as_imported = known.is_some_and(|known| {
            let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
            known.cid == source.cid && known.size == metadata.size() && i128::from(known.modified_ns) == modified_ns
        });
        if as_imported {
            return Ok(());
        }
        // Reading a block makes the change known to whoever imports the file again.
        let _ = self.blocks.read(&source.cid, 0..1).next().await;
        Err(BlockError::Changed { path: source.path.clone() }.into())
    }

    async fn piece(&self, source: &Source, rendition: &str, piece: Piece) -> Result<Segment, PlaybackError> {
        let key = Key { file: source.cid, rendition: rendition.to_owned(), piece };
        self.segments.get_or_make(key, self.make(source, rendition, piece)).await
    }

    async fn make(&self, source: &Source, rendition: &str, piece: Piece) -> Result<Segment, PlaybackError> {
        let title = self.title(source).await?;
        let track = title.track(rendition).ok_or(PlaybackError::NotFound)?;
        let bytes = match piece {
            Piece::Init => Bytes::from(fmp4::init_section(&track.config)?),
            Piece::Number(n) => {
                let n = usize::try_from(n).map_err(|_| PlaybackError::NotFound)?;
                let plan = title.index.plan(track, n).ok_or(PlaybackError::NotFound)?;
                self.unchanged(source).await?;
                self.media.segment(&source.path, plan).await?
            }
        };
        let recipe = Recipe { source: source.cid, detail: detail(rendition, piece).into_bytes() };
        let layout = self.blocks.put_derived(recipe, bytes.clone()).await?;
        Ok(Segment { layout, bytes, encoder: "copy".to_owned() })
    }
}

/// What a recipe says besides the file: packager version, rendition, piece.
fn detail(rendition: &str, piece: Piece) -> String {
    match piece {
        Piece::Init => format!("{PACKAGER}/{rendition}/init"),
        Piece::Number(n) => format!("{PACKAGER}/{rendition}/{n}"),
    }
}

fn read_detail(detail: &[u8]) -> Option<(String, Piece)> {
    let mut words = std::str::from_utf8(detail).ok()?.split('/');
    let (packager, rendition, piece) = (words.next()?, words.next()?, words.next()?);
    if packager.parse() != Ok(PACKAGER) {
        return None;
    }
    let piece = if piece == "init" { Piece::Init } else { Piece::Number(piece.parse().ok()?) };
    Some((rendition.to_owned(), piece))
}

struct Remaker {
    inner: std::sync::Weak<Inner>,
}

impl Producer for Remaker {
    fn produce(&self, recipe: Recipe) -> BoxFuture<'static, Result<Bytes, String>> {
        let inner = self.inner.upgrade();
        Box::pin(async move {
            let inner = inner.ok_or("the node is stopping")?;
            let (rendition, piece) = read_detail(&recipe.detail).ok_or("it was made by another version")?;
            let source = inner.find.find(recipe.source).await.ok_or("no library holds its file any more")?;
            let made = inner.piece(&source, &rendition, piece).await;
            made.map(|segment| segment.bytes).map_err(|e| e.to_string())
        })
    }
}

/// Finds a library file by its root CID.
pub trait FindSource: Send + Sync + 'static {
    /// `None` where no library holds it any more.
    fn find(&self, cid: Cid) -> BoxFuture<'static, Option<Source>>;
}
