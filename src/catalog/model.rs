//! The words of the catalog: libraries, items, files. Plain values; the tables behind them are `record.rs`'s business.
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::Cid;
use crate::media::{Facts, HdrFormat};

/// Id of a library, an item, a file: a UUID v7 in its hyphenated form, given once and kept for ever.
pub type Id = String;

/// What a library holds, and so how its names are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LibraryKind {
    /// One film a file or folder: `Name (Year)`.
    Movies,
    /// Series, seasons, episodes: `S01E02`.
    Shows,
    /// Anything else that moves: home videos, talks, clips.
    Videos,
    /// Series of comics: a folder each, with its books.
    Comics,
    /// Books, in series or alone.
    Books,
    /// Tracks, in albums.
    Music,
}

impl LibraryKind {
    /// Whether it holds what is read, rather than watched.
    #[must_use]
    pub fn is_read(self) -> bool {
        matches!(self, Self::Comics | Self::Books)
    }

    /// Whether it holds what is heard.
    #[must_use]
    pub fn is_heard(self) -> bool {
        self == Self::Music
    }
}

/// Who may know of a library's items besides its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Accounts of this node that were given access.
    Private,
    /// Also linked friends' nodes.
    Friends,
    /// Anyone who knows a CID.
    Public,
}

/// Whether a library's folder can be read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LibraryState {
    /// Its root is there.
    Available,
    /// Its root is missing, or empty although the catalog knows files in it: a disk that is not mounted. Nothing is forgotten.
    Unavailable,
}

/// A folder of the owner's, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Kept for ever.
    pub id: Id,
    /// Shown to people; unique.
    pub name: String,
    /// See [`LibraryKind`].
    pub kind: LibraryKind,
    /// Absolute.
    pub path: PathBuf,
    /// See [`Visibility`].
    pub visibility: Visibility,
    /// See [`LibraryState`].
    pub state: LibraryState,
    /// Unix milliseconds of the last finished scan.
    pub scanned_at: Option<i64>,
    /// The friend whose library it is; `None` for ours. A friend's has no folder, and its `path` names nothing.
    pub friend: Option<Id>,
}

/// A library of ours that anybody may have, with its servable files in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicLibrary {
    /// Its id.
    pub id: Id,
    /// Shown to people.
    pub name: String,
    /// See [`PublicFile`].
    pub files: Vec<PublicFile>,
}

/// One of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicFile {
    /// Below the library's folder.
    pub place: PathBuf,
    /// Root of its DAG.
    pub cid: Cid,
    /// Bytes.
    pub size: u64,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// A film.
    Movie,
    /// A series: holds episodes, has no file.
    Show,
    /// One episode (or several in one file) of a show.
    Episode,
    /// A plain video.
    Video,
    /// A series: holds books, has no file.
    Series,
    /// A comic or a book.
    Book,
    /// Holds tracks, has no file.
    Album,
    /// A piece of music.
    Track,
}

impl ItemKind {
    /// Whether it holds others and has no file.
    #[must_use]
    pub fn is_group(self) -> bool {
        matches!(self, Self::Show | Self::Series | Self::Album)
    }

    /// The kind of what holds items of this kind.
    #[must_use]
    pub fn group(self) -> Option<Self> {
        match self {
            Self::Episode => Some(Self::Show),
            Self::Book => Some(Self::Series),
            Self::Track => Some(Self::Album),
            _ => None,
        }
    }
}

/// Whether an item can be played, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemState {
    /// Its file is there and was imported.
    Present,
    /// Its library is unavailable (disk not mounted).
    Unavailable,
    /// Its file is gone from a library that is there; kept in the trash for a while.
    Trashed,
    /// Its bytes changed under an unchanged modification time: never served until repaired or accepted.
    Damaged,
    /// The file is there but cannot be read or is not a video; `problem` says why.
    Unreadable,
}

/// One thing a person watches, or a show that holds such things.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Kept for ever: through rename, move, re-mount and re-tag.
    pub id: Id,
    /// The library it is in now.
    pub library: Id,
    /// See [`ItemKind`].
    pub kind: ItemKind,
    /// See [`ItemState`].
    pub state: ItemState,
    /// As shown.
    pub title: String,
    /// Lower case, without a leading article: what sorting uses.
    pub sort_title: String,
    /// Of release.
    pub year: Option<i32>,
    /// The show an episode belongs to.
    pub show: Option<Id>,
    /// 0 holds specials.
    pub season: Option<i32>,
    /// Within its season.
    pub episode: Option<i32>,
    /// Last episode in a file that holds several.
    pub episode_end: Option<i32>,
    /// From an NFO; absent in lists.
    pub overview: Option<String>,
    /// From an NFO.
    pub genres: Vec<String>,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Seconds; of its file.
    pub duration: Option<f64>,
    /// What a person should know, such as why it is unreadable.
    pub problem: Option<String>,
    /// The file that plays. Shows have none.
    pub file: Option<File>,
    /// Of a track or an album: whose it is, as shown.
    pub artist: Option<String>,
    /// Of a book: its number as shown, and how many pages it has.
    pub book: Option<BookSummary>,
    /// Which pictures exist for it.
    pub artwork: Artwork,
    /// The friend whose item it is; `None` for ours. Nothing of a friend's is on this disk: its paths name nothing.
    pub friend: Option<Id>,
}

/// What a list shows of a book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookSummary {
    /// In its series: `10.5`; empty where nobody says.
    pub number: String,
    /// How many; 0 for one that could not be read.
    pub pages: u32,
}

/// The pictures of an item: files beside it, or frames taken from it and kept in the data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Artwork {
    /// 2:3 for films and shows, 16:9 for videos and episodes.
    pub poster: Option<PathBuf>,
    /// 16:9, behind the item page.
    pub backdrop: Option<PathBuf>,
}

/// A file on disk and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Absolute; may hold bytes that are not UTF-8.
    pub path: PathBuf,
    /// Root of its UnixFS DAG.
    pub cid: Option<Cid>,
    /// Bytes.
    pub size: u64,
    /// Pixels of its first video stream.
    pub width: Option<u32>,
    /// Pixels of its first video stream.
    pub height: Option<u32>,
    /// Of its first video stream.
    pub hdr: Option<HdrFormat>,
    /// What the media worker found; absent where it could not read the file, and in lists, which have no use for it.
    pub facts: Option<Facts>,
    /// Text subtitles and the like beside it (`Name.en.srt`).
    pub sidecars: Vec<PathBuf>,
    /// Unix milliseconds when all its blocks last hashed right.
    pub verified_at: Option<i64>,
}

/// How far an account has watched an item.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Seconds.
    pub position: f64,
    /// Watched to the end.
    pub completed: bool,
}
