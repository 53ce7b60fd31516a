//! What inspecting costs: `cargo test --release -- --nocapture thousands_of_files`.
use std::fs::File;
use std::time::Instant;

use super::samples::{id3, jpeg, tone};
use super::{Limits, inspect};

#[test]
fn thousands_of_files_are_inspected_in_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let tags = [
        ("title", "Title"),
        ("artist", "A feat. B"),
        ("album", "Album"),
        ("track", "3/12"),
        ("genre", "Rock; Pop"),
        ("date", "1999-01-02"),
    ];
    let picture = [&b"\0image/jpeg\0\x03\0"[..], &jpeg(200_000)].concat();
    let with_picture = [id3(3, &[("TIT2", b"\0Title"), ("APIC", &picture)]), tone("mp3", &[])].concat();
    let kinds = [
        ("mp3", tone("mp3", &tags)),
        ("flac", tone("flac", &tags)),
        ("m4a", tone("m4a", &tags)),
        ("opus", tone("opus", &tags)),
        ("picture.mp3", with_picture),
    ];
    for (ending, bytes) in kinds {
        let paths: Vec<_> = (0..500).map(|n| folder.path().join(format!("{n}.{ending}"))).collect();
        paths.iter().for_each(|path| std::fs::write(path, &bytes).unwrap());
        let start = Instant::now();
        for path in &paths {
            let music = inspect(&File::open(path).unwrap(), ending, &Limits::default()).unwrap();
            assert!(music.told.title.is_some());
        }
        println!("{ending} of {} bytes: {:.0} files/s", bytes.len(), 500.0 / start.elapsed().as_secs_f64());
    }
}
