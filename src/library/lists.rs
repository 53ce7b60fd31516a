//! Playlists that lie in a library of music as `.m3u` and `.m3u8` files: each is followed by a playlist that everybody sees who may see the
//! library. The file rules: nobody changes such a playlist but by the file.
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::context::{Context, JobError};
use super::scan::{self, Companion, Scope, Unseen};
use crate::catalog::Library;
use crate::catalog::music::{PLAYLIST_MAX, PlaylistRead};
use crate::media::music::{PlaylistError, PlaylistLimits, PlaylistPlace, parse_m3u};

/// How much of a file is read.
const LIMITS: PlaylistLimits = PlaylistLimits { bytes: 4 * 1024 * 1024, entries: PLAYLIST_MAX, line_chars: 4096 };
/// Places where a line's track is looked for.
const PLACES_MAX: usize = 16;

/// Why a file is not followed.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Playlist(#[from] PlaylistError),
}

/// Follows the files that a scan found: those that are new or changed and, where tracks came or went (`moved`), those that named what was not
/// there.
///
/// # Errors
/// Only what stops the whole scan: see [`JobError`].
pub(super) async fn follow(
    context: &Context,
    library: &Library,
    scope: &Scope,
    (found, unseen): (HashMap<PathBuf, Companion>, &[Unseen]),
    moved: bool,
) -> Result<(), JobError> {
    let known = context.catalog.playlist_files(&library.id).await?;
    let known: HashMap<_, _> = known.into_iter().map(|file| (file.place.clone(), file)).collect();
    let same = |place: &PathBuf, file: &Companion| {
        known.get(place).is_some_and(|known| (known.size, known.modified_ns) == (file.size, file.modified_ns))
    };
    let changed = found.iter().filter(|(place, file)| !same(place, file)).map(|(place, _)| place.clone());
    let gaps = known.values().filter(|file| moved && !file.whole).map(|file| file.place.clone());
    let read: BTreeSet<PathBuf> = changed.chain(gaps).collect();
    for place in read {
        if context.cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        read_one(context, library, place).await?;
    }
    // What is deleted with everything else is on a disk that is not there.
    if !scan::holds_anything(&library.path) {
        return Ok(());
    }
    let away = |place: &Path| unseen.iter().any(|unseen| place.starts_with(&unseen.place));
    let gone =
        known.into_keys().filter(|place| scope.holds(place) && !found.contains_key(place) && !away(place)).collect();
    Ok(context.catalog.forget_playlist_files(&library.id, gone).await?)
}

async fn read_one(context: &Context, library: &Library, place: PathBuf) -> Result<(), JobError> {
    let (root, path) = (library.path.clone(), library.path.join(&place));
    let work = move || entries(&root, place);
    match tokio::task::spawn_blocking(work).await.map_err(|_| JobError::Cancelled)? {
        Ok(read) => {
            let (lines, found) = (read.entries.len(), context.catalog.follow_playlist_file(&library.id, read).await?);
            tracing::debug!(file.path = %path.display(), lines, found, "a playlist was read");
        }
        // Gone since it was listed; the next scan misses it.
        Err(ListError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(file.path = %path.display(), error, "a playlist is not followed");
        }
    }
    Ok(())
}

/// Reads a file.
fn entries(root: &Path, place: PathBuf) -> Result<PlaylistRead, ListError> {
    let mut file = File::open(root.join(&place))?;
    let stat = scan::stat_of(&file.metadata()?);
    let mut bytes = Vec::new();
    file.by_ref().take(LIMITS.bytes as u64 + 1).read_to_end(&mut bytes)?;
    let list = parse_m3u(&bytes, &LIMITS)?;
    let folder = place.parent().unwrap_or(Path::new(""));
    let entries = list.entries.iter().filter_map(|entry| places(root, folder, &entry.place));
    let entries = entries.filter(|places| !places.is_empty()).collect();
    let stem = || place.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = list.name.unwrap_or_else(stem);
    Ok(PlaylistRead { name, size: stat.size, modified_ns: stat.modified_ns, entries, place })
}

/// Where the track of a line may be, below the root; `None` for what is on the net.
fn places(root: &Path, folder: &Path, line: &PlaylistPlace) -> Option<Vec<PathBuf>> {
    match line {
        PlaylistPlace::Url(_) => None,
        PlaylistPlace::Relative(text) => {
            let places = [folder.join(text), PathBuf::from(text)];
            let mut places: Vec<PathBuf> = places.iter().filter_map(|place| straight(place)).collect();
            places.dedup();
            Some(places)
        }
        PlaylistPlace::Absolute(text) => {
            if let Ok(inside) = Path::new(text).strip_prefix(root) {
                return Some(straight(inside).into_iter().collect());
            }
            // Of another machine, where the library lies elsewhere: what its path ends with.
            let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
            let ends = (1..parts.len().saturating_sub(1)).take(PLACES_MAX);
            Some(ends.filter_map(|from| straight(Path::new(&parts[from..].join("/")))).collect())
        }
    }
}

/// Without `.` and `..`; `None` for what lies outside.
fn straight(place: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in place.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(line: PlaylistPlace) -> Vec<String> {
        let found = places(Path::new("/srv/music"), Path::new("Lists"), &line).unwrap();
        found.iter().map(|place| place.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_line_names_a_track_from_its_folder_from_the_root_or_as_another_machine_had_it() {
        assert_eq!(of(PlaylistPlace::Relative("../Ann/./1.mp3".into())), ["Ann/1.mp3"]);
        assert_eq!(of(PlaylistPlace::Relative("Ann/1.mp3".into())), ["Lists/Ann/1.mp3", "Ann/1.mp3"]);
        assert_eq!(of(PlaylistPlace::Absolute("/srv/music/Ann/1.mp3".into())), ["Ann/1.mp3"]);
        assert_eq!(of(PlaylistPlace::Absolute("D:/My Music/Ann/1.mp3".into())), ["My Music/Ann/1.mp3", "Ann/1.mp3"]);
        assert_eq!(places(Path::new("/"), Path::new(""), &PlaylistPlace::Url("http://x/".into())), None);
    }

    proptest! {
        #[test]
        fn no_line_leads_out_of_the_library(text in "[./a\\\\]{0,16}") {
            for line in [PlaylistPlace::Relative(text.clone()), PlaylistPlace::Absolute(format!("/{text}"))] {
                for place in places(Path::new("/srv/music"), Path::new("Lists"), &line).unwrap() {
                    prop_assert!(place.components().all(|part| matches!(part, Component::Normal(_))));
                }
            }
        }
    }
}
