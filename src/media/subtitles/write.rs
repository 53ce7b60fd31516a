//! Tracks as files for players.
use std::fmt::Write;

use super::ass::{self, FORMAT, PLAIN};
use super::{Cue, SubtitleFormat, SubtitleTrack, clock};

/// A style for text that has none of its own: what most players show.
const HEADER: &str = "[Script Info]\nScriptType: v4.00+\nPlayResX: 1280\nPlayResY: 720\nScaledBorderAndShadow: yes\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\nStyle: Default,sans-serif,44,&H00FFFFFF,&H000000FF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,2,1,2,40,40,36,1\n\n[Events]\n";

/// A whole track as WebVTT. Pictures give no cues.
#[must_use]
pub fn to_webvtt(track: &SubtitleTrack) -> String {
    let mut out = "WEBVTT\n".to_owned();
    track.cues.iter().for_each(|cue| write_cue(&mut out, track.format, cue, 0.0));
    out
}

/// The part of a track that is shown from `start` to `end` (seconds) as a segment of an HLS rendition, with `base`
/// seconds added to each cue. What is shown across a cut is in both segments, with its whole time. Times are those of
/// the film's own segments, and the header says so (RFC 8216, 3.5).
#[must_use]
pub fn webvtt_segment(track: &SubtitleTrack, start: f64, end: f64, base: f64) -> String {
    let mut out = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n".to_owned();
    let shown = |cue: &&Cue| cue.start + base < end && cue.end + base > start;
    track.cues.iter().filter(shown).for_each(|cue| write_cue(&mut out, track.format, cue, base));
    out
}

fn write_cue(out: &mut String, format: SubtitleFormat, cue: &Cue, base: f64) {
    let plain;
    let text = match format {
        SubtitleFormat::Text => cue.text.as_str(),
        SubtitleFormat::Ass => {
            plain = ass::plain(&cue.text);
            plain.as_str()
        }
        SubtitleFormat::Picture => "",
    };
    let time = |seconds: f64| {
        let (hours, minutes, seconds, milliseconds) = clock::split(seconds + base, 1000);
        format!("{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}")
    };
    let (start, end) = (time(cue.start), time(cue.end));
    if !text.is_empty() && start != end {
        // Writing into a string never fails.
        let _ = write!(out, "\n{start} --> {end}\n{text}\n");
    }
}

/// A whole track as a script. Text without styles is given one.
#[must_use]
pub fn to_ass(track: &SubtitleTrack) -> String {
    let mut out = match track.format {
        SubtitleFormat::Ass => track.header.clone(),
        _ => format!("{HEADER}{FORMAT}\n"),
    };
    for cue in &track.cues {
        let event = match track.format {
            SubtitleFormat::Ass => cue.text.clone(),
            SubtitleFormat::Text => format!("{PLAIN}{}", overrides(&cue.text)),
            SubtitleFormat::Picture => continue,
        };
        let (layer, rest) = event.split_once(',').unwrap_or(("0", &event));
        let time = |seconds: f64| {
            let (hours, minutes, seconds, hundredths) = clock::split(seconds, 100);
            format!("{hours}:{minutes:02}:{seconds:02}.{hundredths:02}")
        };
        let _ = writeln!(out, "Dialogue: {layer},{},{},{rest}", time(cue.start), time(cue.end));
    }
    out
}

/// WebVTT cue text with its marks as overrides.
fn overrides(text: &str) -> String {
    let mut out = text.replace(['{', '}'], "").replace('\n', "\\N");
    for kind in ['i', 'b', 'u'] {
        out = out.replace(&format!("<{kind}>"), &format!("{{\\{kind}1}}"));
        out = out.replace(&format!("</{kind}>"), &format!("{{\\{kind}0}}"));
    }
    for (escape, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\\h"), ("&lrm;", ""), ("&rlm;", ""), ("&amp;", "&")]
    {
        out = out.replace(escape, character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track() -> SubtitleTrack {
        let cue = |start: f64, end: f64, text: &str| Cue { start, end, text: text.to_owned() };
        let cues = [cue(1.0, 3.0, "<i>one</i> &amp;\ntwo"), cue(3.5, 5.0, "three")];
        SubtitleTrack::of(SubtitleFormat::Text, String::new(), cues)
    }

    #[test]
    fn a_track_is_written_as_webvtt() {
        let expected =
            "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n<i>one</i> &amp;\ntwo\n\n00:00:03.500 --> 00:00:05.000\nthree\n";
        assert_eq!(to_webvtt(&track()), expected);
    }

    #[test]
    fn a_cue_across_a_cut_is_in_both_segments() {
        let segment = |start, end| webvtt_segment(&track(), start, end, 10.0);
        let head = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n";
        let first = format!("{head}\n00:00:11.000 --> 00:00:13.000\n<i>one</i> &amp;\ntwo\n");
        assert_eq!(segment(10.0, 12.0), first);
        assert_eq!(segment(12.0, 13.5), first);
        assert!(segment(12.0, 13.6).contains("three"));
        assert_eq!(segment(20.0, 24.0), head);
    }

    #[test]
    fn text_is_given_a_style_as_ass_and_styles_are_kept() {
        let script = to_ass(&track());
        assert!(script.contains("\nDialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{\\i1}one{\\i0} &\\Ntwo\n"));
        let again = SubtitleTrack::parse(script.as_bytes()).unwrap();
        assert_eq!((again.format, again.cues.len()), (SubtitleFormat::Ass, 2));
        assert_eq!(to_webvtt(&again), to_webvtt(&track()));
        assert_eq!(to_ass(&again), script);
    }
}
