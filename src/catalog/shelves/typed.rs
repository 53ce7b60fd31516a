//! What a person typed to find a series or a book, as conditions: words that must all be in a title, `"words in a row"`,
//! and `field:value`. Pure; no text is refused, and none is an operator of the database.
use super::condition::{Condition, WordField};
use crate::catalog::sorting::fold;

/// Longest text, in characters; the rest is left out.
const TEXT_MAX: usize = 256;
/// Words at most; the rest is left out.
const WORDS_MAX: usize = 16;

/// The conditions that a text stands for; `None` where nothing was typed.
#[must_use]
pub fn typed(text: &str) -> Option<Condition> {
    let text: String = text.chars().take(TEXT_MAX).collect();
    let parts: Vec<Condition> = split(&text).into_iter().take(WORDS_MAX).filter_map(condition).collect();
    if parts.is_empty() {
        // Only signs were typed: they are in no title.
        return (!text.trim().is_empty()).then(|| Condition::Any(Vec::new()));
    }
    Some(Condition::All(parts))
}

/// A word with the field that stands before it.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    field: Option<String>,
    text: String,
}

/// Words, those in quotes together.
fn split(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (part, after) = next(rest);
        parts.push(part);
        rest = after.trim_start();
    }
    parts
}

fn next(text: &str) -> (Part, &str) {
    let ends = |c: char| c.is_whitespace() || c == '"';
    let word = &text[..text.find(ends).unwrap_or(text.len())];
    let named = word
        .split_once(':')
        .filter(|(field, _)| !field.is_empty() && field.chars().all(|c| c.is_ascii_alphabetic() || c == '_'));
    let (field, value) = match named {
        Some((field, _)) => (Some(field.to_lowercase()), &text[field.len() + 1..]),
        None => (None, text),
    };
    if let Some(quoted) = value.strip_prefix('"') {
        let end = quoted.find('"').unwrap_or(quoted.len());
        let after = quoted.get(end + 1..).unwrap_or_default();
        return (Part { field, text: quoted[..end].to_owned() }, after);
    }
    let end = value.find(ends).unwrap_or(value.len());
    (Part { field, text: value[..end].to_owned() }, &value[end..])
}

fn condition(part: Part) -> Option<Condition> {
    let Part { field, text } = part;
    let Some(field) = field else { return plain(&text) };
    let word = |field| Some(Condition::Word(field, text.clone()));
    match field.as_str() {
        _ if text.trim().is_empty() => plain(&field),
        "title" => plain(&text),
        "genre" => word(WordField::Genre),
        "tag" | "series_tag" | "book_tag" => word(WordField::Tag),
        "publisher" => word(WordField::Publisher),
        "language" => word(WordField::Language),
        "sharing_label" => word(WordField::Label),
        "author" => word(WordField::Author),
        "status" => Some(Condition::Status(text.to_uppercase())),
        "isbn" => Some(Condition::Isbn(text.replace('-', ""))),
        "deleted" => Some(is(Condition::Trashed, &text)),
        "complete" => Some(is(Condition::Complete, &text)),
        "oneshot" => Some(is(Condition::OneShot, &text)),
        "writer" | "penciller" | "inker" | "colorist" | "letterer" | "cover" | "editor" | "translator" => {
            Some(Condition::Author { name: Some(text), role: Some(field) })
        }
        _ => Some(Condition::All([plain(&field), plain(&text)].into_iter().flatten().collect())),
    }
}

fn is(condition: Condition, text: &str) -> Condition {
    if text.eq_ignore_ascii_case("true") { condition } else { Condition::Not(Box::new(condition)) }
}

/// The words of a text without the signs around them; `None` where there is nothing but signs.
fn plain(text: &str) -> Option<Condition> {
    let text = fold(text);
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    (!text.is_empty()).then(|| Condition::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        match typed(text) {
            Some(Condition::All(parts)) => parts.into_iter().map(|part| format!("{part:?}")).collect(),
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn words_are_found_each_and_quoted_ones_in_a_row() {
        assert_eq!(texts("Étoile  noire"), ["Text(\"etoile\")", "Text(\"noire\")"]);
        assert_eq!(texts("\"dark star\" x"), ["Text(\"dark star\")", "Text(\"x\")"]);
        assert_eq!(texts("東京喰"), ["Text(\"東京喰\")"]);
        assert_eq!(typed("  "), None);
    }

    #[test]
    fn a_field_asks_for_its_own_words() {
        assert_eq!(texts("genre:\"slice of life\""), ["Word(Genre, \"slice of life\")"]);
        assert_eq!(texts("status:ended"), ["Status(\"ENDED\")"]);
        assert_eq!(texts("re:zero"), ["All([Text(\"re\"), Text(\"zero\")])"]);
        assert_eq!(texts("title:"), ["Text(\"title\")"]);
    }

    #[test]
    fn signs_alone_find_nothing_and_break_nothing() {
        for text in ["*", "\"", "(((", ":", "-- ;", "\0"] {
            assert_eq!(typed(text), Some(Condition::Any(Vec::new())), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC*|[\"a: ]{0,40}") {
            let _ = typed(&text);
        }

        #[test]
        fn splitting_ends_and_loses_no_word(words in proptest::collection::vec("[a-z]{1,8}", 0..10)) {
            let found: Vec<String> = split(&words.join(" ")).into_iter().map(|part| part.text).collect();
            prop_assert_eq!(found, words);
        }
    }
}
