//! Devices that decode and encode: what the worker's probe found, and which one a stream is given to.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who transcodes a segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Device {
    /// The processor: always there.
    Software,
    /// Intel Quick Sync on this render node (`/dev/dri/renderD128`).
    Qsv(String),
    /// VAAPI on this render node, or on an X display (`:1`).
    Vaapi(String),
}

/// The interface through which a device is used, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceApi {
    /// Intel Quick Sync Video (oneVPL).
    Qsv,
    /// Video Acceleration API.
    Vaapi,
    /// libx264 and the processor.
    Software,
}

/// What a device can do, found by doing it: opening it and encoding ten frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceReport {
    /// How it is used.
    pub api: DeviceApi,
    /// Render node or display; empty for software.
    pub path: String,
    /// As its driver calls itself.
    pub name: String,
    /// Codecs it decodes (`h264`, `hevc`, `vp9`, `av1`, `mpeg2video`, `vc1`).
    pub decode: Vec<String>,
    /// Codecs it encodes.
    pub encode: Vec<String>,
    /// It scales pictures in its own memory.
    pub scale: bool,
    /// It maps high dynamic range to standard.
    pub tone_map: bool,
    /// Why it is not used, and what to do, for people; absent for what is used.
    pub problem: Option<String>,
}
