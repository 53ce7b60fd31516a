//! Decodes the pictures of a film from any place on, and stays there: the next segment usually starts where the last one
//! ended.
//!
//! The invariant: which pictures come, and at which ticks, follows from the file and the place asked for alone. A film
//! that continues gives what one that was opened afresh would give.
use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;

use ffmpeg_next::{Dictionary, ffi};

use crate::facts::{display_matrix, pixel_aspect, quarter_turns};
use crate::handles::{Came, Codec, Frame, came, no_memory};
use crate::hardware::{Hardware, blamed};
use crate::source::{Source, Trouble};
use crate::tracks::Clock;

/// Pixels of the largest picture that is decoded.
const PIXELS_MAX: i64 = 8192 * 4352;
/// Seconds before a place from which decoding is tried, one after the other, where the index knows the keyframe, and
/// where it does not.
const STEPS_TO_KEY: [i64; 4] = [0, 1, 10, 60];
const STEPS_BLINDLY: [i64; 3] = [1, 10, 60];
/// A place this near to the head of the film is looked for from there at last.
const HEAD_SECONDS: i64 = 120;
/// Packets that are passed over in search of a keyframe.
const PACKETS_TO_KEY: usize = 3000;
/// Pictures that are decoded before they are asked for, where they are no larger than `AHEAD_PIXELS_MAX`.
const AHEAD: usize = 8;
const AHEAD_PIXELS_MAX: i64 = 1920 * 1088;
/// Frames a second where the file does not say.
const USUAL_RATE: f64 = 25.0;

/// A picture and when it is shown.
pub struct Picture {
    /// In ticks of the plan.
    pub tick: i64,
    /// The picture itself.
    pub frame: Frame,
}

/// How the pictures of a stream are meant to be shown, where they do not say so themselves.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Pixels as coded when the stream was opened.
    pub size: (i32, i32),
    /// Width to height of one pixel at that size.
    pub pixel_aspect: (u32, u32),
    /// Clockwise quarter turns that make them upright, 0 to 3.
    pub turns: i32,
    /// Frames a second.
    pub rate: f64,
    /// The brightest that the film gets, in units of 100 cd/m², where it says.
    pub peak: Option<f64>,
}

/// A film and where it is decoded.
pub struct Film {
    file: Arc<File>,
    source: Source,
    stream: usize,
    decoder: Codec,
    on_device: bool,
    clock: Clock,
    /// How its pictures are shown.
    pub manner: Manner,
    /// The last picture before the place where the film stands.
    pub before: Option<Picture>,
    /// The next pictures, as far as they are decoded.
    ahead: VecDeque<Picture>,
    stands_at: Option<i64>,
    /// Ticks of a picture that does not say how long it is shown.
    step: i64,
    last: Option<i64>,
    awaits_key: bool,
    clean_from: i64,
    ended: bool,
    broken: bool,
}

/// What a film is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Index of the stream.
    pub stream: u32,
    /// Ticks a second.
    pub timescale: u32,
    /// Seconds added to every time.
    pub base_seconds: i64,
    /// Threads of the decoder.
    pub threads: u32,
}

impl Film {
    /// Opens a film at its head.
    pub fn open(file: Arc<File>, opening: Opening, hardware: Option<&Hardware>) -> Result<Self, Trouble> {
        let stream = usize::try_from(opening.stream).unwrap_or(usize::MAX);
        if opening.timescale == 0 {
            return Err(Trouble::Cannot("a film without a clock cannot be cut".to_owned()));
        }
        let mut source = Source::open(Arc::clone(&file))?;
        source.only(&[stream]);
        let view = source.stream(stream).ok_or_else(|| Trouble::Cannot("there is no such stream".to_owned()))?;
        let clock = Clock::new(&view, opening.timescale, opening.base_seconds);
        let manner = manner(&view);
        let mut decoder = decoder(&view, opening.threads, hardware)?;
        decoder.open(Dictionary::new())?;
        let step = (f64::from(opening.timescale) / manner.rate).round().max(1.0) as i64;
        Ok(Self {
            file,
            source,
            stream,
            decoder,
            on_device: hardware.is_some(),
            clock,
            manner,
            before: None,
            ahead: VecDeque::new(),
            stands_at: None,
            step,
            last: None,
            awaits_key: false,
            clean_from: i64::MIN,
            ended: false,
            broken: false,
        })
    }

    /// Ticks that a picture is shown for, usually.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Remembers that the next picture is the first one at or after `tick`.
    pub fn stand_at(&mut self, tick: i64) {
        self.stands_at = (!self.broken).then_some(tick);
    }

    /// Puts a picture back, to be read again first.
    pub fn put_back(&mut self, picture: Picture) {
        self.ahead.push_front(picture);
    }

    /// Goes on so that the next picture is the first one at or after `start`. `key` is a keyframe before it, if known.
    pub fn go_to(&mut self, key: Option<i64>, start: i64) -> Result<(), Trouble> {
        if self.stands_at.take() == Some(start) {
            return Ok(());
        }
        let (from, steps) = match key.filter(|key| *key <= start) {
            Some(key) => (key, &STEPS_TO_KEY[..]),
            None => (start, &STEPS_BLINDLY[..]),
        };
        let mut sought = false;
        for back in steps {
            let place = from.saturating_sub(self.clock.ticks(*back));
            if place >= 0 && self.seek(place).is_ok() {
                sought = true;
                if self.reach(start)? {
                    return Ok(());
                }
            }
        }
        if !sought || start < self.clock.ticks(HEAD_SECONDS) {
            self.go_to_head()?;
            self.reach(start)?;
        }
        Ok(())
    }

    /// Decodes up to `start`. False where the first picture comes after it, so that an earlier one may be missing.
    fn reach(&mut self, start: i64) -> Result<bool, Trouble> {
        let mut came_before = false;
        while let Some(picture) = self.next()? {
            if picture.tick >= start {
                let there = came_before || picture.tick == start;
                self.put_back(picture);
                return Ok(there);
            }
            came_before = true;
            self.before = Some(picture);
        }
        Ok(came_before)
    }

    /// The next picture in the order in which they are shown; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Picture>, Trouble> {
        match self.ahead.pop_front() {
            Some(picture) => Ok(Some(picture)),
            None => self.decoded(),
        }
    }

    /// Decodes a picture that will be asked for if the next segment is. False where that is enough: pictures are large,
    /// and those of a device are few.
    pub fn go_ahead(&mut self) -> Result<bool, Trouble> {
        let (width, height) = self.manner.size;
        let is_small = i64::from(width) * i64::from(height) <= AHEAD_PIXELS_MAX;
        if self.stands_at.is_none() || self.on_device || !is_small || self.ahead.len() >= AHEAD {
            return Ok(false);
        }
        let picture = self.decoded()?;
        let came = picture.is_some();
        self.ahead.extend(picture);
        Ok(came)
    }

    fn decoded(&mut self) -> Result<Option<Picture>, Trouble> {
        loop {
            let mut frame = Frame::new()?;
            match self.decoder.receive_frame(&mut frame) {
                Ok(Came::Ready) => {
                    let picture = self.timed(frame);
                    if picture.tick >= self.clean_from {
                        return Ok(Some(picture));
                    }
                }
                Ok(Came::Hungry) => self.feed()?,
                Ok(Came::Ended) => return Ok(None),
                // A picture that cannot be decoded is left out.
                Err(error) if self.blames_the_device(&error) => return Err(blamed(error)),
                Err(ffmpeg_next::Error::Other { errno: ffmpeg_next::error::ENOMEM }) => return Err(no_memory()),
                Err(_) if self.ended => return Ok(None),
                Err(_) => self.feed()?,
            }
        }
    }

    fn timed(&mut self, frame: Frame) -> Picture {
        let time = frame.raw().best_effort_timestamp;
        let counted = self.last.map_or(self.clean_from.max(0), |last| last.saturating_add(self.step));
        let tick = if time == ffi::AV_NOPTS_VALUE { counted } else { self.clock.tick(time) };
        self.last = Some(tick);
        Picture { tick, frame }
    }

    /// Gives the decoder its next packet, or tells it that there is none. What it cannot read is passed over.
    fn feed(&mut self) -> Result<(), Trouble> {
        let mut passed = 0;
        loop {
            let packet = self.source.packet().unwrap_or_else(|_| {
                self.broken = true;
                None
            });
            let Some(packet) = packet else {
                self.ended = true;
                let _ = self.decoder.send_packet(None);
                return Ok(());
            };
            if packet.stream() != self.stream || packet.size() == 0 {
                continue;
            }
            if self.awaits_key && !packet.is_key() && passed < PACKETS_TO_KEY {
                passed += 1;
                continue;
            }
            if self.awaits_key {
                self.awaits_key = false;
                self.clean_from = packet.pts().map_or(i64::MIN, |time| self.clock.tick(time));
            }
            match self.decoder.send_packet(Some(&packet)) {
                Ok(_) => return Ok(()),
                Err(error) if self.blames_the_device(&error) => return Err(blamed(error)),
                Err(_) => (),
            }
        }
    }

    /// What a device says of anything but a broken film is its own failure.
    fn blames_the_device(&self, error: &ffmpeg_next::Error) -> bool {
        self.on_device && *error != ffmpeg_next::Error::InvalidData
    }

    fn seek(&mut self, place: i64) -> Result<(), Trouble> {
        self.forget();
        self.awaits_key = true;
        self.source.seek(self.stream, self.clock.time(place))
    }

    fn go_to_head(&mut self) -> Result<(), Trouble> {
        self.forget();
        self.source = Source::open(Arc::clone(&self.file))?;
        self.source.only(&[self.stream]);
        Ok(())
    }

    fn forget(&mut self) {
        self.decoder.flush();
        (self.before, self.last) = (None, None);
        self.ahead.clear();
        (self.awaits_key, self.clean_from) = (false, i64::MIN);
        (self.ended, self.broken) = (false, false);
    }
}

fn manner(view: &crate::stream::StreamView<'_>) -> Manner {
    let parameters = view.parameters();
    let told = [view.raw().avg_frame_rate, view.raw().r_frame_rate].map(|r| f64::from(r.num) / f64::from(r.den));
    let rate = told.into_iter().find(|rate| rate.is_finite() && (1.0..=1000.0).contains(rate)).unwrap_or(USUAL_RATE);
    Manner {
        size: (parameters.width, parameters.height),
        pixel_aspect: pixel_aspect(view),
        turns: if display_matrix(view).is_some() { quarter_turns(view) } else { 0 },
        rate,
        peak: peak(view),
    }
}

/// The light level that the container tells of, first field of `AVContentLightMetadata`.
fn peak(view: &crate::stream::StreamView<'_>) -> Option<f64> {
    let bytes = view.side_data(ffi::AVPacketSideDataType::AV_PKT_DATA_CONTENT_LIGHT_LEVEL)?;
    let brightest = u32::from_ne_bytes(*bytes.first_chunk::<4>()?);
    (brightest > 0).then(|| f64::from(brightest) / 100.0)
}

/// A decoder for a stream, not yet open.
fn decoder(view: &crate::stream::StreamView<'_>, threads: u32, hardware: Option<&Hardware>) -> Result<Codec, Trouble> {
    let parameters = view.parameters();
    // libav's first choice for AV1 is a library that knows no devices.
    let on_device = hardware.is_some() && parameters.codec_id == ffi::AVCodecID::AV_CODEC_ID_AV1;
    // SAFETY: libav's codecs are static, the name is a C string.
    let codec = unsafe {
        match on_device {
            true => ffi::avcodec_find_decoder_by_name(c"av1".as_ptr()).as_ref(),
            false => ffi::avcodec_find_decoder(parameters.codec_id).as_ref(),
        }
    };
    let codec = codec.ok_or_else(|| Trouble::Cannot("its film is of a kind that cannot be decoded here".to_owned()))?;
    let mut decoder = Codec::new(codec)?;
    // SAFETY: both belong to live objects; libav copies what it needs.
    let copied = unsafe { ffi::avcodec_parameters_to_context(decoder.raw_mut(), parameters) };
    came(copied)?;
    let raw = decoder.raw_mut();
    raw.pkt_timebase = view.raw().time_base;
    raw.thread_count = i32::try_from(threads.clamp(1, 16)).unwrap_or(1);
    raw.thread_type = ffi::FF_THREAD_FRAME | ffi::FF_THREAD_SLICE;
    raw.max_pixels = PIXELS_MAX;
    if let Some(hardware) = hardware {
        hardware.lend_to(&mut decoder);
    }
    Ok(decoder)
}
