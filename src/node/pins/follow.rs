//! Keeps libraries pinned as they change: one task, which looks at each when its folder changed, or its time has come.
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::words::{Pin, PinState, PinStatus};
use super::{Pins, PinsError, PinsOptions, targets};
use crate::accounts::{AccountsError, PinService, PinnedLibrary};
use crate::content::Cid;
use crate::node::Node;
use crate::node::ipfs::Ipfs;

/// What is said of a library that is in the public folder no more.
const GONE: &str =
    "the library is not public any more, or empty: the service keeps what it had last, until the pin is removed";
/// Far enough away.
const NEVER: i64 = i64::MAX / 2;
/// Doublings of the wait.
const DOUBLINGS_MAX: u32 = 16;

/// See the module.
pub(in crate::node) async fn keep(node: Node, ipfs: Ipfs, stop: CancellationToken) {
    let mut changes = ipfs.changes();
    loop {
        let looked = async {
            changes.borrow_and_update();
            look(&node, &ipfs).await
        };
        let Some(next) = stop.run_until_cancelled(looked).await else { return };
        let next = next.unwrap_or_else(|error| {
            tracing::warn!(%error, "what services shall keep could not be read or written down");
            Some(now() + milliseconds(options(&node).longest_wait))
        });
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
            () = node.running.pinning.wake.notified() => {}
            () = until(next) => {}
        }
    }
}

pub(super) fn options(node: &Node) -> PinsOptions {
    node.options().ipfs.as_ref().map(|ipfs| ipfs.pins.clone()).unwrap_or_default()
}

/// Sees to all that is due; returns when the next will be.
async fn look(node: &Node, ipfs: &Ipfs) -> Result<Option<i64>, AccountsError> {
    // Before the folder was made, all libraries look as if they had gone.
    if ipfs.version() == 0 {
        return Ok(None);
    }
    let mut next = None;
    for row in node.accounts().pinned_libraries().await? {
        let folder = ipfs.library(&row.library);
        let row = if is_due(&row, folder.as_ref(), now()) { see_to(node, ipfs, row, folder).await? } else { row };
        next = [next, Some(row.due_at)].into_iter().flatten().min();
    }
    Ok(next.filter(|at| *at < NEVER))
}

fn is_due(row: &PinnedLibrary, folder: Option<&Cid>, now: i64) -> bool {
    let Some(folder) = folder else { return row.problem.as_deref() != Some(GONE) };
    let changed = row.cid.as_deref() != Some(folder.to_string().as_str());
    let back = row.problem.as_deref() == Some(GONE);
    // A service that is away is left alone until its time has come, whatever changes.
    row.due_at <= now || back || changed && row.problem.is_none()
}

async fn see_to(
    node: &Node,
    ipfs: &Ipfs,
    row: PinnedLibrary,
    folder: Option<Cid>,
) -> Result<PinnedLibrary, AccountsError> {
    let Some(folder) = folder else {
        let row = PinnedLibrary { problem: Some(GONE.to_owned()), tries: 0, due_at: NEVER, ..row };
        node.accounts().pinned_as(row.clone()).await?;
        return Ok(row);
    };
    let service = match node.accounts().pin_service(&row.service).await {
        // It was removed a moment ago, and the row with it.
        Err(AccountsError::NotFound(_)) => return Ok(PinnedLibrary { due_at: NEVER, ..row }),
        found => found?,
    };
    let pins = node.pins();
    let (options, before) = (options(node), row.request.clone());
    let answer = pinned(&pins, ipfs, &service, &row, &folder).await;
    let row = match &answer {
        Ok(answer) => told(row, &folder, answer, &service.name, options),
        Err(error) => {
            tracing::debug!(service.name = %service.name, %error, "a library is not pinned now");
            let tries = row.tries.saturating_add(1);
            PinnedLibrary { problem: Some(error.to_string()), tries, due_at: now() + wait(tries, &options), ..row }
        }
    };
    let wanted = node.accounts().pinned_as(row.clone()).await?;
    if !wanted && row.request != before {
        // It was removed here while it was pinned there.
        if let (Ok(desk), Some(request)) = (pins.desk(&service), &row.request) {
            let removed = desk.remove(request).await;
            let _ = removed.inspect_err(|error| tracing::warn!(%error, "a pin that nobody wants stays at its service"));
        }
    } else if let Ok(answer) = &answer {
        targets::connect(ipfs, &service.url, answer).await;
    }
    Ok(row)
}

/// Has the service keep the folder, and says how that stands.
async fn pinned(
    pins: &Pins,
    ipfs: &Ipfs,
    service: &PinService,
    row: &PinnedLibrary,
    folder: &Cid,
) -> Result<PinStatus, PinsError> {
    let desk = pins.desk(service)?;
    let pin = targets::pin(ipfs, folder, Some(&row.name), &service.url).await;
    let Some(request) = &row.request else { return add(&desk, &pin).await };
    let same = row.cid.as_deref() == Some(pin.cid.as_str());
    let failed = row.status.as_deref() == Some(PinState::Failed.as_str());
    let told = if same && !failed { desk.get(request).await } else { desk.replace(request, &pin).await };
    match told {
        // Somebody removed it there; or it was replaced, and the answer was lost.
        Err(PinsError::Missing(_)) => add(&desk, &pin).await,
        told => told,
    }
}

/// An answer may have been lost on the way: what is there is not pinned twice.
async fn add(desk: &Desk<'_>, pin: &Pin) -> Result<PinStatus, PinsError> {
    match desk.find(pin).await? {
        Some(there) => Ok(there),
        None => desk.add(pin).await,
    }
}

/// A row as the service's answer has it.
pub(super) fn told(
    row: PinnedLibrary,
    folder: &Cid,
    told: &PinStatus,
    service: &str,
    options: PinsOptions,
) -> PinnedLibrary {
    let failed = || {
        let details = told.details().map(|details| format!(": {details}")).unwrap_or_default();
        format!("{service} could not pin it{details}; it is asked again")
    };
    let tries = if told.status == PinState::Pinned { 0 } else { row.tries.saturating_add(1) };
    let next = if tries == 0 { milliseconds(options.look_every) } else { wait(tries, &options) };
    PinnedLibrary {
        request: told.request().map(str::to_owned),
        cid: Some(folder.to_string()),
        status: Some(told.status.as_str().to_owned()),
        problem: (told.status == PinState::Failed).then(failed),
        tries,
        due_at: now() + next,
        ..row
    }
}

fn wait(tries: u32, options: &PinsOptions) -> i64 {
    let doubled = options.first_wait.saturating_mul(1 << tries.saturating_sub(1).min(DOUBLINGS_MAX));
    milliseconds(doubled.min(options.longest_wait))
}

async fn until(at: Option<i64>) {
    match at {
        Some(at) => tokio::time::sleep(Duration::from_millis((at - now()).max(1).cast_unsigned())).await,
        None => std::future::pending().await,
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(NEVER / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid::of_raw;

    fn row(cid: &Cid) -> PinnedLibrary {
        PinnedLibrary { cid: Some(cid.to_string()), due_at: 1000, ..PinnedLibrary::default() }
    }

    #[test]
    fn a_library_is_looked_at_when_it_changed_or_its_time_has_come() {
        let (here, new) = (of_raw(b"here"), of_raw(b"new"));
        assert!(!is_due(&row(&here), Some(&here), 999));
        assert!(is_due(&row(&here), Some(&here), 1000));
        assert!(is_due(&row(&here), Some(&new), 0));
        let away = PinnedLibrary { problem: Some("away".to_owned()), tries: 1, ..row(&here) };
        assert!(!is_due(&away, Some(&new), 999), "the service is left alone");
        assert!(is_due(&away, Some(&new), 1000));
    }

    #[test]
    fn a_library_that_is_hidden_is_told_once_and_looked_at_when_it_is_back() {
        let here = of_raw(b"here");
        assert!(is_due(&row(&here), None, 0));
        let gone = PinnedLibrary { problem: Some(GONE.to_owned()), due_at: NEVER, ..row(&here) };
        assert!(!is_due(&gone, None, 2000));
        assert!(is_due(&gone, Some(&here), 0));
    }

    #[test]
    fn waits_grow_up_to_the_longest() {
        let options = PinsOptions {
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(5),
            ..PinsOptions::default()
        };
        assert_eq!([1, 2, 3, 4, 1000].map(|tries| wait(tries, &options)), [1000, 2000, 4000, 5000, 5000]);
    }
}
