//! Writes one segment of a track: the packets that belong to it, behind the head that `fmp4` makes of their times.
//!
//! Which packets belong to a segment follows from its plan and the file alone, never from what was read before.
use std::collections::VecDeque;
use std::ops::Range;

use ffmpeg_next::Packet;
use potluck::media::fmp4::{Fmp4Error, Sample, segment_head};
use potluck::media::protocol::PAYLOAD_MAX;
use potluck::media::timeline::{Grid, SegmentPlan};

use crate::reader::{Arrival, Reader, Timed};
use crate::source::Trouble;
use crate::tracks::Clock;

/// Samples of the longest segment.
const SAMPLES_MAX: usize = 200_000;
/// A keyframe that does not come within this many seconds of its time will not come.
const LATE_SECONDS: i64 = 30;
/// Where to look for a keyframe, and for a frame of sound: seconds before it.
const STEPS_TO_KEY: [i64; 3] = [0, 1, 10];
const STEPS_TO_FRAME: [i64; 2] = [1, 10];

impl From<Fmp4Error> for Trouble {
    fn from(error: Fmp4Error) -> Self {
        Self::Cannot(error.to_string())
    }
}

/// Samples in decoding order and their packets.
#[derive(Default)]
struct Collected {
    samples: Vec<Sample>,
    packets: Vec<Packet>,
    bytes: usize,
    /// Where the packets lie in the file.
    span: Option<Range<u64>>,
}

/// A segment, and the bytes of the file that it was taken from.
type Cut = (Vec<u8>, Range<u64>);

impl Collected {
    fn push(&mut self, time: i64, packet: Packet) -> Result<(), Trouble> {
        let size = packet.size();
        self.bytes += size;
        if self.bytes > PAYLOAD_MAX / 2 || self.samples.len() >= SAMPLES_MAX {
            return Err(Trouble::Cannot("its keyframes are too far apart to cut it into segments".to_owned()));
        }
        let size = u32::try_from(size).map_err(|_| Fmp4Error::TooLarge)?;
        self.samples.push(Sample { time, size, sync: packet.is_key() });
        self.widen(&packet);
        self.packets.push(packet);
        Ok(())
    }

    fn widen(&mut self, packet: &Packet) {
        // Of some packets, as of those that a parser split, the place is not known: their neighbours' is.
        let Ok(from) = u64::try_from(packet.position()) else { return };
        let to = from.saturating_add(packet.size() as u64);
        let span = self.span.get_or_insert(from..to);
        *span = span.start.min(from)..span.end.max(to);
    }

    fn written(&self, plan: &SegmentPlan, end: i64) -> Result<Cut, Trouble> {
        let mut segment = segment_head(plan.sequence, &self.samples, end)?;
        segment.reserve_exact(self.bytes);
        self.packets.iter().filter_map(Packet::data).for_each(|data| segment.extend_from_slice(data));
        Ok((segment, self.span.clone().unwrap_or_default()))
    }
}

/// The segment that a plan describes.
pub fn of(reader: &mut Reader, plan: &SegmentPlan) -> Result<Cut, Trouble> {
    if plan.timescale == 0 {
        return Err(Trouble::Cannot("a track without a clock cannot be cut".to_owned()));
    }
    let clock = reader.clock(plan.timescale, plan.base_seconds)?;
    match plan.grid {
        Some(grid) => sound(reader, plan, clock, grid),
        None => film(reader, plan, clock),
    }
}

fn film(reader: &mut Reader, plan: &SegmentPlan, clock: Clock) -> Result<Cut, Trouble> {
    go_to_key(reader, plan.key, clock)?;
    let mut collected = Collected::default();
    let mut end = plan.end;
    while let Some(timed) = reader.next(clock)? {
        let is_next = |key| timed.packet.is_key() && timed.tick >= key;
        if plan.next_key.is_some_and(is_next) && !collected.samples.is_empty() {
            end = first_picture_after(reader, timed, clock)?;
            break;
        }
        collected.push(timed.tick, timed.packet)?;
    }
    collected.written(plan, end)
}

fn go_to_key(reader: &mut Reader, key: i64, clock: Clock) -> Result<(), Trouble> {
    if let Some(next) = reader.next(clock)? {
        let is_there = next.packet.is_key() && next.tick == key;
        reader.put_back([next.packet].into_iter());
        if is_there {
            return Ok(());
        }
    }
    let late = clock.ticks(LATE_SECONDS);
    let found = reader.go(key, clock, &STEPS_TO_KEY, |timed, _| match timed.tick {
        tick if tick == key && timed.packet.is_key() => Arrival::Here,
        tick if tick > key.saturating_add(late) || (tick > key && timed.packet.is_key()) => Arrival::Beyond,
        _ => Arrival::Before,
    })?;
    if found { Ok(()) } else { Err(Trouble::Damaged("a keyframe is not where the index says".to_owned())) }
}

/// The smallest time of the segment that `key` opens. Pictures that are decoded after a keyframe but shown before it
/// (an open group of pictures) come right behind it. Everything read is put back.
fn first_picture_after(reader: &mut Reader, key: Timed, clock: Clock) -> Result<i64, Trouble> {
    let (mut first, at) = (key.tick, key.tick);
    let mut read = VecDeque::from([key.packet]);
    while let Some(timed) = reader.next(clock)? {
        let later = timed.tick > at;
        first = first.min(timed.tick);
        read.push_back(timed.packet);
        if later {
            break;
        }
    }
    reader.put_back(read.into_iter());
    Ok(first)
}

fn sound(reader: &mut Reader, plan: &SegmentPlan, clock: Clock, grid: Grid) -> Result<Cut, Trouble> {
    go_to_frame(reader, plan, clock, grid)?;
    let mut collected = Collected::default();
    let mut free = i64::MIN;
    while let Some(timed) = reader.next(clock)? {
        let place = grid.snap(timed.tick);
        if place >= plan.end && !plan.last {
            reader.put_back([timed.packet].into_iter());
            reader.stands_at = Some(plan.end);
            break;
        }
        if place < 0 {
            // An encoder's run-up, which is not shown.
            continue;
        }
        // Two frames that claim one place follow each other.
        let time = place.max(free);
        free = time.saturating_add(grid.step);
        collected.push(time, timed.packet)?;
    }
    let end = if plan.last { plan.end.max(free) } else { plan.end };
    collected.written(plan, end)
}

/// The next frame read shall be the first one that belongs to the segment.
fn go_to_frame(reader: &mut Reader, plan: &SegmentPlan, clock: Clock, grid: Grid) -> Result<(), Trouble> {
    if plan.sequence == 0 {
        return reader.go_to_head();
    }
    if reader.stands_at.take() == Some(plan.start) {
        return Ok(());
    }
    let mut came_before = false;
    reader.go(plan.start, clock, &STEPS_TO_FRAME, |timed, from_head| {
        if grid.snap(timed.tick) < plan.start {
            came_before = true;
            Arrival::Before
        } else if came_before || from_head {
            Arrival::Here
        } else {
            // Whether frames that belong here come before this one is not known.
            Arrival::Beyond
        }
    })?;
    Ok(())
}
