//! What is known of a media file: plain values, stored as JSON in the catalog and sent as JSON to players.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::subtitles::SubtitleFormat;

/// Everything the worker's probe tells of one file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = MediaFacts)]
pub struct Facts {
    /// Container family, lower case: `mp4`, `matroska`, `webm`, `mpegts`, `avi`, ...; of a book `zip`, `epub`, ...
    pub container: String,
    /// Seconds.
    pub duration: f64,
    /// Of the whole file, bits a second.
    pub bit_rate: u64,
    /// The container's own title tag, if any.
    pub title: Option<String>,
    /// In file order.
    pub streams: Vec<Stream>,
    /// In time order.
    pub chapters: Vec<Chapter>,
    /// Of a book: how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
}

/// What a stream carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// Text or picture subtitles.
    Subtitle,
    /// Fonts, cover pictures, data.
    #[default]
    Attachment,
}

/// How a video stream exceeds standard dynamic range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HdrFormat {
    /// SMPTE ST 2084 transfer (HDR10 and its kin).
    Pq,
    /// ARIB STD-B67 hybrid log-gamma.
    Hlg,
    /// Dolby Vision configuration present.
    DolbyVision,
}

/// One elementary stream. Fields that do not apply to its kind are absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stream {
    /// Index in the file, as libav counts.
    pub index: u32,
    /// What it carries.
    pub kind: StreamKind,
    /// libav's codec name: `h264`, `hevc`, `aac`, `subrip`, ...
    pub codec: String,
    /// RFC 6381 codec string (`avc1.640028`, `mp4a.40.2`) where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec_string: Option<String>,
    /// Codec profile as libav names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// ISO 639-2 code as the file gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Name given to the track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Marked to be chosen by default.
    #[serde(default)]
    pub default: bool,
    /// Marked to be shown always (forced subtitles).
    #[serde(default)]
    pub forced: bool,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Frames a second, average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<f64>,
    /// Bits a colour component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<u32>,
    /// Absent for standard dynamic range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hdr: Option<HdrFormat>,
    /// Audio channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
    /// Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Bits a second, where the file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_rate: Option<u64>,
    /// How colour is sampled: `4:2:0`, `4:2:2`, `4:4:4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chroma: Option<String>,
    /// Pictures are made of two fields.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interlaced: bool,
    /// Details of high dynamic range, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hdr_details: Option<HdrDetails>,
    /// Name of the channels' layout as libav has it: `stereo`, `5.1(side)`, `7.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_layout: Option<String>,
    /// What kind of subtitles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitles: Option<SubtitleFormat>,
    /// Name of an attached file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Media type of an attached file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// What a stream of high dynamic range says of the screen it was made on, and of itself. What it does not say is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HdrDetails {
    /// Candela a square metre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_luminance: Option<f64>,
    /// Candela a square metre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_luminance: Option<f64>,
    /// Of the brightest pixel, candela a square metre (MaxCLL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_content_light: Option<u32>,
    /// Of the brightest picture on average, candela a square metre (MaxFALL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_average_light: Option<u32>,
    /// Profile of Dolby Vision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dolby_profile: Option<u8>,
    /// What the base layer of Dolby Vision is to players that do not know it: 0 nothing, 1 HDR10, 2 SDR, 4 HLG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dolby_compatibility: Option<u8>,
}

/// A named span of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Chapter {
    /// Seconds from the start.
    pub start: f64,
    /// Seconds from the start.
    pub end: f64,
    /// Its name, if it has one.
    pub title: Option<String>,
}
