//! Scans of the libraries of music.
use super::call::{Answer, Call};
use super::dates;
use super::fault::Fault;
use super::folders::{self, Folder};
use super::tree::Element;
use crate::facades::App;

/// `getScanStatus`. Programs ask ten times a second.
pub(super) async fn status(call: Call) -> Result<Answer, Fault> {
    let folders = folders::seen(&call.app, call.account()?).await?;
    told(&call.app, &folders).await
}

/// `startScan`: of all of them.
pub(super) async fn start(call: Call) -> Result<Answer, Fault> {
    let folders = folders::all(&call.app).await?;
    for folder in &folders {
        call.app.node().importer().scan(&folder.id).await?;
    }
    told(&call.app, &folders).await
}

async fn told(app: &App, folders: &[Folder]) -> Result<Answer, Fault> {
    let (mut scanning, mut count) = (false, 0);
    for folder in folders {
        let running = app.node().importer().progress(&folder.id);
        scanning |= running.is_some();
        count += match running {
            Some(progress) => progress.files_done,
            None => app.node().catalog().totals(&folder.id).await?.items,
        };
    }
    let last = folders.iter().filter_map(|folder| folder.scanned_at).max();
    let status = Element::new()
        .with("scanning", scanning)
        .with("count", count)
        .with("folderCount", folders.len())
        .maybe("lastScan", last.map(dates::instant));
    Ok(Answer::one("scanStatus", status))
}
