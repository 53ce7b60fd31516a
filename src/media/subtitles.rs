//! Subtitles as plain values: what the worker takes out of a file, or a parser out of a file beside it.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the cues of a track are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubtitleFormat {
    /// Plain text with little or no styling: SubRip, WebVTT, MP4 timed text.
    Text,
    /// Advanced SubStation Alpha, with its styles.
    Ass,
    /// Pictures (PGS, VobSub): can only be drawn into the film.
    Picture,
}

/// A whole track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtitleTrack {
    /// What the cues are.
    pub format: SubtitleFormat,
    /// For ASS: everything before the events (script info, styles, the events' format line).
    pub header: String,
    /// In time order.
    pub cues: Vec<Cue>,
}

/// A line or picture on the screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cue {
    /// Seconds on the file's shifted time line, as the segments count.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// WebVTT cue text; for ASS the event's fields from `Layer` on, without its times.
    pub text: String,
}
