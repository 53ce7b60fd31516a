//! What a transcoding worker is asked for: plain values, typed from end to end, so that nothing of a request ever becomes
//! part of a command line or a filter's text unread.
//!
//! A plan describes one segment wholly: the worker that makes it needs none of the segments before it. Times are ticks of
//! `timescale` on the file's shifted time line, as in [`super::timeline`].
use serde::{Deserialize, Serialize};

use super::hardware::Device;

/// One segment of pictures, decoded and encoded anew as H.264.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PicturePlan {
    /// Index of the video stream.
    pub stream: u32,
    /// Number of the segment, from 0.
    pub sequence: u32,
    /// See [`super::timeline::FileIndex::base_seconds`].
    pub base_seconds: i64,
    /// Ticks a second, of the plan and of the segment.
    pub timescale: u32,
    /// A keyframe at or before `start` from which decoding can begin, where the index knows one; else the worker seeks.
    pub key: Option<i64>,
    /// First tick: pictures shown before it are decoded and dropped.
    pub start: i64,
    /// First tick of the next segment.
    pub end: i64,
    /// It is the last one: every picture that is left belongs to it.
    pub last: bool,
    /// What to make of the pictures.
    pub format: PictureFormat,
    /// Who does it.
    pub device: Device,
    /// Threads that decoding and encoding may use each. Part of the plan because the encoder's bytes depend on it.
    pub threads: u32,
}

/// What the pictures of a rendition are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PictureFormat {
    /// Pixels, even, square, upright.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// Bits a second on average; the heaviest second has at most one and a half times as much.
    pub bit_rate: u64,
    /// Frames a second at most; `None` keeps every picture. Streams of 100 and 120 are halved for weak clients.
    pub frame_rate_max: Option<f64>,
    /// High dynamic range is mapped to BT.709.
    pub tone_map: bool,
    /// Index of the picture subtitle stream that is drawn into the pictures.
    pub burn: Option<u32>,
    /// H.264 level times ten (`40` for 4.0): fixed in advance, because the playlist tells it before anything is encoded.
    pub level: u32,
}

/// One segment of sound, decoded and encoded anew as AAC-LC. Its times are samples at `sample_rate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundPlan {
    /// Index of the audio stream.
    pub stream: u32,
    /// Number of the segment, from 0.
    pub sequence: u32,
    /// See [`super::timeline::FileIndex::base_seconds`].
    pub base_seconds: i64,
    /// First sample, on the grid of 1024 that goes through 0.
    pub start: i64,
    /// First sample of the next segment, on the same grid.
    pub end: i64,
    /// It is the last one.
    pub last: bool,
    /// What to make of it.
    pub format: SoundFormat,
}

/// What the sound of a rendition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundFormat {
    /// Hz: the source's where AAC can carry it, else 48,000.
    pub sample_rate: u32,
    /// 1, 2 or 6 (5.1).
    pub channels: u16,
    /// Bits a second.
    pub bit_rate: u64,
}

/// Samples of an AAC frame.
pub const AAC_FRAME: i64 = 1024;

/// Pictures of a film at some times, small, side by side in one JPEG.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpritePlan {
    /// Seconds from the film's beginning, ascending; for each the keyframe at or before it is taken. At most
    /// [`SpritePlan::PICTURES_MAX`].
    pub times: Vec<f64>,
    /// Pixels of one picture, even.
    pub width: u32,
    /// Pixels of one picture, even.
    pub height: u32,
    /// Pictures in a row; as many rows as are needed.
    pub columns: u32,
}

impl SpritePlan {
    /// Pictures of one sprite.
    pub const PICTURES_MAX: usize = 100;
}

/// What a transcoding worker made.
#[derive(Clone)]
pub struct Transcoded {
    /// `moof` and `mdat`.
    pub bytes: bytes::Bytes,
    /// Who encoded it: `libx264`, `h264_qsv`, `h264_vaapi`, `aac`.
    pub encoder: String,
}

impl std::fmt::Debug for Transcoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of {}", self.bytes.len(), self.encoder)
    }
}
