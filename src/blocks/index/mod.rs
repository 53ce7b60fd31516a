//! `blocks.db`: every SQL statement of the block index.
//!
//! An *object* is a file in a library or something derived from one. Its DAG's shape follows from its size
//! ([`Shape`]), so only the digests are kept: in *runs* (consecutive digests of one level, to read in order and to write
//! interior nodes again) and as *keys* (the first 64 bits of a digest to the object and position, to find a block by its
//! CID). A found key is always checked against the whole digest in the run, and the bytes are hashed after that.
//!
//! Objects come alive in one statement (`state`), so a half-written one is never seen; what is not alive is purged in
//! small transactions.
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{ErrorCode, OptionalExtension, params};

use self::statements::{
    OBJECT, bytes_of, digest_at, file_at, get_u64, insert_blocks, object, prefix, publish, purge_object, purge_run,
    retire_file, to_i64,
};
use super::bound::Bound;
use super::{Imported, Recipe};
use crate::content::Cid;
use crate::content::cid::{DAG_PB, Digest, RAW, of_digest};
use crate::content::unixfs::{LINKS_MAX, Position, Profile, Shape};
use crate::database::{Database, DatabaseError, DatabaseOptions, Durability};

mod statements;

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
    "
    ALTER TABLE object ADD COLUMN bound BLOB; -- of a folder that is read as one file: its files (blocks::bound)
",
];

/// Where an object's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file, or a folder that is read as one. `of` is the library file that a file of the node's own was made of.
    File {
        path: PathBuf,
        modified_ns: i64,
        inode: u64,
        device: u64,
        of: Option<Cid>,
        /// Of a folder: the files that it is made of.
        bound: Option<Arc<Bound>>,
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

/// An object that is to become alive, with its last blocks: all but its root.
pub(super) struct Whole {
    /// Where it was begun with [`Index::append`].
    pub id: Option<i64>,
    pub blocks: Vec<Placed>,
    pub root: Digest,
    pub size: u64,
    pub origin: Origin,
}

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
        self.database.write_blocking(|t| publish(t, id, blocks, root, size, origin))
    }

    /// The same of several, in one transaction. Gives what is gone by that, to purge.
    pub fn publish_all(&self, wholes: &[Whole]) -> Result<Vec<i64>, DatabaseError> {
        self.database.write_blocking(|t| {
            let mut all = Vec::new();
            for Whole { id, blocks, root, size, origin } in wholes {
                all.extend(publish(t, *id, blocks, root, *size, origin)?.1);
            }
            Ok(all)
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
                let at = Position { level: row.get(10)?, number: get_u64(row, 11)? };
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
        self.database.read_blocking(|c| file_at(c, path))
    }

    /// The files that are alive at these paths, in order.
    pub fn files_at(&self, paths: &[PathBuf]) -> Result<Vec<Option<Object>>, DatabaseError> {
        self.database.read_blocking(|c| paths.iter().map(|path| file_at(c, path)).collect())
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

#[cfg(test)]
mod tests;
