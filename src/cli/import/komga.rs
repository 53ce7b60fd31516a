//! `potluck import komga`.
use std::path::PathBuf;

use clap::Args;

use super::{How, Place, Report, foot, listed, output, row};
use crate::facades::native::model::{Matched, MoveInReport, MovedLibrary};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  potluck import komga ~/.komga/database.sqlite --dry-run
      says what would be taken over; nothing is changed
  potluck import komga /srv/komga/config/database.sqlite --map /data=/srv
      where Komga ran in a container that saw /srv as /data

Komga's database and files are only read, and Komga may run meanwhile. Folders that are no libraries yet become some, and are
scanned first. Links that readers such as Mihon stored go on working at the same address: see docs/komga.md. It can be done
again at any time: what is newer in Komga is taken, what was changed here since stays.")]
pub(in crate::cli) struct Komga {
    /// Komga's database.sqlite, which is in its configuration folder
    database: PathBuf,
    #[command(flatten)]
    how: How,
}

impl Report for MoveInReport {
    const PATH: &'static str = "/api/v1/move-in/komga";

    fn libraries(&mut self) -> &mut Vec<MovedLibrary> {
        &mut self.libraries
    }
}

impl Komga {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let report = self.how.take(place, &self.database).await?;
        if self.how.format.json { output::json(&report) } else { print(&report) }
    }
}

fn print(report: &MoveInReport) -> anyhow::Result<()> {
    for library in &report.libraries {
        output::line(row(library, "books"))?;
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
    let covers = &report.covers;
    output::line(format_args!(
        "Covers: {} taken over, {} known, {} left, {} of what is not here",
        covers.taken, covers.known, covers.refused, covers.not_here
    ))?;
    foot(&report.accounts.notes, &report.not_matched, &report.conflicts, &report.not_carried, report.dry_run)
}

fn matched(what: &str, m: &Matched) -> std::io::Result<()> {
    let here = m.total.saturating_sub(m.not_here);
    output::line(format_args!(
        "{what}: {here} of {} are here ({} where they were, {} by content, {} by name); {} ids new; {} of Komga's trash",
        m.total, m.by_path, m.by_content, m.by_name, m.ids, m.from_trash
    ))
}
