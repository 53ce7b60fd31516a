//! Transcoded segments on disk: `renditions/<file>/<rendition>/<n>.<encoder>.m4s`, and sounds of whole files, whose ending is
//! `.sound`, under one quota, the longest unused first to go.
//!
//! Invariants: a file under its final name is whole as far as this process knows, and is checked against its CID (a sound: its
//! digest) before it is served; what was used in the last minute, or is being sent, is never evicted; a full disk costs the cache,
//! not the viewer.
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use parking_lot::Mutex;

use super::jobs::JobKey;
use super::sounds::WHOLE;

/// What was used so lately is still playing.
const PLAYING: Duration = Duration::from_secs(60);

/// What time it is.
pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

type Name = (JobKey, usize);

struct Entry {
    encoder: String,
    size: u64,
    used: SystemTime,
    /// Whether it is known to be whole. Somebody else who holds this is sending it.
    held: Arc<AtomicBool>,
}

/// A sound that is being sent: it stays where it is.
pub(super) struct Held {
    pub file: fs::File,
    pub size: u64,
    pub encoder: String,
    known: Arc<AtomicBool>,
}

impl Held {
    /// Whether its bytes were looked at by this process.
    pub fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Notes that they were, and are right.
    pub fn set_known(&self) {
        self.known.store(true, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Shelf {
    entries: HashMap<Name, Entry>,
    counts: HashMap<JobKey, usize>,
    bytes: u64,
    /// Why the last segment could not be kept.
    problem: Option<String>,
}

/// See the module. Methods block; call them on a blocking thread, but for [`Disk::has`], [`Disk::count`] and the figures.
pub(super) struct Disk {
    folder: Option<PathBuf>,
    quota: u64,
    clock: Clock,
    shelf: Mutex<Shelf>,
}

impl Disk {
    /// Finds what an earlier process left. `None` keeps nothing.
    pub fn open(folder: Option<PathBuf>, quota: u64, clock: Clock) -> Self {
        let mut shelf = Shelf::default();
        if let Some(folder) = &folder {
            scan(folder, &mut shelf);
        }
        let this = Self { folder, quota, clock, shelf: Mutex::new(shelf) };
        this.make_room(0);
        this
    }

    /// Whether a segment is kept.
    pub fn has(&self, key: &JobKey, n: usize) -> bool {
        self.shelf.lock().entries.contains_key(&(key.clone(), n))
    }

    /// Segments of a rendition that are kept.
    pub fn count(&self, key: &JobKey) -> usize {
        self.shelf.lock().counts.get(key).copied().unwrap_or(0)
    }

    /// Bytes kept.
    pub fn bytes(&self) -> u64 {
        self.shelf.lock().bytes
    }

    /// Why nothing more is kept, if so.
    pub fn problem(&self) -> Option<String> {
        self.shelf.lock().problem.clone()
    }

    /// A segment and who encoded it.
    pub fn get(&self, key: &JobKey, n: usize) -> Option<(Bytes, String)> {
        let name = (key.clone(), n);
        let encoder = self.touch(&name)?;
        let path = self.path(key, n, &encoder)?;
        match fs::read(&path) {
            Ok(bytes) => Some((bytes.into(), encoder)),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "a kept segment is gone");
                self.shelf.lock().remove(&name);
                None
            }
        }
    }

    /// Notes that it is used, in memory always, on disk for the next process once a minute.
    fn touch(&self, name: &Name) -> Option<String> {
        let now = (self.clock)();
        let (encoder, stale) = {
            let mut shelf = self.shelf.lock();
            let entry = shelf.entries.get_mut(name)?;
            let stale = now.duration_since(entry.used).unwrap_or_default() > PLAYING;
            entry.used = now;
            (entry.encoder.clone(), stale)
        };
        if stale && let Some(path) = self.path(&name.0, name.1, &encoder) {
            let told = fs::File::options().append(true).open(path).and_then(|file| file.set_modified(now));
            // It only makes the order of eviction after a restart less exact.
            let _ = told.inspect_err(|error| tracing::debug!(%error, "a segment's time of use was not noted"));
        }
        Some(encoder)
    }

    /// Keeps a segment if there is room for it; else says why not, once, and goes on.
    pub fn put(&self, key: &JobKey, n: usize, bytes: &[u8], encoder: &str) {
        let encoder: String = encoder.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(32).collect();
        let Some(path) = self.path(key, n, &encoder) else { return };
        let size = bytes.len() as u64;
        if !self.make_room(size) {
            return self.complain("all of the quota is taken by what plays now".to_owned());
        }
        match write(&path, bytes) {
            Ok(()) => {
                let entry = Entry::new(encoder, size, (self.clock)());
                let mut shelf = self.shelf.lock();
                shelf.remove(&(key.clone(), n));
                shelf.insert((key.clone(), n), entry);
                shelf.problem = None;
            }
            Err(error) => self.complain(format!("{} cannot be written: {error}", path.display())),
        }
    }

    /// Where what is not whole yet may be written, to be taken in; `None` where nothing is kept.
    pub fn place(&self, key: &JobKey, id: u64) -> Option<PathBuf> {
        Some(self.path(key, 0, "part")?.with_file_name(format!("{id}.new")))
    }

    /// Takes in a whole sound of so many bytes from its place, if there is room for it. It is held from the beginning.
    pub fn take_in(&self, key: &JobKey, encoder: &str, from: &Path, size: u64) -> Option<Held> {
        let path = self.path(key, 0, encoder)?;
        if !self.make_room(size) {
            self.complain("all of the quota is taken by what plays now".to_owned());
            return None;
        }
        if let Err(error) = fs::rename(from, &path) {
            self.complain(format!("{} cannot be written: {error}", path.display()));
            return None;
        }
        let entry = Entry::new(encoder.to_owned(), size, (self.clock)());
        entry.held.store(true, Ordering::Relaxed);
        let mut shelf = self.shelf.lock();
        shelf.remove(&(key.clone(), 0));
        shelf.insert((key.clone(), 0), entry);
        drop(shelf);
        self.hold(key)
    }

    /// A sound that is kept, open, and not to be evicted.
    pub fn hold(&self, key: &JobKey) -> Option<Held> {
        let name = (key.clone(), 0);
        let known = Arc::clone(&self.shelf.lock().entries.get(&name)?.held);
        let encoder = self.touch(&name)?;
        let file = fs::File::open(self.path(key, 0, &encoder)?);
        match file.and_then(|file| Ok((file.metadata()?.len(), file))) {
            Ok((size, file)) => Some(Held { file, size, encoder, known }),
            Err(error) => {
                tracing::debug!(rendition = key.rendition, %error, "a kept sound is gone");
                self.shelf.lock().remove(&name);
                None
            }
        }
    }

    /// Removes a segment that is not what it should be.
    pub fn drop_wrong(&self, key: &JobKey, n: usize) {
        let Some(entry) = self.shelf.lock().remove(&(key.clone(), n)) else { return };
        tracing::warn!(rendition = key.rendition, n, "a kept segment had other bytes than when it was made");
        self.delete(key, n, &entry.encoder);
    }

    fn complain(&self, why: String) {
        let told = self.shelf.lock().problem.replace(why.clone());
        if told.is_none() {
            tracing::warn!(why, "transcoded segments are not kept on disk");
        }
    }

    /// Lets the longest unused go until so many bytes fit. `false` where what plays leaves no room.
    fn make_room(&self, size: u64) -> bool {
        let old = |now: SystemTime, entry: &Entry| {
            let idle = now.duration_since(entry.used).is_ok_and(|idle| idle > PLAYING);
            idle && Arc::strong_count(&entry.held) == 1
        };
        let gone = {
            let (now, mut shelf) = ((self.clock)(), self.shelf.lock());
            if shelf.bytes + size <= self.quota {
                return true;
            }
            let mut oldest: Vec<(SystemTime, Name)> = {
                let idle = shelf.entries.iter().filter(|(_, entry)| old(now, entry));
                idle.map(|(name, entry)| (entry.used, name.clone())).collect()
            };
            oldest.sort_by_key(|(used, _)| *used);
            let mut gone = Vec::new();
            for (_, name) in oldest {
                if shelf.bytes + size <= self.quota {
                    break;
                }
                gone.extend(shelf.remove(&name).map(|entry| (name, entry.encoder)));
            }
            gone
        };
        gone.iter().for_each(|((key, n), encoder)| self.delete(key, *n, encoder));
        self.shelf.lock().bytes + size <= self.quota
    }

    /// With its folders, where they are empty then.
    fn delete(&self, key: &JobKey, n: usize, encoder: &str) {
        let Some(path) = self.path(key, n, encoder) else { return };
        let _ = fs::remove_file(&path);
        let above = path.ancestors().skip(1).take(2);
        let _ = above.map(fs::remove_dir).collect::<Vec<io::Result<()>>>();
    }

    fn path(&self, key: &JobKey, n: usize, encoder: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?.join(key.file.to_string()).join(&key.rendition);
        Some(folder.join(format!("{n}.{encoder}.{}", ending(&key.rendition))))
    }
}

impl Entry {
    fn new(encoder: String, size: u64, used: SystemTime) -> Self {
        Self { encoder, size, used, held: Arc::default() }
    }
}

/// Of the names of files of a rendition.
fn ending(rendition: &str) -> &'static str {
    if rendition.starts_with(WHOLE) { "sound" } else { "m4s" }
}

impl Shelf {
    fn insert(&mut self, name: Name, entry: Entry) {
        self.bytes += entry.size;
        *self.counts.entry(name.0.clone()).or_default() += 1;
        self.entries.insert(name, entry);
    }

    fn remove(&mut self, name: &Name) -> Option<Entry> {
        let gone = self.entries.remove(name)?;
        self.bytes = self.bytes.saturating_sub(gone.size);
        if let Some(count) = self.counts.get_mut(&name.0) {
            *count = count.saturating_sub(1);
        }
        Some(gone)
    }
}

/// Puts everything found onto the shelf; removes what was being written when a process ended.
fn scan(folder: &Path, shelf: &mut Shelf) {
    let files = walkdir::WalkDir::new(folder).min_depth(3).max_depth(3).into_iter().filter_map(Result::ok);
    for file in files.filter(|entry| entry.file_type().is_file()) {
        let found = file.metadata().ok().filter(|meta| meta.len() > 0).zip(name_of(file.path()));
        match found {
            Some((meta, (name, encoder))) => {
                let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                shelf.insert(name, Entry::new(encoder, meta.len(), used));
            }
            None => {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

fn name_of(path: &Path) -> Option<(Name, String)> {
    let words: Vec<&str> = path.iter().rev().take(3).map(|word| word.to_str()).collect::<Option<_>>()?;
    let [file, rendition, folder] = words.as_slice() else { return None };
    let (n, encoder) = file.strip_suffix(ending(rendition))?.strip_suffix('.')?.split_once('.')?;
    let key = JobKey { file: folder.parse().ok()?, rendition: (*rendition).to_owned() };
    Some(((key, n.parse().ok()?), encoder.to_owned()))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    let written = fs::write(&new, bytes).and_then(|()| fs::rename(&new, path));
    written.inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid::of_raw;

    struct Scene {
        folder: tempfile::TempDir,
        now: Arc<Mutex<SystemTime>>,
    }

    impl Scene {
        fn new() -> Self {
            let start = SystemTime::now();
            Self { folder: tempfile::tempdir().unwrap(), now: Arc::new(Mutex::new(start)) }
        }

        fn disk(&self, quota: u64) -> Disk {
            let now = Arc::clone(&self.now);
            Disk::open(Some(self.folder.path().join("renditions")), quota, Arc::new(move || *now.lock()))
        }

        fn later(&self, seconds: u64) {
            *self.now.lock() += Duration::from_secs(seconds);
        }
    }

    fn key(film: &str) -> JobKey {
        JobKey { file: of_raw(film.as_bytes()), rendition: "v0-720.abc".to_owned() }
    }

    #[test]
    fn what_is_kept_survives_a_restart_with_who_made_it() {
        let scene = Scene::new();
        scene.disk(1000).put(&key("a"), 7, b"bytes", "libx264");
        let disk = scene.disk(1000);
        assert_eq!(disk.get(&key("a"), 7), Some((Bytes::from_static(b"bytes"), "libx264".to_owned())));
        assert_eq!((disk.count(&key("a")), disk.bytes(), disk.has(&key("a"), 8)), (1, 5, false));
    }

    #[test]
    fn the_longest_unused_goes_first_and_what_plays_stays() {
        let scene = Scene::new();
        let disk = scene.disk(25);
        disk.put(&key("a"), 0, &[0; 10], "x");
        scene.later(100);
        disk.put(&key("b"), 0, &[0; 10], "x");
        scene.later(100);
        assert!(disk.get(&key("a"), 0).is_some());
        scene.later(1);
        disk.put(&key("c"), 0, &[0; 10], "x");
        assert_eq!([disk.has(&key("a"), 0), disk.has(&key("b"), 0), disk.has(&key("c"), 0)], [true, false, true]);
        disk.put(&key("d"), 0, &[0; 10], "x");
        assert!(!disk.has(&key("d"), 0) && disk.problem().unwrap().contains("quota"));
        scene.later(100);
        disk.put(&key("d"), 0, &[0; 10], "x");
        assert!(disk.has(&key("d"), 0) && disk.problem().is_none());
    }

    #[test]
    fn a_smaller_quota_is_kept_from_the_next_start_on_and_empty_folders_go() {
        let scene = Scene::new();
        let disk = scene.disk(100);
        disk.put(&key("a"), 0, &[0; 10], "x");
        scene.later(100);
        disk.put(&key("b"), 0, &[0; 10], "x");
        scene.later(100);
        let disk = scene.disk(10);
        assert_eq!(disk.bytes(), 10);
        assert_eq!(fs::read_dir(scene.folder.path().join("renditions")).unwrap().count(), 1);
    }

    #[test]
    fn a_sound_that_is_sent_stays_and_goes_when_it_was() {
        let scene = Scene::new();
        let disk = scene.disk(25);
        let song = JobKey { rendition: "whole-mp3-128".to_owned(), ..key("song") };
        let new = disk.place(&song, 1).unwrap();
        fs::create_dir_all(new.parent().unwrap()).unwrap();
        fs::write(&new, [7; 20]).unwrap();
        let held = disk.take_in(&song, "lame_0", &new, 20).unwrap();
        scene.later(100);
        disk.put(&key("a"), 0, &[0; 10], "x");
        assert!(disk.has(&song, 0) && !disk.has(&key("a"), 0));
        drop(held);
        disk.put(&key("a"), 0, &[0; 10], "x");
        assert!(!disk.has(&song, 0) && disk.has(&key("a"), 0));
    }

    #[test]
    fn a_sound_is_found_again_by_the_next_process_which_does_not_know_it_yet() {
        let scene = Scene::new();
        let song = JobKey { rendition: "whole-mp3-128".to_owned(), ..key("song") };
        let disk = scene.disk(100);
        let new = disk.place(&song, 1).unwrap();
        fs::create_dir_all(new.parent().unwrap()).unwrap();
        fs::write(&new, [7; 20]).unwrap();
        assert!(disk.take_in(&song, "lame_0", &new, 20).unwrap().is_known());
        let held = scene.disk(100).hold(&song).unwrap();
        assert_eq!((held.size, held.encoder.as_str(), held.is_known()), (20, "lame_0", false));
    }

    #[test]
    fn what_was_half_written_is_removed_and_what_is_wrong_too() {
        let scene = Scene::new();
        scene.disk(100).put(&key("a"), 0, b"x", "x");
        let folder = scene.folder.path().join("renditions").join(key("a").file.to_string()).join("v0-720.abc");
        fs::write(folder.join("1.x.new"), b"half").unwrap();
        fs::write(folder.join("2.x.m4s"), b"").unwrap();
        let disk = scene.disk(100);
        assert_eq!((disk.count(&key("a")), fs::read_dir(&folder).unwrap().count()), (1, 1));
        disk.drop_wrong(&key("a"), 0);
        assert!(!folder.exists() && disk.bytes() == 0);
    }

    #[test]
    fn a_disk_that_takes_nothing_is_told_and_nothing_breaks() {
        let scene = Scene::new();
        fs::write(scene.folder.path().join("renditions"), b"a file in the way").unwrap();
        let disk = scene.disk(100);
        disk.put(&key("a"), 0, b"x", "x");
        assert!(disk.problem().unwrap().contains("cannot be written"));
        assert!(disk.get(&key("a"), 0).is_none());
    }
}
