//! Frames of a browser: read or refused, and what is read is written back as it was.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::exchange::frames::Frame;

fuzz_target!(|message: &[u8]| {
    if let Ok(frame) = Frame::decode(message.to_vec().into()) {
        assert_eq!(Frame::decode(frame.encode()), Ok(frame));
    }
});
