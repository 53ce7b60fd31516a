//! How titles sort: without case, accents and a leading article, and with numbers by their value.
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Digits that a number is padded to in a sort key.
const DIGITS: usize = 8;

/// Lower case, without accents, punctuation at the start and a leading English article.
///
/// Other languages' articles stay: "Die Hard" is no German film.
#[must_use]
pub fn sort_title(title: &str) -> String {
    let folded = fold(title);
    let plain = folded.trim_start_matches(|c: char| !c.is_alphanumeric());
    let rest = ["the ", "an ", "a "].iter().find_map(|article| plain.strip_prefix(article)).map(str::trim_start);
    match rest {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ if plain.is_empty() => folded.trim().to_owned(),
        _ => plain.trim_end().to_owned(),
    }
}

/// Without case and accents: what two spellings of one name have in common.
#[must_use]
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// The key that a list by title is ordered by, compared byte by byte: numbers are padded, so that 2 comes before 10.
#[must_use]
pub fn sort_key(sort_title: &str) -> String {
    let mut key = String::with_capacity(sort_title.len() + DIGITS);
    let mut rest = sort_title;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let number = from[..end].trim_start_matches('0');
        key.push_str(before);
        key.extend(std::iter::repeat_n('0', DIGITS.saturating_sub(number.len())));
        key.push_str(number);
        rest = &from[end..];
    }
    key.push_str(rest);
    key
}

/// The key of an episode: after its show, by season and number; unknown numbers last.
#[must_use]
pub fn episode_key(show: &str, season: Option<i32>, episode: Option<i32>, sort_title: &str) -> String {
    let number = |n: Option<i32>| n.map_or_else(|| "~".to_owned(), |n| format!("{n:05}"));
    format!("{}\u{1}{}\u{1}{}\u{1}{}", sort_key(show), number(season), number(episode), sort_key(sort_title))
}

/// The key of a book: after its series, by number, and those of one number by title.
#[must_use]
pub fn book_key(series: &str, number: f64, sort_title: &str) -> String {
    let number = if number.is_finite() { number.clamp(0.0, 9_999_999.0) } else { 0.0 };
    format!("{}\u{1}{number:011.3}\u{1}{}", sort_key(series), sort_key(sort_title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_case_accents_and_leading_punctuation_do_not_sort() {
        assert_eq!(sort_title("The Étoile"), "etoile");
        assert_eq!(sort_title("A Quiet Place"), "quiet place");
        assert_eq!(sort_title("'Allo 'Allo!"), "allo 'allo!");
        assert_eq!(sort_title("The"), "the");
        assert_eq!(sort_title("A "), "a");
        assert_eq!(sort_title("Die Hard"), "die hard");
        assert_eq!(sort_title("???"), "???");
    }

    #[test]
    fn numbers_sort_by_value() {
        let mut titles = ["Part 10", "Part 2", "Part 9b", "part 02"].map(|t| sort_key(&sort_title(t)));
        titles.sort();
        assert_eq!(titles, ["part 00000002", "part 00000002", "part 00000009b", "part 00000010"]);
    }

    #[test]
    fn episodes_sort_by_season_and_number_within_their_show() {
        let mut keys = [
            episode_key("dune", Some(10), Some(1), "x"),
            episode_key("dune", Some(2), Some(10), "x"),
            episode_key("dune", Some(2), Some(9), "x"),
            episode_key("dune", None, None, "x"),
            sort_key("dune part 2"),
        ];
        let wanted = [keys[2].clone(), keys[1].clone(), keys[0].clone(), keys[3].clone(), keys[4].clone()];
        keys.sort();
        assert_eq!(keys, wanted);
    }
}
