//! Where a file's streams are cut, and what it takes to write one segment: plain values that the worker measures, the
//! node keeps, and the worker is handed back with every request for a segment.
//!
//! All times here are *ticks of the track's own timescale, on the file's shifted time line*: `base_seconds` is already
//! added, so nothing is negative. Equal files give equal values on every node; they are hashed into the rendition's name.
use serde::{Deserialize, Serialize};

use super::fmp4::TrackConfig;

/// How a file's streams are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIndex {
    /// Whole seconds added to every time of the file, so that streams that start before zero can be written. Negative
    /// for recordings that begin at a late hour of their clock.
    pub base_seconds: i64,
    /// The tracks that are played: at most one of video, then audio in file order. Their formats tell whether they can be
    /// repackaged.
    pub tracks: Vec<TrackIndex>,
}

/// How one stream is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackIndex {
    /// Index in the file, as libav counts.
    pub stream: u32,
    /// What the initialisation section says of it.
    pub config: TrackConfig,
    /// First tick of each segment, ascending. For video: the smallest presentation time in the segment.
    pub starts: Vec<i64>,
    /// For video: presentation time of the keyframe each segment starts with, in decoding order. Empty for audio, and
    /// for video whose keyframes are not known: it is cut evenly, and cannot be repackaged.
    pub keys: Vec<i64>,
    /// Tick after the last sample.
    pub end: i64,
    /// For audio that can be repackaged: tick that the grid of frames goes through, and ticks of a frame.
    pub grid: Option<Grid>,
    /// Bits a second of the heaviest segment, or an upper bound of it.
    pub peak_bit_rate: u64,
}

/// The places where audio frames may start: `origin + n * step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// Tick of the first frame.
    pub origin: i64,
    /// Ticks (samples) of a frame.
    pub step: i64,
}

impl Grid {
    /// The grid's tick nearest to `tick`.
    #[must_use]
    pub fn snap(&self, tick: i64) -> i64 {
        let step = self.step.max(1);
        let n = (tick.saturating_sub(self.origin)).saturating_add(step / 2).div_euclid(step);
        self.origin.saturating_add(n.saturating_mul(step))
    }

    /// The first tick of the grid at or after `tick`.
    #[must_use]
    pub fn at_or_after(&self, tick: i64) -> i64 {
        let step = self.step.max(1);
        let n = tick.saturating_sub(self.origin).saturating_add(step - 1).div_euclid(step);
        self.origin.saturating_add(n.saturating_mul(step))
    }
}

/// All that the worker needs to write segment `sequence` of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentPlan {
    /// Index of the stream.
    pub stream: u32,
    /// Number of the segment, from 0.
    pub sequence: u32,
    /// See [`FileIndex::base_seconds`].
    pub base_seconds: i64,
    /// Ticks a second.
    pub timescale: u32,
    /// For audio.
    pub grid: Option<Grid>,
    /// First tick.
    pub start: i64,
    /// First tick of the next segment; of the last one, the track's end.
    pub end: i64,
    /// For video: the keyframe it starts with.
    pub key: i64,
    /// For video: the keyframe the next one starts with.
    pub next_key: Option<i64>,
    /// It is the last one: everything that is left belongs to it.
    pub last: bool,
}

impl FileIndex {
    /// The plan of segment `n` of a track, if it has one.
    #[must_use]
    pub fn plan(&self, track: &TrackIndex, n: usize) -> Option<SegmentPlan> {
        let start = *track.starts.get(n)?;
        let next = track.starts.get(n + 1).copied();
        Some(SegmentPlan {
            stream: track.stream,
            sequence: u32::try_from(n).ok()?,
            base_seconds: self.base_seconds,
            timescale: track.config.timescale,
            grid: track.grid,
            start,
            end: next.unwrap_or(track.end),
            key: track.keys.get(n).copied().unwrap_or(start),
            next_key: track.keys.get(n + 1).copied(),
            last: next.is_none(),
        })
    }
}
