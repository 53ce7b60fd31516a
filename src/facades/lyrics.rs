//! The lyrics of a track: what its tags hold, and what lies in a `.lrc` file beside it.
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::App;
use crate::catalog::CatalogError;
use crate::catalog::music::Track;
use crate::media::music::{Limits, Lyrics, parse_lrc};

/// Bytes of a file of lyrics at most.
const FILE_MAX: u64 = 256 * 1024;

/// Whether there may be some: told without opening a file.
pub(super) fn has(track: &Track) -> bool {
    track.has_lyrics || track.sidecars.iter().any(|name| is_lrc(name))
}

/// What lies beside the track comes first: somebody put it there.
pub(super) async fn of(app: &App, track: &Track) -> Result<Vec<Lyrics>, CatalogError> {
    let beside: Vec<PathBuf> = track.sidecars.iter().map(|name| track.path.with_file_name(name)).collect();
    let read = move || beside.iter().filter_map(|path| read(path)).collect::<Vec<_>>();
    let mut all = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    all.extend(app.node().catalog().lyrics(track.number).await?);
    // With times before without.
    all.sort_by_key(|lyrics| !lyrics.is_synced());
    Ok(all)
}

fn read(path: &Path) -> Option<Lyrics> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if !is_lrc(path) {
        return None;
    }
    // Without O_NONBLOCK a named pipe would hold the thread until someone writes to it.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nonblock).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes).ok()?;
    let lyrics = parse_lrc(&String::from_utf8_lossy(&bytes), &Limits::default());
    (!lyrics.lines.is_empty()).then_some(lyrics)
}

fn is_lrc(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("lrc"))
}
