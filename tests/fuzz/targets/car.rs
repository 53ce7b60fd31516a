//! Any bytes as a CAR: no panic, and every block that comes out hashes to its CID.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::content::{car, cid};

fuzz_target!(|bytes: &[u8]| {
    let Ok(car) = car::read(bytes) else { return };
    for (cid, block) in car.blocks {
        assert_eq!(cid::verify(&cid, block), Ok(()));
    }
});
