//! What the fMP4 writer writes reads back, whatever the samples.
use potluck::media::fmp4::{Fmp4Error, Sample, SampleFormat, TrackConfig, UPRIGHT, init_section, segment_head};
use proptest::prelude::*;

use crate::boxes::{Segment, number, only};

fn segment(sequence: u32, samples: &[Sample], end: i64) -> Vec<u8> {
    let mut bytes = segment_head(sequence, samples, end).unwrap();
    for (n, sample) in samples.iter().enumerate() {
        bytes.resize(bytes.len() + sample.size as usize, n as u8);
    }
    bytes
}

fn sample(time: i64, size: u32) -> Sample {
    Sample { time, size, sync: false }
}

/// Presentation times in decoding order, as an encoder with B-frames gives them, of uneven length.
fn samples() -> impl Strategy<Value = (Vec<Sample>, i64)> {
    let picture = (1i64..5000, 0u32..300, any::<bool>());
    (0i64..1 << 40, proptest::collection::vec(picture, 1..60), 1i64..5000, any::<u64>()).prop_map(
        |(start, pictures, last, seed)| {
            let mut at = start;
            let mut all: Vec<Sample> = Vec::new();
            for (length, size, sync) in pictures {
                all.push(Sample { time: at, size, sync });
                at += length;
            }
            // Neighbours change places here and there.
            for n in 1..all.len() {
                if seed >> (n % 64) & 1 == 1 {
                    all.swap(n - 1, n);
                }
            }
            let end = all.iter().map(|s| s.time).max().unwrap() + last;
            (all, end)
        },
    )
}

proptest! {
    #[test]
    fn any_samples_read_back((samples, end) in samples(), sequence in 0u32..1000) {
        let read = Segment::read(&segment(sequence, &samples, end));
        prop_assert_eq!(read.sequence, sequence + 1);
        prop_assert_eq!(read.base, samples.iter().map(|s| s.time).min().unwrap());
        prop_assert_eq!(read.end(), end);
        prop_assert_eq!(read.samples.len(), samples.len());
        for (n, (got, want)) in read.samples.iter().zip(&samples).enumerate() {
            prop_assert_eq!((got.presented, got.bytes.len(), got.sync), (want.time, want.size as usize, want.sync));
            prop_assert!(got.bytes.iter().all(|byte| *byte == n as u8));
        }
        prop_assert!(read.samples.windows(2).all(|pair| pair[0].decoded <= pair[1].decoded));
    }

    #[test]
    fn a_stream_cut_anywhere_has_neither_gap_nor_overlap((samples, end) in samples(), cut in 0usize..60) {
        let mut sorted = samples;
        sorted.sort_by_key(|s| s.time);
        let (before, after) = sorted.split_at(cut % sorted.len());
        if !before.is_empty() {
            let first = Segment::read(&segment(0, before, after[0].time));
            let second = Segment::read(&segment(1, after, end));
            prop_assert_eq!(first.end(), second.base);
        }
    }

    #[test]
    fn any_times_give_a_segment_or_an_error(
        times in proptest::collection::vec((any::<i64>(), any::<u32>(), any::<bool>()), 0..20), end in any::<i64>()
    ) {
        let samples: Vec<Sample> = times.iter().map(|(time, size, sync)| Sample { time: *time, size: *size, sync: *sync }).collect();
        let _ = segment_head(0, &samples, end);
    }
}

#[test]
fn a_time_below_zero_is_refused() {
    assert_eq!(segment_head(0, &[sample(-1, 5)], 10), Err(Fmp4Error::Time(-1)));
}

#[test]
fn more_bytes_than_a_box_can_hold_are_refused() {
    let heavy = [sample(0, u32::MAX), sample(1, u32::MAX)];
    assert_eq!(segment_head(0, &heavy, 2), Err(Fmp4Error::TooLarge));
}

#[test]
fn a_last_sample_that_ends_before_it_starts_lasts_no_time() {
    let read = Segment::read(&segment(0, &[sample(0, 1), sample(10, 1)], 5));
    assert_eq!(read.samples[1].duration, 0);
}

fn film() -> TrackConfig {
    let record = vec![1, 100, 0, 40, 0xff, 0xe1, 0, 0, 0];
    let format =
        SampleFormat::Avc { width: 720, height: 576, pixel_aspect: (16, 15), matrix: UPRIGHT, record, in_band: false };
    TrackConfig { timescale: 90_000, language: Some("deu".to_owned()), format }
}

#[test]
fn an_initialisation_section_holds_one_track() {
    let bytes = init_section(&film()).unwrap();
    let trak = only(only(&bytes, b"moov"), b"trak");
    let tkhd = only(trak, b"tkhd");
    assert_eq!((number(tkhd, 76) >> 16, number(tkhd, 80) >> 16), (768, 576));
    let mdia = only(trak, b"mdia");
    let mdhd = only(mdia, b"mdhd");
    assert_eq!(number(mdhd, 12), 90_000);
    assert_eq!(number(mdhd, 20) >> 16, (4 << 10) | (5 << 5) | 21);
    let entry = only(&only(only(only(mdia, b"minf"), b"stbl"), b"stsd")[8..], b"avc1");
    assert_eq!(only(&entry[78..], b"avcC"), [1, 100, 0, 40, 0xff, 0xe1, 0, 0, 0]);
}

#[test]
fn a_section_without_a_decoder_configuration_is_refused() {
    let empty = SampleFormat::Aac { sample_rate: 48_000, channels: 2, record: Vec::new() };
    assert_eq!(init_section(&TrackConfig { format: empty, ..film() }), Err(Fmp4Error::Config));
    assert_eq!(init_section(&TrackConfig { timescale: 0, ..film() }), Err(Fmp4Error::Config));
}
