//! Any bytes as a stream of Bitswap messages with their lengths: no panic, and no message is longer than allowed or reaches into the next.
#![no_main]
use futures_util::io::Cursor;
use libfuzzer_sys::fuzz_target;
use potluck::exchange::libp2p::bitswap::wire::{message, next_length};

/// Of a message here, in bytes.
const MAX: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut stream = Cursor::new(bytes);
        loop {
            let before = stream.position();
            let Ok(Some(len)) = next_length(&mut stream).await else { return };
            let Ok(message) = message(&mut stream, len.min(MAX)).await else { return };
            let taken = stream.position() - before;
            assert!((1..=MAX as u64 + 5).contains(&taken), "{taken}");
            assert!(message.blocks.iter().map(|(_, block)| block.len() as u64).sum::<u64>() <= taken);
        }
    });
});
