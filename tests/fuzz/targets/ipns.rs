//! Any bytes as a record of IPNS and as its name: no panic, and nobody's record is one of a key that did not sign it.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::content::ipns::{Name, verify};

fuzz_target!(|bytes: &[u8]| {
    let (name, record) = bytes.split_at(bytes.len().min(38));
    let now = jiff::Timestamp::UNIX_EPOCH;
    if let Ok(name) = Name::from_bytes(name) {
        assert_eq!(Name::parse(&name.to_string()), Ok(name));
        let _ = verify(name, record, now);
    }
    assert!(verify(Name::of_ed25519(&[1; 32]), bytes, now).is_err());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Name::parse(text);
    }
});
