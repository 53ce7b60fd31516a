//! The state of the node and its carriers.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::libraries::Library;

/// `POST /webrtc`, both ways.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionDescription {
    /// Offer from the page, answer from the node.
    pub sdp: String,
}

/// `GET /webrtc`: what the page needs before it makes an offer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WebRtcSettings {
    pub enabled: bool,
    /// STUN URLs the owner configured; empty by default.
    pub ice_servers: Vec<String>,
    /// Connections a page should keep at most.
    pub connections_max: u32,
}

/// `GET /status`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    pub version: String,
    /// Public key of this node, base32.
    pub node_id: String,
    pub uptime_seconds: u64,
    pub totals: Totals,
    pub libraries: Vec<Library>,
    pub carriers: Vec<Carrier>,
    pub workers: Workers,
    pub hardware: Hardware,
    /// What is transcoded now; for callers that are no admins, of the items they may see.
    pub transcodes: Vec<Transcode>,
    pub storage: Storage,
    pub scrub: Scrub,
    /// Each says what is wrong and what to do.
    pub alerts: Vec<Alert>,
}

/// Of all libraries the caller may see.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    pub items: u64,
    pub files: u64,
    pub bytes: u64,
    pub damaged: u64,
}

/// A way requests reach the node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Carrier {
    /// `http`, `https`, `webrtc`, `iroh`, `libp2p`.
    pub name: String,
    pub enabled: bool,
    /// Address it listens on, or why it does not.
    pub detail: String,
    pub connections: u64,
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Bytes sent in each of the last 60 minutes, oldest first.
    pub history: Vec<u64>,
}

/// The media workers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Workers {
    pub limit: u64,
    pub running: u64,
    pub busy: u64,
    /// Ended by a crash or a limit since start.
    pub failures: u64,
    pub detail: String,
}

/// Hardware transcoding.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Hardware {
    pub used: bool,
    /// What was found, or why it is not used.
    pub detail: String,
    /// Best first; software is the last. Empty until they were looked for.
    pub devices: Vec<crate::media::hardware::DeviceReport>,
}

/// A rendition that is being transcoded for someone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Transcode {
    /// Item id.
    pub item: String,
    pub title: String,
    /// Id of the rendition.
    pub rendition: String,
    /// Who encoded its last segment: `libx264`, `h264_qsv`, `h264_vaapi`, `aac`; absent before the first.
    pub encoder: Option<String>,
    /// Callers that asked for it lately.
    pub viewers: u64,
    /// Segments in the cache.
    pub segments_ready: u64,
    pub segments: u64,
    /// Why it is not done by a better device, or waits.
    pub detail: Option<String>,
}

/// How reading the files again goes on. All 0 for callers that are no admins.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Scrub {
    /// Each file is read again after so many days; absent where that is off.
    pub every_days: Option<u64>,
    /// Title that is read now.
    pub current: Option<String>,
    /// What is due, with what is read now.
    pub due_files: u64,
    pub due_bytes: u64,
    /// What was read since the start.
    pub verified_files: u64,
    pub verified_bytes: u64,
    /// Files that were repaired since the start.
    pub healed_files: u64,
}

/// Sizes on disk, bytes. All 0 for callers that are no admins.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Storage {
    pub catalog: u64,
    pub index: u64,
    pub artwork: u64,
    /// Transcoded segments.
    pub renditions: u64,
    /// What they may take.
    pub renditions_quota: u64,
    /// Pictures for seek bars.
    pub thumbnails: u64,
    /// Published renditions.
    pub published: u64,
    /// Free where the data folder is.
    pub free: u64,
}

/// Something a person should do something about.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// `warning` or `error`.
    pub level: String,
    pub message: String,
    /// What to do.
    pub action: String,
    pub item: Option<String>,
    pub library: Option<String>,
}
