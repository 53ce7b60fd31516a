//! Any samples as a segment: bytes or an error, and equal bytes for equal samples.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::media::fmp4::{Sample, segment_head};

fuzz_target!(|input: (Vec<(i64, u32, bool)>, i64)| {
    let (samples, end) = input;
    let samples: Vec<Sample> = samples.into_iter().map(|(time, size, sync)| Sample { time, size, sync }).collect();
    assert_eq!(segment_head(0, &samples, end), segment_head(0, &samples, end));
});
