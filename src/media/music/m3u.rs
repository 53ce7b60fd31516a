//! Playlists: `.m3u` and `.m3u8`. There is no standard but what players write: a line for each file, and lines with `#` in
//! front that say more. Text is UTF-8 where it is that, else Latin-1, whatever the ending.
use super::text;

/// How much of a playlist is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaylistLimits {
    /// Bytes of the whole; more are an error. Default 16 MiB.
    pub bytes: usize,
    /// Entries; more are an error. Default 100,000.
    pub entries: usize,
    /// Characters of a path or title. A longer path is no path and left out, a longer title is cut. Default 4,096.
    pub line_chars: usize,
}

impl Default for PlaylistLimits {
    fn default() -> Self {
        Self { bytes: 16 * 1024 * 1024, entries: 100_000, line_chars: 4096 }
    }
}

/// Why a playlist is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaylistError {
    /// More bytes than the limit allows.
    #[error("the playlist has {bytes} bytes, more than {max}")]
    TooLarge {
        /// As it has.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// More entries than the limit allows.
    #[error("the playlist has more than {max} entries")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// There are zeros in it, as in no text.
    #[error("this is not a playlist")]
    NotAPlaylist,
}

/// Where an entry is. Folders are divided by `/`, whatever the playlist has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// From the playlist's own folder on; may begin with `../`.
    Relative(String),
    /// From a root: `/music/a.mp3`, `C:/music/a.mp3`, `//server/share/a.mp3`.
    Absolute(String),
    /// An address on the net, as written.
    Url(String),
}

/// One line of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the music is.
    pub place: Place,
    /// As it is shown, often `Artist - Title`.
    pub title: Option<String>,
    /// Seconds; absent where it is not known.
    pub duration: Option<f64>,
}

/// A playlist.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Playlist {
    /// Its own.
    pub name: Option<String>,
    /// In order; one may be there more than once.
    pub entries: Vec<Entry>,
}

/// Reads a playlist.
///
/// # Errors
/// [`PlaylistError`].
pub fn parse(bytes: &[u8], limits: &PlaylistLimits) -> Result<Playlist, PlaylistError> {
    if bytes.len() > limits.bytes {
        return Err(PlaylistError::TooLarge { bytes: bytes.len(), max: limits.bytes });
    }
    let text = decoded(bytes).ok_or(PlaylistError::NotAPlaylist)?;
    let mut playlist = Playlist::default();
    let (mut title, mut duration) = (None, None);
    for line in text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            if let Some(info) = after_word(comment, "EXTINF:") {
                (duration, title) = information(info, limits);
            } else if let Some(name) = after_word(comment, "PLAYLIST:") {
                playlist.name = playlist.name.or_else(|| text::line(name, limits.line_chars));
            }
            continue;
        }
        let about = (title.take(), duration.take());
        let Some(place) = place(line).filter(|_| line.chars().count() <= limits.line_chars) else { continue };
        if playlist.entries.len() == limits.entries {
            return Err(PlaylistError::TooMany { max: limits.entries });
        }
        playlist.entries.push(Entry { place, title: about.0, duration: about.1 });
    }
    Ok(playlist)
}

fn decoded(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| number(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => std::str::from_utf8(bytes)
            .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned),
    };
    (!text.contains('\0')).then_some(text)
}

fn after_word<'a>(comment: &'a str, word: &str) -> Option<&'a str> {
    let (front, rest) = comment.split_at_checked(word.len())?;
    front.eq_ignore_ascii_case(word).then(|| rest.trim())
}

/// `123,Artist - Title`, perhaps with `key="value"` behind the number. -1 and 0 mean that nobody knows.
fn information(info: &str, limits: &PlaylistLimits) -> (Option<f64>, Option<String>) {
    let mut quoted = false;
    let comma = info.find(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let (about, title) = comma.map_or((info, ""), |comma| (&info[..comma], &info[comma + 1..]));
    let seconds = about.split_whitespace().next().and_then(|seconds| seconds.parse::<f64>().ok());
    (seconds.filter(|seconds| *seconds > 0.0 && seconds.is_finite()), text::line(title, limits.line_chars))
}

fn place(line: &str) -> Option<Place> {
    if let Some((scheme, rest)) = line.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
        if !scheme.eq_ignore_ascii_case("file") {
            return Some(Place::Url(line.to_owned()));
        }
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        let path = unescaped(path);
        // `file:///C:/music`.
        let drive = path.strip_prefix('/').filter(|path| is_drive(path));
        return absolute(drive.unwrap_or(&path));
    }
    let path = line.replace('\\', "/");
    if path.starts_with('/') || is_drive(&path) { absolute(&path) } else { relative(&path) }
}

fn is_scheme(word: &str) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    word.len() > 1 && word.bytes().all(sign) && word.as_bytes()[0].is_ascii_alphabetic()
}

fn is_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

fn absolute(path: &str) -> Option<Place> {
    let share = if path.starts_with("//") { "/" } else { "" };
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts = plain_parts(path, false);
    (!parts.is_empty()).then(|| Place::Absolute(format!("{share}{root}{}", parts.join("/"))))
}

fn relative(path: &str) -> Option<Place> {
    let parts = plain_parts(path, true);
    parts.last().filter(|last| **last != "..").map(|_| Place::Relative(parts.join("/")))
}

/// Without `.`, empty parts, and as much of `..` as can be.
fn plain_parts(path: &str, keeps_up: bool) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", None | Some(&"..")) if keeps_up => parts.push(part),
            ("..", _) => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts
}

/// `%20` and the like (RFC 3986, section 2.1).
fn unescaped(path: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(path.len()), path.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<Place> {
        parse(text.as_bytes(), &PlaylistLimits::default())
            .unwrap()
            .entries
            .into_iter()
            .map(|entry| entry.place)
            .collect()
    }

    fn relative(path: &str) -> Place {
        Place::Relative(path.to_owned())
    }

    fn absolute(path: &str) -> Place {
        Place::Absolute(path.to_owned())
    }

    #[test]
    fn entries_have_titles_and_lengths() {
        let text = "\u{feff}#EXTM3U\r\n#PLAYLIST: Mine\r\n#EXTINF:123,Artist - Title\r\na.mp3\r\n\r\nb.mp3\n#EXTINF:-1 logo=\"x,y\",Radio\nhttp://example.org/live";
        let playlist = parse(text.as_bytes(), &PlaylistLimits::default()).unwrap();
        assert_eq!(playlist.name.as_deref(), Some("Mine"));
        let told: Vec<_> = playlist.entries.iter().map(|entry| (entry.title.as_deref(), entry.duration)).collect();
        assert_eq!(told, [(Some("Artist - Title"), Some(123.0)), (None, None), (Some("Radio"), None)]);
        assert_eq!(playlist.entries[2].place, Place::Url("http://example.org/live".into()));
    }

    #[test]
    fn paths_of_every_system_are_understood() {
        let text = "./a/../b c.mp3\n../x\\y.mp3\n/music/a.mp3\nC:\\Music\\a.mp3\n\\\\server\\share\\a.mp3\nfile:///m/a%20b%C3%A9.mp3\nfile:///C:/a.mp3";
        let wanted = [
            relative("b c.mp3"),
            relative("../x/y.mp3"),
            absolute("/music/a.mp3"),
            absolute("C:/Music/a.mp3"),
            absolute("//server/share/a.mp3"),
            absolute("/m/a bé.mp3"),
            absolute("C:/a.mp3"),
        ];
        assert_eq!(places(text), wanted);
        assert_eq!(places("..\n.\n/\n100%.mp3\n/../../etc/x"), [relative("100%.mp3"), absolute("/etc/x")]);
    }

    #[test]
    fn old_playlists_are_latin_1() {
        let playlist = parse(b"Bj\xf6rk.mp3\n", &PlaylistLimits::default()).unwrap();
        assert_eq!(playlist.entries[0].place, relative("Björk.mp3"));
        let wide: Vec<u8> = "\u{feff}Björk.mp3".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&wide, &PlaylistLimits::default()).unwrap().entries[0].place, relative("Björk.mp3"));
    }

    #[test]
    fn limits_are_kept() {
        let limits = PlaylistLimits { bytes: 20, entries: 2, line_chars: 4 };
        assert_eq!(parse(b"a\nb\nc", &limits), Err(PlaylistError::TooMany { max: 2 }));
        assert_eq!(parse(&[b'a'; 21], &limits), Err(PlaylistError::TooLarge { bytes: 21, max: 20 }));
        assert_eq!(parse(b"a\0b", &limits), Err(PlaylistError::NotAPlaylist));
        assert_eq!(parse(b"longer\na", &limits).unwrap().entries.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_no_harm(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), text in "[#EXTINF:,%./\\\\C\n a0\"]{0,80}") {
            let _ = parse(&bytes, &PlaylistLimits::default());
            let _ = parse(text.as_bytes(), &PlaylistLimits::default());
        }
    }
}
