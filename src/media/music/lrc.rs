//! Lyrics with stamps: the text of an `.lrc` file, or of a tag that holds the like.
//!
//! `[mm:ss.xx]` in front of a line, once or more; `[offset:±ms]`, where more means sooner; other `[word:...]` are about the
//! file and left out, save `[la:...]`. Stamps within a line (`<mm:ss.xx>`, "enhanced" or A2) are taken out.
use super::Limits;
use super::lyrics::{Line, Lyrics, language};
use super::text;

/// Reads lyrics of any kind. Text without a stamp becomes lines without times; where there are stamps, lines that have
/// none are left out. Cut at [`Limits::lyrics_bytes`].
#[must_use]
pub fn parse(text: &str, limits: &Limits) -> Lyrics {
    let text = text::lines(text.trim_start_matches('\u{feff}'), limits.lyrics_bytes).unwrap_or_default();
    let mut found = Found::default();
    for line in text.lines() {
        found.read(line.trim());
    }
    if found.stamped.is_empty() {
        let plain = |line: &str| Line { start_ms: None, text: line.trim_end().to_owned() };
        return Lyrics { language: found.language, lines: text.lines().map(plain).collect() };
    }
    found.stamped.sort_by_key(|(start, _)| *start);
    let offset = found.offset;
    let stamped = |(start, text): (i64, String)| Line { start_ms: Some(clamp(start - offset)), text };
    Lyrics { language: found.language, lines: found.stamped.into_iter().map(stamped).collect() }
}

fn clamp(millis: i64) -> u32 {
    u32::try_from(millis.max(0)).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Found {
    stamped: Vec<(i64, String)>,
    offset: i64,
    language: Option<String>,
}

/// A line with more stamps is none that a person wrote; it would multiply what has to be kept.
const STAMPS_MAX: usize = 64;

impl Found {
    fn read(&mut self, line: &str) {
        let (mut stamps, mut rest) = (Vec::new(), line);
        while let Some((inside, after)) = bracketed(rest) {
            match stamp(inside) {
                Some(start) if stamps.len() < STAMPS_MAX => stamps.push(start),
                Some(_) => {}
                None if stamps.is_empty() => return self.about(inside),
                None => break,
            }
            rest = after.trim_start();
        }
        let text = without_word_stamps(rest);
        self.stamped.extend(stamps.into_iter().map(|start| (start, text.clone())));
    }

    fn about(&mut self, inside: &str) {
        let Some((word, value)) = inside.split_once(':') else { return };
        match word.trim().to_ascii_lowercase().as_str() {
            "offset" => self.offset = value.trim().parse::<i32>().map_or(0, i64::from),
            "la" => self.language = language(value),
            _ => {}
        }
    }
}

fn bracketed(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once(']')
}

/// Milliseconds of `mm:ss`, `mm:ss.x`, `.xx`, `.xxx`, or with a second colon in the place of the dot.
fn stamp(inside: &str) -> Option<i64> {
    let (minutes, rest) = inside.trim().split_once(':')?;
    let (seconds, fraction) = rest.split_once(['.', ':', ',']).unwrap_or((rest, "0"));
    let number = |digits: &str, max: usize| {
        let fits = (1..=max).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if fits { digits.parse::<i64>().ok() } else { None }
    };
    let scale = [100, 10, 1].get(fraction.len().checked_sub(1)?)?;
    let (minutes, seconds) = (number(minutes, 4)?, number(seconds, 2)?);
    Some(minutes * 60_000 + seconds * 1000 + number(fraction, 3)? * scale)
}

fn without_word_stamps(line: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(line.len()), line);
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        match after.split_once('>').filter(|(inside, _)| stamp(inside).is_some()) {
            Some((_, after)) => rest = after,
            None => {
                kept.push('<');
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(Option<u32>, String)> {
        parse(text, &Limits::default()).lines.into_iter().map(|line| (line.start_ms, line.text)).collect()
    }

    fn at(start: u32, text: &str) -> (Option<u32>, String) {
        (Some(start), text.to_owned())
    }

    #[test]
    fn stamps_of_every_precision_are_read() {
        let text = "[00:01]one\n[00:02.5] two\n[00:03.25]three\r\n[01:04.125]four\n[2:05:50]five";
        let wanted = [at(1000, "one"), at(2500, "two"), at(3250, "three"), at(64_125, "four"), at(125_500, "five")];
        assert_eq!(lines(text), wanted);
    }

    #[test]
    fn a_line_with_several_stamps_is_sung_each_time() {
        assert_eq!(
            lines("[00:10.00][00:30.00]again\n[00:20.00]verse"),
            [at(10_000, "again"), at(20_000, "verse"), at(30_000, "again")]
        );
    }

    #[test]
    fn an_offset_moves_all_lines_and_none_before_the_start() {
        assert_eq!(lines("[offset:+500]\n[00:00.20]a\n[00:02.00]b"), [at(0, "a"), at(1500, "b")]);
        assert_eq!(lines("[00:02.00]b\n[offset: -500]"), [at(2500, "b")]);
    }

    #[test]
    fn what_is_about_the_file_is_left_out() {
        let lyrics =
            parse("\u{feff}[ti:Title]\n[ar:Artist]\n[la:en]\nby nobody\n[00:01.00]a\n[00:02.00]\n", &Limits::default());
        assert_eq!(lyrics.language.as_deref(), Some("en"));
        assert_eq!(
            lyrics.lines,
            [Line { start_ms: Some(1000), text: "a".into() }, Line { start_ms: Some(2000), text: String::new() }]
        );
    }

    #[test]
    fn stamps_of_words_are_taken_out_and_other_brackets_stay() {
        assert_eq!(lines("[00:01.00] <00:01.00> Hello <00:01.50> my <3 [x]"), [at(1000, "Hello my <3 [x]")]);
    }

    #[test]
    fn text_without_stamps_keeps_its_lines() {
        let lyrics = parse("Verse [1]\n\n[Chorus]\nla", &Limits::default());
        assert!(!lyrics.is_synced());
        assert_eq!(lyrics.text(), "Verse [1]\n\n[Chorus]\nla");
    }

    #[test]
    fn a_line_of_a_thousand_stamps_stays_small() {
        let text = format!("{}{}", "[00:01.00]".repeat(1000), "long ".repeat(100));
        assert_eq!(lines(&text).len(), STAMPS_MAX);
    }
}
