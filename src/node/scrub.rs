//! Reads files again before they are needed, and has damaged ones repaired: by a schedule, when a damaged one is met while it
//! is served, and when a friend who may hold it comes back.
//!
//! A pass is the files that were verified longest ago, each once it is due. What was verified is written file by file, so a
//! node that is stopped goes on where it was. One file at a time, at a pace. What repairing does is in `blocks::mend`; where
//! the blocks come from in `friends`.
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::{Node, NodeEvent};
use crate::blocks::{BlockError, Finding, Mended, Pace, Supplier};
use crate::catalog::record::{Stat, Touched};
use crate::catalog::{CatalogError, ToVerify};
use crate::content::Cid;
use crate::friends::FriendsEvent;
use crate::library::ItemChange;

/// How often it is looked whether files are due.
const LOOK: Duration = Duration::from_secs(10 * 60);
/// A file that could not be repaired is tried again after this, or when a friend's state is another.
const AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
/// Reports that are kept.
const REPORTS: usize = 100;

/// Settings of scrubbing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubOptions {
    /// Every file is read again after this; `None` for only when asked.
    pub every: Option<Duration>,
    /// See [`Pace`]; of what the schedule reads.
    pub pace: Pace,
    /// Damaged files stay as they are.
    pub leave_damaged: bool,
}

/// What reading a file again showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// What is wrong with it, for people; `None` where every block is right (now).
    pub problem: Option<String>,
    /// It was damaged and is right again.
    pub healed: Option<Healed>,
}

/// A file that was repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healed {
    /// Blocks that were wrong.
    pub blocks: u64,
    /// Ids of the friends whose nodes gave them, those that gave most first; none where another copy here did.
    pub friends: Vec<String>,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrubReport {
    /// Unix milliseconds.
    pub at: i64,
    /// Root of the file's DAG.
    pub cid: Cid,
    /// See [`Verified`].
    pub found: Verified,
}

/// How scrubbing goes on, since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubState {
    /// What the schedule reads now: title, and bytes.
    pub current: Option<(String, u64)>,
    /// Files that are due, with what is read now.
    pub due_files: u64,
    /// Their bytes.
    pub due_bytes: u64,
    /// Files that were read.
    pub verified_files: u64,
    /// Their bytes.
    pub verified_bytes: u64,
    /// What was damaged, newest first.
    pub reports: VecDeque<ScrubReport>,
}

/// Where the state is.
#[derive(Debug, Default)]
pub(super) struct Scrubbing {
    state: Mutex<ScrubState>,
    /// One file is repaired at a time; who waited looks whether it still has to be.
    healing: tokio::sync::Mutex<()>,
    /// When what could not be repaired was tried last.
    tried: Mutex<HashMap<Cid, Instant>>,
    /// Files that are read now, with how much of each was.
    reading: Mutex<HashMap<Cid, Arc<AtomicU64>>>,
}

impl Scrubbing {
    pub fn state(&self) -> ScrubState {
        self.state.lock().clone()
    }

    /// Bytes that were read of a file that is read now.
    pub fn read_of(&self, cid: &Cid) -> Option<u64> {
        self.reading.lock().get(cid).map(|read| read.load(Ordering::Relaxed))
    }

    fn healed(&self, cid: &Cid) -> Option<Healed> {
        let state = self.state.lock();
        state.reports.iter().find(|report| report.cid == *cid).and_then(|report| report.found.healed.clone())
    }

    fn tried_lately(&self, root: &Cid) -> bool {
        self.tried.lock().get(root).is_some_and(|tried| tried.elapsed() < AGAIN)
    }

    fn update(&self, change: impl FnOnce(&mut ScrubState)) {
        change(&mut self.state.lock());
    }

    fn report(&self, cid: &Cid, found: &Verified) {
        let mut state = self.state.lock();
        state.reports.push_front(ScrubReport {
            at: jiff::Timestamp::now().as_millisecond(),
            cid: *cid,
            found: found.clone(),
        });
        state.reports.truncate(REPORTS);
    }
}

/// Reads a file again, and has it repaired where it is damaged.
pub(super) async fn check(node: &Node, root: &Cid, pace: Pace) -> Result<Verified, CatalogError> {
    let cancel = node.tasks().stopping();
    let found = match read(node, root, pace, &cancel).await {
        Ok(()) => {
            verified(node, root).await?;
            return Ok(Verified::default());
        }
        Err(BlockError::Cancelled) => return Ok(problem(&BlockError::Cancelled)),
        Err(error @ (BlockError::Damaged { .. } | BlockError::Io(_))) if !node.options().scrub.leave_damaged => {
            return heal_in_turn(node, root, &error, &cancel).await;
        }
        Err(error) => problem(&error),
    };
    node.running.scrub.report(root, &found);
    Ok(found)
}

async fn read(node: &Node, root: &Cid, pace: Pace, cancel: &CancellationToken) -> Result<(), BlockError> {
    let (scrubbing, progress) = (&node.running.scrub, Arc::<AtomicU64>::default());
    scrubbing.reading.lock().insert(*root, Arc::clone(&progress));
    let read = node.blocks().verify_at(root, pace, Arc::clone(&progress), cancel).await;
    let mut reading = scrubbing.reading.lock();
    if reading.get(root).is_some_and(|latest| Arc::ptr_eq(latest, &progress)) {
        reading.remove(root);
    }
    read
}

async fn heal_in_turn(
    node: &Node,
    root: &Cid,
    error: &BlockError,
    cancel: &CancellationToken,
) -> Result<Verified, CatalogError> {
    let scrubbing = &node.running.scrub;
    let _turn = scrubbing.healing.lock().await;
    let stands = match error {
        BlockError::Damaged { path } => node.blocks().stands(&Finding::Damaged(path.clone())),
        _ => true,
    };
    // Whoever met it at the same time had it repaired.
    if let (false, Some(healed)) = (stands, scrubbing.healed(root)) {
        return Ok(Verified { problem: None, healed: Some(healed) });
    }
    let found = heal(node, root, cancel).await?;
    scrubbing.report(root, &found);
    Ok(found)
}

fn problem(error: &dyn std::error::Error) -> Verified {
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    Verified { problem: Some(text), healed: None }
}

async fn heal(node: &Node, root: &Cid, cancel: &CancellationToken) -> Result<Verified, CatalogError> {
    let holders = match node.friends() {
        Some(friends) => Some(friends.holders(root).await?),
        None => None,
    };
    let supplier = holders.clone().map(|holders| Arc::new(holders) as Arc<dyn Supplier>);
    let mended = match node.blocks().mend(root, supplier, cancel).await {
        Ok(mended) => mended,
        Err(error) => return Ok(problem(&error)),
    };
    seen(node, root, &mended).await?;
    verified(node, root).await?;
    let healed = Healed {
        blocks: mended.iter().map(|mended| mended.blocks).sum(),
        friends: holders
            .map(|holders| holders.gave().into_iter().map(|(friend, _)| friend).collect())
            .unwrap_or_default(),
    };
    tracing::warn!(file.cid = %root, blocks = healed.blocks, friends = ?healed.friends, "a damaged file was repaired");
    Ok(Verified { problem: None, healed: Some(healed) })
}

/// The catalog hears of the inodes of repaired files, so that the next scan reads nothing again.
async fn seen(node: &Node, root: &Cid, mended: &[Mended]) -> Result<(), CatalogError> {
    for known in node.catalog().known_by_cid(root).await? {
        let path = node.catalog().library(&known.library).await?.path.join(&known.place);
        let stat = mended.iter().any(|mended| mended.path == path).then(|| stat_of(&path)).flatten();
        // A folder is the same one as before, whichever of its files were put right.
        if let Some(stat) = stat.filter(|stat| !known.gone && stat.modified_ns == known.stat.modified_ns) {
            tell(node, node.catalog().seen(vec![(known.item, stat)]).await?);
        }
    }
    Ok(())
}

fn stat_of(path: &Path) -> Option<Stat> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let modified_ns = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
    Some(Stat { size: meta.len(), modified_ns, inode: meta.ino(), device: meta.dev() })
}

async fn verified(node: &Node, root: &Cid) -> Result<(), CatalogError> {
    for known in node.catalog().known_by_cid(root).await? {
        tell(node, node.catalog().verified(known.item).await?);
    }
    Ok(())
}

fn tell(node: &Node, touched: impl IntoIterator<Item = Touched>) {
    for Touched { id, library, show, .. } in touched {
        node.announce(NodeEvent::Item { id, library, show, change: ItemChange::Changed });
    }
}

/// Reads what is due. Runs until `stop`.
pub(super) async fn keep(node: Node, stop: CancellationToken) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => log(pass(&node, &stop).await),
        }
    }
}

/// Has damaged files repaired that were met while they were served or read, also in the middle of a pass, which may take
/// days. Runs until `stop`.
pub(super) async fn meet(node: Node, mut findings: Receiver<Finding>, stop: CancellationToken) {
    loop {
        let finding = tokio::select! {
            finding = findings.recv() => finding,
            () = stop.cancelled() => return,
        };
        match finding {
            Ok(finding) => log(found(&node, &finding).await),
            Err(RecvError::Lagged(_)) => (),
            Err(RecvError::Closed) => return,
        }
    }
}

fn log(result: Result<(), CatalogError>) {
    if let Err(error) = result {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "files could not be verified now");
    }
}

/// Has damaged files repaired when a friend who may hold them is there again. Runs until `stop`.
pub(super) async fn hear(node: Node, mut events: Receiver<FriendsEvent>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Ok(FriendsEvent::State(friend)) => log(friend_turned(&node, &friend).await),
            Ok(FriendsEvent::Library(_) | FriendsEvent::StandIn(_) | FriendsEvent::Trouble(_))
            | Err(RecvError::Lagged(_)) => (),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn friend_turned(node: &Node, friend: &str) -> Result<(), CatalogError> {
    let synced = node.friends().is_some_and(|friends| friends.state(friend).synced);
    if !synced || node.options().scrub.leave_damaged {
        return Ok(());
    }
    for file in node.catalog().to_verify(i64::MIN).await? {
        let holders = node.catalog().friends_holding(&file.cid).await?;
        if holders.iter().any(|holder| holder == friend) {
            check(node, &file.cid, node.options().scrub.pace).await?;
        }
    }
    Ok(())
}

/// Reads what is due; of what is damaged, what was not tried lately.
async fn pass(node: &Node, stop: &CancellationToken) -> Result<(), CatalogError> {
    let scrubbing = &node.running.scrub;
    let before = node.options().scrub.every.map_or(i64::MIN, |every| {
        let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        jiff::Timestamp::now().as_millisecond().saturating_sub(every)
    });
    let mut due = node.catalog().to_verify(before).await?;
    due.retain(|file| !file.damaged || !scrubbing.tried_lately(&file.cid));
    scrubbing.update(|state| {
        state.due_files = due.len() as u64;
        state.due_bytes = due.iter().map(|file| file.size).sum();
    });
    for file in due {
        if stop.is_cancelled() {
            break;
        }
        read_due(node, &file).await?;
    }
    scrubbing.update(|state| state.current = None);
    Ok(())
}

async fn read_due(node: &Node, file: &ToVerify) -> Result<(), CatalogError> {
    let scrubbing = &node.running.scrub;
    scrubbing.update(|state| state.current = Some((file.title.clone(), file.size)));
    check_and_remember(node, &file.cid, node.options().scrub.pace).await?;
    scrubbing.update(|state| {
        state.due_files = state.due_files.saturating_sub(1);
        state.due_bytes = state.due_bytes.saturating_sub(file.size);
        state.verified_files += 1;
        state.verified_bytes += file.size;
    });
    Ok(())
}

async fn check_and_remember(node: &Node, root: &Cid, pace: Pace) -> Result<(), CatalogError> {
    let found = check(node, root, pace).await?;
    let mut tried = node.running.scrub.tried.lock();
    match found.problem {
        Some(_) => tried.insert(*root, Instant::now()),
        None => tried.remove(root),
    };
    Ok(())
}

async fn found(node: &Node, finding: &Finding) -> Result<(), CatalogError> {
    let Finding::Damaged(path) = finding else { return Ok(()) };
    if node.options().scrub.leave_damaged || !node.blocks().stands(finding) {
        return Ok(());
    }
    let imported = node.blocks().imported(path).await.ok().flatten();
    match imported.filter(|imported| !node.running.scrub.tried_lately(&imported.cid)) {
        // Somebody is waiting for it.
        Some(imported) => check_and_remember(node, &imported.cid, Pace::default()).await,
        None => Ok(()),
    }
}
