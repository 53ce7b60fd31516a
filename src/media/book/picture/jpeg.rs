//! JPEG (ITU-T T.81, annex B): the frame header has the dimensions, the EXIF segment before it how they are turned.
use super::super::bytes::Fields;
use super::{tiff, turned};

/// Dimensions of the first frame.
pub(super) fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    let mut fields = Fields(head.get(2..)?);
    let mut orientation = 1;
    loop {
        match marker(&mut fields)? {
            // No content: a restart, or the start of an image.
            0x01 | 0xd0..=0xd8 => {}
            // The scan or the end without a frame.
            0xd9 | 0xda => return None,
            // Frames of all kinds; the three in between are tables.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                fields.take(3)?;
                let (height, width) = (fields.u16_be()?, fields.u16_be()?);
                return Some(turned((width.into(), height.into()), orientation));
            }
            0xe1 => orientation = segment(&mut fields).and_then(exif_orientation).unwrap_or(orientation),
            _ => drop(segment(&mut fields)?),
        }
    }
}

/// The next marker. Any number of fill bytes may come before it (B.1.1.2).
fn marker(fields: &mut Fields) -> Option<u8> {
    if fields.u8()? != 0xff {
        return None;
    }
    loop {
        match fields.u8()? {
            0xff => {}
            marker => return Some(marker),
        }
    }
}

fn segment<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let len = usize::from(fields.u16_be()?).checked_sub(2)?;
    fields.take(len)
}

fn exif_orientation(segment: &[u8]) -> Option<u32> {
    tiff::orientation(segment.strip_prefix(b"Exif\0\0")?)
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::jpeg;
    use super::*;

    #[test]
    fn a_progressive_frame_after_fill_bytes_is_found() {
        assert_eq!(dimensions(&jpeg(1200, 1800, 100_000, 0)), Some((1200, 1800)));
        assert_eq!(dimensions(&jpeg(1200, 1800, 100_000, 0)[..100_000]), None);
    }

    #[test]
    fn an_exif_quarter_turn_swaps_width_and_height() {
        let plain = jpeg(1200, 1800, 0, 0);
        for (orientation, wanted) in [(1, (1200, 1800)), (3, (1200, 1800)), (6, (1800, 1200)), (8, (1800, 1200))] {
            let mut bytes = plain[..20].to_vec();
            bytes.extend(b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
            bytes.extend([orientation, 0, 0, 0, 0, 0, 0]);
            bytes.extend(&plain[20..]);
            assert_eq!(dimensions(&bytes), Some(wanted));
        }
    }

    #[test]
    fn a_scan_without_a_frame_has_no_dimensions() {
        assert_eq!(dimensions(b"\xff\xd8\xff\xda\0\x08"), None);
        assert_eq!(dimensions(b"\xff\xd8\xff\xe0\0\0"), None);
    }
}
