//! MP3 at one bit rate, whose length is known before the first frame is encoded.
//!
//! An `Info` frame at the head tells players frames, bytes and how much silence the encoder put before and behind the sound, so that
//! they know the time, seek right and leave no gap between two songs. It is written first, so all of it follows from the number of
//! samples: LAME's frames for so many samples, and the byte more that some of them have (ISO 11172-3, 2.4.3.1).
use potluck::media::whole_sound::MP3_KBPS;

use super::Container;
use crate::source::Trouble;

/// Samples of a frame.
const FRAME: u64 = 1152;
/// Samples that LAME puts before the sound, and at least behind it.
const DELAY: u64 = 576;
/// Rates in the order of their numbers, Hz.
const RATES: [u32; 3] = [44_100, 48_000, 32_000];
/// Bytes of the tag, and of what says which frames, behind a frame's header and side information.
const TAG: usize = 156;
const SEEK_POINTS: usize = 100;

/// See the module.
pub struct Mp3 {
    kbps: u32,
    rate: u32,
    channels: usize,
    /// What is promised; without it there is no `Info` frame.
    promise: Option<Promise>,
    frames: u64,
    written: u64,
}

struct Promise {
    samples: u64,
    frames: u64,
    length: u64,
}

impl Mp3 {
    /// `samples` are how many will be given to the encoder, where that is known.
    pub fn new(kbps: u32, rate: u32, channels: usize, samples: Option<u64>) -> Result<Self, Trouble> {
        if !MP3_KBPS.contains(&kbps) || !RATES.contains(&rate) || !(1..=2).contains(&channels) {
            return Err(Trouble::Cannot("MP3 has no such rate".to_owned()));
        }
        let mut new = Self { kbps, rate, channels, promise: None, frames: 0, written: 0 };
        new.promise = samples.map(|samples| {
            let frames = 1 + samples.div_ceil(FRAME);
            let bytes: u64 = frames * new.plain_size() + new.longer_before(frames);
            Promise { samples, frames, length: new.info_size() as u64 + bytes }
        });
        Ok(new)
    }

    /// Bytes of a frame, without the one more that some have.
    fn plain_size(&self) -> u64 {
        u64::from(144_000 * self.kbps / self.rate)
    }

    /// How many of the first frames are a byte longer, as LAME spreads them.
    fn longer_before(&self, frames: u64) -> u64 {
        let rest = u64::from(144_000 * self.kbps % self.rate);
        (frames.saturating_sub(1) * rest).div_ceil(u64::from(self.rate))
    }

    fn side_information(&self) -> usize {
        if self.channels == 1 { 17 } else { 32 }
    }

    /// The bit rate of the `Info` frame: its own where the tag fits.
    fn info_kbps(&self) -> u32 {
        let need = (4 + self.side_information() + TAG) as u64;
        let fits = |kbps: &u32| *kbps >= self.kbps && u64::from(144_000 * *kbps / self.rate) >= need;
        MP3_KBPS.into_iter().find(fits).unwrap_or(self.kbps)
    }

    fn info_size(&self) -> usize {
        (144_000 * self.info_kbps() / self.rate) as usize
    }

    /// A frame's four bytes: MPEG-1 Layer III without a checksum.
    fn header(&self, kbps: u32, longer: bool) -> [u8; 4] {
        let number = |at: Option<usize>| at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        let bits = number(MP3_KBPS.iter().position(|known| *known == kbps)) + 1;
        let rate = number(RATES.iter().position(|known| *known == self.rate));
        [0xff, 0xfb, bits << 4 | rate << 2 | u8::from(longer) << 1, if self.channels == 1 { 0xc0 } else { 0x40 }]
    }

    fn info(&self, promise: &Promise) -> Vec<u8> {
        let mut frame = self.header(self.info_kbps(), false).to_vec();
        frame.resize(4 + self.side_information(), 0);
        frame.extend_from_slice(b"Info");
        // Frames, bytes, seek points and quality are there.
        frame.extend_from_slice(&15_u32.to_be_bytes());
        frame.extend_from_slice(&u32::try_from(promise.frames).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(&u32::try_from(promise.length).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend((0..SEEK_POINTS).map(|n| u8::try_from(n * 256 / SEEK_POINTS).unwrap_or(u8::MAX)));
        frame.extend_from_slice(&0_u32.to_be_bytes());
        frame.extend_from_slice(b"Lavc LAME");
        // Revision 0 of the tag, one bit rate.
        frame.push(1);
        // Lowpass, loudness and flags: not said.
        frame.extend_from_slice(&[0; 10]);
        frame.push(u8::try_from(self.kbps).unwrap_or(u8::MAX));
        let behind = (promise.frames * FRAME).saturating_sub(DELAY + promise.samples).min(0xfff);
        let [_, a, b, c] = (u32::try_from(DELAY << 12 | behind).unwrap_or(0)).to_be_bytes();
        frame.extend_from_slice(&[a, b, c]);
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(&u32::try_from(promise.length).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(&[0; 2]);
        let sum = checksum(&frame);
        frame.extend_from_slice(&sum.to_be_bytes());
        frame.resize(self.info_size(), 0);
        frame
    }

    /// A frame that says nothing and needs nothing of those before it.
    fn silent(&self) -> Vec<u8> {
        let longer = self.longer_before(self.frames + 1) > self.longer_before(self.frames);
        let mut frame = self.header(self.kbps, longer).to_vec();
        frame.resize(usize::try_from(self.plain_size()).unwrap_or(0) + usize::from(longer), 0);
        frame
    }
}

impl Container for Mp3 {
    fn length(&self) -> Option<u64> {
        self.promise.as_ref().map(|promise| promise.length)
    }

    fn head(&mut self, into: &mut Vec<u8>) {
        if let Some(promise) = &self.promise {
            let info = self.info(promise);
            self.written += info.len() as u64;
            into.extend_from_slice(&info);
        }
    }

    fn frame(&mut self, frame: &[u8], into: &mut Vec<u8>) {
        let mut size = frame.len();
        if let Some(promise) = &self.promise {
            let room = if self.frames < promise.frames { promise.length - self.written } else { 0 };
            size = size.min(usize::try_from(room).unwrap_or(usize::MAX));
        }
        into.extend_from_slice(&frame[..size]);
        self.frames += 1;
        self.written += size as u64;
    }

    /// Keeps the promise, whatever the encoder gave: with silent frames, at last with bytes that players skip.
    fn end(&mut self, _: u64, into: &mut Vec<u8>) {
        let Some((frames, length)) = self.promise.as_ref().map(|promise| (promise.frames, promise.length)) else {
            return;
        };
        while self.frames < frames {
            let silent = self.silent();
            self.frame(&silent, into);
        }
        let rest = length - self.written;
        into.resize(into.len() + usize::try_from(rest).unwrap_or(0), 0);
        self.written = length;
    }
}

/// CRC-16 (polynomial 8005, reflected, from 0) of the tag's frame up to where it stands.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xa001 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(checksum(b"123456789"), 0xbb3d);
    }

    #[test]
    fn the_promise_is_kept_whatever_the_encoder_gives() {
        for (given, size) in [(0, 0), (3, 626), (40, 627), (500, 700)] {
            let (mut mp3, mut bytes) = (Mp3::new(192, 44_100, 2, Some(44_100)).unwrap(), Vec::new());
            mp3.head(&mut bytes);
            for _ in 0..given {
                mp3.frame(&vec![1; size], &mut bytes);
            }
            mp3.end(44_100, &mut bytes);
            assert_eq!(Some(bytes.len() as u64), mp3.length(), "{given}");
        }
    }

    #[test]
    fn the_info_frame_fits_at_any_rate_and_says_what_was_promised() {
        for kbps in MP3_KBPS {
            for (rate, channels) in [(44_100, 1), (48_000, 2), (32_000, 2)] {
                let mut mp3 = Mp3::new(kbps, rate, channels, Some(100_000)).unwrap();
                let mut head = Vec::new();
                mp3.head(&mut head);
                assert_eq!(head.len(), mp3.info_size());
                let at = 4 + mp3.side_information();
                assert_eq!(&head[at..at + 4], b"Info");
                let number = |at: usize| u64::from(u32::from_be_bytes(head[at..at + 4].try_into().unwrap()));
                assert_eq!(number(at + 8), 88);
                assert_eq!(Some(number(at + 12)), mp3.length());
                let (delay, behind) = (number(at + 140) >> 12 & 0xfff, number(at + 140) & 0xfff);
                assert_eq!(delay + behind + 100_000, 88 * FRAME, "at {kbps}");
            }
        }
        assert!(Mp3::new(193, 44_100, 2, None).is_err());
    }

    #[test]
    fn without_a_promise_there_are_frames_alone() {
        let (mut mp3, mut bytes) = (Mp3::new(128, 48_000, 2, None).unwrap(), Vec::new());
        mp3.head(&mut bytes);
        mp3.frame(&[5; 384], &mut bytes);
        mp3.end(1, &mut bytes);
        assert_eq!((bytes.len(), mp3.length()), (384, None));
    }
}
