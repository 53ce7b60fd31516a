//! Small media files, made once for each test run by the `ffmpeg` program, and the media worker that reads them.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use parking_lot::Mutex;
use potluck::media::{Media, MediaOptions};

/// Pictures and a tone, 12 s: H.264 with B-frames, a keyframe a second, and AAC.
pub const FILM: &[&str] = &[
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=320x180:rate=24:duration=12",
    "-f",
    "lavfi",
    "-i",
    "sine=frequency=440:duration=12",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "24",
    "-bf",
    "2",
    "-c:a",
    "aac",
    "-b:a",
    "64k",
];

/// The folder of this run's clips, removed when the process ends.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
static MADE: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);

/// The clip `name`, made by `ffmpeg ARGUMENTS name` at its first use. `{film}` in an argument is the path of [`FILM`] as MP4.
pub fn clip(name: &str, arguments: &[&str]) -> PathBuf {
    let uses_film = arguments.iter().any(|a| a.contains("{film}"));
    let film = if uses_film { clip("film.mp4", FILM) } else { PathBuf::new() };
    let mut made = MADE.lock();
    if let Some(path) = made.get(name) {
        return path.clone();
    }
    let path = FOLDER.path().join(name);
    let arguments = arguments.iter().map(|a| a.replace("{film}", film.to_str().unwrap()));
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(&path)
        .output()
        .expect("the tests need the ffmpeg program");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    made.insert(name.to_owned(), path.clone());
    path
}

/// 12 s of H.264 and AAC in MP4.
pub fn film() -> PathBuf {
    clip("film.mp4", FILM)
}

/// The same streams in Matroska.
pub fn film_mkv() -> PathBuf {
    clip("film.mkv", &["-i", "{film}", "-c", "copy"])
}

/// A worker pool as the node runs it.
pub fn media() -> Media {
    Media::new(media_options())
}

/// Its settings.
pub fn media_options() -> MediaOptions {
    MediaOptions::new(Path::new(env!("CARGO_BIN_EXE_potluck-media-worker")).to_owned())
}
