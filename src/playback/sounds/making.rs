//! A sound being made: a worker's pieces go into a store, and whoever listens is told how far it is.
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::store::Store;
use crate::media::MediaError;
use crate::media::whole_sound::{Piece, WholeSound};
use crate::playback::jobs::JobKey;
use crate::playback::{PlaybackError, Source};

/// Pieces that wait for the disk.
const WAITING: usize = 4;
/// Bytes of the longest sound.
const SIZE_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// What is to be made.
pub(super) struct Order {
    pub key: JobKey,
    /// Tells it from another try at the same.
    pub id: u64,
    pub source: Source,
    pub plan: WholeSound,
    /// It is kept when it is whole.
    pub kept: bool,
    /// Places among all that are made, and among those of whoever asked for it.
    pub _permits: [OwnedSemaphorePermit; 2],
}

/// How far it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// Bytes that it will have.
    pub length: Option<u64>,
    /// Bytes that are there.
    pub bytes: u64,
    /// It is whole, or will not be.
    pub end: Option<Result<(), Failure>>,
}

/// Why there is no more of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The file is the reason: a sentence for people.
    #[error("{0}")]
    Unreadable(String),
    /// Something else is.
    #[error("the sound could not be made: {0}")]
    Failed(String),
    /// Nobody listened any more, or the node stops.
    #[error("the sound was given up")]
    Cancelled,
}

impl From<Failure> for PlaybackError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreadable(sentence) => Self::Unsupported(sentence),
            other => Self::Transcode(other.to_string()),
        }
    }
}

impl From<MediaError> for Failure {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Cancelled => Self::Cancelled,
            MediaError::Unreadable(sentence) => Self::Unreadable(sentence),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl Shared {
    /// Makes it, keeps it, tells how far it is and how it ended.
    pub(super) async fn make(
        &self,
        order: Order,
        store: Arc<Store>,
        cancel: CancellationToken,
        tell: watch::Sender<Progress>,
    ) {
        let end = match self.record(&order, &store, &cancel, &tell).await {
            Ok(encoder) => {
                let size = tell.borrow().bytes;
                self.keep(&order, store, encoder, size).await;
                Ok(())
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &end
            && *failure != Failure::Cancelled
        {
            tracing::warn!(file = %order.source.cid, form = order.key.rendition, %failure, "a sound was not made");
        }
        self.state.lock().forget(&order.key, order.id);
        tell.send_modify(|progress| progress.end = Some(end));
    }

    /// Writes what the worker sends; gives who encoded it.
    async fn record(
        &self,
        order: &Order,
        store: &Arc<Store>,
        cancel: &CancellationToken,
        tell: &watch::Sender<Progress>,
    ) -> Result<String, Failure> {
        let (pieces, coming) = mpsc::channel(WAITING);
        let made = self.shop.media.whole_sound(&order.source.path, order.plan, pieces, cancel);
        let (made, written) = tokio::join!(made, written(store, coming, tell));
        // Where the disk takes no more, the worker is ended by that.
        written?;
        Ok(made?)
    }

    async fn keep(&self, order: &Order, store: Arc<Store>, encoder: String, size: u64) {
        // What a file became while it was read is not the sound of what it was.
        if !order.kept || self.shop.unchanged(&order.source).await.is_err() {
            return;
        }
        let (shop, key) = (Arc::clone(&self.shop), order.key.clone());
        let keep = move || store.keep(&shop.disk, &key, &encoder, size);
        let _ = tokio::task::spawn_blocking(keep).await;
    }
}

async fn written(
    store: &Arc<Store>,
    mut coming: mpsc::Receiver<Piece>,
    tell: &watch::Sender<Progress>,
) -> Result<(), Failure> {
    let mut at = 0;
    while let Some(Piece { length, bytes }) = coming.recv().await {
        let end = at + bytes.len() as u64;
        if end > SIZE_MAX {
            return Err(Failure::Unreadable("its sound is too long".to_owned()));
        }
        let store = Arc::clone(store);
        let append = tokio::task::spawn_blocking(move || store.append(at, &bytes)).await;
        let append = append.unwrap_or_else(|_| Err(std::io::ErrorKind::Interrupted.into()));
        append.map_err(|error| Failure::Failed(error.to_string()))?;
        at = end;
        tell.send_modify(|progress| (progress.length, progress.bytes) = (length, at));
    }
    Ok(())
}
