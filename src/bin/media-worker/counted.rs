//! Cuts from reading every packet: for files without an index, short ones, and films whose groups of pictures are open.
use potluck::media::cuts::{self, Key};

use crate::index::{Cuts, Measured, clock_of, is_clean, reorders, sound_bit_rate};
use crate::source::{Source, Trouble};
use crate::tracks::{Clock, Track};

/// Packets of any file that are read.
const PACKETS_MAX: usize = 50_000_000;

/// A packet as far as cutting needs it.
pub struct Row {
    tick: i64,
    duration: i64,
    size: u64,
    key: bool,
    clean: bool,
}

/// Reads what is left of a source.
pub fn read_rows(
    source: &mut Source,
    tracks: &[Track],
    clocks: &[Clock],
    rows: &mut [Vec<Row>],
) -> Result<(), Trouble> {
    for _ in 0..PACKETS_MAX {
        let Some(packet) = source.packet()? else { return Ok(()) };
        let Some(at) = tracks.iter().position(|t| t.stream == packet.stream()) else { continue };
        let Some(time) = packet.pts() else { continue };
        let tick = clocks[at].tick(time);
        let duration = clocks[at].tick(time.saturating_add(packet.duration().max(0))).saturating_sub(tick);
        let key = packet.is_key();
        let clean = key && is_clean(&tracks[at], packet.data().unwrap_or_default());
        rows[at].push(Row { tick, duration, size: packet.size() as u64, key, clean });
    }
    Err(Trouble::Cannot("it has too many packets".to_owned()))
}

/// The tick after the last frame.
pub fn end_of(track: &Track, rows: &[Row]) -> Option<i64> {
    let last = rows.iter().max_by_key(|row| row.tick)?;
    let duration = match track.frame {
        Some(frame) => frame,
        None if last.duration > 0 => last.duration,
        None if track.is_film() => usual_gap(rows).unwrap_or(i64::from(track.config.timescale) / 25),
        None => usual_gap(rows).unwrap_or(0),
    };
    Some(last.tick.saturating_add(duration))
}

/// The gap between the last two packets.
fn usual_gap(rows: &[Row]) -> Option<i64> {
    let mut times: Vec<i64> = rows.iter().map(|row| row.tick).collect();
    times.sort_unstable();
    times.dedup();
    times.windows(2).last().map(|pair| pair[1] - pair[0])
}

/// By reading every packet of every track.
pub fn measured(source: &Source, tracks: &[Track]) -> Result<Vec<Option<Measured>>, Trouble> {
    let clocks = tracks.iter().map(|t| clock_of(source, t)).collect::<Result<Vec<_>, _>>()?;
    let mut whole = source.reopened()?;
    whole.only(&tracks.iter().map(|t| t.stream).collect::<Vec<_>>());
    let mut rows: Vec<Vec<Row>> = tracks.iter().map(|_| Vec::new()).collect();
    read_rows(&mut whole, tracks, &clocks, &mut rows)?;
    Ok(tracks.iter().zip(&rows).map(|(track, rows)| of_track(source, track, rows)).collect())
}

fn of_track(source: &Source, track: &Track, rows: &[Row]) -> Option<Measured> {
    let end = end_of(track, rows)?;
    if !track.is_film() {
        return Some(Measured::sound(rows.first()?.tick, end, sound_bit_rate(source, track)));
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
    let cuts: Cuts = chosen.iter().map(|at| (rows[*at].tick, first_of(track, &rows[*at..]))).collect();
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
    Some(Measured { peak_bit_rate: peak.max().unwrap_or(0), cuts, end, keyed: true })
}

/// Where a segment is said to start that starts with the keyframe `rows` begin with.
fn first_of(track: &Track, rows: &[Row]) -> i64 {
    if reorders(track) { smallest_behind(rows) } else { rows[0].tick }
}

/// The smallest time from a keyframe on, up to the first picture that is shown after it.
fn smallest_behind(rows: &[Row]) -> i64 {
    let key = rows[0].tick;
    let until = rows.iter().position(|row| row.tick > key).map_or(rows.len(), |at| at + 1);
    rows[..until].iter().map(|row| row.tick).min().unwrap_or(key)
}
