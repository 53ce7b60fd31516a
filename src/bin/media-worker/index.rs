//! Measures where a file can be cut: from the container's index where it has a good one ([`crate::listed`]), by reading
//! every packet ([`crate::counted`]), or, where the one is missing and the other would take minutes for nothing, evenly
//! ([`crate::even`]). Sound alone in MP3, FLAC and Ogg files is read through.
//!
//! Which way is taken follows from the file alone, so that every node finds the same cuts.
use potluck::media::avc;
use potluck::media::cuts;
use potluck::media::fmp4::SampleFormat;
use potluck::media::timeline::{FileIndex, Grid, TrackIndex};

use crate::source::{Source, Trouble};
use crate::tracks::{self, Clock, Track};
use crate::{counted, even, listed};

/// Bits a second of a sound track that does not say.
const SOUND_BIT_RATE: u64 = 192_000;
/// Files up to this size are read through even if only a transcoder gains by it.
const READ_THROUGH_MAX: u64 = 512 * 1024 * 1024;
/// Recordings begin at any hour of their clock: what begins later than this is shifted down to the first second.
const LATE_SECONDS: i64 = 10;
/// Sound that begins this little before zero is an encoder's run-up, and is left out. In parts of a second.
const RUN_UP: i64 = 10;

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
    /// The cuts are keyframes.
    pub keyed: bool,
}

impl Measured {
    /// Sound, of which only the first frame and the end are measured.
    pub fn sound(first: i64, end: i64, peak_bit_rate: u64) -> Self {
        Self { cuts: vec![(first, first)], end, peak_bit_rate, keyed: false }
    }
}

/// The index of a file.
pub fn of(source: &Source) -> Result<FileIndex, Trouble> {
    let tracks = tracks::of(source);
    if tracks.is_empty() {
        return Err(Trouble::Cannot("there is neither picture nor sound in this file".to_owned()));
    }
    let (tracks, measured) = measured(source, tracks)?;
    let index = put_together(tracks, measured);
    if index.tracks.is_empty() {
        return Err(Trouble::Cannot("nothing in this file can be played".to_owned()));
    }
    Ok(index)
}

fn measured(source: &Source, tracks: Vec<Track>) -> Result<(Vec<Track>, Vec<Option<Measured>>), Trouble> {
    if !source.has_tables() {
        return if source.is_countable() { sound_alone(source, tracks) } else { evenly(source, tracks) };
    }
    // What is repackaged is measured as if it were alone, so that its cuts do not depend on the other tracks.
    let (core, others) = split(tracks);
    if let Some(mut found) = listed::measured(source, &core)? {
        if let (Some(film), Some(of_film)) = (core.first(), found.first()) {
            let beside = listed::beside(source, (film, of_film), &others)?;
            found.extend(beside);
        }
        let tracks = core.into_iter().chain(others).collect();
        return Ok((tracks, found.into_iter().map(Some).collect()));
    }
    let read_through = is_read_through(source, &core);
    let tracks: Vec<Track> = core.into_iter().chain(others).collect();
    if !read_through {
        return evenly(source, tracks);
    }
    let found = counted::measured(source, &tracks)?;
    Ok((tracks, found))
}

/// The tracks that decide how the file is measured, and the others. H.264 and AAC decide together; another film alone.
fn split(tracks: Vec<Track>) -> (Vec<Track>, Vec<Track>) {
    let film_is_avc = match tracks.first() {
        Some(film) if film.is_film() => matches!(film.config.format, SampleFormat::Avc { .. }),
        _ => true,
    };
    let decides = |track: &Track| match track.config.format {
        SampleFormat::Aac { .. } => film_is_avc,
        _ => track.is_film(),
    };
    tracks.into_iter().partition(decides)
}

/// Whether a file without an index is read from end to end: what can be repackaged everywhere is worth it.
fn is_read_through(source: &Source, core: &[Track]) -> bool {
    let is_worth_it = |t: &Track| matches!(t.config.format, SampleFormat::Avc { .. } | SampleFormat::Aac { .. });
    core.iter().any(is_worth_it) || source.size() <= READ_THROUGH_MAX
}

/// Sound that can be repackaged is read through; what has no frames with times is cut by what its head tells.
fn sound_alone(source: &Source, tracks: Vec<Track>) -> Result<(Vec<Track>, Vec<Option<Measured>>), Trouble> {
    let copied = tracks.iter().all(|track| !track.is_film() && track.config.format.is_copyable());
    let found = if copied { counted::measured(source, &tracks)? } else { Vec::new() };
    if found.is_empty() || found.iter().any(Option::is_none) { evenly(source, tracks) } else { Ok((tracks, found)) }
}

fn evenly(source: &Source, tracks: Vec<Track>) -> Result<(Vec<Track>, Vec<Option<Measured>>), Trouble> {
    let tracks: Vec<Track> =
        tracks.into_iter().map(|t| if t.is_film() || !source.has_tables() { t.foreign() } else { t }).collect();
    let measured = even::measured(source, &tracks)?;
    Ok((tracks, measured))
}

fn put_together(tracks: Vec<Track>, measured: Vec<Option<Measured>>) -> FileIndex {
    let mut present: Vec<(Track, Measured)> =
        tracks.into_iter().zip(measured).filter_map(|(t, m)| Some((t, m?))).collect();
    present.sort_by_key(|(track, _)| (!track.is_film(), track.stream));
    let base_seconds = base_seconds(&present);
    let film = present.iter().find(|(track, _)| track.is_film());
    let film_timescale = film.map_or(1, |(track, _)| track.config.timescale);
    let shift = |timescale: u32| base_seconds.saturating_mul(i64::from(timescale));
    let film_starts: Option<Vec<i64>> =
        film.map(|(_, m)| m.cuts.iter().map(|(_, first)| first.saturating_add(shift(film_timescale))).collect());
    let tracks = present
        .into_iter()
        .map(|(track, m)| {
            let rate = track.config.timescale;
            let shift = shift(rate);
            let end = m.end.saturating_add(shift);
            let (keys, firsts): (Vec<i64>, Vec<i64>) =
                m.cuts.iter().map(|(key, first)| (key.saturating_add(shift), first.saturating_add(shift))).unzip();
            let origin = firsts.first().copied().unwrap_or(shift);
            let grid = track.frame.map(|step| Grid { origin, step });
            let starts = match (track.is_film(), &film_starts) {
                (true, _) => firsts,
                (false, Some(film)) => cuts::follow(film, film_timescale, grid_of(grid, origin), rate, end),
                (false, None) => cuts::evenly(grid_of(grid, origin), rate, end),
            };
            let keys = if m.keyed { keys } else { Vec::new() };
            let stream = u32::try_from(track.stream).unwrap_or(u32::MAX);
            TrackIndex { stream, config: track.config, starts, keys, end, grid, peak_bit_rate: m.peak_bit_rate }
        })
        .collect();
    FileIndex { base_seconds, tracks }
}

/// The grid that sound is cut on, from its first place that is not before zero. Sound that is transcoded has none.
fn grid_of(grid: Option<Grid>, origin: i64) -> Grid {
    let Grid { origin, step } = grid.unwrap_or(Grid { origin, step: 1 });
    let grid = Grid { origin, step };
    Grid { origin: origin.max(grid.at_or_after(0)), step }
}

/// Seconds to add to all times: as many as lift the earliest above zero, or bring a late one down to the first second.
fn base_seconds(present: &[(Track, Measured)]) -> i64 {
    let lift = present.iter().map(|(track, m)| seconds_below_zero(track, m)).max().unwrap_or(0);
    let earliest = present.iter().map(|(track, m)| first_of(m).div_euclid(i64::from(track.config.timescale))).min();
    match earliest {
        Some(seconds) if seconds >= LATE_SECONDS => -seconds,
        _ => lift,
    }
}

fn first_of(measured: &Measured) -> i64 {
    measured.cuts.iter().map(|(_, first)| *first).min().unwrap_or(0)
}

fn seconds_below_zero(track: &Track, measured: &Measured) -> i64 {
    let first = first_of(measured);
    let scale = i64::from(track.config.timescale);
    let is_run_up = !track.is_film()
        && !matches!(track.config.format, SampleFormat::Aac { .. })
        && first.saturating_neg() <= scale / RUN_UP;
    if first < 0 && !is_run_up { first.saturating_neg().saturating_add(scale - 1) / scale } else { 0 }
}

/// The clock of a track before the shift.
pub fn clock_of(source: &Source, track: &Track) -> Result<Clock, Trouble> {
    let view = source.stream(track.stream).ok_or(Trouble::NotMedia)?;
    Ok(Clock::new(&view, track.config.timescale, 0))
}

/// Whether nothing after a keyframe refers to anything before it. Told of H.264 only: others are cut at any keyframe.
pub fn is_clean(track: &Track, packet: &[u8]) -> bool {
    match &track.config.format {
        SampleFormat::Avc { record, .. } => avc::is_idr(packet, avc::record(record).map_or(4, |r| r.length_size)),
        _ => track.is_film(),
    }
}

/// Whether a segment is said to start with the first picture shown, not with its keyframe. Of other codecs than H.264
/// the pictures shown before a keyframe that come behind it belong to it, but are not looked for.
pub fn reorders(track: &Track) -> bool {
    matches!(track.config.format, SampleFormat::Avc { .. })
}

/// What a sound track says of its rate, or what is usual.
pub fn sound_bit_rate(source: &Source, track: &Track) -> u64 {
    let told = source.stream(track.stream).map_or(0, |view| view.parameters().bit_rate);
    u64::try_from(told).ok().filter(|rate| *rate > 0).unwrap_or(SOUND_BIT_RATE)
}
