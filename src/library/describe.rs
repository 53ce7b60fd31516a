//! Puts together what is said of a video: names on disk, an NFO over them, pictures and subtitles beside it.
//!
//! Blocking: reads the NFO.
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;

use super::artwork::{self, Beside};
use super::nfo::{self, Nfo, NfoKind};
use super::scan::{Folder, book_stem};
use super::titles::{Named, NamedShow, Titles, kind_of};
use crate::catalog::record::{Description, KnownShow, SeriesTold, ShowDescription, ShowName};
use crate::catalog::sorting::sort_title;
use crate::catalog::{ItemKind, Library};
use crate::media::book::{SeriesJson, Told};

/// Bytes of a `series.json` at most.
const SERIES_MAX: u64 = 1 << 20;

/// What is said of the video or book `name` in `folder`. A picture taken from it is not looked for.
pub(super) fn describe(titles: &Titles, library: &Library, folder: &Folder, name: &OsStr) -> Description {
    let kind = kind_of(library.kind);
    let place = folder.place.join(name);
    let named = titles.read(library.kind, &place);
    let beside = artwork::beside_video(&library.path, folder, name, kind);
    let nfo_kind = match kind {
        ItemKind::Movie => NfoKind::Movie,
        ItemKind::Episode => NfoKind::Episode,
        ItemKind::Video | ItemKind::Show | ItemKind::Series | ItemKind::Book | ItemKind::Album | ItemKind::Track => {
            NfoKind::Video
        }
    };
    let written =
        if matches!(kind, ItemKind::Book | ItemKind::Track) { Vec::new() } else { read_nfo(&beside, nfo_kind) };
    compose(named, &written, beside)
}

fn compose(named: Named, written: &[Nfo], beside: Beside) -> Description {
    let nfo = first_of(&named, written);
    let mut named = named;
    if let (Some(show), Some(title)) = (named.show.as_mut().filter(|show| show.folder.is_none()), nfo.show_title) {
        show.title = title;
    }
    let show = named.show.take().map(name_of);
    Description {
        title: title_of(written).unwrap_or(named.title),
        sort_title: nfo.sort_title.as_deref().map(sort_title),
        year: nfo.year.or(named.year),
        show,
        season: named.season.or(nfo.season),
        episode: named.episode.or(nfo.episode),
        episode_end: named.episode_end,
        overview: nfo.plot,
        genres: nfo.genres,
        poster: beside.poster,
        backdrop: beside.backdrop,
        sidecars: beside.subtitles,
        digest: beside.digest,
        number: named.number,
        music: named.music,
    }
}

/// The show or series that a name puts a file in.
pub(super) fn show_name(named: Named) -> Option<ShowName> {
    named.show.map(name_of)
}

fn name_of(show: NamedShow) -> ShowName {
    ShowName { key: show.key(), title: show.title, year: show.year, place: show.folder, renamed_from: None }
}

/// The root element of a file of several that is about its first episode.
fn first_of(named: &Named, written: &[Nfo]) -> Nfo {
    let own = written.iter().find(|nfo| nfo.episode.is_some() && nfo.episode == named.episode);
    own.or(written.first()).cloned().unwrap_or_default()
}

/// Several episodes in one file are named one after the other.
fn title_of(written: &[Nfo]) -> Option<String> {
    let titles: Vec<&str> = written.iter().filter_map(|nfo| nfo.title.as_deref()).collect();
    (!titles.is_empty()).then(|| titles.join(" / "))
}

fn read_nfo(beside: &Beside, kind: NfoKind) -> Vec<Nfo> {
    let Some(path) = &beside.nfo else { return Vec::new() };
    let (found, warning) = nfo::read(path, kind);
    if let Some(warning) = warning {
        tracing::warn!(nfo.path = %path.display(), warning, "an NFO file could be read only in part");
    }
    found
}

/// What is said of a show whose folder's content changed since it was last described, or that has no picture although an
/// episode has one. `None`: as before.
pub(super) fn describe_show(
    titles: &Titles,
    library: &Library,
    folder: &Folder,
    show: &KnownShow,
) -> Option<ShowDescription> {
    let beside = artwork::beside_show(&library.path, folder, library.kind);
    if library.kind.is_read() {
        return describe_series(&beside, show);
    }
    if show.described == Some(beside.digest) && (show.poster || show.episode_poster.is_none()) {
        return None;
    }
    let nfo = read_nfo(&beside, NfoKind::Show).into_iter().next().unwrap_or_default();
    let named = show.place.as_deref().map(|place| titles.read(library.kind, &place.join("S01E01.mkv")));
    let named = named.and_then(|named| named.show);
    let from_name = named.map_or_else(|| show.title.clone(), |named| named.title);
    Some(ShowDescription {
        title: nfo.title.unwrap_or(from_name),
        sort_title: nfo.sort_title.as_deref().map(sort_title),
        year: nfo.year,
        overview: nfo.plot,
        genres: nfo.genres,
        poster: beside.poster.or_else(|| show.episode_poster.clone()),
        backdrop: beside.backdrop,
        digest: beside.digest,
        series: None,
    })
}

/// What is said of a series: by `series.json` in its folder, or else by its first book.
fn describe_series(beside: &Beside, series: &KnownShow) -> Option<ShowDescription> {
    let book = series.told.as_deref();
    let digest = beside.digest ^ digest_of(book.unwrap_or_default());
    if series.described == Some(digest) && (series.poster || series.episode_poster.is_none()) {
        return None;
    }
    let told: Told = book.and_then(|told| serde_json::from_str(told).ok()).unwrap_or_default();
    let written = beside.nfo.as_deref().and_then(read_series).unwrap_or_default();
    let status = written.status.map(|status| status.as_str().to_owned());
    let of_folder =
        series.place.as_deref().and_then(Path::file_name).map(|name| book_stem(name).to_string_lossy().into_owned());
    let title = written.title().or(told.series).or(of_folder).unwrap_or_else(|| series.title.clone());
    Some(ShowDescription {
        title,
        sort_title: None,
        year: written.year.map(i32::from),
        overview: written.description_formatted.or(written.description_text),
        genres: told.genres,
        poster: beside.poster.clone().or_else(|| series.episode_poster.clone()),
        backdrop: beside.backdrop.clone(),
        digest,
        series: Some(SeriesTold {
            status,
            direction: told.direction.map(|direction| direction.as_str().to_owned()),
            publisher: written.publisher.or(told.publisher),
            language: told.language,
            age_rating: written.age_rating.map(u32::from).or(told.age_rating),
            total_books: written.total_issues.or(told.total_books),
        }),
    })
}

fn digest_of(text: &str) -> i64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().cast_signed()
}

fn read_series(path: &Path) -> Option<SeriesJson> {
    let small = std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= SERIES_MAX);
    let read = if small { std::fs::read(path).ok()? } else { return None };
    match SeriesJson::parse(&read) {
        Ok(written) => Some(written),
        Err(error) => {
            tracing::warn!(file.path = %path.display(), %error, "a series.json cannot be read");
            None
        }
    }
}

/// The folder of a show that has one.
pub(super) fn show_folder(show: &KnownShow) -> &Path {
    show.place.as_deref().unwrap_or(Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::LibraryKind;

    #[test]
    fn an_nfo_stands_over_the_name_and_what_it_leaves_out_does_not() {
        let named = Titles::new().read(LibraryKind::Movies, Path::new("Film (2010).mkv"));
        let nfo = Nfo { title: Some("Der Film".to_owned()), plot: Some("Plot.".to_owned()), ..Nfo::default() };
        let description = compose(named, &[nfo], Beside::default());
        assert_eq!((description.title.as_str(), description.year), ("Der Film", Some(2010)));
        assert_eq!(description.overview.as_deref(), Some("Plot."));
    }

    #[test]
    fn two_episodes_in_a_file_have_both_titles() {
        let named = Titles::new().read(LibraryKind::Shows, Path::new("Show/Show S01E01-E02.mkv"));
        let nfo =
            |title: &str, episode| Nfo { title: Some(title.to_owned()), episode: Some(episode), ..Nfo::default() };
        let description = compose(named, &[nfo("One", 1), nfo("Two", 2)], Beside::default());
        assert_eq!(description.title, "One / Two");
        assert_eq!((description.episode, description.episode_end), (Some(1), Some(2)));
    }
}
