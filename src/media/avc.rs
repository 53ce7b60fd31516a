//! The little of H.264 that cutting needs: the decoder configuration record, and what a packet starts with. Pure.

/// Facts of an `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 5.3.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// `profile_idc`.
    pub profile: u8,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: usize,
}

/// Reads a record; `None` where the bytes are something else, for instance an Annex B header.
#[must_use]
pub fn record(bytes: &[u8]) -> Option<Record> {
    match *bytes {
        [1, profile, _, _, lengths, sets, _, ..] if sets & 0x1f > 0 => {
            Some(Record { profile, length_size: usize::from(lengths & 3) + 1 })
        }
        _ => None,
    }
}

/// Whether a packet of length-prefixed NAL units holds an IDR picture (NAL unit type 5).
#[must_use]
pub fn is_idr(packet: &[u8], length_size: usize) -> bool {
    nal_types(packet, length_size).any(|kind| kind == 5)
}

/// The types of the NAL units in a packet. Ends early where a length points beyond the packet.
fn nal_types(packet: &[u8], length_size: usize) -> impl Iterator<Item = u8> {
    let mut rest = packet;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_at_checked(length_size.clamp(1, 4))?;
        let length = length.iter().fold(0_usize, |n, byte| n << 8 | usize::from(*byte));
        let kind = after.first()? & 0x1f;
        rest = after.get(length..).unwrap_or_default();
        Some(kind)
    })
}

/// The units of a byte stream (ISO/IEC 14496-10, annex B), without start codes and trailing zeros.
fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        let unit = rest?;
        let end = unit.windows(3).position(|w| w == [0, 0, 1]);
        rest = end.and_then(|end| unit.get(end + 3..));
        let unit = unit.get(..end.unwrap_or(unit.len())).unwrap_or_default();
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        unit.get(..unit.len() - zeros)
    })
    .filter(|unit| !unit.is_empty())
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    let at = stream.windows(3).position(|w| w == [0, 0, 1])?;
    stream.get(at + 3..)
}

/// Appends the units of a byte stream, each behind its length in four bytes. Left out are supplemental information,
/// delimiters and filler (types 6, 9 and 12): no player needs them, and an encoder signs its name there.
pub fn length_prefixed(stream: &[u8], into: &mut Vec<u8>) {
    for unit in units(stream).filter(|unit| !matches!(unit[0] & 0x1f, 6 | 9 | 12)) {
        into.extend_from_slice(&u32::try_from(unit.len()).unwrap_or(u32::MAX).to_be_bytes());
        into.extend_from_slice(unit);
    }
}

/// The `AVCDecoderConfigurationRecord` of a byte stream with parameter sets, for lengths of four bytes and 4:2:0 of
/// eight bits; `None` where a set is missing.
#[must_use]
pub fn configuration(stream: &[u8]) -> Option<Vec<u8>> {
    let of_type = |kind: u8| units(stream).filter(move |unit| unit[0] & 0x1f == kind).collect::<Vec<_>>();
    let (sequence, picture) = (of_type(7), of_type(8));
    let [_, profile, constraints, level, ..] = **sequence.first()? else { return None };
    let mut record = vec![1, profile, constraints, level, 0xff];
    for (sets, marker) in [(&sequence, 0xe0), (&picture, 0)] {
        record.push(u8::try_from(sets.len()).ok().filter(|count| (1..32).contains(count))? | marker);
        for set in sets {
            record.extend_from_slice(&u16::try_from(set.len()).ok()?.to_be_bytes());
            record.extend_from_slice(set);
        }
    }
    if !matches!(profile, 66 | 77 | 88) {
        record.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_idr_picture_is_found_behind_other_units() {
        let packet = [0, 0, 0, 2, 0x09, 0xf0, 0, 0, 0, 3, 0x65, 1, 2];
        assert!(is_idr(&packet, 4));
        assert!(!is_idr(&[0, 0, 0, 2, 0x41, 0xf0], 4));
        assert!(is_idr(&[0, 1, 0x65], 2));
    }

    #[test]
    fn a_record_is_told_from_annex_b() {
        let bytes = [1, 100, 0, 40, 0xff, 0xe1, 0];
        assert_eq!(record(&bytes), Some(Record { profile: 100, length_size: 4 }));
        assert_eq!(record(&[0, 0, 0, 1, 0x67, 100, 0, 40]), None);
        assert_eq!(record(&[]), None);
    }

    #[test]
    fn a_byte_stream_becomes_lengths_without_what_nobody_needs() {
        let stream = [0, 0, 0, 1, 0x67, 100, 0, 40, 0, 0, 1, 0x68, 5, 0, 0, 0, 1, 6, 5, 9, 0, 0, 1, 0x65, 1, 0, 0, 0];
        let mut samples = Vec::new();
        length_prefixed(&stream, &mut samples);
        assert_eq!(samples, [0, 0, 0, 4, 0x67, 100, 0, 40, 0, 0, 0, 2, 0x68, 5, 0, 0, 0, 2, 0x65, 1]);
        assert!(is_idr(&samples, 4));
    }

    #[test]
    fn parameter_sets_make_a_record() {
        let stream = [0, 0, 0, 1, 0x67, 100, 0, 40, 9, 0, 0, 0, 1, 0x68, 5];
        let bytes = configuration(&stream).unwrap();
        let sets = [0xe1, 0, 5, 0x67, 100, 0, 40, 9, 1, 0, 2, 0x68, 5];
        assert_eq!(bytes, [&[1, 100, 0, 40, 0xff][..], &sets, &[0xfd, 0xf8, 0xf8, 0]].concat());
        assert_eq!(record(&bytes), Some(Record { profile: 100, length_size: 4 }));
        assert_eq!(configuration(&stream[..9]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_through(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 0usize..9) {
            let _ = is_idr(&bytes, size);
            let _ = record(&bytes);
            let _ = configuration(&bytes);
            length_prefixed(&bytes, &mut Vec::new());
        }
    }
}
