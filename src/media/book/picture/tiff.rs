//! TIFF 6.0, section 2: the first directory of fields. EXIF is kept in the same form.
use super::super::bytes::Fields;
use super::turned;

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const ORIENTATION: u16 = 274;

/// Dimensions of the first picture, if its directory is within the bytes.
pub(super) fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    let size = (field(head, WIDTH)?, field(head, HEIGHT)?);
    Some(turned(size, orientation(head).unwrap_or(1)))
}

/// How the picture is turned, 1 to 8.
pub(super) fn orientation(head: &[u8]) -> Option<u32> {
    field(head, ORIENTATION).filter(|turn| (1..=8).contains(turn))
}

/// The number in a field of the first directory.
fn field(bytes: &[u8], wanted: u16) -> Option<u32> {
    let little = bytes.starts_with(b"II");
    let u16 = |fields: &mut Fields| if little { fields.u16_le() } else { fields.u16_be() };
    let u32 = |fields: &mut Fields| if little { fields.u32_le() } else { fields.u32_be() };
    let mut header = Fields(bytes.get(2..)?);
    if u16(&mut header)? != 42 {
        return None;
    }
    let mut directory = Fields(bytes.get(u32(&mut header)? as usize..)?);
    for _ in 0..u16(&mut directory)? {
        let (tag, kind, count) = (u16(&mut directory)?, u16(&mut directory)?, u32(&mut directory)?);
        let mut value = Fields(directory.take(4)?);
        if tag == wanted && count == 1 {
            return match kind {
                3 => u16(&mut value).map(u32::from),
                4 => u32(&mut value),
                _ => None,
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn little(fields: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = b"II\x2a\0\x0a\0\0\0xx".to_vec();
        bytes.extend((fields.len() as u16).to_le_bytes());
        for (tag, kind, value) in fields {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(1u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn dimensions_are_short_or_long_numbers() {
        let bytes = little(&[(254, 4, 0), (256, 3, 300), (257, 4, 70_000)]);
        assert_eq!(dimensions(&bytes), Some((300, 70_000)));
        assert_eq!(dimensions(&bytes[..40]), None);
        assert_eq!(dimensions(&little(&[(256, 3, 300), (257, 3, 7), (274, 3, 6)])), Some((7, 300)));
    }

    #[test]
    fn a_directory_outside_is_none() {
        assert_eq!(dimensions(b"II\x2a\0\xff\xff\xff\xff"), None);
        assert_eq!(orientation(&little(&[(274, 3, 9)])), None);
    }
}
