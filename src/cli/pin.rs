//! `potluck pin`.
use axum::http::Method;
use clap::{Args, Subcommand};

use super::control::Control;
use super::{Format, Place, output};
use crate::facades::native::model;

/// List and give back what is kept of content from elsewhere
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  potluck import car menu.car
  potluck pin list
  potluck pin remove bafybei...")]
pub(super) enum Pin {
    /// List what is kept
    List(Format),
    /// Give back what is kept under a CID: its blocks go when their place is needed
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// A root of it
    cid: String,
    #[command(flatten)]
    format: Format,
}

impl Pin {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let node = Control::open(place).await?;
        let done = match self {
            Self::List(format) => list(&node, &format).await,
            Self::Remove(remove) => remove.run(&node).await,
        };
        node.close().await;
        done
    }
}

async fn list(node: &Control, format: &Format) -> anyhow::Result<()> {
    let all: Vec<model::Pin> = node.get("/api/v1/pins").await?;
    if format.json {
        return output::json(&all);
    }
    for pin in &all {
        output::line(row(pin))?;
    }
    if all.is_empty() {
        eprintln!("Nothing is pinned. Take in a CAR: potluck import car FILE");
    }
    Ok(())
}

/// One pin on one line.
pub(super) fn row(pin: &model::Pin) -> String {
    format!("{}  {:>11}  {:>8} blocks  {}", pin.cid, output::bytes(pin.bytes), pin.blocks, pin.name)
}

impl Remove {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let cid = crate::content::cid::parse(&self.cid).map_err(|_| anyhow::anyhow!("{} is not a CID", self.cid))?;
        let pin: model::Pin = node.call(Method::DELETE, &format!("/api/v1/pins/{cid}"), None::<&()>).await?;
        if self.format.json {
            return output::json(&pin);
        }
        Ok(output::line(format_args!("{} is not kept any more.", pin.cid))?)
    }
}
