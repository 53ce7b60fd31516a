//! Reads the packets of one stream from a place on, and stays there: the next segment usually starts where the last
//! one ended. What was read ahead is kept.
use std::collections::VecDeque;

use ffmpeg_next::Packet;

use crate::source::{Source, Trouble};
use crate::stream::StreamView;
use crate::tracks::Clock;

/// A packet with its time in ticks.
pub struct Timed {
    /// In ticks of the track.
    pub tick: i64,
    /// libav's packet.
    pub packet: Packet,
}

/// A stream of an open file and the place where it is read.
pub struct Reader {
    source: Source,
    stream: usize,
    /// The stream that seeks are made in: for sound in Matroska it is the film, because few sound frames are indexed.
    seek_in: usize,
    ahead: VecDeque<Packet>,
    /// The tick from which on the next packet is the first one, where that is known.
    pub stands_at: Option<i64>,
}

impl Reader {
    /// Reads `stream` of a newly opened source.
    pub fn new(mut source: Source, stream: usize, film: Option<usize>) -> Self {
        source.only(&[stream]);
        let seek_in = if source.is_matroska() { film.unwrap_or(stream) } else { stream };
        Self { source, stream, seek_in, ahead: VecDeque::new(), stands_at: None }
    }

    /// The clock of the stream.
    pub fn clock(&self, timescale: u32, base_seconds: i64) -> Result<Clock, Trouble> {
        let view =
            self.source.stream(self.stream).ok_or_else(|| Trouble::Cannot("there is no such stream".to_owned()))?;
        Ok(Clock::new(&view, timescale, base_seconds))
    }

    /// The next packet with a presentation time.
    pub fn next(&mut self, clock: Clock) -> Result<Option<Timed>, Trouble> {
        while let Some(packet) = self.any()? {
            if let Some(time) = packet.pts() {
                return Ok(Some(Timed { tick: clock.tick(time), packet }));
            }
        }
        Ok(None)
    }

    /// The next packet, with or without a time.
    pub fn any(&mut self) -> Result<Option<Packet>, Trouble> {
        loop {
            let packet = match self.ahead.pop_front() {
                Some(packet) => Some(packet),
                None => self.source.packet()?,
            };
            match packet {
                Some(packet) if packet.stream() != self.stream => (),
                found => return Ok(found),
            }
        }
    }

    /// The stream that is read.
    pub fn stream(&self) -> Option<ffmpeg_next::Stream<'_>> {
        self.source.input.stream(self.stream)
    }

    /// The same as libav sees it.
    pub fn view(&self) -> Option<StreamView<'_>> {
        self.source.stream(self.stream)
    }

    /// Puts packets back, to be read again first, in the order given.
    pub fn put_back(&mut self, packets: impl DoubleEndedIterator<Item = Packet>) {
        packets.rev().for_each(|packet| self.ahead.push_front(packet));
    }

    /// Goes to the first packet that `arrived` accepts, which is the next one read. Looks from as many seconds before
    /// `tick` as `steps_back` says, one after the other, at last from the head of the file, which `arrived` is told.
    /// False where it accepts none.
    pub fn go(
        &mut self,
        tick: i64,
        clock: Clock,
        steps_back: &[i64],
        mut arrived: impl FnMut(&Timed, bool) -> Arrival,
    ) -> Result<bool, Trouble> {
        for back in steps_back.iter().map(Some).chain([None]) {
            match back {
                Some(seconds) if self.seek(tick, *seconds, clock).is_err() => continue,
                Some(_) => (),
                None => self.go_to_head()?,
            }
            while let Some(timed) = self.next(clock)? {
                match arrived(&timed, back.is_none()) {
                    Arrival::Here => {
                        self.put_back([timed.packet].into_iter());
                        return Ok(true);
                    }
                    Arrival::Before => (),
                    Arrival::Beyond => break,
                }
            }
        }
        Ok(false)
    }

    /// Goes to the first packet of the file.
    pub fn go_to_head(&mut self) -> Result<(), Trouble> {
        self.ahead.clear();
        self.stands_at = None;
        self.source = self.source.reopened()?;
        self.source.only(&[self.stream]);
        Ok(())
    }

    fn seek(&mut self, tick: i64, seconds_back: i64, clock: Clock) -> Result<(), Trouble> {
        self.ahead.clear();
        self.stands_at = None;
        let own = clock.time(tick.saturating_sub(clock.ticks(seconds_back)));
        let time = match (self.source.stream(self.stream), self.source.stream(self.seek_in)) {
            (Some(from), Some(to)) => rescale(own, from.raw().time_base, to.raw().time_base),
            _ => own,
        };
        self.source.seek(self.seek_in, time)
    }
}

/// What a packet says of where we are.
pub enum Arrival {
    /// The wanted place is later.
    Before,
    /// This is the first wanted packet.
    Here,
    /// The wanted place was earlier.
    Beyond,
}

fn rescale(time: i64, from: ffmpeg_next::ffi::AVRational, to: ffmpeg_next::ffi::AVRational) -> i64 {
    let scaled = i128::from(time) * i128::from(from.num) * i128::from(to.den);
    i64::try_from(scaled.div_euclid((i128::from(from.den) * i128::from(to.num)).max(1))).unwrap_or(0)
}
