//! `potluck status`.
use clap::Args;
use serde_json::json;

use super::{Format, Place, control, library, output};
use crate::facades::native::model;

/// Say how the node is: libraries, carriers, and what needs attention
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    format: Format,
}

impl Status {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        match control::running(place).await {
            Some(node) => {
                let status: model::Status = node.get("/api/v1/status").await?;
                if self.format.json {
                    let mut value = serde_json::to_value(&status)?;
                    value["running"] = true.into();
                    return output::json(&value);
                }
                show(&status)
            }
            None => self.stopped(place).await,
        }
    }

    async fn stopped(&self, place: &Place) -> anyhow::Result<()> {
        let store = place.store().await?;
        let (id, libraries) = (store.key.id(), library::of_store(&store).await?);
        store.close().await;
        if self.format.json {
            let version = env!("CARGO_PKG_VERSION");
            return output::json(&json!({"running": false, "version": version, "node_id": id, "libraries": libraries}));
        }
        output::line(format_args!("Node {id} is stopped."))?;
        libraries.iter().try_for_each(|library| output::line(library::row(library)))?;
        Ok(())
    }
}

fn show(status: &model::Status) -> anyhow::Result<()> {
    let minutes = status.uptime_seconds / 60;
    output::line(format_args!(
        "Node {} runs Potluck {} for {} h {} min.",
        status.node_id,
        status.version,
        minutes / 60,
        minutes % 60
    ))?;
    for library in &status.libraries {
        output::line(library::row(library))?;
    }
    for carrier in &status.carriers {
        output::line(format_args!(
            "{:<7} {:<28} {} connections, {} sent",
            carrier.name,
            carrier.detail,
            carrier.connections,
            output::bytes(carrier.bytes_sent)
        ))?;
    }
    for alert in &status.alerts {
        output::line(format_args!("{}: {} {}", alert.level, alert.message, alert.action))?;
    }
    Ok(())
}
