//! Repairs a file whose bytes are not those that were imported, although its size and time are: beside it, block by block.
//!
//! ```text
//!  damaged file ── right leaves ──┐
//!  other copies, a [`Supplier`] ──┴─► .NAME.potluck-mend ── flush, read back, hash ──► takes the place of the damaged file
//! ```
//! The damaged file is not touched until what takes its place was read back from the disk and found to have the same root;
//! then one rename puts it there, with the same time, owner and permissions. A process that ends in the middle leaves the
//! file beside it, and what is right in there is not fetched again. Invariant: no byte is kept that does not hash to its CID.
use std::ffi::OsString;
use std::fs::{self, File, FileTimes, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

use super::beside::Beside;
use super::bound::Bound;
use super::by_reference::{is_as_imported, read_leaf};
use super::import::hash_leaves;
use super::index::{Index, Object, Origin};
use super::{BlockError, Blocks, ImportError, scrub};
use crate::content::Cid;
use crate::content::cid::{self, Digest, RAW, of_digest};
use crate::content::unixfs::{Builder, Profile};

/// Blocks that are fetched at the same time.
const FETCHES: usize = 8;

/// Gets blocks that are not here (any more). `friends` is one. What it brings is checked.
pub trait Supplier: Send + Sync + 'static {
    /// The block, if anybody has it.
    fn block(&self, cid: Cid) -> BoxFuture<'static, Option<Bytes>>;
}

/// A file that is right again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// Which.
    pub path: PathBuf,
    /// Blocks of it that were wrong.
    pub blocks: u64,
}

/// Why a file could not be repaired. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MendError {
    /// Nobody has these blocks.
    #[error("{missing} of the {wrong} damaged blocks of {path} could not be had from anybody")]
    Missing {
        /// The file.
        path: PathBuf,
        /// Blocks that nobody gave.
        missing: u64,
        /// Blocks that are damaged.
        wrong: u64,
    },
    /// Somebody wrote to it meanwhile: it is not the file that was damaged.
    #[error("{0} changed while it was repaired")]
    Changed(PathBuf),
    /// The repaired file could not be written: the disk is full, or not ours to write to.
    #[error("the repaired file cannot be written beside {path}")]
    Write {
        /// The damaged file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was written is not what is read back.
    #[error("the disk does not give back what was written beside {0}")]
    Unkept(PathBuf),
    /// See [`BlockError`].
    #[error(transparent)]
    Block(#[from] BlockError),
}

impl Blocks {
    /// Repairs every file here that has this root and whose bytes are wrong. One that was changed by somebody, or is gone,
    /// is left alone. Gives those that are right again. One call at a time.
    ///
    /// # Errors
    /// See [`MendError`]; those that were repaired before stay so.
    pub async fn mend(
        &self,
        root: &Cid,
        supplier: Option<Arc<dyn Supplier>>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Mended>, MendError> {
        let digest = cid::digest_of(root).ok_or(BlockError::NotFound(*root))?;
        let found = self.locate(&digest).await.map_err(BlockError::from)?;
        let mut mended = Vec::new();
        for (object, at) in found {
            let Origin::File { path, .. } = &object.origin else { continue };
            if at != object.shape().root() || !is_as_imported(&object) {
                continue;
            }
            let blocks = self.mend_one(&object, supplier.clone(), cancel).await?;
            if blocks > 0 {
                self.forget_findings(path);
                mended.push(Mended { path: path.clone(), blocks });
            }
        }
        Ok(mended)
    }

    /// Returns how many blocks were wrong.
    async fn mend_one(
        &self,
        object: &Object,
        supplier: Option<Arc<dyn Supplier>>,
        cancel: &CancellationToken,
    ) -> Result<u64, MendError> {
        let wrong = self.wrong_leaves(object, cancel).await?;
        let Some(patch) = Patch::new(object) else { return Ok(0) };
        if wrong.is_empty() {
            // Left by a process that ended after the file was restored by hand.
            patch.beside.give_up();
            return Ok(0);
        }
        let patch = Arc::new(patch);
        let count = wrong.len() as u64;
        let fetched = stream::iter(wrong.clone()).map(|(number, digest)| {
            let (this, patch, supplier) = (self.clone(), Arc::clone(&patch), supplier.clone());
            async move { this.fetch(&patch, number, digest, supplier).await }
        });
        let missing = fetched.buffer_unordered(FETCHES);
        let missing = async { missing.try_fold(0, |sum, had| async move { Ok(sum + u64::from(!had)) }).await };
        let missing = tokio::select! {
            missing = missing => missing.inspect_err(|_| patch.beside.give_up())?,
            () = cancel.cancelled() => return Err(BlockError::Cancelled.into()),
        };
        if missing > 0 {
            if missing == count {
                patch.beside.give_up();
            }
            return Err(MendError::Missing { path: patch.path.clone(), missing, wrong: count });
        }
        let (this, object, cancel) = (self.clone(), object.clone(), cancel.clone());
        let numbers: Vec<u64> = wrong.into_iter().map(|(number, _)| number).collect();
        let task = move || patch.complete(&this.inner.index, &object, &numbers, &cancel);
        tokio::task::spawn_blocking(task).await.map_err(|_| BlockError::Cancelled)??;
        Ok(count)
    }

    async fn wrong_leaves(
        &self,
        object: &Object,
        cancel: &CancellationToken,
    ) -> Result<Vec<(u64, Digest)>, BlockError> {
        let (this, object, cancel) = (self.clone(), object.clone(), cancel.clone());
        let task = move || scrub::wrong_leaves(&this.inner.index, &object, &cancel);
        tokio::task::spawn_blocking(task).await.map_err(|_| BlockError::Cancelled)?
    }

    /// Has one block in the patch; whether anybody had it.
    async fn fetch(
        &self,
        patch: &Arc<Patch>,
        number: u64,
        digest: Digest,
        supplier: Option<Arc<dyn Supplier>>,
    ) -> Result<bool, MendError> {
        let held = Arc::clone(patch);
        let there = tokio::task::spawn_blocking(move || held.beside.holds(number, &digest)).await.unwrap_or(false);
        if there {
            return Ok(true);
        }
        let Some((bytes, _)) = self.obtain(of_digest(RAW, &digest), supplier.as_deref()).await else {
            return Ok(false);
        };
        let held = Arc::clone(patch);
        let written = tokio::task::spawn_blocking(move || held.beside.write(number, &bytes)).await;
        written.map_err(|_| BlockError::Cancelled)?.map_err(|source| patch.unwritten(source))?;
        Ok(true)
    }

    /// A block from here, or else from the supplier, checked; `true` where the supplier gave it.
    pub(super) async fn obtain(&self, cid: Cid, supplier: Option<&dyn Supplier>) -> Option<(Bytes, bool)> {
        if let Ok(bytes) = self.get(&cid).await {
            return Some((bytes, false));
        }
        let bytes = supplier?.block(cid).await?;
        cid::verify(&cid, &bytes).is_ok().then_some((bytes, true))
    }
}

/// The file beside the damaged one.
struct Patch {
    path: PathBuf,
    beside: Beside,
    /// Of a folder: `beside` is an archive of its files.
    bound: Option<Arc<Bound>>,
}

impl Patch {
    fn new(object: &Object) -> Option<Self> {
        let Origin::File { path, bound, .. } = &object.origin else { return None };
        // Hidden: no scan takes it for a film.
        let mut name = OsString::from(".");
        name.push(path.file_name()?);
        name.push(".potluck-mend");
        let beside = Beside::new(path.with_file_name(name), object.shape());
        Some(Self { path: path.clone(), beside, bound: bound.clone() })
    }

    fn unwritten(&self, source: io::Error) -> MendError {
        MendError::Write { path: self.path.clone(), source }
    }

    /// Adds what was right in the damaged file, checks the whole, and puts it in its place. Blocking.
    fn complete(
        &self,
        index: &Index,
        object: &Object,
        wrong: &[u64],
        cancel: &CancellationToken,
    ) -> Result<(), MendError> {
        let file = self.beside.file().map_err(|source| self.unwritten(source))?;
        file.set_len(object.size).map_err(|source| self.unwritten(source))?;
        let copied = self.copy(index, object, wrong, &file, cancel);
        // A disk that is full shall not stay so for a repair.
        copied.inspect_err(|error| {
            if matches!(error, MendError::Write { .. }) {
                self.beside.give_up()
            }
        })?;
        file.sync_all().map_err(|source| self.unwritten(source))?;
        // What is read back shall come from the disk.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        if self.root(cancel)? != object.cid() {
            self.beside.give_up();
            return Err(MendError::Unkept(self.path.clone()));
        }
        self.take_place(object, &file)
    }

    fn copy(
        &self,
        index: &Index,
        object: &Object,
        wrong: &[u64],
        file: &File,
        cancel: &CancellationToken,
    ) -> Result<(), MendError> {
        let mut wrong = wrong.iter().peekable();
        scrub::each_leaf(index, object, cancel, |number, digest| {
            if wrong.next_if_eq(&&number).is_some() {
                return Ok(());
            }
            let leaf = read_leaf(object, number, digest)?.ok_or_else(|| MendError::Changed(self.path.clone()))?;
            file.write_all_at(&leaf, self.beside.span(number).start).map_err(|source| self.unwritten(source))
        })
    }

    fn root(&self, cancel: &CancellationToken) -> Result<Cid, MendError> {
        let mut builder = Builder::new(Profile::V1_2025);
        let hashed = hash_leaves(
            &self.beside.path,
            |_| (),
            cancel,
            |digest, len| {
                builder.push(digest, len);
                Ok(())
            },
        );
        match hashed {
            Ok(_) => Ok(builder.finish().root),
            Err(ImportError::Cancelled) => Err(BlockError::Cancelled.into()),
            Err(ImportError::Io { source, .. }) => Err(self.unwritten(source)),
            Err(ImportError::Changing(_) | ImportError::Index(_)) => Err(MendError::Unkept(self.path.clone())),
        }
    }

    fn take_place(&self, object: &Object, file: &File) -> Result<(), MendError> {
        if let Some(bound) = &self.bound {
            return self.restore(object, bound, file);
        }
        let like = fs::metadata(&self.path).map_err(|_| MendError::Changed(self.path.clone()))?;
        dress(file, &like).map_err(|source| self.unwritten(source))?;
        if !is_as_imported(object) {
            self.beside.give_up();
            return Err(MendError::Changed(self.path.clone()));
        }
        self.beside.become_file(&self.path).map_err(|source| self.unwritten(source))
    }

    /// The files of a folder that are wrong are put right one by one; those that were, stay so if it ends in the middle.
    fn restore(&self, object: &Object, bound: &Bound, whole: &File) -> Result<(), MendError> {
        if !is_as_imported(object) {
            self.beside.give_up();
            return Err(MendError::Changed(self.path.clone()));
        }
        bound.restore(&self.path, whole).map_err(|source| self.unwritten(source))?;
        self.beside.give_up();
        Ok(())
    }
}

/// Gives a file time, owner and permissions of the one whose place it takes, and has it written to the disk.
pub(super) fn dress(file: &File, like: &Metadata) -> io::Result<()> {
    // Only root may give a file away; who owns the disk gets it as ours.
    let _ = std::os::unix::fs::fchown(file, Some(like.uid()), Some(like.gid()));
    file.set_permissions(like.permissions())?;
    file.set_times(FileTimes::new().set_modified(like.modified()?))?;
    file.sync_all()
}
