//! `potluck import`.
use std::path::PathBuf;

use anyhow::Context as _;
use axum::http::Method;
use clap::{Args, Subcommand};

use super::control::Control;
use super::{Format, Place, output, scan};
use crate::facades::native::model::{
    Library, Lines, Matched, MoveInReport, MoveInRequest, MovedLibrary, MovedLibraryState, MovedLists, NewLibrary,
    ScanState,
};
use crate::library::move_in::FolderMap;

/// Lines of a long list that are printed; `--json` has more.
const LINES: usize = 20;

/// Move in from another program
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Take over what Komga keeps: libraries, ids, accounts with passwords and API keys, progress, metadata, collections,
    /// read lists
    Komga(Komga),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  potluck import komga ~/.komga/database.sqlite --dry-run
      says what would be taken over; nothing is changed
  potluck import komga /srv/komga/config/database.sqlite --map /data=/srv
      where Komga ran in a container that saw /srv as /data

Komga's database and files are only read, and Komga may run meanwhile. Folders that are no libraries yet become some, and are
scanned first. Links that readers such as Mihon stored go on working at the same address: see docs/komga.md. It can be done
again at any time: what is newer in Komga is taken, what was changed here since stays.")]
pub(super) struct Komga {
    /// Komga's database.sqlite, which is in its configuration folder
    database: PathBuf,
    /// A folder that Komga knew by another path: OLD=NEW; again for more
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

impl Import {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let Self::Komga(komga) = self;
        komga.run(place).await
    }
}

impl Komga {
    async fn run(self, place: &Place) -> anyhow::Result<()> {
        let database = self.database.canonicalize();
        let database = database.with_context(|| format!("{} cannot be read", self.database.display()))?;
        let database = database.to_str().context("the path of the database must be UTF-8")?.to_owned();
        let wish = MoveInRequest { database, maps: self.map.clone(), dry_run: true };
        let node = Control::open(place).await?;
        let report = self.take(&node, wish).await;
        node.close().await;
        let report = report?;
        if self.format.json { output::json(&report) } else { print(&report) }
    }

    /// Looks first, adds what is new, and then takes over.
    async fn take(&self, node: &Control, wish: MoveInRequest) -> anyhow::Result<MoveInReport> {
        let plan = ask(node, &wish, "Comparing").await?;
        if self.dry_run {
            return Ok(plan);
        }
        let (mut scanned, mut added) = (unscanned(node, &plan).await?, Vec::new());
        for library in plan.libraries.iter().filter(|library| library.state == MovedLibraryState::New) {
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
        let mut report = ask(node, &MoveInRequest { dry_run: false, ..wish }, "Taking over").await?;
        for library in &mut report.libraries {
            if library.library.as_ref().is_some_and(|id| added.contains(id)) {
                library.state = MovedLibraryState::Added;
            }
        }
        Ok(report)
    }
}

async fn ask(node: &Control, wish: &MoveInRequest, doing: &'static str) -> anyhow::Result<MoveInReport> {
    let spinner = output::spinner(doing);
    let report = node.call(Method::POST, "/api/v1/move-in/komga", Some(wish)).await;
    spinner.finish_and_clear();
    report
}

/// Libraries of Komga's that are here and were never looked through.
async fn unscanned(node: &Control, plan: &MoveInReport) -> anyhow::Result<Vec<Library>> {
    let mut all: Vec<Library> = node.get("/api/v1/libraries").await?;
    let theirs = |id: &String| plan.libraries.iter().any(|library| library.library.as_ref() == Some(id));
    all.retain(|library| library.scanned_at.is_none() && theirs(&library.id));
    Ok(all)
}

async fn add(node: &Control, library: &MovedLibrary) -> anyhow::Result<Library> {
    let new =
        NewLibrary { name: library.name.clone(), kind: library.kind, path: library.folder.clone(), visibility: None };
    let made: anyhow::Result<Library> = node.call(Method::POST, "/api/v1/libraries", Some(&new)).await;
    made.with_context(|| format!("the library {} cannot be added", library.name))
}

fn print(report: &MoveInReport) -> anyhow::Result<()> {
    for library in &report.libraries {
        output::line(row(library))?;
    }
    matched("Series", &report.series)?;
    matched("Books", &report.books)?;
    let (fields, people, read) = (&report.metadata, &report.accounts, &report.progress);
    output::line(format_args!(
        "Metadata: {} fields taken over and locked, {} left as the files here tell them",
        fields.taken, fields.left
    ))?;
    output::line(format_args!("Accounts: {} new, {} known", people.added, people.known))?;
    output::line(format_args!("API keys: {} new, {} known", people.keys, people.keys_known))?;
    output::line(format_args!(
        "Progress: {} newer, {} known, {} of what is not here",
        read.taken, read.known, read.not_here
    ))?;
    listed("Collections", &report.collections)?;
    listed("Read lists", &report.read_lists)?;
    let notes = &report.accounts.notes;
    lines("People", &Lines { total: notes.len() as u64, first: notes.clone() })?;
    lines("Not here", &report.not_matched)?;
    lines("Not the same, and left as it is here", &report.conflicts)?;
    let rest = &report.not_carried;
    lines("Not taken over", &Lines { total: rest.len() as u64, first: rest.clone() })?;
    if report.dry_run {
        output::line("Nothing was changed: this is what would be done.")?;
    }
    Ok(())
}

fn row(library: &MovedLibrary) -> String {
    let MovedLibrary { name, root, folder, books, files, .. } = library;
    match library.state {
        MovedLibraryState::Here => format!("Library {name}: is here, at {folder}; {books} books"),
        MovedLibraryState::Added => format!("Library {name}: added, at {folder}; {books} books"),
        MovedLibraryState::New => {
            format!("Library {name}: to be added, at {folder}; {files} of {books} books have their files there")
        }
        MovedLibraryState::Part => {
            format!("Library {name}: {folder} holds or lies in the folder of another library; {books} books")
        }
        MovedLibraryState::Missing if root == folder => {
            format!("Library {name}: there is no folder {folder} here; say where it is: --map {root}=/its/path/here")
        }
        MovedLibraryState::Missing => format!("Library {name}: there is no folder {folder} here, as {root} is mapped"),
    }
}

fn matched(what: &str, m: &Matched) -> std::io::Result<()> {
    let here = m.total.saturating_sub(m.not_here);
    output::line(format_args!(
        "{what}: {here} of {} are here ({} where they were, {} by content, {} by name); {} ids new; {} of Komga's trash",
        m.total, m.by_path, m.by_content, m.by_name, m.ids, m.from_trash
    ))
}

fn listed(what: &str, l: &MovedLists) -> std::io::Result<()> {
    output::line(format_args!(
        "{what}: {} new, {} changed, {} as they were, {} removed here, {} left; {} entries are not here",
        l.added, l.changed, l.same, l.removed, l.refused, l.not_here
    ))
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
