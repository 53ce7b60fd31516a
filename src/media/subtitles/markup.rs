//! Cue text of other formats as WebVTT cue text: `<i>`, `<b>` and `<u>` are kept, balanced; everything else that is not
//! text goes, and what would be read as markup is escaped.

/// Builds cue text.
#[derive(Default)]
pub struct Builder {
    text: String,
    open: Vec<char>,
}

/// Marks nested deeper than this are left out.
const DEPTH_MAX: usize = 8;

impl Builder {
    /// A character that is shown.
    pub fn push(&mut self, character: char) {
        match character {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            '\r' | '\0' => (),
            // An empty line would end the cue.
            '\n' if self.text.ends_with('\n') || self.text.is_empty() => (),
            other => self.text.push(other),
        }
    }

    /// An escape that WebVTT knows, as it is.
    fn push_escape(&mut self, escape: &str) {
        self.text.push_str(escape);
    }

    /// Begins or ends italic, bold or underlined text.
    pub fn mark(&mut self, kind: char, on: bool) {
        if !matches!(kind, 'i' | 'b' | 'u') || on == self.open.contains(&kind) {
            return;
        }
        if on && self.open.len() < DEPTH_MAX {
            self.open.push(kind);
            self.tag("", kind);
        } else if let Some(at) = self.open.iter().rposition(|other| *other == kind) {
            // What was begun inside ends too, and begins again.
            let inside = self.open.split_off(at);
            inside.iter().rev().for_each(|kind| self.tag("/", *kind));
            for kind in inside.into_iter().skip(1) {
                self.open.push(kind);
                self.tag("", kind);
            }
        }
    }

    fn tag(&mut self, slash: &str, kind: char) {
        self.text.push('<');
        self.text.push_str(slash);
        self.text.push(kind);
        self.text.push('>');
    }

    /// The finished text, every mark ended.
    pub fn finish(mut self) -> String {
        while let Some(kind) = self.open.pop() {
            self.tag("/", kind);
        }
        let lines: Vec<&str> = self.text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let text = lines.join("\n");
        if is_blank(&text) { String::new() } else { text }
    }
}

/// Whether only marks and space are left.
fn is_blank(text: &str) -> bool {
    let mut inside = false;
    !text.chars().any(|character| match character {
        '<' => {
            inside = true;
            false
        }
        '>' => {
            inside = false;
            false
        }
        other => !inside && !other.is_whitespace(),
    })
}

/// SubRip: tags like HTML's, and what some programs carry over from ASS (`{\an8}`).
#[must_use]
pub fn from_srt(text: &str) -> String {
    let mut builder = Builder::default();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = tag(rest, &mut builder).or_else(|| override_block(rest)) {
            rest = after;
            continue;
        }
        let (escape, after) = escape(rest);
        match escape {
            Some(escape) => builder.push_escape(escape),
            None => builder.push(character),
        }
        rest = if escape.is_some() { after } else { &rest[character.len_utf8()..] };
    }
    builder.finish()
}

/// WebVTT: other tags than the three are left out, and so are classes and times.
#[must_use]
pub fn from_vtt(text: &str) -> String {
    let mut builder = Builder::default();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character == '<' {
            // A tag without an end hides what follows, as in browsers.
            let Some((inside, after)) = rest[1..].split_once('>') else { break };
            mark(inside, &mut builder);
            rest = after;
            continue;
        }
        let (escape, after) = escape(rest);
        match escape {
            Some(escape) => builder.push_escape(escape),
            None => builder.push(character),
        }
        rest = if escape.is_some() { after } else { &rest[character.len_utf8()..] };
    }
    builder.finish()
}

/// What follows a tag, if `text` begins with one. `<` alone is text: "I <3 you".
fn tag<'a>(text: &'a str, builder: &mut Builder) -> Option<&'a str> {
    let body = text.strip_prefix('<')?;
    // Stops at the next that may be one, so that text of nothing but `<` is looked through once.
    let (inside, after) = body.split_at_checked(body.find(['<', '>', '\n'])?)?;
    let after = after.strip_prefix('>')?;
    if !inside.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    mark(inside, builder);
    Some(after)
}

fn mark(inside: &str, builder: &mut Builder) {
    let (name, on) = inside.strip_prefix('/').map_or((inside, true), |name| (name, false));
    let name = name.split(['.', ' ', '\t', '\n']).next().unwrap_or_default();
    let mut letters = name.chars();
    if let (Some(kind), None) = (letters.next(), letters.next()) {
        builder.mark(kind.to_ascii_lowercase(), on);
    }
}

fn override_block(text: &str) -> Option<&str> {
    let body = text.strip_prefix("{\\")?;
    let (_, after) = body.split_at_checked(body.find(['{', '}', '\n'])?)?;
    after.strip_prefix('}')
}

/// An escape of WebVTT at the beginning of `text`, and what follows.
fn escape(text: &str) -> (Option<&str>, &str) {
    const KNOWN: [&str; 6] = ["&amp;", "&lt;", "&gt;", "&nbsp;", "&lrm;", "&rlm;"];
    match KNOWN.iter().find(|known| text.starts_with(**known)) {
        Some(known) => (Some(known), &text[known.len()..]),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srt_markup_is_kept_where_webvtt_has_it() {
        assert_eq!(from_srt("<I>Hello</I> <font color=\"red\">you</font>"), "<i>Hello</i> you");
        assert_eq!(from_srt("{\\an8}above"), "above");
        assert_eq!(from_srt("I <3 you & <b>them"), "I &lt;3 you &amp; <b>them</b>");
        assert_eq!(from_srt("a --> b"), "a --&gt; b");
        assert_eq!(from_srt("one\n\n\ntwo\n"), "one\ntwo");
        assert_eq!(from_srt("</i><i> </i>"), "");
    }

    #[test]
    fn marks_that_overlap_are_balanced() {
        assert_eq!(from_srt("<i>a<b>b</i>c</b>"), "<i>a<b>b</b></i><b>c</b>");
        assert_eq!(from_srt("<i><i>a</i></i>"), "<i>a</i>");
    }

    #[test]
    fn webvtt_keeps_its_escapes_and_loses_classes_and_times() {
        assert_eq!(from_vtt("<v Fred>Hi <i.loud>you</i> <00:01.000>&amp; me &x"), "Hi <i>you</i> &amp; me &amp;x");
        assert_eq!(from_vtt("a <unfinished"), "a");
    }
}
