//! How many samples a file's sound has, as far as the file tells without being decoded.
use ffmpeg_next::ffi;
use ffmpeg_next::packet::side_data::Type;
use potluck::media::whole_sound::SECONDS_MAX;

use super::hear::Hearing;

/// Bytes of a file whose packets are counted.
const COUNTED_MAX: u64 = 512 * 1024 * 1024;
/// Bits a second below which a file says more than it has: silence in FLAC takes about a thousand.
const THINNEST: u64 = 100;

/// Samples at `rate` that are heard from `offset_ms` on; `None` where the file does not tell, or nothing to be believed.
pub fn samples(hearing: &Hearing, rate: u32, offset_ms: u64) -> Option<u64> {
    let source = &hearing.source;
    // These have no head that says it; or one that is wrong more often than not.
    let (ticks, base) = match source.container().as_str() {
        "mp3" | "aac" => counted(hearing)?,
        _ => told(hearing)?,
    };
    let scale = |ticks: i128, num: i128, den: i128| (ticks * num * 2 + den).div_euclid(den * 2);
    let all = scale(ticks.into(), i128::from(base.num) * i128::from(rate), i128::from(base.den.max(1)));
    let skipped = scale(offset_ms.into(), rate.into(), 1000);
    let (all, left) = (u64::try_from(all).ok()?, u64::try_from(all - skipped).ok()?);
    let believable = all / u64::from(rate) <= SECONDS_MAX.min(source.size() * 8 / THINNEST);
    (believable && left > 0).then_some(left)
}

/// Ticks that the stream has, else those of the whole file.
fn told(hearing: &Hearing) -> Option<(i64, ffi::AVRational)> {
    let view = hearing.source.stream(hearing.stream)?;
    let raw = view.raw();
    if raw.duration > 0 {
        return Some((raw.duration - left_out_first(hearing, raw), raw.time_base));
    }
    // SAFETY: plain fields of an open context.
    let (duration, method) = unsafe {
        let context = &*hearing.source.input.as_ptr();
        (context.duration, context.duration_estimation_method)
    };
    let guessed = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
    let base = ffi::AVRational { num: 1, den: ffi::AV_TIME_BASE };
    (duration > 0 && !guessed).then_some((duration, base))
}

/// What Ogg counts of Opus and no decoder gives: the samples before the first, at 48 kHz as its ticks are.
fn left_out_first(hearing: &Hearing, raw: &ffi::AVStream) -> i64 {
    // SAFETY: plain fields of the parameters that every stream of an open context has.
    let (codec, padding) = unsafe { ((*raw.codecpar).codec_id, (*raw.codecpar).initial_padding) };
    let counted = hearing.source.container() == "ogg" && codec == ffi::AVCodecID::AV_CODEC_ID_OPUS;
    if counted { padding.into() } else { 0 }
}

/// By reading every packet. What decoders leave out at the ends is not counted.
fn counted(hearing: &Hearing) -> Option<(i64, ffi::AVRational)> {
    if hearing.source.size() > COUNTED_MAX {
        return None;
    }
    let view = hearing.source.stream(hearing.stream)?;
    let (base, rate) = (view.raw().time_base, i64::from(view.parameters().sample_rate));
    let mut source = hearing.source.reopened().ok()?;
    source.only(&[hearing.stream]);
    let (mut ticks, mut left_out) = (0_i64, 0_i64);
    while let Some(packet) = source.packet().ok()? {
        ticks = ticks.saturating_add(packet.duration().max(0));
        let sides = packet.side_data().filter(|side| side.kind() == Type::SkipSamples);
        for side in sides {
            let number = |at: usize| {
                let bytes = side.data().get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
                bytes.map_or(0, |bytes| i64::from(u32::from_le_bytes(bytes)))
            };
            left_out += number(0) + number(4);
        }
    }
    if rate == 0 || base.num <= 0 {
        return None;
    }
    let scale = i128::from(rate) * i128::from(base.num);
    let left_out = i64::try_from(i128::from(left_out) * i128::from(base.den) / scale).ok()?;
    Some((ticks.saturating_sub(left_out), base))
}
