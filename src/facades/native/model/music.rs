//! Music: who made it, what people think of it, and the orders that they put it in.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::items::ItemSummary;

/// Query of `GET /artists`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ArtistQuery {
    /// Words, each the start of one in the name (accents and case do not matter).
    pub q: Option<String>,
    /// How many are left out at the beginning.
    pub offset: Option<u64>,
    /// 1 to 500, default 100.
    pub limit: Option<u32>,
}

/// `GET /artists`: those of albums, by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ArtistList {
    pub artists: Vec<ArtistSummary>,
    /// Of the whole list; absent for a search.
    pub total: Option<u64>,
}

/// Whoever made albums or tracks.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ArtistSummary {
    pub id: String,
    pub name: String,
    /// How many of its own.
    pub album_count: u32,
    /// Path of a picture on this node: of one of its albums; absent where none has one.
    pub poster: Option<String>,
    /// Unix milliseconds.
    pub starred_at: Option<i64>,
    /// 1 to 5.
    pub rating: Option<u8>,
}

/// `GET /artists/{id}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ArtistDetail {
    #[serde(flatten)]
    pub summary: ArtistSummary,
    /// Its own, oldest first.
    pub albums: Vec<ItemSummary>,
    /// Others' on which it plays, oldest first.
    pub appears_on: Vec<ItemSummary>,
}

/// What is known of a track or an album besides what every item has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MusicFacts {
    /// Who made it, as the tags say.
    pub artists: Vec<Maker>,
    /// How loud it is; absent where its tags do not say.
    pub gain: Option<ReplayGain>,
    /// Of a track, in Hz; absent where unknown.
    pub sample_rate: Option<u32>,
    /// Of a track: there are lyrics.
    pub lyrics: bool,
}

/// Who had a part in something.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Maker {
    pub id: String,
    pub name: String,
    /// `artist`, `albumartist`, `composer`, ...
    pub role: String,
}

/// What a player is to change to reach -18 LUFS (ReplayGain 2).
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct ReplayGain {
    /// Decibels.
    pub track_gain: Option<f32>,
    /// The largest sample; 1.0 is full scale.
    pub track_peak: Option<f32>,
    /// Decibels.
    pub album_gain: Option<f32>,
    /// The largest sample of the album.
    pub album_peak: Option<f32>,
}

/// One set of lyrics of a track. Of several, what has times comes first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Lyrics {
    /// Of three letters; absent where nobody says.
    pub language: Option<String>,
    /// Every line has a time.
    pub synced: bool,
    pub lines: Vec<LyricsLine>,
}

/// A line of lyrics.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LyricsLine {
    /// Milliseconds from the beginning of the track.
    pub start_ms: Option<u64>,
    pub text: String,
}

/// `PUT .../rating`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Rating {
    /// 1 to 5.
    pub rating: u8,
}

/// `GET /starred`: what the caller starred, of each kind the latest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Starred {
    pub artists: Vec<ArtistSummary>,
    pub albums: Vec<ItemSummary>,
    pub tracks: Vec<ItemSummary>,
}

/// A playlist as a list shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PlaylistSummary {
    pub id: String,
    pub name: String,
    pub comment: String,
    /// Name of the account that made it.
    pub owner: String,
    /// The caller made it and may change it.
    pub own: bool,
    /// Everybody here sees it.
    pub public: bool,
    /// That the caller may hear.
    pub tracks: u32,
    /// Seconds.
    pub duration: f64,
    /// Path of a picture on this node: of one of its tracks; absent where none has one.
    pub poster: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

/// `GET /playlists/{id}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PlaylistDetail {
    #[serde(flatten)]
    pub summary: PlaylistSummary,
    /// In order. One may stand there twice.
    pub items: Vec<ItemSummary>,
}

/// `POST /playlists`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewPlaylist {
    /// 1 to 200 letters.
    pub name: String,
    /// Ids of tracks and albums; an album's tracks stand for it.
    #[serde(default)]
    pub items: Vec<String>,
}

/// `PATCH /playlists/{id}`: what is absent stays. Places count from 0 in the list as `GET` shows it.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct PlaylistChange {
    /// 1 to 200 letters.
    pub name: Option<String>,
    pub comment: Option<String>,
    pub public: Option<bool>,
    /// Places of tracks that go.
    #[serde(default)]
    pub remove: Vec<usize>,
    /// Ids of tracks and albums that come to the end after that.
    #[serde(default)]
    pub add: Vec<String>,
    /// A track that goes to another place, last of all.
    #[serde(rename = "move")]
    pub moved: Option<PlaylistMove>,
}

/// A track of a playlist that goes to another place.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct PlaylistMove {
    pub from: usize,
    pub to: usize,
}

/// `GET /play-queue`: what the caller hears now and next, as some device of theirs said last.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PlayQueue {
    pub items: Vec<ItemSummary>,
    /// The place in `items` of what is heard, from 0.
    pub current: Option<usize>,
    /// Milliseconds in that track.
    pub position_ms: u64,
    /// Unix milliseconds.
    pub changed_at: i64,
    /// The program that said so.
    pub changed_by: String,
}

/// `PUT /play-queue`. Without tracks, it is forgotten.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SavedPlayQueue {
    /// Ids of tracks.
    pub items: Vec<String>,
    /// The place in `items` of what is heard, from 0.
    pub current: Option<usize>,
    /// Milliseconds in that track.
    #[serde(default)]
    pub position_ms: u64,
}
