//! `potluck pin`.
mod here;
mod remote;
mod service;

use anyhow::anyhow;
use clap::Subcommand;

use super::control::Control;
use super::{Format, Place};
use crate::facades::native::model::PinService;

pub(super) use here::row;

/// Keep content from elsewhere here, and have pinning services keep what is public here
#[derive(Debug, Subcommand)]
#[command(
    after_help = "A service fetches what it keeps from this node, which must run, and as anybody does: so only what is in a
public library can be pinned there. A library stays pinned as it changes.

Examples:
  potluck import car menu.car
  potluck pin list
  potluck pin remove bafybei...
  potluck pin service add cluster https://cluster.example.org --token-stdin < token
  potluck pin remote add cluster --library Films
  potluck pin remote list cluster
  potluck pin remote remove cluster Films"
)]
pub(super) enum Pin {
    /// List what is kept here of content from elsewhere
    List(Format),
    /// Give back what is kept here under a CID: its blocks go when their place is needed
    Remove(here::Remove),
    /// Add, list and remove pinning services
    #[command(subcommand)]
    Service(service::Service),
    /// Have a service keep something, see what it keeps, have it let go
    #[command(subcommand)]
    Remote(remote::Remote),
}

impl Pin {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::List(format) => {
                let node = Control::open(place).await?;
                let done = here::list(&node, &format).await;
                node.close().await;
                done
            }
            Self::Remove(remove) => {
                let node = Control::open(place).await?;
                let done = remove.run(&node).await;
                node.close().await;
                done
            }
            Self::Service(command) => command.run(place).await,
            Self::Remote(command) => command.run(place).await,
        }
    }
}

async fn services(node: &Control) -> anyhow::Result<Vec<PinService>> {
    node.get("/api/v1/pin-services").await
}

/// The service of a name (without regard to case) or id.
async fn named(node: &Control, name: &str) -> anyhow::Result<PinService> {
    let all = services(node).await?;
    let same = |service: &PinService| service.id == name || service.name.to_lowercase() == name.to_lowercase();
    let names: Vec<String> = all.iter().map(|service| service.name.clone()).collect();
    all.into_iter().find(same).ok_or_else(|| match names.is_empty() {
        true => anyhow!("there is no pinning service yet: potluck pin service add NAME URL --token-stdin"),
        false => anyhow!("there is no pinning service {name:?}; there are: {}", names.join(", ")),
    })
}
