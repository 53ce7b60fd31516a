//! Times and sizes as Komga writes them.
use jiff::Timestamp;

/// `yyyy-MM-dd'T'HH:mm:ss'Z'` of Unix milliseconds.
pub(super) fn instant(milliseconds: i64) -> String {
    formatted(milliseconds, "%Y-%m-%dT%H:%M:%SZ")
}

/// With milliseconds, as in Readium's documents.
pub(super) fn exact(milliseconds: i64) -> String {
    formatted(milliseconds, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// With milliseconds and an offset, as in errors.
pub(super) fn stamp(milliseconds: i64) -> String {
    formatted(milliseconds, "%Y-%m-%dT%H:%M:%S%.3f+00:00")
}

/// As in HTTP headers (RFC 9110, 5.6.7).
pub(super) fn http(milliseconds: i64) -> String {
    formatted(milliseconds, "%a, %d %b %Y %H:%M:%S GMT")
}

fn formatted(milliseconds: i64, format: &str) -> String {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH).strftime(format).to_string()
}

/// `24.6 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1024.0, 0);
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_whole_seconds_and_errors_milliseconds() {
        assert_eq!(instant(1_767_261_600_999), "2026-01-01T10:00:00Z");
        assert_eq!(stamp(1_767_261_600_078), "2026-01-01T10:00:00.078+00:00");
        assert_eq!(http(1_767_261_600_000), "Thu, 01 Jan 2026 10:00:00 GMT");
        assert_eq!(instant(i64::MAX), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn sizes_are_in_binary_units() {
        let told: Vec<String> = [1, 1023, 1024, 25_796_608, 1 << 30, u64::MAX].map(size).into();
        assert_eq!(told, ["1 B", "1023 B", "1.0 KiB", "24.6 MiB", "1.0 GiB", "16384.0 PiB"]);
    }
}
