//! `potluck pin remote`.
use anyhow::bail;
use axum::http::Method;
use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::cli::control::{self, Control};
use crate::cli::{Format, Place, library, output};
use crate::facades::native::model::{NewRemotePin, RemotePin, RemotePinStatus, RemotePins};

/// Pins that are asked for at once.
const PAGE: usize = 1000;
/// Pages that are listed at most.
const PAGES_MAX: usize = 100;

/// Have a service keep something, see what it keeps, have it let go
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Remote {
    /// Have a service keep a public library, an item or anything else that is public
    Add(Add),
    /// List what a service keeps, newest first
    List(List),
    /// Have a service let go of a pin
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The service's name
    service: String,
    #[command(flatten)]
    what: What,
    /// What it shall be called there
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// A library, which stays pinned as it changes
    #[arg(long, value_name = "NAME")]
    library: Option<String>,
    /// A CID
    #[arg(long)]
    cid: Option<String>,
    /// Id of an item, as in the address of its page
    #[arg(long, value_name = "ID")]
    item: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// The service's name
    service: String,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    /// The service's name
    service: String,
    /// Id of the pin as it is listed, or the name of a library that is pinned
    request: String,
}

impl Remote {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        if matches!(self, Self::Add(_)) && control::running(place).await.is_none() {
            bail!("the node does not run, so no service can fetch anything from it: start it with potluck serve");
        }
        let node = Control::open(place).await?;
        let done = match self {
            Self::Add(add) => add.run(place, &node).await,
            Self::List(list) => list.run(&node).await,
            Self::Remove(remove) => remove.run(&node).await,
        };
        node.close().await;
        done
    }
}

impl Add {
    async fn run(self, place: &Place, node: &Control) -> anyhow::Result<()> {
        let service = super::named(node, &self.service).await?;
        let library = match &self.what.library {
            Some(name) => Some(library::named(&library::all(place).await?, name)?.id.clone()),
            None => None,
        };
        let new = NewRemotePin { library, item: self.what.item, cid: self.what.cid, name: self.name };
        let made: RemotePin =
            node.call(Method::POST, &format!("/api/v1/pin-services/{}/pins", service.id), Some(&new)).await?;
        if self.format.json {
            return output::json(&made);
        }
        Ok(output::line(row(&made))?)
    }
}

impl List {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let service = super::named(node, &self.service).await?;
        let (mut all, mut before) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let path = format!("/api/v1/pin-services/{}/pins?limit={PAGE}{before}", service.id);
            let page: RemotePins = node.get(&path).await?;
            let more = page.total > page.pins.len() as u64;
            let last = page.pins.last().map(|pin| escaped(&pin.created));
            all.extend(page.pins);
            match last {
                Some(last) if more => before = format!("&before={last}"),
                _ => break,
            }
        }
        if self.format.json {
            return output::json(&all);
        }
        for pin in &all {
            output::line(row(pin))?;
        }
        if all.is_empty() {
            eprintln!("{} keeps nothing for this node yet.", service.name);
        }
        Ok(())
    }
}

impl Remove {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let service = super::named(node, &self.service).await?;
        let same = |name: &str| name.to_lowercase() == self.request.to_lowercase();
        let library = service.libraries.iter().find(|library| same(&library.name) || library.library == self.request);
        let request = library.map_or(self.request.as_str(), |library| library.library.as_str());
        let path = format!("/api/v1/pin-services/{}/pins/{}", service.id, escaped(request));
        node.call::<()>(Method::DELETE, &path, None::<&()>).await?;
        Ok(output::line(format_args!("{} does not keep {} any more.", service.name, self.request))?)
    }
}

fn row(pin: &RemotePin) -> String {
    let details = pin.info.get("status_details").map(|details| format!("  ({details})")).unwrap_or_default();
    let follows = if pin.library.is_some() { "  as it changes" } else { "" };
    let name = pin.name.as_deref().unwrap_or("-");
    format!("{:<36} {:<8} {} {name}{follows}{details}", pin.request_id, word(pin.status), pin.cid)
}

pub(super) fn word(status: RemotePinStatus) -> &'static str {
    match status {
        RemotePinStatus::Queued => "queued",
        RemotePinStatus::Pinning => "pinning",
        RemotePinStatus::Pinned => "pinned",
        RemotePinStatus::Failed => "failed",
    }
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
