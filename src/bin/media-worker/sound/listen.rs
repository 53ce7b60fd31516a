//! Hears a stretch of a sound stream: finds its packets, and decodes them from the first one on.
//!
//! The invariant: which packet decoding begins with follows from the file and the stretch alone. Packets already read are
//! kept for the next stretch, which begins a second before this one's end.
use std::collections::VecDeque;

use ffmpeg_next::codec::Context;
use ffmpeg_next::ffi::{self, AVCodecID};
use ffmpeg_next::{Packet, decoder, frame};
use potluck::media::mix::{Speaker, speakers};
use potluck::media::transcode::SoundPlan;

use super::place::{Run, Stretch};
use crate::reader::{Arrival, Reader};
use crate::source::{Source, Trouble};
use crate::tracks::Clock;

/// Packets and bytes of the longest stretch.
const PACKETS_MAX: usize = 150_000;
const BYTES_MAX: usize = 128 * 1024 * 1024;
/// Samples of all channels of the longest stretch.
const SAMPLES_MAX: usize = 64 * 1024 * 1024;
/// Where to look for the first packet: seconds before it.
const STEPS: [i64; 2] = [1, 10];
/// How long packets are kept behind the end of a stretch.
const KEPT_SECONDS: i64 = 4;
/// Opus frames are whole multiples of 2.5 ms.
const OPUS_STEP: i64 = 120;

/// A sound stream of an open file, and the packets of it that were read last.
pub struct Listener {
    reader: Reader,
    /// In the order of the file, each with its time in the stream's time base.
    recent: VecDeque<(i64, Packet)>,
    /// From this time on `recent` lacks nothing; from the head of the file on where there is none.
    complete_from: Option<i64>,
    /// Time of the first packet of the file.
    origin: i64,
}

impl Listener {
    /// Listens to a stream of a newly opened source.
    pub fn new(source: Source, stream: usize, film: Option<usize>) -> Result<Self, Trouble> {
        let mut reader = Reader::new(source, stream, film);
        let mut recent = VecDeque::new();
        let origin = loop {
            match reader.any()? {
                Some(packet) => match packet.pts() {
                    Some(time) => {
                        recent.push_back((time, packet));
                        break time;
                    }
                    None => continue,
                },
                None => break 0,
            }
        };
        Ok(Self { reader, recent, complete_from: None, origin })
    }

    /// What is heard from `from` to `to`, in samples at the plan's rate: runs in the order of time.
    pub fn hear(&mut self, plan: &SoundPlan, from: i64, to: i64) -> Result<Vec<Run>, Trouble> {
        let clock = self.reader.clock(plan.format.sample_rate, plan.base_seconds)?;
        self.read(clock, from, to)?;
        let mut ear = Ear::new(&self.reader, plan.base_seconds)?;
        let wanted = self.recent.iter().filter(|(time, _)| (from..to).contains(&clock.tick(*time)));
        wanted.for_each(|(_, packet)| ear.take(packet));
        self.forget(clock, to);
        ear.runs(self.origin)
    }

    /// Makes `recent` hold everything from `from` to `to`.
    fn read(&mut self, clock: Clock, from: i64, to: i64) -> Result<(), Trouble> {
        let begins = self.complete_from.is_none_or(|time| clock.tick(time) <= from);
        let near = self.recent.back().is_some_and(|(time, _)| from - clock.tick(*time) < clock.ticks(KEPT_SECONDS));
        if !begins || !near {
            self.go(clock, from)?;
        }
        let mut bytes: usize = self.recent.iter().map(|(_, packet)| packet.size()).sum();
        let mut last = self.recent.back().map(|(time, _)| *time);
        while last.is_none_or(|time| clock.tick(time) < to) {
            let Some(packet) = self.reader.any()? else { break };
            let Some(time) = packet.pts().or_else(|| self.after_last()) else { continue };
            bytes += packet.size();
            self.recent.push_back((time, packet));
            last = Some(time);
            if self.recent.len() > PACKETS_MAX || bytes > BYTES_MAX {
                return Err(Trouble::Cannot("its sound cannot be cut into segments".to_owned()));
            }
        }
        Ok(())
    }

    /// Where a packet without a time follows: behind the last one.
    fn after_last(&self) -> Option<i64> {
        self.recent.back().map(|(time, packet)| time.saturating_add(packet.duration().max(0)))
    }

    fn go(&mut self, clock: Clock, from: i64) -> Result<(), Trouble> {
        self.recent.clear();
        let (mut came_before, mut at_head) = (false, false);
        self.reader.go(from, clock, &STEPS, |timed, from_head| {
            at_head = from_head;
            if timed.tick < from {
                came_before = true;
                Arrival::Before
            } else if came_before || from_head {
                Arrival::Here
            } else {
                Arrival::Beyond
            }
        })?;
        self.complete_from = (came_before || !at_head).then(|| clock.time(from));
        Ok(())
    }

    fn forget(&mut self, clock: Clock, to: i64) {
        let old = to.saturating_sub(clock.ticks(KEPT_SECONDS));
        while self.recent.len() > 1 && self.recent.front().is_some_and(|(time, _)| clock.tick(*time) < old) {
            if let Some((time, _)) = self.recent.pop_front() {
                self.complete_from = Some(time.saturating_add(1));
            }
        }
    }
}

/// A decoder and what it gave.
struct Ear {
    decoder: decoder::Audio,
    codec: AVCodecID,
    step: Option<i64>,
    base: ffi::AVRational,
    base_seconds: i64,
    stretches: Vec<Stretch>,
    samples: usize,
}

impl Ear {
    fn new(reader: &Reader, base_seconds: i64) -> Result<Self, Trouble> {
        let missing = || Trouble::Cannot("there is no such stream".to_owned());
        let stream = reader.stream().ok_or_else(missing)?;
        let view = reader.view().ok_or_else(missing)?;
        let codec = view.parameters().codec_id;
        let cannot = |_| Trouble::Cannot("its sound cannot be decoded".to_owned());
        let mut context = Context::from_parameters(stream.parameters())?;
        // Everything that the codec makes is wanted, each frame at its own time.
        // SAFETY: a plain field of a context that is not open yet.
        unsafe { (*context.as_mut_ptr()).flags2 |= ffi::AV_CODEC_FLAG2_SKIP_MANUAL };
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(stream.time_base());
        let decoder = decoder.audio().map_err(cannot)?;
        let step = known_step(codec, view.extradata());
        let base = view.raw().time_base;
        Ok(Self { decoder, codec, step, base, base_seconds, stretches: Vec::new(), samples: 0 })
    }

    /// Decodes a packet. A damaged one is left out.
    fn take(&mut self, packet: &Packet) {
        if self.decoder.send_packet(packet).is_err() {
            return;
        }
        let mut frame = frame::Audio::empty();
        while self.samples < SAMPLES_MAX && self.decoder.receive_frame(&mut frame).is_ok() {
            self.push(&frame);
        }
    }

    fn push(&mut self, frame: &frame::Audio) {
        let speakers = speakers_of(frame);
        let planes = planes(frame, speakers.len());
        let rate = frame.rate();
        if planes.is_empty() || rate == 0 {
            return;
        }
        self.samples += frame.samples() * planes.len();
        let time = frame.pts().map(|pts| Clock::of_base(self.base, rate, self.base_seconds).tick(pts));
        match self.stretches.last_mut().filter(|stretch| stretch.goes_on(rate, &speakers, time)) {
            Some(stretch) => stretch.push(&planes, time),
            None => {
                let Some(time) = time else { return };
                let mut stretch = Stretch::new(rate, speakers, time);
                stretch.push(&planes, Some(time));
                self.stretches.push(stretch);
            }
        }
    }

    fn runs(mut self, origin: i64) -> Result<Vec<Run>, Trouble> {
        if self.decoder.send_eof().is_ok() {
            let mut frame = frame::Audio::empty();
            while self.samples < SAMPLES_MAX && self.decoder.receive_frame(&mut frame).is_ok() {
                self.push(&frame);
            }
        }
        if self.samples >= SAMPLES_MAX {
            return Err(Trouble::Cannot("its sound has too many channels to be transcoded".to_owned()));
        }
        let (base, base_seconds, step, codec) = (self.base, self.base_seconds, self.step, self.codec);
        let place = |stretch: Stretch| {
            let rate = stretch.rate();
            let origin = Clock::of_base(base, rate, base_seconds).tick(origin);
            let step = if codec == AVCodecID::AV_CODEC_ID_OPUS { step.filter(|_| rate == 48_000) } else { step };
            stretch.placed(origin, step)
        };
        Ok(self.stretches.into_iter().map(place).collect())
    }
}

/// The step of codecs whose frames are of several lengths, in samples.
fn known_step(codec: AVCodecID, extradata: &[u8]) -> Option<i64> {
    match codec {
        AVCodecID::AV_CODEC_ID_OPUS => Some(OPUS_STEP),
        AVCodecID::AV_CODEC_ID_VORBIS => vorbis_step(extradata),
        _ => None,
    }
}

/// A Vorbis packet gives a quarter of its own block and of the one before (Vorbis I, 4.3.1); the identification header
/// tells both sizes (4.2.2).
fn vorbis_step(extradata: &[u8]) -> Option<i64> {
    let at = extradata.windows(7).position(|bytes| bytes == b"\x01vorbis")?;
    let sizes = extradata.get(at + 28)?;
    let (short, long) = (1_i64 << (sizes & 15), 1_i64 << (sizes >> 4));
    Some(if short == long { short / 2 } else { short / 4 }.max(1))
}

pub(super) fn speakers_of(frame: &frame::Audio) -> Vec<Speaker> {
    // SAFETY: a plain field of a decoded frame; the mask is read only where the layout is said to be one.
    let (mask, channels) = unsafe {
        let layout = &(*frame.as_ptr()).ch_layout;
        let native = layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_NATIVE;
        (if native { layout.u.mask } else { 0 }, layout.nb_channels)
    };
    speakers(mask, usize::try_from(channels).unwrap_or(0).min(64))
}

/// The samples of each channel as numbers from -1 to 1; empty where their form is not known.
pub(super) fn planes(frame: &frame::Audio, channels: usize) -> Vec<Vec<f32>> {
    use ffmpeg_next::format::Sample::{F32, F64, I16, I32, I64, None, U8};
    match frame.format() {
        U8(_) => split(frame, channels, |[byte]: [u8; 1]| (f32::from(byte) - 128.0) / 128.0),
        I16(_) => split(frame, channels, |bytes| f32::from(i16::from_ne_bytes(bytes)) / 32_768.0),
        I32(_) => split(frame, channels, |bytes| (f64::from(i32::from_ne_bytes(bytes)) / 2_147_483_648.0) as f32),
        I64(_) => split(frame, channels, |bytes| (i64::from_ne_bytes(bytes) as f64 / 2.0_f64.powi(63)) as f32),
        F32(_) => split(frame, channels, |bytes| clean(f32::from_ne_bytes(bytes))),
        F64(_) => split(frame, channels, |bytes| clean(f64::from_ne_bytes(bytes) as f32)),
        None => Vec::new(),
    }
}

/// Damaged streams decode to anything; the encoder refuses what is no number.
fn clean(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-4.0, 4.0) } else { 0.0 }
}

fn split<const N: usize>(frame: &frame::Audio, channels: usize, number: impl Fn([u8; N]) -> f32) -> Vec<Vec<f32>> {
    let samples = frame.samples();
    let planar = frame.is_planar();
    let there = if planar { frame.planes() >= channels } else { frame.planes() == 1 };
    if channels == 0 || !there {
        return Vec::new();
    }
    if planar {
        let plane = |channel| numbers(frame.data(channel), samples, 0, 1, &number);
        return (0..channels).map(plane).collect();
    }
    (0..channels).map(|channel| numbers(frame.data(0), samples, channel, channels, &number)).collect()
}

/// Every `step`th number from the `first` on.
fn numbers<const N: usize>(
    bytes: &[u8],
    samples: usize,
    first: usize,
    step: usize,
    number: &impl Fn([u8; N]) -> f32,
) -> Vec<f32> {
    let all = bytes.as_chunks::<N>().0;
    all.iter().skip(first).step_by(step).take(samples).map(|bytes| number(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_of_vorbis_is_read_from_its_header() {
        let mut header = b"\x02\x1e\x3a\x01vorbis".to_vec();
        header.resize(3 + 28, 0);
        header.push(0xb8);
        assert_eq!(vorbis_step(&header), Some(64));
        assert_eq!(vorbis_step(b"nothing"), None);
    }
}
