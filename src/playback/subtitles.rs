//! Which subtitles a file has, in it and beside it, and their cues.
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use bytes::Bytes;

use super::{Playback, PlaybackError, Source};
use crate::media::StreamKind;
use crate::media::facts::Stream;
use crate::media::subtitles::SubtitleFormat;

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

impl Playback {
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
