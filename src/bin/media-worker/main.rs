//! The media worker: all libav code, and what reads archives and PDFs, in a process of its own that may die of a malformed file.
//!
//! It is started by the node with one end of a Unix socket as its standard input, answers one request after the other
//! (`potluck::media::protocol`), keeps the files it was asked about open, and ends when the node hangs up.
//! `unsafe` is used for what `ffmpeg-next` does not wrap (index entries, side data, seeking in one stream, whitelists);
//! each block reads or calls through a pointer that libav owns and that outlives the call.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod archive;
mod bitmap;
mod book;
mod burn;
mod connection;
mod counted;
mod decode;
mod encode;
mod encoding;
mod even;
mod facts;
mod filter;
mod formats;
mod handles;
mod hardware;
mod hdr;
mod index;
mod limits;
mod line;
mod listed;
mod music;
mod names;
mod overheard;
mod pdf;
mod picture;
mod poster;
mod reader;
mod segment;
mod sound;
mod source;
mod sprite;
mod stream;
mod subtitles;
mod tracks;
mod vaapi;

use std::time::Duration;

use anyhow::Context;
use potluck::media::protocol::Reply;

/// What the node passes on the command line: numbers only.
struct Arguments {
    memory_bytes: u64,
    /// 0 for no limit.
    address_bytes: u64,
    request_seconds: u64,
    niceness: u64,
}

fn arguments() -> anyhow::Result<Arguments> {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    match numbers[..] {
        [memory_bytes, address_bytes, request_seconds, niceness] => {
            Ok(Arguments { memory_bytes, address_bytes, request_seconds, niceness })
        }
        _ => anyhow::bail!("this program is started by potluck: MEMORY_BYTES ADDRESS_BYTES REQUEST_SECONDS NICENESS"),
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    limits::confine(arguments.memory_bytes, arguments.address_bytes, arguments.niceness)?;
    limits::end_with_the_node()?;
    limits::keep_memory();
    ffmpeg_next::init().context("starting libav")?;
    overheard::listen();
    // A panic is an answer ("unreadable"), not a message on the node's terminal.
    std::panic::set_hook(Box::new(|_| ()));

    let mut connection = connection::Connection::on_stdin();
    let mut desk = answer::Desk::default();
    while let Some((request, file)) = connection.receive()? {
        let allowed = Duration::from_secs(arguments.request_seconds);
        limits::allow_cpu(allowed)?;
        let mut send = |reply: &Reply, payload: &[u8]| {
            connection.send(reply, payload)?;
            // A long answer in pieces may take as long as each of them comes in time.
            limits::allow_cpu(allowed).context("limiting time")
        };
        let (reply, payload) = desk.answer(&request, file, &mut send);
        connection.send(&reply, &payload)?;
    }
    Ok(())
}
