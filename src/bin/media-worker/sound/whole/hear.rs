//! Decodes a sound stream from a place on, frame by frame.
//!
//! Silence that encoders put before and behind the sound is left out where the file says how much it is. A packet that cannot be
//! decoded is left out too; of a file without one that can, nothing is heard.
use std::fs::File;
use std::sync::Arc;

use ffmpeg_next::codec::Context;
use ffmpeg_next::ffi;
use ffmpeg_next::{decoder, frame};
use potluck::media::mix::Speaker;
use potluck::media::whole_sound::WholeSound;

use crate::sound::listen::{planes, speakers_of};
use crate::source::{Source, Trouble};

/// Where decoding begins before a place: what decoders need to be right there.
const PRE_ROLL_SECONDS: f64 = 0.5;

/// What was heard at once.
pub struct Heard {
    /// Hz.
    pub rate: u32,
    /// Where each channel is heard.
    pub speakers: Vec<Speaker>,
    /// Samples of each channel.
    pub planes: Vec<Vec<f32>>,
}

/// A sound stream of an open file.
pub struct Hearing {
    /// The file, for what it says of itself.
    pub source: Source,
    /// Index of the stream.
    pub stream: usize,
    decoder: decoder::Audio,
    ended: bool,
    /// Second of the file at which the sound is wanted, until it is reached.
    wanted: Option<f64>,
    /// Second at which the next frame begins, if it does not say so itself.
    next_at: f64,
}

impl Hearing {
    /// Opens a file and goes to the place where the plan begins.
    pub fn open(file: Arc<File>, plan: &WholeSound) -> Result<Self, Trouble> {
        let mut source = Source::open_for_packets(file)?;
        let stream = usize::try_from(plan.stream).unwrap_or(usize::MAX);
        let decoder = decoder(&source, stream)?;
        source.only(&[stream]);
        let wanted = (plan.offset_ms > 0).then(|| plan.offset_ms as f64 / 1000.0);
        let mut new = Self { source, stream, decoder, ended: false, wanted, next_at: 0.0 };
        if let Some(wanted) = wanted {
            new.go(wanted)?;
        }
        Ok(new)
    }

    /// Seconds of a tick of the stream, and the tick at which it begins.
    fn clock(&self) -> (f64, i64) {
        let Some(view) = self.source.stream(self.stream) else { return (0.0, 0) };
        let (base, start) = (view.raw().time_base, view.raw().start_time);
        let start = if start == ffi::AV_NOPTS_VALUE { 0 } else { start };
        (f64::from(base.num) / f64::from(base.den.max(1)), start)
    }

    /// Seeks shortly before a place. A file that cannot be sought in is decoded from its beginning.
    fn go(&mut self, wanted: f64) -> Result<(), Trouble> {
        let (second, start) = self.clock();
        let at = (wanted - PRE_ROLL_SECONDS).max(0.0);
        if second > 0.0 && self.source.seek(self.stream, start.saturating_add((at / second) as i64)).is_ok() {
            self.next_at = at;
            return Ok(());
        }
        let mut source = self.source.reopened()?;
        source.only(&[self.stream]);
        self.source = source;
        Ok(())
    }

    /// What is heard next; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Heard>, Trouble> {
        let mut frame = frame::Audio::empty();
        loop {
            if self.decoder.receive_frame(&mut frame).is_ok() {
                match self.placed(&frame) {
                    Some(heard) => return Ok(Some(heard)),
                    None => continue,
                }
            }
            if self.ended {
                return Ok(None);
            }
            // What cannot be decoded is left out.
            let _ = match self.source.packet()? {
                Some(packet) if packet.stream() == self.stream => self.decoder.send_packet(&packet),
                Some(_) => Ok(()),
                None => {
                    self.ended = true;
                    self.decoder.send_eof()
                }
            };
        }
    }

    /// What of a frame is wanted.
    fn placed(&mut self, frame: &frame::Audio) -> Option<Heard> {
        let speakers = speakers_of(frame);
        let mut planes = planes(frame, speakers.len());
        let (rate, samples) = (frame.rate(), planes.first().map_or(0, Vec::len));
        if samples == 0 || rate == 0 {
            return None;
        }
        if let Some(wanted) = self.wanted {
            let (second, start) = self.clock();
            let at = frame.pts().map_or(self.next_at, |pts| pts.saturating_sub(start) as f64 * second);
            self.next_at = at + samples as f64 / f64::from(rate);
            let early = ((wanted - at) * f64::from(rate)).round().max(0.0) as usize;
            if early >= samples {
                return None;
            }
            planes.iter_mut().for_each(|plane| drop(plane.drain(..early)));
            self.wanted = None;
        }
        Some(Heard { rate, speakers, planes })
    }
}

fn decoder(source: &Source, stream: usize) -> Result<decoder::Audio, Trouble> {
    let cannot = || Trouble::Cannot("its sound cannot be decoded".to_owned());
    let found = source.input.stream(stream).ok_or_else(|| Trouble::Cannot("there is no such stream".to_owned()))?;
    let mut decoder = Context::from_parameters(found.parameters())?.decoder();
    // What is left out at the ends is told in this base.
    decoder.set_packet_time_base(found.time_base());
    decoder.audio().map_err(|_| cannot())
}
