//! The index of any file: every stream that is played has its cuts, whatever its codec and container.
use std::path::{Path, PathBuf};

use potluck::media::fmp4::{SampleFormat, SoundCodec};
use potluck::media::timeline::FileIndex;

use crate::fixtures::{clip, film, film_mkv, media};

/// 70 s of a codec that is never repackaged, a keyframe a second, with sound.
fn foreign(name: &str, arguments: &[&str]) -> PathBuf {
    let source = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=70", "-f", "lavfi", "-i"];
    let sound = ["sine=frequency=440:sample_rate=48000:duration=70"];
    let codecs = ["-c:v", "mpeg2video", "-g", "25", "-b:v", "300k", "-c:a", "ac3", "-b:a", "64k"];
    clip(name, &[&source[..], &sound, &codecs, arguments].concat())
}

async fn index(path: &Path) -> FileIndex {
    media().index(path).await.unwrap()
}

fn seconds(index: &FileIndex, track: usize, tick: i64) -> f64 {
    tick as f64 / f64::from(index.tracks[track].config.timescale)
}

#[tokio::test]
async fn a_foreign_film_in_matroska_is_cut_at_the_keyframes_of_its_index() {
    let index = index(&foreign("foreign.mkv", &[])).await;
    let [film, sound] = &index.tracks[..] else { panic!("{index:?}") };
    assert_eq!(film.config.format, SampleFormat::Foreign { video: true });
    assert!(matches!(sound.config.format, SampleFormat::Sound { codec: SoundCodec::Ac3, .. }));
    assert_eq!((film.keys.len(), &film.keys), (18, &film.starts));
    assert_eq!((sound.config.timescale, sound.grid.map(|grid| grid.step)), (48_000, Some(1536)));
    assert!((seconds(&index, 0, film.end) - 70.0).abs() < 0.2 && (seconds(&index, 1, sound.end) - 70.0).abs() < 0.2);
    assert_eq!(index.picture_cuts().len(), 35, "four seconds are two pieces");
    assert_eq!(index.sound_cuts(sound, 48_000).len(), 18);
}

#[tokio::test]
async fn containers_without_an_index_are_cut_evenly() {
    for name in ["even.ts", "even.mpg", "even.avi"] {
        let index = index(&foreign(name, &[])).await;
        let [film, sound] = &index.tracks[..] else { panic!("{name}: {index:?}") };
        assert!(film.keys.is_empty() && !film.config.format.is_copyable(), "{name}");
        assert!(film.starts.len() == 17 || film.starts.len() == 18, "{name}: {}", film.starts.len());
        let first = seconds(&index, 0, film.starts[0]);
        assert!((0.0..3.0).contains(&first), "{name} begins at {first}");
        assert!((seconds(&index, 0, film.end) - first - 70.0).abs() < 0.5, "{name}");
        assert!((seconds(&index, 1, sound.end) - first - 70.0).abs() < 0.5, "{name}");
    }
}

#[tokio::test]
async fn a_recording_that_begins_hours_late_is_shifted_to_its_first_second() {
    let index = index(&foreign("late.ts", &["-output_ts_offset", "40000"])).await;
    assert!((-40_003..=-40_000).contains(&index.base_seconds), "{}", index.base_seconds);
    let first = seconds(&index, 0, index.tracks[0].starts[0]);
    assert!((0.0..2.0).contains(&first), "{first}");
}

#[tokio::test]
async fn a_clock_that_wraps_gives_a_whole_film() {
    // 2^33 ticks of 90 kHz are 95,443.7 s.
    let index = index(&foreign("wraps.ts", &["-output_ts_offset", "95420"])).await;
    let film = &index.tracks[0];
    let (first, end) = (seconds(&index, 0, film.starts[0]), seconds(&index, 0, film.end));
    assert!(first < 2.0 && (end - first - 70.0).abs() < 1.0, "{first} to {end}");
}

#[tokio::test]
async fn a_streamed_matroska_file_tells_its_length_by_its_last_cluster() {
    // Not seekable while it is written: neither index nor duration.
    let whole = foreign("foreign.mkv", &[]);
    let path =
        clip("streamed-foreign.mkv", &["-i", whole.to_str().unwrap(), "-c", "copy", "-f", "matroska", "-live", "1"]);
    let index = index(&path).await;
    let end = seconds(&index, 0, index.tracks[0].end);
    assert!((end - 70.0).abs() < 6.0, "{end}");
}

#[tokio::test]
async fn music_is_cut_every_six_seconds() {
    for (name, codec) in [("m.flac", "flac"), ("m.mp3", "libmp3lame"), ("m.ogg", "libvorbis"), ("m.opus", "libopus")] {
        let path = clip(name, &["-i", "{film}", "-vn", "-c:a", codec]);
        let index = index(&path).await;
        assert_eq!(index.tracks.len(), 1, "{name}");
        let rate = index.tracks[0].config.timescale;
        let cuts = index.sound_cuts(&index.tracks[0], rate);
        assert!((2..=3).contains(&cuts.len()) && cuts[0].0 <= 1024, "{name}: {cuts:?}");
    }
}

#[tokio::test]
async fn what_can_be_repackaged_is_cut_as_if_it_were_alone() {
    let more = clip(
        "beside.mkv",
        &["-i", "{film}", "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", "-c:a:1", "flac"],
    );
    let (alone, beside) = (index(&film_mkv()).await, index(&more).await);
    assert_eq!(beside.tracks.len(), 3);
    assert_eq!(alone.tracks[..], beside.tracks[..2]);
    assert_eq!(alone.base_seconds, beside.base_seconds);
}

#[tokio::test]
async fn cover_art_is_no_film() {
    let cover = clip("cover.png", &["-i", "{film}", "-frames:v", "1"]);
    let arguments = ["-i", cover.to_str().unwrap(), "-map", "0:a", "-map", "1:v", "-c", "copy", "-disposition:v:0"];
    let film = film();
    let path = clip("covered.m4a", &[&["-i", film.to_str().unwrap()], &arguments[..], &["attached_pic"]].concat());
    let index = index(&path).await;
    assert_eq!(index.tracks.len(), 1);
    assert!(index.film().is_none());
}
