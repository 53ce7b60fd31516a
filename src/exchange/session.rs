//! The answering side's rules for one channel: which frame may come when, and how much of everything.
//!
//! Pure: messages in, [`Step`]s out, no IO and no clock. A frame that breaks the rules of the connection is a
//! [`Violation`] and ends it; one that only asks too much of a request gets that request an error frame. Frames for
//! requests that already ended are ignored: they crossed the end on the way.
use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};

use super::frames::{Code, Frame, FrameError, Header, Hello, MESSAGE_MAX, VERSION};

/// Requests at once on a channel.
pub const STREAMS_MAX: usize = 16;
/// Most unused credit of one request, bytes.
pub const CREDIT_MAX: u32 = 8 * 1024 * 1024;
/// Longest request body, bytes.
pub const UPLOAD_MAX: usize = 1024 * 1024;
/// Unfinished request bodies of one channel together, bytes.
pub const UPLOADS_MAX: usize = 4 * UPLOAD_MAX;
/// Methods that are carried.
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "PUT"];

/// Headers that never pass from a peer to the router: the carrier says who is calling and over what.
const NOT_CARRIED: [&str; 12] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What follows from a message.
#[derive(Debug)]
pub enum Step {
    /// A whole request: answer it.
    Request { stream: u32, request: http::Request<Bytes> },
    /// More may be sent of an answer.
    Credit { stream: u32 },
    /// The answer is not wanted any more.
    Cancel { stream: u32 },
    /// A ping came back.
    Pong,
    /// Send this.
    Reply(Frame),
    /// The other side closed the connection.
    Closed,
}

/// The peer broke a rule of the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Violation {
    /// For the close frame.
    pub code: Code,
    /// What was wrong, for people.
    pub text: String,
}

impl Violation {
    fn protocol(text: impl Into<String>) -> Self {
        Self { code: Code::Protocol, text: text.into() }
    }
}

impl From<FrameError> for Violation {
    fn from(error: FrameError) -> Self {
        Self::protocol(error.to_string())
    }
}

/// A request whose body is not complete.
struct Upload {
    request: http::Request<()>,
    credit: u32,
    body: BytesMut,
}

enum Stream {
    Uploading(Box<Upload>),
    /// Unused credit, bytes.
    Answering(u64),
}

/// One channel's state.
#[derive(Default)]
pub struct Session {
    greeted: bool,
    last: u32,
    streams: HashMap<u32, Stream>,
    uploads: usize,
}

impl Session {
    /// What this side says first.
    #[must_use]
    pub fn hello() -> Frame {
        Frame::Hello(Hello {
            version: VERSION,
            streams_max: STREAMS_MAX as u16,
            message_max: MESSAGE_MAX as u32,
            credit_max: CREDIT_MAX,
        })
    }

    /// Takes one message.
    pub fn receive(&mut self, message: Bytes) -> Result<Option<Step>, Violation> {
        let frame = Frame::decode(message)?;
        if !self.greeted {
            return self.greet(&frame);
        }
        match frame {
            Frame::Request { stream, end, credit, method, target, headers } => {
                self.number(stream)?;
                Ok(self.request(stream, end, credit, &method, &target, headers))
            }
            Frame::RequestBody { stream, end, data } => self.upload(stream, end, &data),
            Frame::Credit { stream, bytes } => self.credit(stream, bytes),
            Frame::Cancel { stream } => {
                self.known(stream)?;
                Ok(self.finish(stream).then_some(Step::Cancel { stream }))
            }
            Frame::Ping { token } => Ok(Some(Step::Reply(Frame::Pong { token }))),
            Frame::Pong { .. } => Ok(Some(Step::Pong)),
            Frame::Close { .. } => Ok(Some(Step::Closed)),
            Frame::Hello(_) => Err(Violation::protocol("a second hello")),
            Frame::Response { .. } | Frame::Body { .. } | Frame::End { .. } | Frame::Error { .. } => {
                Err(Violation::protocol("an answer where only requests are expected"))
            }
        }
    }

    /// The answer to `stream` is complete or given up; false if it was already.
    pub fn finish(&mut self, stream: u32) -> bool {
        match self.streams.remove(&stream) {
            Some(Stream::Uploading(upload)) => {
                self.uploads -= upload.body.len();
                true
            }
            Some(Stream::Answering(_)) => true,
            None => false,
        }
    }

    /// Body bytes that may be sent for `stream` now.
    #[must_use]
    pub fn credit_of(&self, stream: u32) -> u64 {
        match self.streams.get(&stream) {
            Some(Stream::Answering(credit)) => *credit,
            _ => 0,
        }
    }

    /// Body bytes were sent for `stream`.
    pub fn spend(&mut self, stream: u32, bytes: usize) {
        if let Some(Stream::Answering(credit)) = self.streams.get_mut(&stream) {
            *credit = credit.saturating_sub(bytes as u64);
        }
    }

    /// Requests that have no complete answer yet.
    #[cfg(test)]
    pub fn open(&self) -> usize {
        self.streams.len()
    }

    fn greet(&mut self, frame: &Frame) -> Result<Option<Step>, Violation> {
        match frame {
            Frame::Hello(hello) if hello.version >= 1 => {
                self.greeted = true;
                Ok(None)
            }
            Frame::Hello(hello) => Err(Violation::protocol(format!("version {} is not spoken here", hello.version))),
            _ => Err(Violation::protocol("the first frame is not a hello")),
        }
    }

    /// Request numbers only grow, so that a late frame can never be taken for a new request's.
    fn number(&mut self, stream: u32) -> Result<(), Violation> {
        if stream <= self.last {
            return Err(Violation::protocol(format!("request number {stream} was used before")));
        }
        self.last = stream;
        Ok(())
    }

    fn known(&self, stream: u32) -> Result<(), Violation> {
        if stream > self.last {
            return Err(Violation::protocol(format!("request {stream} was never made")));
        }
        Ok(())
    }

    fn request(
        &mut self,
        stream: u32,
        end: bool,
        credit: u32,
        method: &str,
        target: &str,
        headers: Vec<Header>,
    ) -> Option<Step> {
        let refuse = |code, text: &str| Some(Step::Reply(Frame::Error { stream, code, text: text.to_owned() }));
        if self.streams.len() >= STREAMS_MAX {
            return refuse(Code::Limit, "too many requests at once");
        }
        if credit > CREDIT_MAX {
            return refuse(Code::Limit, "more credit than is allowed");
        }
        let Some(request) = build(method, target, headers) else {
            return refuse(Code::Protocol, "the request is not one that is carried");
        };
        if end {
            self.streams.insert(stream, Stream::Answering(credit.into()));
            return Some(Step::Request { stream, request: request.map(|()| Bytes::new()) });
        }
        let upload = Box::new(Upload { request, credit, body: BytesMut::new() });
        self.streams.insert(stream, Stream::Uploading(upload));
        None
    }

    fn upload(&mut self, stream: u32, end: bool, data: &Bytes) -> Result<Option<Step>, Violation> {
        self.known(stream)?;
        let upload = match self.streams.get_mut(&stream) {
            Some(Stream::Uploading(upload)) => upload,
            Some(Stream::Answering(_)) => return Err(Violation::protocol("a request body after its end")),
            None => return Ok(None),
        };
        if upload.body.len() + data.len() > UPLOAD_MAX || self.uploads + data.len() > UPLOADS_MAX {
            self.finish(stream);
            let text = format!("request bodies of at most {UPLOAD_MAX} bytes are carried; use HTTPS");
            return Ok(Some(Step::Reply(Frame::Error { stream, code: Code::Limit, text })));
        }
        upload.body.extend_from_slice(data);
        self.uploads += data.len();
        if !end {
            return Ok(None);
        }
        let Some(Stream::Uploading(upload)) = self.streams.remove(&stream) else { return Ok(None) };
        self.uploads -= upload.body.len();
        self.streams.insert(stream, Stream::Answering(upload.credit.into()));
        let Upload { request, body, .. } = *upload;
        let request = request.map(|()| body.freeze());
        Ok(Some(Step::Request { stream, request }))
    }

    fn credit(&mut self, stream: u32, bytes: u32) -> Result<Option<Step>, Violation> {
        self.known(stream)?;
        let over = |total: u64| total > u64::from(CREDIT_MAX);
        let too_much = || Violation { code: Code::Limit, text: "more credit than is allowed".into() };
        match self.streams.get_mut(&stream) {
            Some(Stream::Answering(credit)) => {
                *credit += u64::from(bytes);
                if over(*credit) { Err(too_much()) } else { Ok(Some(Step::Credit { stream })) }
            }
            Some(Stream::Uploading(upload)) => {
                upload.credit = upload.credit.saturating_add(bytes);
                if over(upload.credit.into()) { Err(too_much()) } else { Ok(None) }
            }
            None => Ok(None),
        }
    }
}

/// The HTTP request that a frame stands for, without what only a carrier may say; none if it is not carried.
fn build(method: &str, target: &str, headers: Vec<Header>) -> Option<http::Request<()>> {
    if !METHODS.contains(&method) {
        return None;
    }
    let mut request = http::Request::builder().method(method).uri(target).body(()).ok()?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_maybe_shared(value).ok()?;
        if !NOT_CARRIED.contains(&name.as_str()) && !name.as_str().starts_with("x-forwarded-") {
            request.headers_mut().append(name, value);
        }
    }
    Some(request)
}

/// The frame for an answer's head. Headers beyond what a message holds are left out.
#[must_use]
pub fn response_frame(stream: u32, parts: &http::response::Parts) -> Frame {
    let mut room = MESSAGE_MAX / 2;
    let headers = parts
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "connection" | "keep-alive" | "set-cookie" | "transfer-encoding"))
        .filter(|(name, value)| name.as_str().len() < 256 && value.len() <= super::frames::VALUE_MAX)
        .take_while(|(name, value)| {
            let size = name.as_str().len() + value.len() + 3;
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        })
        .take(super::frames::HEADERS_MAX)
        .map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())))
        .collect();
    Frame::Response { stream, status: parts.status.as_u16(), headers }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn greeted() -> Session {
        let mut session = Session::default();
        assert!(session.receive(Session::hello().encode()).unwrap().is_none());
        session
    }

    fn get(stream: u32, credit: u32) -> Bytes {
        request(stream, true, credit, "GET", vec![])
    }

    fn request(stream: u32, end: bool, credit: u32, method: &str, headers: Vec<Header>) -> Bytes {
        Frame::Request { stream, end, credit, method: method.into(), target: "/x?y=1".into(), headers }.encode()
    }

    fn body(stream: u32, end: bool, bytes: usize) -> Bytes {
        Frame::RequestBody { stream, end, data: vec![7; bytes].into() }.encode()
    }

    fn error_code(step: Option<Step>) -> Code {
        match step {
            Some(Step::Reply(Frame::Error { code, .. })) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_carries_its_headers_but_never_credentials_or_hop_headers() {
        let headers = [("range", "bytes=0-1"), ("cookie", "s=1"), ("host", "evil"), ("x-forwarded-for", "10.0.0.1")];
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), Bytes::from_static(v.as_bytes()))).collect();
        let step = greeted().receive(request(1, true, 10, "GET", headers)).unwrap();
        let Some(Step::Request { stream: 1, request }) = step else { panic!("{step:?}") };
        assert_eq!(request.uri(), "/x?y=1");
        let names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["range"]);
    }

    #[test]
    fn a_body_is_collected_until_its_end() {
        let mut session = greeted();
        session.receive(request(3, false, 0, "PUT", vec![])).unwrap();
        assert!(session.receive(body(3, false, 5)).unwrap().is_none());
        let step = session.receive(body(3, true, 6)).unwrap();
        let Some(Step::Request { request, .. }) = step else { panic!("{step:?}") };
        assert_eq!(request.body().len(), 11);
        assert_eq!(session.receive(body(3, true, 1)).unwrap_err().code, Code::Protocol);
    }

    #[test]
    fn what_breaks_the_order_ends_the_connection() {
        let cases: Vec<(&str, Vec<Bytes>)> = vec![
            ("no hello", vec![get(1, 0)]),
            ("version 0", vec![Bytes::from_static(b"\x01\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0")]),
            ("second hello", vec![Session::hello().encode(), Session::hello().encode()]),
            ("number again", vec![Session::hello().encode(), get(4, 0), get(4, 0)]),
            ("smaller number", vec![Session::hello().encode(), get(4, 0), get(3, 0)]),
            ("unknown credit", vec![Session::hello().encode(), Frame::Credit { stream: 9, bytes: 1 }.encode()]),
            ("unknown cancel", vec![Session::hello().encode(), Frame::Cancel { stream: 9 }.encode()]),
            ("unknown body", vec![Session::hello().encode(), body(9, true, 1)]),
            ("an answer", vec![Session::hello().encode(), Frame::End { stream: 1 }.encode()]),
            ("garbage", vec![Session::hello().encode(), Bytes::from_static(b"garbage")]),
            ("too long", vec![Session::hello().encode(), Bytes::from(vec![3; MESSAGE_MAX + 1])]),
        ];
        for (what, messages) in cases {
            let mut session = Session::default();
            let (last, first) = messages.split_last().unwrap();
            for message in first {
                session.receive(message.clone()).unwrap();
            }
            assert_eq!(session.receive(last.clone()).unwrap_err().code, Code::Protocol, "{what}");
        }
    }

    #[test]
    fn what_asks_too_much_costs_only_the_request() {
        let mut session = greeted();
        assert_eq!(error_code(session.receive(get(1, CREDIT_MAX + 1)).unwrap()), Code::Limit);
        assert_eq!(error_code(session.receive(request(2, true, 0, "CONNECT", vec![])).unwrap()), Code::Protocol);
        session.receive(request(3, false, 0, "POST", vec![])).unwrap();
        for _ in 0..UPLOAD_MAX / 32_768 {
            assert!(session.receive(body(3, false, 32_768)).unwrap().is_none());
        }
        assert_eq!(error_code(session.receive(body(3, false, 1)).unwrap()), Code::Limit);
        assert!(session.receive(body(3, true, 1)).unwrap().is_none(), "late parts are ignored");
        for stream in 10..10 + STREAMS_MAX as u32 {
            assert!(matches!(session.receive(get(stream, 0)).unwrap(), Some(Step::Request { .. })));
        }
        assert_eq!(error_code(session.receive(get(100, 0)).unwrap()), Code::Limit);
    }

    #[test]
    fn credit_adds_up_is_spent_and_has_a_limit() {
        let mut session = greeted();
        session.receive(get(1, 100)).unwrap();
        session.receive(Frame::Credit { stream: 1, bytes: 50 }.encode()).unwrap();
        session.spend(1, 120);
        assert_eq!(session.credit_of(1), 30);
        let much = Frame::Credit { stream: 1, bytes: CREDIT_MAX }.encode();
        assert_eq!(session.receive(much.clone()).unwrap_err().code, Code::Limit);
        assert!(session.finish(1));
        assert!(session.receive(much).unwrap().is_none(), "credit for an ended request is ignored");
    }

    proptest! {
        #[test]
        fn any_sequence_of_messages_is_survived(messages in prop::collection::vec(
            (0u8..14, 0u32..5, prop::collection::vec(any::<u8>(), 0..40)), 0..60)) {
            let mut session = greeted();
            for (kind, stream, rest) in messages {
                let mut message = vec![kind];
                message.extend(stream.to_be_bytes());
                message.extend(rest);
                if session.receive(message.into()).is_err() {
                    return Ok(());
                }
                prop_assert!(session.open() <= STREAMS_MAX);
            }
        }
    }
}
