//! The page of a share: made here whole, with a script and a style that its policy names by their hashes, and nothing from other hosts.
//! Without the script every song is a link that the browser plays by itself.
use std::fmt::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::http::{HeaderName, header};
use data_encoding::BASE64;

use crate::catalog::music::{Share, Track};
use crate::facades::songs::{content_type, suffix};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Codecs that some browser plays as they are; the page asks its own whether it does.
const PLAYED: &[&str] = &["mp3", "aac", "flac", "opus", "vorbis", "pcm"];

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src 'self'; media-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// Of every page of this kind. Nobody keeps one: it may be taken back.
pub(super) fn headers() -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ]
}

/// For a link behind which nothing is, or nothing any more.
pub(super) fn gone() -> String {
    document(
        "Nothing here",
        "<main class=\"gone\"><h1>There is nothing behind this link</h1><p>It may have been taken back, or its time is over.</p></main>",
    )
}

/// With these songs, of which there is one at least.
pub(super) fn of(share: &Share, tracks: &[Track]) -> String {
    let (title, below) = title(share, tracks);
    let first = tracks.first().map_or(0, |track| track.number);
    let id = escaped(&share.id);
    let one_album = tracks.iter().all(|track| track.album.is_some() && track.album == tracks[0].album);
    let mut body = format!(
        "<main><header><img class=\"sleeve\" src=\"{id}/{first}/cover\" width=\"220\" height=\"220\" alt=\"\">\
        <div><h1>{}</h1>",
        escaped(&title)
    );
    for line in below.iter().filter(|line| !line.is_empty()) {
        let _ = write!(body, "<p>{}</p>", escaped(line));
    }
    body.push_str("</div></header><ol>");
    tracks.iter().for_each(|track| body.push_str(&row(&id, track, !one_album)));
    body.push_str(
        "</ol></main><footer><p id=\"now\" aria-live=\"polite\"></p>\
        <audio controls preload=\"none\"></audio></footer>",
    );
    let _ = write!(body, "<script>{SCRIPT}</script>");
    document(&title, &body)
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
        <title>{}</title><style>{STYLE}</style></head><body>{body}</body></html>",
        escaped(title)
    )
}

/// What it is called, and what else there is to say.
fn title(share: &Share, tracks: &[Track]) -> (String, [String; 3]) {
    let same = |of: fn(&Track) -> &str| {
        let first = tracks.first().map_or("", of);
        if tracks.iter().all(|track| of(track) == first) { first.to_owned() } else { String::new() }
    };
    let seconds: f64 = tracks.iter().map(|track| track.seconds).sum();
    let count = if tracks.len() == 1 { "1 song".to_owned() } else { format!("{} songs", tracks.len()) };
    let about = format!("{count}, {}", length(seconds));
    let (title, artist) = match tracks {
        [only] => (only.title.clone(), only.artist.clone()),
        _ => (same(|track| &track.album_title), same(artist_of)),
    };
    match (title.is_empty(), share.description.is_empty()) {
        (true, true) => ("Songs".to_owned(), [artist, about, String::new()]),
        (true, false) => (share.description.clone(), [artist, about, String::new()]),
        (false, _) => (title, [artist, about, share.description.clone()]),
    }
}

/// Whose its album is, as shown.
fn artist_of(track: &Track) -> &str {
    if track.album_artist.is_empty() { &track.artist } else { &track.album_artist }
}

fn row(share: &str, track: &Track, with_cover: bool) -> String {
    let at = format!("{share}/{}", track.number);
    let kind = PLAYED.contains(&track.format.as_str()).then(|| content_type(&suffix(track)));
    let kind = kind.map(|kind| format!(" data-type=\"{kind}\"")).unwrap_or_default();
    let cover = match with_cover {
        true => format!("<img src=\"{at}/cover\" width=\"44\" height=\"44\" loading=\"lazy\" alt=\"\">"),
        false => String::new(),
    };
    format!(
        "<li><a href=\"{at}/file\" data-sound=\"{at}/sound\"{kind}>{cover}<span class=\"name\"><b>{}</b><i>{}</i></span>\
        <time>{}</time></a></li>",
        escaped(&track.title),
        escaped(&track.artist),
        length(track.seconds)
    )
}

/// `3:07`, `1:02:03`.
fn length(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

/// For text and for attributes in quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_as_people_say_them() {
        assert_eq!(["3:07", "0:00", "1:02:03"], [length(187.4), length(-1.0), length(3723.0)]);
    }

    #[test]
    fn the_policy_lets_nothing_but_the_pages_own_run() {
        assert!(!POLICY.contains("unsafe") && POLICY.starts_with("default-src 'none'; script-src 'sha256-"));
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in "\\PC{0,40}|[<>\"'&/= a-z]{0,40}") {
            let out = escaped(&text);
            prop_assert!(!out.contains(['<', '>', '"', '\'']));
            prop_assert_eq!(quick_xml::escape::unescape(&out).unwrap(), text);
        }
    }
}
