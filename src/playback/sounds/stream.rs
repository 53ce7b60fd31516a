//! The bytes of a sound in order: of one that is kept, any range; of one that is being made, all of them as they come.
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};

use super::Listening;
use super::store::read_at;
use crate::playback::disk::Held;

/// Bytes that are read at once.
const READ: u64 = 128 * 1024;

/// The sound of a file.
pub enum Sound {
    /// It was made before.
    Kept(KeptSound),
    /// It is being made.
    Coming(ComingSound),
}

/// A sound that is on disk, and stays there while this lives.
pub struct KeptSound {
    held: Arc<Held>,
    tag: String,
}

impl KeptSound {
    pub(super) fn new(held: Held, tag: String) -> Self {
        Self { held: Arc::new(held), tag }
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.held.size
    }

    /// Tells these bytes from any others that the file's sound was or will be made to; without quotes.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Some of its bytes, in order.
    pub fn read(&self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        try_unfold((Arc::clone(&self.held), range), |(held, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let (of, at, size) = (Arc::clone(&held), range.start, size_of_next(&range));
            let bytes = blocking(move || read_at(&of.file, at, size)).await?;
            Ok(Some((bytes, (held, at + size as u64..range.end))))
        })
    }
}

/// A sound that is being made. It is made on while somebody holds one of these, or its stream.
pub struct ComingSound {
    listening: Listening,
    length: Option<u64>,
}

impl ComingSound {
    pub(super) fn new(listening: Listening, length: Option<u64>) -> Self {
        Self { listening, length }
    }

    /// Bytes that it will have, exactly, where that is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Its bytes as they come. An error is the end: what went wrong, for people.
    pub fn read(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        try_unfold((self.listening, 0), |(mut listening, at)| async move {
            let Some(until) = listening.beyond(at).await? else { return Ok(None) };
            let (store, size) = (Arc::clone(&listening.store), size_of_next(&(at..until)));
            let bytes = blocking(move || store.read(at, size)).await?;
            Ok(Some((bytes, (listening, at + size as u64))))
        })
    }
}

fn size_of_next(range: &Range<u64>) -> usize {
    usize::try_from((range.end - range.start).min(READ)).unwrap_or(0)
}

async fn blocking(read: impl FnOnce() -> io::Result<Bytes> + Send + 'static) -> io::Result<Bytes> {
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}
