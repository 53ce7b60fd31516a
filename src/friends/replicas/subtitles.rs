//! Fetches the text subtitles that lie beside a friend's film, to be put beside its replica: as WebVTT, as friends are given them. They
//! are an ornament too. Those that were written here say so in themselves, so that they, and no others, go with the replica.
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{files, pictures};
use crate::friends::Friends;

/// How a file that was written here begins.
const OURS: &str = "WEBVTT\n\nNOTE Kept by Potluck";
/// Bytes of a list at most, and of a subtitle.
const LIST_MAX: u64 = 256 * 1024;
const SIZE_MAX: u64 = 4 * 1024 * 1024;
/// Subtitles of a film at most.
const TRACKS_MAX: usize = 32;

/// What is read of a node's list.
#[derive(Deserialize)]
struct Told {
    tracks: Vec<Track>,
}

#[derive(Deserialize)]
struct Track {
    id: String,
    language: Option<String>,
    name: Option<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    forced: bool,
}

impl Track {
    /// Whether it lies beside the film; what is in it comes along by itself.
    fn is_beside(&self) -> bool {
        let number = self.id.strip_prefix('x');
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    }

    /// What is put behind the name of the film: `.en.forced.vtt`.
    fn ending(&self) -> String {
        let language = self.language.as_deref().filter(|word| is_language(word)).map(|word| format!(".{word}"));
        let sdh = self.name.as_deref() == Some("SDH");
        let words = [(sdh, ".sdh"), (self.default, ".default"), (self.forced, ".forced")];
        let words: String = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        format!("{}{words}.vtt", language.unwrap_or_default())
    }
}

fn is_language(word: &str) -> bool {
    matches!(word.len(), 2 | 3) && word.bytes().all(|b| b.is_ascii_lowercase())
}

/// Puts what lies beside a friend's film beside its replica, except for what is there.
pub(super) async fn put(friends: &Friends, friend: &str, item: &str, film: &Path) {
    let list = format!("/api/v1/items/{item}/subtitles");
    let told = pictures::fetch(friends, friend, &list, LIST_MAX).await;
    let Some(told) = told.and_then(|told| serde_json::from_slice::<Told>(&told).ok()) else { return };
    for track in told.tracks.iter().filter(|track| track.is_beside()).take(TRACKS_MAX) {
        let path = files::beside(film, &track.ending());
        if path.exists() {
            continue;
        }
        let text = pictures::fetch(friends, friend, &format!("{list}/{}.vtt", track.id), SIZE_MAX).await;
        let Some(text) = text.and_then(|text| marked(&text)) else { continue };
        if let Err(error) = tokio::fs::write(&path, text).await {
            tracing::debug!(file.path = %path.display(), %error, "a friend's subtitles could not be kept");
        }
    }
}

/// The text with the words that it was written here; `None` for what is no WebVTT.
fn marked(text: &[u8]) -> Option<String> {
    let rest = std::str::from_utf8(text).ok()?.strip_prefix("WEBVTT")?;
    rest.starts_with("\n\n").then(|| format!("{OURS}{rest}"))
}

/// Those beside a film that were written here. Blocking.
pub(super) fn ours(film: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(stem)) = (film.parent(), film.file_stem().and_then(|stem| stem.to_str())) else {
        return Vec::new();
    };
    let of_film = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        let words = name.and_then(|name| name.strip_prefix(stem)?.strip_suffix(".vtt"));
        words.is_some_and(|words| words.split('.').all(|word| word.is_empty() || is_word(word)))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(of_film).filter(|path| is_ours(path)).collect()
}

fn is_word(word: &str) -> bool {
    is_language(word) || ["sdh", "default", "forced"].contains(&word)
}

fn is_ours(path: &Path) -> bool {
    let mut start = [0; OURS.len()];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *OURS.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(id: &str, language: &str, forced: bool) -> Track {
        let language = Some(language.to_owned());
        Track { id: id.to_owned(), language, name: Some("SDH".to_owned()), default: false, forced }
    }

    #[test]
    fn what_a_friend_tells_names_nothing_but_a_subtitle_of_this_film() {
        assert_eq!(track("x0", "en", true).ending(), ".en.sdh.forced.vtt");
        assert_eq!(track("x0", "../../x", false).ending(), ".sdh.vtt");
        assert!(track("x12", "en", false).is_beside());
        for other in ["s3", "x", "x1/../../status", ""] {
            assert!(!track(other, "en", false).is_beside(), "{other}");
        }
        for other in [&b"<html>"[..], b"WEBVTT", b"WEBVTT\xff\n\n"] {
            assert_eq!(marked(other), None);
        }
    }

    #[test]
    fn what_somebody_else_wrote_or_is_of_another_film_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let text = marked(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n").unwrap();
        for name in ["Film.en.vtt", "Film.2.en.vtt", "Film.vtt", "Film.en.srt"] {
            write(name, &text);
        }
        write("Film.de.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n");
        let mut found = ours(&folder.path().join("Film.mkv"));
        found.sort();
        assert_eq!(found, ["Film.en.vtt", "Film.vtt"].map(|name| folder.path().join(name)));
    }
}
