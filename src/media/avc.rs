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

    proptest! {
        #[test]
        fn any_bytes_are_looked_through(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 0usize..9) {
            let _ = is_idr(&bytes, size);
            let _ = record(&bytes);
        }
    }
}
