//! Which library here is which library of Komga's, by their folders.
//!
//! Blocking: looks at the folders.
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::komga::Kept;
use super::places::{self, FolderMap};
use super::report::{MovedLibrary, MovedLibraryState};
use crate::catalog::{Id, Library, LibraryKind};

/// Longest name of a library, in characters.
const NAME_MAX: usize = 64;

/// The folders of both sides.
pub(super) struct Roots {
    maps: Vec<FolderMap>,
    /// By Komga's id: the folder as Komga writes it, and the real one here, if there is one.
    theirs: HashMap<Id, (PathBuf, Option<PathBuf>)>,
    /// Of our libraries of comics and books: their real folders.
    ours: Vec<(Id, PathBuf)>,
    /// What is told of each.
    pub told: Vec<(Id, MovedLibrary)>,
}

/// A file below the root of a library here.
pub(super) type Placed = (Id, PathBuf);

impl Roots {
    /// Settles which is which.
    pub fn new(kept: &Kept, own: &[Library], maps: &[FolderMap]) -> Self {
        let real = |path: &Path| path.canonicalize().ok().filter(|path| path.is_dir());
        let folder = |library: &Library| real(&library.path).unwrap_or_else(|| library.path.clone());
        let all: Vec<(&Library, PathBuf)> = own.iter().map(|library| (library, folder(library))).collect();
        let read = all.iter().filter(|(library, _)| library.kind.is_read());
        let ours = read.map(|(library, folder)| (library.id.clone(), folder.clone())).collect();
        let mut roots = Self { maps: maps.to_vec(), theirs: HashMap::new(), ours, told: Vec::new() };
        let mut names: HashSet<String> = own.iter().map(|library| library.name.to_lowercase()).collect();
        let (books, epubs) = counts(kept);
        for library in &kept.libraries {
            let root = places::of_url(&library.root).unwrap_or_default();
            let here = places::here(&root, maps);
            let there = if here.as_os_str().is_empty() { None } else { real(&here) };
            let (state, id) = settle(there.as_deref(), &all);
            let count = books.get(&library.id).copied().unwrap_or_default();
            let flows = epubs.get(&library.id).copied().unwrap_or_default() * 2 > count;
            let kind = if flows { LibraryKind::Books } else { LibraryKind::Comics };
            let name =
                if state == MovedLibraryState::New { free(&library.name, &mut names) } else { library.name.clone() };
            let told = MovedLibrary {
                name,
                root: root.display().to_string(),
                folder: there.as_deref().unwrap_or(&here).display().to_string(),
                kind,
                state,
                library: id,
                books: count,
                files: 0,
            };
            roots.told.push((library.id.clone(), told));
            roots.theirs.insert(library.id.clone(), (root, there));
        }
        roots.count_files(kept);
        roots
    }

    /// Counts the files that are there of libraries that are not here yet.
    fn count_files(&mut self, kept: &Kept) {
        let new: HashSet<Id> = self
            .told
            .iter()
            .filter(|(_, told)| told.state == MovedLibraryState::New)
            .map(|(id, _)| id.clone())
            .collect();
        if new.is_empty() {
            return;
        }
        let mut files: HashMap<&str, u64> = HashMap::new();
        for book in kept.books.iter().filter(|book| !book.trashed && new.contains(&book.library)) {
            let there = self.path(&book.library, &book.url).is_some_and(|path| path.exists());
            *files.entry(&book.library).or_default() += u64::from(there);
        }
        for (id, told) in &mut self.told {
            told.files = files.get(id.as_str()).copied().unwrap_or_default();
        }
    }

    /// Where a file or folder of a library of Komga's is here, or would be.
    fn path(&self, library: &str, url: &str) -> Option<PathBuf> {
        let path = places::of_url(url)?;
        let known = self.theirs.get(library).and_then(|(root, there)| Some((root, there.as_ref()?)));
        match known.and_then(|(root, there)| Some((there, path.strip_prefix(root).ok()?))) {
            Some((there, rest)) if rest.as_os_str().is_empty() => Some(there.clone()),
            Some((there, rest)) => Some(there.join(rest)),
            None => Some(places::here(&path, &self.maps)),
        }
    }

    /// The same as a place in a library here.
    pub fn place(&self, library: &str, url: &str) -> Option<Placed> {
        let path = self.path(library, url)?;
        let within = self.ours.iter().filter(|(_, root)| path.starts_with(root));
        let (id, root) = within.max_by_key(|(_, root)| root.components().count())?;
        Some((id.clone(), path.strip_prefix(root).ok()?.to_owned()))
    }

    /// Our libraries of comics and books with their folders.
    pub fn ours(&self) -> &[(Id, PathBuf)] {
        &self.ours
    }

    /// Our libraries that lie in a library of Komga's, or are it.
    pub fn within(&self, library: &str) -> Vec<Id> {
        let Some((_, Some(there))) = self.theirs.get(library) else { return Vec::new() };
        self.ours.iter().filter(|(_, root)| root.starts_with(there)).map(|(id, _)| id.clone()).collect()
    }
}

fn counts(kept: &Kept) -> (HashMap<Id, u64>, HashMap<Id, u64>) {
    let (mut books, mut epubs): (HashMap<Id, u64>, HashMap<Id, u64>) = Default::default();
    for book in kept.books.iter().filter(|book| !book.trashed) {
        *books.entry(book.library.clone()).or_default() += 1;
        *epubs.entry(book.library.clone()).or_default() += u64::from(book.url.to_lowercase().ends_with(".epub"));
    }
    (books, epubs)
}

fn settle(there: Option<&Path>, all: &[(&Library, PathBuf)]) -> (MovedLibraryState, Option<Id>) {
    let Some(there) = there else { return (MovedLibraryState::Missing, None) };
    let same = all.iter().find(|(library, folder)| folder == there && library.kind.is_read());
    if let Some((library, _)) = same {
        return (MovedLibraryState::Here, Some(library.id.clone()));
    }
    let overlaps = all.iter().any(|(_, folder)| folder.starts_with(there) || there.starts_with(folder));
    (if overlaps { MovedLibraryState::Part } else { MovedLibraryState::New }, None)
}

/// A name that no other library has.
fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX - 6).collect();
    let plain = if plain.trim().is_empty() { "Komga".to_owned() } else { plain.trim().to_owned() };
    let numbered = (2..).map(|n| format!("{plain} ({n})"));
    let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !taken.contains(&name.to_lowercase()));
    let free = free.unwrap_or(plain);
    taken.insert(free.to_lowercase());
    free
}
