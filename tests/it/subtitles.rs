//! Subtitles and fonts in containers.
use std::path::{Path, PathBuf};

use potluck::media::MediaError;
use potluck::media::subtitles::{SubtitleFormat, SubtitleTrack, to_ass, to_webvtt};

use crate::fixtures::{clip, media};

const SRT: &str = "1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i>\n\n2\n00:00:04,000 --> 00:00:06,000\nWorld & all\nof it\n\n3\n00:00:09,500 --> 00:00:11,000\nThe end\n";
const ASS: &str = "[Script Info]\nScriptType: v4.00+\nPlayResX: 640\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Main,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:02.50,Main,,0,0,0,,{\\i1}Hello{\\i0}, you\nDialogue: 1,0:00:02.00,0:00:03.00,Main,Ann,0,0,0,,{\\an8}World\\Nof it\n";

/// The film with these subtitles in a codec.
fn film_with(name: &str, ending: &str, text: &str, arguments: &[&str]) -> PathBuf {
    let folder = tempfile::tempdir().unwrap();
    let beside = folder.path().join(format!("beside.{ending}"));
    std::fs::write(&beside, text).unwrap();
    let inputs =
        ["-i", "{film}", "-i", beside.to_str().unwrap(), "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "copy"];
    clip(name, &[&inputs[..], arguments].concat())
}

async fn track(path: &Path, base_seconds: i64) -> SubtitleTrack {
    media().subtitles(path, 2, base_seconds).await.unwrap()
}

/// Times to a tenth of a second: muxers move everything by a frame of sound.
fn told(track: &SubtitleTrack) -> Vec<(f64, f64, &str)> {
    let tenths = |seconds: f64| (seconds * 10.0).round() / 10.0;
    track.cues.iter().map(|cue| (tenths(cue.start), tenths(cue.end), cue.text.as_str())).collect()
}

const HELLO: [(f64, f64, &str); 3] =
    [(1.0, 2.5, "<i>Hello</i>"), (4.0, 6.0, "World &amp; all\nof it"), (9.5, 11.0, "The end")];

#[tokio::test]
async fn text_is_taken_out_of_any_container() {
    for (name, codec) in [("srt.mkv", "srt"), ("vtt.mkv", "webvtt"), ("text.mp4", "mov_text")] {
        let path = film_with(name, "srt", SRT, &["-c:s", codec]);
        let track = track(&path, 0).await;
        assert_eq!((track.format, told(&track)), (SubtitleFormat::Text, HELLO.to_vec()), "{name}");
    }
}

#[tokio::test]
async fn styles_are_kept() {
    let path = film_with("ass.mkv", "ass", ASS, &["-c:s", "copy"]);
    let track = track(&path, 0).await;
    assert_eq!(track.format, SubtitleFormat::Ass);
    assert!(track.header.contains("Style: Main,Arial,20") && track.header.contains("PlayResX: 640"));
    assert_eq!(
        told(&track),
        [(1.0, 2.5, "0,Main,,0,0,0,,{\\i1}Hello{\\i0}, you"), (2.0, 3.0, "1,Main,Ann,0,0,0,,{\\an8}World\\Nof it")]
    );
    assert!(to_ass(&track).ends_with(",Main,Ann,0,0,0,,{\\an8}World\\Nof it\n"));
    assert!(to_webvtt(&track).ends_with("\nWorld\nof it\n"));
}

#[tokio::test]
async fn times_are_those_of_the_shifted_time_line() {
    let path = film_with("srt.mkv", "srt", SRT, &["-c:s", "srt"]);
    assert_eq!(told(&track(&path, 1).await)[0].0, 2.0);
    let late = clip("late-srt.mkv", &["-itsoffset", "5000", "-i", path.to_str().unwrap(), "-map", "0", "-c", "copy"]);
    let index = media().index(&late).await.unwrap();
    assert_eq!(index.base_seconds, -5000);
    assert_eq!(told(&track(&late, index.base_seconds).await)[0].0, 1.0);
}

#[tokio::test]
async fn an_attached_font_is_given_out_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let font = folder.path().join("Some Font.ttf");
    std::fs::write(&font, b"\0\x01\0\0 not much of a font").unwrap();
    let path = film_with(
        "font.mkv",
        "ass",
        ASS,
        &["-c:s", "copy", "-attach", font.to_str().unwrap(), "-metadata:s:t", "mimetype=application/x-truetype-font"],
    );
    let media = media();
    assert_eq!(media.attachment(&path, 3).await.unwrap()[..], b"\0\x01\0\0 not much of a font"[..]);
    for stream in [0, 2, 99] {
        let answer = media.attachment(&path, stream).await;
        assert!(matches!(answer, Err(MediaError::Unreadable(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_text_is_refused() {
    let path = film_with("srt.mkv", "srt", SRT, &["-c:s", "srt"]);
    for stream in [0, 1, 99] {
        let answer = media().subtitles(&path, stream, 0).await;
        assert!(matches!(answer, Err(MediaError::Unreadable(_))), "{answer:?}");
    }
}
