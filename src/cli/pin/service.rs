//! `potluck pin service`.
use axum::http::Method;
use clap::{Args, Subcommand};

use crate::cli::control::Control;
use crate::cli::{Format, Place, output};
use crate::facades::native::model::{NewPinService, PinService, PinnedLibrary};

/// Add, list and remove pinning services
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Service {
    /// Add a service, with the token that it gave you
    Add(Add),
    /// List the services, and how the libraries stand that they shall keep
    List(Format),
    /// Forget a service; what it keeps stays there
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// What it shall be called here
    name: String,
    /// Its address, which /pins comes after
    url: String,
    /// Read its token from standard input
    #[arg(long, required = true)]
    token_stdin: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    /// The service's name
    name: String,
}

impl Service {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let node = Control::open(place).await?;
        let done = match self {
            Self::Add(add) => add.run(&node).await,
            Self::List(format) => list(&node, &format).await,
            Self::Remove(remove) => remove.run(&node).await,
        };
        node.close().await;
        done
    }
}

impl Add {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let new = NewPinService { name: self.name, url: self.url, token: output::token()? };
        let made: PinService = node.call(Method::POST, "/api/v1/pin-services", Some(&new)).await?;
        Ok(output::line(format_args!("Added {}. Nothing is pinned there yet: potluck pin remote add ...", made.name))?)
    }
}

impl Remove {
    async fn run(self, node: &Control) -> anyhow::Result<()> {
        let service = super::named(node, &self.name).await?;
        node.call::<()>(Method::DELETE, &format!("/api/v1/pin-services/{}", service.id), None::<&()>).await?;
        Ok(output::line(format_args!("Removed {}. What it keeps stays there.", service.name))?)
    }
}

async fn list(node: &Control, format: &Format) -> anyhow::Result<()> {
    let all = super::services(node).await?;
    if format.json {
        return output::json(&all);
    }
    for service in &all {
        let lost = if service.token_lost { "  (its token is lost: remove it and add it again)" } else { "" };
        output::line(format_args!("{:<20} {}{lost}", service.name, service.url))?;
        for library in &service.libraries {
            output::line(row(library))?;
        }
    }
    if all.is_empty() {
        eprintln!("There are no pinning services yet. Add one: potluck pin service add NAME URL --token-stdin");
    }
    Ok(())
}

fn row(library: &PinnedLibrary) -> String {
    let status = library.status.map_or("unknown", super::remote::word);
    let problem = library.problem.as_ref().map(|problem| format!("  ({problem})")).unwrap_or_default();
    format!("  {:<18} {status:<8} {}{problem}", library.name, library.cid.as_deref().unwrap_or("-"))
}
