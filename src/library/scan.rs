//! Walks a library's folder and lists what matters: the videos or books it holds, and the small files beside them.
//!
//! Blocking, and never fatal: what cannot be read is listed as a problem, with what is known below it left alone. A folder
//! is entered once, whatever links lead to it, so that loops end. Hidden files and folders are not looked at. In memory
//! stays a name and a few numbers a file.
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::folder_books;
use crate::catalog::LibraryKind;
use crate::catalog::record::Stat;

/// File name extensions of videos.
const VIDEOS: &[&str] = &[
    "3g2", "3gp", "asf", "avi", "divx", "f4v", "flv", "m2ts", "m2v", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts",
    "mxf", "ogm", "ogv", "rm", "rmvb", "ts", "webm", "wmv",
];
/// Of comics and books.
pub(super) const BOOKS: &[&str] = &["7z", "cb7", "cbr", "cbt", "cbz", "epub", "pdf", "rar", "tar", "zip"];
/// Of music.
const MUSIC: &[&str] = &[
    "aac", "aif", "aifc", "aiff", "alac", "ape", "dsf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "mpc", "oga", "ogg",
    "opus", "spx", "tta", "wav", "wma", "wv",
];
/// Of what describes them.
const COMPANIONS: &[&str] = &["ass", "jpeg", "jpg", "json", "lrc", "nfo", "png", "srt", "ssa", "vtt", "webp"];
/// Of playlists, in libraries of music.
const LISTS: &[&str] = &["m3u", "m3u8"];
/// Folders that systems make and people do not mean.
const IGNORED: &[&str] = &["$RECYCLE.BIN", "__MACOSX", "@eaDir", "#recycle", "System Volume Information", "lost+found"];

/// A video or a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub name: OsString,
    pub stat: Stat,
    /// A folder of pictures, see [`folder_books`].
    pub folder: bool,
}

/// A picture, a subtitle, or what describes something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Companion {
    pub name: OsString,
    pub size: u64,
    pub modified_ns: i64,
}

/// What is directly in a folder, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Folder {
    /// Below the library's root.
    pub place: PathBuf,
    pub files: Vec<Found>,
    pub companions: Vec<Companion>,
    /// Playlists.
    pub lists: Vec<Companion>,
}

/// Something that could not be looked at: a file, or a folder with all that is below it.
#[derive(Debug)]
pub(super) struct Unseen {
    pub place: PathBuf,
    pub reason: io::Error,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Folders that hold a file that matters or a companion, parents first.
    pub folders: Vec<Folder>,
    pub unseen: Vec<Unseen>,
    pub files: u64,
}

impl Listing {
    /// Whether nothing is here that anyone would keep.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.unseen.is_empty()
    }
}

/// The part of a library that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// All of it.
    All,
    /// Folders below the root, `true` with all that is below them; each also where it is a book itself.
    Folders(std::collections::BTreeMap<PathBuf, bool>),
}

impl Scope {
    /// Whether a file at this place is looked at; a book may be a folder that is.
    pub fn holds(&self, place: &Path) -> bool {
        let Self::Folders(folders) = self else { return true };
        self.lists(place.parent().unwrap_or(Path::new(""))) || folders.contains_key(place)
    }

    /// Whether this folder is listed.
    fn lists(&self, folder: &Path) -> bool {
        let Self::Folders(folders) = self else { return true };
        folders.contains_key(folder) || folder.ancestors().any(|above| folders.get(above) == Some(&true))
    }

    /// Both together.
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Folders(mut one), Self::Folders(other)) => {
                for (folder, deep) in other {
                    *one.entry(folder).or_default() |= deep;
                }
                Self::Folders(one)
            }
            _ => Self::All,
        }
    }
}

/// Lists `scope` of a library of this kind at `root`. `found` is called with the number of its files so far, once a folder.
///
/// # Errors
/// Only when the root itself cannot be read, or `cancel` was cancelled (`Interrupted`).
pub(super) fn walk(
    kind: LibraryKind,
    root: &Path,
    scope: &Scope,
    cancel: &CancellationToken,
    mut found: impl FnMut(u64),
) -> io::Result<Listing> {
    fs::read_dir(root)?;
    let mut walk = Walk::new(kind, root);
    let mut open: Vec<(PathBuf, bool)> = match scope {
        Scope::All => vec![(PathBuf::new(), true)],
        Scope::Folders(folders) => folders.iter().rev().map(|(place, deep)| (place.clone(), *deep)).collect(),
    };
    while let Some((place, deep)) = open.pop() {
        if cancel.is_cancelled() {
            return Err(ErrorKind::Interrupted.into());
        }
        if !scope.lists(place.parent().unwrap_or(Path::new(""))) {
            walk.weigh_alone(&place);
        }
        let below = walk.enter(&place);
        walk.weigh(&place, &below, cancel);
        if deep {
            open.extend(below.into_iter().rev().map(|folder| (folder, true)));
        }
        found(walk.listing.files);
    }
    Ok(walk.listing)
}

/// What is directly in one folder; nothing where it cannot be read.
pub(super) fn list(kind: LibraryKind, root: &Path, place: &Path) -> Folder {
    let mut walk = Walk::new(kind, root);
    walk.enter(place);
    walk.listing.folders.pop().unwrap_or_else(|| Folder { place: place.to_owned(), ..Folder::default() })
}

/// Whether a library's folder is there and holds anything at all.
pub(super) fn holds_anything(root: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(root) else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| !is_ignored(&entry.file_name())))
}

/// What tells a file from others.
pub(super) fn stat_of(meta: &Metadata) -> Stat {
    let modified_ns = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
    Stat { size: meta.len(), modified_ns, inode: meta.ino(), device: meta.dev() }
}

struct Walk<'a> {
    root: &'a Path,
    /// Of the files that matter.
    endings: &'static [&'static str],
    /// Of playlists.
    lists: &'static [&'static str],
    listing: Listing,
    /// Device and inode of folders that were entered.
    entered: HashSet<(u64, u64)>,
    /// Whether folders of pictures are books here, and those that are: their files are not looked at any more.
    binds: bool,
    bound: HashSet<PathBuf>,
}

impl<'a> Walk<'a> {
    fn new(kind: LibraryKind, root: &'a Path) -> Self {
        let (listing, entered, bound) = (Listing::default(), HashSet::new(), HashSet::new());
        Self { root, endings: endings(kind), lists: lists(kind), listing, entered, binds: kind.is_read(), bound }
    }

    /// Lists those folders of a folder, which was entered just now, that are books among its files.
    fn weigh(&mut self, place: &Path, below: &[PathBuf], cancel: &CancellationToken) {
        let mut books = Vec::new();
        for below in below {
            if !self.binds || cancel.is_cancelled() {
                return;
            }
            books.extend(self.book(below));
        }
        if books.is_empty() {
            return;
        }
        if self.listing.folders.last().is_none_or(|last| last.place != place) {
            self.listing.folders.push(Folder { place: place.to_owned(), ..Folder::default() });
        }
        let at = self.listing.folders.len() - 1;
        self.add(at, books);
    }

    /// The same of one folder whose parent is not listed.
    fn weigh_alone(&mut self, place: &Path) {
        let (true, Some(parent)) = (self.binds, place.parent()) else { return };
        let Some(found) = self.book(place) else { return };
        let known = self.listing.folders.iter().position(|folder| folder.place == parent);
        let at = known.unwrap_or_else(|| {
            let mut beside = Walk::new(LibraryKind::Comics, self.root);
            beside.enter(parent);
            let companions = beside.listing.folders.pop().map(|folder| folder.companions).unwrap_or_default();
            self.listing.folders.push(Folder { place: parent.to_owned(), companions, ..Folder::default() });
            self.listing.folders.len() - 1
        });
        self.add(at, vec![found]);
    }

    /// A folder that is a book, as a file.
    fn book(&mut self, place: &Path) -> Option<Found> {
        match folder_books::look(&self.root.join(place)) {
            Ok(folder) => {
                let found = Found { name: place.file_name()?.to_owned(), stat: folder?.stat, folder: true };
                self.bound.insert(place.to_owned());
                Some(found)
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
            Err(reason) => {
                self.listing.unseen.push(Unseen { place: place.to_owned(), reason });
                None
            }
        }
    }

    /// Puts books among the files of a folder.
    fn add(&mut self, at: usize, books: Vec<Found>) {
        self.listing.files += books.len() as u64;
        let files = &mut self.listing.folders[at].files;
        files.extend(books);
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }

    /// Lists one folder and returns those in it, sorted.
    fn enter(&mut self, place: &Path) -> Vec<PathBuf> {
        let path = self.root.join(place);
        let entries = match fs::metadata(&path).and_then(|meta| Ok((meta, fs::read_dir(&path)?))) {
            Ok((meta, entries)) if self.entered.insert((meta.dev(), meta.ino())) => entries,
            Ok(_) => return Vec::new(),
            // Gone since its parent was listed, or since the watch saw it.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Vec::new(),
            Err(reason) => {
                self.listing.unseen.push(Unseen { place: place.to_owned(), reason });
                return Vec::new();
            }
        };
        let mut folder = Folder { place: place.to_owned(), ..Folder::default() };
        let mut below = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => self.look(place, &entry, &mut folder, &mut below),
                Err(reason) => {
                    self.listing.unseen.push(Unseen { place: place.to_owned(), reason });
                    break;
                }
            }
        }
        below.sort_unstable();
        folder.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        folder.companions.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        self.listing.files += folder.files.len() as u64;
        if !folder.files.is_empty() || !folder.companions.is_empty() || !folder.lists.is_empty() {
            self.listing.folders.push(folder);
        }
        below
    }

    fn look(&mut self, place: &Path, entry: &fs::DirEntry, folder: &mut Folder, below: &mut Vec<PathBuf>) {
        let name = entry.file_name();
        if is_ignored(&name) {
            return;
        }
        let Ok(kind) = entry.file_type() else { return };
        let (wanted, list) = (has_extension(&name, self.endings), has_extension(&name, self.lists));
        let companion = list || has_extension(&name, COMPANIONS);
        if kind.is_dir() {
            below.push(place.join(name));
            return;
        }
        if self.bound.contains(place) {
            return;
        }
        if !(kind.is_symlink() || kind.is_file() && (wanted || companion)) {
            return;
        }
        match fs::metadata(entry.path()) {
            Ok(meta) if meta.is_dir() => below.push(place.join(name)),
            Ok(meta) if meta.is_file() && wanted => {
                folder.files.push(Found { stat: stat_of(&meta), name, folder: false })
            }
            Ok(meta) if meta.is_file() && companion => {
                let Stat { size, modified_ns, .. } = stat_of(&meta);
                let of = if list { &mut folder.lists } else { &mut folder.companions };
                of.push(Companion { name, size, modified_ns });
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound && !kind.is_symlink() => {}
            // A link to nothing may lead to a disk that is away.
            Err(reason) => self.listing.unseen.push(Unseen { place: place.join(name), reason }),
        }
    }
}

pub(super) fn is_ignored(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".") || IGNORED.iter().any(|ignored| name == *ignored)
}

/// Whether a library of this kind holds files with this ending, in small letters.
pub(super) fn holds_ending(kind: LibraryKind, ending: &str) -> bool {
    endings(kind).contains(&ending)
}

/// The name of a book without its ending. Only that of a file of a book is one: `Chapter 10.5` may be a folder.
pub(super) fn book_stem(name: &OsStr) -> &OsStr {
    let stem = Path::new(name).file_stem().filter(|_| has_extension(name, BOOKS));
    stem.unwrap_or(name)
}

fn endings(kind: LibraryKind) -> &'static [&'static str] {
    match kind {
        LibraryKind::Comics | LibraryKind::Books => BOOKS,
        LibraryKind::Music => MUSIC,
        LibraryKind::Movies | LibraryKind::Shows | LibraryKind::Videos => VIDEOS,
    }
}

fn lists(kind: LibraryKind) -> &'static [&'static str] {
    if kind.is_heard() { LISTS } else { &[] }
}

pub(super) fn has_extension(name: &OsStr, wanted: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| wanted.contains(&extension.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(listing: &Listing) -> Vec<String> {
        let files = |f: &Folder| -> Vec<String> {
            f.files.iter().map(|v| f.place.join(&v.name).to_string_lossy().into_owned()).collect()
        };
        listing.folders.iter().flat_map(files).collect()
    }

    fn make(root: &Path, files: &[&str]) {
        for file in files {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), b"x").unwrap();
        }
    }

    fn all(root: &Path) -> Listing {
        walk(LibraryKind::Movies, root, &Scope::All, &CancellationToken::new(), |_| {}).unwrap()
    }

    #[test]
    fn videos_and_what_is_beside_them_are_listed_in_order_and_the_rest_is_not() {
        let root = tempfile::tempdir().unwrap();
        make(
            root.path(),
            &["b/2.MKV", "b/1.mp4", "b/1.nfo", "a.mkv", "c/readme.txt", ".x.mkv", ".git/y.mkv", "@eaDir/z.mkv"],
        );
        let listing = all(root.path());
        assert_eq!(places(&listing), ["a.mkv", "b/1.mp4", "b/2.MKV"]);
        assert_eq!(listing.folders[1].companions[0].name, "1.nfo");
        assert_eq!(listing.files, 3);
    }

    #[test]
    fn a_library_of_books_lists_books_and_no_videos() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), &["Series/01.cbz", "Series/02.CBR", "Series/film.mkv", "Series/series.json", "alone.epub"]);
        let listing = walk(LibraryKind::Comics, root.path(), &Scope::All, &CancellationToken::new(), |_| {}).unwrap();
        assert_eq!(places(&listing), ["alone.epub", "Series/01.cbz", "Series/02.CBR"]);
        assert_eq!(listing.folders[1].companions[0].name, "series.json");
    }

    #[test]
    fn links_are_followed_and_loops_end() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), &["a/1.mkv"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink("self.mkv", root.path().join("self.mkv")).unwrap();
        std::os::unix::fs::symlink(root.path().join("a/1.mkv"), root.path().join("b.mkv")).unwrap();
        let listing = all(root.path());
        assert_eq!(places(&listing), ["b.mkv", "a/1.mkv"]);
        assert_eq!(listing.unseen.len(), 1, "the file that links to itself");
    }

    #[test]
    fn a_scope_holds_its_folders_and_what_is_below_the_deep_ones() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), &["a/1.mkv", "a/b/2.mkv", "c/3.mkv", "c/d/4.mkv", "e/5.mkv"]);
        let scope = Scope::Folders([("a".into(), false), ("c".into(), true), ("gone".into(), true)].into());
        let listing = walk(LibraryKind::Movies, root.path(), &scope, &CancellationToken::new(), |_| {}).unwrap();
        assert_eq!(places(&listing), ["a/1.mkv", "c/3.mkv", "c/d/4.mkv"]);
        let held: Vec<bool> =
            ["a/1.mkv", "a/b/2.mkv", "c/d/4.mkv", "x.mkv"].map(|p| scope.holds(Path::new(p))).to_vec();
        assert_eq!(held, [true, false, true, false]);
    }

    #[test]
    fn names_that_are_not_utf8_are_listed() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(OsStr::from_bytes(b"caf\xe9.mkv")), b"x").unwrap();
        assert_eq!(all(root.path()).folders[0].files[0].name.as_bytes(), b"caf\xe9.mkv");
    }
}
