//! Cuts of files whose containers keep no index that could be believed: every four seconds from the first picture on.
//! Nothing is read through; the stream is transcoded, and its decoder finds the way to a cut itself.
use ffmpeg_next::ffi;
use potluck::media::cuts::{SEGMENTS_MAX, SHORTEST_SECONDS};

use crate::index::{Measured, clock_of, sound_bit_rate};
use crate::source::{Source, Trouble};
use crate::tracks::Track;

/// A part of the file at its end in which a Matroska file's last cluster is looked for.
const TAIL_BYTES: u64 = 16 * 1024 * 1024;
/// What a `Cluster` of Matroska begins with.
const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];
/// The element of a cluster that holds its time.
const TIMESTAMP: u8 = 0xe7;

/// First and last second of the file, as its streams count.
#[derive(Clone, Copy)]
struct Span {
    start: f64,
    end: f64,
}

/// All tracks by what the container's head tells. A film measured so cannot be repackaged.
pub fn measured(source: &Source, tracks: &[Track]) -> Result<Vec<Option<Measured>>, Trouble> {
    let span = span(source)?;
    tracks.iter().map(|track| of_track(source, track, span).map(Some)).collect()
}

fn of_track(source: &Source, track: &Track, span: Span) -> Result<Measured, Trouble> {
    let (first, end) = bounds(source, track, span)?;
    if !track.is_film() {
        return Ok(Measured::sound(first, end, sound_bit_rate(source, track)));
    }
    let step = SHORTEST_SECONDS * i64::from(track.config.timescale);
    let places = (0..).map(|n: i64| first.saturating_add(step.saturating_mul(n)));
    // The last stretch is not shorter than half the others.
    let mut cuts: Vec<(i64, i64)> =
        places.take_while(|at| at.saturating_add(step / 2) <= end).take(SEGMENTS_MAX).map(|at| (at, at)).collect();
    if cuts.is_empty() {
        cuts.push((first, first));
    }
    Ok(Measured { cuts, end, peak_bit_rate: source.bit_rate(), keyed: false })
}

/// The first tick of a track and the one after its last.
fn bounds(source: &Source, track: &Track, span: Span) -> Result<(i64, i64), Trouble> {
    let clock = clock_of(source, track)?;
    let view = source.stream(track.stream).ok_or(Trouble::NotMedia)?;
    let ticks = |seconds: f64| (seconds * f64::from(track.config.timescale)).round() as i64;
    let first = match view.raw().start_time {
        ffi::AV_NOPTS_VALUE => ticks(span.start),
        told => clock.tick(told),
    };
    let end = ticks(span.end);
    if end <= first {
        return Err(Trouble::Cannot("how long it lasts cannot be told".to_owned()));
    }
    Ok((first, end))
}

fn span(source: &Source) -> Result<Span, Trouble> {
    let start = source.start().unwrap_or(0.0);
    let told = Some(source.duration()).filter(|seconds| *seconds > 0.0).map(|seconds| start + seconds);
    let end = told.or_else(|| last_cluster(source)).or_else(|| by_bit_rate(source, start));
    let end = end.filter(|end| end.is_finite() && *end > start);
    Ok(Span { start, end: end.ok_or_else(|| Trouble::Cannot("how long it lasts cannot be told".to_owned()))? })
}

fn by_bit_rate(source: &Source, start: f64) -> Option<f64> {
    let rates = source.streams().map(|view| view.parameters().bit_rate.max(0)).sum::<i64>();
    let rate = if source.bit_rate() > 0 { source.bit_rate() } else { rates.unsigned_abs() };
    (rate > 0).then(|| start + source.size() as f64 * 8.0 / rate as f64)
}

/// The time of the last cluster near the end of a Matroska file that was never finished. Its times are milliseconds in
/// all but odd files.
fn last_cluster(source: &Source) -> Option<f64> {
    if !source.is_matroska() {
        return None;
    }
    let from = source.size().saturating_sub(TAIL_BYTES);
    let tail = source.bytes(from, TAIL_BYTES)?;
    let heads = tail.windows(4).enumerate().rev().filter(|(_, four)| **four == CLUSTER);
    heads.take(16).find_map(|(at, _)| cluster_time(&tail[at + 4..])).map(|ms| ms as f64 / 1000.0)
}

/// The time of a cluster whose body's size comes next.
fn cluster_time(bytes: &[u8]) -> Option<u64> {
    let size_length = bytes.first()?.leading_zeros() as usize + 1;
    let [TIMESTAMP, length, rest @ ..] = bytes.get(size_length..)? else { return None };
    let length = usize::from(length & 0x7f);
    let time = rest.get(..length).filter(|time| time.len() <= 8)?;
    Some(time.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_tells_its_time() {
        assert_eq!(
            cluster_time(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xe7, 0x82, 0x1f, 0x40, 9]),
            Some(8000)
        );
        assert_eq!(cluster_time(&[0x82, 0xa3, 0x81, 0]), None);
        assert_eq!(cluster_time(&[]), None);
    }
}
