//! What is in an EPUB, and its files one by one, for programs that show it themselves.
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Playback, PlaybackError, Source};
use crate::content::Cid;
use crate::media::MediaError;
use crate::media::book::{self, BookError, EpubFile, Limits, Outline};

/// Books whose outline is remembered: those that are being read.
const KEPT: usize = 8;

/// Outlines of the books that were asked for last.
#[derive(Default)]
pub(super) struct Outlines(Mutex<VecDeque<(Cid, Arc<Outline>)>>);

impl Outlines {
    fn get(&self, cid: &Cid) -> Option<Arc<Outline>> {
        let mut kept = self.0.lock();
        let at = kept.iter().position(|(known, _)| known == cid)?;
        let found = kept.remove(at)?;
        let outline = Arc::clone(&found.1);
        kept.push_front(found);
        Some(outline)
    }

    fn put(&self, cid: Cid, outline: Arc<Outline>) {
        let mut kept = self.0.lock();
        kept.retain(|(known, _)| *known != cid);
        kept.push_front((cid, outline));
        kept.truncate(KEPT);
    }
}

impl Playback {
    /// What is in an EPUB.
    ///
    /// # Errors
    /// [`PlaybackError::Media`] for a file that is none, or cannot be read.
    pub async fn outline(&self, source: &Source) -> Result<Arc<Outline>, PlaybackError> {
        if let Some(outline) = self.inner.outlines.get(&source.cid) {
            return Ok(outline);
        }
        let path = source.path.clone();
        let read = move || book::outline(&opened(&path)?, &Limits::default());
        let read = tokio::task::spawn_blocking(read).await.map_err(|_| PlaybackError::NotFound)?;
        let outline = Arc::new(read.map_err(unreadable)?);
        self.inner.outlines.put(source.cid, Arc::clone(&outline));
        Ok(outline)
    }

    /// The bytes of a file in an EPUB, as its archive's checksum says they are.
    ///
    /// # Errors
    /// [`PlaybackError::Media`] where they cannot be read.
    pub async fn epub_file(&self, source: &Source, file: &EpubFile) -> Result<Bytes, PlaybackError> {
        let (path, place) = (source.path.clone(), file.place);
        let read = move || book::read_page(&opened(&path)?, &place, super::pages::PAGE_MAX);
        let read = tokio::task::spawn_blocking(read).await.map_err(|_| PlaybackError::NotFound)?;
        read.map(Bytes::from).map_err(unreadable)
    }
}

fn opened(path: &std::path::Path) -> std::io::Result<File> {
    // Without O_NONBLOCK a named pipe in the book's place would hold the thread.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(nonblock).open(path)
}

fn unreadable(error: BookError) -> PlaybackError {
    match error {
        BookError::Io(error) => MediaError::Open(error).into(),
        other => MediaError::Unreadable(other.to_string()).into(),
    }
}
