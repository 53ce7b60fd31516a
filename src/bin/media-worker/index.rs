//! Measures where a file can be cut: from the container's index where it has a good one ([`crate::listed`]), else by
//! reading every packet ([`crate::counted`]).
//!
//! Which way is taken follows from the file alone, so that every node finds the same cuts.
use potluck::media::avc;
use potluck::media::cuts;
use potluck::media::fmp4::SampleFormat;
use potluck::media::timeline::{FileIndex, Grid, TrackIndex};

use crate::source::{Source, Trouble};
use crate::tracks::{self, Clock, Track};
use crate::{counted, listed};

/// Bits a second of a sound track that does not say.
const SOUND_BIT_RATE: u64 = 192_000;

/// (keyframe, smallest time) of each segment of a film.
pub type Cuts = Vec<(i64, i64)>;

/// What was measured of one track, in ticks before the shift by whole seconds.
pub struct Measured {
    /// (keyframe, smallest time) of each segment; for sound only the first frame.
    pub cuts: Cuts,
    /// Tick after the last frame.
    pub end: i64,
    /// Bits a second of the heaviest segment.
    pub peak_bit_rate: u64,
}

/// The index of a file.
pub fn of(source: &Source) -> Result<FileIndex, Trouble> {
    let tracks = tracks::of(source);
    if tracks.is_empty() {
        return Err(Trouble::Cannot("it has no stream that can be repackaged".to_owned()));
    }
    let measured = match listed::measured(source, &tracks)? {
        Some(measured) => measured,
        None => counted::measured(source, &tracks)?,
    };
    Ok(put_together(tracks, measured))
}

fn put_together(tracks: Vec<Track>, measured: Vec<Option<Measured>>) -> FileIndex {
    let present: Vec<(Track, Measured)> = tracks.into_iter().zip(measured).filter_map(|(t, m)| Some((t, m?))).collect();
    let base_seconds = present.iter().map(|(track, m)| seconds_below_zero(track, m)).max().unwrap_or(0);
    let film = present.iter().find(|(track, _)| track.frame.is_none());
    let film_timescale = film.map_or(1, |(track, _)| track.config.timescale);
    let shift = |timescale: u32| base_seconds.saturating_mul(i64::from(timescale));
    let film_starts: Option<Vec<i64>> =
        film.map(|(_, m)| m.cuts.iter().map(|(_, first)| first.saturating_add(shift(film_timescale))).collect());
    let tracks = present
        .into_iter()
        .map(|(track, m)| {
            let shift = shift(track.config.timescale);
            let end = m.end.saturating_add(shift);
            let (keys, firsts): (Vec<i64>, Vec<i64>) =
                m.cuts.iter().map(|(key, first)| (key.saturating_add(shift), first.saturating_add(shift))).unzip();
            let grid = track.frame.map(|step| Grid { origin: firsts.first().copied().unwrap_or(shift), step });
            let rate = track.config.timescale;
            let starts = match (grid, &film_starts) {
                (None, _) => firsts,
                (Some(grid), Some(film)) => cuts::follow(film, film_timescale, grid, rate, end),
                (Some(grid), None) => cuts::evenly(grid, rate, end),
            };
            let keys = if grid.is_some() { Vec::new() } else { keys };
            let stream = u32::try_from(track.stream).unwrap_or(u32::MAX);
            TrackIndex { stream, config: track.config, starts, keys, end, grid, peak_bit_rate: m.peak_bit_rate }
        })
        .collect();
    FileIndex { base_seconds, tracks }
}

fn seconds_below_zero(track: &Track, measured: &Measured) -> i64 {
    let first = measured.cuts.iter().map(|(_, first)| *first).min().unwrap_or(0);
    let scale = i64::from(track.config.timescale);
    if first < 0 { first.saturating_neg().saturating_add(scale - 1) / scale } else { 0 }
}

/// The clock of a track before the shift.
pub fn clock_of(source: &Source, track: &Track) -> Result<Clock, Trouble> {
    let view = source.stream(track.stream).ok_or(Trouble::NotMedia)?;
    Ok(Clock::new(&view, track.config.timescale, 0))
}

/// Bytes of the length before each NAL unit of a film.
pub fn length_size(track: &Track) -> usize {
    match &track.config.format {
        SampleFormat::Avc { record, .. } => avc::record(record).map_or(4, |r| r.length_size),
        SampleFormat::Aac { .. } | SampleFormat::Foreign { .. } => 0,
    }
}

/// What a sound track says of its rate, or what is usual.
pub fn sound_bit_rate(source: &Source, track: &Track) -> u64 {
    let told = source.stream(track.stream).map_or(0, |view| view.parameters().bit_rate);
    u64::try_from(told).ok().filter(|rate| *rate > 0).unwrap_or(SOUND_BIT_RATE)
}
