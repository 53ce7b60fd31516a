//! Where a video that comes from elsewhere is put below a library's root, and what is written beside it, so that `titles` and
//! `nfo` read what is known of it. Pure.
//!
//! What is known may come from a stranger: whatever it says, the place is one or a few plain names below the root, none of them
//! hidden, special to a system, or too long for a disk.
use std::path::PathBuf;

use super::nfo::Element;
use super::scan::{holds_ending, is_ignored};
use super::titles::is_extra;
use crate::catalog::{ItemKind, LibraryKind, sorting};

/// Bytes of a name at most, without what is put behind it: disks take 255.
const NAME_MAX: usize = 150;
/// What a name gets that would be taken for something else than a film.
const PLAIN: &str = " (film)";

/// A video that is to be put into a library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newcomer {
    /// As shown.
    pub title: String,
    /// Where the title sorts.
    pub sort_title: String,
    /// Of release.
    pub year: Option<i32>,
    /// Of an episode.
    pub show: Option<NewShow>,
    /// 0 holds specials.
    pub season: Option<i32>,
    /// Within its season.
    pub episode: Option<i32>,
    /// Last episode of a file with several.
    pub episode_end: Option<i32>,
    /// A few sentences.
    pub overview: Option<String>,
    /// What it is.
    pub genres: Vec<String>,
    /// What its file is called elsewhere: of a video, only what the ending says is used.
    pub file_name: String,
}

/// The show of an episode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewShow {
    /// As shown.
    pub title: String,
    /// Where the title sorts.
    pub sort_title: String,
    /// Of its first release.
    pub year: Option<i32>,
    /// A few sentences.
    pub overview: Option<String>,
    /// What it is.
    pub genres: Vec<String>,
}

impl Newcomer {
    /// Its place below the root of a library of this kind: the `nth` that may be free, from 1.
    #[must_use]
    pub fn place(&self, kind: LibraryKind, nth: u32) -> PathBuf {
        let place = |mark: &str| {
            let (folders, stem) = self.names(kind, mark);
            let nth = if nth > 1 { format!(" ({nth})") } else { String::new() };
            folders.into_iter().collect::<PathBuf>().join(format!("{stem}{nth}.{}", ending(kind, &self.file_name)))
        };
        let plain = place("");
        if is_extra(kind, &plain) { place(PLAIN) } else { plain }
    }

    /// Folders, and the name without its ending.
    fn names(&self, kind: LibraryKind, mark: &str) -> (Vec<String>, String) {
        match kind {
            LibraryKind::Movies => {
                let name = dated(&self.title, self.year) + mark;
                (vec![name.clone()], name)
            }
            LibraryKind::Shows => self.episode_names(mark),
            LibraryKind::Videos => (Vec::new(), file_name(&self.title) + mark),
            LibraryKind::Comics | LibraryKind::Books | LibraryKind::Music => self.kept_names(mark),
        }
    }

    /// A book or a track keeps its name, in the folder of its series or album.
    fn kept_names(&self, mark: &str) -> (Vec<String>, String) {
        let own = file_name(&self.file_name);
        let stem = own.rsplit_once('.').map_or(own.as_str(), |(stem, _)| stem);
        let stem = if stem.is_empty() { file_name(&self.title) } else { stem.to_owned() };
        (self.show.iter().map(|series| file_name(&series.title)).collect(), stem + mark)
    }

    fn episode_names(&self, mark: &str) -> (Vec<String>, String) {
        let (show, year) = self.show.as_ref().map_or((&self.title, self.year), |show| (&show.title, show.year));
        let folder = dated(show, year) + mark;
        let Some(season) = self.season else { return (vec![folder], file_name(&self.title) + mark) };
        let stem = match (aired(season, self.episode), self.episode, self.episode_end) {
            (Some(date), ..) => format!("{} {date}", file_name(show)),
            (None, Some(first), Some(last)) => format!("{} S{season:02}E{first:02}-E{last:02}", file_name(show)),
            (None, Some(only), None) => format!("{} S{season:02}E{only:02}", file_name(show)),
            (None, None, _) => file_name(&self.title),
        };
        (vec![folder, format!("Season {season:02}")], stem + mark)
    }

    /// What is written beside it, as `NAME.nfo`.
    #[must_use]
    pub fn nfo(&self, kind: LibraryKind) -> String {
        let root = match super::titles::kind_of(kind) {
            ItemKind::Episode => "episodedetails",
            ItemKind::Movie | ItemKind::Video | ItemKind::Show => "movie",
            ItemKind::Series | ItemKind::Book => "book",
            ItemKind::Album | ItemKind::Track => "album",
        };
        let mut element = Element::new(root);
        titled(&mut element, &self.title, &self.sort_title, self.year, self.overview.as_deref(), &self.genres);
        element.field("showtitle", self.show.as_ref().map(|show| &show.title));
        element.field("season", self.season);
        element.field("episode", self.episode);
        element.finish()
    }
}

impl NewShow {
    /// What is written into the folder of the show, as `tvshow.nfo`.
    #[must_use]
    pub fn nfo(&self) -> String {
        let mut element = Element::new("tvshow");
        titled(&mut element, &self.title, &self.sort_title, self.year, self.overview.as_deref(), &self.genres);
        element.finish()
    }
}

fn titled(
    element: &mut Element,
    title: &str,
    sort_title: &str,
    year: Option<i32>,
    overview: Option<&str>,
    genres: &[String],
) {
    element.field("title", Some(title));
    element.field("sorttitle", Some(sort_title).filter(|sort| *sort != sorting::sort_title(title)));
    element.field("year", year);
    element.field("plot", overview);
    for genre in genres {
        element.field("genre", Some(genre));
    }
}

/// A day that numbers say as `titles` does: the year, and month and day as one number.
fn aired(season: i32, episode: Option<i32>) -> Option<jiff::civil::Date> {
    let episode = episode.filter(|_| (1870..=2100).contains(&season))?;
    let [year, month, day] = [season, episode / 100, episode % 100];
    jiff::civil::Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn dated(title: &str, year: Option<i32>) -> String {
    let title = file_name(title);
    year.filter(|year| (1870..=2100).contains(year)).map_or(title.clone(), |year| format!("{title} ({year})"))
}

/// The ending of a file's name; the usual one of its kind where it has none that is known.
fn ending(kind: LibraryKind, name: &str) -> String {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let usual = match kind {
        LibraryKind::Comics | LibraryKind::Books => "cbz",
        LibraryKind::Music => "mp3",
        LibraryKind::Movies | LibraryKind::Shows | LibraryKind::Videos => "mkv",
    };
    ending.filter(|ending| holds_ending(kind, ending)).unwrap_or_else(|| usual.to_owned())
}

/// A text as one plain name of a file or folder, on any disk.
#[must_use]
pub fn file_name(text: &str) -> String {
    let odd = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    // Letters that turn the order of those after them: a name would be read as another one.
    let turning = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let letters: String = text.chars().filter(|c| !turning(*c)).map(|c| if odd(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = letters.split_whitespace().collect();
    let mut name = words.join(" ");
    name.truncate(name.floor_char_boundary(NAME_MAX));
    let name = name.trim_matches(['.', ' ', '~']).to_owned();
    match name.is_empty() {
        true => "Untitled".to_owned(),
        false if is_ignored(name.as_ref()) => name + PLAIN,
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::super::nfo::{self, NfoKind};
    use super::super::titles::{NamedShow, Titles};
    use super::*;

    fn film(title: &str, year: i32) -> Newcomer {
        Newcomer { title: title.to_owned(), year: Some(year), file_name: "x.MP4".to_owned(), ..Newcomer::default() }
    }

    fn episode(season: i32, first: i32, last: Option<i32>) -> Newcomer {
        let show = NewShow { title: "The Long Show".to_owned(), year: Some(2010), ..NewShow::default() };
        Newcomer {
            title: "Once".to_owned(),
            show: Some(show),
            season: Some(season),
            episode: Some(first),
            episode_end: last,
            file_name: "x.mkv".to_owned(),
            ..Newcomer::default()
        }
    }

    #[test]
    fn places_are_those_that_people_use() {
        let place = |newcomer: Newcomer, kind, nth| newcomer.place(kind, nth).to_string_lossy().into_owned();
        assert_eq!(place(film("Film", 2001), LibraryKind::Movies, 1), "Film (2001)/Film (2001).mp4");
        assert_eq!(place(film("Film", 2001), LibraryKind::Movies, 2), "Film (2001)/Film (2001) (2).mp4");
        assert_eq!(place(film("Film", 2001), LibraryKind::Videos, 1), "Film.mp4");
        let shown = [
            (episode(1, 2, None), "The Long Show (2010)/Season 01/The Long Show S01E02.mkv"),
            (episode(0, 12, Some(13)), "The Long Show (2010)/Season 00/The Long Show S00E12-E13.mkv"),
            (episode(2021, 512, None), "The Long Show (2010)/Season 2021/The Long Show 2021-05-12.mkv"),
        ];
        for (newcomer, wanted) in shown {
            assert_eq!(place(newcomer, LibraryKind::Shows, 1), wanted);
        }
    }

    #[test]
    fn what_is_put_somewhere_is_read_as_what_it_was() {
        let titles = Titles::new();
        for newcomer in [episode(1, 2, None), episode(0, 12, Some(13)), episode(2021, 512, None), episode(3, 100, None)]
        {
            let named = titles.read(LibraryKind::Shows, &newcomer.place(LibraryKind::Shows, 1));
            let numbers = (named.season, named.episode, named.episode_end);
            assert_eq!(numbers, (newcomer.season, newcomer.episode, newcomer.episode_end));
            let NamedShow { title, year, .. } = named.show.unwrap();
            assert_eq!((title.as_str(), year), ("The Long Show", Some(2010)));
        }
        let named = titles.read(LibraryKind::Movies, &film("2001: A film", 1968).place(LibraryKind::Movies, 1));
        assert_eq!((named.title.as_str(), named.year), ("2001 A film", Some(1968)));
    }

    #[test]
    fn what_is_written_beside_it_is_read_back() {
        let newcomer = Newcomer {
            overview: Some("First & <last>\u{1}.".to_owned()),
            genres: vec!["Drama".to_owned()],
            sort_title: "zzz".to_owned(),
            ..film("2001: \"A\" film", 1968)
        };
        let (found, warning) = nfo::parse(&newcomer.nfo(LibraryKind::Movies), NfoKind::Movie);
        assert_eq!((found.len(), warning), (1, None));
        assert_eq!(found[0].title.as_deref(), Some("2001: \"A\" film"));
        assert_eq!((found[0].year, found[0].sort_title.as_deref()), (Some(1968), Some("zzz")));
        assert_eq!(found[0].plot.as_deref(), Some("First & <last> ."));
        assert_eq!(found[0].genres, ["Drama"]);
        let (found, _) = nfo::parse(&episode(1, 2, None).nfo(LibraryKind::Shows), NfoKind::Episode);
        assert_eq!((found[0].season, found[0].episode, found[0].title.as_deref()), (Some(1), Some(2), Some("Once")));
    }

    #[test]
    fn names_that_systems_or_scans_mean_otherwise_are_not_used() {
        for (text, wanted) in [
            ("../../etc/passwd", "etc passwd"),
            ("a/b\\c:d", "a b c d"),
            (".hidden", "hidden"),
            ("..", "Untitled"),
            ("\u{0}\n", "Untitled"),
            ("@eaDir", "@eaDir (film)"),
            ("x\u{202e}gpj.mkv", "xgpj.mkv"),
            ("dots...", "dots"),
        ] {
            assert_eq!(file_name(text), wanted, "{text:?}");
        }
        for title in ["Trailer", "film-trailer", "Sample", "Extras"] {
            let newcomer = Newcomer { title: title.to_owned(), ..Newcomer::default() };
            for kind in [LibraryKind::Movies, LibraryKind::Shows] {
                let place = newcomer.place(kind, 1);
                assert!(!is_extra(kind, &place), "{}", place.display());
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_called_it_stays_below_the_root(
            title in "(\\.|/|\\\\|\\PC|\u{0}|\u{202e}|trailer|nul){0,300}", show in "(\\.|/|~|\\PC){0,300}",
            year in any::<Option<i32>>(), numbers in any::<[Option<i32>; 3]>(), name in "(\\.|/|mkv|\\PC){0,20}",
        ) {
            let [season, episode, episode_end] = numbers;
            let show = Some(NewShow { title: show, year, ..NewShow::default() });
            let newcomer = Newcomer { title, year, show, season, episode, episode_end, file_name: name, ..Newcomer::default() };
            for kind in [LibraryKind::Movies, LibraryKind::Shows, LibraryKind::Videos] {
                let place = newcomer.place(kind, 7);
                for part in Path::new(&place).components() {
                    let Component::Normal(part) = part else { panic!("{}", place.display()) };
                    assert!(part.len() < 230 && !is_ignored(part), "{}", place.display());
                    assert!(!part.to_string_lossy().contains(|c: char| c.is_control()), "{}", place.display());
                }
            }
        }
    }
}
