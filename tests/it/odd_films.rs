//! Films that are not as films should be, transcoded: every segment comes, of the right length, and decodes.
use std::path::{Path, PathBuf};

use potluck::media::Media;
use potluck::media::transcode::{PictureFormat, PicturePlan};

use crate::boxes::Segment;
use crate::fixtures::{clip, film, media};
use crate::transcode::{Made, difference, format, picture, plan, plans, shrunk};

/// Six segments of two seconds, made out of order.
async fn made(media: &Media, path: &Path, format: &PictureFormat) -> (Vec<PicturePlan>, Made) {
    let plans = plans(6, format);
    let made = Made::of(media, path, &plans, &[3, 1, 2, 0, 5, 4]).await;
    (plans, made)
}

fn encoded(name: &str, arguments: &[&str]) -> PathBuf {
    clip(name, &[&["-i", "{film}", "-an"], arguments].concat())
}

/// The spread of brightness and its mean, of 255.
fn brightness(pixels: &[u8]) -> (f64, f64) {
    let mean = pixels.iter().map(|value| f64::from(*value)).sum::<f64>() / pixels.len() as f64;
    let spread = pixels.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / pixels.len() as f64;
    (spread.sqrt(), mean)
}

#[tokio::test]
async fn high_dynamic_range_is_mapped_to_what_every_screen_shows() {
    let hdr = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:keyint=48:open-gop=1";
    let arguments = ["-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", hdr];
    let path = encoded("hdr.mkv", &arguments);
    let mapped = PictureFormat { tone_map: true, ..format(160, 90) };
    let (plans, made) = made(&media(), &path, &mapped).await;
    assert_eq!(made.ticks(&plans).len(), 288);
    let tags = made.frames("color_space,color_primaries,color_transfer,pix_fmt");
    assert!(tags[100].split(',').all(|tag| tag == "bt709" || tag == "yuv420p"), "{}", tags[100]);
    let (spread, mean) = brightness(&made.colours(100));
    assert!((30.0..225.0).contains(&mean) && spread > 30.0, "{mean} {spread}");

    let (_, kept) = self::made(&media(), &path, &format(160, 90)).await;
    assert!(kept.frames("color_transfer")[0].contains("smpte2084"), "what is not mapped says so");
}

#[tokio::test]
async fn pixels_become_square_and_odd_sizes_even() {
    let wide = encoded("wide.mkv", &["-vf", "setsar=4/3", "-c:v", "libx264", "-preset", "ultrafast"]);
    let (plans, made) = made(&media(), &wide, &format(426, 180)).await;
    assert_eq!(made.ticks(&plans).len(), 288);
    assert_eq!(made.frames("width,height,sample_aspect_ratio")[0], "426,180,1:1");

    let arguments = ["-vf", "format=yuv444p,crop=319:179", "-c:v", "libx264", "-preset", "ultrafast"];
    let odd = encoded("odd.mkv", &arguments);
    let (plans, made) = self::made(&media(), &odd, &format(318, 178)).await;
    assert_eq!(made.ticks(&plans).len(), 288);
    let off = difference(&made.colours(50), &shrunk(&odd, 50));
    assert!(off < 10.0, "{off}");
}

#[tokio::test]
async fn a_film_on_its_side_is_turned_upright() {
    let turned = clip("turned.mp4", &["-i", "{film}", "-c", "copy", "-metadata:s:v", "rotate=90"]);
    let (plans, made) = made(&media(), &turned, &format(90, 160)).await;
    assert_eq!(made.ticks(&plans).len(), 288);
    // The program turns it too before it shrinks it.
    assert!(difference(&made.colours(50), &shrunk(&turned, 50)) < 10.0);
}

#[tokio::test]
async fn interlaced_films_become_progressive() {
    let fields = ["-vf", "interlace", "-flags", "+ildct+ilme", "-c:v", "mpeg2video", "-q:v", "3", "-f", "mpegts"];
    let path = encoded("interlaced.ts", &fields);
    let media = media();
    let index = media.index(&path).await.unwrap();
    let plan = PicturePlan { base_seconds: index.base_seconds, ..plan(2, 6, format(320, 180)) };
    let segment = Segment::read(&picture(&media, &path, plan).await.bytes);
    assert!((24..=26).contains(&segment.samples.len()) || segment.samples.len() == 48, "{}", segment.samples.len());
    assert_eq!((segment.base, segment.end()), (96_000, 144_000));
}

#[tokio::test]
async fn a_variable_frame_rate_is_kept() {
    let arguments = ["-vf", "select='not(mod(n,5)*mod(n,7))'", "-vsync", "vfr", "-c:v", "libx264", "-preset"];
    let path = encoded("vfr.mkv", &[&arguments[..], &["ultrafast"]].concat());
    let (plans, made) = made(&media(), &path, &format(160, 90)).await;
    let ticks = made.ticks(&plans);
    let expected = (0..288).filter(|n| n % 5 == 0 || n % 7 == 0).count();
    assert!((expected..expected + 6).contains(&ticks.len()), "{} of {expected}", ticks.len());
}

#[tokio::test]
async fn a_frame_rate_over_the_limit_is_halved() {
    let slow = PictureFormat { frame_rate_max: Some(15.0), ..format(160, 90) };
    let (plans, made) = made(&media(), &film(), &slow).await;
    let ticks = made.ticks(&plans);
    assert_eq!(ticks.len(), 144);
    assert!(ticks.windows(2).all(|pair| pair[1] - pair[0] == 2000));
}

#[tokio::test]
async fn a_film_that_changes_its_size_keeps_the_size_of_the_rendition() {
    let small = encoded("small.ts", &["-t", "6", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "24"]);
    let large = ["-t", "6", "-vf", "scale=640:480", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "24"];
    let large = encoded("large.ts", &[&large[..], &["-output_ts_offset", "6"]].concat());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.ts");
    std::fs::write(&path, [std::fs::read(small).unwrap(), std::fs::read(large).unwrap()].concat()).unwrap();
    let (plans, made) = made(&media(), &path, &format(320, 180)).await;
    assert!(made.ticks(&plans).len() > 200);
    assert!(made.frames("width,height").iter().all(|size| size == "320,180"));
}

#[tokio::test]
async fn damage_in_the_middle_costs_only_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.mkv");
    let mut bytes = std::fs::read(crate::fixtures::film_mkv()).unwrap();
    let (from, to) = (bytes.len() * 4 / 10, bytes.len() * 5 / 10);
    bytes[from..to].iter_mut().enumerate().for_each(|(n, byte)| *byte = (n * 31 % 251) as u8);
    std::fs::write(&path, bytes).unwrap();
    let media = media();
    for n in [0, 5, 2, 1, 3, 4] {
        let segment = Segment::read(&picture(&media, &path, plan(n, 6, format(160, 90))).await.bytes);
        let whole = segment.samples.len() == 48;
        assert!(whole || (1..5).contains(&n), "segment {n}: {}", segment.samples.len());
        assert_eq!(segment.base, n * 48_000);
    }
    assert_eq!(media.state().failures, 0);
}

#[tokio::test]
async fn a_film_that_ends_early_shows_its_last_picture_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.mkv");
    let bytes = std::fs::read(crate::fixtures::film_mkv()).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    let segment = Segment::read(&picture(&media(), &path, plan(4, 6, format(160, 90))).await.bytes);
    assert_eq!((segment.samples.len(), segment.base, segment.end()), (1, 192_000, 240_000));
}

#[tokio::test]
async fn a_clock_that_wraps_in_the_middle_goes_on() {
    // 33 bits of 90 kHz wrap after 95443.7 s.
    let arguments =
        ["-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-output_ts_offset", "95438", "-f", "mpegts"];
    let path = encoded("wrapping.ts", &arguments);
    let media = media();
    let index = media.index(&path).await.unwrap();
    for n in [4, 1, 3, 2] {
        let plan = PicturePlan { base_seconds: index.base_seconds, ..plan(n, 6, format(160, 90)) };
        let segment = Segment::read(&picture(&media, &path, plan).await.bytes);
        assert!((46..=49).contains(&segment.samples.len()), "segment {n}: {}", segment.samples.len());
        assert_eq!(segment.end(), (n + 1) * 48_000);
    }
}

#[tokio::test]
async fn films_of_many_codecs_and_containers_are_transcoded() {
    let kinds: [(&str, &[&str]); 5] = [
        ("xvid.avi", &["-c:v", "mpeg4", "-q:v", "4", "-bf", "2"]),
        ("vp9.webm", &["-t", "4", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]),
        ("mpeg2.mpg", &["-c:v", "mpeg2video", "-q:v", "4"]),
        ("hevc.mp4", &["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"]),
        ("flash.flv", &["-c:v", "flv1", "-q:v", "4"]),
    ];
    let media = media();
    for (name, arguments) in kinds {
        let path = encoded(name, arguments);
        let base_seconds = media.index(&path).await.map_or(0, |index| index.base_seconds);
        let plan = PicturePlan { base_seconds, ..plan(1, 2, format(160, 90)) };
        let segment = Segment::read(&picture(&media, &path, plan).await.bytes);
        assert!(segment.samples.len() >= 46, "{name}: {}", segment.samples.len());
    }
}
