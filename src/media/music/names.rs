//! What the path of an untagged file says: `Artist/Album (1999)/Disc 2/01 - Title.flac` and the like. A guess, to be used
//! only for what the tags leave open.

/// What was made out; what was not is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Of the track where the file's name has one, else of the album.
    pub artist: Option<String>,
    /// Of the album, by its folders.
    pub album_artist: Option<String>,
    /// Title of the album.
    pub album: Option<String>,
    /// Of the album.
    pub year: Option<u16>,
    /// From 1.
    pub disc: Option<u32>,
    /// From 1.
    pub track: Option<u32>,
    /// Never empty for a file that has a name.
    pub title: Option<String>,
}

/// Reads a path below the library's folder, `/` between folders.
#[must_use]
pub fn of_path(path: &str) -> Named {
    let mut folders: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let Some(file) = folders.pop() else { return Named::default() };
    let mut named = Named::default();
    while let Some(disc) = folders.last().and_then(|folder| disc_of(folder)) {
        named.disc = named.disc.or(Some(disc));
        folders.pop();
    }
    if let Some(folder) = folders.pop() {
        named.read_album(folder, folders.pop());
    }
    named.read_file(file);
    named.artist = named.artist.or_else(|| named.album_artist.clone());
    named
}

impl Named {
    fn read_album(&mut self, folder: &str, above: Option<&str>) {
        let (name, year) = without_year(&spaced(folder));
        self.year = year;
        self.album_artist = above.map(spaced);
        let parts = name.split_once(" - ").map(|(artist, album)| (artist.trim(), album.trim()));
        match (parts, &self.album_artist) {
            (Some((artist, album)), Some(above)) if same(artist, above) => self.album = text(album),
            (Some((artist, album)), None) => (self.album_artist, self.album) = (text(artist), text(album)),
            _ => self.album = text(&name),
        }
        // `Artist - 1999 - Album` has its year in the middle.
        if let Some((album, year)) = self.album.as_deref().map(without_year).filter(|(_, year)| year.is_some()) {
            (self.album, self.year) = (text(&album), year.or(self.year));
        }
    }

    fn read_file(&mut self, file: &str) {
        let stem = spaced(file.rsplit_once('.').map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem }));
        let rest = match numbers(&stem) {
            Some((disc, track, rest)) => {
                (self.disc, self.track) = (disc.or(self.disc), Some(track));
                rest
            }
            None => stem.as_str(),
        };
        let parts: Vec<&str> = rest.split(" - ").map(str::trim).filter(|part| !part.is_empty()).collect();
        let number = parts
            .iter()
            .position(|part| is_number(part))
            .filter(|at| self.track.is_none() && at + 1 < parts.len() && *at > 0);
        match (&*parts, number) {
            // `Artist - Album - 01 - Title`.
            (_, Some(at)) => {
                self.track = parts[at].parse().ok();
                self.artist = text(parts[0]);
                self.album = self.album.take().or_else(|| parts[1..at].first().and_then(|album| text(album)));
                self.title = text(&parts[at + 1..].join(" - "));
            }
            ([artist, title @ ..], None) if !title.is_empty() => {
                (self.artist, self.title) = (text(artist), text(&title.join(" - ")));
            }
            _ => self.title = text(rest).or_else(|| text(&stem)),
        }
    }
}

/// Underscores stand for spaces where there are no spaces.
fn spaced(name: &str) -> String {
    let name = name.trim();
    if name.contains(' ') { name.to_owned() } else { name.replace('_', " ").trim().to_owned() }
}

fn text(text: &str) -> Option<String> {
    super::text::line(text, 1000)
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether a folder is called as one of an album's discs is.
#[must_use]
pub fn is_disc_folder(folder: &str) -> bool {
    disc_of(folder).is_some()
}

/// `CD1`, `Disc 2`, `Disk_03`, `cd 1 - Live`.
fn disc_of(folder: &str) -> Option<u32> {
    let lower = folder.trim().to_ascii_lowercase();
    let rest = ["disc", "disk", "cd"].iter().find_map(|word| lower.strip_prefix(word))?;
    let rest = rest.trim_start_matches([' ', '_', '-', '.', '#']);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    let ended = after.is_empty() || after.starts_with([' ', '_', '-', '.', ':', '(', '[']);
    digits.parse().ok().filter(|disc| ended && (1..=99).contains(disc))
}

/// Takes `(1999)` or `[1999]` from either end, `1999 - ` from the front, and other words in square brackets from the back.
fn without_year(name: &str) -> (String, Option<u16>) {
    let mut name = name.trim();
    let mut year = None;
    while let Some((before, inside)) = bracketed_end(name) {
        match (year_of(inside), year) {
            (Some(found), None) => year = Some(found),
            (Some(_), Some(_)) => break,
            (None, _) if name.ends_with(']') => {}
            (None, _) => break,
        }
        name = before;
    }
    if year.is_none() {
        let front = name.get(..6).filter(|front| {
            matches!((front.chars().next(), front.chars().last()), (Some('('), Some(')')) | (Some('['), Some(']')))
        });
        let bare = name.split_once(" - ").filter(|(front, rest)| year_of(front).is_some() && !rest.is_empty());
        if let Some(found) = front.and_then(|front| year_of(&front[1..5])).filter(|_| name.len() > 6) {
            (name, year) = (name[6..].trim_start_matches([' ', '-']), Some(found));
        } else if let Some((front, rest)) = bare {
            (name, year) = (rest, year_of(front));
        }
    }
    (name.trim().to_owned(), year)
}

/// A name and what is in brackets at its end; never leaves an empty name.
fn bracketed_end(name: &str) -> Option<(&str, &str)> {
    let (open, inside) = match name.strip_suffix(')') {
        Some(inside) => ('(', inside),
        None => ('[', name.strip_suffix(']')?),
    };
    let (before, inside) = inside.rsplit_once(open)?;
    (!before.trim().is_empty()).then(|| (before.trim_end(), inside))
}

/// Of a date that begins with it.
fn year_of(text: &str) -> Option<u16> {
    let text = text.trim();
    let whole = text.len() == 4 || (text.len() == 10 && text.as_bytes().get(4) == Some(&b'-'));
    let digits = text.get(..4).filter(|digits| whole && digits.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok().filter(|year| (1860..=2100).contains(year))
}

fn is_number(part: &str) -> bool {
    (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
}

/// Disc, track and what follows: `1-02 Title`, `01 - Title`, `01. Title`, `01 Title`. A number with only a space behind it
/// counts where it is written with a zero in front or is no larger than a disc holds: `99 Luftballons` is a title.
fn numbers(stem: &str) -> Option<(Option<u32>, u32, &str)> {
    let (first, rest) = digits(stem)?;
    let second =
        rest.strip_prefix(['-', '.']).and_then(digits).filter(|(digits, rest)| digits.len() >= 2 && ends(rest));
    if let Some((track, rest)) = second.filter(|_| first.len() <= 2) {
        return Some((first.parse().ok().filter(|disc| *disc > 0), track.parse().ok()?, title(rest)?));
    }
    let number: u32 = first.parse().ok().filter(|number| *number > 0)?;
    let signed = rest.trim_start().starts_with(['-', '.', '_', ')']);
    let counts = signed || (rest.starts_with(' ') && (first.starts_with('0') || (first.len() == 2 && number <= 30)));
    counts.then_some((None, number, title(rest)?))
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (1..=3).contains(&end).then(|| text.split_at(end))
}

fn ends(rest: &str) -> bool {
    rest.starts_with([' ', '-', '.', '_', ')'])
}

fn title(rest: &str) -> Option<&str> {
    let title = rest.trim_start_matches([' ', '-', '.', '_', ')']);
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> (String, String, u16, u32, u32, String) {
        let named = of_path(path);
        let text = |text: Option<String>| text.unwrap_or_default();
        let number = |number: Option<u32>| number.unwrap_or(0);
        (
            text(named.artist),
            text(named.album),
            named.year.unwrap_or(0),
            number(named.disc),
            number(named.track),
            text(named.title),
        )
    }

    fn is(
        artist: &str,
        album: &str,
        year: u16,
        disc: u32,
        track: u32,
        title: &str,
    ) -> (String, String, u16, u32, u32, String) {
        (artist.into(), album.into(), year, disc, track, title.into())
    }

    #[test]
    fn folders_name_artist_album_year_and_disc() {
        assert_eq!(told("Artist/Album (1999)/01 - Title.flac"), is("Artist", "Album", 1999, 0, 1, "Title"));
        assert_eq!(told("x/Artist/1999 - Album/CD1/07. Title.mp3"), is("Artist", "Album", 1999, 1, 7, "Title"));
        assert_eq!(
            told("Artist/[1999] Album [FLAC]/Disc 2 - Live/03 Title.mp3"),
            is("Artist", "Album", 1999, 2, 3, "Title")
        );
        assert_eq!(told("Artist - Album/1-02 Title.mp3"), is("Artist", "Album", 0, 1, 2, "Title"));
        assert_eq!(
            told("Artist/Artist - 1999 - Album/01_Title_Two.ogg"),
            is("Artist", "Album", 1999, 0, 1, "Title Two")
        );
        assert_eq!(
            told("Artist/Album (Live) (1999-05-01)/1.05 - Title.mp3"),
            is("Artist", "Album (Live)", 1999, 1, 5, "Title")
        );
        assert_eq!(told("Artist/1984/01 Title.mp3"), is("Artist", "1984", 0, 0, 1, "Title"));
    }

    #[test]
    fn a_files_name_may_have_an_artist() {
        assert_eq!(told("01. Artist - Title.mp3"), is("Artist", "", 0, 0, 1, "Title"));
        assert_eq!(
            told("Various/Album/12 - Artist - Title - Remix.mp3"),
            is("Artist", "Album", 0, 0, 12, "Title - Remix")
        );
        assert_eq!(told("Artist - Album - 05 - Title.mp3"), is("Artist", "Album", 0, 0, 5, "Title"));
        assert_eq!(of_path("Various/Album/12 - Artist - Title.mp3").album_artist.as_deref(), Some("Various"));
    }

    #[test]
    fn a_number_may_be_part_of_the_title() {
        assert_eq!(told("99 Luftballons.mp3").5, "99 Luftballons");
        assert_eq!(told("7 Rings.mp3").5, "7 Rings");
        assert_eq!(told("1979.mp3").5, "1979");
        assert_eq!(told("01.mp3").5, "01");
        assert_eq!(told("Artist/Album/10 Title.mp3").4, 10);
        assert_eq!(told("Artist/Album/CDs and me/01 x.mp3").1, "CDs and me");
    }

    #[test]
    fn odd_paths_are_no_harm() {
        for path in [
            "",
            "/",
            "...",
            ".mp3",
            "a/.hidden",
            "(1999)/x.mp3",
            "[]/x",
            "äö (ü)/ß - .flac",
            " - .mp3",
            "1-.mp3",
            "CD1/CD2/1.mp3",
            "日本語/音楽 (2001)/01 曲.flac",
        ] {
            let _ = of_path(path);
        }
        assert_eq!(told("(1999)/x.mp3"), is("", "(1999)", 0, 0, 0, "x"));
    }

    proptest::proptest! {
        #[test]
        fn any_path_is_no_harm(path in "[-/ .()\\[\\]_0-9aäCD曲]{0,40}") {
            let _ = of_path(&path);
        }
    }
}
