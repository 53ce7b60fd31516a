//! Books: what is in one, its pages, and pictures made of them.
use std::fs::File;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};
use potluck::media::book::{
    self, Book, BookError, Format, Limits, PICTURE_MAX_PIXELS, PictureType, Place, encode_pages,
};
use potluck::media::protocol::{BookFacts, FileKey, PictureForm, PicturePage};

use crate::archive::{self, Shelf};
use crate::pdf;
use crate::source::Trouble;

/// Bytes of a page at most.
pub const PAGE_MAX: u64 = 128 * 1024 * 1024;
/// Bytes that a decoder may take beside the picture itself.
const DECODER_MAX: u64 = 600 * 1024 * 1024;
/// Pixels of a picture made of four, in the shape of a book.
const MOSAIC: (u32, u32) = (212, 300);
/// Of JPEGs that are made, 1 to 100.
const QUALITY: u8 = 85;

impl From<BookError> for Trouble {
    fn from(error: BookError) -> Self {
        match error {
            BookError::NotABook | BookError::NeedsOther(_) => Self::NotMedia,
            other => Self::Cannot(other.to_string()),
        }
    }
}

/// What is known of a book, and its pages as they are kept.
pub fn of(file: &File) -> Result<(BookFacts, Vec<u8>), Trouble> {
    let book = inspect(file)?;
    if u32::try_from(book.pages.len()).is_err() {
        return Err(Trouble::Cannot("the book has too many pages".into()));
    }
    let partial_md5 = book::partial_md5(file).map_err(BookError::from)?;
    Ok((BookFacts::of(&book, partial_md5), encode_pages(&book.pages)))
}

fn inspect(file: &File) -> Result<Book, BookError> {
    let limits = Limits::default();
    match book::inspect(file, &limits) {
        Err(BookError::NeedsOther(Format::Pdf)) => pdf::inspect(file, &limits),
        Err(BookError::NeedsOther(format)) => archive::inspect(file, format, &limits),
        Err(BookError::UnknownMethod(_)) => archive::inspect(file, Format::Zip, &limits),
        book => book,
    }
}

/// Reads pages; remembers where in an archive it stopped, and what it unpacked last.
#[derive(Default)]
pub struct Reader {
    shelf: Shelf,
}

impl Reader {
    /// Forgets all: after a panic, nothing is trusted.
    pub fn clear(&mut self) {
        self.shelf.clear();
    }

    /// The bytes of a page, as they are in the book; of a PDF a picture of it.
    pub fn page(&mut self, key: FileKey, file: &File, place: &Place) -> Result<Vec<u8>, Trouble> {
        let page = match *place {
            Place::Other { format: Format::Pdf, index } => pdf::read_page(file, index, pdf::SIDE, PAGE_MAX),
            Place::Other { format, index } => self.shelf.page(key, file, format, index, PAGE_MAX),
            _ => book::read_page(file, place, PAGE_MAX),
        };
        Ok(page?)
    }

    /// A page in another form, and no larger than asked.
    pub fn picture(&mut self, key: FileKey, file: &File, plan: &PicturePage) -> Result<Vec<u8>, Trouble> {
        let bytes = self.page(key, file, &plan.place)?;
        shown(&bytes, plan.side, plan.form)
    }
}

/// A picture in another form, its longer side of at most `side` pixels.
pub fn shown(bytes: &[u8], side: Option<u32>, form: PictureForm) -> Result<Vec<u8>, Trouble> {
    let mut shown = decode(bytes)?;
    if let Some(side) = side.filter(|side| shown.width().max(shown.height()) > *side) {
        shown = shown.thumbnail(side, side);
    }
    encode(&shown, form)
}

/// Up to four pictures as one, each cut to a quarter of it.
pub fn mosaic(file: &File, sizes: &[u64]) -> Result<Vec<u8>, Trouble> {
    let (width, height) = (MOSAIC.0 / 2, MOSAIC.1 / 2);
    let (mut whole, mut offset) = (RgbImage::new(MOSAIC.0, MOSAIC.1), 0);
    for (size, (across, down)) in sizes.iter().zip([(0, 0), (1, 0), (0, 1), (1, 1)]) {
        let picture = decode(&book::read_page(file, &Place::Stored { offset, size: *size }, PAGE_MAX)?)?;
        let part = picture.resize_to_fill(width, height, FilterType::Triangle).to_rgb8();
        imageops::replace(&mut whole, &part, i64::from(across * width), i64::from(down * height));
        offset += size;
    }
    encode(&whole.into(), PictureForm::Jpeg)
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, Trouble> {
    let format = book::picture_kind(bytes).and_then(readable).ok_or(Trouble::NoPicture)?;
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > PICTURE_MAX_PIXELS {
        return Err(Trouble::Cannot(format!("a picture of {width} × {height} pixels is not shown")));
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(DECODER_MAX);
    decoder.set_limits(limits).map_err(damaged)?;
    let upright = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(upright);
    Ok(picture)
}

fn readable(kind: PictureType) -> Option<ImageFormat> {
    match kind {
        PictureType::Jpeg => Some(ImageFormat::Jpeg),
        PictureType::Png => Some(ImageFormat::Png),
        PictureType::Gif => Some(ImageFormat::Gif),
        PictureType::Webp => Some(ImageFormat::WebP),
        PictureType::Bmp => Some(ImageFormat::Bmp),
        PictureType::Tiff => Some(ImageFormat::Tiff),
        _ => None,
    }
}

fn encode(picture: &DynamicImage, form: PictureForm) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let written = match form {
        PictureForm::Jpeg => JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture.to_rgb8()),
        PictureForm::Png => picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png),
    };
    written.map_err(damaged)?;
    Ok(bytes)
}

fn damaged(error: image::ImageError) -> Trouble {
    Trouble::Damaged(error.to_string())
}
