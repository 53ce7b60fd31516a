//! Who transcodes what, when, and for how long.
//!
//! ```text
//! demand(n) ──► job of the rendition ──► make(n) ──► a slot ──► a device ──► kept ──► everyone who waits for n
//!                  │ minder: makes the next few while somebody watches, stops when nobody does
//! ```
//! A *job* is one rendition that somebody watches. A *make* is one of its segments being made, in a task of its own: two
//! viewers share it, and a caller that goes away takes nothing from the others. A film's job holds one of a few
//! *admissions*; without one its demands wait a little and are then told to come back. Everything here is scheduling: the
//! work itself is behind [`Studio`], so that tests run it in virtual time.
mod make;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::make::{Failure, Waiting};
use self::state::State;
use super::{PlaybackError, Segment, Source};
use crate::content::Cid;
use crate::media::MediaError;
use crate::media::hardware::Device;
use crate::media::transcode::{PicturePlan, SoundPlan, Transcoded};

/// Segments that are made ahead of a viewer.
pub(super) const READ_AHEAD: usize = 3;
/// Nothing is made ahead this long after a viewer's last request ended.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// A job keeps its admission this long after its last request.
pub(super) const ADMISSION: Duration = Duration::from_secs(15);
/// A demand waits this long for an admission.
pub(super) const QUEUE: Duration = Duration::from_secs(3);
/// Whoever found no admission is told to come back after this.
const COME_BACK: Duration = Duration::from_secs(5);
/// Sounds that are transcoded at once: they cost little.
const SOUNDS_AT_ONCE: usize = 2;
/// Others may give up the segment that a demand waits for; it begins anew this often.
const ATTEMPTS: usize = 3;

/// Names a job: a file and its rendition's name in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct JobKey {
    pub file: Cid,
    pub rendition: String,
}

/// What one segment needs, for whoever makes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    Picture(PicturePlan),
    Sound(SoundPlan),
}

/// The plans of a rendition's segments.
pub(super) trait Plans: Send + Sync + 'static {
    fn plan(&self, n: usize, device: &Device) -> Option<Plan>;
}

/// A rendition that is wanted.
#[derive(Clone)]
pub(super) struct Order {
    pub key: JobKey,
    /// Its name for people.
    pub name: String,
    pub source: Arc<Source>,
    pub segments: usize,
    /// Pictures; else sound.
    pub film: bool,
    pub plans: Arc<dyn Plans>,
}

/// Does the work and keeps what comes of it.
pub(super) trait Studio: Send + Sync + 'static {
    /// Makes a segment.
    fn encode(
        &self,
        source: Arc<Source>,
        plan: Plan,
        cancel: CancellationToken,
    ) -> BoxFuture<'static, Result<Transcoded, MediaError>>;
    /// A segment that was made before.
    fn kept<'a>(&'a self, key: &'a JobKey, n: usize) -> BoxFuture<'a, Option<Segment>>;
    /// Whether it was, as far as is known without a look.
    fn is_kept(&self, key: &JobKey, n: usize) -> bool;
    /// How many were.
    fn count_kept(&self, key: &JobKey) -> usize;
    /// Keeps a segment and gives it its name.
    fn keep(&self, key: JobKey, n: usize, made: Transcoded) -> BoxFuture<'static, Result<Segment, PlaybackError>>;
    /// Devices that films may be given to, the best first; software is the last.
    fn devices(&self) -> Vec<Device>;
    /// A device failed on a segment.
    fn failed(&self, device: &Device, why: &str);
}

/// A job as the status page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcoding {
    /// Root CID of the file.
    pub file: Cid,
    /// Id of the rendition.
    pub rendition: String,
    /// Who encoded its last segment.
    pub encoder: Option<String>,
    /// Viewers that asked for it lately.
    pub viewers: usize,
    /// Segments in the cache.
    pub segments_ready: usize,
    /// Segments it has.
    pub segments: usize,
    /// Why a device is not used, or that it waits.
    pub detail: Option<String>,
}

pub(super) struct Shared {
    studio: Arc<dyn Studio>,
    /// Films that may be transcoded at once.
    slots: AtomicUsize,
    films: Arc<Semaphore>,
    sounds: Arc<Semaphore>,
    state: Mutex<State>,
    /// An admission came free.
    freed: Notify,
    stopped: CancellationToken,
    tasks: TaskTracker,
}

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Jobs {
    shared: Arc<Shared>,
}

impl Jobs {
    /// At most `slots` films at once.
    pub fn new(studio: Arc<dyn Studio>, slots: usize) -> Self {
        let slots = slots.max(1);
        Self {
            shared: Arc::new(Shared {
                studio,
                slots: AtomicUsize::new(slots),
                films: Arc::new(Semaphore::new(slots)),
                sounds: Arc::new(Semaphore::new(SOUNDS_AT_ONCE)),
                state: Mutex::default(),
                freed: Notify::new(),
                stopped: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Segment `n`, made now if it was not before.
    pub async fn demand(&self, order: &Order, n: usize, viewer: &str) -> Result<Segment, PlaybackError> {
        if n >= order.segments {
            return Err(PlaybackError::NotFound);
        }
        let _visit = Visit::begin(&self.shared, order, n, viewer);
        if let Some(kept) = self.shared.studio.kept(&order.key, n).await {
            self.shared.admit(&order.key, viewer);
            return Ok(kept);
        }
        self.admitted(&order.key, viewer).await?;
        for _ in 0..ATTEMPTS {
            match self.shared.make_or_join(order, n).outcome().await {
                Ok(segment) => return Ok(segment),
                Err(Failure::Cancelled) if self.shared.stopped.is_cancelled() => break,
                Err(Failure::Cancelled) => (),
                Err(Failure::Failed(sentence)) => return Err(PlaybackError::Transcode(sentence)),
            }
        }
        Err(PlaybackError::Transcode(format!("segment {n} of {} was given up", order.name)))
    }

    /// Waits for an admission, but not for long.
    async fn admitted(&self, key: &JobKey, viewer: &str) -> Result<(), PlaybackError> {
        let deadline = Instant::now() + QUEUE;
        loop {
            let freed = self.shared.freed.notified();
            tokio::pin!(freed);
            // Before the look, so that nothing is missed in between.
            freed.as_mut().enable();
            if self.shared.admit(key, viewer) {
                return Ok(());
            }
            tokio::select! {
                () = freed => (),
                () = tokio::time::sleep_until(deadline) => return Err(PlaybackError::Busy(COME_BACK)),
            }
        }
    }

    /// A segment that was made before.
    pub async fn kept(&self, key: &JobKey, n: usize) -> Option<Segment> {
        self.shared.studio.kept(key, n).await
    }

    /// Films at once.
    pub fn slots(&self) -> usize {
        self.shared.slots.load(Ordering::Relaxed)
    }

    /// Allows more films at once.
    pub fn grow(&self, slots: usize) {
        let before = self.shared.slots.fetch_max(slots, Ordering::Relaxed);
        self.shared.films.add_permits(slots.saturating_sub(before));
        self.shared.freed.notify_waiters();
    }

    /// A viewer was told of segments up to `n`, and will ask for those after it next.
    pub fn told(&self, key: &JobKey, n: usize, viewer: &str) {
        self.shared.state.lock().told(key, n, viewer);
    }

    /// A viewer left a file.
    pub fn left(&self, file: &Cid, viewer: &str) {
        self.shared.state.lock().left(file, viewer);
    }

    /// Something is transcoded, or will be at once.
    pub fn is_busy(&self) -> bool {
        self.shared.state.lock().is_busy()
    }

    /// All jobs, for people.
    pub fn list(&self) -> Vec<Transcoding> {
        let mut all = self.shared.state.lock().list();
        for (key, job) in &mut all {
            job.segments_ready = self.shared.studio.count_kept(key);
        }
        all.into_iter().map(|(_, job)| job).collect()
    }

    /// Gives everything up and waits for it.
    pub async fn stop(&self) {
        self.shared.stopped.cancel();
        self.shared.state.lock().cancel_all();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// A request of a viewer for a segment of a job, from its beginning to its end.
struct Visit {
    shared: Arc<Shared>,
    key: JobKey,
}

impl Visit {
    fn begin(shared: &Arc<Shared>, order: &Order, n: usize, viewer: &str) -> Self {
        let new = shared.state.lock().enter(order, n, viewer);
        if let Some(wake) = new {
            let (minder, key) = (Arc::clone(shared), order.key.clone());
            shared.tasks.spawn(async move { minder.mind(key, wake).await });
        }
        Self { shared: Arc::clone(shared), key: order.key.clone() }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.shared.state.lock().leave(&self.key);
    }
}

impl Shared {
    /// Whether the job may transcode. Where all admissions are taken, one that only this viewer holds moves along with it.
    fn admit(&self, key: &JobKey, viewer: &str) -> bool {
        self.state.lock().admit(key, viewer, self.slots.load(Ordering::Relaxed))
    }

    /// Looks after a job while it lives: makes segments ahead, ends them when nobody watches any more.
    async fn mind(self: Arc<Self>, key: JobKey, wake: Arc<Notify>) {
        loop {
            let look = self.state.lock().look(&key, Instant::now());
            if look.freed {
                self.freed.notify_waiters();
            }
            let Some(next) = look.next else { return };
            if let Some((order, after)) = look.ahead {
                self.make_ahead(&order, &after);
            }
            tokio::select! {
                () = wake.notified() => (),
                () = tokio::time::sleep_until(next) => (),
                () = self.stopped.cancelled() => return,
            }
        }
    }

    /// Begins the first of these segments that nobody made yet, where a slot is free.
    fn make_ahead(self: &Arc<Self>, order: &Order, candidates: &[usize]) {
        let Some(n) = candidates.iter().copied().find(|n| !self.studio.is_kept(&order.key, *n)) else { return };
        let slots = if order.film { &self.films } else { &self.sounds };
        if let Ok(permit) = Arc::clone(slots).try_acquire_owned() {
            self.begin(order, n, Some(permit));
        }
    }

    /// Waits for a segment with whoever waits for it already.
    fn make_or_join(self: &Arc<Self>, order: &Order, n: usize) -> Waiting {
        if let Some(waiting) = self.join(&order.key, n) {
            return waiting;
        }
        self.begin(order, n, None);
        // It was begun under the lock, so it is there unless it ended already.
        self.join(&order.key, n).unwrap_or_else(Waiting::given_up)
    }
}
