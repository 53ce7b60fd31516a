//! The store's folder: one file for each block, named by its multihash, and one for each pin. Blocking.
//!
//! A file is written under another name and renamed, so that a process that ends in the middle leaves nothing half written under a
//! block's name; what a disk lost nevertheless is found when the block is read, by its hash.
use std::fs::{self, File, FileTimes};
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use data_encoding::{Encoding, Specification};

use super::shelf::Key;
use crate::content::unixfs::node::NODE_MAX;

/// How exactly the time of the last use is remembered over a restart.
const REMEMBER: Duration = Duration::from_secs(3600);

/// See the module.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    names: Encoding,
    numbers: AtomicU64,
}

/// A block that was found when the store was opened.
pub(super) struct Lying {
    pub key: Key,
    pub size: u64,
    pub used: SystemTime,
}

impl Disk {
    /// Opens or makes the folder, and removes what was left half written.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut letters = Specification::new();
        letters.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
        let names = letters.encoding().map_err(io::Error::other)?;
        let _ = fs::remove_dir_all(folder.join("writing"));
        for name in ["blocks", "pins", "writing"] {
            fs::create_dir_all(folder.join(name))?;
        }
        Ok(Self { folder: folder.to_owned(), names, numbers: AtomicU64::new(0) })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where pins are.
    pub fn pins(&self) -> PathBuf {
        self.folder.join("pins")
    }

    /// A key as text.
    pub fn name(&self, key: &[u8]) -> String {
        self.names.encode(key)
    }

    /// A key from text.
    pub fn key(&self, name: &str) -> Option<Key> {
        self.names.decode(name.as_bytes()).ok().map(Key::from)
    }

    fn path(&self, key: &[u8]) -> PathBuf {
        let name = self.name(key);
        // Multihashes begin alike; their ends do not.
        let shelf = name.get(name.len().saturating_sub(2)..).unwrap_or("__").to_owned();
        self.folder.join("blocks").join(shelf).join(name)
    }

    /// Every block that lies there, longest unused first.
    pub fn scan(&self) -> io::Result<Vec<Lying>> {
        let mut all = Vec::new();
        for shelf in fs::read_dir(self.folder.join("blocks"))? {
            for file in fs::read_dir(shelf?.path())? {
                let file = file?;
                let (meta, key) = (file.metadata()?, file.file_name().to_str().and_then(|name| self.key(name)));
                if let Some(key) = key.filter(|_| meta.is_file()) {
                    all.push(Lying { key, size: meta.len(), used: meta.modified()? });
                }
            }
        }
        all.sort_by_key(|lying| lying.used);
        Ok(all)
    }

    /// The bytes under a key, as they are. `None` where there is no such file.
    pub fn read(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        let mut file = match File::open(self.path(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let meta = file.metadata()?;
        let size = usize::try_from(meta.len()).unwrap_or(usize::MAX).min(NODE_MAX + 1);
        let mut bytes = Vec::with_capacity(size);
        Read::by_ref(&mut file).take(size as u64).read_to_end(&mut bytes)?;
        let now = SystemTime::now();
        if meta.modified()?.checked_add(REMEMBER).is_none_or(|until| until < now) {
            // A disk that cannot be written to any more still gives what is on it.
            let _ = file.set_times(FileTimes::new().set_modified(now));
        }
        Ok(Some(bytes.into()))
    }

    /// Writes a block under another name; [`Disk::place`] gives it its own.
    pub fn write(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.folder.join("writing").join(self.numbers.fetch_add(1, Ordering::Relaxed).to_string());
        let written = File::create(&path).and_then(|mut file| file.write_all(bytes));
        match written {
            Ok(()) => Ok(path),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    }

    /// Gives what was written its name.
    pub fn place(&self, written: &Path, key: &[u8]) -> io::Result<()> {
        let path = self.path(key);
        match fs::rename(written, &path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
                fs::rename(written, &path)
            }
            other => other,
        }
    }

    /// Removes a block.
    pub fn remove(&self, key: &[u8]) {
        if let Err(error) = fs::remove_file(self.path(key))
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, "a fetched block could not be removed");
        }
    }

    /// Puts a pin's file in its place, after everything that was written before.
    pub fn keep_pin(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let folder = File::open(&self.folder)?;
        rustix::fs::syncfs(&folder)?;
        let written = self.write(content)?;
        File::open(&written)?.sync_all()?;
        fs::rename(&written, self.pins().join(name))?;
        File::open(self.pins())?.sync_all()
    }
}

/// A key of a multihash.
pub(super) fn key_of(hash: &multihash::Multihash<64>) -> Key {
    Arc::from(hash.to_bytes())
}
