//! Hears from the system what changed in libraries' folders, and gathers it into the parts to look at again.
//!
//! inotify has limits (watches a user, events in its queue). Where they are reached, the library is rescanned on a
//! schedule instead, and a warning says which setting to raise. Events are hints: the scan looks at the disk itself.
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::scan::Scope;
use crate::catalog::{Id, Library};

/// Folders gathered of one library before all of it is looked at.
const FOLDERS_MAX: usize = 256;

/// What changed since it was last taken.
#[derive(Default)]
pub(super) struct Gathered {
    scopes: Mutex<HashMap<Id, Scope>>,
    some: Notify,
}

impl Gathered {
    /// Returns when something changed.
    pub async fn some(&self) {
        self.some.notified().await;
    }

    pub fn take(&self) -> HashMap<Id, Scope> {
        std::mem::take(&mut self.scopes.lock())
    }

    fn add(&self, library: &str, scope: Scope) {
        let mut scopes = self.scopes.lock();
        let joined = match scopes.remove(library) {
            Some(before) => before.join(scope),
            None => scope,
        };
        let joined = match joined {
            Scope::Folders(folders) if folders.len() > FOLDERS_MAX => Scope::All,
            other => other,
        };
        scopes.insert(library.to_owned(), joined);
        drop(scopes);
        self.some.notify_one();
    }
}

/// The watches of all libraries; they end when it is dropped.
pub(super) struct Watches {
    gathered: Arc<Gathered>,
    watched: HashMap<Id, (PathBuf, Option<RecommendedWatcher>)>,
}

impl Watches {
    pub fn new(gathered: Arc<Gathered>) -> Self {
        Self { gathered, watched: HashMap::new() }
    }

    /// Watches these libraries and no others; those whose folder is as before are left alone. Returns the libraries that
    /// could not be watched just now. Blocking: adds a watch for every folder.
    pub fn set(&mut self, libraries: &[Library]) -> Vec<Id> {
        self.watched.retain(|id, (path, _)| libraries.iter().any(|library| library.id == *id && library.path == *path));
        let mut refused = Vec::new();
        for library in libraries {
            if self.watched.contains_key(&library.id) {
                continue;
            }
            match watch(library, Arc::clone(&self.gathered)) {
                Ok(watcher) => {
                    self.watched.insert(library.id.clone(), (library.path.clone(), Some(watcher)));
                }
                Err(error) => {
                    warn(library, &error);
                    self.watched.insert(library.id.clone(), (library.path.clone(), None));
                    refused.push(library.id.clone());
                }
            }
        }
        refused
    }

    /// Libraries that are watched at a folder that is not theirs any more.
    pub fn moved(&self, libraries: &[Library]) -> Vec<Id> {
        let moved = |library: &&Library| self.watched.get(&library.id).is_some_and(|(path, _)| *path != library.path);
        libraries.iter().filter(moved).map(|library| library.id.clone()).collect()
    }

    /// The folder of a library came back or went: its watches are made anew by the next [`Watches::set`].
    pub fn forget(&mut self, library: &str) {
        self.watched.remove(library);
    }
}

fn watch(library: &Library, gathered: Arc<Gathered>) -> notify::Result<RecommendedWatcher> {
    let (id, root) = (library.id.clone(), library.path.clone());
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if let Some(scope) = scope_of(&root, event) {
            gathered.add(&id, scope);
        }
    })?;
    watcher.watch(&library.path, RecursiveMode::Recursive)?;
    Ok(watcher)
}

fn warn(library: &Library, error: &notify::Error) {
    let (name, path) = (&library.name, library.path.display());
    if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) {
        tracing::warn!(
            library.name = name,
            library.path = %path,
            "the system has no inotify watches left (raise fs.inotify.max_user_watches): the library is rescanned on a schedule"
        );
    } else {
        tracing::warn!(library.name = name, library.path = %path, %error, "a library cannot be watched: it is rescanned on a schedule");
    }
}

/// The part of a library that an event is about. Reading, also our own, is none.
fn scope_of(root: &Path, event: notify::Result<Event>) -> Option<Scope> {
    let event = match event {
        Ok(event) if event.need_rescan() => return Some(Scope::All),
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(library.path = %root.display(), %error, "a change may have been missed: looking at the whole library");
            return Some(Scope::All);
        }
    };
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    if matches!(event.kind, EventKind::Access(_)) && event.kind != written {
        return None;
    }
    let mut folders = BTreeMap::new();
    for path in &event.paths {
        let Ok(place) = path.strip_prefix(root) else { continue };
        let hidden = place.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        let Some(parent) = place.parent() else { return Some(Scope::All) };
        folders.entry(parent.to_owned()).or_insert(false);
        // A folder, or what may have been one.
        if !path.is_file() {
            folders.insert(place.to_owned(), true);
        }
    }
    (!folders.is_empty()).then_some(Scope::Folders(folders))
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, RemoveKind};

    use super::*;

    fn scope(kind: EventKind, path: &str) -> Option<Scope> {
        scope_of(Path::new("/l"), Ok(Event::new(kind).add_path(PathBuf::from(path))))
    }

    #[test]
    fn an_event_is_about_its_folder_and_what_may_be_a_folder() {
        let removed = scope(EventKind::Remove(RemoveKind::Any), "/l/a/b");
        assert_eq!(removed, Some(Scope::Folders([("a".into(), false), ("a/b".into(), true)].into())));
        assert_eq!(scope(EventKind::Remove(RemoveKind::Folder), "/l"), Some(Scope::All));
    }

    #[test]
    fn reading_and_hidden_files_are_no_events() {
        assert_eq!(scope(EventKind::Access(AccessKind::Open(AccessMode::Read)), "/l/a.mkv"), None);
        assert_eq!(scope(EventKind::Create(CreateKind::File), "/l/a/.a.mkv.Xyz"), None);
    }

    #[test]
    fn a_storm_is_a_scan_of_all() {
        let gathered = Gathered::default();
        for n in 0..=FOLDERS_MAX {
            gathered.add("films", Scope::Folders([(format!("{n}").into(), true)].into()));
        }
        assert_eq!(gathered.take().remove("films"), Some(Scope::All));
    }
}
