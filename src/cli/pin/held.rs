//! What this node keeps of content from elsewhere.
use axum::http::Method;
use clap::Args;

use crate::cli::control::Control;
use crate::cli::{Format, Place, output};
use crate::facades::native::model;

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// A root of it
    cid: String,
    #[command(flatten)]
    format: Format,
}

/// Lists it.
pub(super) async fn list(place: &Place, format: &Format) -> anyhow::Result<()> {
    let node = Control::open(place).await?;
    let all = node.get("/api/v1/pins").await;
    node.close().await;
    let all: Vec<model::Pin> = all?;
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
pub(in crate::cli) fn row(pin: &model::Pin) -> String {
    format!("{}  {:>11}  {:>8} blocks  {}", pin.cid, output::bytes(pin.bytes), pin.blocks, pin.name)
}

impl Remove {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let cid = crate::content::cid::parse(&self.cid).map_err(|_| anyhow::anyhow!("{} is not a CID", self.cid))?;
        let node = Control::open(place).await?;
        let pin = node.call(Method::DELETE, &format!("/api/v1/pins/{cid}"), None::<&()>).await;
        node.close().await;
        let pin: model::Pin = pin?;
        if self.format.json {
            return output::json(&pin);
        }
        Ok(output::line(format_args!("{} is not kept any more.", pin.cid))?)
    }
}
