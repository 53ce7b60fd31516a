//! DAGs as honest nodes make them, and as nobody should.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryStreamExt as _};
use ipld_core::ipld;
use ipld_core::ipld::Ipld;

use super::*;
use crate::content::cid::{self, of_digest, of_node, of_raw, sha256};
use crate::content::ipld::DAG_CBOR;
use crate::content::unixfs::folder::{FolderEntry, build};
use crate::content::unixfs::node::{encode_any, encode_symlink};
use crate::content::unixfs::{Layout, Profile, leaves_of};

/// Blocks in memory; counts how many are asked for at the same time.
#[derive(Default)]
struct Pantry {
    blocks: HashMap<Cid, Bytes>,
    asked: AtomicUsize,
    most: AtomicUsize,
    now: AtomicUsize,
}

impl Source for Pantry {
    fn block<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, DagError>> {
        async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(now, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.now.fetch_sub(1, Ordering::Relaxed);
            let inline = cid::inline(cid).map(Bytes::copy_from_slice);
            inline.or_else(|| self.blocks.get(cid).cloned()).ok_or(DagError::NotFound(*cid))
        }
        .boxed()
    }
}

impl Pantry {
    fn put(&mut self, cid: Cid, bytes: impl Into<Bytes>) -> Cid {
        self.blocks.insert(cid, bytes.into());
        cid
    }

    fn node(&mut self, bytes: Vec<u8>) -> Cid {
        self.put(of_node(&bytes), bytes)
    }

    fn raw(&mut self, bytes: &[u8]) -> Cid {
        self.put(of_raw(bytes), bytes.to_vec())
    }

    fn file(&mut self, bytes: &[u8], profile: Profile) -> Cid {
        let layout = Layout::of(bytes, profile);
        for (leaf, bytes) in layout.leaves.iter().zip(leaves_of(bytes, profile)) {
            self.put(leaf.0, bytes.to_vec());
        }
        self.blocks.extend(layout.nodes);
        layout.root
    }

    fn folder(&mut self, entries: &[(&str, Cid)]) -> Cid {
        let entry = |(name, cid): &(&str, Cid)| FolderEntry { name: (*name).to_owned(), cid: *cid, tsize: 1 };
        let built = build(entries.iter().map(entry).collect()).unwrap();
        self.blocks.extend(built.nodes);
        built.root
    }

    fn share(self) -> Arc<Self> {
        Arc::new(self)
    }
}

async fn read(pantry: &Arc<Pantry>, root: Cid, range: std::ops::Range<u64>) -> Result<Vec<u8>, DagError> {
    let pieces: Vec<Bytes> = file::read(pantry.clone(), root, range).try_collect().await?;
    Ok(pieces.concat())
}

async fn walk(pantry: &Arc<Pantry>, root: Cid, scope: Scope, again: bool) -> Result<Vec<Cid>, DagError> {
    let options = WalkOptions { scope, range: None, ahead: 4, again, strict: false };
    let mut walk = Walk::new(pantry.clone(), root, options);
    let mut cids = Vec::new();
    while let Some(step) = walk.next().await? {
        cids.push(step.cid);
    }
    Ok(cids)
}

const SMALL: Profile = Profile { leaf_size: 4, links_max: 3 };

#[tokio::test]
async fn any_range_of_a_deep_file_is_read_with_blocks_fetched_ahead_and_none_in_vain() {
    let bytes: Vec<u8> = (0..250).collect();
    let mut pantry = Pantry::default();
    let root = pantry.file(&bytes, SMALL);
    let pantry = pantry.share();
    assert_eq!(file::size(&*pantry, &root).await.unwrap(), 250);
    for (from, to) in [(0, 250), (0, 1), (3, 5), (100, 101), (249, 250), (250, 300), (0, 9999), (7, 7)] {
        let expected = &bytes[from.min(250)..to.min(250)];
        assert_eq!(read(&pantry, root, from as u64..to as u64).await.unwrap(), expected, "{from}..{to}");
    }
    pantry.asked.store(0, Ordering::Relaxed);
    read(&pantry, root, 100..101).await.unwrap();
    assert_eq!(pantry.asked.load(Ordering::Relaxed), 5, "one block on each of five levels");
}

#[tokio::test]
async fn several_blocks_are_fetched_at_the_same_time_and_not_all() {
    let bytes: Vec<u8> = (0..400).map(|n| n as u8).collect();
    let mut pantry = Pantry::default();
    let root = pantry.file(&bytes, Profile { leaf_size: 4, links_max: 100 });
    let pantry = pantry.share();
    assert_eq!(read(&pantry, root, 0..400).await.unwrap(), bytes);
    assert_eq!(pantry.most.load(Ordering::Relaxed), 16);
    let mut pieces = file::read(pantry.clone(), root, 0..400);
    pantry.asked.store(0, Ordering::Relaxed);
    pieces.try_next().await.unwrap();
    drop(pieces);
    tokio::task::yield_now().await;
    assert!(pantry.asked.load(Ordering::Relaxed) <= 18, "who stops reading has no more fetched");
}

#[tokio::test]
async fn old_kinds_of_files_are_read() {
    let mut pantry = Pantry::default();
    let leaf = pantry.node(encode_any(Some(Bytes::from_static(b"soup")), &[]));
    let raw = pantry.raw(b"bread");
    let root = pantry.node(encode_any(Some(Bytes::from_static(b"salt ")), &[(leaf, 4), (raw, 5)]));
    let identity = cid::parse("bafkqabtimvwgy3yk").unwrap();
    let mixed = pantry.node(encode_any(None, &[(identity, 6), (root, 14)]));
    let pantry = pantry.share();
    assert_eq!(read(&pantry, root, 0..99).await.unwrap(), b"salt soupbread");
    assert_eq!(read(&pantry, root, 3..7).await.unwrap(), b"t so");
    assert_eq!(read(&pantry, mixed, 4..12).await.unwrap(), b"o\nsalt s");
}

#[tokio::test]
async fn sizes_that_are_not_true_end_the_reading_before_a_byte_is_out_of_place() {
    let mut pantry = Pantry::default();
    let (soup, bread) = (pantry.raw(b"soup"), pantry.raw(b"bread"));
    let inner = pantry.node(encode_any(None, &[(soup, 4)]));
    let (short, long) = (encode_any(None, &[(soup, 4), (bread, 4)]), encode_any(None, &[(bread, 5), (inner, 9)]));
    let (short, long) = (pantry.node(short), pantry.node(long));
    let over = pantry.node(encode_any(None, &[(soup, u64::MAX), (bread, 9)]));
    let folder = pantry.folder(&[("a", soup)]);
    let of_folder = pantry.node(encode_any(None, &[(folder, 9)]));
    let pantry = pantry.share();
    let lies = read(&pantry, short, 0..99).await;
    assert!(matches!(lies, Err(DagError::Lies { told: 4, found: 5, .. })), "{lies:?}");
    let lies = read(&pantry, long, 0..99).await;
    assert!(matches!(lies, Err(DagError::Lies { told: 9, found: 4, .. })), "{lies:?}");
    assert!(matches!(file::size(&*pantry, &over).await, Err(DagError::Malformed { .. })));
    assert!(matches!(read(&pantry, of_folder, 0..99).await, Err(DagError::NotAFile(_))));
    assert!(matches!(read(&pantry, folder, 0..99).await, Err(DagError::NotAFile(_))));
}

#[tokio::test]
async fn a_bomb_ends_at_a_limit_or_is_told_once() {
    let mut pantry = Pantry::default();
    let leaf = pantry.raw(b"boom");
    let (mut nested, mut size) = (leaf, 4u64);
    for _ in 0..60 {
        size = size.saturating_mul(2).min(1 << 62);
        nested = pantry.node(encode_any(None, &[(nested, size / 2), (nested, size / 2)]));
    }
    let mut deep = leaf;
    for _ in 0..1000 {
        deep = pantry.node(encode_any(None, &[(deep, 4)]));
    }
    let mut folders = leaf;
    for _ in 0..1000 {
        folders = pantry.folder(&[("a", folders), ("b", folders)]);
    }
    let pantry = pantry.share();
    assert_eq!(walk(&pantry, nested, Scope::All, false).await.unwrap().len(), 61, "2^60 leaves are one");
    let mut first = file::read(pantry.clone(), nested, 0..u64::MAX);
    assert_eq!(first.try_next().await.unwrap().unwrap(), "boom", "and are read as long as somebody wants");
    assert!(matches!(read(&pantry, deep, 0..4).await, Err(DagError::Limit(..))));
    assert!(matches!(walk(&pantry, folders, Scope::All, false).await, Err(DagError::Limit(..))));
    assert!(matches!(walk(&pantry, folders, Scope::All, true).await, Err(DagError::Limit(..))));
    let long = "/a".repeat(65);
    assert!(matches!(path::resolve(&*pantry, folders, &long).await, Err(DagError::Limit(..))));
}

#[tokio::test]
async fn what_links_to_the_same_block_twice_gets_it_twice_only_where_that_is_wanted() {
    let mut pantry = Pantry::default();
    let soup = pantry.raw(b"soup");
    let twice = pantry.node(encode_any(None, &[(soup, 4), (soup, 4)]));
    let folder = pantry.folder(&[("a", twice), ("b", soup)]);
    let pantry = pantry.share();
    assert_eq!(walk(&pantry, folder, Scope::All, true).await.unwrap(), [folder, twice, soup, soup, soup]);
    assert_eq!(walk(&pantry, folder, Scope::All, false).await.unwrap(), [folder, twice, soup]);
    assert_eq!(walk(&pantry, folder, Scope::Entity, false).await.unwrap(), [folder]);
    assert_eq!(walk(&pantry, twice, Scope::Block, false).await.unwrap(), [twice]);
}

#[tokio::test]
async fn a_folder_of_any_size_is_listed_and_each_name_in_it_is_found() {
    let mut pantry = Pantry::default();
    let names: Vec<String> = (0..5000).map(|n| format!("a dish with a rather long name, number {n:05}")).collect();
    let soup = pantry.raw(b"soup");
    let entries: Vec<(&str, Cid)> = names.iter().map(|name| (name.as_str(), soup)).collect();
    let (small, large) = (pantry.folder(&entries[..3]), pantry.folder(&entries));
    let pantry = pantry.share();
    let listed = folder::list(pantry.clone(), small, 10).await.unwrap();
    assert_eq!((listed.entries.len(), listed.more), (3, false));
    let listed = folder::list(pantry.clone(), large, 5000).await.unwrap();
    assert!(listed.entries.iter().map(|entry| &entry.name).eq(names.iter()) && !listed.more);
    let part = folder::list(pantry.clone(), large, 100).await.unwrap();
    assert_eq!((part.entries.len(), part.more), (100, true));
    let mut proof = Vec::new();
    assert_eq!(folder::find(&*pantry, large, &names[4711], &mut proof).await.unwrap(), soup);
    assert!(proof.len() >= 2 && proof[0].0 == large);
    let none = folder::find(&*pantry, large, "nothing", &mut proof).await;
    assert!(matches!(none, Err(DagError::NoName { .. })));
    assert!(matches!(folder::list(pantry.clone(), soup, 1).await, Err(DagError::NotAFolder(_))));
}

#[tokio::test]
async fn a_path_leads_through_folders_and_data() {
    let mut pantry = Pantry::default();
    let soup = pantry.raw(b"soup");
    let inner = pantry.folder(&[("é 🍲", soup)]);
    let data = serde_ipld_dagcbor::to_vec(&ipld!({ "menu": { "today": Ipld::Link(inner) }, "n": 1 })).unwrap();
    let data = pantry.put(of_digest(DAG_CBOR, &sha256(&data)), data);
    let outer = pantry.folder(&[("data", data)]);
    let link = pantry.node(encode_symlink("../soup"));
    let pantry = pantry.share();
    let led = path::resolve(&*pantry, outer, "/data//menu/today/é 🍲/").await.unwrap();
    assert_eq!(led.cids, [outer, data, inner, soup]);
    assert_eq!(led.proof.iter().map(|(cid, _)| *cid).collect::<Vec<_>>(), [outer, data, inner]);
    assert!(matches!(path::resolve(&*pantry, data, "menu").await, Err(DagError::Within(_))));
    assert!(matches!(path::resolve(&*pantry, data, "menu/x").await, Err(DagError::NoName { .. })));
    assert!(matches!(path::resolve(&*pantry, soup, "x").await, Err(DagError::NotAFolder(_))));
    assert!(matches!(path::resolve(&*pantry, of_raw(b"x"), "").await, Ok(led) if led.cids.len() == 1));
    assert_eq!(walk(&pantry, data, Scope::All, false).await.unwrap(), [data, inner, soup]);
    assert_eq!(walk(&pantry, data, Scope::Entity, false).await.unwrap(), [data]);
    assert_eq!(file::kind(&link, &pantry.block(&link).await.unwrap()).unwrap(), file::Kind::Symlink("../soup".into()));
    let unknown = Cid::new_v1(0x300, *soup.hash());
    assert!(matches!(file::kind(&unknown, b""), Err(DagError::UnknownCodec(_))));
}

#[tokio::test]
async fn a_missing_block_ends_the_walk_where_it_is_missing() {
    let bytes: Vec<u8> = (0..40).collect();
    let mut pantry = Pantry::default();
    let root = pantry.file(&bytes, SMALL);
    pantry.blocks.remove(&of_raw(&bytes[20..24]));
    let pantry = pantry.share();
    assert_eq!(read(&pantry, root, 0..20).await.unwrap(), &bytes[..20], "what is not needed is not missed");
    let pieces: Vec<Result<Bytes, DagError>> = {
        use futures_util::StreamExt as _;
        file::read(pantry.clone(), root, 16..40).collect().await
    };
    assert_eq!(pieces[0].as_ref().unwrap(), &bytes[16..20]);
    assert!(matches!(pieces[1], Err(DagError::NotFound(_))) && pieces.len() == 2);
}
