//! Small music files for tests, made once per run by ffmpeg.
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Kept for the whole run.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// Endings and the encoder that makes each.
pub(super) const ALL: [(&str, &str); 12] = [
    ("mp3", "libmp3lame"),
    ("flac", "flac"),
    ("opus", "libopus"),
    ("ogg", "libvorbis"),
    ("m4a", "aac"),
    ("alac.m4a", "alac"),
    ("wav", "pcm_s16le"),
    ("aiff", "pcm_s16be"),
    ("wv", "wavpack"),
    ("spx", "libspeex"),
    ("aac", "aac"),
    ("mp2", "mp2"),
];

/// A file with these bytes.
pub(super) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// One second of a tone.
pub(super) fn tone(ending: &str, tags: &[(&str, &str)]) -> Vec<u8> {
    std::fs::read(tone_at(ending, tags)).unwrap()
}

/// The same, where a tag writer can get at it.
pub(super) fn tone_at(ending: &str, tags: &[(&str, &str)]) -> PathBuf {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = FOLDER.path().join(format!("{number}.{ending}"));
    make(&path, ending, tags);
    path
}

fn make(path: &Path, ending: &str, tags: &[(&str, &str)]) {
    let (_, encoder) = ALL.iter().find(|(other, _)| *other == ending).unwrap();
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=1"]);
    ffmpeg.args(["-c:a", encoder, "-ac", "2", "-write_id3v2", "1"]);
    if ending == "spx" {
        ffmpeg.args(["-ar", "32000"]);
    }
    for (name, value) in tags {
        ffmpeg.args(["-metadata", &format!("{name}={value}")]);
    }
    // Only some muxers know this option.
    let args: Vec<_> = ffmpeg.get_args().map(std::ffi::OsStr::to_owned).collect();
    let knows = matches!(ending, "aiff" | "aac");
    let args = args.into_iter().filter(|arg| knows || (arg != "-write_id3v2" && arg != "1"));
    let made = Command::new("ffmpeg").args(args).arg("-y").arg(path).status().unwrap();
    assert!(made.success(), "{ending}");
}

/// A PNG's first bytes, which is all that is looked at, and as many more as wanted.
pub(super) fn png(len: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(len.max(8), 7);
    bytes
}

/// The same of a JPEG.
pub(super) fn jpeg(len: usize) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0".to_vec();
    bytes.resize(len.max(4), 9);
    bytes
}

/// An ID3v2 tag of a version with frames: name and content.
pub(super) fn id3(version: u8, frames: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (id, content) in frames {
        let size = content.len() as u32;
        body.extend(id.as_bytes());
        match version {
            2 => body.extend(&size.to_be_bytes()[1..]),
            3 => body.extend([&size.to_be_bytes()[..], &[0, 0]].concat()),
            _ => body.extend([&synchsafe(size)[..], &[0, 0]].concat()),
        }
        body.extend(*content);
    }
    [&b"ID3"[..], &[version, 0, 0], &synchsafe(body.len() as u32), &body].concat()
}

pub(super) fn synchsafe(number: u32) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (number >> shift & 0x7f) as u8)
}
