//! What was heard, mixed to as many channels as are encoded and brought to their rate.
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::{frame, software};
use potluck::media::mix::{Mix, Speaker};

use super::hear::Heard;
use crate::sound::encode::layout;
use crate::source::Trouble;

/// Planar numbers from -1 to 1.
const KIND: Sample = Sample::F32(Type::Planar);
/// Samples that a resampler may hold back, at either rate.
const HELD_BACK: u64 = 4096;

/// See the module.
pub struct Line {
    rate: u32,
    channels: usize,
    mix: Option<(Vec<Speaker>, Mix)>,
    resampler: Option<(u32, software::resampling::Context)>,
}

impl Line {
    /// A line at `rate` Hz.
    pub fn new(rate: u32, channels: usize) -> Self {
        Self { rate, channels, mix: None, resampler: None }
    }

    /// What is to be encoded of what was heard. Files may change their rate and channels in the middle.
    pub fn of(&mut self, heard: Heard) -> Result<Vec<Vec<f32>>, Trouble> {
        let Heard { rate, speakers, planes } = heard;
        if self.mix.as_ref().is_none_or(|(of, _)| *of != speakers) {
            let mix = Mix::new(&speakers, self.channels);
            self.mix = Some((speakers, mix));
        }
        let mixed = self.mix.as_ref().map(|(_, mix)| mix.of(&planes)).unwrap_or_default();
        let mut out = match &self.resampler {
            Some((of, _)) if *of != rate => self.rest()?,
            _ => Vec::new(),
        };
        let new = if rate == self.rate { mixed } else { self.resampled(&mixed, rate)? };
        if out.is_empty() {
            return Ok(new);
        }
        out.iter_mut().zip(&new).for_each(|(out, new)| out.extend_from_slice(new));
        Ok(out)
    }

    /// What the resampler holds back at the end.
    pub fn rest(&mut self) -> Result<Vec<Vec<f32>>, Trouble> {
        let Some((_, mut resampler)) = self.resampler.take() else { return Ok(Vec::new()) };
        let mut frame = self.frame(usize::try_from(HELD_BACK).unwrap_or(0))?;
        resampler.flush(&mut frame)?;
        Ok(self.planes(&frame))
    }

    fn resampled(&mut self, planes: &[Vec<f32>], rate: u32) -> Result<Vec<Vec<f32>>, Trouble> {
        let length = planes.first().map_or(0, Vec::len);
        let most = (length as u64 + HELD_BACK) * u64::from(self.rate) / u64::from(rate.max(1)) + HELD_BACK;
        let mut output = self.frame(usize::try_from(most).unwrap_or(0))?;
        let mut input = self.frame(length)?;
        input.set_rate(rate);
        for (channel, plane) in planes.iter().enumerate() {
            input.plane_mut::<f32>(channel).copy_from_slice(plane);
        }
        let layout = self.layout()?;
        let context = match self.resampler.take() {
            Some((_, context)) => context,
            None => software::resampling::Context::get(KIND, layout, rate, KIND, layout, self.rate)?,
        };
        let (_, context) = self.resampler.insert((rate, context));
        context.run(&input, &mut output)?;
        Ok(self.planes(&output))
    }

    fn layout(&self) -> Result<ffmpeg_next::ChannelLayout, Trouble> {
        let channels = u16::try_from(self.channels).ok();
        channels.and_then(layout).ok_or_else(|| Trouble::Cannot("sound cannot be mixed like this".to_owned()))
    }

    fn frame(&self, samples: usize) -> Result<frame::Audio, Trouble> {
        Ok(frame::Audio::new(KIND, samples, self.layout()?))
    }

    fn planes(&self, frame: &frame::Audio) -> Vec<Vec<f32>> {
        (0..self.channels).filter(|n| *n < frame.planes()).map(|n| frame.plane::<f32>(n).to_vec()).collect()
    }
}

#[cfg(test)]
mod tests {
    use potluck::media::mix::speakers;

    use super::*;

    fn heard(rate: u32, samples: usize) -> Heard {
        Heard { rate, speakers: speakers(0, 1), planes: vec![vec![0.5; samples]] }
    }

    fn lengths(parts: &[(u32, usize)]) -> usize {
        let mut line = Line::new(48_000, 1);
        let mut length = 0;
        for (rate, samples) in parts {
            length += line.of(heard(*rate, *samples)).unwrap()[0].len();
        }
        length + line.rest().unwrap().first().map_or(0, Vec::len)
    }

    #[test]
    fn as_much_comes_out_as_went_in() {
        assert_eq!(lengths(&[(48_000, 1000), (48_000, 24)]), 1024);
        let resampled = lengths(&[(44_100, 4096); 100]);
        assert!(resampled.abs_diff(409_600 * 480 / 441) < 3, "{resampled}");
    }

    #[test]
    fn a_rate_may_change_in_the_middle() {
        let all = lengths(&[(44_100, 44_100), (48_000, 48_000), (96_000, 96_000), (44_100, 44_100)]);
        assert!(all.abs_diff(192_000) < 12, "{all}");
    }
}
