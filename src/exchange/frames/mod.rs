//! HTTP requests and responses as messages on a data channel: the codec, without rules of order (`session` has those).
//!
//! One message holds one frame: `kind: u8 | stream: u32 | body`, numbers big-endian. Stream 0 is the connection itself.
//! The asking side numbers its requests from 1 upwards; the answering side sends body bytes only against credit that
//! the asking side gave for that request, because browsers' data channels cannot push back. `docs/formats.md`,
//! "Frames", is the description for other implementers; `web/src/exchange/frames.ts` is its twin.
//!
//! The codec never panics and never allocates more than the message it was given: every length is checked first.
mod read;
mod write;

use bytes::Bytes;
pub use write::encode_body;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use bytes::{BufMut, BytesMut};

    use super::write::head;
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
