//! Bodies that carriers are tried with.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Full, StreamBody};
use potluck::exchange::Body;
use tokio::sync::Notify;

/// Counts what is read of endless bodies, and tells when one is given up.
#[derive(Clone, Default)]
pub struct Watched {
    pub pulled: Arc<AtomicUsize>,
    pub dropped: Arc<Notify>,
}

struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

pub fn full(bytes: impl Into<Bytes>) -> Body {
    Body::new(Full::new(bytes.into()).map_err(|never| match never {}))
}

impl Watched {
    /// Bytes until nobody reads any more.
    pub fn endless(&self) -> Body {
        let (pulled, guard) = (Arc::clone(&self.pulled), NotifyOnDrop(Arc::clone(&self.dropped)));
        let parts = stream::repeat_with(move || {
            let _alive = &guard;
            pulled.fetch_add(1, Ordering::SeqCst);
            Ok(http_body::Frame::data(Bytes::from_static(&[5; 50_000])))
        });
        Body::new(StreamBody::new(parts))
    }
}
