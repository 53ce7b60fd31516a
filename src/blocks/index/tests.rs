use super::*;
use crate::content::cid::sha256;
use crate::content::unixfs::LEAF_SIZE;

fn file(name: &str) -> Origin {
    Origin::File { path: name.into(), modified_ns: 0, inode: 0, device: 0, of: None, bound: None }
}

fn leaves(seed: u64, count: u64) -> Vec<Placed> {
    let digest = |n: u64| sha256(&(seed << 32 | n).to_le_bytes());
    (0..count).map(|n| (Position::leaf(n), digest(n))).collect()
}

fn put(index: &Index, name: &str, blocks: &[Placed]) -> Vec<i64> {
    let size = (blocks.len() * LEAF_SIZE) as u64;
    index.publish(None, blocks, &sha256(name.as_bytes()), size, &file(name)).unwrap().1
}

#[test]
fn a_leaf_takes_at_most_120_bytes_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blocks.db");
    let index = Index::open(&path).unwrap();
    let (files, each) = (60, 1000);
    for n in 0..files {
        put(&index, &n.to_string(), &leaves(n, each));
    }
    drop(index);
    let per_leaf = std::fs::metadata(&path).unwrap().len() / (files * each);
    println!("{per_leaf} bytes a leaf");
    assert!(per_leaf <= 120, "{per_leaf} bytes a leaf");
}

#[test]
fn a_run_of_any_length_is_read_back_in_any_part() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(&folder.path().join("blocks.db")).unwrap();
    let blocks = leaves(1, 3000);
    let id = index.append(None, &blocks[..1025]).unwrap();
    let id = index.append(Some(id), &blocks[1025..2900]).unwrap();
    assert!(index.locate(&blocks[0].1).unwrap().is_empty(), "nothing is seen before it is whole");
    let size = (blocks.len() * LEAF_SIZE) as u64;
    index.publish(Some(id), &blocks[2900..], &sha256(b"root"), size, &file("a")).unwrap();
    let (object, _) = index.locate(&blocks[0].1).unwrap().remove(0);
    for range in [0..3000, 0..1, 1020..1030, 1024..1025, 2899..2901, 2999..3000, 2990..9000, 5..5] {
        let digests = index.digests(&object, 0, range.clone()).unwrap();
        let end = range.end.min(3000) as usize;
        assert_eq!(digests, blocks[range.start as usize..end].iter().map(|b| b.1).collect::<Vec<_>>());
    }
    assert_eq!(index.locate(&blocks[2950].1).unwrap()[0].1, Position::leaf(2950));
}

#[test]
fn what_was_left_half_written_is_removed_and_its_id_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blocks.db");
    let index = Index::open(&path).unwrap();
    put(&index, "kept", &leaves(1, 3));
    let id = index.append(None, &leaves(2, 2000)).unwrap();
    drop(index);
    let index = Index::open(&path).unwrap();
    assert_eq!(index.dead().unwrap(), [id]);
    index.purge(index.dead().unwrap()).unwrap();
    assert_eq!(index.totals().unwrap(), (4, 1));
    assert!(index.append(None, &[]).unwrap() > id);
}

#[test]
fn an_object_that_another_process_removed_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(&folder.path().join("blocks.db")).unwrap();
    let id = index.append(None, &leaves(1, 10)).unwrap();
    index.purge(vec![id]).unwrap();
    assert!(index.publish(Some(id), &[], &sha256(b""), 10, &file("a")).is_err());
}

#[test]
fn a_damaged_index_is_set_aside_and_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blocks.db");
    std::fs::write(&path, "this is no database, whatever its name says".repeat(100)).unwrap();
    let index = Index::open(&path).unwrap();
    assert_eq!(index.totals().unwrap(), (0, 0));
    assert!(folder.path().join("blocks.db.damaged").exists());
}

#[test]
fn two_blocks_with_one_prefix_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(&folder.path().join("blocks.db")).unwrap();
    let (mut one, mut two) = ([7; 32], [7; 32]);
    (one[31], two[31]) = (1, 2);
    put(&index, "one", &[(Position::leaf(0), one), (Position::leaf(1), [1; 32])]);
    put(&index, "two", &[(Position::leaf(0), two), (Position::leaf(1), [2; 32])]);
    let names = |digest| {
        let found = index.locate(&digest).unwrap();
        found.into_iter().map(|(object, _)| object.root).collect::<Vec<_>>()
    };
    assert_eq!(names(one), [sha256(b"one")]);
    assert_eq!(names(two), [sha256(b"two")]);
    assert!(names([7; 32]).is_empty());
}
