//! The bytes of a sound while it is made and heard: a file beside those that are kept, which becomes one of them when it is whole,
//! or goes with its last listener.
//!
//! A full disk costs the cache, not the listener: what does not fit goes on in memory, up to a limit. Methods block.
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use parking_lot::Mutex;

use crate::playback::disk::{Disk, Held};
use crate::playback::jobs::JobKey;

/// Bytes of a sound that are kept in memory.
const MEMORY_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of a digest that tell one content from another.
const STAMP: usize = 8;

/// See the module.
pub(super) struct Store {
    file: Mutex<Arc<File>>,
    /// Where the file is, while it is on disk and not kept.
    path: Mutex<Option<PathBuf>>,
    digest: Mutex<Context>,
    /// Keeps the file from being evicted while it is heard.
    held: OnceLock<Held>,
}

impl Store {
    /// A new one; on disk where there is a place for it.
    pub fn new(place: Option<PathBuf>) -> io::Result<Self> {
        let made = place.and_then(|path| match created(&path) {
            Ok(file) => Some((file, path)),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "a sound is made in memory");
                None
            }
        });
        let (file, path) = match made {
            Some((file, path)) => (file, Some(path)),
            None => (memory()?, None),
        };
        let digest = Mutex::new(Context::new(&SHA256));
        Ok(Self { file: Mutex::new(Arc::new(file)), path: Mutex::new(path), digest, held: OnceLock::new() })
    }

    /// Adds bytes behind the first `at`.
    pub fn append(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.digest.lock().update(bytes);
        let file = self.current();
        let Err(error) = file.write_all_at(bytes, at) else { return Ok(()) };
        if !self.leave_disk() || at + bytes.len() as u64 > MEMORY_MAX {
            return Err(error);
        }
        let moved = memory()?;
        copy(&file, &moved, at)?;
        moved.write_all_at(bytes, at)?;
        *self.file.lock() = Arc::new(moved);
        Ok(())
    }

    /// Bytes that were appended before.
    pub fn read(&self, at: u64, size: usize) -> io::Result<Bytes> {
        read_at(&self.current(), at, size)
    }

    /// Keeps it as the sound of this name, if there is room. Who listens goes on, and holds it.
    pub fn keep(&self, disk: &Disk, key: &JobKey, encoder: &str, size: u64) {
        let Some(path) = self.path.lock().take() else { return };
        let maker = format!("{encoder}_{}", stamp(self.digest.lock().clone()));
        match disk.take_in(key, &maker, &path, size) {
            Some(held) => drop(self.held.set(held)),
            None => drop(self.path.lock().insert(path)),
        }
    }

    fn current(&self) -> Arc<File> {
        Arc::clone(&self.file.lock())
    }

    /// Whether it was on disk until now.
    fn leave_disk(&self) -> bool {
        let path = self.path.lock().take();
        path.as_deref().map(remove).is_some()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.leave_disk();
    }
}

/// With its folders: they are taken away when they are empty, also by others.
fn created(path: &Path) -> io::Result<File> {
    let create = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        File::options().read(true).write(true).create_new(true).open(path)
    };
    create().or_else(|_| create())
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = path.ancestors().skip(1).take(2).map(fs::remove_dir).collect::<Vec<io::Result<()>>>();
}

fn memory() -> io::Result<File> {
    Ok(File::from(rustix::fs::memfd_create("sound", rustix::fs::MemfdFlags::CLOEXEC)?))
}

fn copy(from: &File, to: &File, size: u64) -> io::Result<()> {
    let size = usize::try_from(size).map_err(io::Error::other)?;
    to.write_all_at(&read_at(from, 0, size)?, 0)
}

/// Exactly so many bytes.
pub(super) fn read_at(file: &File, at: u64, size: usize) -> io::Result<Bytes> {
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes.into())
}

fn stamp(digest: Context) -> String {
    HEXLOWER.encode(&digest.finish().as_ref()[..STAMP])
}

/// The stamp of a file's bytes.
pub(super) fn stamp_of(file: &File, size: u64) -> io::Result<String> {
    let (mut digest, mut at) = (Context::new(&SHA256), 0);
    while at < size {
        let piece = read_at(file, at, usize::try_from((size - at).min(1 << 20)).unwrap_or(0))?;
        digest.update(&piece);
        at += piece.len() as u64;
    }
    Ok(stamp(digest))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::content::cid::of_raw;

    fn key() -> JobKey {
        JobKey { file: of_raw(b"song"), rendition: "whole-mp3-128".to_owned() }
    }

    fn disk(folder: &Path, quota: u64) -> Disk {
        Disk::open(Some(folder.to_owned()), quota, Arc::new(SystemTime::now))
    }

    #[test]
    fn what_is_whole_is_kept_under_its_name_and_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(folder.path(), 100);
        let store = Store::new(disk.place(&key(), 1)).unwrap();
        store.append(0, b"one ").unwrap();
        store.append(4, b"two").unwrap();
        store.keep(&disk, &key(), "libmp3lame", 7);
        let held = disk.hold(&key()).unwrap();
        assert_eq!((held.size, disk.bytes()), (7, 7));
        let stamp = stamp_of(&held.file, 7).unwrap();
        assert_eq!(held.encoder, format!("libmp3lame_{stamp}"));
        drop(store);
        assert!(disk.has(&key(), 0) && read_at(&held.file, 4, 3).unwrap() == "two");
    }

    #[test]
    fn what_is_not_kept_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(folder.path(), 3);
        let store = Store::new(disk.place(&key(), 1)).unwrap();
        store.append(0, b"much").unwrap();
        store.keep(&disk, &key(), "x", 4);
        assert_eq!(store.read(1, 3).unwrap(), "uch");
        drop(store);
        assert!(!disk.has(&key(), 0) && fs::read_dir(folder.path()).unwrap().next().is_none());
    }

    #[test]
    fn a_disk_that_takes_no_more_does_not_end_the_sound() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(folder.path(), 100);
        let store = Store::new(disk.place(&key(), 1)).unwrap();
        store.append(0, b"one ").unwrap();
        // From here on it cannot be written to, as on a full disk.
        let path = store.path.lock().clone().unwrap();
        *store.file.lock() = Arc::new(File::open(&path).unwrap());
        store.append(4, b"two").unwrap();
        assert_eq!(store.read(0, 7).unwrap(), "one two");
        store.keep(&disk, &key(), "x", 7);
        assert!(!path.exists() && !disk.has(&key(), 0));
        let nowhere = Store::new(None).unwrap();
        nowhere.append(0, b"x").unwrap();
        assert_eq!(nowhere.read(0, 1).unwrap(), "x");
    }
}
