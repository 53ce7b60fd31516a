//! Which entries of a book are its pages, and what is known of each.
use serde::{Deserialize, Serialize};

use super::Limits;
use super::error::BookError;
use super::order::OrderKey;
use super::picture::{self, PICTURE_MAX_PIXELS, PictureType};
use super::place::Place;

/// A file in a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// With its folders, `/` between them as a rule. Never to be used as a path.
    pub name: String,
    /// Bytes, unpacked.
    pub size: u64,
    /// Where it is.
    pub place: Place,
    /// Cannot be read without a password.
    pub encrypted: bool,
}

/// A page of a book. The first has number 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// From 1 on, without gaps.
    pub number: u32,
    /// Of its file in the book, folders included.
    pub name: String,
    /// By its content, where that is known; else by its name.
    pub media_type: PictureType,
    /// Pixels, as it is shown; absent where it could not be found out.
    pub width: Option<u32>,
    /// Pixels, as it is shown.
    pub height: Option<u32>,
    /// Bytes.
    pub size: u64,
    /// Where it is.
    pub place: Place,
}

/// What is wrong with a page. It is a page all the same: leaving it out would give all others another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It cannot be unpacked, or ends before its dimensions.
    Damaged,
    /// Its first bytes are those of no picture.
    NotAPicture,
    /// It is nought pixels wide or high.
    NoPixels,
    /// It has more pixels than [`PICTURE_MAX_PIXELS`].
    TooManyPixels,
}

impl Fault {
    /// For people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Damaged => "it is damaged",
            Self::NotAPicture => "it is no picture",
            Self::NoPixels => "it has no pixels",
            Self::TooManyPixels => "it is too large to be shown",
        }
    }
}

/// A fault and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFault {
    /// Number of the page.
    pub page: u32,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Whether a file of that name in a book is a page: a picture by its extension, and not one of those that systems leave
/// behind (`__MACOSX`, `@eaDir`, names with a dot in front) or that want to be somewhere else (`/etc`, `..`).
#[must_use]
pub fn is_page_name(name: &str) -> bool {
    let own = name.trim_start_matches("./");
    let drive = own.as_bytes().get(1) == Some(&b':');
    let hidden = |part: &str| part.starts_with('.') || ["__MACOSX", "@eaDir"].contains(&part);
    let elsewhere = drive || own.starts_with(['/', '\\']);
    !elsewhere && !own.split(['/', '\\']).any(hidden) && PictureType::of_name(own).is_some()
}

/// The entries that are pages, in their order.
#[must_use]
pub fn select(entries: &[Entry]) -> Vec<&Entry> {
    let mut pages: Vec<&Entry> = entries.iter().filter(|entry| is_page_name(&entry.name)).collect();
    pages.sort_by_cached_key(|entry| OrderKey::of(&entry.name));
    pages
}

/// Numbers the entries in the order given and looks into each for its type and dimensions, as long as the limit for the
/// whole book lasts. `head` gives the first bytes of an entry, as many as it is asked for or all there are.
pub(super) fn describe(
    entries: &[&Entry],
    limits: &Limits,
    mut head: impl FnMut(&Entry, u64) -> Result<Vec<u8>, BookError>,
) -> Result<(Vec<Page>, Vec<PageFault>), BookError> {
    let mut left = limits.probe_bytes;
    let (mut pages, mut faults) = (Vec::with_capacity(entries.len()), Vec::new());
    for (entry, number) in entries.iter().zip(1..) {
        let mut page = unseen(entry, number);
        if left > 0
            && let Some(fault) = look_into(&mut page, |wanted| head(entry, wanted), &mut left)?
        {
            faults.push(PageFault { page: number, fault });
        }
        pages.push(page);
    }
    Ok((pages, faults))
}

fn unseen(entry: &Entry, number: u32) -> Page {
    let media_type = PictureType::of_name(&entry.name).unwrap_or(PictureType::Jpeg);
    let (name, size, place) = (entry.name.clone(), entry.size, entry.place);
    Page { number, name, media_type, width: None, height: None, size, place }
}

/// Bytes of a picture that are read in turn until its dimensions are among them. Few are needed, unless a JPEG carries
/// a preview or a colour profile.
const HEADS: [u64; 3] = [4 * 1024, 64 * 1024, 1024 * 1024];

/// Finds out a page's type and dimensions by its first bytes; gives what is wrong with it. `head` gives as many of them as
/// it is asked for or all there are, more with every call; `left` is what of the limit for the whole book is left.
///
/// # Errors
/// [`BookError::Io`] only: other errors of `head` are faults of the page.
pub fn look_into(
    page: &mut Page,
    mut head: impl FnMut(u64) -> Result<Vec<u8>, BookError>,
    left: &mut u64,
) -> Result<Option<Fault>, BookError> {
    for wanted in HEADS {
        let head = match head(wanted) {
            Ok(head) => head,
            Err(BookError::Io(error)) => return Err(error.into()),
            Err(_) => return Ok(Some(Fault::Damaged)),
        };
        *left = left.saturating_sub(head.len() as u64);
        let Some(media_type) = picture::kind(&head) else { return Ok(Some(Fault::NotAPicture)) };
        page.media_type = media_type;
        if let Some((width, height)) = picture::dimensions(media_type, &head) {
            (page.width, page.height) = (Some(width), Some(height));
            return Ok(fault_of(width, height));
        }
        let whole = (head.len() as u64) < wanted;
        if whole || *left == 0 {
            return Ok(whole.then_some(Fault::Damaged));
        }
    }
    Ok(None)
}

fn fault_of(width: u32, height: u32) -> Option<Fault> {
    match u64::from(width) * u64::from(height) {
        0 => Some(Fault::NoPixels),
        pixels if pixels > PICTURE_MAX_PIXELS => Some(Fault::TooManyPixels),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Zip, file_of, jpeg, png};
    use super::super::{bytes::Source, place, zip};
    use super::*;

    fn described(zip: &Zip, files: &[(&str, &[u8])], limits: &Limits) -> (Vec<Page>, Vec<PageFault>) {
        let file = file_of(&zip.with(files));
        let entries = zip::list(&file, limits).unwrap();
        let source = Source::new(&file).unwrap();
        describe(&select(&entries), limits, |entry, wanted| place::read_head(&source, &entry.place, wanted)).unwrap()
    }

    #[test]
    fn a_page_is_a_picture_that_no_system_left_behind() {
        for name in ["1.jpg", "a/b/2.JPEG", "./3.avif", "x.jxl", "x.heic", "a\\4.webp", "..5/.jpg/1.tif"] {
            assert_eq!(is_page_name(name), !name.contains(".."), "{name}");
        }
        let others = [
            "__MACOSX/1.jpg",
            "__MACOSX/._1.jpg",
            "._1.jpg",
            ".hidden/1.jpg",
            "Thumbs.db",
            "a/@eaDir/1.jpg",
            "../1.jpg",
            "a/../1.jpg",
            "/1.jpg",
            "\\1.jpg",
            "C:\\1.jpg",
            "ComicInfo.xml",
            "jpg",
            "1.jpg.txt",
            "",
        ];
        for name in others {
            assert!(!is_page_name(name), "{name}");
        }
    }

    #[test]
    fn a_wrong_extension_is_put_right() {
        let files: [(&str, &[u8]); 2] = [("2.jpg", &png(30, 40, 100)), ("1.png", &jpeg(1200, 1800, 0, 500))];
        let (pages, faults) = described(&Zip::default(), &files, &Limits::default());
        let told: Vec<_> = pages.iter().map(|p| (p.number, &*p.name, p.media_type, p.width, p.height)).collect();
        assert_eq!(told[0], (1, "1.png", PictureType::Jpeg, Some(1200), Some(1800)));
        assert_eq!(told[1], (2, "2.jpg", PictureType::Png, Some(30), Some(40)));
        assert!(faults.is_empty());
    }

    #[test]
    fn dimensions_far_into_a_jpeg_are_found_packed_or_not() {
        for deflate in [false, true] {
            for (before, found) in [(0, true), (10_000, true), (500_000, true), (1_100_000, false)] {
                let files: [(&str, &[u8]); 1] = [("1.jpg", &jpeg(12, 34, before, 1_200_000))];
                let zip = Zip { deflate, ..Zip::default() };
                let (pages, faults) = described(&zip, &files, &Limits::default());
                assert_eq!((pages[0].width, faults.len()), (found.then_some(12), 0), "{before}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_page_is_told_and_it_stays_a_page() {
        let short = &png(1, 1, 0)[..18];
        let (none, many) = (png(0, 9, 0), png(20_000, 20_000, 0));
        let files: [(&str, &[u8]); 5] =
            [("1.jpg", b"<html>"), ("2.png", &none), ("3.png", &many), ("4.jpg", b""), ("5.png", short)];
        let (pages, faults) = described(&Zip::default(), &files, &Limits::default());
        let told: Vec<_> = faults.iter().map(|fault| (fault.page, fault.fault)).collect();
        let wanted = [
            (1, Fault::NotAPicture),
            (2, Fault::NoPixels),
            (3, Fault::TooManyPixels),
            (4, Fault::NotAPicture),
            (5, Fault::Damaged),
        ];
        assert_eq!(told, wanted);
        assert_eq!((pages.len(), pages[2].width), (5, Some(20_000)));
    }

    #[test]
    fn a_book_is_looked_into_only_as_far_as_the_limit_goes() {
        let page = png(10, 10, 4096);
        let files: [(&str, &[u8]); 3] = [("1.png", &page), ("2.png", &page), ("3.png", &page)];
        let limits = Limits { probe_bytes: 5000, ..Limits::default() };
        let (pages, _) = described(&Zip::default(), &files, &limits);
        assert_eq!(pages.iter().map(|page| page.width).collect::<Vec<_>>(), [Some(10), Some(10), None]);
    }
}
