//! The sound of whole files: what a worker makes of them plays as long, as loud and as high as it was, and has the length that was
//! promised.
use std::path::{Path, PathBuf};
use std::process::Command;

use potluck::media::whole_sound::{Piece, SoundCodec, WholeSound};
use potluck::media::{Media, MediaError, StreamKind};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::fixtures::{clip, film, media};
use crate::sound::{decoded, tone};

/// Seconds and hertz of the clips of [`tone`].
const SECONDS: usize = 21;
const TONE: f64 = 440.0;

/// What came of a plan: the bytes, and what the worker said of their number.
struct Made {
    bytes: Vec<u8>,
    length: Option<u64>,
}

async fn stream_of(media: &Media, path: &Path) -> u32 {
    let facts = media.probe(path).await.unwrap();
    facts.streams.iter().find(|stream| stream.kind == StreamKind::Audio).unwrap().index
}

async fn try_make(media: &Media, path: &Path, plan: WholeSound) -> Result<Made, MediaError> {
    let (pieces, mut coming) = mpsc::channel::<Piece>(4);
    let cancel = CancellationToken::new();
    let taken = async {
        let mut made = Made { bytes: Vec::new(), length: None };
        let mut first = true;
        while let Some(piece) = coming.recv().await {
            assert!(first || made.length == piece.length, "what is promised stays");
            (made.length, first) = (piece.length, false);
            made.bytes.extend_from_slice(&piece.bytes);
        }
        made
    };
    let (answer, made) = tokio::join!(media.whole_sound(path, plan, pieces, &cancel), taken);
    answer.map(|_| made)
}

async fn make(path: &Path, codec: SoundCodec, kbps: u32, offset_ms: u64) -> Made {
    let media = media();
    let plan = WholeSound { stream: stream_of(&media, path).await, codec, kbps, offset_ms };
    let made = try_make(&media, path, plan).await;
    let made = made.unwrap_or_else(|error| panic!("{} as {codec:?}: {error}", path.display()));
    media.stop().await;
    made
}

/// What the `ffmpeg` program hears in what was made, and the rate of it.
fn heard(bytes: &[u8], codec: SoundCodec, channels: usize) -> (Vec<Vec<f32>>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("made.{}", codec.suffix()));
    std::fs::write(&path, bytes).unwrap();
    let shown = ["-v", "error", "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0"];
    let shown = Command::new("ffprobe").args(shown).arg(&path).output().unwrap();
    let text = String::from_utf8_lossy(&shown.stdout).trim().to_owned();
    let (rate, told) = text.split_once(',').unwrap_or_else(|| panic!("{text}"));
    assert_eq!(told.parse(), Ok(channels));
    (decoded(&path, channels), rate.parse().unwrap())
}

/// How high a tone is: how often it crosses zero upwards. And how loud: the root of its mean square.
fn measured(samples: &[f32], rate: usize) -> (f64, f64) {
    let crossings = samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    let square: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (crossings as f64 * rate as f64 / samples.len() as f64, (square / samples.len() as f64).sqrt())
}

fn is_the_tone(samples: &[f32], rate: usize, loud: f64) {
    let middle = &samples[rate / 10..samples.len() - rate / 10];
    let (height, loudness) = measured(middle, rate);
    assert!((height - TONE).abs() < 1.0, "{height} Hz");
    // LAME takes half a decibel at some rates, and some sources went through it already.
    assert!((loudness - loud).abs() < 0.04, "{loudness} loud");
}

/// Tones in what people's music is: name, rate, layout, the program's arguments.
fn sources() -> Vec<PathBuf> {
    [
        ("whole.flac", 44_100, "stereo", &[][..]),
        ("whole.wav", 48_000, "mono", &[]),
        ("whole-320.mp3", 44_100, "stereo", &["-b:a", "320k"]),
        ("whole-vbr.mp3", 44_100, "stereo", &["-q:a", "4"]),
        ("whole-bare.mp3", 48_000, "stereo", &["-b:a", "128k", "-write_xing", "0"]),
        ("whole.opus", 48_000, "stereo", &["-b:a", "96k"]),
        ("whole.ogg", 44_100, "stereo", &["-c:a", "libvorbis"]),
        ("whole.m4a", 44_100, "stereo", &["-b:a", "160k"]),
        ("whole-alac.m4a", 96_000, "stereo", &["-c:a", "alac"]),
        ("whole.aac", 44_100, "stereo", &["-b:a", "160k"]),
        ("whole.aiff", 44_100, "stereo", &[]),
        ("whole.wv", 44_100, "stereo", &[]),
        ("whole.mka", 44_100, "stereo", &["-c:a", "libmp3lame"]),
    ]
    .map(|(name, rate, layout, arguments)| tone(name, rate, layout, arguments))
    .to_vec()
}

/// Samples of a source as the program hears it, at the rate that MP3 is made at.
fn own_length(path: &Path, channels: usize, rate: usize) -> usize {
    let own = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=sample_rate", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let own: usize = String::from_utf8_lossy(&own.stdout).trim().parse().unwrap();
    decoded(path, channels)[0].len() * rate / own
}

#[tokio::test]
async fn mp3_is_as_long_as_promised_to_the_byte_and_as_its_source_to_the_sample() {
    for path in sources() {
        let channels = if path.ends_with("whole.wav") { 1 } else { 2 };
        let made = make(&path, SoundCodec::Mp3, 128, 0).await;
        assert_eq!(made.length, Some(made.bytes.len() as u64), "{}", path.display());
        let (heard, rate) = heard(&made.bytes, SoundCodec::Mp3, channels);
        let own = own_length(&path, channels, rate);
        // Matroska counts in milliseconds, and ADTS in whole frames.
        let slack = match path.extension().unwrap().to_str().unwrap() {
            "mka" | "aac" | "m4a" => 1152,
            _ => 1,
        };
        assert!(heard[0].len().abs_diff(own) <= slack, "{}: {} of {own}", path.display(), heard[0].len());
        heard.iter().for_each(|channel| is_the_tone(channel, rate, 0.3535));
    }
}

#[tokio::test]
async fn opus_and_aac_are_as_long_and_as_loud_as_their_source() {
    for path in sources().into_iter().step_by(3) {
        for (codec, slack) in [(SoundCodec::Opus, 960), (SoundCodec::Aac, 3 * 1024)] {
            let made = make(&path, codec, 128, 0).await;
            assert_eq!(made.length, None);
            let (heard, rate) = heard(&made.bytes, codec, 2);
            assert!(heard[0].len().abs_diff(SECONDS * rate) <= slack + rate / 20, "{}", path.display());
            heard.iter().for_each(|channel| is_the_tone(channel, rate, 0.3535));
        }
    }
}

#[tokio::test]
async fn a_rate_of_bits_is_kept_at_every_step() {
    let path = tone("whole.flac", 44_100, "stereo", &[]);
    for kbps in [32, 64, 112, 256, 320] {
        let made = make(&path, SoundCodec::Mp3, kbps, 0).await;
        assert_eq!(made.length, Some(made.bytes.len() as u64));
        let own = made.bytes.len() as u64 * 8 / SECONDS as u64 / 1000;
        assert!(own.abs_diff(kbps.into()) < 2, "{own} of {kbps}");
        assert_eq!(heard(&made.bytes, SoundCodec::Mp3, 2).0[0].len(), SECONDS * 44_100);
    }
    for (codec, kbps) in [(SoundCodec::Opus, 64), (SoundCodec::Aac, 96)] {
        let made = make(&path, codec, kbps, 0).await;
        let own = made.bytes.len() as u64 * 8 / SECONDS as u64 / 1000;
        assert!(own <= u64::from(kbps) * 3 / 2, "{own} of {kbps}");
    }
}

#[tokio::test]
async fn more_channels_are_mixed_to_two() {
    for codec in [SoundCodec::Mp3, SoundCodec::Opus, SoundCodec::Aac] {
        let made = make(&tone("whole-51.flac", 48_000, "5.1", &[]), codec, 192, 0).await;
        let (heard, rate) = heard(&made.bytes, codec, 2);
        let (height, loudness) = measured(&heard[0][rate..rate * 20], rate);
        assert!((height - TONE).abs() < 1.0 && loudness > 0.3, "{height} Hz, {loudness}");
    }
}

#[tokio::test]
async fn what_begins_in_the_middle_begins_there() {
    // A low tone for ten seconds, then a high one.
    let source = "aevalsrc=if(lt(t\\,10)\\,sin(2*PI*400*t)\\,sin(2*PI*1600*t))/2:s=44100:d=20";
    for (name, arguments) in [
        ("turn.flac", &[][..]),
        ("turn.mp3", &["-b:a", "128k"]),
        ("turn-vbr.mp3", &["-q:a", "5"]),
        ("turn.ogg", &["-c:a", "libvorbis"]),
        ("turn.m4a", &[]),
        ("turn.wav", &[]),
    ] {
        let path = clip(name, &[&["-f", "lavfi", "-i", source], arguments].concat());
        let made = make(&path, SoundCodec::Mp3, 192, 8500).await;
        assert_eq!(made.length, Some(made.bytes.len() as u64));
        let (heard, rate) = heard(&made.bytes, SoundCodec::Mp3, 1);
        assert!(heard[0].len().abs_diff(rate * 23 / 2) < 1200, "{name}: {}", heard[0].len());
        let (low, _) = measured(&heard[0][..rate * 14 / 10], rate);
        let (high, _) = measured(&heard[0][rate * 16 / 10..rate * 11], rate);
        assert!((low - 400.0).abs() < 5.0 && (high - 1600.0).abs() < 5.0, "{name}: {low}, then {high}");
    }
    let (media, path) = (media(), tone("whole.flac", 44_100, "stereo", &[]));
    let plan = WholeSound { stream: 0, codec: SoundCodec::Opus, kbps: 64, offset_ms: 60_000 };
    assert!(matches!(try_make(&media, &path, plan).await, Err(MediaError::Unreadable(_))));
}

#[tokio::test]
async fn a_cover_in_the_file_is_in_the_way_of_nothing() {
    let cover = clip("sleeve.png", &["-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1"]);
    for name in ["sleeved.mp3", "sleeved.flac", "sleeved.m4a"] {
        let path = clip(
            name,
            &[
                "-f",
                "lavfi",
                "-i",
                "sine=duration=3",
                "-i",
                cover.to_str().unwrap(),
                "-map",
                "0",
                "-map",
                "1",
                "-disposition:v",
                "attached_pic",
                "-c:v",
                "copy",
            ],
        );
        let made = make(&path, SoundCodec::Mp3, 96, 0).await;
        assert_eq!(heard(&made.bytes, SoundCodec::Mp3, 1).0[0].len(), 3 * 44_100, "{name}");
    }
}

#[tokio::test]
async fn the_sound_of_a_film_is_made_like_that_of_a_song() {
    let made = make(&film(), SoundCodec::Opus, 96, 0).await;
    let (heard, rate) = heard(&made.bytes, SoundCodec::Opus, 1);
    assert!(heard[0].len().abs_diff(12 * rate) < rate / 20);
}

#[tokio::test]
async fn a_file_that_is_damaged_says_so_and_one_that_ends_early_is_heard_as_far_as_it_goes() {
    let (media, folder) = (media(), tempfile::tempdir().unwrap());
    let plan = WholeSound { stream: 0, codec: SoundCodec::Mp3, kbps: 128, offset_ms: 0 };
    let whole = std::fs::read(tone("whole.flac", 44_100, "stereo", &[])).unwrap();
    let broken = folder.path().join("broken.flac");
    // The head is right, and nothing behind it.
    let frames = whole.windows(2).position(|pair| pair == [0xff, 0xf8]).unwrap();
    let junk: Vec<u8> = (0..whole.len()).map(|n| if n < frames { whole[n] } else { (n * 7 % 251) as u8 }).collect();
    for bytes in [&b"no sound at all, but words"[..], &[], &junk] {
        std::fs::write(&broken, bytes).unwrap();
        let answer = try_make(&media, &broken, plan).await.map(|made| made.bytes.len());
        assert!(matches!(&answer, Err(MediaError::Unreadable(_))), "{answer:?}");
    }
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    let made = try_make(&media, &broken, plan).await.unwrap();
    assert_eq!(made.length, Some(made.bytes.len() as u64), "the promise holds, with silence");
    let (heard, rate) = heard(&made.bytes, SoundCodec::Mp3, 2);
    is_the_tone(&heard[0][..rate * 8], rate, 0.3535);
    assert!(measured(&heard[0][rate * 16..rate * 20], rate).1 < 0.001);
    assert_eq!(media.state().failures, 0, "no worker died of it");
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_refused() {
    let plan = WholeSound { stream: 99, codec: SoundCodec::Mp3, kbps: 128, offset_ms: 0 };
    for plan in [plan, WholeSound { stream: 0, kbps: 129, ..plan }] {
        let answer = try_make(&media(), &tone("whole.flac", 44_100, "stereo", &[]), plan).await;
        assert!(matches!(answer.map(|made| made.bytes.len()), Err(MediaError::Unreadable(_))));
    }
}
