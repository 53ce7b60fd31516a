//! Where pieces of renditions are made and kept: the worker pool, the devices, the memory and the disk.
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::devices::Devices;
use super::disk::Disk;
use super::jobs::{JobKey, Plan, Studio};
use super::segments::{Key, Piece, Segments};
use super::{PlaybackError, Segment, Source};
use crate::blocks::{BlockError, Blocks, Recipe};
use crate::content::unixfs::{Layout, Profile};
use crate::media::hardware::Device;
use crate::media::transcode::Transcoded;
use crate::media::{Media, MediaError};

/// What recipes of transcoded pieces begin with, where those of copies have the packager's version.
pub(super) const TRANSCODED: &str = "t";
/// Bytes that a container puts around and between packets.
const FRAMING: u64 = 64 * 1024;

/// See the module.
pub(super) struct Workshop {
    pub media: Media,
    pub blocks: Blocks,
    pub segments: Segments,
    pub disk: Disk,
    pub devices: Devices,
}

impl Workshop {
    /// The worker reads the file, not its blocks: what it makes belongs to `source.cid` only while the file is as it was
    /// when it was imported.
    pub async fn unchanged(&self, source: &Source) -> Result<(), PlaybackError> {
        tokio::fs::metadata(&source.path).await.map_err(BlockError::from)?;
        let unchanged = self.blocks.unchanged(&source.path).await.map_err(BlockError::from)?;
        if unchanged.is_some_and(|imported| imported.cid == source.cid) {
            return Ok(());
        }
        // Reading a block makes the change known to whoever imports the file again.
        let _ = self.blocks.read(&source.cid, 0..1).next().await;
        Err(BlockError::Changed { path: source.path.clone() }.into())
    }

    /// What was made of these bytes of the file is made of what was imported. A disk may give back others, with size and
    /// time as they were; such a segment would be verified under a name of its own, and shown.
    pub async fn intact(&self, source: &Source, span: Range<u64>) -> Result<(), PlaybackError> {
        let whole = span.start..span.end.saturating_add(FRAMING);
        Ok(self.blocks.intact(&source.path, if span.is_empty() { span } else { whole }).await?)
    }

    /// A segment on disk, if it is there and has the bytes that it had.
    async fn on_disk(self: &Arc<Self>, key: &JobKey, n: usize) -> Option<Segment> {
        if !self.disk.has(key, n) {
            return None;
        }
        let known = self.blocks.derived(recipe(key, n)).await.ok()?;
        let (this, key) = (Arc::clone(self), key.clone());
        let read = move || {
            let (bytes, encoder) = this.disk.get(&key, n)?;
            let layout = Layout::of(&bytes, Profile::V1_2025);
            if Some(layout.root) != known {
                this.disk.drop_wrong(&key, n);
                return None;
            }
            Some(Segment { layout, bytes, encoder })
        };
        tokio::task::spawn_blocking(read).await.ok()?
    }

    async fn keep_made(self: Arc<Self>, key: JobKey, n: usize, made: Transcoded) -> Result<Segment, PlaybackError> {
        let layout = self.blocks.put_derived(recipe(&key, n), made.bytes.clone()).await?;
        let segment = Segment { layout, bytes: made.bytes, encoder: made.encoder };
        self.segments.put(memory_key(&key, n), segment.clone());
        let (this, bytes, encoder) = (self, segment.bytes.clone(), segment.encoder.clone());
        let written = tokio::task::spawn_blocking(move || this.disk.put(&key, n, &bytes, &encoder));
        written.await.map_err(|_| BlockError::Cancelled)?;
        Ok(segment)
    }
}

fn memory_key(key: &JobKey, n: usize) -> Key {
    Key { file: key.file, rendition: key.rendition.clone(), piece: Piece::Number(n as u64) }
}

/// What the block index remembers of a transcoded segment.
pub(super) fn recipe(key: &JobKey, n: usize) -> Recipe {
    Recipe { source: key.file, detail: format!("{TRANSCODED}/{}/{n}", key.rendition).into_bytes() }
}

/// The workshop as the jobs see it.
pub(super) struct Bench(pub Arc<Workshop>);

impl Studio for Bench {
    fn encode(
        &self,
        source: Arc<Source>,
        plan: Plan,
        cancel: CancellationToken,
    ) -> BoxFuture<'static, Result<Transcoded, MediaError>> {
        let shop = Arc::clone(&self.0);
        async move {
            if shop.unchanged(&source).await.is_err() {
                return Err(MediaError::Unreadable("the file changed and is being read again".to_owned()));
            }
            match plan {
                Plan::Picture(plan) => shop.media.picture(&source.path, plan, &cancel).await,
                Plan::Sound(plan) => shop.media.sound(&source.path, plan, &cancel).await,
            }
        }
        .boxed()
    }

    fn kept<'a>(&'a self, key: &'a JobKey, n: usize) -> BoxFuture<'a, Option<Segment>> {
        async move {
            if let Some(segment) = self.0.segments.get(&memory_key(key, n)) {
                return Some(segment);
            }
            let segment = self.0.on_disk(key, n).await?;
            self.0.segments.put(memory_key(key, n), segment.clone());
            Some(segment)
        }
        .boxed()
    }

    fn is_kept(&self, key: &JobKey, n: usize) -> bool {
        self.0.disk.has(key, n) || self.0.segments.has(&memory_key(key, n))
    }

    fn count_kept(&self, key: &JobKey) -> usize {
        self.0.disk.count(key)
    }

    fn keep(&self, key: JobKey, n: usize, made: Transcoded) -> BoxFuture<'static, Result<Segment, PlaybackError>> {
        Arc::clone(&self.0).keep_made(key, n, made).boxed()
    }

    fn devices(&self) -> Vec<Device> {
        self.0.devices.usable()
    }

    fn failed(&self, device: &Device, why: &str) {
        self.0.devices.failed(device, why);
    }
}

/// Bytes of a piece that needs no encoder, registered as a block.
pub(super) async fn registered(
    blocks: &Blocks,
    recipe: Recipe,
    bytes: Bytes,
    encoder: &str,
) -> Result<Segment, PlaybackError> {
    let layout = blocks.put_derived(recipe, bytes.clone()).await?;
    Ok(Segment { layout, bytes, encoder: encoder.to_owned() })
}
