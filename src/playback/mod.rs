//! Item and position to bytes in order: which renditions a file has, their playlists, their segments.
//!
//! Segments are made on demand, byte-identical whatever the order they are asked in, and registered as derived blocks,
//! so that anyone allowed can fetch them by CID.
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::blocks::Blocks;
use crate::content::Cid;
use crate::content::unixfs::Layout;
use crate::media::{Facts, Media, StreamKind};

/// Settings of playback.
#[derive(Debug, Clone, Default)]
pub struct PlaybackOptions {
    /// Bytes of finished segments kept in memory.
    pub cache_bytes: u64,
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
}

/// How a file reaches a player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The original file plays as it is in a browser (MP4 with H.264 and AAC); it has copy renditions too.
    Direct(String),
    /// Repackaged, not re-encoded.
    Copy(String),
    /// Needs transcoding: which stream, which codec.
    Unsupported(String),
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
    _inner: Arc<()>,
}

impl Playback {
    /// `find` gives the file for a root CID, so that derived blocks can be made again after a restart.
    #[must_use]
    pub fn new(_options: PlaybackOptions, _media: Media, _blocks: Blocks, _find: Arc<dyn FindSource>) -> Self {
        todo!()
    }

    /// How this file plays, decided from its facts alone.
    #[must_use]
    pub fn decide(_facts: &Facts) -> Decision {
        todo!()
    }

    /// The copy renditions of a file.
    pub async fn renditions(&self, _source: &Source) -> Result<Arc<Vec<Rendition>>, PlaybackError> {
        todo!()
    }

    /// HLS multivariant playlist, URIs relative to it (`v0/index.m3u8`).
    pub async fn master_playlist(&self, _source: &Source) -> Result<String, PlaybackError> {
        todo!()
    }

    /// HLS media playlist of one rendition, URIs relative to it (`init.mp4`, `0.m4s`).
    pub async fn media_playlist(&self, _source: &Source, _rendition: &str) -> Result<String, PlaybackError> {
        todo!()
    }

    /// The initialisation section.
    pub async fn init(&self, _source: &Source, _rendition: &str) -> Result<Segment, PlaybackError> {
        todo!()
    }

    /// Segment `n`, from 0.
    pub async fn segment(&self, _source: &Source, _rendition: &str, _n: u64) -> Result<Segment, PlaybackError> {
        todo!()
    }

    /// Makes derived blocks again for [`Blocks`].
    #[must_use]
    pub fn producer(&self) -> Arc<dyn crate::blocks::Producer> {
        todo!()
    }
}

/// Finds a library file by its root CID.
pub trait FindSource: Send + Sync + 'static {
    /// `None` where no library holds it any more.
    fn find(&self, cid: Cid) -> futures_util::future::BoxFuture<'static, Option<Source>>;
}
