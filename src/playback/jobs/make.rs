//! One segment being made: by whom, for whom, and what is tried when it fails.
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use super::{JobKey, Order, Shared};
use crate::media::MediaError;
use crate::media::hardware::Device;
use crate::playback::Segment;

/// Why a make gave no segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody wanted it any more.
    Cancelled,
    /// What went wrong, for people.
    Failed(String),
}

type Outcome = Result<Segment, Failure>;

/// See the module.
pub(super) struct Make {
    pub cancel: CancellationToken,
    /// Requests that wait for it.
    pub waiters: usize,
    done: watch::Receiver<Option<Outcome>>,
}

/// A request's place among those who wait for a make.
pub(super) struct Waiting {
    place: Option<(Arc<Shared>, JobKey, usize)>,
    done: watch::Receiver<Option<Outcome>>,
}

impl Waiting {
    /// For a make that ended before it could be waited for.
    pub fn given_up() -> Self {
        Self { place: None, done: watch::channel(None).1 }
    }

    pub async fn outcome(mut self) -> Outcome {
        match self.done.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(Failure::Cancelled)),
            Err(_) => Err(Failure::Cancelled),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((shared, key, n)) = self.place.take()
            && let Some(make) = shared.state.lock().jobs.get_mut(&key).and_then(|job| job.makes.get_mut(&n))
        {
            make.waiters = make.waiters.saturating_sub(1);
        }
    }
}

impl Shared {
    /// Waits for a make that runs; not for one that was given up.
    pub(super) fn join(self: &Arc<Self>, key: &JobKey, n: usize) -> Option<Waiting> {
        let mut state = self.state.lock();
        let make = state.jobs.get_mut(key)?.makes.get_mut(&n).filter(|make| !make.cancel.is_cancelled())?;
        make.waiters += 1;
        Some(Waiting { place: Some((Arc::clone(self), key.clone(), n)), done: make.done.clone() })
    }

    /// Begins a make in a task of its own. With a slot where it is not urgent; else it waits for one.
    pub(super) fn begin(self: &Arc<Self>, order: &Order, n: usize, slot: Option<OwnedSemaphorePermit>) {
        let (tell, done) = watch::channel(None);
        let cancel = CancellationToken::new();
        {
            let mut state = self.state.lock();
            let Some(job) = state.jobs.get_mut(&order.key) else { return };
            if job.makes.get(&n).is_some_and(|make| !make.cancel.is_cancelled()) || self.stopped.is_cancelled() {
                return;
            }
            job.makes.insert(n, Make { cancel: cancel.clone(), waiters: 0, done });
        }
        let (shared, order) = (Arc::clone(self), order.clone());
        self.tasks.spawn(async move {
            let outcome = shared.make(&order, n, slot, &cancel).await;
            shared.settle(&order.key, n, &cancel, &outcome);
            // Nobody waiting is not an error.
            let _ = tell.send(Some(outcome));
        });
    }

    fn settle(&self, key: &JobKey, n: usize, cancel: &CancellationToken, outcome: &Outcome) {
        let mut state = self.state.lock();
        if let Some(job) = state.jobs.get_mut(key) {
            // A later make of the same segment stays.
            if cancel.is_cancelled() == job.makes.get(&n).is_some_and(|make| make.cancel.is_cancelled()) {
                job.makes.remove(&n);
            }
            if !matches!(outcome, Err(Failure::Cancelled)) {
                job.settled.insert(n);
            }
            if let Ok(segment) = outcome {
                job.encoder = Some(segment.encoder.clone());
            }
        }
        state.wake_all();
    }

    async fn make(
        self: &Arc<Self>,
        order: &Order,
        n: usize,
        slot: Option<OwnedSemaphorePermit>,
        cancel: &CancellationToken,
    ) -> Outcome {
        let slots = if order.film { &self.films } else { &self.sounds };
        let _slot = match slot {
            Some(slot) => slot,
            None => tokio::select! {
                slot = Arc::clone(slots).acquire_owned() => slot.map_err(|_| Failure::Cancelled)?,
                () = cancel.cancelled() => return Err(Failure::Cancelled),
            },
        };
        let mut crashed = false;
        loop {
            if cancel.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            let device = self.device(order);
            let plan =
                order.plans.plan(n, &device).ok_or_else(|| Failure::Failed(format!("there is no segment {n}")))?;
            let made = self.studio.encode(Arc::clone(&order.source), plan, cancel.clone()).await;
            let error = match made {
                Ok(made) => {
                    let kept = self.studio.keep(order.key.clone(), n, made).await;
                    return kept.map_err(|error| failed(order, n, &error));
                }
                Err(MediaError::Cancelled) => return Err(Failure::Cancelled),
                Err(error) => error,
            };
            match (&error, &device) {
                // Once may be bad luck: someone killed it, or its memory was short.
                (MediaError::Crashed(_), _) if !crashed => crashed = true,
                (MediaError::Device(_) | MediaError::Crashed(_), Device::Qsv(_) | Device::Vaapi(_)) => {
                    self.drop_device(order, &device, &error);
                    crashed = false;
                }
                _ => return Err(failed(order, n, &error)),
            }
        }
    }

    /// The best device that did not fail on this film. Sound is the processor's.
    fn device(&self, order: &Order) -> Device {
        if !order.film {
            return Device::Software;
        }
        let state = self.state.lock();
        let dropped = state.jobs.get(&order.key).map(|job| job.dropped.as_slice()).unwrap_or_default();
        let usable = |device: &Device| dropped.iter().all(|(other, _)| other != device);
        self.studio.devices().into_iter().find(usable).unwrap_or(Device::Software)
    }

    fn drop_device(&self, order: &Order, device: &Device, error: &MediaError) {
        let why = error.to_string();
        tracing::warn!(device = ?device, rendition = order.name, why, "a device failed; the next one takes over");
        if let Some(job) = self.state.lock().jobs.get_mut(&order.key) {
            job.dropped.push((device.clone(), why.clone()));
        }
        self.studio.failed(device, &why);
    }
}

fn failed(order: &Order, n: usize, error: &dyn std::error::Error) -> Failure {
    let sentence = format!("segment {n} of {} could not be made: {error}", order.name);
    tracing::warn!(file = %order.source.cid, sentence, "transcoding failed");
    Failure::Failed(sentence)
}
