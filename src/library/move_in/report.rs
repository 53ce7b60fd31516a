//! What came of moving in, or would: numbers, and the names that a person has to look at.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::LibraryKind;

/// Lines that are kept of a long list.
const LINES_MAX: usize = 1000;

/// `POST /move-in/komga`: what was taken in, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoveInReport {
    /// Nothing was written.
    pub dry_run: bool,
    pub libraries: Vec<MovedLibrary>,
    pub series: Matched,
    pub books: Matched,
    pub metadata: MovedMetadata,
    pub accounts: MovedPeople,
    pub progress: MovedProgress,
    pub collections: MovedLists,
    pub read_lists: MovedLists,
    pub covers: MovedCovers,
    /// Series and books that are not here, by their paths there.
    pub not_matched: Lines,
    /// What is not the same there and here, and stays as it is here.
    pub conflicts: Lines,
    /// What is not taken in.
    pub not_carried: Vec<String>,
}

/// `POST /move-in/navidrome`: what was taken in, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MusicMoveInReport {
    /// Nothing was written.
    pub dry_run: bool,
    pub libraries: Vec<MovedLibrary>,
    pub tracks: MatchedTracks,
    pub accounts: MovedPeople,
    pub opinions: MovedOpinions,
    pub playlists: MovedLists,
    pub bookmarks: MovedProgress,
    /// What people hear now and next: one for each of them.
    pub queues: MovedProgress,
    /// Tracks that are not here, by their paths there.
    pub not_matched: Lines,
    /// What is not the same there and here, and stays as it is here.
    pub conflicts: Lines,
    /// What is not taken in.
    pub not_carried: Vec<String>,
}

/// How many tracks are here, and by what they were recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchedTracks {
    /// That there are, without those whose files are missing there too.
    pub total: u64,
    pub by_path: u64,
    /// By an id of MusicBrainz.
    pub by_musicbrainz: u64,
    /// By artist, title, length, album and number.
    pub by_tags: u64,
    pub not_here: u64,
    /// Missing there, but here.
    pub missing_there: u64,
}

/// Stars, ratings and plays of tracks, albums and artists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedOpinions {
    /// Set, or taken away.
    pub stars: u64,
    /// Set, or taken away.
    pub ratings: u64,
    /// That were added.
    pub plays: u64,
    /// Opinions of which nothing is new.
    pub known: u64,
    /// Opinions on what is not here, or of people who are not.
    pub not_here: u64,
}

/// A library, and which it is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedLibrary {
    /// As it is called there; for a new one, as it will be called here.
    pub name: String,
    /// Its folder as it is written there.
    pub root: String,
    /// Its folder here.
    pub folder: String,
    /// What it holds, by most of its files.
    pub kind: LibraryKind,
    pub state: MovedLibraryState,
    /// Id of the library here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Books or tracks that it has there.
    pub items: u64,
    /// Of those, the ones whose files are where they should be, in a library that is not here yet.
    pub files: u64,
}

/// See [`MovedLibrary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MovedLibraryState {
    /// A library of this folder is here.
    Here,
    /// Its folder is here, and can become a library.
    New,
    /// It was made a library just now.
    Added,
    /// Its folder holds, or lies in, that of another library here.
    Part,
    /// There is no such folder here.
    Missing,
}

/// How many are here, and by what they were recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Matched {
    /// That there are, without the trash.
    pub total: u64,
    pub by_path: u64,
    /// Moved: by size and hash, or of series by their books.
    pub by_content: u64,
    /// Moved: by size and name, where there is no hash.
    pub by_name: u64,
    pub not_here: u64,
    /// Ids that are new here.
    pub ids: u64,
    /// In the trash there, but here.
    pub from_trash: u64,
}

/// Fields of series and books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedMetadata {
    /// Written, and locked here.
    pub taken: u64,
    /// Not locked there, and told otherwise by the files here.
    pub left: u64,
}

/// Accounts and keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedPeople {
    pub added: u64,
    /// That were here, or came before.
    pub known: u64,
    pub keys: u64,
    /// That were here, came before, or were revoked here.
    pub keys_known: u64,
    /// What a person should know, for each by name.
    pub notes: Vec<String>,
}

/// How far people read, or where they are in what they hear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedProgress {
    /// Later than what was known.
    pub taken: u64,
    /// Known, or older than what is known.
    pub known: u64,
    /// Of what is not here, or of people who are not.
    pub not_here: u64,
}

/// Collections, read lists, or playlists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedLists {
    pub added: u64,
    pub changed: u64,
    pub same: u64,
    /// Taken in before and removed here since: they stay so.
    pub removed: u64,
    /// See `conflicts`.
    pub refused: u64,
    /// Places in lists of what is not here.
    pub not_here: u64,
}

/// Covers that people put up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedCovers {
    pub taken: u64,
    /// Taken in before; those that were removed here since stay so.
    pub known: u64,
    /// See `conflicts`.
    pub refused: u64,
    /// Of what is not here.
    pub not_here: u64,
}

/// A list that may be long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lines {
    pub total: u64,
    /// The first of them.
    pub first: Vec<String>,
}

impl Lines {
    /// Adds one.
    pub(super) fn add(&mut self, line: impl FnOnce() -> String) {
        self.total += 1;
        if self.first.len() < LINES_MAX {
            self.first.push(line());
        }
    }
}
