//! `potluck scan`.
use std::collections::HashMap;

use anyhow::{anyhow, bail};
use axum::body::Body;
use axum::http::Method;
use clap::Args;
use futures_util::StreamExt as _;
use indicatif::ProgressBar;

use super::control::Control;
use super::{Format, Place, library, output};
use crate::facades::native::model::{Library, ScanProgress, ScanState};

/// Look through libraries for what is new, changed, moved or gone, and wait until it is done
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  potluck scan                 all libraries
  potluck scan Films --json    one, and what was found as JSON")]
pub(super) struct Scan {
    /// Name or id of a library; without it, all
    library: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl Scan {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let node = Control::open(place).await?;
        let scanned = self.scan(&node).await;
        node.close().await;
        let scanned = scanned?;
        if self.format.json {
            let ended: Vec<&ScanProgress> = scanned.iter().map(|(_, progress)| progress).collect();
            output::json(&ended)?;
        } else {
            for (name, p) in &scanned {
                output::line(format_args!(
                    "{name}: {} files, {} added, {} changed, {} moved, {} in the trash, {} problems",
                    p.files_total, p.added, p.changed, p.moved, p.trashed, p.problems
                ))?;
            }
        }
        match scanned.iter().find(|(_, progress)| progress.state == ScanState::Failed) {
            Some((name, _)) => bail!("the scan of {name} ended early; what was imported stays"),
            None => Ok(()),
        }
    }

    async fn scan(&self, node: &Control) -> anyhow::Result<Vec<(String, ScanProgress)>> {
        let all: Vec<Library> = node.get("/api/v1/libraries").await?;
        let wanted: Vec<Library> = match &self.library {
            Some(name) => vec![library::named(&all, name)?.clone()],
            None => all,
        };
        through(node, &wanted).await
    }
}

/// Scans libraries, showing how far it is; returns how each scan ended, with the library's name.
pub(super) async fn through(node: &Control, wanted: &[Library]) -> anyhow::Result<Vec<(String, ScanProgress)>> {
    // Listened to before the first scan is asked for, so that no end is missed.
    let mut events = Events::open(node).await?;
    let mut waiting: HashMap<String, String> = HashMap::new();
    for library in wanted {
        let path = format!("/api/v1/libraries/{}/scan", library.id);
        node.call::<ScanProgress>(Method::POST, &path, None::<&()>).await?;
        waiting.insert(library.id.clone(), library.name.clone());
    }
    let (bar, mut ended) = (output::byte_bar(), Vec::new());
    while !waiting.is_empty() {
        let progress = events.next_scan().await?;
        let Some(name) = waiting.get(&progress.library).cloned() else { continue };
        show(&bar, &name, &progress);
        if matches!(progress.state, ScanState::Done | ScanState::Failed) && idle(node, &progress.library).await? {
            waiting.remove(&progress.library);
            ended.push((name, progress));
        }
    }
    bar.finish_and_clear();
    Ok(ended)
}

/// A library whose scan was running when ours was asked for is scanned once more.
async fn idle(node: &Control, id: &str) -> anyhow::Result<bool> {
    let library: Library = node.get(&format!("/api/v1/libraries/{id}")).await?;
    Ok(library.scan.is_none_or(|scan| matches!(scan.state, ScanState::Done | ScanState::Failed)))
}

fn show(bar: &ProgressBar, name: &str, progress: &ScanProgress) {
    bar.set_prefix(format!("{name} {}/{}", progress.files_done, progress.files_total));
    bar.set_length(progress.bytes_total);
    bar.set_position(progress.bytes_done);
    bar.set_message(progress.current.clone().unwrap_or_default());
}

/// Server-sent events, as far as they are needed here.
struct Events {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Events {
    async fn open(node: &Control) -> anyhow::Result<Self> {
        let response = node.send(Method::GET, "/api/v1/events", None::<&()>).await?;
        let body: Body = response.into_body();
        Ok(Self { body: body.into_data_stream(), text: String::new() })
    }

    async fn next_scan(&mut self) -> anyhow::Result<ScanProgress> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                if let Some(data) = data_of(&event, "scan") {
                    return Ok(serde_json::from_str(data)?);
                }
                if data_of(&event, "reset").is_some() {
                    bail!("the node told more than could be read in time; ask `potluck status` how the scan goes");
                }
            }
            let bytes =
                self.body.next().await.ok_or_else(|| anyhow!("the node stopped in the middle of the scan"))??;
            self.text.push_str(std::str::from_utf8(&bytes)?);
        }
    }
}

/// The data of an event of this name. Ours have one line of data.
fn data_of<'a>(event: &'a str, name: &str) -> Option<&'a str> {
    let field = |key: &str| event.lines().find_map(|line| line.strip_prefix(key)).map(str::trim_start);
    field("data:").filter(|_| field("event:") == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_by_name() {
        assert_eq!(data_of("event: scan\ndata: {\"a\":1}\n\n", "scan"), Some("{\"a\":1}"));
        assert_eq!(data_of("event: item\ndata: {}\n\n", "scan"), None);
        assert_eq!(data_of(": hello\n\n", "scan"), None);
    }
}
