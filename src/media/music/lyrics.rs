//! Lyrics, whatever form they came in.
use serde::{Deserialize, Serialize};

/// A line, and when it is sung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds from the beginning of the track; absent where no times are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u32>,
    /// Empty for a pause.
    pub text: String,
}

/// One set of lyrics: all of its lines have times, in order, or none has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lyrics {
    /// ISO 639, two or three letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// From the first to the last.
    pub lines: Vec<Line>,
}

impl Lyrics {
    /// Whether it is known when each line is sung.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.lines.first().is_some_and(|line| line.start_ms.is_some())
    }

    /// Everything as one text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// A language's letters in lower case; `None` for `xxx`, `und` and what is none.
pub(super) fn language(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_ascii_lowercase();
    let letters = word.split(['-', '_']).next().unwrap_or_default();
    let known = matches!(letters.len(), 2 | 3) && letters.bytes().all(|b| b.is_ascii_lowercase());
    (known && !matches!(letters, "xxx" | "und" | "zxx")).then(|| letters.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_letters_or_nothing() {
        assert_eq!(language("ENG").as_deref(), Some("eng"));
        assert_eq!(language("pt-BR").as_deref(), Some("pt"));
        assert_eq!((language("XXX"), language("\0\0\0"), language("e1")), (None, None, None));
    }
}
