//! What kind of music a file is: its container and the codec within, told by its first bytes. The name decides only where
//! bytes cannot, as in an MP3 that begins with something else.
use serde::{Deserialize, Serialize};

/// What sound is packed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// Bare MPEG audio frames.
    Mpeg,
    /// Bare AAC frames (ADTS).
    Adts,
    /// FLAC's own.
    Flac,
    /// Ogg.
    Ogg,
    /// MPEG-4, iTunes' M4A.
    Mp4,
    /// RIFF WAVE.
    Wav,
    /// AIFF and AIFF-C.
    Aiff,
    /// Monkey's Audio.
    Ape,
    /// WavPack.
    WavPack,
    /// Musepack.
    Mpc,
}

impl Container {
    /// The word for it in the catalog and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mpeg => "mpeg",
            Self::Adts => "adts",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Mp4 => "mp4",
            Self::Wav => "wav",
            Self::Aiff => "aiff",
            Self::Ape => "ape",
            Self::WavPack => "wavpack",
            Self::Mpc => "mpc",
        }
    }
}

/// How sound is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// MPEG audio layer I.
    Mp1,
    /// MPEG audio layer II.
    Mp2,
    /// MPEG audio layer III.
    Mp3,
    /// AAC of any profile.
    Aac,
    /// Apple Lossless.
    Alac,
    /// FLAC.
    Flac,
    /// Opus.
    Opus,
    /// Vorbis.
    Vorbis,
    /// Speex.
    Speex,
    /// Samples as they are, whole numbers or floating point.
    Pcm,
    /// Monkey's Audio.
    Ape,
    /// WavPack, lossless or hybrid.
    WavPack,
    /// Musepack.
    Mpc,
    /// One that is not known here, in a container that is.
    Other,
}

impl Codec {
    /// The word for it in the catalog and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mp1 => "mp1",
            Self::Mp2 => "mp2",
            Self::Mp3 => "mp3",
            Self::Aac => "aac",
            Self::Alac => "alac",
            Self::Flac => "flac",
            Self::Opus => "opus",
            Self::Vorbis => "vorbis",
            Self::Speex => "speex",
            Self::Pcm => "pcm",
            Self::Ape => "ape",
            Self::WavPack => "wavpack",
            Self::Mpc => "mpc",
            Self::Other => "other",
        }
    }
}

/// Container and codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Format {
    /// What the sound is packed in.
    pub container: Container,
    /// How it is coded.
    pub codec: Codec,
}

/// Kinds of sound that are told apart here, for another part to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtherFormat {
    /// ASF: Windows Media Audio.
    Asf,
    /// Matroska or WebM.
    Matroska,
    /// FLAC in Ogg.
    OggFlac,
    /// Ogg with something else in it first.
    Ogg,
    /// DSD in Sony's stream file.
    Dsf,
    /// DSD in Philips' interchange file.
    Dff,
    /// True Audio.
    Tta,
    /// Tom's lossless audio.
    Tak,
    /// Wave with 64-bit lengths: RF64, BW64 and Sony's.
    Wave64,
    /// Apple's Core Audio.
    Caf,
    /// Sun's.
    Au,
    /// Dolby Digital frames.
    Ac3,
    /// RealMedia.
    Real,
}

impl OtherFormat {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asf => "asf",
            Self::Matroska => "matroska",
            Self::OggFlac => "ogg-flac",
            Self::Ogg => "ogg",
            Self::Dsf => "dsf",
            Self::Dff => "dff",
            Self::Tta => "tta",
            Self::Tak => "tak",
            Self::Wave64 => "wave64",
            Self::Caf => "caf",
            Self::Au => "au",
            Self::Ac3 => "ac3",
            Self::Real => "real",
        }
    }
}

/// A kind of file that is read here, before anything is known of its sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mpeg,
    Adts,
    Flac,
    Opus,
    Vorbis,
    Speex,
    Mp4,
    Wav,
    Aiff,
    Ape,
    WavPack,
    Mpc,
}

/// Bytes that [`kind`] wants to see.
pub(super) const HEAD: u64 = 64;

/// What a file is whose bytes behind any ID3 tag are `head`; `None`: nothing that is known.
pub(super) fn kind(head: &[u8], name: &str) -> Option<Result<Kind, OtherFormat>> {
    own_kind(head).map(Ok).or_else(|| other_kind(head).map(Err)).or_else(|| kind_by_name(head, name).map(Ok))
}

fn own_kind(head: &[u8]) -> Option<Kind> {
    Some(match head {
        [b'f', b'L', b'a', b'C', ..] => Kind::Flac,
        [b'O', b'g', b'g', b'S', ..] => ogg_kind(head)?,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Kind::Mp4,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Kind::Wav,
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => Kind::Aiff,
        [b'M', b'A', b'C', b' ', ..] => Kind::Ape,
        [b'w', b'v', b'p', b'k', ..] => Kind::WavPack,
        [b'M', b'P', b'C', b'K', ..] | [b'M', b'P', b'+', ..] => Kind::Mpc,
        // ISO 11172-3, section 2.4.1.3, and ISO 13818-7, section 6.2: eleven bits set; only ADTS has no layer.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Kind::Adts,
        [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 => Kind::Mpeg,
        _ => return None,
    })
}

/// The first packet of the first page, whose header has 27 bytes and one for each segment (RFC 3533, section 6).
fn first_packet(head: &[u8]) -> &[u8] {
    let segments = usize::from(head.get(26).copied().unwrap_or(0));
    head.get(27 + segments..).unwrap_or_default()
}

fn ogg_kind(head: &[u8]) -> Option<Kind> {
    match first_packet(head) {
        [b'O', b'p', b'u', b's', b'H', ..] => Some(Kind::Opus),
        [1, b'v', b'o', b'r', b'b', ..] => Some(Kind::Vorbis),
        [b'S', b'p', b'e', b'e', b'x', ..] => Some(Kind::Speex),
        _ => None,
    }
}

fn other_kind(head: &[u8]) -> Option<OtherFormat> {
    Some(match head {
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => OtherFormat::Asf,
        [0x1a, 0x45, 0xdf, 0xa3, ..] => OtherFormat::Matroska,
        [b'O', b'g', b'g', b'S', ..] if first_packet(head).starts_with(b"\x7fFLAC") => OtherFormat::OggFlac,
        [b'O', b'g', b'g', b'S', ..] => OtherFormat::Ogg,
        [b'D', b'S', b'D', b' ', ..] => OtherFormat::Dsf,
        [b'F', b'R', b'M', b'8', ..] => OtherFormat::Dff,
        [b'T', b'T', b'A', b'1' | b'2', ..] => OtherFormat::Tta,
        [b't', b'B', b'a', b'K', ..] => OtherFormat::Tak,
        [b'R', b'F' | b'I', b'6', b'4', ..]
        | [b'B', b'W', b'6', b'4', ..]
        | [b'r', b'i', b'f', b'f', 0x2e, 0x91, ..] => OtherFormat::Wave64,
        [b'c', b'a', b'f', b'f', ..] => OtherFormat::Caf,
        [b'.', b's', b'n', b'd', ..] => OtherFormat::Au,
        [0x0b, 0x77, ..] => OtherFormat::Ac3,
        [b'.', b'R', b'M', b'F', ..] | [b'.', b'r', b'a', 0xfd, ..] => OtherFormat::Real,
        _ => return None,
    })
}

fn kind_by_name(head: &[u8], name: &str) -> Option<Kind> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())?;
    match ending.as_str() {
        _ if head.is_empty() => None,
        "mp3" | "mp2" | "mp1" | "mpga" => Some(Kind::Mpeg),
        "aac" => Some(Kind::Adts),
        "mpc" | "mp+" | "mpp" => Some(Kind::Mpc),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_over_the_name() {
        assert_eq!(kind(b"fLaC....", "a.mp3"), Some(Ok(Kind::Flac)));
        assert_eq!(kind(&[0xff, 0xfb, 0x90, 0], "a.flac"), Some(Ok(Kind::Mpeg)));
        assert_eq!(kind(&[0xff, 0xf1, 0x50, 0], "a.mp3"), Some(Ok(Kind::Adts)));
        assert_eq!(kind(b"junk first", "a.MP3"), Some(Ok(Kind::Mpeg)));
        assert_eq!(kind(b"junk first", "a.flac"), None);
        assert_eq!(kind(b"", "a.mp3"), None);
    }

    #[test]
    fn what_others_read_is_named() {
        assert_eq!(kind(&[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11], "a.wma"), Some(Err(OtherFormat::Asf)));
        let ogg = |packet: &[u8]| kind(&[&b"OggS"[..], &[0; 22], &[1, 30], packet].concat(), "a.ogg");
        assert_eq!(ogg(b"OpusHead"), Some(Ok(Kind::Opus)));
        assert_eq!(ogg(b"\x7fFLAC"), Some(Err(OtherFormat::OggFlac)));
        assert_eq!(ogg(b"\x80theora"), Some(Err(OtherFormat::Ogg)));
    }

    #[test]
    fn words_are_those_of_json() {
        let format = Format { container: Container::WavPack, codec: Codec::WavPack };
        assert_eq!(
            serde_json::to_value(format).unwrap(),
            serde_json::json!({"container": "wavpack", "codec": "wavpack"})
        );
        assert_eq!(serde_json::to_value(OtherFormat::OggFlac).unwrap(), OtherFormat::OggFlac.as_str());
    }
}
