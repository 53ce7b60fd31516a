//! One worker process: how it is started, what it is warm for, and how it ended.
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::MediaError;
use super::connection::Connection;
use super::hardware::Device;
use super::protocol::{FileKey, Question};
use super::transcode::PictureFormat;

/// Streams a worker is remembered to have open; a little less than it really keeps.
const REMEMBERED_SEATS: usize = 8;

/// How workers are started.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    /// The program.
    pub(super) program: PathBuf,
    /// Bytes of memory of its own.
    pub(super) memory: u64,
    /// Bytes of address space; `None` for no limit, because drivers map their devices' memory.
    pub(super) address_space: Option<u64>,
    /// Of one request.
    pub(super) time: Duration,
    /// How far it steps back behind the node.
    pub(super) niceness: u32,
    /// All of its environment.
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// What a worker has open: a file and the stream of it that is read, and what it becomes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seat {
    pub(super) file: FileKey,
    stream: Option<u32>,
    pictures: Option<(PictureFormat, Device)>,
}

impl Seat {
    pub(super) fn of(file: FileKey, question: &Question) -> Self {
        let (stream, pictures) = match question {
            Question::Segment(plan) => (Some(plan.stream), None),
            Question::Sound(plan) => (Some(plan.stream), None),
            Question::Picture(plan) => (Some(plan.stream), Some((plan.format.clone(), plan.device.clone()))),
            _ => (None, None),
        };
        Self { file, stream, pictures }
    }

    /// A worker that makes pictures of something else is of no use for these: both would lose their place.
    pub(super) fn is_exclusive(&self) -> bool {
        self.pictures.is_some()
    }
}

/// One running process.
pub(super) struct Worker {
    pub(super) child: Child,
    pub(super) connection: Connection,
    /// What it has open, last used at the end.
    warm: Vec<Seat>,
    pub(super) served: u64,
    pub(super) last_used: Instant,
}

impl Worker {
    pub(super) fn start(launch: &Launch) -> Result<Self, MediaError> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(MediaError::Start)?;
        let child = Command::new(&launch.program)
            .arg(launch.memory.to_string())
            .arg(launch.address_space.unwrap_or(0).to_string())
            .arg(launch.time.as_secs().max(1).to_string())
            .arg(launch.niceness.to_string())
            .env_clear()
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(MediaError::Start)?;
        let connection = Connection::new(ours).map_err(MediaError::Start)?;
        tracing::debug!(worker.pid = child.id(), "a media worker started");
        Ok(Self { child, connection, warm: Vec::new(), served: 0, last_used: Instant::now() })
    }

    pub(super) fn is_warm_for(&self, seat: &Seat) -> bool {
        self.warm.contains(seat)
    }

    pub(super) fn has_open(&self, file: &FileKey) -> bool {
        self.warm.iter().any(|seat| seat.file == *file)
    }

    /// Remembers that it answered a request from this seat.
    pub(super) fn sat_at(&mut self, seat: Seat) {
        self.warm.retain(|other| *other != seat);
        self.warm.push(seat);
        if self.warm.len() > REMEMBERED_SEATS {
            self.warm.remove(0);
        }
        self.served += 1;
        self.last_used = Instant::now();
    }

    /// Why the process is gone, if it is. Its socket closes a moment before it can be waited for.
    pub(super) async fn how_it_ended(&mut self) -> Option<String> {
        use std::os::unix::process::ExitStatusExt;
        let status = tokio::time::timeout(Duration::from_secs(1), self.child.wait()).await.ok()?.ok()?;
        Some(match status.signal() {
            Some(24) => "it took too much processor time".to_owned(),
            Some(6) => "it ran out of memory or broke a rule of its own".to_owned(),
            Some(signal) => format!("it was ended by signal {signal}"),
            None => format!("it ended with code {}", status.code().unwrap_or(-1)),
        })
    }
}
