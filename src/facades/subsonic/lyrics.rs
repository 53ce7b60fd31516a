//! Lyrics: of the tags, and of a `.lrc` file beside the track.
use super::browse::one_track;
use super::call::{Answer, Call};
use super::fault::Fault;
use super::things::hearer;
use super::tree::Element;
use crate::catalog::music::{Track, Wanted};
use crate::facades::lyrics::of as lyrics;
use crate::media::music::Lyrics;

/// `getLyricsBySongId`
pub(super) async fn of_song(call: Call) -> Result<Answer, Fault> {
    let track = one_track(&call).await?;
    let all = lyrics(&call.app, &track).await?;
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
        Some(track) => lyrics(&call.app, track).await?.first().map(Lyrics::text).unwrap_or_default(),
        None => String::new(),
    };
    Ok(Answer::one("lyrics", element.text(text)))
}
