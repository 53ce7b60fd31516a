//! What the name of a book's file tells: its title and its number in the series.
//!
//! Of several numbers a chapter's counts first (`Chapter 10.5`, `c002`, `第3話`), then an issue's (`#12`), then a volume's
//! (`Vol. 03`, `v01`, `第3巻`), then the last that stands alone (`Series Name 003`). What is in brackets does not count.
use serde::{Deserialize, Serialize};

/// Digits of a number before its point; longer ones are no numbers of books.
const DIGITS_MAX: usize = 9;

/// What a name tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BookName {
    /// Without what is in brackets, with single spaces.
    pub title: String,
    /// Such as `3` or `10.5`: no leading zeros.
    pub number: Option<String>,
    /// The same to sort by.
    pub sort: Option<f32>,
}

impl BookName {
    /// Of a file's name without its extension, or of a folder's.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        let plain = plain(name);
        let number = number(&plain);
        let sort = number.as_ref().and_then(|number| number.parse().ok());
        Self { title: plain, number, sort }
    }
}

/// Without brackets and underscores; the name as it is where nothing else is left.
fn plain(name: &str) -> String {
    let mut depth = 0usize;
    let outside = |c: &char| match c {
        '(' | '[' | '{' => {
            depth += 1;
            false
        }
        ')' | ']' | '}' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    };
    let kept: String = name.chars().filter(outside).map(|c| if c == '_' { ' ' } else { c }).collect();
    let line = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches([' ', '-', ',', '.']);
    if line.is_empty() { name.trim().to_owned() } else { line.to_owned() }
}

/// What a number counts; the first in order is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counts {
    Chapter,
    Issue,
    Volume,
    Nothing,
}

const CHAPTER: [&str; 9] = ["chapter", "chap", "ch", "c", "episode", "ep", "chapitre", "kapitel", "capítulo"];
const ISSUE: [&str; 4] = ["issue", "no", "nr", "nº"];
const VOLUME: [&str; 9] = ["volume", "vol", "v", "tome", "t", "band", "bd", "tomo", "том"];

fn number(plain: &str) -> Option<String> {
    let mut best: Option<(Counts, &str)> = None;
    for (start, digits) in numbers(plain) {
        let Some(counts) = counts(&plain[..start], &plain[start + digits.len()..]) else { continue };
        let better = match best {
            None => true,
            // The last that stands alone, else the first of its kind.
            Some((known, _)) => counts < known || (counts == known && counts == Counts::Nothing),
        };
        if better {
            best = Some((counts, digits));
        }
    }
    best.map(|(_, digits)| without_zeros(digits))
}

/// Digits with a fraction or without, and where they begin.
fn numbers(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(|c: char| c.is_ascii_digit()).map(|at| from + at) {
        let len = digits_len(&text[start..]);
        let fraction = text[start + len..].strip_prefix('.').map_or(0, digits_len);
        let end = if fraction > 0 { start + len + 1 + fraction } else { start + len };
        if len <= DIGITS_MAX && fraction <= DIGITS_MAX {
            found.push((start, &text[start..end]));
        }
        from = end;
    }
    found
}

fn digits_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// What a number between these counts; `None` where it is part of a word or the end of a range.
fn counts(before: &str, after: &str) -> Option<Counts> {
    match after.chars().next() {
        Some('話' | '话' | '章' | '화') => return Some(Counts::Chapter),
        Some('巻' | '卷' | '권') => return Some(Counts::Volume),
        // `2nd`, `3x`; but a volume may be followed at once by a chapter: `v01c002`.
        Some(letter) if letter.is_alphabetic() && !follows_on(after) => return None,
        _ => {}
    }
    if before.ends_with('#') {
        return Some(Counts::Issue);
    }
    let gap = before.trim_end_matches([' ', '.', '-', ':']);
    let from = gap.char_indices().rev().take_while(|(_, c)| c.is_alphabetic()).last().map_or(gap.len(), |(at, _)| at);
    let word = gap[from..].to_lowercase();
    match word.as_str() {
        word if CHAPTER.contains(&word) => Some(Counts::Chapter),
        word if ISSUE.contains(&word) => Some(Counts::Issue),
        word if VOLUME.contains(&word) => Some(Counts::Volume),
        _ if before.ends_with(char::is_alphabetic) => None,
        _ if before.strip_suffix('-').is_some_and(|left| left.ends_with(|c: char| c.is_ascii_digit())) => None,
        _ => Some(Counts::Nothing),
    }
}

/// Whether a word for a chapter and a digit come at once.
fn follows_on(after: &str) -> bool {
    let rest = after.trim_start_matches(char::is_alphabetic);
    let word = after[..after.len() - rest.len()].to_lowercase();
    CHAPTER.contains(&word.as_str()) && rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

fn without_zeros(digits: &str) -> String {
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() || trimmed.starts_with('.') { format!("0{trimmed}") } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_found_in_the_usual_names() {
        let names = [
            ("Vol. 03", "3"),
            ("Chapter 10.5", "10.5"),
            ("#12", "12"),
            ("Some Series #012", "12"),
            ("v01 c002", "2"),
            ("v01c002", "2"),
            ("Series Name 003 (2012) (Digital)", "3"),
            ("Series_Name_v03_[Group]", "3"),
            ("Series Name - Tome 7", "7"),
            ("001", "1"),
            ("Series 2 - 005", "5"),
            ("Series Ch.010-012", "10"),
            ("Series 001-003", "1"),
            ("進撃の巨人 第3巻", "3"),
            ("第12話 2", "12"),
            ("Blade Runner 2049 004", "4"),
            ("Series 000", "0"),
            ("Series 0.5", "0.5"),
            ("(2012)", "2012"),
            ("Vol.1 Ch.7.5 - The 3 Kings", "7.5"),
        ];
        for (name, wanted) in names {
            assert_eq!(BookName::parse(name).number.as_deref(), Some(wanted), "{name}");
        }
        for name in ["Some Book", "The 2nd Sex", "R2D2", "Series Name (2012)", "", "()", "x123456789012"] {
            assert_eq!(BookName::parse(name).number, None, "{name}");
        }
    }

    #[test]
    fn a_title_loses_its_brackets() {
        let title = |name: &str| BookName::parse(name).title;
        assert_eq!(title("Series_Name  003 (2012) (Digital) [a (b)]"), "Series Name 003");
        assert_eq!(title("[Group] Title - "), "Title");
        assert_eq!(title("(2012)"), "(2012)");
        assert_eq!(BookName::parse("Ch 010.50").sort, Some(10.5));
    }

    proptest! {
        #[test]
        fn no_name_is_too_strange(name in "([0-9]{1,12}|[.#-]|[vcVC]|Vol|[()\\[\\]_ ]|第|話|\\PC){0,20}") {
            let parsed = BookName::parse(&name);
            prop_assert_eq!(parsed.number.is_some(), parsed.sort.is_some_and(f32::is_finite));
            prop_assert!(parsed.title.len() <= name.len());
        }
    }
}
