//! Tells how scans go on: the last word on each library, events at most ten a second, and when nothing is left to do.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::{ItemChange, LibraryEvent, ScanProgress, ScanState};
use crate::catalog::Id;
use crate::catalog::record::Touched;

/// Between two progress events of one library.
const INTERVAL: Duration = Duration::from_millis(100);
/// Events that a slow listener may be behind; it is told that it missed some.
const EVENTS: usize = 4096;

/// Where all scans tell how they are.
pub(super) struct Board {
    scans: Mutex<HashMap<Id, ScanProgress>>,
    events: broadcast::Sender<LibraryEvent>,
}

impl Board {
    pub fn new() -> Self {
        Self { scans: Mutex::default(), events: broadcast::channel(EVENTS).0 }
    }

    pub fn events(&self) -> broadcast::Receiver<LibraryEvent> {
        self.events.subscribe()
    }

    /// The scan that runs, waits or ran last.
    pub fn last(&self, library: &str) -> Option<ScanProgress> {
        self.scans.lock().get(library).cloned()
    }

    /// Says that a scan waits, unless one does or runs.
    pub fn queued(&self, library: &str) -> ScanProgress {
        let mut scans = self.scans.lock();
        let running = scans.get(library).filter(|scan| !matches!(scan.state, ScanState::Done | ScanState::Failed));
        if let Some(running) = running {
            return running.clone();
        }
        let progress = ScanProgress::queued(library);
        scans.insert(library.to_owned(), progress.clone());
        drop(scans);
        self.tell(LibraryEvent::Scan(progress.clone()));
        progress
    }

    pub fn forget(&self, library: &str) {
        self.scans.lock().remove(library);
    }

    pub fn item(&self, item: &Touched, change: ItemChange) {
        let Touched { id, library, show, .. } = item.clone();
        self.tell(LibraryEvent::Item { id, library, show, change });
    }

    pub fn library(&self, library: &str) {
        self.tell(LibraryEvent::Library(library.to_owned()));
    }

    /// Nobody listening is no failure.
    fn tell(&self, event: LibraryEvent) {
        self.events.send(event).ok();
    }
}

impl ScanProgress {
    pub(super) fn queued(library: &str) -> Self {
        Self {
            library: library.to_owned(),
            state: ScanState::Queued,
            files_total: 0,
            files_done: 0,
            bytes_total: 0,
            bytes_done: 0,
            added: 0,
            changed: 0,
            moved: 0,
            trashed: 0,
            problems: 0,
            current: None,
        }
    }
}

/// How one scan goes on.
#[derive(Clone)]
pub(super) struct Report {
    board: Arc<Board>,
    now: Arc<Mutex<(ScanProgress, Instant)>>,
}

impl Report {
    pub fn begin(board: Arc<Board>, library: &str) -> Self {
        let progress = ScanProgress { state: ScanState::Listing, ..ScanProgress::queued(library) };
        let report = Self { board, now: Arc::new(Mutex::new((progress, Instant::now()))) };
        report.turn(ScanState::Listing);
        report
    }

    /// Changes the figures; tells of it unless it did just now.
    pub fn update(&self, change: impl FnOnce(&mut ScanProgress)) {
        self.change(false, change);
    }

    /// Goes on to another state, and tells of it at once.
    pub fn turn(&self, state: ScanState) {
        self.change(true, |progress| {
            progress.state = state;
            if matches!(state, ScanState::Done | ScanState::Failed) {
                progress.current = None;
            }
        });
    }

    fn change(&self, tell: bool, change: impl FnOnce(&mut ScanProgress)) {
        let mut now = self.now.lock();
        change(&mut now.0);
        self.board.scans.lock().insert(now.0.library.clone(), now.0.clone());
        if tell || now.1.elapsed() >= INTERVAL {
            now.1 = Instant::now();
            self.board.tell(LibraryEvent::Scan(now.0.clone()));
        }
    }

    pub fn item(&self, item: &Touched, change: ItemChange) {
        self.board.item(item, change);
    }

    pub fn library(&self, library: &str) {
        self.board.library(library);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_updates_are_few_events_and_turns_are_all_told() {
        let board = Arc::new(Board::new());
        let mut events = board.events();
        let report = Report::begin(Arc::clone(&board), "films");
        for _ in 0..1000 {
            report.update(|p| p.files_done += 1);
        }
        report.turn(ScanState::Done);
        assert_eq!(board.last("films").unwrap().files_done, 1000);
        let mut told = 0;
        while events.try_recv().is_ok() {
            told += 1;
        }
        assert!((2..10).contains(&told), "{told} events");
    }

    #[test]
    fn a_scan_that_runs_is_not_queued_over() {
        let board = Arc::new(Board::new());
        let report = Report::begin(Arc::clone(&board), "films");
        assert_eq!(board.queued("films").state, ScanState::Listing);
        report.turn(ScanState::Done);
        assert_eq!(board.queued("films").state, ScanState::Queued);
    }
}
