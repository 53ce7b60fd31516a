//! `potluck publish`.
use anyhow::{anyhow, bail};
use axum::http::Method;
use clap::Args;
use futures_util::StreamExt as _;

use super::control::Control;
use super::{Format, Place, output};
use crate::facades::native::model::{Publish as Wish, PublishProgress};

/// Make whole renditions of an item and publish them as a folder with one CID, which plays from any IPFS gateway
#[derive(Debug, Args)]
#[command(after_help = "What was made stays: the same command goes on where it ended.

Examples:
  potluck publish 0190b2c4-...                                      the best rendition, all sounds, all subtitles
  potluck publish 0190b2c4-... --rendition v0-720 --rendition a1-aac2")]
pub(super) struct Publish {
    /// Id of the item, as in the address of its page
    item: String,
    /// A rendition or subtitle track; again for more
    #[arg(long, value_name = "ID")]
    rendition: Vec<String>,
    #[command(flatten)]
    format: Format,
}

impl Publish {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let node = Control::open(place).await?;
        let published = self.publish(&node).await;
        node.close().await;
        let published = published?;
        if self.format.json {
            return output::json(&published);
        }
        output::line(format_args!("{}", published.root.unwrap_or_default()))?;
        Ok(())
    }

    async fn publish(&self, node: &Control) -> anyhow::Result<PublishProgress> {
        if !self.item.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            bail!("{} is not the id of an item", self.item);
        }
        let wish = Wish { renditions: self.rendition.clone() };
        let path = format!("/api/v1/items/{}/publish", self.item);
        let mut body = node.send(Method::POST, &path, Some(&wish)).await?.into_body().into_data_stream();
        let (bar, mut text) = (output::byte_bar(), Vec::new());
        let mut last = None;
        while let Some(bytes) = body.next().await {
            text.extend_from_slice(&bytes?);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let progress: PublishProgress = serde_json::from_slice(&line)?;
                bar.set_prefix(format!("{}/{}", progress.done, progress.total));
                // How many bytes there will be is not known before they are made.
                let all = progress.bytes.saturating_mul(progress.total) / progress.done.max(1);
                bar.set_length(all);
                bar.set_position(progress.bytes);
                bar.set_message(progress.rendition.clone().unwrap_or_default());
                last = Some(progress);
            }
        }
        bar.finish_and_clear();
        let last = last.ok_or_else(|| anyhow!("the node stopped before anything was published"))?;
        match (&last.problem, &last.root) {
            (Some(problem), _) => bail!("{problem}; what was made stays, run it again to go on"),
            (None, Some(_)) => Ok(last),
            (None, None) => bail!("the node stopped in the middle; what was made stays, run it again to go on"),
        }
    }
}
