//! Picture subtitles that are drawn into a film.
use std::path::{Path, PathBuf};

use potluck::media::transcode::{PictureFormat, PicturePlan};
use potluck::media::{Media, MediaError};
use tokio_util::sync::CancellationToken;

use crate::fixtures::{clip, media};
use crate::transcode::{Made, format, plan, plans};

/// A piece of a PGS stream: its time in 90,000ths of a second, its kind, its bytes.
fn piece(seconds: f64, kind: u8, body: &[u8]) -> Vec<u8> {
    let time = ((seconds * 90_000.0) as u32).to_be_bytes();
    let size = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&b"PG"[..], &time, &[0; 4], &[kind], &size, body].concat()
}

fn number(value: u16) -> [u8; 2] {
    value.to_be_bytes()
}

/// A composition of the screen, 320 x 180, with or without its object.
fn composition(n: u8, object: bool) -> Vec<u8> {
    let head = [&number(320)[..], &number(180), &[0x10, 0, n, 0x80, 0, 0, u8::from(object)]].concat();
    let placed = [&[0, 0, 0, 0][..], &number(80), &number(120)].concat();
    if object { [head, placed].concat() } else { head }
}

/// A white box of 160 x 40 at 80, 120, from 3 s to 5 s.
fn pgs(folder: &Path) -> PathBuf {
    let window = [&[1, 0][..], &number(80), &number(120), &number(160), &number(40)].concat();
    let row = [0, 0xc0, 160, 1, 0, 0];
    let length = u32::try_from(row.len() * 40 + 4).unwrap().to_be_bytes();
    let object = [&[0, 0, 0, 0xc0][..], &length[1..], &number(160), &number(40), &row.repeat(40)].concat();
    let palette = [0, 0, 1, 235, 128, 128, 255];
    let shown = [(0x16, composition(0, true)), (0x17, window.clone()), (0x14, palette.to_vec()), (0x15, object)];
    let hidden = [(0x16, composition(1, false)), (0x17, window)];
    let all = |seconds: f64, pieces: &[(u8, Vec<u8>)]| {
        let bytes: Vec<u8> = pieces.iter().flat_map(|(kind, body)| piece(seconds, *kind, body)).collect();
        [bytes, piece(seconds, 0x80, &[])].concat()
    };
    let path = folder.join("box.sup");
    std::fs::write(&path, [all(3.0, &shown), all(5.0, &hidden)].concat()).unwrap();
    path
}

/// The film with these subtitles as its third stream.
pub fn subtitled(name: &str, codec: &str) -> PathBuf {
    let folder = tempfile::tempdir().unwrap();
    let path = pgs(folder.path());
    let subtitles = path.to_str().unwrap();
    clip(name, &["-copyts", "-i", "{film}", "-i", subtitles, "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec])
}

pub fn burnt() -> PictureFormat {
    PictureFormat { burn: Some(2), ..format(320, 180) }
}

/// Whether the box is in a frame: seen in the middle of the box's place, of 16 x 9 squares.
pub fn shows_box(made: &Made, n: usize) -> bool {
    let pixels = made.colours(n);
    (5..11).all(|x| pixels[(6 * 16 + x) * 3..][..3].iter().all(|value| *value > 200))
}

/// Whether the box is there shortly before and after its start and end, and in between.
async fn seen(media: &Media, path: &Path) -> Vec<bool> {
    let plans = plans(6, &burnt());
    let made = Made::of(media, path, &plans, &[2, 1, 3, 0, 4, 5]).await;
    [60, 71, 73, 100, 118, 122, 160].iter().map(|n| shows_box(&made, *n)).collect()
}

#[tokio::test]
async fn pgs_is_drawn_from_its_time_to_its_end_also_when_the_segment_begins_in_between() {
    let seen = seen(&media(), &subtitled("pgs.mkv", "copy")).await;
    assert_eq!(seen, [false, false, true, true, true, false, false]);
}

#[tokio::test]
async fn vobsub_is_drawn_too() {
    // The program that makes this clip leaves out the end.
    let seen = seen(&media(), &subtitled("vobsub.mkv", "dvdsub")).await;
    assert_eq!(seen, [false, false, true, true, true, true, true]);
}

#[tokio::test]
async fn what_is_drawn_does_not_depend_on_what_was_asked_before() {
    let (path, plans) = (subtitled("pgs.mkv", "copy"), plans(6, &burnt()));
    let in_order = Made::of(&media(), &path, &plans, &[0, 1, 2, 3, 4, 5]).await;
    let jumping = Made::of(&media(), &path, &plans, &[4, 1, 5, 2, 0, 3]).await;
    assert!(in_order.segments == jumping.segments);
}

#[tokio::test]
async fn subtitles_keep_their_place_in_a_smaller_picture() {
    let small = PictureFormat { burn: Some(2), ..format(160, 90) };
    let plan = plan(1, 6, small);
    let made = Made::of(&media(), &subtitled("pgs.mkv", "copy"), &[plan], &[0]).await;
    assert!(shows_box(&made, 30) && !shows_box(&made, 10));
}

#[tokio::test]
async fn only_pictures_can_be_drawn() {
    let text = PicturePlan { format: PictureFormat { burn: Some(1), ..format(320, 180) }, ..plan(1, 6, burnt()) };
    let missing = PicturePlan { format: PictureFormat { burn: Some(9), ..format(320, 180) }, ..plan(1, 6, burnt()) };
    for plan in [text, missing] {
        let answer = media().picture(&crate::fixtures::film(), plan, &CancellationToken::new()).await;
        assert!(matches!(answer, Err(MediaError::Unreadable(_))), "{answer:?}");
    }
}
