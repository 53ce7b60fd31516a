//! Any bytes as data of each codec: no panic, and what is given in another form is the same in every form.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::content::ipld::{CBOR, DAG_CBOR, DAG_JSON, JSON, convert, follow, links};

fuzz_target!(|bytes: &[u8]| {
    for codec in [0x55, 0x70, CBOR, DAG_CBOR, DAG_JSON, JSON, 0x300] {
        let _ = links(codec, bytes);
        let _ = follow(codec, bytes, &["a", "0", "Links"]);
        let Ok(cbor) = convert(codec, bytes, DAG_CBOR) else { continue };
        let again = convert(DAG_CBOR, &cbor, DAG_CBOR).unwrap();
        assert_eq!(again, cbor, "what was written is written again as it is");
        // Numbers that JSON has no words for stay behind.
        let Ok(json) = convert(DAG_CBOR, &cbor, DAG_JSON) else { continue };
        // Links by hash functions that are not known here are not read from JSON.
        let Ok(back) = convert(DAG_JSON, &json, DAG_CBOR) else { continue };
        // Fractions may be another in their last place when they are read from JSON.
        let fraction = |pair: &[u8]| pair[0].is_ascii_digit() && matches!(pair[1], b'.' | b'e');
        if !json.windows(2).any(fraction) {
            assert_eq!(convert(DAG_CBOR, &back, DAG_JSON).as_ref(), Ok(&json));
        }
        assert_eq!(links(DAG_JSON, &json), links(DAG_CBOR, &cbor));
    }
});
