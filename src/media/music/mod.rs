//! What a music file is and what it says of itself: format, length, tags, embedded pictures, lyrics; and what can be
//! read beside it: `.lrc` files, playlists, and the names of files and folders where tags are missing.
//!
//! Pure and synchronous. Bytes are read by position from a file that the caller has opened; no path is ever opened here.
//! Memory is bounded by [`Limits`], whatever the file says of itself, and damaged tags give what can still be read of
//! them. Formats that are not read here are told apart, for other parts to read ([`OtherFormat`]).
//!
//! ```text
//! file -> id3, tags (dialects) -> Bag (one set of names) -> Told
//!                              -> pictures
//! .lrc -> lrc -> Lyrics      .m3u -> m3u -> Playlist      path -> names -> Named
//! ```
mod artists;
mod bag;
mod contributors;
mod dates;
mod error;
mod format;
mod gain;
pub mod genres;
#[cfg(test)]
mod hostile;
mod id3;
mod lrc;
mod lyrics;
mod m3u;
mod names;
mod pictures;
#[cfg(test)]
mod samples;
mod source;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tagged;
mod tags;
mod text;
mod told;

use std::fs::File;

use serde::{Deserialize, Serialize};

pub use artists::Artist;
pub use contributors::Contributor;
pub use error::MusicError;
pub use format::{Codec, Container, Format, OtherFormat};
pub use gain::ReplayGain;
pub use lrc::parse as parse_lrc;
pub use lyrics::{Line, Lyrics};
pub use m3u::{
    Entry as PlaylistEntry, Place as PlaylistPlace, Playlist, PlaylistError, PlaylistLimits, parse as parse_m3u,
};
pub use names::{Named, is_disc_folder, of_path as named_by_path};
pub use pictures::{Picture, PictureKind, PictureType, best_front};
pub use told::{Explicit, MusicBrainz, Told};

/// How much of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an ID3 tag; what lies behind them is not seen. Default 40 MiB.
    pub tag_bytes: u64,
    /// Bytes taken from the disk in one attempt, beside those of ID3 tags; the file then looks as if it ended. Default
    /// 64 MiB.
    pub read_bytes: u64,
    /// Bytes of one picture; a larger one is left out. Default 32 MiB.
    pub picture_bytes: u64,
    /// Bytes of one set of lyrics or of a comment, which are cut there. Default 64 KiB.
    pub lyrics_bytes: usize,
    /// Characters of any other text, which is cut there. Default 1,000.
    pub text_chars: usize,
    /// Values of one kind, such as genres, and pictures. Default 100.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            tag_bytes: 40 * MIB,
            read_bytes: 64 * MIB,
            picture_bytes: 32 * MIB,
            lyrics_bytes: 64 * 1024,
            text_chars: 1000,
            values: 100,
        }
    }
}

/// Everything that is found out about a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Music {
    /// Container and codec.
    pub format: Format,
    /// Seconds; 0 where the file does not tell.
    pub duration: f64,
    /// kbit/s of the sound, or of the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_rate: Option<u32>,
    /// Hz; 48,000 for Opus, whatever it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Bits of a sample, for lossless sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<u8>,
    /// Speakers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u16>,
    /// What its tags say.
    #[serde(default)]
    pub told: Told,
    /// Those that are embedded, in the order of [`picture`]'s index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
}

/// Finds out what a music file is and says. `name` is the file's, for its ending: needed only where its first bytes do
/// not tell what it is.
///
/// # Errors
/// [`MusicError`]: `NotMusic`; `NeedsOther` with the format; `Broken` for one in which no sound is found; `Io`. Tags that
/// cannot be read are no error: they are missing in [`Music::told`].
pub fn inspect(file: &File, name: &str, limits: &Limits) -> Result<Music, MusicError> {
    let read = tags::read(file, name, limits)?;
    let sound = read.sound;
    Ok(Music {
        format: sound.format,
        duration: sound.duration,
        bit_rate: sound.bit_rate,
        sample_rate: sound.sample_rate,
        bit_depth: sound.bit_depth,
        channels: sound.channels,
        told: Told::of(read.bag, limits),
        pictures: read.pictures.iter().map(pictures::Embedded::picture).collect(),
    })
}

/// The bytes of one embedded picture: that at `index` in [`Music::pictures`], or [`best_front`]'s choice. `None` where
/// there is no such picture.
///
/// # Errors
/// As of [`inspect`]; `TooLarge` for one that exceeds these limits.
pub fn picture(
    file: &File,
    name: &str,
    index: Option<usize>,
    limits: &Limits,
) -> Result<Option<(PictureType, Vec<u8>)>, MusicError> {
    let mut embedded = tags::read(file, name, limits)?.pictures;
    let listed: Vec<Picture> = embedded.iter().map(pictures::Embedded::picture).collect();
    let Some(index) = index.or_else(|| best_front(&listed)).filter(|index| *index < embedded.len()) else {
        return Ok(None);
    };
    let bytes = embedded.swap_remove(index).bytes;
    let size = bytes.len() as u64;
    if size > limits.picture_bytes {
        return Err(MusicError::TooLarge { what: "the picture", bytes: size, max: limits.picture_bytes });
    }
    Ok(Some((PictureType::of(&bytes), bytes)))
}
