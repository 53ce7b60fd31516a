//! One browser connection: the protocol stack of `str0m`, the channel's rules, and what waits to be sent.
//!
//! The stack is driven by its one rule: after every input its output is drained before the next input.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use str0m::channel::ChannelId;
use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};

use super::pace::{Pace, StackClock, window};
use super::socket::{Arrival, Socket};
use crate::exchange::frames::{Code, Frame, MESSAGE_SENT_MAX};
use crate::exchange::outbox::{Outbox, Part};
use crate::exchange::session::{Session, Step, Violation};

/// From the offer until the channel speaks.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(15);
/// Without a word from the browser, which pings every 15 s.
pub const SILENCE_MAX: Duration = Duration::from_secs(60);
/// With bytes to send and none acknowledged, or without credit for an answer that is ready.
pub const STALL_MAX: Duration = Duration::from_secs(30);

/// What a connection wants of its owner.
pub enum Wish {
    /// Answer a request.
    Respond { stream: u32, request: http::Request<Bytes> },
    /// Stop answering a request.
    Abandon { stream: u32 },
}

/// What moved since the last look.
#[derive(Debug, Default, Clone, Copy)]
pub struct Moved {
    pub sent: u64,
    pub received: u64,
}

/// A browser's connection.
pub struct Peer {
    rtc: Rtc,
    channel: Option<ChannelId>,
    session: Session,
    outbox: Outbox,
    /// Made when; open once the browser's hello came.
    since: Instant,
    /// The browser spoke.
    heard: Instant,
    /// Something was taken by the stack, or nothing waited.
    flowed: Instant,
    open: bool,
    wakes: Instant,
    clock: StackClock,
    pace: Pace,
    /// The shortest measured, and when the ping that is under way left.
    round_trip: Option<Duration>,
    pinged: Option<Instant>,
    addresses: Vec<SocketAddr>,
    moved: Moved,
    /// Why it must end, as soon as the stack is drained.
    verdict: Option<Violation>,
}

impl Peer {
    /// A connection whose answer was just given.
    pub fn new(rtc: Rtc, now: Instant) -> Self {
        Self {
            rtc,
            channel: None,
            session: Session::default(),
            outbox: Outbox::default(),
            since: now,
            heard: now,
            flowed: now,
            open: false,
            wakes: now,
            clock: StackClock::new(now),
            pace: Pace::new(now),
            round_trip: None,
            pinged: None,
            addresses: Vec::new(),
            moved: Moved::default(),
            verdict: None,
        }
    }

    /// Whether it is still of use.
    pub fn is_alive(&self) -> bool {
        self.rtc.is_alive()
    }

    /// Whether the browser has greeted.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Remote addresses it has been seen at or has tried; the owner keeps them for demultiplexing.
    pub fn addresses(&mut self) -> &mut Vec<SocketAddr> {
        &mut self.addresses
    }

    /// When [`Peer::tick`] must be called at the latest.
    pub fn wakes(&self) -> Instant {
        let limit = if self.open { self.heard + SILENCE_MAX } else { self.since + HANDSHAKE_MAX };
        let paced = self.pace.wakes().unwrap_or(limit);
        self.clock.when(self.wakes).min(limit).min(paced)
    }

    /// Payload bytes since the last call.
    pub fn take_moved(&mut self) -> Moved {
        std::mem::take(&mut self.moved)
    }

    /// Whether `arrival` is a valid packet of this connection.
    pub fn accepts(&self, arrival: Arrival<'_>) -> bool {
        receive(arrival).is_some_and(|r| self.rtc.accepts(&Input::Receive(self.since, r)))
    }

    /// Takes a datagram.
    pub fn datagram(&mut self, arrival: Arrival<'_>, now: Instant, socket: &mut Socket, wishes: &mut Vec<Wish>) {
        if let Some(receive) = receive(arrival) {
            let taken = self.rtc.handle_input(Input::Receive(self.clock.at(now), receive));
            self.after(taken, now, socket, wishes);
        }
    }

    /// Lets time pass, and ends the connection if it is overdue.
    pub fn tick(&mut self, now: Instant, socket: &mut Socket, wishes: &mut Vec<Wish>) {
        if let Some(reason) = self.overdue(now) {
            return self.end(Code::Timeout, reason, now, socket);
        }
        for stream in self.outbox.stuck(now - STALL_MAX) {
            let text = "no credit was given for too long".to_owned();
            self.give_up(Frame::Error { stream, code: Code::Timeout, text }, stream, wishes);
        }
        let taken = self.rtc.handle_input(Input::Timeout(self.clock.at(now)));
        self.after(taken, now, socket, wishes);
    }

    fn overdue(&mut self, now: Instant) -> Option<&'static str> {
        if !self.open {
            return (now >= self.since + HANDSHAKE_MAX).then_some("the handshake took too long");
        }
        if self.room() >= MESSAGE_SENT_MAX {
            self.flowed = now;
        }
        if now >= self.flowed + STALL_MAX {
            return Some("nothing was read for too long");
        }
        (now >= self.heard + SILENCE_MAX).then_some("nothing was heard for too long")
    }

    fn give_up(&mut self, error: Frame, stream: u32, wishes: &mut Vec<Wish>) {
        self.outbox.forget(stream);
        self.session.finish(stream);
        let _ = self.outbox.control(&error);
        wishes.push(Wish::Abandon { stream });
    }

    /// Takes a part of an answer; [`Peer::send`] follows.
    pub fn part(&mut self, stream: u32, part: Part) {
        self.outbox.part(stream, part);
    }

    /// Sends what fits into the window.
    pub fn send(&mut self, now: Instant, socket: &mut Socket, wishes: &mut Vec<Wish>) {
        while self.verdict.is_none() {
            let Some(message) = self.next_message(now) else { break };
            let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else { return };
            let written = channel.write(true, &message).map(|taken| debug_assert!(taken, "room was checked"));
            self.after(written, now, socket, wishes);
        }
        if let Some(Violation { code, text }) = self.verdict.take() {
            self.end(code, &text, now, socket);
        }
    }

    /// Says goodbye and closes.
    pub fn end(&mut self, code: Code, text: &str, now: Instant, socket: &mut Socket) {
        tracing::debug!(reason = text, "a WebRTC connection is closed");
        self.pace.lift();
        let goodbye = Frame::Close { code, text: text.to_owned() }.encode();
        if let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) {
            let _ = channel.write(true, &goodbye);
            self.drain(now, socket, &mut Vec::new());
        }
        let _ = self.rtc.close();
        self.drain(now, socket, &mut Vec::new());
        self.rtc.disconnect();
    }

    fn next_message(&mut self, now: Instant) -> Option<Bytes> {
        let room = self.room();
        if room < MESSAGE_SENT_MAX {
            return None;
        }
        self.flowed = now;
        let (message, bytes) = self.outbox.next(&mut self.session, now)?;
        self.moved.sent += bytes as u64;
        Some(message)
    }

    /// Bytes that the stack would still take.
    fn room(&mut self) -> usize {
        let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else { return 0 };
        window(self.round_trip).saturating_sub(channel.buffered_amount())
    }

    fn after(&mut self, taken: Result<(), RtcError>, now: Instant, socket: &mut Socket, wishes: &mut Vec<Wish>) {
        if let Err(error) = taken {
            tracing::debug!(%error, "a WebRTC connection broke");
            self.rtc.disconnect();
            return;
        }
        self.drain(now, socket, wishes);
    }

    fn drain(&mut self, now: Instant, socket: &mut Socket, wishes: &mut Vec<Wish>) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(wakes)) => {
                    self.wakes = wakes;
                    self.pace.release(now, |from, to, bytes| socket.send(from, to, bytes));
                    return;
                }
                Ok(Output::Transmit(packet)) => {
                    if !self.addresses.contains(&packet.destination) {
                        self.addresses.push(packet.destination);
                    }
                    self.pace.push(packet.source, packet.destination, packet.contents.into());
                }
                Ok(Output::Event(event)) => self.event(event, now, wishes),
                Err(error) => {
                    tracing::debug!(%error, "a WebRTC connection broke");
                    self.rtc.disconnect();
                    return;
                }
            }
        }
    }

    fn event(&mut self, event: Event, now: Instant, wishes: &mut Vec<Wish>) {
        match event {
            Event::ChannelOpen(id, _) if self.channel.is_none() => {
                self.channel = Some(id);
                let _ = self.outbox.control(&Session::hello());
                let _ = self.outbox.control(&Frame::Ping { token: 0 });
                self.pinged = Some(now);
            }
            Event::ChannelData(data) if Some(data.id) == self.channel => {
                self.heard = now;
                self.moved.received += data.data.len() as u64;
                self.message(data.data.into(), now, wishes);
            }
            Event::ChannelClose(id) if Some(id) == self.channel => self.rtc.disconnect(),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => self.rtc.disconnect(),
            _ => {}
        }
    }

    fn message(&mut self, message: Bytes, now: Instant, wishes: &mut Vec<Wish>) {
        if self.verdict.is_some() {
            return;
        }
        match self.session.receive(message) {
            Ok(step) => {
                self.open = true;
                self.step(step, now, wishes);
            }
            Err(violation) => self.verdict = Some(violation),
        }
    }

    /// A ping is back. Later ones wait behind data, so the shortest counts.
    fn measure(&mut self, now: Instant) {
        let Some(pinged) = self.pinged.take() else { return };
        let round_trip = now.saturating_duration_since(pinged);
        let shortest = self.round_trip.map_or(round_trip, |before| before.min(round_trip));
        self.round_trip = Some(shortest);
        self.pace.follow(shortest);
    }

    fn step(&mut self, step: Option<Step>, now: Instant, wishes: &mut Vec<Wish>) {
        match step {
            None => {}
            Some(Step::Pong) => self.measure(now),
            Some(Step::Request { stream, request }) => {
                self.outbox.expect(stream);
                wishes.push(Wish::Respond { stream, request });
            }
            Some(Step::Credit { stream }) => self.outbox.ready(stream),
            Some(Step::Cancel { stream }) => {
                self.outbox.forget(stream);
                wishes.push(Wish::Abandon { stream });
            }
            Some(Step::Reply(frame)) => {
                if !self.outbox.control(&frame) {
                    self.rtc.disconnect();
                }
            }
            Some(Step::Closed) => self.rtc.disconnect(),
        }
    }
}

fn receive(arrival: Arrival<'_>) -> Option<Receive<'_>> {
    Receive::new(Protocol::Udp, arrival.source, arrival.destination, arrival.bytes).ok()
}
