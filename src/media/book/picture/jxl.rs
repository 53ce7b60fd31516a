//! JPEG XL (ISO/IEC 18181-1, annex D: size header and image metadata; 18181-2: the container).
use super::boxes::boxes;
use super::turned;

/// Bytes of the codestream that hold size and orientation, with room.
const HEADER_LEN: usize = 32;

/// Dimensions of the codestream, bare or in a container.
pub(super) fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    if head.starts_with(&[0xff, 0x0a]) {
        return size(&head[2..]);
    }
    let mut codestream = Vec::new();
    for piece in boxes(head) {
        let part = match piece.kind {
            b"jxlc" => piece.content,
            // A part of it, after the part's number.
            b"jxlp" => piece.content.get(4..)?,
            _ => continue,
        };
        codestream.extend(part.iter().take(HEADER_LEN));
        if codestream.len() >= HEADER_LEN {
            break;
        }
    }
    size(codestream.strip_prefix(&[0xff, 0x0a])?)
}

fn size(codestream: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits { bytes: codestream, at: 0 };
    let small = bits.take(1)? == 1;
    let height = length(&mut bits, small)?;
    let width = match bits.take(3)? {
        0 => length(&mut bits, small)?,
        ratio => proportional(height, ratio)?,
    };
    Some(turned((width, height), orientation(&mut bits).unwrap_or(1)))
}

fn length(bits: &mut Bits, small: bool) -> Option<u32> {
    if small {
        return Some((bits.take(5)? + 1) * 8);
    }
    let width = [9, 13, 18, 30][bits.take(2)? as usize];
    Some(bits.take(width)? + 1)
}

/// Widths that are told by their ratio to the height.
fn proportional(height: u32, ratio: u32) -> Option<u32> {
    let (num, den) = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)][ratio as usize - 1];
    u32::try_from(u64::from(height) * num / den).ok()
}

/// The metadata begins with whether all of it is as usual, then whether this part of it is.
fn orientation(bits: &mut Bits) -> Option<u32> {
    let usual = bits.take(1)? == 1 || bits.take(1)? == 0;
    if usual { Some(1) } else { bits.take(3).map(|turn| turn + 1) }
}

/// Bits from the lowest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for n in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << n;
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits from (value, count), after the signature.
    fn codestream(parts: &[(u64, usize)]) -> Vec<u8> {
        let (mut all, mut at) = (0u128, 0);
        for (value, count) in parts {
            all |= u128::from(*value) << at;
            at += count;
        }
        [&[0xff, 0x0a], &all.to_le_bytes()[..]].concat()
    }

    #[test]
    fn sizes_are_small_or_large_or_told_by_a_ratio() {
        let usual = (1, 1);
        assert_eq!(dimensions(&codestream(&[(1, 1), (3, 5), (0, 3), (9, 5), usual])), Some((80, 32)));
        let large = [(0, 1), (1, 2), (1799, 13), (0, 3), (2, 2), (69_999, 18), usual];
        assert_eq!(dimensions(&codestream(&large)), Some((70_000, 1800)));
        assert_eq!(dimensions(&codestream(&[(0, 1), (1, 2), (1080, 13), (5, 3), usual])), Some((1921, 1081)));
        assert_eq!(dimensions(&[0xff, 0x0a, 0]), None);
    }

    #[test]
    fn an_orientation_turns_it() {
        let turned = [(1, 1), (3, 5), (0, 3), (9, 5), (0, 1), (1, 1), (5, 3)];
        assert_eq!(dimensions(&codestream(&turned)), Some((32, 80)));
    }

    #[test]
    fn a_container_has_it_whole_or_in_parts() {
        let plain = codestream(&[(1, 1), (3, 5), (0, 3), (9, 5), (1, 1)]);
        let start = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x08ftyp";
        let whole = [&start[..], b"\0\0\0\0jxlc", &plain].concat();
        assert_eq!(dimensions(&whole), Some((80, 32)));
        let parts =
            [&start[..], b"\0\0\0\x0fjxlp\0\0\0\0", &plain[..3], b"\0\0\0\0jxlp\x80\0\0\x01", &plain[3..]].concat();
        assert_eq!(dimensions(&parts), Some((80, 32)));
    }
}
