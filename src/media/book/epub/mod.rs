//! EPUB 2 and 3: what the package document says, the reading order, and the pages where each is a single picture.
//!
//! Sources: EPUB 3.3, sections 4.2.6.3 (container), 5 (package document), appendix D (metadata); OPF 2.0.1 for what older
//! books have; calibre's names for series.
mod links;
mod outline;
mod package;
mod pictures;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::pages::Entry;
use super::people::Author;
use super::place::Place;
use super::{BookError, Direction, markup};

pub(super) use outline::read as outline;
pub use outline::{Outline, TocEntry};

/// What an EPUB says of itself, and what is in it. Absent fields were not written or make no sense.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Epub {
    /// The first title.
    pub title: Option<String>,
    /// Creators, and contributors whose role has a name here.
    pub authors: Vec<Author>,
    /// Without markup; may have several lines.
    pub description: Option<String>,
    /// Who published it.
    pub publisher: Option<String>,
    /// `2012-01-31`, `2012-01` or `2012`.
    pub date: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// All of them, as they are.
    pub identifiers: Vec<String>,
    /// Thirteen digits, of the first identifier that is one.
    pub isbn: Option<String>,
    /// Subjects.
    pub subjects: Vec<String>,
    /// Name of the series.
    pub series: Option<String>,
    /// Number in the series, as it is written.
    pub series_index: Option<String>,
    /// Which way pages are turned.
    pub direction: Option<Direction>,
    /// Its pages are laid out beforehand.
    pub fixed_layout: bool,
    /// Each document of the reading order is one picture: [`super::Book::pages`] has them.
    pub divina_compatible: bool,
    /// Has a licence or rights file: its contents are likely encrypted.
    pub protected: bool,
    /// The cover picture.
    pub cover: Option<EpubFile>,
    /// Documents in reading order, those that are not in the archive left out.
    pub spine: Vec<EpubFile>,
}

/// A file of an EPUB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpubFile {
    /// In the archive.
    pub name: String,
    /// As the manifest says.
    pub media_type: String,
    /// Part of the reading order proper; false for what is only reached by links.
    pub linear: bool,
    /// Bytes.
    pub size: u64,
    /// Where it is.
    pub place: Place,
}

/// The archive's files by name.
type Files<'a> = HashMap<&'a str, &'a Entry>;

/// Reads a document of the book.
type Read<'a> = &'a dyn Fn(&Entry) -> Result<Vec<u8>, BookError>;

/// What the package says, and the pictures that are its pages, if each document is one.
pub(super) fn read<'a>(entries: &'a [Entry], read: Read) -> Result<(Epub, Vec<&'a Entry>), BookError> {
    let files: Files = entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let name = package_name(&files, read)?;
    let package = files.get(name.as_str()).ok_or(BookError::Broken("its package document is missing"))?;
    let package = package::Package::parse(&markup::decode(&read(package)?));
    let mut epub = package.epub();
    let found = |item: &package::Item| {
        let entry = files.get(links::resolve(&name, &item.href).as_str())?;
        Some(epub_file(entry, item))
    };
    epub.cover = package.cover().and_then(found);
    epub.spine = package.spine().filter_map(found_with_linear(&found)).collect();
    epub.protected = ["META-INF/rights.xml", "META-INF/license.lcpl"].iter().any(|name| files.contains_key(name));
    let pictures = pictures::of_spine(&epub.spine, &files, read).unwrap_or_default();
    epub.divina_compatible = !pictures.is_empty();
    Ok((epub, pictures))
}

fn found_with_linear<'p>(
    found: &impl Fn(&package::Item) -> Option<EpubFile>,
) -> impl FnMut((&'p package::Item, bool)) -> Option<EpubFile> {
    move |(item, linear)| found(item).map(|file| EpubFile { linear, ..file })
}

fn epub_file(entry: &Entry, item: &package::Item) -> EpubFile {
    let (name, media_type) = (entry.name.clone(), item.media_type.clone());
    EpubFile { name, media_type, linear: true, size: entry.size, place: entry.place }
}

/// Where the container says that the package document is; without one, the only file that looks like it.
fn package_name(files: &Files, read: Read) -> Result<String, BookError> {
    let mut told = None;
    if let Some(container) = files.get("META-INF/container.xml") {
        markup::walk(&markup::decode(&read(container)?), |element, _| {
            if element.name == "rootfile" && told.is_none() {
                told = element.attribute("full-path").map(|path| links::resolve("", path));
            }
        });
    }
    let looks_like_it = || files.keys().filter(|name| name.ends_with(".opf")).min().map(|name| (*name).to_owned());
    let found = told.filter(|name| files.contains_key(name.as_str())).or_else(looks_like_it);
    found.ok_or(BookError::Broken("its package document is missing"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{file_of, png, zip};
    use super::super::{Format, Limits, inspect, read_page};
    use super::*;

    const CONTAINER: &[u8] = br#"<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
        <rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"#;

    const PACKAGE: &[u8] = br##"<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
        <dc:title>A Comic</dc:title><meta property="rendition:layout">pre-paginated</meta></metadata>
        <manifest><item id="a" href="text/1.xhtml" media-type="application/xhtml+xml"/><item id="b" href="text/2%20b.xhtml" media-type="application/xhtml+xml"/>
        <item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>
        <item id="i" href="images/1.png" media-type="image/png" properties="cover-image"/></manifest>
        <spine page-progression-direction="rtl"><itemref idref="a"/><itemref idref="b" linear="no"/></spine></package>"##;

    fn book(second: &[u8]) -> Vec<u8> {
        let first =
            br#"<html><head><title>1</title></head><body><div><img src="../images/1.png"/></div></body></html>"#;
        zip(&[
            ("mimetype", b"application/epub+zip"),
            ("META-INF/container.xml", CONTAINER),
            ("OEBPS/content.opf", PACKAGE),
            ("OEBPS/text/1.xhtml", first),
            ("OEBPS/text/2 b.xhtml", second),
            ("OEBPS/images/1.png", &png(30, 40, 99)),
            ("OEBPS/images/2.png", &png(50, 60, 99)),
        ])
    }

    #[test]
    fn a_comic_has_the_pictures_of_its_documents_as_pages() {
        let second = br#"<html><body><svg viewBox="0 0 1 1"><image xlink:href="../images/2.png"/></svg></body></html>"#;
        let file = file_of(&book(second));
        let book = inspect(&file, &Limits::default()).unwrap();
        let pages: Vec<_> = book.pages.iter().map(|page| (page.number, &*page.name, page.width)).collect();
        assert_eq!(pages, [(1, "OEBPS/images/1.png", Some(30)), (2, "OEBPS/images/2.png", Some(50))]);
        assert_eq!((book.format, book.direction()), (Format::Epub, Some(Direction::Rtl)));
        let epub = book.epub.unwrap();
        assert!(epub.divina_compatible && epub.fixed_layout && !epub.protected);
        assert_eq!(
            epub.spine.iter().map(|file| (&*file.name, file.linear)).collect::<Vec<_>>(),
            [("OEBPS/text/1.xhtml", true), ("OEBPS/text/2 b.xhtml", false)]
        );
        let cover = epub.cover.unwrap();
        assert_eq!((&*cover.media_type, read_page(&file, &cover.place, 99).unwrap().len()), ("image/png", 99));
    }

    #[test]
    fn a_book_with_text_has_no_pages_and_is_a_book_all_the_same() {
        for second in [
            &b"<html><body><p>Call me Ishmael.</p></body></html>"[..],
            b"<html><body><img src='../images/2.png'/>Text</body></html>",
            b"<html><body><img src='../images/1.png'/><img src='../images/2.png'/></body></html>",
            b"<html><body><img src='gone.png'/></body></html>",
            b"",
        ] {
            let book = inspect(&file_of(&book(second)), &Limits::default()).unwrap();
            assert!(book.pages.is_empty() && !book.epub.unwrap().divina_compatible);
        }
    }

    #[test]
    fn a_book_without_a_package_is_broken() {
        let bytes = zip(&[("META-INF/container.xml", CONTAINER)]);
        assert!(matches!(inspect(&file_of(&bytes), &Limits::default()), Err(BookError::Broken(_))));
        let bytes = zip(&[("META-INF/container.xml", b"<x/>"), ("a.opf", PACKAGE)]);
        assert_eq!(
            inspect(&file_of(&bytes), &Limits::default()).unwrap().epub.unwrap().title.as_deref(),
            Some("A Comic")
        );
    }
}
