//! What is written beside a replica, and how a replica is removed with it. Blocking.
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::subtitles;
use crate::blocks;
use crate::catalog::replicas::Kept;
use crate::content::cid::sha256;

/// What is written into the folder of a show.
const OF_SHOW: [&str; 7] =
    ["tvshow.nfo", "poster.jpg", "poster.png", "poster.webp", "fanart.jpg", "fanart.png", "fanart.webp"];
/// What is put behind the name of a film, for its pictures.
const PICTURES: [&str; 6] =
    ["-poster.jpg", "-poster.png", "-poster.webp", "-fanart.jpg", "-fanart.png", "-fanart.webp"];

/// A file whose name is that of a film with something else behind it.
pub(super) fn beside(film: &Path, rest: &str) -> PathBuf {
    let mut name = film.file_stem().map(OsString::from).unwrap_or_default();
    name.push(rest);
    film.with_file_name(name)
}

/// SHA-256, as it is written down.
pub(super) fn digest(text: &[u8]) -> String {
    sha256(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes an NFO, unless somebody else wrote one there. Returns what is to be remembered of it.
pub(super) fn write_nfo(path: &Path, text: &str, before: Option<&str>) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(there) if Some(digest(&there).as_str()) != before => return Ok(before.map(str::to_owned)),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::write(path, text)?;
    Ok(Some(digest(text.as_bytes())))
}

/// Removes a replica, what was written beside it, and the folders that are empty then.
pub(super) fn remove(kept: &Kept) -> io::Result<()> {
    let path = kept.path();
    blocks::give_up(&path);
    if kept.done {
        absent(fs::remove_file(&path))?;
    }
    let nfo = beside(&path, ".nfo");
    if fs::read(&nfo).is_ok_and(|text| Some(digest(&text)) == kept.described) {
        absent(fs::remove_file(nfo))?;
    }
    for picture in PICTURES {
        absent(fs::remove_file(beside(&path, picture)))?;
    }
    for subtitles in subtitles::ours(&path) {
        absent(fs::remove_file(subtitles))?;
    }
    path.ancestors().skip(1).take_while(|folder| *folder != kept.root).for_each(remove_if_empty);
    Ok(())
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// A folder in which nothing is left but what describes a show is of no use. One that cannot be removed stays.
fn remove_if_empty(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let left: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let ours = |path: &PathBuf| path.file_name().is_some_and(|name| OF_SHOW.iter().any(|ours| name == *ours));
    if left.iter().all(ours) {
        left.iter().for_each(|path| _ = fs::remove_file(path));
        let _ = fs::remove_dir(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::LibraryState;
    use crate::content::cid::of_raw;

    fn kept(root: &Path, place: &str, described: Option<String>) -> Kept {
        Kept {
            item: "item".to_owned(),
            replica: "rule".to_owned(),
            library: "library".to_owned(),
            root: root.to_owned(),
            library_state: LibraryState::Available,
            place: place.into(),
            cid: of_raw(b"film"),
            size: 4,
            done: true,
            described,
        }
    }

    #[test]
    fn a_replica_goes_with_what_was_written_beside_it_and_nothing_else_does() {
        let root = tempfile::tempdir().unwrap();
        let season = root.path().join("Show/Season 01");
        fs::create_dir_all(&season).unwrap();
        fs::write(root.path().join("Show/tvshow.nfo"), "show").unwrap();
        let mut described = Vec::new();
        for name in ["a", "b"] {
            fs::write(season.join(format!("{name}.mkv")), "film").unwrap();
            described.push(write_nfo(&season.join(format!("{name}.nfo")), "text", None).unwrap());
        }
        remove(&kept(root.path(), "Show/Season 01/a.mkv", described[0].clone())).unwrap();
        assert!(!season.join("a.mkv").exists() && !season.join("a.nfo").exists());
        assert!(season.join("b.mkv").exists() && root.path().join("Show/tvshow.nfo").exists());
        fs::write(season.join("b.nfo"), "by a person").unwrap();
        remove(&kept(root.path(), "Show/Season 01/b.mkv", described[1].clone())).unwrap();
        assert!(!season.join("b.mkv").exists() && season.join("b.nfo").exists(), "what somebody wrote stays");
        fs::remove_file(season.join("b.nfo")).unwrap();
        remove(&kept(root.path(), "Show/Season 01/b.mkv", None)).unwrap();
        assert!(!root.path().join("Show").exists() && root.path().exists());
    }

    #[test]
    fn an_nfo_that_somebody_else_wrote_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Film.nfo");
        let first = write_nfo(&path, "one", None).unwrap();
        let second = write_nfo(&path, "two", first.as_deref()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        fs::write(&path, "mine").unwrap();
        assert_eq!(write_nfo(&path, "three", second.as_deref()).unwrap(), second);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
