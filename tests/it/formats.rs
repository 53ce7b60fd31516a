//! Codecs that only some players decode, repackaged: the source's own packets, and a section that decoders understand.
use std::path::{Path, PathBuf};
use std::process::Command;

use potluck::media::codecs::codec_string;
use potluck::media::fmp4::{SampleFormat, init_section};

use crate::boxes::Segment;
use crate::fixtures::{clip, media};

const PICTURES: &[&str] = &["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24:duration=14"];
const SOUND: &[&str] = &["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=14", "-ac", "2"];

fn ffmpeg(path: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("ffmpeg");
    let output = command.args(["-v", "error", "-i"]).arg(path).args(arguments).arg("-").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Hashes of what a file holds, in order.
fn hashes(path: &Path, arguments: &[&str]) -> Vec<String> {
    let text = ffmpeg(path, &[arguments, &["-f", "framemd5"]].concat());
    text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(',').nth(5).unwrap().trim().to_owned()).collect()
}

/// The only track of a file, as a player gets it.
async fn repackaged(path: &Path) -> (tempfile::TempDir, PathBuf, SampleFormat) {
    let media = media();
    let index = media.index(path).await.unwrap();
    let [track] = &index.tracks[..] else { panic!("{index:?}") };
    assert!(track.config.format.is_copyable(), "{}", path.display());
    let mut whole = init_section(&track.config).unwrap();
    let mut end = None;
    for n in 0..track.starts.len() {
        let (bytes, _) = media.segment(path, index.plan(track, n).unwrap()).await.unwrap();
        let segment = Segment::read(&bytes);
        assert!(end.is_none_or(|end| end == segment.base), "{}: segment {n}", path.display());
        end = Some(segment.end());
        whole.extend_from_slice(&bytes);
    }
    assert!(track.starts.len() >= 2);
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("whole.mp4");
    std::fs::write(&written, whole).unwrap();
    (folder, written, track.config.format.clone())
}

async fn check(path: &Path, codecs: &str) -> SampleFormat {
    let (_folder, written, format) = repackaged(path).await;
    let name = path.display();
    assert_eq!(codec_string(&format), codecs, "{name}");
    let (had, got) = (hashes(path, &["-c", "copy"]), hashes(&written, &["-c", "copy"]));
    // Of sound the run-up before zero is left out.
    let skipped = had.len() - got.len();
    assert!(skipped <= 1, "{name}: {} of {} packets", got.len(), had.len());
    assert!(had[skipped..] == got[..], "{name}");
    ffmpeg(&written, &["-f", "null"]);
    format
}

fn film(name: &str, arguments: &[&str]) -> PathBuf {
    clip(name, &[PICTURES, arguments].concat())
}

fn sound(name: &str, arguments: &[&str]) -> PathBuf {
    clip(name, &[SOUND, arguments].concat())
}

#[tokio::test]
async fn hevc_is_repackaged_with_open_groups_and_its_light() {
    let parameters = "log-level=none:keyint=48:min-keyint=48:scenecut=0:bframes=3:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400";
    let arguments = ["-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", parameters];
    let path = film("copy-hevc.mkv", &arguments);
    let format = check(&path, "hvc1.2.4.L60.90").await;
    let SampleFormat::Film(film) = &format else { panic!("{format:?}") };
    assert_eq!(film.colour.map(|c| (c.primaries, c.transfer, c.matrix)), Some((9, 16, 9)));
    let (_folder, written, _) = repackaged(&path).await;
    assert!(hashes(&path, &[]) == hashes(&written, &[]));
}

#[tokio::test]
async fn av1_and_vp9_are_repackaged() {
    let path = film("copy-av1.mp4", &["-c:v", "libsvtav1", "-preset", "12", "-g", "48", "-pix_fmt", "yuv420p"]);
    check(&path, "av01.0.00M.08").await;
    let vp9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "48", "-pix_fmt", "yuv420p"];
    check(&film("copy-vp9.webm", &vp9), "vp09.00.20.08").await;
}

#[tokio::test]
async fn sound_of_other_codecs_is_repackaged() {
    check(&sound("copy-flac.mkv", &["-c:a", "flac"]), "flac").await;
    check(&sound("copy-opus.mkv", &["-c:a", "libopus"]), "opus").await;
    check(&sound("copy-mp3.mkv", &["-c:a", "libmp3lame"]), "mp4a.6B").await;
    check(&sound("copy-ac3.mkv", &["-c:a", "ac3", "-ac", "6"]), "ac-3").await;
    check(&sound("copy-ac3.mp4", &["-c:a", "ac3"]), "ac-3").await;
    check(&sound("copy-eac3.mkv", &["-c:a", "eac3", "-ac", "6"]), "ec-3").await;
}

/// Half a minute of music alone in a file that keeps no index; loud and quiet take turns, so that bit rates change.
fn music(name: &str, codec: &[&str]) -> PathBuf {
    let sound = "aevalsrc=0.3*sin(2*PI*(300+20*t)*t)*mod(floor(t)\\,2)+0.01*random(0):s=44100:d=31";
    clip(name, &[&["-f", "lavfi", "-i", sound, "-ac", "2"], codec].concat())
}

#[tokio::test]
async fn music_in_files_without_an_index_is_repackaged() {
    check(&music("alone.flac", &["-c:a", "flac"]), "flac").await;
    check(&music("alone.opus", &["-c:a", "libopus", "-ar", "48000"]), "opus").await;
    check(&music("alone-flac.ogg", &["-c:a", "flac"]), "flac").await;
    check(&music("alone.mp3", &["-c:a", "libmp3lame", "-q:a", "2"]), "mp4a.6B").await;
    check(&music("alone-constant.mp3", &["-c:a", "libmp3lame", "-b:a", "128k", "-write_xing", "0"]), "mp4a.6B").await;
}

#[tokio::test]
async fn a_segment_of_music_is_the_same_whatever_was_asked_for_before() {
    let files: [(&str, &[&str]); 3] = [
        ("alone.flac", &["-c:a", "flac"]),
        ("alone.mp3", &["-c:a", "libmp3lame", "-q:a", "2"]),
        ("alone.opus", &["-c:a", "libopus", "-ar", "48000"]),
    ];
    for (name, codec) in files {
        let path = music(name, codec);
        let media = media();
        let index = media.index(&path).await.unwrap();
        let track = &index.tracks[0];
        let mut forward = Vec::new();
        for n in 0..track.starts.len() {
            forward.push(media.segment(&path, index.plan(track, n).unwrap()).await.unwrap().0);
        }
        assert_eq!(forward.len(), 6, "{name}");
        for n in (0..track.starts.len()).rev() {
            let anew = media.segment(&path, index.plan(track, n).unwrap()).await.unwrap().0;
            assert!(anew == forward[n], "{name}: segment {n}");
        }
    }
}

#[tokio::test]
async fn other_sound_without_an_index_is_transcoded() {
    for (name, codec) in [("alone.wav", "pcm_s16le"), ("alone.aac", "aac"), ("alone.ogg", "libvorbis")] {
        let index = media().index(&music(name, &["-c:a", codec])).await.unwrap();
        assert_eq!(index.tracks[0].config.format, SampleFormat::Foreign { video: false }, "{name}");
    }
}
