//! Any bytes as the answer of a pinning service: no panic, and what is shown of it is short and in one line.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::node::pins_answered;

fuzz_target!(|bytes: &[u8]| {
    let (pins, known, said) = pins_answered(bytes);
    let is_plain = |text: &str| text.chars().count() <= 300 && !text.chars().any(char::is_control);
    for pin in pins {
        assert!(pin.request.len() <= 512 && !pin.request.chars().any(char::is_control), "{}", pin.request);
        assert!(is_plain(&pin.cid) && is_plain(&pin.created) && pin.name.as_deref().is_none_or(is_plain));
        assert!(pin.info.len() <= 20 && pin.info.iter().all(|(key, value)| is_plain(key) && is_plain(value)));
    }
    for request in known {
        assert!((1..=512).contains(&request.len()) && request != "." && request != "..", "{request}");
    }
    assert!(said.chars().count() <= 2 * 300 + 4 && !said.chars().any(char::is_control));
});
