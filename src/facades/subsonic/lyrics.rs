//! Lyrics: of the tags, and of a `.lrc` file beside the track.
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::browse::one_track;
use super::call::{Answer, Call};
use super::fault::Fault;
use super::things::hearer;
use super::tree::Element;
use crate::catalog::music::{Track, Wanted};
use crate::media::music::{Limits, Lyrics, parse_lrc};

/// Bytes of a file of lyrics at most.
const FILE_MAX: u64 = 256 * 1024;

/// `getLyricsBySongId`
pub(super) async fn of_song(call: Call) -> Result<Answer, Fault> {
    let track = one_track(&call).await?;
    let all = lyrics(&call, &track).await?;
    let element = |lyrics: &Lyrics| {
        let lines =
            lyrics.lines.iter().map(|line| Element::new().maybe("start", line.start_ms).text(line.text.as_str()));
        Element::new()
            .with("lang", lyrics.language.clone().unwrap_or_else(|| "xxx".to_owned()))
            .with("synced", lyrics.is_synced())
            .with("displayArtist", track.artist.as_str())
            .with("displayTitle", track.title.as_str())
            .many("line", lines.collect())
    };
    Ok(Answer::one("lyricsList", Element::new().many("structuredLyrics", all.iter().map(element).collect())))
}

/// `getLyrics`: of the song with this title of this artist.
pub(super) async fn named(call: Call) -> Result<Answer, Fault> {
    let told = |name| call.params.one(name);
    let element = Element::new().maybe("artist", told("artist")).maybe("title", told("title"));
    let Some(title) = told("title") else { return Ok(Answer::one("lyrics", element.text(""))) };
    let wanted = Wanted { tracks: (100, 0), ..Wanted::default() };
    let found = call.app.node().catalog().find_music(hearer(&call).await?, title.to_owned(), wanted).await?;
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let fits =
        |track: &&Track| same(&track.title, title) && told("artist").is_none_or(|artist| same(&track.artist, artist));
    let text = match found.tracks.iter().find(fits) {
        Some(track) => lyrics(&call, track).await?.first().map(Lyrics::text).unwrap_or_default(),
        None => String::new(),
    };
    Ok(Answer::one("lyrics", element.text(text)))
}

/// What lies beside the track comes first: somebody put it there.
async fn lyrics(call: &Call, track: &Track) -> Result<Vec<Lyrics>, Fault> {
    let beside: Vec<PathBuf> = track.sidecars.iter().map(|name| track.path.with_file_name(name)).collect();
    let read = move || beside.iter().filter_map(|path| read(path)).collect::<Vec<_>>();
    let mut all = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    all.extend(call.app.node().catalog().lyrics(track.number).await?);
    // With times before without.
    all.sort_by_key(|lyrics| !lyrics.is_synced());
    Ok(all)
}

fn read(path: &Path) -> Option<Lyrics> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("lrc")) {
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
