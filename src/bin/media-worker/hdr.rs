//! What a container says of high dynamic range: the screen a film was made on, its brightest light, Dolby Vision.
//!
//! The side data are read as bytes, in the layout of libavutil's public structures.
use ffmpeg_next::ffi::AVPacketSideDataType as Kind;
use potluck::media::HdrDetails;

use crate::stream::StreamView;

/// `AVMasteringDisplayMetadata`: ten fractions and two marks.
const MASTERING_SIZE: usize = 88;

/// The screen a film was made on.
pub struct Mastering {
    /// x and y of red, green, blue and white.
    pub primaries: Option<[(f64, f64); 4]>,
    /// Darkest and brightest, candela a square metre.
    pub luminance: Option<(f64, f64)>,
}

/// The screen, where the container names it.
pub fn mastering(view: &StreamView<'_>) -> Option<Mastering> {
    let bytes = view.side_data(Kind::AV_PKT_DATA_MASTERING_DISPLAY_METADATA)?.get(..MASTERING_SIZE)?;
    let words: Vec<i32> = bytes.as_chunks::<4>().0.iter().map(|word| i32::from_ne_bytes(*word)).collect();
    let number = |n: usize| f64::from(words[2 * n]) / f64::from(words[2 * n + 1].max(1));
    let pair = |n: usize| (number(2 * n), number(2 * n + 1));
    let is_set = |n: usize| words[20 + n] != 0;
    Some(Mastering {
        primaries: is_set(0).then(|| [pair(0), pair(1), pair(2), pair(3)]),
        luminance: is_set(1).then(|| pair(4)),
    })
}

/// Brightest pixel and brightest picture, candela a square metre.
pub fn content_light(view: &StreamView<'_>) -> Option<(u32, u32)> {
    let bytes = view.side_data(Kind::AV_PKT_DATA_CONTENT_LIGHT_LEVEL)?;
    let [pixel, picture, ..] = *bytes.as_chunks::<4>().0 else { return None };
    Some((u32::from_ne_bytes(pixel), u32::from_ne_bytes(picture)))
}

/// Everything for people, if there is anything.
pub fn details(view: &StreamView<'_>) -> Option<HdrDetails> {
    let luminance = mastering(view).and_then(|m| m.luminance);
    let light = content_light(view);
    // Version, version, profile, level, three marks, compatibility.
    let dolby = view.side_data(Kind::AV_PKT_DATA_DOVI_CONF).filter(|bytes| bytes.len() >= 8);
    let details = HdrDetails {
        max_luminance: luminance.map(|(_, max)| max),
        min_luminance: luminance.map(|(min, _)| min),
        max_content_light: light.map(|(pixel, _)| pixel),
        max_average_light: light.map(|(_, picture)| picture),
        dolby_profile: dolby.map(|bytes| bytes[2]),
        dolby_compatibility: dolby.map(|bytes| bytes[7]),
    };
    (details != HdrDetails::default()).then_some(details)
}
