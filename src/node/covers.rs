//! Covers that people put up: pictures of the data folder, `covers/ID.jpg`. Nothing makes room in it; a cover goes when somebody
//! removes it, or with what it is of.
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Node, NodeEvent};
use crate::catalog::shelves::{CoverOf, ListKind, ShelfCover};
use crate::catalog::{Catalog, CatalogError, Id};
use crate::library::move_in::{KeepCover, MovedCover};
use crate::media::MediaError;
use crate::media::book::{Place, picture_dimensions, picture_kind};
use crate::media::protocol::{PictureForm, PicturePage};

/// Bytes of a picture that is put up.
pub const COVER_MAX: usize = 8 * 1024 * 1024;
/// Pixels of its longer side, as it is kept.
const SIDE: u32 = 1600;

/// Why a cover is not kept.
#[derive(Debug, thiserror::Error)]
pub enum CoverError {
    /// It is no picture that is known here, or is too large.
    #[error("file: must be a picture (JPEG, PNG, GIF, WebP or AVIF) of at most {COVER_MAX} bytes")]
    NotAPicture,
    /// It cannot be read as what it says it is.
    #[error("file: the picture cannot be read")]
    Unreadable(#[source] MediaError),
    /// The disk.
    #[error("a cover could not be written")]
    Io(#[from] io::Error),
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl Node {
    /// Keeps a picture as a cover of something, and shows it if `selected`. It is drawn anew by a worker, so nothing but a picture
    /// is ever kept.
    ///
    /// # Errors
    /// See [`CoverError`].
    pub async fn add_cover(&self, of: CoverOf, picture: Bytes, selected: bool) -> Result<ShelfCover, CoverError> {
        let id = uuid::Uuid::now_v7().hyphenated().to_string();
        let new = self.written(id, &picture, selected).await?;
        let path = new.path.clone();
        self.noted(self.catalog().add_cover(of, new).await, &path).await
    }

    /// Keeps a picture under an id that nothing has here, but tells nobody of it yet.
    async fn written(&self, id: Id, picture: &Bytes, selected: bool) -> Result<ShelfCover, CoverError> {
        if picture.len() > COVER_MAX || picture_kind(picture).is_none() {
            return Err(CoverError::NotAPicture);
        }
        let folder = self.folder().covers();
        tokio::fs::create_dir_all(&folder).await?;
        let path = folder.join(format!("{id}.jpg"));
        let drawn = self.drawn(&folder.join(format!("{id}.new")), picture).await?;
        let dimensions = picture_kind(&drawn).and_then(|kind| picture_dimensions(kind, &drawn));
        let (width, height) = dimensions.ok_or(CoverError::NotAPicture)?;
        tokio::fs::write(&path, &drawn).await?;
        Ok(ShelfCover { id, path, size: drawn.len() as u64, width, height, selected })
    }

    /// A picture that the catalog did not take goes again.
    async fn noted(&self, taken: Result<ShelfCover, CatalogError>, path: &Path) -> Result<ShelfCover, CoverError> {
        if taken.is_err() {
            remove(path).await;
        }
        Ok(taken?)
    }

    async fn take_cover(&self, cover: MovedCover, picture: Bytes) -> Result<ShelfCover, CoverError> {
        let new = self.written(cover.id, &picture, cover.selected).await?;
        let path = new.path.clone();
        self.noted(self.catalog().take_cover(cover.of, new).await, &path).await
    }

    async fn drawn(&self, place: &Path, picture: &Bytes) -> Result<Bytes, CoverError> {
        tokio::fs::write(place, picture).await?;
        let plan = PicturePage {
            place: Place::Whole { size: picture.len() as u64 },
            side: Some(SIDE),
            form: PictureForm::Jpeg,
        };
        let drawn = self.media().picture_page(place, plan).await;
        remove(place).await;
        drawn.map_err(CoverError::Unreadable)
    }

    /// Removes a cover and its picture. Returns whether it was the one that was shown.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove_cover(&self, of: CoverOf, id: &str) -> Result<bool, CatalogError> {
        let gone = self.catalog().remove_cover(of, id).await?;
        remove(&gone.path).await;
        Ok(gone.selected)
    }

    /// Tells that a cover came or went.
    pub fn announce_cover(&self, of: CoverOf, list: Option<ListKind>, added: bool, selected: bool) {
        self.announce(NodeEvent::Cover { of, list, added, selected });
    }
}

impl KeepCover for Node {
    fn keep(&self, cover: MovedCover, picture: Bytes) -> BoxFuture<'_, Result<(), String>> {
        let taken = self.take_cover(cover, picture);
        async move { taken.await.map(drop).map_err(|error| error.to_string()) }.boxed()
    }
}

async fn remove(path: &Path) {
    if let Err(error) = tokio::fs::remove_file(path).await {
        tracing::debug!(%error, file.path = %path.display(), "a cover could not be removed");
    }
}

/// Looks where the covers are now, and removes pictures that nothing has any more.
pub(super) async fn settle(catalog: &Catalog, folder: PathBuf) -> Result<(), CatalogError> {
    let known = catalog.settle_covers(&folder).await?;
    let sweep = move || {
        let Ok(entries) = std::fs::read_dir(&folder) else { return };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let kept = name.strip_suffix(".jpg").is_some_and(|id| known.contains(id));
            if !kept && let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::debug!(%error, "a cover that nothing has could not be removed");
            }
        }
    };
    // What is not swept now is swept at the next start.
    let _ = tokio::task::spawn_blocking(sweep).await;
    Ok(())
}
