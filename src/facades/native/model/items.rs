//! Items, where they are, and what verifying them showed.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::playback::PlaybackDecision;
use crate::catalog::{ItemKind, ItemState, Progress};
use crate::media::{Chapter, Stream};

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
    /// Who holds it: this node where it has the same bytes, the item itself, then the same of friends.
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

/// Payload of the `item` event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemChanged {
    pub id: String,
    pub library: String,
    /// `added`, `changed`, `removed`.
    pub change: String,
}
