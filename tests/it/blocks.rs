//! The block index on real files: what goes in, what comes out, and what never does.
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use potluck::blocks::{BlockError, Blocks, BlocksOptions, Finding, ImportError, Imported, Producer, Recipe};
use potluck::content::Cid;
use potluck::content::cid;
use potluck::content::unixfs::{Layout, Profile, node};
use tokio_util::sync::CancellationToken;

const MIB: usize = 1024 * 1024;

/// A folder with an index and files.
pub struct Kitchen {
    pub folder: tempfile::TempDir,
    pub blocks: Blocks,
}

impl Kitchen {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blocks = Blocks::open(BlocksOptions { path: folder.path().join("blocks.db") }).unwrap();
        Self { folder, blocks }
    }

    pub fn reopen(self) -> Self {
        let Self { folder, blocks } = self;
        drop(blocks);
        let blocks = Blocks::open(BlocksOptions { path: folder.path().join("blocks.db") }).unwrap();
        Self { folder, blocks }
    }

    pub fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub async fn import(&self, path: &Path) -> Result<Imported, ImportError> {
        self.blocks.import(path, |_| {}, &CancellationToken::new()).await
    }

    pub async fn read(&self, root: &Cid, range: std::ops::Range<u64>) -> Result<Vec<u8>, BlockError> {
        let pieces: Vec<Bytes> = self.blocks.read(root, range).try_collect().await?;
        Ok(pieces.concat())
    }
}

/// Bytes without a repeated leaf.
pub fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

/// Writes other bytes into a file and gives it back its modification time.
fn corrupt(path: &Path, at: u64) {
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"\xff\x00\xff", at).unwrap();
    file.set_modified(modified).unwrap();
}

#[tokio::test]
async fn an_imported_file_is_read_back_whole_in_parts_and_block_by_block() {
    let kitchen = Kitchen::new();
    for len in [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7] {
        let bytes = bytes(len);
        let imported = kitchen.import(&kitchen.write("a", &bytes)).await.unwrap();
        let layout = Layout::of(&bytes, Profile::V1_2025);
        assert_eq!((imported.cid, imported.size), (layout.root, len as u64));
        assert_eq!(kitchen.blocks.file_size(&layout.root).await.unwrap(), len as u64);
        assert!(kitchen.read(&layout.root, 0..u64::MAX).await.unwrap() == bytes, "{len}");
        let part = len / 3..len / 3 * 2;
        assert!(kitchen.read(&layout.root, part.start as u64..part.end as u64).await.unwrap() == bytes[part]);
        for (cid, node) in &layout.nodes {
            assert_eq!(kitchen.blocks.get(cid).await.unwrap(), node);
        }
        for ((leaf, len), bytes) in layout.leaves.iter().zip(bytes.chunks(MIB)) {
            assert_eq!(kitchen.blocks.get(leaf).await.unwrap(), bytes);
            let stat = kitchen.blocks.stat(leaf).await.unwrap().unwrap();
            assert_eq!((stat.size, stat.roots), (*len, vec![layout.root]));
        }
    }
    assert_eq!(kitchen.blocks.totals().await.unwrap().objects, 1, "each import replaced the one before");
}

#[tokio::test]
async fn what_was_imported_is_there_after_reopening() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", &bytes(2 * MIB));
    let imported = kitchen.import(&path).await.unwrap();
    let kitchen = kitchen.reopen();
    assert_eq!(kitchen.blocks.imported(&path).await.unwrap(), Some(imported.clone()));
    assert!(kitchen.read(&imported.cid, 0..u64::MAX).await.unwrap() == bytes(2 * MIB));
}

#[tokio::test]
async fn a_file_that_takes_several_transactions_is_whole() {
    let kitchen = Kitchen::new();
    let path = kitchen.folder.path().join("sparse");
    // The first transaction holds 4096 leaves.
    let size = 4098 * MIB as u64 + 7;
    fs::File::create(&path).unwrap().set_len(size).unwrap();
    let imported = kitchen.import(&path).await.unwrap();
    let leaf = cid::of_raw(&vec![0; MIB]);
    assert_eq!(kitchen.blocks.stat(&leaf).await.unwrap().unwrap().roots, [imported.cid]);
    assert_eq!(kitchen.read(&imported.cid, size - 9..size).await.unwrap(), [0; 9]);
    let root = node::decode(&kitchen.blocks.get(&imported.cid).await.unwrap()).unwrap();
    let node::Node::File { links, size: total, .. } = root else { panic!("a file's root is a file") };
    assert_eq!((links.len(), total), (5, size));
    for (node, _) in links {
        assert!(kitchen.blocks.get(&node).await.is_ok());
    }
}

#[tokio::test]
async fn a_name_that_is_not_utf_8_is_a_name() {
    let kitchen = Kitchen::new();
    let path = kitchen.write(OsStr::from_bytes(b"caf\xe9 \xff.mkv"), b"dish");
    let imported = kitchen.import(&path).await.unwrap();
    assert_eq!(kitchen.blocks.imported(&path).await.unwrap(), Some(imported.clone()));
    assert_eq!(kitchen.read(&imported.cid, 0..4).await.unwrap(), b"dish");
}

#[tokio::test]
async fn a_file_that_changed_is_never_served_and_told_once() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", b"first");
    let old = kitchen.import(&path).await.unwrap();
    let mut findings = kitchen.blocks.findings();
    fs::write(&path, b"other").unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_modified(later).unwrap();
    for _ in 0..2 {
        let error = kitchen.blocks.get(&old.cid).await.unwrap_err();
        assert!(matches!(error, BlockError::Changed { path: p } if p == path));
    }
    assert_eq!(findings.try_recv().unwrap(), Finding::Changed(path.clone()));
    assert!(findings.try_recv().is_err());
    let new = kitchen.import(&path).await.unwrap();
    assert_eq!(kitchen.read(&new.cid, 0..9).await.unwrap(), b"other");
    assert!(matches!(kitchen.blocks.get(&old.cid).await, Err(BlockError::NotFound(_))));
}

#[tokio::test]
async fn a_file_cut_short_after_import_is_never_served() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", &bytes(2 * MIB));
    let imported = kitchen.import(&path).await.unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(MIB as u64).unwrap();
    assert!(matches!(kitchen.read(&imported.cid, 0..10).await, Err(BlockError::Changed { .. })));
    let cancel = CancellationToken::new();
    assert!(matches!(kitchen.blocks.verify(&imported.cid, &cancel).await, Err(BlockError::Changed { .. })));
}

#[tokio::test]
async fn other_bytes_under_the_same_time_are_damage_and_never_served() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", &bytes(3 * MIB));
    let imported = kitchen.import(&path).await.unwrap();
    let cancel = CancellationToken::new();
    kitchen.blocks.verify(&imported.cid, &cancel).await.unwrap();
    let mut findings = kitchen.blocks.findings();
    corrupt(&path, 2 * MIB as u64 + 5);
    assert!(kitchen.read(&imported.cid, 0..2 * MIB as u64).await.is_ok(), "the first two leaves are as they were");
    let error = kitchen.read(&imported.cid, 0..3 * MIB as u64).await.unwrap_err();
    assert!(matches!(error, BlockError::Damaged { path: p } if p == path));
    assert_eq!(findings.try_recv().unwrap(), Finding::Damaged(path));
    assert!(matches!(kitchen.blocks.verify(&imported.cid, &cancel).await, Err(BlockError::Damaged { .. })));
}

#[tokio::test]
async fn copies_share_blocks_and_stand_in_for_each_other() {
    let kitchen = Kitchen::new();
    let (one, two) = (kitchen.write("one", &bytes(2 * MIB)), kitchen.write("two", &bytes(2 * MIB)));
    let longer = kitchen.write("longer", &[bytes(2 * MIB), b"more".to_vec()].concat());
    let root = kitchen.import(&one).await.unwrap().cid;
    assert_eq!(kitchen.import(&two).await.unwrap().cid, root);
    let other = kitchen.import(&longer).await.unwrap().cid;
    let leaf = Layout::of(&bytes(2 * MIB), Profile::V1_2025).leaves[0].0;
    let mut roots = vec![root, other];
    roots.sort();
    assert_eq!(kitchen.blocks.stat(&leaf).await.unwrap().unwrap().roots, roots);
    corrupt(&one, 3);
    fs::remove_file(&two).unwrap();
    assert!(kitchen.read(&root, 0..u64::MAX).await.unwrap() == bytes(2 * MIB), "from the longer file");
    kitchen.blocks.forget(&longer).await.unwrap();
    assert!(matches!(kitchen.read(&root, 0..1).await, Err(BlockError::Damaged { .. })));
    kitchen.blocks.forget(&one).await.unwrap();
    assert!(matches!(kitchen.read(&root, 0..1).await, Err(BlockError::NotFound(_))));
    kitchen.blocks.forget(&two).await.unwrap();
    assert_eq!(kitchen.blocks.stat(&leaf).await.unwrap(), None);
    let totals = kitchen.blocks.totals().await.unwrap();
    assert_eq!((totals.blocks, totals.objects), (0, 0), "nothing is left of what was forgotten");
}

#[tokio::test]
async fn a_moved_file_is_served_from_its_new_place() {
    let kitchen = Kitchen::new();
    let (from, to) = (kitchen.write("from", b"dish"), kitchen.write("to", b"in the way"));
    let (root, other) = (kitchen.import(&from).await.unwrap().cid, kitchen.import(&to).await.unwrap().cid);
    fs::rename(&from, &to).unwrap();
    kitchen.blocks.relocate(&from, &to).await.unwrap();
    assert_eq!(kitchen.read(&root, 0..4).await.unwrap(), b"dish");
    assert_eq!(kitchen.blocks.imported(&from).await.unwrap(), None);
    assert_eq!(kitchen.blocks.imported(&to).await.unwrap().unwrap().cid, root);
    assert!(matches!(kitchen.blocks.get(&other).await, Err(BlockError::NotFound(_))));
    kitchen.blocks.relocate(Path::new("/nothing"), &to).await.unwrap();
    assert_eq!(kitchen.blocks.imported(&to).await.unwrap().unwrap().cid, root, "an unknown path moves nothing");
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_read_is_refused_and_what_was_known_stays() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", &bytes(24 * MIB));
    let old = kitchen.import(&path).await.unwrap();
    let grown = path.clone();
    let grow = move |_| {
        let mut file = fs::OpenOptions::new().append(true).open(&grown).unwrap();
        std::io::Write::write_all(&mut file, b"more").unwrap();
    };
    let error = kitchen.blocks.import(&path, grow, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ImportError::Changing(p) if p == path));
    assert_eq!(kitchen.blocks.imported(&path).await.unwrap(), Some(old));
}

#[tokio::test]
async fn a_file_that_is_replaced_or_rewritten_while_it_is_read_is_refused() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", &bytes(8 * MIB));
    let (other, place) = (kitchen.write("b", &bytes(8 * MIB)), path.clone());
    let replace = move |_| {
        let _ = fs::rename(&other, &place);
    };
    let error = kitchen.blocks.import(&path, replace, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ImportError::Changing(_)));
    let place = path.clone();
    let rewrite = move |_| {
        use std::os::unix::fs::FileExt;
        let file = fs::OpenOptions::new().write(true).open(&place).unwrap();
        file.write_all_at(b"x", 0).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
    };
    let error = kitchen.blocks.import(&path, rewrite, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ImportError::Changing(_)));
}

#[tokio::test]
async fn what_cannot_be_read_is_said_with_its_path() {
    let kitchen = Kitchen::new();
    let missing = kitchen.folder.path().join("missing");
    let pipe = kitchen.folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let looped = kitchen.folder.path().join("loop");
    std::os::unix::fs::symlink(&looped, &looped).unwrap();
    for path in [missing, pipe, looped, kitchen.folder.path().to_owned()] {
        let error = kitchen.import(&path).await.unwrap_err();
        assert!(matches!(error, ImportError::Io { path: p, .. } if p == path));
    }
}

#[tokio::test]
async fn several_files_are_imported_at_once_and_each_for_itself() {
    let kitchen = Kitchen::new();
    let known = kitchen.write("known", b"before");
    kitchen.import(&known).await.unwrap();
    kitchen.write("known", b"after");
    let lengths = [0, 1, MIB, MIB + 1, 3 * MIB + 7];
    let mut paths: Vec<PathBuf> = lengths.iter().map(|n| kitchen.write(n.to_string(), &bytes(*n))).collect();
    paths.extend([kitchen.folder.path().join("missing"), known]);
    let outcomes = kitchen.blocks.import_several(paths.clone(), &CancellationToken::new()).await.unwrap();
    assert_eq!(outcomes.len(), paths.len());
    for ((len, path), outcome) in lengths.iter().zip(&paths).zip(&outcomes) {
        let (imported, layout) = (outcome.as_ref().unwrap(), Layout::of(&bytes(*len), Profile::V1_2025));
        assert_eq!((imported.cid, imported.size), (layout.root, *len as u64));
        assert_eq!(kitchen.blocks.imported(path).await.unwrap().as_ref(), Some(imported));
        assert!(kitchen.read(&layout.root, 0..u64::MAX).await.unwrap() == bytes(*len), "{len}");
    }
    assert!(matches!(&outcomes[5], Err(ImportError::Io { path, .. }) if *path == paths[5]));
    assert_eq!(outcomes[6].as_ref().unwrap().cid, Layout::of(b"after", Profile::V1_2025).root);
    let known: Vec<bool> = kitchen.blocks.all_imported(paths).await.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(known, [true, true, true, true, true, false, true]);
    assert_eq!(kitchen.blocks.totals().await.unwrap().objects, 6, "what was there before is gone");
}

#[tokio::test]
async fn several_files_of_a_cancelled_import_leave_nothing() {
    let kitchen = Kitchen::new();
    let paths = vec![kitchen.write("a", b"a"), kitchen.write("b", &bytes(9 * MIB))];
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcomes = kitchen.blocks.import_several(paths, &cancel).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(ImportError::Cancelled))));
    assert_eq!(kitchen.blocks.totals().await.unwrap().blocks, 0);
}

#[tokio::test]
async fn a_cancelled_import_leaves_nothing() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", &bytes(9 * MIB));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let error = kitchen.blocks.import(&path, move |_| stop.cancel(), &cancel).await.unwrap_err();
    assert!(matches!(error, ImportError::Cancelled));
    assert_eq!(kitchen.blocks.imported(&path).await.unwrap(), None);
    assert_eq!(kitchen.blocks.totals().await.unwrap().blocks, 0);
}

#[tokio::test]
async fn what_is_not_here_is_not_found() {
    let kitchen = Kitchen::new();
    let identity: Cid = "bafkqabtimvwgy3yk".parse().unwrap();
    for cid in [cid::of_raw(b"nowhere"), identity] {
        assert!(matches!(kitchen.blocks.get(&cid).await, Err(BlockError::NotFound(_))));
        assert_eq!(kitchen.blocks.stat(&cid).await.unwrap(), None);
        assert!(matches!(kitchen.blocks.file_size(&cid).await, Err(BlockError::NotFound(_))));
        assert!(matches!(kitchen.read(&cid, 0..1).await, Err(BlockError::NotFound(_))));
    }
}

#[tokio::test]
async fn a_leaf_that_looks_like_a_node_is_not_followed() {
    let kitchen = Kitchen::new();
    let secret = node::FileLink { digest: cid::sha256(b"secret"), leaf: true, size: 6, tsize: 6 };
    let forged = node::encode_file(&[secret]);
    let imported = kitchen.import(&kitchen.write("a", &forged)).await.unwrap();
    let as_node = cid::of_node(&forged);
    assert!(matches!(kitchen.blocks.file_size(&as_node).await, Err(BlockError::NotAFile(_))));
    assert!(matches!(kitchen.read(&as_node, 0..6).await, Err(BlockError::NotAFile(_))));
    assert_eq!(kitchen.read(&imported.cid, 0..u64::MAX).await.unwrap(), forged);
}

/// Makes what its recipe says, and counts.
struct Cook(Arc<AtomicUsize>);

impl Producer for Cook {
    fn produce(&self, recipe: Recipe) -> BoxFuture<'static, Result<Bytes, String>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        async move {
            match recipe.detail.as_slice() {
                b"fine" => Ok(bytes(2 * MIB + 1).into()),
                b"other" => Ok(vec![0; 2 * MIB + 1].into()),
                _ => Err("no such dish".to_owned()),
            }
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_derived_object_is_made_again_when_its_blocks_are_asked_for() {
    let kitchen = Kitchen::new();
    let path = kitchen.write("a", b"source");
    let source = kitchen.import(&path).await.unwrap().cid;
    let recipe = Recipe { source, detail: b"fine".to_vec() };
    let layout = kitchen.blocks.put_derived(recipe.clone(), bytes(2 * MIB + 1).into()).await.unwrap();
    assert_eq!(layout, kitchen.blocks.put_derived(recipe, bytes(2 * MIB + 1).into()).await.unwrap());
    let kitchen = kitchen.reopen();
    let made = Arc::new(AtomicUsize::new(0));
    assert!(matches!(kitchen.blocks.get(&layout.leaves[0].0).await, Err(BlockError::Underived { .. })));
    kitchen.blocks.set_producer(Arc::new(Cook(made.clone())));
    let (a, b) = (layout.leaves[0].0, layout.leaves[1].0);
    let both = tokio::join!(kitchen.blocks.get(&a), kitchen.blocks.get(&b));
    assert_eq!((both.0.unwrap().len(), both.1.unwrap().len()), (MIB, MIB));
    assert!(kitchen.read(&layout.root, 0..u64::MAX).await.unwrap() == bytes(2 * MIB + 1));
    assert_eq!(made.load(Ordering::SeqCst), 1, "asked for three times, made once");
    for cid in [layout.root, a, b] {
        assert_eq!(kitchen.blocks.stat(&cid).await.unwrap().unwrap().roots, vec![source]);
    }
    kitchen.blocks.forget(&path).await.unwrap();
    assert!(matches!(kitchen.blocks.get(&a).await, Err(BlockError::NotFound(_))), "it goes with its source");
}

#[tokio::test]
async fn a_derived_object_that_comes_out_differently_is_not_served() {
    let kitchen = Kitchen::new();
    let source = kitchen.import(&kitchen.write("a", b"source")).await.unwrap().cid;
    let mut cids = Vec::new();
    for detail in [b"other".to_vec(), b"gone".to_vec()] {
        let recipe = Recipe { source, detail };
        cids.push(kitchen.blocks.put_derived(recipe, bytes(2 * MIB + 1).into()).await.unwrap().leaves[0].0);
    }
    let kitchen = kitchen.reopen();
    kitchen.blocks.set_producer(Arc::new(Cook(Arc::default())));
    for cid in cids {
        assert!(matches!(kitchen.blocks.get(&cid).await, Err(BlockError::Underived { .. })));
    }
}
