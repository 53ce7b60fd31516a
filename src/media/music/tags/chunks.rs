//! ID3 tags within the chunks of WAV and AIFF files.
use std::fs::File;

use super::super::bag::Bag;
use super::super::format::Kind;
use super::super::pictures::Embedded;
use super::super::source::bytes_up_to;
use super::super::{Limits, MusicError, id3};

/// `RIFF`, length, `WAVE`; or the same of AIFF.
const FORM: u64 = 12;
const HEADER: u64 = 8;
/// Chunks of a file that are looked at.
const CHUNKS_MAX: usize = 1000;

/// Reads such tags. Gives the places of their chunks' names, which the library is not to see.
pub(super) fn read_id3(
    file: &File,
    kind: Kind,
    bag: &mut Bag,
    pictures: &mut Vec<Embedded>,
    limits: &Limits,
) -> Result<Vec<u64>, MusicError> {
    let length: fn([u8; 4]) -> u32 = match kind {
        Kind::Wav => u32::from_le_bytes,
        Kind::Aiff => u32::from_be_bytes,
        _ => return Ok(Vec::new()),
    };
    let (mut found, mut position) = (Vec::new(), FORM);
    for _ in 0..CHUNKS_MAX {
        let header = bytes_up_to(file, position, HEADER)?;
        let Some((name, size)) = header.split_first_chunk::<4>() else { break };
        let Some(size) = size.first_chunk::<4>().map(|size| u64::from(length(*size))) else { break };
        if matches!(name, b"ID3 " | b"id3 ") {
            id3::read_at(file, position + HEADER, size, bag, pictures, limits)?;
            found.push(position);
        }
        // Chunks begin at even places.
        position += HEADER + size + size % 2;
    }
    Ok(found)
}
