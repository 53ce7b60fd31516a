//! Any blocks as a DAG of files, folders and data: reading ends, without a panic, and gives no more of a file than it says.
#![no_main]
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use libfuzzer_sys::fuzz_target;
use potluck::blocks::dag::{DagError, Scope, Source, Walk, WalkOptions, file, folder, path};
use potluck::content::{Cid, cid};

/// Steps of one walk that are looked at.
const STEPS: usize = 500;

struct Pantry(HashMap<Vec<u8>, Bytes>);

impl Source for Pantry {
    fn block<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, DagError>> {
        let inline = cid::inline(cid).map(Bytes::copy_from_slice);
        let found = inline.or_else(|| self.0.get(&cid.hash().to_bytes()).cloned());
        async move { found.ok_or(DagError::NotFound(*cid)) }.boxed()
    }
}

/// A block of so many bytes after each length; the link at the end of a node is to the block before it where the byte says so.
fn blocks(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    while let [len, rest @ ..] = bytes {
        let (block, after) = rest.split_at(usize::from(*len).min(rest.len()));
        let mut block = block.to_vec();
        if let (Some(before), Some(at)) = (all.last(), block.windows(32).position(|part| part.iter().all(|b| *b == 0xaa))) {
            block[at..at + 32].copy_from_slice(&cid::sha256(before));
        }
        all.push(block);
        bytes = after;
    }
    all
}

fuzz_target!(|bytes: &[u8]| {
    let blocks = blocks(bytes);
    let hash = |block: &[u8]| cid::of_raw(block).hash().to_bytes();
    let pantry = Arc::new(Pantry(blocks.iter().map(|block| (hash(block), Bytes::copy_from_slice(block))).collect()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (block, codec) in blocks.iter().flat_map(|block| [0x70, 0x71, 0x0129].map(|codec| (block, codec))) {
            let root = cid::of_digest(codec, &cid::sha256(block));
            if let Ok(size) = file::size(&*pantry, &root).await {
                let mut sum = 0;
                let mut pieces = file::read(pantry.clone(), root, 0..u64::MAX).take(STEPS);
                while let Some(Ok(piece)) = pieces.next().await {
                    sum += piece.len() as u64;
                }
                assert!(sum <= size);
            }
            let _ = folder::list(pantry.clone(), root, 100).await;
            let _ = path::resolve(&*pantry, root, "a/0/b").await;
            let options = WalkOptions { scope: Scope::All, range: None, ahead: 4, again: false, strict: false };
            let mut walk = Walk::new(pantry.clone(), root, options);
            for _ in 0..STEPS {
                if !matches!(walk.next().await, Ok(Some(_))) {
                    break;
                }
            }
        }
    });
});
