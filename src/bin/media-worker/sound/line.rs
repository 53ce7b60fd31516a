//! The line of samples that is encoded: what was heard, mixed, brought to its rate and laid at its place. Where nothing
//! was heard there is silence; what comes where something already lies is left out.
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::{frame, software};
use potluck::media::mix::Mix;
use potluck::media::transcode::SoundFormat;

use super::encode::layout;
use super::place::Run;
use crate::source::Trouble;

/// See the module.
pub struct Line {
    from: i64,
    planes: Vec<Vec<f32>>,
}

impl Line {
    /// An empty line of some channels whose first sample is at `from`.
    pub fn new(from: i64, channels: usize) -> Self {
        Self { from, planes: vec![Vec::new(); channels] }
    }

    /// The sample behind the last one.
    pub fn end(&self) -> i64 {
        self.from + self.length() as i64
    }

    fn length(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Lays a run.
    pub fn lay(&mut self, run: &Run, format: SoundFormat) -> Result<(), Trouble> {
        let mixed = Mix::new(&run.speakers, self.planes.len()).of(&run.planes);
        let (at, planes) =
            if run.rate == format.sample_rate { (run.at, mixed) } else { resampled(run, mixed, format)? };
        let skipped = usize::try_from(self.end() - at).unwrap_or(0);
        for (line, plane) in self.planes.iter_mut().zip(&planes) {
            let place = usize::try_from(at - self.from).unwrap_or(0);
            let Some(new) = plane.get(skipped..).filter(|new| !new.is_empty()) else { continue };
            line.resize(line.len().max(place), 0.0);
            line.extend_from_slice(new);
        }
        Ok(())
    }

    /// Everything before `end`, filled up with silence.
    pub fn until(mut self, end: i64) -> Vec<Vec<f32>> {
        let length = usize::try_from(end - self.from).unwrap_or(0);
        self.planes.iter_mut().for_each(|plane| plane.resize(length, 0.0));
        self.planes
    }
}

/// The run at another rate. It begins at the first sample that has a place at both rates, so that the same samples come
/// out whatever was heard before.
fn resampled(run: &Run, mut planes: Vec<Vec<f32>>, format: SoundFormat) -> Result<(i64, Vec<Vec<f32>>), Trouble> {
    let (own, wanted) = (i64::from(run.rate), i64::from(format.sample_rate));
    let step = own / greatest_common_divisor(own, wanted).max(1);
    let skipped = usize::try_from((-run.at).rem_euclid(step)).unwrap_or(0);
    planes.iter_mut().for_each(|plane| drop(plane.drain(..skipped.min(plane.len()))));
    let at = (run.at + skipped as i64) * wanted / own;
    Ok((at, converted(&planes, run.rate, format)?))
}

fn converted(planes: &[Vec<f32>], rate: u32, format: SoundFormat) -> Result<Vec<Vec<f32>>, Trouble> {
    let kind = Sample::F32(Type::Planar);
    let layout =
        layout(format.channels).ok_or_else(|| Trouble::Cannot("sound cannot be mixed like this".to_owned()))?;
    let mut resampler = software::resampling::Context::get(kind, layout, rate, kind, layout, format.sample_rate)?;
    let length = planes.first().map_or(0, Vec::len);
    if length == 0 {
        return Ok(vec![Vec::new(); planes.len()]);
    }
    let mut input = frame::Audio::new(kind, length, layout);
    input.set_rate(rate);
    for (channel, plane) in planes.iter().enumerate() {
        input.plane_mut::<f32>(channel).copy_from_slice(plane);
    }
    let most = length as u64 * u64::from(format.sample_rate) / u64::from(rate.max(1)) + 256;
    let mut all = vec![Vec::new(); planes.len()];
    let mut output = frame::Audio::new(kind, usize::try_from(most).unwrap_or(0), layout);
    let more = resampler.run(&input, &mut output)?;
    append(&mut all, &output);
    if more.is_some() {
        let mut rest = frame::Audio::new(kind, 65_536, layout);
        resampler.flush(&mut rest)?;
        append(&mut all, &rest);
    }
    Ok(all)
}

fn append(all: &mut [Vec<f32>], frame: &frame::Audio) {
    for (channel, plane) in all.iter_mut().enumerate() {
        if channel < frame.planes() {
            plane.extend_from_slice(frame.plane::<f32>(channel));
        }
    }
}

/// The largest number that divides both.
pub fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use potluck::media::mix::speakers;

    use super::*;

    fn run(at: i64, rate: u32, samples: Vec<f32>) -> Run {
        Run { rate, speakers: speakers(0, 1), planes: vec![samples], at }
    }

    const MONO: SoundFormat = SoundFormat { sample_rate: 48_000, channels: 1, bit_rate: 64_000 };

    #[test]
    fn gaps_are_silent_and_overlaps_left_out() {
        let mut line = Line::new(-2, 1);
        line.lay(&run(-4, 48_000, vec![0.1, 0.2, 0.3, 0.4]), MONO).unwrap();
        line.lay(&run(2, 48_000, vec![0.5]), MONO).unwrap();
        line.lay(&run(1, 48_000, vec![0.6, 0.7, 0.8]), MONO).unwrap();
        assert_eq!(line.end(), 4);
        assert_eq!(line.until(6), [[0.3, 0.4, 0.0, 0.0, 0.5, 0.8, 0.0, 0.0]]);
    }

    #[test]
    fn another_rate_comes_out_the_same_from_wherever_it_was_heard() {
        let wave = |n: i64| (n as f32 * 0.05).sin();
        let long: Vec<f32> = (0..20_000).map(wave).collect();
        let late: Vec<f32> = (1_001..20_000).map(wave).collect();
        let (mut one, mut two) = (Line::new(2000, 1), Line::new(2000, 1));
        one.lay(&run(0, 96_000, long), MONO).unwrap();
        two.lay(&run(1_001, 96_000, late), MONO).unwrap();
        let (one, two) = (one.until(9000), two.until(9000));
        assert!(one[0].iter().zip(&two[0]).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!((one[0][0] - wave(4000)).abs() < 0.01);
    }
}
