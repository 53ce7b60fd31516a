//! Small pictures for the seek bar, side by side in sprites: `thumbnails/<file>/<n>.jpg`, made one after the other when
//! nothing else is to do, under a quota of their own.
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::making::Inner;
use super::{Playback, PlaybackError, Source};
use crate::content::Cid;
use crate::media::transcode::SpritePlan;
use crate::media::{Facts, decide};

/// Pixels of one picture.
const WIDTH: u32 = 160;
/// Pictures in a row, and rows.
const SIDE: u32 = 10;
/// Seconds between two pictures at least, and pictures of a film at most.
const INTERVAL_MIN: f64 = 2.0;
const PICTURES_MAX: f64 = 400.0;
/// Films that wait for theirs. Those that find no place get them when they are looked at.
const WAITING_MAX: usize = 256;
/// While something is transcoded, it is looked again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// How the pictures of a film are laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct ThumbnailLayout {
    /// Pixels of one picture.
    pub width: u32,
    /// Pixels of one picture.
    pub height: u32,
    /// Pictures in a row.
    pub columns: u32,
    /// Rows of a full sprite.
    pub rows: u32,
    /// Seconds from one to the next; the first is at 0.
    pub interval: f64,
    /// Pictures in all.
    pub pictures: u32,
}

impl ThumbnailLayout {
    /// `None` for what has no film.
    #[must_use]
    pub fn of(facts: &Facts) -> Option<Self> {
        let (width, height) = decide::film(facts).and_then(|film| film.width.zip(film.height))?;
        if width == 0 || height == 0 || !facts.duration.is_finite() || facts.duration <= 0.0 {
            return None;
        }
        let interval = INTERVAL_MIN.max(facts.duration / PICTURES_MAX);
        let scaled = u64::from(WIDTH) * u64::from(height) / u64::from(width) / 2 * 2;
        Some(Self {
            width: WIDTH,
            height: u32::try_from(scaled).unwrap_or(WIDTH).clamp(2, 4 * WIDTH),
            columns: SIDE,
            rows: SIDE,
            interval,
            // At most PICTURES_MAX, and one for what rounding adds.
            pictures: (facts.duration / interval).ceil().clamp(1.0, PICTURES_MAX + 1.0) as u32,
        })
    }

    /// Sprites in all.
    #[must_use]
    pub fn sprites(&self) -> u32 {
        self.pictures.div_ceil(self.columns * self.rows)
    }

    fn plan(&self, sprite: u32) -> SpritePlan {
        let full = self.columns * self.rows;
        let pictures = sprite * full..((sprite + 1) * full).min(self.pictures);
        let times = pictures.map(|n| f64::from(n) * self.interval).collect();
        SpritePlan { times, width: self.width, height: self.height, columns: self.columns }
    }
}

/// How far the pictures of a film are.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnails {
    /// `None` where there will be none.
    pub layout: Option<ThumbnailLayout>,
    /// Sprites that are there, from the first on.
    pub ready: u32,
}

/// Films that wait for their pictures.
pub(super) struct Waiting {
    queue: mpsc::Sender<Source>,
    taken: Mutex<Option<mpsc::Receiver<Source>>>,
    known: Mutex<HashSet<Cid>>,
}

impl Default for Waiting {
    fn default() -> Self {
        let (queue, taken) = mpsc::channel(WAITING_MAX);
        Self { queue, taken: Mutex::new(Some(taken)), known: Mutex::default() }
    }
}

impl Playback {
    /// How far the pictures of a film are. What is not there is made when there is time.
    #[must_use]
    pub fn thumbnails(&self, source: &Source) -> Thumbnails {
        let layout = ThumbnailLayout::of(&source.facts);
        let Some((folder, layout)) = self.inner.thumbnail_folder(&source.cid).zip(layout) else {
            return Thumbnails { layout: None, ready: 0 };
        };
        let ready = (0..layout.sprites()).take_while(|n| folder.join(format!("{n}.jpg")).exists()).count();
        let ready = u32::try_from(ready).unwrap_or(0);
        if ready < layout.sprites() {
            self.inner.want(source);
        }
        Thumbnails { layout: Some(layout), ready }
    }

    /// Whether they are made at all.
    #[must_use]
    pub fn makes_thumbnails(&self) -> bool {
        self.inner.options.thumbnails.is_some()
    }

    /// Where sprite `n` is.
    ///
    /// # Errors
    /// [`PlaybackError::NotFound`] while it is not there.
    pub fn sprite(&self, source: &Source, n: u32) -> Result<PathBuf, PlaybackError> {
        let folder = self.inner.thumbnail_folder(&source.cid).ok_or(PlaybackError::NotFound)?;
        let path = folder.join(format!("{n}.jpg"));
        if path.exists() { Ok(path) } else { Err(PlaybackError::NotFound) }
    }

    /// Makes what is waited for, until it is told to stop. Only one may run.
    pub async fn make_thumbnails(&self, stop: CancellationToken) {
        let Some(mut taken) = self.inner.waiting.taken.lock().take() else { return };
        loop {
            let source = tokio::select! {
                source = taken.recv() => source,
                () = stop.cancelled() => return,
            };
            let Some(source) = source else { return };
            let made = tokio::select! {
                made = self.inner.sprites(&source) => made,
                () = stop.cancelled() => return,
            };
            if let Err(error) = made {
                // It stays known, so that a film that gives none is not tried at every look.
                tracing::info!(file = %source.path.display(), %error, "a film has no pictures for its seek bar");
                continue;
            }
            self.inner.waiting.known.lock().remove(&source.cid);
        }
    }
}

impl Inner {
    fn thumbnail_folder(&self, file: &Cid) -> Option<PathBuf> {
        Some(self.options.thumbnails.as_ref()?.join(file.to_string()))
    }

    fn want(&self, source: &Source) {
        if self.waiting.known.lock().insert(source.cid) && self.waiting.queue.try_send(source.clone()).is_err() {
            self.waiting.known.lock().remove(&source.cid);
        }
    }

    async fn sprites(&self, source: &Source) -> Result<(), PlaybackError> {
        let layout = ThumbnailLayout::of(&source.facts).ok_or(PlaybackError::NotFound)?;
        let folder = self.thumbnail_folder(&source.cid).ok_or(PlaybackError::NotFound)?;
        for n in 0..layout.sprites() {
            let path = folder.join(format!("{n}.jpg"));
            if path.exists() {
                continue;
            }
            while self.jobs.is_busy() {
                tokio::time::sleep(PAUSE).await;
            }
            self.shop.unchanged(source).await?;
            let bytes = self.shop.media.sprite(&source.path, layout.plan(n)).await?;
            let quota = self.options.thumbnails_bytes;
            let written = tokio::task::spawn_blocking(move || keep(&path, &bytes, quota)).await;
            written.map_err(|_| PlaybackError::NotFound)?.map_err(crate::blocks::BlockError::from)?;
        }
        Ok(())
    }
}

pub(super) fn keep(path: &Path, bytes: &[u8], quota: u64) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let new = path.with_extension("new");
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, path))?;
    if let Some(all) = folder.parent() {
        make_room(all, folder, quota);
    }
    Ok(())
}

/// Removes the folders that were made first until the rest fits. `kept` stays.
fn make_room(all: &Path, kept: &Path, quota: u64) {
    let size = |folder: &Path| -> u64 {
        let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
    };
    let folders = fs::read_dir(all).into_iter().flatten().filter_map(Result::ok);
    let made = |path: &Path| path.metadata().and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut folders: Vec<(SystemTime, PathBuf, u64)> =
        folders.map(|entry| entry.path()).map(|path| (made(&path), path.clone(), size(&path))).collect();
    folders.sort();
    let mut bytes: u64 = folders.iter().map(|(.., size)| size).sum();
    for (_, folder, size) in folders.into_iter().filter(|(_, folder, _)| folder != kept) {
        if bytes <= quota {
            return;
        }
        if fs::remove_dir_all(&folder).is_ok() {
            bytes -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(width: u32, height: u32, duration: f64) -> Facts {
        let stream =
            serde_json::json!({"index": 0, "kind": "video", "codec": "h264", "width": width, "height": height});
        Facts { duration, streams: vec![serde_json::from_value(stream).unwrap()], ..Facts::default() }
    }

    #[test]
    fn a_film_has_a_picture_every_two_seconds_and_four_hundred_at_most() {
        let short = ThumbnailLayout::of(&facts(1920, 1080, 61.0)).unwrap();
        assert_eq!((short.width, short.height, short.interval, short.pictures, short.sprites()), (160, 90, 2.0, 31, 1));
        let long = ThumbnailLayout::of(&facts(1920, 800, 7200.0)).unwrap();
        assert_eq!((long.height, long.interval, long.pictures, long.sprites()), (66, 18.0, 400, 4));
        assert_eq!(long.plan(3).times.len(), 100);
        assert_eq!(long.plan(1).times[0], 1800.0);
        assert_eq!(ThumbnailLayout::of(&facts(0, 0, 10.0)), None);
        assert_eq!(ThumbnailLayout::of(&facts(10, 10, f64::NAN)), None);
    }

    #[test]
    fn the_first_made_go_when_the_quota_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let film = |name: &str| folder.path().join(name).join("0.jpg");
        keep(&film("a"), &[0; 10], 25).unwrap();
        let old = SystemTime::now() - Duration::from_secs(100);
        fs::File::open(folder.path().join("a")).unwrap().set_modified(old).unwrap();
        keep(&film("b"), &[0; 10], 25).unwrap();
        assert!(film("a").exists());
        keep(&film("c"), &[0; 10], 25).unwrap();
        assert!(!film("a").exists() && film("b").exists() && film("c").exists());
    }
}
