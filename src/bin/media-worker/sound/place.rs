//! Where decoded sound belongs on the time line.
//!
//! Containers round times, Matroska to whole milliseconds; frames follow each other to the sample all the same. So the
//! frames of an unbroken stretch are laid one behind the other, and the stretch as a whole is laid where its frames say
//! on average, on the grid that the codec's frames make: the same place whichever of its frames was heard first.
use potluck::media::mix::Speaker;

use super::line::greatest_common_divisor;

/// A frame that lies this much beside its place begins a new stretch; more where frames are long.
const TOLERANCE_MILLISECONDS: i64 = 30;
/// Grids wider than this are made narrower: neighbouring places are then still several milliseconds apart.
const STEP_MAX: i64 = 256;

/// An unbroken stretch of sound at one rate.
pub struct Run {
    /// Hz.
    pub rate: u32,
    /// What its channels are.
    pub speakers: Vec<Speaker>,
    /// Samples of each channel.
    pub planes: Vec<Vec<f32>>,
    /// Place of the first sample, at its own rate.
    pub at: i64,
}

/// A run under construction.
pub struct Stretch {
    run: Run,
    /// Samples before a frame, and the time that the frame has by itself.
    marks: Vec<(i64, i64)>,
    lengths: Vec<i64>,
}

impl Stretch {
    /// Begins with a frame that says it is at `time`.
    pub fn new(rate: u32, speakers: Vec<Speaker>, time: i64) -> Self {
        let planes = vec![Vec::new(); speakers.len()];
        Self { run: Run { rate, speakers, planes, at: time }, marks: Vec::new(), lengths: Vec::new() }
    }

    /// Whether a frame goes on where this ends.
    pub fn goes_on(&self, rate: u32, speakers: &[Speaker], time: Option<i64>) -> bool {
        let usual = self.lengths.last().copied().unwrap_or(0) * 3 / 4;
        let tolerance = usual.max(i64::from(rate) * TOLERANCE_MILLISECONDS / 1000);
        let expected = self.run.at + self.length();
        let in_place = time.is_none_or(|time| (time - expected).abs() <= tolerance);
        self.run.rate == rate && self.run.speakers == speakers && in_place
    }

    /// Hz.
    pub fn rate(&self) -> u32 {
        self.run.rate
    }

    fn length(&self) -> i64 {
        self.run.planes.first().map_or(0, Vec::len) as i64
    }

    /// Adds a frame's samples.
    pub fn push(&mut self, planes: &[Vec<f32>], time: Option<i64>) {
        let before = self.length();
        if let Some(time) = time {
            self.marks.push((before, time));
        }
        self.lengths.push(planes.first().map_or(0, Vec::len) as i64);
        self.run.planes.iter_mut().zip(planes).for_each(|(all, new)| all.extend_from_slice(new));
    }

    /// The run at its place. The grid goes through `origin`; its step is told where frames are of several lengths.
    pub fn placed(mut self, origin: i64, step: Option<i64>) -> Run {
        let first_second: Vec<i64> = self
            .marks
            .iter()
            .take_while(|(before, _)| *before < i64::from(self.run.rate))
            .map(|(before, time)| time - before)
            .collect();
        if !first_second.is_empty() {
            let step = step.unwrap_or_else(|| step_of(&self.lengths));
            self.run.at = snapped(&first_second, origin, step);
        }
        self.run
    }
}

/// What the lengths of all frames but the last, which may be cut short, have in common.
fn step_of(lengths: &[i64]) -> i64 {
    let whole = lengths.split_last().map_or(lengths, |(_, whole)| whole);
    let common = whole.iter().copied().fold(0, greatest_common_divisor);
    match common {
        0 => 1,
        narrow if narrow <= STEP_MAX => narrow,
        wide => greatest_common_divisor(wide, STEP_MAX),
    }
}

/// The place of the grid nearest to the mean.
fn snapped(times: &[i64], origin: i64, step: i64) -> i64 {
    let (count, step) = (times.len() as i128, i128::from(step.max(1)));
    let sum: i128 = times.iter().map(|time| i128::from(*time) - i128::from(origin)).sum();
    let places = (2 * sum + count * step).div_euclid(2 * count * step);
    i64::try_from(i128::from(origin) + places * step).unwrap_or(origin)
}

#[cfg(test)]
mod tests {
    use potluck::media::mix::speakers;

    use super::*;

    /// Frames of `length` from the `first` one on, with times rounded to milliseconds.
    fn heard(length: i64, first: i64, count: i64, rate: i64) -> Run {
        let rounded = |n: i64| ((n * length * 1000 + rate / 2) / rate * rate + 500) / 1000;
        let mono = speakers(0, 1);
        let mut stretch = Stretch::new(rate as u32, mono.clone(), rounded(first));
        for n in first..first + count {
            assert!(stretch.goes_on(rate as u32, &mono, Some(rounded(n))));
            stretch.push(&[vec![0.0; length as usize]], Some(rounded(n)));
        }
        stretch.placed(0, None)
    }

    #[test]
    fn rounded_times_give_the_same_place_from_wherever_it_is_heard() {
        for (length, rate) in
            [(40, 48_000), (1536, 48_000), (1152, 44_100), (4096, 44_100), (512, 48_000), (80, 96_000)]
        {
            for first in [0, 1, 7, 1001, 12_345] {
                assert_eq!(heard(length, first, 2 * rate / length, rate).at, first * length, "{length} at {rate}");
            }
        }
    }

    #[test]
    fn a_jump_or_another_rate_begins_a_new_stretch() {
        let stereo = speakers(0, 2);
        let mut stretch = Stretch::new(48_000, stereo.clone(), 0);
        stretch.push(&[vec![0.0; 1024], vec![0.0; 1024]], Some(0));
        assert!(stretch.goes_on(48_000, &stereo, Some(1100)) && stretch.goes_on(48_000, &stereo, None));
        assert!(!stretch.goes_on(48_000, &stereo, Some(4000)));
        assert!(!stretch.goes_on(44_100, &stereo, Some(1024)));
        assert!(!stretch.goes_on(48_000, &speakers(0, 1), Some(1024)));
    }
}
