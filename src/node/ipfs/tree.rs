//! The public libraries as one folder: a folder for each library, in it the files in their folders.
//!
//! The files' blocks are the block index's. The folders' own nodes are in one CAR, written whole and put in the place of the one
//! before; where each is in it is kept in memory, so that a library of many folders takes little of that.
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

use crate::catalog::PublicLibrary;
use crate::content::Cid;
use crate::content::car;
use crate::content::cid::{self, Digest};
use crate::content::unixfs::folder::{self, FolderEntry, FolderError};
use crate::content::unixfs::{Profile, Shape};

/// Folders in folders at most; what is deeper is left out.
const DEPTH_MAX: usize = 64;

/// Why there is no folder.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Its file.
    #[error("{0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
    /// A folder with names that hash alike.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What is public is not known.
    #[error("the catalog could not be read: {0}")]
    Catalog(String),
}

/// See the module.
pub struct Tree {
    path: PathBuf,
    file: Option<File>,
    root: Cid,
    places: HashMap<Digest, (u64, u32)>,
    /// Folders of libraries, by the libraries' ids.
    libraries: HashMap<String, Cid>,
}

#[derive(Default)]
struct Folder {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, (Cid, u64)>,
}

impl Tree {
    /// An empty folder, none of whose nodes is there yet: until the first is made.
    #[must_use]
    pub fn none(path: &Path) -> Self {
        let empty = folder::build(Vec::new()).map(|built| built.root).unwrap_or_else(|_| cid::of_raw(b""));
        Self { path: path.to_owned(), file: None, root: empty, places: HashMap::new(), libraries: HashMap::new() }
    }

    /// Writes the folder of these libraries. Blocking.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn make(path: &Path, libraries: Vec<PublicLibrary>) -> Result<Self, TreeError> {
        let io = |error| TreeError::Io(path.to_owned(), error);
        let top = collect(libraries);
        let mut libraries = HashMap::with_capacity(top.len());
        let part = path.with_extension("part");
        let mut writer =
            Writer { out: BufWriter::new(File::create(&part).map_err(io)?), at: 0, places: HashMap::new() };
        // The root is known at the end; a reader of the file goes by the blocks.
        writer.write(&car::header(&[])).map_err(io)?;
        let mut entries = Vec::with_capacity(top.len());
        for (name, (id, below)) in top {
            let built = writer.folder(below, io)?;
            libraries.insert(id, built.cid);
            entries.push(FolderEntry { name, ..built });
        }
        let root = writer.listed(entries, io)?;
        writer.out.flush().map_err(io)?;
        std::fs::rename(&part, path).map_err(io)?;
        let file = Some(File::open(path).map_err(io)?);
        Ok(Self { path: path.to_owned(), file, root: root.cid, places: writer.places, libraries })
    }

    /// What the folder is called.
    #[must_use]
    pub fn root(&self) -> Cid {
        self.root
    }

    /// The folder of a library; `None` where it is not public, or nothing is in it.
    #[must_use]
    pub fn library(&self, id: &str) -> Option<Cid> {
        self.libraries.get(id).copied()
    }

    /// A node of its folders, checked; `None` for anything else.
    ///
    /// # Errors
    /// [`TreeError::Io`].
    pub fn get(&self, wanted: &Cid) -> Result<Option<Bytes>, TreeError> {
        let place = cid::digest_of(wanted).and_then(|digest| Some((digest, *self.places.get(&digest)?)));
        let (Some((digest, (at, len))), Some(file)) = (place, &self.file) else { return Ok(None) };
        let mut node = vec![0; len as usize];
        file.read_exact_at(&mut node, at).map_err(|error| TreeError::Io(self.path.clone(), error))?;
        Ok((cid::sha256(&node) == digest).then(|| node.into()))
    }
}

/// The libraries with their ids, by the names of their folders.
type Libraries = BTreeMap<String, (String, Folder)>;

fn collect(libraries: Vec<PublicLibrary>) -> Libraries {
    let mut top = Libraries::default();
    for library in libraries {
        let mut below = Folder::default();
        for file in library.files {
            put(&mut below, &file.place, file.cid, file.size);
        }
        top.insert(free(&top, &plain(&library.name)), (library.id, below));
    }
    top
}

/// A name that is one part of a path.
fn plain(name: &str) -> String {
    let plain = name.replace(['/', '\0'], "-");
    if plain.is_empty() || plain == "." || plain == ".." { "-".to_owned() } else { plain }
}

/// Two libraries may have the same name.
fn free(top: &Libraries, name: &str) -> String {
    let numbered = (2..).map(|number| format!("{name} {number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !top.contains_key(name)).unwrap_or_default()
}

/// Puts a file at its place. UnixFS names are text: what is none is written as near to it as can be.
fn put(mut folder: &mut Folder, place: &Path, cid: Cid, size: u64) {
    let parts: Vec<String> = place
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(String::from_utf8_lossy(name.as_bytes()).into_owned()),
            _ => None,
        })
        .collect();
    let Some((name, folders)) = parts.split_last() else { return };
    if folders.len() > DEPTH_MAX {
        return;
    }
    for name in folders {
        folder = folder.folders.entry(name.clone()).or_default();
    }
    folder.files.insert(name.clone(), (cid, size));
}

struct Writer {
    out: BufWriter<File>,
    at: u64,
    places: HashMap<Digest, (u64, u32)>,
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Writes a folder after the folders in it.
    fn folder(&mut self, folder: Folder, io: impl Fn(io::Error) -> TreeError + Copy) -> Result<FolderEntry, TreeError> {
        let mut entries = Vec::with_capacity(folder.files.len() + folder.folders.len());
        for (name, below) in folder.folders {
            let built = self.folder(below, io)?;
            entries.push(FolderEntry { name, ..built });
        }
        let file = |(name, (cid, size)): (String, (Cid, u64))| {
            let shape = Shape::new(Profile::V1_2025, size);
            FolderEntry { name, cid, tsize: shape.tsize(shape.root()).unwrap_or(size) }
        };
        // A folder and a file cannot have one name on a disk; texts that stand for other bytes may be alike.
        let known: std::collections::HashSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        entries.extend(folder.files.into_iter().filter(|(name, _)| !known.contains(name)).map(file));
        self.listed(entries, io)
    }

    /// Writes the nodes of one folder.
    fn listed(
        &mut self,
        entries: Vec<FolderEntry>,
        io: impl Fn(io::Error) -> TreeError,
    ) -> Result<FolderEntry, TreeError> {
        let built = folder::build(entries)?;
        for (cid, node) in &built.nodes {
            self.node(cid, node).map_err(&io)?;
        }
        Ok(FolderEntry { name: String::new(), cid: built.root, tsize: built.tsize })
    }

    fn node(&mut self, cid: &Cid, node: &Bytes) -> io::Result<()> {
        let Some(digest) = cid::digest_of(cid) else { return Ok(()) };
        if self.places.contains_key(&digest) {
            return Ok(());
        }
        self.write(&car::section_prefix(cid, node.len()))?;
        self.places.insert(digest, (self.at, u32::try_from(node.len()).unwrap_or(u32::MAX)));
        self.write(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::PublicFile;
    use crate::content::unixfs::node::{Node, decode};

    fn library(name: &str, places: &[&str]) -> PublicLibrary {
        let file = |place: &&str| PublicFile { place: place.into(), cid: cid::of_raw(place.as_bytes()), size: 7 };
        let id = format!("id of {name}{}", places[0]);
        PublicLibrary { id, name: name.to_owned(), files: places.iter().map(file).collect() }
    }

    fn at(tree: &Tree, path: &[&str]) -> Option<Cid> {
        path.iter().try_fold(tree.root(), |at, name| {
            let Node::Folder(links) = decode(&tree.get(&at).unwrap()?).unwrap() else { return None };
            links.into_iter().find(|link| link.name == *name).map(|link| link.cid)
        })
    }

    #[test]
    fn files_are_found_in_the_folders_of_their_libraries() {
        let dir = tempfile::tempdir().unwrap();
        let movies = library("Movies", &["Soup (2020)/Soup.mkv", "Soup (2020)/Soup.srt", "Bread.mkv"]);
        let tree =
            Tree::make(&dir.path().join("tree.car"), vec![movies, library("Movies", &["x"]), library("a/b", &["y"])])
                .unwrap();
        assert_eq!(at(&tree, &["Movies", "Soup (2020)", "Soup.srt"]), Some(cid::of_raw(b"Soup (2020)/Soup.srt")));
        assert_eq!(at(&tree, &["Movies", "Bread.mkv"]), Some(cid::of_raw(b"Bread.mkv")));
        assert_eq!(at(&tree, &["Movies 2", "x"]), Some(cid::of_raw(b"x")));
        assert_eq!(at(&tree, &["a-b", "y"]), Some(cid::of_raw(b"y")));
        assert_eq!(at(&tree, &["Movies", "x"]), None);
        assert_eq!((tree.library("id of Moviesx"), tree.library("id")), (at(&tree, &["Movies 2"]), None));
    }

    #[test]
    fn nothing_public_is_an_empty_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tree.car");
        let tree = Tree::make(&path, Vec::new()).unwrap();
        assert_eq!(tree.root(), Tree::none(&path).root());
        assert!(tree.get(&tree.root()).unwrap().is_some());
        assert_eq!(tree.get(&cid::of_raw(b"other")).unwrap(), None);
    }
}
