//! Which streams of a file are played, which of them can be repackaged without re-encoding, and how their times are
//! counted.
use ffmpeg_next::ffi::{self, AVCodecID, AVMediaType};
use potluck::media::avc;
use potluck::media::fmp4::{SampleFormat, TrackConfig, UPRIGHT};

use crate::facts::{display_matrix, pixel_aspect};
use crate::formats;
use crate::source::Source;
use crate::stream::StreamView;

/// Finer clocks than this would overflow the 32 bits of a sample's duration.
const FINEST_TIMESCALE: i64 = 10_000_000;
/// What replaces them.
const FINE_TIMESCALE: u32 = 1_000_000;
/// Coarser clocks than this cannot say where a picture between two of the source's begins.
const COARSEST_TIMESCALE: u32 = 1000;
/// What replaces them in films that are transcoded.
const USUAL_TIMESCALE: u32 = 90_000;
/// Samples of an AAC frame where the file does not say.
const AAC_FRAME: i64 = 1024;

/// A stream that is played.
pub struct Track {
    /// Index in the file.
    pub stream: usize,
    /// For the initialisation section.
    pub config: TrackConfig,
    /// Samples of a frame, for sound that can be repackaged.
    pub frame: Option<i64>,
}

impl Track {
    /// It has pictures; else sound.
    pub fn is_film(&self) -> bool {
        self.config.format.is_video()
    }

    /// The same stream, to be transcoded only.
    pub fn foreign(mut self) -> Self {
        self.config.format = SampleFormat::Foreign { video: self.is_film() };
        self.frame = None;
        self
    }
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
        Self::of_base(view.raw().time_base, timescale, base_seconds)
    }

    /// The same, of a stream with this time base.
    pub fn of_base(base: ffi::AVRational, timescale: u32, base_seconds: i64) -> Self {
        Self { base, timescale: i64::from(timescale), base_seconds }
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

/// The tracks of a file: one of video (the default one, else the first), then all of sound, in file order.
pub fn of(source: &Source) -> Vec<Track> {
    let chosen = film_of(source).and_then(|index| source.stream(index)).and_then(|view| film(&view));
    chosen.into_iter().chain(source.streams().filter_map(|view| sound(source, &view))).collect()
}

/// The stream that is the film. Never cover art; and pictures of a still's codec only where there are no others.
pub fn film_of(source: &Source) -> Option<usize> {
    const NOT_A_FILM: i32 =
        ffi::AV_DISPOSITION_ATTACHED_PIC | ffi::AV_DISPOSITION_TIMED_THUMBNAILS | ffi::AV_DISPOSITION_STILL_IMAGE;
    let is_video =
        |view: &StreamView<'_>| view.parameters().codec_type == AVMediaType::AVMEDIA_TYPE_VIDEO && !view.is(NOT_A_FILM);
    let films: Vec<StreamView<'_>> = source.streams().filter(is_video).collect();
    let moving: Vec<StreamView<'_>> = films.iter().copied().filter(|view| !is_still(view)).collect();
    let films = if moving.is_empty() { films } else { moving };
    let default = films.iter().find(|view| view.is(ffi::AV_DISPOSITION_DEFAULT));
    default.or(films.first()).map(|view| view.index)
}

fn is_still(view: &StreamView<'_>) -> bool {
    use AVCodecID::{
        AV_CODEC_ID_BMP, AV_CODEC_ID_GIF, AV_CODEC_ID_MJPEG, AV_CODEC_ID_NONE, AV_CODEC_ID_PNG, AV_CODEC_ID_TIFF,
        AV_CODEC_ID_WEBP,
    };
    matches!(
        view.parameters().codec_id,
        AV_CODEC_ID_MJPEG
            | AV_CODEC_ID_PNG
            | AV_CODEC_ID_BMP
            | AV_CODEC_ID_GIF
            | AV_CODEC_ID_TIFF
            | AV_CODEC_ID_WEBP
            | AV_CODEC_ID_NONE
    )
}

fn film(view: &StreamView<'_>) -> Option<Track> {
    let copied = film_format(view).or_else(|| formats::film(view)).zip(timescale(view.raw().time_base));
    let (format, timescale) = copied.unwrap_or_else(|| {
        let timescale = timescale(view.raw().time_base).filter(|scale| *scale >= COARSEST_TIMESCALE);
        (SampleFormat::Foreign { video: true }, timescale.unwrap_or(USUAL_TIMESCALE))
    });
    Some(Track { stream: view.index, config: TrackConfig { timescale, language: language(view), format }, frame: None })
}

/// The sample entry of a film that can be repackaged.
fn film_format(view: &StreamView<'_>) -> Option<SampleFormat> {
    let parameters = view.parameters();
    if parameters.codec_id != AVCodecID::AV_CODEC_ID_H264 || avc::record(view.extradata()).is_none() {
        return None;
    }
    Some(SampleFormat::Avc {
        width: u16::try_from(parameters.width).ok()?,
        height: u16::try_from(parameters.height).ok()?,
        pixel_aspect: pixel_aspect(view),
        matrix: display_matrix(view).map_or(UPRIGHT, turned_only),
        record: view.extradata().to_vec(),
        in_band: false,
    })
}

/// The turn of a display matrix without its translation: players move the picture back into view themselves.
pub fn turned_only(mut matrix: [i32; 9]) -> [i32; 9] {
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

fn sound(source: &Source, view: &StreamView<'_>) -> Option<Track> {
    let parameters = view.parameters();
    if parameters.codec_type != AVMediaType::AVMEDIA_TYPE_AUDIO || parameters.codec_id == AVCodecID::AV_CODEC_ID_NONE {
        return None;
    }
    let sample_rate = u32::try_from(parameters.sample_rate).ok().filter(|rate| *rate > 0)?;
    // What is in a container without an index is transcoded in any case, except where all frames are counted.
    let copied = if source.has_tables() || source.is_countable() {
        sound_format(view, sample_rate).or_else(|| formats::sound(source, view, sample_rate))
    } else {
        None
    };
    let (format, frame) = match copied {
        Some((format, frame)) => (format, Some(frame)),
        None => (SampleFormat::Foreign { video: false }, None),
    };
    let config = TrackConfig { timescale: sample_rate, language: language(view), format };
    Some(Track { stream: view.index, config, frame })
}

/// The sample entry of sound that can be repackaged, and the samples of its frames.
fn sound_format(view: &StreamView<'_>, sample_rate: u32) -> Option<(SampleFormat, i64)> {
    let parameters = view.parameters();
    if parameters.codec_id != AVCodecID::AV_CODEC_ID_AAC || view.extradata().len() < 2 {
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
    Some((format, frame))
}

/// Its language, if it is an ISO 639-2 code.
pub fn language(view: &StreamView<'_>) -> Option<String> {
    view.tag("language").filter(|l| l.len() == 3 && l != "und")
}
