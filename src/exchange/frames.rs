//! HTTP requests and responses as messages on a data channel: the codec, without rules of order (`session` has those).
//!
//! One message holds one frame: `kind: u8 | stream: u32 | body`, numbers big-endian. Stream 0 is the connection itself.
//! The asking side numbers its requests from 1 upwards; the answering side sends body bytes only against credit that
//! the asking side gave for that request, because browsers' data channels cannot push back. `docs/formats.md`,
//! "Frames", is the description for other implementers; `web/src/exchange/frames.ts` is its twin.
//!
//! The codec never panics and never allocates more than the message it was given: every length is checked first.
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Version of the format that [`Frame::Hello`] names.
pub const VERSION: u16 = 1;
/// Longest message this side accepts.
pub const MESSAGE_MAX: usize = 64 * 1024;
/// Longest message this side sends; small, so that requests share a connection fairly.
pub const MESSAGE_SENT_MAX: usize = 16 * 1024;
/// Bytes of a frame before its body.
pub const FRAME_HEAD: usize = 5;
/// Most bytes of a [`Frame::Body`] this side sends.
pub const BODY_MAX: usize = MESSAGE_SENT_MAX - FRAME_HEAD;
/// Most headers of a request or response.
pub const HEADERS_MAX: usize = 64;
/// Longest request target.
pub const TARGET_MAX: usize = 8 * 1024;
/// Longest header value.
pub const VALUE_MAX: usize = 8 * 1024;
/// Longest text of an error or a close.
pub const TEXT_MAX: usize = 1024;

/// A header, name in lower case.
pub type Header = (String, Bytes);

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// First message of each side: what it speaks and accepts.
    Hello(Hello),
    /// A request; its body follows in [`Frame::RequestBody`] unless `end`.
    Request { stream: u32, end: bool, credit: u32, method: String, target: String, headers: Vec<Header> },
    /// A part of a request's body; `end` on the last.
    RequestBody { stream: u32, end: bool, data: Bytes },
    /// The asking side can take this many more body bytes of the answer.
    Credit { stream: u32, bytes: u32 },
    /// The asking side is no longer interested.
    Cancel { stream: u32 },
    /// Status and headers of an answer.
    Response { stream: u32, status: u16, headers: Vec<Header> },
    /// A part of an answer's body.
    Body { stream: u32, data: Bytes },
    /// The answer is complete.
    End { stream: u32 },
    /// The request has no (whole) answer.
    Error { stream: u32, code: Code, text: String },
    /// The connection ends; the sender reads nothing more.
    Close { code: Code, text: String },
    /// Answered at once by [`Frame::Pong`] with the same token.
    Ping { token: u64 },
    /// See [`Frame::Ping`].
    Pong { token: u64 },
}

/// What a side speaks and accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u16,
    /// Requests at once.
    pub streams_max: u16,
    /// Longest message it accepts, bytes.
    pub message_max: u32,
    /// Most unused credit it keeps for one request, bytes.
    pub credit_max: u32,
}

/// Why a request or a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// A frame that cannot be read, or not in this order.
    Protocol = 1,
    /// More than a limit allows: streams, credit, body.
    Limit = 2,
    /// The answer broke off on the answering side.
    Failed = 3,
    /// Nothing was read or sent for too long.
    Timeout = 4,
    /// The side is stopping, or the caller has lost its right.
    Gone = 5,
}

/// Why a message is not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`MESSAGE_MAX`].
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// Ends before its parts do.
    #[error("the frame is cut short")]
    Short,
    /// Goes on after its parts.
    #[error("{0} bytes follow the frame")]
    Trailing(usize),
    /// No kind of frame.
    #[error("{0} is no kind of frame")]
    Kind(u8),
    /// Stream 0 where a request's is needed, or the other way round.
    #[error("stream {0} cannot carry this frame")]
    Stream(u32),
    /// A part is malformed or over its limit: which.
    #[error("the frame's {0} is not valid")]
    Part(&'static str),
}

mod kind {
    pub const HELLO: u8 = 1;
    pub const REQUEST: u8 = 2;
    pub const REQUEST_BODY: u8 = 3;
    pub const CREDIT: u8 = 4;
    pub const CANCEL: u8 = 5;
    pub const RESPONSE: u8 = 6;
    pub const BODY: u8 = 7;
    pub const END: u8 = 8;
    pub const ERROR: u8 = 9;
    pub const CLOSE: u8 = 10;
    pub const PING: u8 = 11;
    pub const PONG: u8 = 12;
}

impl Frame {
    /// Reads one message.
    pub fn decode(message: Bytes) -> Result<Self, FrameError> {
        if message.len() > MESSAGE_MAX {
            return Err(FrameError::TooLong(message.len()));
        }
        let mut reader = Reader(message);
        let kind = reader.u8()?;
        let stream = reader.u32()?;
        check_stream(kind, stream)?;
        let frame = reader.frame(kind, stream)?;
        match reader.0.len() {
            0 => Ok(frame),
            rest => Err(FrameError::Trailing(rest)),
        }
    }

    /// Writes one message. Texts and heads over their limits are cut by the caller, who knows what to leave out.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(64);
        match self {
            Self::Hello(hello) => hello.put(&mut out),
            Self::Request { stream, end, credit, method, target, headers } => {
                head(&mut out, kind::REQUEST, *stream);
                out.put_u8(u8::from(*end));
                out.put_u32(*credit);
                put_short(&mut out, method.as_bytes());
                put_long(&mut out, target.as_bytes());
                put_headers(&mut out, headers);
            }
            Self::RequestBody { stream, end, data } => {
                head(&mut out, kind::REQUEST_BODY, *stream);
                out.put_u8(u8::from(*end));
                out.put_slice(data);
            }
            Self::Credit { stream, bytes } => {
                head(&mut out, kind::CREDIT, *stream);
                out.put_u32(*bytes);
            }
            Self::Cancel { stream } => head(&mut out, kind::CANCEL, *stream),
            Self::Response { stream, status, headers } => {
                head(&mut out, kind::RESPONSE, *stream);
                out.put_u16(*status);
                put_headers(&mut out, headers);
            }
            Self::Body { stream, data } => encode_body(&mut out, *stream, data),
            Self::End { stream } => head(&mut out, kind::END, *stream),
            Self::Error { stream, code, text } => {
                head(&mut out, kind::ERROR, *stream);
                put_reason(&mut out, *code, text);
            }
            Self::Close { code, text } => {
                head(&mut out, kind::CLOSE, 0);
                put_reason(&mut out, *code, text);
            }
            Self::Ping { token } => {
                head(&mut out, kind::PING, 0);
                out.put_u64(*token);
            }
            Self::Pong { token } => {
                head(&mut out, kind::PONG, 0);
                out.put_u64(*token);
            }
        }
        out.freeze()
    }
}

/// Appends a body frame to `out`: the hot path, without a [`Frame`] in between.
pub fn encode_body(out: &mut BytesMut, stream: u32, data: &[u8]) {
    out.reserve(FRAME_HEAD + data.len());
    head(out, kind::BODY, stream);
    out.put_slice(data);
}

impl Hello {
    fn put(&self, out: &mut BytesMut) {
        head(out, kind::HELLO, 0);
        out.put_u16(self.version);
        out.put_u16(self.streams_max);
        out.put_u32(self.message_max);
        out.put_u32(self.credit_max);
    }
}

impl Code {
    fn from_u8(value: u8) -> Result<Self, FrameError> {
        Ok(match value {
            1 => Self::Protocol,
            2 => Self::Limit,
            3 => Self::Failed,
            4 => Self::Timeout,
            5 => Self::Gone,
            _ => return Err(FrameError::Part("code")),
        })
    }
}

fn check_stream(kind: u8, stream: u32) -> Result<(), FrameError> {
    let connection = matches!(kind, kind::HELLO | kind::CLOSE | kind::PING | kind::PONG);
    if connection != (stream == 0) && (kind::HELLO..=kind::PONG).contains(&kind) {
        return Err(FrameError::Stream(stream));
    }
    Ok(())
}

fn head(out: &mut BytesMut, kind: u8, stream: u32) {
    out.put_u8(kind);
    out.put_u32(stream);
}

/// Length in one byte; a longer text is cut, which only a caller's mistake can cause.
fn put_short(out: &mut BytesMut, bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(u8::MAX.into())];
    out.put_u8(bytes.len() as u8);
    out.put_slice(bytes);
}

/// Length in two bytes.
fn put_long(out: &mut BytesMut, bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(VALUE_MAX)];
    out.put_u16(bytes.len() as u16);
    out.put_slice(bytes);
}

fn put_headers(out: &mut BytesMut, headers: &[Header]) {
    let headers = &headers[..headers.len().min(HEADERS_MAX)];
    out.put_u8(headers.len() as u8);
    for (name, value) in headers {
        put_short(out, name.as_bytes());
        put_long(out, value);
    }
}

fn put_reason(out: &mut BytesMut, code: Code, text: &str) {
    out.put_u8(code as u8);
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.put_slice(&text.as_bytes()[..end]);
}

/// Takes parts off the front of a message.
struct Reader(Bytes);

impl Reader {
    fn frame(&mut self, kind: u8, stream: u32) -> Result<Frame, FrameError> {
        Ok(match kind {
            kind::HELLO => Frame::Hello(Hello {
                version: self.u16()?,
                streams_max: self.u16()?,
                message_max: self.u32()?,
                credit_max: self.u32()?,
            }),
            kind::REQUEST => Frame::Request {
                stream,
                end: self.flag()?,
                credit: self.u32()?,
                method: self.token()?,
                target: self.target()?,
                headers: self.headers()?,
            },
            kind::REQUEST_BODY => Frame::RequestBody { stream, end: self.flag()?, data: self.rest() },
            kind::CREDIT => Frame::Credit { stream, bytes: self.u32()? },
            kind::CANCEL => Frame::Cancel { stream },
            kind::RESPONSE => Frame::Response { stream, status: self.status()?, headers: self.headers()? },
            kind::BODY => Frame::Body { stream, data: self.rest() },
            kind::END => Frame::End { stream },
            kind::ERROR => Frame::Error { stream, code: Code::from_u8(self.u8()?)?, text: self.text()? },
            kind::CLOSE => Frame::Close { code: Code::from_u8(self.u8()?)?, text: self.text()? },
            kind::PING => Frame::Ping { token: self.u64()? },
            kind::PONG => Frame::Pong { token: self.u64()? },
            other => return Err(FrameError::Kind(other)),
        })
    }

    fn take(&mut self, count: usize) -> Result<Bytes, FrameError> {
        if self.0.len() < count {
            return Err(FrameError::Short);
        }
        Ok(self.0.split_to(count))
    }

    fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.0)
    }

    fn u8(&mut self) -> Result<u8, FrameError> {
        self.0.try_get_u8().map_err(|_| FrameError::Short)
    }

    fn u16(&mut self) -> Result<u16, FrameError> {
        self.0.try_get_u16().map_err(|_| FrameError::Short)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        self.0.try_get_u32().map_err(|_| FrameError::Short)
    }

    fn u64(&mut self) -> Result<u64, FrameError> {
        self.0.try_get_u64().map_err(|_| FrameError::Short)
    }

    fn flag(&mut self) -> Result<bool, FrameError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(FrameError::Part("flag")),
        }
    }

    fn status(&mut self) -> Result<u16, FrameError> {
        let status = self.u16()?;
        if (100..1000).contains(&status) { Ok(status) } else { Err(FrameError::Part("status")) }
    }

    /// A method or header name: visible ASCII.
    fn token(&mut self) -> Result<String, FrameError> {
        let length = usize::from(self.u8()?);
        let bytes = self.take(length)?;
        if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(FrameError::Part("token"));
        }
        String::from_utf8(bytes.to_vec()).map_err(|_| FrameError::Part("token"))
    }

    /// A path with its query: visible ASCII that starts with a slash.
    fn target(&mut self) -> Result<String, FrameError> {
        let length = usize::from(self.u16()?);
        let bytes = self.take(length)?;
        if bytes.len() > TARGET_MAX || bytes.first() != Some(&b'/') || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(FrameError::Part("target"));
        }
        String::from_utf8(bytes.to_vec()).map_err(|_| FrameError::Part("target"))
    }

    fn headers(&mut self) -> Result<Vec<Header>, FrameError> {
        let count = usize::from(self.u8()?);
        if count > HEADERS_MAX {
            return Err(FrameError::Part("header count"));
        }
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            let name = self.token()?;
            let length = usize::from(self.u16()?);
            let value = self.take(length)?;
            if value.len() > VALUE_MAX || value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')) {
                return Err(FrameError::Part("header value"));
            }
            headers.push((name, value));
        }
        Ok(headers)
    }

    fn text(&mut self) -> Result<String, FrameError> {
        let bytes = self.rest();
        if bytes.len() > TEXT_MAX {
            return Err(FrameError::Part("text"));
        }
        String::from_utf8(bytes.to_vec()).map_err(|_| FrameError::Part("text"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers() -> impl Strategy<Value = Vec<Header>> {
        let value = prop::collection::vec(prop_oneof![Just(b'\t'), 32u8..=255], 0..60).prop_map(Bytes::from);
        prop::collection::vec(("[a-z][a-z0-9-]{0,30}", value), 0..8)
    }

    fn code() -> impl Strategy<Value = Code> {
        prop_oneof![Just(Code::Protocol), Just(Code::Limit), Just(Code::Failed), Just(Code::Timeout), Just(Code::Gone)]
    }

    fn bytes() -> impl Strategy<Value = Bytes> {
        prop::collection::vec(any::<u8>(), 0..2000).prop_map(Bytes::from)
    }

    fn frame() -> impl Strategy<Value = Frame> {
        let stream = 1..u32::MAX;
        prop_oneof![
            (any::<u16>(), any::<u16>(), any::<u32>(), any::<u32>()).prop_map(|(version, s, m, c)| Frame::Hello(
                Hello { version, streams_max: s, message_max: m, credit_max: c }
            )),
            (stream.clone(), any::<bool>(), any::<u32>(), "[A-Z]{1,12}", "/[!-~]{0,200}", headers()).prop_map(
                |(stream, end, credit, method, target, headers)| Frame::Request {
                    stream,
                    end,
                    credit,
                    method,
                    target,
                    headers
                }
            ),
            (stream.clone(), any::<bool>(), bytes()).prop_map(|(stream, end, data)| Frame::RequestBody {
                stream,
                end,
                data
            }),
            (stream.clone(), any::<u32>()).prop_map(|(stream, bytes)| Frame::Credit { stream, bytes }),
            stream.clone().prop_map(|stream| Frame::Cancel { stream }),
            (stream.clone(), 100u16..1000, headers()).prop_map(|(stream, status, headers)| Frame::Response {
                stream,
                status,
                headers
            }),
            (stream.clone(), bytes()).prop_map(|(stream, data)| Frame::Body { stream, data }),
            stream.clone().prop_map(|stream| Frame::End { stream }),
            (stream, code(), ".{0,100}").prop_map(|(stream, code, text)| Frame::Error { stream, code, text }),
            (code(), ".{0,100}").prop_map(|(code, text)| Frame::Close { code, text }),
            any::<u64>().prop_map(|token| Frame::Ping { token }),
            any::<u64>().prop_map(|token| Frame::Pong { token }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(frame in frame()) {
            prop_assert_eq!(Frame::decode(frame.encode()), Ok(frame));
        }

        #[test]
        fn garbage_is_refused_or_read_but_never_panics(garbage in bytes()) {
            let _ = Frame::decode(garbage);
        }

        #[test]
        fn garbage_of_a_known_kind_never_panics(kind in 0u8..14, stream in 0u32..3, garbage in bytes()) {
            let mut message = BytesMut::new();
            head(&mut message, kind, stream);
            message.put_slice(&garbage);
            if let Ok(frame) = Frame::decode(message.freeze()) {
                prop_assert_eq!(Frame::decode(frame.encode()), Ok(frame));
            }
        }

        #[test]
        fn a_frame_cut_short_is_never_another_request(frame in frame(), cut in 0usize..40) {
            let whole = frame.encode();
            let cut = whole.slice(..whole.len().saturating_sub(cut + 1));
            if matches!(frame, Frame::Request { .. } | Frame::Response { .. } | Frame::Hello(_) | Frame::Credit { .. }) {
                prop_assert!(Frame::decode(cut).is_err());
            } else {
                let _ = Frame::decode(cut);
            }
        }
    }

    #[test]
    fn bytes_on_the_wire_are_as_documented() {
        let request = Frame::Request {
            stream: 258,
            end: true,
            credit: 65536,
            method: "GET".into(),
            target: "/a".into(),
            headers: vec![("accept".into(), Bytes::from_static(b"*/*"))],
        };
        assert_eq!(&request.encode()[..], b"\x02\0\0\x01\x02\x01\0\x01\0\0\x03GET\0\x02/a\x01\x06accept\0\x03*/*");
    }

    #[test]
    fn broken_frames_are_refused_with_the_reason() {
        let cases: &[(&[u8], FrameError)] = &[
            (b"", FrameError::Short),
            (b"\x02\0\0", FrameError::Short),
            (b"\x63\0\0\0\x01", FrameError::Kind(0x63)),
            (b"\0\0\0\0\0", FrameError::Kind(0)),
            (b"\x02\0\0\0\0", FrameError::Stream(0)),
            (b"\x0b\0\0\0\x07\0\0\0\0\0\0\0\0", FrameError::Stream(7)),
            (b"\x05\0\0\0\x01x", FrameError::Trailing(1)),
            (b"\x03\0\0\0\x01\x02", FrameError::Part("flag")),
            (b"\x06\0\0\0\x01\0\x01\0", FrameError::Part("status")),
            (b"\x06\0\0\0\x01\0\xc8\xff", FrameError::Part("header count")),
            (b"\x06\0\0\0\x01\0\xc8\x01\x01a\0\x01\n", FrameError::Part("header value")),
            (b"\x02\0\0\0\x01\x01\0\0\0\0\x03GET\0\x01a\0", FrameError::Part("target")),
            (b"\x09\0\0\0\x01\xee", FrameError::Part("code")),
        ];
        for (message, error) in cases {
            assert_eq!(Frame::decode(Bytes::from_static(message)).unwrap_err(), *error, "{message:?}");
        }
        assert_eq!(
            Frame::decode(Bytes::from(vec![7; MESSAGE_MAX + 1])).unwrap_err(),
            FrameError::TooLong(MESSAGE_MAX + 1)
        );
    }
}
