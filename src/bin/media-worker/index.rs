//! Measures where a file can be cut: from the container's index where it has a good one, else by reading every packet.
//!
//! Which way is taken follows from the file alone, so that every node finds the same cuts.
use potluck::media::avc;
use potluck::media::cuts::{self, Key};
use potluck::media::fmp4::SampleFormat;
use potluck::media::timeline::{FileIndex, Grid, TrackIndex};

use crate::reader::{Arrival, Reader};
use crate::source::{IndexEntry, Source, Trouble};
use crate::tracks::{self, Clock, Track};

/// Packets of the head in which every track must begin, else all are read.
const HEAD_PACKETS: usize = 4000;
/// Packets of any file that are read.
const PACKETS_MAX: usize = 50_000_000;
/// Matroska's index ends with the last keyframe it lists; further from the end than this, it is not a whole one.
const INDEX_TAIL_SECONDS: f64 = 30.0;
/// Shorter files are read wholly: it takes no longer, and their indexes prove little.
const SHORT_SECONDS: f64 = 60.0;
/// Keyframes of a Matroska index that are looked at before all of it is believed to be clean.
const LOOKED_AT: usize = 8;
/// Bits a second of a sound track that does not say.
const SOUND_BIT_RATE: u64 = 192_000;

/// What was measured of one track, in ticks before the shift by whole seconds.
struct Measured {
    /// (keyframe, smallest time) of each segment; for sound only the first frame.
    cuts: Vec<(i64, i64)>,
    end: i64,
    peak_bit_rate: u64,
}

/// The index of a file.
pub fn of(source: &Source) -> Result<FileIndex, Trouble> {
    let tracks = tracks::of(source);
    if tracks.is_empty() {
        return Err(Trouble::Cannot("it has no stream that can be repackaged".to_owned()));
    }
    let measured = match from_index(source, &tracks)? {
        Some(measured) => measured,
        None => by_reading(source, &tracks)?,
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

fn clock_of(source: &Source, track: &Track) -> Result<Clock, Trouble> {
    let view = source.stream(track.stream).ok_or(Trouble::NotMedia)?;
    Ok(Clock::new(&view, track.config.timescale, 0))
}

fn length_size(track: &Track) -> usize {
    match &track.config.format {
        SampleFormat::Avc { record, .. } => avc::record(record).map_or(4, |r| r.length_size),
        SampleFormat::Aac { .. } => 0,
    }
}

/// By the container's index, with a look at some places of the file. `None` where the index is not good enough, or
/// the film has keyframes that are not clean, whose neighbours only reading can tell.
fn from_index(source: &Source, tracks: &[Track]) -> Result<Option<Vec<Option<Measured>>>, Trouble> {
    let Some(film) = tracks.first().filter(|t| t.frame.is_none()) else { return Ok(None) };
    if source.duration() < SHORT_SECONDS {
        return Ok(None);
    }
    let clock = clock_of(source, film)?;
    let Some(firsts) = first_frames(source, tracks)? else { return Ok(None) };
    let Some((cuts, peak)) = film_cuts(source, film, clock, firsts[0])? else { return Ok(None) };
    let Some(last) = cuts.last().copied() else { return Ok(None) };
    let Some(ends) = ends(source, tracks, last.0)? else { return Ok(None) };
    let film_measured = Measured { cuts, end: ends[0], peak_bit_rate: peak };
    let sounds = tracks.iter().zip(firsts).zip(ends).skip(1).map(|((track, first), end)| {
        Some(Measured { cuts: vec![(first, first)], end, peak_bit_rate: sound_bit_rate(source, track) })
    });
    Ok(Some(std::iter::once(Some(film_measured)).chain(sounds).collect()))
}

fn sound_bit_rate(source: &Source, track: &Track) -> u64 {
    let told = source.stream(track.stream).map_or(0, |view| view.parameters().bit_rate);
    u64::try_from(told).ok().filter(|rate| *rate > 0).unwrap_or(SOUND_BIT_RATE)
}

/// The first frame of each track (of the film: the first keyframe), if all are near the head.
fn first_frames(source: &Source, tracks: &[Track]) -> Result<Option<Vec<i64>>, Trouble> {
    let mut head = source.reopened()?;
    head.only(&tracks.iter().map(|t| t.stream).collect::<Vec<_>>());
    let mut firsts: Vec<Option<i64>> = vec![None; tracks.len()];
    for _ in 0..HEAD_PACKETS {
        let Some(packet) = head.packet()? else { break };
        let Some(at) = tracks.iter().position(|t| t.stream == packet.stream()) else { continue };
        let Some(time) = packet.pts() else { continue };
        if firsts[at].is_none() && (tracks[at].frame.is_some() || packet.is_key()) {
            firsts[at] = Some(clock_of(source, &tracks[at])?.tick(time));
        }
        if firsts.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(firsts.into_iter().collect())
}

type Cuts = Vec<(i64, i64)>;

/// The film's cuts and its heaviest stretch, from an index that covers it.
fn film_cuts(source: &Source, film: &Track, clock: Clock, first: i64) -> Result<Option<(Cuts, u64)>, Trouble> {
    let mut seeker = source.reopened()?;
    // Matroska reads its index only when it is first needed.
    seeker.seek(film.stream, clock.time(first))?;
    let entries = seeker.stream(film.stream).map(|view| view.entries()).unwrap_or_default();
    if !covers(source, &entries, clock) {
        return Ok(None);
    }
    let keys: Vec<IndexEntry> =
        entries.into_iter().filter(|e| e.key && clock.tick(e.tick) >= first_of(source, first)).collect();
    let times: Vec<Key> = keys.iter().map(|e| Key { time: clock.tick(e.tick), clean: true }).collect();
    let chosen: Vec<IndexEntry> = cuts::choose(&times, film.config.timescale).into_iter().map(|at| keys[at]).collect();
    let peak = heaviest(source, &chosen, clock);
    let mut reader = Reader::new(seeker, film.stream, None);
    let cuts = if source.is_matroska() {
        believed(&mut reader, film, clock, &chosen)?
    } else {
        looked_up(&mut reader, film, clock, &chosen)?
    };
    Ok(cuts.map(|cuts| (cuts, peak)))
}

/// Decoding times, which MP4's index holds, may lie before the first picture's time.
fn first_of(source: &Source, first: i64) -> i64 {
    if source.is_matroska() { first } else { i64::MIN }
}

fn covers(source: &Source, entries: &[IndexEntry], clock: Clock) -> bool {
    let Some(last) = entries.last() else { return false };
    let seconds = clock.tick(last.tick) as f64 / clock.ticks(1) as f64;
    source.is_matroska() && seconds > source.duration() - INDEX_TAIL_SECONDS
        || !source.is_matroska() && source.container().starts_with("mov") && seconds > source.duration() - 2.0
}

/// Bits a second of the file's heaviest stretch between two cuts: all streams together, so an upper bound.
fn heaviest(source: &Source, chosen: &[IndexEntry], clock: Clock) -> u64 {
    let average = source.bit_rate();
    let stretches = chosen.windows(2).filter_map(|pair| {
        let bytes = u64::try_from(pair[1].position - pair[0].position).ok()?;
        let ticks = u64::try_from(clock.tick(pair[1].tick) - clock.tick(pair[0].tick)).ok().filter(|t| *t > 0)?;
        Some(bytes.saturating_mul(8).saturating_mul(clock.ticks(1).unsigned_abs()) / ticks)
    });
    stretches.max().unwrap_or(0).max(average)
}

/// Matroska's index holds the keyframes' own times: a few are looked at, and if they are clean the rest is believed.
fn believed(reader: &mut Reader, film: &Track, clock: Clock, chosen: &[IndexEntry]) -> Result<Option<Cuts>, Trouble> {
    let step = chosen.len().div_ceil(LOOKED_AT).max(1);
    for entry in chosen.iter().step_by(step) {
        let tick = clock.tick(entry.tick);
        match look(reader, film, clock, tick)? {
            Some((key, _, true)) if key == tick => (),
            _ => return Ok(None),
        }
    }
    Ok(Some(chosen.iter().map(|e| (clock.tick(e.tick), clock.tick(e.tick))).collect()))
}

/// MP4's index holds decoding times: each keyframe is read for its own.
fn looked_up(reader: &mut Reader, film: &Track, clock: Clock, chosen: &[IndexEntry]) -> Result<Option<Cuts>, Trouble> {
    let mut cuts = Cuts::with_capacity(chosen.len());
    for entry in chosen {
        match look(reader, film, clock, clock.tick(entry.tick))? {
            Some((key, first, true)) if cuts.last().is_none_or(|(last, _)| *last < key) => cuts.push((key, first)),
            _ => return Ok(None),
        }
    }
    Ok(Some(cuts))
}

/// The keyframe that a seek to `tick` finds: its time, the smallest time behind it, and whether it is clean.
fn look(reader: &mut Reader, film: &Track, clock: Clock, tick: i64) -> Result<Option<(i64, i64, bool)>, Trouble> {
    let found = reader.go(tick, clock, &[0], |timed, from_head| match timed.packet.is_key() {
        true if !from_head => Arrival::Here,
        _ => Arrival::Beyond,
    })?;
    let Some(key) = (if found { reader.next(clock)? } else { None }) else { return Ok(None) };
    let clean = avc::is_idr(key.packet.data().unwrap_or_default(), length_size(film));
    let mut first = key.tick;
    while let Some(next) = reader.next(clock)? {
        first = first.min(next.tick);
        if next.tick > key.tick {
            break;
        }
    }
    Ok(Some((key.tick, first, clean)))
}

/// The tick after the last frame of each track, read from `last_key` of the film on; `None` if a track has none there.
fn ends(source: &Source, tracks: &[Track], last_key: i64) -> Result<Option<Vec<i64>>, Trouble> {
    let clocks = tracks.iter().map(|t| clock_of(source, t)).collect::<Result<Vec<_>, _>>()?;
    let mut tail = source.reopened()?;
    tail.only(&tracks.iter().map(|t| t.stream).collect::<Vec<_>>());
    tail.seek(tracks[0].stream, clocks[0].time(last_key.saturating_sub(clocks[0].ticks(1))))?;
    let mut rows: Vec<Vec<Row>> = tracks.iter().map(|_| Vec::new()).collect();
    read_rows(&mut tail, tracks, &clocks, &mut rows)?;
    Ok(tracks.iter().zip(&rows).map(|(track, rows)| end_of(track, rows)).collect())
}

/// A packet as far as cutting needs it.
struct Row {
    tick: i64,
    duration: i64,
    size: u64,
    key: bool,
    clean: bool,
}

fn read_rows(source: &mut Source, tracks: &[Track], clocks: &[Clock], rows: &mut [Vec<Row>]) -> Result<(), Trouble> {
    for _ in 0..PACKETS_MAX {
        let Some(packet) = source.packet()? else { return Ok(()) };
        let Some(at) = tracks.iter().position(|t| t.stream == packet.stream()) else { continue };
        let Some(time) = packet.pts() else { continue };
        let tick = clocks[at].tick(time);
        let duration = clocks[at].tick(time.saturating_add(packet.duration().max(0))).saturating_sub(tick);
        let key = packet.is_key();
        let film = tracks[at].frame.is_none();
        let clean = film && key && avc::is_idr(packet.data().unwrap_or_default(), length_size(&tracks[at]));
        rows[at].push(Row { tick, duration, size: packet.size() as u64, key, clean });
    }
    Err(Trouble::Cannot("it has too many packets".to_owned()))
}

fn end_of(track: &Track, rows: &[Row]) -> Option<i64> {
    let last = rows.iter().max_by_key(|row| row.tick)?;
    let duration = match track.frame {
        Some(frame) => frame,
        None if last.duration > 0 => last.duration,
        None => usual_gap(rows).unwrap_or(i64::from(track.config.timescale) / 25),
    };
    Some(last.tick.saturating_add(duration))
}

/// The gap between the last two pictures.
fn usual_gap(rows: &[Row]) -> Option<i64> {
    let mut times: Vec<i64> = rows.iter().map(|row| row.tick).collect();
    times.sort_unstable();
    times.dedup();
    times.windows(2).last().map(|pair| pair[1] - pair[0])
}

/// By reading every packet of every track.
fn by_reading(source: &Source, tracks: &[Track]) -> Result<Vec<Option<Measured>>, Trouble> {
    let clocks = tracks.iter().map(|t| clock_of(source, t)).collect::<Result<Vec<_>, _>>()?;
    let mut whole = source.reopened()?;
    whole.only(&tracks.iter().map(|t| t.stream).collect::<Vec<_>>());
    let mut rows: Vec<Vec<Row>> = tracks.iter().map(|_| Vec::new()).collect();
    read_rows(&mut whole, tracks, &clocks, &mut rows)?;
    Ok(tracks.iter().zip(&rows).map(|(track, rows)| measured(source, track, rows)).collect())
}

fn measured(source: &Source, track: &Track, rows: &[Row]) -> Option<Measured> {
    let end = end_of(track, rows)?;
    if track.frame.is_some() {
        let first = rows.first()?.tick;
        return Some(Measured { cuts: vec![(first, first)], end, peak_bit_rate: sound_bit_rate(source, track) });
    }
    let mut keys: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].key).collect();
    // A keyframe that is not later than all before it cannot be found again by its time.
    let mut latest = i64::MIN;
    keys.retain(|at| {
        let ascends = rows[*at].tick > latest;
        latest = latest.max(rows[*at].tick);
        ascends
    });
    let times: Vec<Key> = keys.iter().map(|at| Key { time: rows[*at].tick, clean: rows[*at].clean }).collect();
    let chosen: Vec<usize> = cuts::choose(&times, track.config.timescale).into_iter().map(|n| keys[n]).collect();
    let cuts: Cuts = chosen.iter().map(|at| (rows[*at].tick, smallest_behind(&rows[*at..]))).collect();
    if cuts.is_empty() {
        return None;
    }
    let bounds = chosen.iter().copied().chain([rows.len()]).collect::<Vec<_>>();
    let peak = bounds.windows(2).zip(&cuts).enumerate().filter_map(|(n, (range, (_, first)))| {
        let bytes = rows[range[0]..range[1]].iter().map(|row| row.size).sum::<u64>();
        let until = cuts.get(n + 1).map_or(end, |(_, first)| *first);
        let ticks = u64::try_from(until - first).ok().filter(|ticks| *ticks > 0)?;
        Some(bytes.saturating_mul(8).saturating_mul(u64::from(track.config.timescale)) / ticks)
    });
    Some(Measured { peak_bit_rate: peak.max().unwrap_or(0), cuts, end })
}

/// The smallest time from a keyframe on, up to the first picture that is shown after it.
fn smallest_behind(rows: &[Row]) -> i64 {
    let key = rows[0].tick;
    let until = rows.iter().position(|row| row.tick > key).map_or(rows.len(), |at| at + 1);
    rows[..until].iter().map(|row| row.tick).min().unwrap_or(key)
}
