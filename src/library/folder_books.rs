//! Folders of loose pictures: which of them are books, what is of the book, and what tells it from others.
//!
//! A folder is a book where pictures lie in it and no file of a book does: one at least that is not named as artwork, or two
//! where folders lie in it too, so that the folder of a series with its cover is none. The root of a library never is one.
//! Only what is directly in it is of the book, and only files themselves: a picture that is a link may lead anywhere.
//! Blocking.
use std::ffi::OsString;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::scan::{BOOKS, has_extension, is_ignored, stat_of};
use crate::blocks::BoundFile;
use crate::catalog::record::Stat;
use crate::content::stored_zip::{Member, StoredZip};
use crate::media::book::{
    self, BookError, FolderBook, FolderFile, Limits, comic_info_rank, encode_pages, inspect_folder, is_folder_file,
};
use crate::media::protocol::BookFacts;

/// Words of names that pictures of a series have, or of a folder, but few pages.
const ARTWORK: &[&str] = &[
    "artwork",
    "backdrop",
    "background",
    "banner",
    "clearart",
    "clearlogo",
    "cover",
    "covers",
    "default",
    "fanart",
    "folder",
    "front",
    "landscape",
    "logo",
    "poster",
    "series",
    "thumb",
    "thumbnail",
];

/// A folder that is a book.
pub(super) struct FolderStat {
    /// The size of the archive that it is read as, the newest time of the folder and its files, its own inode.
    pub stat: Stat,
    /// What is of the book, in the order of names; checksums are not known yet.
    files: Vec<BoundFile>,
}

/// What is in a book that is a folder.
pub(super) struct FolderRead {
    pub facts: BookFacts,
    /// As it is kept.
    pub page_list: Vec<u8>,
    pub files: Vec<BoundFile>,
}

/// Looks at a folder; `None` for one that is no book.
///
/// # Errors
/// When it cannot be listed.
pub(super) fn look(path: &Path) -> io::Result<Option<FolderStat>> {
    let meta = fs::metadata(path)?;
    if !meta.is_dir() {
        return Ok(None);
    }
    let Some(mut names) = names(path)? else { return Ok(None) };
    names.sort_unstable();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        match fs::symlink_metadata(path.join(&name)) {
            Ok(meta) => {
                let Stat { size, modified_ns, .. } = stat_of(&meta);
                files.push(BoundFile { name, size, modified_ns, crc: 0 });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let own = stat_of(&meta);
    let modified_ns = files.iter().map(|file| file.modified_ns).fold(own.modified_ns, i64::max);
    Ok(Some(FolderStat { stat: Stat { size: size_of(&files), modified_ns, ..own }, files }))
}

/// Of a file or of a folder that is a book, what tells it from others.
///
/// # Errors
/// Where there is neither.
pub(super) fn stat_at(path: &Path) -> io::Result<Stat> {
    let meta = fs::metadata(path)?;
    if meta.is_dir() {
        look(path)?.map(|folder| folder.stat).ok_or(ErrorKind::NotFound.into())
    } else {
        Ok(stat_of(&meta))
    }
}

/// Reads a folder that is a book.
///
/// # Errors
/// [`BookError`]; `Io` with `NotFound` where it is none any more, and with `Interrupted` after `cancel`.
pub(super) fn read(path: &Path, cancel: &CancellationToken) -> Result<FolderRead, BookError> {
    let FolderStat { mut files, .. } = look(path)?.ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
    let listed = |file: &BoundFile| FolderFile { name: file.name.as_bytes().to_vec(), size: file.size };
    let open = |number: usize| {
        if cancel.is_cancelled() {
            return Err(ErrorKind::Interrupted.into());
        }
        open(&path.join(&files.get(number).ok_or(ErrorKind::NotFound)?.name))
    };
    let FolderBook { book, archive, partial_md5 } =
        inspect_folder(files.iter().map(listed).collect(), &Limits::default(), open)?;
    for (file, member) in files.iter_mut().zip(archive.members()) {
        file.crc = member.crc;
    }
    Ok(FolderRead { facts: BookFacts::of(&book, partial_md5), page_list: encode_pages(&book.pages), files })
}

fn open(path: &Path) -> io::Result<File> {
    // Neither a link nor, for ever, a pipe that came to be there since the folder was listed.
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// The names of what is of the book, or `None` where the folder is none.
fn names(path: &Path) -> io::Result<Option<Vec<OsString>>> {
    let most = usize::try_from(Limits::default().entries).unwrap_or(usize::MAX);
    let (mut names, mut pages, mut folders) = (Vec::new(), 0, false);
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_ignored(&name) {
            continue;
        }
        let kind = entry.file_type()?;
        if is_folder(&entry, kind) {
            folders = true;
        } else if has_extension(&name, BOOKS) {
            return Ok(None);
        } else if kind.is_file() && is_folder_file(&name.to_string_lossy()) {
            pages += usize::from(is_page(&name.to_string_lossy()));
            names.push(name);
            // One more than a book may have tells as much as all of them.
            if names.len() > most {
                break;
            }
        }
    }
    let wanted = if folders { 2 } else { 1 };
    Ok((pages >= wanted).then_some(names))
}

fn is_folder(entry: &DirEntry, kind: fs::FileType) -> bool {
    kind.is_dir() || kind.is_symlink() && fs::metadata(entry.path()).is_ok_and(|meta| meta.is_dir())
}

/// Whether a file of a folder is surely a page and not the picture of a series.
fn is_page(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase();
    let artwork = stem.split(|c: char| !c.is_alphabetic()).any(|word| ARTWORK.contains(&word));
    book::is_page_name(name) && comic_info_rank(name).is_none() && !artwork
}

/// Bytes of the archive of these files.
fn size_of(files: &[BoundFile]) -> u64 {
    let member = |file: &BoundFile| Member { name: file.name.as_bytes().to_vec(), size: file.size, crc: 0 };
    let whole = || files.iter().map(|file| file.size).fold(0, u64::saturating_add);
    // What is too large for an archive is told when it is read.
    StoredZip::new(files.iter().map(member).collect()).map_or_else(|_| whole(), |archive| archive.size())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
            fs::write(folder.path().join(file), b"x").unwrap();
        }
        folder
    }

    fn of_book(files: &[&str]) -> Option<Vec<String>> {
        let folder = folder(files);
        let looked = look(folder.path()).unwrap()?;
        Some(looked.files.iter().map(|file| file.name.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn pictures_make_a_folder_a_book_and_books_or_artwork_alone_do_not() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("one page", &["001.jpg"], true),
            ("pages and a cover", &["cover.jpg", "1.png"], true),
            ("a cover alone", &["cover.jpg"], false),
            ("artwork of several names", &["Cover vol. 2.jpg", "series-poster.png", "FANART.jpg"], false),
            ("a word in a word", &["discover.jpg"], true),
            ("an archive beside pictures", &["1.jpg", "2.jpg", "Vol 1.CBZ"], false),
            ("a folder with archives and one picture", &["x.jpg", "a/1.cbz"], false),
            ("chapters beside a cover", &["cover.jpg", "Chapter 1/1.jpg"], false),
            ("pages with extras below", &["1.jpg", "2.jpg", "extras/1.jpg"], true),
            ("pages below a hidden folder", &["1.jpg", ".thumbs/1.jpg"], true),
            ("nothing that is a picture", &["ComicInfo.xml", "1.txt", "Thumbs.db"], false),
            ("what systems leave behind", &["._1.jpg", ".1.jpg"], false),
        ];
        for (what, files, wanted) in cases {
            assert_eq!(of_book(files).is_some(), *wanted, "{what}");
        }
    }

    #[test]
    fn only_pages_and_what_describes_them_are_of_the_book() {
        let files = ["10.jpg", "2.jpg", "ComicInfo.xml", "Thumbs.db", "notes.txt", ".3.jpg", "extras/4.jpg"];
        assert_eq!(of_book(&files).unwrap(), ["10.jpg", "2.jpg", "ComicInfo.xml"]);
    }

    #[test]
    fn a_picture_that_is_a_link_is_not_of_the_book() {
        let (folder, other) = (folder(&["1.jpg", "2.jpg"]), folder(&["secret.jpg"]));
        std::os::unix::fs::symlink(other.path().join("secret.jpg"), folder.path().join("3.jpg")).unwrap();
        assert_eq!(look(folder.path()).unwrap().unwrap().files.len(), 2);
    }

    #[test]
    fn what_changes_in_a_folder_changes_what_it_is_told_by() {
        let folder = folder(&["1.jpg", "2.jpg"]);
        let stat = || look(folder.path()).unwrap().unwrap().stat;
        let before = stat();
        assert_eq!(stat_at(folder.path()).unwrap(), before);
        fs::write(folder.path().join("notes.txt"), b"1").unwrap();
        assert_eq!(stat().size, before.size, "not of the book");
        fs::write(folder.path().join("2.jpg"), b"xyz").unwrap();
        assert_eq!(stat().size, before.size + 2);
        fs::write(folder.path().join("3.jpg"), b"").unwrap();
        assert!(stat().size > before.size + 2 && stat().modified_ns >= before.modified_ns);
    }
}
