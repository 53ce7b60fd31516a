//! `potluck library`.
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use axum::http::Method;
use clap::{Args, Subcommand, ValueEnum};

use super::control::{self, Control};
use super::{Format, Place, output};
use crate::catalog::{self, LibraryKind, LibraryState, Visibility};
use crate::facades::native::model;
use crate::node::{Store, usable_folder};

/// Add, list and remove libraries
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  potluck library add Films --kind movies --path /srv/films
  potluck library add Talks --kind videos --path /srv/talks --visibility public
  potluck library list
  potluck library remove Talks")]
pub(super) enum Library {
    /// Make a folder a library. Its files stay where they are and as they are
    Add(Add),
    /// List libraries
    List(Format),
    /// Forget a library and its items. Its files stay where they are
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Its name
    name: String,
    /// What it holds
    #[arg(long)]
    kind: Kind,
    /// Its folder
    #[arg(long)]
    path: PathBuf,
    /// Who may see it: its users, friends' nodes too, or whoever knows a CID
    #[arg(long, default_value = "private")]
    visibility: Seen,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Its name or id
    library: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Films: Name (Year)
    Movies,
    /// Series: S01E02
    Shows,
    /// Anything else that moves
    Videos,
    /// Series of comics: a folder each, with its CBZ, CBR, PDF
    Comics,
    /// Books, in folders of series or alone
    Books,
    /// Music, in albums by tags and in folders
    Music,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Seen {
    Private,
    Friends,
    Public,
}

impl From<Kind> for LibraryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Movies => Self::Movies,
            Kind::Shows => Self::Shows,
            Kind::Videos => Self::Videos,
            Kind::Comics => Self::Comics,
            Kind::Books => Self::Books,
            Kind::Music => Self::Music,
        }
    }
}

impl From<Seen> for Visibility {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::Private => Self::Private,
            Seen::Friends => Self::Friends,
            Seen::Public => Self::Public,
        }
    }
}

impl Library {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(place).await,
            Self::List(format) => list(place, &format).await,
            Self::Remove(remove) => remove.run(place).await,
        }
    }
}

impl Add {
    async fn run(self, place: &Place) -> anyhow::Result<()> {
        let path = std::path::absolute(&self.path).with_context(|| format!("{} is no path", self.path.display()))?;
        let library = match control::running(place).await {
            Some(node) => {
                let path = path
                    .to_str()
                    .ok_or_else(|| anyhow!("a path that is not UTF-8 can be added while the node is stopped"))?;
                let (kind, visibility) = (self.kind.into(), Some(self.visibility.into()));
                let new = model::NewLibrary { name: self.name, kind, path: path.to_owned(), visibility };
                node.call(Method::POST, "/api/v1/libraries", Some(&new)).await?
            }
            None => add_stopped(place, &self.name, self.kind.into(), &path, self.visibility.into()).await?,
        };
        if self.format.json {
            return output::json(&library);
        }
        output::line(format_args!("Added {} ({}).", library.name, library.id))?;
        Ok(())
    }
}

async fn add_stopped(
    place: &Place,
    name: &str,
    kind: LibraryKind,
    path: &Path,
    visibility: Visibility,
) -> anyhow::Result<model::Library> {
    let store = place.store().await?;
    usable_folder(path, store.folder.path())?;
    let library = store.catalog.add_library(name, kind, path, visibility).await?;
    let shape = shape(&store, library).await?;
    store.close().await;
    Ok(shape)
}

/// As the API shows it.
async fn shape(store: &Store, library: catalog::Library) -> anyhow::Result<model::Library> {
    let totals = store.catalog.totals(&library.id).await?;
    Ok(model::Library {
        id: library.id,
        name: library.name,
        kind: library.kind,
        visibility: library.visibility,
        state: library.state,
        path: Some(library.path.display().to_string()),
        items: totals.items,
        bytes: totals.bytes,
        scanned_at: library.scanned_at,
        scan: None,
        friend: None,
    })
}

/// All libraries, from the node or from its data folder.
pub(super) async fn all(place: &Place) -> anyhow::Result<Vec<model::Library>> {
    if let Some(node) = control::running(place).await {
        return node.get("/api/v1/libraries").await;
    }
    let store = place.store().await?;
    let all = of_store(&store).await?;
    store.close().await;
    Ok(all)
}

pub(super) async fn of_store(store: &Store) -> anyhow::Result<Vec<model::Library>> {
    let mut all = Vec::new();
    for library in store.catalog.own_libraries().await? {
        all.push(shape(store, library).await?);
    }
    Ok(all)
}

async fn list(place: &Place, format: &Format) -> anyhow::Result<()> {
    let all = all(place).await?;
    if format.json {
        return output::json(&all);
    }
    for library in &all {
        output::line(row(library))?;
    }
    if all.is_empty() {
        eprintln!("There are no libraries yet. Add one: potluck library add Films --kind movies --path /srv/films");
    }
    Ok(())
}

pub(super) fn row(library: &model::Library) -> String {
    let away = if library.state == LibraryState::Unavailable { "  (its folder is missing or empty)" } else { "" };
    let path = library.path.as_deref().unwrap_or_default();
    let kind = serde_json::to_value(library.kind).ok().and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
    format!(
        "{:<20} {kind:<7} {:>7} items {:>11}  {path}{away}",
        library.name,
        library.items,
        output::bytes(library.bytes)
    )
}

impl Remove {
    async fn run(self, place: &Place) -> anyhow::Result<()> {
        let library = named(&all(place).await?, &self.library)?.clone();
        match control::running(place).await {
            Some(node @ Control::Running(_)) => {
                let path = format!("/api/v1/libraries/{}", library.id);
                node.call::<()>(Method::DELETE, &path, None::<&()>).await?;
            }
            _ => {
                let store = place.store().await?;
                store.catalog.remove_library(&library.id).await?;
                store.close().await;
            }
        }
        output::line(format_args!("Removed {}. Its files are where they were.", library.name))?;
        Ok(())
    }
}

/// The library of a name (without regard to case) or id.
pub(super) fn named<'a>(all: &'a [model::Library], name: &str) -> anyhow::Result<&'a model::Library> {
    let same = |library: &&model::Library| library.id == name || library.name.to_lowercase() == name.to_lowercase();
    all.iter().find(same).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|library| library.name.as_str()).collect();
        anyhow!("there is no library {name:?}; there are: {}", names.join(", "))
    })
}
