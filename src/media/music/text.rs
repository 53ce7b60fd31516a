//! Text as it is kept: without control characters, trimmed, and not longer than it may be.

/// One line of at most `max` characters; `None` where nothing is left. A line end becomes a space.
pub(super) fn line(text: &str, max: usize) -> Option<String> {
    let spaced = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
    let kept: String = spaced.filter(|c| !is_unwanted(*c)).skip_while(|c| c.is_whitespace()).take(max).collect();
    let kept = kept.trim_end();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Several lines of at most `max` bytes together, with one kind of line end.
pub(super) fn lines(text: &str, max: usize) -> Option<String> {
    let text = text.get(..max).unwrap_or_else(|| head(text, max));
    let one_end = text.replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n");
    let kept: String = one_end.chars().filter(|c| matches!(c, '\n' | '\t') || !is_unwanted(*c)).collect();
    let kept = kept.trim_end().trim_start_matches('\n');
    (!kept.trim().is_empty()).then(|| kept.to_owned())
}

/// At most `max` bytes, whole characters only.
pub(super) fn head(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn is_unwanted(c: char) -> bool {
    c.is_control() || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{200b}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_clean_and_short() {
        assert_eq!(line("  A\u{0}b\r\nc\u{7}\u{feff} ", 100).as_deref(), Some("Ab  c"));
        assert_eq!(line(" äöü ", 2).as_deref(), Some("äö"));
        assert_eq!(line(" \u{0}\t", 100), None);
    }

    #[test]
    fn lines_keep_their_ends_and_are_cut_at_a_character() {
        assert_eq!(lines("\r\na\r\n\r\n b\rc\n\n", 100).as_deref(), Some("a\n\n b\nc"));
        assert_eq!(lines("aäb", 2).as_deref(), Some("a"));
        assert_eq!(lines("\n \n", 100), None);
    }
}
