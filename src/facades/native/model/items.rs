//! Items, where they are, and what verifying them showed.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::music::MusicFacts;
use super::playback::{PlaybackDecision, SegmentBlocks};
use crate::catalog::{ItemKind, ItemState, LibraryKind, Progress};
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
    /// Only of libraries of this kind.
    pub library_kind: Option<LibraryKind>,
    /// Only of this kind. Without it: everything that plays or is read (no shows, no series).
    pub kind: Option<ItemKind>,
    /// Only episodes of this show, or books of this series.
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
    /// Of a show or a series: how many it has.
    pub episodes: Option<u64>,
    /// Of a track or an album, as shown.
    pub artist: Option<String>,
    /// Of a book, as shown: `10.5`.
    pub number: Option<String>,
    /// Of a book: how many.
    pub pages: Option<u32>,
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
    /// Of a track or an album that the caller starred: when, in Unix milliseconds.
    pub starred_at: Option<i64>,
    /// Of a track or an album that the caller rated: 1 to 5.
    pub rating: Option<u8>,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Whose node plays it; absent for this node's own. Where that friend is away and another holds the same file, that one.
    pub friend: Option<Holder>,
}

/// `PUT /items/{id}/progress`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct ProgressChange {
    /// Seconds; of a book the page, or chapter, from 1 on.
    pub position: f64,
    /// Watched, or read, to the end.
    pub completed: bool,
    /// Of a book whose pages flow: how much of the chapter was read, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<f64>,
}

/// `GET /items/{id}/place`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct ReadingPlace {
    /// How much of the chapter was read, from 0 to 1.
    pub part: f64,
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
    /// Of a track or an album of this node.
    pub music: Option<MusicFacts>,
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

/// `GET /items/{id}/pages`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BookPages {
    /// `zip`, `rar4`, `rar5`, `7z`, `tar`, `pdf`, `epub`, `folder`.
    pub format: String,
    /// Absent where nobody says.
    pub direction: Option<BookDirection>,
    /// In reading order.
    pub pages: Vec<BookPage>,
}

/// How a book's pages follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BookDirection {
    /// From left to right.
    Ltr,
    /// From right to left.
    Rtl,
    /// One below the other.
    Vertical,
    /// One strip.
    Webtoon,
}

/// A page of a book; of an EPUB that flows, a document of its reading order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BookPage {
    /// From 1.
    pub number: u32,
    /// Of its file in the book.
    pub name: String,
    /// Media type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Bytes.
    pub size: u64,
}

/// Query of `GET /items/{id}/pages/{number}`.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct PageQuery {
    /// `jpeg` or `png`, for a page that the caller cannot show as it is.
    pub convert: Option<String>,
}

/// Query of `GET /items/{id}/pages/blocks`.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageBlocksQuery {
    /// First page wanted, from 1. It is made if needed.
    pub from: u32,
    /// 1 to 32, default 4. Those after the first are told only where they are ready or soon made.
    pub count: Option<u32>,
    /// `jpeg` or `png`, for pages that the caller cannot show as they are.
    pub convert: Option<String>,
}

/// A page of a book by its CID.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PageBlocks {
    /// From 1.
    pub number: u32,
    /// Media type, by its first bytes.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(flatten)]
    pub content: SegmentBlocks,
}

/// Payload of the `item` event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemChanged {
    pub id: String,
    pub library: String,
    /// `added`, `changed`, `removed`.
    pub change: String,
}
