//! Writes the files of a CAR into the folder of a library.
//!
//! ```text
//!  CAR ── read once, every block checked ─► places of the blocks ─► plan (names, sizes) ─► hidden folder ─► their places
//! ```
//! The CAR itself is where blocks are read from, each checked again. Nothing that is there is written over, and where
//! anything goes wrong nothing is left: files are written beside their places and moved there when all of them are whole.
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryStreamExt as _};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::newcomer::file_name;
use crate::blocks::dag::file::Kind;
use crate::blocks::dag::{DagError, Source, file, folder};
use crate::blocks::free_bytes;
use crate::content::Cid;
use crate::content::car::{CarError, Decoder, Item};
use crate::content::cid;

/// Files and folders of one CAR.
const FILES_MAX: usize = 100_000;
/// Folders below each other.
const DEPTH_MAX: usize = 64;
/// Bytes of the disk that stay free.
const SPARE: u64 = 1024 * 1024 * 1024;
/// Bytes that are read at once.
const PIECE: usize = 1024 * 1024;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The CAR is not right.
    #[error(transparent)]
    Car(#[from] CarError),
    /// What is in it cannot be read as files.
    #[error(transparent)]
    Dag(#[from] DagError),
    /// It holds nothing that it is about.
    #[error("the CAR names no root")]
    NoRoot,
    /// Something of that name is there.
    #[error("{0} is there already; nothing was written")]
    Exists(PathBuf),
    /// It would not fit.
    #[error("the files take {0} bytes, and the disk has not as much to spare")]
    TooLarge(u64),
    /// There are too many, or they lie too deep.
    #[error("the CAR holds {0}")]
    Limit(&'static str),
    /// The system did not let us.
    #[error("{path} cannot be read or written")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files, as they are called below the folder.
    pub files: Vec<PathBuf>,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// A CAR on disk, with the places of its blocks.
pub struct CarFile {
    file: Arc<File>,
    roots: Vec<Cid>,
    /// By multihash: where a block begins, and its bytes.
    places: HashMap<Vec<u8>, (u64, usize)>,
}

impl CarFile {
    /// Reads a CAR to its end and checks every block. `progress` is told the bytes that were read. Blocking.
    ///
    /// # Errors
    /// [`UnpackError::Car`], [`UnpackError::Io`], [`UnpackError::NoRoot`].
    pub fn read(mut file: File, progress: impl Fn(u64)) -> Result<Self, UnpackError> {
        let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
        let (mut roots, mut places, mut read) = (Vec::new(), HashMap::new(), 0);
        let mut piece = vec![0; PIECE];
        loop {
            let count = file.read(&mut piece).map_err(|source| UnpackError::Io { path: "the CAR".into(), source })?;
            if count == 0 {
                break;
            }
            buffer.extend_from_slice(&piece[..count]);
            read += count as u64;
            progress(read);
            while let Some(item) = decoder.next(&mut buffer)? {
                match item {
                    Item::Roots(told) => roots = told,
                    Item::Block { cid, bytes, at } => {
                        places.insert(cid.hash().to_bytes(), (at, bytes.len()));
                    }
                }
            }
        }
        decoder.finish(&buffer)?;
        if roots.is_empty() { Err(UnpackError::NoRoot) } else { Ok(Self { file: Arc::new(file), roots, places }) }
    }
}

impl Source for CarFile {
    fn block<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, DagError>> {
        async move {
            if let Some(bytes) = cid::inline(cid) {
                return Ok(Bytes::copy_from_slice(bytes));
            }
            let (at, len) = *self.places.get(&cid.hash().to_bytes()).ok_or(DagError::NotFound(*cid))?;
            let (file, cid) = (Arc::clone(&self.file), *cid);
            let reading = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; len];
                // A CAR that changed meanwhile has not got it any more.
                file.read_exact_at(&mut bytes, at).map_err(|_| DagError::NotFound(cid))?;
                cid::verify(&cid, &bytes)?;
                Ok(Bytes::from(bytes))
            });
            reading.await.map_err(|_| DagError::NotFound(cid))?
        }
        .boxed()
    }
}

/// A file that is to be written.
struct Planned {
    cid: Cid,
    size: u64,
    /// Below the library's folder.
    path: PathBuf,
}

#[derive(Default)]
struct Plan {
    files: Vec<Planned>,
    skipped: Vec<String>,
    taken: HashSet<PathBuf>,
}

/// Writes the files below all roots into a folder; a root that is a file is called `name`. `progress` is told the bytes that were written
/// and all of them.
///
/// # Errors
/// See [`UnpackError`].
pub async fn unpack(
    car: &Arc<CarFile>,
    into: &Path,
    name: &str,
    progress: impl Fn(u64, u64),
) -> Result<Unpacked, UnpackError> {
    let mut plan = Plan::default();
    for root in &car.roots {
        plan.add(car, *root, name, Path::new(""), 0).await?;
    }
    let all = plan.files.iter().try_fold(0u64, |sum, file| sum.checked_add(file.size)).unwrap_or(u64::MAX);
    if all > free_bytes(into).saturating_sub(SPARE) {
        return Err(UnpackError::TooLarge(all));
    }
    if let Some(there) =
        plan.files.iter().map(|file| into.join(&file.path)).find(|path| path.symlink_metadata().is_ok())
    {
        return Err(UnpackError::Exists(there));
    }
    let beside = Beside::new(into)?;
    let mut written = 0;
    for (number, planned) in plan.files.iter().enumerate() {
        let mut file = beside.file(number)?;
        let mut pieces = file::read(Arc::clone(car) as Arc<dyn Source>, planned.cid, 0..planned.size);
        while let Some(piece) = pieces.try_next().await? {
            file.write_all(&piece).map_err(|source| beside.failed(source))?;
            written += piece.len() as u64;
            progress(written, all);
        }
        file.sync_all().map_err(|source| beside.failed(source))?;
    }
    beside.place(into, &plan.files)?;
    Ok(Unpacked { files: plan.files.into_iter().map(|file| file.path).collect(), skipped: plan.skipped })
}

impl Plan {
    /// Plans what is below a CID; of a folder at the top, what is in it takes its place.
    fn add<'a>(
        &'a mut self,
        car: &'a Arc<CarFile>,
        cid: Cid,
        name: &'a str,
        above: &'a Path,
        depth: usize,
    ) -> BoxFuture<'a, Result<(), UnpackError>> {
        async move {
            if depth > DEPTH_MAX {
                return Err(UnpackError::Limit("folders that lie too deep"));
            }
            match file::kind(&cid, &car.block(&cid).await?)? {
                Kind::File(size) => {
                    let path = self.free(above, name);
                    self.files.push(Planned { cid, size, path });
                }
                Kind::Folder => {
                    let path = if depth == 0 { PathBuf::new() } else { self.free(above, name) };
                    let listing = folder::list(Arc::clone(car) as Arc<dyn Source>, cid, FILES_MAX).await?;
                    if listing.more {
                        return Err(UnpackError::Limit("too many files"));
                    }
                    for entry in &listing.entries {
                        self.add(car, entry.cid, &entry.name, &path, depth + 1).await?;
                    }
                }
                Kind::Symlink(_) => self.skipped.push(format!("{} (a symbolic link)", above.join(name).display())),
                Kind::Data => self.skipped.push(format!("{} (no file)", above.join(name).display())),
            }
            if self.taken.len() > FILES_MAX {
                return Err(UnpackError::Limit("too many files"));
            }
            Ok(())
        }
        .boxed()
    }

    /// A name that any disk takes and nothing else of the CAR has.
    fn free(&mut self, above: &Path, name: &str) -> PathBuf {
        let name = file_name(name);
        let (stem, ending) = match name.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => (stem.to_owned(), format!(".{ending}")),
            _ => (name.clone(), String::new()),
        };
        let mut path = above.join(&name);
        let mut number = 2;
        // Disks that do not tell letters apart by their size are written to as well.
        while !self.taken.insert(PathBuf::from(path.to_string_lossy().to_lowercase())) {
            path = above.join(format!("{stem} ({number}){ending}"));
            number += 1;
        }
        path
    }
}

/// A hidden folder within the library's, which goes when it is done.
struct Beside(PathBuf);

impl Beside {
    fn new(into: &Path) -> Result<Self, UnpackError> {
        let path = into.join(format!(".potluck-car-{}", std::process::id()));
        fs::create_dir(&path).map_err(|source| UnpackError::Io { path: path.clone(), source })?;
        Ok(Self(path))
    }

    fn failed(&self, source: io::Error) -> UnpackError {
        UnpackError::Io { path: self.0.clone(), source }
    }

    fn file(&self, number: usize) -> Result<File, UnpackError> {
        File::create_new(self.0.join(number.to_string())).map_err(|source| self.failed(source))
    }

    /// Moves everything to its place, or nothing.
    fn place(&self, into: &Path, files: &[Planned]) -> Result<(), UnpackError> {
        for (number, planned) in files.iter().enumerate() {
            let path = into.join(&planned.path);
            let made = path.parent().map_or(Ok(()), fs::create_dir_all);
            let moved = made.and_then(|()| {
                let from = self.0.join(number.to_string());
                Ok(renameat_with(CWD, &from, CWD, &path, RenameFlags::NOREPLACE)?)
            });
            if let Err(source) = moved {
                for placed in &files[..number] {
                    let _ = fs::remove_file(into.join(&placed.path));
                }
                return Err(match source.kind() {
                    io::ErrorKind::AlreadyExists => UnpackError::Exists(path),
                    _ => UnpackError::Io { path, source },
                });
            }
        }
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::car::{header, section_prefix};
    use crate::content::cid::{of_node, of_raw};
    use crate::content::unixfs::folder::{FolderEntry, build};
    use crate::content::unixfs::node::{encode_any, encode_symlink};

    #[derive(Default)]
    struct Made(Vec<(Cid, Vec<u8>)>);

    impl Made {
        fn raw(&mut self, bytes: &[u8]) -> Cid {
            self.0.push((of_raw(bytes), bytes.to_vec()));
            of_raw(bytes)
        }

        fn node(&mut self, bytes: Vec<u8>) -> Cid {
            let cid = of_node(&bytes);
            self.0.push((cid, bytes));
            cid
        }

        fn folder(&mut self, entries: &[(&str, Cid)]) -> Cid {
            let entry = |(name, cid): &(&str, Cid)| FolderEntry { name: (*name).into(), cid: *cid, tsize: 1 };
            let built = build(entries.iter().map(entry).collect()).unwrap();
            self.0.extend(built.nodes.into_iter().map(|(cid, bytes)| (cid, bytes.to_vec())));
            built.root
        }

        fn car(&self, root: Cid) -> Result<Arc<CarFile>, UnpackError> {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&header(&[root])).unwrap();
            for (cid, bytes) in &self.0 {
                file.write_all(&[section_prefix(cid, bytes.len()), bytes.clone()].concat()).unwrap();
            }
            io::Seek::rewind(&mut file).unwrap();
            CarFile::read(file, |_| ()).map(Arc::new)
        }
    }

    fn found(folder: &Path) -> Vec<String> {
        let all = walkdir::WalkDir::new(folder).sort_by_file_name().min_depth(1);
        let path = |entry: walkdir::DirEntry| entry.path().strip_prefix(folder).unwrap().display().to_string();
        all.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file()).map(path).collect()
    }

    #[tokio::test]
    async fn files_and_folders_come_out_under_names_that_are_safe() {
        let mut made = Made::default();
        let (soup, bread) = (made.raw(b"soup"), made.raw(b"bread"));
        let both = made.node(encode_any(None, &[(soup, 4), (bread, 5)]));
        let link = made.node(encode_symlink("/etc/passwd"));
        let inner = made.folder(&[("film.mkv", both), ("FILM.mkv", soup), ("..", bread)]);
        let root = made.folder(&[("../../up", soup), (".hidden", soup), ("Season 1", inner), ("link", link)]);
        let folder = tempfile::tempdir().unwrap();
        let unpacked = unpack(&made.car(root).unwrap(), folder.path(), "x", |_, _| ()).await.unwrap();
        let names = ["Season 1/FILM.mkv", "Season 1/Untitled", "Season 1/film (2).mkv", "hidden", "up"];
        assert_eq!(found(folder.path()), names);
        assert_eq!(fs::read(folder.path().join("Season 1/film (2).mkv")).unwrap(), b"soupbread");
        assert_eq!(unpacked.skipped, ["link (a symbolic link)"]);
    }

    #[tokio::test]
    async fn a_single_file_is_called_as_its_car() {
        let mut made = Made::default();
        let root = made.raw(b"soup");
        let folder = tempfile::tempdir().unwrap();
        unpack(&made.car(root).unwrap(), folder.path(), "film.mkv", |_, _| ()).await.unwrap();
        assert_eq!(found(folder.path()), ["film.mkv"]);
    }

    #[tokio::test]
    async fn nothing_is_written_over_and_nothing_is_left_where_something_is_wrong() {
        let mut made = Made::default();
        let soup = made.raw(b"soup");
        let lies = made.node(encode_any(None, &[(soup, 9)]));
        let huge = made.node(encode_any(None, &[(soup, 1 << 60)]));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "mine").unwrap();
        let missing = made.folder(&[("a", soup), ("c", of_raw(b"nowhere"))]);
        let roots = [
            (made.folder(&[("a", soup), ("b", soup)]), "is there already"),
            (made.folder(&[("a", soup), ("c", lies)]), "bytes"),
            (made.folder(&[("c", huge)]), "take 1152921504606846976 bytes"),
            (missing, "no block"),
        ];
        for (root, told) in roots {
            let error = unpack(&made.car(root).unwrap(), folder.path(), "x", |_, _| ()).await.unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
            assert_eq!(found(folder.path()), ["b"], "{told}");
            assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"mine");
        }
        assert!(matches!(made.car(of_raw(b"x")), Err(UnpackError::Car(CarError::MissingRoot(_)))));
    }

    #[tokio::test]
    async fn a_bomb_of_folders_is_refused() {
        let mut made = Made::default();
        let mut at = made.raw(b"boom");
        for _ in 0..20 {
            at = made.folder(&[("a", at), ("b", at), ("c", at)]);
        }
        let folder = tempfile::tempdir().unwrap();
        let refused = unpack(&made.car(at).unwrap(), folder.path(), "x", |_, _| ()).await;
        assert!(matches!(refused, Err(UnpackError::Limit(_))), "{refused:?}");
    }
}
