//! Pictures within a music file.
use serde::{Deserialize, Serialize};

/// What is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureKind {
    /// The front cover.
    Front,
    /// The back cover.
    Back,
    /// The artist, alone or with the band.
    Artist,
    /// Anything else.
    Other,
}

/// How a picture is coded, by its first bytes: what a tag says of it is often wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    WebP,
    /// BMP.
    Bmp,
    /// TIFF.
    Tiff,
    /// Not known.
    Other,
}

impl PictureType {
    /// By the first bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [0x89, b'P', b'N', b'G', ..] => Self::Png,
            [b'G', b'I', b'F', b'8', ..] => Self::Gif,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::WebP,
            [b'B', b'M', ..] => Self::Bmp,
            [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Self::Tiff,
            _ => Self::Other,
        }
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Other => "application/octet-stream",
        }
    }
}

/// What is known of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// What is to be seen.
    pub kind: PictureKind,
    /// How it is coded.
    #[serde(rename = "type")]
    pub picture_type: PictureType,
    /// Bytes.
    pub size: u64,
}

/// A picture with its bytes.
#[derive(Debug)]
pub(super) struct Embedded {
    pub kind: PictureKind,
    pub bytes: Vec<u8>,
}

impl Embedded {
    /// `code`: the number of ID3's APIC frame (ID3v2.4, section 4.14), which FLAC has taken over.
    pub fn new(code: u8, bytes: Vec<u8>) -> Self {
        let kind = match code {
            3 => PictureKind::Front,
            4 => PictureKind::Back,
            7 | 8 | 10 => PictureKind::Artist,
            _ => PictureKind::Other,
        };
        Self { kind, bytes }
    }

    pub fn picture(&self) -> Picture {
        Picture { kind: self.kind, picture_type: PictureType::of(&self.bytes), size: self.bytes.len() as u64 }
    }
}

/// Which of these shows the album best: the first front cover, else the first that is of no certain kind, else any.
#[must_use]
pub fn best_front(pictures: &[Picture]) -> Option<usize> {
    let rank = |picture: &Picture| match picture.kind {
        PictureKind::Front => 0,
        PictureKind::Other => 1,
        PictureKind::Artist => 2,
        PictureKind::Back => 3,
    };
    pictures.iter().enumerate().min_by_key(|(index, picture)| (rank(picture), *index)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_is_preferred_and_the_back_is_the_last_choice() {
        let pictures =
            |codes: &[u8]| codes.iter().map(|code| Embedded::new(*code, vec![]).picture()).collect::<Vec<_>>();
        assert_eq!(best_front(&pictures(&[4, 0, 3, 3])), Some(2));
        assert_eq!(best_front(&pictures(&[4, 8, 0])), Some(2));
        assert_eq!(best_front(&pictures(&[4])), Some(0));
        assert_eq!(best_front(&[]), None);
    }
}
