//! ID3v2 tags, versions 2.2 to 2.4. Read here and not by the tag library, which keeps one of several equal frames, gives up
//! a tag for one bad frame, follows chapters within chapters without end and unpacks what is compressed without a limit.
//! Encrypted and compressed frames are left out, and so are chapters.
//!
//! Sources: id3.org, "ID3 tag version 2.2.0", "2.3.0", "2.4.0 - Main Structure" and "- Native Frames".
mod frames;
mod strings;
mod walk;

use std::fs::File;

use super::bag::Bag;
use super::pictures::Embedded;
use super::source::bytes_up_to;
use super::{Limits, MusicError};

const HEADER: u64 = 10;
/// Tags that follow each other; more are none that a tagger wrote.
const TAGS_MAX: usize = 8;
/// Zeros that may stand in front of a tag or of the music.
const PADDING_MAX: u64 = 64 * 1024;

/// Where a tag begins and what its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    version: u8,
    flags: u8,
    /// Bytes behind the header.
    size: u64,
    footer: bool,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let [b'I', b'D', b'3', version @ 2..=4, revision, flags, a, b, c, d] = *bytes.get(..HEADER as usize)? else {
            return None;
        };
        let size = strings::synchsafe([a, b, c, d])?;
        (revision != 0xff).then_some(Self {
            version,
            flags,
            size: u64::from(size),
            footer: version == 4 && flags & 0x10 != 0,
        })
    }

    /// With header and footer.
    fn whole(self) -> u64 {
        HEADER + self.size + if self.footer { HEADER } else { 0 }
    }
}

/// Reads the tags that a file begins with. Gives the position behind them, where the music begins.
pub(super) fn read_front(
    file: &File,
    bag: &mut Bag,
    pictures: &mut Vec<Embedded>,
    limits: &Limits,
) -> Result<u64, MusicError> {
    let mut position = 0;
    for _ in 0..TAGS_MAX {
        let begin = behind_zeros(file, position)?;
        let Some(size) = read_at(file, begin, u64::MAX, bag, pictures, limits)? else { break };
        position = begin + size;
    }
    // An MP4 file without a tag begins with zeros of its own.
    if position == 0 { Ok(0) } else { behind_zeros(file, position) }
}

/// Reads the tag at a position, which may have `room` bytes; `None` where there is none, else the bytes it takes.
pub(super) fn read_at(
    file: &File,
    position: u64,
    room: u64,
    bag: &mut Bag,
    pictures: &mut Vec<Embedded>,
    limits: &Limits,
) -> Result<Option<u64>, MusicError> {
    let head = bytes_up_to(file, position, HEADER)?;
    let Some(header) = Header::read(&head) else { return Ok(None) };
    let wanted = header.size.min(limits.tag_bytes).min(room.saturating_sub(HEADER));
    let body = bytes_up_to(file, position + HEADER, wanted)?;
    let mut own = Bag::new(limits);
    walk::frames(header.version, header.flags, &body, |id, content| {
        frames::read(header.version, id, content, &mut own, pictures, limits);
    });
    bag.fill_from(own);
    Ok(Some(header.whole()))
}

fn behind_zeros(file: &File, position: u64) -> Result<u64, MusicError> {
    let first = bytes_up_to(file, position, 1)?;
    if first != [0] {
        return Ok(position);
    }
    let bytes = bytes_up_to(file, position, PADDING_MAX)?;
    Ok(position + bytes.iter().take_while(|byte| **byte == 0).count() as u64)
}
