//! `potluck import`: what moving in from any program has in common, and a file for each program.
mod car;
mod komga;
mod navidrome;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::http::Method;
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;

use super::control::Control;
use super::{Format, Place, output, scan};
use crate::facades::native::model::{
    Library, Lines, MoveInRequest, MovedLibrary, MovedLibraryState, MovedLists, NewLibrary, ScanState,
};
use crate::library::move_in::FolderMap;

/// Lines of a long list that are printed; `--json` has more.
const LINES: usize = 20;

/// Move in from another program, or take in a CAR
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Take over what Komga keeps: libraries, ids, accounts with passwords and API keys, progress, metadata, collections,
    /// read lists, covers
    Komga(komga::Komga),
    /// Take over what Navidrome keeps: libraries, accounts, stars, ratings, plays, playlists, bookmarks, queues
    Navidrome(navidrome::Navidrome),
    /// Take in a CAR: keep its content and serve it to this node's people, or put its files into a library
    Car(car::Car),
}

#[derive(Debug, Args)]
struct How {
    /// A folder that the other program knew by another path: OLD=NEW; again for more
    #[arg(long, value_name = "OLD=NEW", value_parser = map)]
    map: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
}

/// Refuses what cannot be understood before anything is done.
fn map(text: &str) -> Result<String, String> {
    FolderMap::parse(text).map(|_| text.to_owned())
}

/// What the node answers.
trait Report: DeserializeOwned {
    /// Of the call.
    const PATH: &'static str;

    fn libraries(&mut self) -> &mut Vec<MovedLibrary>;
}

impl Import {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Komga(komga) => komga.run(place).await,
            Self::Navidrome(navidrome) => navidrome.run(place).await,
            Self::Car(car) => car.run(place).await,
        }
    }
}

impl How {
    async fn take<R: Report>(&self, place: &Place, path: &Path) -> anyhow::Result<R> {
        let database: PathBuf = path.canonicalize().with_context(|| format!("{} cannot be read", path.display()))?;
        let database = database.to_str().context("the path of the database must be UTF-8")?.to_owned();
        let wish = MoveInRequest { database, maps: self.map.clone(), dry_run: true };
        let node = Control::open(place).await?;
        let report = self.through(&node, wish).await;
        node.close().await;
        report
    }

    /// Looks first, adds what is new, and then takes over.
    async fn through<R: Report>(&self, node: &Control, wish: MoveInRequest) -> anyhow::Result<R> {
        let mut plan: R = ask(node, &wish, "Comparing").await?;
        if self.dry_run {
            return Ok(plan);
        }
        let (mut scanned, mut added) = (unscanned(node, plan.libraries()).await?, Vec::new());
        for library in plan.libraries().iter().filter(|library| library.state == MovedLibraryState::New) {
            let made = add(node, library).await?;
            added.push(made.id.clone());
            scanned.push(made);
        }
        if !scanned.is_empty() {
            for (name, ended) in scan::through(node, &scanned).await? {
                if ended.state == ScanState::Failed {
                    eprintln!("The scan of {name} ended early: do the same again to take over what is missing.");
                }
            }
        }
        let mut report: R = ask(node, &MoveInRequest { dry_run: false, ..wish }, "Taking over").await?;
        for library in report.libraries() {
            if library.library.as_ref().is_some_and(|id| added.contains(id)) {
                library.state = MovedLibraryState::Added;
            }
        }
        Ok(report)
    }
}

async fn ask<R: Report>(node: &Control, wish: &MoveInRequest, doing: &'static str) -> anyhow::Result<R> {
    let spinner = output::spinner(doing);
    let report = node.call(Method::POST, R::PATH, Some(wish)).await;
    spinner.finish_and_clear();
    report
}

/// Libraries of the other program that are here and were never looked through.
async fn unscanned(node: &Control, theirs: &[MovedLibrary]) -> anyhow::Result<Vec<Library>> {
    let mut all: Vec<Library> = node.get("/api/v1/libraries").await?;
    let theirs = |id: &String| theirs.iter().any(|library| library.library.as_ref() == Some(id));
    all.retain(|library| library.scanned_at.is_none() && theirs(&library.id));
    Ok(all)
}

async fn add(node: &Control, library: &MovedLibrary) -> anyhow::Result<Library> {
    let new =
        NewLibrary { name: library.name.clone(), kind: library.kind, path: library.folder.clone(), visibility: None };
    let made: anyhow::Result<Library> = node.call(Method::POST, "/api/v1/libraries", Some(&new)).await;
    made.with_context(|| format!("the library {} cannot be added", library.name))
}

/// What is told of a library that holds files of that name.
fn row(library: &MovedLibrary, what: &str) -> String {
    let MovedLibrary { name, root, folder, items, files, .. } = library;
    match library.state {
        MovedLibraryState::Here => format!("Library {name}: is here, at {folder}; {items} {what}"),
        MovedLibraryState::Added => format!("Library {name}: added, at {folder}; {items} {what}"),
        MovedLibraryState::New => {
            format!("Library {name}: to be added, at {folder}; {files} of {items} {what} have their files there")
        }
        MovedLibraryState::Part => {
            format!("Library {name}: {folder} holds or lies in the folder of another library; {items} {what}")
        }
        MovedLibraryState::Missing if root == folder => {
            format!("Library {name}: there is no folder {folder} here; say where it is: --map {root}=/its/path/here")
        }
        MovedLibraryState::Missing => format!("Library {name}: there is no folder {folder} here, as {root} is mapped"),
    }
}

fn listed(what: &str, l: &MovedLists) -> std::io::Result<()> {
    output::line(format_args!(
        "{what}: {} new, {} changed, {} as they were, {} removed here, {} left; {} entries are not here",
        l.added, l.changed, l.same, l.removed, l.refused, l.not_here
    ))
}

/// What a person has to look at.
fn foot(
    notes: &[String],
    not_here: &Lines,
    conflicts: &Lines,
    not_carried: &[String],
    dry_run: bool,
) -> anyhow::Result<()> {
    let whole = |all: &[String]| Lines { total: all.len() as u64, first: all.to_vec() };
    lines("People", &whole(notes))?;
    lines("Not here", not_here)?;
    lines("Not the same, and left as it is here", conflicts)?;
    lines("Not taken over", &whole(not_carried))?;
    if dry_run {
        output::line("Nothing was changed: this is what would be done.")?;
    }
    Ok(())
}

fn lines(what: &str, lines: &Lines) -> std::io::Result<()> {
    if lines.total == 0 {
        return Ok(());
    }
    output::line(format_args!("{what} ({}):", lines.total))?;
    for line in lines.first.iter().take(LINES) {
        output::line(format_args!("  {line}"))?;
    }
    let more = lines.total.saturating_sub(LINES as u64);
    if more > 0 { output::line(format_args!("  and {more} more (--json names up to 1000)")) } else { Ok(()) }
}
