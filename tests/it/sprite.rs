//! Pictures for the seek bar.
use std::path::{Path, PathBuf};
use std::process::Command;

use potluck::media::MediaError;
use potluck::media::transcode::SpritePlan;

use crate::fixtures::{clip, film, media};

const SIZE: (u32, u32) = (64, 36);

fn plan(times: &[f64], columns: u32) -> SpritePlan {
    SpritePlan { times: times.to_vec(), width: SIZE.0, height: SIZE.1, columns }
}

/// Brightness of each picture on average, row by row.
async fn brightness(path: &Path, plan: SpritePlan) -> Vec<f64> {
    let rows = plan.times.len().div_ceil(plan.columns as usize);
    let (columns, count) = (plan.columns as usize, plan.times.len());
    let jpeg = media().sprite(path, plan).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sprite.jpg");
    std::fs::write(&file, jpeg).unwrap();
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i", file.to_str().unwrap(), "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
    let pixels = output.stdout;
    assert_eq!(pixels.len(), columns * width * rows * height);
    let of = |n: usize| {
        let (x, y) = (n % columns * width, n / columns * height);
        let rows = (y..y + height).map(|row| &pixels[row * columns * width + x..][..width]);
        rows.flatten().map(|pixel| f64::from(*pixel)).sum::<f64>() / (width * height) as f64
    };
    (0..count).map(of).collect()
}

/// 12 s that become brighter by the second.
fn brighter(name: &str, arguments: &[&str]) -> PathBuf {
    let source = "color=black:size=320x180:rate=10:duration=12,geq=lum='16+18*floor(T)':cb=128:cr=128";
    clip(name, &[&["-f", "lavfi", "-i", source, "-g", "10"], arguments].concat())
}

const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

#[tokio::test]
async fn pictures_are_those_of_their_times() {
    for name in ["brighter.mp4", "brighter.mkv", "brighter.ts"] {
        let seen = brightness(&brighter(name, H264), plan(&[0.5, 3.5, 6.5, 9.5, 11.5], 3)).await;
        assert!(seen.windows(2).all(|pair| pair[1] > pair[0] + 20.0), "{name}: {seen:?}");
    }
}

#[tokio::test]
async fn what_is_damaged_shows_its_neighbour() {
    let path = brighter("brighter.ts", H264);
    let mut bytes = std::fs::read(&path).unwrap();
    let (from, to) = (bytes.len() * 2 / 5, bytes.len() * 3 / 5);
    bytes[from..to].fill(0x55);
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.ts");
    std::fs::write(&damaged, bytes).unwrap();
    let seen = brightness(&damaged, plan(&[0.5, 4.5, 5.5, 6.5, 11.5], 5)).await;
    assert!(seen[1..].iter().all(|brightness| *brightness > 50.0) && seen[4] > seen[0] + 100.0, "{seen:?}");
}

#[tokio::test]
async fn a_turned_film_is_upright_and_times_beyond_the_end_show_the_last() {
    let turned = clip("turned.mp4", &["-i", "{film}", "-c", "copy", "-metadata:s:v", "rotate=90"]);
    let seen = brightness(&turned, plan(&[0.0, 500.0], 2)).await;
    assert!(seen.iter().all(|brightness| *brightness > 20.0), "{seen:?}");
}

#[tokio::test]
async fn what_goes_beyond_the_limits_is_refused() {
    let refused = async |change: &dyn Fn(&mut SpritePlan)| {
        let mut plan = plan(&[0.0, 1.0], 2);
        change(&mut plan);
        let answer = media().sprite(&film(), plan).await;
        assert!(matches!(answer, Err(MediaError::Unreadable(_))), "{answer:?}");
    };
    refused(&|plan| plan.times = vec![0.0; SpritePlan::PICTURES_MAX + 1]).await;
    refused(&|plan| plan.times.clear()).await;
    refused(&|plan| plan.width = 63).await;
    refused(&|plan| plan.height = 6000).await;
    let song = clip("song.m4a", &["-i", "{film}", "-vn", "-c", "copy"]);
    assert!(media().sprite(&song, plan(&[0.0], 1)).await.is_err());
}
