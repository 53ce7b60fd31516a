//! Lays a listing beside what the catalog knows of the same part of a library. Pure.
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::artwork::beside_video;
use super::identify::{Recognised, by_stat};
use super::scan::{Companion, Folder, Found, Scope};
use super::titles::{is_extra, kind_of};
use crate::catalog::record::{Known, Stat};
use crate::catalog::{ItemState, Library};

/// A file of a listing: the number of its folder, and its own in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    folder: u32,
    file: u32,
}

/// The folders of a listing, shared with blocking threads.
pub(super) struct Folders(Vec<Arc<Folder>>);

impl Folders {
    pub fn new(folders: Vec<Folder>) -> Self {
        Self(folders.into_iter().map(Arc::new).collect())
    }

    pub fn folder(&self, spot: Spot) -> &Arc<Folder> {
        &self.0[spot.folder as usize]
    }

    pub fn found(&self, spot: Spot) -> &Found {
        &self.folder(spot).files[spot.file as usize]
    }

    pub fn place(&self, spot: Spot) -> PathBuf {
        self.folder(spot).place.join(&self.found(spot).name)
    }

    /// The folder at this place, if anything that matters is in it.
    pub fn at(&self, place: &Path) -> Option<&Arc<Folder>> {
        self.0.iter().find(|folder| folder.place == place)
    }

    /// Playlists, by their places.
    pub fn lists(&self) -> HashMap<PathBuf, Companion> {
        let of = |folder: &Arc<Folder>| {
            let place = folder.place.clone();
            folder.lists.iter().map(move |list| (place.join(&list.name), list.clone())).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }

    fn spots(&self) -> impl Iterator<Item = Spot> + '_ {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.0.iter().enumerate().flat_map(move |(folder, inside)| {
            (0..inside.files.len()).map(move |file| Spot { folder: number(folder), file: number(file) })
        })
    }
}

/// A file and the item that the catalog has at its place.
pub(super) struct Unexplained {
    pub spot: Spot,
    pub here: Option<Box<Known>>,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Sorted {
    /// Unchanged, but for a device number or a state that is over.
    pub seen: Vec<(i64, Stat)>,
    /// Unchanged, but what lies beside them is not.
    pub redescribe: Vec<(i64, Spot, Option<Box<Known>>)>,
    /// Unchanged, but the block index knows them under an old path.
    pub reindex: Vec<(Spot, Box<Known>)>,
    /// Damaged when last seen.
    pub damaged: Vec<Known>,
    /// New, moved, touched or edited.
    pub unexplained: Vec<Unexplained>,
    /// Known, and not found.
    pub missing: Vec<Known>,
    /// All that are as they were and were hashed, in the order of the listing.
    pub unchanged: Vec<(i64, Spot)>,
    /// Devices on which files were found.
    pub devices: HashSet<u64>,
    /// Device numbers that were given up for others: an unchanged file has another one now.
    pub renumbered: HashSet<u64>,
    /// Files looked at.
    pub files: u64,
}

/// See the module. `is_forced` names files to be read in any case.
pub(super) fn sort(
    library: &Library,
    folders: &Folders,
    scope: &Scope,
    known: Vec<Known>,
    is_forced: impl Fn(&Path) -> bool,
) -> Sorted {
    let mut sorted = Sorted::default();
    let mut present: HashMap<PathBuf, Known> = HashMap::with_capacity(known.len());
    let mut trashed: HashMap<PathBuf, Known> = HashMap::new();
    for known in known.into_iter().filter(|known| scope.holds(&known.place)) {
        let into = if known.gone { &mut trashed } else { &mut present };
        let newer = into.get(&known.place).is_none_or(|other| other.missing_at <= known.missing_at);
        if newer {
            into.insert(known.place.clone(), known);
        }
    }
    for spot in folders.spots() {
        let (place, found) = (folders.place(spot), folders.found(spot));
        if is_extra(library.kind, &place) {
            continue;
        }
        sorted.files += 1;
        sorted.devices.insert(found.stat.device);
        match present.remove(&place) {
            Some(here)
                if by_stat(&place, &found.stat, Some(&here), &[]) == Recognised::Same(here.item)
                    && !here.retry
                    && !is_forced(&library.path.join(&place)) =>
            {
                sorted.unchanged(library, folders, spot, here);
            }
            Some(here) => sorted.unexplained.push(Unexplained { spot, here: Some(Box::new(here)) }),
            None => sorted.unexplained.push(Unexplained { spot, here: trashed.remove(&place).map(Box::new) }),
        }
    }
    sorted.missing = present.into_values().collect();
    sorted
}

impl Sorted {
    fn unchanged(&mut self, library: &Library, folders: &Folders, spot: Spot, here: Known) {
        let found = folders.found(spot);
        if here.cid.is_some() {
            self.unchanged.push((here.item, spot));
        }
        if here.stat.device != found.stat.device {
            self.renumbered.insert(here.stat.device);
        }
        if here.stat != found.stat || here.state == ItemState::Unavailable {
            self.seen.push((here.item, found.stat));
        }
        let beside = beside_video(&library.path, folders.folder(spot), &found.name, kind_of(library.kind));
        let described = here.described == beside.digest;
        let here = Box::new(here);
        if !described {
            self.redescribe.push((here.item, spot, Some(here.clone())));
        }
        if here.indexed_as.is_some() {
            self.reindex.push((spot, here.clone()));
        }
        if here.state == ItemState::Damaged {
            self.damaged.push(*here);
        }
    }
}
