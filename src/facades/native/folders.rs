//! The node's folders, for the path picker of admins.
use std::path::{Path, PathBuf};

use super::model::{Folder, FolderQuery, Folders, Problem};
use crate::facades::error::Refusal;
use crate::facades::extract::Query;

/// Folders listed at most.
const FOLDERS_MAX: usize = 2_000;
/// Entries looked at while counting videos below.
const ENTRIES_MAX: usize = 5_000;
/// Levels looked at while counting videos below.
const DEPTH_MAX: usize = 4;
/// What a video's name ends with.
const ENDINGS: &[&str] = &["mp4", "m4v", "mkv", "webm", "mov", "avi", "ts", "m2ts", "mpg", "mpeg", "wmv", "ogv"];

/// One level of folders, and how many videos are below it.
#[utoipa::path(get, path = "/api/v1/folders", tag = "libraries", params(FolderQuery),
    responses((status = 200, body = Folders), (status = 400, body = Problem)))]
pub(in crate::facades) async fn list(Query(query): Query<FolderQuery>) -> Result<axum::Json<Folders>, Refusal> {
    let path = query.path.filter(|path| !path.is_empty()).map_or_else(home, PathBuf::from);
    within(path).await.map(axum::Json)
}

/// What is in a folder.
pub(in crate::facades) async fn within(path: PathBuf) -> Result<Folders, Refusal> {
    if !path.is_absolute() {
        return Err(Refusal::invalid("path: must be absolute"));
    }
    let looked = tokio::task::spawn_blocking(move || look(&path));
    looked.await.map_err(|error| Refusal::internal(&error))?
}

fn home() -> PathBuf {
    std::env::home_dir().filter(|path| path.is_dir()).unwrap_or_else(|| PathBuf::from("/"))
}

fn look(path: &Path) -> Result<Folders, Refusal> {
    let unusable =
        |error: std::io::Error| Refusal::invalid(format!("path: {} cannot be read: {error}", path.display()));
    let path = path.canonicalize().map_err(unusable)?;
    let entries = std::fs::read_dir(&path).map_err(unusable)?;
    let mut folders: Vec<Folder> = entries.filter_map(Result::ok).filter_map(|entry| folder(&entry)).collect();
    folders.sort_by_cached_key(|folder| folder.name.to_lowercase());
    folders.truncate(FOLDERS_MAX);
    let (videos, videos_more) = count_videos(&path);
    let parent = path.parent().map(|parent| parent.display().to_string());
    Ok(Folders { path: path.display().to_string(), parent, folders, videos, videos_more })
}

/// Hidden folders and names that JSON cannot hold are left out.
fn folder(entry: &std::fs::DirEntry) -> Option<Folder> {
    let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
    let path = entry.path();
    path.is_dir().then(|| Folder { name, path: path.display().to_string() })
}

fn count_videos(path: &Path) -> (u64, bool) {
    let walk = walkdir::WalkDir::new(path).max_depth(DEPTH_MAX);
    let (mut videos, mut seen) = (0, 0);
    for entry in walk.into_iter().filter_map(Result::ok) {
        seen += 1;
        if seen > ENTRIES_MAX {
            return (videos, true);
        }
        let ending = entry.path().extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        if entry.file_type().is_file() && ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            videos += 1;
        }
    }
    (videos, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_listed_and_videos_below_are_counted() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("b/deep")).unwrap();
        std::fs::create_dir_all(root.path().join(".hidden")).unwrap();
        std::fs::create_dir_all(root.path().join("A")).unwrap();
        for file in ["one.MKV", "b/two.mp4", "b/deep/three.webm", "notes.txt"] {
            std::fs::write(root.path().join(file), "").unwrap();
        }
        let found = look(root.path()).unwrap();
        assert_eq!(found.folders.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["A", "b"]);
        assert_eq!((found.videos, found.videos_more), (3, false));
        assert!(look(&root.path().join("nowhere")).is_err());
    }
}
