//! The worker's end of the socket: requests with a file in, replies out.
use std::fs::File;
use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::Context;
use potluck::media::protocol::{PREFIX_SIZE, Reply, Request, decode_header, decode_prefix, encode};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// The socket to the node.
pub struct Connection {
    socket: UnixStream,
}

impl Connection {
    /// The socket that the node gave us as standard input.
    pub fn on_stdin() -> Self {
        Self {
            socket: UnixStream::from(rustix::io::dup(rustix::stdio::stdin()).unwrap_or_else(|_| std::process::exit(1))),
        }
    }

    /// The next request and its file; `None` when the node hung up.
    pub fn receive(&mut self) -> anyhow::Result<Option<(Request, File)>> {
        let mut prefix = [0; PREFIX_SIZE];
        let (read, file) = self.receive_descriptor(&mut prefix)?;
        if read == 0 {
            return Ok(None);
        }
        self.socket.read_exact(&mut prefix[read..])?;
        let (header, _) = decode_prefix(prefix)?;
        let mut bytes = vec![0; header];
        self.socket.read_exact(&mut bytes)?;
        let file = file.context("a request came without a file")?;
        Ok(Some((decode_header(&bytes)?, File::from(file))))
    }

    fn receive_descriptor(&self, into: &mut [u8]) -> anyhow::Result<(usize, Option<OwnedFd>)> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut buffers = [IoSliceMut::new(into)];
        let received = rustix::io::retry_on_intr(|| {
            recvmsg(self.socket.as_fd(), &mut buffers, &mut control, RecvFlags::CMSG_CLOEXEC)
        })?;
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        Ok((received.bytes, descriptor))
    }

    /// Sends a reply.
    pub fn send(&mut self, reply: &Reply, payload: &[u8]) -> anyhow::Result<()> {
        self.socket.write_all(&encode(reply, payload.len())?)?;
        self.socket.write_all(payload)?;
        Ok(())
    }
}
