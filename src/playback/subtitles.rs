//! Which subtitles a file has, in it and beside it, and their cues.
use std::collections::VecDeque;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::{fmt, fs};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::making::Inner;
use super::{Playback, PlaybackError, Source, playlists};
use crate::blocks::BlockError;
use crate::content::Cid;
use crate::media::facts::Stream;
use crate::media::subtitles::{FILE_MAX, SubtitleFormat, SubtitleTrack, to_ass, to_webvtt, webvtt_segment};
use crate::media::{MediaError, StreamKind};

/// Seconds of a piece of a subtitle track in HLS.
pub(super) const CUES_SECONDS: f64 = 60.0;

/// The pieces of a subtitle track of a film of this length: start and end, seconds.
pub(super) fn pieces(duration: f64) -> Vec<(f64, f64)> {
    let count = (duration / CUES_SECONDS).ceil().clamp(1.0, 10_000.0) as u32;
    let start = |n: u32| f64::from(n) * CUES_SECONDS;
    (0..count).map(|n| (start(n), start(n + 1).min(duration.max(start(n) + 0.001)))).collect()
}

/// Names a subtitle track of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubtitleId {
    /// `s3`: stream 3 of the file.
    Stream(u32),
    /// `x0`: the first file beside it.
    Sidecar(u32),
}

impl fmt::Display for SubtitleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(index) => write!(f, "s{index}"),
            Self::Sidecar(number) => write!(f, "x{number}"),
        }
    }
}

impl FromStr for SubtitleId {
    type Err = PlaybackError;

    fn from_str(text: &str) -> Result<Self, PlaybackError> {
        let number = || text.get(1..)?.parse::<u32>().ok();
        let id = match text.as_bytes().first() {
            Some(b's') => number().map(Self::Stream),
            Some(b'x') => number().map(Self::Sidecar),
            _ => None,
        };
        // One spelling for each: no signs, no leading zeros.
        id.filter(|id| id.to_string() == text).ok_or(PlaybackError::NotFound)
    }
}

/// A subtitle track, without its cues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtitleInfo {
    /// Its name in URLs.
    pub id: SubtitleId,
    /// Index of its stream, if it is in the file.
    pub stream: Option<u32>,
    /// What its cues are.
    pub format: SubtitleFormat,
    /// ISO 639.
    pub language: Option<String>,
    /// As its maker called it.
    pub name: Option<String>,
    /// Shown unless another is chosen.
    pub default: bool,
    /// For what is foreign in the film only.
    pub forced: bool,
}

/// The tracks in the file, then those beside it.
#[must_use]
pub fn subtitle_tracks(source: &Source) -> Vec<SubtitleInfo> {
    let inside = source.facts.streams.iter().filter(|s| s.kind == StreamKind::Subtitle).filter_map(embedded);
    let beside = source.sidecars.iter().zip(0..).filter_map(|(path, number)| sidecar(&source.path, path, number));
    inside.chain(beside).collect()
}

/// What the cues of a codec are, by libav's name.
pub(super) fn format_of(codec: &str) -> Option<SubtitleFormat> {
    match codec {
        "ass" | "ssa" => Some(SubtitleFormat::Ass),
        "subrip" | "srt" | "webvtt" | "mov_text" | "text" => Some(SubtitleFormat::Text),
        "hdmv_pgs_subtitle" | "dvd_subtitle" | "dvb_subtitle" | "xsub" => Some(SubtitleFormat::Picture),
        _ => None,
    }
}

fn embedded(stream: &Stream) -> Option<SubtitleInfo> {
    let format = format_of(&stream.codec)?;
    Some(SubtitleInfo {
        id: SubtitleId::Stream(stream.index),
        stream: Some(stream.index),
        format,
        language: stream.language.clone(),
        name: stream.title.clone(),
        default: stream.default,
        forced: stream.forced,
    })
}

/// `Film.en.forced.srt` beside `Film.mkv`.
fn sidecar(film: &Path, path: &Path, number: u32) -> Option<SubtitleInfo> {
    let format = match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "srt" | "vtt" => SubtitleFormat::Text,
        "ass" | "ssa" => SubtitleFormat::Ass,
        _ => return None,
    };
    let film = film.file_stem()?.to_string_lossy().into_owned();
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let words: Vec<&str> = stem.strip_prefix(&film).unwrap_or_default().split('.').filter(|w| !w.is_empty()).collect();
    let is = |word: &str| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    let language = |w: &&&str| matches!(w.len(), 2 | 3) && w.bytes().all(|b| b.is_ascii_alphabetic());
    let language = words.iter().find(language).filter(|w| !w.eq_ignore_ascii_case("sdh"));
    Some(SubtitleInfo {
        id: SubtitleId::Sidecar(number),
        stream: None,
        format,
        language: language.map(|w| w.to_ascii_lowercase()),
        name: is("sdh").then(|| "SDH".to_owned()),
        default: is("default"),
        forced: is("forced"),
    })
}

/// Tracks that were read lately. One may need its whole file read, and is a few hundred KiB at most.
#[derive(Default)]
pub(super) struct Tracks {
    kept: Mutex<VecDeque<((Cid, SubtitleId), Cell)>>,
}

type Cell = Arc<OnceCell<Arc<SubtitleTrack>>>;

/// Tracks kept.
const TRACKS_MAX: usize = 32;

impl Tracks {
    /// The place of a track, to be filled by whoever comes first.
    fn cell(&self, key: (Cid, SubtitleId)) -> Cell {
        let mut kept = self.kept.lock();
        let at = kept.iter().position(|(other, _)| *other == key);
        let entry = at.and_then(|at| kept.remove(at)).unwrap_or_else(|| (key, Cell::default()));
        let cell = Arc::clone(&entry.1);
        kept.push_back(entry);
        if kept.len() > TRACKS_MAX {
            kept.pop_front();
        }
        cell
    }
}

impl Inner {
    /// A track with its cues in the time of the playlists, which begin at zero.
    async fn track(&self, source: &Source, id: SubtitleId) -> Result<Arc<SubtitleTrack>, PlaybackError> {
        let info = subtitle_tracks(source).into_iter().find(|info| info.id == id).ok_or(PlaybackError::NotFound)?;
        if info.format == SubtitleFormat::Picture {
            return Err(PlaybackError::NotFound);
        }
        let cell = self.tracks.cell((source.cid, id));
        cell.get_or_try_init(|| async { self.read_track(source, id).await.map(Arc::new) }).await.cloned()
    }

    async fn read_track(&self, source: &Source, id: SubtitleId) -> Result<SubtitleTrack, PlaybackError> {
        match id {
            SubtitleId::Stream(stream) => {
                let title = self.title(source).await?;
                self.shop.unchanged(source).await?;
                let base = title.index.base_seconds;
                let track = self.shop.media.subtitles(&source.path, stream, base).await?;
                Ok(if title.zero > 0.0 { track.shifted(-title.zero) } else { track })
            }
            SubtitleId::Sidecar(number) => {
                let path = source.sidecars.get(number as usize).ok_or(PlaybackError::NotFound)?.clone();
                let read = tokio::task::spawn_blocking(move || read_sidecar(&path)).await;
                read.map_err(|_| PlaybackError::NotFound)?
            }
        }
    }
}

/// A text file of a sane size; whatever else lies there is not opened for long.
fn read_sidecar(path: &Path) -> Result<SubtitleTrack, PlaybackError> {
    // Without O_NONBLOCK a named pipe would hold the thread until someone writes to it.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::OpenOptions::new().read(true).custom_flags(nonblock).open(path).map_err(BlockError::from)?;
    if !file.metadata().map_err(BlockError::from)?.is_file() {
        return Err(PlaybackError::NotFound);
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes).map_err(BlockError::from)?;
    Ok(SubtitleTrack::parse(&bytes).map_err(|error| MediaError::Unreadable(error.to_string()))?)
}

impl Playback {
    /// A whole track as WebVTT, in the time of the playlists.
    ///
    /// # Errors
    /// [`PlaybackError::NotFound`] also for pictures, [`PlaybackError::Media`].
    pub async fn subtitles_vtt(&self, source: &Source, id: SubtitleId) -> Result<String, PlaybackError> {
        Ok(to_webvtt(&*self.inner.track(source, id).await?))
    }

    /// A whole track as a script with its styles.
    ///
    /// # Errors
    /// As [`Playback::subtitles_vtt`]; [`PlaybackError::NotFound`] also for plain text.
    pub async fn subtitles_ass(&self, source: &Source, id: SubtitleId) -> Result<String, PlaybackError> {
        let track = self.inner.track(source, id).await?;
        if track.format == SubtitleFormat::Ass { Ok(to_ass(&track)) } else { Err(PlaybackError::NotFound) }
    }

    /// The HLS media playlist of a track.
    ///
    /// # Errors
    /// As [`Playback::subtitles_vtt`].
    pub async fn subtitles_playlist(&self, source: &Source, id: SubtitleId) -> Result<String, PlaybackError> {
        self.inner.track(source, id).await?;
        Ok(playlists::texts(source.facts.duration))
    }

    /// Piece `n` of a track in HLS, from 0.
    ///
    /// # Errors
    /// As [`Playback::subtitles_vtt`].
    pub async fn subtitles_piece(&self, source: &Source, id: SubtitleId, n: u64) -> Result<String, PlaybackError> {
        let pieces = pieces(source.facts.duration);
        let piece = usize::try_from(n).ok().and_then(|n| pieces.get(n)).copied();
        let (start, end) = piece.ok_or(PlaybackError::NotFound)?;
        let (track, title) = (self.inner.track(source, id).await?, self.inner.title(source).await?);
        Ok(webvtt_segment(&track, start + title.zero, end + title.zero, title.zero))
    }

    /// The bytes of an attached file.
    ///
    /// # Errors
    /// [`PlaybackError::Media`], and [`PlaybackError::Blocks`] where the file changed.
    pub async fn attachment(&self, source: &Source, stream: u32) -> Result<Bytes, PlaybackError> {
        self.inner.shop.unchanged(source).await?;
        Ok(self.inner.shop.media.attachment(&source.path, stream).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_have_one_name_each() {
        for id in [SubtitleId::Stream(3), SubtitleId::Sidecar(0), SubtitleId::Stream(u32::MAX)] {
            assert_eq!(id.to_string().parse::<SubtitleId>().unwrap(), id);
        }
        for not in ["", "s", "x", "s03", "s-1", "s+1", "v0", "s99999999999", "s1 ", "é1"] {
            assert!(not.parse::<SubtitleId>().is_err(), "{not:?}");
        }
    }

    #[test]
    fn a_name_beside_the_film_tells_language_and_use() {
        let told = |name: &str| sidecar(Path::new("/f/Film (2020).mkv"), &Path::new("/f").join(name), 0);
        let track = told("Film (2020).en.forced.srt").unwrap();
        assert_eq!((track.language.as_deref(), track.forced, track.default), (Some("en"), true, false));
        let track = told("Film (2020).ger.SDH.ass").unwrap();
        assert_eq!((track.language.as_deref(), track.name.as_deref()), (Some("ger"), Some("SDH")));
        assert_eq!(track.format, SubtitleFormat::Ass);
        assert_eq!(told("Film (2020).srt").unwrap().language, None);
        assert_eq!(told("Film (2020).idx"), None);
    }
}
