//! Any bytes as a UnixFS node: no panic, and a file's sizes always add up.
#![no_main]
use libfuzzer_sys::fuzz_target;
use potluck::content::unixfs::folder;
use potluck::content::unixfs::node::{Node, decode};

fuzz_target!(|bytes: &[u8]| {
    let Ok(node) = decode(bytes) else { return };
    if let Node::File { inline, links, size } = &node {
        assert_eq!(links.iter().map(|(_, size)| size).sum::<u64>() + inline.len() as u64, *size);
    }
    for depth in 0..folder::DEPTH_MAX {
        let _ = folder::find(&node, "a name", depth);
    }
});
