//! Opus in Ogg (RFC 3533, RFC 7845): pages of about a second, the first ones short, so that something is heard soon.
use super::Container;

/// Samples of a packet, at the 48 kHz that Opus counts in.
const PACKET: u64 = 960;
/// Packets of a page.
const PAGE: usize = 50;
const FIRST_PAGE: usize = 10;
/// Bytes of the entries of a page's table, and how many it has at most.
const LACE: usize = 255;
const LACES_MAX: usize = 255;
/// Names the stream within its file, where it is alone.
const SERIAL: u32 = 1;
/// Flags of pages.
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// See the module.
pub struct OggOpus {
    channels: u8,
    delay: u16,
    rate: u32,
    pages: u32,
    packets: u64,
    /// Packets of the page that is not written yet. The last page is marked, so there is always one here.
    waiting: Vec<Vec<u8>>,
}

impl OggOpus {
    /// `delay` samples come before the first that was given to the encoder; `rate` is what the source had, for people.
    pub fn new(channels: usize, delay: u32, rate: u32) -> Self {
        let channels = u8::try_from(channels).unwrap_or(2);
        let delay = u16::try_from(delay).unwrap_or(0);
        Self { channels, delay, rate, pages: 0, packets: 0, waiting: Vec::new() }
    }

    fn page(&mut self, flags: u8, granule: u64, packets: &[Vec<u8>], into: &mut Vec<u8>) {
        let begin = into.len();
        let laces: Vec<u8> = packets.iter().flat_map(|packet| laces(packet.len())).collect();
        into.extend_from_slice(b"OggS\0");
        into.push(flags);
        into.extend_from_slice(&granule.to_le_bytes());
        into.extend_from_slice(&SERIAL.to_le_bytes());
        into.extend_from_slice(&self.pages.to_le_bytes());
        into.extend_from_slice(&[0; 4]);
        into.push(u8::try_from(laces.len()).unwrap_or(u8::MAX));
        into.extend_from_slice(&laces);
        packets.iter().for_each(|packet| into.extend_from_slice(packet));
        let sum = checksum(&into[begin..]).to_le_bytes();
        into[begin + 22..begin + 26].copy_from_slice(&sum);
        self.pages += 1;
    }

    /// Writes the page that waits. Where no samples end it, it ends with its last packet.
    fn flush(&mut self, end: Option<u64>, into: &mut Vec<u8>) {
        let packets = std::mem::take(&mut self.waiting);
        self.packets += packets.len() as u64;
        let granule = end.unwrap_or(self.packets * PACKET).min(self.packets * PACKET);
        self.page(if end.is_some() { LAST } else { 0 }, granule, &packets, into);
    }

    fn is_full(&self, next: usize) -> bool {
        let laces: usize = self.waiting.iter().map(|packet| packet.len() / LACE + 1).sum();
        let most = if self.pages < 4 { FIRST_PAGE } else { PAGE };
        self.waiting.len() >= most || laces + next / LACE + 1 > LACES_MAX
    }
}

impl Container for OggOpus {
    fn head(&mut self, into: &mut Vec<u8>) {
        let mut head = b"OpusHead\x01".to_vec();
        head.push(self.channels);
        head.extend_from_slice(&self.delay.to_le_bytes());
        head.extend_from_slice(&self.rate.to_le_bytes());
        // No gain; one or two channels in the usual order.
        head.extend_from_slice(&[0; 3]);
        self.page(FIRST, 0, &[head], into);
        let vendor = b"potluck";
        let mut tags = b"OpusTags".to_vec();
        tags.extend_from_slice(&(vendor.len() as u32).to_le_bytes());
        tags.extend_from_slice(vendor);
        tags.extend_from_slice(&[0; 4]);
        self.page(0, 0, &[tags], into);
    }

    fn frame(&mut self, frame: &[u8], into: &mut Vec<u8>) {
        if !self.waiting.is_empty() && self.is_full(frame.len()) {
            self.flush(None, into);
        }
        self.waiting.push(frame.to_vec());
    }

    fn end(&mut self, samples: u64, into: &mut Vec<u8>) {
        self.flush(Some(samples + u64::from(self.delay)), into);
    }
}

/// A packet's entries in the table of its page: as many full ones as it fills, and one that is not full.
fn laces(size: usize) -> impl Iterator<Item = u8> {
    let rest = u8::try_from(size % LACE).unwrap_or(0);
    std::iter::repeat_n(u8::MAX, size / LACE).chain([rest])
}

/// The CRC-32 of Ogg: polynomial 04c11db7, from 0, nothing reflected.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    bytes.iter().fold(0, |sum, byte| sum << 8 ^ TABLE[(sum >> 24 ^ u32::from(*byte)) as usize & 0xff])
}

const fn table() -> [u32; 256] {
    let (mut table, mut n) = ([0; 256], 0);
    while n < 256 {
        let (mut sum, mut bit) = ((n as u32) << 24, 0);
        while bit < 8 {
            sum = if sum & 0x8000_0000 == 0 { sum << 1 } else { sum << 1 ^ 0x04c1_1db7 };
            bit += 1;
        }
        table[n] = sum;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages of a file: flags, granule, and bytes of their packets.
    fn pages(mut bytes: &[u8]) -> Vec<(u8, u64, Vec<usize>)> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            assert_eq!(&bytes[..5], b"OggS\0");
            let count = usize::from(bytes[26]);
            let table = &bytes[27..27 + count];
            let size: usize = 27 + count + table.iter().map(|lace| usize::from(*lace)).sum::<usize>();
            let mut plain = bytes[..size].to_vec();
            plain[22..26].fill(0);
            assert_eq!(checksum(&plain).to_le_bytes(), bytes[22..26]);
            let mut sizes = vec![0];
            for lace in table {
                *sizes.last_mut().unwrap() += usize::from(*lace);
                if *lace < 255 {
                    sizes.push(0);
                }
            }
            assert_eq!(sizes.pop(), Some(0), "a packet goes on behind its page");
            found.push((bytes[5], u64::from_le_bytes(bytes[6..14].try_into().unwrap()), sizes));
            bytes = &bytes[size..];
        }
        found
    }

    #[test]
    fn pages_say_where_they_end_and_the_last_one_that_it_is() {
        let (mut ogg, mut bytes) = (OggOpus::new(2, 312, 44_100), Vec::new());
        ogg.head(&mut bytes);
        for _ in 0..25 {
            ogg.frame(&[7; 255], &mut bytes);
        }
        ogg.end(23_500, &mut bytes);
        let pages = pages(&bytes);
        assert_eq!(pages.iter().map(|page| page.0).collect::<Vec<_>>(), [FIRST, 0, 0, 0, LAST]);
        assert_eq!(pages.iter().map(|page| page.1).collect::<Vec<_>>(), [0, 0, 9600, 19_200, 23_812]);
        assert_eq!((pages[2].2.len(), pages[4].2.len(), pages[4].2[0]), (10, 5, 255));
    }

    #[test]
    fn a_page_holds_no_more_than_its_table_can_say() {
        let (mut ogg, mut bytes) = (OggOpus::new(2, 312, 48_000), Vec::new());
        ogg.head(&mut bytes);
        for _ in 0..200 {
            ogg.frame(&[1; 1275], &mut bytes);
        }
        ogg.end(200 * PACKET, &mut bytes);
        assert_eq!(pages(&bytes)[2..].iter().map(|page| page.2.len()).sum::<usize>(), 200);
    }
}
