//! What the node and a media worker say to each other over one Unix socket: a request, then its reply, nothing in between;
//! before the reply to [`Question::WholeSound`] come the pieces of it, in order.
//!
//! A message is two big-endian lengths (header, payload: four bytes each), a JSON header, and raw payload bytes, so that
//! a segment is never escaped or copied into text. The file itself travels as a descriptor (`SCM_RIGHTS`) with the first
//! byte of a request: the worker opens nothing by name. Both ends refuse lengths over the limits below before they
//! allocate. `docs/formats.md`, "The worker protocol", is this page in prose.
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::book::{Book, Format, Place, Told};
use super::facts::{Facts, Stream, StreamKind};
use super::fmp4::TrackConfig;
use super::hardware::{Device, DeviceReport};
use super::music::Told as MusicTold;
use super::subtitles::SubtitleTrack;
use super::timeline::{FileIndex, SegmentPlan};
use super::transcode::{PicturePlan, SoundPlan, SpritePlan};
use super::whole_sound::WholeSound;

/// Bytes of the two lengths.
pub const PREFIX_SIZE: usize = 8;
/// Bytes of the longest header: the index of a film of many hours.
pub const HEADER_MAX: usize = 16 * 1024 * 1024;
/// Bytes of the longest payload: one segment of the heaviest stream.
pub const PAYLOAD_MAX: usize = 256 * 1024 * 1024;

/// Tells one state of one file from another, so that a worker knows what it has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileKey {
    /// Device it is on.
    pub device: u64,
    /// Inode.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the Unix epoch.
    pub modified_ns: i128,
}

/// What the node asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// What is in the file?
    Probe,
    /// A picture of it, as JPEG.
    Poster {
        /// Pixels at most.
        width: u32,
    },
    /// Where can its streams be cut?
    Index,
    /// One segment of one stream.
    Segment(SegmentPlan),
    /// What the initialisation section of a transcoded film says. Equal formats give equal answers, whoever encodes.
    PictureHead(PicturePlan),
    /// One segment of a transcoded film.
    Picture(PicturePlan),
    /// What the initialisation section of transcoded sound says.
    SoundHead(SoundPlan),
    /// One segment of transcoded sound.
    Sound(SoundPlan),
    /// The sound of the whole file as one stream: pieces, then the reply.
    WholeSound(WholeSound),
    /// All cues of a text subtitle stream.
    Subtitles {
        /// Index of the stream.
        stream: u32,
        /// See [`super::timeline::FileIndex::base_seconds`].
        base_seconds: i64,
    },
    /// An attached file, a font for example.
    Attachment {
        /// Index of the stream.
        stream: u32,
    },
    /// Small pictures for the seek bar, as JPEG.
    Sprite(SpritePlan),
    /// What is in this book?
    Book,
    /// The bytes of a page, as they are in the book.
    Page(Place),
    /// A page in a form that everything can show.
    PicturePage(PicturePage),
    /// A picture made of these, which the file holds one after the other; their bytes.
    Mosaic(Vec<u64>),
    /// What is this piece of music, and what does it say of itself?
    Track {
        /// Of the file's name, in small letters: some formats are told apart by nothing else.
        ending: String,
    },
    /// The picture that a piece of music holds, as JPEG.
    TrackPicture {
        /// See [`Question::Track`].
        ending: String,
        /// Pixels of its longer side at most.
        side: u32,
    },
    /// What does this device do? The file that comes with it is empty.
    Hardware(Device),
}

/// Which form a picture is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureForm {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

/// A page, and what shall be made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicturePage {
    /// Where it is in the book.
    pub place: Place,
    /// Pixels of its longer side at most; `None` as it is.
    pub side: Option<u32>,
    /// See [`PictureForm`].
    pub form: PictureForm,
}

/// What is known of a book besides its list of pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFacts {
    /// What kind of file it is.
    pub format: Format,
    /// How many there are; of an EPUB that flows, its documents in reading order.
    pub pages: u32,
    /// What it says of itself.
    pub told: Told,
    /// The picture that stands for it, if it has any.
    pub cover: Option<super::book::Place>,
    /// What KOReader calls its file; see [`super::book::partial_md5`].
    pub partial_md5: String,
    /// What is wrong with some of its pages, for people.
    pub problem: Option<String>,
}

impl BookFacts {
    /// What is known of a book, its pages aside.
    #[must_use]
    pub fn of(book: &Book, partial_md5: String) -> Self {
        let problem = book.faults.first().map(|fault| format!("page {}: {}", fault.page, fault.fault.text()));
        let of_epub = || book.epub.as_ref()?.cover.as_ref().map(|cover| cover.place);
        let cover = book.pages.first().map(|page| page.place).or_else(of_epub);
        let spine = book.epub.as_ref().map_or(0, |epub| epub.spine.len());
        let count = if book.pages.is_empty() { spine } else { book.pages.len() };
        let pages = u32::try_from(count).unwrap_or(u32::MAX);
        Self { format: book.format, pages, told: book.told(), cover, partial_md5, problem }
    }
}

/// What is known of a piece of music.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrackFacts {
    /// The word of [`super::music::Container`], or libav's.
    pub container: String,
    /// The word of [`super::music::Codec`], or libav's.
    pub codec: String,
    /// Seconds; 0 where nothing tells.
    pub duration: f64,
    /// kbit/s.
    pub bit_rate: Option<u32>,
    /// Hz.
    pub sample_rate: Option<u32>,
    /// Of lossless sound.
    pub bit_depth: Option<u32>,
    pub channels: Option<u32>,
    /// It holds a picture.
    pub picture: bool,
    /// What its tags say.
    pub told: MusicTold,
}

impl TrackFacts {
    /// The same as is known of any file that plays.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let sound = Stream {
            codec: self.codec.clone(),
            channels: self.channels,
            sample_rate: self.sample_rate,
            bit_depth: self.bit_depth,
            kind: StreamKind::Audio,
            ..Stream::default()
        };
        let bit_rate = u64::from(self.bit_rate.unwrap_or_default()) * 1000;
        let title = self.told.title.clone();
        Facts {
            container: self.container.clone(),
            duration: self.duration,
            bit_rate,
            title,
            streams: vec![sound],
            ..Facts::default()
        }
    }
}

/// A question about the file whose descriptor comes with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The file as the node opened it.
    pub file: FileKey,
    /// What is asked.
    pub question: Question,
}

/// What the worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Question::Probe`].
    Facts(Facts),
    /// To [`Question::Poster`] and others: it is the payload.
    Payload,
    /// To [`Question::Segment`]: it is the payload.
    Cut {
        /// Its packets lie in these bytes of the file; empty where the container does not say.
        span: Range<u64>,
    },
    /// To [`Question::Index`].
    Index(FileIndex),
    /// To [`Question::PictureHead`] and [`Question::SoundHead`].
    Head(TrackConfig),
    /// To [`Question::Picture`] and [`Question::Sound`]: the segment is the payload. To [`Question::WholeSound`]: it is whole.
    Encoded {
        /// The encoder's name as libav has it.
        encoder: String,
    },
    /// A piece of the answer to [`Question::WholeSound`]: its bytes are the payload, and more comes.
    Piece {
        /// See [`super::whole_sound::Piece::length`].
        length: Option<u64>,
    },
    /// To [`Question::Subtitles`].
    Subtitles(SubtitleTrack),
    /// To [`Question::Book`]: the payload is its list of pages, in the form of [`super::book::encode_pages`].
    Book(Box<BookFacts>),
    /// To [`Question::Track`].
    Track(Box<TrackFacts>),
    /// To [`Question::Hardware`].
    Hardware(DeviceReport),
    /// The device failed, not the file: what it said. The same plan may be asked again with another device.
    DeviceFailed(String),
    /// The file cannot be read so: a sentence for people.
    Unreadable(String),
}

/// Why a message was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProtocolError {
    /// The header or payload is longer than allowed.
    #[error("a message of {header} + {payload} bytes is over the limit")]
    TooLong {
        /// Bytes of the header.
        header: usize,
        /// Bytes of the payload.
        payload: usize,
    },
    /// The header is not the JSON that is expected here.
    #[error("a message cannot be understood: {0}")]
    Malformed(String),
}

/// The two lengths and the header, ready to be sent before `payload_size` bytes of payload.
///
/// # Errors
/// [`ProtocolError::TooLong`].
pub fn encode<T: Serialize>(message: &T, payload_size: usize) -> Result<Vec<u8>, ProtocolError> {
    let header = serde_json::to_vec(message).map_err(|e| ProtocolError::Malformed(e.to_string()))?;
    let lengths = prefix(header.len(), payload_size)?;
    Ok([&lengths[..], &header].concat())
}

fn prefix(header: usize, payload: usize) -> Result<[u8; PREFIX_SIZE], ProtocolError> {
    let too_long = ProtocolError::TooLong { header, payload };
    if header > HEADER_MAX || payload > PAYLOAD_MAX {
        return Err(too_long);
    }
    let (Ok(first), Ok(second)) = (u32::try_from(header), u32::try_from(payload)) else { return Err(too_long) };
    let mut bytes = [0; PREFIX_SIZE];
    bytes[..4].copy_from_slice(&first.to_be_bytes());
    bytes[4..].copy_from_slice(&second.to_be_bytes());
    Ok(bytes)
}

/// Bytes of the header and of the payload that follow.
///
/// # Errors
/// [`ProtocolError::TooLong`].
pub fn decode_prefix(bytes: [u8; PREFIX_SIZE]) -> Result<(usize, usize), ProtocolError> {
    let [a, b, c, d, e, f, g, h] = bytes;
    let header = u32::from_be_bytes([a, b, c, d]) as usize;
    let payload = u32::from_be_bytes([e, f, g, h]) as usize;
    if header > HEADER_MAX || payload > PAYLOAD_MAX {
        return Err(ProtocolError::TooLong { header, payload });
    }
    Ok((header, payload))
}

/// Reads a header.
///
/// # Errors
/// [`ProtocolError::Malformed`].
pub fn decode_header<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, ProtocolError> {
    serde_json::from_slice(bytes).map_err(|e| ProtocolError::Malformed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(width: u32) -> Request {
        let file = FileKey { device: 1, inode: 2, size: 3, modified_ns: -4 };
        Request { file, question: Question::Poster { width } }
    }

    #[test]
    fn a_message_reads_back_as_it_was_sent() {
        let bytes = encode(&request(640), 7).unwrap();
        let (header, payload) = decode_prefix(bytes[..PREFIX_SIZE].try_into().unwrap()).unwrap();
        assert_eq!((header, payload), (bytes.len() - PREFIX_SIZE, 7));
        assert_eq!(decode_header::<Request>(&bytes[PREFIX_SIZE..]).unwrap(), request(640));
    }

    #[test]
    fn lengths_over_the_limit_are_refused_by_both_ends() {
        assert!(encode(&request(1), PAYLOAD_MAX + 1).is_err());
        assert!(decode_prefix([0xff; PREFIX_SIZE]).is_err());
        assert!(decode_prefix([0, 0, 0, 1, 0xff, 0, 0, 0]).is_err());
    }

    proptest! {
        #[test]
        fn any_header_bytes_give_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_header::<Request>(&bytes);
            let _ = decode_header::<Reply>(&bytes);
        }
    }
}
