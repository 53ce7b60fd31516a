//! The order in which people expect names: numbers by their value, letters without case and accents, folder by folder.
use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What a name is sorted by. Keys are in a total order, and only equal names have equal keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    folders: Vec<Vec<Piece>>,
    /// Decides between names that differ only in case, accents, leading zeros or extension.
    name: String,
}

/// Part of a folder's or a file's name. Numbers come before text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// Digits without leading zeros: of two numbers the longer is larger, so that no value is too large.
    Number { len: usize, digits: String },
    /// Folded.
    Text(String),
}

impl OrderKey {
    /// The key of a path in an archive, with `/` or `\` between folders. The extension counts last.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let mut parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
        if let Some(file) = parts.last_mut()
            && let Some((stem, extension)) = file.rsplit_once('.')
            && extension.len() <= 5
            && !stem.is_empty()
        {
            *file = stem;
        }
        Self { folders: parts.into_iter().map(pieces).collect(), name: name.to_owned() }
    }
}

/// Which of two names comes first. For more than a few names, sort by [`OrderKey`].
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    OrderKey::of(a).cmp(&OrderKey::of(b))
}

fn pieces(part: &str) -> Vec<Piece> {
    let folded: String = if part.is_ascii() {
        part.to_ascii_lowercase()
    } else {
        part.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
    };
    let mut pieces = Vec::new();
    let mut rest = folded.trim();
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(if digits { number(piece) } else { Piece::Text(piece.to_owned()) });
        rest = after;
    }
    pieces
}

fn number(digits: &str) -> Piece {
    let digits = digits.trim_start_matches('0');
    Piece::Number { len: digits.len(), digits: digits.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted<const N: usize>(mut names: [&str; N]) -> [&str; N] {
        names.sort_by(|a, b| compare(a, b));
        names
    }

    #[test]
    fn numbers_go_by_their_value() {
        let wanted = ["1.jpg", "2.jpg", "9.jpg", "010.jpg", "11.jpg", "100.jpg"];
        assert_eq!(sorted(["100.jpg", "11.jpg", "2.jpg", "010.jpg", "1.jpg", "9.jpg"]), wanted);
        let large = ["p99999999999999999999998.jpg", "p99999999999999999999999.jpg", "p100000000000000000000000.jpg"];
        assert_eq!(sorted([large[2], large[1], large[0]]), large);
    }

    #[test]
    fn folders_go_by_their_own_number() {
        let wanted = ["ch1/10.jpg", "ch2/1.jpg", "ch10/1.jpg", "ch10.5/1.jpg"];
        assert_eq!(sorted([wanted[2], wanted[3], wanted[0], wanted[1]]), wanted);
        assert_eq!(sorted(["b\\1.jpg", "a/2.jpg"]), ["a/2.jpg", "b\\1.jpg"]);
    }

    #[test]
    fn case_accents_and_extensions_count_last() {
        assert_eq!(sorted(["Éa.jpg", "eb.jpg", "EC.jpg"]), ["Éa.jpg", "eb.jpg", "EC.jpg"]);
        assert_eq!(sorted(["1.png", "2.avif", "10.avif"]), ["1.png", "2.avif", "10.avif"]);
        assert_eq!(
            sorted(["page 1-2.jpg", "page 1.jpg", "page 1a.jpg"]),
            ["page 1.jpg", "page 1-2.jpg", "page 1a.jpg"]
        );
        assert_eq!(sorted(["２.jpg", "１０.jpg", "1.jpg"]), ["1.jpg", "２.jpg", "１０.jpg"]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(
            a in "([aAéÉ.0-9/\\\\ -]{0,8}|\\PC{0,6})",
            b in "([aAéÉ.0-9/\\\\ -]{0,8}|\\PC{0,6})",
            c in "([aAéÉ.0-9/\\\\ -]{0,8}|\\PC{0,6})",
        ) {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b) == Ordering::Equal, a == b);
            if compare(&a, &b) != Ordering::Greater && compare(&b, &c) != Ordering::Greater {
                prop_assert_ne!(compare(&a, &c), Ordering::Greater);
            }
        }

        #[test]
        fn numbers_are_in_order(a in 0u64.., b in 0u64.., zeros in 0usize..4) {
            let name = |n: u64| format!("x {}{n}.jpg", "0".repeat(zeros));
            prop_assert_eq!(compare(&name(a), &format!("x {b}.jpg")).then(Ordering::Equal) == Ordering::Less, a < b || (a == b && zeros > 0));
        }
    }
}
