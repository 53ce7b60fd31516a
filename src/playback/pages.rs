//! Pages of books: their bytes as they are in the file, or in a form that everything can show.
//!
//! A page of a zip is read here, by its place and checked by its checksum, one of a tar or of a folder from verified blocks; what must be decoded, or is
//! in another kind of file, is the worker's. Either way equal files give equal bytes, so a page has a name as a segment of a film has: its
//! blocks are derived from the file, and what makes them again is the page's place in it.
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};

use super::making::Inner;
use super::segments::{Key, Piece};
use super::workshop::registered;
use super::{Playback, PlaybackError, Segment, Source};
use crate::blocks::{BlockError, Recipe};
use crate::media::MediaError;
use crate::media::book::{self, BookError, Page, Place, ZipPlace};
use crate::media::protocol::{PictureForm, PicturePage};

/// Bytes of a page at most.
pub(super) const PAGE_MAX: u64 = 128 * 1024 * 1024;
/// What recipes of pages begin with. A change that gives other bytes for equal files makes it another one.
const PAGE: &[u8] = b"page1";

/// What is made of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageForm {
    /// In this form; `None` as it is.
    pub form: Option<PictureForm>,
    /// Pixels of its longer side at most.
    pub side: Option<u32>,
}

/// How the bytes of a page are made: all that a recipe says besides the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PagePlan {
    place: Place,
    form: Option<PictureForm>,
}

impl PagePlan {
    /// The plan in a recipe's detail; `None` for anything else.
    pub fn read(detail: &[u8]) -> Option<Self> {
        serde_json::from_slice(detail.strip_prefix(PAGE)?).ok()
    }

    fn detail(self) -> String {
        let plan = serde_json::to_string(&self).unwrap_or_default();
        String::from_utf8_lossy(PAGE).into_owned() + &plan
    }

    /// Making it takes a worker's time, and in a solid archive that of all pages before it.
    fn is_dear(&self) -> bool {
        self.form.is_some() || matches!(self.place, Place::Other { .. })
    }
}

impl Playback {
    /// The bytes of a page.
    ///
    /// # Errors
    /// [`PlaybackError::Media`] for one that cannot be read or decoded, [`PlaybackError::NotFound`] where the file is gone.
    pub async fn page(&self, source: &Source, page: &Page, form: PageForm) -> Result<Bytes, PlaybackError> {
        self.inner.page(source, page.place, form).await
    }

    /// A page as it is, or in `form`, with its blocks, which can be had by CID from then on.
    ///
    /// # Errors
    /// As [`Playback::page`]; [`PlaybackError::Blocks`], also where the file is not as it was imported.
    pub async fn page_blocks(
        &self,
        source: &Source,
        page: &Page,
        form: Option<PictureForm>,
    ) -> Result<Segment, PlaybackError> {
        self.inner.page_blocks(source, PagePlan { place: page.place, form }).await
    }

    /// The same for a page after one that was asked for: made now where that costs little, else only if it is there already.
    ///
    /// # Errors
    /// As [`Playback::page_blocks`].
    pub async fn next_page(
        &self,
        source: &Source,
        page: &Page,
        form: Option<PictureForm>,
    ) -> Result<Option<Segment>, PlaybackError> {
        let plan = PagePlan { place: page.place, form };
        if plan.is_dear() {
            return Ok(self.inner.shop.segments.get(&key(source, plan)));
        }
        self.inner.page_blocks(source, plan).await.map(Some)
    }
}

impl Inner {
    /// A page that is kept, or is made now and is known to the block index after that.
    pub async fn page_blocks(&self, source: &Source, plan: PagePlan) -> Result<Segment, PlaybackError> {
        self.shop.segments.get_or_make(key(source, plan), self.make_page(source, plan)).await
    }

    async fn make_page(&self, source: &Source, plan: PagePlan) -> Result<Segment, PlaybackError> {
        self.shop.unchanged(source).await?;
        let bytes = self.page(source, plan.place, PageForm { form: plan.form, side: None }).await?;
        let recipe = Recipe { source: source.cid, detail: plan.detail().into_bytes() };
        registered(&self.shop.blocks, recipe, bytes, "copy").await
    }

    async fn page(&self, source: &Source, place: Place, form: PageForm) -> Result<Bytes, PlaybackError> {
        let media = &self.shop.media;
        if form != PageForm::default() {
            let made = form.form.unwrap_or(PictureForm::Jpeg);
            let (own, place) = self.page_file(source, place).await?;
            let path = own.as_deref().unwrap_or(&source.path);
            return Ok(media.picture_page(path, PicturePage { place, side: form.side, form: made }).await?);
        }
        match place {
            Place::Other { .. } => Ok(media.page(&source.path, place).await?),
            // Nothing in the file itself says whether these bytes are right.
            Place::Stored { offset, size } => self.stored(source, offset, size).await,
            Place::Zip(_) | Place::Whole { .. } => {
                let (own, place) = self.page_file(source, place).await?;
                read(own.unwrap_or_else(|| source.path.clone()), place).await
            }
        }
    }

    /// A page of a folder of pictures is in a file of its own: which, and where it is in there.
    async fn page_file(&self, source: &Source, place: Place) -> Result<(Option<PathBuf>, Place), PlaybackError> {
        let (offset, size) = match place {
            Place::Stored { offset, size } => (offset, size),
            // As the archive that another node, or another item, has of it.
            Place::Zip(ZipPlace { header, size, .. }) => (header, size),
            Place::Whole { .. } | Place::Other { .. } => return Ok((None, place)),
        };
        let own = self.shop.blocks.bound_file(&source.path, offset).await.map_err(BlockError::from)?;
        let place = if own.is_some() { Place::Whole { size } } else { place };
        Ok((own, place))
    }

    /// Bytes of the file from its verified blocks.
    async fn stored(&self, source: &Source, offset: u64, size: u64) -> Result<Bytes, PlaybackError> {
        let end = offset.checked_add(size).filter(|_| size <= PAGE_MAX).ok_or(PlaybackError::NotFound)?;
        let pieces: Vec<Bytes> = self.shop.blocks.read(&source.cid, offset..end).try_collect().await?;
        Ok(pieces.concat().into())
    }
}

/// Where a page is kept in memory.
fn key(source: &Source, plan: PagePlan) -> Key {
    Key { file: source.cid, rendition: plan.detail(), piece: Piece::Whole }
}

async fn read(path: PathBuf, place: Place) -> Result<Bytes, PlaybackError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::book::Format;

    #[test]
    fn a_recipe_says_all_that_a_page_is_made_of_and_nothing_else_is_one() {
        let other = Place::Other { format: Format::Pdf, index: u64::MAX };
        for place in [Place::Stored { offset: u64::MAX, size: u64::MAX }, other] {
            for form in [None, Some(PictureForm::Jpeg), Some(PictureForm::Png)] {
                let plan = PagePlan { place, form };
                assert!(plan.detail().len() <= 1024);
                assert_eq!(PagePlan::read(plan.detail().as_bytes()), Some(plan));
            }
        }
        for other in [
            "",
            "page1",
            "page1{}",
            "1/v0/3",
            "t/v0-720.x/3",
            "page2{\"place\":{\"whole\":{\"size\":1}},\"form\":null}",
        ] {
            assert_eq!(PagePlan::read(other.as_bytes()), None, "{other}");
        }
    }
}
