//! International standard book numbers (ISO 2108).

/// The thirteen digits of an ISBN of ten or thirteen, written with or without hyphens and `isbn:`; `None` where the check
/// digit is wrong.
#[must_use]
pub fn isbn13(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.rsplit(':').next().unwrap_or_default();
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ' | '\u{2010}'..='\u{2013}')).collect();
    match digits.len() {
        10 => from_ten(&digits),
        13 if (digits.starts_with("978") || digits.starts_with("979")) && is_right(&digits) => Some(digits),
        _ => None,
    }
}

fn from_ten(text: &str) -> Option<String> {
    let value = |(n, c): (usize, char)| if n == 9 && c == 'x' { Some(10) } else { c.to_digit(10) };
    let values: Vec<u32> = text.chars().enumerate().map(value).collect::<Option<_>>()?;
    let sum: u32 = values.iter().zip((1..=10).rev()).map(|(value, weight)| value * weight).sum();
    let body = format!("978{}", text.get(..9)?);
    let check = (10 - weighted(&body)? % 10) % 10;
    sum.is_multiple_of(11).then(|| format!("{body}{check}"))
}

fn is_right(digits: &str) -> bool {
    weighted(digits).is_some_and(|sum| sum.is_multiple_of(10))
}

/// Digits by one and three in turn.
fn weighted(digits: &str) -> Option<u32> {
    digits.chars().zip([1, 3].into_iter().cycle()).map(|(c, weight)| Some(c.to_digit(10)? * weight)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lengths_are_read_and_checked() {
        let wanted = Some("9780306406157".to_owned());
        for text in
            ["9780306406157", "978-0-306-40615-7", "urn:isbn:9780306406157", "0-306-40615-2", " ISBN:0306406152"]
        {
            assert_eq!(isbn13(text), wanted, "{text}");
        }
        assert_eq!(isbn13("080442957X"), Some("9780804429573".to_owned()));
        for text in ["9780306406158", "0306406153", "4006381333931", "", "ééééé", "08044295X7"] {
            assert_eq!(isbn13(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "([0-9xX-]{8,14}|\\PC{0,14})") {
            assert!(isbn13(&text).is_none_or(|isbn| isbn13(&isbn) == Some(isbn)));
        }
    }
}
