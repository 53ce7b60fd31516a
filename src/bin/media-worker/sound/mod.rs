//! Sound, decoded and encoded anew: as AAC for segments of films, and whole for programs that play music ([`whole`]).
//!
//! Each segment is made from nothing: a new decoder that begins at a packet which follows from the plan alone, and a new
//! encoder that is warmed up with the samples before. So a segment made alone is the one made in order, bit by bit, and
//! continues the one before it on the grid of frames that goes through zero.
mod encode;
mod line;
mod listen;
mod place;
pub mod whole;

use potluck::media::fmp4::{Sample, SampleFormat, TrackConfig, segment_head};
use potluck::media::transcode::{AAC_FRAME, SoundFormat, SoundPlan};

pub use self::listen::Listener;
use crate::source::{Source, Trouble};

/// Frames encoded and thrown away before the first: fewer click at the join.
const WARM_UP_FRAMES: i64 = 3;
/// Frames that the encoder looks at behind the last one.
const LOOK_AHEAD_FRAMES: i64 = 2;
/// What the decoder hears before the first sample that counts, in parts of a second.
const PRE_ROLL_MILLISECONDS: i64 = 1000;
/// The longest segment, and how much longer than the index says the last one may be.
const SECONDS_MAX: i64 = 60;

/// What the initialisation section of such sound says.
pub fn head(source: &Source, plan: &SoundPlan) -> Result<TrackConfig, Trouble> {
    let stream = usize::try_from(plan.stream).unwrap_or(usize::MAX);
    let view = source.stream(stream).ok_or_else(|| Trouble::Cannot("there is no such stream".to_owned()))?;
    let record = encode::configuration(plan.format)?;
    let SoundFormat { sample_rate, channels, .. } = plan.format;
    let format = SampleFormat::Aac { sample_rate, channels, record };
    Ok(TrackConfig { timescale: sample_rate, language: crate::tracks::language(&view), format })
}

/// The segment that a plan describes.
pub fn segment(listener: &mut Listener, plan: &SoundPlan) -> Result<Vec<u8>, Trouble> {
    let rate = i64::from(plan.format.sample_rate);
    let (start, mut end) = (plan.start, plan.end);
    let on_grid = start % AAC_FRAME == 0 && end % AAC_FRAME == 0;
    if rate == 0 || !on_grid || start < 0 || end <= start || end - start > SECONDS_MAX * rate {
        return Err(Trouble::Cannot("sound cannot be cut like this".to_owned()));
    }
    let from = start - WARM_UP_FRAMES * AAC_FRAME;
    let extra = if plan.last { SECONDS_MAX * rate } else { 0 };
    let runs =
        listener.hear(plan, from - PRE_ROLL_MILLISECONDS * rate / 1000, end + LOOK_AHEAD_FRAMES * AAC_FRAME + extra)?;
    let mut line = line::Line::new(from, usize::from(plan.format.channels));
    for run in &runs {
        line.lay(run, plan.format)?;
    }
    if plan.last {
        end = end.max((line.end() + AAC_FRAME - 1).div_euclid(AAC_FRAME) * AAC_FRAME);
    }
    let frames = encode::frames(&line.until(end + LOOK_AHEAD_FRAMES * AAC_FRAME), from, plan.format, start..end)?;
    written(plan, &frames, end)
}

fn written(plan: &SoundPlan, frames: &[(i64, Vec<u8>)], end: i64) -> Result<Vec<u8>, Trouble> {
    let sample = |(time, bytes): &(i64, Vec<u8>)| Sample {
        time: *time,
        size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        sync: true,
    };
    let samples: Vec<Sample> = frames.iter().map(sample).collect();
    let mut segment = segment_head(plan.sequence, &samples, end)?;
    frames.iter().for_each(|(_, bytes)| segment.extend_from_slice(bytes));
    Ok(segment)
}
