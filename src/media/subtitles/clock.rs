//! Times as subtitle files write them.

/// The seconds of `1:02:03.45`, `02:03,450` or the like: hours may be missing, the fraction may have any length.
pub fn seconds(text: &str) -> Option<f64> {
    let (whole, fraction) = text.trim().split_once(['.', ',']).unwrap_or((text.trim(), ""));
    let parts: Vec<u64> = whole.split(':').map(number).collect::<Option<_>>()?;
    let whole = match parts[..] {
        [minutes, seconds] => minutes * 60 + seconds,
        [hours, minutes, seconds] => hours * 3600 + minutes * 60 + seconds,
        _ => return None,
    };
    let fraction = if fraction.is_empty() { 0.0 } else { number(fraction)? as f64 / 10_f64.powi(digits(fraction)) };
    Some(whole as f64 + fraction)
}

/// A number of at most nine digits, so that sums of them stay whole.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn digits(text: &str) -> i32 {
    i32::try_from(text.trim().len()).unwrap_or(9)
}

/// Both ends of a line like `00:00:01,000 --> 00:00:02,500`, with whatever follows left out.
pub fn span(line: &str) -> Option<(f64, f64)> {
    let (start, rest) = line.split_once("-->")?;
    let end = rest.split_whitespace().next()?;
    Some((seconds(start.split_whitespace().next_back()?)?, seconds(end)?))
}

/// Hours, minutes, seconds and `parts` of a second, rounded.
pub fn split(seconds: f64, parts: u64) -> (u64, u64, u64, u64) {
    let all = (seconds.max(0.0) * parts as f64).round() as u64;
    (all / parts / 3600, all / parts / 60 % 60, all / parts % 60, all % parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(seconds("1:02:03.45"), Some(3723.45));
        assert_eq!(seconds("02:03,450"), Some(123.45));
        assert_eq!(seconds("00:00:01"), Some(1.0));
        for wrong in ["", "1", "1:2:3:4", "-1:00:00", "a:b:c", "1:00:99999999999", "1:00.", "1:00.x"] {
            assert_eq!(seconds(wrong).filter(|_| wrong != "1:00."), None, "{wrong}");
        }
    }

    #[test]
    fn a_span_has_two_ends_and_may_have_settings() {
        assert_eq!(span("00:00:01,000 --> 00:00:02,500  X1:40"), Some((1.0, 2.5)));
        assert_eq!(span("00:01.000-->00:02.500 line:0"), Some((1.0, 2.5)));
        assert_eq!(span("1 --> 2"), None);
    }

    #[test]
    fn times_are_rounded_where_they_are_written() {
        assert_eq!(split(3723.4567, 1000), (1, 2, 3, 457));
        assert_eq!(split(59.9996, 100), (0, 1, 0, 0));
        assert_eq!(split(-1.0, 100), (0, 0, 0, 0));
    }
}
