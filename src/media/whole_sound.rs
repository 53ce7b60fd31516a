//! What a worker is asked for when the sound of a whole file is wanted as one stream: for programs that play music, which know
//! files and no segments.
//!
//! The bytes come in pieces while they are made. How many they will be is known beforehand for MP3 alone, whose frames all
//! have one size: [`WholeSound`] says what is made, the worker with its first piece how long it will be.
use serde::{Deserialize, Serialize};

/// What sound is encoded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundCodec {
    /// MPEG-1 Layer III at one bit rate, behind an `Info` frame that tells its length and where the sound begins and ends.
    Mp3,
    /// Opus in Ogg.
    Opus,
    /// AAC-LC in ADTS frames.
    Aac,
}

use SoundCodec::{Aac, Mp3, Opus};

/// Bit rates that MP3 has at 32 to 48 kHz, kilobits a second (ISO 11172-3, 2.4.2.3).
pub const MP3_KBPS: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

impl SoundCodec {
    /// By the name that people and programs use for files of it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mp3" => Some(Mp3),
            "opus" | "ogg" | "oga" => Some(Opus),
            "aac" => Some(Aac),
            _ => None,
        }
    }

    /// What files of it are called, without the dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Mp3 => "mp3",
            Opus => "opus",
            Aac => "aac",
        }
    }

    /// MIME type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Mp3 => "audio/mpeg",
            Opus => "audio/ogg",
            Aac => "audio/aac",
        }
    }

    /// Kilobits a second where nobody says how many.
    #[must_use]
    pub fn usual_kbps(self) -> u32 {
        match self {
            Mp3 => 192,
            Opus => 128,
            Aac => 256,
        }
    }

    /// The highest bit rate that it has and that is not over `kbps`; its lowest where none is.
    #[must_use]
    pub fn kbps_at_most(self, kbps: u32) -> u32 {
        match self {
            Mp3 => MP3_KBPS.into_iter().rev().find(|own| *own <= kbps).unwrap_or(MP3_KBPS[0]),
            Opus => kbps.clamp(16, 320),
            Aac => kbps.clamp(32, 320),
        }
    }

    /// The rate that sound of `rate` Hz is encoded at: its own where it can be, half of one that is too high for the codec, so
    /// that as little as possible is computed anew.
    #[must_use]
    pub fn sample_rate(self, rate: u32) -> u32 {
        match (self, rate) {
            (Opus, _) => 48_000,
            (_, 44_100 | 88_200 | 176_400 | 22_050 | 11_025) => 44_100,
            (_, 32_000) => 32_000,
            _ => 48_000,
        }
    }
}

/// The sound of a whole file, decoded and encoded anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeSound {
    /// Index of the audio stream.
    pub stream: u32,
    /// What it becomes.
    pub codec: SoundCodec,
    /// Kilobits a second: one that [`SoundCodec::kbps_at_most`] gives.
    pub kbps: u32,
    /// Milliseconds that are left out at the beginning.
    pub offset_ms: u64,
}

/// The longest sound that is made, seconds. What claims to be longer has no end.
pub const SECONDS_MAX: u64 = 48 * 3600;

/// One piece of what is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of all pieces together, where they are known beforehand. They will be exactly as many.
    pub length: Option<u64>,
    /// The bytes after those of the piece before.
    pub bytes: bytes::Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_rate_is_one_that_the_codec_has_and_not_over_what_was_asked() {
        assert_eq!([1, 32, 100, 128, 191, 999].map(|k| Mp3.kbps_at_most(k)), [32, 32, 96, 128, 160, 320]);
        assert_eq!([1, 96, 999].map(|k| Opus.kbps_at_most(k)), [16, 96, 320]);
        assert_eq!([1, 96, 999].map(|k| Aac.kbps_at_most(k)), [32, 96, 320]);
    }

    #[test]
    fn the_rate_stays_where_the_codec_has_it() {
        assert_eq!([44_100, 48_000, 32_000].map(|r| Mp3.sample_rate(r)), [44_100, 48_000, 32_000]);
        assert_eq!([88_200, 96_000, 192_000, 8_000].map(|r| Aac.sample_rate(r)), [44_100, 48_000, 48_000, 48_000]);
        assert_eq!([44_100, 8_000].map(|r| Opus.sample_rate(r)), [48_000, 48_000]);
    }

    #[test]
    fn every_codec_is_found_by_its_own_suffix() {
        for codec in [Mp3, Opus, Aac] {
            assert_eq!(SoundCodec::named(codec.suffix()), Some(codec));
            assert_eq!(codec.kbps_at_most(codec.usual_kbps()), codec.usual_kbps());
        }
        assert_eq!(SoundCodec::named("../mp3"), None);
    }
}
