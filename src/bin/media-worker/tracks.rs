//! Which streams of a file can be repackaged without re-encoding, and how their times are counted.
use ffmpeg_next::ffi::{self, AVCodecID, AVMediaType};
use potluck::media::avc;
use potluck::media::fmp4::{SampleFormat, TrackConfig, UPRIGHT};

use crate::facts::{display_matrix, pixel_aspect};
use crate::source::Source;
use crate::stream::StreamView;

/// Finer clocks than this would overflow the 32 bits of a sample's duration.
const FINEST_TIMESCALE: i64 = 10_000_000;
/// What replaces them.
const FINE_TIMESCALE: u32 = 1_000_000;
/// Samples of an AAC frame where the file does not say.
const AAC_FRAME: i64 = 1024;

/// A stream that can be repackaged.
pub struct Track {
    /// Index in the file.
    pub stream: usize,
    /// For the initialisation section.
    pub config: TrackConfig,
    /// Samples of a frame, for audio.
    pub frame: Option<i64>,
}

/// Converts between a stream's times and ticks of its track.
#[derive(Clone, Copy)]
pub struct Clock {
    base: ffi::AVRational,
    timescale: i64,
    base_seconds: i64,
}

impl Clock {
    /// The clock of a stream in a track of `timescale`, shifted by `base_seconds`.
    pub fn new(view: &StreamView<'_>, timescale: u32, base_seconds: i64) -> Self {
        Self { base: view.raw().time_base, timescale: i64::from(timescale), base_seconds }
    }

    /// The nearest tick to a time in the stream's time base.
    pub fn tick(&self, time: i64) -> i64 {
        let scaled = i128::from(time) * i128::from(self.base.num) * i128::from(self.timescale);
        let den = i128::from(self.base.den.max(1));
        let tick = (scaled + den / 2).div_euclid(den) + i128::from(self.base_seconds) * i128::from(self.timescale);
        i64::try_from(tick).unwrap_or(i64::MAX)
    }

    /// Ticks of some seconds.
    pub fn ticks(&self, seconds: i64) -> i64 {
        seconds.saturating_mul(self.timescale)
    }

    /// The time at or before a tick, in the stream's time base.
    pub fn time(&self, tick: i64) -> i64 {
        let own = i128::from(tick) - i128::from(self.base_seconds) * i128::from(self.timescale);
        let scale = i128::from(self.base.num.max(1)) * i128::from(self.timescale.max(1));
        i64::try_from((own * i128::from(self.base.den)).div_euclid(scale)).unwrap_or(0)
    }
}

/// The tracks of a file: one of video (the default one, else the first), then all of AAC.
pub fn of(source: &Source) -> Vec<Track> {
    let films: Vec<Track> = source.streams().filter_map(|view| film(&view)).collect();
    let is_default = |t: &Track| source.stream(t.stream).is_some_and(|v| v.is(ffi::AV_DISPOSITION_DEFAULT));
    let chosen = films.iter().position(is_default).unwrap_or(0);
    let film = films.into_iter().nth(chosen);
    film.into_iter().chain(source.streams().filter_map(|view| sound(&view))).collect()
}

fn film(view: &StreamView<'_>) -> Option<Track> {
    let parameters = view.parameters();
    let is_film = parameters.codec_type == AVMediaType::AVMEDIA_TYPE_VIDEO
        && parameters.codec_id == AVCodecID::AV_CODEC_ID_H264
        && !view.is(ffi::AV_DISPOSITION_ATTACHED_PIC);
    if !is_film || avc::record(view.extradata()).is_none() {
        return None;
    }
    let format = SampleFormat::Avc {
        width: u16::try_from(parameters.width).ok()?,
        height: u16::try_from(parameters.height).ok()?,
        pixel_aspect: pixel_aspect(view),
        matrix: display_matrix(view).map_or(UPRIGHT, turned_only),
        record: view.extradata().to_vec(),
        in_band: false,
    };
    let config = TrackConfig { timescale: timescale(view.raw().time_base)?, language: language(view), format };
    Some(Track { stream: view.index, config, frame: None })
}

/// The turn of a display matrix without its translation: players move the picture back into view themselves.
fn turned_only(mut matrix: [i32; 9]) -> [i32; 9] {
    matrix[6] = 0;
    matrix[7] = 0;
    matrix
}

fn timescale(base: ffi::AVRational) -> Option<u32> {
    match i64::from(base.den) {
        den if den <= 0 || base.num <= 0 => None,
        den if den > FINEST_TIMESCALE => Some(FINE_TIMESCALE),
        den => u32::try_from(den).ok(),
    }
}

fn sound(view: &StreamView<'_>) -> Option<Track> {
    let parameters = view.parameters();
    let is_sound =
        parameters.codec_type == AVMediaType::AVMEDIA_TYPE_AUDIO && parameters.codec_id == AVCodecID::AV_CODEC_ID_AAC;
    let sample_rate = u32::try_from(parameters.sample_rate).ok().filter(|rate| *rate > 0)?;
    if !is_sound || view.extradata().len() < 2 {
        return None;
    }
    let format = SampleFormat::Aac {
        sample_rate,
        channels: u16::try_from(parameters.ch_layout.nb_channels).ok()?,
        record: view.extradata().to_vec(),
    };
    let frame = match i64::from(parameters.frame_size) {
        known @ (960 | 1024 | 1920 | 2048) => known,
        _ => AAC_FRAME,
    };
    let config = TrackConfig { timescale: sample_rate, language: language(view), format };
    Some(Track { stream: view.index, config, frame: Some(frame) })
}

fn language(view: &StreamView<'_>) -> Option<String> {
    view.tag("language").filter(|l| l.len() == 3 && l != "und")
}
