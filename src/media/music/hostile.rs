//! Files that were made to do harm: none makes the reader panic, hang or take more memory than it may.
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::samples::{ALL, file_of, id3, jpeg, synchsafe, tone};
use super::{Limits, inspect, picture};

const SMALL: Limits = Limits {
    tag_bytes: 50_000,
    read_bytes: 400_000,
    picture_bytes: 20_000,
    lyrics_bytes: 2000,
    text_chars: 50,
    values: 5,
};

static SAMPLES: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(|| {
    let tags = [
        ("title", "T"),
        ("artist", "A feat. B"),
        ("album", "Al"),
        ("track", "3/4"),
        ("lyrics", "[00:01.00]x"),
        ("genre", "Rock;Pop"),
        ("R128_TRACK_GAIN", "5"),
    ];
    ALL.iter().map(|(ending, _)| (*ending, tone(ending, &tags))).collect()
});

/// Whatever it is, it is looked into, and what comes out is within its limits.
fn survives(bytes: &[u8], name: &str) {
    let file = file_of(bytes);
    let Ok(music) = inspect(&file, name, &SMALL) else { return };
    let told = &music.told;
    assert!(told.title.iter().chain(&told.album).chain(&told.genres).all(|text| text.chars().count() <= 50));
    assert!(
        told.artists.len() <= 5 && told.genres.len() <= 5 && told.contributors.len() <= 5 && music.pictures.len() <= 5
    );
    assert!(told.lyrics.iter().all(|lyrics| lyrics.lines.len() <= 2000));
    assert!(music.duration.is_finite() && music.duration >= 0.0);
    for index in 0..music.pictures.len() {
        let (_, bytes) = picture(&file, name, Some(index), &SMALL).unwrap().unwrap();
        assert!(bytes.len() as u64 == music.pictures[index].size && bytes.len() <= 20_000);
    }
}

/// Bytes changed here and there, some to values that lie at limits, and perhaps cut off. Most changes are near the
/// beginning, where tags are.
fn changed(
    mut bytes: Vec<u8>,
    changes: &[(prop::sample::Index, u8, bool)],
    cut: Option<prop::sample::Index>,
) -> Vec<u8> {
    for (at, byte, front) in changes {
        let at = at.index(if *front { bytes.len().min(600) } else { bytes.len() });
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len() + 1));
    }
    bytes
}

fn changes() -> impl Strategy<Value = (Vec<(prop::sample::Index, u8, bool)>, Option<prop::sample::Index>)> {
    let byte = prop_oneof![Just(0), Just(0xff), Just(1), Just(0x7f), Just(0x80), any::<u8>()];
    (
        proptest::collection::vec((any::<prop::sample::Index>(), byte, prop::bool::weighted(0.8)), 0..12),
        proptest::option::weighted(0.3, any::<prop::sample::Index>()),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_file_that_was_tampered_with_does_no_harm(which in any::<prop::sample::Index>(), (changes, cut) in changes()) {
        let (ending, bytes) = &SAMPLES[which.index(SAMPLES.len())];
        survives(&changed(bytes.clone(), &changes, cut), &format!("a.{ending}"));
    }

    #[test]
    fn an_id3_tag_that_was_tampered_with_does_no_harm(version in 2u8..=4, (changes, cut) in changes()) {
        let picture = [&b"\0image/jpeg\0\x03\0"[..], &jpeg(100)].concat();
        let (lyrics, named) = (&b"\x01eng\x02\x01\xff\xfe\0\0a\0\0\0\0\0\0\x05b\0\0\0\0\0\0\x09"[..], &b"\x01\xff\xfeA\0\0\0b\0"[..]);
        let frames: [(&str, &[u8]); 8] = if version == 2 {
            [("TT2", b"\0a"), ("TCO", b"\0(17)x"), ("COM", b"\0eng\0c"), ("ULT", b"\0eng\0[00:01]x"), ("SLT", lyrics), ("TXX", named), ("PIC", b"\0JPG\x03\0xxx"), ("IPL", b"\0a\0b")]
        } else {
            [("TIT2", b"\0a"), ("TCON", b"\0(17)x"), ("COMM", b"\0eng\0c"), ("USLT", b"\0eng\0[00:01]x"), ("SYLT", lyrics), ("TXXX", named), ("APIC", &picture), ("TIPL", b"\0a\0b")]
        };
        let sound = &SAMPLES.iter().find(|(ending, _)| *ending == "mp2").unwrap().1[..2000];
        survives(&changed([&id3(version, &frames), sound].concat(), &changes, cut), "a.mp3");
    }

    #[test]
    fn any_bytes_do_no_harm(which in any::<prop::sample::Index>(), bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (ending, sample) = &SAMPLES[which.index(SAMPLES.len())];
        survives(&bytes, &format!("a.{ending}"));
        survives(&[&sample[..40.min(sample.len())], &bytes].concat(), "a");
    }
}

#[test]
fn chapters_within_chapters_do_not_overflow_the_stack() {
    let mut inner = Vec::new();
    for _ in 0..20_000 {
        let size = synchsafe((inner.len() + 18) as u32);
        inner = [&b"CHAP"[..], &size, &[0, 0], b"a\0", &[0; 16], &inner].concat();
    }
    let tag = [&b"ID3\x04\0\0"[..], &synchsafe(inner.len() as u32), &inner].concat();
    let sound = tone("mp2", &[]);
    let music = inspect(&file_of(&[&tag[..], &sound].concat()), "a.mp3", &Limits::default()).unwrap();
    assert_eq!(music.told.title, None);
    // The same in a chunk, behind zeros, and in front of FLAC.
    let wav = tone("wav", &[]);
    let chunk = [&b"ID3 "[..], &(tag.len() as u32).to_le_bytes(), &tag, &[0][..tag.len() % 2]].concat();
    inspect(&file_of(&[&wav[..12], &chunk, &wav[12..]].concat()), "a.wav", &Limits::default()).unwrap();
    inspect(&file_of(&[&[0; 100][..], &tag, &sound].concat()), "a.mp3", &Limits::default()).unwrap();
    inspect(&file_of(&[&tag[..], &tone("flac", &[])].concat()), "a.flac", &Limits::default()).unwrap();
    let _ = inspect(&file_of(&[&sound[..100], &tag, &sound].concat()), "a.mp3", &Limits::default());
    let _ = inspect(&file_of(&[&b"junk"[..], &tag, &sound].concat()), "a.mp3", &Limits::default());
}

#[test]
fn a_large_file_without_sound_is_given_up_soon() {
    let limits = Limits { read_bytes: 8 * 1024 * 1024, ..Limits::default() };
    for (begin, name) in
        [(&b"junk"[..], "a.mp3"), (&[0xff, 0xfb, 0x90, 0], "b.mp3"), (&[0xff, 0xf1, 0x50, 0x80], "c.aac")]
    {
        let file = file_of(begin);
        file.set_len(2 * 1024 * 1024 * 1024).unwrap();
        let start = Instant::now();
        let _ = inspect(&file, name, &limits);
        assert!(start.elapsed() < Duration::from_secs(60), "{name}");
    }
}
