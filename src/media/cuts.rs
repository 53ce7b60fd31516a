//! Chooses where a film is cut. Pure, and part of a rendition's identity: equal keyframes give equal cuts on every node.
use super::timeline::Grid;

/// A keyframe that a segment could start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its time, in ticks.
    pub time: i64,
    /// Nothing after it refers to anything before it (H.264: an IDR picture).
    pub clean: bool,
}

/// Segments last at least this long.
pub const SHORTEST_SECONDS: i64 = 4;
/// How long a clean keyframe is waited for before another is taken.
pub const PATIENCE_SECONDS: i64 = 8;
/// Length of the segments of a file that has no film.
pub const AUDIO_SECONDS: i64 = 6;

/// Segments of the longest film: five days. A file may claim any length.
pub const SEGMENTS_MAX: usize = 100_000;

/// Positions in `keys` (ascending in time) of those that start a segment. The first always does.
#[must_use]
pub fn choose(keys: &[Key], timescale: u32) -> Vec<usize> {
    let ticks = i64::from(timescale);
    let (shortest, patience) = (SHORTEST_SECONDS * ticks, PATIENCE_SECONDS * ticks);
    let mut chosen = Vec::new();
    let mut last: Option<i64> = None;
    let mut at = 0;
    while let Some(key) = keys.get(at)
        && chosen.len() < SEGMENTS_MAX
    {
        let due = last.is_none_or(|last| key.time.saturating_sub(last) >= shortest);
        if due {
            at = last.map_or(at, |last| clean_one(keys, at, last.saturating_add(patience)));
            last = Some(keys[at].time);
            chosen.push(at);
        }
        at += 1;
    }
    chosen
}

/// The first clean key from `at` on that is not after `until`, or `at` where there is none.
fn clean_one(keys: &[Key], at: usize, until: i64) -> usize {
    let near = keys[at..].iter().take_while(|key| key.time <= until);
    near.enumerate().find(|(_, key)| key.clean).map_or(at, |(further, _)| at + further)
}

/// Where sound is cut so that it goes with the film: with the first frame at or after each cut. `film` holds the film's
/// starts in ticks of `film_timescale`; `end` is the tick after the last frame.
#[must_use]
pub fn follow(film: &[i64], film_timescale: u32, grid: Grid, sample_rate: u32, end: i64) -> Vec<i64> {
    let (rate, scale) = (i128::from(sample_rate), i128::from(film_timescale.max(1)));
    let mut starts = vec![grid.origin];
    for cut in film.iter().skip(1) {
        let tick = (i128::from(*cut) * rate + scale - 1).div_euclid(scale);
        let start = grid.at_or_after(i64::try_from(tick).unwrap_or(i64::MAX));
        if start < end && starts.last().is_some_and(|last| start > *last) {
            starts.push(start);
        }
    }
    starts
}

/// Where sound without film is cut: every [`AUDIO_SECONDS`].
#[must_use]
pub fn evenly(grid: Grid, sample_rate: u32, end: i64) -> Vec<i64> {
    let length = AUDIO_SECONDS * i64::from(sample_rate);
    let cuts = (0..).map(|n| grid.at_or_after(grid.origin.saturating_add(length.saturating_mul(n))));
    let mut starts: Vec<i64> = cuts.take_while(|start| *start < end).take(SEGMENTS_MAX).collect();
    if starts.is_empty() {
        starts.push(grid.origin);
    }
    starts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(times: &[i64]) -> Vec<Key> {
        times.iter().map(|time| Key { time: *time, clean: true }).collect()
    }

    #[test]
    fn segments_start_at_keyframes_four_seconds_apart() {
        assert_eq!(choose(&keys(&[0, 1, 2, 3, 4, 5, 9, 12]), 1), [0, 4, 6]);
        assert_eq!(choose(&keys(&[100, 130]), 1), [0, 1]);
        assert!(choose(&[], 1).is_empty());
    }

    #[test]
    fn a_clean_keyframe_is_waited_for_but_not_for_ever() {
        let mut some = keys(&[0, 4, 6, 10, 20]);
        some[1].clean = false;
        assert_eq!(choose(&some, 1), [0, 2, 3, 4]);
        let none: Vec<Key> = some.iter().map(|k| Key { clean: false, ..*k }).collect();
        assert_eq!(choose(&none, 1), [0, 1, 3, 4]);
    }

    #[test]
    fn sound_is_cut_with_the_first_frame_at_or_after_the_films_cut() {
        let grid = Grid { origin: 0, step: 1024 };
        assert_eq!(follow(&[0, 4000, 8000], 1000, grid, 48000, 48000 * 10), [0, 192_512, 384_000]);
        assert_eq!(follow(&[0, 4000, 8000], 1000, grid, 48000, 300_000), [0, 192_512]);
        let late = Grid { origin: 240_000, step: 1024 };
        assert_eq!(follow(&[0, 4000, 8000], 1000, late, 48000, 48000 * 10), [240_000, 384_384]);
    }

    #[test]
    fn a_claimed_length_is_not_believed_beyond_reason() {
        let grid = Grid { origin: 0, step: 1024 };
        assert_eq!(evenly(grid, 48000, i64::MAX).len(), SEGMENTS_MAX);
        assert_eq!(evenly(grid, 48000, 48000 * 13), [0, 288_768, 576_512]);
        assert_eq!(evenly(grid, 48000, -5), [0]);
    }

    proptest! {
        #[test]
        fn cuts_ascend_and_are_far_enough_apart(gaps in proptest::collection::vec((0i64..5000, any::<bool>()), 0..200)) {
            let mut time = 0;
            let keys: Vec<Key> = gaps.iter().map(|(gap, clean)| { time += gap; Key { time, clean: *clean } }).collect();
            let chosen = choose(&keys, 1000);
            prop_assert_eq!(chosen.first().copied(), if keys.is_empty() { None } else { Some(0) });
            for pair in chosen.windows(2) {
                prop_assert!(keys[pair[1]].time - keys[pair[0]].time >= 4000);
            }
        }

        #[test]
        fn sound_starts_lie_on_the_grid_before_the_end(
            origin in -5000i64..5000, step in 1i64..3000, film in proptest::collection::vec(1i64..9000, 0..50), end in 0i64..9_000_000
        ) {
            let grid = Grid { origin, step };
            let mut at = 0;
            let film: Vec<i64> = film.iter().map(|gap| { at += gap; at }).collect();
            let starts = follow(&film, 1000, grid, 44100, end);
            prop_assert!(starts.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(starts.iter().all(|start| (start - origin) % step == 0));
            prop_assert!(starts.iter().skip(1).all(|start| *start < end));
        }
    }
}
