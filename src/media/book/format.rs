//! What kind of book a file is, by its first bytes: extensions are often wrong.
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bytes::Source;
use super::error::BookError;
use super::pages::Entry;
use super::{Limits, tar, zip};

/// The kinds of book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A zip archive of pictures (CBZ).
    Zip,
    /// A RAR archive up to version 4 (CBR).
    Rar4,
    /// A RAR archive of version 5 (CBR).
    Rar5,
    /// A 7-Zip archive (CB7).
    SevenZip,
    /// A tar archive (CBT).
    Tar,
    /// PDF.
    Pdf,
    /// EPUB, 2 or 3.
    Epub,
    /// A folder of pictures.
    Folder,
}

/// How a reader has to treat a book, in Komga's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MediaProfile {
    /// Pages are pictures.
    Divina,
    /// Pages are drawn.
    Pdf,
    /// Text that flows.
    Epub,
}

impl Format {
    const ALL: [Self; 8] =
        [Self::Zip, Self::Rar4, Self::Rar5, Self::SevenZip, Self::Tar, Self::Pdf, Self::Epub, Self::Folder];

    /// The word for it in the catalog and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Rar4 => "rar4",
            Self::Rar5 => "rar5",
            Self::SevenZip => "7z",
            Self::Tar => "tar",
            Self::Pdf => "pdf",
            Self::Epub => "epub",
            Self::Folder => "folder",
        }
    }

    /// What such a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// What the file is.
    ///
    /// # Errors
    /// [`BookError::NotABook`], and for a zip whatever its directory cannot be read for.
    pub fn of(file: &File, limits: &Limits) -> Result<Self, BookError> {
        match Self::by_magic(&Source::new(file)?)? {
            Self::Zip if is_epub(file, &zip::list(file, limits)?) => Ok(Self::Epub),
            format => Ok(format),
        }
    }

    /// The same, save that an EPUB is only told to be a zip.
    pub(super) fn by_magic(source: &Source) -> Result<Self, BookError> {
        let head = source.read_up_to(0, 1024)?;
        let format = match &*head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [b'R', b'a', b'r', b'!', 0x1a, 7, 0, ..] => Some(Self::Rar4),
            [b'R', b'a', b'r', b'!', 0x1a, 7, 1, 0, ..] => Some(Self::Rar5),
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(Self::SevenZip),
            _ if tar::is_header(&head) => Some(Self::Tar),
            // ISO 32000-1, annex H: readers accept the header anywhere in the first kilobyte.
            _ if head.windows(5).any(|part| part == b"%PDF-") => Some(Self::Pdf),
            _ => None,
        };
        match format {
            Some(format) => Ok(format),
            // An archive may have anything in front of it, such as a program that unpacks it.
            None if zip::has_end(source)? => Ok(Self::Zip),
            None => Err(BookError::NotABook),
        }
    }

    /// The media type, as Komga writes it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Rar4 => "application/x-rar-compressed; version=4",
            Self::Rar5 => "application/x-rar-compressed; version=5",
            Self::SevenZip => "application/x-7z-compressed",
            Self::Tar => "application/x-tar",
            Self::Pdf => "application/pdf",
            Self::Epub => "application/epub+zip",
            // To its readers a folder of pictures is what an archive of them is.
            Self::Zip | Self::Folder => "application/zip",
        }
    }

    /// What the file of this format at a path is called where it is handed out: a folder is an archive of its pictures there.
    #[must_use]
    pub fn file_name(format: Option<Self>, path: &Path) -> String {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let archive = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("cbz"));
        if format == Some(Self::Folder) && !archive { name + ".cbz" } else { name }
    }

    /// How a reader has to treat it.
    #[must_use]
    pub fn media_profile(self) -> MediaProfile {
        match self {
            Self::Pdf => MediaProfile::Pdf,
            Self::Epub => MediaProfile::Epub,
            _ => MediaProfile::Divina,
        }
    }
}

/// Whether a zip with these entries is an EPUB (EPUB 3.3, section 4.2.6.3: `mimetype` and `META-INF/container.xml`). One
/// of the two is enough: tools leave out the first, or pack it against the rules.
pub(super) fn is_epub(file: &File, entries: &[Entry]) -> bool {
    let named = |name: &str| entries.iter().find(|entry| entry.name == name);
    let says_so = |entry: &Entry| {
        let text = super::read_page(file, &entry.place, 64).unwrap_or_default();
        text.trim_ascii() == Format::Epub.media_type().as_bytes()
    };
    named("META-INF/container.xml").is_some() || named("mimetype").is_some_and(says_so)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, file_of};
    use super::*;

    fn told(bytes: &[u8]) -> Option<Format> {
        Format::of(&file_of(bytes), &Limits::default()).ok()
    }

    #[test]
    fn a_format_is_told_by_its_first_bytes() {
        assert_eq!(told(&samples::zip(&[("1.jpg", b"x")])), Some(Format::Zip));
        assert_eq!(told(&samples::zip(&[])), Some(Format::Zip));
        assert_eq!(told(&samples::tar(&[("1.jpg", b"x")])), Some(Format::Tar));
        assert_eq!(told(b"Rar!\x1a\x07\x00...."), Some(Format::Rar4));
        assert_eq!(told(b"Rar!\x1a\x07\x01\x00...."), Some(Format::Rar5));
        assert_eq!(told(b"7z\xbc\xaf\x27\x1c...."), Some(Format::SevenZip));
        assert_eq!(told(b"%PDF-1.7\n"), Some(Format::Pdf));
        assert_eq!(told(b"\n\n%PDF-1.7\n"), Some(Format::Pdf));
        assert_eq!(told(&samples::tar(&[("1.pdf", b"%PDF-1.7\n")])), Some(Format::Tar));
        assert_eq!(told(b"Once upon a time"), None);
        assert_eq!(told(b""), None);
    }

    #[test]
    fn an_epub_is_a_zip_that_says_so_or_has_a_container() {
        assert_eq!(told(&samples::zip(&[("mimetype", b"application/epub+zip\n")])), Some(Format::Epub));
        assert_eq!(told(&samples::zip(&[("1.jpg", b"x"), ("META-INF/container.xml", b"")])), Some(Format::Epub));
        assert_eq!(told(&samples::zip(&[("mimetype", b"application/vnd.oasis")])), Some(Format::Zip));
    }

    #[test]
    fn an_archive_may_have_something_in_front_of_it() {
        let mut bytes = vec![0x7f; 5000];
        bytes.extend(samples::zip(&[("1.jpg", b"x")]));
        assert_eq!(told(&bytes), Some(Format::Zip));
    }

    #[test]
    fn a_folder_is_handed_out_as_an_archive_and_a_file_by_its_own_name() {
        let name = |format, path| Format::file_name(format, Path::new(path));
        assert_eq!(name(Some(Format::Folder), "/a/Chapter 10.5"), "Chapter 10.5.cbz");
        assert_eq!(name(Some(Format::Folder), "Chapter 1.CBZ"), "Chapter 1.CBZ", "as a friend told of it");
        assert_eq!(name(Some(Format::Rar5), "/a/1.cbr"), "1.cbr");
        assert_eq!(name(None, "/a/film.mkv"), "film.mkv");
    }

    #[test]
    fn only_pictures_are_divina() {
        let profiles = [Format::Rar5, Format::Pdf, Format::Epub].map(Format::media_profile);
        assert_eq!(profiles, [MediaProfile::Divina, MediaProfile::Pdf, MediaProfile::Epub]);
    }
}
