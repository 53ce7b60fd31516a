//! The sample entries of streams that only some players decode, from what the container keeps and, where it keeps
//! nothing, from the first packet.
use ffmpeg_next::ffi::{self, AVCodecID, AVColorRange};
use potluck::media::codecs;
use potluck::media::fmp4::{Colour, FilmCodec, FilmFormat, SampleFormat, SoundCodec, UPRIGHT};

use crate::facts::{display_matrix, pixel_aspect};
use crate::hdr;
use crate::source::Source;
use crate::stream::StreamView;
use crate::tracks::turned_only;

/// Packets in which the first of a stream is looked for.
const HEAD_PACKETS: usize = 4000;
/// Bytes of an `mdcv`.
const MASTERING_SIZE: usize = 24;

/// Pictures in HEVC, AV1 or VP9.
pub fn film(view: &StreamView<'_>) -> Option<SampleFormat> {
    let parameters = view.parameters();
    let (width, height) = (u16::try_from(parameters.width).ok()?, u16::try_from(parameters.height).ok()?);
    let colour = colour(parameters);
    let private = view.extradata();
    let (codec, record) = match parameters.codec_id {
        AVCodecID::AV_CODEC_ID_HEVC => (FilmCodec::Hevc, codecs::hevc(private).map(|_| private.to_vec())?),
        AVCodecID::AV_CODEC_ID_AV1 => (FilmCodec::Av1, codecs::av1(private).map(|_| private.to_vec())?),
        AVCodecID::AV_CODEC_ID_VP9 => (FilmCodec::Vp9, vp9_record(parameters, colour)?),
        _ => return None,
    };
    Some(SampleFormat::Film(FilmFormat {
        codec,
        width,
        height,
        pixel_aspect: pixel_aspect(view),
        matrix: display_matrix(view).map_or(UPRIGHT, turned_only),
        record,
        colour,
        mastering: hdr::mastering(view).and_then(|mastering| mastering_body(&mastering)),
        content_light: hdr::content_light(view).map(|(pixel, picture)| (short(pixel), short(picture))),
    }))
}

fn short(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// What the numbers of the pictures mean, if any of it is told. Read as numbers: the file chose them.
fn colour(parameters: &ffi::AVCodecParameters) -> Option<Colour> {
    const UNKNOWN: u16 = 2;
    // SAFETY: the enums are C enums of four bytes.
    let [primaries, transfer, matrix] = unsafe {
        [
            (&raw const parameters.color_primaries).cast::<u32>().read(),
            (&raw const parameters.color_trc).cast::<u32>().read(),
            (&raw const parameters.color_space).cast::<u32>().read(),
        ]
    }
    .map(|value| u16::try_from(value).unwrap_or(UNKNOWN));
    let full_range = parameters.color_range == AVColorRange::AVCOL_RANGE_JPEG;
    let is_told = [primaries, transfer, matrix].iter().any(|value| *value != UNKNOWN && *value != 0);
    is_told.then_some(Colour { primaries, transfer, matrix, full_range })
}

fn vp9_record(parameters: &ffi::AVCodecParameters, colour: Option<Colour>) -> Option<Vec<u8>> {
    let profile = u8::try_from(parameters.profile).ok().filter(|profile| *profile < 4)?;
    let (depth, subsampling) = crate::facts::sampling(parameters)?;
    let size = (u32::try_from(parameters.width).ok()?, u32::try_from(parameters.height).ok()?);
    let point = |value: u16| u8::try_from(value).unwrap_or(2);
    let colour = colour.unwrap_or(Colour { primaries: 2, transfer: 2, matrix: 2, full_range: false });
    let points = [point(colour.primaries), point(colour.transfer), point(colour.matrix)];
    Some(codecs::vp9_record(profile, depth, subsampling, colour.full_range, points, size))
}

/// ISO/IEC 14496-12, 12.1.7: green, blue, red, white in steps of 0.00002; brightest and darkest in steps of 0.0001.
fn mastering_body(mastering: &hdr::Mastering) -> Option<Vec<u8>> {
    let [red, green, blue, white] = mastering.primaries?;
    let (darkest, brightest) = mastering.luminance?;
    let mut body = Vec::with_capacity(MASTERING_SIZE);
    for (x, y) in [green, blue, red, white] {
        body.extend_from_slice(&((x * 50_000.0).round() as u16).to_be_bytes());
        body.extend_from_slice(&((y * 50_000.0).round() as u16).to_be_bytes());
    }
    body.extend_from_slice(&((brightest * 10_000.0).round() as u32).to_be_bytes());
    body.extend_from_slice(&((darkest * 10_000.0).round() as u32).to_be_bytes());
    Some(body)
}

/// Sound in FLAC, Opus, AC-3, E-AC-3 or MP3, and the samples that its frames are multiples of.
pub fn sound(source: &Source, view: &StreamView<'_>, sample_rate: u32) -> Option<(SampleFormat, i64)> {
    let parameters = view.parameters();
    let first = || first_packet(source, view.index);
    let (codec, record, step) = match parameters.codec_id {
        AVCodecID::AV_CODEC_ID_FLAC => {
            let (record, block) = codecs::flac_record(view.extradata())?;
            (SoundCodec::Flac, record, block)
        }
        AVCodecID::AV_CODEC_ID_OPUS if sample_rate == 48_000 => {
            (SoundCodec::Opus, codecs::opus_record(view.extradata())?, codecs::opus_samples(&first()?)?)
        }
        AVCodecID::AV_CODEC_ID_AC3 => (SoundCodec::Ac3, codecs::ac3_record(&first()?)?, 1536),
        AVCodecID::AV_CODEC_ID_EAC3 => {
            let (record, samples) = codecs::eac3_record(&first()?)?;
            (SoundCodec::Eac3, record, samples)
        }
        AVCodecID::AV_CODEC_ID_MP3 => (SoundCodec::Mp3, Vec::new(), if sample_rate < 32_000 { 576 } else { 1152 }),
        _ => return None,
    };
    let channels = u16::try_from(parameters.ch_layout.nb_channels).ok()?;
    Some((SampleFormat::Sound { codec, sample_rate, channels, record }, step))
}

fn first_packet(source: &Source, stream: usize) -> Option<Vec<u8>> {
    let mut head = source.reopened().ok()?;
    head.only(&[stream]);
    for _ in 0..HEAD_PACKETS {
        let packet = head.packet().ok()??;
        if packet.stream() == stream {
            return packet.data().map(<[u8]>::to_vec);
        }
    }
    None
}
