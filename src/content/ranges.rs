//! The HTTP `Range` header (RFC 9110, section 14) and the gateway's `entity-bytes`, as pure functions.
use std::ops::Range;

/// What a `Range` header asks of a representation of a known size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Answer the whole with 200: no header, or one that is not understood.
    Whole,
    /// Answer 206 with these bytes; never empty. Of several ranges they are the first that is there: a server may send a part of
    /// what is asked (RFC 9110, 15.3.7), and need not know answers in several parts.
    Part(Range<u64>),
    /// Answer 416: nothing of what is asked is there.
    Unsatisfiable,
}

/// Reads a `Range` header for a representation of `size` bytes.
#[must_use]
pub fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(specs) = header.and_then(byte_specs) else { return Wanted::Whole };
    let parsed: Option<Vec<Spec>> = specs.split(',').map(str::trim).filter(|s| !s.is_empty()).map(spec).collect();
    let Some(parsed) = parsed else { return Wanted::Whole };
    if parsed.is_empty() {
        return Wanted::Whole;
    }
    parsed.iter().find_map(|spec| spec.resolve(size)).map_or(Wanted::Unsatisfiable, Wanted::Part)
}

/// Reads the gateway's `entity-bytes=from:to` (`to` may be `*`; negative numbers count from the end; `to` is inclusive)
/// for an entity of `size` bytes. The range may be empty.
///
/// `None` when it is malformed.
#[must_use]
pub fn entity_bytes(text: &str, size: u64) -> Option<Range<u64>> {
    let (from, to) = text.split_once(':')?;
    let at = |text: &str| -> Option<i128> {
        let number: i64 = text.parse().ok()?;
        Some(if number < 0 { i128::from(size) + i128::from(number) } else { i128::from(number) })
    };
    let start = at(from)?.max(0);
    let end = if to == "*" { i128::from(size) } else { at(to)? + 1 };
    let end = end.clamp(0, i128::from(size));
    let start = start.min(end);
    Some(u64::try_from(start).ok()?..u64::try_from(end).ok()?)
}

enum Spec {
    From(u64),
    FromTo(u64, u64),
    Last(u64),
}

impl Spec {
    fn resolve(&self, size: u64) -> Option<Range<u64>> {
        let range = match *self {
            Self::From(from) => from..size,
            Self::FromTo(from, last) => from..last.saturating_add(1).min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (range.start < range.end).then_some(range)
    }
}

fn byte_specs(header: &str) -> Option<&str> {
    let (unit, specs) = header.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(specs)
}

fn spec(text: &str) -> Option<Spec> {
    match text.split_once('-')? {
        ("", count) => Some(Spec::Last(number(count)?)),
        (from, "") => Some(Spec::From(number(from)?)),
        (from, last) => {
            let (from, last) = (number(from)?, number(last)?);
            (from <= last).then_some(Spec::FromTo(from, last))
        }
    }
}

/// Digits only; a number that does not fit is larger than any size, and so as good as the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_range_is_a_part() {
        assert_eq!(wanted(Some("bytes=0-0"), 10), Wanted::Part(0..1));
        assert_eq!(wanted(Some("bytes=2-"), 10), Wanted::Part(2..10));
        assert_eq!(wanted(Some("bytes=-3"), 10), Wanted::Part(7..10));
        assert_eq!(wanted(Some("bytes=-30"), 10), Wanted::Part(0..10));
        assert_eq!(wanted(Some("bytes=5-99999999999999999999999"), 10), Wanted::Part(5..10));
        assert_eq!(wanted(Some("BYTES= 1-2 "), 10), Wanted::Part(1..3));
        assert_eq!(wanted(Some("bytes=,1-2,"), 10), Wanted::Part(1..3));
    }

    #[test]
    fn a_range_past_the_end_is_unsatisfiable() {
        for header in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-", "bytes=10-,-0"] {
            assert_eq!(wanted(Some(header), 10), Wanted::Unsatisfiable, "{header}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn of_several_ranges_the_first_that_is_there_is_a_part() {
        assert_eq!(wanted(Some("bytes=6-8,0-4"), 10), Wanted::Part(6..9));
        assert_eq!(wanted(Some("bytes=10-20, -2,0-1"), 10), Wanted::Part(8..10));
        assert_eq!(wanted(Some("bytes=10-20,30-"), 10), Wanted::Unsatisfiable);
    }

    #[test]
    fn what_is_not_understood_gets_the_whole() {
        let headers = [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=1-2-3",
            "bytes=+1-2",
            "items=0-1",
            "bytes=0-1,x",
            "bytes=--1",
            "bytes 0-1",
            "bytes=0x1-2",
            "\u{1F372}",
        ];
        for header in headers {
            assert_eq!(wanted(Some(header), 10), Wanted::Whole, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::Whole);
    }

    #[test]
    fn entity_bytes_are_inclusive_and_count_from_either_end() {
        assert_eq!(entity_bytes("0:*", 10), Some(0..10));
        assert_eq!(entity_bytes("2:5", 10), Some(2..6));
        assert_eq!(entity_bytes("-3:*", 10), Some(7..10));
        assert_eq!(entity_bytes("-3:-2", 10), Some(7..9));
        assert_eq!(entity_bytes("0:99", 10), Some(0..10));
        assert_eq!(entity_bytes("-99:3", 10), Some(0..4));
        assert_eq!(entity_bytes("8:2", 10), Some(3..3));
        for text in ["", ":", "1", "a:b", "1:", "*:1", "99999999999999999999:*"] {
            assert_eq!(entity_bytes(text, 10), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_header_gives_bytes_that_are_there(header in "(bytes=)?[-0-9, a]{0,30}", size: u64) {
            if let Wanted::Part(range) = wanted(Some(&header), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }

        #[test]
        fn a_range_written_by_a_client_is_understood(size in 1u64.., a: u64, b: u64) {
            let (from, last) = (a.min(b) % size, (a.max(b) % size).max(a.min(b) % size));
            prop_assert_eq!(wanted(Some(&format!("bytes={from}-{last}")), size), Wanted::Part(from..last + 1));
        }

        #[test]
        fn any_entity_bytes_lie_inside(from: i64, to: i64, size: u64) {
            let range = entity_bytes(&format!("{from}:{to}"), size).unwrap();
            prop_assert!(range.start <= range.end && range.end <= size);
        }
    }
}
