//! Any bytes as a Bitswap message: no panic, no more entries than may be, blocks named by what they hash to, and what is written is
//! read back.
#![no_main]
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use potluck::content::cid;
use potluck::exchange::libp2p::bitswap::message::{ENTRIES_MAX, Message};

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::decode(Bytes::copy_from_slice(bytes)) else { return };
    assert!(message.entries.len() + message.presences.len() + message.blocks.len() <= ENTRIES_MAX);
    for (name, block) in &message.blocks {
        cid::verify(name, block).unwrap();
    }
    let encoded = message.encode();
    let (len, rest) = unsigned_varint::decode::usize(&encoded).unwrap();
    assert_eq!(len, rest.len());
    if len <= potluck::exchange::libp2p::bitswap::message::MESSAGE_MAX {
        assert_eq!(Message::decode(Bytes::copy_from_slice(rest)).unwrap(), message);
    }
});
