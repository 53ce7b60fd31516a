//! `blocks.db`: every SQL statement of the block index.
//!
//! An *object* is a file in a library or something derived from one. Its DAG's shape follows from its size
//! ([`Shape`]), so only the digests are kept: in *runs* (consecutive digests of one level, to read in order and to write
//! interior nodes again) and as *keys* (the first 64 bits of a digest to the object and position, to find a block by its
//! CID). A found key is always checked against the whole digest in the run, and the bytes are hashed after that.
//!
//! Objects come alive in one statement (`state`), so a half-written one is never seen; what is not alive is purged in
//! small transactions.
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, params};

use super::{Imported, Recipe};
use crate::content::Cid;
use crate::content::cid::{DAG_PB, Digest, RAW, of_digest};
use crate::content::unixfs::{LINKS_MAX, Position, Profile, Shape};
use crate::database::{Database, DatabaseError, DatabaseOptions, Durability};

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE object (
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, so an old handle finds nothing
        state INTEGER NOT NULL,     -- 0 being written, 1 alive, 2 gone
        root BLOB NOT NULL,         -- SHA-256
        size INTEGER NOT NULL,
        path BLOB,                  -- of a file; then modified_ns, inode, device
        modified_ns INTEGER,
        inode INTEGER,
        device INTEGER,
        source BLOB,                -- of a derived object: CID of the file; then detail
        detail BLOB
    ) STRICT;
    CREATE UNIQUE INDEX object_path ON object (path) WHERE state = 1 AND path IS NOT NULL;
    CREATE UNIQUE INDEX object_recipe ON object (source, detail) WHERE state = 1 AND source IS NOT NULL;
    CREATE INDEX object_dead ON object (state) WHERE state <> 1;
    CREATE TABLE run (
        object INTEGER NOT NULL,
        level INTEGER NOT NULL,
        first INTEGER NOT NULL,     -- number of the first digest
        digests BLOB NOT NULL,      -- 32 bytes each, at most 1024
        PRIMARY KEY (object, level, first)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE key (
        prefix INTEGER NOT NULL,    -- first 8 bytes of a digest
        object INTEGER NOT NULL,
        level INTEGER NOT NULL,     -- of the first block with that prefix in the object
        number INTEGER NOT NULL,
        PRIMARY KEY (prefix, object)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE folder (
        digest BLOB NOT NULL,       -- SHA-256 of a folder's node
        source BLOB NOT NULL,       -- CID of the file that decides who may see it
        node BLOB NOT NULL,
        PRIMARY KEY (digest, source)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX folder_source ON folder (source);
",
];

const OBJECT: &str = "o.id, o.root, o.size, o.path, o.modified_ns, o.inode, o.device, o.source, o.detail";

/// Where an object's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// `of` is the library file that a file of the node's own was made of.
    File {
        path: PathBuf,
        modified_ns: i64,
        inode: u64,
        device: u64,
        of: Option<Cid>,
    },
    Derived(Recipe),
}

/// A file or derived object that is alive in the index.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub id: i64,
    pub root: Digest,
    pub size: u64,
    pub origin: Origin,
}

impl Object {
    pub fn shape(&self) -> Shape {
        Shape::new(Profile::V1_2025, self.size)
    }

    pub fn cid(&self) -> Cid {
        let codec = if self.shape().root().level == 0 { RAW } else { DAG_PB };
        of_digest(codec, &self.root)
    }

    /// The file that decides who may see it.
    pub fn source(&self) -> Cid {
        match &self.origin {
            Origin::File { of, .. } => of.unwrap_or_else(|| self.cid()),
            Origin::Derived(recipe) => recipe.source,
        }
    }

    pub fn imported(&self) -> Option<Imported> {
        match self.origin {
            Origin::File { modified_ns, inode, device, .. } => {
                Some(Imported { cid: self.cid(), size: self.size, modified_ns, inode, device })
            }
            Origin::Derived(_) => None,
        }
    }
}

/// A block with its place in an object.
pub(super) type Placed = (Position, Digest);

/// Blocking; call it on a blocking thread.
#[derive(Clone)]
pub(super) struct Index {
    database: Database,
}

impl Index {
    /// Opens or makes the index. One that SQLite finds damaged is set aside as `blocks.db.damaged` and begun anew,
    /// because all of it can be made again.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let options = DatabaseOptions { durability: Durability::Normal, ..DatabaseOptions::default() };
        let open = || Database::open(path, &options, MIGRATIONS);
        let database = match open() {
            Err(error) if damaged(&error) && set_aside(path).is_ok() => {
                tracing::error!(%error, path = %path.display(), "the block index was damaged and is begun anew");
                open()?
            }
            other => other?,
        };
        Ok(Self { database })
    }

    /// Writes blocks of an object that is not alive yet; makes it where `id` is `None`. For objects of many blocks.
    pub fn append(&self, id: Option<i64>, blocks: &[Placed]) -> Result<i64, DatabaseError> {
        self.database.write_blocking(|t| {
            let id = match id {
                Some(id) => id,
                None => {
                    t.execute("INSERT INTO object (state, root, size) VALUES (0, x'', 0)", [])?;
                    t.last_insert_rowid()
                }
            };
            insert_blocks(t, id, blocks)?;
            Ok(id)
        })
    }

    /// Writes the last blocks of an object (all but its root) and makes it alive, in place of the one with the same path or recipe. Gives
    /// its id and the objects that are gone by that, to purge.
    pub fn publish(
        &self,
        id: Option<i64>,
        blocks: &[Placed],
        root: &Digest,
        size: u64,
        origin: &Origin,
    ) -> Result<(i64, Vec<i64>), DatabaseError> {
        self.database.write_blocking(|t| {
            let gone = match origin {
                Origin::File { path, .. } => retire_file(t, path)?,
                Origin::Derived(recipe) => retire_derived(t, &recipe.source, Some(&recipe.detail))?,
            };
            let id = insert_object(t, id, root, size, origin)?;
            insert_blocks(t, id, blocks)?;
            insert_keys(t, id, &[(Shape::new(Profile::V1_2025, size).root(), *root)])?;
            Ok((id, gone))
        })
    }

    /// All objects that hold a block with this digest, files first.
    pub fn locate(&self, digest: &Digest) -> Result<Vec<(Object, Position)>, DatabaseError> {
        self.database.read_blocking(|c| {
            let sql = format!(
                "SELECT {OBJECT}, k.level, k.number FROM key k JOIN object o ON o.id = k.object
                 WHERE k.prefix = ?1 AND o.state = 1 ORDER BY o.path IS NULL, o.id"
            );
            let mut statement = c.prepare_cached(&sql)?;
            let found = statement.query_map([prefix(digest)], |row| {
                let at = Position { level: row.get(9)?, number: get_u64(row, 10)? };
                Ok((object(row)?, at))
            })?;
            let found: Vec<_> = found.collect::<Result<_, _>>()?;
            let mut right = Vec::with_capacity(found.len());
            for (object, at) in found {
                if digest_at(c, &object, at)?.as_ref() == Some(digest) {
                    right.push((object, at));
                }
            }
            Ok(right)
        })
    }

    /// Digests of consecutive blocks of one level; shorter where the object has fewer or is gone.
    pub fn digests(&self, object: &Object, level: u8, numbers: Range<u64>) -> Result<Vec<Digest>, DatabaseError> {
        if level == object.shape().root().level {
            return Ok(vec![object.root]);
        }
        self.database.read_blocking(|c| {
            let mut statement = c.prepare_cached(
                "SELECT first, digests FROM run WHERE object = ?1 AND level = ?2 AND first > ?3 AND first < ?4 ORDER BY first",
            )?;
            let before = to_i64(numbers.start) - LINKS_MAX as i64;
            let runs = statement.query_map(params![object.id, level, before, to_i64(numbers.end)], |row| {
                Ok((get_u64(row, 0)?, row.get::<_, Vec<u8>>(1)?))
            })?;
            let mut out = Vec::new();
            for run in runs {
                let (first, digests) = run?;
                let of_run = digests.chunks_exact(32).zip(first..).filter(|(_, number)| numbers.contains(number));
                out.extend(of_run.filter_map(|(digest, _)| Digest::try_from(digest).ok()));
            }
            Ok(out)
        })
    }

    /// The file that is alive at a path.
    pub fn file_at(&self, path: &Path) -> Result<Option<Object>, DatabaseError> {
        self.database.read_blocking(|c| {
            let sql = format!("SELECT {OBJECT} FROM object o WHERE o.path = ?1 AND o.state = 1");
            c.prepare_cached(&sql)?.query_row([bytes_of(path)], object).optional()
        })
    }

    /// The derived object of a recipe.
    pub fn derived_by(&self, recipe: &Recipe) -> Result<Option<Object>, DatabaseError> {
        self.database.read_blocking(|c| {
            let sql = format!("SELECT {OBJECT} FROM object o WHERE o.source = ?1 AND o.detail = ?2 AND o.state = 1");
            c.prepare_cached(&sql)?.query_row(params![recipe.source.to_bytes(), recipe.detail], object).optional()
        })
    }

    /// Keeps the nodes of a folder.
    pub fn put_folder(&self, source: &Cid, nodes: &[(Digest, Bytes)]) -> Result<(), DatabaseError> {
        self.database.write_blocking(|t| {
            let mut put =
                t.prepare_cached("INSERT OR IGNORE INTO folder (digest, source, node) VALUES (?1, ?2, ?3)")?;
            for (digest, node) in nodes {
                put.execute(params![digest, source.to_bytes(), node.as_ref()])?;
            }
            Ok(())
        })
    }

    /// A folder's node with the files that decide who may see it.
    pub fn folder(&self, digest: &Digest) -> Result<Option<(Bytes, Vec<Cid>)>, DatabaseError> {
        self.database.read_blocking(|c| {
            let mut statement = c.prepare_cached("SELECT node, source FROM folder WHERE digest = ?1")?;
            let rows =
                statement.query_map([digest], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
            let sources = rows.iter().filter_map(|(_, source)| Cid::try_from(source.as_slice()).ok()).collect();
            Ok(rows.into_iter().next().map(|(node, _)| (node.into(), sources)))
        })
    }

    /// Gives a file another path, and another inode and device where they are known. Gives the objects that are gone by
    /// that, to purge.
    pub fn relocate(&self, from: &Path, to: &Path, place: Option<(u64, u64)>) -> Result<Vec<i64>, DatabaseError> {
        if from == to {
            return Ok(Vec::new());
        }
        self.database.write_blocking(|t| {
            let moved = "SELECT EXISTS (SELECT 1 FROM object WHERE path = ?1 AND state = 1)";
            if !t.query_row(moved, [bytes_of(from)], |row| row.get::<_, bool>(0))? {
                return Ok(Vec::new());
            }
            let gone = retire_file(t, to)?;
            let (inode, device) = place.map(|(i, d)| (i.cast_signed(), d.cast_signed())).unzip();
            t.execute(
                "UPDATE object SET path = ?2, inode = coalesce(?3, inode), device = coalesce(?4, device)
                 WHERE path = ?1 AND state = 1",
                params![bytes_of(from), bytes_of(to), inode, device],
            )?;
            Ok(gone)
        })
    }

    /// Takes a file out. Gives the objects that are gone by that, to purge.
    pub fn retire(&self, path: &Path) -> Result<Vec<i64>, DatabaseError> {
        self.database.write_blocking(|t| retire_file(t, path))
    }

    /// Objects that are not alive: left by a process that ended in the middle.
    pub fn dead(&self) -> Result<Vec<i64>, DatabaseError> {
        self.database.read_blocking(|c| {
            c.prepare("SELECT id FROM object WHERE state <> 1")?.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Removes rows of objects that are not alive, a run a transaction so that others can write in between. Derived
    /// objects whose file is gone go with it.
    pub fn purge(&self, objects: Vec<i64>) -> Result<(), DatabaseError> {
        let mut left = objects;
        while let Some(id) = left.pop() {
            while self.database.write_blocking(|t| purge_run(t, id))? {}
            left.extend(self.database.write_blocking(|t| purge_object(t, id))?);
        }
        Ok(())
    }

    /// Leaves and interior nodes that can be found, and files and derived objects that are alive.
    pub fn totals(&self) -> Result<(u64, u64), DatabaseError> {
        self.database.read_blocking(|c| {
            let count = |sql| c.query_row(sql, [], |row| get_u64(row, 0));
            Ok((count("SELECT count(*) FROM key")?, count("SELECT count(*) FROM object WHERE state = 1")?))
        })
    }
}

fn damaged(error: &DatabaseError) -> bool {
    let code = match error {
        DatabaseError::Sqlite(error) => error.sqlite_error_code(),
        DatabaseError::Migration(rusqlite_migration::Error::RusqliteError { err, .. }) => err.sqlite_error_code(),
        _ => None,
    };
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn set_aside(path: &Path) -> std::io::Result<()> {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(suffix));
    }
    std::fs::rename(path, beside(".damaged"))
}

fn insert_object(
    t: &Transaction<'_>,
    id: Option<i64>,
    root: &Digest,
    size: u64,
    origin: &Origin,
) -> Result<i64, rusqlite::Error> {
    let (mut path, mut modified, mut inode, mut device) = (None, None, None, None);
    let source;
    let mut detail = None;
    match origin {
        Origin::File { path: p, modified_ns, inode: i, device: d, of } => {
            source = of.map(|of| of.to_bytes());
            path = Some(bytes_of(p));
            modified = Some(*modified_ns);
            inode = Some(i.cast_signed());
            device = Some(d.cast_signed());
        }
        Origin::Derived(recipe) => {
            source = Some(recipe.source.to_bytes());
            detail = Some(&recipe.detail);
        }
    }
    if let Some(id) = id
        && t.execute("DELETE FROM object WHERE id = ?1 AND state = 0", [id])? == 0
    {
        // Another process that opened the index took it for a leftover.
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    t.execute(
        "INSERT INTO object (id, state, root, size, path, modified_ns, inode, device, source, detail)
         VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![id, root, to_i64(size), path, modified, inode, device, source, detail],
    )?;
    Ok(t.last_insert_rowid())
}

fn insert_blocks(t: &Transaction<'_>, id: i64, blocks: &[Placed]) -> Result<(), rusqlite::Error> {
    let mut run = t.prepare_cached("INSERT INTO run (object, level, first, digests) VALUES (?1, ?2, ?3, ?4)")?;
    for blocks in runs(blocks) {
        let (first, digests) = (blocks[0].0, blocks.iter().flat_map(|(_, digest)| *digest).collect::<Vec<u8>>());
        run.execute(params![id, first.level, to_i64(first.number), digests])?;
    }
    insert_keys(t, id, blocks)
}

fn insert_keys(t: &Transaction<'_>, id: i64, blocks: &[Placed]) -> Result<(), rusqlite::Error> {
    // In the order of the tree, which is several times faster than the order of the file.
    let mut keys: Vec<_> = blocks.iter().map(|(at, digest)| (prefix(digest), *at)).collect();
    keys.sort_unstable();
    let mut key =
        t.prepare_cached("INSERT OR IGNORE INTO key (prefix, object, level, number) VALUES (?1, ?2, ?3, ?4)")?;
    for (prefix, at) in keys {
        key.execute(params![prefix, id, at.level, to_i64(at.number)])?;
    }
    Ok(())
}

/// Groups blocks that follow each other in one level, at most 1024 together.
fn runs(blocks: &[Placed]) -> impl Iterator<Item = &[Placed]> {
    let follows = |a: &Placed, b: &Placed| a.0.level == b.0.level && a.0.number + 1 == b.0.number;
    blocks.chunk_by(follows).flat_map(|run| run.chunks(LINKS_MAX))
}

fn digest_at(c: &Connection, object: &Object, at: Position) -> Result<Option<Digest>, rusqlite::Error> {
    if at == object.shape().root() {
        return Ok(Some(object.root));
    }
    c.prepare_cached(
        "SELECT substr(digests, 1 + 32 * (?3 - first), 32) FROM run
         WHERE object = ?1 AND level = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1",
    )?
    .query_row(params![object.id, at.level, to_i64(at.number)], |row| row.get::<_, Vec<u8>>(0))
    .optional()
    .map(|digest| digest.and_then(|d| Digest::try_from(d).ok()))
}

fn retire_file(t: &Transaction<'_>, path: &Path) -> Result<Vec<i64>, rusqlite::Error> {
    t.prepare_cached("UPDATE object SET state = 2 WHERE path = ?1 AND state = 1 RETURNING id")?
        .query_map([bytes_of(path)], |row| row.get(0))?
        .collect()
}

fn retire_derived(t: &Transaction<'_>, source: &Cid, detail: Option<&[u8]>) -> Result<Vec<i64>, rusqlite::Error> {
    t.prepare_cached(
        "UPDATE object SET state = 2 WHERE source = ?1 AND (?2 IS NULL OR detail = ?2) AND state = 1 RETURNING id",
    )?
    .query_map(params![source.to_bytes(), detail], |row| row.get(0))?
    .collect()
}

/// Removes one run and its keys; `false` when there was none.
fn purge_run(t: &Transaction<'_>, id: i64) -> Result<bool, rusqlite::Error> {
    let run = t
        .prepare_cached("SELECT level, first, digests FROM run WHERE object = ?1 LIMIT 1")?
        .query_row([id], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?)))
        .optional()?;
    let Some((level, first, digests)) = run else { return Ok(false) };
    let mut key = t.prepare_cached("DELETE FROM key WHERE prefix = ?1 AND object = ?2")?;
    for digest in digests.chunks_exact(32).filter_map(|d| Digest::try_from(d).ok()) {
        key.execute(params![prefix(&digest), id])?;
    }
    t.execute("DELETE FROM run WHERE object = ?1 AND level = ?2 AND first = ?3", params![id, level, first])?;
    Ok(true)
}

/// Removes an object without runs; gives what was derived from it, when no other file has the same bytes.
fn purge_object(t: &Transaction<'_>, id: i64) -> Result<Vec<i64>, rusqlite::Error> {
    let sql = format!("SELECT {OBJECT} FROM object o WHERE o.id = ?1 AND length(o.root) = 32");
    let gone = t.prepare_cached(&sql)?.query_row([id], object).optional()?;
    t.execute("DELETE FROM object WHERE id = ?1", [id])?;
    let Some(gone) = gone else { return Ok(Vec::new()) };
    t.execute("DELETE FROM key WHERE prefix = ?1 AND object = ?2", params![prefix(&gone.root), id])?;
    if matches!(gone.origin, Origin::Derived(_)) {
        return Ok(Vec::new());
    }
    let copy: bool = t
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM key k JOIN object o ON o.id = k.object
             WHERE k.prefix = ?1 AND o.root = ?2 AND o.state = 1 AND o.path IS NOT NULL)",
        )?
        .query_row(params![prefix(&gone.root), gone.root], |row| row.get(0))?;
    if copy {
        return Ok(Vec::new());
    }
    t.execute("DELETE FROM folder WHERE source = ?1", [gone.cid().to_bytes()])?;
    retire_derived(t, &gone.cid(), None)
}

/// Reads the columns of [`OBJECT`].
fn object(row: &Row<'_>) -> Result<Object, rusqlite::Error> {
    let broken = |e| rusqlite::Error::FromSqlConversionFailure(7, rusqlite::types::Type::Blob, Box::new(e));
    let source: Option<Vec<u8>> = row.get(7)?;
    let source = source.map(|bytes| Cid::try_from(bytes.as_slice())).transpose().map_err(broken)?;
    let path: Option<Vec<u8>> = row.get(3)?;
    let origin = match (path, source) {
        (None, Some(source)) => Origin::Derived(Recipe { source, detail: row.get(8)? }),
        (path, of) => {
            let path = PathBuf::from(OsStr::from_bytes(&path.unwrap_or_default()));
            Origin::File { path, modified_ns: row.get(4)?, inode: get_u64(row, 5)?, device: get_u64(row, 6)?, of }
        }
    };
    Ok(Object { id: row.get(0)?, root: row.get(1)?, size: get_u64(row, 2)?, origin })
}

fn prefix(digest: &Digest) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

// SQLite's integers are signed; sizes and numbers keep their bits.
fn to_i64(number: u64) -> i64 {
    number.cast_signed()
}

fn get_u64(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid::sha256;
    use crate::content::unixfs::LEAF_SIZE;

    fn file(name: &str) -> Origin {
        Origin::File { path: name.into(), modified_ns: 0, inode: 0, device: 0, of: None }
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
}
