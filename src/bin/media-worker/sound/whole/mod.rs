//! The sound of a whole file as one stream, sent in pieces while it is made.
//!
//! ```text
//! packets ──► decoder ──► two channels at most ──► the codec's rate ──► encoder ──► container ──► pieces
//!             hear.rs     line.rs                                       encoder.rs  mp3, ogg, adts
//! ```
//! Of MP3 the length is promised with the first piece, and kept to the byte: what is heard is cut or filled up with silence to the
//! samples that the file says it has ([`length`]). Files that are whole have just as many.
mod adts;
mod encoder;
mod hear;
mod length;
mod line;
mod mp3;
mod ogg;

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use potluck::media::protocol::Reply;
use potluck::media::whole_sound::{SECONDS_MAX, SoundCodec, WholeSound};

use self::encoder::Encoder;
use self::hear::Hearing;
use self::line::Line;
use crate::limits;
use crate::source::Trouble;

/// Bytes of a piece, and of the first one, for which somebody waits.
const PIECE: usize = 64 * 1024;
const FIRST_PIECE: usize = 4 * 1024;
/// What is there is sent after this time, however little.
const PIECE_TIME: Duration = Duration::from_millis(250);

/// Sends a message to the node.
pub type Send<'a> = dyn FnMut(&Reply, &[u8]) -> anyhow::Result<()> + std::marker::Send + 'a;

/// How encoded frames become a file.
trait Container {
    /// Bytes of the whole file, where they are known beforehand.
    fn length(&self) -> Option<u64> {
        None
    }
    /// What comes before the first frame.
    fn head(&mut self, into: &mut Vec<u8>);
    /// Adds a frame.
    fn frame(&mut self, frame: &[u8], into: &mut Vec<u8>);
    /// What comes at the end, after so many samples.
    fn end(&mut self, samples: u64, into: &mut Vec<u8>);
}

/// Makes what a plan describes in a thread of its own, which steps back behind films when its first piece is sent: until then
/// somebody waits in silence. The worker itself, which may make another, does not.
pub fn in_a_thread(file: Arc<File>, plan: &WholeSound, send: &mut Send<'_>) -> Result<String, Trouble> {
    std::thread::scope(|scope| {
        let work = std::thread::Builder::new().name("sound".to_owned());
        let thread = work.spawn_scoped(scope, || make(file, plan, send));
        let thread = thread.map_err(|_| Trouble::Cannot("there is no room for another thread".to_owned()))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Makes what a plan describes and sends it; gives the encoder's name.
fn make(file: Arc<File>, plan: &WholeSound, send: &mut Send<'_>) -> Result<String, Trouble> {
    let mut hearing = Hearing::open(file, plan)?;
    let first = hearing.next()?.ok_or_else(|| nothing(plan))?;
    let rate = plan.codec.sample_rate(first.rate);
    let channels = first.speakers.len().clamp(1, 2);
    let length = match plan.codec {
        SoundCodec::Mp3 => length::samples(&hearing, rate, plan.offset_ms).filter(|samples| *samples > 0),
        _ => None,
    };
    let encoder = Encoder::open(plan, rate, channels)?;
    let container: Box<dyn Container> = match plan.codec {
        SoundCodec::Mp3 => Box::new(mp3::Mp3::new(plan.kbps, rate, channels, length)?),
        SoundCodec::Opus => Box::new(ogg::OggOpus::new(channels, encoder.delay(), first.rate)),
        SoundCodec::Aac => Box::new(adts::Adts::new(rate, channels)?),
    };
    let mut making = Making::begin(encoder, container, length.unwrap_or(SECONDS_MAX * u64::from(rate)), send);
    let mut line = Line::new(rate, channels);
    let mut next = Some(first);
    while let Some(heard) = next {
        if !making.take(&line.of(heard)?)? {
            return making.finish(length.is_some());
        }
        next = hearing.next()?;
    }
    making.take(&line.rest()?)?;
    making.finish(length.is_some())
}

fn nothing(plan: &WholeSound) -> Trouble {
    let why = if plan.offset_ms > 0 { "there is no sound at this place" } else { "its sound cannot be decoded" };
    Trouble::Cannot(why.to_owned())
}

/// What is encoded so far, and what of it was not sent yet.
struct Making<'a, 'b> {
    encoder: Encoder,
    container: Box<dyn Container>,
    /// Samples taken, and how many are taken at most.
    samples: u64,
    most: u64,
    waiting: Vec<u8>,
    sent: Option<Instant>,
    send: &'a mut Send<'b>,
}

impl<'a, 'b> Making<'a, 'b> {
    fn begin(encoder: Encoder, mut container: Box<dyn Container>, most: u64, send: &'a mut Send<'b>) -> Self {
        let mut waiting = Vec::with_capacity(PIECE * 2);
        container.head(&mut waiting);
        Self { encoder, container, samples: 0, most, waiting, sent: None, send }
    }

    /// Encodes samples, and sends what is enough for a piece. False where no more are wanted.
    fn take(&mut self, planes: &[Vec<f32>]) -> Result<bool, Trouble> {
        let count = planes.first().map_or(0, Vec::len);
        let room = usize::try_from(self.most - self.samples).unwrap_or(usize::MAX);
        let count = count.min(room);
        let (container, waiting) = (&mut self.container, &mut self.waiting);
        self.encoder.push(planes, count, &mut |frame| container.frame(frame, waiting))?;
        self.samples += count as u64;
        let due = match self.sent {
            None => self.waiting.len() >= FIRST_PIECE,
            Some(sent) => self.waiting.len() >= PIECE || !self.waiting.is_empty() && sent.elapsed() >= PIECE_TIME,
        };
        if due {
            self.flush()?;
        }
        Ok(self.samples < self.most)
    }

    /// Ends the file, filled up with silence where its length was promised.
    fn finish(mut self, promised: bool) -> Result<String, Trouble> {
        while promised && self.samples < self.most {
            let count = usize::try_from(self.most - self.samples).unwrap_or(usize::MAX).min(PIECE);
            self.take(&vec![vec![0.0; count]; self.encoder.channels()])?;
        }
        let (container, waiting) = (&mut self.container, &mut self.waiting);
        self.encoder.finish(&mut |frame| container.frame(frame, waiting))?;
        container.end(self.samples, waiting);
        self.flush()?;
        Ok(self.encoder.name())
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        let piece = Reply::Piece { length: self.container.length() };
        (self.send)(&piece, &self.waiting).map_err(|_| Trouble::Cannot("nobody listens".to_owned()))?;
        self.waiting.clear();
        if self.sent.replace(Instant::now()).is_none() {
            limits::step_back();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use rustix::process::getpriority_process;

    use super::*;

    /// A minute of silence at 44.1 kHz, as WAV: too much for one piece.
    fn silence() -> File {
        let (rate, seconds) = (44_100u32, 60);
        let size = rate * 2 * seconds;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"RIFF").unwrap();
        file.write_all(&(size + 36).to_le_bytes()).unwrap();
        // PCM, one channel, bytes a second, bytes and bits of a sample.
        file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x01\0").unwrap();
        for number in [rate, rate * 2, 16 << 16 | 2] {
            file.write_all(&number.to_le_bytes()).unwrap();
        }
        file.write_all(b"data").unwrap();
        file.write_all(&size.to_le_bytes()).unwrap();
        file.write_all(&vec![0; size as usize]).unwrap();
        file
    }

    #[test]
    fn a_sound_steps_back_once_its_first_piece_is_sent_and_its_worker_does_not() {
        let own = || getpriority_process(None).unwrap();
        let (before, mut seen) = (own(), Vec::new());
        let plan = WholeSound { stream: 0, codec: SoundCodec::Mp3, kbps: 192, offset_ms: 0 };
        let mut send = |_: &Reply, _: &[u8]| {
            seen.push(own());
            Ok(())
        };
        assert_eq!(in_a_thread(Arc::new(silence()), &plan, &mut send).unwrap(), "libmp3lame");
        assert!(seen.len() > 2 && seen[0] == before, "{seen:?}");
        assert!(seen[1..].iter().all(|later| *later > before || before == 19), "{seen:?}");
        assert_eq!(own(), before);
    }
}
