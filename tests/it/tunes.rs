//! Music for tests: a second of a tone as MP3, with tags that are told apart.
use std::fs;

use crate::comics::picture;
use crate::fixtures;

/// A frame of ID3v2.4: its name, and its bytes after the header.
fn frame(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = name.as_bytes().to_vec();
    out.extend(synchsafe(bytes.len()));
    out.extend([0, 0]);
    out.extend(bytes);
    out
}

fn synchsafe(size: usize) -> [u8; 4] {
    let size = u32::try_from(size).unwrap();
    [21, 14, 7, 0].map(|shift| u8::try_from((size >> shift) & 0x7f).unwrap())
}

/// Text in UTF-8; a `TXXX:NAME` is a frame of that description.
fn text(name: &str, value: &str) -> Vec<u8> {
    match name.split_once(':') {
        Some((name, description)) => frame(name, format!("\u{3}{description}\u{0}{value}").as_bytes()),
        None => frame(name, format!("\u{3}{value}").as_bytes()),
    }
}

/// A tune with these frames of text: `TIT2` its title, `TPE1` its artist, `TALB` its album, `TRCK` its number.
pub fn tune(frames: &[(&str, &str)]) -> Vec<u8> {
    with_frames(frames.iter().flat_map(|(name, value)| text(name, value)).collect())
}

/// The same with a picture of one colour that follows from `seed`.
pub fn tune_with_picture(frames: &[(&str, &str)], seed: u8) -> Vec<u8> {
    let mut all: Vec<u8> = frames.iter().flat_map(|(name, value)| text(name, value)).collect();
    let mut attached = b"\x00image/jpeg\x00\x03\x00".to_vec();
    attached.extend(picture(seed, 64, 64, image::ImageFormat::Jpeg));
    all.extend(frame("APIC", &attached));
    with_frames(all)
}

fn with_frames(frames: Vec<u8>) -> Vec<u8> {
    let mut out = b"ID3\x04\x00\x00".to_vec();
    out.extend(synchsafe(frames.len()));
    out.extend(frames);
    out.extend(sound());
    out
}

/// A second of a tone, without any tag.
pub fn sound() -> Vec<u8> {
    let arguments =
        ["-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-ac", "2", "-b:a", "64k", "-map_metadata", "-1"];
    let arguments = [&arguments[..], &["-write_xing", "0", "-id3v2_version", "0", "-fflags", "+bitexact"]].concat();
    fs::read(fixtures::clip("tune.mp3", &arguments)).unwrap()
}

/// A tune of an album: number, title, artist, album.
pub fn of_album(track: u32, title: &str, artist: &str, album: &str) -> Vec<u8> {
    let track = track.to_string();
    tune(&[("TRCK", &track), ("TIT2", title), ("TPE1", artist), ("TPE2", artist), ("TALB", album)])
}
