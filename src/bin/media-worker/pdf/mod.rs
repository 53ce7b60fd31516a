//! Books that are PDFs: how many pages and how large, and a page as JPEG, by the `hayro` crate, which nothing else names.
//!
//! A page that is one JPEG and nothing else, as comics are scanned, is given as it is; any other is drawn. Whatever the
//! library makes of a broken file, a panic of it is an error here. It keeps a file's objects and no page between calls.
mod draw;
#[cfg(test)]
mod hostile;
mod mapped;
#[cfg(test)]
mod samples;
mod scan;
mod words;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hayro::hayro_syntax::page::Page as PdfPage;
use hayro::hayro_syntax::{LoadPdfError, Pdf};

use mapped::Mapped;
use potluck::media::book::{
    Author, Book, BookError, ComicInfo, Format, Limits, Page, PictureType, Place, picture_dimensions,
};

/// Pixels of the longer side of a page that is drawn, unless others are asked for.
pub const SIDE: u32 = 2000;
/// Pixels of the longer side at most.
const SIDE_MAX: u32 = 8000;
/// Bytes of a file at most: address space is limited.
const FILE_MAX: u64 = 1024 * 1024 * 1024;
/// Bytes of stack: how deep objects lie in others is the file's choice.
const STACK: usize = 64 * 1024 * 1024;

/// Finds out the pages of a PDF; those that are drawn are as large as [`read_page`] draws them with [`SIDE`], and how
/// many bytes they will have is not known: 0. Title and author are given as a comic's.
///
/// # Errors
/// [`BookError`]: `Encrypted` where a password is needed, `Broken`, `NoPages`, `TooMany`, `TooLarge`, `Io`.
pub fn inspect(file: &File, limits: &Limits) -> Result<Book, BookError> {
    guarded(|| {
        let pdf = open(file)?;
        let entries = pdf.pages().len() as u64;
        if entries > limits.entries {
            return Err(BookError::TooMany { entries, max: limits.entries });
        }
        let pages: Vec<Page> = (1..).zip(pdf.pages().iter()).map(|(number, page)| described(number, page)).collect();
        if pages.is_empty() {
            return Err(BookError::NoPages);
        }
        Ok(Book { format: Format::Pdf, pages, faults: Vec::new(), comic_info: said(&pdf), epub: None })
    })
}

/// Page number `index`, from 0 on, as JPEG: its own, or drawn with `side` pixels on the longer side.
///
/// # Errors
/// [`BookError`]: `Encrypted`, `Broken`, `TooLarge` for more than `limit_bytes`, `Io`.
pub fn read_page(file: &File, index: u64, side: u32, limit_bytes: u64) -> Result<Vec<u8>, BookError> {
    let bytes = guarded(|| {
        let pdf = open(file)?;
        let page = usize::try_from(index).ok().and_then(|index| pdf.pages().get(index));
        let page = page.ok_or(BookError::Broken("it has no such page"))?;
        match scan::jpeg(page) {
            Some(jpeg) => Ok(jpeg.into_owned()),
            None => draw::jpeg(page, side.clamp(1, SIDE_MAX)),
        }
    })?;
    let (size, max) = (bytes.len() as u64, limit_bytes);
    if size > max { Err(BookError::TooLarge { what: "a page", bytes: size, max }) } else { Ok(bytes) }
}

fn open(file: &File) -> Result<Pdf, BookError> {
    let mapped = Mapped::of(file, FILE_MAX)?;
    Pdf::new(Arc::new(mapped)).map_err(|error| match error {
        LoadPdfError::Decryption(_) => BookError::Encrypted,
        LoadPdfError::Invalid => BookError::Broken("its pages are not found"),
    })
}

/// Does it with much stack, and makes an error of a panic.
fn guarded<T: Send>(done: impl FnOnce() -> Result<T, BookError> + Send) -> Result<T, BookError> {
    const PANICKED: BookError = BookError::Broken("it cannot be understood");
    std::thread::scope(|scope| {
        let guard = || catch_unwind(AssertUnwindSafe(done)).unwrap_or(Err(PANICKED));
        let thread = std::thread::Builder::new().name("pdf".to_owned()).stack_size(STACK).spawn_scoped(scope, guard)?;
        thread.join().unwrap_or(Err(PANICKED))
    })
}

fn described(number: u32, page: &PdfPage<'_>) -> Page {
    let own =
        scan::jpeg(page).and_then(|jpeg| Some((picture_dimensions(PictureType::Jpeg, &jpeg)?, jpeg.len() as u64)));
    let (size, bytes) = match own {
        Some((size, bytes)) => (Some(size), bytes),
        None => (draw::size(page, SIDE).map(|(width, height)| (width.into(), height.into())), 0),
    };
    Page {
        number,
        name: format!("{number}.jpg"),
        media_type: PictureType::Jpeg,
        width: size.map(|size| size.0),
        height: size.map(|size| size.1),
        size: bytes,
        place: Place::Other { format: Format::Pdf, index: u64::from(number) - 1 },
    }
}

/// What the file says of itself in a form that a book has room for.
fn said(pdf: &Pdf) -> Option<ComicInfo> {
    let read = |field: &Option<Box<[u8]>>| field.as_ref().and_then(|bytes| words::read(bytes));
    let title = read(&pdf.metadata().title).filter(|title| words::is_title(title));
    let author = |name: String| Author { name, role: "writer".to_owned() };
    let authors: Vec<Author> = read(&pdf.metadata().author).map(author).into_iter().collect();
    let nothing = title.is_none() && authors.is_empty();
    (!nothing).then(|| ComicInfo { title, authors, ..ComicInfo::default() })
}
