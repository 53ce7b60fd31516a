//! Where transcoded renditions are cut: at every place where the copy is, and in between where that would be too long to
//! wait for. Pure.
//!
//! Sound is cut on the grid of AAC frames that goes through zero, so that any segment can be made alone and still
//! continues the one before it frame by frame.
use super::cuts::{AUDIO_SECONDS, SEGMENTS_MAX};
use super::timeline::{FileIndex, TrackIndex};
use super::transcode::AAC_FRAME;

/// Transcoded pictures are cut at least this often: whoever seeks to a place that was not made yet waits for a whole
/// segment, and two cores make 1,080 lines little faster than twice as fast as they are shown.
const LONGEST_SECONDS: i64 = 3;

/// A segment of a transcoded film, in ticks of the film's timescale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureCut {
    /// A keyframe at or before `start` from which its pictures can be decoded, where the index knows one.
    pub key: Option<i64>,
    /// First tick.
    pub start: i64,
    /// First tick of the next one; of the last one, the end of the film.
    pub end: i64,
    /// It is the last one.
    pub last: bool,
}

impl FileIndex {
    /// The film.
    #[must_use]
    pub fn film(&self) -> Option<&TrackIndex> {
        self.tracks.iter().find(|track| track.config.format.is_video())
    }

    /// The segments of a transcoded film: those of the copy, the long ones in equal pieces of at most
    /// [`LONGEST_SECONDS`]. Empty without film.
    #[must_use]
    pub fn picture_cuts(&self) -> Vec<PictureCut> {
        let Some(film) = self.film() else { return Vec::new() };
        let cut = |(start, end)| PictureCut { key: key_before(film, start), start, end, last: false };
        let mut cuts: Vec<PictureCut> = pieces(film, LONGEST_SECONDS).map(cut).collect();
        if let Some(last) = cuts.last_mut() {
            last.last = true;
        }
        cuts
    }

    /// The segments of a sound track that is transcoded to `sample_rate`: first sample and the one after the last. They
    /// begin with the film, or with the sound where that is earlier, and end with the sound.
    #[must_use]
    pub fn sound_cuts(&self, track: &TrackIndex, sample_rate: u32) -> Vec<(i64, i64)> {
        let samples = |tick: i64, timescale: u32| rescaled(tick, timescale, sample_rate);
        let own = |tick: i64| samples(tick, track.config.timescale);
        let mut film: Vec<i64> = self
            .film()
            .map(|film| pieces(film, AUDIO_SECONDS).map(|cut| samples(cut.0, film.config.timescale)).collect())
            .unwrap_or_default();
        let begin = track.starts.first().map_or(0, |start| own(*start));
        let begin = film.first().map_or(begin, |first| begin.min(*first)).max(0);
        let first = begin.div_euclid(AAC_FRAME) * AAC_FRAME;
        let end = grid_ceiling(own(track.end)).max(first + AAC_FRAME);
        let inner = if film.is_empty() { every_few_seconds(first, sample_rate) } else { film.split_off(1) };
        let mut starts = vec![first];
        for cut in inner.into_iter().map(grid_ceiling).take_while(|cut| *cut < end).take(SEGMENTS_MAX) {
            if starts.last().is_some_and(|last| cut > *last) {
                starts.push(cut);
            }
        }
        let ends: Vec<i64> = starts.iter().skip(1).copied().chain([end]).collect();
        starts.into_iter().zip(ends).collect()
    }
}

/// The keyframe that decoding begins with for the pictures from `start` on. Of an open group of pictures the first ones
/// are shown before their keyframe, and need the group before.
fn key_before(film: &TrackIndex, start: i64) -> Option<i64> {
    let later = film.keys.partition_point(|key| *key <= start);
    film.keys.get(later.checked_sub(1)?).copied()
}

/// First and end tick of the pieces of a film: its stretches from cut to cut, the long ones in equal pieces of at most
/// `longest` seconds.
fn pieces(film: &TrackIndex, longest: i64) -> impl Iterator<Item = (i64, i64)> {
    let longest = longest * i64::from(film.config.timescale.max(1));
    let ends = film.starts.iter().skip(1).copied().chain([film.end]);
    let stretches = film.starts.iter().copied().zip(ends).map(|(start, end)| (start, end.max(start)));
    stretches.flat_map(move |stretch| equal_pieces(stretch, longest)).take(SEGMENTS_MAX)
}

fn equal_pieces((start, end): (i64, i64), longest: i64) -> impl Iterator<Item = (i64, i64)> {
    let length = end - start;
    let count = (length.saturating_add(longest - 1) / longest).clamp(1, SEGMENTS_MAX as i64);
    let place = move |n: i64| {
        let offset = i128::from(length) * i128::from(n) / i128::from(count);
        start + i64::try_from(offset).unwrap_or(0)
    };
    (0..count).map(move |n| (place(n), place(n + 1)))
}

fn every_few_seconds(first: i64, sample_rate: u32) -> Vec<i64> {
    let step = AUDIO_SECONDS * i64::from(sample_rate.max(1));
    (1..=SEGMENTS_MAX as i64).map(|n| first.saturating_add(step.saturating_mul(n))).collect()
}

/// The first place of the grid at or after a sample.
fn grid_ceiling(sample: i64) -> i64 {
    sample.saturating_add(AAC_FRAME - 1).div_euclid(AAC_FRAME) * AAC_FRAME
}

fn rescaled(tick: i64, from: u32, to: u32) -> i64 {
    let scaled = (i128::from(tick) * i128::from(to)).div_euclid(i128::from(from.max(1)));
    // Far beyond any film, and far from overflow.
    i64::try_from(scaled).unwrap_or(i64::MAX).clamp(-(1 << 60), 1 << 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::fmp4::{SampleFormat, TrackConfig};

    fn track(video: bool, timescale: u32, starts: Vec<i64>, keys: Vec<i64>, end: i64) -> TrackIndex {
        let config = TrackConfig { timescale, language: None, format: SampleFormat::Foreign { video } };
        TrackIndex { stream: u32::from(!video), config, starts, keys, end, grid: None, peak_bit_rate: 0 }
    }

    fn film(starts: &[i64], end: i64) -> FileIndex {
        FileIndex { base_seconds: 0, tracks: vec![track(true, 1000, starts.to_vec(), starts.to_vec(), end)] }
    }

    fn bounds(index: &FileIndex) -> Vec<(i64, i64)> {
        index.picture_cuts().iter().map(|cut| (cut.start, cut.end)).collect()
    }

    #[test]
    fn long_groups_of_pictures_are_cut_into_equal_pieces() {
        let index = film(&[0, 4000, 7000], 15_000);
        let pieces = [(0, 2000), (2000, 4000), (4000, 7000), (7000, 9666), (9666, 12_333), (12_333, 15_000)];
        assert_eq!(bounds(&index), pieces);
        let keys: Vec<_> = index.picture_cuts().iter().map(|cut| (cut.key.unwrap(), cut.last)).collect();
        assert_eq!(keys[..3], [(0, false), (0, false), (4000, false)]);
        assert_eq!(keys[3..], [(7000, false), (7000, false), (7000, true)]);
    }

    #[test]
    fn a_short_or_empty_film_is_one_segment() {
        assert_eq!(bounds(&film(&[0], 500)), [(0, 500)]);
        assert_eq!(bounds(&film(&[0], 0)), [(0, 0)]);
        assert!(bounds(&film(&[], 0)).is_empty());
    }

    #[test]
    fn the_first_pictures_of_an_open_group_are_decoded_from_the_group_before() {
        let mut index = film(&[0, 4000, 8000], 12_000);
        index.tracks[0].keys = vec![40, 4080, 8000];
        let keys: Vec<_> = index.picture_cuts().iter().map(|cut| cut.key).collect();
        assert_eq!(keys, [None, Some(40), Some(40), Some(4080), Some(8000), Some(8000)]);
        index.tracks[0].keys.clear();
        assert!(index.picture_cuts().iter().all(|cut| cut.key.is_none()));
    }

    #[test]
    fn sound_begins_with_the_film_and_is_cut_with_it() {
        let mut index = film(&[0, 4000, 8000], 12_000);
        index.tracks.push(track(false, 48_000, vec![48_000], Vec::new(), 576_001));
        let cuts = index.sound_cuts(&index.tracks[1], 48_000);
        assert_eq!(cuts, [(0, 192_512), (192_512, 384_000), (384_000, 576_512)]);
        let slower = index.sound_cuts(&index.tracks[1], 44_100);
        assert_eq!(slower[..2], [(0, 177_152), (177_152, 353_280)]);
    }

    #[test]
    fn sound_without_a_film_is_cut_every_six_seconds() {
        let index = FileIndex { base_seconds: 0, tracks: vec![track(false, 48_000, vec![0], Vec::new(), 700_000)] };
        let cuts = index.sound_cuts(&index.tracks[0], 48_000);
        assert_eq!(cuts, [(0, 288_768), (288_768, 576_512), (576_512, 700_416)]);
    }

    proptest! {
        #[test]
        fn pieces_follow_each_other_and_keep_every_cut_of_the_copy(
            gaps in proptest::collection::vec(1i64..60_000, 1..40), timescale in 1u32..100_000, open in 0i64..50
        ) {
            let mut at = 0;
            let starts: Vec<i64> = gaps.iter().map(|gap| { let start = at; at += gap * i64::from(timescale) / 1000; start }).collect();
            let keys: Vec<i64> = starts.iter().map(|start| start + open).collect();
            let index = FileIndex { base_seconds: 0, tracks: vec![track(true, timescale, starts.clone(), keys.clone(), at)] };
            let cuts = index.picture_cuts();
            prop_assert!(cuts.windows(2).all(|pair| pair[0].end == pair[1].start && !pair[0].last));
            prop_assert!(starts.iter().all(|start| cuts.iter().any(|cut| cut.start == *start)));
            prop_assert!(cuts.last().is_some_and(|cut| cut.last && cut.end == at));
            for cut in &cuts {
                prop_assert!(cut.key.map_or(cut.start < keys[0], |key| key <= cut.start));
                prop_assert!(cut.end - cut.start <= 3 * i64::from(timescale) + 1);
                let is_piece = !starts.contains(&cut.start);
                prop_assert!(!is_piece || cut.end - cut.start >= 3 * i64::from(timescale) / 2);
            }
        }

        #[test]
        fn sound_is_cut_on_the_grid_without_a_gap(
            gaps in proptest::collection::vec(1i64..30_000, 0..40), first in -50i64..90_000, length in 0i64..3_000_000,
            own in 8000u32..96_000, rate in 8000u32..96_000
        ) {
            let mut at = 0;
            let starts: Vec<i64> = gaps.iter().map(|gap| { let start = at; at += gap; start }).collect();
            let mut index = film(&starts, at);
            index.tracks.push(track(false, own, vec![first], Vec::new(), first + length));
            let cuts = index.sound_cuts(&index.tracks[1], rate);
            prop_assert!(!cuts.is_empty() && cuts[0].0 >= 0);
            prop_assert!(cuts.iter().all(|(start, end)| start < end && start % 1024 == 0 && end % 1024 == 0));
            prop_assert!(cuts.windows(2).all(|pair| pair[0].1 == pair[1].0));
        }
    }
}
