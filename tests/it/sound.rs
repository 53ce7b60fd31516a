//! Transcoded sound: the same segment however it was come to, joins that are not heard, mixes that do not clip.
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use potluck::media::fmp4::{SampleFormat, init_section};
use potluck::media::timeline::{FileIndex, TrackIndex};
use potluck::media::transcode::{SoundFormat, SoundPlan};
use potluck::media::{Media, MediaError};
use tokio_util::sync::CancellationToken;

use crate::boxes::Segment;
use crate::fixtures::{clip, media};

/// Hz of the tone that all clips hold, and how loud it is.
const TONE: f64 = 440.0;
const LOUD: f64 = 0.5;

/// 21 s of a tone in a codec.
pub fn tone(name: &str, rate: u32, layout: &str, arguments: &[&str]) -> PathBuf {
    let channels = match layout {
        "mono" => 1,
        "stereo" => 2,
        "5.1" => 6,
        _ => 8,
    };
    let each = vec![format!("{LOUD}*sin(2*PI*{TONE}*t)"); channels].join("|");
    let source = format!("aevalsrc={each}:c={layout}:s={rate}:d=21");
    clip(name, &[&["-f", "lavfi", "-i", &source], arguments].concat())
}

/// The sound of a file that a test looks at.
pub struct Sound {
    pub media: Media,
    pub path: PathBuf,
    pub index: FileIndex,
    pub format: SoundFormat,
}

impl Sound {
    pub async fn of(path: &Path, channels: u16) -> Self {
        let media = media();
        let index = media.index(path).await.unwrap();
        let sample_rate = match Self::track_of(&index).config.timescale {
            rate @ (48_000 | 44_100 | 96_000) => rate,
            _ => 48_000,
        };
        let format = SoundFormat { sample_rate, channels, bit_rate: 80_000 * u64::from(channels) };
        Self { media, path: path.to_owned(), index, format }
    }

    fn track_of(index: &FileIndex) -> &TrackIndex {
        index.tracks.iter().find(|track| !track.config.format.is_video()).unwrap()
    }

    pub fn cuts(&self) -> Vec<(i64, i64)> {
        self.index.sound_cuts(Self::track_of(&self.index), self.format.sample_rate)
    }

    pub fn plan(&self, n: usize) -> SoundPlan {
        let cuts = self.cuts();
        SoundPlan {
            stream: Self::track_of(&self.index).stream,
            sequence: u32::try_from(n).unwrap(),
            base_seconds: self.index.base_seconds,
            start: cuts[n].0,
            end: cuts[n].1,
            last: n + 1 == cuts.len(),
            format: self.format,
        }
    }

    pub async fn try_segment(&self, n: usize) -> Result<Bytes, MediaError> {
        let made = self.media.sound(&self.path, self.plan(n), &CancellationToken::new()).await?;
        assert_eq!(made.encoder, "aac");
        Ok(made.bytes)
    }

    pub async fn segments(&self) -> Vec<Bytes> {
        let mut all = Vec::new();
        for n in 0..self.cuts().len() {
            all.push(self.try_segment(n).await.unwrap());
        }
        all
    }

    /// What a player hears: samples of each channel.
    pub async fn heard(&self) -> Vec<Vec<f32>> {
        let head = self.media.sound_head(&self.path, self.plan(0)).await.unwrap();
        assert!(matches!(head.format, SampleFormat::Aac { .. }));
        let mut whole = init_section(&head).unwrap();
        self.segments().await.iter().for_each(|segment| whole.extend_from_slice(segment));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("whole.mp4");
        std::fs::write(&path, whole).unwrap();
        decoded(&path, usize::from(self.format.channels))
    }
}

/// What the `ffmpeg` program hears in a file.
pub fn decoded(path: &Path, channels: usize) -> Vec<Vec<f32>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-f", "f32le", "-"])
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let samples: Vec<f32> = output.stdout.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (0..channels).map(|channel| samples.iter().skip(channel).step_by(channels).copied().collect()).collect()
}

fn rms(samples: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = samples.fold((0.0, 0), |(sum, count), sample| (sum + sample * sample, count + 1));
    (sum / f64::from(count.max(1))).sqrt()
}

/// The tone that fits best to what was heard, and what is left when it is taken away.
fn fitted(heard: &[f32], rate: u32) -> (f64, Vec<f64>) {
    let angle = |n: usize| 2.0 * std::f64::consts::PI * TONE * n as f64 / f64::from(rate);
    let middle = 8192..heard.len() - 16_384;
    let (mut sine, mut cosine) = (0.0, 0.0);
    for n in middle.clone() {
        sine += f64::from(heard[n]) * angle(n).sin();
        cosine += f64::from(heard[n]) * angle(n).cos();
    }
    let scale = 2.0 / middle.len() as f64;
    let (sine, cosine) = (sine * scale, cosine * scale);
    let rest = heard.iter().enumerate().map(|(n, s)| f64::from(*s) - sine * angle(n).sin() - cosine * angle(n).cos());
    (sine.hypot(cosine), rest.collect())
}

/// The tone goes on through every join, in one phase from end to end.
async fn joins_are_not_heard(sound: &Sound) {
    let name = sound.path.display();
    for (channel, heard) in sound.heard().await.iter().enumerate() {
        if sound.format.channels == 6 && channel == 3 {
            // The effects channel carries low tones only.
            continue;
        }
        let (loud, rest) = fitted(heard, sound.format.sample_rate);
        assert!((loud - LOUD).abs() < 0.05, "{name}: channel {channel} is {loud} loud");
        for (start, _) in sound.cuts().into_iter().skip(1) {
            let start = usize::try_from(start).unwrap();
            let at_join = rms(rest[start - 1024..start + 2048].iter().copied());
            assert!(at_join < 0.02, "{name}: {at_join} at {start}, channel {channel}");
        }
    }
}

async fn a_segment_alone_is_the_one_in_order(sound: &Sound) {
    let in_order = sound.segments().await;
    for n in [in_order.len() - 1, 1] {
        let expected = &in_order[n];
        let alone = Sound { media: media(), path: sound.path.clone(), index: sound.index.clone(), ..*sound };
        assert!(alone.try_segment(n).await.unwrap() == *expected, "{}: segment {n}", sound.path.display());
    }
    let mut end = in_order.first().map(|first| Segment::read(first).base).unwrap();
    for segment in in_order.iter().map(|bytes| Segment::read(bytes)) {
        assert_eq!(segment.base, end);
        assert!(segment.samples.iter().all(|sample| sample.duration == 1024 && sample.sync));
        end = segment.end();
    }
}

async fn check(path: &Path, channels: u16) {
    let sound = Sound::of(path, channels).await;
    assert!(sound.cuts().len() >= 3);
    a_segment_alone_is_the_one_in_order(&sound).await;
    joins_are_not_heard(&sound).await;
}

#[tokio::test]
async fn ac3_is_transcoded() {
    check(&tone("tone-ac3.mkv", 48_000, "stereo", &["-c:a", "ac3", "-b:a", "256k"]), 2).await;
    check(&tone("tone-ac3.ts", 48_000, "stereo", &["-c:a", "ac3", "-b:a", "256k"]), 2).await;
}

#[tokio::test]
async fn eac3_in_six_channels_is_transcoded() {
    check(&tone("tone-eac3.mkv", 48_000, "5.1", &["-c:a", "eac3", "-b:a", "640k"]), 6).await;
}

#[tokio::test]
async fn dts_is_transcoded() {
    check(&tone("tone-dts.mkv", 48_000, "stereo", &["-c:a", "dca", "-strict", "-2", "-b:a", "768k"]), 2).await;
}

#[tokio::test]
async fn truehd_is_transcoded() {
    check(&tone("tone-truehd.mkv", 48_000, "stereo", &["-c:a", "truehd", "-strict", "-2"]), 2).await;
}

#[tokio::test]
async fn flac_is_transcoded() {
    check(&tone("tone-flac.mkv", 44_100, "stereo", &["-c:a", "flac"]), 2).await;
    check(&tone("tone.flac", 96_000, "mono", &["-c:a", "flac"]), 1).await;
}

#[tokio::test]
async fn opus_is_transcoded() {
    check(&tone("tone-opus.mkv", 48_000, "stereo", &["-c:a", "libopus", "-b:a", "160k"]), 2).await;
    check(&tone("tone.opus", 48_000, "stereo", &["-c:a", "libopus", "-b:a", "160k"]), 2).await;
}

#[tokio::test]
async fn mp3_is_transcoded() {
    check(&tone("tone-mp3.mkv", 44_100, "stereo", &["-c:a", "libmp3lame", "-b:a", "256k"]), 2).await;
    check(&tone("tone.mp3", 44_100, "stereo", &["-c:a", "libmp3lame", "-q:a", "2"]), 2).await;
}

#[tokio::test]
async fn pcm_is_transcoded() {
    check(&tone("tone-pcm.mkv", 44_100, "stereo", &["-c:a", "pcm_s24le"]), 2).await;
    check(&tone("tone.wav", 192_000, "stereo", &["-c:a", "pcm_s16le"]), 2).await;
    check(&tone("tone-pcm.mov", 48_000, "mono", &["-c:a", "pcm_s16be"]), 1).await;
}

#[tokio::test]
async fn vorbis_is_transcoded() {
    check(&tone("tone-vorbis.mkv", 44_100, "stereo", &["-c:a", "libvorbis", "-q:a", "6"]), 2).await;
    check(&tone("tone.ogg", 44_100, "stereo", &["-c:a", "libvorbis", "-q:a", "6"]), 2).await;
}

#[tokio::test]
async fn aac_in_a_transport_stream_is_transcoded() {
    check(&tone("tone-aac.ts", 48_000, "stereo", &["-c:a", "aac", "-b:a", "192k"]), 2).await;
}

#[tokio::test]
async fn eight_channels_become_six() {
    let path = tone("tone-71.mkv", 48_000, "7.1", &["-c:a", "flac"]);
    let sound = Sound::of(&path, 6).await;
    joins_are_not_heard(&sound).await;
}

#[tokio::test]
async fn six_channels_mixed_to_two_do_not_clip() {
    let full = "0.99*sin(2*PI*440*t)|".repeat(6);
    let source = format!("aevalsrc={}:c=5.1:s=48000:d=8", full.trim_end_matches('|'));
    let path = clip("full.mkv", &["-f", "lavfi", "-i", &source, "-c:a", "flac"]);
    let sound = Sound::of(&path, 2).await;
    for channel in sound.heard().await {
        let peak = channel[4096..].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.9..=1.02).contains(&peak), "{peak}");
    }
}

#[tokio::test]
async fn a_gap_is_silent_and_what_follows_is_in_its_place() {
    let path = tone(
        "tone-gap.mkv",
        48_000,
        "stereo",
        &["-af", "aselect='not(between(t,7,9))'", "-c:a", "ac3", "-b:a", "256k"],
    );
    let sound = Sound::of(&path, 2).await;
    let heard = sound.heard().await;
    let loudness = |second: f64| {
        let at = (second * 48_000.0) as usize;
        rms(heard[0][at..at + 4800].iter().map(|sample| f64::from(*sample)))
    };
    assert!(loudness(8.0) < 0.001 && loudness(6.5) > 0.3 && loudness(9.5) > 0.3);
    assert!((heard[0].len() as f64 / 48_000.0 - 21.0).abs() < 0.1);
}

#[tokio::test]
async fn sound_that_begins_before_the_film_or_has_no_times_is_heard_to_its_end() {
    // Matroska moved by half a second to before its zero, and an AVI, whose packets have no times of presentation.
    let early = tone(
        "tone-early.mkv",
        48_000,
        "stereo",
        &["-c:a", "ac3", "-output_ts_offset", "-0.5", "-avoid_negative_ts", "0"],
    );
    let timeless = tone("tone.avi", 48_000, "stereo", &["-c:a", "ac3"]);
    for path in [early, timeless] {
        let sound = Sound::of(&path, 2).await;
        let heard = sound.heard().await;
        let seconds = heard[0].len() as f64 / 48_000.0;
        assert!((20.0..22.0).contains(&seconds), "{path:?}: {seconds} s");
        let loud = rms(heard[0][48_000..96_000].iter().map(|sample| f64::from(*sample)));
        assert!(loud > 0.3, "{path:?}: {loud}");
    }
}

#[tokio::test]
async fn what_cannot_be_cut_or_encoded_is_refused() {
    let path = tone("tone-flac.mkv", 44_100, "stereo", &["-c:a", "flac"]);
    let sound = Sound::of(&path, 2).await;
    let refused = async |change: &dyn Fn(&mut SoundPlan)| {
        let mut plan = sound.plan(0);
        change(&mut plan);
        let answer = sound.media.sound(&path, plan, &CancellationToken::new()).await;
        assert!(matches!(answer, Err(MediaError::Unreadable(_))), "{answer:?}");
    };
    refused(&|plan| plan.start = 1).await;
    refused(&|plan| plan.end = i64::MAX).await;
    refused(&|plan| plan.end = 0).await;
    refused(&|plan| plan.stream = 7).await;
    refused(&|plan| plan.format.channels = 3).await;
    refused(&|plan| plan.format.sample_rate = 0).await;
    refused(&|plan| plan.format.sample_rate = 192_000).await;
    refused(&|plan| plan.base_seconds = i64::MAX).await;
}
