//! Puts together what is said of a video: names on disk, an NFO over them, pictures and subtitles beside it.
//!
//! Blocking: reads the NFO.
use std::ffi::OsStr;
use std::path::Path;

use super::artwork::{self, Beside};
use super::nfo::{self, Nfo, NfoKind};
use super::scan::Folder;
use super::titles::{Named, Titles, kind_of};
use crate::catalog::record::{Description, KnownShow, ShowDescription, ShowName};
use crate::catalog::sorting::sort_title;
use crate::catalog::{ItemKind, Library};

/// What is said of the video `name` in `folder`. A picture taken from it is not looked for.
pub(super) fn describe(titles: &Titles, library: &Library, folder: &Folder, name: &OsStr) -> Description {
    let kind = kind_of(library.kind);
    let place = folder.place.join(name);
    let named = titles.read(library.kind, &place);
    let beside = artwork::beside_video(&library.path, folder, name, kind);
    let nfo_kind = match kind {
        ItemKind::Movie => NfoKind::Movie,
        ItemKind::Episode => NfoKind::Episode,
        ItemKind::Video | ItemKind::Show => NfoKind::Video,
    };
    let written = read_nfo(&beside, nfo_kind);
    compose(named, &written, beside)
}

fn compose(named: Named, written: &[Nfo], beside: Beside) -> Description {
    let nfo = first_of(&named, written);
    let show = named.show.map(|mut show| {
        if let (None, Some(title)) = (&show.folder, nfo.show_title) {
            show.title = title;
        }
        ShowName { key: show.key(), title: show.title, year: show.year, place: show.folder, renamed_from: None }
    });
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
    }
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
    let beside = artwork::beside_show(&library.path, folder);
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
    })
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
