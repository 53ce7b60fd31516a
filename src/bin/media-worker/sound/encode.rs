//! libav's AAC encoder, opened anew for each segment.
use std::ops::Range;

use ffmpeg_next::codec::{self, Context};
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::{ChannelLayout, Packet, Rational, encoder, frame};
use potluck::media::transcode::{AAC_FRAME, SoundFormat};

use crate::source::Trouble;

/// Rates that AAC has a number for, Hz.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const BIT_RATES: Range<u64> = 16_000..1_024_000;

/// The layout of a number of channels.
pub fn layout(channels: u16) -> Option<ChannelLayout> {
    match channels {
        1 => Some(ChannelLayout::MONO),
        2 => Some(ChannelLayout::STEREO),
        6 => Some(ChannelLayout::_5POINT1_BACK),
        _ => None,
    }
}

/// The `AudioSpecificConfig` of what is encoded.
pub fn configuration(format: SoundFormat) -> Result<Vec<u8>, Trouble> {
    let encoder = opened(format)?;
    // SAFETY: an open encoder's plain fields; the bytes live as long as it does, and are copied.
    let record = unsafe {
        let context = &*encoder.as_ptr();
        let size = usize::try_from(context.extradata_size).unwrap_or(0);
        if context.extradata.is_null() {
            Vec::new()
        } else {
            std::slice::from_raw_parts(context.extradata, size).to_vec()
        }
    };
    if record.is_empty() { Err(cannot()) } else { Ok(record) }
}

fn cannot() -> Trouble {
    Trouble::Cannot("sound cannot be encoded like this".to_owned())
}

fn opened(format: SoundFormat) -> Result<encoder::Audio, Trouble> {
    let layout = layout(format.channels).filter(|_| RATES.contains(&format.sample_rate)).ok_or_else(cannot)?;
    let codec = encoder::find(codec::Id::AAC).ok_or_else(cannot)?;
    let mut settings = Context::new_with_codec(codec).encoder().audio()?;
    settings.set_rate(i32::try_from(format.sample_rate).map_err(|_| cannot())?);
    settings.set_channel_layout(layout);
    settings.set_channels(i32::from(format.channels));
    settings.set_format(Sample::F32(Type::Planar));
    let bit_rate = format.bit_rate.clamp(BIT_RATES.start, BIT_RATES.end);
    settings.set_bit_rate(usize::try_from(bit_rate).map_err(|_| cannot())?);
    settings.set_time_base(Rational(1, i32::try_from(format.sample_rate).map_err(|_| cannot())?));
    // Without the encoder's name and version in the stream.
    settings.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
    Ok(settings.open_as(codec)?)
}

/// Encodes planes whose first sample is at `from`; the frames whose time lies in `wanted`, each with its time.
pub fn frames(
    planes: &[Vec<f32>],
    from: i64,
    format: SoundFormat,
    wanted: Range<i64>,
) -> Result<Vec<(i64, Vec<u8>)>, Trouble> {
    let mut encoder = opened(format)?;
    let layout = layout(format.channels).ok_or_else(cannot)?;
    let size = AAC_FRAME as usize;
    let count = planes.first().map_or(0, Vec::len) / size;
    let mut found = Vec::with_capacity(count);
    for n in 0..count {
        let mut input = frame::Audio::new(Sample::F32(Type::Planar), size, layout);
        input.set_rate(format.sample_rate);
        input.set_pts(Some(from + AAC_FRAME * n as i64));
        for (channel, plane) in planes.iter().enumerate() {
            input.plane_mut::<f32>(channel).copy_from_slice(&plane[n * size..(n + 1) * size]);
        }
        encoder.send_frame(&input)?;
        collect(&mut encoder, &wanted, &mut found);
    }
    encoder.send_eof()?;
    collect(&mut encoder, &wanted, &mut found);
    if found.len() as i64 * AAC_FRAME != wanted.end - wanted.start {
        return Err(Trouble::Cannot("the encoder left something out".to_owned()));
    }
    Ok(found)
}

fn collect(encoder: &mut encoder::Audio, wanted: &Range<i64>, found: &mut Vec<(i64, Vec<u8>)>) {
    let mut packet = Packet::empty();
    while encoder.receive_packet(&mut packet).is_ok() {
        if let (Some(time), Some(bytes)) = (packet.pts(), packet.data())
            && wanted.contains(&time)
        {
            found.push((time, bytes.to_vec()));
        }
    }
}
