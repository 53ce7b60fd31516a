//! Moving in from other programs.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::library::move_in::{
    Lines, Matched, MatchedTracks, MoveInReport, MovedCovers, MovedLibrary, MovedLibraryState, MovedLists,
    MovedMetadata, MovedOpinions, MovedPeople, MovedProgress, MusicMoveInReport,
};

/// `POST /move-in/komga` and `/move-in/navidrome`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MoveInRequest {
    /// Absolute path of Komga's `database.sqlite`, or Navidrome's `navidrome.db`, on the node's machine.
    pub database: String,
    /// Folders that have another path here: `OLD=NEW`.
    #[serde(default)]
    pub maps: Vec<String>,
    /// Write nothing.
    #[serde(default)]
    pub dry_run: bool,
}
