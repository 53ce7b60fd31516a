//! The pool of worker processes: starts them when needed, keeps them warm, sends a file's requests to the worker that has
//! it open, and ends a worker that crashes, hangs or is no longer needed.
//!
//! A request runs to its end even if the caller goes away: a player that seeks drops requests all the time, and ending
//! the worker would cost the next one its warmth. The invariant: a worker in `idle` waits for a request, nothing else.
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{Connection, OpenFile};
use super::protocol::{FileKey, Question, Reply};
use super::{MediaError, MediaOptions, MediaState};

/// A worker that nobody asked for this long is ended; the next request starts one again.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// Streams a worker is remembered to have open; a little less than it really keeps.
const REMEMBERED_SEATS: usize = 8;

/// A file and the stream of it that is read.
type Seat = (FileKey, Option<u32>);

/// One running process.
struct Worker {
    child: Child,
    connection: Connection,
    /// What it has open, last used at the end.
    warm: Vec<Seat>,
    served: u64,
    last_used: Instant,
}

/// See the module.
pub(super) struct Pool {
    options: MediaOptions,
    permits: Semaphore,
    idle: Mutex<Vec<Worker>>,
    running: AtomicUsize,
    busy: AtomicUsize,
    failures: AtomicU64,
    /// A task watches for workers that are idle for too long.
    retiring: AtomicBool,
    stopped: CancellationToken,
    tasks: TaskTracker,
}

/// How an exchange with a worker went wrong.
enum Failure {
    /// It is gone or speaks nonsense.
    Lost(String),
    /// It took too long.
    Late,
    /// The pool stops.
    Stopped,
}

impl Pool {
    pub(super) fn new(options: MediaOptions) -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(options.workers.max(1)),
            options,
            idle: Mutex::default(),
            running: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            failures: AtomicU64::new(0),
            retiring: AtomicBool::new(false),
            stopped: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Asks a worker about a file.
    pub(super) async fn ask(self: &Arc<Self>, path: &Path, question: Question) -> Result<(Reply, Bytes), MediaError> {
        let (pool, path) = (Arc::clone(self), path.to_owned());
        let task = self.tasks.spawn(async move { pool.answer(path, question).await });
        task.await.unwrap_or_else(|_| Err(MediaError::Crashed("the request ended unexpectedly".to_owned())))
    }

    pub(super) fn state(&self) -> MediaState {
        MediaState {
            running: self.running.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    pub(super) async fn stop(&self) {
        self.stopped.cancel();
        self.permits.close();
        self.tasks.close();
        self.tasks.wait().await;
        let idle = std::mem::take(&mut *self.idle.lock());
        for worker in idle {
            self.end(worker).await;
        }
    }

    async fn answer(self: Arc<Self>, path: PathBuf, question: Question) -> Result<(Reply, Bytes), MediaError> {
        let _permit = self.permits.acquire().await.map_err(|_| stopping())?;
        self.busy.fetch_add(1, Ordering::Relaxed);
        let answer = self.answer_with_a_worker(&path, &question).await;
        self.busy.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    async fn answer_with_a_worker(
        self: &Arc<Self>,
        path: &Path,
        question: &Question,
    ) -> Result<(Reply, Bytes), MediaError> {
        let file = OpenFile::open(path).await.map_err(MediaError::Open)?;
        let stream = if let Question::Segment(plan) = question { Some(plan.stream) } else { None };
        let seat = (file.key, stream);
        loop {
            let mut worker = self.seat_at(&seat)?;
            let was_new = worker.served == 0;
            match self.exchange(&mut worker, &file, question).await {
                Ok(answer) => {
                    self.keep(worker, seat);
                    return Ok(answer);
                }
                Err(failure) => {
                    let reason = self.bury(worker, &failure).await;
                    // A warm worker may have died between requests; a new one that dies, dies of this file.
                    let may_retry = matches!(failure, Failure::Lost(_)) && !was_new;
                    if !may_retry {
                        return Err(reason);
                    }
                }
            }
        }
    }

    async fn exchange(
        &self,
        worker: &mut Worker,
        file: &OpenFile,
        question: &Question,
    ) -> Result<(Reply, Bytes), Failure> {
        tokio::select! {
            answer = worker.connection.ask(file, question) => answer.map_err(|e| Failure::Lost(e.to_string())),
            () = tokio::time::sleep(self.patience(question)) => Err(Failure::Late),
            () = self.stopped.cancelled() => Err(Failure::Stopped),
        }
    }

    /// Measuring a file without an index means to read it wholly.
    fn patience(&self, question: &Question) -> Duration {
        match question {
            Question::Index => self.options.timeout * 10,
            _ => self.options.timeout,
        }
    }

    /// An idle worker that has the stream open, or the file, or the one idle for longest; else a new one.
    fn seat_at(&self, seat: &Seat) -> Result<Worker, MediaError> {
        let mut idle = self.idle.lock();
        let has = |worker: &Worker| worker.warm.contains(seat);
        let has_file = |worker: &Worker| worker.warm.iter().any(|(file, _)| *file == seat.0);
        let chosen = idle.iter().position(has).or_else(|| idle.iter().position(has_file));
        match chosen.or(if idle.is_empty() { None } else { Some(0) }) {
            Some(at) => Ok(idle.remove(at)),
            None => self.start(),
        }
    }

    fn start(&self) -> Result<Worker, MediaError> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(MediaError::Start)?;
        let child = Command::new(&self.options.worker)
            .arg(self.options.memory_limit.to_string())
            .arg(self.options.timeout.as_secs().max(1).to_string())
            .env_clear()
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(MediaError::Start)?;
        let connection = Connection::new(ours).map_err(MediaError::Start)?;
        self.running.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(worker.pid = child.id(), "a media worker started");
        Ok(Worker { child, connection, warm: Vec::new(), served: 0, last_used: Instant::now() })
    }

    fn keep(self: &Arc<Self>, mut worker: Worker, seat: Seat) {
        worker.warm.retain(|other| *other != seat);
        worker.warm.push(seat);
        if worker.warm.len() > REMEMBERED_SEATS {
            worker.warm.remove(0);
        }
        worker.served += 1;
        worker.last_used = Instant::now();
        self.idle.lock().push(worker);
        self.retire_later();
    }

    /// Ends workers that stay idle, in a task that lives while there are any.
    fn retire_later(self: &Arc<Self>) {
        if self.stopped.is_cancelled() || self.retiring.swap(true, Ordering::Relaxed) {
            return;
        }
        let (pool, stopped) = (Arc::downgrade(self), self.stopped.clone());
        self.tasks.spawn(async move {
            let mut wait = IDLE_MAX;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(wait) => (),
                    () = stopped.cancelled() => return,
                }
                let Some(pool) = pool.upgrade() else { return };
                match pool.retire().await {
                    Some(next) => wait = next,
                    None => return,
                }
            }
        });
    }

    /// Ends what is idle for too long; says when to look again, if there is anything left to look for.
    async fn retire(&self) -> Option<Duration> {
        let now = Instant::now();
        let (next, old) = {
            let mut idle = self.idle.lock();
            let (keep, old) =
                std::mem::take(&mut *idle).into_iter().partition(|w: &Worker| now - w.last_used < IDLE_MAX);
            *idle = keep;
            (idle.iter().map(|w| (w.last_used + IDLE_MAX).saturating_duration_since(now)).min(), old)
        };
        if next.is_none() {
            self.retiring.store(false, Ordering::Relaxed);
        }
        let old: Vec<Worker> = old;
        for worker in old {
            self.end(worker).await;
        }
        next
    }

    async fn end(&self, mut worker: Worker) {
        let _ = worker.child.kill().await;
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ends a worker that failed and says why, for people.
    async fn bury(&self, mut worker: Worker, failure: &Failure) -> MediaError {
        if let Failure::Stopped = failure {
            self.end(worker).await;
            return stopping();
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        let reason = match failure {
            Failure::Late => "it took too long".to_owned(),
            Failure::Lost(lost) => how_it_ended(&mut worker.child).await.unwrap_or_else(|| lost.clone()),
            Failure::Stopped => String::new(),
        };
        tracing::debug!(worker.pid = worker.child.id(), reason, "a media worker is ended");
        self.end(worker).await;
        MediaError::Crashed(reason)
    }
}

fn stopping() -> MediaError {
    MediaError::Crashed("the node is stopping".to_owned())
}

/// Why the process is gone, if it is. Its socket closes a moment before it can be waited for.
async fn how_it_ended(child: &mut Child) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    let status = tokio::time::timeout(Duration::from_secs(1), child.wait()).await.ok()?.ok()?;
    Some(match status.signal() {
        Some(24) => "it took too much processor time".to_owned(),
        Some(6) => "it ran out of memory or broke a rule of its own".to_owned(),
        Some(signal) => format!("it was ended by signal {signal}"),
        None => format!("it ended with code {}", status.code().unwrap_or(-1)),
    })
}
