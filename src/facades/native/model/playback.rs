//! How items play: renditions, segments, subtitles, pictures for seeking, publishing.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What a client can play, in the query of `GET /items/{id}`, `/items/{id}/renditions` and
/// `/items/{id}/hls/master.m3u8`. Absent means what every browser plays: H.264, AAC, standard range, stereo.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CapabilityQuery {
    /// Video codecs, separated by commas: `h264`, `hevc`, `vp8`, `vp9`, `av1`. Others are ignored.
    pub video: Option<String>,
    /// Audio codecs, separated by commas: `aac`, `flac`, `opus`, `mp3`, `ac3`, `eac3`. Others are ignored.
    pub audio: Option<String>,
    /// It shows high dynamic range.
    pub hdr: Option<bool>,
    /// Channels that it plays at most, 1 to 16.
    pub channels: Option<u32>,
    /// Lines of picture that are of use to it; the smallest rung stays.
    pub height: Option<u32>,
    /// Bits a second that it can receive; the smallest rung stays.
    pub bit_rate: Option<u64>,
    /// Index of a picture subtitle stream to be drawn into the film.
    pub burn: Option<u32>,
}

/// How a file reaches a player, and why so.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PlaybackDecision {
    pub method: PlaybackMethod,
    /// One sentence for people: "the video is transcoded because it is HEVC, which this player does not play".
    pub reason: String,
}

/// See [`PlaybackDecision`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlaybackMethod {
    /// The original file.
    Direct,
    /// Repackaged as HLS, not re-encoded.
    Copy,
    /// The video is repackaged, the sound is transcoded.
    Audio,
    /// The video is transcoded.
    Transcode,
    /// There is nothing in it that can be played.
    Unsupported,
}

/// `GET /items/{id}/renditions`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Renditions {
    pub decision: PlaybackDecision,
    /// Of the film: the best first, then its sounds.
    pub renditions: Vec<Rendition>,
}

/// One playable form of one stream.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Rendition {
    /// Part of URLs: `v0`, `v0-1080`, `v0-1080-b3`, `a1`, `a1-aac2`.
    pub id: String,
    /// `video` or `audio`.
    pub kind: crate::media::StreamKind,
    pub method: RenditionMethod,
    /// RFC 6381.
    pub codecs: String,
    pub language: Option<String>,
    pub name: Option<String>,
    /// The track that plays unless another is chosen.
    pub default: bool,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Frames a second.
    pub frame_rate: Option<f64>,
    /// Of a video.
    pub video_range: Option<VideoRange>,
    /// Of a sound.
    pub channels: Option<u32>,
    /// Bits a second of the heaviest segment.
    pub bit_rate: u64,
    /// CID of its descriptor. Of a copy it names the rendition on every node that holds the file; of a transcoded one,
    /// on this node.
    pub descriptor: String,
    /// Segments it has.
    pub segments: u64,
    /// Seconds.
    pub duration: f64,
    /// The initialisation section; of transcoded renditions at `/items/{id}/renditions/{rendition}/init`.
    pub init: Option<SegmentBlocks>,
}

/// See [`Rendition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RenditionMethod {
    /// Not re-encoded.
    Copy,
    /// Decoded and encoded anew.
    Transcode,
}

/// `VIDEO-RANGE` of a rendition (RFC 8216bis).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum VideoRange {
    /// Standard dynamic range.
    Sdr,
    /// SMPTE ST 2084.
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

/// Query of `GET /items/{id}/sound`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SoundQuery {
    /// `mp3`, which is the default, `opus` or `aac`.
    pub format: Option<String>,
    /// Kilobits a second, 1 to 10000: the next lower one that the format has is taken. Without it 192, 128 or 256.
    pub bitrate: Option<u32>,
    /// Seconds that are left out at the beginning.
    pub offset: Option<f64>,
    /// With `Content-Length` where the length is known before the sound is made: of most MP3.
    pub length: Option<bool>,
}

/// Query of `GET /items/{id}/renditions/{r}/segments`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SegmentQuery {
    /// First segment wanted. It is made if needed.
    pub from: u64,
    /// 1 to 32, default 4. Of a transcoded rendition, those after the first are told only where they are ready.
    pub count: Option<u64>,
}

/// One segment of a rendition.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    pub n: u64,
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub duration: f64,
    #[serde(flatten)]
    pub content: SegmentBlocks,
    /// `copy`, or who encoded it: `libx264`, `h264_qsv`, `h264_vaapi`, `aac`.
    pub encoder: String,
    /// Who holds it: `node` for this one.
    pub sources: Vec<String>,
}

/// A piece of content and the blocks that make it up, in order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SegmentBlocks {
    /// UnixFS root.
    pub cid: String,
    /// Bytes.
    pub size: u64,
    /// Raw leaves, at most 1 MiB each, in order.
    pub blocks: Vec<BlockRef>,
}

/// A block to fetch and check.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BlockRef {
    pub cid: String,
    /// Bytes.
    pub size: u64,
}

/// `GET /items/{id}/subtitles`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Subtitles {
    /// Those in the file in its order, then those beside it.
    pub tracks: Vec<SubtitleTrack>,
    /// Fonts that the file brings for its styled subtitles.
    pub fonts: Vec<Font>,
}

/// One subtitle track.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SubtitleTrack {
    /// Part of URLs: `s3` in the file, `x0` beside it.
    pub id: String,
    /// Index in the file, of those in it.
    pub stream: Option<u32>,
    pub format: crate::media::subtitles::SubtitleFormat,
    /// ISO 639.
    pub language: Option<String>,
    pub name: Option<String>,
    pub default: bool,
    pub forced: bool,
    /// Path of the whole track as WebVTT; absent for pictures.
    pub vtt: Option<String>,
    /// Path of the whole track as ASS, where it is one.
    pub ass: Option<String>,
    /// What `burn` must say to have it drawn into the film; only of pictures.
    pub burn: Option<u32>,
}

/// A font in a file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Font {
    pub name: String,
    pub url: String,
}

/// `GET /items/{id}/thumbnails`: small pictures for the seek bar, side by side in sprites.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Thumbnails {
    pub state: ThumbnailState,
    /// Pixels of one picture.
    pub width: u32,
    /// Pixels of one picture.
    pub height: u32,
    /// Pictures in a row of a sprite.
    pub columns: u32,
    /// Rows of a full sprite.
    pub rows: u32,
    /// Seconds from one picture to the next; the first is at 0.
    pub interval: f64,
    /// Paths, in order; those that are ready.
    pub sprites: Vec<String>,
}

/// See [`Thumbnails`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThumbnailState {
    /// All are there.
    Ready,
    /// They will be.
    Making,
    /// There will be none: it has no pictures, or they are switched off.
    None,
}

/// `POST /items/{id}/publish` (admin).
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Publish {
    /// Ids of renditions, subtitles too (`s3`, `x0`); empty for the best rung, all sounds and all text subtitles.
    #[serde(default)]
    pub renditions: Vec<String>,
}

/// A line of the answer to `POST /items/{id}/publish`: how far it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct PublishProgress {
    /// Pieces that are written.
    pub done: u64,
    pub total: u64,
    /// Bytes written.
    pub bytes: u64,
    /// The rendition that is being made.
    pub rendition: Option<String>,
    /// Root CID of the folder; on the last line.
    pub root: Option<String>,
    /// Path below this node of its playlist; on the last line.
    pub playlist: Option<String>,
    /// Why it ended early; then it is the last line.
    pub problem: Option<String>,
}
