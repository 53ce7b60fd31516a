//! Files that are not as they should be: each gives an index and sound that plays, or a clear error, and no worker dies.
use std::path::{Path, PathBuf};

use potluck::media::MediaError;

use crate::boxes::Segment;
use crate::fixtures::{clip, media};
use crate::sound::{Sound, tone};

/// The same bytes, changed.
fn changed(from: &Path, change: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(from.file_name().unwrap());
    let mut bytes = std::fs::read(from).unwrap();
    change(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Every segment can be made, each follows the one before, and no worker died of it.
async fn plays(path: &Path) -> Sound {
    let sound = Sound::of(path, 2).await;
    let mut end = None;
    for segment in sound.segments().await {
        let read = Segment::read(&segment);
        assert!(end.is_none_or(|end| end == read.base), "{}", path.display());
        end = Some(read.end());
    }
    assert_eq!(sound.media.state().failures, 0, "{}", path.display());
    sound
}

fn ac3(name: &str) -> PathBuf {
    tone(name, 48_000, "stereo", &["-c:a", "ac3", "-b:a", "256k"])
}

#[tokio::test]
async fn damage_in_the_middle_is_stepped_over() {
    for (name, from) in [("tone-ac3.mkv", 2), ("tone-ac3.ts", 3)] {
        let (_folder, path) = changed(&ac3(name), |bytes| {
            let start = bytes.len() / from;
            bytes[start..start + 30_000].iter_mut().enumerate().for_each(|(n, byte)| *byte = (n * 7) as u8);
        });
        plays(&path).await;
    }
}

#[tokio::test]
async fn a_file_that_is_still_being_written_plays_as_far_as_it_goes() {
    for name in ["tone-ac3.mkv", "tone-ac3.ts"] {
        let (_folder, path) = changed(&ac3(name), |bytes| bytes.truncate(bytes.len() / 2));
        plays(&path).await;
    }
    let (_folder, headless) = changed(&tone("tone.m4a", 48_000, "stereo", &["-c:a", "aac"]), |bytes| {
        bytes.truncate(bytes.len() / 2);
    });
    assert!(matches!(media().index(&headless).await, Err(MediaError::Unreadable(_))));
}

#[tokio::test]
async fn times_that_wrap_or_begin_late_are_one_time_line() {
    for offset in ["95440", "40000"] {
        let name = format!("tone-{offset}.ts");
        let path = tone(&name, 48_000, "stereo", &["-c:a", "ac3", "-b:a", "256k", "-output_ts_offset", offset]);
        let sound = plays(&path).await;
        let cuts = sound.cuts();
        assert!(cuts[0].0 < 3 * 48_000 && (3..=5).contains(&cuts.len()), "{offset}: {cuts:?}");
    }
}

#[tokio::test]
async fn sound_that_changes_its_rate_goes_on() {
    let first = tone("rate-48.ts", 48_000, "stereo", &["-c:a", "mp2", "-b:a", "256k"]);
    let second = tone("rate-44.ts", 44_100, "stereo", &["-c:a", "mp2", "-b:a", "256k", "-output_ts_offset", "21"]);
    let (_folder, path) = changed(&first, |bytes| bytes.extend(std::fs::read(second).unwrap()));
    let sound = plays(&path).await;
    assert!(sound.cuts().last().is_some_and(|(_, end)| *end > 30 * 48_000));
}

#[tokio::test]
async fn fifty_tracks_are_fifty_tracks() {
    let maps: Vec<&str> = std::iter::repeat_n(["-map", "0"], 50).flatten().collect();
    let source = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=7"];
    let path = clip("fifty.mkv", &[&source[..], &maps, &["-c:a", "ac3", "-b:a", "64k"]].concat());
    let index = media().index(&path).await.unwrap();
    assert_eq!(index.tracks.len(), 50);
    assert!(index.tracks.iter().all(|track| (track.end - 7 * 48_000).abs() < 9600));
}

#[tokio::test]
async fn what_is_no_film_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let film = ac3("tone-ac3.mkv");
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n", film.display());
    for (name, bytes) in [("list.mkv", playlist.as_bytes()), ("empty.mkv", b""), ("zero.ts", &[0; 5000])] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let answer = media().index(&path).await;
        assert!(matches!(answer, Err(MediaError::Unreadable(_))), "{name}: {answer:?}");
    }
}
