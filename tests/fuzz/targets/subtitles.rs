//! Any bytes as a subtitle file: a track or an error, and what is written of a track reads back with as many cues.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::media::subtitles::{SubtitleTrack, from_mov_text, to_ass, to_webvtt, webvtt_segment};

fuzz_target!(|bytes: &[u8]| {
    let _ = from_mov_text(bytes);
    let Ok(track) = SubtitleTrack::parse(bytes) else { return };
    let written = to_webvtt(&track);
    let again = SubtitleTrack::parse(written.as_bytes()).map_or(0, |track| track.cues.len());
    assert_eq!(again, written.matches("-->").count());
    let _ = SubtitleTrack::parse(to_ass(&track).as_bytes());
    let _ = webvtt_segment(&track, 1.0, 5.0, 0.5);
});
