//! Libraries, their scans, and folders to choose from.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::items::Holder;
use crate::catalog::{LibraryKind, LibraryState, Visibility};

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
    /// Whether the node that asks keeps to `people` of libraries, default false. One that does not is told of no such library.
    pub people: Option<bool>,
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

/// Payload of the `library` event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LibraryChanged {
    pub id: String,
}
