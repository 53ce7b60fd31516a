//! `potluck import car`.
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Body;
use clap::Args;
use futures_util::StreamExt as _;
use serde::Serialize;
use tokio_util::io::ReaderStream;

use crate::cli::control::Control;
use crate::cli::{Format, Place, library, output, pin, scan};
use crate::facades::native::model;
use crate::library::unpack::{self, CarFile};

/// Bytes that are read at once.
const PIECE: usize = 1024 * 1024;

#[derive(Debug, Args)]
#[command(after_help = "Every block is checked. Of a CAR that is not right, nothing is kept.

Examples:
  potluck import car menu.car                      keeps it, and serves it to this node's people at /ipfs/CID
  potluck import car films.car --library Films     writes its files into the library's folder")]
pub(in crate::cli) struct Car {
    /// The CAR, of version 1 or 2
    file: PathBuf,
    /// Write its files and folders into the folder of this library; nothing there is overwritten
    #[arg(long, value_name = "NAME")]
    library: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// What became of the files.
#[derive(Debug, Serialize)]
struct Unpacked {
    library: String,
    files: Vec<PathBuf>,
    skipped: Vec<String>,
}

impl Car {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let file = File::open(&self.file).with_context(|| format!("{} cannot be read", self.file.display()))?;
        let node = Control::open(place).await?;
        let done = match &self.library {
            Some(name) => self.unpack(&node, name, file).await,
            None => self.keep(&node, file).await,
        };
        node.close().await;
        done
    }

    fn name(&self) -> String {
        self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    async fn keep(&self, node: &Control, file: File) -> anyhow::Result<()> {
        let (bar, length) = (output::byte_bar(), file.metadata()?.len());
        bar.set_length(length);
        let shown = bar.clone();
        let pieces = ReaderStream::with_capacity(tokio::fs::File::from_std(file), PIECE);
        let pieces = pieces.inspect(move |piece| shown.inc(piece.as_ref().map_or(0, |piece| piece.len() as u64)));
        let name = percent_encoding::utf8_percent_encode(&self.name(), percent_encoding::NON_ALPHANUMERIC).to_string();
        let path = format!("/api/v1/pins?name={name}");
        let answer = node.put_in(&path, "application/vnd.ipld.car", Body::from_stream(pieces)).await;
        bar.finish_and_clear();
        let bytes = axum::body::to_bytes(answer?.into_body(), usize::MAX).await?;
        let pin: model::Pin = serde_json::from_slice(&bytes).context("the node's answer is not what was expected")?;
        if self.format.json {
            return output::json(&pin);
        }
        Ok(output::line(pin::row(&pin))?)
    }

    async fn unpack(&self, node: &Control, name: &str, file: File) -> anyhow::Result<()> {
        let all: Vec<model::Library> = node.get("/api/v1/libraries").await?;
        let library = library::named(&all, name)?.clone();
        let folder = library.path.as_deref().context("only a library of this node can be written to")?;
        let (folder, stem) = (PathBuf::from(folder), stem(&self.name()));
        let bar = output::byte_bar();
        bar.set_prefix("Checking");
        bar.set_length(file.metadata()?.len());
        let shown = bar.clone();
        let car = tokio::task::spawn_blocking(move || CarFile::read(file, |read| shown.set_position(read))).await??;
        bar.set_prefix("Writing");
        bar.set_position(0);
        let told = |written: u64, all: u64| {
            bar.set_length(all);
            bar.set_position(written);
        };
        let unpacked = unpack::unpack(&Arc::new(car), &folder, &stem, told).await;
        bar.finish_and_clear();
        let unpacked = unpacked?;
        scan::through(node, std::slice::from_ref(&library)).await?;
        let done = Unpacked { library: library.name, files: unpacked.files, skipped: unpacked.skipped };
        if self.format.json {
            return output::json(&done);
        }
        for file in &done.files {
            output::line(file.display())?;
        }
        for skipped in &done.skipped {
            eprintln!("left out: {skipped}");
        }
        Ok(())
    }
}

/// What a single file within is called: as the CAR is, without its ending.
fn stem(name: &str) -> String {
    let path = Path::new(name);
    let car = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("car"));
    let stem = if car { path.file_stem() } else { path.file_name() };
    stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
