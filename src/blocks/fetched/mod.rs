//! Blocks from elsewhere, on disk: what people fetched, up to a quota, and what they pinned, always.
//!
//! ```text
//!  FOLDER/blocks/xy/NAME   a block, named by its multihash        shelf (in memory): who was used when, who is held
//!  FOLDER/pins/CID         a pin: what it is and its blocks       disk: the files      pins: what is kept
//! ```
//! Owns its folder. Who may see what is in it is not decided here. The invariant: no bytes come in or go out that do not hash
//! to their CID; what a bad disk made of them is removed and counts as not there.
mod disk;
mod pins;
mod shelf;
mod take;

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::gather::free_bytes;
use crate::content::Cid;
use crate::content::cid::{self, CidError};
use crate::content::unixfs::node::NODE_MAX;
use disk::{Disk, key_of};
use pins::Held;
use shelf::{Key, Shelf};

pub use pins::Pin;
pub use take::TakeError;

/// Free space is looked at each time after so many blocks.
const LOOK: u64 = 32;

/// Settings of the store.
#[derive(Debug, Clone)]
pub struct FetchedOptions {
    /// Its folder; made where it is not there.
    pub folder: PathBuf,
    /// Bytes of blocks that no pin holds.
    pub quota_bytes: u64,
    /// How many of these there may be: each takes about 200 bytes of memory.
    pub blocks_max: usize,
    /// Bytes of the disk that stay free.
    pub spare_bytes: u64,
}

/// Why a block or pin was not taken or given.
#[derive(Debug, thiserror::Error)]
pub enum FetchedError {
    /// Larger than any block that IPFS peers exchange.
    #[error("block {0} is larger than {NODE_MAX} bytes")]
    TooLarge(Cid),
    /// Other bytes than the CID says, or a hash function that is not known.
    #[error(transparent)]
    Wrong(#[from] CidError),
    /// The disk has less space left than must stay free.
    #[error("the disk is full")]
    Full,
    /// Nothing is pinned under that CID.
    #[error("{0} is not pinned")]
    NotPinned(Cid),
    /// A pin needs something that it is about.
    #[error("a pin needs a root")]
    NoRoot,
    /// The folder cannot be read or written.
    #[error("the folder of fetched blocks cannot be used")]
    Io(#[source] io::Error),
    /// The process is stopping.
    #[error("the node is stopping")]
    Stopping,
}

impl From<io::Error> for FetchedError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

/// How much is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchedTotals {
    /// Blocks.
    pub blocks: usize,
    /// Bytes that may go.
    pub loose_bytes: u64,
    /// Bytes that pins hold.
    pub pinned_bytes: u64,
}

struct Inner {
    disk: Disk,
    shelf: Mutex<Shelf>,
    pins: Mutex<Vec<Held>>,
    puts: AtomicU64,
    spare_bytes: u64,
}

/// A cheap handle to the store.
#[derive(Clone)]
pub struct Fetched {
    inner: Arc<Inner>,
}

impl Fetched {
    /// Opens or makes the store. Blocking.
    ///
    /// # Errors
    /// When its folder cannot be read or made.
    pub fn open(options: FetchedOptions) -> io::Result<Self> {
        let disk = Disk::open(&options.folder)?;
        let mut shelf = Shelf::new(options.quota_bytes, options.blocks_max);
        let pins = pins::all(&disk)?;
        for key in pins.iter().flat_map(|held| held.keys.iter()) {
            shelf.hold(Arc::clone(key));
        }
        for lying in disk.scan()? {
            for gone in shelf.insert(lying.key, lying.size) {
                disk.remove(&gone);
            }
        }
        let (shelf, pins, puts) = (Mutex::new(shelf), Mutex::new(pins), AtomicU64::new(0));
        Ok(Self { inner: Arc::new(Inner { disk, shelf, pins, puts, spare_bytes: options.spare_bytes }) })
    }

    /// Bytes of a block, if it is here. Reads no file.
    #[must_use]
    pub fn size(&self, cid: &Cid) -> Option<u64> {
        self.inner.shelf.lock().size(&key_of(cid.hash()))
    }

    /// Whether a pin holds the block.
    #[must_use]
    pub fn is_pinned(&self, cid: &Cid) -> bool {
        self.inner.shelf.lock().is_held(&key_of(cid.hash()))
    }

    /// A block, hashed again.
    ///
    /// # Errors
    /// [`FetchedError::Io`], [`FetchedError::Wrong`] for a hash function that is not known, [`FetchedError::Stopping`].
    pub async fn get(&self, cid: &Cid) -> Result<Option<Bytes>, FetchedError> {
        let (inner, cid) = (Arc::clone(&self.inner), *cid);
        blocking(move || inner.get(&cid)).await
    }

    /// Keeps a block as long as there is space.
    ///
    /// # Errors
    /// See [`FetchedError`].
    pub async fn put(&self, cid: &Cid, bytes: Bytes) -> Result<(), FetchedError> {
        let (inner, cid) = (Arc::clone(&self.inner), *cid);
        blocking(move || inner.put(&cid, &bytes, false).map(|_| ())).await
    }

    /// Begins a pin. Its blocks stay from now on; without [`Pinning::keep`] it was nothing.
    #[must_use]
    pub fn pin(&self) -> Pinning {
        Pinning { inner: Arc::clone(&self.inner), keys: HashSet::new(), new: Vec::new(), bytes: 0 }
    }

    /// Everything that is pinned, oldest first.
    #[must_use]
    pub fn pins(&self) -> Vec<Pin> {
        self.inner.pins.lock().iter().map(|held| held.pin.clone()).collect()
    }

    /// Gives up the pin that has this root; its blocks may go then.
    ///
    /// # Errors
    /// [`FetchedError::NotPinned`], [`FetchedError::Io`].
    pub async fn unpin(&self, root: &Cid) -> Result<Pin, FetchedError> {
        let (inner, root) = (Arc::clone(&self.inner), *root);
        blocking(move || inner.unpin(&root)).await
    }

    /// How much is here.
    #[must_use]
    pub fn totals(&self) -> FetchedTotals {
        let (blocks, loose_bytes, pinned_bytes) = self.inner.shelf.lock().totals();
        FetchedTotals { blocks, loose_bytes, pinned_bytes }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchedError> + Send + 'static,
) -> Result<T, FetchedError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| FetchedError::Stopping)?
}

impl Inner {
    fn get(&self, cid: &Cid) -> Result<Option<Bytes>, FetchedError> {
        let key = key_of(cid.hash());
        if self.shelf.lock().size(&key).is_none() {
            return Ok(None);
        }
        let right = match self.disk.read(&key)? {
            Some(bytes) => match cid::verify(cid, &bytes) {
                Ok(()) => Some(bytes),
                Err(error @ CidError::UnsupportedHash(_)) => return Err(error.into()),
                Err(_) => {
                    tracing::warn!(block.cid = %cid, "a fetched block was damaged on the disk; removed it");
                    None
                }
            },
            None => None,
        };
        let mut shelf = self.shelf.lock();
        match &right {
            Some(_) => shelf.touch(&key),
            None => {
                shelf.remove(&key);
                self.disk.remove(&key);
            }
        }
        Ok(right)
    }

    /// Says whether the block is new here.
    fn put(&self, cid: &Cid, bytes: &Bytes, hold: bool) -> Result<bool, FetchedError> {
        if bytes.len() > NODE_MAX {
            return Err(FetchedError::TooLarge(*cid));
        }
        cid::verify(cid, bytes)?;
        let key = key_of(cid.hash());
        if self.have(&key, hold) {
            return Ok(false);
        }
        let count = self.puts.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(LOOK) && free_bytes(self.disk.folder()) < self.spare_bytes {
            return Err(FetchedError::Full);
        }
        let written = self.disk.write(bytes)?;
        // Named and removed under the lock, so that none is removed that came back meanwhile.
        let mut shelf = self.shelf.lock();
        self.disk.place(&written, &key)?;
        if hold {
            shelf.hold(Arc::clone(&key));
        }
        for gone in shelf.insert(key, bytes.len() as u64) {
            self.disk.remove(&gone);
        }
        Ok(true)
    }

    fn have(&self, key: &Key, hold: bool) -> bool {
        let mut shelf = self.shelf.lock();
        let here = shelf.size(key).is_some();
        match (here, hold) {
            (true, true) => shelf.hold(Arc::clone(key)),
            (true, false) => shelf.touch(key),
            (false, _) => {}
        }
        here
    }

    fn release(&self, keys: &HashSet<Key>) {
        let mut shelf = self.shelf.lock();
        for gone in keys.iter().flat_map(|key| shelf.release(key)) {
            self.disk.remove(&gone);
        }
    }

    fn unpin(&self, root: &Cid) -> Result<Pin, FetchedError> {
        let mut pins = self.pins.lock();
        let at = pins.iter().position(|held| held.is_of(root)).ok_or(FetchedError::NotPinned(*root))?;
        fs::remove_file(self.disk.pins().join(pins[at].file()))?;
        let held = pins.remove(at);
        drop(pins);
        self.release(&held.keys);
        Ok(held.pin)
    }
}

/// A pin that is being made. Blocks that only it brought go with it when it is dropped.
pub struct Pinning {
    inner: Arc<Inner>,
    keys: HashSet<Key>,
    /// Those that were not here before.
    new: Vec<Key>,
    bytes: u64,
}

impl Pinning {
    /// Takes a block in. Identity CIDs hold their bytes themselves and need no place. Blocking.
    ///
    /// # Errors
    /// See [`FetchedError`].
    pub fn put(&mut self, cid: &Cid, bytes: &Bytes) -> Result<(), FetchedError> {
        let key = key_of(cid.hash());
        if cid::inline(cid).is_some() || self.keys.contains(&key) {
            return Ok(cid::verify(cid, bytes)?);
        }
        if self.inner.put(cid, bytes, true)? {
            self.new.push(Arc::clone(&key));
        }
        self.bytes += bytes.len() as u64;
        self.keys.insert(key);
        Ok(())
    }

    /// Makes it last, also over a crash. A pin with the same first root is replaced. Blocking.
    ///
    /// # Errors
    /// [`FetchedError::NoRoot`], [`FetchedError::Full`], [`FetchedError::Io`].
    pub fn keep(mut self, roots: Vec<Cid>, name: String, added_at: i64) -> Result<Pin, FetchedError> {
        if roots.is_empty() {
            return Err(FetchedError::NoRoot);
        }
        let pin = Pin { roots, name, added_at, blocks: self.keys.len() as u64, bytes: self.bytes };
        let held = Held { pin: pin.clone(), keys: Arc::new(self.keys.clone()) };
        held.write(&self.inner.disk)?;
        let mut pins = self.inner.pins.lock();
        let before = pins.iter().position(|other| other.file() == held.file()).map(|at| pins.remove(at));
        pins.push(held);
        drop(pins);
        (self.keys, self.new) = Default::default();
        if let Some(before) = before {
            self.inner.release(&before.keys);
        }
        Ok(pin)
    }
}

impl Drop for Pinning {
    fn drop(&mut self) {
        self.inner.release(&self.keys);
        let mut shelf = self.inner.shelf.lock();
        for key in self.new.iter().filter(|key| !shelf.is_held(key)).collect::<Vec<_>>() {
            shelf.remove(key);
            self.inner.disk.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid::of_raw;

    pub(super) struct Scene {
        folder: tempfile::TempDir,
        pub fetched: Fetched,
    }

    fn open(folder: &std::path::Path, quota_bytes: u64) -> Fetched {
        let folder = folder.join("fetched");
        Fetched::open(FetchedOptions { folder, quota_bytes, blocks_max: 1000, spare_bytes: 0 }).unwrap()
    }

    impl Scene {
        pub fn new(quota_bytes: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { fetched: open(folder.path(), quota_bytes), folder }
        }

        fn again(self, quota_bytes: u64) -> Self {
            let Self { folder, fetched } = self;
            drop(fetched);
            Self { fetched: open(folder.path(), quota_bytes), folder }
        }

        async fn put(&self, bytes: &'static [u8]) -> Cid {
            let cid = of_raw(bytes);
            self.fetched.put(&cid, Bytes::from_static(bytes)).await.unwrap();
            cid
        }

        pub async fn has(&self, cid: &Cid) -> bool {
            self.fetched.get(cid).await.unwrap().is_some()
        }

        fn files(&self) -> Vec<PathBuf> {
            let all = walkdir::WalkDir::new(self.folder.path().join("fetched/blocks"));
            let files = all.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
            files.map(|entry| entry.path().to_owned()).collect()
        }
    }

    #[tokio::test]
    async fn what_was_put_is_there_also_after_reopening_and_under_another_codec() {
        let scene = Scene::new(100);
        let cid = scene.put(b"soup").await;
        let scene = scene.again(100);
        assert_eq!(scene.fetched.get(&cid).await.unwrap().unwrap(), "soup");
        let node = cid::of_digest(cid::DAG_PB, &cid::digest_of(&cid).unwrap());
        assert_eq!(scene.fetched.size(&node), Some(4));
        assert_eq!(scene.fetched.get(&of_raw(b"bread")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn only_what_hashes_to_its_cid_comes_in_and_goes_out() {
        let scene = Scene::new(100);
        let refused = scene.fetched.put(&of_raw(b"soup"), Bytes::from_static(b"salt")).await;
        assert!(matches!(refused, Err(FetchedError::Wrong(_))), "{refused:?}");
        let large = vec![0; NODE_MAX + 1];
        let refused = scene.fetched.put(&of_raw(&large), large.into()).await;
        assert!(matches!(refused, Err(FetchedError::TooLarge(_))), "{refused:?}");
        let cid = scene.put(b"soup").await;
        fs::write(&scene.files()[0], b"salt").unwrap();
        assert!(!scene.has(&cid).await);
        assert!(scene.files().is_empty(), "what is damaged is removed");
        scene.put(b"soup").await;
        assert!(scene.has(&cid).await, "and can come again");
    }

    #[tokio::test]
    async fn the_quota_is_kept_also_one_that_became_smaller() {
        let scene = Scene::new(10);
        let (first, second) = (scene.put(b"soup").await, scene.put(b"salt").await);
        assert!(scene.has(&first).await, "used after the second");
        let third = scene.put(b"bread").await;
        assert!(!scene.has(&second).await && scene.has(&first).await && scene.has(&third).await);
        let scene = scene.again(5);
        assert_eq!((scene.fetched.totals().blocks, scene.files().len()), (1, 1));
    }

    #[tokio::test]
    async fn pinned_blocks_survive_the_quota_and_a_restart_until_they_are_given_back() {
        let scene = Scene::new(6);
        let loose = scene.put(b"salt").await;
        let mut pinning = scene.fetched.pin();
        for bytes in [&b"soup"[..], b"bread", b"salt", b"soup"] {
            pinning.put(&of_raw(bytes), &Bytes::copy_from_slice(bytes)).unwrap();
        }
        let root = of_raw(b"soup");
        let pin = pinning.keep(vec![root], "menu.car".into(), 7).unwrap();
        assert_eq!((pin.blocks, pin.bytes), (3, 13));
        let scene = scene.again(6);
        assert_eq!(scene.fetched.pins(), std::slice::from_ref(&pin));
        scene.put(b"pepper").await;
        for cid in [root, of_raw(b"bread"), loose] {
            assert!(scene.has(&cid).await && scene.fetched.is_pinned(&cid));
        }
        assert_eq!(scene.fetched.totals().pinned_bytes, 13);
        assert_eq!(scene.fetched.unpin(&root).await.unwrap(), pin);
        assert!(matches!(scene.fetched.unpin(&root).await, Err(FetchedError::NotPinned(_))));
        assert!(scene.fetched.totals().loose_bytes <= 6);
        assert!(scene.again(6).fetched.pins().is_empty());
    }

    #[tokio::test]
    async fn a_pin_that_was_not_kept_leaves_nothing_but_what_was_there_before() {
        let scene = Scene::new(100);
        let before = scene.put(b"soup").await;
        let mut pinning = scene.fetched.pin();
        pinning.put(&before, &Bytes::from_static(b"soup")).unwrap();
        pinning.put(&of_raw(b"bread"), &Bytes::from_static(b"bread")).unwrap();
        assert!(pinning.put(&of_raw(b"x"), &Bytes::from_static(b"y")).is_err());
        drop(pinning);
        assert!(scene.has(&before).await && !scene.has(&of_raw(b"bread")).await);
        assert_eq!(scene.files().len(), 1);
        assert!(matches!(scene.fetched.pin().keep(vec![], String::new(), 0), Err(FetchedError::NoRoot)));
    }

    #[tokio::test]
    async fn the_same_pin_again_takes_the_place_of_the_first() {
        let scene = Scene::new(0);
        for blocks in [&[&b"soup"[..], b"salt"][..], &[b"soup"]] {
            let mut pinning = scene.fetched.pin();
            for bytes in blocks {
                pinning.put(&of_raw(bytes), &Bytes::copy_from_slice(bytes)).unwrap();
            }
            pinning.keep(vec![of_raw(b"soup")], String::new(), 0).unwrap();
        }
        assert_eq!(scene.fetched.pins().len(), 1);
        assert!(scene.has(&of_raw(b"soup")).await && !scene.has(&of_raw(b"salt")).await);
    }

    #[test]
    fn what_was_half_written_and_what_is_no_block_does_no_harm() {
        let scene = Scene::new(100);
        let folder = scene.folder.path().join("fetched");
        fs::write(folder.join("writing/7"), b"half").unwrap();
        fs::create_dir_all(folder.join("blocks/xy")).unwrap();
        fs::write(folder.join("blocks/xy/README"), b"x").unwrap();
        fs::write(folder.join("pins/bafkqaaa"), b"not a pin").unwrap();
        let scene = scene.again(100);
        assert_eq!(scene.fetched.totals().blocks, 0);
        assert!(!folder.join("writing/7").exists());
    }
}
