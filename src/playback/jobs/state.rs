//! The jobs: who watches what, where, and what may be done for them. No waiting, no IO: everything is decided here under
//! one short lock.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::make::Make;
use super::{ADMISSION, JobKey, LEASE, Order, READ_AHEAD, Transcoding};
use crate::content::Cid;
use crate::media::hardware::Device;

/// Where a viewer is.
struct Watch {
    position: usize,
    at: Instant,
}

/// A rendition that somebody watches.
pub(super) struct Job {
    pub order: Order,
    /// It may transcode. Sounds always may.
    admitted: bool,
    viewers: HashMap<String, Watch>,
    /// Requests that are not answered yet.
    requests: usize,
    /// When the last one ended.
    last: Instant,
    pub makes: HashMap<usize, Make>,
    /// Segments that need not be made ahead: they were, or could not be.
    pub settled: HashSet<usize>,
    /// Devices that failed on this film, and why.
    pub dropped: Vec<(Device, String)>,
    pub encoder: Option<String>,
    pub wake: Arc<Notify>,
}

/// What a minder finds.
#[derive(Default)]
pub(super) struct Look {
    /// When to look again; `None` when the job is over.
    pub next: Option<Instant>,
    /// Segments to be made ahead, in this order.
    pub ahead: Option<(Order, Vec<usize>)>,
    /// An admission came free.
    pub freed: bool,
}

#[derive(Default)]
pub(super) struct State {
    pub jobs: HashMap<JobKey, Job>,
}

impl State {
    /// A request of a viewer begins. Gives what wakes the minder where the job is new.
    pub fn enter(&mut self, order: &Order, n: usize, viewer: &str) -> Option<Arc<Notify>> {
        self.move_away(order, viewer);
        let is_new = !self.jobs.contains_key(&order.key);
        let job = self.jobs.entry(order.key.clone()).or_insert_with(|| Job::new(order));
        job.requests += 1;
        job.viewers.insert(viewer.to_owned(), Watch { position: n, at: Instant::now() });
        job.give_up_unwanted();
        is_new.then(|| Arc::clone(&job.wake))
    }

    /// Whoever watches one form of a film watches no other form of it any more.
    fn move_away(&mut self, order: &Order, viewer: &str) {
        let same = |key: &JobKey, job: &Job| key.file == order.key.file && job.order.film == order.film;
        for (_, job) in self.jobs.iter_mut().filter(|(key, job)| **key != order.key && same(key, job)) {
            if job.viewers.remove(viewer).is_some() {
                job.wake.notify_one();
            }
        }
    }

    /// A request ended.
    pub fn leave(&mut self, key: &JobKey) {
        if let Some(job) = self.jobs.get_mut(key) {
            job.requests = job.requests.saturating_sub(1);
            job.last = Instant::now();
            job.wake.notify_one();
        }
    }

    pub fn told(&mut self, key: &JobKey, n: usize, viewer: &str) {
        if let Some(watch) = self.jobs.get_mut(key).and_then(|job| job.viewers.get_mut(viewer)) {
            watch.position = watch.position.max(n);
        }
    }

    pub fn left(&mut self, file: &Cid, viewer: &str) {
        for (_, job) in self.jobs.iter_mut().filter(|(key, _)| key.file == *file) {
            job.viewers.remove(viewer);
            job.wake.notify_one();
        }
    }

    /// See [`Shared::admit`](super::Shared::admit).
    pub fn admit(&mut self, key: &JobKey, viewer: &str, slots: usize) -> bool {
        if self.jobs.get(key).is_none_or(|job| job.admitted) {
            return true;
        }
        let holders = self.jobs.values().filter(|job| job.admitted && job.order.film).count();
        if holders >= slots && !self.take_back(viewer) {
            return false;
        }
        if let Some(job) = self.jobs.get_mut(key) {
            job.admitted = true;
            job.wake.notify_one();
        }
        true
    }

    /// Takes the admission of a job that waits for nobody but this viewer.
    fn take_back(&mut self, viewer: &str) -> bool {
        let own = |job: &&mut Job| {
            let others = job.viewers.keys().any(|other| other != viewer);
            job.admitted && job.order.film && job.requests == 0 && !others
        };
        let Some(job) = self.jobs.values_mut().find(own) else { return false };
        job.admitted = false;
        job.viewers.clear();
        job.cancel_all();
        job.wake.notify_one();
        true
    }

    /// What is to be done for a job now. One that nobody watches any more goes.
    pub fn look(&mut self, key: &JobKey, now: Instant) -> Look {
        let Some(job) = self.jobs.get_mut(key) else { return Look::default() };
        job.viewers.retain(|_, watch| job.requests > 0 || now < watch.at.max(job.last) + ADMISSION);
        let watched = !job.viewers.is_empty();
        let leased = job.requests > 0 || watched && now < job.last + LEASE;
        if !leased {
            job.cancel_all();
        }
        if job.requests == 0 && (!watched || now >= job.last + ADMISSION) {
            let freed = job.admitted && job.order.film;
            // What still runs was cancelled and reports to nobody.
            self.jobs.remove(key);
            return Look { freed, ..Look::default() };
        }
        let next = if job.requests > 0 {
            now + ADMISSION
        } else if leased {
            job.last + LEASE
        } else {
            job.last + ADMISSION
        };
        let ahead = if leased && job.admitted && job.makes.is_empty() { job.ahead() } else { Vec::new() };
        let ahead = (!ahead.is_empty()).then(|| (job.order.clone(), ahead));
        Look { next: Some(next), ahead, freed: false }
    }

    pub fn is_busy(&self) -> bool {
        self.jobs.values().any(|job| job.requests > 0 || !job.makes.is_empty())
    }

    pub fn cancel_all(&mut self) {
        self.jobs.values_mut().for_each(Job::cancel_all);
    }

    /// Wakes every minder: a slot came free.
    pub fn wake_all(&self) {
        self.jobs.values().for_each(|job| job.wake.notify_one());
    }

    pub fn list(&self) -> Vec<(JobKey, Transcoding)> {
        let mut all: Vec<_> = self.jobs.iter().map(|(key, job)| (key.clone(), job.told())).collect();
        all.sort_by(|(a, _), (b, _)| (a.file, &a.rendition).cmp(&(b.file, &b.rendition)));
        all
    }
}

impl Job {
    fn new(order: &Order) -> Self {
        Self {
            order: order.clone(),
            admitted: !order.film,
            viewers: HashMap::new(),
            requests: 0,
            last: Instant::now(),
            makes: HashMap::new(),
            settled: HashSet::new(),
            dropped: Vec::new(),
            encoder: None,
            wake: Arc::new(Notify::new()),
        }
    }

    /// Ends makes that nobody waits for and that no viewer will come to soon.
    fn give_up_unwanted(&mut self) {
        let wanted = |n: usize| self.viewers.values().any(|w| (w.position..=w.position + READ_AHEAD).contains(&n));
        for (_, make) in self.makes.iter().filter(|(n, make)| make.waiters == 0 && !wanted(**n)) {
            make.cancel.cancel();
        }
    }

    fn cancel_all(&mut self) {
        self.makes.values().for_each(|make| make.cancel.cancel());
    }

    /// The segments after each viewer, those of whom asked last first.
    fn ahead(&self) -> Vec<usize> {
        let mut viewers: Vec<&Watch> = self.viewers.values().collect();
        viewers.sort_by_key(|watch| std::cmp::Reverse(watch.at));
        let after = viewers.iter().flat_map(|watch| watch.position + 1..=watch.position + READ_AHEAD);
        after.filter(|n| *n < self.order.segments && !self.settled.contains(n)).collect()
    }

    fn told(&self) -> Transcoding {
        let dropped = self.dropped.last().map(|(_, why)| why.clone());
        let waits = (!self.admitted).then(|| "it waits for its turn".to_owned());
        Transcoding {
            file: self.order.key.file,
            rendition: self.order.name.clone(),
            encoder: self.encoder.clone(),
            viewers: self.viewers.len(),
            segments_ready: 0,
            segments: self.order.segments,
            detail: waits.or(dropped),
        }
    }
}
