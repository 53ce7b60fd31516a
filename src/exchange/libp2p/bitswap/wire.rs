//! Messages on a stream: a length, then the message.
use std::io;
use std::time::Duration;

use ::libp2p::Stream;
use bytes::{Bytes, BytesMut};
use futures_util::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::message::{Message, MessageError};

/// Room is made for so many bytes at a time, as they arrive: who only announces a long message costs nothing.
const STEP: usize = 64 * 1024;
/// A message that began must be over after this and [`RATE_MIN`].
const MESSAGE_TIME: Duration = Duration::from_secs(30);
/// Bytes a second that the slowest peer takes and gives.
const RATE_MIN: usize = 32 * 1024;
/// A stream on which nothing comes for so long is closed.
const IDLE_TIME: Duration = Duration::from_secs(300);

/// Why a stream is not read or written any more.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream broke.
    #[error("the stream broke")]
    Io(#[from] io::Error),
    /// What came is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A message began, and did not end in time.
    #[error("it was too slow")]
    Slow,
}

/// Bytes of the next message; `None` at the end of the stream, and when nothing comes for minutes.
///
/// # Errors
/// See [`WireError`].
pub async fn next_length<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<usize>, WireError> {
    let Ok(first) = timeout(IDLE_TIME, first(stream)).await else { return Ok(None) };
    let Some(first) = first? else { return Ok(None) };
    timeout(MESSAGE_TIME, length(stream, first)).await.map_err(|_| WireError::Slow)?.map(Some)
}

/// The message that has so many bytes.
///
/// # Errors
/// See [`WireError`].
pub async fn message<S: AsyncRead + Unpin>(stream: &mut S, len: usize) -> Result<Message, WireError> {
    let body = timeout(time_for(len), body(stream, len)).await.map_err(|_| WireError::Slow)??;
    Ok(Message::decode(body)?)
}

fn time_for(len: usize) -> Duration {
    MESSAGE_TIME + Duration::from_secs((len / RATE_MIN) as u64)
}

async fn first(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<u8>> {
    let mut byte = [0];
    Ok((stream.read(&mut byte).await? == 1).then_some(byte[0]))
}

async fn length(stream: &mut (impl AsyncRead + Unpin), first: u8) -> Result<usize, WireError> {
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

async fn body(stream: &mut (impl AsyncRead + Unpin), len: usize) -> io::Result<Bytes> {
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
    Ok(timeout(time_for(bytes.len()), written).await.map_err(|_| WireError::Slow)??)
}
