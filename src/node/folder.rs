//! The data folder: what lies where in it, and that one process at a time owns it.
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::NodeError;

/// What may lie in a folder that becomes a data folder: settings written beforehand, and what file systems make.
const WELCOME: &[&str] = &["node.toml", "lost+found", "lock"];

/// A data folder that this process owns until the value is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // Closing alone would leave it locked while a child that is just being started has the file open as well.
        let _ = self.lock.unlock();
    }
}

impl DataFolder {
    /// Makes a data folder (mode 0700) where there is none, or in an empty folder.
    ///
    /// # Errors
    /// [`NodeError::Exists`] where there is one already, or something else.
    pub fn create(path: &Path) -> Result<Self, NodeError> {
        if path.join(KEY).exists() || path.join(CATALOG).exists() {
            return Err(NodeError::Exists(path.to_owned(), "is a data folder already"));
        }
        match fs::read_dir(path) {
            Ok(entries) => {
                let strange = |entry: &fs::DirEntry| !WELCOME.iter().any(|name| entry.file_name() == *name);
                if entries.filter_map(Result::ok).any(|entry| strange(&entry)) {
                    return Err(NodeError::Exists(path.to_owned(), "is not empty"));
                }
                fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|e| folder_error(path, e))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| folder_error(path, e))?;
            }
            Err(error) => return Err(folder_error(path, error)),
        }
        Self::lock(path)
    }

    /// Takes an existing data folder.
    ///
    /// # Errors
    /// [`NodeError::Missing`] where there is none, [`NodeError::InUse`] where another process owns it.
    pub fn open(path: &Path) -> Result<Self, NodeError> {
        if !path.join(KEY).exists() {
            return Err(NodeError::Missing(path.to_owned()));
        }
        Self::lock(path)
    }

    fn lock(path: &Path) -> Result<Self, NodeError> {
        let path = path.canonicalize().map_err(|e| folder_error(path, e))?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).mode(0o600).open(path.join("lock"));
        let mut lock = lock.map_err(|e| folder_error(&path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NodeError::InUse(path)),
            Err(TryLockError::Error(error)) => return Err(folder_error(&path, error)),
        }
        // For a person who wonders who holds it; the lock itself is the kernel's and ends with the process.
        let written = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        written.map_err(|e| folder_error(&path, e))?;
        Ok(Self { path, lock })
    }

    /// The folder itself, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What cannot be derived.
    #[must_use]
    pub fn catalog(&self) -> PathBuf {
        self.path.join(CATALOG)
    }

    /// The block index.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.path.join("blocks.db")
    }

    /// Frames taken from videos.
    #[must_use]
    pub fn artwork(&self) -> PathBuf {
        self.path.join("artwork")
    }

    /// Covers that people put up.
    #[must_use]
    pub fn covers(&self) -> PathBuf {
        self.path.join("covers")
    }

    /// Pictures of friends' items.
    #[must_use]
    pub fn friends_pictures(&self) -> PathBuf {
        self.path.join("friends-pictures")
    }

    /// Blocks from elsewhere.
    #[must_use]
    pub fn fetched(&self) -> PathBuf {
        self.path.join("fetched")
    }

    /// The node's secret key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.path.join(KEY)
    }

    /// What app passwords are sealed with.
    #[must_use]
    pub fn apps_key(&self) -> PathBuf {
        self.path.join("apps.key")
    }

    /// The secret key of the node's host in the network of IPFS.
    #[must_use]
    pub fn ipfs_key(&self) -> PathBuf {
        self.path.join("ipfs.key")
    }

    /// The folders of the public libraries, as blocks.
    #[must_use]
    pub fn public_tree(&self) -> PathBuf {
        self.path.join("public.car")
    }

    /// The last record of the node's name.
    #[must_use]
    pub fn ipns_record(&self) -> PathBuf {
        self.path.join("public.ipns-record")
    }

    /// The certificate the node made for itself, and its key.
    #[must_use]
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// The socket by which the command line reaches a running node.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        control_socket(&self.path)
    }
}

const KEY: &str = "node.key";
const CATALOG: &str = "catalog.db";

/// See [`DataFolder::control_socket`]; for who does not own the folder.
#[must_use]
pub fn control_socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Writes a file that only its owner may read; never over another.
///
/// # Errors
/// As [`File::create_new`].
pub fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn folder_error(path: &Path, source: io::Error) -> NodeError {
    NodeError::Folder { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_for_its_owner_alone_and_is_made_once() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/b");
        let folder = DataFolder::create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        write_secret(&folder.key(), b"x").unwrap();
        drop(folder);
        assert!(matches!(DataFolder::create(&path), Err(NodeError::Exists(..))));
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("node.toml"), "").unwrap();
        drop(DataFolder::create(folder.path()).unwrap());
        fs::write(folder.path().join("holiday.jpg"), "").unwrap();
        assert!(matches!(DataFolder::create(folder.path()), Err(NodeError::Exists(_, "is not empty"))));
    }

    #[test]
    fn two_owners_at_once_are_refused() {
        let outer = tempfile::tempdir().unwrap();
        let first = DataFolder::create(&outer.path().join("d")).unwrap();
        write_secret(&first.key(), b"x").unwrap();
        assert!(matches!(DataFolder::open(first.path()), Err(NodeError::InUse(_))));
        let (path, of_a_child) = (first.path().to_owned(), first.lock.try_clone().unwrap());
        drop(first);
        assert!(DataFolder::open(&path).is_ok(), "also while a child that was just forked still has the file");
        drop(of_a_child);
    }

    #[test]
    fn a_folder_that_was_not_made_by_init_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(DataFolder::open(folder.path()), Err(NodeError::Missing(_))));
    }
}
