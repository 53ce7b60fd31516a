//! What a channel has to send, in fair turns: small frames first, then each answer's body, a message at a time.
//!
//! Holds at most one part of each answer's body: who makes the part waits, by its permit, until it is sent.
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;

use super::frames::{BODY_MAX, Frame, encode_body};
use super::session::Session;

/// Small frames that may wait; a peer that makes us queue more (pings that it does not let us answer) is hostile.
const CONTROL_MAX: usize = 256;

/// A part of an answer, in order: one head, any number of data, one last.
#[derive(Debug)]
pub enum Part {
    /// Status and headers.
    Head(Frame),
    /// Body bytes; the permit is given back when they are sent.
    Data(Bytes, OwnedSemaphorePermit),
    /// [`Frame::End`] or [`Frame::Error`].
    Last(Frame),
}

#[derive(Default)]
struct Answer {
    data: Option<(Bytes, OwnedSemaphorePermit)>,
    last: Option<Frame>,
    /// Is in `turns`.
    waiting: bool,
    /// Has had bytes but no credit since.
    stuck: Option<Instant>,
}

/// One channel's queue.
#[derive(Default)]
pub struct Outbox {
    control: VecDeque<Bytes>,
    answers: HashMap<u32, Answer>,
    turns: VecDeque<u32>,
}

impl Outbox {
    /// Queues a small frame; false if too many wait.
    #[must_use]
    pub fn control(&mut self, frame: &Frame) -> bool {
        self.control.push_back(frame.encode());
        self.control.len() <= CONTROL_MAX
    }

    /// An answer to `stream` will come.
    pub fn expect(&mut self, stream: u32) {
        self.answers.insert(stream, Answer::default());
    }

    /// The answer to `stream` is not wanted any more.
    pub fn forget(&mut self, stream: u32) {
        self.answers.remove(&stream);
    }

    /// Queues a part of an expected answer; parts of others are dropped.
    pub fn part(&mut self, stream: u32, part: Part) {
        let Some(answer) = self.answers.get_mut(&stream) else { return };
        match part {
            Part::Head(frame) => return self.control.push_back(frame.encode()),
            Part::Data(data, permit) => answer.data = Some((data, permit)),
            Part::Last(frame) => answer.last = Some(frame),
        }
        self.ready(stream);
    }

    /// `stream` may have something to send now: a part or credit came.
    pub fn ready(&mut self, stream: u32) {
        if let Some(answer) = self.answers.get_mut(&stream)
            && !answer.waiting
        {
            answer.waiting = true;
            self.turns.push_back(stream);
        }
    }

    /// The next message, and how many body bytes it holds.
    pub fn next(&mut self, session: &mut Session, now: Instant) -> Option<(Bytes, usize)> {
        if let Some(message) = self.control.pop_front() {
            return Some((message, 0));
        }
        while let Some(stream) = self.turns.pop_front() {
            let Some(answer) = self.answers.get_mut(&stream) else { continue };
            answer.waiting = false;
            if let Some((data, permit)) = answer.data.take() {
                if let Some(message) = self.body(session, now, stream, data, permit) {
                    return Some(message);
                }
            } else if let Some(last) = answer.last.take() {
                self.answers.remove(&stream);
                session.finish(stream);
                return Some((last.encode(), 0));
            }
        }
        None
    }

    /// Answers whose bytes have waited for credit since `then` or longer.
    pub fn stuck(&self, then: Instant) -> Vec<u32> {
        let long = self.answers.iter().filter(|(_, answer)| answer.stuck.is_some_and(|since| since <= then));
        long.map(|(stream, _)| *stream).collect()
    }

    fn body(
        &mut self,
        session: &mut Session,
        now: Instant,
        stream: u32,
        mut data: Bytes,
        permit: OwnedSemaphorePermit,
    ) -> Option<(Bytes, usize)> {
        let credit = usize::try_from(session.credit_of(stream)).unwrap_or(usize::MAX);
        let piece = data.split_to(data.len().min(BODY_MAX).min(credit));
        let answer = self.answers.get_mut(&stream)?;
        if !data.is_empty() {
            answer.data = Some((data, permit));
        }
        if piece.is_empty() && answer.data.is_some() {
            answer.stuck.get_or_insert(now);
            return None;
        }
        answer.stuck = None;
        self.ready(stream);
        session.spend(stream, piece.len());
        let mut message = BytesMut::new();
        encode_body(&mut message, stream, &piece);
        Some((message.freeze(), piece.len()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    fn session_with(streams: &[u32], credit: u32) -> Session {
        let mut session = Session::default();
        session.receive(Session::hello().encode()).unwrap();
        for stream in streams {
            let (method, target) = ("GET".to_owned(), "/".to_owned());
            let frame = Frame::Request { stream: *stream, end: true, credit, method, target, headers: vec![] };
            session.receive(frame.encode()).unwrap();
        }
        session
    }

    fn data(bytes: usize) -> Part {
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        Part::Data(vec![1; bytes].into(), permit)
    }

    fn streams_sent(outbox: &mut Outbox, session: &mut Session) -> Vec<(u32, usize)> {
        let mut sent = Vec::new();
        while let Some((message, bytes)) = outbox.next(session, Instant::now()) {
            match Frame::decode(message).unwrap() {
                Frame::Body { stream, data } => {
                    assert_eq!(data.len(), bytes);
                    sent.push((stream, bytes));
                }
                Frame::End { stream } => sent.push((stream, 0)),
                other => panic!("{other:?}"),
            }
        }
        sent
    }

    #[test]
    fn answers_take_turns_message_by_message() {
        let mut session = session_with(&[1, 2], 1 << 20);
        let mut outbox = Outbox::default();
        for stream in [1, 2] {
            outbox.expect(stream);
            outbox.part(stream, data(BODY_MAX + 10));
            outbox.part(stream, Part::Last(Frame::End { stream }));
        }
        let sent = streams_sent(&mut outbox, &mut session);
        assert_eq!(sent, [(1, BODY_MAX), (2, BODY_MAX), (1, 10), (2, 10), (1, 0), (2, 0)]);
        assert_eq!(session.open(), 0);
    }

    #[test]
    fn no_byte_goes_beyond_the_credit_and_the_rest_goes_when_more_comes() {
        let mut session = session_with(&[1], 100);
        let mut outbox = Outbox::default();
        outbox.expect(1);
        outbox.part(1, data(250));
        outbox.part(1, Part::Last(Frame::End { stream: 1 }));
        assert_eq!(streams_sent(&mut outbox, &mut session), [(1, 100)]);
        assert_eq!(outbox.stuck(Instant::now()), [1]);
        session.receive(Frame::Credit { stream: 1, bytes: 150 }.encode()).unwrap();
        outbox.ready(1);
        assert_eq!(streams_sent(&mut outbox, &mut session), [(1, 150), (1, 0)]);
    }

    #[test]
    fn a_part_gives_its_permit_back_when_it_is_sent_or_forgotten() {
        let slots = Arc::new(Semaphore::new(1));
        let mut session = session_with(&[1], 1000);
        let mut outbox = Outbox::default();
        outbox.expect(1);
        outbox.part(1, Part::Data(vec![1; 10].into(), slots.clone().try_acquire_owned().unwrap()));
        assert_eq!(slots.available_permits(), 0);
        streams_sent(&mut outbox, &mut session);
        assert_eq!(slots.available_permits(), 1);
        outbox.part(1, Part::Data(vec![1; 2000].into(), slots.clone().try_acquire_owned().unwrap()));
        streams_sent(&mut outbox, &mut session);
        assert_eq!(slots.available_permits(), 0, "half of it waits for credit");
        outbox.forget(1);
        assert_eq!(slots.available_permits(), 1);
    }
}
