//! How the node is.
use std::path::{Path, PathBuf};

use axum::extract::State;

use super::model::{Alert, Carrier, Hardware, Problem, Scrub, Status, Storage, Totals, Transcode, Workers};
use super::shapes;
use crate::accounts::{Caller, Friend};
use crate::catalog::LibraryState;
use crate::exchange::CarrierState;
use crate::facades::carrier::Traffic;
use crate::facades::error::Refusal;
use crate::facades::extract::Asker;
use crate::facades::{App, metrics};
use crate::friends::links::Links;
use crate::friends::{Fault, Trouble};
use crate::media::hardware::{DeviceApi, DeviceReport};
use crate::node::Node;

/// Below this, bytes, a person should make room.
const FREE_MIN: u64 = 1024 * 1024 * 1024;
/// Repaired files that are told.
const REPAIRED_MAX: usize = 20;

/// How the node is. Admins also see addresses, sizes on disk and alerts.
#[utoipa::path(get, path = "/api/v1/status", tag = "status",
    responses((status = 200, body = Status), (status = 401, body = Problem)))]
pub(in crate::facades) async fn show(
    State(app): State<App>,
    Asker(caller): Asker,
) -> Result<axum::Json<Status>, Refusal> {
    let node = app.node();
    // How friends' libraries are is theirs to tell.
    let mut libraries = shapes::libraries(&app, &caller).await?;
    libraries.retain(|library| library.friend.is_none());
    let mut totals = Totals { items: 0, files: 0, bytes: 0, damaged: 0 };
    for library in &libraries {
        let counted = node.catalog().totals(&library.id).await?;
        totals.items += counted.items;
        totals.files += counted.items;
        totals.bytes += counted.bytes;
        totals.damaged += counted.damaged;
    }
    let storage = if caller.is_admin() { storage(&app).await? } else { Storage::default() };
    let alerts = if caller.is_admin() { alerts(&app, &storage).await? } else { Vec::new() };
    Ok(axum::Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node_id: node.id().to_owned(),
        uptime_seconds: node.uptime().as_secs(),
        totals,
        libraries,
        carriers: carriers(&app, &caller),
        workers: workers(&app),
        hardware: hardware(&app),
        transcodes: transcodes(&app, &caller).await?,
        storage,
        scrub: if caller.is_admin() { scrub(node) } else { Scrub::default() },
        alerts,
    }))
}

fn carriers(app: &App, caller: &Caller) -> Vec<Carrier> {
    let listeners = app.listeners();
    let mut all = Vec::new();
    for (name, traffic) in [("http", app.http()), ("https", app.https())] {
        let listens = listeners.iter().find(|(kind, _)| *kind == name).map(|(_, address)| address.to_string());
        all.push(carrier(name, metrics::moved(traffic), traffic, listens));
    }
    let webrtc = app.node().webrtc();
    let state = webrtc.map(|carrier| carrier.state()).unwrap_or_default();
    all.push(carrier("webrtc", state, app.webrtc(), webrtc.map(|carrier| format!("UDP {}", carrier.address()))));
    let iroh = app.node().links().map(Links::iroh);
    let state = iroh.map(|carrier| carrier.state()).unwrap_or_default();
    all.push(carrier("iroh", state, app.iroh(), iroh.map(|carrier| udp(&carrier.listens()))));
    let ipfs = app.node().ipfs().map(|ipfs| ipfs.libp2p());
    let state = ipfs.map(|carrier| carrier.carrier()).unwrap_or_default();
    all.push(carrier("libp2p", state, app.libp2p(), ipfs.map(|carrier| carrier.state().listens.join(", "))));
    if !caller.is_admin() {
        all.iter_mut().for_each(|carrier| carrier.detail.clear());
    }
    all
}

fn carrier(name: &str, state: CarrierState, traffic: &Traffic, listens: Option<String>) -> Carrier {
    let off = || match name {
        "webrtc" => "off: see webrtc.enabled, and the log of the start",
        "iroh" => "off: see friends.enabled, and the log of the start",
        "libp2p" => "off: see ipfs.enabled, and the log of the start",
        _ => "off: see server.tls",
    };
    Carrier {
        name: name.to_owned(),
        enabled: listens.is_some(),
        detail: listens.unwrap_or_else(|| off().to_owned()),
        connections: state.connections,
        requests: state.requests,
        bytes_sent: state.bytes_sent,
        bytes_received: state.bytes_received,
        history: traffic.history(state.bytes_sent),
    }
}

fn udp(addresses: &[std::net::SocketAddr]) -> String {
    let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    format!("UDP {}", all.join(", "))
}

fn workers(app: &App) -> Workers {
    let (state, options) = (app.node().media().state(), &app.node().options().media);
    let limit = options.memory_limit / (1024 * 1024);
    Workers {
        limit: state.most as u64,
        running: state.running as u64,
        busy: state.busy as u64,
        failures: state.failures,
        detail: format!("at most {limit} MiB and {} s for each request", options.timeout.as_secs()),
    }
}

fn hardware(app: &App) -> Hardware {
    let devices = app.node().playback().devices();
    let software = |device: &DeviceReport| device.api == DeviceApi::Software;
    let used = devices.iter().find(|device| !software(device) && device.problem.is_none());
    let problem = devices.iter().find_map(|device| device.problem.as_ref());
    let detail = match (used, problem) {
        (Some(device), _) => format!("{} transcodes; where it fails, the processor does.", device.name),
        (None, Some(problem)) => format!("The processor transcodes. {problem}"),
        (None, None) if devices.is_empty() => "The node did not look for devices yet.".to_owned(),
        (None, None) => "The processor transcodes.".to_owned(),
    };
    Hardware { used: used.is_some(), detail, devices }
}

/// Those of the items that the caller may see.
async fn transcodes(app: &App, caller: &Caller) -> Result<Vec<Transcode>, Refusal> {
    let mut seen = Vec::new();
    for running in app.node().playback().transcodes() {
        let items = app.node().catalog().items_of(&running.file).await?;
        let Some(item) = items.into_iter().find(|item| caller.may_see(&item.library)) else { continue };
        seen.push(Transcode {
            item: item.id,
            title: item.title,
            rendition: running.rendition,
            encoder: running.encoder,
            viewers: running.viewers as u64,
            segments_ready: running.segments_ready as u64,
            segments: running.segments as u64,
            detail: running.detail,
        });
    }
    Ok(seen)
}

fn scrub(node: &Node) -> Scrub {
    const DAY: u64 = 24 * 60 * 60;
    let state = node.scrub();
    Scrub {
        every_days: node.options().scrub.every.map(|every| every.as_secs().div_ceil(DAY)),
        current: state.current.map(|(title, _)| title),
        due_files: state.due_files,
        due_bytes: state.due_bytes,
        verified_files: state.verified_files,
        verified_bytes: state.verified_bytes,
        healed_files: state.reports.iter().filter(|report| report.found.healed.is_some()).count() as u64,
    }
}

async fn storage(app: &App) -> Result<Storage, Refusal> {
    let (folder, cache) = (app.node().folder(), app.node().playback().cache());
    let (path, catalog, index, artwork) =
        (folder.path().to_owned(), folder.catalog(), folder.index(), folder.artwork());
    let measured = tokio::task::spawn_blocking(move || Storage {
        catalog: database_size(&catalog),
        index: database_size(&index),
        artwork: folder_size(&artwork),
        renditions: cache.bytes,
        renditions_quota: cache.quota,
        thumbnails: folder_size(&path.join("thumbnails")),
        published: folder_size(&path.join("published")),
        free: rustix::fs::statvfs(&path).map_or(0, |fs| fs.f_bavail.saturating_mul(fs.f_frsize)),
    });
    measured.await.map_err(|error| Refusal::internal(&error))
}

/// With what waits in its write-ahead log.
fn database_size(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    [path.to_owned(), PathBuf::from(log)].iter().filter_map(|p| p.metadata().ok()).map(|m| m.len()).sum()
}

fn folder_size(path: &Path) -> u64 {
    let files = walkdir::WalkDir::new(path).into_iter().filter_map(Result::ok);
    files.filter_map(|entry| entry.metadata().ok()).filter(std::fs::Metadata::is_file).map(|m| m.len()).sum()
}

async fn alerts(app: &App, storage: &Storage) -> Result<Vec<Alert>, Refusal> {
    let found = app.node().catalog().alerts().await?;
    let mut alerts = Vec::new();
    for library in found.unavailable.iter().filter(|l| l.state == LibraryState::Unavailable) {
        alerts.push(Alert {
            level: "warning".to_owned(),
            message: format!("The folder of {} is missing or empty.", library.name),
            action: format!("Mount {} again; nothing was forgotten.", library.path.display()),
            item: None,
            library: Some(library.id.clone()),
        });
    }
    for item in found.damaged {
        alerts.push(Alert {
            level: "error".to_owned(),
            message: format!("{} is damaged: {}", item.title, item.problem),
            action: "It is repaired when a friend's node that holds it is there, or restore it from a backup; it is not served until its bytes are right again.".to_owned(),
            item: Some(item.id),
            library: Some(item.library),
        });
    }
    alerts.extend(repaired(app).await?);
    alerts.extend(troubles(app));
    if found.unreadable_total > 0 {
        alerts.push(counted(found.unreadable_total, "cannot be read or are no videos", "Look at their pages for why."));
    }
    if found.missing_total > 0 {
        alerts.push(counted(found.missing_total, "are on a disk that is not there", "Mount it again."));
    }
    if let Some(problem) = app.node().playback().cache().problem {
        alerts.push(Alert {
            level: "warning".to_owned(),
            message: format!("Transcoded segments are not kept: {problem}."),
            action: "Films still play; make room, or set playback.disk_cache_mib.".to_owned(),
            item: None,
            library: None,
        });
    }
    if storage.free < FREE_MIN {
        alerts.push(Alert {
            level: "warning".to_owned(),
            message: format!("Only {} MiB are free where the data folder is.", storage.free / (1024 * 1024)),
            action: "Make room, or move the data folder.".to_owned(),
            item: None,
            library: None,
        });
    }
    Ok(alerts)
}

/// Files that were repaired: they are right, but their disk may not be.
async fn repaired(app: &App) -> Result<Vec<Alert>, Refusal> {
    let mut alerts = Vec::new();
    for report in app.node().scrub().reports.into_iter().take(REPAIRED_MAX) {
        let Some(healed) = report.found.healed else { continue };
        let Some(item) = app.node().catalog().items_of(&report.cid).await?.into_iter().find(|i| i.friend.is_none())
        else {
            continue;
        };
        let healed = shapes::healed(app, healed);
        let from = if healed.friends.is_empty() { "another copy".to_owned() } else { healed.friends.join(", ") };
        alerts.push(Alert {
            level: "warning".to_owned(),
            message: format!("{} was damaged ({} blocks) and was repaired from {from}.", item.title, healed.blocks),
            action: "It is right again. Look after its disk, if it is not the only file that this happens to."
                .to_owned(),
            item: Some(item.id),
            library: Some(item.library),
        });
    }
    Ok(alerts)
}

/// Friends whose nodes did what they should not.
fn troubles(app: &App) -> Vec<Alert> {
    let Some(friends) = app.node().friends() else { return Vec::new() };
    let all = app.node().accounts().friends().into_iter();
    let troubled = all.filter_map(|friend| Some((friends.trouble(&friend.id)?, friend)));
    troubled.map(|(trouble, friend)| alert_of(&friend, trouble)).collect()
}

fn alert_of(friend: &Friend, trouble: Trouble) -> Alert {
    let action = match trouble.fault {
        Fault::Lie => "Nothing of it was kept, and it is not asked for an hour. Tell its owner to run `potluck scrub`.",
        _ => "It is not asked for a while. Ask its owner what is wrong with it; the page of friends says more.",
    };
    let times = if trouble.count == 1 { String::new() } else { format!(" ({} times)", trouble.count) };
    Alert {
        level: "warning".to_owned(),
        message: format!("The node of {} misbehaved: {}{times}.", friend.name, trouble.fault.reason()),
        action: action.to_owned(),
        item: None,
        library: None,
    }
}

fn counted(count: u64, what: &str, action: &str) -> Alert {
    Alert {
        level: "warning".to_owned(),
        message: format!("{count} files {what}."),
        action: action.to_owned(),
        item: None,
        library: None,
    }
}
