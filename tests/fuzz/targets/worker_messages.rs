//! Any bytes as a message between the node and a media worker: no panic, and nothing over the limits is believed.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::media::protocol::{HEADER_MAX, PAYLOAD_MAX, PREFIX_SIZE, Reply, Request, decode_header, decode_prefix};

fuzz_target!(|bytes: &[u8]| {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX_SIZE>() else { return };
    if let Ok((header, payload)) = decode_prefix(*prefix) {
        assert!(header <= HEADER_MAX && payload <= PAYLOAD_MAX);
    }
    let _ = decode_header::<Request>(rest);
    let _ = decode_header::<Reply>(rest);
});
