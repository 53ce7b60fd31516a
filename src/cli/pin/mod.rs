//! `potluck pin`.
mod held;

use clap::Subcommand;

use super::{Format, Place};

pub(in crate::cli) use held::row;

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
    Remove(held::Remove),
}

impl Pin {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::List(format) => held::list(place, &format).await,
            Self::Remove(remove) => remove.run(place).await,
        }
    }
}
