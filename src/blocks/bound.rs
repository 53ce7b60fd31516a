//! A folder whose files are imported as one: bound together as a zip archive that is nowhere on disk ([`StoredZip`]).
//!
//! The index keeps names, sizes, times and checksums of the files, so every byte of the archive can be told: those of headers
//! are written again, those of files are read from them. Files of the folder that are not bound do not matter. Blocking.
//! A file is opened by its name in the folder alone, and never through a link.
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::by_reference::Stamp;
use super::{BlockError, ImportError};
use crate::content::cid::{Digest, sha256};
use crate::content::stored_zip::{Member, Piece, StoredZip, TooLarge};
use crate::content::unixfs::{Position, Profile, Shape};

/// What the kept form begins with.
const VERSION: u8 = 1;
/// Bytes between two calls of `progress`.
const PROGRESS_STEP: u64 = 4 * 1024 * 1024;

/// A file of a folder that is imported as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundFile {
    /// Its name in the folder.
    pub name: OsString,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the Unix epoch.
    pub modified_ns: i64,
    /// CRC-32 of its bytes.
    pub crc: u32,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    zip: StoredZip,
    /// Of each member, when it was written.
    times: Vec<i64>,
}

impl Bound {
    pub fn new(files: Vec<BoundFile>) -> Result<Self, TooLarge> {
        let times = files.iter().map(|file| file.modified_ns).collect();
        let member = |file: BoundFile| Member { name: file.name.into_vec(), size: file.size, crc: file.crc };
        Ok(Self { zip: StoredZip::new(files.into_iter().map(member).collect())?, times })
    }

    /// As it is kept: of each file the length of its name, name, size, time and checksum, numbers with their low byte first.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for (member, time) in self.zip.members().iter().zip(&self.times) {
            bytes.extend(u16::try_from(member.name.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend(&member.name);
            bytes.extend(member.size.to_le_bytes());
            bytes.extend(time.to_le_bytes());
            bytes.extend(member.crc.to_le_bytes());
        }
        bytes
    }

    /// `None` for what is not such a form.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let mut files = Vec::new();
        while !rest.is_empty() {
            let len = u16::from_le_bytes(*take(&mut rest)?);
            let (name, after) = rest.split_at_checked(usize::from(len))?;
            rest = after;
            files.push(BoundFile {
                name: OsStr::from_bytes(name).to_owned(),
                size: u64::from_le_bytes(*take(&mut rest)?),
                modified_ns: i64::from_le_bytes(*take(&mut rest)?),
                crc: u32::from_le_bytes(*take(&mut rest)?),
            });
        }
        Self::new(files).ok()
    }

    /// The file whose bytes begin there in the archive.
    pub fn file_at(&self, folder: &Path, offset: u64) -> Option<PathBuf> {
        self.zip.member_at(offset).map(|number| self.path(folder, number))
    }

    fn path(&self, folder: &Path, number: usize) -> PathBuf {
        folder.join(OsStr::from_bytes(&self.zip.members()[number].name))
    }

    /// What tells this folder from what it was or will be: the size of the archive, the newest of all times, and the folder's
    /// own inode. `None` where a file is not as it was.
    pub fn stamp(&self, folder: &Path) -> io::Result<Option<Stamp>> {
        let own = Stamp::of(&fs::metadata(folder)?);
        let mut newest = own.modified_ns;
        for (number, (member, time)) in self.zip.members().iter().zip(&self.times).enumerate() {
            match fs::symlink_metadata(self.path(folder, number)) {
                Ok(meta) if meta.is_file() && same(&Stamp::of(&meta), member, *time) => newest = newest.max(*time),
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(Stamp { size: self.zip.size(), modified_ns: newest, ..own }))
    }

    /// Bytes of the archive. `None` where a file that holds some of them is not as it was; `NotFound` where the folder is gone.
    fn read(&self, folder: &Path, span: Range<u64>) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(usize::try_from(span.end - span.start).map_err(io::Error::other)?);
        for piece in self.zip.pieces(span) {
            match piece {
                Piece::Bytes(part) => bytes.extend(part),
                Piece::Member { number, range } => {
                    let Some(part) = self.read_file(folder, number, range)? else { return Ok(None) };
                    bytes.extend(part);
                }
            }
        }
        // Where all of it is headers, nothing above asked for the folder.
        fs::metadata(folder).map(|_| Some(bytes))
    }

    fn read_file(&self, folder: &Path, number: usize, range: Range<u64>) -> io::Result<Option<Vec<u8>>> {
        let (file, stamp) = match open(&self.path(folder, number)) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return fs::metadata(folder).map(|_| None),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !same(&stamp, &self.zip.members()[number], self.times[number]) {
            return Ok(None);
        }
        match super::by_reference::read_span(&file, range) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            read => read.map(Some),
        }
    }

    /// Reads the whole and hands over the digest and length of each leaf. Gives what the folder was before and after that.
    pub fn hash_leaves(
        &self,
        folder: &Path,
        mut progress: impl FnMut(u64),
        cancel: &CancellationToken,
        mut leaf: impl FnMut(Digest, u64) -> Result<(), ImportError>,
    ) -> Result<Stamp, ImportError> {
        let io = |source| ImportError::Io { path: folder.to_owned(), source };
        let changing = || ImportError::Changing(folder.to_owned());
        let before = self.stamp(folder).map_err(io)?.ok_or_else(changing)?;
        let shape = Shape::new(Profile::V1_2025, before.size);
        let mut told = 0;
        for span in (0..shape.count(0)).filter_map(|number| shape.span(Position::leaf(number))) {
            if cancel.is_cancelled() {
                return Err(ImportError::Cancelled);
            }
            let bytes = self.read(folder, span.clone()).map_err(io)?.ok_or_else(changing)?;
            leaf(sha256(&bytes), bytes.len() as u64)?;
            if span.end - told >= PROGRESS_STEP {
                told = span.end;
                progress(span.end);
            }
        }
        progress(before.size);
        let after = self.stamp(folder).map_err(io)?;
        if after == Some(before) { Ok(before) } else { Err(changing()) }
    }

    /// Reads a leaf and checks it; `None` where the folder is gone.
    pub fn read_leaf(&self, folder: &Path, span: Range<u64>, digest: &Digest) -> Result<Option<Bytes>, BlockError> {
        let changed = || BlockError::Changed { path: folder.to_owned() };
        let bytes = match self.read(folder, span) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            read => read?.ok_or_else(changed)?,
        };
        if sha256(&bytes) == *digest {
            return Ok(Some(bytes.into()));
        }
        // Someone may have written to a file between the comparison and the read.
        match self.stamp(folder)? {
            Some(_) => Err(BlockError::Damaged { path: folder.to_owned() }),
            None => Err(changed()),
        }
    }

    /// Puts files of the folder right by the archive in `whole`, one after the other, each in one step and with the time that it
    /// had. Those that are right are left alone.
    pub fn restore(&self, folder: &Path, whole: &File) -> io::Result<()> {
        let of_folder = fs::metadata(folder)?.modified()?;
        for (number, member) in self.zip.members().iter().enumerate() {
            let start = self.zip.offset(number).unwrap_or_default();
            let span = start..start + member.size;
            let path = self.path(folder, number);
            if !holds(&path, whole, span.clone())? {
                replace(&path, whole, span)?;
            }
        }
        // The names in it are what they were; only a disk that refuses this has the next scan read it again.
        let _ = File::open(folder).and_then(|opened| opened.set_modified(of_folder));
        Ok(())
    }
}

fn same(now: &Stamp, then: &Member, time: i64) -> bool {
    now.size == then.size && now.modified_ns == time
}

fn open(path: &Path) -> io::Result<(File, Stamp)> {
    // Neither a link nor, for ever, a pipe that somebody put there.
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok((file, Stamp::of(&meta)))
}

/// Whether a file has the bytes of this part of another. What the disk does not give is not had.
fn holds(path: &Path, whole: &File, span: Range<u64>) -> io::Result<bool> {
    let (file, stamp) = open(path)?;
    let mut held = stamp.size == span.end - span.start;
    each_part(span, |at, part| {
        let wanted = super::by_reference::read_span(whole, part)?;
        let mut bytes = vec![0; wanted.len()];
        held = held && file.read_exact_at(&mut bytes, at).is_ok() && bytes == wanted;
        Ok(())
    })?;
    Ok(held)
}

/// Puts a file with these bytes, and time, owner and permissions of the one that is there, in its place.
fn replace(path: &Path, whole: &File, span: Range<u64>) -> io::Result<()> {
    let like = fs::symlink_metadata(path)?;
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".potluck-mend");
    let beside = path.with_file_name(name);
    let written = || {
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).custom_flags(flags).open(&beside)?;
        each_part(span.clone(), |at, part| file.write_all_at(&super::by_reference::read_span(whole, part)?, at))?;
        super::mend::dress(&file, &like)?;
        fs::rename(&beside, path)
    };
    written().inspect_err(|_| drop(fs::remove_file(&beside)))
}

/// Calls `take` with each MiB of `span`, and where it begins counted from the first byte of `span`.
fn each_part(span: Range<u64>, mut take: impl FnMut(u64, Range<u64>) -> io::Result<()>) -> io::Result<()> {
    let mut start = span.start;
    while start < span.end {
        let end = span.end.min(start + 1024 * 1024);
        take(start - span.start, start..end)?;
        start = end;
    }
    Ok(())
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(files: &[(&[u8], u64)]) -> Bound {
        let file = |(name, size): &(&[u8], u64)| BoundFile {
            name: OsStr::from_bytes(name).to_owned(),
            size: *size,
            modified_ns: -5,
            crc: 7,
        };
        Bound::new(files.iter().map(file).collect()).unwrap()
    }

    #[test]
    fn what_is_kept_of_a_folder_is_read_back_and_nothing_else_is() {
        let cases: [&[(&[u8], u64)]; 3] = [&[], &[(b"1.jpg", 3)], &[(b"caf\xe9.jpg", 0), (b"2.jpg", 1 << 31)]];
        for files in cases {
            let bound = bound(files);
            let kept = bound.encode();
            assert_eq!(Bound::decode(&kept), Some(bound));
            for len in 0..kept.len() {
                let part = Bound::decode(&kept[..len]);
                assert!(part.is_none() || part.unwrap().zip.members().len() < files.len(), "{len}");
            }
        }
        assert_eq!(Bound::decode(&[2]), None);
    }

    #[test]
    fn a_file_that_became_a_link_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, "abc").unwrap();
        let time = Stamp::of(&secret.metadata().unwrap()).modified_ns;
        std::os::unix::fs::symlink(&secret, folder.path().join("1.jpg")).unwrap();
        let file = BoundFile { name: "1.jpg".into(), size: 3, modified_ns: time, crc: 0 };
        let bound = Bound::new(vec![file]).unwrap();
        assert!(bound.stamp(folder.path()).unwrap().is_none());
        assert!(bound.read(folder.path(), 0..40).unwrap().is_none());
    }
}
