//! Which library here is which library of the other program's, by their folders.
//!
//! Blocking: looks at the folders.
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::places::{self, FolderMap};
use super::report::{MovedLibrary, MovedLibraryState};
use crate::catalog::{Id, Library, LibraryKind};

/// Longest name of a library, in characters.
const NAME_MAX: usize = 64;

/// A library of the other program's.
pub(super) struct Theirs {
    pub id: Id,
    pub name: String,
    /// As it is written there.
    pub root: PathBuf,
    /// What it would be here.
    pub kind: LibraryKind,
    /// Books or tracks in it.
    pub items: u64,
}

/// The folders of both sides.
pub(super) struct Roots {
    maps: Vec<FolderMap>,
    /// By the id there: the folder as it is written there, and the real one here, if there is one.
    theirs: HashMap<Id, (PathBuf, Option<PathBuf>)>,
    /// Of our libraries of that kind: their real folders.
    ours: Vec<(Id, PathBuf)>,
    /// What is told of each.
    pub told: Vec<(Id, MovedLibrary)>,
}

/// A file below the root of a library here.
pub(super) type Placed = (Id, PathBuf);

impl Roots {
    /// Settles which is which: `fits` tells whether a library here is of the kind that theirs are.
    pub fn new(theirs: Vec<Theirs>, own: &[Library], fits: fn(LibraryKind) -> bool, maps: &[FolderMap]) -> Self {
        let real = |path: &Path| path.canonicalize().ok().filter(|path| path.is_dir());
        let folder = |library: &Library| real(&library.path).unwrap_or_else(|| library.path.clone());
        let all: Vec<(&Library, PathBuf)> = own.iter().map(|library| (library, folder(library))).collect();
        let fitting = all.iter().filter(|(library, _)| fits(library.kind));
        let ours = fitting.map(|(library, folder)| (library.id.clone(), folder.clone())).collect();
        let mut roots = Self { maps: maps.to_vec(), theirs: HashMap::new(), ours, told: Vec::new() };
        let mut names: HashSet<String> = own.iter().map(|library| library.name.to_lowercase()).collect();
        for Theirs { id, name, root, kind, items } in theirs {
            let here = places::here(&root, maps);
            let there = if here.as_os_str().is_empty() { None } else { real(&here) };
            let (state, library) = settle(there.as_deref(), &all, fits);
            let name = if state == MovedLibraryState::New { free(&name, &mut names) } else { name };
            let told = MovedLibrary {
                name,
                root: root.display().to_string(),
                folder: there.as_deref().unwrap_or(&here).display().to_string(),
                kind,
                state,
                library,
                items,
                files: 0,
            };
            roots.told.push((id.clone(), told));
            roots.theirs.insert(id, (root, there));
        }
        roots
    }

    /// Counts the files that are there of libraries that are not here yet: each with its library there.
    pub fn count_files<'a>(&mut self, all: impl Iterator<Item = (&'a Id, PathBuf)>) {
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
        for (library, path) in all.filter(|(library, _)| new.contains(*library)) {
            *files.entry(library).or_default() += u64::from(self.path(library, &path).exists());
        }
        for (id, told) in &mut self.told {
            told.files = files.get(id.as_str()).copied().unwrap_or_default();
        }
    }

    /// Where a file or folder of a library there is here, or would be.
    fn path(&self, library: &str, path: &Path) -> PathBuf {
        let known = self.theirs.get(library).and_then(|(root, there)| Some((root, there.as_ref()?)));
        match known.and_then(|(root, there)| Some((there, path.strip_prefix(root).ok()?))) {
            Some((there, rest)) if rest.as_os_str().is_empty() => there.clone(),
            Some((there, rest)) => there.join(rest),
            None => places::here(path, &self.maps),
        }
    }

    /// The same as a place in a library here.
    pub fn place(&self, library: &str, path: &Path) -> Option<Placed> {
        let path = self.path(library, path);
        let within = self.ours.iter().filter(|(_, root)| path.starts_with(root));
        let (id, root) = within.max_by_key(|(_, root)| root.components().count())?;
        Some((id.clone(), path.strip_prefix(root).ok()?.to_owned()))
    }

    /// What somebody who sees these libraries there may see here.
    pub fn within<'a>(&self, libraries: impl Iterator<Item = &'a Id>) -> Vec<Id> {
        let mut ids: Vec<Id> = libraries.flat_map(|id| self.within_one(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// What somebody who sees everything there may see here: all, if there is nothing else; otherwise the libraries that are theirs.
    pub fn sees_all(&self, own: &[Library]) -> Option<Vec<Id>> {
        let theirs = self.within(self.told.iter().map(|(id, _)| id));
        let all = own.iter().all(|library| theirs.contains(&library.id));
        (!all).then_some(theirs)
    }

    /// Our libraries that lie in a library there, or are it.
    fn within_one(&self, library: &str) -> Vec<Id> {
        let Some((_, Some(there))) = self.theirs.get(library) else { return Vec::new() };
        self.ours.iter().filter(|(_, root)| root.starts_with(there)).map(|(id, _)| id.clone()).collect()
    }

    /// Our libraries of that kind with their folders.
    pub fn ours(&self) -> &[(Id, PathBuf)] {
        &self.ours
    }
}

fn settle(
    there: Option<&Path>,
    all: &[(&Library, PathBuf)],
    fits: fn(LibraryKind) -> bool,
) -> (MovedLibraryState, Option<Id>) {
    let Some(there) = there else { return (MovedLibraryState::Missing, None) };
    let same = all.iter().find(|(library, folder)| folder == there && fits(library.kind));
    if let Some((library, _)) = same {
        return (MovedLibraryState::Here, Some(library.id.clone()));
    }
    let overlaps = all.iter().any(|(_, folder)| folder.starts_with(there) || there.starts_with(folder));
    (if overlaps { MovedLibraryState::Part } else { MovedLibraryState::New }, None)
}

/// A name that no other library has.
fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX - 6).collect();
    let plain = if plain.trim().is_empty() { "Moved in".to_owned() } else { plain.trim().to_owned() };
    let numbered = (2..).map(|n| format!("{plain} ({n})"));
    let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !taken.contains(&name.to_lowercase()));
    let free = free.unwrap_or(plain);
    taken.insert(free.to_lowercase());
    free
}
