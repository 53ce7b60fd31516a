//! Any `Range` header and `entity-bytes`: what comes out lies inside.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::content::ranges::{Wanted, entity_bytes, wanted};

fuzz_target!(|input: (u64, &str)| {
    let (size, text) = input;
    if let Wanted::Part(range) = wanted(Some(text), size) {
        assert!(range.start < range.end && range.end <= size);
    }
    if let Some(range) = entity_bytes(text, size) {
        assert!(range.start <= range.end && range.end <= size);
    }
});
