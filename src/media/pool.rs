//! A pool of worker processes: starts them when needed, keeps them warm, sends a file's requests to the worker that has
//! it open, and ends a worker that crashes, hangs, is no longer needed, or makes what nobody wants any more.
//!
//! A request runs to its end even if the caller goes away: a player that seeks drops requests all the time, and ending
//! the worker would cost the next one its warmth. Only a request that comes with a cancellation token ends with it, and
//! its worker too: an encode is worth seconds of every core. The invariant: a worker in `idle` waits for a request,
//! nothing else.
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::OpenFile;
use super::process::{Launch, Seat, Worker};
use super::protocol::{Question, Reply};
use super::whole_sound::Piece;
use super::{MediaError, MediaState};

/// Settings of one pool.
#[derive(Debug, Clone)]
pub(super) struct PoolOptions {
    /// How its workers are started.
    pub(super) launch: Launch,
    /// Workers at once.
    pub(super) workers: usize,
    /// A worker that nobody asked for this long is ended; the next request starts one again.
    pub(super) idle_max: Duration,
}

/// A question and what it is about.
pub(super) struct Asked {
    /// The file; `None` for a question about the machine.
    pub(super) path: Option<PathBuf>,
    pub(super) question: Question,
    /// Ends the worker when it fires.
    pub(super) cancel: Option<CancellationToken>,
    /// Takes the pieces of an answer that comes in pieces. The time that a request may take then counts for each of them.
    pub(super) pieces: Option<mpsc::Sender<Piece>>,
}

/// See the module.
pub(super) struct Pool {
    options: PoolOptions,
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
    /// The same, when a part of its answer had been passed on.
    Torn(String),
    /// It took too long.
    Late,
    /// Nobody wants the answer.
    Cancelled,
    /// The pool stops.
    Stopped,
}

impl Pool {
    pub(super) fn new(options: PoolOptions) -> Arc<Self> {
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

    /// Asks a worker.
    pub(super) async fn ask(self: &Arc<Self>, asked: Asked) -> Result<(Reply, Bytes), MediaError> {
        let pool = Arc::clone(self);
        let task = self.tasks.spawn(async move { pool.answer(asked).await });
        task.await.unwrap_or_else(|_| Err(MediaError::Crashed("the request ended unexpectedly".to_owned())))
    }

    pub(super) fn state(&self) -> MediaState {
        MediaState {
            most: self.options.workers.max(1),
            running: self.running.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            transcoding: 0,
            sounding: 0,
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

    async fn answer(self: Arc<Self>, asked: Asked) -> Result<(Reply, Bytes), MediaError> {
        let _permit = tokio::select! {
            permit = self.permits.acquire() => permit.map_err(|_| stopping())?,
            () = fired(asked.cancel.as_ref()) => return Err(MediaError::Cancelled),
        };
        self.busy.fetch_add(1, Ordering::Relaxed);
        let answer = self.answer_with_a_worker(&asked).await;
        self.busy.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    async fn answer_with_a_worker(self: &Arc<Self>, asked: &Asked) -> Result<(Reply, Bytes), MediaError> {
        let file = match &asked.path {
            Some(path) => OpenFile::open(path).await.map_err(MediaError::Open)?,
            None => OpenFile::nothing().map_err(MediaError::Start)?,
        };
        let seat = Seat::of(file.key, &asked.question);
        let mut again = false;
        loop {
            let mut worker = if again { self.start()? } else { self.seat_at(&seat)? };
            let was_new = worker.served == 0;
            match self.exchange(&mut worker, &file, asked).await {
                Ok(answer) => {
                    self.keep(worker, seat);
                    return Ok(answer);
                }
                Err(failure) => {
                    let reason = self.bury(worker, &failure).await;
                    // A warm worker may have died between requests; a new one that dies, dies of this file. Somebody
                    // watches what is transcoded: a worker that was killed for no fault of the film's costs a moment,
                    // not the segment.
                    let may_retry = !again && (!was_new || seat.is_exclusive());
                    if !(matches!(failure, Failure::Lost(_)) && may_retry) {
                        return Err(reason);
                    }
                    again = true;
                }
            }
        }
    }

    async fn exchange(&self, worker: &mut Worker, file: &OpenFile, asked: &Asked) -> Result<(Reply, Bytes), Failure> {
        let patience = self.patience(&asked.question);
        let answer = async {
            if let Some(pieces) = &asked.pieces {
                return in_pieces(worker, file, asked, pieces, patience).await;
            }
            let answer = tokio::time::timeout(patience, worker.connection.ask(file, &asked.question)).await;
            answer.map_err(|_| Failure::Late)?.map_err(|e| Failure::Lost(e.to_string()))
        };
        tokio::select! {
            answer = answer => answer,
            () = fired(asked.cancel.as_ref()) => Err(Failure::Cancelled),
            () = self.stopped.cancelled() => Err(Failure::Stopped),
        }
    }

    /// Measuring a file without an index means to read it wholly, and so does taking its subtitles out.
    fn patience(&self, question: &Question) -> Duration {
        match question {
            Question::Index | Question::Subtitles { .. } => self.options.launch.time * 10,
            _ => self.options.launch.time,
        }
    }

    /// An idle worker that has the stream open, or the file, or the one idle for longest; else a new one.
    fn seat_at(&self, seat: &Seat) -> Result<Worker, MediaError> {
        let mut idle = self.idle.lock();
        let warm = idle.iter().position(|worker| worker.is_warm_for(seat));
        let chosen = if seat.is_exclusive() {
            let all_run = self.running.load(Ordering::Relaxed) >= self.options.workers.max(1);
            warm.or(if all_run && !idle.is_empty() { Some(0) } else { None })
        } else {
            let open = || idle.iter().position(|worker| worker.has_open(&seat.file));
            warm.or_else(open).or(if idle.is_empty() { None } else { Some(0) })
        };
        match chosen {
            Some(at) => Ok(idle.remove(at)),
            None => self.start(),
        }
    }

    fn start(&self) -> Result<Worker, MediaError> {
        let worker = Worker::start(&self.options.launch)?;
        self.running.fetch_add(1, Ordering::Relaxed);
        Ok(worker)
    }

    fn keep(self: &Arc<Self>, mut worker: Worker, seat: Seat) {
        worker.sat_at(seat);
        self.idle.lock().push(worker);
        self.retire_later();
    }

    /// Ends workers that stay idle, in a task that lives while there are any.
    fn retire_later(self: &Arc<Self>) {
        if self.stopped.is_cancelled() || self.retiring.swap(true, Ordering::Relaxed) {
            return;
        }
        let (pool, stopped) = (Arc::downgrade(self), self.stopped.clone());
        let mut wait = self.options.idle_max;
        self.tasks.spawn(async move {
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
        let (now, idle_max) = (Instant::now(), self.options.idle_max);
        let (next, old) = {
            let mut idle = self.idle.lock();
            let (keep, old) =
                std::mem::take(&mut *idle).into_iter().partition(|w: &Worker| now - w.last_used < idle_max);
            *idle = keep;
            (idle.iter().map(|w| (w.last_used + idle_max).saturating_duration_since(now)).min(), old)
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
        let reason = match failure {
            Failure::Stopped | Failure::Cancelled => {
                self.end(worker).await;
                return if matches!(failure, Failure::Stopped) { stopping() } else { MediaError::Cancelled };
            }
            Failure::Late => "it took too long".to_owned(),
            Failure::Lost(lost) | Failure::Torn(lost) => worker.how_it_ended().await.unwrap_or_else(|| lost.clone()),
        };
        self.failures.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(worker.pid = worker.child.id(), reason, "a media worker is ended");
        self.end(worker).await;
        MediaError::Crashed(reason)
    }
}

/// Passes the pieces of an answer on as they come; gives the reply that ends it.
async fn in_pieces(
    worker: &mut Worker,
    file: &OpenFile,
    asked: &Asked,
    pieces: &mpsc::Sender<Piece>,
    patience: Duration,
) -> Result<(Reply, Bytes), Failure> {
    worker.connection.send(file, &asked.question).await.map_err(|e| Failure::Lost(e.to_string()))?;
    let mut passed_on = false;
    loop {
        let message = tokio::time::timeout(patience, worker.connection.receive()).await.map_err(|_| Failure::Late)?;
        match message {
            Ok((Reply::Piece { length }, bytes)) => {
                // Whoever took them is gone: nobody wants the rest.
                pieces.send(Piece { length, bytes }).await.map_err(|_| Failure::Cancelled)?;
                passed_on = true;
            }
            Ok(reply) => return Ok(reply),
            Err(error) if passed_on => return Err(Failure::Torn(error.to_string())),
            Err(error) => return Err(Failure::Lost(error.to_string())),
        }
    }
}

/// Waits until a token fires; without one, for ever.
async fn fired(token: Option<&CancellationToken>) {
    match token {
        Some(token) => token.cancelled().await,
        None => std::future::pending().await,
    }
}

fn stopping() -> MediaError {
    MediaError::Crashed("the node is stopping".to_owned())
}
