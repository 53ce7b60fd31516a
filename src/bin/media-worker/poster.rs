//! A picture of a film: a keyframe that shows something, upright, in square pixels, as JPEG.
use ffmpeg_next::codec::{self, Context};
use ffmpeg_next::ffi::{self, AVMediaType};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Packet, Rational, decoder, encoder, filter, frame};

use crate::facts::{displayed, quarter_turns};
use crate::source::{Source, Trouble};

/// Where to look, in parts of the duration; the first that is neither black nor blank wins.
const PLACES: [f64; 7] = [0.10, 0.15, 0.22, 0.33, 0.5, 0.05, 0.0];
/// Keyframes tried at each place, since some cannot be decoded alone.
const KEYFRAMES_A_PLACE: usize = 4;
/// Packets read in search of a keyframe.
const PACKETS_MAX: usize = 3000;
/// Darker than this on average (of 255) is black; less spread than this is blank.
const DARK: f64 = 28.0;
const FLAT: f64 = 10.0;
/// JPEG quantiser: 2 best, 31 worst.
const QUALITY: i32 = 4;

/// The poster of a file, at most `width` pixels wide.
pub fn of(source: &mut Source, width: u32) -> Result<Vec<u8>, Trouble> {
    let index = picture_stream(source).ok_or(Trouble::NoPicture)?;
    source.only(&[index]);
    let frame = best_frame(source, index)?;
    encode(&shaped(source, index, &frame, width)?)
}

/// The film itself, or else a cover picture.
fn picture_stream(source: &Source) -> Option<usize> {
    let video = |s: &crate::stream::StreamView<'_>| s.parameters().codec_type == AVMediaType::AVMEDIA_TYPE_VIDEO;
    let moving = source.streams().find(|s| video(s) && !s.is(ffi::AV_DISPOSITION_ATTACHED_PIC));
    moving.or_else(|| source.streams().find(video)).map(|s| s.index)
}

fn best_frame(source: &mut Source, index: usize) -> Result<frame::Video, Trouble> {
    let mut decoder = decoder_of(source, index)?;
    let mut best: Option<(f64, frame::Video)> = None;
    for place in PLACES {
        let Some(frame) = keyframe_near(source, index, &mut decoder, place)? else { continue };
        let interest = interest(&frame);
        if interest >= 1.0 {
            return Ok(frame);
        }
        if best.as_ref().is_none_or(|(other, _)| interest > *other) {
            best = Some((interest, frame));
        }
    }
    best.map(|(_, frame)| frame).ok_or(Trouble::NoPicture)
}

/// A decoder for a stream's pictures.
pub fn decoder_of(source: &Source, index: usize) -> Result<decoder::Video, Trouble> {
    let stream = source.input.stream(index).ok_or(Trouble::NoPicture)?;
    Ok(Context::from_parameters(stream.parameters())?.decoder().video()?)
}

fn keyframe_near(
    source: &mut Source,
    index: usize,
    decoder: &mut decoder::Video,
    place: f64,
) -> Result<Option<frame::Video>, Trouble> {
    let Some(tick) = tick_at(source, index, place) else { return Ok(None) };
    if source.seek(index, tick).is_err() && place > 0.0 {
        return Ok(None);
    }
    let mut keyframes = 0;
    for _ in 0..PACKETS_MAX {
        let Some(packet) = source.packet()? else { break };
        if packet.stream() != index || !packet.is_key() {
            continue;
        }
        if let Some(frame) = decode_alone(decoder, &packet) {
            return Ok(Some(frame));
        }
        keyframes += 1;
        if keyframes == KEYFRAMES_A_PLACE {
            break;
        }
    }
    Ok(None)
}

fn tick_at(source: &Source, index: usize, place: f64) -> Option<i64> {
    let view = source.stream(index)?;
    let base = view.raw().time_base;
    let duration = source.duration();
    let start = view.raw().start_time;
    let start = if start == ffi::AV_NOPTS_VALUE { 0 } else { start };
    let ticks = duration * place * f64::from(base.den) / f64::from(base.num);
    ticks.is_finite().then(|| start.saturating_add(ticks as i64))
}

/// Decodes a keyframe without what follows it.
pub fn decode_alone(decoder: &mut decoder::Video, packet: &Packet) -> Option<frame::Video> {
    let mut frame = frame::Video::empty();
    decoder.send_packet(packet).ok()?;
    decoder.send_eof().ok()?;
    let decoded = decoder.receive_frame(&mut frame);
    decoder.flush();
    (decoded.is_ok() && frame.width() > 0 && frame.height() > 0).then_some(frame)
}

/// 1 or more: worth showing. Below: the smaller, the duller. Measured on the first plane, which is brightness in all the
/// formats that films use.
fn interest(frame: &frame::Video) -> f64 {
    let wide_samples = frame.format().descriptor().is_some_and(|d| component_depth(d) > 8);
    let (plane, stride, width) = (frame.data(0), frame.stride(0), frame.width() as usize);
    let step = if wide_samples { 2 } else { 1 };
    let mut histogram = [0_u64; 256];
    for row in plane.chunks_exact(stride.max(1)).step_by(4) {
        for sample in row.get(..width * step).unwrap_or(row).chunks_exact(step).step_by(4) {
            let value = match *sample {
                [low, high] => u16::from_le_bytes([low, high]) >> 2,
                _ => u16::from(sample[0]),
            };
            histogram[usize::from(value.min(255))] += 1;
        }
    }
    let (mean, spread) = moments(&histogram);
    (mean / DARK).min(spread / FLAT)
}

fn component_depth(descriptor: ffmpeg_next::format::pixel::Descriptor) -> i32 {
    // SAFETY: descriptors are static tables of libav's.
    unsafe { (*descriptor.as_ptr()).comp[0].depth }
}

fn moments(histogram: &[u64; 256]) -> (f64, f64) {
    let count = histogram.iter().sum::<u64>().max(1) as f64;
    let mean = histogram.iter().enumerate().map(|(v, n)| v as f64 * *n as f64).sum::<f64>() / count;
    let variance =
        histogram.iter().enumerate().map(|(v, n)| (v as f64 - mean).powi(2) * *n as f64).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// Scaled to square pixels and at most `width`, turned upright, high dynamic range brought down to what JPEG shows.
fn shaped(source: &Source, index: usize, picture: &frame::Video, width: u32) -> Result<frame::Video, Trouble> {
    let view = source.stream(index).ok_or(Trouble::NoPicture)?;
    let turns = quarter_turns(&view);
    let (shown_width, shown_height) = displayed(&view);
    let (wide, high) = fitted(shown_width.max(1), shown_height.max(1), width);
    let (across, down) = if turns % 2 == 1 { (high, wide) } else { (wide, high) };
    let turn = ["", "transpose=clock,", "hflip,vflip,", "transpose=cclock,"][turns.rem_euclid(4) as usize];
    let tone = if is_hdr(picture) { TONE_MAP } else { "" };
    let chain = format!("{tone}scale={across}:{down}:flags=area:out_range=full,{turn}format=yuvj420p");
    filtered(picture, &chain)
}

/// Linear light, 100 nits reference, mapped, and back to BT.709.
pub const TONE_MAP: &str = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p,";

/// Whether its light goes beyond the standard range.
pub fn is_hdr(picture: &frame::Video) -> bool {
    use ffmpeg_next::util::color::TransferCharacteristic::{ARIB_STD_B67, SMPTE2084};
    matches!(picture.color_transfer_characteristic(), SMPTE2084 | ARIB_STD_B67)
}

fn fitted(shown_width: u32, shown_height: u32, limit: u32) -> (u32, u32) {
    let width = shown_width.min(limit.clamp(16, 4096));
    let height = u64::from(shown_height) * u64::from(width) / u64::from(shown_width);
    let even = |n: u32| (n & !1).max(2);
    (even(width), even(u32::try_from(height).unwrap_or(4096).min(8192)))
}

/// A picture as a chain of filters gives it. The chain is made of our own words and numbers only.
pub fn filtered(picture: &frame::Video, chain: &str) -> Result<frame::Video, Trouble> {
    let missing = || Trouble::Cannot("a filter is missing in the media libraries".to_owned());
    let mut graph = filter::Graph::new();
    let (source, sink) = (filter::find("buffer").ok_or_else(missing)?, filter::find("buffersink").ok_or_else(missing)?);
    let format = ffi::AVPixelFormat::from(picture.format()) as i32;
    let shape =
        format!("video_size={}x{}:pix_fmt={format}:time_base=1/1:pixel_aspect=1/1", picture.width(), picture.height());
    graph.add(&source, "in", &shape)?;
    graph.add(&sink, "out", "")?;
    graph.output("in", 0)?.input("out", 0)?.parse(chain)?;
    graph.validate()?;
    let mut shaped = frame::Video::empty();
    let mut input = graph.get("in").ok_or_else(missing)?;
    input.source().add(picture)?;
    input.source().flush()?;
    graph.get("out").ok_or_else(missing)?.sink().frame(&mut shaped)?;
    Ok(shaped)
}

/// A picture as JPEG.
pub fn encode(picture: &frame::Video) -> Result<Vec<u8>, Trouble> {
    let missing = || Trouble::Cannot("the media libraries cannot write JPEG".to_owned());
    let encoder = encoder::find(codec::Id::MJPEG).ok_or_else(missing)?;
    let mut settings = Context::new_with_codec(encoder).encoder().video()?;
    settings.set_width(picture.width());
    settings.set_height(picture.height());
    settings.set_format(Pixel::YUVJ420P);
    settings.set_color_range(ffmpeg_next::util::color::Range::JPEG);
    settings.set_time_base(Rational(1, 25));
    settings.set_flags(codec::Flags::QSCALE);
    settings.set_global_quality(QUALITY * ffi::FF_QP2LAMBDA);
    let mut opened = settings.open_as(encoder)?;
    let mut still = picture.clone();
    still.set_pts(Some(0));
    still.set_kind(ffmpeg_next::picture::Type::I);
    // SAFETY: a plain field of a frame we own.
    unsafe { (*still.as_mut_ptr()).quality = QUALITY * ffi::FF_QP2LAMBDA };
    opened.send_frame(&still)?;
    opened.send_eof()?;
    let mut packet = Packet::empty();
    opened.receive_packet(&mut packet)?;
    packet.data().map(<[u8]>::to_vec).ok_or_else(missing)
}
