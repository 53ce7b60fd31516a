//! How loud a track is, as players want to know it.
use serde::{Deserialize, Serialize};

use super::bag::{Bag, Key};

/// ReplayGain 2: what a player is to change to reach -18 LUFS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplayGain {
    /// Decibels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_gain: Option<f32>,
    /// The largest sample; 1.0 is full scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_peak: Option<f32>,
    /// Decibels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_gain: Option<f32>,
    /// The largest sample of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_peak: Option<f32>,
}

impl ReplayGain {
    pub(super) fn of(bag: &Bag) -> Self {
        let decibels = |key, r128| bag.first(key).and_then(gain).or_else(|| bag.first(r128).and_then(from_r128));
        Self {
            track_gain: decibels(Key::TrackGain, Key::R128TrackGain),
            track_peak: bag.first(Key::TrackPeak).and_then(peak),
            album_gain: decibels(Key::AlbumGain, Key::R128AlbumGain),
            album_peak: bag.first(Key::AlbumPeak).and_then(peak),
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn number(text: &str) -> Option<f32> {
    let digits = text.trim().trim_end_matches(['d', 'D', 'b', 'B', ' ']);
    digits.replace(',', ".").parse::<f32>().ok().filter(|number| number.is_finite())
}

fn gain(text: &str) -> Option<f32> {
    number(text).filter(|gain| gain.abs() <= 100.0)
}

fn peak(text: &str) -> Option<f32> {
    number(text).filter(|peak| (0.0..=100.0).contains(peak))
}

/// Opus' own tags are whole numbers of 1/256 dB (RFC 7845, section 5.2.1) and aim at -23 LUFS, 5 dB below ReplayGain 2.
fn from_r128(text: &str) -> Option<f32> {
    let steps: i16 = text.trim().parse().ok()?;
    Some(f32::from(steps) / 256.0 + 5.0)
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    fn gains(fields: &[(&str, &str)]) -> ReplayGain {
        let mut bag = Bag::new(&Limits::default());
        fields.iter().for_each(|(name, field)| bag.push_named(name, field));
        ReplayGain::of(&bag)
    }

    #[test]
    fn gains_and_peaks_are_numbers() {
        let told = gains(&[
            ("REPLAYGAIN_TRACK_GAIN", "-6.54 dB"),
            ("replaygain_track_peak", "0.988"),
            ("REPLAYGAIN_ALBUM_GAIN", "+1,5dB"),
        ]);
        assert_eq!(
            told,
            ReplayGain { track_gain: Some(-6.54), track_peak: Some(0.988), album_gain: Some(1.5), album_peak: None }
        );
    }

    #[test]
    fn what_opus_says_is_converted() {
        assert_eq!(gains(&[("R128_TRACK_GAIN", "-2560")]).track_gain, Some(-5.0));
        assert_eq!(gains(&[("R128_TRACK_GAIN", "0"), ("REPLAYGAIN_TRACK_GAIN", "1 dB")]).track_gain, Some(1.0));
    }

    #[test]
    fn nonsense_is_left_out() {
        assert!(
            gains(&[
                ("REPLAYGAIN_TRACK_GAIN", "NaN"),
                ("REPLAYGAIN_TRACK_PEAK", "inf"),
                ("REPLAYGAIN_ALBUM_GAIN", "-9999 dB")
            ])
            .is_empty()
        );
    }
}
