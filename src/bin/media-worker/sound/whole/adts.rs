//! AAC as a stream of frames that each say what they are (ISO 13818-7, 6.2: ADTS): it can be heard from any frame on.
use super::Container;
use crate::source::Trouble;

/// Rates in the order of their numbers, Hz.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// Bytes of a frame's header.
const HEADER: usize = 7;

/// See the module.
pub struct Adts {
    rate: u8,
    channels: u8,
}

impl Adts {
    pub fn new(rate: u32, channels: usize) -> Result<Self, Trouble> {
        let number = RATES.iter().position(|known| *known == rate).and_then(|at| u8::try_from(at).ok());
        let (Some(rate), Ok(channels)) = (number, u8::try_from(channels)) else {
            return Err(Trouble::Cannot("AAC has no such rate".to_owned()));
        };
        Ok(Self { rate, channels })
    }

    fn header(&self, frame: usize) -> [u8; HEADER] {
        // A frame of two channels has at most 1,536 bytes; the field has 13 bits.
        let size = u16::try_from(frame + HEADER).unwrap_or(u16::MAX) & 0x1fff;
        let [high, low] = size.to_be_bytes();
        [
            0xff,
            // MPEG-4, layer 0, no checksum.
            0xf1,
            // Profile 1: low complexity.
            1 << 6 | self.rate << 2 | self.channels >> 2,
            self.channels << 6 | high >> 3,
            high << 5 | low >> 3,
            // A buffer fullness of all ones: the bit rate varies.
            low << 5 | 0x1f,
            0xfc,
        ]
    }
}

impl Container for Adts {
    fn head(&mut self, _: &mut Vec<u8>) {}

    fn frame(&mut self, frame: &[u8], into: &mut Vec<u8>) {
        into.extend_from_slice(&self.header(frame.len()));
        into.extend_from_slice(frame);
    }

    fn end(&mut self, _: u64, _: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_rate_channels_and_size() {
        let adts = Adts::new(44_100, 2).unwrap();
        let header = adts.header(1000);
        assert_eq!(header, [0xff, 0xf1, 0x50, 0x80, 0x7d, 0xff, 0xfc]);
        let size = u32::from(header[3] & 3) << 11 | u32::from(header[4]) << 3 | u32::from(header[5] >> 5);
        assert_eq!(size, 1007);
        assert!(Adts::new(44_000, 2).is_err());
    }
}
