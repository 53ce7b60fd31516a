//! Cuts from the container's own index, with a look at a few places of the file: some keyframes, its head and its end.
use potluck::media::cuts::{self, Key};

use crate::counted::{Row, end_of, read_rows};
use crate::index::{Cuts, Measured, clock_of, is_clean, reorders, sound_bit_rate};
use crate::reader::{Arrival, Reader};
use crate::source::{Source, Trouble};
use crate::stream::IndexEntry;
use crate::tracks::{Clock, Track};

/// Packets of the head in which every track must begin, else all are read.
const HEAD_PACKETS: usize = 4000;
/// Matroska's index ends with the last keyframe it lists; further from the end than this, it is not a whole one.
const INDEX_TAIL_SECONDS: f64 = 30.0;
/// MP4's ends with the last sample.
const SAMPLES_TAIL_SECONDS: f64 = 2.0;
/// Shorter files are read wholly: it takes no longer, and their indexes prove little.
const SHORT_SECONDS: f64 = 60.0;
/// Keyframes of an index that are looked at before all of it is believed: that they are clean and have their times.
const LOOKED_AT: usize = 8;

/// By the container's index, with a look at some places of the file. `None` where the index is not good enough, or
/// the film has keyframes that are not clean, whose neighbours only reading can tell.
pub fn measured(source: &Source, tracks: &[Track]) -> Result<Option<Vec<Measured>>, Trouble> {
    let Some(film) = tracks.first().filter(|t| t.is_film()) else { return Ok(None) };
    if source.duration() < SHORT_SECONDS {
        return Ok(None);
    }
    let clock = clock_of(source, film)?;
    let firsts: Option<Vec<i64>> = first_frames(source, tracks)?.into_iter().collect();
    let Some(firsts) = firsts else { return Ok(None) };
    let Some((cuts, peak)) = film_cuts(source, film, clock, firsts[0])? else { return Ok(None) };
    let Some(last) = cuts.last().copied() else { return Ok(None) };
    let ends: Option<Vec<i64>> = ends(source, film, tracks, last.0)?.into_iter().collect();
    let Some(ends) = ends else { return Ok(None) };
    let film_measured = Measured { cuts, end: ends[0], peak_bit_rate: peak, keyed: true };
    let sounds = tracks.iter().zip(firsts).zip(ends).skip(1);
    let sounds = sounds.map(|((track, first), end)| Measured::sound(first, end, sound_bit_rate(source, track)));
    Ok(Some(std::iter::once(film_measured).chain(sounds).collect()))
}

/// Sound beside a film whose index is believed. What does not show near the head or the end is taken to go with the
/// film.
pub fn beside(source: &Source, film: (&Track, &Measured), sounds: &[Track]) -> Result<Vec<Measured>, Trouble> {
    if sounds.is_empty() {
        return Ok(Vec::new());
    }
    let (film, measured) = film;
    let (head, tail) = (measured.cuts.first().map_or(0, |c| c.1), measured.cuts.last().map_or(0, |c| c.0));
    let firsts = first_frames(source, sounds)?;
    let ends = ends(source, film, sounds, tail)?;
    let in_ticks_of = |track: &Track, tick: i64| rescaled(tick, film.config.timescale, track.config.timescale);
    let all = sounds.iter().zip(firsts).zip(ends);
    Ok(all
        .map(|((track, first), end)| {
            let first = first.unwrap_or_else(|| in_ticks_of(track, head));
            let end = end.unwrap_or_else(|| in_ticks_of(track, measured.end)).max(first);
            Measured::sound(first, end, sound_bit_rate(source, track))
        })
        .collect())
}

fn rescaled(tick: i64, from: u32, to: u32) -> i64 {
    let scaled = i128::from(tick) * i128::from(to);
    i64::try_from(scaled.div_euclid(i128::from(from.max(1)))).unwrap_or(0)
}

/// The first frame of each track (of the film: the first keyframe), where it is near the head.
fn first_frames(source: &Source, tracks: &[Track]) -> Result<Vec<Option<i64>>, Trouble> {
    let mut head = source.reopened()?;
    head.only(&tracks.iter().map(|t| t.stream).collect::<Vec<_>>());
    let mut firsts: Vec<Option<i64>> = vec![None; tracks.len()];
    for _ in 0..HEAD_PACKETS {
        let Some(packet) = head.packet()? else { break };
        let Some(at) = tracks.iter().position(|t| t.stream == packet.stream()) else { continue };
        let Some(time) = packet.pts() else { continue };
        if firsts[at].is_none() && (!tracks[at].is_film() || packet.is_key()) {
            firsts[at] = Some(clock_of(source, &tracks[at])?.tick(time));
        }
        if firsts.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(firsts)
}

/// A keyframe of an index: the time it has there, and the tick it is shown at.
#[derive(Clone, Copy)]
struct Told {
    entry: i64,
    shown: i64,
    position: i64,
}

/// The film's cuts and its heaviest stretch, from an index that covers it.
fn film_cuts(source: &Source, film: &Track, clock: Clock, first: i64) -> Result<Option<(Cuts, u64)>, Trouble> {
    let mut seeker = source.reopened()?;
    // Matroska reads its index only when it is first needed.
    seeker.seek(film.stream, clock.time(first))?;
    let entries = seeker.stream(film.stream).map(|view| view.entries()).unwrap_or_default();
    if !covers(source, &entries, clock) {
        return Ok(None);
    }
    let told = told(source, film, clock, &entries, first);
    let believe = told.is_some();
    let keys = told.unwrap_or_else(|| as_listed(&entries, clock));
    let times: Vec<Key> = keys.iter().map(|told| Key { time: told.shown, clean: true }).collect();
    let chosen: Vec<Told> = cuts::choose(&times, film.config.timescale).into_iter().map(|at| keys[at]).collect();
    let mut reader = Reader::new(seeker, film.stream, None);
    let cuts = if believe {
        believed(&mut reader, film, clock, &chosen)?
    } else {
        looked_up(&mut reader, film, clock, &chosen)?
    };
    Ok(cuts.map(|cuts| (cuts, heaviest(source, &chosen, clock))))
}

/// The keyframes with the times at which they are shown, where those are told. Matroska's index holds them. MP4's
/// holds the times of decoding; how much later a sample is shown is read from the file's own table, and counted from
/// the first keyframe, `first`.
fn told(source: &Source, film: &Track, clock: Clock, entries: &[IndexEntry], first: i64) -> Option<Vec<Told>> {
    let mut keys = as_listed(entries, clock);
    if !source.is_matroska() {
        let offsets = source.composition_offsets(film.stream)?;
        if offsets.len() != entries.len() {
            return None;
        }
        let of_keys = entries.iter().zip(&offsets).filter(|(entry, _)| entry.key).map(|(_, offset)| i64::from(*offset));
        for (key, offset) in keys.iter_mut().zip(of_keys) {
            key.shown = clock.tick(key.entry.saturating_add(offset));
        }
        let shift = first.checked_sub(keys.first()?.shown)?;
        keys.iter_mut().for_each(|key| key.shown = key.shown.saturating_add(shift));
    }
    keys.retain(|key| key.shown >= first);
    Some(keys)
}

fn as_listed(entries: &[IndexEntry], clock: Clock) -> Vec<Told> {
    let keys = entries.iter().filter(|e| e.key);
    keys.map(|e| Told { entry: e.tick, shown: clock.tick(e.tick), position: e.position }).collect()
}

fn covers(source: &Source, entries: &[IndexEntry], clock: Clock) -> bool {
    let Some(last) = entries.last() else { return false };
    let seconds = clock.tick(last.tick) as f64 / clock.ticks(1) as f64;
    source.is_matroska() && seconds > source.duration() - INDEX_TAIL_SECONDS
        || !source.is_matroska()
            && source.container().starts_with("mov")
            && seconds > source.duration() - SAMPLES_TAIL_SECONDS
}

/// Bits a second of the file's heaviest stretch between two cuts: all streams together, so an upper bound.
fn heaviest(source: &Source, chosen: &[Told], clock: Clock) -> u64 {
    let average = source.bit_rate();
    let stretches = chosen.windows(2).filter_map(|pair| {
        let bytes = u64::try_from(pair[1].position - pair[0].position).ok()?;
        let ticks = u64::try_from(pair[1].shown - pair[0].shown).ok().filter(|t| *t > 0)?;
        Some(bytes.saturating_mul(8).saturating_mul(clock.ticks(1).unsigned_abs()) / ticks)
    });
    stretches.max().unwrap_or(0).max(average)
}

/// Some keyframes are looked at: if they are clean and shown when told, the others are believed.
fn believed(reader: &mut Reader, film: &Track, clock: Clock, chosen: &[Told]) -> Result<Option<Cuts>, Trouble> {
    let step = chosen.len().div_ceil(LOOKED_AT).max(1);
    for told in chosen.iter().step_by(step) {
        match look(reader, film, clock, told)? {
            Some((key, _, true)) if key == told.shown => (),
            _ => return Ok(None),
        }
    }
    Ok(Some(chosen.iter().map(|told| (told.shown, told.shown)).collect()))
}

/// Where the times are not told, each keyframe is read for its own.
fn looked_up(reader: &mut Reader, film: &Track, clock: Clock, chosen: &[Told]) -> Result<Option<Cuts>, Trouble> {
    let mut cuts = Cuts::with_capacity(chosen.len());
    for told in chosen {
        match look(reader, film, clock, told)? {
            Some((key, first, true)) if cuts.last().is_none_or(|(last, _)| *last < key) => cuts.push((key, first)),
            _ => return Ok(None),
        }
    }
    Ok(Some(cuts))
}

/// What a seek to an entry of the index finds: a keyframe's time, the smallest time behind it, and whether it is clean.
fn look(reader: &mut Reader, film: &Track, clock: Clock, told: &Told) -> Result<Option<(i64, i64, bool)>, Trouble> {
    let found = reader.go(clock.tick(told.entry), clock, &[0], |timed, from_head| match timed.packet.is_key() {
        true if !from_head => Arrival::Here,
        _ => Arrival::Beyond,
    })?;
    let Some(key) = (if found { reader.next(clock)? } else { None }) else { return Ok(None) };
    let clean = is_clean(film, key.packet.data().unwrap_or_default());
    let mut first = key.tick;
    if !reorders(film) {
        return Ok(Some((key.tick, first, clean)));
    }
    while let Some(next) = reader.next(clock)? {
        first = first.min(next.tick);
        if next.tick > key.tick {
            break;
        }
    }
    Ok(Some((key.tick, first, clean)))
}

/// The tick after the last frame of each track, read from `last_key` of the film on; `None` of a track that has none
/// there.
fn ends(source: &Source, film: &Track, tracks: &[Track], last_key: i64) -> Result<Vec<Option<i64>>, Trouble> {
    let clocks = tracks.iter().map(|t| clock_of(source, t)).collect::<Result<Vec<_>, _>>()?;
    let film_clock = clock_of(source, film)?;
    let mut tail = source.reopened()?;
    tail.only(&tracks.iter().map(|t| t.stream).collect::<Vec<_>>());
    tail.seek(film.stream, film_clock.time(last_key.saturating_sub(film_clock.ticks(1))))?;
    let mut rows: Vec<Vec<Row>> = tracks.iter().map(|_| Vec::new()).collect();
    read_rows(&mut tail, tracks, &clocks, &mut rows)?;
    Ok(tracks.iter().zip(&rows).map(|(track, rows)| end_of(track, rows)).collect())
}
