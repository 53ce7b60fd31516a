//! Any bytes as the answer of a delegated router: no panic, and a server of the internet sends nobody to the house.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::node::routed;

fuzz_target!(|bytes: &[u8]| {
    let near = routed(bytes, true);
    for (peer, addresses) in routed(bytes, false) {
        assert!((1..=8).contains(&addresses.len()));
        assert!(near.iter().any(|(other, _)| *other == peer), "who may say more says no less");
        for address in addresses {
            for house in ["/ip4/127.", "/ip4/10.", "/ip4/192.168.", "/ip6/::1/", "/ip6/fe80:", "/dns"] {
                assert!(!address.starts_with(house), "{address}");
            }
        }
    }
});
