//! Where a file lies here that lay elsewhere: `file:` addresses, and folders that have another path now. Pure.
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// A folder that has another path here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderMap {
    /// As it was elsewhere.
    pub from: PathBuf,
    /// As it is here.
    pub to: PathBuf,
}

impl FolderMap {
    /// Reads `OLD=NEW`. The old one may be one of Windows: `D:\Comics`.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: write OLD=NEW, both absolute: /data/comics=/srv/comics");
        let (from, to) = text.split_once('=').ok_or_else(wrong)?;
        let (from, to) = (PathBuf::from(slashed(from)), PathBuf::from(to));
        if from.is_absolute() && to.is_absolute() { Ok(Self { from, to }) } else { Err(wrong()) }
    }
}

/// A path of Windows with slashes, as it is in an address: `/D:/Comics`.
fn slashed(path: &str) -> String {
    let drive = path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && path.as_bytes().get(1) == Some(&b':');
    if drive {
        return format!("/{}", path.replace('\\', "/"));
    }
    if path.starts_with(r"\\") { path.replace('\\', "/") } else { path.to_owned() }
}

/// The path that a `file:` address names; `None` for what is none, or leads up again.
pub(super) fn of_url(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("file:")?;
    let bytes: Vec<u8> = percent_decode_str(rest).collect();
    if bytes.first() != Some(&b'/') || bytes.contains(&0) {
        return None;
    }
    let path = PathBuf::from(OsString::from_vec(bytes));
    let up = path.components().any(|part| part == Component::ParentDir);
    // Put together anew: without doubled slashes, and without one at the end.
    (!up).then(|| path.components().collect())
}

/// The same folder or file here: by the longest of the folders that it lies in.
pub(super) fn here(path: &Path, maps: &[FolderMap]) -> PathBuf {
    let within = maps.iter().filter(|map| path.starts_with(&map.from));
    let Some(map) = within.max_by_key(|map| map.from.components().count()) else { return path.to_owned() };
    let rest = path.strip_prefix(&map.from).unwrap_or(Path::new(""));
    if rest.as_os_str().is_empty() { map.to.clone() } else { map.to.join(rest) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_names_a_path_byte_by_byte() {
        let read = |url: &str| of_url(url).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(read("file:/data/My%20Comics/%C3%89toile/").as_deref(), Some("/data/My Comics/Étoile"));
        assert_eq!(read("file:///data/a+b.cbz").as_deref(), Some("/data/a+b.cbz"));
        assert_eq!(read("file:/D:/Comics/x.cbz").as_deref(), Some("/D:/Comics/x.cbz"));
        for wrong in ["", "data", "http://a/", "file:", "file:x", "file:/a/%00", "file:/a/../b", "file:/a/%2e%2e/b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_longest_folder_counts_and_only_whole_names() {
        let maps =
            ["/data=/srv", "/data/books=/mnt/books", r"D:\Comics=/srv/comics"].map(|m| FolderMap::parse(m).unwrap());
        let here = |path: &str| here(Path::new(path), &maps).to_string_lossy().into_owned();
        assert_eq!(here("/data/books/x"), "/mnt/books/x");
        assert_eq!(here("/data/booksale/x"), "/srv/booksale/x");
        assert_eq!(here("/data"), "/srv");
        assert_eq!(here("/D:/Comics/x"), "/srv/comics/x");
        assert_eq!(here("/other/x"), "/other/x");
        for wrong in ["", "/a", "a=/b", "/a=b", "=/b"] {
            assert!(FolderMap::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_address_is_read_or_refused(url in "(file:/?)?\\PC{0,40}|file:/(%[0-9a-fA-F]{0,2}|/|\\.){0,20}") {
            if let Some(path) = of_url(&url) {
                prop_assert!(path.is_absolute());
            }
        }
    }
}
