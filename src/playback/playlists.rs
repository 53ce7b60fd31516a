//! HLS playlists (RFC 8216) as text: one multivariant playlist, and one media playlist for each rendition. Pure.
use std::fmt::Write;

use super::renditions::Title;
use super::{Rendition, Source};
use crate::media::facts::Stream;
use crate::media::timeline::TrackIndex;
use crate::media::{Facts, StreamKind};

/// Fragmented MP4 needs 6, as does `EXT-X-MAP` without I-frames only; 7 is what players are tested with.
const HEAD: &str = "#EXTM3U\n#EXT-X-VERSION:7\n";
const AUDIO_GROUP: &str = "sound";

/// The multivariant playlist: the film with a group of sound tracks, or a sound track alone.
pub(super) fn master(source: &Source, title: &Title) -> String {
    let tracks: Vec<(&Rendition, &TrackIndex)> = title.renditions.iter().zip(&title.index.tracks).collect();
    let (films, sounds): (Vec<_>, Vec<_>) = tracks.into_iter().partition(|(r, _)| r.kind == StreamKind::Video);
    let mut text = format!("{HEAD}#EXT-X-INDEPENDENT-SEGMENTS\n");
    for (n, (sound, _)) in sounds.iter().enumerate().take(if films.is_empty() { 0 } else { usize::MAX }) {
        let _ = writeln!(text, "{}", sound_track(&source.facts, &sounds, n, sound));
    }
    let loudest = sounds.iter().map(|(_, t)| t.peak_bit_rate).max().unwrap_or(0);
    let chosen = if films.is_empty() { &sounds } else { &films };
    for (rendition, track) in chosen.iter().take(1) {
        let peak = if films.is_empty() { track.peak_bit_rate } else { track.peak_bit_rate + loudest };
        let _ = writeln!(text, "{}", variant(source, rendition, peak, if films.is_empty() { &[] } else { &sounds }));
        let _ = writeln!(text, "{}/index.m3u8", rendition.id);
    }
    text
}

fn stream<'a>(facts: &'a Facts, rendition: &Rendition) -> Option<&'a Stream> {
    let index: u32 = rendition.id.get(1..)?.parse().ok()?;
    facts.streams.iter().find(|s| s.index == index)
}

fn sound_track(facts: &Facts, all: &[(&Rendition, &TrackIndex)], n: usize, rendition: &Rendition) -> String {
    let stream_of = |r: &Rendition| stream(facts, r);
    let default = all.iter().position(|(r, _)| stream_of(r).is_some_and(|s| s.default)).unwrap_or(0);
    let mut line = format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{AUDIO_GROUP}\",NAME=\"{}\"", unique_name(all, n));
    if let Some(language) = &rendition.language {
        let _ = write!(line, ",LANGUAGE=\"{}\"", quotable(language));
    }
    let _ = write!(line, ",DEFAULT={},AUTOSELECT=YES", if n == default { "YES" } else { "NO" });
    if let Some(channels) = stream_of(rendition).and_then(|s| s.channels) {
        let _ = write!(line, ",CHANNELS=\"{channels}\"");
    }
    let _ = write!(line, ",URI=\"{}/index.m3u8\"", rendition.id);
    line
}

/// Names must differ within a group (RFC 8216, 4.3.4.1.1).
fn unique_name(all: &[(&Rendition, &TrackIndex)], n: usize) -> String {
    let name = |r: &Rendition| r.name.as_deref().or(r.language.as_deref()).map(quotable).filter(|n| !n.is_empty());
    match name(all[n].0) {
        Some(own) if all[..n].iter().all(|(other, _)| name(other).as_ref() != Some(&own)) => own,
        Some(own) => format!("{own} {}", n + 1),
        None => format!("Track {}", n + 1),
    }
}

/// Text that may stand in a quoted string: no quotes, no line ends.
fn quotable(text: &str) -> String {
    text.chars()
        .map(|c| if c == '"' { '\'' } else { c })
        .filter(|c| !c.is_control())
        .collect::<String>()
        .trim()
        .to_owned()
}

fn variant(source: &Source, rendition: &Rendition, peak: u64, sounds: &[(&Rendition, &TrackIndex)]) -> String {
    let mut codecs = vec![rendition.codecs.as_str()];
    for (sound, _) in sounds {
        if !codecs.contains(&sound.codecs.as_str()) {
            codecs.push(&sound.codecs);
        }
    }
    let peak = peak.max(1);
    let average = source.facts.bit_rate.clamp(1, peak);
    let mut line =
        format!("#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"{}\"", codecs.join(","));
    let seen = stream(&source.facts, rendition);
    if let Some((width, height)) = seen.and_then(|s| s.width.zip(s.height)) {
        let _ = write!(line, ",RESOLUTION={width}x{height}");
    }
    if let Some(rate) = seen.and_then(|s| s.frame_rate) {
        let _ = write!(line, ",FRAME-RATE={rate:.3}");
    }
    if !sounds.is_empty() {
        let _ = write!(line, ",AUDIO=\"{AUDIO_GROUP}\"");
    }
    line
}

/// The media playlist of a rendition.
pub(super) fn media(rendition: &Rendition) -> String {
    let longest = rendition.segments.iter().map(|(_, duration)| duration.ceil()).fold(1.0, f64::max);
    let mut text = format!(
        "{HEAD}#EXT-X-TARGETDURATION:{longest:.0}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"init.mp4\"\n"
    );
    for (n, (_, duration)) in rendition.segments.iter().enumerate() {
        let _ = write!(text, "#EXTINF:{duration:.6},\n{n}.m4s\n");
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}
