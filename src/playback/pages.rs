//! Pages of books: their bytes as they are in the file, or in a form that everything can show.
//!
//! A page of a zip is read here, by its place and checked by its checksum, one of a tar from verified blocks; what must be decoded, or is
//! in another kind of file, is the worker's.
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::{Playback, PlaybackError, Source};
use crate::media::MediaError;
use crate::media::book::{self, BookError, Page, Place};
use crate::media::protocol::{PictureForm, PicturePage};

/// Bytes of a page at most.
const PAGE_MAX: u64 = 128 * 1024 * 1024;

/// What is made of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageForm {
    /// In this form; `None` as it is.
    pub form: Option<PictureForm>,
    /// Pixels of its longer side at most.
    pub side: Option<u32>,
}

impl Playback {
    /// The bytes of a page.
    ///
    /// # Errors
    /// [`PlaybackError::Media`] for one that cannot be read or decoded, [`PlaybackError::NotFound`] where the file is gone.
    pub async fn page(&self, source: &Source, page: &Page, form: PageForm) -> Result<Bytes, PlaybackError> {
        let media = &self.inner.shop.media;
        if form != PageForm::default() {
            let made = form.form.unwrap_or(PictureForm::Jpeg);
            let plan = PicturePage { place: page.place, side: form.side, form: made };
            return Ok(media.picture_page(&source.path, plan).await?);
        }
        if matches!(page.place, Place::Other { .. }) {
            return Ok(media.page(&source.path, page.place).await?);
        }
        if let Place::Stored { offset, size } = page.place {
            // Nothing in the file itself says whether these bytes are right.
            return self.stored(source, offset, size).await;
        }
        let (path, place) = (source.path.clone(), page.place);
        let read = move || {
            // Without O_NONBLOCK a named pipe in the book's place would hold the thread.
            let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
            let file = OpenOptions::new().read(true).custom_flags(nonblock).open(&path)?;
            book::read_page(&file, &place, PAGE_MAX)
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(|_| PlaybackError::NotFound)?;
        read.map(Bytes::from).map_err(|error| match error {
            BookError::Io(error) => MediaError::Open(error).into(),
            other => MediaError::Unreadable(other.to_string()).into(),
        })
    }

    /// Bytes of the file from its verified blocks.
    async fn stored(&self, source: &Source, offset: u64, size: u64) -> Result<Bytes, PlaybackError> {
        let end = offset.checked_add(size).filter(|_| size <= PAGE_MAX).ok_or(PlaybackError::NotFound)?;
        let pieces: Vec<Bytes> = self.inner.shop.blocks.read(&source.cid, offset..end).try_collect().await?;
        Ok(pieces.concat().into())
    }
}
