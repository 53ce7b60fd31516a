//! HEIF (ISO/IEC 23008-12) and AVIF, which is one: what it is by its brands, its dimensions by the properties of the
//! primary item.
use super::super::bytes::Fields;
use super::boxes::{Piece, boxes, find};
use super::{PictureType, turned};

/// By the brands; `None` for other files of that family, such as films.
pub(super) fn kind(head: &[u8]) -> Option<PictureType> {
    let brands = find(head, b"ftyp")?;
    let (major, compatible) = brands.split_at_checked(4)?;
    let others = compatible.get(4..).unwrap_or_default().chunks_exact(4);
    let all: Vec<&[u8]> = std::iter::once(major).chain(others).collect();
    if all.iter().any(|brand| [&b"avif"[..], b"avis"].contains(brand)) {
        return Some(PictureType::Avif);
    }
    let heif: [&[u8]; 11] =
        [b"mif1", b"mif2", b"msf1", b"miaf", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm"];
    all.iter().any(|brand| heif.contains(brand)).then_some(PictureType::Heif)
}

/// Dimensions of the primary item; of the largest where it is not told which properties are the primary item's.
pub(super) fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    // The box's version and flags come before its content.
    let meta = find(head, b"meta")?.get(4..)?;
    let properties = find(meta, b"iprp")?;
    let all: Vec<Piece> = boxes(find(properties, b"ipco")?).collect();
    let own = find(meta, b"pitm").and_then(primary_item).and_then(|item| own_properties(properties, item));
    let of_primary = own.and_then(|numbers| {
        let numbered = numbers.iter().filter_map(|n| all.get(n.checked_sub(1)?));
        size(&numbered.copied().collect::<Vec<_>>())
    });
    of_primary.or_else(|| size(&all))
}

fn primary_item(content: &[u8]) -> Option<u32> {
    let mut fields = Fields(content);
    match fields.u32_be()? >> 24 {
        0 => fields.u16_be().map(u32::from),
        _ => fields.u32_be(),
    }
}

/// Numbers of the item's properties, from 1 on (section 9.3.1, `ipma`).
fn own_properties(properties: &[u8], item: u32) -> Option<Vec<usize>> {
    let mut fields = Fields(find(properties, b"ipma")?);
    let version_and_flags = fields.u32_be()?;
    let (wide_items, wide_numbers) = (version_and_flags >> 24 > 0, version_and_flags & 1 == 1);
    for _ in 0..fields.u32_be()? {
        let id = if wide_items { fields.u32_be()? } else { fields.u16_be()?.into() };
        let mut numbers = Vec::new();
        for _ in 0..fields.u8()? {
            // The first bit says that the property is essential.
            let number = if wide_numbers { fields.u16_be()? & 0x7fff } else { u16::from(fields.u8()? & 0x7f) };
            numbers.push(usize::from(number));
        }
        if id == item {
            return Some(numbers);
        }
    }
    None
}

/// The largest of the sizes among the properties, turned as they say.
fn size(properties: &[Piece]) -> Option<(u32, u32)> {
    let of_kind = |kind: &'static [u8]| properties.iter().filter(move |piece| piece.kind == kind);
    let sizes = of_kind(b"ispe").filter_map(|piece| {
        let mut fields = Fields(piece.content.get(4..)?);
        Some((fields.u32_be()?, fields.u32_be()?))
    });
    let largest = sizes.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))?;
    let quarters = of_kind(b"irot").find_map(|piece| piece.content.first()).map_or(0, |angle| angle & 3);
    Some(turned(largest, if quarters % 2 == 1 { 6 } else { 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
    }

    fn ispe(width: u32, height: u32) -> Vec<u8> {
        boxed(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
    }

    /// Properties: 1 the size of a preview or whole, 2 the size of the picture, 3 a quarter turn.
    fn picture(brands: &[u8], ipma: &[u8]) -> Vec<u8> {
        let ipco = boxed(b"ipco", &[ispe(4000, 4000), ispe(300, 7), boxed(b"irot", &[1])].concat());
        let iprp = boxed(b"iprp", &[ipco, boxed(b"ipma", ipma)].concat());
        let meta = boxed(b"meta", &[vec![0; 4], boxed(b"pitm", &[0, 0, 0, 0, 0, 2]), iprp].concat());
        [boxed(b"ftyp", brands), boxed(b"free", &[0; 9]), meta, boxed(b"mdat", &[0; 50])].concat()
    }

    #[test]
    fn the_brands_tell_what_it_is() {
        let brands = [
            (&b"avif\0\0\0\0"[..], Some(PictureType::Avif)),
            (b"mif1\0\0\0\0miafavif", Some(PictureType::Avif)),
            (b"heic\0\0\0\0mif1", Some(PictureType::Heif)),
            (b"mif1\0\0\0\0heic", Some(PictureType::Heif)),
            (b"isom\0\0\0\0mp42", None),
        ];
        for (brands, wanted) in brands {
            assert_eq!(kind(&boxed(b"ftyp", brands)), wanted);
        }
    }

    #[test]
    fn dimensions_are_those_of_the_primary_item_as_it_is_turned() {
        let ipma = [0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 1, 0, 2, 2, 2, 0x83];
        assert_eq!(dimensions(&picture(b"avif\0\0\0\0", &ipma)), Some((7, 300)));
        let wide = [1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0x80, 2];
        assert_eq!(dimensions(&picture(b"avif\0\0\0\0", &wide)), Some((300, 7)));
        assert_eq!(dimensions(&picture(b"avif\0\0\0\0", &[0; 8])), Some((4000, 4000)));
        assert_eq!(dimensions(&picture(b"avif\0\0\0\0", &ipma)[..60]), None);
    }
}
