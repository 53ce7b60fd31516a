//! WebVTT files (W3C, section 4). Notes, styles and regions are left out, and so are a cue's settings.
use super::{Cue, SubtitleFormat, SubtitleTrack, clock, markup};

/// The cues of a file.
pub fn read(text: &str) -> SubtitleTrack {
    let mut lines = text.lines().peekable();
    let mut cues = Vec::new();
    while let Some(line) = lines.next() {
        let Some((start, end)) = clock::span(line) else { continue };
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty() && !line.contains("-->")) {
            body.push(line);
        }
        cues.push(Cue { start, end, text: markup::from_vtt(&body.join("\n")) });
    }
    SubtitleTrack::of(SubtitleFormat::Text, String::new(), cues)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_cue_is_left_out() {
        let file = "WEBVTT - a title\nKind: captions\n\nNOTE nothing\n\nSTYLE\n::cue {}\n\nan id\n00:01.000 --> 00:02.000 line:0\n<v Ann>Hello\n\n01:00:03.000 --> 01:00:04.000\nWorld\n";
        let told: Vec<_> = read(file).cues.into_iter().map(|cue| (cue.start, cue.text)).collect();
        assert_eq!(told, [(1.0, "Hello".to_owned()), (3603.0, "World".to_owned())]);
    }
}
