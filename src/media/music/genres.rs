//! Genres and other words that come in lists.
//!
//! Several fields, or values within one, are several genres. One value is split at `;`, at ` / ` with spaces and at a
//! comma with a space. `Hip-Hop/Rap` and `R&B/Soul` are single genres in the shops and stay whole, and so does Discogs'
//! `Folk, World, & Country`, which has a `&` behind a comma.

/// The words of these values, each once, in order.
pub(super) fn split(values: &[&str], max: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in values.iter().flat_map(|value| value.split(';')).flat_map(|part| part.split(" / ")).flat_map(commas) {
        let word = word.trim();
        let known = found.iter().any(|other| other.eq_ignore_ascii_case(word));
        if !word.is_empty() && !known && found.len() < max {
            found.push(word.to_owned());
        }
    }
    found
}

fn commas(part: &str) -> Vec<&str> {
    if part.contains(", &") || part.contains(", and ") { vec![part] } else { part.split(", ").collect() }
}

/// What an ID3 genre field means: `17`, `(17)`, `(17)Rock`, `(51)(39)`, `(RX)` and `((words)` (ID3v2.3, section 4.2.1, TCON).
pub(super) fn of_id3(field: &str, by_number: &[&str]) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), field.trim());
    while let Some((reference, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        let Some(name) = by_reference(reference, by_number) else { break };
        found.push(name.to_owned());
        rest = after.trim_start();
    }
    let rest = rest.strip_prefix("((").map(|rest| format!("({rest}")).unwrap_or_else(|| rest.to_owned());
    match by_reference(&rest, by_number) {
        Some(name) => found.push(name.to_owned()),
        // Words behind a number refine it, and most often only repeat it.
        None if !rest.is_empty() => found = vec![rest],
        None => {}
    }
    found
}

fn by_reference<'a>(reference: &str, by_number: &[&'a str]) -> Option<&'a str> {
    match reference {
        "RX" => Some("Remix"),
        "CR" => Some("Cover"),
        _ if reference.is_empty() || !reference.bytes().all(|b| b.is_ascii_digit()) => None,
        _ => by_number.get(reference.parse::<usize>().ok()?).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_and_a_shops_genre_is_not() {
        assert_eq!(split(&["Rock; Pop", "rock", "Jazz / Blues"], 9), ["Rock", "Pop", "Jazz", "Blues"]);
        assert_eq!(split(&["Rock, Indie"], 9), ["Rock", "Indie"]);
        assert_eq!(
            split(&["Hip-Hop/Rap", "R&B/Soul", "Folk, World, & Country"], 9),
            ["Hip-Hop/Rap", "R&B/Soul", "Folk, World, & Country"]
        );
        assert_eq!(split(&["a;b;c"], 2), ["a", "b"]);
    }

    #[test]
    fn numbers_of_id3_are_genres() {
        let names = ["Blues", "Classic Rock", "Country"];
        for (field, wanted) in [
            ("1", vec!["Classic Rock"]),
            ("(1)", vec!["Classic Rock"]),
            ("(1)(2)", vec!["Classic Rock", "Country"]),
            ("(1)Hard Rock", vec!["Hard Rock"]),
            ("(RX)", vec!["Remix"]),
            ("((Odd)", vec!["(Odd)"]),
            ("(2000)", vec!["(2000)"]),
            ("Rock (live)", vec!["Rock (live)"]),
            ("", vec![]),
        ] {
            assert_eq!(of_id3(field, &names), wanted, "{field}");
        }
    }
}
