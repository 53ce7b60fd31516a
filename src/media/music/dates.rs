//! Dates as taggers write them.

/// `yyyy`, `yyyy-mm` or `yyyy-mm-dd` out of what begins with a year: also with `/` or `.`, without signs (`yyyymmdd`), or
/// with a time behind it. What is no month or day is left out; where the year comes last, only that is taken.
pub(super) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let day = text.split(['T', ' ']).next().unwrap_or_default();
    let mut parts = day.split(['-', '/', '.']);
    let first = parts.next().unwrap_or_default();
    let Some(year) = year(first.get(..4).unwrap_or_default()) else { return last_year(text) };
    let (month, day) = match first.len() {
        4 => (parts.next(), parts.next()),
        6 | 8 => (first.get(4..6), first.get(6..8)),
        _ => return last_year(text),
    };
    let number = |part: Option<&str>, max: u8| part?.parse::<u8>().ok().filter(|number| (1..=max).contains(number));
    Some(match (number(month, 12), number(day, 31)) {
        (Some(month), Some(day)) => format!("{year}-{month:02}-{day:02}"),
        (Some(month), None) => format!("{year}-{month:02}"),
        (None, _) => year.to_string(),
    })
}

fn year(digits: &str) -> Option<u16> {
    let all_digits = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    if all_digits { digits.parse().ok().filter(|year| (1000..=2999).contains(year)) } else { None }
}

/// `31/12/1999`, `12 May 1999`, `(p) 1999`.
fn last_year(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter_map(year).next_back().map(|year| year.to_string())
}

/// The year of such a date.
pub(super) fn year_of(date: &str) -> Option<u16> {
    date.get(..4)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_taggers_write_them() {
        for (text, wanted) in [
            ("1999", "1999"),
            ("1999-07", "1999-07"),
            ("1999-7-3", "1999-07-03"),
            ("1999/07/03", "1999-07-03"),
            ("1999.07.03", "1999-07-03"),
            ("19990703", "1999-07-03"),
            ("1999-07-03T12:30:00Z", "1999-07-03"),
            ("1999-07-03 12:30", "1999-07-03"),
            ("1999-00-00", "1999"),
            ("1999-13-01", "1999"),
            ("31/12/1999", "1999"),
            ("May 1999", "1999"),
        ] {
            assert_eq!(date(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "0000", "unknown", "99", "12345", "1999999", "äöü1"] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(year_of("1999-07"), Some(1999));
    }
}
