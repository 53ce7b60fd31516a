//! The JSON shapes of the native API, the one description that OpenAPI and the page's TypeScript are made from.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::catalog::{ItemKind, ItemState, LibraryKind, LibraryState, Progress, Visibility};
use crate::media::{Chapter, Stream};

/// Body of every refusal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable word for programs: `not_found`, `invalid`, `unauthenticated`, `forbidden`, `conflict`, `rate_limited`, ...
    pub error: String,
    /// One sentence for people: what happened and what to do.
    pub message: String,
}

/// `POST /login`.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// Not case-sensitive.
    pub username: String,
    /// In the clear: TLS or the owner's proxy protects it.
    pub password: String,
}

/// Who is signed in: `GET /account`, and the answer to `POST /login`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// UUID.
    pub id: String,
    /// As shown.
    pub name: String,
    /// May change libraries, accounts and settings, and sees paths.
    pub admin: bool,
    /// Libraries it may see; absent for all of them.
    pub libraries: Option<Vec<String>>,
    /// Bits a second that a film may have for it, picture and sound; absent without a limit.
    pub max_bit_rate: Option<u64>,
}

/// `POST /accounts` (admin).
#[derive(Deserialize, ToSchema)]
pub struct NewAccount {
    /// 1 to 64 characters.
    pub name: String,
    /// At least 8 characters.
    pub password: String,
    #[serde(default)]
    pub admin: bool,
    /// Absent: all libraries.
    pub libraries: Option<Vec<String>>,
    /// Bits a second at most; absent: no limit.
    pub max_bit_rate: Option<u64>,
}

/// `PATCH /accounts/{id}` (admin). What is absent stays as it is.
#[derive(Default, Deserialize, ToSchema)]
pub struct AccountChange {
    pub name: Option<String>,
    /// Signs the account out everywhere and revokes its API keys.
    pub password: Option<String>,
    /// The last admin stays one.
    pub admin: Option<bool>,
    /// `null` for all libraries.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub libraries: Option<Option<Vec<String>>>,
    /// `null` for no limit.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u64>)]
    pub max_bit_rate: Option<Option<u64>>,
}

/// Tells `null` from absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// `POST /items/{id}/verify` (admin): what reading the whole file again showed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// Absent where every block is right (now).
    pub problem: Option<String>,
    /// Present where it was damaged and was repaired.
    pub healed: Option<Healed>,
}

/// How a file was repaired.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Healed {
    /// Blocks that were wrong.
    pub blocks: u64,
    /// Names of the friends whose nodes gave them; empty where another copy here did.
    pub friends: Vec<String>,
}

/// `PUT /account/password`: of the caller.
#[derive(Deserialize, ToSchema)]
pub struct NewPassword {
    /// The one until now.
    pub old: String,
    /// At least 8 characters. Other sessions end, and API keys are revoked.
    pub new: String,
}

/// A refused call: `GET /audit` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditLine {
    /// Unix milliseconds.
    pub at: i64,
    /// Name of the account, or the name that was tried.
    pub account: Option<String>,
    /// Where it came from.
    pub address: String,
    pub method: String,
    pub path: String,
    /// HTTP status of the refusal.
    pub status: u16,
    /// Why, in a stable word.
    pub reason: String,
}

/// Query of `GET /audit`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// 1 to 1000, default 100.
    pub limit: Option<u32>,
}

/// `POST /api-keys`.
#[derive(Deserialize, ToSchema)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
}

/// `GET /api-keys`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub used_at: Option<i64>,
    /// The secret: only in the answer to `POST`, never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// `GET /libraries`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Library {
    pub id: String,
    pub name: String,
    pub kind: LibraryKind,
    pub visibility: Visibility,
    pub state: LibraryState,
    /// Only for admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Playable items.
    pub items: u64,
    pub bytes: u64,
    /// Unix milliseconds of the last finished scan.
    pub scanned_at: Option<i64>,
    /// The scan that runs now.
    pub scan: Option<ScanProgress>,
    /// Whose it is; absent for this node's own.
    pub friend: Option<Holder>,
}

/// A friend whose node holds something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holder {
    pub id: String,
    pub name: String,
    /// Its node is there now.
    pub online: bool,
}

/// Who holds an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ItemSource {
    /// Absent for this node.
    pub friend: Option<Holder>,
    /// The id it is asked for by: each holder has given its own.
    pub item: String,
    pub state: ItemState,
    /// Root CID of its file; where it is another than the item's, the film is the same but the bytes are not.
    pub cid: Option<String>,
}

/// `POST /libraries` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewLibrary {
    pub name: String,
    pub kind: LibraryKind,
    /// Absolute folder on the node's machine.
    pub path: String,
    /// Default `private`.
    pub visibility: Option<Visibility>,
}

/// `PATCH /libraries/{id}` (admin). What is absent stays as it is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct LibraryChange {
    pub name: Option<String>,
    pub visibility: Option<Visibility>,
    /// Where the same files are now, absolute.
    pub path: Option<String>,
}

/// How far a scan is; also the payload of the `scan` event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ScanProgress {
    pub library: String,
    pub state: ScanState,
    pub files_total: u64,
    pub files_done: u64,
    pub bytes_total: u64,
    pub bytes_done: u64,
    pub added: u64,
    pub changed: u64,
    pub moved: u64,
    pub trashed: u64,
    /// Files that could not be read or understood.
    pub problems: u64,
    /// Name of the file being read, without its folder.
    pub current: Option<String>,
}

/// See [`ScanProgress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScanState {
    /// Waits for another scan.
    Queued,
    /// Walks the folder.
    Listing,
    /// Reads and hashes.
    Importing,
    /// Finished.
    Done,
    /// Ended early; what was imported stays.
    Failed,
}

/// Query of `GET /changes`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// `next` of the last answer; absent to begin.
    pub since: Option<String>,
    /// Entries of the answer at most, 1 to 1000, default 500.
    pub limit: Option<usize>,
    /// Seconds to wait where nothing is new, 0 to 60, default 0.
    pub wait: Option<u64>,
}

/// Query of `GET /items`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ItemQuery {
    /// Only of this library.
    pub library: Option<String>,
    /// Only of this kind. Without it: everything playable (no shows).
    pub kind: Option<ItemKind>,
    /// Only episodes of this show.
    pub show: Option<String>,
    /// Words that the title must hold (prefixes match, accents and case do not matter).
    pub q: Option<String>,
    /// `title` (default), `-added`, `year`, `-year`, `duration`, `-watched` (last watched first).
    pub sort: Option<String>,
    /// `started` (begun, not finished), `completed`, `unwatched`: of the caller.
    pub progress: Option<String>,
    /// Only titles that sort at or after this letter (letter jump).
    pub from: Option<String>,
    /// From the last page's `next`.
    pub cursor: Option<String>,
    /// 1 to 500, default 50.
    pub limit: Option<u32>,
}

/// `GET /items`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ItemPage {
    pub items: Vec<ItemSummary>,
    /// Pass as `cursor` for the next page; absent on the last.
    pub next: Option<String>,
    /// Of the whole answer; only on the first page.
    pub total: Option<u64>,
}

/// An item as a list shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemSummary {
    pub id: String,
    pub library: String,
    pub kind: ItemKind,
    pub state: ItemState,
    pub title: String,
    pub year: Option<i32>,
    /// Id of an episode's show.
    pub show: Option<String>,
    pub show_title: Option<String>,
    pub season: Option<i32>,
    pub episode: Option<i32>,
    pub episode_end: Option<i32>,
    /// For a show.
    pub episodes: Option<u64>,
    /// Seconds.
    pub duration: Option<f64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub hdr: Option<crate::media::HdrFormat>,
    /// Root CID of its file.
    pub cid: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Path of its picture on this node; absent where there is none.
    pub poster: Option<String>,
    pub progress: Option<Progress>,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Whose node plays it; absent for this node's own. Where that friend is away and another holds the same file, that one.
    pub friend: Option<Holder>,
}

/// `GET /items/{id}`: a summary and all that is known besides.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemDetail {
    #[serde(flatten)]
    pub summary: ItemSummary,
    pub overview: Option<String>,
    pub genres: Vec<String>,
    pub backdrop: Option<String>,
    pub files: Vec<ItemFile>,
    /// Who holds it: the item itself first, then the same of friends.
    pub sources: Vec<ItemSource>,
    pub streams: Vec<Stream>,
    pub chapters: Vec<Chapter>,
    /// How it plays, for a client with the capabilities of the query.
    pub playback: Option<PlaybackDecision>,
    /// Why it cannot be played, for people.
    pub problem: Option<String>,
}

/// A file of an item.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemFile {
    pub cid: Option<String>,
    pub size: u64,
    pub name: String,
    pub container: Option<String>,
    /// Only for admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Unix milliseconds when all its blocks last hashed right.
    pub verified_at: Option<i64>,
}

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

/// Query of `GET /folders`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FolderQuery {
    /// Absolute. Without it: the home folder of the node's user.
    pub path: Option<String>,
}

/// `GET /folders?path=` (admin): one level of the node's folders, for the path picker.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Folders {
    pub path: String,
    pub parent: Option<String>,
    pub folders: Vec<Folder>,
    /// Video files directly here and, up to a limit, below.
    pub videos: u64,
    /// The count stopped at a limit.
    pub videos_more: bool,
}

/// See [`Folders`].
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Folder {
    pub name: String,
    pub path: String,
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
    /// `http`, `https`, `webrtc`.
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

/// Payload of the `item` event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemChanged {
    pub id: String,
    pub library: String,
    /// `added`, `changed`, `removed`.
    pub change: String,
}

/// Payload of the `library` event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LibraryChanged {
    pub id: String,
}

/// A friend's node: `GET /friends` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Friend {
    pub id: String,
    /// As its owner is called here.
    pub name: String,
    /// Public key of its node.
    pub endpoint: String,
    /// Ids of the libraries that are shared with it.
    pub libraries: Vec<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Bits a second that it may take from this node; absent where the node's setting counts.
    pub upload_rate: Option<u64>,
    pub state: FriendState,
    /// Where its node is, or the relay between; absent where there is no link.
    pub address: Option<String>,
    /// Whether a relay is between.
    pub relayed: bool,
    /// Milliseconds to its node and back.
    pub rtt_ms: Option<f64>,
    /// Why its node was not reached, for people.
    pub detail: Option<String>,
}

/// How a friend's node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FriendState {
    /// There is a link to it.
    Online,
    /// It was not reached, or not any more.
    Off,
    /// It is there, and does not know this node any more.
    Refused,
    /// Switched off here.
    Disabled,
}

/// `PATCH /friends/{id}` (admin). What is absent stays as it is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct FriendChange {
    /// 1 to 64 characters.
    pub name: Option<String>,
    /// Where it is false, the friend stays, and may do nothing.
    pub enabled: Option<bool>,
    /// Ids of the libraries that are shared with it: these and no others.
    pub libraries: Option<Vec<String>>,
    /// Bits a second that it may take from this node; `null` for the node's setting.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u64>)]
    pub upload_rate: Option<Option<u64>>,
}

/// `POST /friends/invites` (admin).
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct NewInvite {
    /// What the friend shall be called here; absent for the name it gives itself.
    pub name: Option<String>,
    /// How long it is good for: 1 to 720, default 72.
    pub hours: Option<u32>,
}

/// An invite that makes one other node a friend, once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    pub id: String,
    /// What the friend shall be called here; absent for the name it gives itself.
    pub name: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
    /// For the friend: only in the answer to `POST`, never again.
    pub code: Option<String>,
}

/// `POST /friends/accept` (admin).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AcceptInvite {
    /// As the friend sent it.
    pub code: String,
    /// What the friend shall be called here; absent for the name it gives itself.
    pub name: Option<String>,
}
