//! The CID of a file or folder on disk, without an index: `potluck cid`.
//!
//! Folders follow Helia's `globSource`: names that begin with a dot are left out, empty folders are not, and symbolic
//! links stand for what they point to. Where Helia would walk for ever or guess (a link to a folder above itself, a pipe,
//! a name that is not UTF-8) there is an error.
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::ImportError;
use super::import::hash_leaves;
use crate::content::Cid;
use crate::content::unixfs::folder::{self, FolderEntry, FolderError};
use crate::content::unixfs::{Builder, Profile};

/// Why a file or folder has no CID.
#[derive(Debug, thiserror::Error)]
pub enum NamingError {
    /// A file could not be read, or changed meanwhile.
    #[error(transparent)]
    File(#[from] ImportError),
    /// A folder or link could not be read.
    #[error("{path} cannot be read")]
    Io {
        /// The folder or link.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A link points to a folder that it lies in.
    #[error("{0} is a symbolic link to a folder that holds it")]
    Loop(PathBuf),
    /// UnixFS names are text.
    #[error("{0:?} has a name that is not UTF-8")]
    Name(PathBuf),
    /// A pipe, a socket, a device.
    #[error("{0} is neither a file nor a folder")]
    Special(PathBuf),
    /// There is no folder of these names.
    #[error("{path} cannot be a folder: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: FolderError,
    },
}

/// Names a file or a folder with all that is in it. Blocking. `progress` is called with the bytes read so far.
///
/// # Errors
/// See [`NamingError`].
pub fn cid_of_path(path: &Path, mut progress: impl FnMut(u64), cancel: &CancellationToken) -> Result<Cid, NamingError> {
    let mut walk = Walk { read: 0, progress: &mut progress, cancel, above: Vec::new() };
    Ok(walk.name(path)?.cid)
}

struct Named {
    cid: Cid,
    tsize: u64,
}

struct Walk<'a> {
    /// Bytes of the files that are done.
    read: u64,
    progress: &'a mut dyn FnMut(u64),
    cancel: &'a CancellationToken,
    /// Device and inode of each folder on the way down.
    above: Vec<(u64, u64)>,
}

impl Walk<'_> {
    fn name(&mut self, path: &Path) -> Result<Named, NamingError> {
        let meta = fs::metadata(path).map_err(|source| io_error(path, source))?;
        match meta {
            meta if meta.is_file() => self.file(path),
            meta if meta.is_dir() => self.folder(path, &meta),
            _ => Err(NamingError::Special(path.to_owned())),
        }
    }

    fn file(&mut self, path: &Path) -> Result<Named, NamingError> {
        let mut builder = Builder::new(Profile::V1_2025);
        let before = self.read;
        let progress = |read| (self.progress)(before + read);
        let stamp = hash_leaves(path, progress, self.cancel, |digest, len| {
            builder.push(digest, len);
            Ok(())
        })?;
        self.read += stamp.size;
        let built = builder.finish();
        Ok(Named { cid: built.root, tsize: built.tsize })
    }

    fn folder(&mut self, path: &Path, meta: &Metadata) -> Result<Named, NamingError> {
        let identity = (meta.dev(), meta.ino());
        if self.above.contains(&identity) {
            return Err(NamingError::Loop(path.to_owned()));
        }
        self.above.push(identity);
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(|source| io_error(path, source))? {
            let name = entry.map_err(|source| io_error(path, source))?.file_name();
            let below = path.join(&name);
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let name = name.into_string().map_err(|_| NamingError::Name(below.clone()))?;
            let Named { cid, tsize } = self.name(&below)?;
            entries.push(FolderEntry { name, cid, tsize });
        }
        self.above.pop();
        let failed = |source| NamingError::Folder { path: path.to_owned(), source };
        let built = folder::build(entries).map_err(failed)?;
        Ok(Named { cid: built.root, tsize: built.tsize })
    }
}

fn io_error(path: &Path, source: io::Error) -> NamingError {
    NamingError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    fn name(path: &Path) -> Result<String, NamingError> {
        cid_of_path(path, |_| {}, &CancellationToken::new()).map(|cid| cid.to_string())
    }

    #[test]
    fn hidden_names_are_left_out_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        for side in [&one, &two] {
            fs::create_dir_all(side.join("sub/empty")).unwrap();
            fs::write(side.join("a"), "soup").unwrap();
        }
        fs::write(one.join("b"), "soup").unwrap();
        symlink("a", two.join("b")).unwrap();
        fs::write(two.join(".hidden"), "x").unwrap();
        fs::create_dir(two.join("sub/.git")).unwrap();
        assert_eq!(name(&one).unwrap(), name(&two).unwrap());
        fs::remove_dir(one.join("sub/empty")).unwrap();
        assert_ne!(name(&one).unwrap(), name(&two).unwrap());
    }

    #[test]
    fn a_link_to_a_folder_above_is_an_error_and_one_to_a_neighbour_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        symlink("../a/b", folder.path().join("a/neighbour")).unwrap();
        name(folder.path()).unwrap();
        symlink("..", folder.path().join("a/b/up")).unwrap();
        assert!(
            matches!(name(folder.path()), Err(NamingError::Loop(path)) if path.ends_with("a/b/up") || path.ends_with("a/neighbour/up"))
        );
    }

    #[test]
    fn what_has_no_name_is_said_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
        assert!(matches!(name(&inside(b"missing")), Err(NamingError::Io { .. })));
        symlink("nowhere", inside(b"broken")).unwrap();
        assert!(matches!(name(folder.path()), Err(NamingError::Io { path, .. }) if path.ends_with("broken")));
        fs::remove_file(inside(b"broken")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, inside(b"pipe"), rustix::fs::Mode::RUSR).unwrap();
        assert!(matches!(name(folder.path()), Err(NamingError::Special(path)) if path.ends_with("pipe")));
        fs::remove_file(inside(b"pipe")).unwrap();
        fs::write(inside(b"caf\xe9"), "").unwrap();
        assert!(matches!(name(folder.path()), Err(NamingError::Name(_))));
    }
}
