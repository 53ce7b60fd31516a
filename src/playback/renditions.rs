//! The copy renditions of a file: named by what decides their bytes, and found again without a second look at the file.
//!
//! A rendition's name is the CID of its descriptor. Whoever holds the same file computes the same descriptor, so equal
//! names promise equal segments (`docs/formats.md`, "Copy renditions").
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Rendition, Source};
use crate::content::Cid;
use crate::content::cid::{of_digest, sha256};
use crate::media::StreamKind;
use crate::media::decide;
use crate::media::fmp4::{SampleFormat, TrackConfig};
use crate::media::timeline::{FileIndex, Grid, TrackIndex};

/// Version of cutting and packaging. It grows when equal files would give other bytes than before.
pub const PACKAGER: u32 = 1;
/// Multicodec of DAG-CBOR.
const DAG_CBOR: u64 = 0x71;
/// A track that begins this much after the others has its first segment begin with them, in playlists.
const LATE_SECONDS: f64 = 0.5;

/// Everything that a rendition's bytes follow from.
#[derive(Debug, Serialize)]
struct Descriptor<'a> {
    base: i64,
    config: &'a TrackConfig,
    end: i64,
    /// CID of the file.
    file: String,
    grid: Option<Grid>,
    keys: &'a [i64],
    packager: u32,
    starts: &'a [i64],
    stream: u32,
}

/// A file's index with the renditions made of it, in the index's order.
#[derive(Debug)]
pub(super) struct Title {
    pub index: FileIndex,
    pub renditions: std::sync::Arc<Vec<Rendition>>,
}

impl Title {
    pub fn new(source: &Source, mut index: FileIndex) -> Self {
        index.tracks.retain(|track| track.config.format.is_copyable());
        let seconds = |track: &TrackIndex, tick: i64| tick as f64 / f64::from(track.config.timescale);
        let zero = index.tracks.iter().filter_map(|t| Some(seconds(t, *t.starts.first()?))).reduce(f64::min);
        let renditions = index.tracks.iter().map(|t| rendition(source, &index, t, zero.unwrap_or(0.0))).collect();
        Self { index, renditions: std::sync::Arc::new(renditions) }
    }

    /// The track of a rendition's id.
    pub fn track(&self, rendition: &str) -> Option<&TrackIndex> {
        let at = self.renditions.iter().position(|r| r.id == rendition)?;
        self.index.tracks.get(at)
    }
}

fn rendition(source: &Source, index: &FileIndex, track: &TrackIndex, zero: f64) -> Rendition {
    let stream = source.facts.streams.iter().find(|s| s.index == track.stream);
    let (kind, letter) = match track.config.format {
        SampleFormat::Avc { .. } | SampleFormat::Foreign { video: true } => (StreamKind::Video, 'v'),
        SampleFormat::Aac { .. } | SampleFormat::Foreign { video: false } => (StreamKind::Audio, 'a'),
    };
    Rendition {
        id: format!("{letter}{}", track.stream),
        kind,
        codecs: codecs(&track.config.format),
        language: stream.and_then(|s| s.language.clone()).or_else(|| track.config.language.clone()),
        name: stream.and_then(|s| s.title.clone()),
        default: chosen(source, kind) == Some(track.stream),
        transcoded: false,
        size: stream.and_then(|s| s.width.zip(s.height)),
        frame_rate: stream.and_then(|s| s.frame_rate),
        video_range: stream.filter(|s| s.kind == StreamKind::Video).map(decide::hdr_word),
        channels: stream.and_then(|s| s.channels),
        peak_bit_rate: track.peak_bit_rate,
        descriptor: descriptor(&source.cid, index, track),
        segments: spans(track, zero),
    }
}

/// The stream that plays unless another is chosen.
fn chosen(source: &Source, kind: StreamKind) -> Option<u32> {
    let chosen = match kind {
        StreamKind::Video => decide::film(&source.facts),
        _ => decide::default_sound(&source.facts),
    };
    chosen.map(|stream| stream.index)
}

/// RFC 6381, from the bytes that the initialisation section carries.
fn codecs(format: &SampleFormat) -> String {
    match format {
        SampleFormat::Foreign { .. } => String::new(),
        SampleFormat::Avc { record, in_band, .. } => match record[..] {
            [_, profile, constraints, level, ..] if *in_band => {
                format!("avc3.{profile:02x}{constraints:02x}{level:02x}")
            }
            [_, profile, constraints, level, ..] => format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
            _ => "avc1".to_owned(),
        },
        SampleFormat::Aac { record, .. } => match record[..] {
            [first, second, ..] if first >> 3 == 31 => format!("mp4a.40.{}", 32 + ((first & 7) << 3 | second >> 5)),
            [first, ..] => format!("mp4a.40.{}", first >> 3),
            [] => "mp4a.40.2".to_owned(),
        },
    }
}

fn descriptor(file: &Cid, index: &FileIndex, track: &TrackIndex) -> Cid {
    let descriptor = Descriptor {
        base: index.base_seconds,
        config: &track.config,
        end: track.end,
        file: file.to_string(),
        grid: track.grid,
        keys: &track.keys,
        packager: PACKAGER,
        starts: &track.starts,
        stream: track.stream,
    };
    // Numbers, texts, lists and maps with text keys: all of them have a place in DAG-CBOR.
    let bytes = serde_ipld_dagcbor::to_vec(&descriptor).unwrap_or_default();
    of_digest(DAG_CBOR, &sha256(&bytes))
}

/// Start and duration of each segment, in seconds.
fn spans(track: &TrackIndex, zero: f64) -> Vec<(f64, f64)> {
    let scale = f64::from(track.config.timescale);
    let bounds: Vec<i64> = track.starts.iter().copied().chain([track.end]).collect();
    let mut spans: Vec<(f64, f64)> =
        bounds.windows(2).map(|pair| (pair[0] as f64 / scale, (pair[1] - pair[0]).max(0) as f64 / scale)).collect();
    if let Some((start, duration)) = spans.first_mut()
        && *start - zero > LATE_SECONDS
    {
        *duration += *start - zero;
        *start = zero;
    }
    spans
}

/// Keeps indexes in a folder, because the index of a file without one costs reading it wholly.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    packager: u32,
    index: FileIndex,
}

impl Shelf {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    fn path(&self, file: &Cid) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{file}.json")))
    }

    /// The index of a file, if it is kept and of this version.
    pub async fn get(&self, file: &Cid) -> Option<FileIndex> {
        let bytes = tokio::fs::read(self.path(file)?).await.ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        (kept.packager == PACKAGER).then_some(kept.index)
    }

    /// Keeps an index. It can be measured again, so a failure is only told.
    pub async fn put(&self, file: &Cid, index: &FileIndex) {
        let (Some(path), Ok(bytes)) =
            (self.path(file), serde_json::to_vec(&Kept { packager: PACKAGER, index: index.clone() }))
        else {
            return;
        };
        if let Err(error) = write(&path, &bytes).await {
            tracing::warn!(path = %path.display(), %error, "a file's cut list could not be kept");
        }
    }
}

async fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let new = path.with_extension("new");
    tokio::fs::write(&new, bytes).await?;
    tokio::fs::rename(&new, path).await
}
