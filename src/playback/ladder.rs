//! The ladder: which sizes and bit rates a film is transcoded to. Pure.
//!
//! A rung is named by its lines, those of the 16:9 screen that the picture fills, so that a 1920 x 800 film has a rung of
//! 1080 like a 1920 x 1080 one. No rung is above the source; a source between two rungs has one of its own lines.
use crate::media::decide::lines;
use crate::media::transcode::PictureFormat;

/// A size that films are transcoded to, as set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Lines of picture.
    pub lines: u32,
    /// Bits a second on average.
    pub bit_rate: u64,
}

impl Rung {
    /// Reads `1080:6000` (kilobits a second).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (lines, kilobits) = text.split_once(':')?;
        let (lines, kilobits) = (lines.trim().parse().ok()?, kilobits.trim().parse::<u64>().ok()?);
        let usable = (64..=8640).contains(&lines) && (50..=1_000_000).contains(&kilobits);
        usable.then_some(Self { lines, bit_rate: kilobits * 1000 })
    }

    /// What is used unless something else is set.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        [(2160, 16_000), (1440, 10_000), (1080, 6000), (720, 3000), (480, 1200)]
            .map(|(lines, kilobits)| Self { lines, bit_rate: kilobits * 1000 })
            .to_vec()
    }
}

/// Frames a second above which every other one is left out: weak clients cannot keep up.
const FRAME_RATE_MAX: f64 = 61.0;
/// Pixels of the widest picture that H.264 hardware takes.
const SIDE_MAX: u32 = 4096;

/// The rungs of a film of this size (as displayed), the highest first. At least one.
#[must_use]
pub fn rungs(ladder: &[Rung], width: u32, height: u32) -> Vec<Rung> {
    let mut ladder = ladder.to_vec();
    ladder.sort_by_key(|rung| std::cmp::Reverse(rung.lines));
    let Some(highest) = ladder.first().copied() else { return Vec::new() };
    let own = lines(width, height).max(2);
    let mut rungs: Vec<Rung> = ladder.iter().copied().filter(|rung| rung.lines <= own).collect();
    if own < highest.lines && rungs.first().is_none_or(|top| top.lines < own) {
        rungs.insert(0, Rung { lines: own, bit_rate: rate_between(&ladder, own) });
    }
    rungs
}

/// The bit rate of a size that is not in the ladder (highest first): on the line between its neighbours.
fn rate_between(ladder: &[Rung], lines: u32) -> u64 {
    let above = ladder.iter().rev().find(|rung| rung.lines >= lines);
    let below = ladder.iter().find(|rung| rung.lines < lines).copied().unwrap_or(Rung { lines: 0, bit_rate: 0 });
    let Some(above) = above else { return below.bit_rate };
    let (rise, run) = (above.bit_rate.saturating_sub(below.bit_rate), u64::from(above.lines - below.lines).max(1));
    (below.bit_rate + rise * u64::from(lines - below.lines) / run).max(64_000)
}

/// What the pictures of a rung are, for a film of this size and frame rate.
#[must_use]
pub fn format(rung: Rung, width: u32, height: u32, frame_rate: Option<f64>, tone_map: bool) -> PictureFormat {
    let (width, height) = scaled(rung.lines, width, height);
    let halved = frame_rate.is_some_and(|rate| rate > FRAME_RATE_MAX);
    PictureFormat {
        width,
        height,
        bit_rate: rung.bit_rate,
        frame_rate_max: halved.then_some(60.0),
        tone_map,
        burn: None,
        level: level(width, height, shown(frame_rate), rung.bit_rate),
    }
}

/// Frames a second that a rung has.
#[must_use]
pub fn shown(frame_rate: Option<f64>) -> f64 {
    let rate = frame_rate.unwrap_or(30.0);
    if rate > FRAME_RATE_MAX { (rate / 2.0).min(60.0) } else { rate }
}

/// The size with these lines, in the shape of the source, never larger, even.
fn scaled(rung: u32, width: u32, height: u32) -> (u32, u32) {
    let own = lines(width, height).max(1);
    let side = |pixels: u32, lines: u32| {
        let scaled = (f64::from(pixels) * f64::from(lines) / f64::from(own)).round();
        // Within u32: it is at most `pixels`, or SIDE_MAX.
        ((scaled as u32) / 2 * 2).max(2)
    };
    let lines = rung.min(own);
    let widest = side(width, lines).max(side(height, lines));
    let lines = if widest > SIDE_MAX {
        u32::try_from(u64::from(lines) * u64::from(SIDE_MAX) / u64::from(widest)).unwrap_or(lines)
    } else {
        lines
    };
    (side(width, lines), side(height, lines))
}

/// The lowest H.264 level (times ten) that holds such a stream: ITU-T H.264, table A-1, for the High profile.
fn level(width: u32, height: u32, frame_rate: f64, bit_rate: u64) -> u32 {
    // Level, macroblocks a second, macroblocks of a frame, kilobits a second (High: 1.25 times the table's).
    const LEVELS: [(u32, u64, u64, u64); 12] = [
        (30, 40_500, 1620, 12_500),
        (31, 108_000, 3600, 17_500),
        (32, 216_000, 5120, 25_000),
        (40, 245_760, 8192, 25_000),
        (41, 245_760, 8192, 62_500),
        (42, 522_240, 8704, 62_500),
        (50, 589_824, 22_080, 168_750),
        (51, 983_040, 36_864, 300_000),
        (52, 2_073_600, 36_864, 300_000),
        (60, 4_177_920, 139_264, 300_000),
        (61, 8_355_840, 139_264, 600_000),
        (62, 16_711_680, 139_264, 1_000_000),
    ];
    let blocks = u64::from(width.div_ceil(16)) * u64::from(height.div_ceil(16));
    let blocks_a_second = (blocks as f64 * frame_rate).ceil() as u64;
    let peak_kilobits = bit_rate * 3 / 2 / 1000;
    let holds = |(_, rate, frame, bits): &&(u32, u64, u64, u64)| {
        blocks_a_second <= *rate && blocks <= *frame && peak_kilobits <= *bits
    };
    LEVELS.iter().find(holds).map_or(62, |(level, ..)| *level)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(width: u32, height: u32) -> Vec<u32> {
        rungs(&Rung::usual(), width, height).iter().map(|rung| rung.lines).collect()
    }

    #[test]
    fn no_rung_is_above_the_source_and_one_is_its_own() {
        assert_eq!(names(3840, 2160), [2160, 1440, 1080, 720, 480]);
        assert_eq!(names(3840, 1600), [2160, 1440, 1080, 720, 480]);
        assert_eq!(names(1920, 800), [1080, 720, 480]);
        assert_eq!(names(1080, 1920), [1080, 720, 480]);
        assert_eq!(names(1600, 900), [900, 720, 480]);
        assert_eq!(names(720, 576), [576, 480]);
        assert_eq!(names(320, 180), [180]);
        assert_eq!(names(7680, 4320), [2160, 1440, 1080, 720, 480]);
        assert_eq!(names(0, 0), [2]);
    }

    #[test]
    fn a_size_between_two_rungs_has_a_rate_between_theirs() {
        assert_eq!(rungs(&Rung::usual(), 1600, 900)[0].bit_rate, 4_500_000);
        assert_eq!(rungs(&Rung::usual(), 640, 360)[0].bit_rate, 900_000);
    }

    #[test]
    fn the_shape_of_the_source_is_kept_with_even_sides() {
        let size = |lines, width, height| scaled(lines, width, height);
        assert_eq!(size(1080, 1920, 800), (1920, 800));
        assert_eq!(size(720, 1920, 800), (1280, 532));
        assert_eq!(size(720, 1080, 1920), (720, 1280));
        assert_eq!(size(480, 720, 576), (600, 480));
        assert_eq!(size(181, 321, 181), (320, 180));
        assert_eq!(size(2160, 10_000, 400), (3840, 154));
    }

    #[test]
    fn levels_are_those_of_the_standard() {
        assert_eq!(level(1920, 1080, 24.0, 6_000_000), 40);
        assert_eq!(level(1920, 1080, 60.0, 6_000_000), 42);
        assert_eq!(level(1280, 720, 25.0, 3_000_000), 31);
        assert_eq!(level(1280, 720, 60.0, 3_000_000), 32);
        assert_eq!(level(3840, 2160, 24.0, 16_000_000), 51);
        assert_eq!(level(3840, 2160, 60.0, 16_000_000), 52);
        assert_eq!(level(852, 480, 25.0, 1_200_000), 30);
    }

    #[test]
    fn a_hundred_frames_a_second_are_halved() {
        let rung = Rung { lines: 1080, bit_rate: 6_000_000 };
        assert_eq!(format(rung, 1920, 1080, Some(120.0), false).frame_rate_max, Some(60.0));
        assert_eq!(format(rung, 1920, 1080, Some(59.94), false).frame_rate_max, None);
        assert_eq!((shown(Some(100.0)), shown(Some(50.0)), shown(None)), (50.0, 50.0, 30.0));
    }

    #[test]
    fn rungs_are_read_or_refused() {
        assert_eq!(Rung::parse("1080:6000"), Some(Rung { lines: 1080, bit_rate: 6_000_000 }));
        for not in ["", "1080", "1080:", "0:1000", "1080:0", "a:b", "1080:-1", "99999:1000", "1080:6000:1"] {
            assert_eq!(Rung::parse(not), None, "{not}");
        }
    }

    proptest! {
        #[test]
        fn every_rung_is_encodable_and_not_larger_than_the_source(width in 2u32..20_000, height in 2u32..20_000, rate in 1.0f64..240.0) {
            let rungs = rungs(&Rung::usual(), width, height);
            prop_assert!(!rungs.is_empty());
            prop_assert!(rungs.windows(2).all(|pair| pair[0].lines > pair[1].lines && pair[0].bit_rate >= pair[1].bit_rate));
            for rung in rungs {
                let format = format(rung, width, height, Some(rate), false);
                prop_assert!(format.width.is_multiple_of(2) && format.height.is_multiple_of(2));
                prop_assert!(format.width > 0 && format.height > 0);
                prop_assert!(format.width <= width.max(2) && format.height <= height.max(2));
                prop_assert!(format.width <= SIDE_MAX && format.height <= SIDE_MAX);
            }
        }
    }
}
