//! An encoder in a thread of its own: while it encodes a picture, the next one is decoded and scaled.
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::encode::{Encoded, Encoder};
use crate::handles::Frame;
use crate::source::Trouble;

/// An encoder at work. Dropped before it is finished, it ends without encoding what is left.
pub struct Encoding {
    /// `None` ends the segment.
    frames: SyncSender<Option<Frame>>,
    encoder: JoinHandle<Result<Encoded, Trouble>>,
}

impl Encoding {
    /// Sets an encoder to work, for which at most that many pictures wait.
    pub fn start(encoder: Encoder, waiting: usize) -> Result<Self, Trouble> {
        let (frames, waiting) = sync_channel(waiting);
        let thread = std::thread::Builder::new().name("encode".to_owned());
        let encoder = thread.spawn(move || encode(encoder, &waiting));
        let encoder = encoder.map_err(|e| Trouble::Cannot(format!("no thread can be started: {e}")))?;
        Ok(Self { frames, encoder })
    }

    /// Hands over a picture; waits while enough of them wait. What befell the encoder since is said here.
    pub fn push(self, frame: Frame) -> Result<Self, Trouble> {
        match self.frames.send(Some(frame)) {
            Ok(()) => Ok(self),
            Err(_) => Err(self.end().finish().err().unwrap_or_else(ended)),
        }
    }

    /// Says that there are no more pictures.
    pub fn end(self) -> Ending {
        // An encoder that has ended says why when it is joined.
        let _ = self.frames.send(None);
        Ending { encoder: self.encoder }
    }
}

/// An encoder that works on what is left.
pub struct Ending {
    encoder: JoinHandle<Result<Encoded, Trouble>>,
}

impl Ending {
    /// Whether it is still at it.
    pub fn is_busy(&self) -> bool {
        !self.encoder.is_finished()
    }

    /// The samples of the segment; waits for them.
    pub fn finish(self) -> Result<Encoded, Trouble> {
        self.encoder.join().unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> Trouble {
    Trouble::Cannot("the encoder ended before the segment did".to_owned())
}

fn encode(mut encoder: Encoder, waiting: &Receiver<Option<Frame>>) -> Result<Encoded, Trouble> {
    loop {
        match waiting.recv() {
            Ok(Some(mut frame)) => encoder.push(&mut frame)?,
            Ok(None) => return encoder.finish(),
            Err(_) => return Err(ended()),
        }
    }
}
