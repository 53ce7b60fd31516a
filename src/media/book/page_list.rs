//! The pages of a book as bytes: how they are kept in the catalog, a few dozen bytes for each.
//!
//! A version, the count, and for each page: how many bytes of its name are those of the page before, the rest of the
//! name, type, width and height (0 for unknown, else one more), size, place. Numbers are unsigned varints of multiformats.
use unsigned_varint::{decode as varint, encode};

use super::error::BookError;
use super::format::Format;
use super::pages::Page;
use super::picture::PictureType;
use super::place::Place;
use super::zip::ZipPlace;

/// Changes with the form; another version is refused, and the book looked at anew.
const VERSION: u8 = 1;
/// Bytes of a page at least, so that a count cannot ask for memory that the bytes do not fill.
const PAGE_LEN_MIN: usize = 8;
/// Bytes of all names together.
const NAMES_MAX: usize = 128 * 1024 * 1024;

/// The pages as bytes. Their numbers are taken to be 1, 2, 3 and so on.
#[must_use]
pub fn encode(pages: &[Page]) -> Vec<u8> {
    let mut out = vec![VERSION];
    put(&mut out, pages.len() as u64);
    let mut before = "";
    for page in pages {
        let shared = shared_len(before, &page.name);
        put(&mut out, shared as u64);
        put(&mut out, (page.name.len() - shared) as u64);
        out.extend(&page.name.as_bytes()[shared..]);
        out.push(page.media_type as u8);
        put(&mut out, page.width.map_or(0, |width| u64::from(width) + 1));
        put(&mut out, page.height.map_or(0, |height| u64::from(height) + 1));
        put(&mut out, page.size);
        put_place(&mut out, &page.place);
        before = &page.name;
    }
    out
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend(encode::u64(number, &mut encode::u64_buffer()));
}

fn put_place(out: &mut Vec<u8>, place: &Place) {
    match place {
        Place::Zip(zip) => {
            out.push(0);
            put(out, zip.header);
            put(out, zip.packed);
            put(out, zip.size);
            put(out, zip.method.into());
            out.extend(zip.crc.to_le_bytes());
        }
        Place::Stored { offset, size } => {
            out.push(1);
            put(out, *offset);
            put(out, *size);
        }
        Place::Whole { size } => {
            out.push(2);
            put(out, *size);
        }
        Place::Other { format, index } => {
            out.push(3);
            out.push(*format as u8);
            put(out, *index);
        }
    }
}

/// Bytes at the front that two names share, between characters.
fn shared_len(a: &str, b: &str) -> usize {
    let pairs = a.chars().zip(b.chars());
    pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

/// The pages of what [`fn@encode`] made.
///
/// # Errors
/// [`BookError::Broken`] where the bytes are of another version or are not those of pages.
pub fn decode(bytes: &[u8]) -> Result<Vec<Page>, BookError> {
    List(bytes).pages().ok_or(BookError::Broken("its list of pages is damaged or of another version"))
}

struct List<'a>(&'a [u8]);

impl List<'_> {
    fn pages(mut self) -> Option<Vec<Page>> {
        if self.byte()? != VERSION {
            return None;
        }
        let count = u32::try_from(self.number()?).ok().filter(|n| *n as usize <= self.0.len() / PAGE_LEN_MIN)?;
        let mut pages: Vec<Page> = Vec::with_capacity(count as usize);
        let mut room = NAMES_MAX;
        for number in 1..=count {
            let name = self.name(pages.last().map_or("", |page| &page.name))?;
            room = room.checked_sub(name.len())?;
            pages.push(self.page(number, name)?);
        }
        self.0.is_empty().then_some(pages)
    }

    fn page(&mut self, number: u32, name: String) -> Option<Page> {
        let media_type = PictureType::ALL.get(usize::from(self.byte()?)).copied()?;
        let (width, height) = (self.pixels()?, self.pixels()?);
        Some(Page { number, name, media_type, width, height, size: self.number()?, place: self.place()? })
    }

    fn name(&mut self, before: &str) -> Option<String> {
        let shared = before.get(..self.len()?)?;
        let len = self.len()?;
        let rest = std::str::from_utf8(self.take(len)?).ok()?;
        Some([shared, rest].concat())
    }

    fn place(&mut self) -> Option<Place> {
        let place = match self.byte()? {
            0 => Place::Zip(ZipPlace {
                header: self.number()?,
                packed: self.number()?,
                size: self.number()?,
                method: self.number()?.try_into().ok()?,
                crc: u32::from_le_bytes(self.take(4)?.try_into().ok()?),
            }),
            1 => Place::Stored { offset: self.number()?, size: self.number()? },
            2 => Place::Whole { size: self.number()? },
            3 => Place::Other { format: format_of(self.byte()?)?, index: self.number()? },
            _ => return None,
        };
        Some(place)
    }

    fn pixels(&mut self) -> Option<Option<u32>> {
        match self.number()? {
            0 => Some(None),
            pixels => u32::try_from(pixels - 1).ok().map(Some),
        }
    }

    fn len(&mut self) -> Option<usize> {
        self.number()?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = varint::u64(self.0).ok()?;
        self.0 = rest;
        Some(number)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

fn format_of(byte: u8) -> Option<Format> {
    use Format::{Epub, Folder, Pdf, Rar4, Rar5, SevenZip, Tar, Zip};
    [Zip, Rar4, Rar5, SevenZip, Tar, Pdf, Epub, Folder].into_iter().find(|format| *format as u8 == byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places() -> impl Strategy<Value = Place> {
        let zip = any::<(u64, u64, u64, u16, u32)>();
        prop_oneof![
            zip.prop_map(|(header, packed, size, method, crc)| Place::Zip(ZipPlace {
                header,
                packed,
                size,
                method,
                crc
            })),
            any::<(u64, u64)>().prop_map(|(offset, size)| Place::Stored { offset, size }),
            any::<u64>().prop_map(|size| Place::Whole { size }),
            (0u8..8, any::<u64>()).prop_map(|(f, index)| Place::Other { format: format_of(f).unwrap(), index }),
        ]
    }

    fn pages() -> impl Strategy<Value = Vec<Page>> {
        let page = (
            "(ch1/)?[0-9é]{0,4}\\PC{0,5}",
            0..PictureType::ALL.len(),
            any::<(Option<u32>, Option<u32>, u64)>(),
            places(),
        );
        proptest::collection::vec(page, 0..20).prop_map(|pages| {
            let numbered = pages.into_iter().zip(1..);
            numbered
                .map(|((name, kind, (width, height, size), place), number)| Page {
                    number,
                    name,
                    media_type: PictureType::ALL[kind],
                    width,
                    height,
                    size,
                    place,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn pages_come_back_as_they_were(pages in pages()) {
            prop_assert_eq!(decode(&encode(&pages)).unwrap(), pages);
        }

        #[test]
        fn what_is_cut_off_or_damaged_gives_pages_or_an_error(pages in pages(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = encode(&pages);
            let at = at.index(bytes.len());
            prop_assert!(decode(&bytes[..at]).is_err());
            bytes[at] = byte;
            let _ = decode(&bytes);
        }

        #[test]
        fn any_bytes_give_pages_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = decode(&[&[VERSION][..], &bytes].concat());
        }
    }

    #[test]
    fn a_page_takes_few_bytes() {
        let page = |n: u32| {
            let zip =
                ZipPlace { header: u64::from(n) * 400_000, packed: 400_000, size: 400_000, method: 0, crc: n << 20 };
            let name = format!("Series Name v01 (2012) (Digital)/Series Name - p{n:03}.jpg");
            let (media_type, width, height) = (PictureType::Jpeg, Some(1200), Some(1800));
            Page { number: n, name, media_type, width, height, size: 400_000, place: Place::Zip(zip) }
        };
        let pages: Vec<Page> = (1..=180).map(page).collect();
        assert!(encode(&pages).len() < 180 * 36, "{}", encode(&pages).len());
    }
}
