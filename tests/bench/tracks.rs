//! A collection of music that is made, not collected: a second of sound in small files, each with tags of its own.
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Tracks of an album, albums of an artist.
const TRACKS: u64 = 12;
const ALBUMS: u64 = 5;
/// Of as many tracks one is FLAC, and one has words to sing.
const FLAC_OF: u64 = 4;
const SUNG_OF: u64 = 8;
/// Bytes of a FLAC file's head: its mark, and its first block with the block's own head.
const FLAC_HEAD: usize = 4 + 4 + 34;

/// The sounds that files are made of, without tags.
pub struct Sounds {
    mp3: Vec<u8>,
    flac_head: Vec<u8>,
    flac_frames: Vec<u8>,
}

impl Sounds {
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let mp3 = sound(&folder.join("tone.mp3"), &["-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0"])?;
        let flac = sound(&folder.join("tone.flac"), &["-ar", "16000"])?;
        let (mut at, mut last) = (4, false);
        while !last {
            let head = flac.get(at..at + 4).context("a block has a head")?;
            last = head[0] & 0x80 != 0;
            at += 4 + u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        }
        let mut flac_head = flac.get(..FLAC_HEAD).context("it begins with what its stream is")?.to_vec();
        flac_head[4] &= 0x7f;
        Ok(Self { mp3, flac_head, flac_frames: flac[at..].to_vec() })
    }

    /// Writes the tracks with these numbers below a folder: `Artist/Album/Track`.
    pub fn write(&self, folder: &Path, numbers: std::ops::Range<u64>) -> anyhow::Result<()> {
        for n in numbers.clone() {
            let (track, album) = (n % TRACKS, n / TRACKS);
            let artist = album / ALBUMS;
            let (artist, title) = (format!("Artist {artist:05}"), format!("Title {n}"));
            let place = folder.join(&artist).join(format!("Album {album:05}"));
            if track == 0 || n == numbers.start {
                fs::create_dir_all(&place)?;
            }
            let words = format!("line of {n}\n").repeat(if n % SUNG_OF == 0 { 100 } else { 0 });
            let tags = [
                ("TIT2", "TITLE", title.clone()),
                ("TPE1", "ARTIST", artist.clone()),
                ("TPE2", "ALBUMARTIST", artist),
                ("TALB", "ALBUM", format!("Album {album:05}")),
                ("TRCK", "TRACKNUMBER", (track + 1).to_string()),
                ("TDRC", "DATE", (1960 + album % 60).to_string()),
                ("TCON", "GENRE", format!("Genre {}", album % 40)),
                ("USLT", "LYRICS", words),
            ];
            let (ending, bytes) =
                if n % FLAC_OF == 0 { ("flac", self.flac(&tags)) } else { ("mp3", self.tagged_mp3(&tags)) };
            fs::write(place.join(format!("{:02} {title}.{ending}", track + 1)), bytes)?;
        }
        Ok(())
    }

    /// With a tag of ID3v2.4.
    fn tagged_mp3(&self, tags: &[(&str, &str, String)]) -> Vec<u8> {
        let mut frames = Vec::new();
        for (name, _, value) in tags.iter().filter(|(.., value)| !value.is_empty()) {
            let before = if *name == "USLT" { "\u{3}eng\0" } else { "\u{3}" };
            frames.extend(name.as_bytes());
            frames.extend(synchsafe(before.len() + value.len()));
            frames.extend([0, 0]);
            frames.extend(before.as_bytes());
            frames.extend(value.as_bytes());
        }
        [b"ID3\x04\0\0", &synchsafe(frames.len())[..], &frames, &self.mp3].concat()
    }

    /// With a block of Vorbis comments.
    fn flac(&self, tags: &[(&str, &str, String)]) -> Vec<u8> {
        let length = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
        let tags: Vec<String> = tags
            .iter()
            .filter(|(.., value)| !value.is_empty())
            .map(|(_, name, value)| format!("{name}={value}"))
            .collect();
        let mut block = [&length(b"bench")[..], b"bench", &(tags.len() as u32).to_le_bytes()].concat();
        for tag in &tags {
            block.extend(length(tag.as_bytes()));
            block.extend(tag.as_bytes());
        }
        let [_, size @ ..] = (block.len() as u32).to_be_bytes();
        // 4 of comments, and the last block.
        [&self.flac_head[..], &[0x84], &size, &block, &self.flac_frames].concat()
    }
}

fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f)
}

fn sound(path: &Path, how: &[&str]) -> anyhow::Result<Vec<u8>> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-ac", "1"]);
    ffmpeg.args(["-map_metadata", "-1"]).args(how).arg(path);
    ensure!(ffmpeg.status()?.success(), "ffmpeg failed");
    Ok(fs::read(path)?)
}
