//! What a book file is: its format, its pages with their types and dimensions, and what is written in it about itself.
//!
//! Pure and synchronous. Bytes are read by position from a file that the caller has opened; no path is ever opened here,
//! and names in an archive are never used as paths. Memory is bounded by [`Limits`], whatever the file says of itself.
//! Read here: zip, tar, EPUB and folders of pictures. RAR, 7-Zip and PDF are only told apart, for other parts to read.
//!
//! [`inspect`] is done once, at import; its pages are kept with [`encode_pages`], and [`read_page`] then needs no more
//! than a page's [`Place`].
//!
//! ```text
//! format -> zip | tar -> entries -> pages (order, picture) -> Book
//!                                -> comic_info, epub       -> Book
//! ```
mod bytes;
mod comic_info;
mod epub;
mod error;
mod folder;
mod format;
#[cfg(test)]
mod hostile;
mod isbn;
pub mod markup;
mod order;
mod page_list;
mod pages;
mod partial_md5;
mod people;
mod picture;
mod place;
#[cfg(test)]
mod samples;
mod series_json;
mod tar;
mod title;
mod told;
mod zip;

use std::fs::File;

use serde::{Deserialize, Serialize};

pub use comic_info::{ComicInfo, ComicPage, rank as comic_info_rank};
pub use epub::{Epub, EpubFile, Outline, TocEntry};
pub use error::BookError;
pub use folder::{FolderBook, FolderFile, inspect_folder, is_folder_file};
pub use format::{Format, MediaProfile};
pub use isbn::isbn13;
pub use order::{OrderKey, compare};
pub use page_list::{decode as decode_pages, encode as encode_pages};
pub use pages::{Entry, Fault, Page, PageFault, is_page_name, look_into as look_into_page, select as select_pages};
pub use partial_md5::{partial_md5, partial_md5_of};
pub use people::Author;
pub use picture::{PICTURE_MAX_PIXELS, PictureType, dimensions as picture_dimensions, kind as picture_kind};
pub use place::{Place, read_page};
pub use series_json::{SeriesJson, SeriesStatus};
pub use tar::list as list_tar;
pub use title::BookName;
pub use told::{Link, Told};
pub use zip::{ZipPlace, list as list_zip};

use bytes::Source;

/// How much of a book is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of an archive, or files of a folder. Default 100,000.
    pub entries: u64,
    /// Bytes of a zip's central directory, or of all names in a tar. Default 32 MiB.
    pub directory_bytes: u64,
    /// Bytes of one document inside, such as `ComicInfo.xml`. Default 4 MiB.
    pub document_bytes: u64,
    /// Bytes of all pages together that are unpacked to find out their dimensions; those of later pages stay unknown.
    /// Default 256 MiB.
    pub probe_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self { entries: 100_000, directory_bytes: 32 * MIB, document_bytes: 4 * MIB, probe_bytes: 256 * MIB }
    }
}

/// Everything that is found out about a book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// What kind of file it is.
    pub format: Format,
    /// In reading order; none for an EPUB whose pages are not single pictures.
    pub pages: Vec<Page>,
    /// What is wrong with pages, by number.
    pub faults: Vec<PageFault>,
    /// From `ComicInfo.xml`, if there is one.
    pub comic_info: Option<ComicInfo>,
    /// For an EPUB.
    pub epub: Option<Epub>,
}

/// Which way pages are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From left to right.
    Ltr,
    /// From right to left.
    Rtl,
}

impl Direction {
    /// The word for it in JSON and in the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

impl Book {
    /// Which way pages are turned, where the book says so.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        let comic = self.comic_info.as_ref().and_then(|comic| comic.direction);
        comic.or_else(|| self.epub.as_ref().and_then(|epub| epub.direction))
    }
}

/// Finds out what a book is and has.
///
/// # Errors
/// [`BookError`]; `NeedsOther` with the format for RAR, 7-Zip and PDF; `UnknownMethod` for a zip that is packed by anything
/// but deflate, which another part may know how to read. What is wrong with a single page is none: it is
/// in [`Book::faults`]; nor is a broken `ComicInfo.xml`.
pub fn inspect(file: &File, limits: &Limits) -> Result<Book, BookError> {
    let source = Source::new(file)?;
    let format = Format::by_magic(&source)?;
    let entries = match format {
        Format::Zip => zip::list(file, limits)?,
        Format::Tar => tar::list(file, limits)?,
        other => return Err(BookError::NeedsOther(other)),
    };
    let read = |entry: &Entry| read_page(file, &entry.place, limits.document_bytes);
    let head = |entry: &Entry, wanted: u64| place::read_head(&source, &entry.place, wanted);
    if format == Format::Zip && format::is_epub(file, &entries) {
        return epub_book(&entries, limits, read, head);
    }
    picture_book(format, &entries, limits, read, head)
}

/// What is in an EPUB, for programs that show it themselves.
///
/// # Errors
/// [`BookError`], as for [`inspect`].
pub fn outline(file: &File, limits: &Limits) -> Result<Outline, BookError> {
    let entries = zip::list(file, limits)?;
    epub::outline(&entries, &|entry: &Entry| read_page(file, &entry.place, limits.document_bytes))
}

fn picture_book(
    format: Format,
    entries: &[Entry],
    limits: &Limits,
    read: impl Fn(&Entry) -> Result<Vec<u8>, BookError>,
    head: impl Fn(&Entry, u64) -> Result<Vec<u8>, BookError>,
) -> Result<Book, BookError> {
    let selected = pages::select(entries);
    if selected.is_empty() {
        return Err(BookError::NoPages);
    }
    if selected.iter().any(|entry| entry.encrypted) {
        return Err(BookError::Encrypted);
    }
    if let Some(method) = selected.iter().find_map(|entry| entry.place.unknown_method()) {
        return Err(BookError::UnknownMethod(method));
    }
    let (pages, faults) = pages::describe(&selected, limits, head)?;
    let comic_info = comic_info::of_entries(entries, read);
    Ok(Book { format, pages, faults, comic_info, epub: None })
}

fn epub_book(
    entries: &[Entry],
    limits: &Limits,
    read: impl Fn(&Entry) -> Result<Vec<u8>, BookError>,
    head: impl Fn(&Entry, u64) -> Result<Vec<u8>, BookError>,
) -> Result<Book, BookError> {
    let (epub, pictures) = epub::read(entries, &read)?;
    let (pages, faults) = pages::describe(&pictures, limits, head)?;
    let comic_info = comic_info::of_entries(entries, read);
    Ok(Book { format: Format::Epub, pages, faults, comic_info, epub: Some(epub) })
}
