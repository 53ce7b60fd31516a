//! Saving: the file of a song, or a ZIP archive of what has several.
use std::collections::HashSet;

use axum::response::Response;

use super::call::Call;
use super::fault::Fault;
use super::played::Played;
use super::stream::reading;
use super::things::{Thing, hearer, named};
use super::within;
use crate::catalog::music::{Directory, Track};
use crate::facades::archive::{self, Packed};
use crate::facades::error::Refusal;

/// Songs of an archive.
const SONGS_MAX: usize = 10_000;
/// Letters of a name within an archive: what disks take, with room for what tells it from others.
const NAME_MAX: usize = 120;

/// `download`
pub(super) async fn download(call: Call) -> Result<Response, Fault> {
    let thing = named(&call, "song")?;
    if matches!(thing, Thing::Track(_) | Thing::Episode(_)) {
        return Played::named(&call, "id").await?.original(&call, true).await;
    }
    let mut songs = within::songs(&call, thing, SONGS_MAX + 1).await?;
    if songs.len() > SONGS_MAX {
        return Err(Fault::invalid(format!("an archive has at most {SONGS_MAX} songs: take less of it")));
    }
    songs.retain(|song| song.present);
    if songs.is_empty() {
        return Err(Fault::absent("song now"));
    }
    let (title, places) = named_places(&call, thing, &songs).await?;
    let mut files = Vec::with_capacity(songs.len());
    for (song, name) in songs.iter().zip(unique(places)) {
        let item = call.app.node().catalog().item(&song.id, call.caller.id()).await?;
        // A file that is being read anew has none at this moment.
        if let Some(cid) = item.item.file.and_then(|file| file.cid) {
            files.push(Packed { name, cid, modified_at: song.added_at });
        }
    }
    let blocks = call.app.node().blocks();
    let sent = archive::answer(blocks, &format!("{title}.zip"), files, &reading(&call.method)).await;
    sent.map_err(|error| Fault::refused(Refusal::from(error)))
}

/// What the archive is called, and where in it each song lies: all in one folder.
async fn named_places(call: &Call, thing: Thing, songs: &[Track]) -> Result<(String, Vec<Vec<String>>), Fault> {
    let (hearer, catalog) = (hearer(call).await?, call.app.node().catalog());
    let title = match thing {
        Thing::Artist(n) => catalog.artist(hearer, n).await?.name,
        Thing::Playlist(n) => catalog.playlist(hearer, n).await?.0.name,
        Thing::Directory(n) => {
            let (folder, _) = catalog.directory(hearer, n).await?;
            return Ok((plain(&title_of(&folder, songs)), songs.iter().map(|song| below(&folder, song)).collect()));
        }
        Thing::Track(_) | Thing::Album(_) | Thing::Channel(_) | Thing::Episode(_) => album_of(&songs[0]),
    };
    let discs = songs.iter().any(|song| song.disc.is_some_and(|disc| disc > 1));
    let place = |(n, song): (usize, &Track)| match thing {
        Thing::Playlist(_) => vec![title.clone(), format!("{:03} {}", n + 1, file_name(song))],
        Thing::Artist(_) => vec![title.clone(), song.album_title.clone(), file_name(song)],
        _ if discs => vec![title.clone(), format!("Disc {}", song.disc.unwrap_or(1)), file_name(song)],
        _ => vec![title.clone(), file_name(song)],
    };
    Ok((plain(&title), songs.iter().enumerate().map(place).collect()))
}

fn album_of(song: &Track) -> String {
    let artist = if song.album_artist.is_empty() { &song.artist } else { &song.album_artist };
    format!("{artist} - {}", song.album_title)
}

fn title_of(folder: &Directory, songs: &[Track]) -> String {
    if folder.name.is_empty() { songs[0].library_name.clone() } else { folder.name.clone() }
}

/// As it lies on disk, from the folder on.
fn below(folder: &Directory, song: &Track) -> Vec<String> {
    let inside = song.place.strip_prefix(&folder.place).unwrap_or(&song.place);
    let names = inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    [title_of(folder, std::slice::from_ref(song))].into_iter().chain(names).collect()
}

fn file_name(song: &Track) -> String {
    song.place.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A name that every system takes.
fn plain(name: &str) -> String {
    let odd = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let name: String = name.chars().map(|c| if odd(c) { '_' } else { c }).collect();
    let name = name.trim().trim_end_matches(['.', ' ']);
    let (stem, ending) = split(name);
    let short: String = stem.chars().take(NAME_MAX).collect();
    let name = format!("{}{ending}", short.trim_end());
    if name.trim_matches('.').is_empty() { "_".to_owned() } else { name }
}

/// Before the ending, and the ending with its dot.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.').filter(|dot| *dot > 0 && name.len() - dot <= 6 && !name[*dot..].contains('/')) {
        Some(dot) => name.split_at(dot),
        None => (name, ""),
    }
}

/// Paths with `/`, of which no two are one on a disk that takes capitals for small letters.
fn unique(places: Vec<Vec<String>>) -> Vec<String> {
    let mut taken = HashSet::new();
    let name = |parts: Vec<String>| {
        let path = parts.iter().map(|part| plain(part)).collect::<Vec<_>>().join("/");
        let (stem, ending) = split(&path);
        let numbered = (2..).map(|n| format!("{stem} ({n}){ending}"));
        let mut free =
            std::iter::once(path.clone()).chain(numbered).skip_while(|path| taken.contains(&path.to_lowercase()));
        let name = free.next().unwrap_or_default();
        drop(free);
        taken.insert(name.to_lowercase());
        name
    };
    places.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_that_every_system_takes() {
        for (name, wanted) in [
            ("AC/DC: Live?", "AC_DC_ Live_"),
            ("..", "_"),
            ("", "_"),
            ("a.", "a"),
            (".hidden", ".hidden"),
            ("é \u{0}.mp3", "é _.mp3"),
            ("Vol. 4", "Vol. 4"),
        ] {
            assert_eq!(plain(name), wanted, "{name:?}");
        }
        assert_eq!(plain(&format!("{}.flac", "x".repeat(500))).len(), 125);
    }

    #[test]
    fn no_two_files_have_one_place() {
        let of = |names: &[&str]| unique(names.iter().map(|name| vec!["A".into(), (*name).into()]).collect());
        assert_eq!(
            of(&["1.mp3", "1.MP3", "1.mp3", "1 (2).mp3"]),
            ["A/1.mp3", "A/1 (2).MP3", "A/1 (3).mp3", "A/1 (2) (2).mp3"]
        );
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_folder(name in "\\PC{0,30}|[./\\\\ a]{0,8}") {
            let place = unique(vec![vec!["A".to_owned(), name]]).remove(0);
            let parts: Vec<&str> = place.split('/').collect();
            prop_assert!(parts.len() == 2 && !parts.contains(&"..") && !parts.contains(&".") && !parts.contains(&""), "{place}");
        }
    }
}
