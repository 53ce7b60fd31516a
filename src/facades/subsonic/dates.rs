//! Times as programs read them: ISO 8601 in UTC.
use jiff::Timestamp;

/// Of Unix milliseconds; to the second, which is what old programs read.
pub(super) fn instant(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_utc_and_has_a_fixed_length() {
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant(1_700_000_000_123), "2023-11-14T22:13:20Z");
        assert_eq!(instant(i64::MAX), "1970-01-01T00:00:00Z");
    }
}
