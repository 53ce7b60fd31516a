//! What was refused, and the worker that writes it down together with times of last use.
//!
//! Refusals can come as fast as an attacker likes, so they are queued in a bounded channel and written many to a
//! transaction; what does not fit is counted, and is in the log in any case.
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::{Transaction, params};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Accounts, AccountsError, TokenHash, app_passwords};
use crate::database::Database;

/// Notes that wait to be written.
const QUEUE: usize = 1024;
/// Notes in one transaction.
const BATCH: usize = 256;
/// Characters kept of a text that a caller chose.
const TEXT_MAX: usize = 256;

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Unix milliseconds.
    pub at: i64,
    /// Name of the account, or the name that was tried.
    pub account: Option<String>,
    /// Where it came from.
    pub address: String,
    /// HTTP method.
    pub method: String,
    /// Path without its query.
    pub path: String,
    /// HTTP status of the refusal.
    pub status: u16,
    /// Why, in a stable word.
    pub reason: String,
}

enum Note {
    Refused(AuditLine),
    SessionUsed { hash: TokenHash, at: i64, expires_at: i64 },
    KeyUsed { hash: TokenHash, at: i64 },
    AppUsed { digest: TokenHash, at: i64 },
}

/// The handle to the worker.
pub(super) struct Notes {
    queue: mpsc::Sender<Note>,
    dropped: AtomicU64,
    stop: CancellationToken,
    worker: Mutex<Option<JoinHandle<()>>>,
}

impl Notes {
    pub fn start(database: Database, rows: u32) -> Self {
        let (queue, notes) = mpsc::channel(QUEUE);
        let stop = CancellationToken::new();
        let worker = tokio::spawn(write_down(database, rows, notes, stop.clone()));
        Self { queue, dropped: AtomicU64::new(0), stop, worker: Mutex::new(Some(worker)) }
    }

    pub async fn stop(&self) {
        self.stop.cancel();
        let worker = self.worker.lock().take();
        if let Some(worker) = worker
            && let Err(error) = worker.await
        {
            tracing::error!(error = %error, "the audit worker ended badly");
        }
    }

    pub fn session_used(&self, hash: TokenHash, at: i64, expires_at: i64) {
        self.put(Note::SessionUsed { hash, at, expires_at });
    }

    pub fn key_used(&self, hash: TokenHash, at: i64) {
        self.put(Note::KeyUsed { hash, at });
    }

    pub fn app_used(&self, digest: TokenHash, at: i64) {
        self.put(Note::AppUsed { digest, at });
    }

    fn put(&self, note: Note) {
        if self.queue.try_send(note).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if dropped.is_power_of_two() {
                tracing::warn!(dropped, "audit lines come faster than they can be stored; they are in the log only");
            }
        }
    }
}

async fn write_down(database: Database, rows: u32, mut notes: mpsc::Receiver<Note>, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        // A closed queue still gives what is in it, and then nothing.
        let received = tokio::select! {
            received = notes.recv_many(&mut batch, BATCH) => received,
            () = stop.cancelled(), if !notes.is_closed() => {
                notes.close();
                continue;
            }
        };
        if received == 0 {
            return;
        }
        let written = std::mem::take(&mut batch);
        if let Err(error) = database.write(move |t| write_batch(t, &written, rows)).await {
            tracing::error!(error = %error, "audit lines could not be stored");
        }
    }
}

fn write_batch(t: &Transaction<'_>, notes: &[Note], rows: u32) -> Result<(), rusqlite::Error> {
    for note in notes {
        match note {
            Note::Refused(line) => insert_line(t, line)?,
            Note::SessionUsed { hash, at, expires_at } => {
                let mut update =
                    t.prepare_cached("UPDATE session SET used_at = ?2, expires_at = ?3 WHERE hash = ?1")?;
                update.execute(params![hash.bytes(), at, expires_at])?;
            }
            Note::AppUsed { digest, at } => {
                app_passwords::used(t, digest, *at)?;
            }
            Note::KeyUsed { hash, at } => {
                t.prepare_cached("UPDATE api_key SET used_at = ?2 WHERE hash = ?1")?
                    .execute(params![hash.bytes(), at])?;
            }
        }
    }
    t.prepare_cached("DELETE FROM audit WHERE n <= (SELECT max(n) FROM audit) - ?1")?.execute([rows])?;
    Ok(())
}

fn insert_line(t: &Transaction<'_>, line: &AuditLine) -> Result<(), rusqlite::Error> {
    t.prepare_cached(
        "INSERT INTO audit (at, account, address, method, path, status, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![line.at, line.account, line.address, line.method, line.path, line.status, line.reason])?;
    Ok(())
}

/// Short, and without anything that could pretend to be another line of a log.
fn tame(text: &str) -> String {
    text.chars().take(TEXT_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

impl Accounts {
    /// Writes down a refused call: to the log under the target `audit`, and to the table. `at` is filled in.
    pub fn audit(&self, line: AuditLine) {
        let line = AuditLine {
            at: self.now(),
            account: line.account.as_deref().map(tame),
            method: tame(&line.method),
            path: tame(&line.path),
            ..line
        };
        tracing::info!(
            target: "audit",
            {
                peer.address = line.address,
                account.name = line.account.as_deref(),
                http.method = line.method,
                http.path = line.path,
                http.status = line.status,
                reason = line.reason,
            },
            "refused a call"
        );
        self.shared.notes.put(Note::Refused(line));
    }

    /// The newest refusals, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn audit_lines(&self, limit: u32) -> Result<Vec<AuditLine>, AccountsError> {
        let read = self.shared.database.read(move |c| {
            let sql = "SELECT at, account, address, method, path, status, reason FROM audit ORDER BY n DESC LIMIT ?1";
            let mut lines = c.prepare_cached(sql)?;
            let rows = lines.query_map([limit], |r| {
                Ok(AuditLine {
                    at: r.get(0)?,
                    account: r.get(1)?,
                    address: r.get(2)?,
                    method: r.get(3)?,
                    path: r.get(4)?,
                    status: r.get(5)?,
                    reason: r.get(6)?,
                })
            })?;
            rows.collect()
        });
        Ok(read.await?)
    }
}
