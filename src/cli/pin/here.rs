//! `potluck pin list` and `remove`: what is kept here of content from elsewhere.
use axum::http::Method;
use clap::Args;

use crate::cli::control::Control;
use crate::cli::{Format, output};
use crate::facades::native::model;

#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    /// A root of it
    cid: String,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn list(node: &Control, format: &Format) -> anyhow::Result<()> {
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
pub(in crate::cli) fn row(pin: &model::Pin) -> String {
    format!("{}  {:>11}  {:>8} blocks  {}", pin.cid, output::bytes(pin.bytes), pin.blocks, pin.name)
}

impl Remove {
    pub async fn run(self, node: &Control) -> anyhow::Result<()> {
        let cid = crate::content::cid::parse(&self.cid).map_err(|_| anyhow::anyhow!("{} is not a CID", self.cid))?;
        let pin: model::Pin = node.call(Method::DELETE, &format!("/api/v1/pins/{cid}"), None::<&()>).await?;
        if self.format.json {
            return output::json(&pin);
        }
        Ok(output::line(format_args!("{} is not kept any more.", pin.cid))?)
    }
}
