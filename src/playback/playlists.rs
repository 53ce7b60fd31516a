//! HLS playlists (RFC 8216) as text: one multivariant playlist, and one media playlist for each rendition. Pure.
use std::fmt::Write;
use std::sync::Arc;

use super::Rendition;
use super::choice::Choice;
use super::subtitles::{CUES_SECONDS, SubtitleInfo};
use crate::media::subtitles::SubtitleFormat;

/// Fragmented MP4 needs 6, as does `EXT-X-MAP` without I-frames only; 7 is what players are tested with.
const HEAD: &str = "#EXTM3U\n#EXT-X-VERSION:7\n";
const AUDIO_GROUP: &str = "sound";
const TEXT_GROUP: &str = "text";

/// The multivariant playlist: the forms of the film with a group of sound tracks, or a sound track alone.
pub(super) fn master(choice: &Choice, subtitles: &[SubtitleInfo]) -> String {
    let (films, sounds) = (&choice.films, &choice.sounds);
    let texts: Vec<&SubtitleInfo> = subtitles.iter().filter(|s| s.format != SubtitleFormat::Picture).collect();
    let mut text = format!("{HEAD}#EXT-X-INDEPENDENT-SEGMENTS\n");
    if films.is_empty() {
        for sound in sounds.iter().take(1) {
            let _ = writeln!(text, "{}\n{}/index.m3u8", variant(sound, &[], false), sound.id);
        }
        return text;
    }
    for n in 0..sounds.len() {
        let _ = writeln!(text, "{}", sound_track(sounds, n));
    }
    for n in 0..texts.len() {
        let _ = writeln!(text, "{}", text_track(&texts, n));
    }
    for film in films {
        let _ = writeln!(text, "{}\n{}/index.m3u8", variant(film, sounds, !texts.is_empty()), film.id);
    }
    text
}

fn sound_track(all: &[Arc<Rendition>], n: usize) -> String {
    let rendition = &all[n];
    let default = all.iter().position(|r| r.default).unwrap_or(0);
    let names: Vec<_> = all.iter().map(|r| (r.name.as_deref(), r.language.as_deref())).collect();
    let mut line = format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{AUDIO_GROUP}\",NAME=\"{}\"", unique_name(&names, n));
    if let Some(language) = &rendition.language {
        let _ = write!(line, ",LANGUAGE=\"{}\"", quotable(language));
    }
    let _ = write!(line, ",DEFAULT={},AUTOSELECT=YES", if n == default { "YES" } else { "NO" });
    if let Some(channels) = rendition.channels {
        let _ = write!(line, ",CHANNELS=\"{channels}\"");
    }
    let _ = write!(line, ",URI=\"{}/index.m3u8\"", rendition.id);
    line
}

fn text_track(all: &[&SubtitleInfo], n: usize) -> String {
    let track = all[n];
    let names: Vec<_> = all.iter().map(|t| (t.name.as_deref(), t.language.as_deref())).collect();
    let mut line = format!("#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"{TEXT_GROUP}\",NAME=\"{}\"", unique_name(&names, n));
    if let Some(language) = &track.language {
        let _ = write!(line, ",LANGUAGE=\"{}\"", quotable(language));
    }
    let yes = |b: bool| if b { "YES" } else { "NO" };
    // Files mark a track as the default that nobody asked to see; what is forced is to be seen.
    let _ = write!(line, ",DEFAULT={},AUTOSELECT=YES,FORCED={}", yes(track.default && track.forced), yes(track.forced));
    let _ = write!(line, ",URI=\"{}/index.m3u8\"", track.id);
    line
}

/// Names must differ within a group (RFC 8216, 4.3.4.1.1).
fn unique_name(all: &[(Option<&str>, Option<&str>)], n: usize) -> String {
    let name = |(name, language): &(Option<&str>, Option<&str>)| {
        name.or(*language).map(quotable).filter(|name| !name.is_empty())
    };
    match name(&all[n]) {
        Some(own) if all[..n].iter().all(|other| name(other).as_ref() != Some(&own)) => own,
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

fn variant(rendition: &Rendition, sounds: &[Arc<Rendition>], texts: bool) -> String {
    let mut codecs = vec![rendition.codecs.as_str()];
    for sound in sounds {
        if !codecs.contains(&sound.codecs.as_str()) {
            codecs.push(&sound.codecs);
        }
    }
    let loudest = |rate: fn(&Rendition) -> u64| sounds.iter().map(|sound| rate(sound)).max().unwrap_or(0);
    let peak = (rendition.peak_bit_rate + loudest(|s| s.peak_bit_rate)).max(1);
    // The file's own rate counts its sound already.
    let with_sound = if rendition.transcoded { loudest(|s| s.average_bit_rate) } else { 0 };
    let average = (rendition.average_bit_rate + with_sound).clamp(1, peak);
    let mut line =
        format!("#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"{}\"", codecs.join(","));
    if let Some((width, height)) = rendition.size {
        let _ = write!(line, ",RESOLUTION={width}x{height}");
    }
    if let Some(rate) = rendition.frame_rate {
        let _ = write!(line, ",FRAME-RATE={rate:.3}");
    }
    // What is said by its absence is not said: playlists of plain films stay as they were.
    if let Some(range) = rendition.video_range.filter(|range| rendition.transcoded || *range != "SDR") {
        let _ = write!(line, ",VIDEO-RANGE={range}");
    }
    if !sounds.is_empty() {
        let _ = write!(line, ",AUDIO=\"{AUDIO_GROUP}\"");
    }
    if texts {
        let _ = write!(line, ",SUBTITLES=\"{TEXT_GROUP}\"");
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

/// The media playlist of a subtitle track of a film of this length: a piece of text a minute.
pub(super) fn texts(duration: f64) -> String {
    let mut text =
        format!("{HEAD}#EXT-X-TARGETDURATION:{CUES_SECONDS:.0}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n");
    for (n, (start, end)) in super::subtitles::pieces(duration).into_iter().enumerate() {
        let _ = write!(text, "#EXTINF:{:.6},\n{n}.vtt\n", end - start);
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}
