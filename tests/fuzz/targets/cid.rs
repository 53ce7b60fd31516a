//! Any text as a CID: what parses is written and read back as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::content::cid::{canonical, parse, verify};

fuzz_target!(|text: &str| {
    let Ok(cid) = parse(text) else { return };
    assert_eq!(parse(&cid.to_string()), Ok(cid));
    assert_eq!(canonical(&canonical(&cid)), canonical(&cid));
    let _ = verify(&cid, text.as_bytes());
});
