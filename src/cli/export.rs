//! `potluck export`.
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use clap::Args;
use futures_util::StreamExt as _;
use indicatif::ProgressBar;
use tokio::sync::mpsc;

use super::control::Control;
use super::{Place, output};
use crate::content::cid;

/// Pieces that wait to be written.
const WAITING: usize = 64;

/// Write what a CID names, with all its blocks, as a CAR: from libraries, from what is pinned, and from elsewhere while the node runs
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  potluck export bafybei... > film.car
  potluck export bafybei... --output film.car")]
pub(super) struct Export {
    /// The CID, or one of a folder and a path in it: CID/a/b
    cid: String,
    /// The file to write, instead of standard output; it must not be there yet
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let path = path(&self.cid)?;
        if self.output.is_none() && io::stdout().is_terminal() {
            bail!("a CAR is nothing to look at: say where it goes, with --output FILE or > FILE");
        }
        if let Some(output) = self.output.as_ref().filter(|output| output.exists()) {
            bail!("{} is there already; nothing was written", output.display());
        }
        let node = Control::open(place).await?;
        let exported = self.export(&node, &path).await;
        node.close().await;
        exported
    }

    async fn export(&self, node: &Control, path: &str) -> anyhow::Result<()> {
        let bar = output::byte_bar();
        // Of a file that is about the size of its CAR; of a folder nobody knows.
        let size = node.send(Method::HEAD, &format!("{path}?download=true"), None::<&()>).await;
        let length =
            |answer: axum::http::Response<Body>| answer.headers().get("content-length")?.to_str().ok()?.parse().ok();
        bar.set_length(size.ok().and_then(length).unwrap_or(0));
        let body = node.send(Method::GET, &format!("{path}?format=car&car-dups=n"), None::<&()>).await?.into_body();
        let written = match &self.output {
            Some(output) => to_file(body, output, &bar).await,
            None => to(body, io::stdout(), &bar).await.map(|_| ()),
        };
        bar.finish_and_clear();
        written
    }
}

/// Where the node has it.
fn path(text: &str) -> anyhow::Result<String> {
    let text = text.trim_start_matches("ipfs://").trim_start_matches("/ipfs/").trim_end_matches('/');
    let (root, below) = text.split_once('/').unwrap_or((text, ""));
    let cid = cid::parse(root).with_context(|| format!("{root:?} is not a CID"))?;
    let encode =
        |name: &str| percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
    let names = below.split('/').filter(|name| !name.is_empty()).map(|name| format!("/{}", encode(name)));
    Ok(format!("/ipfs/{cid}{}", names.collect::<String>()))
}

/// Under its own name the file is whole or not there.
async fn to_file(body: Body, output: &Path, bar: &ProgressBar) -> anyhow::Result<()> {
    let mut name = output.file_name().context("the output has no name")?.to_owned();
    name.push(".part");
    let part = output.with_file_name(name);
    let file = File::create(&part).with_context(|| format!("{} cannot be written", part.display()))?;
    let written = to(body, file, bar).await.and_then(|file| {
        file.sync_all()?;
        Ok(fs::rename(&part, output)?)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.with_context(|| format!("{} was not written", output.display()))
}

/// Writes on a thread of its own, so that reading and writing do not wait for each other.
async fn to<W: Write + Send + 'static>(body: Body, mut out: W, bar: &ProgressBar) -> anyhow::Result<W> {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(WAITING);
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(piece) = receiver.blocking_recv() {
            out.write_all(&piece)?;
        }
        out.flush().map(|()| out)
    });
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.context("the CAR ended in the middle: a block is missing, or the node stopped")?;
        bar.inc(piece.len() as u64);
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    writing.await?.context("it could not be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cid_is_taken_as_people_copy_it() {
        for text in ["bafkqaaa", "/ipfs/bafkqaaa", "ipfs://bafkqaaa/"] {
            assert_eq!(path(text).unwrap(), "/ipfs/bafkqaaa");
        }
        assert_eq!(path("bafkqaaa/a b/ü?").unwrap(), "/ipfs/bafkqaaa/a%20b/%C3%BC%3F");
        assert!(path("film").is_err() && path("").is_err());
    }
}
