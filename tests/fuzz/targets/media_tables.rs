//! Any bytes as an MP4's tables, an H.264 record and an H.264 packet: no panic, no more samples than allowed.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::media::{avc, codecs, mp4_tables};

fuzz_target!(|input: (&[u8], u32, usize)| {
    let (bytes, track, size) = input;
    if let Some(offsets) = mp4_tables::composition_offsets(bytes, track, 10_000) {
        assert!(offsets.len() <= 10_000);
    }
    let _ = avc::record(bytes);
    let _ = (codecs::hevc(bytes), codecs::av1(bytes), codecs::opus_record(bytes), codecs::flac_record(bytes));
    let _ = (codecs::ac3_record(bytes), codecs::eac3_record(bytes), codecs::opus_samples(bytes));
    let _ = avc::is_idr(bytes, size);
});
