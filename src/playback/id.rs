//! The names of renditions: typed, with one spelling for each, so that nothing else of a URL ever reaches a plan, a path or
//! a recipe (`docs/formats.md`, "Renditions").
use std::fmt;
use std::str::FromStr;

use super::PlaybackError;

/// Names a playable form of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RenditionId {
    /// `v0`: the pictures as they are.
    Film(u32),
    /// `v0-720`, `v0-720-b3`: H.264 of so many lines, with a picture subtitle stream drawn in.
    Rung {
        /// Index of the video stream.
        stream: u32,
        /// Lines; see [`lines`](crate::media::decide::lines).
        lines: u32,
        /// Index of a picture subtitle stream.
        burn: Option<u32>,
    },
    /// `a1`: the sound as it is.
    Sound(u32),
    /// `a1-aac2`, `a1-aac2-96`: AAC with so many channels.
    Aac {
        /// Index of the audio stream.
        stream: u32,
        /// 1, 2 or 6.
        channels: u16,
        /// Kilobits a second, where it is not as many as usual.
        kbps: Option<u32>,
    },
}

impl RenditionId {
    /// Index of the stream it is made of.
    #[must_use]
    pub fn stream(&self) -> u32 {
        match self {
            Self::Film(stream) | Self::Sound(stream) | Self::Rung { stream, .. } | Self::Aac { stream, .. } => *stream,
        }
    }

    /// It is decoded and encoded anew.
    #[must_use]
    pub fn is_transcoded(&self) -> bool {
        matches!(self, Self::Rung { .. } | Self::Aac { .. })
    }

    /// It is pictures.
    #[must_use]
    pub fn is_film(&self) -> bool {
        matches!(self, Self::Film(_) | Self::Rung { .. })
    }
}

impl fmt::Display for RenditionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Film(stream) => write!(f, "v{stream}"),
            Self::Rung { stream, lines, burn: None } => write!(f, "v{stream}-{lines}"),
            Self::Rung { stream, lines, burn: Some(burn) } => write!(f, "v{stream}-{lines}-b{burn}"),
            Self::Sound(stream) => write!(f, "a{stream}"),
            Self::Aac { stream, channels, kbps: None } => write!(f, "a{stream}-aac{channels}"),
            Self::Aac { stream, channels, kbps: Some(kbps) } => write!(f, "a{stream}-aac{channels}-{kbps}"),
        }
    }
}

impl FromStr for RenditionId {
    type Err = PlaybackError;

    fn from_str(text: &str) -> Result<Self, PlaybackError> {
        read(text).filter(|id| id.to_string() == text).ok_or(PlaybackError::NotFound)
    }
}

/// Also reads other spellings (`v00`), which the caller tells by writing the name again.
fn read(text: &str) -> Option<RenditionId> {
    let mut words = text.split('-');
    let first = words.next()?;
    let (second, third) = (words.next(), words.next());
    if words.next().is_some() {
        return None;
    }
    let number = |text: &str| text.parse::<u32>().ok();
    if let Some(stream) = first.strip_prefix('v').and_then(number) {
        let burn = third.map(|word| word.strip_prefix('b').and_then(number));
        return match (second, burn) {
            (None, _) => Some(RenditionId::Film(stream)),
            (Some(lines), None) => Some(RenditionId::Rung { stream, lines: number(lines)?, burn: None }),
            (Some(lines), Some(burn)) => Some(RenditionId::Rung { stream, lines: number(lines)?, burn: Some(burn?) }),
        };
    }
    let stream = first.strip_prefix('a').and_then(number)?;
    let Some(channels) = second else { return Some(RenditionId::Sound(stream)) };
    let channels = channels.strip_prefix("aac")?.parse().ok()?;
    match third {
        None => Some(RenditionId::Aac { stream, channels, kbps: None }),
        Some(kbps) => Some(RenditionId::Aac { stream, channels, kbps: Some(number(kbps)?) }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["v0", "v12-720", "v0-1080-b3", "a1", "a1-aac2", "a1-aac2-96", "a4294967295-aac6"] {
            assert_eq!(name.parse::<RenditionId>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn anything_else_is_not_found() {
        for not in [
            "",
            "v",
            "x0",
            "v-1",
            "v00",
            "v0-",
            "v0-0720",
            "v0-720-",
            "v0-720-3",
            "v0-720-b",
            "v0-720-b3-b4",
            "a1-2",
            "a1-aac02",
            "a1-aac",
            "a1-mp32",
            "../v0",
            "v0\0",
            "v0-720:b=1",
            "v4294967296",
            "a1-aac2-b3",
            "a1-aac2-096",
            "a1-aac2-96-1",
            "a1--96",
            "v0-+720",
        ] {
            assert!(not.parse::<RenditionId>().is_err(), "{not:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_has_one_spelling(text in "[va][0-9]{0,2}(-(aac)?[0-9]{0,5})?(-b?[0-9]{0,2})?") {
            if let Ok(id) = text.parse::<RenditionId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_a_name_or_not_found(text in ".{0,20}") {
            let _ = text.parse::<RenditionId>();
        }
    }
}
