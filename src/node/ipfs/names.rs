//! Names of IPNS: what this node's own stands for, and what those of others do.
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::Ed25519KeyPair;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Ipfs;
use super::delegated::{RouterError, Routers};
use crate::content::Cid;
use crate::content::ipns::{self, Name, Record, RecordError, TTL};
use crate::exchange::libp2p::{Libp2p, Libp2pError};

/// A record says something for so long, as Kubo's do.
const LIFETIME: Duration = Duration::from_secs(48 * 3600);
/// It is given out anew this often, so that nodes that went are replaced.
const AGAIN: Duration = Duration::from_secs(4 * 3600);
/// After a failure it is tried again.
const AGAIN_FAILED: Duration = Duration::from_secs(30);
/// Where only a server failed.
const AGAIN_ROUTER: Duration = Duration::from_secs(600);
/// Names that are remembered.
const REMEMBERED: usize = 256;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// See [`Record`].
    pub record: Record,
    /// As it was signed.
    pub bytes: Vec<u8>,
}

/// Why a name stands for nothing.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Nobody who was asked knows it.
    #[error("nobody who was asked knows this name")]
    Unknown,
    /// Routing.
    #[error(transparent)]
    Libp2p(#[from] Libp2pError),
    /// Nor a server.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The own record could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Nor kept.
    #[error("{0} cannot be written")]
    Io(PathBuf, #[source] std::io::Error),
}

/// See the module.
pub(super) struct Names {
    own: Name,
    pair: Ed25519KeyPair,
    path: PathBuf,
    current: Mutex<Option<Resolved>>,
    known: Mutex<Vec<(Name, Instant, Resolved)>>,
    changed: Arc<Notify>,
    /// Since the start.
    signed_once: AtomicBool,
    /// Number of the own record that others were given last.
    given: Mutex<Option<u64>>,
}

/// Whether a record may be kept for others, in the place of the one that is there.
pub(super) fn is_record(key: &[u8], value: &[u8], known: Option<&[u8]>) -> bool {
    let Ok(name) = Name::of_routing_key(key) else { return false };
    let read = |bytes| ipns::verify(name, bytes, Timestamp::now()).ok();
    match (read(value), known.and_then(read)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(new), Some(known)) => new.order(&known).is_ge(),
    }
}

impl Names {
    /// `path` keeps the last record, whose number the next one exceeds.
    pub fn new(own: Name, pair: Ed25519KeyPair, path: PathBuf) -> Self {
        let kept = std::fs::read(&path).ok().and_then(|bytes| read(own, bytes));
        Self {
            own,
            pair,
            path,
            current: Mutex::new(kept),
            known: Mutex::default(),
            changed: Arc::default(),
            signed_once: AtomicBool::new(false),
            given: Mutex::default(),
        }
    }

    /// The own name stands for this folder from now on. Says whether it did not before, or was not signed since the start.
    pub fn stands_for(&self, root: Cid) -> Result<bool, NameError> {
        let value = format!("/ipfs/{root}");
        let mut current = self.current.lock();
        let same = current.as_ref().is_some_and(|before| before.record.value == value);
        if same && self.signed_once.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let sequence = match &*current {
            Some(before) if before.record.value == value => before.record.sequence,
            Some(before) => before.record.sequence + 1,
            // The clock is a number that is higher than any before, should the file have been lost.
            None => u64::try_from(Timestamp::now().as_second()).unwrap_or(0),
        };
        *current = Some(self.signed(value, sequence)?);
        drop(current);
        self.signed_once.store(true, Ordering::Relaxed);
        self.changed.notify_one();
        Ok(true)
    }

    fn signed(&self, value: String, sequence: u64) -> Result<Resolved, NameError> {
        let until = Timestamp::now() + LIFETIME;
        let record = Record { value, sequence, until, ttl: TTL };
        let sign = |message: &[u8]| self.pair.sign(message).as_ref().try_into().unwrap_or([0; 64]);
        let bytes = ipns::create(&record, sign)?;
        std::fs::write(&self.path, &bytes).map_err(|error| NameError::Io(self.path.clone(), error))?;
        Ok(Resolved { record, bytes })
    }

    /// The own record, with its time counted from now.
    fn renewed(&self) -> Result<Option<Resolved>, NameError> {
        let mut current = self.current.lock();
        let Some(before) = current.clone() else { return Ok(None) };
        *current = Some(self.signed(before.record.value, before.record.sequence)?);
        Ok(current.clone())
    }

    /// Whether others were given what the name stands for now.
    pub fn is_given(&self) -> bool {
        let current = self.current.lock().as_ref().map(|current| current.record.sequence);
        current.is_some() && *self.given.lock() == current
    }

    pub async fn resolve(&self, libp2p: &Libp2p, routers: &Routers, name: Name) -> Result<Resolved, NameError> {
        if name == self.own {
            return self.current.lock().clone().ok_or(NameError::Unknown);
        }
        if let Some(known) = self.remembered(&name) {
            return Ok(known);
        }
        let (kept, told) = tokio::join!(libp2p.records(name.routing_key()), routers.records(name));
        let kept = match kept {
            // Where routing is off, servers may know all the same.
            Err(_) if !routers.is_empty() => Vec::new(),
            kept => kept?,
        };
        let records = kept.into_iter().chain(told).filter_map(|bytes| read(name, bytes));
        let newest = records.max_by(|a, b| a.record.order(&b.record)).ok_or(NameError::Unknown)?;
        let mut known = self.known.lock();
        known.retain(|(other, ..)| *other != name);
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        known.push((name, Instant::now(), newest.clone()));
        Ok(newest)
    }

    fn remembered(&self, name: &Name) -> Option<Resolved> {
        let known = self.known.lock();
        let (_, since, resolved) = known.iter().find(|(other, ..)| other == name)?;
        let fresh = since.elapsed() < resolved.record.ttl && resolved.record.until > Timestamp::now();
        fresh.then(|| resolved.clone())
    }
}

fn read(name: Name, bytes: Vec<u8>) -> Option<Resolved> {
    let record = ipns::verify(name, &bytes, Timestamp::now()).ok()?;
    Some(Resolved { record, bytes })
}

/// Gives the own record to the nodes near its name, where there is routing, and to the servers that are set, whenever it changed, and from
/// time to time. Where there is nobody it is only renewed: who fetches it from this node itself gets one that still counts.
pub(super) async fn keep(ipfs: Ipfs, routing: bool, stop: CancellationToken) {
    let names = &ipfs.inner.names;
    loop {
        let wait = match give(&ipfs, routing).await {
            Ok(()) => AGAIN,
            Err(error) => {
                tracing::debug!(%error, "the node's IPNS record was not given to anybody");
                if matches!(error, NameError::Router(_)) { AGAIN_ROUTER } else { AGAIN_FAILED }
            }
        };
        let next = async {
            tokio::select! {
                () = names.changed.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        };
        if stop.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

async fn give(ipfs: &Ipfs, routing: bool) -> Result<(), NameError> {
    let Some(own) = ipfs.inner.names.renewed()? else { return Ok(()) };
    let put = async {
        if routing {
            ipfs.inner.libp2p.put_record(ipfs.inner.name.routing_key(), own.bytes.clone()).await
        } else {
            Ok(())
        }
    };
    let (put, told) = tokio::join!(put, ipfs.inner.routers.put(ipfs.inner.name, &own.bytes));
    put?;
    told?;
    if !routing && !ipfs.asks_routers() {
        return Ok(());
    }
    *ipfs.inner.names.given.lock() = Some(own.record.sequence);
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::KeyPair as _;

    use super::*;
    use crate::content::cid;

    fn names(dir: &tempfile::TempDir) -> Names {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let own = Name::of_ed25519(pair.public_key().as_ref().try_into().unwrap());
        Names::new(own, pair, dir.path().join("record"))
    }

    fn bytes(names: &Names) -> Vec<u8> {
        names.current.lock().clone().unwrap().bytes
    }

    #[test]
    fn a_record_is_kept_in_the_place_of_an_older_one_only() {
        let dir = tempfile::tempdir().unwrap();
        let names = names(&dir);
        assert!(names.stands_for(cid::of_raw(b"old")).unwrap());
        let old = bytes(&names);
        assert!(names.stands_for(cid::of_raw(b"new")).unwrap());
        assert!(!names.stands_for(cid::of_raw(b"new")).unwrap(), "it does already");
        let (new, key) = (bytes(&names), names.own.routing_key());
        assert!(is_record(&key, &new, Some(&old)) && is_record(&key, &new, None));
        assert!(is_record(&key, &new, Some(&new)), "given anew");
        assert!(!is_record(&key, &old, Some(&new)));
        assert!(is_record(&key, &old, Some(b"what is none")));
        assert!(!is_record(&key, b"what is none", None));
    }
}
