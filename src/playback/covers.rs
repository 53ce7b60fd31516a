//! Covers made small: `thumbnails/c<xx>/<name>.jpg`, beside the pictures for seek bars and under the same quota.
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{Playback, PlaybackError};
use crate::media::book::Place;
use crate::media::protocol::{PictureForm, PicturePage};

/// Bytes of a picture at most.
const SIZE_MAX: u64 = 32 * 1024 * 1024;

/// A picture as it was found, and how small it shall be.
#[derive(Debug, Clone)]
pub struct Cover {
    /// Changes with the file; with its quotes.
    pub tag: String,
    path: PathBuf,
    size: u64,
    side: u32,
}

impl Playback {
    /// What is known of a picture without reading it. `side` is how many pixels its longer side shall have at most.
    ///
    /// # Errors
    /// [`PlaybackError::NotFound`] where there is no file of a picture's size.
    pub async fn cover(&self, path: &Path, side: u32) -> Result<Cover, PlaybackError> {
        let path = path.to_owned();
        let found = tokio::task::spawn_blocking(move || found(path, side)).await;
        found.ok().and_then(Result::ok).ok_or(PlaybackError::NotFound)
    }

    /// The picture as a JPEG, made if it was not made before.
    ///
    /// # Errors
    /// [`PlaybackError::Media`] for one that cannot be decoded.
    pub async fn draw(&self, cover: &Cover) -> Result<Bytes, PlaybackError> {
        let kept = self.inner.options.thumbnails.as_ref().map(|folder| cover.kept(folder));
        if let Some(bytes) = read(kept.clone()).await {
            return Ok(bytes);
        }
        let place = Place::Whole { size: cover.size };
        let plan = PicturePage { place, side: Some(cover.side), form: PictureForm::Jpeg };
        let bytes = self.inner.shop.media.picture_page(&cover.path, plan).await?;
        self.keep_cover(kept, &bytes).await;
        Ok(bytes)
    }
}

impl Cover {
    fn kept(&self, folder: &Path) -> PathBuf {
        kept(folder, &format!("{}{:?}", self.tag, self.path))
    }
}

/// Four covers that are shown as one.
#[derive(Debug, Clone)]
pub struct Mosaic {
    /// Changes with any of them; with its quotes.
    pub tag: String,
    covers: [Cover; 4],
}

impl Mosaic {
    /// Of these, the first in the upper left, the second beside it.
    #[must_use]
    pub fn of(covers: [Cover; 4]) -> Self {
        let tag = format!("\"m{}\"", named(&covers.each_ref().map(|cover| cover.tag.as_str()).concat()));
        Self { tag, covers }
    }
}

impl Playback {
    /// The picture as a JPEG, made if it was not made before.
    ///
    /// # Errors
    /// [`PlaybackError::Media`] where one of its covers cannot be decoded.
    pub async fn draw_mosaic(&self, mosaic: &Mosaic) -> Result<Bytes, PlaybackError> {
        let kept = self.inner.options.thumbnails.as_ref().map(|folder| kept(folder, &mosaic.tag));
        if let Some(bytes) = read(kept.clone()).await {
            return Ok(bytes);
        }
        let mut pictures = Vec::with_capacity(mosaic.covers.len());
        for cover in &mosaic.covers {
            pictures.push(self.draw(cover).await?);
        }
        let bytes = self.inner.shop.media.mosaic(&pictures).await?;
        self.keep_cover(kept, &bytes).await;
        Ok(bytes)
    }

    async fn keep_cover(&self, path: Option<PathBuf>, bytes: &Bytes) {
        let Some(path) = path else { return };
        let (bytes, quota) = (bytes.clone(), self.inner.options.thumbnails_bytes);
        let written = tokio::task::spawn_blocking(move || super::thumbnails::keep(&path, &bytes, quota)).await;
        if let Ok(Err(error)) = written {
            tracing::debug!(%error, "a cover could not be kept");
        }
    }
}

async fn read(kept: Option<PathBuf>) -> Option<Bytes> {
    let path = kept?;
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    read.ok()?.ok().map(Bytes::from)
}

/// Where a picture that follows from this is kept.
fn kept(folder: &Path, of: &str) -> PathBuf {
    let hash = named(of);
    folder.join(format!("c{}", &hash[..2])).join(format!("{hash}.jpg"))
}

fn named(of: &str) -> String {
    HEXLOWER.encode(&digest(&SHA256, of.as_bytes()).as_ref()[..16])
}

fn found(path: PathBuf, side: u32) -> io::Result<Cover> {
    // Without O_NONBLOCK a named pipe would hold the thread until someone writes to it.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let meta = OpenOptions::new().read(true).custom_flags(nonblock).open(&path)?.metadata()?;
    if !meta.is_file() || meta.len() > SIZE_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a file of a picture's size"));
    }
    let tag = format!("\"{:x}-{:x}-{:x}-{:x}-{side}\"", meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec());
    Ok(Cover { tag, path, size: meta.len(), side })
}
