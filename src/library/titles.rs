//! What a path says of a video: its title, year, show, season and episode.
//!
//! Names that people keep well (`Name (Year)`, folders for shows and seasons) are read here, exactly as typed. What is
//! left, release names and numbering in all its forms, is read by the `hunch` crate, which only this file names.
//! Pure: no file is opened.
use std::path::{Component, Path, PathBuf};

use hunch::{HunchResult, Pipeline, Property};

use super::scan::book_stem;
use crate::catalog::record::{BookNumber, NamedMusic};
use crate::catalog::sorting::fold;
use crate::catalog::{ItemKind, LibraryKind};
use crate::media::book::BookName;
use crate::media::music;

/// What was read from a path.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Named {
    pub title: String,
    pub year: Option<i32>,
    pub show: Option<NamedShow>,
    pub season: Option<i32>,
    pub episode: Option<i32>,
    pub episode_end: Option<i32>,
    /// Of a book.
    pub number: Option<BookNumber>,
    /// Of a track.
    pub music: Option<NamedMusic>,
}

/// The show that a path puts an episode in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedShow {
    /// As a person reads it.
    pub title: String,
    pub year: Option<i32>,
    /// The show's own folder below the library's root.
    pub folder: Option<PathBuf>,
    /// A series of books: its folder is all that tells it from others.
    pub series: bool,
}

impl NamedShow {
    /// What two spellings of one show in one library have in common.
    pub fn key(&self) -> String {
        if let (true, Some(folder)) = (self.series, &self.folder) {
            return format!("/{}", folder.to_string_lossy());
        }
        let name: String = fold(&self.title).chars().filter(|c| c.is_alphanumeric()).collect();
        let name = if name.is_empty() { fold(&self.title) } else { name };
        format!("{name}|{}", self.year.map(|year| year.to_string()).unwrap_or_default())
    }
}

/// The kind of item that a library of this kind holds.
pub(super) fn kind_of(library: LibraryKind) -> ItemKind {
    match library {
        LibraryKind::Movies => ItemKind::Movie,
        LibraryKind::Shows => ItemKind::Episode,
        LibraryKind::Videos => ItemKind::Video,
        LibraryKind::Comics | LibraryKind::Books => ItemKind::Book,
        LibraryKind::Music => ItemKind::Track,
    }
}

/// Reads names. Making one compiles its patterns; keep it.
pub(super) struct Titles {
    pipeline: Pipeline,
}

impl Titles {
    pub fn new() -> Self {
        Self { pipeline: Pipeline::new() }
    }

    /// What the place of a video, below the root of a library of this kind, says of it.
    pub fn read(&self, kind: LibraryKind, place: &Path) -> Named {
        let folders = folders_of(place);
        let stem = lossy(if kind.is_read() { place.file_name().map(book_stem) } else { place.file_stem() });
        match kind {
            LibraryKind::Movies => self.movie(&folders, &stem),
            LibraryKind::Shows => self.episode(place, &folders, &stem),
            LibraryKind::Videos => video(&stem),
            LibraryKind::Comics | LibraryKind::Books => book(place, &folders, &stem),
            LibraryKind::Music => track(place),
        }
    }

    fn movie(&self, folders: &[String], stem: &str) -> Named {
        let well_kept = with_year(stem).or_else(|| folders.last().and_then(|folder| with_year(folder)));
        if let Some((title, year, _)) = well_kept {
            let part = part_of(stem).map(|n| format!(", part {n}")).unwrap_or_default();
            return Named { title: title + &part, year: Some(year), ..Named::default() };
        }
        let guess = self.pipeline.run(&format!("{stem}.mkv"));
        let title = guess.title().filter(|_| !guess.is_episode()).map_or_else(|| clean(stem), clean);
        let title = or_else_name(title, stem);
        let part = guess.part().map(|n| format!(", part {n}")).unwrap_or_default();
        Named { title: title + &part, year: guess.year().filter(|y| YEARS.contains(y)), ..Named::default() }
    }

    fn episode(&self, place: &Path, folders: &[String], stem: &str) -> Named {
        let context = folders.last().map(|folder| format!("{folder}/")).unwrap_or_default();
        let guess = self.pipeline.run(&format!("{context}{stem}.mkv"));
        let own = self.pipeline.run(&format!("{stem}.mkv"));
        let season_folder = folders.iter().rposition(|folder| season_of(folder).is_some());
        let mut season = own.season().or_else(|| season_folder.and_then(|at| season_of(&folders[at])));
        let (mut episode, mut episode_end) = episodes(&own);
        if episode.is_none() {
            (episode, episode_end) = episodes(&guess);
        }
        let date = own.date().filter(|_| own.season().is_none());
        let aired = date.and_then(|date| date.parse::<jiff::civil::Date>().ok());
        if let Some(aired) = aired {
            season = Some(i32::from(aired.year()));
            episode = Some(i32::from(aired.month()) * 100 + i32::from(aired.day()));
            episode_end = None;
        }
        let show = self.show(place, folders, season_folder, &own);
        let written = own.episode_title().or(guess.episode_title()).map(clean).filter(|title| !title.is_empty());
        let title = written.unwrap_or_else(|| match (aired, episode, episode_end) {
            (Some(aired), ..) => aired.to_string(),
            (None, Some(first), Some(last)) => format!("Episodes {first}–{last}"),
            (None, Some(only), None) => format!("Episode {only}"),
            (None, None, _) => or_else_name(clean(stem), stem),
        });
        // A number without a season is one of the first, as Kodi reads it.
        let season = season.or_else(|| episode.map(|_| 1));
        Named { title, year: None, show: Some(show), season, episode, episode_end, ..Named::default() }
    }

    /// The show's folder is above the season's, or else the nearest one that names no episode or season itself.
    fn show(&self, place: &Path, folders: &[String], season_folder: Option<usize>, own: &HunchResult) -> NamedShow {
        let above = season_folder.unwrap_or(folders.len());
        let at = (0..above).rev().find(|at| !self.names_an_episode(&folders[*at]));
        if let Some(at) = at {
            let folder: PathBuf = place.components().take(at + 1).collect();
            let (title, year) = match with_year(&folders[at]) {
                Some((title, year, _)) => (title, Some(year)),
                None => (clean(&folders[at]), None),
            };
            return NamedShow { title, year, folder: Some(folder), series: false };
        }
        // No folder of its own: the file's name, then the folder of a released season.
        let guess = folders.first().map(|folder| self.pipeline.run(&format!("{folder}.mkv")));
        let named = own.title().or_else(|| guess.as_ref().and_then(|guess| guess.title())).map(clean);
        let title = named.filter(|title| !title.is_empty()).unwrap_or_else(|| "Unsorted episodes".to_owned());
        NamedShow {
            title,
            year: own.year().filter(|y| YEARS.contains(y) && own.date().is_none()),
            folder: None,
            series: false,
        }
    }

    fn names_an_episode(&self, folder: &str) -> bool {
        let lower = folder.to_lowercase();
        let numbered = lower.match_indices('s').any(|(at, _)| {
            let before = lower[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            before && lower[at + 1..].starts_with(|c: char| c.is_ascii_digit())
        });
        numbered && self.pipeline.run(&format!("{folder}.mkv")).season().is_some()
    }
}

/// Years that a film can be of. Others are part of a title.
const YEARS: std::ops::RangeInclusive<i32> = 1870..=2100;

/// A plain video is called what its file is called.
fn video(stem: &str) -> Named {
    match with_year(stem) {
        Some((title, year, "")) => Named { title, year: Some(year), ..Named::default() },
        _ => Named { title: or_else_name(stem.replace('_', " ").trim().to_owned(), stem), ..Named::default() },
    }
}

/// A book is in the series of its folder; one that lies alone is a series of its own.
fn book(place: &Path, folders: &[String], stem: &str) -> Named {
    const ALONE: &str = "_oneshots";
    let alone = folders.last().is_none_or(|folder| folder.eq_ignore_ascii_case(ALONE));
    let series = folders.last().filter(|_| !alone).map(String::as_str);
    let read = BookName::parse(stem);
    let show = NamedShow {
        title: series.map_or_else(|| stem.to_owned(), ToOwned::to_owned),
        year: None,
        folder: if alone { Some(place.to_owned()) } else { place.parent().map(Path::to_owned) },
        series: true,
    };
    let number = read.number.zip(read.sort).map(|(text, sort)| BookNumber { text, sort: sort.into() });
    Named { title: or_else_name(read.title, stem), show: Some(show), number, ..Named::default() }
}

/// A track: by its name, in the folder of its album, in that of its artist.
fn track(place: &Path) -> Named {
    let named = music::named_by_path(&place.to_string_lossy());
    let number = |n: Option<u32>| n.and_then(|n| n.try_into().ok());
    Named {
        title: or_else_name(named.title.unwrap_or_default(), &lossy(place.file_stem())),
        season: number(named.disc),
        episode: number(named.track),
        music: Some(NamedMusic {
            artist: named.artist,
            album: named.album,
            album_artist: named.album_artist,
            year: named.year.map(i32::from),
        }),
        ..Named::default()
    }
}

/// First and last episode of a file.
fn episodes(guess: &HunchResult) -> (Option<i32>, Option<i32>) {
    let numbers =
        guess.all(Property::Episode).into_iter().filter_map(|n| n.parse().ok()).filter(|n| (0..10_000).contains(n));
    let numbers: Vec<i32> = numbers.collect();
    let (first, last) = (numbers.iter().min().copied(), numbers.iter().max().copied());
    (first, last.filter(|last| Some(*last) != first))
}

/// `Name (Year) rest`, also in brackets.
fn with_year(name: &str) -> Option<(String, i32, &str)> {
    for (at, _) in name.match_indices(['(', '[']) {
        let year = name.get(at + 1..at + 5).filter(|year| year.bytes().all(|b| b.is_ascii_digit()));
        let closed = name[at + 1..].get(4..).is_some_and(|rest| rest.starts_with([')', ']']));
        let (Some(year), true) = (year.and_then(|year| year.parse().ok()), closed) else { continue };
        let title = clean(&name[..at]);
        if !title.is_empty() && YEARS.contains(&year) {
            return Some((title, year, name[at + 6..].trim()));
        }
    }
    None
}

/// The number of a film's part, `cd1`, `part 2`, at the end of a name.
fn part_of(stem: &str) -> Option<u32> {
    let lower = stem.to_lowercase();
    let digits = lower.len() - lower.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (before, number) = lower.split_at(lower.len() - digits);
    let word = before.trim_end_matches([' ', '.', '_', '-']);
    let known = ["cd", "dvd", "disc", "disk", "part", "pt"].iter().any(|mark| {
        let rest = word.strip_suffix(mark);
        rest.is_some_and(|rest| rest.ends_with([' ', '.', '_', '-', '(', '[']))
    });
    if known { number.parse().ok() } else { None }
}

/// The season that a folder stands for. Specials are season 0.
fn season_of(folder: &str) -> Option<i32> {
    let lower = fold(folder);
    let name = lower.trim();
    if ["specials", "special"].contains(&name) {
        return Some(0);
    }
    let words = ["season", "series", "staffel", "saison", "temporada", "stagione", "seizoen", "sasong", "s"];
    let rest = words.iter().find_map(|word| name.strip_prefix(word))?;
    let number = rest.trim_start_matches([' ', '.', '_', '-']);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    // `Season 1 (2005)` is one; `S01E02` and `Series of dreams` are not.
    let ends = number[digits..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    if ends { number[..digits].parse().ok() } else { None }
}

/// Dots and underscores that stand for spaces become such; doubled spaces and dangling dashes go.
fn clean(name: &str) -> String {
    let spaced = if name.contains(' ') { name.replace('_', " ") } else { name.replace(['.', '_'], " ") };
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.join(" ").trim_matches(['-', ' ']).to_owned()
}

fn or_else_name(title: String, stem: &str) -> String {
    match (title.is_empty(), stem.is_empty()) {
        (false, _) => title,
        (true, false) => stem.to_owned(),
        (true, true) => "Untitled".to_owned(),
    }
}

fn folders_of(place: &Path) -> Vec<String> {
    let parent = place.parent().unwrap_or(Path::new(""));
    let names = parent.components().filter_map(|part| match part {
        Component::Normal(name) => Some(lossy(Some(name))),
        _ => None,
    });
    names.collect()
}

fn lossy(name: Option<&std::ffi::OsStr>) -> String {
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a video is not an item of its own but a trailer, sample or extra of one, by Kodi's and Jellyfin's names.
/// A library of plain videos has no such thing.
pub(super) fn is_extra(kind: LibraryKind, place: &Path) -> bool {
    const FOLDERS: &[&str] = &[
        "behind the scenes",
        "deleted scenes",
        "extra",
        "extras",
        "featurette",
        "featurettes",
        "interview",
        "interviews",
        "sample",
        "samples",
        "scenes",
        "shorts",
        "trailer",
        "trailers",
    ];
    const ENDINGS: &[&str] = &[
        "-behindthescenes",
        "-deleted",
        "-deletedscene",
        "-extra",
        "-featurette",
        "-interview",
        "-sample",
        "-scene",
        "-short",
        "-trailer",
    ];
    if kind == LibraryKind::Videos || kind.is_read() || kind.is_heard() {
        return false;
    }
    let stem = lossy(place.file_stem()).to_lowercase();
    let inner = folders_of(place).into_iter().skip(1).any(|folder| FOLDERS.contains(&folder.to_lowercase().as_str()));
    inner || ["sample", "trailer"].contains(&stem.as_str()) || ENDINGS.iter().any(|ending| stem.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movie(place: &str) -> (String, Option<i32>) {
        let named = Titles::new().read(LibraryKind::Movies, Path::new(place));
        (named.title, named.year)
    }

    /// Show, year, season, first and last episode, title.
    fn episode(place: &str) -> (String, Option<i32>, Option<i32>, Option<i32>, Option<i32>, String) {
        let named = Titles::new().read(LibraryKind::Shows, Path::new(place));
        let show = named.show.unwrap();
        (show.title, show.year, named.season, named.episode, named.episode_end, named.title)
    }

    #[test]
    fn films_are_named_by_name_and_year() {
        let cases: &[(&str, &str, Option<i32>)] = &[
            ("Big Buck Bunny (2008).mkv", "Big Buck Bunny", Some(2008)),
            ("Blade Runner 2049 (2017) [1080p].mkv", "Blade Runner 2049", Some(2017)),
            ("2001 A Space Odyssey (1968).mkv", "2001 A Space Odyssey", Some(1968)),
            ("1917 (2019)/1917.mkv", "1917", Some(2019)),
            ("Some Film (2010)/film.mkv", "Some Film", Some(2010)),
            ("Some Film (2010)/Some.Film.2010.1080p.BluRay.x264-GRP.mkv", "Some Film", Some(2010)),
            ("The.Matrix.1999.1080p.mkv", "The Matrix", Some(1999)),
            ("Amélie.mkv", "Amélie", None),
            ("Film (2010) {imdb-tt123}.mkv", "Film", Some(2010)),
            ("Long Film (1965) - part2.mkv", "Long Film, part 2", Some(1965)),
            ("(500) Days of Summer (2009).mkv", "(500) Days of Summer", Some(2009)),
            ("?.mkv", "?", None),
        ];
        for (place, title, year) in cases {
            assert_eq!(movie(place), ((*title).to_owned(), *year), "{place}");
        }
    }

    #[test]
    fn episodes_are_found_in_all_usual_forms() {
        let cases: &[(&str, &str, Option<i32>, i32, i32, Option<i32>, &str)] = &[
            ("Show/Season 01/Show - S01E02 - The Title.mkv", "Show", None, 1, 2, None, "The Title"),
            ("Show (2005)/Season 4/Show (2005) - s04e01 - Crime.mkv", "Show", Some(2005), 4, 1, None, "Crime"),
            ("The Office (US)/Season 3/The Office (US) S03E04 Grief.mkv", "The Office (US)", None, 3, 4, None, "Grief"),
            ("Show/Season 1/01 - Pilot.mkv", "Show", None, 1, 1, None, "Pilot"),
            ("Show/Season 2/E05.mkv", "Show", None, 2, 5, None, "Episode 5"),
            ("Show/Specials/Show S00E01.mkv", "Show", None, 0, 1, None, "Episode 1"),
            ("Show/Show - 1x02 - Name.avi", "Show", None, 1, 2, None, "Name"),
            ("Show/Show.S01E01-E02.mkv", "Show", None, 1, 1, Some(2), "Episodes 1–2"),
            ("Show/Show.S01E01E02.mkv", "Show", None, 1, 1, Some(2), "Episodes 1–2"),
            ("Show S01E01-03.mkv", "Show", None, 1, 1, Some(3), "Episodes 1–3"),
            ("Daily/Daily.2024.03.05.mkv", "Daily", None, 2024, 305, None, "2024-03-05"),
            ("Great.Show.S02E07.720p.mkv", "Great Show", None, 2, 7, None, "Episode 7"),
            ("Great.Show.S02.1080p.WEB/Great.Show.S02E07.1080p.WEB.mkv", "Great Show", None, 2, 7, None, "Episode 7"),
            ("Drama/Great Show/Staffel 2/S02E07.mkv", "Great Show", None, 2, 7, None, "Episode 7"),
        ];
        for (place, show, year, season, first, last, title) in cases {
            let wanted = ((*show).to_owned(), *year, Some(*season), Some(*first), *last, (*title).to_owned());
            assert_eq!(episode(place), wanted, "{place}");
        }
    }

    #[test]
    fn a_video_without_a_number_is_still_of_its_folders_show() {
        let (show, _, season, first, _, title) = episode("Show/A talk.mkv");
        assert_eq!((show.as_str(), season, first, title.as_str()), ("Show", None, None, "A talk"));
    }

    #[test]
    fn a_shows_folder_is_the_one_above_its_seasons() {
        let read = |place: &str| Titles::new().read(LibraryKind::Shows, Path::new(place)).show.unwrap();
        assert_eq!(read("Drama/Show/Season 1/S01E01.mkv").folder, Some(PathBuf::from("Drama/Show")));
        assert_eq!(read("Show.S01E01.mkv").folder, None);
        assert_eq!(read("Show/Season 1/S01E01.mkv").key(), read("SHOW!/S02E01.mkv").key());
        assert_ne!(read("Show (2005)/S01E01.mkv").key(), read("Show (1963)/S01E01.mkv").key());
    }

    #[test]
    fn plain_videos_keep_their_names() {
        let title = |place: &str| Titles::new().read(LibraryKind::Videos, Path::new(place)).title;
        assert_eq!(title("2024/IMG_20240102_133000.mp4"), "IMG 20240102 133000");
        assert_eq!(title("Talk: v1.2 of S01E02.mp4"), "Talk: v1.2 of S01E02");
    }

    #[test]
    fn extras_belong_to_films_and_are_no_films() {
        let extra = |place: &str| is_extra(LibraryKind::Movies, Path::new(place));
        assert!(extra("Film (2010)/Extras/Making of.mkv"));
        assert!(extra("Film (2010)/Film-trailer.mp4"));
        assert!(extra("Film (2010)/sample.mkv"));
        assert!(!extra("Shorts/Film (2010).mkv"));
        assert!(!extra("Trailer Park (2010).mkv"));
        assert!(!is_extra(LibraryKind::Videos, Path::new("a/Extras/b.mkv")));
    }
}
