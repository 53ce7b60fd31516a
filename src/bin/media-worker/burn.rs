//! Draws picture subtitles (PGS, VobSub, DVB) into the pictures of a segment.
//!
//! What is shown follows from the packets of the subtitle stream between some seconds before the segment and its end,
//! decoded afresh for each segment: it never depends on what was asked before. The packets are kept, so that the next
//! segment reads on.
use std::collections::VecDeque;
use std::fs::File;
use std::ptr;
use std::sync::Arc;

use ffmpeg_next::packet::{Packet, Ref};
use ffmpeg_next::{Dictionary, ffi};

use crate::bitmap::{Bitmap, Canvas};
use crate::decode::Opening;
use crate::handles::{Codec, Frame, came};
use crate::source::{Source, Trouble};
use crate::tracks::Clock;

/// Seconds before a segment from which subtitles may still be shown.
const LOOK_BACK: i64 = 30;
/// Seconds that a subtitle's packet may come later in the file than the film's picture at its time.
const INTERLEAVED: i64 = 2;
/// Packets of subtitles in a segment and the time before it.
const PACKETS_MAX: usize = 4000;

/// A subtitle stream and what was read of it.
pub struct Subtitles {
    source: Source,
    stream: usize,
    film: usize,
    /// Clocks of the two.
    clock: Clock,
    film_clock: Clock,
    /// Packets with their ticks, in the order of the file.
    packets: VecDeque<(i64, Packet)>,
    /// What was read of the film's time line: from, to.
    read: Option<(i64, i64)>,
}

/// What is shown in a segment.
#[derive(Default)]
pub struct Shown {
    cues: Vec<Cue>,
}

struct Cue {
    start: i64,
    end: i64,
    bitmaps: Vec<Bitmap>,
}

impl Subtitles {
    /// Opens subtitle stream `stream` of a film.
    pub fn open(file: Arc<File>, opening: Opening, stream: u32) -> Result<Self, Trouble> {
        let mut source = Source::open(file)?;
        let index = |stream: u32| usize::try_from(stream).unwrap_or(usize::MAX);
        let (stream, film) = (index(stream), index(opening.stream));
        let clock_of = |index: usize| {
            let view = source.stream(index).ok_or_else(|| Trouble::Cannot("there is no such stream".to_owned()))?;
            Ok::<_, Trouble>(Clock::new(&view, opening.timescale, opening.base_seconds))
        };
        let (clock, film_clock) = (clock_of(stream)?, clock_of(film)?);
        source.only(&[stream, film]);
        Ok(Self { source, stream, film, clock, film_clock, packets: VecDeque::new(), read: None })
    }

    /// What is shown from `start` to `end`, drawn for pictures of this canvas.
    pub fn shown(&mut self, start: i64, end: i64, canvas: &Canvas) -> Result<Shown, Trouble> {
        let from = start.saturating_sub(self.clock.ticks(LOOK_BACK)).max(0);
        let until = end.saturating_add(self.clock.ticks(INTERLEAVED));
        self.read(from, start, until)?;
        let mut decoder = self.decoder()?;
        let mut cues: Vec<Cue> = Vec::new();
        for (tick, packet) in self.packets.iter().filter(|(tick, _)| (from..end).contains(tick)) {
            let Some(cue) = decode(&mut decoder, *tick, packet, self.clock, canvas) else { continue };
            // What comes next takes the place of what was there.
            if let Some(last) = cues.last_mut() {
                last.end = last.end.min(cue.start);
            }
            cues.push(cue);
        }
        cues.retain(|cue| cue.end > start && cue.start < end && !cue.bitmaps.is_empty());
        Ok(Shown { cues })
    }

    /// Reads the packets of a stretch, as far as they are not there yet.
    fn read(&mut self, from: i64, start: i64, until: i64) -> Result<(), Trouble> {
        let (mut to, goes_on) = match self.read {
            Some((read_from, read_to)) if read_from <= from && read_to >= start => (read_to, true),
            _ => (i64::MIN, false),
        };
        if !goes_on {
            self.packets.clear();
            self.source.seek(self.film, self.film_clock.time(from))?;
        }
        self.packets.retain(|(tick, _)| *tick >= from);
        while to < until {
            let Some(packet) = self.source.packet()? else {
                to = i64::MAX;
                break;
            };
            let Some(time) = packet.pts().or_else(|| packet.dts()) else { continue };
            if packet.stream() == self.film {
                to = to.max(self.film_clock.tick(time));
            } else if packet.stream() == self.stream && self.packets.len() < PACKETS_MAX {
                self.packets.push_back((self.clock.tick(time), packet));
            }
        }
        self.read = Some((from, to));
        Ok(())
    }

    fn decoder(&self) -> Result<Codec, Trouble> {
        let not_pictures = || Trouble::Cannot("that subtitle stream is not made of pictures".to_owned());
        let view = self.source.stream(self.stream).ok_or_else(not_pictures)?;
        // SAFETY: libav's tables are static.
        let (codec, descriptor) = unsafe {
            let id = view.parameters().codec_id;
            (ffi::avcodec_find_decoder(id).as_ref(), ffi::avcodec_descriptor_get(id).as_ref())
        };
        let is_bitmap = descriptor.is_some_and(|d| d.props & ffi::AV_CODEC_PROP_BITMAP_SUB != 0);
        let codec = codec.filter(|_| is_bitmap).ok_or_else(not_pictures)?;
        let mut decoder = Codec::new(codec)?;
        // SAFETY: both belong to live objects; libav copies what it needs.
        came(unsafe { ffi::avcodec_parameters_to_context(decoder.raw_mut(), view.parameters()) })?;
        decoder.raw_mut().pkt_timebase = view.raw().time_base;
        decoder.open(Dictionary::new())?;
        Ok(decoder)
    }
}

/// What a packet shows; nothing is a cue too, since it ends the one before.
fn decode(decoder: &mut Codec, tick: i64, packet: &Packet, clock: Clock, canvas: &Canvas) -> Option<Cue> {
    let mut got = 0;
    // SAFETY: libav fills the subtitle, which is freed below; it does not change the packet.
    let mut subtitle: ffi::AVSubtitle = unsafe { std::mem::zeroed() };
    let used = unsafe {
        ffi::avcodec_decode_subtitle2(
            ptr::from_mut(decoder.raw_mut()),
            &raw mut subtitle,
            &raw mut got,
            packet.as_ptr().cast_mut(),
        )
    };
    if used < 0 || got == 0 {
        return None;
    }
    let size = (decoder.raw().width, decoder.raw().height);
    let ticks = |milliseconds: u32| clock.ticks(i64::from(milliseconds)) / 1000;
    let start = tick.saturating_add(ticks(subtitle.start_display_time));
    let end = match subtitle.end_display_time {
        // Shown until something else is.
        0 | u32::MAX => i64::MAX,
        milliseconds => tick.saturating_add(ticks(milliseconds)),
    };
    let rectangles = (0..subtitle.num_rects as usize).filter_map(|n| {
        // SAFETY: libav keeps that many valid rectangles until the subtitle is freed.
        unsafe { (*subtitle.rects.add(n)).as_ref() }
    });
    let bitmaps = rectangles.filter_map(|rectangle| Bitmap::of(rectangle, size, canvas)).collect();
    // SAFETY: the subtitle was filled by libav.
    unsafe { ffi::avsubtitle_free(&raw mut subtitle) };
    Some(Cue { start, end, bitmaps })
}

impl Shown {
    /// Draws what is shown at a picture's time into it.
    pub fn draw(&self, frame: &mut Frame) -> Result<(), Trouble> {
        let tick = frame.raw().pts;
        for cue in self.cues.iter().filter(|cue| (cue.start..cue.end).contains(&tick)) {
            for bitmap in &cue.bitmaps {
                bitmap.draw(frame)?;
            }
        }
        Ok(())
    }
}
