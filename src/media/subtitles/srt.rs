//! SubRip files. Numbers and empty lines are where they should be in most files only, so lines with times lead.
use super::{Cue, SubtitleFormat, SubtitleTrack, clock, markup};

/// The cues of a file.
pub fn read(text: &str) -> SubtitleTrack {
    let lines: Vec<&str> = text.lines().collect();
    let spans: Vec<(usize, (f64, f64))> =
        lines.iter().enumerate().filter_map(|(at, line)| Some((at, clock::span(line)?))).collect();
    let ends = spans.iter().skip(1).map(|(at, _)| *at).chain([lines.len()]);
    let cues = spans.iter().zip(ends).map(|((at, (start, end)), until)| {
        let body = without_number(&lines[at + 1..until], until < lines.len());
        Cue { start: *start, end: *end, text: markup::from_srt(&body.join("\n")) }
    });
    SubtitleTrack::of(SubtitleFormat::Text, String::new(), cues)
}

/// The lines of a cue without the next one's number.
fn without_number<'a>(lines: &'a [&'a str], another_follows: bool) -> &'a [&'a str] {
    match lines {
        [before @ .., last] if another_follows && is_number(last) => before,
        _ => lines,
    }
}

fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_files_give_what_can_be_read() {
        let file = "junk\n1\n00:00:01,000 --> 00:00:02,000\none\n\nstill one\n\n2\n00:00:03,000 --> xx\nlost\n00:00:05.5 --> 00:00:06.5\n7\n\n8\n00:00:07,0 --> 00:00:08,0\n";
        let track = read(file);
        let told: Vec<_> = track.cues.iter().map(|cue| (cue.start, cue.text.as_str())).collect();
        assert_eq!(told, [(1.0, "one\nstill one\n2\n00:00:03,000 --&gt; xx\nlost"), (5.5, "7")]);
    }
}
