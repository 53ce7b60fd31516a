//! A browser's side of the carrier, driven by the test that owns it: nothing happens while it does not wait.
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use potluck::exchange::frames::{Code, Frame, Header, Hello};
use potluck::exchange::webrtc::WebRtc;
use str0m::change::SdpAnswer;
use str0m::channel::ChannelId;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;

/// What came back for a request.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<Header>,
    pub body: Vec<u8>,
    pub ended: bool,
    pub error: Option<Code>,
}

pub struct Browser {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    wakes: Instant,
    channel: Option<ChannelId>,
    greeted: bool,
    closed: Option<Option<Code>>,
    last: u32,
    /// Tokens of pings that are not answered yet.
    pings: Vec<u64>,
    answers: HashMap<u32, Answer>,
    pub longest_body: usize,
}

impl Browser {
    /// A well-formed offer of which nothing more will be heard.
    pub async fn offer() -> String {
        let (mut rtc, _, _) = Self::stack().await;
        let mut api = rtc.sdp_api();
        api.add_channel("potluck".into());
        api.apply().unwrap().0.to_sdp_string()
    }

    async fn stack() -> (Rtc, UdpSocket, SocketAddr) {
        str0m::crypto::from_feature_flags().install_process_default();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut rtc = Rtc::builder().build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        (rtc, socket, address)
    }

    /// A connection that has greeted and was greeted.
    pub async fn connect(carrier: &WebRtc<String>, caller: &str) -> Self {
        Self::connect_by(async |offer| carrier.answer(caller.to_owned(), offer).await.unwrap()).await
    }

    /// The same, where `signal` carries the offer there and the answer back.
    pub async fn connect_by(signal: impl AsyncFnOnce(String) -> String) -> Self {
        let (mut rtc, socket, address) = Self::stack().await;
        let mut api = rtc.sdp_api();
        api.add_channel("potluck".into());
        let (offer, pending) = api.apply().unwrap();
        // As browsers do: the node is not told where we are.
        let offer: String =
            offer.to_sdp_string().split_inclusive('\n').filter(|line| !line.starts_with("a=candidate")).collect();
        let answer = signal(offer).await;
        rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
        let mut browser = Self {
            rtc,
            socket,
            address,
            wakes: Instant::now(),
            channel: None,
            greeted: false,
            closed: None,
            last: 0,
            pings: Vec::new(),
            answers: HashMap::new(),
            longest_body: 0,
        };
        while browser.channel.is_none() {
            browser.turn().await;
        }
        browser.send(&Frame::Hello(Hello { version: 1, streams_max: 0, message_max: 65536, credit_max: 0 })).await;
        while !browser.greeted {
            browser.turn().await;
        }
        browser
    }

    /// Sends a request without a body.
    pub fn ask(&mut self, method: &str, target: &str, credit: u32) -> impl Future<Output = u32> + use<> {
        self.last += 1;
        let (stream, method, target) = (self.last, method.to_owned(), target.to_owned());
        self.answers.insert(stream, Answer::default());
        self.write(&Frame::Request { stream, end: true, credit, method, target, headers: vec![] }.encode());
        std::future::ready(stream)
    }

    /// Sends a request and waits for its answer, giving credit as needed.
    pub async fn fetch(&mut self, method: &str, target: &str, body: &[u8]) -> Answer {
        self.fetch_with(method, target, vec![], body).await
    }

    /// The same with headers.
    pub async fn fetch_with(&mut self, method: &str, target: &str, headers: Vec<Header>, body: &[u8]) -> Answer {
        self.last += 1;
        let stream = self.last;
        self.answers.insert(stream, Answer::default());
        let (method, target, end) = (method.to_owned(), target.to_owned(), body.is_empty());
        self.send(&Frame::Request { stream, end, credit: 4 << 20, method, target, headers }).await;
        let parts = body.chunks(30_000).count();
        for (n, part) in body.chunks(30_000).enumerate() {
            let data = Bytes::copy_from_slice(part);
            self.send(&Frame::RequestBody { stream, end: n + 1 == parts, data }).await;
        }
        self.answer(stream).await
    }

    /// Waits for the end of an answer.
    pub async fn answer(&mut self, stream: u32) -> Answer {
        while !self.answers[&stream].ended {
            assert!(self.closed.is_none(), "closed: {:?}", self.closed);
            self.turn().await;
        }
        self.answers.remove(&stream).unwrap()
    }

    pub fn received(&self, stream: u32) -> usize {
        self.answers[&stream].body.len()
    }

    pub async fn until_received(&mut self, stream: u32, bytes: usize) {
        while self.received(stream) < bytes {
            self.turn().await;
        }
    }

    /// Works until something else happens.
    pub async fn until(&mut self, event: impl Future<Output = ()>) {
        let mut event = std::pin::pin!(event);
        loop {
            tokio::select! {
                () = &mut event => return,
                () = self.turn() => {}
            }
        }
    }

    /// Waits for the other side's goodbye; none if it left without one.
    pub async fn until_closed(&mut self) -> Option<Code> {
        loop {
            if let Some(code) = self.closed {
                return code;
            }
            self.turn().await;
        }
    }

    pub async fn send(&mut self, frame: &Frame) {
        self.send_raw(&frame.encode()).await;
    }

    pub async fn send_raw(&mut self, message: &[u8]) {
        while !self.write(message) {
            self.turn().await;
        }
    }

    fn write(&mut self, message: &[u8]) -> bool {
        let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else { return true };
        let written = channel.write(true, message).unwrap();
        self.drain();
        written
    }

    /// Waits for one datagram or the next timer.
    async fn turn(&mut self) {
        self.drain();
        let mut buffer = vec![0; 2000];
        tokio::select! {
            read = self.socket.recv_from(&mut buffer) => {
                let (size, source) = read.unwrap();
                if let Ok(receive) = Receive::new(Protocol::Udp, source, self.address, &buffer[..size]) {
                    self.rtc.handle_input(Input::Receive(Instant::now(), receive)).unwrap();
                }
            }
            () = tokio::time::sleep_until(self.wakes.into()) => {
                self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap();
            }
        }
        self.drain();
        for token in std::mem::take(&mut self.pings) {
            self.write(&Frame::Pong { token }.encode());
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.wakes = at;
                    return;
                }
                Output::Transmit(packet) => {
                    // A full socket is a lost datagram, as on a network.
                    let _ = self.socket.try_send_to(&packet.contents, packet.destination);
                }
                Output::Event(Event::ChannelOpen(id, _)) => self.channel = Some(id),
                Output::Event(Event::ChannelData(data)) => self.frame(Frame::decode(data.data.into()).unwrap()),
                Output::Event(Event::ChannelClose(_) | Event::Closed) if self.closed.is_none() => {
                    self.closed = Some(None)
                }
                Output::Event(_) => {}
            }
        }
    }

    fn frame(&mut self, frame: Frame) {
        match frame {
            Frame::Hello(_) => self.greeted = true,
            Frame::Ping { token } => self.pings.push(token),
            Frame::Close { code, .. } => self.closed = Some(Some(code)),
            Frame::Response { stream, status, headers } => {
                if let Some(answer) = self.answers.get_mut(&stream) {
                    (answer.status, answer.headers) = (status, headers);
                }
            }
            Frame::Body { stream, data } => {
                self.longest_body = self.longest_body.max(data.len());
                if let Some(answer) = self.answers.get_mut(&stream) {
                    answer.body.extend_from_slice(&data);
                }
            }
            Frame::End { stream } => self.end(stream, None),
            Frame::Error { stream, code, .. } => self.end(stream, Some(code)),
            other => panic!("{other:?}"),
        }
    }

    fn end(&mut self, stream: u32, error: Option<Code>) {
        if let Some(answer) = self.answers.get_mut(&stream) {
            (answer.ended, answer.error) = (true, error);
        }
    }
}
