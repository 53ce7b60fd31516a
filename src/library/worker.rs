//! The importer's two tasks: one scans, one listens and says what to scan.
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};
use tokio::time::MissedTickBehavior;

use super::context::{Context, JobError};
use super::queue::{Next, Queue};
use super::report::Report;
use super::scan::{self, Scope};
use super::watch::{Gathered, Watches};
use super::{ItemChange, ScanState, job};
use crate::blocks::Finding;
use crate::catalog::record::Place;
use crate::catalog::{CatalogError, Id, ItemState, Library, LibraryState};

/// How often libraries' roots are looked for, so that a disk that comes or goes is noticed.
const ROOTS: Duration = Duration::from_secs(10);
/// How often a library that cannot be watched is rescanned where no schedule is set.
const UNWATCHED: Duration = Duration::from_secs(15 * 60);
/// After this a file that was being written is looked at again, at the earliest.
const AGAIN_MIN: Duration = Duration::from_millis(500);
/// Changes are gathered for this long at most before they are looked at.
const GATHER_MAX: Duration = Duration::from_secs(1);

/// Scans what the queue says, one library at a time, until the context is cancelled.
pub(super) async fn scan(context: Arc<Context>, queue: Arc<Queue>) {
    let mut changes = queue.changes();
    loop {
        changes.borrow_and_update();
        if context.cancel.is_cancelled() {
            return;
        }
        match queue.next(Instant::now()) {
            Next::Scan(library, scope) => {
                scan_one(&context, &queue, &library, &scope).await;
                queue.done();
            }
            Next::Wait(until) => {
                let time = async {
                    match until {
                        Some(until) => tokio::time::sleep_until(until.into()).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = context.cancel.cancelled() => return,
                    () = time => {}
                    _ = changes.changed() => {}
                }
            }
        }
    }
}

async fn scan_one(context: &Context, queue: &Queue, library: &str, scope: &Scope) {
    let report = Report::begin(Arc::clone(&context.board), library);
    match job::run(context, library, scope, &report).await {
        Ok(again) => {
            if let Some(again) = again {
                queue.push(library, again, Instant::now() + context.options.settle.max(AGAIN_MIN));
            }
            report.turn(ScanState::Done);
        }
        Err(JobError::Cancelled) => report.turn(ScanState::Failed),
        Err(JobError::Catalog(CatalogError::NotFound(_))) => context.board.forget(library),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(library.id = library, error, "a scan ended early; what was imported stays");
            report.turn(ScanState::Failed);
        }
    }
}

/// What the listening task hears besides findings and changes on disk.
pub(super) struct Listener {
    pub context: Arc<Context>,
    pub queue: Arc<Queue>,
    pub findings: broadcast::Receiver<Finding>,
    /// The libraries changed.
    pub reload: Arc<Notify>,
    /// Libraries that were scanned once or will be.
    pub known: HashSet<Id>,
}

impl Listener {
    pub async fn listen(mut self) {
        let gathered = Arc::new(Gathered::default());
        let mut watches = self.context.options.watch.then(|| Watches::new(Arc::clone(&gathered)));
        let mut unwatched = HashSet::new();
        let first = self.known.iter().cloned().collect();
        self.watch_and_scan(first, &mut watches, &mut unwatched).await;
        let mut roots = ticks(ROOTS);
        let mut rescan = ticks(self.context.options.rescan.unwrap_or(UNWATCHED));
        loop {
            let context = Arc::clone(&self.context);
            tokio::select! {
                () = context.cancel.cancelled() => return,
                () = self.reload.notified() => {
                    let new = self.reload(&mut watches).await;
                    self.watch_and_scan(new, &mut watches, &mut unwatched).await;
                }
                finding = self.findings.recv() => self.found(finding).await,
                () = gathered.some() => self.changed(&gathered).await,
                _ = roots.tick() => {
                    let changed = self.look_for_roots(&mut watches).await;
                    self.watch_and_scan(changed, &mut watches, &mut unwatched).await;
                }
                _ = rescan.tick() => self.rescan(&unwatched).await,
            }
        }
    }

    /// All libraries; none where the catalog cannot be read, which whoever asked it for more will have said.
    async fn libraries(&self) -> Vec<Library> {
        self.context.catalog.own_libraries().await.unwrap_or_default()
    }

    fn push(&self, library: &str, scope: Scope) {
        self.queue.push(library, scope, Instant::now());
    }

    /// Forgets libraries that are gone; returns those that are new or have another folder.
    async fn reload(&mut self, watches: &mut Option<Watches>) -> Vec<Id> {
        let libraries = self.libraries().await;
        let now: HashSet<Id> = libraries.iter().map(|library| library.id.clone()).collect();
        for gone in self.known.difference(&now) {
            self.queue.forget(gone);
            self.context.board.forget(gone);
            self.context.board.library(gone);
            if let Some(watches) = watches {
                watches.forget(gone);
            }
        }
        let new: Vec<Id> = now.difference(&self.known).cloned().collect();
        for new in &new {
            self.context.board.library(new);
        }
        self.known = now;
        let moved = watches.as_ref().map(|watches| watches.moved(&libraries)).unwrap_or_default();
        new.into_iter().chain(moved).collect()
    }

    /// Scans libraries once they are watched, so that no change falls between the two.
    async fn watch_and_scan(&self, scan: Vec<Id>, watches: &mut Option<Watches>, unwatched: &mut HashSet<Id>) {
        for library in &scan {
            self.context.board.queued(library);
        }
        self.watch(watches, unwatched).await;
        for library in scan {
            self.push(&library, Scope::All);
        }
    }

    async fn watch(&self, watches: &mut Option<Watches>, unwatched: &mut HashSet<Id>) {
        let Some(mut taken) = watches.take() else { return };
        let libraries = self.libraries().await;
        let present = libraries.into_iter().filter(|library| library.path.is_dir()).collect::<Vec<_>>();
        let work = move || {
            let refused = taken.set(&present);
            (taken, refused)
        };
        if let Ok((taken, refused)) = tokio::task::spawn_blocking(work).await {
            *watches = Some(taken);
            unwatched.extend(refused);
        }
    }

    /// Waits a moment, so that a change of many files is one scan, and queues what changed.
    async fn changed(&self, gathered: &Gathered) {
        tokio::time::sleep(self.context.options.settle.min(GATHER_MAX)).await;
        for (library, scope) in gathered.take() {
            self.push(&library, scope);
        }
    }

    /// A disk may have come or gone without an event. Returns the libraries on it.
    async fn look_for_roots(&self, watches: &mut Option<Watches>) -> Vec<Id> {
        let mut changed = Vec::new();
        for library in self.libraries().await {
            let path = library.path.clone();
            let there = tokio::task::spawn_blocking(move || scan::holds_anything(&path)).await.unwrap_or(false);
            let was_there = library.state == LibraryState::Available;
            // A library that is empty and always was is available.
            let turned =
                if there { !was_there } else { was_there && library.scanned_at.is_some() && !library.path.is_dir() };
            if turned {
                if let Some(watches) = watches {
                    watches.forget(&library.id);
                }
                changed.push(library.id);
            }
        }
        changed
    }

    async fn rescan(&self, unwatched: &HashSet<Id>) {
        for library in self.libraries().await {
            if self.context.options.rescan.is_some() || unwatched.contains(&library.id) {
                self.push(&library.id, Scope::All);
            }
        }
    }

    async fn found(&self, finding: Result<Finding, RecvError>) {
        match finding {
            Ok(Finding::Changed(path)) => {
                let Some((library, place)) = self.place_of(&path).await else { return };
                tracing::info!(file.path = %path.display(), "a file changed since it was read: reading it again");
                let folder = place.parent().unwrap_or(Path::new("")).to_owned();
                self.context.force(path);
                self.push(&library.id, Scope::Folders([(folder, false)].into()));
            }
            Ok(Finding::Damaged(path)) => self.damaged(&path).await,
            // Some were missed: whoever is served the file next finds it again.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    async fn damaged(&self, path: &Path) {
        // It may have been repaired meanwhile.
        if !self.context.blocks.stands(&Finding::Damaged(path.to_owned())) {
            return;
        }
        let Some((library, place)) = self.place_of(path).await else { return };
        let place = Place { library: library.id, path: place };
        let Ok(Some(known)) = self.context.catalog.known_at(place).await else { return };
        let problem = "its bytes changed although its size and time did not: the disk or the last copy is at fault. Restore the \
                       file from a backup, or, if it is as it should be, touch it to have it read again";
        tracing::error!(file.path = %path.display(), item.number = known.item, "a file is damaged and is not served any more");
        match self.context.catalog.set_item_state(known.item, ItemState::Damaged, Some(problem.to_owned())).await {
            Ok(Some(touched)) => self.context.board.item(&touched, ItemChange::Changed),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, file.path = %path.display(), "a damaged file could not be marked so"),
        }
    }

    /// The library that a path lies in, and its place there.
    async fn place_of(&self, path: &Path) -> Option<(Library, std::path::PathBuf)> {
        let libraries = self.libraries().await;
        libraries.into_iter().find_map(|library| {
            let place = path.strip_prefix(&library.path).ok()?.to_owned();
            Some((library, place))
        })
    }
}

/// Ticks from one period on; those that are missed are left out.
fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
