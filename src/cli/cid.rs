//! `potluck cid`.
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Format, output};
use crate::blocks::cid_of_path;

/// Say the CID of a file or folder, as Helia and Kubo give it with the profile unixfs-v1-2025
#[derive(Debug, Args)]
#[command(after_help = "Example:
  potluck cid film.mkv")]
pub(super) struct CidOf {
    /// The file or folder
    path: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl CidOf {
    pub async fn run(self) -> anyhow::Result<()> {
        let (path, bar) = (self.path.clone(), output::byte_bar());
        let shown = bar.clone();
        if let Ok(meta) = path.metadata()
            && meta.is_file()
        {
            bar.set_length(meta.len());
        }
        let named = tokio::task::spawn_blocking(move || {
            cid_of_path(&path, |read| shown.set_position(read), &CancellationToken::new())
        });
        let cid = named.await?;
        bar.finish_and_clear();
        let cid = cid?;
        if self.format.json {
            return output::json(&json!({"path": self.path.display().to_string(), "cid": cid.to_string()}));
        }
        output::line(cid)?;
        Ok(())
    }
}
