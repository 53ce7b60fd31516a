//! What a picture is and how large, by its first bytes. Nothing is decoded, nothing is read past the slice, and no bytes
//! make it panic.
//!
//! Our own readers rather than the `imagesize` crate: a book needs dimensions as they are shown (EXIF, `irot` and JPEG XL
//! orientation) of the picture that is shown (an AVIF's primary item), which that crate does not tell.
mod boxes;
mod heif;
mod jpeg;
mod jxl;
mod tiff;

use serde::{Deserialize, Serialize};

use super::bytes::Fields;

/// Pixels of the largest picture that is not called too large.
pub const PICTURE_MAX_PIXELS: u64 = 100_000_000;

/// The kinds of picture that are pages. The order is that of their numbers in a kept list of pages: add at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PictureType {
    /// JPEG, baseline or progressive.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// PNG, moving or not.
    #[serde(rename = "image/png")]
    Png,
    /// GIF.
    #[serde(rename = "image/gif")]
    Gif,
    /// WebP in any of its three forms.
    #[serde(rename = "image/webp")]
    Webp,
    /// AVIF.
    #[serde(rename = "image/avif")]
    Avif,
    /// HEIF, of which HEIC is one.
    #[serde(rename = "image/heif")]
    Heif,
    /// JPEG XL, in a container or not.
    #[serde(rename = "image/jxl")]
    Jxl,
    /// Windows bitmap.
    #[serde(rename = "image/bmp")]
    Bmp,
    /// TIFF.
    #[serde(rename = "image/tiff")]
    Tiff,
}

impl PictureType {
    /// All of them, by number.
    pub(super) const ALL: [Self; 9] =
        [Self::Jpeg, Self::Png, Self::Gif, Self::Webp, Self::Avif, Self::Heif, Self::Jxl, Self::Bmp, Self::Tiff];

    /// By the extension of a file's name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let file = name.rsplit(['/', '\\']).next()?;
        let (_, extension) = file.rsplit_once('.')?;
        let picture = match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Self::Jpeg,
            "png" => Self::Png,
            "gif" => Self::Gif,
            "webp" => Self::Webp,
            "avif" => Self::Avif,
            "heic" | "heif" => Self::Heif,
            "jxl" => Self::Jxl,
            "bmp" => Self::Bmp,
            "tif" | "tiff" => Self::Tiff,
            _ => return None,
        };
        Some(picture)
    }

    /// As in an HTTP header.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Heif => "image/heif",
            Self::Jxl => "image/jxl",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
        }
    }
}

/// What a picture is, by its first bytes: a dozen will do, save for an AVIF that names itself late.
#[must_use]
pub fn kind(head: &[u8]) -> Option<PictureType> {
    match head {
        [0xff, 0xd8, 0xff, ..] => Some(PictureType::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(PictureType::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(PictureType::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(PictureType::Webp),
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some(PictureType::Jxl),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some(PictureType::Bmp),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(PictureType::Tiff),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif::kind(head),
        _ => None,
    }
}

/// Width and height in pixels as the picture is shown; `None` where more bytes are needed or it is damaged.
#[must_use]
pub fn dimensions(kind: PictureType, head: &[u8]) -> Option<(u32, u32)> {
    match kind {
        PictureType::Jpeg => jpeg::dimensions(head),
        PictureType::Png => png(head),
        PictureType::Gif => gif(head),
        PictureType::Webp => webp(head),
        PictureType::Avif | PictureType::Heif => heif::dimensions(head),
        PictureType::Jxl => jxl::dimensions(head),
        PictureType::Bmp => bmp(head),
        PictureType::Tiff => tiff::dimensions(head),
    }
}

/// Turned by a quarter, as orientations 5 to 8 of EXIF say.
fn turned((width, height): (u32, u32), orientation: u32) -> (u32, u32) {
    if (5..=8).contains(&orientation) { (height, width) } else { (width, height) }
}

/// W3C PNG, section 11.2.1: the header chunk comes first.
fn png(head: &[u8]) -> Option<(u32, u32)> {
    let mut fields = Fields(head.get(12..)?.strip_prefix(b"IHDR")?);
    Some((fields.u32_be()?, fields.u32_be()?))
}

/// GIF89a, section 18: the logical screen.
fn gif(head: &[u8]) -> Option<(u32, u32)> {
    let mut fields = Fields(head.get(6..)?);
    Some((fields.u16_le()?.into(), fields.u16_le()?.into()))
}

/// RFC 9649, sections 2.5 to 2.7: the first chunk tells which of the three forms it is.
fn webp(head: &[u8]) -> Option<(u32, u32)> {
    let mut fields = Fields(head.get(12..)?);
    let chunk = fields.take(4)?;
    fields.take(4)?;
    match chunk {
        b"VP8X" => {
            fields.take(4)?;
            let mut less_one = || fields.take(3).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]));
            Some((less_one()? + 1, less_one()? + 1))
        }
        b"VP8L" => {
            let bits = (fields.u8()? == 0x2f).then(|| fields.u32_le())??;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        // RFC 6386, section 9.1: the frame tag, the start code, and two bits of scale above each number.
        b"VP8 " => {
            fields.take(3)?;
            let start = fields.take(3)? == [0x9d, 0x01, 0x2a];
            let (width, height) = (fields.u16_le()?, fields.u16_le()?);
            start.then_some((u32::from(width & 0x3fff), u32::from(height & 0x3fff)))
        }
        _ => None,
    }
}

/// The two headers that Windows writes begin alike.
fn bmp(head: &[u8]) -> Option<(u32, u32)> {
    let mut fields = Fields(head.get(14..)?);
    match fields.u32_le()? {
        // OS/2's first header has narrow numbers.
        12 => Some((fields.u16_le()?.into(), fields.u16_le()?.into())),
        // A negative height means that the rows go from the top down.
        _ => Some((fields.u32_le()?, fields.u32_le()?.cast_signed().unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples;
    use super::*;

    fn told(head: &[u8]) -> Option<(PictureType, Option<(u32, u32)>)> {
        kind(head).map(|kind| (kind, dimensions(kind, head)))
    }

    #[test]
    fn simple_kinds_tell_their_size_at_the_front() {
        assert_eq!(told(&samples::png(300, 7, 0)), Some((PictureType::Png, Some((300, 7)))));
        assert_eq!(told(b"GIF89a\x2c\x01\x07\x00\x80"), Some((PictureType::Gif, Some((300, 7)))));
        let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x2c\x01\0\0".to_vec();
        bmp.extend((-7i32).to_le_bytes());
        assert_eq!(told(&bmp), Some((PictureType::Bmp, Some((300, 7)))));
        let old = b"BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x2c\x01\x07\0";
        assert_eq!(told(old), Some((PictureType::Bmp, Some((300, 7)))));
        assert_eq!(told(b"<!DOCTYPE html>"), None);
    }

    #[test]
    fn webp_has_three_forms() {
        let webp = |rest: &[u8]| [b"RIFF\x40\0\0\0WEBP", rest].concat();
        let lossy = webp(b"VP8 \x20\0\0\0\x10\x20\x30\x9d\x01\x2a\x2c\x41\x07\x80");
        assert_eq!(told(&lossy), Some((PictureType::Webp, Some((300, 7)))));
        let bits = 299u32 | 6 << 14 | 1 << 28;
        let lossless = webp(&[b"VP8L\x20\0\0\0\x2f", &bits.to_le_bytes()[..]].concat());
        assert_eq!(told(&lossless), Some((PictureType::Webp, Some((300, 7)))));
        let extended = webp(b"VP8X\x0a\0\0\0\x10\0\0\0\x2b\x01\0\x06\0\0");
        assert_eq!(told(&extended), Some((PictureType::Webp, Some((300, 7)))));
        assert_eq!(told(&extended[..28]), Some((PictureType::Webp, None)));
    }

    #[test]
    fn kinds_have_their_numbers_and_media_types() {
        for (number, kind) in PictureType::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.media_type());
        }
        assert_eq!(PictureType::of_name("a.b/c.JPeG"), Some(PictureType::Jpeg));
        assert_eq!(PictureType::of_name("a.jpg/c"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(
            magic in prop::sample::select(vec![
                &b""[..], b"\xff\xd8\xff\xe1\0\x30Exif\0\0II\x2a\0\x08\0\0\0", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"\xff\x0a",
                b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x20jxlp\0\0\0\0", b"II\x2a\0\x08\0\0\0", b"MM\0\x2a", b"BM\0\0\0\0\0\0\0\0",
                b"\0\0\0\x10ftypavif\0\0\0\0\0\0\0\x60meta\0\0\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
            ]),
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let head = [magic, &rest].concat();
            for kind in PictureType::ALL {
                let _ = dimensions(kind, &head);
            }
            let _ = told(&head);
        }
    }
}
