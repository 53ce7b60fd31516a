//! How the channels of a source become those of a rendition. Pure.
//!
//! The coefficients are those of ITU-R BS.775: centre and surround at -3 dB in the fronts, the effects channel left out.
//! A whole row of a matrix never adds up to more than one, so that nothing clips however loud the source is; all rows of
//! a stereo mix are lowered together, so that the dialogue stays as loud beside the rest as it was.
use std::f32::consts::FRAC_1_SQRT_2;

/// Where a channel is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// In front, left.
    FrontLeft,
    /// In front, right.
    FrontRight,
    /// In front: dialogue.
    FrontCentre,
    /// Low frequency effects.
    Effects,
    /// Behind, left.
    BackLeft,
    /// Behind, right.
    BackRight,
    /// Between centre and left.
    FrontLeftOfCentre,
    /// Between centre and right.
    FrontRightOfCentre,
    /// Behind.
    BackCentre,
    /// Beside, left.
    SideLeft,
    /// Beside, right.
    SideRight,
    /// Above, or anywhere else.
    Elsewhere,
}

use Speaker::{
    BackCentre, BackLeft, BackRight, Effects, Elsewhere, FrontCentre, FrontLeft, FrontLeftOfCentre, FrontRight,
    FrontRightOfCentre, SideLeft, SideRight,
};

/// In the order of the bits of a channel mask, which is the order of the channels.
const IN_ORDER: [Speaker; 11] = [
    FrontLeft,
    FrontRight,
    FrontCentre,
    Effects,
    BackLeft,
    BackRight,
    FrontLeftOfCentre,
    FrontRightOfCentre,
    BackCentre,
    SideLeft,
    SideRight,
];
/// Bits of the two channels of a stereo mix made by somebody else.
const MIXED_LEFT: u32 = 29;
const MIXED_RIGHT: u32 = 30;

/// The speakers of `channels` channels: those of the mask where it names as many, else the usual ones.
#[must_use]
pub fn speakers(mask: u64, channels: usize) -> Vec<Speaker> {
    if mask.count_ones() as usize == channels && channels > 0 {
        return (0..64).filter(|bit| mask >> bit & 1 == 1).map(speaker_of_bit).collect();
    }
    usual(channels)
}

fn speaker_of_bit(bit: u32) -> Speaker {
    match bit {
        MIXED_LEFT => FrontLeft,
        MIXED_RIGHT => FrontRight,
        bit => IN_ORDER.get(bit as usize).copied().unwrap_or(Elsewhere),
    }
}

fn usual(channels: usize) -> Vec<Speaker> {
    let known: &[Speaker] = match channels {
        1 => &[FrontCentre],
        2 => &[FrontLeft, FrontRight],
        3 => &[FrontLeft, FrontRight, FrontCentre],
        4 => &[FrontLeft, FrontRight, BackLeft, BackRight],
        5 => &[FrontLeft, FrontRight, FrontCentre, BackLeft, BackRight],
        6 => &[FrontLeft, FrontRight, FrontCentre, Effects, BackLeft, BackRight],
        7 => &[FrontLeft, FrontRight, FrontCentre, Effects, BackCentre, SideLeft, SideRight],
        _ => &[FrontLeft, FrontRight, FrontCentre, Effects, BackLeft, BackRight, SideLeft, SideRight],
    };
    (0..channels).map(|n| known.get(n).copied().unwrap_or(Elsewhere)).collect()
}

/// What each channel of a mix takes of each channel of the source.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    rows: Vec<Vec<f32>>,
}

impl Mix {
    /// From these speakers to `channels`: 1, 2, or 6 in the order front left, right, centre, effects, surround left,
    /// right. Any other number gives stereo.
    #[must_use]
    pub fn new(from: &[Speaker], channels: usize) -> Self {
        let rows = match (from.len(), channels) {
            (1, 1) | (2, 2) => (0..channels).map(|row| (0..channels).map(|n| f32::from(row == n)).collect()).collect(),
            (1, 2) => vec![vec![1.0], vec![1.0]],
            (_, 1) => mono(from),
            (_, 6) => surround(from),
            _ => stereo(from),
        };
        Self { rows }
    }

    /// The channels of the mix. Planes of a source that are shorter than the first count as silent behind their end.
    #[must_use]
    pub fn of(&self, planes: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let length = planes.first().map_or(0, Vec::len);
        self.rows.iter().map(|row| weighted(row, planes, length)).collect()
    }
}

fn weighted(row: &[f32], planes: &[Vec<f32>], length: usize) -> Vec<f32> {
    let mut sum = vec![0.0; length];
    for (weight, plane) in row.iter().zip(planes).filter(|(weight, _)| **weight != 0.0) {
        sum.iter_mut().zip(plane).for_each(|(sum, sample)| *sum += weight * sample);
    }
    sum
}

/// What left and right take of a speaker.
fn in_stereo(speaker: Speaker) -> (f32, f32) {
    match speaker {
        FrontLeft => (1.0, 0.0),
        FrontRight => (0.0, 1.0),
        FrontCentre => (FRAC_1_SQRT_2, FRAC_1_SQRT_2),
        Effects => (0.0, 0.0),
        BackLeft | SideLeft | FrontLeftOfCentre => (FRAC_1_SQRT_2, 0.0),
        BackRight | SideRight | FrontRightOfCentre => (0.0, FRAC_1_SQRT_2),
        BackCentre | Elsewhere => (0.5, 0.5),
    }
}

fn stereo(from: &[Speaker]) -> Vec<Vec<f32>> {
    let (left, right): (Vec<f32>, Vec<f32>) = from.iter().copied().map(in_stereo).unzip();
    let loudest = left.iter().sum::<f32>().max(right.iter().sum()).max(1.0);
    [left, right].into_iter().map(|row| row.into_iter().map(|weight| weight / loudest).collect()).collect()
}

fn mono(from: &[Speaker]) -> Vec<Vec<f32>> {
    let rows = stereo(from);
    let both = rows[0].iter().zip(&rows[1]);
    vec![both.map(|(left, right)| f32::midpoint(*left, *right)).collect()]
}

/// What the places of 5.1 take of a speaker.
fn in_surround(speaker: Speaker) -> [f32; 6] {
    let third = FRAC_1_SQRT_2;
    match speaker {
        FrontLeft => [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        FrontRight => [0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        FrontCentre => [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        Effects => [0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        FrontLeftOfCentre => [third, 0.0, third, 0.0, 0.0, 0.0],
        FrontRightOfCentre => [0.0, third, third, 0.0, 0.0, 0.0],
        BackLeft | SideLeft => [0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        BackRight | SideRight => [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        BackCentre => [0.0, 0.0, 0.0, 0.0, third, third],
        Elsewhere => [0.0; 6],
    }
}

/// Each place is lowered alone: that surrounds are folded together says nothing about the dialogue.
fn surround(from: &[Speaker]) -> Vec<Vec<f32>> {
    let columns: Vec<[f32; 6]> = from.iter().copied().map(in_surround).collect();
    let row = |place: usize| -> Vec<f32> {
        let weights: Vec<f32> = columns.iter().map(|column| column[place]).collect();
        let sum = weights.iter().sum::<f32>().max(1.0);
        weights.into_iter().map(|weight| weight / sum).collect()
    };
    (0..6).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(channels: usize, into: usize) -> Vec<Vec<f32>> {
        Mix::new(&usual(channels), into).rows
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        assert_eq!(rows(2, 2), [[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(rows(1, 1), [[1.0]]);
        assert_eq!(rows(1, 2), [[1.0], [1.0]]);
        for (n, row) in rows(6, 6).iter().enumerate() {
            assert!(row.iter().enumerate().all(|(m, weight)| *weight == f32::from(n == m)));
        }
    }

    #[test]
    fn dialogue_goes_to_both_sides_three_decibels_below_the_fronts() {
        let mix = rows(6, 2);
        assert!((mix[0][2] / mix[0][0] - FRAC_1_SQRT_2).abs() < 1e-6);
        assert_eq!((mix[0][2], mix[0][1], mix[0][3], mix[0][5]), (mix[1][2], 0.0, 0.0, 0.0));
        assert!((mix[0][4] / mix[0][0] - FRAC_1_SQRT_2).abs() < 1e-6);
    }

    #[test]
    fn seven_channels_and_one_become_five_and_one() {
        let mix = rows(8, 6);
        assert_eq!((mix[0][0], mix[2][2], mix[3][3]), (1.0, 1.0, 1.0));
        assert_eq!((mix[4][4], mix[4][6], mix[5][5], mix[5][7]), (0.5, 0.5, 0.5, 0.5));
    }

    #[test]
    fn nothing_clips_whatever_comes_in() {
        for channels in 1..=16 {
            for into in [1, 2, 6] {
                let mix = rows(channels, into);
                assert_eq!(mix.len(), into);
                assert!(mix.iter().all(|row| row.len() == channels && row.iter().sum::<f32>() <= 1.0001));
            }
        }
    }

    #[test]
    fn a_mask_tells_the_speakers_where_it_fits() {
        assert_eq!(speakers(0x60f, 6), [FrontLeft, FrontRight, FrontCentre, Effects, SideLeft, SideRight]);
        assert_eq!(speakers(0x3, 6), usual(6));
        assert_eq!(speakers(0, 1), [FrontCentre]);
        assert_eq!(speakers(0x6000_0000, 2), [FrontLeft, FrontRight]);
    }

    #[test]
    fn samples_are_weighted_and_added() {
        let mixed = Mix::new(&usual(2), 1).of(&[vec![1.0, 0.5], vec![0.0, 0.5]]);
        assert_eq!(mixed, [[0.5, 0.5]]);
    }
}
