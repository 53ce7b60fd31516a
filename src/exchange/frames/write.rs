//! Frames to messages.
use bytes::{BufMut, Bytes, BytesMut};

use super::{Code, FRAME_HEAD, Frame, HEADERS_MAX, Header, Hello, TEXT_MAX, VALUE_MAX, kind};

impl Frame {
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

pub(super) fn head(out: &mut BytesMut, kind: u8, stream: u32) {
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
