//! Any bytes as a CAR of either version: no panic, and every block that comes out hashes to its CID, whatever pieces it came in.
#![no_main]
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use potluck::content::car::{self, Decoder, Item};
use potluck::content::cid;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(car) = car::read(bytes) {
        for (cid, block) in car.blocks {
            assert_eq!(cid::verify(&cid, block), Ok(()));
        }
    }
    let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
    for piece in bytes.chunks(13) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(Some(Item::Block { cid, bytes: block, at })) => {
                    assert_eq!(cid::verify(&cid, &block), Ok(()));
                    let at = usize::try_from(at).unwrap();
                    assert_eq!(&bytes[at..at + block.len()], &block[..]);
                }
                Ok(Some(Item::Roots(_))) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
    let _ = decoder.finish(&buffer);
});
