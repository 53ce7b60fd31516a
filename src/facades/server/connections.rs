//! Connections, and the two things counted of them: what they move, and whether they ever asked for something.
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use crate::facades::carrier::Traffic;

/// Connections that have not sent one whole request head yet. A browser has a few for a moment; someone who opens a
/// thousand and says nothing loses the oldest for each new one, so that newcomers always find room.
const SILENT_MAX: usize = 256;

/// The connections that did not ask for anything yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Silent {
    next: AtomicU64,
    waiting: Mutex<BTreeMap<u64, CancellationToken>>,
}

/// One of them; leaves when it is dropped.
#[derive(Debug)]
pub(super) struct Newcomer {
    all: Arc<Silent>,
    number: u64,
    /// Cancelled when it has to give way.
    pub give_way: CancellationToken,
}

impl Silent {
    pub fn enter(self: &Arc<Self>) -> Newcomer {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let give_way = CancellationToken::new();
        let mut waiting = self.waiting.lock();
        waiting.insert(number, give_way.clone());
        if waiting.len() > SILENT_MAX
            && let Some((_, oldest)) = waiting.pop_first()
        {
            oldest.cancel();
        }
        Newcomer { all: Arc::clone(self), number, give_way }
    }
}

impl Newcomer {
    /// It asked for something: nobody sends it away any more.
    pub fn spoke(&self) -> bool {
        self.all.waiting.lock().remove(&self.number).is_some()
    }

    /// Whether it has not asked for anything yet.
    pub fn is_silent(&self) -> bool {
        self.all.waiting.lock().contains_key(&self.number)
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.spoke();
    }
}

/// A stream whose bytes are counted.
pub(super) struct Counted<S> {
    stream: S,
    traffic: Arc<dyn AsRef<Traffic> + Send + Sync>,
}

impl<S> Counted<S> {
    pub fn new(stream: S, traffic: Arc<dyn AsRef<Traffic> + Send + Sync>) -> Self {
        (*traffic).as_ref().connections.fetch_add(1, Ordering::Relaxed);
        Self { stream, traffic }
    }

    fn traffic(&self) -> &Traffic {
        (*self.traffic).as_ref()
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        self.traffic().connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.traffic().received.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count_sent(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count_sent(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S> Counted<S> {
    fn count_sent(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(sent)) = &polled {
            self.traffic().sent.fetch_add(*sent as u64, Ordering::Relaxed);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_silent_connection_gives_way_and_one_that_spoke_does_not() {
        let silent = Arc::new(Silent::default());
        let spoken = silent.enter();
        assert!(spoken.spoke());
        let oldest = silent.enter();
        let rest: Vec<Newcomer> = (0..SILENT_MAX).map(|_| silent.enter()).collect();
        assert!(oldest.give_way.is_cancelled());
        assert!(!spoken.give_way.is_cancelled());
        assert!(rest.iter().all(|newcomer| !newcomer.give_way.is_cancelled()));
        drop(rest);
        assert!(silent.waiting.lock().is_empty());
    }
}
