//! Writes fragmented MP4 (CMAF): the initialisation section of a track, and the head of one segment. Pure: no IO, no clock.
//!
//! Why our own: the bytes name the segment, so they must not follow the version of a library. The invariant: **equal
//! samples give equal bytes**, whoever asks, in whatever order (`docs/formats.md`, "Copy renditions").
//!
//! Boxes and fields are those of ISO/IEC 14496-12 (base media); `entry` has those of the codecs.
mod entry;

use serde::{Deserialize, Serialize};

/// What an initialisation section says of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackConfig {
    /// Ticks a second.
    pub timescale: u32,
    /// ISO 639-2 code, if it is one.
    pub language: Option<String>,
    /// What the samples are.
    pub format: SampleFormat,
}

/// The sample entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SampleFormat {
    /// H.264, samples as length-prefixed NAL units.
    Avc {
        /// Pixels as coded.
        width: u16,
        /// Pixels as coded.
        height: u16,
        /// Width to height of one pixel.
        pixel_aspect: (u32, u32),
        /// Transformation of the picture, row by row: 16.16 fixed point, last column 2.30.
        matrix: [i32; 9],
        /// The `AVCDecoderConfigurationRecord`.
        record: Vec<u8>,
        /// Every keyframe brings its own parameter sets (`avc3`): segments of one rendition may come from several
        /// encoders.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_band: bool,
    },
    /// AAC, raw access units.
    Aac {
        /// Hz.
        sample_rate: u32,
        /// Channels.
        channels: u16,
        /// The `AudioSpecificConfig`.
        record: Vec<u8>,
    },
    /// Pictures that some players decode.
    Film(FilmFormat),
    /// Sound that some players decode.
    Sound {
        /// Which.
        codec: SoundCodec,
        /// Hz.
        sample_rate: u32,
        /// Channels.
        channels: u16,
        /// Body of its configuration box: see [`super::codecs`]. Empty for MP3, which has none.
        record: Vec<u8>,
    },
    /// What cannot be carried as it is: the stream is transcoded, or not played.
    Foreign {
        /// It has pictures; else sound.
        video: bool,
    },
}

/// Codecs of pictures beside H.264 that can be repackaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilmCodec {
    /// H.265, samples as length-prefixed NAL units.
    Hevc,
    /// AV1, samples as temporal units without delimiters.
    Av1,
    /// VP9 frames and superframes.
    Vp9,
}

/// Codecs of sound beside AAC that can be repackaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SoundCodec {
    /// FLAC frames.
    Flac,
    /// Opus packets.
    Opus,
    /// AC-3 frames.
    Ac3,
    /// E-AC-3 frames with those that depend on them.
    Eac3,
    /// MPEG-1 or MPEG-2 layer 3 frames.
    Mp3,
}

/// The sample entry of a film that only some players decode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilmFormat {
    /// Which codec.
    pub codec: FilmCodec,
    /// Pixels as coded.
    pub width: u16,
    /// Pixels as coded.
    pub height: u16,
    /// Width to height of one pixel.
    pub pixel_aspect: (u32, u32),
    /// Transformation of the picture: see [`SampleFormat::Avc`].
    pub matrix: [i32; 9],
    /// Body of `hvcC`, `av1C` or `vpcC` (without its version).
    pub record: Vec<u8>,
    /// What its numbers mean, where the file says.
    pub colour: Option<Colour>,
    /// Body of `mdcv`: the screen it was made on.
    pub mastering: Option<Vec<u8>>,
    /// Brightest pixel and brightest picture, candela a square metre.
    pub content_light: Option<(u16, u16)>,
}

/// Code points of ISO/IEC 23091-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour {
    /// Of red, green and blue.
    pub primaries: u16,
    /// From numbers to light.
    pub transfer: u16,
    /// From brightness and differences to colours.
    pub matrix: u16,
    /// Numbers use their whole range.
    pub full_range: bool,
}

impl SampleFormat {
    /// The track has pictures; else sound.
    #[must_use]
    pub fn is_video(&self) -> bool {
        matches!(self, Self::Avc { .. } | Self::Film(_) | Self::Foreign { video: true })
    }

    /// Size as coded, shape of a pixel and turn, of pictures.
    fn picture(&self) -> Option<(u16, u16, (u32, u32), &[i32; 9])> {
        match self {
            Self::Avc { width, height, pixel_aspect, matrix, .. } => Some((*width, *height, *pixel_aspect, matrix)),
            Self::Film(film) => Some((film.width, film.height, film.pixel_aspect, &film.matrix)),
            Self::Aac { .. } | Self::Sound { .. } | Self::Foreign { .. } => None,
        }
    }

    /// The stream can be carried as it is, to a client that plays it.
    #[must_use]
    pub fn is_copyable(&self) -> bool {
        !matches!(self, Self::Foreign { .. })
    }
}

/// The matrix that leaves a picture as it is.
pub const UPRIGHT: [i32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// One access unit of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Presentation time in ticks, from 0.
    pub time: i64,
    /// Bytes.
    pub size: u32,
    /// Decoding can start here.
    pub sync: bool,
}

/// Why a segment or section cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Fmp4Error {
    /// A time is negative or further away than the format can say.
    #[error("a time of {0} ticks cannot be written")]
    Time(i64),
    /// The samples are more bytes than one segment may hold.
    #[error("the segment is too large")]
    TooLarge,
    /// The decoder configuration is empty or too long.
    #[error("the decoder configuration cannot be written")]
    Config,
}

const SYNC: u32 = 0x0200_0000;
const NOT_SYNC: u32 = 0x0101_0000;
const TRACK_ID: u32 = 1;
/// `tfhd`: data offsets count from the `moof`.
const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
/// `trun`: data offset; duration, size, flags and composition offset of each sample.
const TRUN_FIELDS: u32 = 0x01 | 0x100 | 0x200 | 0x400 | 0x800;

/// Bytes of a box under construction; its size is filled in when it closes.
fn boxed(into: &mut Vec<u8>, kind: &[u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
    let start = into.len();
    into.extend_from_slice(&[0; 4]);
    into.extend_from_slice(kind);
    body(into);
    // A section is a few KiB and a segment head a few MiB at most: checked by the callers before they write.
    let size = u32::try_from(into.len() - start).unwrap_or(u32::MAX);
    into[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// A box with version and flags.
fn full(into: &mut Vec<u8>, kind: &[u8; 4], version: u8, flags: u32, body: impl FnOnce(&mut Vec<u8>)) {
    boxed(into, kind, |b| {
        put32(b, u32::from(version) << 24 | flags);
        body(b);
    });
}

fn put16(into: &mut Vec<u8>, value: u16) {
    into.extend_from_slice(&value.to_be_bytes());
}

fn put32(into: &mut Vec<u8>, value: u32) {
    into.extend_from_slice(&value.to_be_bytes());
}

fn words(into: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| put32(into, *value));
}

fn zeros(into: &mut Vec<u8>, count: usize) {
    into.resize(into.len() + count, 0);
}

/// The initialisation section (`ftyp` and `moov`) of a track.
///
/// # Errors
/// [`Fmp4Error::Config`].
pub fn init_section(track: &TrackConfig) -> Result<Vec<u8>, Fmp4Error> {
    let length = match &track.format {
        SampleFormat::Avc { record, .. } | SampleFormat::Aac { record, .. } => record.len(),
        SampleFormat::Film(film) => film.record.len(),
        SampleFormat::Sound { codec: SoundCodec::Mp3, .. } => 1,
        SampleFormat::Sound { record, .. } => record.len(),
        SampleFormat::Foreign { .. } => 0,
    };
    if length == 0 || length > 0xffff || track.timescale == 0 {
        return Err(Fmp4Error::Config);
    }
    let mut out = Vec::with_capacity(1024);
    boxed(&mut out, b"ftyp", |b| {
        b.extend_from_slice(b"iso6");
        put32(b, 1);
        b.extend_from_slice(b"iso6cmfcmp41");
    });
    boxed(&mut out, b"moov", |b| {
        movie_header(b);
        boxed(b, b"trak", |b| track_boxes(b, track));
        boxed(b, b"mvex", |b| full(b, b"trex", 0, 0, |b| words(b, &[TRACK_ID, 1, 0, 0, 0])));
    });
    Ok(out)
}

fn movie_header(into: &mut Vec<u8>) {
    full(into, b"mvhd", 0, 0, |b| {
        words(b, &[0, 0, 1000, 0, 0x1_0000]);
        put16(b, 0x100);
        zeros(b, 10);
        matrix(b, &UPRIGHT);
        zeros(b, 24);
        put32(b, TRACK_ID + 1);
    });
}

fn matrix(into: &mut Vec<u8>, matrix: &[i32; 9]) {
    for value in matrix {
        into.extend_from_slice(&value.to_be_bytes());
    }
}

fn track_boxes(into: &mut Vec<u8>, track: &TrackConfig) {
    track_header(into, &track.format);
    boxed(into, b"mdia", |b| {
        full(b, b"mdhd", 0, 0, |b| {
            words(b, &[0, 0, track.timescale, 0]);
            put16(b, language_code(track.language.as_deref()));
            put16(b, 0);
        });
        let (handler, name) = match track.format.is_video() {
            true => (b"vide", &b"video\0"[..]),
            false => (b"soun", &b"audio\0"[..]),
        };
        full(b, b"hdlr", 0, 0, |b| {
            put32(b, 0);
            b.extend_from_slice(handler);
            zeros(b, 12);
            b.extend_from_slice(name);
        });
        boxed(b, b"minf", |b| media_information(b, &track.format));
    });
}

fn track_header(into: &mut Vec<u8>, format: &SampleFormat) {
    // Flags: enabled, in movie, in preview.
    full(into, b"tkhd", 0, 7, |b| {
        words(b, &[0, 0, TRACK_ID, 0, 0]);
        zeros(b, 8);
        put16(b, 0);
        put16(b, 0);
        put16(b, if format.is_video() { 0 } else { 0x100 });
        put16(b, 0);
        match format.picture() {
            Some((width, height, pixel_aspect, turned)) => {
                matrix(b, turned);
                put32(b, displayed_width(width, pixel_aspect));
                put32(b, u32::from(height) << 16);
            }
            None => {
                matrix(b, &UPRIGHT);
                zeros(b, 8);
            }
        }
    });
}

/// 16.16 fixed point, with the pixel's shape applied.
fn displayed_width(width: u16, (across, down): (u32, u32)) -> u32 {
    let scaled = (u64::from(width) << 16) * u64::from(across) / u64::from(down.max(1));
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

fn language_code(language: Option<&str>) -> u16 {
    let letters = match language.map(str::as_bytes) {
        Some(&[a, b, c]) if [a, b, c].iter().all(u8::is_ascii_lowercase) => [a, b, c],
        _ => *b"und",
    };
    letters.iter().fold(0, |code, letter| code << 5 | u16::from(letter - 0x60))
}

fn media_information(into: &mut Vec<u8>, format: &SampleFormat) {
    match format.is_video() {
        true => full(into, b"vmhd", 0, 1, |b| zeros(b, 8)),
        false => full(into, b"smhd", 0, 0, |b| zeros(b, 4)),
    }
    boxed(into, b"dinf", |b| {
        full(b, b"dref", 0, 0, |b| {
            put32(b, 1);
            full(b, b"url ", 0, 1, |_| ());
        });
    });
    boxed(into, b"stbl", |b| {
        full(b, b"stsd", 0, 0, |b| {
            put32(b, 1);
            entry::sample_entry(b, format);
        });
        for empty in [b"stts", b"stsc", b"stco"] {
            full(b, empty, 0, 0, |b| put32(b, 0));
        }
        full(b, b"stsz", 0, 0, |b| zeros(b, 8));
    });
}

/// Everything of a segment before its samples' bytes: `moof`, and the head of `mdat`. The samples' bytes follow in the
/// order given, which is decoding order. The last one in presentation order lasts until `end`.
///
/// Decoding times are the presentation times in ascending order, so that they never depend on what a demuxer made up;
/// composition offsets are the signed difference.
///
/// # Errors
/// [`Fmp4Error::Time`], [`Fmp4Error::TooLarge`].
pub fn segment_head(sequence: u32, samples: &[Sample], end: i64) -> Result<Vec<u8>, Fmp4Error> {
    let mut times: Vec<i64> = samples.iter().map(|s| s.time).collect();
    times.sort_unstable();
    let first = times.first().copied().unwrap_or(end);
    let base = u64::try_from(first).map_err(|_| Fmp4Error::Time(first))?;
    let payload = samples.iter().map(|s| u64::from(s.size)).sum::<u64>();
    let mdat = u32::try_from(payload + 8).map_err(|_| Fmp4Error::TooLarge)?;
    let rows = samples.iter().enumerate().map(|(i, s)| row(&times, i, s, end)).collect::<Result<Vec<_>, _>>()?;
    let count = u32::try_from(rows.len()).map_err(|_| Fmp4Error::TooLarge)?;

    let mut out = Vec::with_capacity(128 + rows.len() * 16);
    let mut offset_at = 0;
    boxed(&mut out, b"moof", |b| {
        full(b, b"mfhd", 0, 0, |b| put32(b, sequence.wrapping_add(1)));
        boxed(b, b"traf", |b| {
            full(b, b"tfhd", 0, DEFAULT_BASE_IS_MOOF, |b| put32(b, TRACK_ID));
            full(b, b"tfdt", 1, 0, |b| b.extend_from_slice(&base.to_be_bytes()));
            full(b, b"trun", 1, TRUN_FIELDS, |b| {
                put32(b, count);
                offset_at = b.len();
                put32(b, 0);
                rows.iter().flatten().for_each(|value| put32(b, *value));
            });
        });
    });
    let data_offset = u32::try_from(out.len() + 8).map_err(|_| Fmp4Error::TooLarge)?;
    out[offset_at..offset_at + 4].copy_from_slice(&data_offset.to_be_bytes());
    put32(&mut out, mdat);
    out.extend_from_slice(b"mdat");
    Ok(out)
}

/// Duration, size, flags and composition offset of the sample that is decoded `i`th.
fn row(times: &[i64], i: usize, sample: &Sample, end: i64) -> Result<[u32; 4], Fmp4Error> {
    let decoded = times[i];
    // A broken file may say that the next segment starts before this one's last picture: it then lasts no time.
    let until = times.get(i + 1).copied().unwrap_or(end).max(decoded);
    let duration = until.checked_sub(decoded).and_then(|d| u32::try_from(d).ok()).ok_or(Fmp4Error::Time(until))?;
    let offset = sample.time.checked_sub(decoded).and_then(|d| i32::try_from(d).ok());
    let offset = offset.ok_or(Fmp4Error::Time(sample.time))?;
    Ok([duration, sample.size, if sample.sync { SYNC } else { NOT_SYNC }, offset.cast_unsigned()])
}
