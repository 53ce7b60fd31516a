//! The node's end of the socket to one worker, and the files that are handed over it.
use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

use super::protocol::{FileKey, PREFIX_SIZE, Question, Reply, Request, decode_header, decode_prefix, encode};

/// A regular file, open for reading.
pub(super) struct OpenFile {
    file: File,
    pub(super) key: FileKey,
}

impl OpenFile {
    pub(super) async fn open(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(path)).await.map_err(io::Error::other)?
    }

    /// An empty one, for a question that is about no file.
    pub(super) fn nothing() -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("nothing", rustix::fs::MemfdFlags::CLOEXEC)?);
        Ok(Self { file, key: FileKey { device: 0, inode: 0, size: 0, modified_ns: 0 } })
    }

    fn open_blocking(path: PathBuf) -> io::Result<Self> {
        // A named pipe without a writer would hold us for ever otherwise.
        let wait_for_nobody = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = File::options().read(true).custom_flags(wait_for_nobody).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let key = FileKey {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        };
        Ok(Self { file, key })
    }
}

/// A socket on which one request is answered after the other.
pub(super) struct Connection {
    socket: UnixStream,
}

impl Connection {
    pub(super) fn new(socket: StdUnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UnixStream::from_std(socket)? })
    }

    /// Sends a request with its file and waits for the reply. After an error, or if it is dropped half way, the
    /// connection is of no more use.
    pub(super) async fn ask(&mut self, file: &OpenFile, question: &Question) -> io::Result<(Reply, Bytes)> {
        self.send(file, question).await?;
        self.receive().await
    }

    /// Sends a request with its file, without waiting for what comes back.
    pub(super) async fn send(&mut self, file: &OpenFile, question: &Question) -> io::Result<()> {
        let request = encode(&Request { file: file.key, question: question.clone() }, 0).map_err(io::Error::other)?;
        let sent = self.send_descriptor(&request, &file.file).await?;
        self.socket.write_all(&request[sent..]).await
    }

    async fn send_descriptor(&self, bytes: &[u8], file: &File) -> io::Result<usize> {
        let send = || {
            let descriptors = [file.as_fd()];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            control.push(SendAncillaryMessage::ScmRights(&descriptors));
            Ok(sendmsg(&self.socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
        };
        self.socket.async_io(Interest::WRITABLE, send).await
    }

    /// The next message of the worker.
    pub(super) async fn receive(&mut self) -> io::Result<(Reply, Bytes)> {
        let mut prefix = [0; PREFIX_SIZE];
        self.socket.read_exact(&mut prefix).await?;
        let (header_size, payload_size) = decode_prefix(prefix).map_err(io::Error::other)?;
        let mut header = vec![0; header_size];
        self.socket.read_exact(&mut header).await?;
        let reply = decode_header(&header).map_err(io::Error::other)?;
        let mut payload = Vec::with_capacity(payload_size);
        (&mut self.socket).take(payload_size as u64).read_to_end(&mut payload).await?;
        if payload.len() < payload_size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((reply, Bytes::from(payload)))
    }
}
