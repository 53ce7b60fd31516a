//! Messages to frames: what a stranger sent, checked before anything is believed.
use bytes::{Buf, Bytes};

use super::{Code, Frame, FrameError, HEADERS_MAX, Header, Hello, MESSAGE_MAX, TARGET_MAX, TEXT_MAX, VALUE_MAX, kind};

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
