//! `potluck import navidrome`.
use std::path::PathBuf;

use clap::Args;

use super::{How, Place, Report, foot, listed, output, row};
use crate::facades::native::model::{MovedLibrary, MovedProgress, MusicMoveInReport};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  potluck import navidrome /var/lib/navidrome/navidrome.db --dry-run
      says what would be taken over; nothing is changed
  potluck import navidrome /srv/navidrome/data/navidrome.db --map /music=/srv/music
      where Navidrome ran in a container that saw /srv/music as /music

Navidrome's database and files are only read, and Navidrome may run meanwhile. Folders that are no libraries yet become some, and
are scanned first. Passwords stay behind: give each account one with `potluck user password`, and the programs of each an app
password: see docs/subsonic.md. It can be done again at any time: what is new in Navidrome is taken, what was changed here since
stays.")]
pub(in crate::cli) struct Navidrome {
    /// Navidrome's navidrome.db, which is in its data folder
    database: PathBuf,
    #[command(flatten)]
    how: How,
}

impl Report for MusicMoveInReport {
    const PATH: &'static str = "/api/v1/move-in/navidrome";

    fn libraries(&mut self) -> &mut Vec<MovedLibrary> {
        &mut self.libraries
    }
}

impl Navidrome {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let report = self.how.take(place, &self.database).await?;
        if self.how.format.json { output::json(&report) } else { print(&report) }
    }
}

fn print(report: &MusicMoveInReport) -> anyhow::Result<()> {
    for library in &report.libraries {
        output::line(row(library, "tracks"))?;
    }
    let (t, people, o) = (&report.tracks, &report.accounts, &report.opinions);
    output::line(format_args!(
        "Tracks: {} of {} are here ({} where they were, {} by MusicBrainz, {} by tags); {} more that Navidrome misses",
        t.total.saturating_sub(t.not_here),
        t.total,
        t.by_path,
        t.by_musicbrainz,
        t.by_tags,
        t.missing_there
    ))?;
    output::line(format_args!("Accounts: {} new, {} known", people.added, people.known))?;
    output::line(format_args!(
        "Opinions: {} stars, {} ratings and {} plays taken over; {} known, {} of what is not here",
        o.stars, o.ratings, o.plays, o.known, o.not_here
    ))?;
    listed("Playlists", &report.playlists)?;
    progress("Bookmarks", &report.bookmarks)?;
    progress("Queues", &report.queues)?;
    foot(&report.accounts.notes, &report.not_matched, &report.conflicts, &report.not_carried, report.dry_run)
}

fn progress(what: &str, p: &MovedProgress) -> std::io::Result<()> {
    output::line(format_args!("{what}: {} newer, {} known, {} of what is not here", p.taken, p.known, p.not_here))
}
