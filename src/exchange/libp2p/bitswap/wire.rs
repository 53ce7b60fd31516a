//! Messages on a stream: a length, then the message.
use std::io;
use std::time::Duration;

use ::libp2p::Stream;
use bytes::{Bytes, BytesMut};
use futures_util::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::message::{MESSAGE_MAX, Message, MessageError};

/// Room is made for so many bytes at a time, as they arrive: who only announces a long message costs nothing.
const STEP: usize = 64 * 1024;
/// A message that began must be there after this.
const MESSAGE_TIME: Duration = Duration::from_secs(60);
/// A stream on which nothing comes for so long is closed.
const IDLE_TIME: Duration = Duration::from_secs(300);

/// Why a stream is not read or written any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("the stream broke")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("it was too slow")]
    Slow,
}

/// The next message; `None` at the end of the stream, and when nothing comes for minutes. `max` bytes at most.
pub(super) async fn read(stream: &mut Stream, max: impl Fn() -> usize) -> Result<Option<Message>, WireError> {
    let Ok(first) = timeout(IDLE_TIME, first(stream)).await else { return Ok(None) };
    let Some(first) = first? else { return Ok(None) };
    let rest = async {
        let len = length(stream, first).await?;
        if len > max().min(MESSAGE_MAX) {
            return Err(MessageError::TooLong(len).into());
        }
        Ok(Message::decode(body(stream, len).await?)?)
    };
    timeout(MESSAGE_TIME, rest).await.map_err(|_| WireError::Slow)?.map(Some)
}

async fn first(stream: &mut Stream) -> io::Result<Option<u8>> {
    let mut byte = [0];
    Ok((stream.read(&mut byte).await? == 1).then_some(byte[0]))
}

async fn length(stream: &mut Stream, first: u8) -> Result<usize, WireError> {
    let (mut len, mut byte, mut shift) = (usize::from(first & 0x7f), [first], 7);
    while byte[0] & 0x80 != 0 {
        // Five bytes say more than any message may have.
        if shift > 28 {
            return Err(MessageError::Malformed.into());
        }
        stream.read_exact(&mut byte).await?;
        len |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
    }
    Ok(len)
}

async fn body(stream: &mut Stream, len: usize) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    while body.len() < len {
        let start = body.len();
        // Doubling keeps copying low, and room within twice of what has arrived.
        body.resize(len.min((2 * start).max(STEP)), 0);
        stream.read_exact(&mut body[start..]).await?;
    }
    Ok(body.freeze())
}

/// Sends a message.
pub(super) async fn write(stream: &mut Stream, message: &Message) -> Result<(), WireError> {
    let bytes = message.encode();
    let written = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    Ok(timeout(MESSAGE_TIME, written).await.map_err(|_| WireError::Slow)??)
}
