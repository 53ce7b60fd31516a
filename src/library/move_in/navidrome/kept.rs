//! What Navidrome keeps, read from its SQLite database: the one place that knows its tables.
//!
//! Of every version: until 0.54 a track's path is absolute, and until 0.53 there is no table of libraries; later paths are below
//! their library's folder. Tables and columns that are missing are as if they were empty, and nothing in them is believed.
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use rusqlite::Connection;

use crate::library::move_in::open::{self, ForeignError, Program};
use crate::library::move_in::table::{self, Fields, Table, count};

/// Longest path, in characters.
const PATH_MAX: usize = 8192;
/// Longest name or title, in characters.
const NAME_MAX: usize = 1000;
/// Longest comment, in characters.
const TEXT_MAX: usize = 4000;
/// Longest list of ids, in characters: more than a queue can have.
const LIST_MAX: usize = 2_000_000;
/// Before the folder, in the table of properties of old versions.
const LAST_SCAN: &str = "LastScan-";

const NAVIDROME: Program =
    Program { name: "Navidrome", place: "Navidrome's is called navidrome.db, in its data folder", is: is_navidromes };

/// Everything that is read.
#[derive(Default)]
pub(super) struct Kept {
    pub libraries: Vec<Library>,
    pub songs: Vec<Song>,
    /// Ids of albums with their titles.
    pub albums: Vec<(String, String)>,
    pub artists: Vec<Artist>,
    pub users: Vec<User>,
    pub annotations: Vec<Annotation>,
    pub playlists: Vec<Playlist>,
    pub bookmarks: Vec<Bookmark>,
    pub queues: Vec<Queue>,
    /// What there is that nobody reads here: how many, and of what.
    pub rest: Vec<(u64, &'static str)>,
}

pub(super) struct Library {
    pub id: String,
    pub name: String,
    pub root: PathBuf,
}

/// A track.
#[derive(Default)]
pub(super) struct Song {
    pub id: String,
    pub library: String,
    /// Absolute; `None` where it is none, or leads up again.
    pub path: Option<PathBuf>,
    pub title: String,
    pub artist: String,
    pub album: String,
    pub album_id: String,
    pub disc: Option<u32>,
    pub track: Option<u32>,
    pub seconds: Option<f64>,
    /// MusicBrainz' ids: of the recording, and of its place on a release. Empty where unknown.
    pub recording: String,
    pub release_track: String,
    /// Its file was not there when it was last looked for.
    pub missing: bool,
}

pub(super) struct Artist {
    pub id: String,
    pub name: String,
    /// Of MusicBrainz; empty where unknown.
    pub mbid: String,
}

pub(super) struct User {
    pub id: String,
    pub name: String,
    pub admin: bool,
    /// Ids of the libraries that they may see; `None` for all.
    pub libraries: Option<Vec<String>>,
}

/// What an annotation, a bookmark or a queue is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Song,
    Album,
    Artist,
}

/// What somebody thinks of something, and how often they heard it.
pub(super) struct Annotation {
    pub user: String,
    pub kind: Kind,
    pub item: String,
    /// Unix milliseconds.
    pub starred_at: Option<i64>,
    /// 1 to 5.
    pub rating: Option<u8>,
    pub plays: u32,
    /// Unix milliseconds.
    pub played_at: Option<i64>,
}

pub(super) struct Playlist {
    pub id: String,
    /// Id of a user.
    pub owner: String,
    pub name: String,
    pub comment: String,
    pub public: bool,
    /// Ids of tracks, in order.
    pub songs: Vec<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

pub(super) struct Bookmark {
    pub user: String,
    pub song: String,
    pub position_ms: u64,
    pub comment: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub changed_at: i64,
}

pub(super) struct Queue {
    pub user: String,
    /// Ids of tracks, in order.
    pub songs: Vec<String>,
    /// Place of what plays.
    pub current: Option<usize>,
    pub position_ms: u64,
    /// Unix milliseconds.
    pub changed_at: i64,
    /// The program.
    pub changed_by: String,
}

/// Reads all of it. Blocking.
pub(super) fn read(path: &Path, scratch: &Path) -> Result<Kept, ForeignError> {
    let opened = open::open(path, scratch, &NAVIDROME)?;
    kept(&opened.connection).map_err(|source| ForeignError::Database { path: path.to_owned(), source })
}

fn is_navidromes(c: &Connection) -> rusqlite::Result<bool> {
    Ok(table::has(c, "media_file", &["id", "path", "title"])?
        && table::has(c, "annotation", &["user_id", "item_id", "item_type"])?
        && table::has(c, "user", &["id", "user_name"])?)
}

fn kept(c: &Connection) -> rusqlite::Result<Kept> {
    let mut libraries = libraries(c)?;
    let mut songs = songs(c, &libraries)?;
    if libraries.is_empty() {
        libraries.extend(only_library(c, &songs)?);
        let id = libraries.first().map(|library| library.id.clone()).unwrap_or_default();
        songs.iter_mut().for_each(|song| song.library.clone_from(&id));
    }
    let users = users(c)?;
    Ok(Kept {
        playlists: playlists(c, &users)?,
        libraries,
        songs,
        albums: albums(c)?,
        artists: artists(c)?,
        annotations: annotations(c)?,
        bookmarks: bookmarks(c)?,
        queues: queues(c)?,
        rest: rest(c)?,
        users,
    })
}

fn libraries(c: &Connection) -> rusqlite::Result<Vec<Library>> {
    let mut all = Vec::new();
    Table::of(c, "library", &["id", "name", "path"])?.each(c, |f| {
        let root = PathBuf::from(f.text(2, PATH_MAX).unwrap_or_default());
        all.push(Library { id: f.id(0), name: f.text(1, NAME_MAX).unwrap_or_default(), root });
    })?;
    all.retain(|library| !library.root.as_os_str().is_empty());
    Ok(all)
}

/// The folder of a version that has but one: it is named where the time of its last scan is, or holds all tracks.
fn only_library(c: &Connection, songs: &[Song]) -> rusqlite::Result<Option<Library>> {
    let mut named = None;
    Table::of(c, "property", &["id"])?.each(c, |f| {
        let id = f.text(0, PATH_MAX).unwrap_or_default();
        named = id.strip_prefix(LAST_SCAN).filter(|folder| folder.starts_with('/')).map(PathBuf::from).or(named.take());
    })?;
    let shared = || {
        let mut folders = songs.iter().filter_map(|song| song.path.as_deref()?.parent());
        let first = folders.next()?.to_owned();
        Some(folders.fold(first, |shared, folder| {
            shared.components().zip(folder.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        }))
    };
    let root = named.or_else(shared).filter(|root| root.parent().is_some());
    Ok(root.map(|root| Library { id: "1".to_owned(), name: "Music".to_owned(), root }))
}

fn songs(c: &Connection, libraries: &[Library]) -> rusqlite::Result<Vec<Song>> {
    // 0.50 and before called the recording's id that of the track.
    let recording =
        if table::has(c, "media_file", &["mbz_recording_id"])? { "mbz_recording_id" } else { "mbz_track_id" };
    let columns = [
        "id",
        "library_id",
        "path",
        "title",
        "artist",
        "album",
        "album_id",
        "disc_number",
        "track_number",
        "duration",
        recording,
        "mbz_release_track_id",
        "missing",
    ];
    let roots: HashMap<&str, &Path> = libraries.iter().map(|one| (one.id.as_str(), one.root.as_path())).collect();
    let mut all = Vec::new();
    Table::of(c, "media_file", &columns)?.each(c, |f| {
        let library = f.id(1);
        let text = |column| f.text(column, NAME_MAX).unwrap_or_default();
        let number = |column| f.count(column).filter(|number| *number > 0);
        all.push(Song {
            path: absolute(roots.get(library.as_str()).copied(), &f.text(2, PATH_MAX).unwrap_or_default()),
            id: f.id(0),
            library,
            title: text(3),
            artist: text(4),
            album: text(5),
            album_id: f.id(6),
            disc: number(7),
            track: number(8),
            seconds: f.number(9).filter(|seconds| *seconds > 0.0),
            recording: f.id(10),
            release_track: f.id(11),
            missing: f.flag(12),
        });
    })?;
    Ok(all)
}

/// A path below a root, or one that is absolute already.
fn absolute(root: Option<&Path>, text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    let up = path.components().any(|part| part == Component::ParentDir);
    if up || text.is_empty() {
        return None;
    }
    if path.is_absolute() { Some(path.components().collect()) } else { root.map(|root| root.join(path)) }
}

fn albums(c: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    Table::of(c, "album", &["id", "name"])?.each(c, |f| {
        all.push((f.id(0), f.text(1, NAME_MAX).unwrap_or_default()));
    })?;
    Ok(all)
}

fn artists(c: &Connection) -> rusqlite::Result<Vec<Artist>> {
    let mut all = Vec::new();
    Table::of(c, "artist", &["id", "name", "mbz_artist_id"])?.each(c, |f| {
        all.push(Artist { id: f.id(0), name: f.text(1, NAME_MAX).unwrap_or_default(), mbid: f.id(2) });
    })?;
    Ok(all)
}

fn users(c: &Connection) -> rusqlite::Result<Vec<User>> {
    let some = table::has(c, "user_library", &["user_id", "library_id"])?;
    let mut seen: HashMap<String, Vec<String>> = HashMap::new();
    Table::of(c, "user_library", &["user_id", "library_id"])?
        .each(c, |f| seen.entry(f.id(0)).or_default().push(f.id(1)))?;
    let mut all = Vec::new();
    Table::of(c, "user", &["id", "user_name", "is_admin"])?.each(c, |f| {
        let (id, admin) = (f.id(0), f.flag(2));
        let libraries = (some && !admin).then(|| seen.remove(&id).unwrap_or_default());
        all.push(User { id, name: f.text(1, 400).unwrap_or_default(), admin, libraries });
    })?;
    Ok(all)
}

fn annotations(c: &Connection) -> rusqlite::Result<Vec<Annotation>> {
    let columns = ["user_id", "item_type", "item_id", "starred", "starred_at", "rating", "play_count", "play_date"];
    let mut all = Vec::new();
    Table::of(c, "annotation", &columns)?.each(c, |f| {
        let Some(kind) = kind(f, 1) else { return };
        let plays = f.count(6).unwrap_or_default();
        all.push(Annotation {
            user: f.id(0),
            kind,
            item: f.id(2),
            // Whatever had its star taken away keeps the time of that.
            starred_at: f.flag(3).then(|| f.time(4).unwrap_or_default()),
            rating: f.count(5).and_then(|rating| u8::try_from(rating).ok()).filter(|rating| (1..=5).contains(rating)),
            plays,
            played_at: f.time(7).filter(|at| plays > 0 && *at > 0),
        });
    })?;
    Ok(all)
}

fn kind(f: &Fields<'_>, column: usize) -> Option<Kind> {
    match f.text(column, 20)?.as_str() {
        "media_file" | "mediaFile" => Some(Kind::Song),
        "album" => Some(Kind::Album),
        "artist" => Some(Kind::Artist),
        _ => None,
    }
}

fn playlists(c: &Connection, users: &[User]) -> rusqlite::Result<Vec<Playlist>> {
    let mut songs: HashMap<String, Vec<(i64, String)>> = HashMap::new();
    Table::of(c, "playlist_tracks", &["playlist_id", "id", "media_file_id"])?.each(c, |f| {
        songs.entry(f.id(0)).or_default().push((f.whole(1).unwrap_or_default(), f.id(2)));
    })?;
    // Before 0.47 the owner is named, and in the oldest the tracks are one text.
    let named: HashMap<&str, &str> = users.iter().map(|user| (user.name.as_str(), user.id.as_str())).collect();
    let columns = ["id", "owner_id", "owner", "name", "comment", "public", "created_at", "updated_at", "tracks"];
    let mut all = Vec::new();
    Table::of(c, "playlist", &columns)?.each(c, |f| {
        let owner = f.text(2, 400).and_then(|name| named.get(name.as_str()).map(|id| (*id).to_owned()));
        let mut songs = songs.remove(&f.id(0)).unwrap_or_default();
        songs.sort();
        let listed = ids(&f.text(8, LIST_MAX).unwrap_or_default());
        let created_at = f.time(6).unwrap_or_default();
        all.push(Playlist {
            id: f.id(0),
            owner: Some(f.id(1)).filter(|id| !id.is_empty()).or(owner).unwrap_or_default(),
            name: f.text(3, NAME_MAX).unwrap_or_default(),
            comment: f.text(4, TEXT_MAX).unwrap_or_default(),
            public: f.flag(5),
            songs: if songs.is_empty() { listed } else { songs.into_iter().map(|(_, id)| id).collect() },
            created_at,
            changed_at: f.time(7).unwrap_or(created_at),
        });
    })?;
    Ok(all)
}

fn ids(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

fn bookmarks(c: &Connection) -> rusqlite::Result<Vec<Bookmark>> {
    let columns = ["user_id", "item_type", "item_id", "position", "comment", "created_at", "updated_at"];
    let mut all = Vec::new();
    Table::of(c, "bookmark", &columns)?.each(c, |f| {
        if kind(f, 1) != Some(Kind::Song) {
            return;
        }
        let created_at = f.time(5).unwrap_or_default();
        all.push(Bookmark {
            user: f.id(0),
            song: f.id(2),
            position_ms: position(f, 3),
            comment: f.text(4, TEXT_MAX).unwrap_or_default(),
            created_at,
            changed_at: f.time(6).unwrap_or(created_at),
        });
    })?;
    Ok(all)
}

fn position(f: &Fields<'_>, column: usize) -> u64 {
    f.whole(column).and_then(|position| u64::try_from(position).ok()).unwrap_or_default()
}

fn queues(c: &Connection) -> rusqlite::Result<Vec<Queue>> {
    let columns = ["user_id", "items", "current", "position", "updated_at", "changed_by"];
    let mut all: HashMap<String, Queue> = HashMap::new();
    Table::of(c, "playqueue", &columns)?.each(c, |f| {
        let songs = ids(&f.text(1, LIST_MAX).unwrap_or_default());
        // Until 0.56 the id of what plays, then its place. An id may look like a number.
        let current = f.text(2, 65).unwrap_or_default();
        let by_id = songs.iter().position(|id| *id == current);
        let current = by_id.or_else(|| current.parse().ok()).filter(|place| *place < songs.len());
        let queue = Queue {
            user: f.id(0),
            songs,
            current,
            position_ms: position(f, 3),
            changed_at: f.time(4).unwrap_or_default(),
            changed_by: f.text(5, 200).unwrap_or_default(),
        };
        if all.get(&queue.user).is_none_or(|other| other.changed_at <= queue.changed_at) {
            all.insert(queue.user.clone(), queue);
        }
    })?;
    let mut all: Vec<Queue> = all.into_values().filter(|queue| !queue.songs.is_empty()).collect();
    all.sort_by(|a, b| a.user.cmp(&b.user));
    Ok(all)
}

/// What is not read, where there is any.
fn rest(c: &Connection) -> rusqlite::Result<Vec<(u64, &'static str)>> {
    let counts: [(&str, &[&str], &str, &'static str); 4] = [
        (
            "playlist",
            &["rules"],
            "rules IS NOT NULL AND rules <> ''",
            "rules of playlists that make themselves (their tracks of now are taken)",
        ),
        ("share", &["id"], "1", "shares: make new ones, for links cannot stay the same"),
        ("radio", &["id"], "1", "radio stations"),
        ("player", &["id"], "max_bit_rate > 0", "players with a bit rate of their own"),
    ];
    let mut all = Vec::new();
    for (table, columns, rule, what) in counts {
        // A column that a rule names may be missing too.
        all.push((count(c, table, columns, rule).unwrap_or_default(), what));
    }
    all.retain(|(count, _)| *count > 0);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_below_its_library_or_absolute_and_leads_nowhere_else() {
        let root = Path::new("/music");
        let read = |text: &str| absolute(Some(root), text).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(read("Ann/Red/1.mp3").as_deref(), Some("/music/Ann/Red/1.mp3"));
        assert_eq!(read("/old//Ann/1.mp3").as_deref(), Some("/old/Ann/1.mp3"));
        for wrong in ["", "../x", "a/../../x", "/a/../b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(absolute(None, "a.mp3"), None);
    }

    #[test]
    fn the_only_library_is_the_folder_that_was_scanned_or_the_one_that_holds_all_tracks() {
        let c = Connection::open_in_memory().unwrap();
        let song = |path: &str| Song { path: Some(path.into()), ..Song::default() };
        let songs = [song("/m/a/b/1.mp3"), song("/m/a/c/d/2.mp3")];
        let root = |c: &Connection, songs: &[Song]| only_library(c, songs).unwrap().map(|library| library.root);
        assert_eq!(root(&c, &songs), Some("/m/a".into()));
        assert_eq!(root(&c, &[song("/1.mp3")]), None, "that would be the whole disk");
        assert_eq!(root(&c, &[]), None);
        c.execute_batch(
            "CREATE TABLE property (id, value); INSERT INTO property VALUES ('LastScan-/m', '1'), ('x', '')",
        )
        .unwrap();
        assert_eq!(root(&c, &songs), Some("/m".into()));
    }
}
